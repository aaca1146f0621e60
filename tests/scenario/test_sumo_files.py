"""What SUMO reads and writes in a run is found before it starts, and what it writes is led into a folder of the run."""

import gzip
import os
from pathlib import Path

import pytest

from msmf_traci.errors import InputError
from msmf_traci.scenario.sumo_files import files_of, places_of, redirected

DETECTORS = """<additional>
  <e1Detector id="d" lane="ab_0" pos="5" file="e1.xml"/>
  <laneAreaDetector id="a" lane="ab_0" pos="5" endPos="50" file="deep/e1.xml"/>
  <edgeData id="e" file="e1.xml"/>
  <timedEvent type="SaveTLSStates" source="t" dest="states.xml"/>
  <calibrator id="c" edge="ab" pos="0" output="cal.xml"/>
  <vType id="t"><param key="device.ssm.file" value="ssm.xml"/></vType>
  <tlLogic id="t" type="actuated" programID="1"><param key="file" value="NUL"/></tlLogic>
  <variableSpeedSign id="v" lanes="ab_0" file="speeds.xml"/>
  <include href="inner.add.xml"/>
</additional>"""


def options(folder: Path, **more: str) -> dict[str, str]:
    """Options with an additional file that writes, and routes; values are names in the folder."""
    (folder / "speeds.xml").write_text("<vss/>")
    (folder / "inner.add.xml").write_text("<additional/>")
    (folder / "own.add.xml").write_text(DETECTORS)
    (folder / "own.rou.xml").write_text("<routes/>")
    named = {"additional-files": "own.add.xml", "route-files": "own.rou.xml", **more}
    return {name: ",".join(str(folder / part) for part in value.split(",")) for name, value in named.items()}


def test_outputs_of_options_and_elements_go_to_one_folder_and_all_that_is_read_stays(tmp_path: Path) -> None:
    mine, run, out = (tmp_path / name for name in ("mine", "run", "out"))
    for folder in (mine, run):
        folder.mkdir()
    asked = options(mine, **{"tripinfo-output": "trips.xml", "fcd-output": "deep/trips.xml"})
    found = files_of(asked)
    assert len(found.hashes) == 4 and found.unknown == [] and found.unsorted == []
    names = places_of(found.outputs)
    assert names == {
        str(mine / "deep" / "trips.xml"): "trips.xml",
        str(mine / "trips.xml"): "2-trips.xml",
        str(mine / "e1.xml"): "e1.xml",
        str(mine / "deep" / "e1.xml"): "2-e1.xml",
        str(mine / "states.xml"): "states.xml",
        str(mine / "cal.xml"): "cal.xml",
        str(mine / "ssm.xml"): "ssm.xml",
    }
    led = redirected(asked, found, run, out)
    assert led["tripinfo-output"] == str(out / "2-trips.xml") and led["route-files"] == asked["route-files"]
    copy = Path(led["additional-files"])
    assert copy.parent == run
    expected = DETECTORS
    for path, name in names.items():
        expected = expected.replace(f'"{os.path.relpath(path, mine)}"', f'"{out / name}"')
    for name in ("speeds.xml", "inner.add.xml"):
        expected = expected.replace(f'"{name}"', f'"{mine / name}"')
    assert _without_blanks(copy.read_text()) == _without_blanks(expected)


def test_a_file_that_includes_one_that_writes_is_changed_too(tmp_path: Path) -> None:
    asked = options(tmp_path)
    (tmp_path / "own.add.xml").write_text('<additional><include href="inner.add.xml"/></additional>')
    (tmp_path / "inner.add.xml").write_text('<additional><routeProbe id="p" edge="ab" file="probe.xml"/></additional>')
    run = tmp_path / "run"
    run.mkdir()
    led = redirected(asked, files_of(asked), run, tmp_path / "out")
    (inner,) = run.glob("*inner*")
    assert str(inner) in Path(led["additional-files"]).read_text() and str(tmp_path / "out" / "probe.xml") in inner.read_text()


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_files_are_read_as_they_are_encoded_and_packed(encoding: str, is_packed: bool, tmp_path: Path) -> None:
    asked = options(tmp_path)
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><additional><e1Detector id="\u00e9" lane="ab_0" pos="5" file="e1.xml"/></additional>'
    )
    data = text.encode(encoding)
    (tmp_path / "own.add.xml").write_bytes(gzip.compress(data) if is_packed else data)
    found = files_of(asked)
    assert [output.path for output in found.outputs] == [str(tmp_path / "e1.xml")]
    led = redirected(asked, found, tmp_path, tmp_path / "out")
    assert 'id="\u00e9"' in Path(led["additional-files"]).read_text(encoding="utf-8")


def test_devices_that_write_a_file_for_each_vehicle_are_led_too(tmp_path: Path) -> None:
    asked = options(tmp_path)
    (tmp_path / "own.add.xml").write_text('<additional><vType id="t"><param key="has.ssm.device" value="true"/></vType></additional>')
    led = redirected(asked, files_of(asked), tmp_path, tmp_path / "out")
    assert led["device.ssm.file"] == str(tmp_path / "out" / "ssm.xml")


