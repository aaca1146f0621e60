"""One container at one frame: what happens by itself until then, what is decided for it, and what is done about it. Model, section 7.

Whether containers go through a batch one by one or together (`course.py`), this is what happens to each.
"""

from __future__ import annotations

from typing import NamedTuple

from msmf_traci.arrays import ByteArray, FloatArray, IntArray
from msmf_traci.compiled import compiled, inlined
from msmf_traci.control.look import Look, Road
from msmf_traci.migration.container import Container
from msmf_traci.migration.fetching import use_deployed_image
from msmf_traci.migration.flow import sent_bytes
from msmf_traci.migration.images import finish_copies, lacks, next_of_copies, obey_prefetch
from msmf_traci.migration.kernel import Kernel, Now
from msmf_traci.migration.machine import arrive, complete, obey, score, stays
from msmf_traci.migration.rooms import grant_home, grant_target, hold, is_granted, lacks_what_it_asked_for, other_place, server_with_room
from msmf_traci.migration.scene import Scene
from msmf_traci.migration.service import deploy, see
from msmf_traci.migration.transfer import FINAL, IMAGE, RESTORE, finish_stage, go_on_with_image, is_sending, may_send_later
from msmf_traci.sentinels import KEEP, MOST_PREFETCHED, NO_SERVER


class Given(NamedTuple):
    """Decisions that are given for each sample of a batch: homes and targets, shape (n,), and lists of servers, shape (n, 8)."""

    home: IntArray
    target: IntArray
    prefetch: IntArray


class Mind(NamedTuple):
    """How one variant decides.

    Attributes
    ----------
    kernel
        Its strategy; not called where decisions are given.
    options, memory
        The strategy's options, and what it remembers of each vehicle, shape (vehicles, bytes).
    each_frame
        Whether it decides at each frame, and not only where the look is new or the container has changed.
    wrong
        Whether the kernel has answered what is no server, and its answer: home, target, server of the list; shape (4,).
    prefetch, missing_bytes
        Where the kernel puts servers on which the image is wanted, up to NO_SERVER, shape (9,); and where it finds what of the image is
        missing at those of the list before, and at the target, shape (9,).
    given
        Decisions that are given; of no samples where the kernel decides.
    """

    kernel: Kernel
    options: ByteArray
    memory: ByteArray
    each_frame: bool
    wrong: IntArray
    prefetch: IntArray
    missing_bytes: FloatArray
    given: Given


@compiled
def happen(c: Container, scene: Scene) -> None:
    """What happens next to a container by itself: its stage ends, after the last one it runs on the target; or copies are complete."""
    at_s = c.next_s
    is_awaited = c.copies >= 0 and finish_copies(c, at_s, scene)
    if c.done_s <= at_s:
        if finish_stage(c, scene):
            host, other = c.host, other_place(c)
            complete(c, at_s, scene)
            hold(scene.state.held, host, other, c)
    elif is_awaited:
        go_on_with_image(c, at_s, scene)
    look_forward(c, at_s, scene)


@inlined
def look_forward(c: Container, t_s: float, scene: Scene) -> None:
    """When something happens next; the only place that says so."""
    c.next_s = c.done_s
    if c.copies >= 0:
        is_at_host = c.source == c.host
        c.next_s = min(c.next_s, next_of_copies(c, t_s, is_at_host and is_sending(c, t_s), is_at_host and may_send_later(c, t_s), scene))


@inlined
def must_decide(c: Container, is_new: bool, each_frame: bool) -> bool:
    """Whether something is decided for a container at a frame; the only place that says so.

    It is where what is known is new, where the container has changed by itself or lacks what it asked for, and where the strategy wants to
    be asked at each frame.
    """
    return bool(is_new or c.needs_decision or each_frame)


@inlined
def decide(c: Container, look: Look, sample: int, t_s: float, road: Road, mind: Mind, scene: Scene) -> bool:
    """Ask the strategy, and do what it says where that is anything new; whether the transfer or a copy has changed."""
    moved = False
    if look.first:
        home, target = deploy_first(c, look, sample, t_s, road, mind, scene)
        moved = carry_out(c, look, t_s, home, target, road, mind, scene)
    else:
        home, target = decided(c, look, sample, road, mind, scene)
        if is_other(c, look, home, target, mind):
            moved = carry_out(c, look, t_s, home, target, road, mind, scene)
    return moved


@inlined
def decided(c: Container, look: Look, sample: int, road: Road, mind: Mind, scene: Scene) -> tuple[int, int]:
    """Home and target as the strategy, or who decides outside, says them; the list of servers is in `mind.prefetch`."""
    given = mind.given
    if len(given.home) > 0:
        home, target = given.home[sample], given.target[sample]
        mind.prefetch[:MOST_PREFETCHED] = given.prefetch[sample]
    else:
        mind.prefetch[0] = NO_SERVER
        if c.prefetch[0] != NO_SERVER or c.target != NO_SERVER:
            note_missing(c, look.time_s, scene, mind.missing_bytes)
        server_map, memory = scene.server_map, mind.memory[c.vehicle]
        now = Now(look, road, server_map, scene.state.free, c, scene.policy, mind.options, memory, mind.prefetch, mind.missing_bytes)
        home, target = mind.kernel(now)
        servers = len(server_map.tier)
        k = 0
        while k < MOST_PREFETCHED and 0 <= mind.prefetch[k] < servers:
            k += 1
        is_list = k == MOST_PREFETCHED or mind.prefetch[k] == NO_SERVER
        if not (home == KEEP or 0 <= home < servers) or not (target == NO_SERVER or 0 <= target < servers) or not is_list:
            mind.wrong[:] = 1, home, target, NO_SERVER if is_list else mind.prefetch[k]
            home, target = KEEP, NO_SERVER
            mind.prefetch[0] = NO_SERVER
    if mind.prefetch[0] != NO_SERVER:
        name_once(mind.prefetch)
    return home, target


