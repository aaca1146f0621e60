"""One container at one frame: what happens by itself until then, what is decided for it, and what is done about it. Model, section 7.

Whether containers go through a batch one by one or together (`course.py`), this is what happens to each.
"""

from __future__ import annotations

from typing import NamedTuple

from msmf_traci.arrays import ByteArray, FloatArray, IntArray
from msmf_traci.compiled import compiled, inlined
from msmf_traci.control.look import Look, Road
from msmf_traci.deployment.server_map import Places, ServerMap
from msmf_traci.migration.container import Container
from msmf_traci.migration.kernel import Kernel, Now
from msmf_traci.migration.ledger import Books
from msmf_traci.migration.machine import arrive, complete, obey, score, stays
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.rooms import grant_home, grant_target, hold, is_granted, lacks_what_it_asked_for, server_with_room
from msmf_traci.migration.service import deploy, see
from msmf_traci.migration.transfer import RESTORE, finish_stage
from msmf_traci.sentinels import KEEP, NO_SERVER


class State(NamedTuple):
    """What the containers of one variant share, kept from batch to batch.

    Attributes
    ----------
    open
        Vehicles whose containers have an open transfer; the first `n[0]`.
    n
        How many they are, and how many containers found no room at their first deployment.
    held
        Containers that each server holds, running or being received.
    running
        Containers that run on each server, counted where they add to each other's computing.
    link
        Number of each link (`links.py`) among those in use while rates are computed; -1 where it has none.
    shared_s
        When links were last shared out, shape (1,).
    """

    open: IntArray
    n: IntArray
    held: IntArray
    running: IntArray
    link: IntArray
    shared_s: FloatArray


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
        Whether the kernel has answered what is no server, and home and target of that answer; shape (3,).
    home, target
        Decisions that are given for each sample; of no samples where the kernel decides.
    """

    kernel: Kernel
    places: Places
    options: ByteArray
    memory: ByteArray
    each_frame: bool
    wrong: IntArray
    home: IntArray
    target: IntArray


@compiled
def happen(c: Container, policy: Policy, server_map: ServerMap, state: State, books: Books) -> None:
    """The present stage ends by itself; after the last one the container runs on the target."""
    at_s = c.next_s
    if finish_stage(c, policy, books):
        host, target = c.host, c.target
        complete(c, policy, server_map, at_s, books)
        hold(state.held, host, target, c)


@inlined
def must_decide(c: Container, is_new: bool, each_frame: bool) -> bool:
    """Whether something is decided for a container at a frame; the only place that says so.

    It is where what is known is new, where the container has changed by itself or lacks what it asked for, and where the strategy wants to
    be asked at each frame.
    """
    return bool(is_new or c.needs_decision or each_frame)


@inlined
def decided(c: Container, look: Look, sample: int, road: Road, mind: Mind, policy: Policy) -> tuple[int, int]:
    """Home and target as the strategy, or who decides outside, says them."""
    if len(mind.home) > 0:
        home, target = mind.home[sample], mind.target[sample]
    else:
        home, target = mind.kernel(Now(look, road, mind.places, c, policy, mind.options, mind.memory[c.vehicle]))
        servers = len(mind.places.tier)
        if not (home == KEEP or 0 <= home < servers) or not (target == NO_SERVER or 0 <= target < servers):
            mind.wrong[:] = 1, home, target
            home, target = KEEP, NO_SERVER
    return home, target


@inlined
def is_other(c: Container, look: Look, home: int, target: int) -> bool:
    """Whether anything has to be done about a decision: not where the same is decided again, and nothing else is new."""
    is_same_target = target == c.decided_target or (target == c.host and c.decided_target == NO_SERVER)
    return not (home == c.decided_home and is_same_target and look.cell == c.cell) or c.needs_decision


@compiled
def deploy_first(
    c: Container, look: Look, sample: int, t_s: float, road: Road, mind: Mind, policy: Policy, server_map: ServerMap, state: State
) -> tuple[int, int]:
    """The vehicle's first frame: the container is deployed at the home that is decided, or at the nearest server with room.

    Returns home and target: the home is a server, and a target that is the home is none.
    """
    deploy(c, t_s, look.home)
    remembered = mind.memory[c.vehicle].copy()
    home, target = decided(c, look, sample, road, mind, policy)
    home = look.home if home == KEEP else home
    server = server_with_room(state.held, home, look.cell, policy, server_map)
    if server == NO_SERVER:
        state.n[1] += 1
        server = home
    deploy(c, t_s, server)
    if server != home and len(mind.home) == 0:
        mind.memory[c.vehicle, :] = remembered
        target = decided(c, look, sample, road, mind, policy)[1]
    return home, NO_SERVER if target == home else target


@compiled
def carry_out(
    c: Container,
    look: Look,
    t_s: float,
    home: int,
    target: int,
    road: Road,
    policy: Policy,
    server_map: ServerMap,
    state: State,
    books: Books,
) -> bool:
    """What is done about a decision; whether the container has another transfer or stage then."""
    if target == c.host:
        target = NO_SERVER
    host_before, target_before, stage_before, begin_before_s = c.host, c.target, c.stage, c.begin_s
    if look.cell != c.cell:
        see(c, policy, server_map, t_s, look.cell)
    c.needs_decision = False
    if look.last:
        c.decided_home = home
    else:
        score(c, home, target)
        granted, wanted = home, target
        if look.first:
            granted = KEEP  # it is deployed where there is room, and asks for its home from the next frame on
        elif c.running or (c.stage != RESTORE and not policy.handoff.finish_user_left):  # else it cannot go elsewhere, and does not ask
            if is_granted(c, home):
                c.asked_home, c.given_home = home, home
            else:
                granted = grant_home(c, policy, server_map, state.held, t_s, home, look.cell, books)
        if c.running and (granted == KEEP or granted == c.host):
            if target == NO_SERVER or target == c.target:
                c.asked_target, c.given_target = target, target
            else:
                wanted = grant_target(c, policy, server_map, state.held, t_s, target, look, road, books)
        if stays(c, granted, wanted):
            c.pending = False
        else:
            obey(c, policy, server_map, t_s, granted, wanted, books)
        c.needs_decision = c.needs_decision or lacks_what_it_asked_for(c) or (look.first and c.host != home)
    c.decided_target = target
    hold(state.held, NO_SERVER if look.first else host_before, target_before, c)
    return bool(c.target != target_before or c.stage != stage_before or c.begin_s != begin_before_s)


@compiled
def leave(c: Container, t_s: float, state: State, books: Books) -> None:
    """The vehicle leaves the road, and its container the server."""
    host, target = c.host, c.target
    arrive(c, t_s, books)
    c.host = NO_SERVER
    c.needs_decision = False
    hold(state.held, host, target, c)
