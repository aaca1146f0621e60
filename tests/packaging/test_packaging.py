"""What is installed is what is here: every package, every configuration file, every entry point."""

import tomllib
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_package_of_the_source_is_listed_for_the_wheel() -> None:
    mapped = {"conf": "msmf_traci.conf", "scenarios": "msmf_traci.scenarios"}
    found = set()
    for top in ("msmf_traci", *mapped):
        for path in (ROOT / top).rglob("__init__.py"):
            dotted = ".".join(path.parent.relative_to(ROOT).parts)
            found.add(dotted if top == "msmf_traci" else mapped[top] + dotted.removeprefix(top))
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_every_configuration_file_is_found_in_the_package() -> None:
    for path in (ROOT / "conf").rglob("*.yaml"):
        found = files("msmf_traci.conf").joinpath(*path.relative_to(ROOT / "conf").parts)
        assert found.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    assert files("msmf_traci.scenarios").joinpath("synthetic.yaml").is_file()
    assert files("msmf_traci").joinpath("py.typed").is_file()


def test_the_programs_for_containers_are_in_the_package() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["msmf_traci.testbed"]
    programs = ROOT / "msmf_traci" / "testbed" / "applications"
    assert {path for pattern in patterns for path in programs.parent.glob(pattern)} == set(programs.rglob("*.py"))
    # an import would load them by another name than they have inside
    assert not (programs / "__init__.py").exists()


def test_every_entry_point_can_be_loaded() -> None:
    scripts = [point for point in entry_points(group="console_scripts") if point.value.startswith("msmf_traci.")]
    assert {point.name for point in scripts} == {
        "msmf-traci",
        *(f"msmf-traci-{name}" for name in ("fetch", "overlay", "report", "status", "testbed")),
    }
    strategies = list(entry_points(group="msmf_traci.strategies"))
    assert len(strategies) >= 8
    for point in [*scripts, *strategies]:
        assert callable(point.load())


def test_sumos_packages_are_pinned_to_one_release() -> None:
    pins = {line.split("==")[0]: line.split("==")[1] for line in PROJECT["project"]["dependencies"] if "==" in line}
    assert set(pins) == {"eclipse-sumo", "sumolib", "traci"}
    assert len(set(pins.values())) == 1


def test_what_to_cite_names_this_version_and_these_words() -> None:
    project = PROJECT["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    entry = (ROOT / "docs" / "citing.md").read_text(encoding="utf-8").partition("@misc")[2].partition("```")[0]
    assert f"\nversion: {project['version']}\n" in citation
    assert f"version = {{{project['version']}}}" in entry
    title = "container-migration strategies for mobile edge computing on simulated road traffic"
    assert title in citation and title in entry and title in project["description"]
