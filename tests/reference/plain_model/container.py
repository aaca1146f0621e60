"""The state machine of section 7: one container under one strategy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from .admission import HOME, TARGET, Admission, Choices
from .frames import Row
from .images import Copy, Images, sent_by
from .lattice import Cell, Server
from .layers import Fetch, Layer, Order, Sending, Source
from .links import Flow, Sharing
from .network import Network
from .options import Options
from .plans import NOTHING, REST, SNAPSHOT, STATE, Step
from .stores import Stores, Use

IMAGE, MEMORY, ROUND, IDLE, FINAL, RESTORE = "IMAGE", "MEMORY", "ROUND", "IDLE", "FINAL", "RESTORE"
PULL, REPLAY = "PULL", "REPLAY"  # the container is degraded
BYTES = ("image_bytes", "memory_bytes", "dirty_bytes", "final_bytes")
KINDS = dict(zip((IMAGE, MEMORY, ROUND, FINAL), BYTES, strict=True)) | {PULL: "final_bytes"}
STAGES = {"image": IMAGE, "memory": MEMORY, "dirty": ROUND, NOTHING: IDLE}  # by what a step sends in which the container runs


def still_to_send(rest: float, dirty: float, memory: float) -> float:
    """What is missing at a stop in MEMORY or ROUND: pages that have changed among those not yet sent are not sent twice.

    `rest` has not been sent, `dirty` is spread evenly over the whole memory.
    """
    return rest + dirty * (1 - rest / memory)


@dataclass(kw_only=True, eq=False)
class Transfer(Sending):
    """A transfer (section 7): its stage, begun at t_begin with `amount` bytes of memory to send, from t_flow on.

    "A transfer keeps its rate through the stages it passes until the next frame" (reading 21), but where its source changes. Until t_flow
    the stage is in processing (reading 39). `fetch` brings what is missing of the image: the transfer's own, or that of a copy.
    """

    number: int
    source: Server
    target: Server
    t_start: float
    stage: str
    t_begin: float
    step: Step  # of the plan, the last one in which the container ran
    fetch: Fetch | None = None
    is_own: bool = False  # the fetch: its bytes are the transfer's
    rated_way: object = None  # on shared links: the way that the rate was given for; None: for none
    t_snapshot: float | None = None  # the newest snapshot: dirty bytes count from there
    to_pull: float = 0.0  # after RESTORE
    t_handoff: float | None = None
    t_stop: float | None = None
    t_run: float | None = None
    rounds: int = 0
    image_booked: float = 0.0  # of the image, in stages that have ended
    kinds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(BYTES, 0.0))

    @property
    def waits(self) -> bool:
        """Whether some of the image is missing; no memory is sent meanwhile."""
        return self.fetch is not None and not self.fetch.done

    @property
    def own(self) -> Fetch | None:
        """What it brings of the image itself, or has brought."""
        return self.fetch if self.is_own else None

    def sent(self, t_s: float) -> float:
        """Bytes of memory sent so far in this stage: none while some of the image is missing."""
        return 0.0 if self.waits else super().sent(t_s)

    def flows(self, t_s: float) -> bool:
        """Whether it has bytes of memory to send and they flow."""
        return self.stage in KINDS and not self.waits and t_s >= self.t_flow and self.amount > self.sent_before

    @property
    def may_flow(self) -> bool:
        """Whether memory may begin to flow before the next frame: in IDLE, in processing, waiting for the image, before PULL."""
        return self.stage in KINDS or self.stage == IDLE or (self.stage == RESTORE and self.to_pull > 0)

    def book_sent(self, t_s: float, sent: float) -> None:
        """The stage ends: so many bytes of memory have been sent in it, and what came of the image meanwhile."""
        if self.stage in KINDS:
            image = 0.0 if self.own is None else self.own.total(t_s) - self.image_booked
            self.image_booked += image
            self.kinds[KINDS[self.stage]] += sent + image


@dataclass
class Load:
    """A vehicle's container and latency level (section 5)."""

    image: float
    memory: float
    level_ms: Fraction
    dirty_per_s: float = 0.0  # share of the memory
    layers: Sequence[Layer] = ()


