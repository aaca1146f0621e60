"""The city with its roads, cells and regions, and where in it transfers fail."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import shapely

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.reporting.cell_map import CellMap, polygon_geometry, read_cell_map
from msmf_traci.reporting.failures import FAILED, Failures, count_failures, map_runs
from msmf_traci.reporting.figure import POINTS, Figure, choice
from msmf_traci.reporting.finished_run import FinishedRun
from msmf_traci.reporting.options import SPEED, value_text, with_value, words
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.road_lines import OTHER_RANK, RoadLines, read_roads, thinned

ALL_SPEEDS = "all"
FEWEST = 10
"""A share of fewer transfers than this says little: the cell stays without colour."""

_PAGE_HEIGHT, _STILL_SIZE = 500, 420
# what a page may carry for one map, in characters; roads get what cells leave
_MOST_TEXT = 1_300_000
_MOST_COUNTS = 250_000
# a pixel of the map is tens of metres
_TOLERANCE_M, _GRID_M = 15.0, 10.0
# a map is drawn on light ground in every theme, so that its colours mean the same
_GROUND, _ROADS, _CELL_EDGE, _BORDER, _BORDER_CASE = "#f3f3ee", "#9f9f97", "#d4d4cc", "#ffffff", "#333333"
# ColorBrewer's YlOrBr without its palest: even steps in grey, and for the colour-blind
_SHADES = ("#fee391", "#fec44f", "#ec7014", "#b8480a", "#5c1f05")
_PANELS = ("nearest", "pm_op_tier")


def map_figure(results: Results) -> Figure | None:
    """Share of transfers that failed in each cell; None without transfers, or without the map beside the runs.

    Raises
    ------
    InputError
        If a table is there but damaged.
    """
    runs = map_runs(results)
    if not runs or not _has_map(runs[0][0]):
        return None
    folder = runs[0][0].map_folder
    cells = read_cell_map(folder, runs[0][0].facts)
    failures = count_failures(results, runs, cells)
    used = failures.transfers.sum(axis=(1, 2)) > 0
    if not used.any():
        return None
    drawn = _Drawn(cells, failures, used, thinned(read_roads(folder).lines, _TOLERANCE_M))
    title = "Where transfers fail"
    return Figure("city_map", title, _caption(results, drawn), _points(drawn), drawn.page_chart(), drawn.still(title))


class _Drawn:
    """One map as Vega-Lite's data and charts.

    Parameters
    ----------
    cells, failures
        All cells, and the counts in them.
    used
        Cells that are drawn: those in which some transfer ended, shape (cells,).
    roads
        Thin lines, of the whole network.
    """

    def __init__(self, cells: CellMap, failures: Failures, used: BoolArray, roads: RoadLines) -> None:
        self.cells, self.failures, self.used = cells, failures, used
        speeds = [value_text(speed) for speed in failures.speeds]
        transfers, failed = failures.transfers[used], failures.failed[used]
        self.has_each_speed = len(speeds) > 1 and transfers.size * 2 <= _MOST_COUNTS
        kept = slice(None) if self.has_each_speed else slice(0)
        self.speeds = [ALL_SPEEDS, *speeds[kept]]
        self.transfers = np.concatenate([transfers.sum(axis=1, keepdims=True), transfers[:, kept]], axis=1)
        self.failed = np.concatenate([failed.sum(axis=1, keepdims=True), failed[:, kept]], axis=1)
        features = self._cell_features()
        self.most_rank, lines = _fitting(_near(roads, cells), _MOST_TEXT - len(json.dumps(features)))
        self._data = {
            POINTS.name: features,
            "roads": [_multi_line(lines)],
            "borders": [_multi_line(_whole(cells.borders_m(cells.region), 1.0).tolist())],
        }

    @property
    def panels(self) -> list[str]:
        """Strategies of the still: the common one and the paper's last, or the first and the last there are."""
        names = self.failures.strategies
        chosen = [panel if panel in names else other for panel, other in zip(_PANELS, (names[0], names[-1]), strict=True)]
        return list(dict.fromkeys(chosen))

    def page_chart(self) -> alt.TopLevelMixin:
        """With choices of the strategy and, where there are several, of the speed."""
        names = self.failures.strategies
        params = [choice("strategy", "Strategy", names, self.panels[-1])]
        place = f"indexof({json.dumps(names)}, strategy)"
        if self.has_each_speed:
            params.append(choice("speed", "Commanded speed (km/h)", self.speeds, ALL_SPEEDS))
            place = f"indexof({json.dumps(self.speeds)}, speed) * {len(names)} + {place}"
        layers = self._layers(place).add_params(*params)
        return self._with_data(layers.properties(width="container", height=_PAGE_HEIGHT))

    def still(self, title: str) -> alt.TopLevelMixin:
        """A panel a strategy, all speeds together."""
        names = self.failures.strategies
        panels = [
            self._layers(str(names.index(name))).properties(width=_STILL_SIZE, height=_STILL_SIZE, title=name) for name in self.panels
        ]
        return self._with_data(alt.hconcat(*panels).properties(title=alt.TitleParams(text=title, fontSize=15, offset=12)))

    def _with_data(self, chart: alt.LayerChart | alt.HConcatChart) -> alt.TopLevelMixin:
        chart.datasets = self._data
        return chart

    def _cell_features(self) -> list[dict[str, Any]]:
        """Cells as polygons, with counts by speed and strategy in one list each."""
        rings = [each for each, is_used in zip(self.cells.rings_m, self.used, strict=True) if is_used]
        of, bad = (counts.reshape(len(rings), -1) for counts in (self.transfers, self.failed))
        rows = zip(self.cells.cells[self.used], rings, of, bad, strict=True)
        return [
            {
                "type": "Feature",
                "geometry": polygon_geometry([_whole(part, 1.0) for part in parts]),
                "cell": name,
                "of": transfers.tolist(),
                "bad": failed.tolist(),
            }
            for name, parts, transfers, failed in rows
        ]

    def _layers(self, place: str) -> alt.LayerChart:
        """Cells under roads under borders, and cells again, unseen, for the pointer.

        Parameters
        ----------
        place
            Expression: where in the lists of counts to look.
        """
        cells = (
            alt.Chart(POINTS)
            .transform_calculate(transfers=f"datum.of[{place}]", failed=f"datum.bad[{place}]")
            .transform_calculate(share="datum.transfers > 0 ? datum.failed / datum.transfers : 0")
            .transform_filter("datum.transfers > 0")
        )
        scale = alt.Scale(type="quantize", domain=[0, 1], range=list(_SHADES))
        legend = alt.Legend(title="Transfers that failed", titleLimit=0, format=".0%", orient="bottom", gradientLength=260)
        share = alt.Color("share:Q", scale=scale, legend=legend)
        filled = cells.mark_geoshape(stroke=_CELL_EDGE, strokeWidth=0.4).encode(
            color=alt.when(f"datum.transfers >= {FEWEST}").then(share).otherwise(alt.value(_GROUND))
        )
        roads = alt.Chart(alt.NamedData("roads")).mark_geoshape(filled=False, stroke=_ROADS, strokeWidth=0.4, strokeOpacity=0.7)
        borders = alt.Chart(alt.NamedData("borders"))
        case = borders.mark_geoshape(filled=False, stroke=_BORDER_CASE, strokeWidth=1.6)
        line = borders.mark_geoshape(filled=False, stroke=_BORDER, strokeWidth=0.7)
        touched = cells.mark_geoshape(fillOpacity=0, stroke=None, tooltip=True).encode(
            tooltip=[
                alt.Tooltip("cell:N"),
                alt.Tooltip("transfers:Q", format=","),
                alt.Tooltip("failed:Q", format=","),
                alt.Tooltip("share:Q", format=".1%"),
            ]
        )
        # y grows northwards
        chart = alt.LayerChart(layer=[filled, roads, case, line, touched], view=alt.ViewBackground(fill=_GROUND, stroke=None))
        chart.projection = alt.Projection(type="identity", reflectY=True)
        return chart


