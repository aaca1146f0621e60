"""How containers go through a batch of frames: one by one, each from its first frame to its last; or together, frame by frame.

Together is needed where containers meet: where transfers share links, or servers have limited room or slow down (model, sections 2 and
8); and where decisions are made outside. Both give the same where containers do not meet.
"""

from __future__ import annotations

from typing import NamedTuple

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.control.look import Road
from msmf_traci.deployment.server_map import ServerMap
from msmf_traci.migration.container import Container
from msmf_traci.migration.ledger import Books
from msmf_traci.migration.sharing import compute_together, share_links
from msmf_traci.migration.step import Mind, State, carry_out, decided, deploy_first, happen, is_other, leave, must_decide
from msmf_traci.migration.transfer import is_sending
from msmf_traci.records import Records
from msmf_traci.sentinels import NO_SERVER


class Batch(NamedTuple):
    """Samples of a batch by vehicle and, within a vehicle, by time.

    Attributes
    ----------
    start
        Samples of the i-th vehicle are `start[i]` to `start[i + 1]`, shape (vehicles + 1,).
    vehicle
        Numbers of the vehicles, ascending, shape (vehicles,).
    time_s, x_m, y_m
        Of each sample, shape (samples,).
    of_vehicle
        Number of each sample's vehicle, shape (samples,).
    frame_start, by_frame
        Samples of frame f are `by_frame[frame_start[f]:frame_start[f + 1]]`, ascending in the number of their vehicle.
    """

    start: IntArray
    vehicle: IntArray
    time_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    of_vehicle: IntArray
    frame_start: IntArray
    by_frame: IntArray


class Seen(NamedTuple):
    """What a trace reads after each sample, shape (samples, variants); of no rows where nothing is traced."""

    home: IntArray
    target: IntArray
    host: IntArray
    running: BoolArray


@compiled
def run_alone(
    batch: Batch,
    looks: Records,
    is_new: BoolArray,
    road: Road,
    mind: Mind,
    v: int,
    containers: Records,
    policies: Records,
    server_map: ServerMap,
    state: State,
    books: Books,
    seen: Seen,
) -> None:
    """Take the containers of one variant through a batch one by one.

    Parameters
    ----------
    batch, looks, is_new, road
        The batch, what is known at each of its samples, whether anything is new, and the stretches of road that this speaks of.
    mind
        How the variant decides.
    v
        The variant's number.
    containers, policies
        All records, shapes (vehicles, variants) and (variants,).
    server_map, state, books
        Where servers are, what containers share, where things are booked.
    seen
        What a trace reads.
    """
    policy = policies[v]
    for i in range(len(batch.vehicle)):
        c, begin, end = containers[batch.vehicle[i], v], batch.start[i], batch.start[i + 1]
        for s in range(begin, end):
            t_s = batch.time_s[s]
            if c.next_s <= t_s:
                if s > begin:
                    c.x_m, c.y_m = batch.x_m[s - 1], batch.y_m[s - 1]
                while c.next_s < t_s:
                    happen(c, policy, server_map, state, books)
                c.x_m, c.y_m = batch.x_m[s], batch.y_m[s]
                while c.next_s <= t_s:
                    happen(c, policy, server_map, state, books)
            if must_decide(c, is_new[s], mind.each_frame):
                c.x_m, c.y_m = batch.x_m[s], batch.y_m[s]
                look = looks[s]
                if look.first:
                    home, target = deploy_first(c, look, s, t_s, road, mind, policy, server_map, state)
                    carry_out(c, look, t_s, home, target, road, policy, server_map, state, books)
                else:
                    home, target = decided(c, look, s, road, mind, policy)
                    if is_other(c, look, home, target):
                        carry_out(c, look, t_s, home, target, road, policy, server_map, state, books)
            if len(seen.host):
                _show(seen, s, v, c)
        c.x_m, c.y_m = batch.x_m[end - 1], batch.y_m[end - 1]
        if looks[end - 1].last:
            leave(c, batch.time_s[end - 1], state, books)


