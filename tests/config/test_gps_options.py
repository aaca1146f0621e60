"""Options of GPS traces: a section within a section composes, is judged and is swept like any other."""

import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.config.help import help_text
from msmf_traci.config.mobility_schema import posix_s
from msmf_traci.config.schema import Config, option_fields
from msmf_traci.errors import InputError
from msmf_traci.reporting.options import config_options

GPS = ("mobility.source=gps", "mobility.gps.path=../some data/geolife")


def configured(*words: str) -> Config:
    return read_request([*GPS, *words]).points[0].config


def test_options_of_three_parts_are_known_with_meaning_and_default() -> None:
    assert {"mobility.gps.path", "mobility.gps.max_gap_s", "matching.lag_s"} <= set(option_fields())
    assert "mobility.gps" not in option_fields()
    assert "  mobility.gps.max_gap_s=60 " in help_text("mobility")


def test_traces_come_from_files_and_drive_no_sumo() -> None:
    mobility = configured().mobility
    assert mobility.gps.path == "../some data/geolife"
    assert mobility.is_from_file
    assert not mobility.drives_sumo


def test_names_are_text_and_one_name_is_a_list_of_one() -> None:
    gps = configured("mobility.gps.user=[068,153]", "mobility.gps.mode=walk").mobility.gps
    assert gps.user == ["068", "153"]
    assert gps.mode == ["walk"]


def test_a_sweep_over_modes_is_one_run_a_mode() -> None:
    points = read_request([*GPS, "mobility.gps.mode=walk,[bus,car]"], multirun=True).points
    assert [point.config.mobility.gps.mode for point in points] == [["walk"], ["bus", "car"]]
    assert {point.swept for point in points} == {("mobility.gps.mode",)}


def test_times_may_have_spaces_and_offsets() -> None:
    gps = configured("mobility.gps.begin=2008-10-27 13:44:06", "mobility.gps.end=2008-10-27T21:45:06+08:00").mobility.gps
    assert gps.begin is not None
    assert gps.end is not None
    assert posix_s(gps.end, gps.time_zone) - posix_s(gps.begin, gps.time_zone) == 60
    assert posix_s("2008-10-27T21:44:06", "Asia/Shanghai") == posix_s(gps.begin, "UTC") == 1225115046


def test_a_lag_may_be_infinite() -> None:
    assert configured("matching.lag_s=inf").matching.lag_s == float("inf")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["mobility.source=gps"], "mobility.gps.path=FILE (or a folder) go together"),
        (["mobility.gps.path=traces.csv"], "mobility.gps.path=FILE (or a folder) go together"),
        (["mobility.gps.mode=[walk]"], "mobility.gps.mode is not for mobility.source=auto"),
        ([*GPS, "mobility.gui=true"], "mobility.gui=true does not go with mobility.source"),
        ([*GPS, "mobility.gps.begin=soon"], "ISO 8601"),
        ([*GPS, "mobility.gps.begin=2009-01-02", "mobility.gps.end=2009-01-01"], "write the earlier time first"),
        ([*GPS, "mobility.gps.time_zone=Peking"], "IANA name"),
        ([*GPS, "mobility.gps.time_zone=America"], "IANA name"),
        ([*GPS, "mobility.gps.bbox=[1,2,3]"], "four numbers"),
        ([*GPS, "mobility.gps.bbox=[1,2,0,3]"], "is not an area"),
        ([*GPS, "mobility.gps.number=2", "mobility.gps.per_mode=1"], "set one of them"),
        ([*GPS, "mobility.gps.number=0"], "mobility.gps.number=0: must be greater than or equal to 1"),
        ([*GPS, "mobility.gps.max_kmh=inf"], "mobility.gps.max_kmh=inf: must be a finite number"),
        ([*GPS, "mobility.gps.mod=walk"], "did you mean mobility.gps.mode?"),
        ([*GPS, "mobility.gps=walk"], "holds several options"),
        ([*GPS, "matching.lag_s=nan"], "matching.lag_s=nan"),
        ([*GPS, "matching.sigma_m=0"], "must be greater than 0"),
        ([*GPS, "matching.sigma_m=251"], "must be less than or equal to 250"),
        ([*GPS, "matching.off_road_m=5000"], "must be less than or equal to 1000"),
    ],
)
def test_what_does_not_fit_is_one_sentence(words: list[str], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_request(words)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_report_tells_runs_apart_by_options_of_three_parts() -> None:
    found = config_options({"mobility": {"vehicles": 100, "gps": {"path": "a.csv", "max_gap_s": 60}}, "deployment": {"center": {"x": 1}}})
    assert found == {
        "mobility.vehicles": 100.0,
        "mobility.gps.max_gap_s": 60.0,
        "deployment.center": "{'x': 1}",
    }
