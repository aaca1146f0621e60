"""Options of the first edition: refused under their old names with the new ones, and translated in runs of that time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.config.earlier_names import NEW_NAMES, with_new_names
from msmf_traci.config.schema import option_fields
from msmf_traci.errors import InputError

FIRST_EDITION: Mapping[str, Any] = {
    "tiers": {
        **{"regional_rings": 3, "local_latency_ms": 1.0, "regional_latency_ms": 2.0},
        **{"compute_ms": 4.0, "hop_latency_ms": 6.0, "min_speed_kmh": 7.0},
    },
    "capacity": {"local": None, "regional": 8},
    "links": {"bandwidth_mbps": 100.0},
    "variants": {"tiers": {"regional_rings": [1, 2], "compute_ms": None}, "capacity": {"local": None, "regional": [3, None]}, "links": {}},
}


@pytest.mark.parametrize("name", NEW_NAMES)
def test_an_old_name_is_refused_with_the_new_one(name: str) -> None:
    for varied, value in (("", "5"), ("variants.", "[5]")):
        with pytest.raises(InputError) as refused:
            read_request([f"{varied}{name}={value}"])
        said = str(refused.value)
        assert f"{varied}{name} is called {' and '.join(f'{varied}{new}' for new in NEW_NAMES[name])} today" in said


def test_every_new_name_is_an_option() -> None:
    assert {new for names in NEW_NAMES.values() for new in names} <= set(option_fields())


def test_a_configuration_of_the_first_edition_says_the_same_under_the_new_names() -> None:
    found = with_new_names(FIRST_EDITION)
    assert found["tiers"]["order"] == ["local", "regional"]
    assert found["tiers"]["local"] == {"area": "cell", "latency_ms": 1.0, "compute_ms": 4.0, "capacity": None}
    assert found["tiers"]["regional"] == {"area": "rings", "rings": 3, "latency_ms": 2.0, "compute_ms": 4.0, "capacity": 8}
    assert found["links"] == {"bandwidth_mbps": 100.0, "hop_latency_ms": 6.0}
    assert found["tier_choice"] == {"min_speed_kmh": 7.0}
    assert found["variants"]["tiers"]["regional"] == {"rings": [1, 2], "compute_ms": None, "capacity": [3, None]}
    assert "capacity" not in found and "capacity" not in found["variants"]


def test_a_configuration_of_today_stays_as_it_is() -> None:
    today = read_request(["tiers=three", "variants.tiers.central.latency_ms=[1,2]"]).points[0].config.model_dump()
    assert with_new_names(today) == today


@pytest.mark.parametrize(
    ("content", "old", "new"),
    [
        ("tiers:\n  regional_rings: 3\n", "tiers.regional_rings", "tiers.regional.rings"),
        ("capacity:\n  local: 3\n", "capacity.local", "tiers.local.capacity"),
        ("variants:\n  capacity:\n    regional: [3]\n", "variants.capacity.regional", "variants.tiers.regional.capacity"),
        ("variants:\n  tiers:\n    hop_latency_ms: [3]\n", "variants.tiers.hop_latency_ms", "variants.links.hop_latency_ms"),
    ],
)
def test_an_old_name_in_a_file_is_refused_with_the_new_one(content: str, old: str, new: str, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{content}")
    with pytest.raises(InputError, match=f"names {old}, which is called {new} today".replace(".", r"\.")):
        read_request(["experiment=mine"], config_dir=str(tmp_path))
