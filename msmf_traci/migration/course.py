"""How containers go through a batch of frames: one by one, each from its first frame to its last; or together, frame by frame.

Together is needed where containers meet: where transfers share links, servers have limited room or slow down, or images have layers in
common (model, sections 2, 7 and 8); and where decisions are made outside. Both give the same where containers do not meet.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.compiled import compiled, inlined
from msmf_traci.control.look import Outlook
from msmf_traci.migration.catalogue import has_layer, layer_of
from msmf_traci.migration.container import Container
from msmf_traci.migration.copies import find_copy, has_copies_coming, is_coming
from msmf_traci.migration.fetching import end_layer
from msmf_traci.migration.images import go_on_with_copy
from msmf_traci.migration.scene import Scene, State, note_free
from msmf_traci.migration.sharing import compute_together, has_begun_to_send, share_links
from msmf_traci.migration.step import Mind, decide, happen, leave, look_forward, must_decide
from msmf_traci.migration.store import NOBODY, Held, row
from msmf_traci.migration.transfer import go_on_with_image, waits_for_image
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
    """What a trace reads after each sample, shape (samples, variants); of no rows where nothing is traced.

    The servers on which the image is wanted, up to NO_SERVER, have shape (samples, variants, 8).
    """

    home: IntArray
    target: IntArray
    host: IntArray
    running: BoolArray
    prefetch: NDArray[np.int32]


@compiled
def run_alone(batch: Batch, outlook: Outlook, mind: Mind, v: int, containers: Records, scene: Scene, seen: Seen) -> None:
    """Take the containers of one variant through a batch one by one.

    Parameters
    ----------
    batch, outlook
        The batch, and what is known at each of its samples.
    mind
        How the variant decides.
    v, containers
        The variant's number, and all containers, shape (vehicles, variants).
    scene
        What its containers stand in.
    seen
        What a trace reads.
    """
    for i in range(len(batch.vehicle)):
        c, begin, end = containers[batch.vehicle[i], v], batch.start[i], batch.start[i + 1]
        for s in range(begin, end):
            t_s = batch.time_s[s]
            if c.next_s <= t_s:
                if s > begin:
                    c.x_m, c.y_m = batch.x_m[s - 1], batch.y_m[s - 1]
                while c.next_s < t_s:
                    happen(c, scene)
                c.x_m, c.y_m = batch.x_m[s], batch.y_m[s]
                while c.next_s <= t_s:
                    happen(c, scene)
            if must_decide(c, outlook.is_new[s], mind.each_frame):
                c.x_m, c.y_m = batch.x_m[s], batch.y_m[s]
                decide(c, outlook.looks[s], s, t_s, outlook.road, mind, scene)
            if len(seen.host):
                _show(seen, s, v, c)
        c.x_m, c.y_m = batch.x_m[end - 1], batch.y_m[end - 1]
        if outlook.looks[end - 1].last:
            leave(c, batch.time_s[end - 1], scene)


@compiled
def run_together(batch: Batch, outlook: Outlook, mind: Mind, v: int, containers: Records, scene: Scene, seen: Seen) -> None:
    """Take the containers of one variant through a batch frame by frame; parameters as in `run_alone`."""
    for f in range(len(batch.frame_start) - 1):
        moved = begin_frame(f, batch, v, containers, scene)
        finish_frame(f, moved, batch, outlook, mind, v, containers, scene, seen)


@compiled
def begin_frame(f: int, batch: Batch, v: int, containers: Records, scene: Scene) -> bool:
    """What happens by itself until a frame; whether anything else is sent than when links were shared out."""
    state, t_s = scene.state, batch.time_s[batch.by_frame[batch.frame_start[f]]]
    moved = _let_happen(t_s, False, containers[:, v], scene)
    for s in batch.by_frame[batch.frame_start[f] : batch.frame_start[f + 1]]:
        c = containers[batch.of_vehicle[s], v]
        c.x_m, c.y_m = batch.x_m[s], batch.y_m[s]
    moved |= _let_happen(t_s, True, containers[:, v], scene)
    k = 0
    while k < state.n[0]:
        c = containers[state.open[k], v]
        moved |= has_begun_to_send(c, state.shared_s[0], t_s, scene)
        if is_open(c, scene):
            k += 1
        else:
            _close_place(containers[:, v], c, state)  # another one takes its place: look there again
    note_free(scene)
    return moved


@compiled
def _let_happen(t_s: float, with_now: bool, containers: Records, scene: Scene) -> bool:
    """What happens by itself before an instant, or until it; whether anything has.

    Where containers wait for layers that others bring, in the order in which it happens, and then in that of vehicles.
    """
    state, has_happened = scene.state, False
    if not scene.policy.images.are_shared:
        for vehicle in state.open[: state.n[0]]:
            c = containers[vehicle]
            while c.next_s < t_s or (with_now and c.next_s <= t_s):
                happen(c, scene)
                has_happened = True
        return has_happened
    while True:
        first_s, first = np.inf, NOBODY
        for vehicle in state.open[: state.n[0]]:
            next_s = containers[vehicle].next_s
            if next_s < first_s or (next_s == first_s and vehicle < first):
                first_s, first = next_s, vehicle
        if first == NOBODY or first_s > t_s or (first_s == t_s and not with_now):
            return has_happened
        happen(containers[first], scene)
        _tell(first_s, containers, scene)
        has_happened = True


@compiled
def _tell(t_s: float, containers: Records, scene: Scene) -> bool:
    """Tell those who wait for layers that are complete now, or that nobody brings any more; whether there were any."""
    state, store = scene.state, scene.state.images.store
    has_told = len(store.changed) > 0
    while len(store.changed) > 0:
        changed = store.changed.copy()
        store.changed.clear()
        for number in changed:  # all of them first: who gets several begins with the first of its image
            _hand_over(row(store, number), containers, scene)
        for number in changed:
            held = row(store, number)
            for vehicle in state.open[: state.n[0]]:
                c = containers[vehicle]
                if (held.is_complete or vehicle == held.receiver) and _brings(c, held.server, held.layer, scene):
                    _turn(c, held.server, held.layer, t_s, scene)
                    look_forward(c, t_s, scene)
    return has_told


@compiled
def _hand_over(held: Held, containers: Records, scene: Scene) -> None:
    """A layer that nobody brings any more is brought by the first of those who wait for it."""
    if held.is_complete or held.receiver != NOBODY:
        return
    for vehicle in scene.state.open[: scene.state.n[0]]:
        is_first = held.receiver == NOBODY or vehicle < held.receiver
        if is_first and _brings(containers[vehicle], held.server, held.layer, scene):
            held.receiver = vehicle


@compiled
def _brings(c: Container, server: int, layer: int, scene: Scene) -> bool:
    """Whether a container has its image brought to a server, and a layer belongs to it."""
    place = find_copy(c, server, scene.state.images)
    if place >= 0 and not is_coming(scene.state.images.copies[c.copies][place]):
        return False
    is_brought = place >= 0 or (server == c.target and waits_for_image(c))
    return bool(is_brought and has_layer(c, layer, scene.state.images.catalogue))


@compiled
def _turn(c: Container, server: int, layer: int, t_s: float, scene: Scene) -> None:
    """A layer is complete, or the container's to bring: it goes on if it waits, or if the layer is the one that it sends."""
    images = scene.state.images
    place = find_copy(c, server, images)
    if place < 0:
        if c.layer >= 0 and layer_of(c, c.layer, images.catalogue) == layer:
            c.stage_bytes += end_layer(c, c, server, t_s, scene)
        if c.layer < 0:
            go_on_with_image(c, t_s, scene)
    else:
        copy = images.copies[c.copies][place]
        if copy.layer >= 0 and layer_of(c, copy.layer, images.catalogue) == layer:
            end_layer(copy, c, server, t_s, scene)
        if copy.layer < 0 and go_on_with_copy(copy, c, t_s, scene):
            go_on_with_image(c, t_s, scene)


