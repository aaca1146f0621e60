"""SUMO's options are those that SUMO itself reads: every form of a .sumocfg, synonyms and short names, paths, variables."""

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from msmf_traci.errors import InputError
from msmf_traci.scenario.sumo_options import (
    ABOUT_ITSELF,
    READ,
    WRITTEN,
    is_on,
    options_of_file,
    options_of_words,
    write_configuration,
)
from msmf_traci.scenario.sumo_tools import find_sumo

FORMS = {
    "value": '<net-file value="my.net.xml"/><route-files value="a.rou.xml, sub/b.rou.xml"/>',
    "v": '<net-file v="my.net.xml"/><route-files v="a.rou.xml,sub/b.rou.xml"/>',
    "text": "<net-file>my.net.xml</net-file><route-files>a.rou.xml,sub/b.rou.xml</route-files>",
    "short names": '<n value="my.net.xml"/><r value="a.rou.xml,sub/b.rou.xml"/>',
    "synonyms": '<net value="my.net.xml"/><routes value="a.rou.xml,sub/b.rou.xml"/>',
    "a variable": '<net-file value="${FOLDER}/my.net.xml"/><route-files value="a.rou.xml,${FOLDER}/sub/b.rou.xml"/>',
}


def own(folder: Path, inner: str, head: str = "") -> Path:
    path = folder / "own.sumocfg"
    path.write_text(f"{head}<configuration><input>{inner}</input></configuration>")
    return path


@pytest.mark.parametrize("form", FORMS)
def test_every_form_that_sumo_reads_is_read(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLDER", str(tmp_path))
    options = options_of_file(find_sumo(), own(tmp_path, FORMS[form]))
    assert options == {"net-file": f"{tmp_path}/my.net.xml", "route-files": f"{tmp_path}/a.rou.xml,{tmp_path}/sub/b.rou.xml"}


def test_an_encoding_that_the_file_declares_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.sumocfg"
    path.write_bytes(
        '<?xml version="1.0" encoding="ISO-8859-1"?><configuration><n value="\u00e9.net.xml"/></configuration>'.encode("latin-1")
    )
    assert options_of_file(find_sumo(), path) == {"net-file": f"{tmp_path}/\u00e9.net.xml"}


def test_nobody_waits_for_clients_that_a_file_expects(tmp_path: Path) -> None:
    path = own(
        tmp_path, '<n value="my.net.xml"/></input><traci_server><remote-port value="8813"/><num-clients value="2"/></traci_server><input>'
    )
    assert options_of_file(find_sumo(), path) == {"net-file": f"{tmp_path}/my.net.xml"}


def test_reading_a_configuration_writes_nothing(tmp_path: Path) -> None:
    outputs = '<save-template value="t.xml"/><log value="l.txt"/><tripinfo value="trips.xml"/><save-configuration value="c.xml"/>'
    own(tmp_path, f'<n value="my.net.xml"/>{outputs}')
    options = options_of_file(find_sumo(), tmp_path / "own.sumocfg")
    assert options["tripinfo-output"] == f"{tmp_path}/trips.xml"
    assert [path.name for path in tmp_path.iterdir()] == ["own.sumocfg"]


@pytest.mark.parametrize("name", ["plain.xml", "a blank.xml", "50%25.xml", "semi;colon.xml", "\u00fc\u4eac.xml", 'per%cent & "quotes".xml'])
def test_what_is_written_for_sumo_is_read_alike(name: str, tmp_path: Path) -> None:
    options = {"net-file": f"{tmp_path}/{name}", "tripinfo-output": f"{tmp_path}/out {name}", "time-to-teleport": "-1"}
    write_configuration(options, tmp_path / "own.sumocfg")
    assert options_of_file(find_sumo(), tmp_path / "own.sumocfg") == options


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--abs-rand"], {"random": "true"}),
        (["--random=false"], {"random": "false"}),
        (["-W", "--fcd-output", "trace.csv"], {"no-warnings": "true", "fcd-output": "{here}/trace.csv"}),
        (["-a", "one.xml,../two.xml"], {"additional-files": "{here}/one.xml,{above}/two.xml"}),
        ([], {}),
    ],
)
def test_words_are_known_by_one_name(words: list[str], expected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = options_of_words(find_sumo(), words)
    assert options == {name: value.format(here=tmp_path, above=tmp_path.parent) for name, value in expected.items()}
    assert is_on(options, "random") == (words == ["--abs-rand"])


@pytest.mark.parametrize(
    "words", [["-r", "x"], ["--routes", "x"], ["--srand", "3"], ["--net=x"], ["-n", "x"], ["--begin", "3"], ["-b", "3"]]
)
def test_what_msmf_traci_sets_is_refused_by_any_of_its_names(words: list[str]) -> None:
    with pytest.raises(InputError, match="is set by msmf-traci"):
        options_of_words(find_sumo(), words)


@pytest.mark.parametrize(
    "words", [["-c", "x"], ["--configuration", "x"], ["-C", "x"], ["--help"], ["--version"], ["-V"], ["--no-such", "3"]]
)
def test_what_makes_no_simulation_is_refused(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"mobility\.sumo_args"):
        options_of_words(find_sumo(), words)
    assert list(tmp_path.iterdir()) == []


def test_every_option_of_this_release_that_names_a_file_is_known_as_read_or_as_written(tmp_path: Path) -> None:
    """With another release of SUMO, new options fail here until somebody has said what they do."""
    sumo = find_sumo()
    template = tmp_path / "template.xml"
    subprocess.run([sumo.program("sumo"), "--save-template", str(template)], check=True, capture_output=True, env=sumo.environment)
    named = {element.tag for element in ET.parse(template).getroot().iter() if element.get("type") == "FILE"}
    assert named == READ | WRITTEN | ABOUT_ITSELF
    assert not READ & WRITTEN