def _has_map(run: FinishedRun) -> bool:
    return all(any((run.map_folder / f"{name}.{ending}").is_file() for ending in ("csv", "parquet")) for name in ("cells", "roads"))


def _near(roads: RoadLines, cells: CellMap) -> RoadLines:
    """Roads that lie within the rectangle around all cells."""
    bounds = shapely.total_bounds(cells.polygons)
    inside = ((roads.xy_m >= bounds[:2]) & (roads.xy_m <= bounds[2:])).all(axis=1)
    return roads.chosen(np.logical_and.reduceat(inside, roads.first[:-1])) if len(roads.rank) else roads


def _fitting(roads: RoadLines, most_text: int) -> tuple[int, list[Any]]:
    """The roads up to the least important rank with which all fit into a text so long, and that rank."""
    for rank in range(OTHER_RANK, -1, -1):
        chosen = roads.chosen(roads.rank <= rank)
        parts = [part.tolist() for part in np.split(_whole(chosen.xy_m, _GRID_M), chosen.first[1:-1])] if len(chosen.rank) else []
        lines = [part for part in parts if len(part) > 2 or part[0] != part[-1]]
        if len(json.dumps(lines)) <= most_text:
            return rank, lines
    return -1, []


def _whole(values: FloatArray, grid: float) -> IntArray:
    return (np.rint(values / grid) * grid).astype(np.int64)


