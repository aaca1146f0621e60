"""Messages between the hosts: status, target, handoff signal and new address travel over the testbed's own links."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from typing import Any

from msmf_traci.errors import MsmfError
from msmf_traci.testbed.hosts import Host
from msmf_traci.testbed.namespaces import datagram_socket

_PORT = 9200
_TRIES, _PATIENCE_S = 3, 1.0


class Courier:
    """Sends datagrams from host to host and waits for them there.

    Parameters
    ----------
    hosts
        Who can send and receive.
    """

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        self._sockets = {name: datagram_socket(host.namespace, host.address, _PORT) for name, host in hosts.items()}
        self._addresses = {name: host.address for name, host in hosts.items()}
        self._number = 0

    def carry(self, sender: str, receiver: str, message: Mapping[str, Any]) -> None:
        """Send a message and wait until it has arrived.

        Raises
        ------
        MsmfError
            If it does not, sent three times.
        """
        self._number += 1
        said = json.dumps({**message, "number": self._number}).encode()
        for _ in range(_TRIES):
            self._sockets[sender].sendto(said, (self._addresses[receiver], _PORT))
            if self._has_come(self._sockets[receiver], _PATIENCE_S):
                return
        raise MsmfError(f"host {receiver} does not hear host {sender}: the testbed's network does not work; run msmf-traci testbed check")

    def tell(self, sender: str, receiver: str, port: int, message: Mapping[str, Any]) -> None:
        """Send a message to a program, and do not wait."""
        self._sockets[sender].sendto(json.dumps(message).encode(), (self._addresses[receiver], port))

    def ask(self, sender: str, receiver: str, port: int, message: Mapping[str, Any], tries: int, patience_s: float) -> bool:
        """Send a message to a program until it is acknowledged; whether it has been. An acknowledgement of any try will do."""
        self._number += 1
        for _ in range(tries):
            self.tell(sender, receiver, port, {**message, "number": self._number})
            if self._has_come(self._sockets[sender], patience_s):
                return True
        return False

    def close(self) -> None:
        """Close the sockets."""
        for each in self._sockets.values():
            each.close()

    def _has_come(self, receiver: socket.socket, patience_s: float) -> bool:
        """Wait for the newest message; what comes of earlier ones is passed over."""
        deadline_s = time.monotonic() + patience_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            receiver.settimeout(left_s)
            try:
                said, _ = receiver.recvfrom(4096)
            except TimeoutError:
                return False
            if json.loads(said).get("number") == self._number:
                return True
        return False
