"""Fits what a migration costs to total times and downtimes, where its steps were not measured: few terms, chosen by the data.

Times grow linearly with each term. So the engine is asked once for each row and term what one unit more would cost, and least squares on
relative errors do the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear, minimize_scalar

from msmf_traci.arrays import FloatArray
from msmf_traci.errors import InputError
from msmf_traci.migration.policy import PostCopy, Processing, Replay
from msmf_traci.testbed.expectation import INSTANT_REPLAY, Costs, expect
from msmf_traci.testbed.published import Published
from msmf_traci.units import BYTES_PER_MB

# in the order in which they are preferred where they explain the same; seconds, or seconds per MB
RESTORE, TRANSPORT, FAULTS = "restore_s", "transport", "faults_per_mb"
TERMS = (
    *(RESTORE, "prepare_s", "final_s_per_mb", "final_s_per_changed_mb", TRANSPORT, "checkpoint_s_per_mb", "later_s_per_changed_mb"),
    *(FAULTS, "round_trips"),
)
_BETTER_BY, _ALIKE = 1.0, 0.2  # in units of Akaike's criterion
_LEAST_ERROR = 1e-12  # squared: less is no error
_LEAST_TRANSPORT = 0.01  # of what is sent a part is left, however much it is compressed
LIMIT_S = 120.0  # after which replaying is cut off, as by default


@dataclass(frozen=True)
class Terms:
    """What was fitted: the terms by their place in TERMS, shape (terms,), and messages served in a second (infinite: none replayed)."""

    values: FloatArray
    served_per_s: float = math.inf

    def costs(self) -> Costs:
        """The same as the engine takes them. Bytes take `transport` times what they would: compressed if that is below 1."""
        value = dict(zip(TERMS, self.values, strict=True))
        share = min(1.0, value[TRANSPORT])
        bytes_per_mb = BYTES_PER_MB * share
        processing = Processing(
            prepare_s=value["prepare_s"],
            checkpoint_s_per_byte=value["checkpoint_s_per_mb"] / bytes_per_mb,
            later_s_per_changed_byte=value["later_s_per_changed_mb"] / bytes_per_mb,
            final_s=0.0,
            final_s_per_byte=value["final_s_per_mb"] / bytes_per_mb,
            final_s_per_changed_byte=value["final_s_per_changed_mb"] / bytes_per_mb,
            restore_s=value[RESTORE],
        )
        efficiency = min(1.0, 1 / value[TRANSPORT])
        replays = INSTANT_REPLAY if math.isinf(self.served_per_s) else Replay(served_per_s=self.served_per_s, limit_s=LIMIT_S)
        postcopy = PostCopy(0.0, value[FAULTS] / bytes_per_mb)
        return Costs(processing, value["round_trips"], efficiency, (0.0, 0.0), (1.0, share), postcopy, replays)


def expected_times(row: Published, costs: Costs) -> tuple[float, float]:
    """Total time and downtime that a model expects of a row.

    Raises
    ------
    InputError
        If it would take longer than the model looks ahead.
    """
    try:
        expected = expect(row.migration, costs)
    except ValueError:
        where = f"{row.name['set']}, row {row.name['row']}"
        raise InputError(f"{where}: by the model this migration takes months; correct its sizes or its bandwidth") from None
    total_s = costs.processing.prepare_s + expected.after_stop_s if row.counts_from_stop else expected.total_s
    return total_s, expected.downtime_s


def fit_times(rows: Sequence[Published], terms: Sequence[str] | None = None) -> Terms:
    """The terms that explain measured times best.

    Parameters
    ----------
    rows
        What was measured.
    terms
        Those to fit, of TERMS. None: as few as the data ask for, one after another as long as Akaike's criterion, corrected for few data,
        gets better by 1. Bytes take their time at the nominal bandwidth unless `transport` is among them.
    """
    return _fit_served(rows, terms) if _replays(rows) else fit_equations(*_joined(_equations_of(rows, math.inf)), terms)


def leave_one_out(rows: Sequence[Published], terms: Sequence[str] | None = None) -> list[Terms]:
    """For each row the fit to all others; what is served in a second is that of all rows."""
    served_per_s = fit_times(rows, terms).served_per_s if _replays(rows) else math.inf
    of_rows = _equations_of(rows, served_per_s)
    found = []
    for left_out in range(len(rows)):
        parts = [each for place, each in enumerate(of_rows) if place != left_out]
        fitted = fit_equations(*_joined(parts), terms)
        found.append(replace(fitted, served_per_s=served_per_s))
    return found


def fit_equations(offset_s: FloatArray, slope_s: FloatArray, took_s: FloatArray, terms: Sequence[str] | None = None) -> Terms:
    """As `fit_times`.

    Parameters
    ----------
    offset_s, slope_s, took_s
        Of each measured time: what the engine expects without any terms, shape (times,), what one unit of each term adds, shape (times,
        terms), and what was measured, shape (times,).
    """
    places = _chosen(offset_s, slope_s, took_s) if terms is None else [TERMS.index(term) for term in terms]
    return Terms(_values(places, offset_s, slope_s, took_s)[0])


def _chosen(offset_s: FloatArray, slope_s: FloatArray, took_s: FloatArray) -> list[int]:
    """Terms that the data ask for, one after another; the first one is the best alone."""
    places: list[int] = []
    best = math.inf
    while True:
        left = [place for place in range(len(TERMS)) if place not in places]
        scores = [_misfit([*places, place], offset_s, slope_s, took_s) for place in left]
        least = min(scores, default=math.inf)
        criterion = least + _penalty(len(took_s), len(places) + 1)
        if places and not criterion < best - _BETTER_BY:
            return places
        places.append(next(place for place, score in zip(left, scores, strict=True) if score <= least + _ALIKE))
        best = criterion


def _misfit(places: Sequence[int], offset_s: FloatArray, slope_s: FloatArray, took_s: FloatArray) -> float:
    """The first part of Akaike's criterion: how badly some terms explain the times."""
    error = _values(places, offset_s, slope_s, took_s)[1]
    return float(len(took_s) * math.log(max(float(np.mean(np.square(error))), _LEAST_ERROR)))


