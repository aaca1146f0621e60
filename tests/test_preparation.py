"""What a run stands on: every file of the user's own that SUMO reads counts."""

from pathlib import Path

import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.errors import InputError
from msmf_traci.experiment.preparation import judge_files

NET = "<net><edge id='e' function='internal'/></net>"


def fingerprint(folder: Path, *words: str) -> dict:
    request = read_request(["scenario=sumo", f"scenario.sumocfg_file={folder / 'own.sumocfg'}", *words])
    return judge_files(request.points[0].config).fingerprint()


@pytest.mark.parametrize("changed", ["own.net.xml", "own.rou.xml", "more.add", "inner.xml", "typed.add.xml", "own.sumocfg"])
def test_every_file_that_sumo_reads_is_in_the_fingerprint(tmp_path: Path, changed: str) -> None:
    files = {
        "own.net.xml": NET,
        "own.rou.xml": "<routes/>",
        "more.add": "<additional><include href='inner.xml'/></additional>",
        "inner.xml": "<additional/>",
        "typed.add.xml": "<additional/>",
        "own.sumocfg": "<configuration><input><net-file value='own.net.xml'/><route-files value='own.rou.xml'/>"
        "<additional-files value='more.add'/></input></configuration>",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    extra = f"mobility.sumo_args=[--weight-files,{tmp_path / 'typed.add.xml'}]"
    before = fingerprint(tmp_path, extra)
    assert fingerprint(tmp_path, extra) == before
    with (tmp_path / changed).open("a") as file:
        file.write("<!-- another -->")
    assert fingerprint(tmp_path, extra) != before


def test_gps_traces_are_judged_and_hashed_before_anything_is_built(tmp_path: Path) -> None:
    (tmp_path / "own.net.xml").write_text(NET)
    traces = tmp_path / "traces.csv"
    words = ["scenario=sumo", f"scenario.net_file={tmp_path / 'own.net.xml'}", "mobility.source=gps", f"mobility.gps.path={traces}"]
    config = read_request(words).points[0].config
    with pytest.raises(InputError, match="there is no such file"):
        judge_files(config)
    prints = []
    for text in ("id,t,lat,lon\n", "id,t,lat,lon\n", "id,t,lat,lon\na,1,2,3\n"):
        traces.write_text(text)
        prints.append(judge_files(config).fingerprint())
    assert prints[0] == prints[1] != prints[2]
