"""Section 1 of the model, "attachment": the cell that contains the vehicle, or the old one until the new is nearer by the hysteresis."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.control.attachment import Attachment
from msmf_traci.mobility.tracks import Follower


class Radio:
    """An attachment of some vehicles that is told frames."""

    def __init__(self, bench: Any, hysteresis_m: float) -> None:
        self._bench = bench
        self._attachment, self._follower = Attachment(bench.cells, hysteresis_m), Follower()
        self._attachment.admit(8)
        self._follower.admit(8)

    def cells(self, **frame: Any) -> list[int]:
        """Attached cells of a frame's vehicles."""
        tracks = self._bench.tracks(self._follower, self._bench.frame(**frame))
        cells = np.empty(len(tracks), dtype=np.int64)
        cells[tracks.order] = self._attachment.attach(tracks, self._bench.cells.cell_of(tracks.x_m, tracks.y_m)[0])
        return cells.tolist()


def attached(bench: Any, radio: Radio, y_m: Sequence[float], vehicle: Sequence[int] = (0,)) -> list[str]:
    """Names of the attached cells; on x = 0, northwards, cell (0, r) is y = 500 r +- 250."""
    return [bench.cells.name(cell) for cell in radio.cells(vehicle=vehicle, y_m=y_m)]


def test_without_hysteresis_the_containing_cell_is_the_attached_one(bench: Any) -> None:
    attachment = Radio(bench, 0.0)
    assert [attached(bench, attachment, [y])[0] for y in (0.0, 249.9, 250.1, 249.9, 751.0)] == ["0,0", "0,0", "0,1", "0,0", "0,2"]


def test_with_hysteresis_the_old_cell_holds_until_it_is_farther_by_more_than_that(bench: Any) -> None:
    # At y the centres are y and 500 - y away: 2 y - 500 > 100 beyond y = 300 northwards, and 500 - 2 y > 100 below y = 200 southwards.
    attachment = Radio(bench, 100.0)
    north = [attached(bench, attachment, [y])[0] for y in (0.0, 251.0, 300.0, 300.1, 249.0, 200.0, 199.9)]
    assert north == ["0,0", "0,0", "0,0", "0,1", "0,1", "0,1", "0,0"]


def test_the_first_frame_attaches_to_the_containing_cell(bench: Any) -> None:
    attachment = Radio(bench, 100.0)
    assert attached(bench, attachment, [0.0]) == ["0,0"]
    assert attached(bench, attachment, [251.0, 251.0], vehicle=[0, 1]) == ["0,0", "0,1"]


def test_vehicles_are_known_by_their_number_whatever_their_place_in_the_frame(bench: Any) -> None:
    attachment = Radio(bench, 100.0)
    assert attached(bench, attachment, [0.0, 500.0], vehicle=[4, 2]) == ["0,0", "0,1"]
    assert attached(bench, attachment, [251.0, 251.0, 249.0], vehicle=[2, 4, 0]) == ["0,1", "0,0", "0,0"]


def test_a_vehicle_far_from_its_old_cell_is_attached_where_it_is(bench: Any) -> None:
    attachment = Radio(bench, 100.0)
    assert attached(bench, attachment, [0.0]) == ["0,0"]
    assert attached(bench, attachment, [2000.0]) == ["0,4"]


@settings(deadline=None)
@given(
    st.floats(0.001, 400),  # with 0 the containing cell decides, on a border too
    st.lists(st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)), min_size=1, max_size=8),
)
def test_hysteresis_follows_the_text_word_by_word(bench: Any, hysteresis_m: float, way: list[tuple[float, float]]) -> None:
    radio, old = Radio(bench, hysteresis_m), None
    for x, y in way:
        (cell,) = radio.cells(x_m=x, y_m=y)
        new = int(bench.cells.cell_of(np.array([x]), np.array([y]))[0][0])
        distance = np.hypot(x - bench.cells.x_m, y - bench.cells.y_m)
        if old is None or distance[old] - distance[new] > hysteresis_m:
            old = new
        assert cell == old
