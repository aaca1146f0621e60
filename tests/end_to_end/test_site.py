"""The site of the documentation: it builds strictly, its tutorials run, and what it says of options, columns and Python is complete."""

import fcntl
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import msmf_traci
from msmf_traci.config.migration_schema import Application
from msmf_traci.config.schema import APPLICATIONS, CHOSEN, option_fields
from msmf_traci.results.columns import TABLES
from scripts.reference_tables import PAGES, filled
from tests.end_to_end.test_main_job import only_run

Command = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TUTORIALS = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


@pytest.fixture(scope="module")
def site(environment: Mapping[str, str], cache: Path) -> Path:
    """The site, built strictly, once for all workers: a broken link or anchor, or a tutorial that fails, is an error."""
    folder, done = cache.parent / "site", cache.parent / "site.done"
    with (cache.parent / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            build(folder, environment)
            done.touch()
    return folder


def build(folder: Path, environment: Mapping[str, str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=dict(environment) | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=580,
    )
    assert result.returncode == 0, result.stderr


class _Loaded(HTMLParser):
    """What a page loads when it is opened, and the tags in it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.pictures: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        if tag in LOADING and of.get("rel") != "canonical":
            self.addresses.append(of.get(LOADING[tag]) or "")
        if tag == "img":
            self.pictures.append(of.get("src") or "")


def test_every_tutorial_is_a_page_with_what_it_printed_and_drew(site: Path) -> None:
    assert len(TUTORIALS) == 5
    for name in TUTORIALS:
        page = site / "tutorials" / f"{name}.html"
        pictures = _Loaded(page).pictures
        assert pictures
        assert all((page.parent / picture).stat().st_size > 5000 for picture in pictures)
        assert 'class="language-text' in page.read_text(encoding="utf-8")
    assert len(_Loaded(site / "tutorials.html").pictures) == len(TUTORIALS)


def test_no_page_loads_anything_from_a_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        assert [address for address in _Loaded(page).addresses if "//" in address] == [], page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_of_a_reference_page_are_those_of_the_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert filled(text) == text, "type: .venv/bin/python scripts/reference_tables.py"


def test_every_option_stands_on_the_page_of_options_with_an_example_of_its_group(site: Path) -> None:
    shown = re.sub(r"<[^>]+>", "", (site / "options.html").read_text(encoding="utf-8"))
    names = [name for name in option_fields() if name not in CHOSEN]
    names += [f"{APPLICATIONS}.NAME.{field}" for field in Application.model_fields]
    assert [name for name in names if name not in shown] == []
    text = (DOCS / "options.md").read_text(encoding="utf-8")
    sections = {
        marker: part for part in re.split(r"^## ", text, flags=re.MULTILINE) for marker in re.findall(r"<!-- options: (\w+) -->", part)
    }
    assert set(sections) == {"general", "testbed"} | {name.split(".")[0] for name in names if "." in name}
    for group, section in sections.items():
        (example,) = re.findall(r"^```\n(msmf-traci .*?)\n```", section, re.MULTILINE | re.DOTALL)
        if group not in ("general", "testbed"):
            assert re.search(rf"\b{group}\.", example), (group, example)


@pytest.fixture(scope="module")
def run(called: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run with every table."""
    folder = tmp_path_factory.mktemp("columns")
    result = called(folder, "mobility.vehicles=3", "mobility.max_duration_s=200", "strategies=[pm]", "output.trace=true")
    assert result.returncode == 0, result.stderr
    return only_run(folder / "results" / "synthetic")


def written_columns(run: Path) -> dict[str, set[str]]:
    """The columns of every table that a run has written."""
    (town,) = run.parent.glob("map-*")
    return {path.stem: set(pd.read_csv(path, nrows=0)) for path in [*run.glob("*.csv"), *town.glob("*.csv")]}


def test_every_column_of_every_table_is_described_and_no_other(run: Path) -> None:
    written = written_columns(run)
    assert set(written) | {"run.json"} == set(TABLES)
    only_with_gps = {"mode"}
    for table, columns in written.items():
        assert columns == set(TABLES[table]) - only_with_gps, table


def test_every_entry_of_run_json_is_described_and_no_other(run: Path) -> None:
    facts = json.loads((run / "run.json").read_text())
    described = set(TABLES["run.json"])
    assert set(facts) == {name for name in described if "." not in name}
    for group in ("deployment", "vehicles"):
        assert {f"{group}.{name}" for name in facts[group]} == {name for name in described if name.startswith(f"{group}.")}


def test_every_description_is_a_sentence_and_stands_on_a_page(site: Path) -> None:
    shown = "".join((site / page).read_text(encoding="utf-8") for page in ("tables.html", "run-facts.html"))
    for table, columns in TABLES.items():
        for name, column in columns.items():
            assert column.unit, (table, name)
            assert re.fullmatch(r"[A-Z`].*\.", column.meaning, re.DOTALL), (table, name)
            assert f"<code>{name}</code>" in shown, (table, name)


def entries(page: str) -> Iterable[str]:
    return re.findall(r"^::: msmf_traci\.(\w+)$", page, re.MULTILINE)


def test_every_public_name_has_a_docstring_and_an_entry_in_the_reference() -> None:
    assert sorted(entries((DOCS / "api.md").read_text(encoding="utf-8"))) == sorted(msmf_traci.__all__)
    values = {"KEEP", "NO_SERVER"}
    for name in set(msmf_traci.__all__) - values:
        assert (getattr(msmf_traci, name).__doc__ or "").strip(), name
