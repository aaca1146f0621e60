"""The state machine of section 7: one container under one strategy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from .admission import HOME, TARGET, Admission, Choices
from .frames import Row
from .lattice import Cell, Server
from .network import Network
from .options import Options

IMAGE, MEMORY, ROUND, IDLE, FINAL, RESTORE = "IMAGE", "MEMORY", "ROUND", "IDLE", "FINAL", "RESTORE"
KINDS = {IMAGE: "image_bytes", MEMORY: "memory_bytes", ROUND: "dirty_bytes", FINAL: "final_bytes"}


@dataclass
class Transfer:
    """A transfer (section 7): its stage, begun at t_begin with `amount` bytes to send, from t_flow on, and `dirty_begin` dirty bytes.

    Its rate is what it was given at t_rate, when the stage had sent `sent_before` bytes; "a transfer keeps its rate through the stages it
    passes until the next frame" (reading 21). Until t_flow the stage is in processing (reading 39).
    """

    number: int
    source: Server
    target: Server
    t_start: float
    stage: str
    t_begin: float
    amount: float
    dirty_begin: float = 0.0
    rate: float = 0.0
    t_rate: float = 0.0
    t_flow: float = 0.0
    sent_before: float = 0.0
    t_handoff: float | None = None
    t_stop: float | None = None
    rounds: int = 0
    sent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS.values(), 0.0))


@dataclass
class Load:
    """A vehicle's container and latency level (section 5)."""

    image: float
    memory: float
    level_ms: Fraction


