"""How figures look: colour, dash and mark of each strategy, themes, sizes. Readable in grey print and by the colour blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
STILL_WIDTH = 250
STILL_WIDTH_ALONE = 460
STILL_HEIGHT = 170
PAGE_HEIGHT = 300
LEGEND_COLUMNS = 4


@dataclass(frozen=True)
class Appearance:
    """How one strategy is drawn.

    Attributes
    ----------
    color
        Of Okabe and Ito's eight (yellow darkened so that it shows on white), and grey.
    dash
        Lengths of strokes and gaps in pixels.
    shape
        Mark of Vega.
    """

    color: str
    dash: tuple[float, ...]
    shape: str


_NEUTRAL = "#777777"
_LOOKS = {
    "nearest": Appearance("#000000", (1, 0), "circle"),
    "pm": Appearance("#E69F00", (6, 2), "square"),
    "pm_op": Appearance("#D55E00", (3, 2), "diamond"),
    "pm_tier": Appearance("#56B4E9", (8, 3), "triangle-up"),
    "pm_op_tier": Appearance("#0072B2", (1, 0), "triangle-down"),
    "never": Appearance(_NEUTRAL, (1, 3), "cross"),
    "oracle": Appearance("#009E73", (8, 2, 2, 2), "triangle-right"),
    "oracle_tier": Appearance("#CC79A7", (4, 2, 1, 2), "triangle-left"),
    "lead": Appearance(
        "#332288", (1, 0), "M0,-1L0.29,-0.4L0.95,-0.31L0.48,0.15L0.59,0.81L0,0.5L-0.59,0.81L-0.48,0.15L-0.95,-0.31L-0.29,-0.4Z"
    ),
    "offline": Appearance("#117733", (12, 3), "M-1,-0.4L0,-1L1,-0.4L1,0.4L0,1L-1,0.4Z"),
    "follow": Appearance("#44AA99", (2, 4), "M-1,-0.5L1,-0.5L1,0.5L-1,0.5Z"),
    "threshold": Appearance("#999933", (7, 4), "M-0.5,-1L0.5,-1L0.5,1L-0.5,1Z"),
    "sla": Appearance("#AA4499", (4, 4), "M-1,-1L1,-1L0,0L1,1L-1,1L0,0Z"),
    "mdp": Appearance("#661100", (9, 2, 1, 2), "M-1,-1L0,0L1,-1L1,1L0,0L-1,1Z"),
    "lyapunov": Appearance("#6699CC", (1, 1), "M-1,0L-0.5,-0.87L0.5,-0.87L1,0L0.5,0.87L-0.5,0.87Z"),
}
_PENTAGON = "M0,-1L0.95,-0.31L0.59,0.81L-0.59,0.81L-0.95,-0.31Z"
# for strategies of the user's own, in turn; after these, those of the package that are not in the figure
_FREE = (Appearance("#882255", (10, 2), _PENTAGON), Appearance("#8C510A", (2, 2), "square"), Appearance("#6A3D9A", (5, 1, 1, 1), "circle"))

# colours of what bytes were for: two shades of each role stay apart in grey
OUTCOMES = {"useful": "#0072B2", "mispredicted": "#E69F00", "user_left": "#D55E00", "unfinished": "#999999", "refused": "#CC79A7"}
KINDS = {"image": "#0072B2", "memory": "#56B4E9", "dirty": "#E69F00", "final": "#D55E00"}
COPIES = {"used": "#009E73", "unused": "#D9C73A", "unfinished": "#8E63C0"}
SOURCES = {"host": "#0072B2", "cloud": "#56B4E9", "other servers": "#E69F00"}
ZERO = "#888888"


def looks(strategies: Sequence[str]) -> list[Appearance]:
    """The look of each strategy, those of the package always alike, others the next free one."""
    free = [*_FREE, *(look for name, look in _LOOKS.items() if name not in strategies)]
    strangers = [name for name in strategies if name not in _LOOKS]
    return [_LOOKS[name] if name in _LOOKS else free[strangers.index(name) % len(free)] for name in strategies]


def _legend(*, is_shown: bool = True) -> alt.Legend | None:
    if not is_shown:
        return None
    return alt.Legend(title=None, orient="bottom", columns=LEGEND_COLUMNS, symbolSize=90, symbolOpacity=1.0)


def color(strategies: Sequence[str], *, in_legend: bool = True) -> alt.Color:
    """Colour of strategies."""
    scale = alt.Scale(domain=list(strategies), range=[look.color for look in looks(strategies)])
    return alt.Color("strategy:N", scale=scale, legend=_legend(is_shown=in_legend))


def shape(strategies: Sequence[str], *, in_legend: bool = True) -> alt.Shape:
    """Mark of strategies, in one legend with their colour."""
    scale = alt.Scale(domain=list(strategies), range=[look.shape for look in looks(strategies)])
    return alt.Shape("strategy:N", scale=scale, legend=_legend(is_shown=in_legend))


def dash(strategies: Sequence[str], *, in_legend: bool) -> alt.StrokeDash | alt.StrokeDashValue:
    """Dash of strategies' lines, in one legend with their colour where there are no marks to tell them by."""
    shown = looks(strategies)
    if len(shown) == 1:
        return alt.StrokeDashValue(value=list(shown[0].dash))
    if in_legend:
        scale = alt.Scale(domain=list(strategies), range=[list(look.dash) for look in shown])
        return alt.StrokeDash("strategy:N", scale=scale, legend=_legend())
    # backwards, since Vega-Lite draws one legend for all scales of the same domain, and dashed marks cannot be read
    backwards = alt.Scale(domain=list(strategies)[::-1], range=[list(look.dash) for look in shown[::-1]])
    return alt.StrokeDash("strategy:N", scale=backwards, legend=None)


def theme(*, dark: bool) -> dict[str, Any]:
    """Vega-Lite's configuration of the page or, light, of stills."""
    text, quiet, rule = ("#e8e8e6", "#b4b4b0", "#3a3a3a") if dark else ("#1c1c1a", "#55554f", "#e3e3de")
    return {
        "font": FONT,
        "background": "transparent" if dark else "#ffffff",
        "view": {"stroke": None},
        "axis": {
            "labelColor": quiet,
            "titleColor": text,
            "titleFontWeight": "normal",
            "titleFontSize": 12,
            "labelFontSize": 11,
            "gridColor": rule,
            "domainColor": quiet,
            "tickColor": quiet,
        },
        "legend": {"labelColor": text, "titleColor": text, "labelFontSize": 11.5, "titleFontSize": 12},
        "text": {"color": text},
        "title": {"color": text, "subtitleColor": quiet, "fontSize": 12.5, "fontWeight": 600, "anchor": "start"},
        "header": {"labelColor": text, "titleColor": text, "labelFontSize": 12, "labelFontWeight": 600},
    }
