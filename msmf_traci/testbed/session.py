"""One session of a testbed, told as a story: hosts and links, the service deployed, the user asking, transfers, and what was measured."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from msmf_traci.errors import MsmfError
from msmf_traci.files.exact_csv import EXACT
from msmf_traci.migration.policy import HandoffPolicy
from msmf_traci.testbed.conductor import Conductor, Outage, tier_of
from msmf_traci.testbed.container import Container
from msmf_traci.testbed.courier import Courier
from msmf_traci.testbed.hosts import CLOUD, REGIONAL, USER, Host, address_of, copy_image, host_names, make_host, tier_of_host
from msmf_traci.testbed.journal import Journal
from msmf_traci.testbed.leftovers import recorded
from msmf_traci.testbed.network import Cable, Links, build_network
from msmf_traci.testbed.programs import Programs
from msmf_traci.testbed.transfer import RoundRule, Transfer
from msmf_traci.testbed.user_equipment import CONTROL_PORT

_TRIES, _PATIENCE_S = 5, 3.0
_PINGS = 5


@dataclass(frozen=True)
class Task:
    """What runs in the container.

    Attributes
    ----------
    image
        Its root file system.
    arguments
        How it is started.
    memory_bytes
        What its memory amounts to.
    dirty_bytes_per_s
        How fast that changes, as far as is known.
    """

    image: Path
    arguments: Sequence[str]
    memory_bytes: float
    dirty_bytes_per_s: float


@dataclass(frozen=True)
class Setting:
    """Where and how.

    Attributes
    ----------
    place
        Folder in which the hosts get theirs.
    links
        Bandwidth of all cables, and how they delay.
    local_rtt_s, regional_rtt_s
        Round-trip time between the user and a server of each tier; between two servers it is the sum of theirs.
    threshold_bytes
        Changed memory that starts a round.
    handoff
        The policy.
    requests_per_s
        How often the user asks.
    first_in_path
        Folder of the CRIU to use.
    tracks_changes
        Whether snapshots hold only what has changed.
    """

    place: Path
    links: Links
    local_rtt_s: float
    regional_rtt_s: float
    threshold_bytes: float
    handoff: HandoffPolicy
    requests_per_s: float
    first_in_path: Path
    tracks_changes: bool

    def delay_s(self, host: str) -> float:
        """One-way delay of a host's cable: the user's and the cloud's have none."""
        tier = tier_of_host(host)
        return 0.0 if tier in (USER, CLOUD) else (self.regional_rtt_s if tier == REGIONAL else self.local_rtt_s) / 2


@dataclass(frozen=True)
class Session:
    """What was measured.

    Attributes
    ----------
    begin_s
        When it began; all times are of the monotonic clock.
    transfers
        In the order of their starts.
    journal
        The steps.
    outages
        From stop to running again, as the servers saw it.
    questions
        One row a question of the user's (`user_equipment.COLUMNS`), in the order of asking; what was not answered has no more than that.
    round_trip_s
        Between the first host and every other server, measured before the first transfer.
    """

    begin_s: float
    transfers: Sequence[Transfer]
    journal: Journal
    outages: Sequence[Outage]
    questions: pd.DataFrame
    round_trip_s: dict[str, float]


def hold_session(task: Task, setting: Setting, server: str, course: Callable[[Conductor], None]) -> Session:
    """Set a testbed up, let `course` conduct transfers, and take everything down again.

    Parameters
    ----------
    task, setting
        What, where and how.
    server
        Name of the first server.
    course
        Says at which moments what is decided.

    Raises
    ------
    MsmfError
        If a program that the testbed needs fails, the network does not carry, or the service does not answer.
    """
    with recorded(setting.place) as (name, folder):
        programs = Programs(name, setting.first_in_path)
        build_network(name, [Cable(host, address_of(host), setting.delay_s(host)) for host in host_names()], setting.links, programs)
        hosts = {host: make_host(host, name, folder, programs) for host in host_names()}
        courier = Courier(hosts)
        questions = folder / "questions.csv"
        _start_user(hosts[USER], questions, setting.requests_per_s)
        first = next(host for host in hosts.values() if host.tier == tier_of(server))
        rule = RoundRule(setting.threshold_bytes, task.memory_bytes, task.dirty_bytes_per_s)
        conductor = Conductor(
            Container(name, task.arguments, setting.tracks_changes), hosts, courier, Journal(), rule, setting.handoff, server, first
        )
        round_trip_s = {host: _ping(courier, first.name, host) for host in host_names() if host != first.name}
        begin_s = time.monotonic()
        conductor.deploy(lambda host: copy_image(task.image, host))
        _have(courier, {"next": True}, "the service does not answer")
        try:
            course(conductor)
            conductor.arrive()
        finally:
            conductor.break_off()
        if conductor.is_running:
            _have(courier, {"verify": True}, "the service does not say whether its state is whole")
        _have(courier, {"finish": True}, "the user equipment does not finish")
        courier.close()
        table = pd.read_csv(questions, **EXACT)
        return Session(begin_s, conductor.transfers, conductor.journal, conductor.outages, table, round_trip_s)


def _have(courier: Courier, order: dict[str, bool], failure: str) -> None:
    """Have the user equipment do something; asked again, since a question that comes while the service is stopped is lost."""
    if not courier.ask(CLOUD, USER, CONTROL_PORT, order, _TRIES, _PATIENCE_S):
        raise MsmfError(f"{failure}: the testbed gives up after {_TRIES * _PATIENCE_S:g} s")


def _start_user(host: Host, questions: Path, requests_per_s: float) -> None:
    command = [sys.executable, "-P", "-m", "msmf_traci.testbed.user_equipment", host.address, str(questions), str(requests_per_s)]
    host.programs.start(command, namespace=host.namespace)


def _ping(courier: Courier, one: str, other: str) -> float:
    """Round-trip time between two hosts in seconds, the median of a few."""
    took_s = []
    for _ in range(_PINGS):
        begin_s = time.monotonic()
        courier.carry(one, other, {})
        courier.carry(other, one, {})
        took_s.append(time.monotonic() - begin_s)
    return statistics.median(took_s)
