"""What the containers of one variant stand in: its rules, the servers, what the containers share, and the books."""

from __future__ import annotations

from typing import NamedTuple

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.deployment.server_map import ServerMap
from msmf_traci.migration.copies import Images
from msmf_traci.migration.ledger import Books
from msmf_traci.migration.policy import Policy


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
    images: Images


class Scene(NamedTuple):
    """One variant's rules as a record, its servers, what its containers share, and where things are booked."""

    policy: Policy
    server_map: ServerMap
    state: State
    books: Books