def _multi_line(lines: list[Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "MultiLineString", "coordinates": lines}}


def _points(drawn: _Drawn) -> pd.DataFrame:
    """One row a cell, speed and strategy with transfers."""
    failures, cells = drawn.failures, drawn.cells
    cell, speed, strategy = np.nonzero(failures.transfers)
    transfers, failed = failures.transfers[cell, speed, strategy], failures.failed[cell, speed, strategy]
    speeds = np.array([value_text(value) for value in failures.speeds], dtype=object)
    return pd.DataFrame(
        {
            "cell": cells.cells[cell],
            "x_m": cells.x_m[cell],
            "y_m": cells.y_m[cell],
            "commanded_kmh": speeds[speed],
            "strategy": np.array(failures.strategies, dtype=object)[strategy],
            "transfers": transfers,
            "failed": failed,
            "share": failed / transfers,
        }
    )


def _caption(results: Results, drawn: _Drawn) -> str:
    failures = drawn.failures
    several = len(failures.speeds) > 1
    pooled = f"{failures.runs} run{'s' if failures.runs > 1 else ''}{' of all speeds and seeds' if several else ''}"
    said = [
        f"The colour of a cell is the share of transfers that failed ({' or '.join(FAILED)}), of those that ended there in {pooled}. "
        "Refused transfers are not counted.",
        f"Cells with fewer than {FEWEST} such transfers have no colour. Cells with none are left out. White lines are borders of regions.",
        f"The printed page and the files show {' and '.join(drawn.panels)}{' at all speeds together' if several else ''}.",
    ]
    if several and not drawn.has_each_speed:
        said.append("There are too many speeds to choose one here. The CSV file has each.")
    others = [option for name, option in results.options.items() if name != SPEED]
    if others:
        said.append("Reference: " + "; ".join(with_value(option.name, words(option.name, option.reference)) for option in others) + ".")
    if failures.outside:
        share = failures.outside / (failures.outside + failures.transfers.sum())
        said.append(f"{failures.outside} transfers ({share:.2%}) ended outside all cells and are not shown.")
    if drawn.most_rank < OTHER_RANK:
        said.append("Only the more important roads are drawn.")
    return " ".join(said)
