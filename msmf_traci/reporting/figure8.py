"""The paper's Figure 8: traffic by application and means of transport, a migration's bytes by kind, and downtime by means of transport."""

from __future__ import annotations

import altair as alt
import pandas as pd

from msmf_traci.reporting import style
from msmf_traci.reporting.curves import baseline, curve_figure, elsewhere, interval_words
from msmf_traci.reporting.figure import POINTS, Figure, choice
from msmf_traci.reporting.measures import DOWNTIME, KINDS, TRAFFIC
from msmf_traci.reporting.numbers import MEASURED
from msmf_traci.reporting.options import APPLICATION, words
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.statistics import intervals
from msmf_traci.reporting.trajectories import MIGRATION, MIGRATION_KINDS, Trajectories
from msmf_traci.results.keys import MODE

TRAFFIC_NAME, BYTES_NAME, DOWNTIME_NAME = "figure8_traffic", "figure8_bytes", "figure8_downtime"
_SHOWN = "pm_op_tier"
_TOTAL = "total"


def figure8_figures(trajectories: Trajectories) -> list[Figure]:
    """The three parts, as far as there are several applications or modes, and tables of transfers."""
    everyone, by_mode = trajectories.results, trajectories.by_mode
    application = everyone.options.get(APPLICATION)
    if application is not None:
        traffic = curve_figure(
            everyone, application, everyone.options[MODE], TRAFFIC, TRAFFIC_NAME, "Traffic by application and mode", stills_show_second=True
        )
    else:
        traffic = curve_figure(by_mode, by_mode.options[MODE], None, TRAFFIC, TRAFFIC_NAME, "Traffic by mode")
    downtime = curve_figure(
        by_mode, by_mode.options[MODE], application, DOWNTIME, DOWNTIME_NAME, "Downtime by mode", stills_show_second=True
    )
    return [
        traffic,
        _bytes_figure(trajectories.of_all_modes if application else by_mode, APPLICATION if application else MODE),
        downtime,
    ]


def _bytes_figure(results: Results, axis: str) -> Figure:
    """Stacked bars: bytes of a completed transfer by kind, against the application (or, where there is but one, the mode)."""
    option = results.options[axis]
    columns = {**MIGRATION_KINDS, _TOTAL: MIGRATION.column}
    found = intervals(results.where({}, [axis]), ["strategy", axis], list(columns.values()))
    kinds = {column: kind for kind, column in columns.items()}
    points = pd.DataFrame(
        {
            "strategy": found["strategy"],
            "value": [words(axis, value) for value in found[axis]],
            "kind": found["measure"].map(kinds),
            **{side: found[side].clip(lower=0.0) / MIGRATION.per_unit for side in ("mean", "low", "high")},
            results.units.name: found["replicates"],
        }
    )
    names = [name for name in results.strategies if name in set(points["strategy"])]
    shown = _SHOWN if _SHOWN in names else baseline(results)
    order = [words(axis, value) for value in option.values]
    title = f"Data of a migration by {option.label}"
    page = (
        _stack(order, option.label, results.units.name)
        .transform_filter("datum.strategy == strategy")
        .add_params(choice("strategy", "Strategy", names, shown))
        .properties(width="container", height=style.PAGE_HEIGHT)
    )
    still = (
        _stack(order, option.label, results.units.name)
        .transform_filter(alt.FieldEqualPredicate(field="strategy", equal=shown))
        .properties(width=alt.Step(70), height=style.PAGE_HEIGHT)
        .properties(title=alt.TitleParams(text=title, subtitle=shown, fontSize=15, subtitleFontSize=12, offset=12))
    )
    caption = (
        "Bars are the megabytes of a completed transfer. Image and memory are the container's. Dirty is memory that was sent again. "
        "Final was sent from the stop of the container on, be it dirty memory or what was left of image and memory. "
        f"The line is the interval of the total. The printed page and the files show {shown}. "
        f"{interval_words(results)} {elsewhere(results, [axis])}"
    )
    return Figure(BYTES_NAME, title, caption, points, page, still)


def _stack(order: list[str], label: str, units: str) -> alt.LayerChart:
    """One bar a value of the axis, a part a kind, and the interval of the whole."""
    base = alt.Chart(POINTS).encode(x=alt.X("value:N", sort=order, title=label, axis=alt.Axis(labelAngle=0)))
    place = f"{ {kind: number for number, kind in enumerate(KINDS)} }[datum.kind]"
    scale = alt.Scale(domain=list(KINDS), range=[style.KINDS[kind] for kind in KINDS])
    bars = (
        base.transform_filter(alt.FieldOneOfPredicate(field="kind", oneOf=list(KINDS)))
        .transform_calculate(place=place)
        .mark_bar()
        .encode(
            y=alt.Y("mean:Q", title=MIGRATION.title, stack="zero"),
            color=alt.Color("kind:N", scale=scale, legend=alt.Legend(title=None, orient="bottom", columns=len(KINDS))),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("strategy:N"),
                alt.Tooltip("value:N", title=label),
                alt.Tooltip("kind:N"),
                alt.Tooltip("mean:Q", title="MB", format=MEASURED),
                alt.Tooltip("low:Q", title="95 % from", format=MEASURED),
                alt.Tooltip("high:Q", title="95 % to", format=MEASURED),
                alt.Tooltip(f"{units}:Q"),
            ],
        )
    )
    whole = base.transform_filter(alt.FieldEqualPredicate(field="kind", equal=_TOTAL))
    rule = whole.mark_rule(strokeWidth=2, color="#000000").encode(y=alt.Y("low:Q", title=MIGRATION.title), y2="high:Q")
    return alt.LayerChart(layer=[bars, rule])
