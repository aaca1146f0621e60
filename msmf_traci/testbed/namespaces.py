"""Network namespaces: the calling thread enters one, and comes back."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMES = Path("/run/netns")  # where `ip netns` keeps them
_CLONE_NEWNET = 0x40000000  # linux/sched.h


@contextmanager
def entered(namespace: str) -> Iterator[None]:
    """Let the calling thread, and no other, work in a network namespace; what it opens there stays there.

    Raises
    ------
    OSError
        If there is no such namespace, or the process may not enter it.
    """
    with Path("/proc/thread-self/ns/net").open("rb") as before, (NAMES / namespace).open("rb") as there:
        _set_namespace(there.fileno())
        try:
            yield
        finally:
            _set_namespace(before.fileno())


def datagram_socket(namespace: str, address: str, port: int = 0) -> socket.socket:
    """A UDP socket in a namespace, bound to one of its addresses; port 0: any."""
    with entered(namespace):
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((address, port))
    return opened


def _set_namespace(descriptor: int) -> None:
    # os.setns is there from Python 3.12 on
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
