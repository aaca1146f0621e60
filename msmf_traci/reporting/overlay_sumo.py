"""An additional file of SUMO's polygons and points, in layers and types that sumo-gui can show and hide one by one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.arrays import FloatArray
from msmf_traci.reporting.cell_map import CellMap

# the colours of Okabe and Ito, as in the replay
OUTCOME_COLOURS = {
    "completed": "#009e73",
    "mispredicted": "#e69f00",
    "user_left": "#d55e00",
    "unfinished": "#8a8f98",
    "refused": "#000000",
}
COPY_COLOURS = {"used": "#009e73", "unused": "#e69f00", "unfinished": "#8a8f98", "refused": "#000000"}
CELL_COLOUR, REGION_COLOUR, HOST_COLOUR = "#9aa1ad", "#3b424d", "#0072b2"
# above SUMO's roads (layer 0); the types can be switched in sumo-gui too
CELL_LAYER, REGION_LAYER, TRANSFER_LAYER, HOST_LAYER, COPY_LAYER = 101, 102, 103, 104, 105
HOST_WIDTH_M, COPY_WIDTH_M = 30, 12
LINE_WIDTH_M = {"cell": 2.0, "region": 8.0, "transfer": 6.0}
# polylines are bent, so that ways there and back do not cover each other
BEND = 0.12
BEND_POINTS = 5


def sumo_additional(
    cells: CellMap, hosts: pd.DataFrame, transfers: pd.DataFrame, source_m: FloatArray, target_m: FloatArray, copies: pd.DataFrame
) -> str:
    """The text of an additional file.

    Parameters
    ----------
    cells
        The deployment.
    hosts
        server, sent, received, completed, place_x_m, place_y_m.
    transfers
        vehicle, transfer, source, target, t_start_s, t_end_s, outcome, sent_mb, and what tells variants apart.
    source_m, target_m
        Where each transfer begins and ends, shape (transfers, 2).
    copies
        vehicle, copy, server, t_start_s, t_end_s, outcome, sent_mb, x_m, y_m, and what tells variants apart.
    """
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<additional>"]
    for name, rings in zip(cells.cells, cells.rings_m, strict=True):
        for part, ring in enumerate(rings, start=1):
            lines.append(_polygon(f"cell {name}{f' part {part}' if part > 1 else ''}", "cell", ring, CELL_COLOUR, CELL_LAYER, {}))
    parts: dict[str, int] = {}
    for name, corners in cells.outlines_m():
        parts[name] = parts.get(name, 0) + 1
        suffix = f" part {parts[name]}" if parts[name] > 1 else ""
        lines.append(_polygon(f"region {name}{suffix}", "region", corners, REGION_COLOUR, REGION_LAYER, {}))
    bent = bent_lines(source_m, target_m)
    for number, (row, line) in enumerate(zip(transfers.to_dict("records"), bent, strict=True)):
        outcome = str(row["outcome"])
        params = _params(row, ("vehicle", "transfer", "source", "target", "t_start_s", "t_end_s", "outcome"))
        colour = OUTCOME_COLOURS.get(outcome, OUTCOME_COLOURS["unfinished"])
        lines.append(_line(f"transfer {number}", f"transfer.{outcome}", line, colour, TRANSFER_LAYER, params))
    for row in hosts.to_dict("records"):
        counts = {key: str(row[key]) for key in ("sent", "received", "completed")}
        place = row["place_x_m"], row["place_y_m"]
        lines.append(_point(f"host {row['server']}", f"host.{row['tier']}", place, HOST_COLOUR, HOST_LAYER, HOST_WIDTH_M, counts))
    for number, row in enumerate(copies.to_dict("records")):
        outcome, params = str(row["outcome"]), _params(row, ("vehicle", "copy", "server", "t_start_s", "t_end_s", "outcome"))
        place = row["x_m"], row["y_m"]
        lines.append(_point(f"copy {number}", f"copy.{outcome}", place, COPY_COLOURS[outcome], COPY_LAYER, COPY_WIDTH_M, params))
    lines.append("</additional>")
    return "\n".join(lines) + "\n"


def bent_lines(source_m: FloatArray, target_m: FloatArray) -> FloatArray:
    """Points from each source to its target, bent to the right, shape (transfers, BEND_POINTS + 2, 2)."""
    share = np.linspace(0.0, 1.0, BEND_POINTS + 2)[None, :, None]
    along = (target_m - source_m)[:, None, :]
    aside = np.stack([along[..., 1], -along[..., 0]], axis=-1)
    return np.asarray(source_m[:, None, :] + share * along + BEND * 4.0 * share * (1.0 - share) * aside, dtype=np.float64)


def _polygon(name: str, kind: str, corners_m: FloatArray, colour: str, layer: int, params: Mapping[str, str]) -> str:
    closed = np.vstack([corners_m, corners_m[:1]])
    return _poly(name, kind, closed, colour, layer, LINE_WIDTH_M[kind], params)


def _line(name: str, kind: str, points_m: FloatArray, colour: str, layer: int, params: Mapping[str, str]) -> str:
    return _poly(name, kind, points_m, colour, layer, LINE_WIDTH_M["transfer"], params)


def _poly(name: str, kind: str, points_m: FloatArray, colour: str, layer: int, width_m: float, params: Mapping[str, str]) -> str:
    shape = " ".join(f"{x:.2f},{y:.2f}" for x, y in points_m)
    look = f'type="{kind}" color="{colour}" fill="0" lineWidth="{width_m}" layer="{layer}"'
    head = f'<poly id="{_id(name)}" {look} shape="{shape}"'
    if not params:
        return f"    {head}/>"
    return f"    {head}>{_inner(params)}</poly>"


def _params(row: Mapping[Hashable, Any], names: Sequence[str]) -> dict[str, str]:
    return {**{name: str(row[name]) for name in names}, "sent_mb": f"{row['sent_mb']:.1f}"}


def _point(name: str, kind: str, place_m: tuple[float, float], colour: str, layer: int, width_m: float, params: Mapping[str, str]) -> str:
    look = f'type="{_escaped(kind)}" color="{colour}" layer="{layer}"'
    place = f'x="{place_m[0]:.2f}" y="{place_m[1]:.2f}" width="{width_m}" height="{width_m}"'
    return f'    <poi id="{_id(name)}" {look} {place}>{_inner(params)}</poi>'


def _inner(params: Mapping[str, str]) -> str:
    return "".join(f'<param key="{_escaped(key)}" value="{_escaped(value)}"/>' for key, value in params.items())


def _id(name: str) -> str:
    """An id that SUMO takes: it refuses spaces and commas."""
    return _escaped(name.replace(" ", "_").replace(",", "_"))


def _escaped(text: str) -> str:
    """Text for an attribute; characters that XML cannot hold are left out."""
    kept = "".join(c for c in text if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