@compiled
def run_together(
    batch: Batch,
    looks: Records,
    is_new: BoolArray,
    road: Road,
    mind: Mind,
    v: int,
    containers: Records,
    policies: Records,
    server_map: ServerMap,
    state: State,
    books: Books,
    seen: Seen,
) -> None:
    """Take the containers of one variant through a batch frame by frame; parameters as in `run_alone`."""
    for f in range(len(batch.frame_start) - 1):
        moved = begin_frame(f, batch, v, containers, policies, server_map, state, books)
        finish_frame(f, moved, batch, looks, is_new, road, mind, v, containers, policies, server_map, state, books, seen)


@compiled
def begin_frame(
    f: int, batch: Batch, v: int, containers: Records, policies: Records, server_map: ServerMap, state: State, books: Books
) -> bool:
    """What happens by itself until a frame; whether a transfer has another stage, or has begun to send since links were shared out."""
    policy, t_s, moved = policies[v], batch.time_s[batch.by_frame[batch.frame_start[f]]], False
    for k in range(state.n[0]):
        c = containers[state.open[k], v]
        while c.next_s < t_s:
            happen(c, policy, server_map, state, books)
            moved = True
    for s in batch.by_frame[batch.frame_start[f] : batch.frame_start[f + 1]]:
        c = containers[batch.of_vehicle[s], v]
        c.x_m, c.y_m = batch.x_m[s], batch.y_m[s]
    k = 0
    while k < state.n[0]:
        c = containers[state.open[k], v]
        while c.next_s <= t_s:
            happen(c, policy, server_map, state, books)
            moved = True
        moved |= c.since_s > state.shared_s[0] and is_sending(c, t_s)
        if c.target == NO_SERVER:
            _close_place(containers[:, v], c, state)  # another one takes its place: look there again
        else:
            k += 1
    return moved


@compiled
def finish_frame(
    f: int,
    moved: bool,
    batch: Batch,
    looks: Records,
    is_new: BoolArray,
    road: Road,
    mind: Mind,
    v: int,
    containers: Records,
    policies: Records,
    server_map: ServerMap,
    state: State,
    books: Books,
    seen: Seen,
) -> None:
    """What is decided at a frame, in the order of departure, and what is shared out anew; `moved` comes from `begin_frame`."""
    policy, t_s = policies[v], batch.time_s[batch.by_frame[batch.frame_start[f]]]
    for s in batch.by_frame[batch.frame_start[f] : batch.frame_start[f + 1]]:
        c, look = containers[batch.of_vehicle[s], v], looks[s]
        if must_decide(c, is_new[s], mind.each_frame):
            if look.first:
                home, target = deploy_first(c, look, s, t_s, road, mind, policy, server_map, state)
                moved |= carry_out(c, look, t_s, home, target, road, policy, server_map, state, books)
            else:
                home, target = decided(c, look, s, road, mind, policy)
                if is_other(c, look, home, target):
                    moved |= carry_out(c, look, t_s, home, target, road, policy, server_map, state, books)
        if len(seen.host):
            _show(seen, s, v, c)
        if look.last:
            moved |= c.stage > 0
            leave(c, t_s, state, books)
        if c.target != NO_SERVER and c.place < 0:
            c.place = state.n[0]
            state.open[c.place] = c.vehicle
            state.n[0] += 1
        elif c.target == NO_SERVER and c.place >= 0:
            _close_place(containers[:, v], c, state)
    if policy.links.is_shared and moved:
        share_links(t_s, containers[:, v], policy, server_map, state)
    if policy.latency.per_container_ms.max() > 0:
        compute_together(t_s, containers[:, v], policy, server_map, state)


@compiled
def _show(seen: Seen, s: int, v: int, c: Container) -> None:
    seen.home[s, v], seen.target[s, v] = c.decided_home, c.decided_target
    seen.host[s, v], seen.running[s, v] = c.host, c.running


@compiled
def _close_place(containers: Records, c: Container, state: State) -> None:
    """Take a container off the list of open transfers; the last one moves to its place."""
    state.n[0] -= 1
    mover = state.open[state.n[0]]
    state.open[c.place] = mover
    containers[mover].place = c.place
    c.place = -1
