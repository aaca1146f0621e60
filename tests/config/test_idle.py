"""Options without effect are refused in a sentence."""

import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.errors import InputError

GPS = ["mobility.source=gps", "mobility.gps.path=traces.csv"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([*GPS, "mobility.vehicles=20"], "mobility.vehicles=20 is for vehicles that SUMO drives"),
        ([*GPS, "mobility.speed_kmh=20"], "mobility.speed_kmh=20.0 is for vehicles that SUMO drives"),
        ([*GPS, "mobility.sumo_args=[--foo]"], "is for vehicles that SUMO drives"),
        ([*GPS, "mobility.routing=CH"], "mobility.routing=CH is for vehicles that SUMO drives"),
        (["mobility.source=fcd", "mobility.fcd_file=a.csv", "mobility.routing=CH"], "mobility.routing=CH is for random trips"),
        (["scenario=sumo", "scenario.sumocfg_file=a.sumocfg", "mobility.routing=astar"], "here the routes are your own"),
        (["matching.lag_s=0"], "matching.lag_s=0.0 is for GPS traces, but mobility.source=auto has none"),
        (["matching.against_oneway=[]"], "matching.against_oneway=[] is for GPS traces"),
    ],
)
def test_options_without_effect_are_refused(words: list[str], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_request(words)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "words", [[*GPS, "matching.lag_s=0"], [*GPS, "mobility.speed_kmh=null"], ["mobility.vehicles=20"], ["mobility.routing=CH"]]
)
def test_options_with_effect_are_taken(words: list[str]) -> None:
    assert len(read_request(words).points) == 1