@compiled
def finish_frame(
    f: int, moved: bool, batch: Batch, outlook: Outlook, mind: Mind, v: int, containers: Records, scene: Scene, seen: Seen
) -> None:
    """What is decided at a frame, in the order of departure, and what is shared out anew; `moved` comes from `begin_frame`."""
    state, t_s = scene.state, batch.time_s[batch.by_frame[batch.frame_start[f]]]
    for s in batch.by_frame[batch.frame_start[f] : batch.frame_start[f + 1]]:
        c, look = containers[batch.of_vehicle[s], v], outlook.looks[s]
        if must_decide(c, outlook.is_new[s], mind.each_frame):
            moved |= decide(c, look, s, t_s, outlook.road, mind, scene)
        if len(seen.host):
            _show(seen, s, v, c)
        if look.last:
            moved |= is_open(c, scene)
            leave(c, t_s, scene)
        if is_open(c, scene) and c.place < 0:
            c.place = state.n[0]
            state.open[c.place] = c.vehicle
            state.n[0] += 1
        elif c.place >= 0 and not is_open(c, scene):
            _close_place(containers[:, v], c, state)
        if scene.policy.images.are_shared:
            moved |= _tell(t_s, containers[:, v], scene)
    if scene.policy.links.is_shared and moved:
        share_links(t_s, containers[:, v], scene)
    if np.max(scene.policy.latency.per_container_ms) > 0:
        compute_together(t_s, containers[:, v], scene)


@inlined
def is_open(c: Container, scene: Scene) -> bool:
    """Whether anything is being sent for a container, or will be."""
    return bool(c.target != NO_SERVER or (c.copies >= 0 and has_copies_coming(c, scene.state.images)))


@compiled
def _show(seen: Seen, s: int, v: int, c: Container) -> None:
    seen.home[s, v], seen.target[s, v] = c.decided_home, c.decided_target
    seen.host[s, v], seen.running[s, v] = c.host, c.running
    seen.prefetch[s, v, :] = c.prefetch


@compiled
def _close_place(containers: Records, c: Container, state: State) -> None:
    """Take a container off the list of open transfers; the last one moves to its place."""
    state.n[0] -= 1
    mover = state.open[state.n[0]]
    state.open[c.place] = mover
    containers[mover].place = c.place
    c.place = -1
