"""How right a matched trace is: ways as unions of pieces of directed edges, places as right or wrong edges and distances along the way.

The mismatch of ways is that of P. Newson and J. Krumm (ACM GIS 2009): length wrongly added and length missed, over the true length.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray

from .truth import Journey

NEAR_ON_ROUTE = 4  # a place so many edges away on the true route is looked for there
_FAR_M = 1e6  # longer than any edge


@dataclass(frozen=True)
class Pieces:
    """Pieces of directed edges, shape (p,); they may overlap."""

    edge: IntArray
    from_m: FloatArray
    to_m: FloatArray


def joined(*parts: Pieces) -> Pieces:
    """All pieces of all parts."""
    edge = np.concatenate([np.zeros(0, dtype=np.int64), *(part.edge for part in parts)])
    from_m, to_m = (np.concatenate([np.zeros(0), *(getattr(part, name) for part in parts)]) for name in ("from_m", "to_m"))
    return Pieces(edge, from_m, to_m)


def union_m(pieces: Pieces) -> float:
    """Length of all that is covered; what is covered twice counts once."""
    order = np.lexsort((pieces.from_m, pieces.edge))
    begin = pieces.from_m[order] + _FAR_M * pieces.edge[order]
    end = pieces.to_m[order] + _FAR_M * pieces.edge[order]
    covered = np.concatenate([[-np.inf], np.maximum.accumulate(end)[:-1]]) if len(end) else end
    return float(np.maximum(0.0, end - np.maximum(begin, covered)).sum())


def difference_m(one: Pieces, other: Pieces) -> float:
    """Length of what belongs to one of the two only."""
    return 2 * union_m(joined(one, other)) - union_m(one) - union_m(other)


def pieces_of_route(route: IntArray, length_m: FloatArray, begin: tuple[int, float], end: tuple[int, float]) -> Pieces:
    """A way along consecutive edges.

    Parameters
    ----------
    route
        Edges.
    length_m
        Of every edge of the map.
    begin, end
        Index on the route and position on that edge where the way begins, and where it ends.
    """
    edge = route[begin[0] : end[0] + 1]
    from_m, to_m = np.zeros(len(edge)), length_m[edge].astype(np.float64)
    from_m[0], to_m[-1] = begin[1], end[1]
    return Pieces(edge, from_m, to_m)


def true_way(journey: Journey, length_m: FloatArray) -> Pieces:
    """The way from a journey's first sample to its last one."""
    begin, end = ((int(journey.route_index[k]), float(journey.position_m[k])) for k in (0, -1))
    return pieces_of_route(journey.route, length_m, begin, end)


@dataclass(frozen=True)
class Answer:
    """What a matcher said of a measured journey.

    Attributes
    ----------
    edge, position_m
        Of each position, shape (n,); edge -1 where it is on none.
    way
        The whole way.
    unbroken_way
        The same where ways that nobody can have driven are counted too: around the block, after an error was noticed.
    """

    edge: IntArray
    position_m: FloatArray
    way: Pieces
    unbroken_way: Pieces


@dataclass
class Score:
    """Sums over journeys, which add up.

    Attributes
    ----------
    true_m, wrong_m, unbroken_wrong_m
        Length of the true ways, and of what is added to them or missing; and this where the way is unbroken.
    samples, unmatched, right
        Positions, those on no edge, and those on the right one.
    road_samples, road_right
        The same of positions on a road proper, not inside a junction.
    errors_m
        Distance along the true way between where a vehicle was said to be and where it was, where it was said to be on the true way.
    took_s
        Wall time of matching.
    delays_s
        From measurement to decision.
    """

    true_m: float = 0.0
    wrong_m: float = 0.0
    unbroken_wrong_m: float = 0.0
    samples: int = 0
    unmatched: int = 0
    right: int = 0
    road_samples: int = 0
    road_right: int = 0
    took_s: float = 0.0
    errors_m: list[FloatArray] = field(default_factory=list)
    delays_s: list[FloatArray] = field(default_factory=list)

    def add(self, journey: Journey, answer: Answer, length_m: FloatArray) -> None:
        """Count one journey in."""
        true, on_road = true_way(journey, length_m), journey.is_on_road
        is_right = answer.edge == journey.edge
        self.true_m += union_m(true)
        self.wrong_m += difference_m(true, answer.way)
        self.unbroken_wrong_m += difference_m(true, answer.unbroken_way)
        self.samples += len(journey)
        self.unmatched += int((answer.edge < 0).sum())
        self.right += int(is_right.sum())
        self.road_samples += int(on_road.sum())
        self.road_right += int((is_right & on_road).sum())
        self.errors_m.append(errors_along_way(journey, answer, length_m))

    def shares(self) -> dict[str, float]:
        """As they are told: shares, metres, seconds and positions a second."""
        errors_m = np.concatenate([*self.errors_m, np.zeros(0)])
        delays_s = np.concatenate([*self.delays_s, np.zeros(0)])
        return {
            "mismatch": self.wrong_m / self.true_m,
            "unbroken_mismatch": self.unbroken_wrong_m / self.true_m,
            "right_on_road": self.road_right / max(self.road_samples, 1),
            "right": self.right / self.samples,
            "unmatched": self.unmatched / self.samples,
            "mean_error_m": float(errors_m.mean()) if len(errors_m) else np.nan,
            "p95_error_m": float(np.quantile(errors_m, 0.95)) if len(errors_m) else np.nan,
            "points_per_s": self.samples / self.took_s if self.took_s else np.nan,
            "mean_delay_s": float(delays_s.mean()) if len(delays_s) else np.nan,
            "most_delay_s": float(delays_s.max()) if len(delays_s) else np.nan,
        }


def errors_along_way(journey: Journey, answer: Answer, length_m: FloatArray) -> FloatArray:
    """Distances along the true way between places and true places; places that are not on it near by are left out.

    Ways across junctions have no length here.
    """
    before_m = np.concatenate([[0.0], np.cumsum(length_m[journey.route])])
    true_m = before_m[journey.route_index] + journey.position_m
    least_m = np.full(len(journey), np.inf)
    for away in range(-NEAR_ON_ROUTE, NEAR_ON_ROUTE + 1):
        index = np.clip(journey.route_index + away, 0, len(journey.route) - 1)
        error_m = np.abs(before_m[index] + answer.position_m - true_m)
        least_m = np.where(journey.route[index] == answer.edge, np.minimum(least_m, error_m), least_m)
    return np.asarray(least_m[np.isfinite(least_m)])
