"""The transfers of all containers as arrays: their stages in continuous time, and the bytes each stage sends.

What a transfer is for, and when one starts or stops, is decided in `precopy.py`. Model, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, extended
from msmf_traci.migration.ledger import Ledger, Outcome, Stage
from msmf_traci.sentinels import NO_SERVER

# the ledger's kind of bytes that a stage sends
KIND_OF_STAGE = {Stage.IMAGE: "image_bytes", Stage.MEMORY: "memory_bytes", Stage.ROUND: "dirty_bytes", Stage.FINAL: "final_bytes"}
_FLOATS = ("begin_s", "next_s", "to_send_bytes", "dirty_bytes_at_base", "dirty_base_s", "start_s", "handoff_s", "stop_s")


@dataclass(frozen=True)
class LinkOptions:
    """How bytes travel and when dirty memory is sent."""

    bandwidth_bytes_per_s: float
    dirty_share_per_s: float
    dirty_threshold_bytes: float
    switch_s: float


class Transfers:
    """At most one transfer for each container i; `next_s[i]` is the instant at which its stage ends (infinite: never by itself).

    Parameters
    ----------
    options
        Bandwidth, dirty rate and threshold.
    ledger
        Where stages are booked as they end.
    """

    def __init__(self, options: LinkOptions, ledger: Ledger) -> None:
        self._options = options
        self._ledger = ledger
        self.image_bytes = np.zeros(0)
        self.memory_bytes = np.zeros(0)
        self.start_up_s = np.zeros(0)
        self.target: IntArray = np.zeros(0, dtype=np.int64)
        self.stage: IntArray = np.zeros(0, dtype=np.int64)
        self.number: IntArray = np.zeros(0, dtype=np.int64)
        self.rounds: IntArray = np.zeros(0, dtype=np.int64)
        self.begin_s = np.zeros(0)
        self.next_s = np.zeros(0)
        self.to_send_bytes = np.zeros(0)
        self.dirty_bytes_at_base = np.zeros(0)
        self.dirty_base_s = np.zeros(0)
        self.start_s = np.zeros(0)
        self.handoff_s = np.zeros(0)
        self.stop_s = np.zeros(0)
        self.sent: dict[str, FloatArray] = {kind: np.zeros(0) for kind in KIND_OF_STAGE.values()}

    def admit(self, image_bytes: FloatArray, memory_bytes: FloatArray, start_up_s: FloatArray) -> None:
        """Add containers without a transfer."""
        n = len(image_bytes)
        self.image_bytes = np.concatenate([self.image_bytes, image_bytes])
        self.memory_bytes = np.concatenate([self.memory_bytes, memory_bytes])
        self.start_up_s = np.concatenate([self.start_up_s, start_up_s])
        self.target = extended(self.target, n, NO_SERVER)
        self.number = extended(self.number, n, -1)
        for name in ("stage", "rounds"):
            setattr(self, name, extended(getattr(self, name), n, 0))
        for name in _FLOATS:
            empty = np.inf if name == "next_s" else np.nan
            setattr(self, name, extended(getattr(self, name), n, empty))
        for kind in self.sent:
            self.sent[kind] = extended(self.sent[kind], n, 0.0)

    def start(self, i: IntArray, t_s: float, target: IntArray) -> None:
        """Start transfers to `target` with the image."""
        self._open(i, t_s, target)
        self._begin(i, t_s, Stage.IMAGE, self.image_bytes[i])

    def start_stopped(self, i: IntArray, t_s: float, target: IntArray) -> None:
        """Start transfers of stopped containers: image and memory are sent at once (rule 4)."""
        self._open(i, t_s, target)
        self.handoff_s[i] = t_s
        self.stop_s[i] = t_s
        self._begin(i, t_s, Stage.FINAL, self.image_bytes[i] + self.memory_bytes[i])

    def finish_stage(self, i: IntArray) -> tuple[IntArray, IntArray]:
        """End the stages of transfers i at their `next_s` and begin the next ones.

        Returns
        -------
        synchronised
            Those that have just gone into ROUND or IDLE.
        restored
            Those whose RESTORE has ended: nothing follows.
        """
        stage, t_s = self.stage[i], self.next_s[i]
        self._book_stage(i, t_s, self.to_send_bytes[i])
        of = {kind: i[stage == kind] for kind in Stage}
        image, final, idle = of[Stage.IMAGE], of[Stage.FINAL], of[Stage.IDLE]
        if len(image):
            at_s = self.next_s[image]
            self._begin(image, at_s, Stage.MEMORY, self.memory_bytes[image])
            self._dirty_from(image, at_s)
        if len(final):
            at_s = self.next_s[final]
            self._begin(final, at_s, Stage.RESTORE, np.zeros(len(final)))
            self.next_s[final] = at_s + self.start_up_s[final] + self._options.switch_s
        synchronised = np.concatenate([of[Stage.MEMORY], of[Stage.ROUND]])
        if len(synchronised):
            self._synchronise(synchronised, self.next_s[synchronised])
        if len(idle):
            self._begin_round(idle, self.next_s[idle], np.full(len(idle), self._options.dirty_threshold_bytes))
        restored = of[Stage.RESTORE]
        self.stage[restored] = Stage.NONE
        self.next_s[restored] = np.inf
        return synchronised, restored

    def finalise(self, i: IntArray, t_s: FloatArray | float) -> None:
        """The containers of transfers i stop: FINAL sends what is missing."""
        stage = self.stage[i]
        sent = self._sent_in_stage(i, t_s)
        rest = np.where(stage == Stage.IDLE, 0.0, self.to_send_bytes[i] - sent)
        memory = self.memory_bytes[i]
        dirty = np.where(stage == Stage.IMAGE, 0.0, self.dirty_bytes(i, t_s))
        missing = np.where(stage == Stage.IMAGE, rest + memory, np.minimum(memory, rest + dirty))
        self._book_stage(i, t_s, sent)
        self.stop_s[i] = t_s
        self._begin(i, t_s, Stage.FINAL, missing)

    def close(self, i: IntArray, t_s: FloatArray | float) -> dict[str, NDArray[np.generic]]:
        """End transfers i now, whatever their stage; returns their columns of the ledger."""
        ongoing = i[self.stage[i] != Stage.NONE]
        if len(ongoing):
            at_s = np.broadcast_to(t_s, len(i))[self.stage[i] != Stage.NONE]
            self._book_stage(ongoing, at_s, self._sent_in_stage(ongoing, at_s))
        columns: dict[str, NDArray[np.generic]] = {
            "transfer": self.number[i],
            "target": self.target[i],
            "t_start_s": self.start_s[i],
            "t_handoff_s": self.handoff_s[i],
            "t_stop_s": self.stop_s[i],
            "t_end_s": np.array(np.broadcast_to(t_s, len(i)), dtype=np.float64),
            **{kind: sent[i] for kind, sent in self.sent.items()},
            "rounds": self.rounds[i],
        }
        self.target[i] = NO_SERVER
        self.stage[i] = Stage.NONE
        self.next_s[i] = np.inf
        return columns

    def abandoned_outcome(self, i: IntArray) -> IntArray:
        """Outcome of transfers that are given up: the user left if there was a handoff, else the prediction was wrong."""
        return np.where(np.isnan(self.handoff_s[i]), int(Outcome.MISPREDICTED), int(Outcome.USER_LEFT)).astype(np.int64)

    def is_synchronised(self, i: IntArray) -> BoolArray:
        """Whether image and memory have been sent and the container still runs (IDLE or ROUND)."""
        return np.asarray((self.stage[i] == Stage.IDLE) | (self.stage[i] == Stage.ROUND), dtype=bool)

    def dirty_bytes(self, i: IntArray, t_s: FloatArray | float) -> FloatArray:
        """Dirty memory at an instant: grows by a share of the memory per second, capped at the memory."""
        grown = self.dirty_bytes_at_base[i] + self._dirty_rate(i) * (t_s - self.dirty_base_s[i])
        return np.minimum(self.memory_bytes[i], grown)

    def _open(self, i: IntArray, t_s: float, target: IntArray) -> None:
        self.target[i] = target
        self.number[i] += 1
        self.rounds[i] = 0
        self.start_s[i] = t_s
        self.handoff_s[i] = np.nan
        self.stop_s[i] = np.nan
        for sent in self.sent.values():
            sent[i] = 0.0

    def _begin(self, i: IntArray, t_s: FloatArray | float, stage: Stage, to_send_bytes: FloatArray) -> None:
        self.stage[i] = stage
        self.begin_s[i] = t_s
        self.to_send_bytes[i] = to_send_bytes
        self.next_s[i] = t_s + to_send_bytes / self._options.bandwidth_bytes_per_s

    def _begin_round(self, i: IntArray, t_s: FloatArray, dirty_bytes: FloatArray) -> None:
        self._begin(i, t_s, Stage.ROUND, dirty_bytes)
        self._dirty_from(i, t_s)
        self.rounds[i] += 1

    def _begin_idle(self, i: IntArray, t_s: FloatArray) -> None:
        self._begin(i, t_s, Stage.IDLE, np.zeros(len(i)))
        threshold = self._options.dirty_threshold_bytes
        rate = self._dirty_rate(i)
        wakes = (rate > 0) & (self.memory_bytes[i] >= threshold)
        wait_s = np.divide(threshold - self.dirty_bytes_at_base[i], rate, out=np.full(len(i), np.inf), where=wakes)
        self.next_s[i] = self.dirty_base_s[i] + wait_s

    def _synchronise(self, i: IntArray, t_s: FloatArray) -> None:
        """After MEMORY or a ROUND: another ROUND if enough is dirty, else IDLE."""
        dirty = self.dirty_bytes(i, t_s)
        enough = dirty >= self._options.dirty_threshold_bytes
        self._begin_round(i[enough], t_s[enough], dirty[enough])
        self._begin_idle(i[~enough], t_s[~enough])

    def _dirty_from(self, i: IntArray, t_s: FloatArray) -> None:
        self.dirty_bytes_at_base[i] = 0.0
        self.dirty_base_s[i] = t_s

    def _dirty_rate(self, i: IntArray) -> FloatArray:
        return self._options.dirty_share_per_s * self.memory_bytes[i]

    def _sent_in_stage(self, i: IntArray, t_s: FloatArray | float) -> FloatArray:
        sent = self._options.bandwidth_bytes_per_s * (t_s - self.begin_s[i])
        return np.asarray(np.minimum(self.to_send_bytes[i], sent), dtype=np.float64)

    def _book_stage(self, i: IntArray, t_s: FloatArray | float, sent_bytes: FloatArray) -> None:
        stage = self.stage[i]
        for sending, kind in KIND_OF_STAGE.items():
            here = stage == sending
            if here.any():
                self.sent[kind][i[here]] += sent_bytes[here]
        self._ledger.book_stages(
            container=i,
            transfer=self.number[i],
            stage=stage,
            t_begin_s=self.begin_s[i],
            t_end_s=np.array(np.broadcast_to(t_s, len(i)), dtype=np.float64),
            bytes=sent_bytes,
        )
