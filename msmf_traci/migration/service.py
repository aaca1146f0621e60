"""The service that the user of a container gets: outages, and how long requests are relayed, late or satisfied. Model, sections 2 and 9.

Nothing is done for a container between two changes of its host, cell or state.
"""

from __future__ import annotations

import numpy as np

from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import hops_to, meets, request_ms
from msmf_traci.migration.container import Container
from msmf_traci.migration.scene import Scene
from msmf_traci.sentinels import NO_SERVER


@compiled
def deploy(c: Container, t_s: float, server: int) -> None:
    """The container begins to run on a server."""
    c.host = server
    c.running = True
    c.clock_s = t_s


@compiled
def see(c: Container, t_s: float, cell: int, scene: Scene) -> None:
    """From now on the user is attached to `cell` and served by the host."""
    settle(c, t_s)
    c.cell = cell
    c.hops = hops_to(c.host, cell, scene.server_map)
    latency_ms = request_ms(c.host, cell, scene.policy.latency, scene.server_map) + c.crowd_ms
    if latency_ms != c.request_ms:
        _book_latency(c, scene)
        c.request_ms = latency_ms
    c.late = not meets(latency_ms, c.latency_level_ms)


@compiled
def begin_outage(c: Container, t_s: float) -> None:
    """The running container stops."""
    settle(c, t_s)
    c.running = False
    c.outage_begin_s = t_s
    c.outages += 1


@compiled
def resume(c: Container, t_s: float) -> None:
    """The stopped container runs again."""
    settle(c, t_s)
    _end_outage(c, t_s)
    c.running = True


@compiled
def close(c: Container, t_s: float, scene: Scene) -> None:
    """The user leaves the road: clocks stop, an outage in progress is censored."""
    settle(c, t_s)
    _book_latency(c, scene)
    if not c.running:
        c.censored = True
        _end_outage(c, t_s)


@compiled
def settle(c: Container, t_s: float) -> None:
    """Book the time since the clock was last set."""
    if c.running:
        passed_s = t_s - c.clock_s
        c.request_s += passed_s
        if c.hops > 0:
            c.relayed_s += passed_s
            c.relayed_hops_s += passed_s * c.hops
        if c.pulls_from != NO_SERVER:
            c.degraded_s += passed_s
        if c.late or c.pulls_from != NO_SERVER:
            c.late_s += passed_s
        else:
            c.satisfied_s += passed_s
    c.clock_s = t_s


@compiled
def _book_latency(c: Container, scene: Scene) -> None:
    """Book how long the container has run with the latency that it has had."""
    if c.request_s > 0:
        key, running_s = (c.vehicle, c.variant, c.request_ms), scene.books.running_s
        running_s[key] = running_s.get(key, 0.0) + c.request_s
    c.request_s = 0.0


@compiled
def _end_outage(c: Container, t_s: float) -> None:
    lasted_s = t_s - c.outage_begin_s
    c.outage_s += lasted_s
    c.longest_outage_s = max(c.longest_outage_s, lasted_s)
    c.outage_begin_s = np.nan
