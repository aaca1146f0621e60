"""One vehicle's containers over time, a row a strategy: transfers by stage, outages, hosts, copies, and the cells that it crossed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from msmf_traci.reporting import style
from msmf_traci.reporting.figure import POINTS, Figure, choice
from msmf_traci.reporting.finished_run import FinishedRun
from msmf_traci.reporting.options import with_value, words
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.setting import rows_at, setting_of
from msmf_traci.reporting.style import KINDS, ZERO
from msmf_traci.reporting.timeline_bars import CELL, COPIES, DOWNTIME, EVERY, HOST, OUTAGE, PRE_COPY, STAGES, read_bars

MOST_TEXT = 700_000
"""What the bars of all vehicles to choose from may take on a page, in characters."""

_CELL_ROW = "attached cell"
_ALL = "all"
_PARTS = {"whole trip": 1, "a quarter": 4, "a tenth": 10, "a fiftieth": 50}
_GREY, _OUTAGE = "#8d8d8d", "#b3001b"
_COLORS = {
    PRE_COPY: KINDS["memory"],
    DOWNTIME: KINDS["final"],
    STAGES["IMAGE"]: KINDS["image"],
    STAGES["MEMORY"]: KINDS["memory"],
    STAGES["ROUND"]: KINDS["dirty"],
    STAGES["IDLE"]: "#c9c9c9",
    STAGES["FINAL"]: KINDS["final"],
    STAGES["RESTORE"]: "#CC79A7",
    OUTAGE: _OUTAGE,
    HOST: _GREY,
    CELL: _GREY,
}
_DEGRADED_COLORS = {STAGES["PULL"]: "#806000", STAGES["REPLAY"]: "#5a4fa0"}
_COPY_COLORS = {kind: style.COPIES[outcome] for outcome, kind in COPIES.items()}
_STEP, _STILL_WIDTH = 46, 760
# of each lane: height, and how far its middle lies under that of its row, in pixels
_TRANSFERS, _OUTAGES, _HOSTS, _CELLS, _COPIES = (17, -11), (10, 4), (5, 13), (10, 0), (5, 21)
_COPY_STEP = 7


def timeline_figure(results: Results) -> Figure | None:
    """The timeline of some vehicles of one run; None where no run has transfers."""
    run = _run_of(results)
    if run is None:
        return None
    setting = setting_of(results, run)
    bars = read_bars(run, setting)
    if bars.empty:
        return None
    vehicles = rows_at(run, run.table("vehicles", columns=[*run.key_columns, "vehicle", "handoffs"]), setting)
    median = _median_vehicle(vehicles, set(bars["vehicle"]))
    chosen = _chosen_vehicles(bars, median)
    timeline = _Timeline.of(run, bars[bars["vehicle"].isin(chosen)], chosen, median)
    title = "One vehicle over time"
    at = [with_value(name, words(name, value)) for name, value in setting.items()]
    caption = _caption(timeline, run, at, bars["vehicle"].nunique())
    return Figure("timeline", title, caption, timeline.bars, timeline.page_chart(), timeline.still())


def _run_of(results: Results) -> FinishedRun | None:
    """The run given for its trace; else a traced one, best at the reference; else the one there with the lowest seed."""
    at = results.at()
    order = sorted(range(len(results.runs)), key=lambda run: (run not in set(at["run"]), run >= results.main, results.runs[run].seed, run))
    able = [*results.beside, *(results.runs[number] for number in order)]
    able = [run for run in able if run.has("migrations")]
    return next((run for run in able if run.is_traced), able[0] if able else None)


def _median_vehicle(vehicles: pd.DataFrame, known: set[str]) -> str:
    """The vehicle in the middle by handoffs, over all strategies."""
    handoffs = vehicles[vehicles["vehicle"].isin(known)].groupby("vehicle")["handoffs"].sum()
    ordered = sorted(handoffs.items(), key=lambda each: (each[1], each[0]))
    return str(ordered[(len(ordered) - 1) // 2][0])


def _chosen_vehicles(bars: pd.DataFrame, median: str) -> list[str]:
    """As many vehicles, evenly chosen, as a page carries; always the median one."""
    rows = bars.groupby("vehicle").size().sort_index()
    sample = bars.head(20_000)
    per_row = len(_text(_codes(sample, sorted(set(sample["vehicle"])), _strategies(sample), _names(sample)))) / len(sample)
    ids = [str(name) for name in rows.index]
    for count in range(len(ids), 1, -1):
        places = np.unique(np.rint(np.linspace(0, len(ids) - 1, count)).astype(int))
        places[np.argmin(np.abs(places - ids.index(median)))] = ids.index(median)
        if rows.to_numpy()[places].sum() * per_row <= MOST_TEXT:
            return [ids[place] for place in np.unique(places)]
    return [median]


def _strategies(bars: pd.DataFrame) -> list[str]:
    return [str(name) for name in dict.fromkeys(bars["strategy"]) if name != EVERY]


def _names(bars: pd.DataFrame) -> list[str]:
    """Hosts, cells and targets."""
    return sorted({str(name) for column in ("name", "target") for name in bars[column].dropna().unique()})


def _codes(bars: pd.DataFrame, vehicles: Sequence[str], strategies: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    """Bars as numbers, which take little of a page: places in lists, hundredths of seconds, whole megabytes."""
    kinds, outcomes = list(_colors(bars)), _outcomes(bars)
    own = ["vehicle", "strategy", "kind"]
    turn = bars.groupby(own, sort=False).cumcount() % 2
    number, of_copies = bars["transfer"], {}
    if _has_copies(bars):
        number = number.fillna(bars["copy"])
        of_copies = {"r": bars["lane"].astype("Int64"), "h": bars["is_there"].astype("Int64")}
    return pd.DataFrame(
        {
            "v": _places(bars["vehicle"], vehicles),
            "s": _places(bars["strategy"], strategies),
            "k": _places(bars["kind"], kinds),
            "a": (bars["begin_s"] * 100).round().astype(int),
            "b": (bars["end_s"] * 100).round().astype(int),
            # hosts and cells take turns in two greys
            "n": _places(bars["name"].fillna(bars["target"]), names),
            "t": turn.where(number.isna(), number).astype(int),
            "o": _places(bars["outcome"], outcomes),
            "m": (bars["bytes"] / 1e6).round().astype("Int64"),
            "l": (bars["lead_s"]).round(1).map("{:g}".format, na_action="ignore"),
            **of_copies,
        }
    )


def _has_copies(bars: pd.DataFrame) -> bool:
    return "copy" in bars


def _colors(bars: pd.DataFrame) -> dict[str, str]:
    """Colours of all kinds of bars that there can be."""
    degraded = {kind: color for kind, color in _DEGRADED_COLORS.items() if kind in set(bars["kind"])}
    return _COLORS | degraded | (_COPY_COLORS if _has_copies(bars) else {})


def _places(column: pd.Series, of: Sequence[str]) -> pd.Series:
    """Place of each name in a list, -1 where there is none."""
    return column.map({name: place for place, name in enumerate(of)}).fillna(-1).astype(int)


def _outcomes(bars: pd.DataFrame) -> list[str]:
    return sorted(str(name) for name in bars["outcome"].dropna().unique())


def _text(codes: pd.DataFrame) -> str:
    return str(codes.to_csv(index=False, lineterminator="\n"))


@dataclass(frozen=True)
class _Timeline:
    """Bars of some vehicles, and their charts.

    Attributes
    ----------
    bars
        As read_bars gives them.
    vehicles
        To choose from.
    strategies
        Rows, in the run's order.
    median
        The vehicle that is shown first.
    traced
        Whether there are stages and cells.
    """

    bars: pd.DataFrame
    vehicles: list[str]
    strategies: list[str]
    median: str
    traced: bool

    @classmethod
    def of(cls, run: FinishedRun, bars: pd.DataFrame, vehicles: list[str], median: str) -> _Timeline:
        """Timeline of some bars of a run."""
        present = set(bars["strategy"])
        strategies = [name for name in run.facts["strategies"] if name in present]
        return cls(bars.reset_index(drop=True), vehicles, strategies, median, run.is_traced)

    def page_chart(self) -> alt.TopLevelMixin:
        """With choices of the vehicle, of a strategy to stand out, and of the part of the trip."""
        params = [
            choice("vehicle", "Vehicle", self.vehicles, self.median),
            choice("strategy", "Strategy", [_ALL, *self.strategies], _ALL),
            choice("part", "Time shown", list(_PARTS), next(iter(_PARTS))),
            alt.param(name="position", value=0, bind=alt.binding_range(min=0, max=1, step=0.01, name="Position in the trip")),
            alt.param(name="begin_s", expr="begins[indexof(vehicles, vehicle)]"),
            alt.param(name="length_s", expr="ends[indexof(vehicles, vehicle)] - begin_s"),
            alt.param(name="shown_s", expr=f"length_s / {json.dumps(_PARTS)}[part]"),
            alt.param(name="from_s", expr="begin_s + position * (length_s - shown_s)"),
        ]
        scale = alt.Scale(domain=[alt.ExprRef("from_s"), alt.ExprRef("from_s + shown_s")], nice=False, zero=False)
        shade = f"strategy == '{_ALL}' || datum.strategy == strategy || datum.s < 0 ? 1 : 0.15"
        layers = self._layers(self.bars, self.vehicles, scale, "datum.v == indexof(vehicles, vehicle)", shade, params)
        return layers.properties(width="container")

    def still(self) -> alt.TopLevelMixin:
        """The median vehicle's whole trip."""
        own = self.bars[self.bars["vehicle"] == self.median]
        scale = alt.Scale(domain=[float(own["begin_s"].min()), float(own["end_s"].max())], nice=False, zero=False)
        title = alt.TitleParams(text=f"Vehicle {self.median} over time", fontSize=15, offset=12)
        return self._layers(own, [self.median], scale, "true", "1", []).properties(width=_STILL_WIDTH, title=title)

    def _layers(
        self, bars: pd.DataFrame, vehicles: list[str], x: alt.Scale, keep: str, shade: str, params: list[alt.Parameter]
    ) -> alt.LayerChart:
        """All lanes of all rows.

        Parameters
        ----------
        bars, vehicles
            What the chart carries.
        x
            Scale of time.
        keep, shade
            Expressions: which bars are drawn, and how opaque a strategy is.
        params
            Choices; the lists that bars name places in are added.
        """
        colors = _colors(bars)
        names, kinds = _names(bars), [kind for kind in colors if kind in set(bars["kind"])]
        lanes = int(bars["lane"].max()) + 1 if _has_copies(bars) and bars["lane"].notna().any() else 0
        spans = bars.groupby("vehicle").agg(begin_s=("begin_s", "min"), end_s=("end_s", "max")).loc[vehicles].round(2)
        lists = {
            "vehicles": vehicles,
            "strategies": self.strategies,
            "kinds": list(colors),
            "names": names,
            "outcomes": _outcomes(bars),
            "begins": spans["begin_s"].tolist(),
            "ends": spans["end_s"].tolist(),
        }
        codes = _codes(bars, vehicles, self.strategies, names)
        number = dict.fromkeys(codes.columns, "number")
        base = (
            alt.Chart(alt.NamedData(POINTS.name, format=alt.CsvDataFormat(type="csv", parse=number)))
            .transform_filter(keep)
            .transform_calculate(
                strategy=f"datum.s < 0 ? '{_CELL_ROW}' : strategies[datum.s]",
                kind="kinds[datum.k]",
                from_s="datum.a / 100",
                to_s="datum.b / 100",
                seconds="(datum.b - datum.a) / 100",
                name="names[datum.n]",
            )
            .transform_calculate(shade=shade)
        )
        rows = [_CELL_ROW, *self.strategies] if CELL in kinds else self.strategies
        axis = alt.Axis(ticks=False, domain=False, labelLimit=110)
        y = alt.Y("strategy:N", title=None, scale=alt.Scale(domain=rows, padding=0), axis=axis)
        legend = alt.Legend(title=None, orient="bottom", columns=4, symbolType="square", symbolSize=120)
        shown = [kind for kind in kinds if kind != CELL]
        base = base.encode(
            x=alt.X("from_s:Q", title="time (s)", scale=x, axis=alt.Axis(grid=True, tickCount=8)),
            x2="to_s:Q",
            y=y,
            color=alt.Color("kind:N", scale=alt.Scale(domain=shown, range=[colors[kind] for kind in shown]), legend=legend),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
        )
        first, *others = self._lanes(base, kinds, lanes)
        known = [alt.param(name=name, value=value) for name, value in lists.items()]
        chart = alt.LayerChart(layer=[first.add_params(*known, *params), *others])
        chart.datasets = {POINTS.name: _text(codes)}
        chart.height = (_STEP + _COPY_STEP * lanes) * len(rows)
        return chart

    def _lanes(self, base: alt.Chart, kinds: Sequence[str], copies: int) -> list[alt.Chart]:
        """Layers of the lanes of a row, of which so many are of copies, under the others."""
        up = _COPY_STEP * copies / 2 if copies else 0
        times = [alt.Tooltip("from_s:Q", title="from (s)", format=",.2f"), alt.Tooltip("to_s:Q", title="to (s)", format=",.2f")]
        times.append(alt.Tooltip("seconds:Q", format=",.2f"))
        own = alt.Tooltip("strategy:N")
        transfers = (
            base.transform_filter(f"indexof({json.dumps([OUTAGE, HOST, CELL, *(COPIES.values() if copies else ())])}, datum.kind) < 0")
            .transform_calculate(outcome="outcomes[datum.o]", opacity="datum.shade * (outcomes[datum.o] == 'completed' ? 1 : 0.5)")
            .mark_bar(height=_TRANSFERS[0], yOffset=_TRANSFERS[1] - up, clip=True)
            .encode(
                tooltip=[
                    own,
                    alt.Tooltip("kind:N", title="stage"),
                    alt.Tooltip("t:Q", title="transfer"),
                    alt.Tooltip("name:N", title="target"),
                    alt.Tooltip("outcome:N"),
                    alt.Tooltip("m:Q", title="megabytes, whole transfer", format=","),
                    alt.Tooltip("l:Q", title="lead time (s)"),
                    *times,
                ]
            )
        )
        outages = (
            base.transform_filter(f"datum.kind == '{OUTAGE}'")
            .transform_calculate(opacity="datum.shade")
            .mark_bar(height=_OUTAGES[0], yOffset=_OUTAGES[1] - up, clip=True)
            .encode(tooltip=[own, alt.Tooltip("kind:N", title="what"), *times])
        )
        # where a stopped container's transfer was abandoned the next begins at once
        given_up = (
            transfers.transform_filter(
                f"indexof({json.dumps([DOWNTIME, STAGES['FINAL']])}, datum.kind) >= 0 && datum.outcome == 'user_left'"
            )
            .mark_tick(size=_TRANSFERS[0], thickness=1, yOffset=_TRANSFERS[1] - up, clip=True)
            .encode(x=alt.X("to_s:Q"), color=alt.value(ZERO), opacity=alt.Opacity("shade:Q", scale=None, legend=None))
        )
        given_up.encoding.x2 = alt.Undefined
        lanes = [transfers, given_up, outages]
        for kind, (height, offset) in ((HOST, (_HOSTS[0], _HOSTS[1] - up)), (CELL, _CELLS)):
            if kind in kinds:
                lane = base.transform_filter(f"datum.kind == '{kind}'").transform_calculate(opacity="datum.shade * (datum.t ? 0.45 : 1)")
                drawn = lane.mark_bar(height=height, yOffset=offset, clip=True)
                lanes.append(drawn.encode(color=alt.value(_GREY), tooltip=[own, alt.Tooltip("name:N", title=kind), *times]))
        of_copies = base.transform_filter("isValid(datum.r)").transform_calculate(
            opacity="datum.shade * (datum.h ? 1 : 0.5)", phase="datum.h ? 'there' : 'under way'", outcome="outcomes[datum.o]"
        )
        copy_tooltip = [
            own,
            alt.Tooltip("t:Q", title="copy"),
            alt.Tooltip("name:N", title="server"),
            alt.Tooltip("phase:N", title="image"),
            alt.Tooltip("outcome:N"),
            alt.Tooltip("m:Q", title="megabytes, whole copy", format=","),
            *times,
        ]
        for row in range(copies):
            own_lane = of_copies.transform_filter(f"datum.r == {row}")
            bars = own_lane.mark_bar(height=_COPIES[0], yOffset=_COPIES[1] + _COPY_STEP * row - up, clip=True)
            lanes.append(bars.encode(tooltip=copy_tooltip))
        return lanes


