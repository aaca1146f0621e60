"""Files of a figure: SVG and PNG without a browser, and its points as CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import vl_convert

from msmf_traci.errors import ToolError
from msmf_traci.reporting import style
from msmf_traci.reporting.figure import Figure, specification

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PNG_SCALE = 2.0


def write_figure(figure: Figure, folder: Path) -> None:
    """Write `NAME.svg`, `NAME.png` and `NAME.csv`."""
    write_drawing(specification(figure, figure.still), folder / figure.name)
    write_points(folder / f"{figure.name}.csv", figure.points)


def write_drawing(drawing: Mapping[str, Any], path: Path) -> None:
    """Write SVG and PNG of a Vega-Lite specification; `path` is without ending.

    Raises
    ------
    ToolError
        If the drawing library fails.
    """
    try:
        svg = vl_convert.vegalite_to_svg(json.dumps(drawing, allow_nan=False), config=style.theme(dark=False))
        png = vl_convert.svg_to_png(svg, scale=_PNG_SCALE)
    except (ValueError, RuntimeError) as error:  # vl_convert has no errors of its own, and adds the backtrace of its engine
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise ToolError(
            f"figure {path.name} cannot be drawn: vl-convert says {said!r}; report on fewer runs, or on each by itself"
        ) from None
    path.with_suffix(".svg").write_text(svg, encoding="utf-8")
    path.with_suffix(".png").write_bytes(png)


def write_points(path: Path, table: pd.DataFrame) -> None:
    """Write a table that a spreadsheet may open: text that it would take for a formula gets an apostrophe."""
    safe = table.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = pd.Series([_harmless(value) for value in safe[name]], index=safe.index, dtype=object)
    safe.columns = pd.Index([_harmless(name) for name in safe.columns])
    safe.to_csv(path, index=False, lineterminator="\n")


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
