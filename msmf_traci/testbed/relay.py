"""A cable with a delay, in user space, for kernels without netem: Ethernet frames are held for a time between two tap devices.

Started as a program: `python -m msmf_traci.testbed.relay SWITCH NAMESPACE:PORT:DELAY_S ...`. Makes the device `eth0` in each namespace
and PORT in the switch's, says `ready`, and carries frames both ways, each DELAY_S later, until it is ended; the devices go with it.
"""

from __future__ import annotations

import fcntl
import gc
import os
import select
import struct
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from msmf_traci.testbed.namespaces import entered

READY = "ready"
DEVICE = "eth0"  # of a host
_TUNSETIFF = 0x400454CA  # linux/if_tun.h
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_LONGEST_FRAME = 2048
_FRAMES_AT_ONCE = 32


class _Way(NamedTuple):
    """One direction of a cable: frames read from one device wait for their time and are written to the other."""

    source: int
    sink: int
    delay_s: float
    waiting: deque[tuple[float, bytes]]


def main(words: Sequence[str]) -> None:
    """Carry frames until the process is ended."""
    switch, *cables = words
    ways = []
    for cable in cables:
        namespace, port, delay = cable.split(":")
        host_end, switch_end = _tap(namespace, DEVICE), _tap(switch, port)
        for source, sink in ((host_end, switch_end), (switch_end, host_end)):
            ways.append(_Way(source, sink, float(delay), deque()))
    print(READY, flush=True)
    gc.disable()
    with suppress(OSError):  # a frame that is due should not wait for a memory dump
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    carry(ways)


def carry(ways: Sequence[_Way]) -> None:
    """Carry frames for ever."""
    by_source = {way.source: way for way in ways}
    while True:
        due_s = min((way.waiting[0][0] for way in ways if way.waiting), default=None)
        timeout_s = None if due_s is None else max(0.0, due_s - time.monotonic())
        for source in select.select(by_source, (), (), timeout_s)[0]:
            _take(by_source[source])
        now_s = time.monotonic()
        for way in ways:
            waiting = way.waiting
            while waiting and waiting[0][0] <= now_s:
                with suppress(OSError):  # a device that is down loses frames, as a pulled cable does
                    os.write(way.sink, waiting.popleft()[1])


def _take(way: _Way) -> None:
    for _ in range(_FRAMES_AT_ONCE):
        try:
            frame = os.read(way.source, _LONGEST_FRAME)
        except OSError:
            return
        way.waiting.append((time.monotonic() + way.delay_s, frame))


def _tap(namespace: str, name: str) -> int:
    """Make a tap device in a namespace; it lives as long as the descriptor is open."""
    with entered(namespace):
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return descriptor


if __name__ == "__main__":
    main(sys.argv[1:])
