"""The state machine of section 7: one container under one strategy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from .admission import HOME, TARGET, Admission, Choices
from .frames import Row
from .images import Copy, Images, Sending
from .lattice import Cell, Server
from .links import Flow, Sharing
from .network import Network
from .options import Options

IMAGE, MEMORY, ROUND, IDLE, FINAL, RESTORE = "IMAGE", "MEMORY", "ROUND", "IDLE", "FINAL", "RESTORE"
KINDS = {IMAGE: "image_bytes", MEMORY: "memory_bytes", ROUND: "dirty_bytes", FINAL: "final_bytes"}


@dataclass(kw_only=True)
class Transfer(Sending):
    """A transfer (section 7): its stage, begun at t_begin with `amount` bytes to send, from t_flow on, and `dirty_begin` dirty bytes.

    "A transfer keeps its rate through the stages it passes until the next frame" (reading 21), but where its source changes. Until t_flow
    the stage is in processing (reading 39). Of its bytes the first `image_part` are the image's.
    """

    number: int
    source: Server
    target: Server
    t_start: float
    stage: str
    t_begin: float
    image_part: float = 0.0
    image_through: bool = True  # none of the image's bytes are left to send in this stage
    waits_for: Copy | None = None  # the copy that brings the image in its place
    dirty_begin: float = 0.0
    t_handoff: float | None = None
    t_stop: float | None = None
    rounds: int = 0
    image_sent: float = 0.0  # whichever stage sent it
    kinds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS.values(), 0.0))

    @property
    def waits(self) -> bool:
        """Whether a copy is still bringing the image; nothing is sent meanwhile."""
        return self.waits_for is not None and self.waits_for.t_complete is None

    def sent(self, t_s: float) -> float:
        """Bytes sent so far in this stage: none while it waits."""
        return 0.0 if self.waits else super().sent(t_s)

    def flows(self, t_s: float) -> bool:
        """Whether it has bytes to send and they flow."""
        return self.stage in KINDS and not self.waits and t_s >= self.t_flow and self.amount > self.sent_before

    def will_flow(self, t_s: float) -> bool:
        """Whether it is in IDLE, in processing or waiting for a copy: it takes nothing, and may begin to send before the next frame."""
        return self.stage == IDLE or (self.stage in KINDS and (self.waits or t_s < self.t_flow))

    def book_sent(self, sent: float) -> None:
        """So many bytes have been sent in the stage, which ends: the image's first."""
        if self.stage in KINDS:
            self.kinds[KINDS[self.stage]] += sent
            self.image_sent += min(sent, self.image_part)


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
        self.relayed_s = self.late_s = self.satisfied_s = self.relayed_byte_hops = 0.0
        self.images = Images(options, load.image)
        self.sharing: Sharing | None = None  # on shared links: the flows at the last frame

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
            self.change(due)
            self.share_own_link(due)
        self.book(t_s, attached)

    def due(self) -> float:
        """When something changes by itself next."""
        transfer, unfinished = self.transfer, self.unfinished
        instants = [self.stage_due(), self.image_due(), *(copy.reaches(copy.amount) for copy in unfinished)]
        if unfinished:  # bytes that begin to flow leave less for copies
            begins = [copy.t_flow for copy in unfinished] + ([transfer.t_flow] if transfer is not None else [])
            instants += [t_flow for t_flow in begins if t_flow > self.now]
        return min(instants)

    def stage_due(self) -> float:
        """When the stage of the transfer ends by itself."""
        transfer, options = self.transfer, self.options
        if transfer is None or transfer.waits:
            return math.inf
        if transfer.stage == RESTORE:
            return transfer.t_begin + options.start_s(self.load.image) + options.switch_s + self.lasts(options.restore)
        if transfer.stage == IDLE:
            rate = options.dirty_per_s * self.load.memory
            if rate <= 0 or self.load.memory < options.threshold_bytes:
                return math.inf
            return transfer.t_begin + (options.threshold_bytes - transfer.dirty_begin) / rate
        return transfer.reaches(transfer.amount)

    def image_due(self) -> float:
        """When FINAL has sent what is missing of the image, and the memory follows."""
        transfer = self.transfer
        if transfer is None or transfer.stage != FINAL or transfer.image_through:
            return math.inf
        return transfer.reaches(transfer.image_part)

    def change(self, t_s: float) -> None:
        """One of the things that are due now: a copy is complete, the image is through, the stage ends; else bytes begin to flow."""
        complete = [copy for copy in self.unfinished if copy.reaches(copy.amount) <= t_s]
        if complete:
            self.complete(complete[0], t_s)
        elif self.image_due() <= t_s:
            assert self.transfer is not None
            self.transfer.sent_before, self.transfer.t_rate, self.transfer.image_through = self.transfer.image_part, t_s, True
            self.change_source(t_s)
        elif self.stage_due() <= t_s:
            self.change_stage(t_s)

    def complete(self, copy: Copy, t_s: float) -> None:
        """A copy is complete: a transfer that waits for it in IMAGE goes on with MEMORY, one in FINAL sends once its processing is done."""
        copy.sent_before, copy.t_rate, copy.t_complete = copy.amount, t_s, t_s
        transfer = self.transfer
        if transfer is not None and transfer.waits_for is copy:
            if transfer.stage == IMAGE:
                self.enter(MEMORY, t_s, self.load.memory)
            else:
                transfer.t_flow = max(transfer.t_flow, t_s)

    def book(self, t_s: float, attached: Cell) -> None:
        """Book the seconds up to t with the state as it is (section 9, reading 6)."""
        seconds = t_s - self.now
        self.now = t_s
        if not self.running:
            return
        latency_ms = self.network.way_ms(attached, self.host) + self.options.tiers[self.host.tier].compute_ms + self.others_ms
        hops = self.network.lattice.hops(attached, self.host)
        if hops > 0:
            self.relayed_s += seconds
            self.relayed_byte_hops += self.options.request_bytes_per_s * seconds * hops
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
        transfer.book_sent(transfer.amount)
        if transfer.stage == IMAGE:
            self.images.use(transfer.target)
            self.enter(MEMORY, t_s, self.load.memory)
            self.change_source(t_s)
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
            self.images.move(t_s, self.host, transfer.target)
            self.host = transfer.target
            self.resume(t_s)
            if self.sharing is not None and self.options.source == "host":  # "copies go on from the new host at that instant"
                for copy in self.unfinished:
                    copy.give_rate(t_s, self.sharing.one_more(self.flow_of_copy(copy), copy=True))

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

    def enter(
        self, stage: str, t_s: float, amount: float, dirty_begin: float = 0.0, *, image_part: float = 0.0, anew: bool = False
    ) -> None:
        """Begin a stage of the open transfer; `image_part`: of its bytes, those of the image; `anew`: as its first one."""
        transfer = self.transfer
        assert transfer is not None
        transfer.t_flow = t_s + self.processing(stage, None if anew else transfer.stage)
        transfer.stage, transfer.t_begin, transfer.amount, transfer.dirty_begin = stage, t_s, amount, dirty_begin
        transfer.image_part, transfer.image_through = image_part, image_part <= 0
        transfer.t_rate, transfer.sent_before = t_s, 0.0

    # -- rates

    @property
    def unfinished(self) -> list[Copy]:
        """The unfinished copies, in the order in which they get their host's link."""
        return self.images.unfinished(None if self.transfer is None else self.transfer.target)

    def flow_of_transfer(self) -> Flow:
        """What the transfer's bytes pass, or will pass when they begin to flow."""
        transfer = self.transfer
        assert transfer is not None
        way = self.network.way if transfer.image_through else self.network.way_of_image
        return way(self.host, transfer.target)

    def flow_of_copy(self, copy: Copy) -> Flow:
        """What a copy's bytes pass."""
        return self.network.way_of_image(self.host, copy.server)

    def change_source(self, t_s: float) -> None:
        """The memory follows the image: on shared links, where it comes from elsewhere, at "what one flow more would have got"."""
        if self.sharing is not None and self.transfer is not None and self.options.source != "host":
            self.transfer.give_rate(t_s, self.sharing.one_more(self.flow_of_transfer(), copy=False))

    def share_own_link(self, t_s: float) -> None:
        """On dedicated links: the rates of the transfer and of all copies from t on, as things are at t."""
        if self.options.shared:
            return
        transfer = self.transfer
        if transfer is not None:
            transfer.give_rate(t_s, self.network.narrowest(self.flow_of_transfer()))
        # "While the transfer is sending anything from the host, copies from the host have rate 0. Else the first unfinished copy gets W."
        free = transfer is None or not transfer.flows(t_s)
        for copy in self.unfinished:
            whole = self.network.narrowest(self.flow_of_copy(copy))
            if self.options.source == "host":
                flows = free and copy.flows(t_s)
                copy.give_rate(t_s, whole if flows else 0.0)
                free = free and not flows
            else:
                copy.give_rate(t_s, whole)

    def stop(self, t_s: float) -> None:
        """The container stops and FINAL begins with what is missing (section 7)."""
        transfer, memory = self.transfer, self.load.memory
        assert transfer is not None and self.running
        sent, dirty = transfer.sent(t_s), 0.0 if transfer.stage == IMAGE else self.dirty(t_s)
        rest = transfer.amount - sent  # of the image: 0 where a copy brings it
        missing = {IMAGE: rest + memory, MEMORY: min(memory, rest + dirty), ROUND: min(memory, rest + dirty), IDLE: dirty}[transfer.stage]
        transfer.book_sent(sent)
        self.pending = False
        self.out_since = transfer.t_stop = t_s
        self.enter(FINAL, t_s, missing, image_part=rest if transfer.stage == IMAGE else 0.0)

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
            missing = following.image_part
            self.enter(FINAL, t_s, missing + self.load.memory, image_part=missing, anew=True)

    def start(self, t_s: float, target: Server) -> Transfer:
        """A transfer starts with IMAGE, or with MEMORY where the image is there; where a copy is bringing that, it waits in IMAGE."""
        transfer = self.transfer = self.new_transfer(t_s, target)
        copy = self.images.copy_to(target)
        if self.images.is_there(target, t_s):
            self.images.use(target)
            self.enter(MEMORY, t_s, self.load.memory, anew=True)
        elif copy is not None:
            transfer.waits_for = copy
        else:
            self.enter(IMAGE, t_s, self.load.image, image_part=self.load.image, anew=True)
        return transfer

    def new_transfer(self, t_s: float, target: Server) -> Transfer:
        """A transfer without bytes; it takes a number."""
        self.started += 1
        return Transfer(
            number=self.started - 1,
            source=self.host,
            target=target,
            t_start=t_s,
            stage=IMAGE,
            t_begin=t_s,
            amount=0.0,
            t_rate=t_s,
            t_flow=t_s,
        )

    def obey(self, t_s: float, prefetch: Sequence[Server]) -> None:
        """Obey the prefetch list, after the rules (images ahead: copies)."""
        opened = self.images.obey(t_s, prefetch, self.host, None if self.transfer is None else self.transfer.target)
        for copy in opened:  # "the same answers that stage IMAGE of a transfer waits for"
            copy.t_flow = t_s + self.options.round_trips * self.network.round_trip_s(self.host, copy.server)

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
        """Book a transfer (section 9); `cut`: it ends inside a stage, and what it leaves missing of the image is told."""
        transfer = self.transfer
        assert transfer is not None
        if cut:
            sent = transfer.sent(t_s)
            transfer.book_sent(sent)
            self.images.give_up(transfer.target, max(0.0, transfer.image_part - sent))
        self.write(transfer, t_s, outcome)
        self.transfer = None

    def refuse(self, t_s: float, server: Server) -> None:
        """Book a refusal: "a row with the frame's time as begin and end, no handoff and no bytes; it takes a number like the others"."""
        self.write(self.new_transfer(t_s, server), t_s, "refused")

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
                **transfer.kinds,
                **self.options.by_source(transfer.image_sent),
                "rounds": transfer.rounds,
                "lead_s": None if transfer.t_handoff is None else transfer.t_handoff - transfer.t_start,
                "downtime_s": 0.0 if transfer.t_stop is None else t_s - transfer.t_stop,
            }
        )

    def arrive(self, t_s: float) -> None:
        """Rule 5, at the vehicle's last frame."""
        if self.transfer is not None:
            self.end_transfer(t_s, "unfinished", cut=True)
        self.images.arrive(t_s)
        if not self.running:
            self.resume(t_s)
            self.censored = 1
