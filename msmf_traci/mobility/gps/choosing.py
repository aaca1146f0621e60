"""Which traces of those that there are: by place, user, mode and area, and which ones where fewer are asked for than there are."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import BoolArray
from msmf_traci.errors import InputError
from msmf_traci.mobility.gps.omissions import Omissions
from msmf_traci.mobility.gps.pieces import Pieces

MARGIN_M = 500.0  # around the map: who passes by at this distance is of this place
_M_PER_DEGREE = 111_195.0  # of latitude


@dataclass(frozen=True)
class Box:
    """An area in degrees."""

    west: float
    south: float
    east: float
    north: float

    def widened(self, margin_m: float) -> Box:
        """The area with a margin around it."""
        lat = margin_m / _M_PER_DEGREE
        lon = lat / max(0.01, math.cos(math.radians(max(abs(self.south), abs(self.north)))))
        return Box(self.west - lon, self.south - lat, self.east + lon, self.north + lat)


@dataclass(frozen=True)
class Selection:
    """Which traces to take; None asks for no selection.

    Attributes
    ----------
    modes, users
        Of these only.
    begin_s, end_s
        Only points from and up to these times, POSIX seconds.
    box
        Only traces wholly within.
    number, per_mode
        At most so many traces, in all and of each mode.
    """

    modes: tuple[str, ...] | None = None
    users: tuple[str, ...] | None = None
    begin_s: float = -math.inf
    end_s: float = math.inf
    box: Box | None = None
    number: int | None = None
    per_mode: int | None = None


def keep_on_map(pieces: Pieces, place: Box, omissions: Omissions) -> None:
    """Leave out the pieces that have no point on a map, a margin around it included.

    Raises
    ------
    InputError
        If no piece has one; also where latitudes and longitudes look swapped.
    """
    lon, lat, wide = pieces.points.lon, pieces.points.lat, place.widened(MARGIN_M)
    is_there = _any_within(pieces, (lon >= wide.west) & (lon <= wide.east) & (lat >= wide.south) & (lat <= wide.north))
    if not is_there.any():
        is_swapped = _any_within(pieces, (lat >= wide.west) & (lat <= wide.east) & (lon >= wide.south) & (lon <= wide.north))
        if is_swapped.any():
            raise InputError(
                "mobility.gps.path: latitudes and longitudes look swapped: exchanged, the traces lie on the map; exchange the columns"
            )
        first = pieces.first[0]
        raise InputError(
            f"mobility.gps.path: no trace has a point on the map (longitudes {place.west:.3f} to {place.east:.3f}, latitudes "
            f"{place.south:.3f} to {place.north:.3f}); the first trace begins at longitude {lon[first]:.3f}, latitude {lat[first]:.3f}; "
            "choose the map of its city"
        )
    pieces.leave_out("other_place", ~is_there, omissions)


def choose(pieces: Pieces, selection: Selection, seed: int, omissions: Omissions) -> None:
    """Leave out the pieces that are not asked for, in place.

    Raises
    ------
    InputError
        If a mode is asked for that no trace has.
    """
    if selection.modes is not None:
        there = sorted(set(pieces.modes))
        for mode in selection.modes:
            if mode not in there:
                raise InputError(f"mobility.gps.mode: no trace has the mode '{mode}'; there are {_listed(there)}")
        pieces.leave_out("other_modes", ~np.isin(np.array(pieces.modes, dtype=str), selection.modes), omissions)
    if selection.box is not None:
        box, lon, lat = selection.box, pieces.points.lon, pieces.points.lat
        is_beyond = (lon < box.west) | (lon > box.east) | (lat < box.south) | (lat > box.north)
        pieces.leave_out("outside_bbox", _any_within(pieces, is_beyond), omissions)
    if selection.number is not None or selection.per_mode is not None:
        pieces.leave_out("not_drawn", ~_drawn(pieces, selection, seed, omissions), omissions)


def check_users(asked: Sequence[str] | None, there: set[str]) -> None:
    """Check that there are the users asked for.

    Raises
    ------
    InputError
        If one is not among them.
    """
    for user in asked or ():
        if user not in there:
            known = f"there are {_listed(sorted(there))}" if there - {""} else "these traces name no users"
            raise InputError(f"mobility.gps.user: there is no user '{user}'; {known}")


def _drawn(pieces: Pieces, selection: Selection, seed: int, omissions: Omissions) -> BoolArray:
    """Whether each piece is drawn: those whose names come first in an order made of the seed, whatever else there is."""
    rank = np.argsort([hashlib.sha256(f"{seed}:{name}".encode()).hexdigest() for name in pieces.names])
    is_drawn = np.zeros(len(pieces), dtype=bool)
    if selection.per_mode is None:
        asked = selection.number or 0
        is_drawn[rank[:asked]] = True
        omissions.fewer += max(0, asked - len(pieces))
        return is_drawn
    modes = np.array(pieces.modes, dtype=str)
    for mode in sorted(set(pieces.modes)):
        of_mode = rank[modes[rank] == mode]
        is_drawn[of_mode[: selection.per_mode]] = True
        omissions.fewer += max(0, selection.per_mode - len(of_mode))
    return is_drawn


def _any_within(pieces: Pieces, is_so: BoolArray) -> BoolArray:
    """Whether it is so for any point of each piece."""
    so_far = np.concatenate([[0], np.cumsum(is_so)])
    return np.asarray(so_far[pieces.end] > so_far[pieces.first])


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence; the traces without one are named too, and many are cut short."""
    words = [name or "'' (unlabelled)" for name in names]
    return ", ".join(words[:30]) + (f" and {len(words) - 30} more" if len(words) > 30 else "")
