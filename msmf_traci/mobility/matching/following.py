"""From decoded states to places, as they become known: those that a lag allows to decide, and the whole way once it is final."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.mobility.frame import NO_EDGE
from msmf_traci.mobility.matching.decoding import OFF_ROAD, Columns, best_state, state_before
from msmf_traci.mobility.matching.placing import MEMORY_S, Chain, place_on_way
from msmf_traci.mobility.matching.route_search import NO_WAY, RoadGraph, Search, search_ways


class Places(NamedTuple):
    """Where a vehicle was, shape (columns,): edge (NO_EDGE off the roads), position and speed along it, distance to the nearest place."""

    edge: IntArray
    position_m: FloatArray
    speed_mps: FloatArray
    distance_m: FloatArray


def room_for_places(n: int) -> Places:
    """Places to be filled in."""
    return Places(np.full(n, NO_EDGE, dtype=np.int64), np.zeros(n), np.full(n, np.nan), np.full(n, np.nan))


@compiled
def trace_back(columns: Columns, last: int, state: int, first: int) -> tuple[IntArray, Chain]:
    """The states of columns `first` to `last` on the best way to a state of the last one, and the chain of their places."""
    n = last - first + 1
    states = np.empty(n, dtype=np.int64)
    chain = Chain(columns.time_s[first : last + 1], np.full(n, NO_EDGE, dtype=np.int64), np.zeros(n), np.zeros(n))
    for k in range(last, first - 1, -1):
        states[k - first] = state
        if state != OFF_ROAD:
            place = columns.start[k] + state
            chain.edge[k - first], chain.position_m[k - first] = columns.edge[place], columns.position_m[place]
            chain.step_m[k - first] = columns.way_m[place]
        state = state_before(columns, k, state)
    return states, chain


@compiled
def place_between(
    chain: Chain,
    states: IntArray,
    columns: Columns,
    first: int,
    begin: int,
    end: int,
    sigma_m: float,
    graph: RoadGraph,
    search: Search,
    out: Places,
) -> None:
    """Fill in the places of columns `begin` to `end`, smoothed along a chain that begins at column `first`."""
    room = np.empty((11, len(states)))
    for k in range(begin, end):
        at = k - first
        if states[at] == OFF_ROAD:
            out.edge[k], out.position_m[k], out.speed_mps[k], out.distance_m[k] = NO_EDGE, 0.0, np.nan, np.nan
            continue
        low, high = at, at + 1
        while low > 0 and states[low - 1] != OFF_ROAD and chain.time_s[at] - chain.time_s[low - 1] <= MEMORY_S:
            low -= 1
        while high < len(states) and states[high] != OFF_ROAD and chain.time_s[high] - chain.time_s[at] <= MEMORY_S:
            high += 1
        place = place_on_way(chain, low, at, high, sigma_m, graph, search, room)
        out.edge[k], out.position_m[k], out.speed_mps[k] = place.edge, place.position_m, place.speed_mps
        out.distance_m[k] = columns.distance_m[columns.start[k] + states[at]]


@compiled
def decide(
    columns: Columns, newest: int, done: int, is_end: bool, lag_s: float, sigma_m: float, graph: RoadGraph, search: Search, out: Places
) -> int:
    """Decide places as soon as the lag is over, by all positions that have come in by then.

    Parameters
    ----------
    columns
        What is known.
    newest
        Decisions by columns before this one have been made.
    done
        How many columns have been decided.
    is_end
        Whether no more positions come.
    lag_s
        A position of time t is decided by those up to t + lag.
    sigma_m, graph, search
        As for the ways.
    out
        Filled in.

    Returns
    -------
    How many columns have been decided now.
    """
    n = len(columns.time_s)
    for j in range(newest, n):
        is_last = j == n - 1
        # times rise, so that nothing more comes up to the time of position j itself
        end = done
        while end <= j:
            until_s = columns.time_s[end] + lag_s
            if not (until_s <= columns.time_s[j] or (is_end if is_last else until_s < columns.time_s[j + 1])):
                break
            end += 1
        if end == done:
            continue
        first = done
        while first > 0 and columns.time_s[done] - columns.time_s[first - 1] <= MEMORY_S:
            first -= 1
        states, chain = trace_back(columns, j, best_state(columns, j), first)
        place_between(chain, states, columns, first, done, end, sigma_m, graph, search, out)
        done = end
    return done


@compiled
def lay_route(
    chain: Chain, states: IntArray, begin: int, end: int, graph: RoadGraph, search: Search, laid: int
) -> tuple[IntArray, IntArray]:
    """The edges of a final way, one after another, and the index on it of each place.

    Parameters
    ----------
    chain, states
        The way's places and states.
    begin, end
        Which of them are laid now; those before are laid.
    graph, search
        As for the ways.
    laid
        How many edges have been laid before.

    Returns
    -------
    edges
        That come after those laid before.
    index
        Of places `begin` to `end`; -1 off the roads.
    """
    edges, size = np.empty(64, dtype=np.int64), 0
    index = np.full(end - begin, -1, dtype=np.int64)
    for i in range(begin, end):
        if states[i] == OFF_ROAD:
            continue
        edge = chain.edge[i]
        joins = i > 0 and states[i - 1] != OFF_ROAD
        step_m = chain.position_m[i] - chain.position_m[i - 1] if joins and chain.edge[i - 1] == edge else np.inf
        count = 1
        if joins and abs(chain.step_m[i] - step_m) < 1e-6:
            count = 0
        elif joins:
            search_ways(graph, search, chain.edge[i - 1], np.inf, chain.edge[i : i + 1])
            between = search.before[edge]
            while between != NO_WAY:
                count += 1
                between = search.before[between] if between != edge else NO_WAY
        while size + count > len(edges):
            edges = np.concatenate((edges, np.empty(len(edges), dtype=np.int64)))
        here = edge
        for place in range(size + count - 1, size - 1, -1):
            edges[place] = here
            here = search.before[here]
        size += count
        index[i - begin] = laid + size - 1
    return edges[:size], index


@compiled
def places_on_route(route: IntArray, index: IntArray, places: Places, length_m: FloatArray, reach: int) -> tuple[IntArray, FloatArray]:
    """Index on the route and position on its edge of each place, never going back; index -1 off the roads.

    Parameters
    ----------
    route
        The edges of the whole way.
    index
        Of the edge on which each place was decoded; the smoothed place may lie some edges before or after.
    places
        The smoothed places.
    length_m
        Length of every edge.
    reach
        How many edges before and after are looked at.
    """
    at, position_m = index.copy(), places.position_m.copy()
    last, last_m = -1, 0.0
    begin, end = 0, 0
    for k in range(len(index)):
        if index[k] < 0:
            continue
        if k >= end:
            # edges of another stretch on roads are not joined to this one
            begin, end = k, k
            while end < len(index) and index[end] >= 0:
                end += 1
        found = False
        for away in range(reach + 1):
            for sign in (-1, 1):
                there = index[k] + sign * away
                if not found and index[begin] <= there <= index[end - 1] and route[there] == places.edge[k]:
                    at[k], found = there, True
        if not found:
            position_m[k] = min(position_m[k], length_m[route[at[k]]])
        if at[k] < last or (at[k] == last and position_m[k] < last_m):
            at[k], position_m[k] = last, last_m
        last, last_m = at[k], position_m[k]
    return at, position_m
