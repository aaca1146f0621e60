"""How the values of varied options are combined."""

import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.config.variants import combinations
from msmf_traci.errors import InputError

THREE = ["variants.tiers.regional.rings=[1,2,3]", "variants.handoff.unsynced=[stop,relay]", "variants.handoff.user_left=[abandon,finish]"]
ONE_AT_A_TIME = "vary.design=one_at_a_time"


def chosen(*words: str) -> list[tuple[object, ...]]:
    return [tuple(each.values.values()) for each in combinations(read_request(words).points[0].config)]


def test_product_has_every_combination() -> None:
    assert len(chosen(*THREE)) == len(set(chosen(*THREE))) == 12


def test_one_at_a_time_begins_with_what_is_configured_and_changes_one() -> None:
    assert chosen(ONE_AT_A_TIME, *THREE) == [
        (2, "stop", "abandon"),
        (1, "stop", "abandon"),
        (3, "stop", "abandon"),
        (2, "relay", "abandon"),
        (2, "stop", "finish"),
    ]


def test_what_is_configured_is_there_though_it_is_not_listed() -> None:
    assert chosen(ONE_AT_A_TIME, "tiers.regional.rings=4", "variants.tiers.regional.rings=[1]") == [(4,), (1,)]


def test_options_together_are_combined_too() -> None:
    found = chosen(ONE_AT_A_TIME, "vary.together=[[handoff.unsynced,handoff.user_left]]", *THREE)
    assert found[:5] == chosen(ONE_AT_A_TIME, *THREE) and found[5:] == [(2, "relay", "finish")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([ONE_AT_A_TIME, "vary.together=[[handoff.unsynced,links.mode]]"], "vary.together names links.mode, which is not varied"),
        (["vary.together=[[handoff.unsynced,handoff.user_left]]"], "vary.together needs vary.design=one_at_a_time"),
        ([ONE_AT_A_TIME, "vary.together=[[handoff.unsynced]]"], "vary.together"),
        (["vary.design=some"], "vary.design=some: must be"),
    ],
)
def test_what_cannot_be_combined_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said.replace("[", r"\[")):
        read_request([*words, *THREE])