def _penalty(n: int, k: int) -> float:
    """The second one, corrected for few data: what k terms have to be worth; infinite where n data are too few for them."""
    return 2 * k + 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else math.inf


def _values(places: Sequence[int], offset_s: FloatArray, slope_s: FloatArray, took_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values of all terms, none but those at some places other than neutral, and the relative errors that are left."""
    values = np.zeros(len(TERMS))
    transport = TERMS.index(TRANSPORT)
    values[transport] = 0.0 if transport in places else 1.0
    missing_s = took_s - offset_s - slope_s @ values
    weighted = slope_s[:, places] / took_s[:, None]
    size = np.linalg.norm(weighted, axis=0)
    size[size == 0] = 1.0
    found = lsq_linear(weighted / size, missing_s / took_s, (0, np.inf), method="bvls").x / size
    values[list(places)] = np.maximum(found, 0.0)
    values[transport] = max(values[transport], _LEAST_TRANSPORT)
    return values, (offset_s + slope_s @ values) / took_s - 1


def _replays(rows: Sequence[Published]) -> bool:
    return any(row.migration.arriving_per_s > 0 for row in rows)


def _fit_served(rows: Sequence[Published], terms: Sequence[str] | None) -> Terms:
    """With what is served in a second, on which times do not depend linearly."""

    def fitted(served_per_s: float) -> tuple[float, Terms]:
        offset_s, slope_s, took_s = _joined(_equations_of(rows, served_per_s))
        found = fit_equations(offset_s, slope_s, took_s, terms)
        return float(np.mean(np.abs((offset_s + slope_s @ found.values) / took_s - 1))), replace(found, served_per_s=served_per_s)

    most = max(row.migration.arriving_per_s for row in rows)
    tried = np.geomspace(most / 4, 4 * most, 30)
    near = tried[int(np.argmin([fitted(value)[0] for value in tried]))]
    found = minimize_scalar(lambda value: fitted(value)[0], bounds=(near / 1.1, near * 1.1), method="bounded", options={"maxiter": 12})
    return fitted(float(found.x))[1]


def _equations_of(rows: Sequence[Published], served_per_s: float) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
    """What each row says; the engine is asked once for rows that were set up alike."""
    known: dict[tuple[Any, ...], tuple[FloatArray, FloatArray]] = {}
    found = []
    for row in rows:
        one = row.migration
        values = tuple(getattr(one, each.name) for each in fields(one) if each.name != "plan")
        key = (*values, one.plan.steps.tobytes(), row.counts_from_stop)
        if key not in known:
            known[key] = _expectations(row, served_per_s)
        measured = np.array([row.total_s, row.downtime_s])
        is_there = ~np.isnan(measured)
        offset, slope = known[key]
        found.append((offset[is_there], slope[is_there], measured[is_there]))
    return found


def _joined(parts: Sequence[tuple[FloatArray, FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray, FloatArray]:
    offset_s, slope_s, took_s = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return offset_s, slope_s, took_s


def _expectations(row: Published, served_per_s: float) -> tuple[FloatArray, FloatArray]:
    """Total time and downtime that are expected without any terms, and what a unit of each adds."""
    # without any term bytes take no time, which the engine cannot be asked
    base = np.zeros(len(TERMS))
    base[TERMS.index(TRANSPORT)] = 1.0

    def times(values: FloatArray) -> FloatArray:
        return np.array(expected_times(row, Terms(values, served_per_s).costs()))

    at_base = times(base)
    slope = np.stack([times(base + unit) - at_base for unit in np.eye(len(TERMS))], axis=1)
    return at_base - slope[:, TERMS.index(TRANSPORT)], slope
