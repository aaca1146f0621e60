"""The page as a browser shows it: whole, self-contained, sortable, and as wide as the window."""

import itertools
import re
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import altair as alt
import pandas as pd
import pypdf
import pytest

from msmf_traci.reporting.build import write_report
from msmf_traci.reporting.curves import curve_figures
from msmf_traci.reporting.figure import Figure
from msmf_traci.reporting.figure8 import figure8_figures
from msmf_traci.reporting.judgement import Judgement
from msmf_traci.reporting.overview import overview_figure
from msmf_traci.reporting.page import Content
from msmf_traci.reporting.reading import read_results
from msmf_traci.reporting.sensitivity import Sensitivity
from msmf_traci.reporting.tornado import tornado_figures
from msmf_traci.reporting.trajectories import read_trajectories
from msmf_traci.reporting.transfers import transfer_figures
from tests.browser import chromium, opened
from tests.reporting.made_results import write_sweep
from tests.reporting.made_trajectories import write_trajectories
from tests.reporting.test_figures import made_sensitivity

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EVIL = "<script>window.hacked = 1</script>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything on it, names of strategies and folders with HTML in them included."""
    place = tmp_path_factory.mktemp("made")
    varied = {"handoff.unsynced": ["stop", "relay"]}
    sweep = write_sweep(place / "<b>bold<b>", strategies=("nearest", "pm", EVIL, "=evil"), varied=varied)
    evidence = pd.DataFrame(
        {
            "reading": ["per trip", "per km"],
            "at": ["reference", "reference"],
            "statistic": ["reduction", "reduction"],
            "unit": ["%", "%"],
            "estimate": [71.0, 12.5],
            "low": [70.5, 11.0],
            "high": [71.5, 14.0],
            "replicates": [3, 3],
            "bound": ["above 70", "above 70"],
            "outcome": ["supported", "contradicted"],
        }
    )
    judged = Judgement("tiers_cut_70", f"Reduced by 70%. {EVIL}", "5.3.2", "Do tiers cut?", "depends (on per what)", "It does.", evidence)
    sensitivity = Sensitivity(made_sensitivity(), ["Relaying matters most.", EVIL])
    points = pd.DataFrame({"a": [1.0, 2.0]})
    chart = alt.Chart(alt.InlineData(values=points.to_dict("records"))).mark_point().encode(x="a:Q").properties(width="container")
    extra = [Figure("timeline_v0", "Timeline", "One vehicle.", points, chart, chart.properties(width=200))]
    results = read_results([sweep])
    trajectories = read_trajectories(read_results([write_trajectories(place / "figure8")]))
    assert trajectories is not None
    figures = [
        overview_figure(results),
        *curve_figures(results),
        *figure8_figures(trajectories),
        *transfer_figures(results)[0],
        *tornado_figures(sensitivity.table),
        *extra,
    ]
    return write_report(Content(results, figures, [judged], sensitivity), place / "out")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with chromium() as started:
        yield started