def _caption(timeline: _Timeline, run: FinishedRun, at: Sequence[str], of: int) -> str:
    lanes = (
        "Each strategy has three lanes: transfers by stage, outages, and the host. Transfers that were not completed are pale. A thin line "
        "ends a transfer that its user left. Hosts take turns in two greys"
    )
    even = ", evenly chosen" if len(timeline.vehicles) < of else ""
    where = f" ({'; '.join(at)})" if at else ""
    said = [
        f"{len(timeline.vehicles)} of {of} vehicles{even}, of run {run.name} with seed {run.seed}{where}. "
        f"The first one, {timeline.median}, is the median by handoffs."
    ]
    copies = _has_copies(timeline.bars)
    if timeline.traced:
        said.append(f"{lanes}. The uppermost row is the attached cell.")
    else:
        said.append(
            f"{lanes}. Pre-copy lasts from start to stop, downtime from stop to end. Hosts are known from the first transfer to the last. "
            "Cells and single stages need a run with output.trace=true."
        )
    if copies:
        said.append(
            "Under the host are copies of images, one under another where several are open. They are pale while under way, and full once "
            "the image is there. Their colour says what they came to."
        )
    refused = "Refused transfers and copies" if copies else "Refused transfers"
    return " ".join([*said, f"{refused} are left out. An outage goes on across transfers that follow each other."])
