"""Runs that are given the same port drive each its own SUMO, and nobody waits for ever for one."""

import ipaddress
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from msmf_traci.errors import ToolError
from msmf_traci.mobility import traci_reader, watch
from msmf_traci.mobility.traci_reader import HOST, running_traci
from msmf_traci.mobility.watch import ProcessEnded, Watch
from tests.mobility.small_town import Town, build_town, vehicle

LISTENER = """
import socket, sys, time
server = socket.create_server(("", 0))
print(server.getsockname()[1], flush=True)
kept = []
while True:
    kept.append(server.accept())
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, sumo_home: Path) -> Town:
    return build_town(tmp_path_factory.mktemp("town"), sumo_home)


def first_port(port: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give this port first, then free ones; returns the ports that were given."""
    given: list[int] = []
    free_port = traci_reader._free_port

    @contextmanager
    def port_of_a_run() -> Iterator[int]:
        if not given:
            given.append(port)
            yield port
            return
        with free_port() as other:
            given.append(other)
            yield other

    monkeypatch.setattr(traci_reader, "_free_port", port_of_a_run)
    return given


def test_a_port_on_which_another_program_listens_and_says_nothing_is_left(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            given = first_port(int(other.stdout.readline()), monkeypatch)
            _, roster = town.drive(vehicle("v", "ab bc"), tmp_path, running=running_traci)
        finally:
            other.kill()
    assert roster.vehicles == ["v"] and len(given) == 2


def test_the_sumo_of_another_run_is_not_driven(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sumo_home: Path) -> None:
    """Another run's SUMO waits for its client on the port that this run is given."""
    with traci_reader._free_port() as port:
        pass
    (tmp_path / "other.rou.xml").write_text(f"<routes>{vehicle('other', 'cd da')}</routes>")
    command = [str(sumo_home / "bin" / "sumo"), "-n", str(town.net_file), "-r", "other.rou.xml", "--remote-port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        try:
            while not any(each.laddr.port == port for each in psutil.Process(other.pid).net_connections()):
                assert other.poll() is None
            given = first_port(port, monkeypatch)
            _, roster = town.drive(vehicle("mine", "ab bc"), tmp_path, running=running_traci)
        finally:
            other.kill()
    assert roster.vehicles == ["mine"] and len(given) == 2


def test_ports_that_are_all_taken_are_one_sentence(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            port = int(other.stdout.readline())

            @contextmanager
            def same_port() -> Iterator[int]:
                yield port

            monkeypatch.setattr(traci_reader, "_free_port", same_port)
            with pytest.raises(ToolError, match="ports, one after the other, were taken by other programs"):
                town.drive(vehicle("v", "ab bc"), tmp_path, running=running_traci)
        finally:
            other.kill()


def test_sumo_is_reached_where_no_name_can_be_resolved() -> None:
    # pinned: without /etc/hosts "localhost" is unknown, and every port was said to be taken
    assert ipaddress.ip_address(HOST).is_loopback


def test_a_program_that_does_nothing_is_told_from_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_S", 0.05)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as idle:
        watched = Watch(idle, idle_s=0.5)
        with pytest.raises(ToolError, match="make it wait for something"):
            while True:
                watched.look()
        idle.kill()
    with pytest.raises(ProcessEnded):
        watched.look()
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        watched = Watch(busy, idle_s=0.5)
        seen_s = 0.0
        while seen_s < 1.0:  # of work, twice what it may idle
            watched.look()
            seen_s = psutil.Process(busy.pid).cpu_times().user
        busy.kill()
