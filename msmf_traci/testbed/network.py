"""The network of a testbed: a namespace for each host, and a cable from each to a switch, with a bandwidth and a delay."""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msmf_traci.errors import MsmfError
from msmf_traci.testbed.namespaces import entered
from msmf_traci.testbed.programs import Programs, end, last_line
from msmf_traci.testbed.relay import DEVICE, READY
from msmf_traci.units import BYTES_PER_MBIT

_SWITCH = "switch"
_BURST_BYTES = 32_000
_QUEUE_S = 0.05  # what a full queue of a link holds back
_RELAY_STARTS_S = 20.0
# Of every namespace, so that repetitions do not depend on each other
_SETTINGS = {
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv4/tcp_no_metrics_save": "1",
}


@dataclass(frozen=True)
class Cable:
    """What connects a host with the switch.

    Attributes
    ----------
    host
        Name of the host.
    address
        Its IPv4 address.
    delay_s
        How long a frame takes, one way.
    """

    host: str
    address: str
    delay_s: float


@dataclass(frozen=True)
class Links:
    """How all cables are made.

    Attributes
    ----------
    bandwidth_mbps
        Of each cable and direction.
    has_netem
        Whether the kernel can delay frames; otherwise a relay in user space does.
    """

    bandwidth_mbps: float
    has_netem: bool


def namespace_of(testbed: str, host: str) -> str:
    """Name of a host's namespace."""
    return f"{testbed}-{host}"


def build_network(testbed: str, cables: Sequence[Cable], links: Links, programs: Programs) -> None:
    """Make the namespaces, devices and queues; `leftovers.clear` removes them.

    Raises
    ------
    MsmfError
        If the system refuses one of them.
    """
    switch = namespace_of(testbed, _SWITCH)
    for namespace in (switch, *(namespace_of(testbed, cable.host) for cable in cables)):
        programs.run(["ip", "netns", "add", namespace])
        _settle(namespace)
    _ip(programs, switch, ["link add br0 type bridge", "link set br0 up"])
    relayed = [cable for cable in cables if cable.delay_s > 0 and not links.has_netem]
    for cable in cables:
        if cable not in relayed:
            host = namespace_of(testbed, cable.host)
            _ip(programs, switch, [f"link add {cable.host} type veth peer name {DEVICE} netns {host}"])
    if relayed:
        _start_relay(testbed, relayed, programs)
    for cable in cables:
        host = namespace_of(testbed, cable.host)
        _ip(programs, host, ["link set lo up", f"addr add {cable.address}/24 dev {DEVICE}", f"link set {DEVICE} up"])
        _ip(programs, switch, [f"link set {cable.host} master br0", f"link set {cable.host} up"])
        delay_s = 0.0 if cable in relayed else cable.delay_s
        _shape(programs, host, DEVICE, links, delay_s)
        _shape(programs, switch, cable.host, links, delay_s)


def sent_bytes(namespace: str) -> int:
    """Bytes that a host has sent so far, with all headers."""
    with entered(namespace):
        lines = Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.strip().startswith(f"{DEVICE}:")).split(":")[1].split()[8])


def _settle(namespace: str) -> None:
    with entered(namespace):
        for name, value in _SETTINGS.items():
            setting = Path("/proc/sys") / name
            if setting.exists():
                setting.write_text(value)


def _ip(programs: Programs, namespace: str, lines: Sequence[str]) -> None:
    programs.run(["ip", "-n", namespace, "-batch", "-"], said="".join(f"{line}\n" for line in lines))


def _shape(programs: Programs, namespace: str, device: str, links: Links, delay_s: float) -> None:
    """Limit what leaves a device to the bandwidth and, with netem, hold it back."""
    queue_bytes = max(10 * _BURST_BYTES, round(_QUEUE_S * links.bandwidth_mbps * BYTES_PER_MBIT))
    bucket = ["tbf", "rate", f"{links.bandwidth_mbps}mbit", "burst", str(_BURST_BYTES), "limit", str(queue_bytes)]
    add = ["tc", "-n", namespace, "qdisc", "add", "dev", device]
    if delay_s > 0:
        on_the_way = round(delay_s * links.bandwidth_mbps * BYTES_PER_MBIT / 64)  # frames of the smallest size
        programs.run([*add, "root", "handle", "1:", "netem", "delay", f"{delay_s * 1e6:.0f}us", "limit", str(1000 + on_the_way)])
        programs.run([*add, "parent", "1:1", "handle", "10:", *bucket])
    else:
        programs.run([*add, "root", *bucket])


def _start_relay(testbed: str, cables: Sequence[Cable], programs: Programs) -> None:
    words = [f"{namespace_of(testbed, cable.host)}:{cable.host}:{cable.delay_s!r}" for cable in cables]
    command = [sys.executable, "-P", "-m", "msmf_traci.testbed.relay", namespace_of(testbed, _SWITCH), *words]
    relay = programs.start(command, output=subprocess.PIPE)
    assert relay.stdout is not None and relay.stderr is not None
    said = select.select([relay.stdout], (), (), _RELAY_STARTS_S)[0] and relay.stdout.readline().strip()
    if said != READY:
        end(relay)
        raise MsmfError(f"the relay that delays frames did not start: {last_line(relay.stderr.read())}")