class Container:
    """One container under one strategy: the state machine of section 7 and what section 9 books about it."""

    def __init__(
        self, options: Options, network: Network, stores: Stores, load: Load, host: Server, t_s: float, admission: Admission, order: Order
    ) -> None:
        self.options, self.network, self.stores, self.load = options, network, stores, load
        self.host, self.now, self.admission, self.order = host, t_s, admission, order
        self.others_ms = Fraction(0)  # what others on its server add to the computing time until the next frame (reading 45)
        self.transfer: Transfer | None = None
        self.pending = False
        self.out_since: float | None = None  # the container is STOPPED since
        self.transfers: list[Row] = []
        self.outages: list[float] = []
        self.started = self.handoffs = self.censored = 0
        self.running_s: dict[float, float] = {}  # by latency of requests
        self.relayed_s = self.late_s = self.degraded_s = self.satisfied_s = self.relayed_byte_hops = 0.0
        self.deployed = stores.deploy(host, load.layers, t_s)  # bytes that were missing
        self.images = Images(stores, load.layers, self.new_fetch)
        self.sharing: Sharing | None = None  # on shared links: the flows at the last frame

    @property
    def running(self) -> bool:
        """RUNNING or STOPPED."""
        return self.out_since is None

    @property
    def servers(self) -> list[Server]:
        """The servers that hold it: its host, and the target of its transfer (reading 22), or its old host (section 7: PULL)."""
        ends = [] if self.transfer is None else [self.transfer.target, self.transfer.source]
        return list(dict.fromkeys([self.host, *ends]))

    @property
    def degraded(self) -> bool:
        """Whether it runs on the target of a transfer that goes on (section 7: PULL, REPLAY)."""
        return self.transfer is not None and self.transfer.stage in (PULL, REPLAY)

    # -- what it uses

    @property
    def uses(self) -> set[Use]:
        """The layers in use for it, and where (section 7): on its host, where its image is received or wanted, and where it is sent from."""
        servers = {*self.servers, *self.images.wanted}
        read = {(fetch.source, fetch.own[0]) for fetch in self.fetches if fetch.own and fetch.source is not None}
        return {(server, layer) for server in servers for layer in self.load.layers} | read

    @property
    def fetches(self) -> list[Fetch]:
        """All that is bringing something of its image: the transfer's own, then the copies in their order."""
        own = [] if self.transfer is None or self.transfer.own is None or self.transfer.own.done else [self.transfer.own]
        return own + [copy.fetch for copy in self.unfinished]

    def new_fetch(self, server: Server, t_s: float) -> Fetch:
        """Begin to bring the image to a server; its bytes flow once answers are there."""
        t_flow = t_s + self.answers_s(self.host, server)
        return Fetch(receiver=self, server=server, image=self.load.layers, amount=0.0, t_rate=t_s, t_flow=t_flow)

    def source_of(self, server: Server, layer: Layer) -> Source:
        """Where a layer comes from that begins now (section 7: sources)."""
        if self.options.source == "cloud":
            return None
        if self.options.source == "host":
            return self.host
        return self.network.nearest(server, self.stores.with_layer(layer), self.host)

    # -- continuous time

    def due(self) -> float:
        """When something changes by itself next."""
        transfer, fetches = self.transfer, self.fetches
        instants = [self.stage_due(), *(fetch.reaches(fetch.amount) for fetch in fetches if fetch.own)]
        if fetches:  # bytes that begin to flow leave less for copies
            begins = [fetch.t_flow for fetch in fetches] + ([transfer.t_flow] if transfer is not None else [])
            instants += [t_flow for t_flow in begins if t_flow > self.now]
        return min(instants)

    def stage_due(self) -> float:
        """When the stage of the transfer ends by itself."""
        transfer, options = self.transfer, self.options
        if transfer is None or transfer.waits:
            return math.inf
        if transfer.stage == RESTORE:
            return transfer.t_begin + self.restore_s
        if transfer.stage == REPLAY:
            assert transfer.t_snapshot is not None
            return transfer.t_begin + options.replay.lasts(transfer.t_begin - transfer.t_snapshot)
        if transfer.stage == IDLE:
            return max(transfer.t_begin, self.wait_due(transfer))
        return transfer.reaches(transfer.amount)

    def wait_due(self, transfer: Transfer) -> float:
        """When a step that waits ends (plans.md); without a snapshot nothing counts as dirty (section 7: dirty memory)."""
        step, rate, threshold = transfer.step, self.load.dirty_per_s * self.load.memory, self.options.threshold_bytes
        if step.until == "time_s":
            return transfer.t_begin + step.limit
        if step.until == "handoff" or transfer.t_snapshot is None or rate <= 0 or self.cap < threshold:
            return math.inf
        return transfer.t_snapshot + threshold / rate

    def change(self, t_s: float) -> None:
        """What is due now: layers are there, all that are at once, or the stage ends; else bytes begin to flow."""
        there = [fetch for fetch in self.fetches if fetch.own and fetch.reaches(fetch.amount) <= t_s]
        for fetch in there:
            fetch.sent_before, fetch.t_rate = fetch.amount, t_s
        for server, layer in [(fetch.server, fetch.own[0]) for fetch in there]:
            self.stores.complete(server, layer, t_s)
        if there:
            return
        if self.stage_due() <= t_s:
            self.change_stage(t_s)

    def received(self, fetch: Fetch, t_s: float) -> None:
        """All that was missing on a server is there: a copy is complete, a transfer goes on, once its processing is done, with the memory."""
        for copy in self.images.copies:
            if copy.fetch is fetch:
                copy.t_complete = t_s
        transfer = self.transfer
        if transfer is not None and transfer.fetch is fetch:
            transfer.t_flow = transfer.t_rate = max(transfer.t_flow, t_s)
            if transfer.own is not None and fetch.rated_way is not None:
                transfer.rate, transfer.rated_way = fetch.rate, fetch.rated_way
            # by itself, or at a frame, where a first deployment may have brought it; else its seconds are to be booked before
            if self.now == t_s and self.stage_due() <= t_s:
                self.change_stage(t_s)

    def book(self, t_s: float, attached: Cell) -> None:
        """Book the seconds up to t with the state as it is (section 9, reading 6)."""
        seconds = t_s - self.now
        self.now = t_s
        if not self.running:
            return
        latency_ms = self.network.way_ms(attached, self.host) + self.options.tiers[self.host.tier].compute_ms + self.others_ms
        self.running_s[float(latency_ms)] = self.running_s.get(float(latency_ms), 0.0) + seconds
        hops = self.network.lattice.hops(attached, self.host)
        if hops > 0:
            self.relayed_s += seconds
            self.relayed_byte_hops += self.options.request_bytes_per_s * seconds * hops
        if self.degraded:
            self.degraded_s += seconds
        if self.degraded or latency_ms > self.load.level_ms:  # "the time is booked as degraded_s and counts as late"
            self.late_s += seconds
        else:
            self.satisfied_s += seconds

    @property
    def cap(self) -> float:
        """The most that can be dirty (section 7)."""
        return self.options.cap_share * self.load.memory

    def dirty(self, t_s: float) -> float:
        """Dirty bytes at an instant while the container runs on its host (section 7): what has changed since the newest snapshot."""
        assert self.transfer is not None
        if self.transfer.t_snapshot is None:
            return 0.0
        return min(self.cap, self.load.dirty_per_s * self.load.memory * (t_s - self.transfer.t_snapshot))

    def change_stage(self, t_s: float) -> None:
        """The stage has ended by itself: enter the next one (section 7)."""
        transfer = self.transfer
        assert transfer is not None
        transfer.book_sent(t_s, transfer.amount)
        if transfer.stage == FINAL:
            self.enter(RESTORE, t_s, 0.0)
        elif transfer.stage == RESTORE:
            self.run(t_s)
        elif transfer.stage in (PULL, REPLAY):
            self.end_transfer(t_s, "completed")
        else:
            self.go_on(t_s)

    def go_on(self, t_s: float) -> None:
        """A step of the plan has ended: it is repeated, or the next one begins; there a pending handoff may take place (plans.md)."""
        transfer = self.transfer
        assert transfer is not None
        step = transfer.step
        repeated = (step.until == "rounds" and transfer.rounds < step.limit) or (
            step.until == "downtime_s" and self.dirty(t_s) > step.limit * transfer.rate
        )
        transfer.step = step if repeated else self.next_step(step, t_s)
        self.begin_step(t_s)
        if self.pending and transfer.step.stops:
            self.stop(t_s)

    def next_step(self, step: Step, t_s: float) -> Step:
        """What follows a step; a wait for dirty bytes that are there takes no time, and is passed ("if d >= M_d, ROUND", section 7)."""
        assert step.then is not None
        following = self.options.plan.steps[step.then]
        if following.until == "threshold" and self.dirty(t_s) >= self.options.threshold_bytes:
            return self.next_step(following, t_s)
        return following

    def begin_step(self, t_s: float) -> None:
        """The transfer begins its step, in which the container runs, with the processing of that (section 7, reading 39)."""
        transfer = self.transfer
        assert transfer is not None
        stage, memory, dirty = STAGES[transfer.step.send], self.load.memory, self.dirty(t_s)
        answers_s, terms = self.answers_s(transfer.source, transfer.target), self.options.processing
        if stage == IMAGE:  # "a transfer that lacks nothing of the image is in IMAGE until it is prepared, and sends nothing"
            self.enter(IMAGE, t_s, 0.0, self.preparing_s(t_s) + (answers_s if transfer.is_own else 0.0))
        elif stage == MEMORY:
            transfer.t_snapshot = t_s
            self.enter(MEMORY, t_s, memory, terms.first.lasts(self.memory_before) + answers_s)
        elif stage == ROUND:
            transfer.t_snapshot = t_s
            transfer.rounds += 1
            snapshot_s = terms.later.lasts(self.memory_before, dirty / self.options.memory_share)
            self.enter(ROUND, t_s, dirty, snapshot_s + terms.comparison.lasts(self.memory_before) + answers_s)
        else:
            self.enter(IDLE, t_s, 0.0)

    def run(self, t_s: float) -> None:
        """RESTORE has ended: the container runs on the target; what is missing of its memory or messages follows (section 7)."""
        transfer, plan = self.transfer, self.options.plan
        assert transfer is not None
        transfer.t_run = t_s
        self.host = transfer.target
        self.images.move(t_s, self.host)
        if plan.final == REST:
            self.end_transfer(t_s, "completed")
        elif plan.final == STATE:
            round_trip_s = self.network.round_trip_s(transfer.source, transfer.target)
            misses = self.options.faults_per_byte * transfer.to_pull / self.options.memory_share
            self.enter(PULL, t_s, transfer.to_pull, self.answers_s(transfer.source, transfer.target) + misses * round_trip_s)
        else:
            self.enter(REPLAY, t_s, 0.0)
        for copy in self.unfinished:
            copy.fetch.leave(transfer.source)
        self.resume(t_s)

    # -- processing (reading 39)

    @property
    def memory_before(self) -> float:
        """The memory's size before compression: "what processing and misses take for each MB count the size before" (section 7)."""
        return self.load.memory / self.options.memory_share

    @property
    def restore_s(self) -> float:
        """Seconds of RESTORE (section 7)."""
        options, final = self.options, self.options.plan.final
        # "restore_s + restore_s_per_mb x M longer, or restore_s where memory is pulled afterwards"
        longer_s = options.processing.restore.lasts(0.0 if final == STATE else self.memory_before)
        base_s = options.replay.base_s if final == SNAPSHOT else 0.0
        return options.start_s(self.load.image) + options.switch_s + longer_s + base_s

    def answers_s(self, source: Server, target: Server) -> float:
        """Seconds that answers take."""
        return self.options.processing.round_trips * self.network.round_trip_s(source, target)

    def preparing_s(self, t_s: float) -> float:
        """Seconds that are left of preparing the transfer."""
        assert self.transfer is not None
        return max(0.0, self.options.processing.prepare_s - (t_s - self.transfer.t_start))

    def stopping_s(self, t_s: float) -> float:
        """Seconds of processing of FINAL that begins with a stop and takes a snapshot, of the memory or the state of execution."""
        transfer, terms = self.transfer, self.options.processing
        assert transfer is not None
        if self.options.plan.final == STATE:
            snapshot_s = terms.state_s
        elif transfer.t_snapshot is None:
            snapshot_s = terms.only.lasts(self.memory_before, self.memory_before)
        else:
            changed = self.dirty(t_s) / self.options.memory_share
            snapshot_s = terms.last.lasts(self.memory_before, changed) + terms.comparison.lasts(self.memory_before)
        return self.preparing_s(t_s) + snapshot_s + self.answers_s(transfer.source, transfer.target)

    def enter(self, stage: str, t_s: float, amount: float, processing_s: float = 0.0) -> None:
        """Begin a stage of the open transfer, with so many bytes of memory that flow once its processing is done."""
        transfer = self.transfer
        assert transfer is not None
        transfer.t_flow = t_s + processing_s
        transfer.stage, transfer.t_begin, transfer.amount = stage, t_s, amount
        transfer.t_rate, transfer.sent_before = t_s, 0.0
        if transfer.own is not None and transfer.waits:
            transfer.own.wait(t_s, transfer.t_flow)

    # -- rates

    @property
    def unfinished(self) -> list[Copy]:
        """The unfinished copies, in the order in which they get their host's link."""
        return self.images.unfinished(None if self.transfer is None else self.transfer.target)

    def way_of(self, fetch: Fetch) -> Flow:
        """What the layer under way passes."""
        return self.network.way_of_image(fetch.source, fetch.server)

    def way_of_memory(self) -> Flow:
        """What memory passes: from the server that the container was on, where it is pulled, too."""
        assert self.transfer is not None
        return self.network.way(self.transfer.source, self.transfer.target)

    def follow(self, t_s: float) -> None:
        """Something has changed at t: on dedicated links all rates may, on shared ones those of flows that take another way.

        "Until the second frame it gets what one flow more on its new way would have got at the first."
        """
        if not self.options.shared:
            self.share_own_link(t_s)
            return
        if self.sharing is None:
            return
        own = None if self.transfer is None else self.transfer.own
        for fetch in self.fetches:
            if fetch.own and fetch.rated_way != self.way_of(fetch):
                fetch.rated_way = self.way_of(fetch)
                fetch.give_rate(t_s, self.sharing.one_more(self.way_of(fetch), copy=fetch is not own))
        transfer = self.transfer
        if transfer is not None and not transfer.waits and transfer.rated_way != self.way_of_memory():
            transfer.rated_way = self.way_of_memory()
            transfer.give_rate(t_s, self.sharing.one_more(self.way_of_memory(), copy=False))

    def share_own_link(self, t_s: float) -> None:
        """On dedicated links: the rates of the transfer and of all copies from t on, as things are at t."""
        transfer, free = self.transfer, True  # the link that leaves the host
        if transfer is not None:
            transfer.give_rate(t_s, self.network.narrowest(self.way_of_memory()))
            free = not transfer.flows(t_s) or transfer.source != self.host  # what is pulled comes from another server
        for fetch in self.fetches:  # "the state first, then copies one after another; one that waits for another container is passed over"
            if not fetch.own:
                continue
            whole = self.network.narrowest(self.way_of(fetch))
            if fetch.source == self.host:
                flows = free and fetch.flows(t_s)
                fetch.give_rate(t_s, whole if flows else 0.0)
                free = free and not flows
            else:
                fetch.give_rate(t_s, whole)

    def stop(self, t_s: float) -> None:
        """The container stops and FINAL begins (section 7); what is missing of the image comes first."""
        transfer = self.transfer
        assert transfer is not None and self.running
        sent, missing = transfer.sent(t_s), self.missing(t_s)
        rest, t_flow = transfer.amount - sent, transfer.t_flow
        transfer.book_sent(t_s, sent)
        self.pending = False
        self.out_since = transfer.t_stop = t_s
        if self.options.plan.final == SNAPSHOT and transfer.t_snapshot is not None:
            # "the rest of MEMORY or ROUND, which goes on as it is; nothing in IDLE"
            self.enter(FINAL, t_s, rest, max(0.0, t_flow - t_s))
        else:
            self.send_final(t_s, missing, self.stopping_s(t_s))

    def send_final(self, t_s: float, missing: float, processing_s: float) -> None:
        """FINAL begins with what is missing of the memory, or with the state of execution: the memory is pulled then (section 7)."""
        transfer = self.transfer
        assert transfer is not None
        if self.options.plan.final == STATE:
            transfer.to_pull = missing
            self.enter(FINAL, t_s, self.options.state_bytes, processing_s)
            return
        if transfer.t_snapshot is None:  # "the snapshot is taken at the stop"
            transfer.t_snapshot = t_s
        self.enter(FINAL, t_s, missing, processing_s)

    def missing(self, t_s: float) -> float:
        """What is missing of the memory at a stop (section 7: stop)."""
        transfer, memory = self.transfer, self.load.memory
        assert transfer is not None
        if transfer.t_snapshot is None:
            return memory
        return still_to_send(transfer.amount - transfer.sent(t_s), self.dirty(t_s), memory)

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

        if self.degraded:  # "a decision's home counts as KEEP and its target as NONE; what was asked for before stands"
            return
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
        if self.options.unsynced == "stop" or transfer.step.stops:
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
            following = self.open(t_s, home)
            following.t_handoff = following.t_stop = t_s
            following.t_snapshot = self.out_since  # "where the container is stopped already, it is that of the stop"
            self.send_final(t_s, self.load.memory, self.preparing_s(t_s) + self.answers_s(self.host, home))

    def start(self, t_s: float, target: Server) -> Transfer:
        """A transfer starts with IMAGE, or with what follows where the image is there; where a copy is bringing it, it waits in IMAGE."""
        transfer = self.open(t_s, target)
        self.begin_step(t_s)
        if transfer.fetch is None and transfer.t_flow <= t_s:
            self.go_on(t_s)
        return transfer

    def open(self, t_s: float, target: Server) -> Transfer:
        """A transfer opens, and what is missing of the image is to come."""
        transfer = self.transfer = self.new_transfer(t_s, target)
        self.images.want(target)
        copy = self.images.copy_to(target)
        if self.images.is_there(target):
            return transfer
        if copy is not None:
            transfer.fetch = copy.fetch
        else:
            transfer.fetch, transfer.is_own = self.new_fetch(target, t_s), True
            self.stores.open(transfer.fetch, self.load.layers, t_s)
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
            step=self.options.plan.first,
            amount=0.0,
            t_rate=t_s,
            t_flow=t_s,
        )

    def obey(self, t_s: float, prefetch: Sequence[Server]) -> None:
        """Obey the prefetch list, after the rules (images ahead: copies)."""
        self.images.obey(t_s, prefetch, self.host, None if self.transfer is None or self.degraded else self.transfer.target)

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
        """Book a transfer (section 9); `cut`: it ends inside a stage, and may leave some of the image under way."""
        transfer = self.transfer
        assert transfer is not None
        if cut:
            transfer.book_sent(t_s, transfer.sent(t_s))
        if transfer.own is not None and not transfer.own.done:
            transfer.own.book(t_s)
            self.images.left.append(transfer.own)
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
                "t_run_s": transfer.t_run,
                "t_end_s": t_s,
                "outcome": outcome,
                **transfer.kinds,
                **sent_by(transfer.own),
                "rounds": transfer.rounds,
                "lead_s": None if transfer.t_handoff is None else transfer.t_handoff - transfer.t_start,
                "downtime_s": 0.0 if transfer.t_stop is None else (t_s if transfer.t_run is None else transfer.t_run) - transfer.t_stop,
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
