"""The migration state machine: what one container does, given its home and target. Rules 1 to 5 of the model, section 7."""

from __future__ import annotations

from msmf_traci.compiled import compiled, inlined
from msmf_traci.migration.container import Container
from msmf_traci.migration.fetching import leave_image
from msmf_traci.migration.images import end_copies, move_copies
from msmf_traci.migration.scene import Scene
from msmf_traci.migration.service import close, resume, see
from msmf_traci.migration.transfer import (
    COMPLETED,
    RESTORE,
    UNFINISHED,
    USER_LEFT,
    abandon,
    end,
    is_degraded,
    may_stop,
    pull,
    start,
    start_stopped,
    stop,
)
from msmf_traci.sentinels import KEEP, NO_SERVER


@compiled
def complete(c: Container, t_s: float, scene: Scene) -> None:
    """RESTORE has ended: the container runs on the target, and may lack something. Or what it lacked has come: the transfer is over."""
    if c.pulls_from != NO_SERVER:
        end(c, t_s, COMPLETED, scene)
    else:
        host, target = c.host, c.target
        c.run_s = t_s
        if is_degraded(c, scene):
            pull(c, t_s, scene)
        else:
            end(c, t_s, COMPLETED, scene)
        c.host = target
        resume(c, t_s)
        see(c, t_s, c.cell, scene)
        move_copies(c, host, t_s, scene)
    c.needs_decision = True


@inlined
def stays(c: Container, home: int, target: int) -> bool:
    """Whether a decision changes nothing but that no handoff is pending: the container is where it should be, and so is its transfer."""
    return c.running and (home == KEEP or home == c.host) and (target == NO_SERVER or target == c.target)


@compiled
def obey(c: Container, t_s: float, home: int, target: int, scene: Scene) -> None:
    """Rules 2 to 4 for a vehicle that drives on; target NO_SERVER, or a server that is not the host."""
    if c.running:
        if home == KEEP or home == c.host:
            _copy_ahead(c, t_s, target, scene)
        else:
            _hand_off(c, t_s, home, scene)
    elif home != KEEP and home != c.target and c.stage != RESTORE and not scene.policy.handoff.finish_user_left:
        _follow_user(c, t_s, home, scene)


@compiled
def arrive(c: Container, t_s: float, scene: Scene) -> None:
    """Rule 5: the vehicle's last frame."""
    c.prefetch[0] = NO_SERVER
    if c.target != NO_SERVER:
        end(c, t_s, UNFINISHED, scene)
    end_copies(c, t_s, scene)
    leave_image(c, c.host, t_s, scene)
    close(c, t_s, scene)


@compiled
def score(c: Container, home: int, target: int) -> None:
    """Was the home entered next the one predicted? Takes in a decision before it is carried out. Model, section 6.

    A stay begins where the decided home differs from the decision before it and is not KEEP.
    """
    if home != KEEP and home != c.decided_home:
        if c.first_target != NO_SERVER and home != c.host:
            if c.first_target == home:
                c.entry_hits += 1
            else:
                c.entry_misses += 1
            if c.newest_target == home:
                c.handoff_hits += 1
            else:
                c.handoff_misses += 1
        c.first_target = NO_SERVER
    c.decided_home = home
    if target != NO_SERVER:
        if c.first_target == NO_SERVER:
            c.first_target = target
        c.newest_target = target


@compiled
def _copy_ahead(c: Container, t_s: float, target: int, scene: Scene) -> None:
    """Rule 2: the container is where it should be; pre-copy to the target, if there is one."""
    c.pending = False
    if target == NO_SERVER:
        return
    if c.target != NO_SERVER and c.target != target:
        abandon(c, t_s, scene)
    if c.target == NO_SERVER:
        start(c, t_s, target, scene)


@compiled
def _hand_off(c: Container, t_s: float, home: int, scene: Scene) -> None:
    """Rule 3: the container has to go to another server."""
    if c.target != NO_SERVER and c.target != home:
        abandon(c, t_s, scene)
    if c.target == NO_SERVER:
        start(c, t_s, home, scene)
    if c.handoff_s != c.handoff_s:  # NaN: not yet
        c.handoff_s = t_s
        c.handoffs += 1
    if not scene.policy.handoff.relay_unsynced or may_stop(c, scene):
        stop(c, t_s, scene)
    else:
        c.pending = True


@compiled
def _follow_user(c: Container, t_s: float, home: int, scene: Scene) -> None:
    """Rule 4: the user has left while the container is stopped; resume on the host, or send everything to the new home."""
    end(c, t_s, USER_LEFT, scene)
    c.handoffs += 1
    if home == c.host:
        resume(c, t_s)
        c.needs_decision = True
    else:
        start_stopped(c, t_s, home, scene)
