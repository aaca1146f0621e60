"""The page: one HTML file with everything in it, that opens without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from msmf_traci.reporting import style
from msmf_traci.reporting.answer import answer_of, claims_sentence
from msmf_traci.reporting.bytes_table import bytes_table
from msmf_traci.reporting.curves import elsewhere, interval_words
from msmf_traci.reporting.design import design_notes
from msmf_traci.reporting.figure import Figure, specification
from msmf_traci.reporting.figure8 import BYTES_NAME, DOWNTIME_NAME, TRAFFIC_NAME
from msmf_traci.reporting.judgement import DEPENDS, NO_DATA, OUTCOMES, REFERENCE, Judgement
from msmf_traci.reporting.overview import NAME as OVERVIEW
from msmf_traci.reporting.page_tables import evidence_table, runs_table, strategies_table, what_was_run
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.replay import json_for_script
from msmf_traci.reporting.sensitivity import Sensitivity, why_nothing_moves

TEMPLATES = "msmf_traci.reporting.templates"
_GLOBALS = "window.vegaEmbed = vegaEmbed;"
_FIRST, _LATER = ("satisfied", "traffic"), ("downtime", "differences")


@dataclass(frozen=True)
class Content:
    """What a page shows.

    Attributes
    ----------
    results, figures, judgements, sensitivity
        As in :func:`~msmf_traci.reporting.build.build_report`.
    no_transfers
        Why there are no figures of transfers; empty if there are.
    replay
        Address of a replay beside the page; empty if there is none.
    """

    results: Results
    figures: Sequence[Figure]
    judgements: Sequence[Judgement]
    sensitivity: Sensitivity | None
    no_transfers: str = ""

    @property
    def drawn(self) -> list[Figure]:
        """Figures that have something to draw."""
        return [figure for figure in self.figures if not figure.points.empty]

    @property
    def left_out(self) -> list[str]:
        """Titles of the others."""
        return [figure.title for figure in self.figures if figure.points.empty]

    replay: str = ""


@dataclass(frozen=True)
class AxisGroup:
    """Figures against one option, shown together."""

    label: str
    figures: list[Figure]


def page_text(content: Content) -> str:
    """The whole page."""
    results = content.results
    left = {figure.name: figure for figure in content.drawn}

    def take(*names: str) -> list[Figure]:
        return [left.pop(name) for name in names if name in left]

    template = template_of("report.html")
    claims = [(judged, tone_of(judged.verdict), evidence_table(_shown(judged.evidence))) for judged in content.judgements]
    return template.render(
        title=results.folders[0].resolve().name,
        answer=answer_of(results),
        notes=design_notes(results),
        reference=elsewhere(results, []),
        intervals=interval_words(results),
        overview=take(OVERVIEW),
        varied=_axis_groups(take(*(name for name in left if name.partition("_by_")[0] in _FIRST))),
        strategies=strategies_table(results),
        later=_axis_groups(take(*(name for name in left if name.partition("_by_")[0] in _LATER), "realised_speed")),
        figure8=take(TRAFFIC_NAME, BYTES_NAME, DOWNTIME_NAME),
        transfers=take("bytes", "image_sources", "times"),
        bytes=bytes_table(results),
        images=_axis_groups(take(*(name for name in left if name.startswith("images_by_")))),
        # these answers are about cuts that the paper claims
        answers=content.sensitivity.answers if content.sensitivity and content.judgements else [],
        has_sensitivity=content.sensitivity is not None,
        no_moves=why_nothing_moves(results, content.sensitivity),
        tornados=take(*(name for name in left if name.startswith("tornado_"))),
        timeline=take(*(name for name in left if name.startswith("timeline"))),
        maps=take(*(name for name in left if "map" in name.split("_"))),
        others=list(left.values()),
        replay=content.replay,
        claims_sentence=claims_sentence(content.judgements),
        claims=[claim for claim in claims if claim[0].verdict != NO_DATA],
        without_data=[claim for claim in claims if claim[0].verdict == NO_DATA],
        left_out=content.left_out,
        no_transfers=content.no_transfers,
        facts=what_was_run(results),
        runs=runs_table(results),
        **page_frame(content.drawn),
    )


def template_of(name: str) -> Template:
    """A page's template; templates may import from each other."""
    loader = FunctionLoader(_template)
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=loader).get_template(name)


def page_frame(figures: Sequence[Figure]) -> dict[str, Any]:
    """What every page with figures has in it: style, script, the drawing library, and the figures' data."""
    return {
        "style": Markup(_template("report.css")),
        "library": Markup(_library()),
        "script": Markup(_template("report.js")),
        "data": json_for_script({"specs": {f.name: specification(f, f.chart) for f in figures}, "themes": _themes()}),
    }


def _axis_groups(figures: Sequence[Figure]) -> list[AxisGroup]:
    """Figures by the option along their axis."""
    groups: dict[str, list[Figure]] = {}
    for figure in figures:
        groups.setdefault(figure.title.partition(" by ")[2], []).append(figure)
    return [AxisGroup(label, members) for label, members in groups.items()]


def _shown(evidence: pd.DataFrame) -> pd.DataFrame:
    """The numbers of all readings at the reference, and of the most literal reading elsewhere; `claims_evidence.csv` has all."""
    if evidence.empty:
        return evidence
    shown: pd.DataFrame = evidence.loc[(evidence["at"] == REFERENCE) | (evidence["reading"] == evidence["reading"].iloc[0])]
    return shown


def tone_of(verdict: str) -> str:
    """Class of a verdict on the page."""
    return next((word for word in (*OUTCOMES, DEPENDS) if verdict.startswith(word)), "none")


def _themes() -> dict[str, Any]:
    return {"light": style.theme(dark=False) | {"background": "transparent"}, "dark": style.theme(dark=True)}


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    bundle: str = vl_convert.javascript_bundle(_GLOBALS)
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _template(name: str) -> str:
    return files(TEMPLATES).joinpath(name).read_text(encoding="utf-8")