@compiled
def note_missing(c: Container, t_s: float, scene: Scene, missing_bytes: FloatArray) -> None:
    """Note what of the image is missing at each server of the list, and behind them at the target."""
    if c.stage == IMAGE and c.image < 0 and c.layer >= 0:  # one layer, which it is sending
        missing_bytes[MOST_PREFETCHED] = max(0.0, c.to_send_bytes - sent_bytes(c, t_s))
    elif c.stage == IMAGE or c.stage == FINAL:
        missing_bytes[MOST_PREFETCHED] = lacks(c, c.target, t_s, scene)
    else:
        missing_bytes[MOST_PREFETCHED] = 0.0
    for k in range(MOST_PREFETCHED):
        if c.prefetch[k] == NO_SERVER:
            break
        missing_bytes[k] = lacks(c, c.prefetch[k], t_s, scene)


@compiled
def name_once(servers: IntArray) -> None:
    """Leave out of a list, up to NO_SERVER, what it has named before."""
    n = 0
    for k in range(MOST_PREFETCHED):
        if servers[k] == NO_SERVER:
            break
        is_new = True
        for before in servers[:n]:
            is_new = is_new and servers[k] != before
        if is_new:
            servers[n] = servers[k]
            n += 1
    servers[n] = NO_SERVER


@inlined
def is_other(c: Container, look: Look, home: int, target: int, mind: Mind) -> bool:
    """Whether anything has to be done about a decision: not where the same is decided again, and nothing else is new."""
    is_same_target = target == c.decided_target or (target == c.host and c.decided_target == NO_SERVER)
    is_same = home == c.decided_home and is_same_target and look.cell == c.cell and not c.needs_decision
    k = 0
    while is_same and k < MOST_PREFETCHED:
        is_same = mind.prefetch[k] == c.prefetch[k]
        k = MOST_PREFETCHED if mind.prefetch[k] == NO_SERVER else k + 1
    return not is_same


@compiled
def deploy_first(c: Container, look: Look, sample: int, t_s: float, road: Road, mind: Mind, scene: Scene) -> tuple[int, int]:
    """The vehicle's first frame: the container is deployed at the home that is decided, or at the nearest server with room.

    Returns home and target: the home is a server, and a target that is the home is none.
    """
    deploy(c, t_s, look.home)
    remembered = mind.memory[c.vehicle].copy()
    home, target = decided(c, look, sample, road, mind, scene)
    home = look.home if home == KEEP else home
    server = server_with_room(c, home, look.cell, t_s, scene)
    if server == NO_SERVER:
        scene.state.n[1] += 1
        server = home
    deploy(c, t_s, server)
    c.deployed_bytes = use_deployed_image(c, server, t_s, scene)
    if server != home and len(mind.given.home) == 0:
        mind.memory[c.vehicle, :] = remembered
        target = decided(c, look, sample, road, mind, scene)[1]
    return home, NO_SERVER if target == home else target


@compiled
def carry_out(c: Container, look: Look, t_s: float, home: int, target: int, road: Road, mind: Mind, scene: Scene) -> bool:
    """Rules 2 to 4, with what is granted where servers are full, and the list of servers; whether the transfer or a copy has changed."""
    moved = False
    if target == c.host:
        target = NO_SERVER
    host_before, other_before = c.host, other_place(c)
    target_before, stage_before, begin_before_s = c.target, c.stage, c.begin_s
    if look.cell != c.cell:
        see(c, t_s, look.cell, scene)
    c.needs_decision = False
    for k in range(MOST_PREFETCHED):
        c.prefetch[k] = mind.prefetch[k]
        if mind.prefetch[k] == NO_SERVER:
            break
    if look.last:
        c.decided_home = home
    else:
        score(c, home, target)
        granted, wanted = home, target
        if look.first or c.pulls_from != NO_SERVER:
            granted = KEEP  # it is deployed where there is room, and asks for its home from the next frame on; or its memory comes first
        elif c.running or (c.stage != RESTORE and not scene.policy.handoff.finish_user_left):  # else it cannot go elsewhere
            if is_granted(c, home):
                c.asked_home, c.given_home = home, home
            else:
                granted = grant_home(c, t_s, home, look.cell, scene)
        if c.pulls_from != NO_SERVER:
            wanted = NO_SERVER
        elif c.running and (granted == KEEP or granted == c.host):
            if target == NO_SERVER or target == c.target:
                c.asked_target, c.given_target = target, target
            else:
                wanted = grant_target(c, t_s, target, look, road, scene)
        if stays(c, granted, wanted):
            c.pending = False
        else:
            obey(c, t_s, granted, wanted, scene)
        if c.copies >= 0 or c.prefetch[0] != NO_SERVER:
            moved = obey_prefetch(c, t_s, scene)
        c.needs_decision = c.needs_decision or lacks_what_it_asked_for(c) or (look.first and c.host != home)
    c.decided_target = target
    hold(scene.state.held, NO_SERVER if look.first else host_before, other_before, c)
    look_forward(c, t_s, scene)
    return bool(moved or c.target != target_before or c.stage != stage_before or c.begin_s != begin_before_s)


@compiled
def leave(c: Container, t_s: float, scene: Scene) -> None:
    """The vehicle leaves the road, and its container the server."""
    host, other = c.host, other_place(c)
    arrive(c, t_s, scene)
    c.host = NO_SERVER
    c.needs_decision = False
    look_forward(c, t_s, scene)
    hold(scene.state.held, host, other, c)
