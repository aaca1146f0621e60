"""Options of strategies of one's own: declared by their classes, checked like all others, and varied for the strategies that have them."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest

import msmf_traci as msmf
from msmf_traci.config.compose import read_request
from msmf_traci.config.schema import Config
from msmf_traci.errors import InputError
from msmf_traci.experiment.options import strategy_options
from msmf_traci.experiment.variants import make_variants
from msmf_traci.strategies.plugins import load_strategies, offer_strategies
from msmf_traci.strategies.pm_op import PmOp, PmOpTier


@dataclass(frozen=True)
class Waiting:
    wait_s: float = 10.0
    most: int = 3
    far: bool = False
    way: Literal["road", "line"] = "road"
    least_m: float | None = 5.0


class Waits(msmf.Strategy):
    name = "waits"
    Options = Waiting

    def decide(self, now: msmf.Situation) -> msmf.Decision:
        return msmf.Decision(now.home, now.next_home())


def judged(*words: str, strategies: str = "pm,pm_op,pm_op_tier") -> Config:
    (own,) = offer_strategies([Waits])
    return read_request([f"strategies=[{strategies},{own}]", *words]).points[0].config


def options_of(config: Config, kind: type[msmf.Strategy]) -> Any:
    return strategy_options(config, kind)


def test_what_is_not_given_is_at_its_default_and_what_is_has_its_type() -> None:
    assert options_of(judged(), Waits) == Waiting()
    found = options_of(judged("strategy.waits.wait_s=5", "strategy.waits.far=true", "strategy.waits.way=line"), Waits)
    assert found == Waiting(5.0, 3, True, "line")
    assert isinstance(found.wait_s, float)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("strategy.waits.wait_s=long", "strategy.waits.wait_s=long: must be a valid number"),
        ("strategy.waits.most=2.5", "strategy.waits.most=2.5: must be a valid integer"),
        ("strategy.waits.way=sea", "strategy.waits.way=sea: must be 'road' or 'line'"),
        ("strategy.waits.wait=5", "strategy waits has no option wait; did you mean wait_s?"),
        ("strategy.wait.wait_s=5", "no strategy in use is called wait; did you mean waits?"),
        ("variants.strategy.waits.wait_s=5", "write a list of values"),
        ("variants.strategy.waits.wait_s=[5,5.0]", "give every value once"),
        ("variants.strategy.waits.wait_s=[5,long]", "strategy.waits.wait_s=long: must be a valid number"),
        ("variants.strategy.waits.wait=[5]", "strategy waits has no option wait"),
    ],
)
def test_what_the_class_does_not_take_is_refused_in_one_sentence(word: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        judged(word)
    assert sentence in str(caught.value)


def keys(*words: str) -> list[tuple[Any, ...]]:
    config = judged(*words)
    return [
        tuple(each.keys[name] for name in each.keys if name != "image_mb")
        for each in make_variants(config, load_strategies(config.strategies)).variants
    ]


def test_an_option_varies_its_strategy_and_those_that_take_it_from_there() -> None:
    assert keys("variants.strategy.pm_op.min_m=[0,150]", "variants.strategy.waits.wait_s=[1,2]") == [
        ("pm", None, None),
        ("pm_op", 0.0, None),
        ("pm_op", 150.0, None),
        ("pm_op_tier", 0.0, None),
        ("pm_op_tier", 150.0, None),
        ("waits", None, 1.0),
        ("waits", None, 2.0),
    ]


def test_who_has_a_value_of_its_own_takes_none_from_elsewhere() -> None:
    words = "variants.strategy.pm_op.min_m=[0,150]", "strategy.pm_op_tier.min_m=77"
    assert keys(*words) == [("pm", None), ("pm_op", 0.0), ("pm_op", 150.0), ("pm_op_tier", None), ("waits", None)]
    config = judged(*words)
    assert (options_of(config, PmOp).min_m, options_of(config, PmOpTier).min_m) == (150, 77)
    assert options_of(judged("strategy.pm_op.min_dwell_s=4"), PmOpTier).min_dwell_s == 4


def test_one_at_a_time_begins_with_what_is_configured() -> None:
    words = "vary.design=one_at_a_time", "variants.strategy.waits.wait_s=[1]", "variants.strategy.waits.most=[7]"
    assert keys(*words)[-3:] == [("waits", 10.0, 3.0), ("waits", 1.0, 3.0), ("waits", 10.0, 7.0)]


def test_null_is_a_value_where_the_class_takes_it() -> None:
    assert options_of(judged("strategy.waits.least_m=null"), Waits).least_m is None


class PlainOptions(msmf.Strategy):
    name = "plain_options"

    class Options:
        wait_s: float = 3.0

    def decide(self, now: msmf.Situation) -> msmf.Decision:
        raise NotImplementedError


class OfOursByName(Waits):
    name = "pm_op"


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (PlainOptions, "strategy plain_options: its Options is no dataclass"),
        (OfOursByName, "is called pm_op in tables, and so is one of ours with options"),
    ],
)
def test_a_class_whose_options_could_not_be_told_is_refused(kind: type[msmf.Strategy], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        read_request([f"strategies={offer_strategies([kind])}".replace("'", "")])
    assert sentence in str(caught.value)