def test_a_device_that_is_off_and_a_probability_of_none_write_nothing(tmp_path: Path) -> None:
    asked = options(tmp_path) | {"device.ssm.probability": "0", "device.ssm.measures": "TTC"}
    (tmp_path / "own.add.xml").write_text('<additional><vType id="t"><param key="has.ssm.device" value="false"/></vType></additional>')
    assert files_of(asked).outputs == []
    assert files_of(asked | {"device.ssm.probability": "0.5"}).unnamed != {}


def test_states_for_which_nobody_names_a_file_are_led_too(tmp_path: Path) -> None:
    asked = options(tmp_path) | {"save-state.times": "5"}
    (tmp_path / "own.add.xml").write_text("<additional/>")
    found = files_of(asked)
    assert len(found.outputs) == 1
    assert redirected(asked, found, tmp_path, tmp_path / "out")["save-state.prefix"] == str(tmp_path / "out" / "state")
    assert files_of(asked | {"save-state.prefix": str(tmp_path / "s")}).unnamed == {}


def test_a_prefix_leads_nowhere_else(tmp_path: Path) -> None:
    asked = options(tmp_path, **{"tripinfo-output": "t.xml"}) | {"output-prefix": "../../x_", "output-suffix": "/../y"}
    led = redirected(asked, files_of(asked), tmp_path, tmp_path / "out")
    assert led["tripinfo-output"] == str(tmp_path / "out" / "t.xml") and not {"output-prefix", "output-suffix"} & led.keys()


def test_two_files_that_include_one_that_writes_are_both_changed(tmp_path: Path) -> None:
    asked = options(tmp_path, **{"additional-files": "one.add.xml,two.add.xml"})
    for name in ("one", "two"):
        (tmp_path / f"{name}.add.xml").write_text('<additional><include href="inner.add.xml"/></additional>')
    (tmp_path / "inner.add.xml").write_text('<additional><edgeData id="e" file="e.xml"/></additional>')
    run = tmp_path / "run"
    run.mkdir()
    led = redirected(asked, files_of(asked), run, tmp_path / "out")
    (inner,) = run.glob("*inner*")
    assert [str(inner) in Path(name).read_text() for name in led["additional-files"].split(",")] == [True, True]


def test_an_element_that_names_no_file_reads_none(tmp_path: Path) -> None:
    asked = options(tmp_path)
    (tmp_path / "own.add.xml").write_text('<additional><rerouter id="r" edges="ab" file=""/></additional>')
    assert files_of(asked).unknown == []


@pytest.mark.parametrize("encoding", ["GB2312", "foo"])
def test_an_encoding_in_which_outputs_cannot_be_found_is_refused(encoding: str, tmp_path: Path) -> None:
    asked = options(tmp_path)
    (tmp_path / "own.add.xml").write_text(f'<?xml version="1.0" encoding="{encoding}"?><additional><e1Detector file="e.xml"/></additional>')
    with pytest.raises(InputError, match="in an encoding that cannot be read"):
        files_of(asked)


@pytest.mark.parametrize(
    "text",
    [
        '<additional><edgeData id="e" file="localhost:99"/></additional>',
        '<additional><calibrator id="c" output="10.0.0.1:99"/></additional>',
    ],
)
def test_an_element_that_sends_over_the_network_is_refused(text: str, tmp_path: Path) -> None:
    asked = options(tmp_path)
    (tmp_path / "own.add.xml").write_text(text)
    with pytest.raises(InputError, match="over the network"):
        files_of(asked)


def test_a_pipe_that_an_element_names_is_refused(tmp_path: Path) -> None:
    asked = options(tmp_path)
    (tmp_path / "speeds.xml").unlink()
    os.mkfifo(tmp_path / "speeds.xml")
    with pytest.raises(InputError, match="is a pipe"):
        files_of(asked)


@pytest.mark.parametrize(
    ("routes", "is_unsorted"),
    [
        ('<vehicle depart="0"/><trip depart="0"/><flow begin="1:00"/><vehicle depart="0:01:00"/><person depart="1:0:0:0"/>', False),
        ('<vehicle depart="5"/><vehicle depart="4.9"/>', True),
        ('<flow begin="400"/><vehicle depart="triggered"/><flow begin="0"/>', True),
        ('<vehicle depart="triggered"/><vehicle depart="3"/>', False),
    ],
)
def test_the_order_of_departures_is_seen(routes: str, is_unsorted: bool, tmp_path: Path) -> None:
    asked = options(tmp_path)
    (tmp_path / "own.rou.xml").write_text(f"<routes>{routes}</routes>")
    assert (files_of(asked).unsorted == [tmp_path / "own.rou.xml"]) == is_unsorted


def _without_blanks(xml: str) -> str:
    """An XML text as it is but for its head, blanks between elements, and how empty ones end."""
    lines = xml.replace("/>", "></>").splitlines()
    text = "".join(line.strip() for line in lines if not line.startswith("<?xml"))
    for tag in ("e1Detector", "laneAreaDetector", "edgeData", "timedEvent", "calibrator", "param", "variableSpeedSign", "include"):
        text = text.replace(f"></{tag}>", "></>")
    return text
