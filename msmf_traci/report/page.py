"""The page: one HTML file with everything in it, that opens without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import vl_convert
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from msmf_traci.report import style
from msmf_traci.report.answer import answer_of
from msmf_traci.report.curves import elsewhere, interval_words
from msmf_traci.report.figure import Figure, specification
from msmf_traci.report.figure8 import BYTES_NAME, DOWNTIME_NAME, TRAFFIC_NAME
from msmf_traci.report.judgement import DEPENDS, OUTCOMES, REFERENCE, Judgement
from msmf_traci.report.page_tables import evidence_table, runs_table, strategies_table, what_was_run
from msmf_traci.report.reading import Results
from msmf_traci.report.replay import json_for_script
from msmf_traci.report.sensitivity import Sensitivity

TEMPLATES = "msmf_traci.report.templates"
_GLOBALS = "window.vegaEmbed = vegaEmbed;"
_MAIN = ("traffic_by_speed", "downtime_by_speed")
_FIGURE8 = (TRAFFIC_NAME, BYTES_NAME, DOWNTIME_NAME)


@dataclass(frozen=True)
class Content:
    """What a page shows.

    Attributes
    ----------
    results, figures, judgements, sensitivity
        As in :func:`~msmf_traci.report.build.build_report`.
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
    by_name = {figure.name: figure for figure in content.drawn}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_template("report.html"))
    known = {"bytes", "times", "realised_speed", *_MAIN, *_FIGURE8}
    timeline = [figure for figure in content.drawn if figure.name.startswith("timeline")]
    maps = [figure for figure in content.drawn if "map" in figure.name.split("_")]
    tornados = [figure for figure in content.drawn if figure.name.startswith("tornado_")]
    groups = _axis_groups(content.drawn)
    placed = known | {figure.name for figure in (*timeline, *maps, *tornados)} | {f.name for group in groups for f in group.figures}
    return template.render(
        title=results.folders[0].resolve().name,
        answer=answer_of(results, content.judgements),
        reference=elsewhere(results, []),
        intervals=interval_words(results),
        strategies=strategies_table(results),
        judgements=[(judged, tone_of(judged.verdict), evidence_table(_shown(judged.evidence))) for judged in content.judgements],
        main=[by_name[name] for name in _MAIN if name in by_name],
        figure8=[by_name[name] for name in _FIGURE8 if name in by_name],
        groups=groups,
        transfers=[by_name[name] for name in ("bytes", "times") if name in by_name],
        no_transfers=content.no_transfers,
        left_out=content.left_out,
        realised=by_name.get("realised_speed"),
        answers=content.sensitivity.answers if content.sensitivity else [],
        has_sensitivity=content.sensitivity is not None,
        tornados=tornados,
        timeline=timeline,
        maps=maps,
        others=[figure for figure in content.drawn if figure.name not in placed],
        replay=content.replay,
        facts=what_was_run(results),
        runs=runs_table(results),
        style=Markup(_template("report.css")),
        library=Markup(_library()),
        script=Markup(_template("report.js")),
        data=json_for_script({"specs": {f.name: specification(f, f.chart) for f in content.drawn}, "themes": _themes()}),
    )


def _axis_groups(figures: Sequence[Figure]) -> list[AxisGroup]:
    """Figures by the option along their axis; differences by speed go with the two of the paper into the first group."""
    groups: dict[str, list[Figure]] = {}
    for figure in figures:
        what, _, option = figure.name.partition("_by_")
        if option and what in ("traffic", "downtime", "differences") and figure.name not in _MAIN:
            groups.setdefault(option, []).append(figure)
    return [AxisGroup(members[0].title.partition(" by ")[2], members) for members in groups.values()]


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
