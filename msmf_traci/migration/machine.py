"""The migration state machine: what one container does, given its home and target. Rules 1 to 5 of the model, section 7.

`c` is a container's record, `p` its variant's policy, `key` says whose it is (vehicle, variant), `books` are the ledger's.
"""

from __future__ import annotations

from typing import Any

from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import ServerMap
from msmf_traci.migration.service import close, resume, see
from msmf_traci.migration.transfer import (
    COMPLETED,
    IDLE,
    RESTORE,
    ROUND,
    UNFINISHED,
    USER_LEFT,
    abandon,
    end,
    start,
    start_stopped,
    stop,
)
from msmf_traci.sentinels import KEEP, NO_SERVER


@compiled
def complete(c: Any, p: Any, server_map: ServerMap, t_s: float, x_m: float, y_m: float, key: tuple[int, int], books: Any) -> None:
    """RESTORE has ended: the container runs on the target. x_m, y_m: the vehicle at its last frame by then."""
    target = c.target
    end(c, t_s, COMPLETED, x_m, y_m, key, books)
    c.host = target
    resume(c, t_s)
    see(c, p, server_map, t_s, c.cell)
    c.anew = True


@compiled
def obey(
    c: Any, p: Any, server_map: ServerMap, t_s: float, home: int, target: int, x_m: float, y_m: float, key: tuple[int, int], books: Any
) -> None:
    """Rules 2 to 4 for a vehicle that drives on; target NO_SERVER, or a server that is not the host."""
    if c.running:
        if home == KEEP or home == c.host:
            _copy_ahead(c, p, server_map, t_s, target, x_m, y_m, key, books)
        else:
            _hand_off(c, p, server_map, t_s, home, x_m, y_m, key, books)
    elif home != KEEP and home != c.target and c.stage != RESTORE and not p.finish:
        _follow_user(c, p, server_map, t_s, home, x_m, y_m, key, books)


@compiled
def arrive(c: Any, t_s: float, x_m: float, y_m: float, key: tuple[int, int], books: Any) -> None:
    """Rule 5: the vehicle's last frame."""
    if c.target != NO_SERVER:
        end(c, t_s, UNFINISHED, x_m, y_m, key, books)
    close(c, t_s)


@compiled
def score(c: Any, home: int, target: int) -> None:
    """Was the home entered next the one predicted? Takes in a decision before it is carried out. Model, section 6.

    A stay begins where the decided home differs from the decision before it and is not KEEP.
    """
    if home != KEEP and home != c.decided:
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
    c.decided = home
    if target != NO_SERVER:
        if c.first_target == NO_SERVER:
            c.first_target = target
        c.newest_target = target


@compiled
def _copy_ahead(
    c: Any, p: Any, server_map: ServerMap, t_s: float, target: int, x_m: float, y_m: float, key: tuple[int, int], books: Any
) -> None:
    """Rule 2: the container is where it should be; pre-copy to the target, if there is one."""
    c.pending = False
    if target == NO_SERVER:
        return
    if c.target != NO_SERVER and c.target != target:
        abandon(c, t_s, x_m, y_m, key, books)
    if c.target == NO_SERVER:
        start(c, p, server_map, t_s, target)


@compiled
def _hand_off(
    c: Any, p: Any, server_map: ServerMap, t_s: float, home: int, x_m: float, y_m: float, key: tuple[int, int], books: Any
) -> None:
    """Rule 3: the container has to go to another server."""
    if c.target != NO_SERVER and c.target != home:
        abandon(c, t_s, x_m, y_m, key, books)
    if c.target == NO_SERVER:
        start(c, p, server_map, t_s, home)
    if c.handoff != c.handoff:  # NaN: not yet
        c.handoff = t_s
        c.handoffs += 1
    if not p.relay or c.stage == IDLE or c.stage == ROUND:
        stop(c, p, t_s, key, books)
    else:
        c.pending = True


@compiled
def _follow_user(
    c: Any, p: Any, server_map: ServerMap, t_s: float, home: int, x_m: float, y_m: float, key: tuple[int, int], books: Any
) -> None:
    """Rule 4: the user has left while the container is stopped; resume on the host, or send everything to the new home."""
    end(c, t_s, USER_LEFT, x_m, y_m, key, books)
    c.handoffs += 1
    if home == c.host:
        resume(c, t_s)
        c.anew = True
    else:
        start_stopped(c, p, server_map, t_s, home)
