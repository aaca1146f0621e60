"""What was left out of GPS traces, and why: every point read is either kept or counted here under one reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

POINT_REASONS = {
    "no_id": "without an id",
    "no_time": "without a time, or at a time that a change of the clocks makes ambiguous",
    "no_position": "without a position",
    "impossible_coordinates": "beyond 90 degrees of latitude or 180 of longitude",
    "null_island": "at latitude 0, longitude 0",
    "other_times": "outside mobility.gps.begin and end",
    "other_users": "of other users",
    "same_time": "at the same time as another",
    "impossible_speed": "faster than mobility.gps.max_kmh from both neighbours",
}
TRACE_REASONS = {
    "one_point": "of one point",
    "too_brief": "shorter than mobility.gps.min_duration_s",
    "too_short": "shorter than mobility.gps.min_length_m",
    "other_place": "of another place",
    "other_modes": "of other modes",
    "outside_bbox": "not wholly within mobility.gps.bbox",
    "not_drawn": "not drawn",
}
NOTES = {
    "misplaced": "points put into the order of time",
    "no_altitude": "points with unknown altitude",
    "gaps": "cuts at gaps",
    "jumps": "cuts at jumps",
    "mode_changes": "cuts at changes of mode, labels or segments",
}


@dataclass
class Omissions:
    """Counts of what was read and of what was left out.

    Attributes
    ----------
    points_read, traces_cut
        Points in the files, and pieces that they were cut into.
    points
        Points left out one by one, by the keys of `POINT_REASONS`.
    traces, points_of_traces
        Pieces left out whole, and the points of these, by the keys of `TRACE_REASONS`.
    notes
        What was put right or cut and not left out, by the keys of `NOTES`.
    fewer
        Traces asked for by number that there are not.
    """

    points_read: int = 0
    traces_cut: int = 0
    points: Counter[str] = field(default_factory=Counter)
    traces: Counter[str] = field(default_factory=Counter)
    points_of_traces: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    fewer: int = 0

    def leave_out_points(self, reason: str, points: int) -> None:
        """Count points that were left out one by one."""
        if points:
            self.points[reason] += int(points)

    def leave_out_traces(self, reason: str, traces: int, points: int) -> None:
        """Count traces that were left out whole, with all their points."""
        if traces:
            self.traces[reason] += int(traces)
            self.points_of_traces[reason] += int(points)

    def note(self, what: str, count: int) -> None:
        """Count what was put right or cut."""
        if count:
            self.notes[what] += int(count)

    @property
    def points_kept(self) -> int:
        """Points of the traces that are left."""
        return self.points_read - self.points.total() - self.points_of_traces.total()

    @property
    def traces_kept(self) -> int:
        """Traces that are left."""
        return self.traces_cut - self.traces.total()

    def sentences(self) -> list[str]:
        """Lines for the console: what is kept, then what was left out by reason, the most first."""
        kept = f"{_counted(self.traces_kept, 'trace')} of {_counted(self.points_kept, 'point')} kept"
        lines = [f"GPS: {kept}; {_counted(self.points_read, 'point')} read, {_counted(self.traces_cut, 'piece')}"]
        if self.points:
            lines.append(
                "GPS: points left out: " + "; ".join(f"{count} {POINT_REASONS[reason]}" for reason, count in self.points.most_common())
            )
        if self.traces:
            each = (
                f"{count} {TRACE_REASONS[reason]} ({_counted(self.points_of_traces[reason], 'point')})"
                for reason, count in self.traces.most_common()
            )
            lines.append("GPS: traces left out: " + "; ".join(each))
        if self.notes:
            lines.append("GPS: " + "; ".join(f"{count} {NOTES[what]}" for what, count in self.notes.most_common()))
        if self.fewer:
            lines.append(f"GPS: {_counted(self.fewer, 'trace')} fewer than asked for: there are no more")
        return lines

    def facts(self) -> dict[str, Any]:
        """The same for run.json."""
        return {
            "points_read": self.points_read,
            "points_kept": self.points_kept,
            "points_left_out": dict(sorted(self.points.items())),
            "traces_cut": self.traces_cut,
            "traces_kept": self.traces_kept,
            "traces_left_out": {
                reason: {"traces": count, "points": self.points_of_traces[reason]} for reason, count in sorted(self.traces.items())
            },
            "traces_missing": self.fewer,
            **{what: self.notes[what] for what in NOTES},
        }


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
