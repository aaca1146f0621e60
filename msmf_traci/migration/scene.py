"""What the containers of one variant stand in: its rules, the servers, what the containers share, and the books."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import ServerMap
from msmf_traci.migration.copies import Images
from msmf_traci.migration.ledger import Books
from msmf_traci.migration.plan import Plan
from msmf_traci.migration.policy import Policy


class Free(NamedTuple):
    """How many containers more each server could hold when the frame began, and bytes of images; infinite where nothing limits them.

    Layers that nobody uses take no room, since they go where it is needed.
    """

    containers: FloatArray
    image_bytes: FloatArray


class State(NamedTuple):
    """What the containers of one variant share, kept from batch to batch.

    Attributes
    ----------
    open
        Vehicles whose containers have an open transfer or a copy under way; the first `n[0]`.
    n
        How many they are, and how many containers found no room at their first deployment.
    held
        Containers that each server holds, running or being received.
    running
        Containers that run on each server, counted where they add to each other's computing.
    link, used
        Number of each link (`links.py`) among those in use while rates are computed, -1 where it has none; what of it copies cannot have.
    level
        Rate at which each link would be full with one transfer more, or one copy more, -1 where it was not in use; shape (2, links).
    shared_s
        When links were last shared out, shape (1,).
    free
        Room on servers, as strategies see it.
    images
        Copies, and what servers hold.
    """

    open: IntArray
    n: IntArray
    held: IntArray
    running: IntArray
    link: IntArray
    used: FloatArray
    level: FloatArray
    shared_s: FloatArray
    free: Free
    images: Images


class Scene(NamedTuple):
    """One variant's rules as a record, its plan, its servers, what its containers share, and where things are booked."""

    policy: Policy
    plan: Plan
    server_map: ServerMap
    state: State
    books: Books


@compiled
def most_containers(server: int, scene: Scene) -> float:
    """How many containers a server can hold: its own number, or that of its tier; infinite where nothing limits them."""
    own, of_tier = scene.server_map.room[server], scene.policy.links.room_by_tier[scene.server_map.tier[server]]
    if own >= 0:
        return float(own)
    return float(of_tier) if of_tier > 0 else np.inf


@compiled
def most_image_bytes(server: int, scene: Scene) -> float:
    """How many bytes of images, likewise."""
    own, of_tier = scene.server_map.store[server], scene.policy.images.store_by_tier[scene.server_map.tier[server]]
    if own >= 0:
        return float(own)
    return float(of_tier) if of_tier > 0 else np.inf


@compiled
def note_free(scene: Scene) -> None:
    """Note the room on servers at the begin of a frame."""
    state = scene.state
    for server in range(len(scene.server_map.tier)):
        state.free.containers[server] = most_containers(server, scene) - state.held[server]
        state.free.image_bytes[server] = most_image_bytes(server, scene) - state.images.store.in_use[server]