@pytest.mark.parametrize(("width", "scheme"), [(1600, "light"), (400, "dark")])
def test_every_chart_is_drawn_without_an_error_or_a_request_and_nothing_is_too_wide(
    browser: "Browser", page: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    with opened(browser, page, width=width, scheme=scheme) as seen:
        seen.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        missing = "[...document.querySelectorAll('.chart')].filter((each) => !each.querySelector('svg'))"
        for _ in range(40):
            seen.run(f"{missing}[0]?.scrollIntoView()")
            seen.page.wait_for_timeout(50)
            if not seen.run(f"{missing}.length"):
                break
        assert seen.run(f"{missing}.map((each) => each.dataset.figure)") == []
        assert seen.run("[...document.querySelectorAll('.chart svg')].every((each) => each.querySelector('path[d]'))")
        assert seen.errors == []
        assert all(address.startswith(("file:", "data:")) for address in seen.requests)
        assert not seen.is_wider_than_its_window()
        assert seen.run("window.hacked") is None


def test_tables_are_sorted_by_keyboard(browser: "Browser", page: Path) -> None:
    with opened(browser, page) as seen:
        keys = "[...document.querySelectorAll('#strategies tbody tr')].map((row) => Number(row.cells[2].dataset.key))"
        head = seen.page.locator("#strategies thead th").nth(2)
        head.locator("button").focus()
        seen.page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        assert seen.run(keys) == sorted(seen.run(keys))
        seen.page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "descending"
        assert seen.run(keys) == sorted(seen.run(keys), reverse=True)


def test_what_is_chosen_changes_the_chart_and_stays_when_the_colours_change(browser: "Browser", page: Path) -> None:
    with opened(browser, page) as seen:
        chart = seen.page.locator('[data-figure="traffic_by_speed"]')
        chart.locator("select").first.select_option(index=2)
        assert "traffic per km (MB/km)" in (chart.locator("svg").text_content() or "")
        seen.page.emulate_media(color_scheme="dark")
        seen.page.wait_for_timeout(300)
        assert "traffic per km (MB/km)" in (chart.locator("svg").text_content() or "")


def test_pictures_come_first(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    order = ['class="answer"', 'id="overview"', 'id="varied"', 'id="strategies"', 'id="later"', 'id="claims"', 'id="runs"']
    places = [text.index(each) for each in order]
    assert places == sorted(places)


def test_all_figures_and_whole_tables_are_printed(browser: "Browser", page: Path, tmp_path: Path) -> None:
    with opened(browser, page, scheme="dark") as seen:
        shown = seen.run("[...document.querySelectorAll('.still')].map((each) => decodeURIComponent(each.currentSrc))")
        closed = seen.run("document.querySelectorAll('details:not([open])').length")
        seen.page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
        assert seen.run("document.querySelectorAll('details:not([open])').length") == closed
    printed = pypdf.PdfReader(tmp_path / "page.pdf")
    stills = list((page.parent / "figures").glob("*.png"))
    assert sorted(Path(each).name for each in shown) == sorted(each.name for each in stills)
    assert len(stills) >= 14
    missing = Counter(_size_of_png(each) for each in stills) - Counter(_images_of(printed))
    assert missing == Counter()
    width, height = (float(each) for each in (printed.pages[0].mediabox.width, printed.pages[0].mediabox.height))
    assert (width, height) == pytest.approx((595.0, 842.0), abs=1.0)
    texts = [piece for sheet in printed.pages for piece in _texts_of(sheet)]
    assert all(0.0 < x < width and 0.0 < y < height for _, x, y in texts)
    said = "".join("".join(text for text, _, _ in texts).split())
    assert "unavailability" in said and "Numbersbehind" not in said


def _size_of_png(path: Path) -> tuple[int, int]:
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return width, height


def _images_of(printed: "pypdf.PdfReader") -> list[tuple[int, int]]:
    """Size of every image on every sheet, those in forms too."""

    def within(resources: "pypdf.generic.DictionaryObject") -> Iterator[tuple[int, int]]:
        for each in (entry.get_object() for entry in resources.get("/XObject", {}).values()):
            if each["/Subtype"] == "/Image":
                yield int(each["/Width"]), int(each["/Height"])
            elif "/Resources" in each:
                yield from within(each["/Resources"].get_object())

    return [size for sheet in printed.pages for size in within(sheet["/Resources"].get_object())]


def _texts_of(sheet: "pypdf.PageObject") -> list[tuple[str, float, float]]:
    """Pieces of text and where they begin, in points."""
    found: list[tuple[str, float, float]] = []

    def note(text: str, current: list[float], matrix: list[float], *_: object) -> None:
        if text.strip():
            x, y = matrix[4], matrix[5]
            found.append((text, x * current[0] + y * current[2] + current[4], x * current[1] + y * current[3] + current[5]))

    sheet.extract_text(visitor_text=note)
    return found


def test_headings_are_in_order_and_every_chart_has_words(browser: "Browser", page: Path) -> None:
    with opened(browser, page) as seen:
        levels = seen.run("[...document.querySelectorAll('h1, h2, h3, h4')].map((each) => Number(each.tagName[1]))")
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        assert seen.run("document.documentElement.lang") == "en"
        assert seen.run(
            "[...document.querySelectorAll('figure.plot')].every((each) => document.getElementById(each.getAttribute('aria-labelledby')))"
        )


def test_every_link_to_a_file_has_its_file(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r'href="([^"#]+)"', text) if not link.startswith("data:")]
    assert len(links) >= 20
    assert [link for link in links if not (page.parent / link).is_file()] == []
    assert EVIL not in text


def test_formulas_in_names_are_text_in_the_tables(page: Path) -> None:
    assert "'=evil" in set(pd.read_csv(page.parent / "figures" / "traffic_by_speed.csv")["strategy"])
    claims = pd.read_csv(page.parent / "claims.csv")
    assert claims["claim"].to_list() == ["tiers_cut_70"]
    assert pd.read_csv(page.parent / "claims_evidence.csv")["claim"].to_list() == ["tiers_cut_70", "tiers_cut_70"]
    assert (page.parent / "sensitivity.csv").is_file()