class Container:
    """One container under one strategy: the state machine of section 7 and what section 9 books about it."""

    def __init__(self, options: Options, network: Network, load: Load, host: Server, t_s: float, admission: Admission) -> None:
        self.options, self.network, self.load, self.host, self.now, self.admission = options, network, load, host, t_s, admission
        self.others_ms = Fraction(0)  # what others on its server add to the computing time until the next frame (reading 45)
        self.transfer: Transfer | None = None
        self.pending = False
        self.out_since: float | None = None  # the container is STOPPED since
        self.transfers: list[Row] = []
        self.outages: list[float] = []
        self.started = self.handoffs = self.censored = 0
        self.relayed_s = self.late_s = self.satisfied_s = 0.0

    @property
    def running(self) -> bool:
        """RUNNING or STOPPED."""
        return self.out_since is None

    @property
    def servers(self) -> list[Server]:
        """The servers that hold it: its host, and the target of its transfer (reading 22)."""
        return [self.host] if self.transfer is None else [self.host, self.transfer.target]

    # -- continuous time

    def advance(self, t_s: float, attached: Cell) -> None:
        """Let time pass up to t, t included: stage changes happen at their exact instants (section 7, reading 1)."""
        while (due := self.due()) <= t_s:
            self.book(due, attached)
            self.change_stage(due)
        self.book(t_s, attached)

    def due(self) -> float:
        """When the stage of the transfer ends by itself."""
        transfer, options = self.transfer, self.options
        if transfer is None:
            return math.inf
        if transfer.stage == RESTORE:
            return transfer.t_begin + options.start_s(self.load.image) + options.switch_s + self.lasts(options.restore)
        if transfer.stage == IDLE:
            rate = options.dirty_per_s * self.load.memory
            if rate <= 0 or self.load.memory < options.threshold_bytes:
                return math.inf
            return transfer.t_begin + (options.threshold_bytes - transfer.dirty_begin) / rate
        rest = transfer.amount - transfer.sent_before
        return max(transfer.t_rate, transfer.t_flow) + (rest / transfer.rate if rest > 0 else 0.0)

    def book(self, t_s: float, attached: Cell) -> None:
        """Book the seconds up to t with the state as it is (section 9, reading 6)."""
        seconds = t_s - self.now
        self.now = t_s
        if not self.running:
            return
        latency_ms = self.network.way_ms(attached, self.host) + self.options.tiers[self.host.tier].compute_ms + self.others_ms
        if self.network.lattice.hops(attached, self.host) > 0:
            self.relayed_s += seconds
        if latency_ms > self.load.level_ms:
            self.late_s += seconds
        else:
            self.satisfied_s += seconds

    def dirty(self, t_s: float) -> float:
        """Dirty bytes at an instant of MEMORY, ROUND or IDLE (section 7)."""
        assert self.transfer is not None
        grown = self.options.dirty_per_s * self.load.memory * (t_s - self.transfer.t_begin)
        return min(self.load.memory, self.transfer.dirty_begin + grown)

    def change_stage(self, t_s: float) -> None:
        """The stage has ended by itself: enter the next one (section 7)."""
        transfer = self.transfer
        assert transfer is not None
        if transfer.stage in KINDS:
            transfer.sent[KINDS[transfer.stage]] += transfer.amount
        if transfer.stage == IMAGE:
            self.enter(MEMORY, t_s, self.load.memory)
        elif transfer.stage in (MEMORY, ROUND):
            dirty = self.dirty(t_s)
            if dirty >= self.options.threshold_bytes:
                transfer.rounds += 1
                self.enter(ROUND, t_s, dirty)
            else:
                self.enter(IDLE, t_s, 0.0, dirty)
            if self.pending:
                self.stop(t_s)
        elif transfer.stage == IDLE:
            transfer.rounds += 1
            self.enter(ROUND, t_s, self.options.threshold_bytes)
        elif transfer.stage == FINAL:
            self.enter(RESTORE, t_s, 0.0)
        else:
            self.end_transfer(t_s, "completed")
            self.host = transfer.target
            self.resume(t_s)

    def lasts(self, term: tuple[float, float]) -> float:
        """Seconds that a term of the processing takes for this container's memory (section 7)."""
        return term[0] + term[1] * self.load.memory

    def processing(self, stage: str, after: str | None) -> float:
        """Seconds from the begin of a stage that follows another (None: none) until its bytes flow (section 7)."""
        assert self.transfer is not None
        if stage in (IDLE, RESTORE):
            return 0.0
        takes_snapshot = stage in (MEMORY, ROUND) or (stage == FINAL and after is not None)
        has_one_to_compare = stage == ROUND or (stage == FINAL and after in (MEMORY, ROUND, IDLE))
        snapshot_s = self.lasts(self.options.checkpoint) if takes_snapshot else 0.0
        comparison_s = self.lasts(self.options.comparison) if has_one_to_compare else 0.0
        answers_s = self.options.round_trips * self.network.round_trip_s(self.transfer.source, self.transfer.target)
        return snapshot_s + comparison_s + answers_s

    def enter(self, stage: str, t_s: float, amount: float, dirty_begin: float = 0.0, *, anew: bool = False) -> None:
        """Begin a stage of the open transfer; `anew`: as its first one."""
        assert self.transfer is not None
        self.transfer.t_flow = t_s + self.processing(stage, None if anew else self.transfer.stage)
        self.transfer.stage, self.transfer.t_begin, self.transfer.amount, self.transfer.dirty_begin = stage, t_s, amount, dirty_begin
        self.transfer.t_rate, self.transfer.sent_before = t_s, 0.0

    @property
    def processes(self) -> bool:
        """Whether its stage is in processing now: its bytes have not begun to flow (section 7)."""
        return self.transfer is not None and self.transfer.stage in KINDS and self.now < self.transfer.t_flow

    @property
    def sends(self) -> bool:
        """Whether it has bytes to send now (section 8)."""
        if self.transfer is None or self.transfer.stage not in KINDS or self.processes:
            return False
        return self.transfer.amount > self.transfer.sent_before

    def give_rate(self, t_s: float, rate: float) -> None:
        """From t on the transfer sends at this rate."""
        if self.transfer is not None and rate != self.transfer.rate:
            self.transfer.sent_before, self.transfer.t_rate, self.transfer.rate = self.sent_in_stage(t_s), t_s, rate

    def sent_in_stage(self, t_s: float) -> float:
        """Bytes that the current stage has sent so far."""
        assert self.transfer is not None
        seconds = max(0.0, t_s - max(self.transfer.t_rate, self.transfer.t_flow))
        return min(self.transfer.amount, self.transfer.sent_before + self.transfer.rate * seconds)

    def stop(self, t_s: float) -> None:
        """The container stops and FINAL begins with what is missing (section 7)."""
        transfer, memory = self.transfer, self.load.memory
        assert transfer is not None and self.running
        sent, dirty = self.sent_in_stage(t_s), 0.0 if transfer.stage == IMAGE else self.dirty(t_s)
        rest = transfer.amount - sent
        missing = {IMAGE: rest + memory, MEMORY: min(memory, rest + dirty), ROUND: min(memory, rest + dirty), IDLE: dirty}[transfer.stage]
        if transfer.stage in KINDS:
            transfer.sent[KINDS[transfer.stage]] += sent
        self.pending = False
        self.out_since = transfer.t_stop = t_s
        self.enter(FINAL, t_s, missing)

    def resume(self, t_s: float) -> None:
        """The container runs again: an outage ends."""
        assert self.out_since is not None
        self.outages.append(t_s - self.out_since)
        self.out_since = None

    # -- the rules at a frame

    def rules(self, t_s: float, home: Server | None, target: Server | None, second: Mapping[str, Choices]) -> None:
        """Rules 2, 3 and 4 of section 7 at a frame time (home None: KEEP; target None: NONE), with what full servers leave of it."""

        def ask(purpose: str, wanted: Server) -> Server | None:
            return self.admission.ask(purpose, wanted, self.servers, second[purpose], lambda refused: self.refuse(t_s, refused))

        if home is None or home == self.host:
            self.admission.forget(HOME)
        if not self.running:
            self.stopped(t_s, home, ask)
            return
        if home is not None and home != self.host:
            home = ask(HOME, home)
        if home is not None and home != self.host:
            self.hand_off(t_s, home)
            return
        self.pending = False
        if target is None or target == self.host:
            self.admission.forget(TARGET)
        else:
            target = ask(TARGET, target)
        if target is not None and target != self.host:  # "p = host counts as NONE"
            self.drop_unless(t_s, target)
            if self.transfer is None:
                self.start(t_s, target)

    def hand_off(self, t_s: float, home: Server) -> None:
        """Rule 3."""
        self.drop_unless(t_s, home)
        transfer = self.transfer or self.start(t_s, home)
        if transfer.t_handoff is None:
            transfer.t_handoff = t_s
            self.handoffs += 1
        if self.options.unsynced == "stop" or transfer.stage in (IDLE, ROUND):
            self.stop(t_s)
        else:
            self.pending = True

    def stopped(self, t_s: float, home: Server | None, ask: Callable[[str, Server], Server | None]) -> None:
        """Rule 4."""
        transfer = self.transfer
        assert transfer is not None
        if home is None or transfer.stage == RESTORE or self.options.user_left == "finish":
            return
        if home == transfer.target:
            self.admission.grant(HOME, home)
            return
        if home != self.host:
            home = ask(HOME, home)
        if home is None or home == transfer.target:
            return
        self.abandon(t_s)
        self.handoffs += 1
        if home == self.host:
            self.resume(t_s)
        else:
            following = self.start(t_s, home)
            following.t_handoff = following.t_stop = t_s
            self.enter(FINAL, t_s, self.load.image + self.load.memory, anew=True)

    def start(self, t_s: float, target: Server) -> Transfer:
        """A transfer starts with IMAGE."""
        self.transfer = Transfer(self.started, self.host, target, t_s, IMAGE, t_s, self.load.image, t_rate=t_s)
        self.transfer.t_flow = t_s + self.processing(IMAGE, None)
        self.started += 1
        return self.transfer

    def drop_unless(self, t_s: float, target: Server) -> None:
        """A transfer to another server than this one is abandoned."""
        if self.transfer is not None and self.transfer.target != target:
            self.abandon(t_s)

    def abandon(self, t_s: float) -> None:
        """Give the transfer up: user_left if it has a t_handoff, else mispredicted (section 7)."""
        assert self.transfer is not None
        self.pending = False
        self.end_transfer(t_s, "mispredicted" if self.transfer.t_handoff is None else "user_left", cut=True)

    def end_transfer(self, t_s: float, outcome: str, cut: bool = False) -> None:
        """Book a transfer (section 9); `cut`: it ends inside a stage."""
        transfer = self.transfer
        assert transfer is not None
        if cut and transfer.stage in KINDS:
            transfer.sent[KINDS[transfer.stage]] += self.sent_in_stage(t_s)
        self.write(transfer, t_s, outcome)
        self.transfer = None

    def refuse(self, t_s: float, server: Server) -> None:
        """Book a refusal: "a row with the frame's time as begin and end, no handoff and no bytes; it takes a number like the others"."""
        self.write(Transfer(self.started, self.host, server, t_s, IMAGE, t_s, 0.0), t_s, "refused")
        self.started += 1

    def write(self, transfer: Transfer, t_s: float, outcome: str) -> None:
        """A transfer's row of the table of migrations (section 9)."""
        self.transfers.append(
            {
                "transfer": transfer.number,
                "tier": transfer.target.tier,
                "source": transfer.source.name,
                "target": transfer.target.name,
                "t_start_s": transfer.t_start,
                "t_handoff_s": transfer.t_handoff,
                "t_stop_s": transfer.t_stop,
                "t_end_s": t_s,
                "outcome": outcome,
                **transfer.sent,
                "rounds": transfer.rounds,
                "lead_s": None if transfer.t_handoff is None else transfer.t_handoff - transfer.t_start,
                "downtime_s": 0.0 if transfer.t_stop is None else t_s - transfer.t_stop,
            }
        )

    def arrive(self, t_s: float) -> None:
        """Rule 5, at the vehicle's last frame."""
        if self.transfer is not None:
            self.end_transfer(t_s, "unfinished", cut=True)
        if not self.running:
            self.resume(t_s)
            self.censored = 1
