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
from .plans import may_stop, stops_at
from .stores import Stores, Use

IMAGE, MEMORY, ROUND, IDLE, FINAL, RESTORE, PULL, REPLAY = "IMAGE", "MEMORY", "ROUND", "IDLE", "FINAL", "RESTORE", "PULL", "REPLAY"
KINDS = {IMAGE: "image_bytes", MEMORY: "memory_bytes", ROUND: "dirty_bytes", FINAL: "final_bytes", PULL: "final_bytes"}
BYTE_KINDS = tuple(dict.fromkeys(KINDS.values()))
DEGRADED = (PULL, REPLAY)


def missing_of_memory(rest: float, dirty: float, memory: float) -> float:
    """What is missing when a container stops in MEMORY or ROUND (section 7): dirty pages among those not yet sent are not sent twice."""
    return rest + dirty * (1 - rest / memory)


@dataclass(kw_only=True, eq=False)
class Transfer(Sending):
    """A transfer (section 7): its stage, begun at t_begin with `amount` bytes of memory to send, from t_flow on, and `dirty_begin` dirty bytes.

    "A transfer keeps its rate through the stages it passes until the next frame" (reading 21), but where its source changes. Until t_flow
    the stage is in processing (reading 39). `fetch` brings what is missing of the image: the transfer's own, or that of a copy.
    """

    number: int
    source: Server
    target: Server
    t_start: float
    stage: str
    t_begin: float
    fetch: Fetch | None = None
    is_own: bool = False  # the fetch: its bytes are the transfer's
    rated_way: object = None  # on shared links: the way that the rate was given for; None: for none
    dirty_begin: float = 0.0
    t_handoff: float | None = None
    t_stop: float | None = None
    t_run: float | None = None
    step: int = 0  # of the plan
    t_snapshot: float | None = None
    to_pull: float = 0.0
    rounds: int = 0
    image_booked: float = 0.0  # of the image, in stages that have ended
    kinds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(BYTE_KINDS, 0.0))

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

    def will_flow(self, t_s: float) -> bool:
        """Whether it is in IDLE, in processing or waiting for the image: memory may begin to flow before the next frame.

        Before a pull it is in RESTORE.
        """
        return (
            self.stage == IDLE
            or (self.stage == RESTORE and self.to_pull > 0)
            or (self.stage in KINDS and (self.waits or t_s < self.t_flow))
        )

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
        """The servers that hold it: its host, and the target of its transfer (reading 22), or the old host until PULL ends (section 7)."""
        if self.transfer is None:
            return [self.host]
        return [self.host, self.transfer.source if self.is_degraded else self.transfer.target]

    @property
    def is_degraded(self) -> bool:
        """Whether it runs on the target and lacks something."""
        return self.transfer is not None and self.transfer.stage in DEGRADED

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
        t_flow = t_s + self.options.round_trips * self.network.round_trip_s(self.host, server)
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
            sends = options.plan[stops_at(options.plan)].send
            restoring_s = options.restore[0] if sends == "state" else self.lasts(options.restore)
            base_s = options.replay.base_s if sends == "snapshot" else 0.0
            return transfer.t_begin + options.start_s(self.load.image) + options.switch_s + restoring_s + base_s
        if transfer.stage == IDLE:
            step = options.plan[transfer.step]
            if step.until != "threshold":
                return transfer.t_begin + step.value if step.until == "time_s" else math.inf
            rate = self.load.dirty_per_s * self.load.memory
            if rate <= 0 or self.load.memory * options.dirty_cap < options.threshold_bytes:
                return math.inf
            return transfer.t_begin + (options.threshold_bytes - transfer.dirty_begin) / rate
        return transfer.reaches(transfer.amount)

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
            if self.stage_due() <= t_s:  # a first deployment may have brought it, at a frame
                self.change_stage(t_s)

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
        if self.is_degraded:
            self.degraded_s += seconds
        if latency_ms > self.load.level_ms or self.is_degraded:
            self.late_s += seconds
        else:
            self.satisfied_s += seconds

    def dirty(self, t_s: float) -> float:
        """Dirty bytes at an instant of MEMORY, ROUND or IDLE (section 7): none before there is a snapshot."""
        assert self.transfer is not None
        if self.transfer.t_snapshot is None:
            return 0.0
        grown = self.load.dirty_per_s * self.load.memory * (t_s - self.transfer.t_begin)
        return min(self.load.memory * self.options.dirty_cap, self.transfer.dirty_begin + grown)

    def change_stage(self, t_s: float) -> None:
        """The stage has ended by itself: enter the next one (section 7)."""
        transfer = self.transfer
        assert transfer is not None
        transfer.book_sent(t_s, transfer.amount)
        if transfer.stage == FINAL:
            self.enter(RESTORE, t_s, 0.0)
        elif transfer.stage == RESTORE:
            self.run_on_target(t_s)
        elif transfer.stage in DEGRADED:
            self.end_transfer(t_s, "completed")
        else:
            step, dirty = self.options.plan[transfer.step], self.dirty(t_s)
            if transfer.stage == IDLE and step.until == "threshold":
                dirty = self.options.threshold_bytes
            again = (step.until == "rounds" and transfer.rounds < step.value) or (
                step.until == "downtime_s" and dirty > step.value * transfer.rate
            )
            self.go_to(transfer.step if again else step.then, t_s, dirty)

    def go_to(self, place: int, t_s: float, dirty: float) -> None:
        """Begin a step of the plan while the container runs, or the next one where nothing has to be waited for."""
        transfer, plan = self.transfer, self.options.plan
        assert transfer is not None
        while plan[place].waits and plan[place].until == "threshold" and dirty >= self.options.threshold_bytes:
            place = plan[place].then
        step, transfer.step = plan[place], place
        if step.send == "memory":
            self.enter(MEMORY, t_s, self.load.memory)
            transfer.t_snapshot = t_s
        elif step.send == "dirty":
            transfer.rounds += 1
            self.enter(ROUND, t_s, dirty)
            transfer.t_snapshot = t_s
        else:
            self.enter(IDLE, t_s, 0.0, dirty)
        if self.pending and may_stop(plan, place):
            self.stop(t_s)

    def run_on_target(self, t_s: float) -> None:
        """RESTORE has ended: the container runs on the target; what is missing there comes now (section 7: PULL, REPLAY)."""
        transfer, plan, old = self.transfer, self.options.plan, self.host
        assert transfer is not None
        transfer.t_run = t_s
        last = plan[-1]
        if last.container != "degraded":
            self.end_transfer(t_s, "completed")
        elif last.send == "rest":
            self.enter(PULL, t_s, transfer.to_pull)
            misses = self.options.faults_per_byte * transfer.to_pull
            transfer.t_flow += misses * self.network.round_trip_s(transfer.source, transfer.target)
        else:
            snapshot_s = self.out_since if transfer.t_snapshot is None else transfer.t_snapshot
            assert snapshot_s is not None
            self.enter(REPLAY, t_s, 0.0)
            transfer.t_flow = t_s + self.options.replay.lasts(t_s - snapshot_s)
        self.host = transfer.target
        self.images.move(t_s, self.host)
        for copy in self.unfinished:
            copy.fetch.leave(old)
        self.resume(t_s)

    def lasts(self, term: tuple[float, float]) -> float:
        """Seconds that a term of the processing takes for this container's memory (section 7)."""
        return term[0] + term[1] * self.load.memory

    def processing(self, stage: str, after: str | None, t_s: float, changed: float) -> float:
        """Seconds from the begin of a stage that follows another (None: none) until its bytes flow (section 7)."""
        transfer, options, memory = self.transfer, self.options, self.load.memory
        assert transfer is not None
        if stage in (IDLE, RESTORE):
            return 0.0
        answers_s = options.round_trips * self.network.round_trip_s(transfer.source, transfer.target)
        preparing_s = max(0.0, transfer.t_start + options.prepare_s - t_s) if stage == IMAGE or after in (None, IMAGE) else 0.0
        if stage in (IMAGE, PULL) or after is None:
            return answers_s + (0.0 if stage == PULL else preparing_s)
        has_one = transfer.t_snapshot is not None
        later = options.later.otherwise(options.first)
        if stage == MEMORY:
            return options.first.lasts(memory, 0.0) + answers_s
        if stage == ROUND:
            return later.lasts(memory, changed) + self.lasts(options.comparison) + answers_s
        if options.plan[stops_at(options.plan)].send == "state":
            state_s = options.first.s if options.final.s is None else options.final.s
            assert state_s is not None
            return state_s + preparing_s + answers_s
        taken_s = options.final.otherwise(later if has_one else options.first).lasts(memory, changed if has_one else memory)
        return taken_s + (self.lasts(options.comparison) if has_one else 0.0) + preparing_s + answers_s

    def enter(self, stage: str, t_s: float, amount: float, dirty_begin: float = 0.0, *, changed: float = 0.0, anew: bool = False) -> None:
        """Begin a stage of the open transfer, with so many bytes of memory; `anew`: as its first one. FINAL: so much has changed."""
        transfer = self.transfer
        assert transfer is not None
        changed = amount if stage == ROUND else changed
        transfer.t_flow = t_s + self.processing(stage, None if anew else transfer.stage, t_s, changed)
        transfer.stage, transfer.t_begin, transfer.amount, transfer.dirty_begin = stage, t_s, amount, dirty_begin
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
        """What memory passes."""
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
            free = not transfer.flows(t_s) or transfer.source != self.host
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
        """The container stops and FINAL begins with what is missing (section 7); what is missing of the image comes first."""
        transfer, memory = self.transfer, self.load.memory
        assert transfer is not None and self.running
        sent, dirty = transfer.sent(t_s), 0.0 if transfer.stage == IMAGE else self.dirty(t_s)
        rest = 0.0 if transfer.stage in (IMAGE, IDLE) else transfer.amount - sent
        missing = memory if transfer.t_snapshot is None else missing_of_memory(rest, dirty, memory)
        transfer.book_sent(t_s, sent)
        self.pending = False
        self.out_since = transfer.t_stop = t_s
        if self.options.plan[stops_at(self.options.plan)].send == "snapshot" and transfer.t_snapshot is not None:
            t_flow = max(t_s, transfer.t_flow) if rest > 0 else t_s  # it goes on as it is
            self.enter(FINAL, t_s, rest)
            transfer.t_flow = t_flow
        else:
            self.enter_final(t_s, missing, dirty)

    def enter_final(self, t_s: float, missing: float, dirty: float, *, anew: bool = False) -> None:
        """FINAL of what is missing, or of the state; then what is missing is pulled."""
        assert self.transfer is not None
        takes_state = self.options.plan[stops_at(self.options.plan)].send == "state"
        self.transfer.to_pull = missing if takes_state else 0.0
        self.enter(FINAL, t_s, self.options.state_bytes if takes_state else missing, changed=dirty, anew=anew)

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

        if self.is_degraded:
            return  # "home counts as KEEP and its target as NONE"
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
        if self.options.unsynced == "stop" or (transfer.stage != IMAGE and may_stop(self.options.plan, transfer.step)):
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
            self.enter_final(t_s, self.load.memory, 0.0, anew=True)

    def start(self, t_s: float, target: Server) -> Transfer:
        """A transfer starts with IMAGE, or with MEMORY where the image is there; where a copy is bringing that, it waits in IMAGE."""
        transfer = self.transfer = self.new_transfer(t_s, target)
        self.images.want(target)
        copy = self.images.copy_to(target)
        if self.images.is_there(target):
            transfer.t_flow = t_s + self.options.prepare_s
            if transfer.t_flow <= t_s:
                self.go_to(self.options.plan[0].then, t_s, 0.0)
        elif copy is not None:
            transfer.fetch, transfer.t_flow = copy.fetch, t_s + self.options.prepare_s
        else:
            transfer.fetch, transfer.is_own = self.new_fetch(target, t_s), True
            transfer.fetch.t_flow += self.options.prepare_s
            self.stores.open(transfer.fetch, self.load.layers, t_s)
            self.enter(IMAGE, t_s, 0.0, anew=True)
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
        self.images.obey(t_s, prefetch, self.host, None if self.transfer is None else self.transfer.target)

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
