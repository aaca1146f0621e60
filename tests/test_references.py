"""Named tuples behind a reference: compiled functions read what Python has, and change arrays in place."""

from typing import Any, NamedTuple

import numba
import numpy as np
from numba.typed import List

from msmf_traci.references import by_reference


class Inner(NamedTuple):
    """An array, a list, and whether."""

    counts: np.ndarray
    book: Any
    is_open: bool


class Outer(NamedTuple):
    """A tuple within a tuple, a record, and numbers."""

    inner: Inner
    point: Any
    places_m: np.ndarray
    limit: float


@numba.njit
def weigh(outer: Any) -> Any:
    """Reads every field; counts, and books what it has read."""
    outer.inner.counts[1] += 1
    read = outer.places_m.sum() + outer.limit + outer.point.x + outer.inner.counts.sum() + outer.inner.is_open
    outer.inner.book.append(read)
    return read


def outer() -> Outer:
    point = np.array([(0.5,)], dtype=[("x", float)])[0]
    return Outer(Inner(np.array([10, 20]), List.empty_list(numba.types.float64), True), point, np.array([1.0, 2.0]), 100.0)


def test_compiled_functions_read_and_change_the_same_by_value_and_by_reference() -> None:
    plain, referred = outer(), by_reference(outer())
    for _ in range(3):
        assert weigh(referred) == weigh(plain)
    assert weigh(referred) == 3 + 100 + 0.5 + 34 + 1
    assert referred.inner.counts.tolist() == [10, 24]
    assert list(referred.inner.book) == [135.5, 136.5, 137.5, 138.5]


def test_a_reference_keeps_what_it_refers_to() -> None:
    """Nothing else holds the arrays, the list and the record; what is made meanwhile would take their place."""
    referred = [by_reference(outer()) for _ in range(50)]
    waste = [np.full(2, -1.0) for _ in range(10_000)]
    assert {weigh(each) for each in referred} == {135.5}
    assert len(waste) == 10_000


def test_a_reference_to_a_reference_is_the_same() -> None:
    referred = by_reference(outer())
    assert by_reference(referred) is referred
    assert weigh(by_reference(Outer(referred.inner, referred.point, referred.places_m, 0.0))) == 35.5
