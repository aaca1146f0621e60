"""The user equipment: asks the service a hundred times a second and writes down every answer.

Started as a program in the host's namespace: `python -m msmf_traci.testbed.user_equipment ADDRESS FILE REQUESTS_PER_S`. Datagrams to
its control port tell it which server to ask (`{"server": ADDRESS}`), to say when the next answer has come (`{"next": true}`), to have
the service check its state and say when that has been done (`{"verify": true}`), and to finish (`{"finish": true}`), which it
acknowledges once the file is written.
"""

from __future__ import annotations

import csv
import json
import select
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msmf_traci.testbed.container import PORT

CONTROL_PORT = 9100
COLUMNS = ("seq", "asked_s", "answered_s", "server", "counter", "session", "dirtied_bytes", "intact")


class UserEquipment:
    """Asks, listens and obeys.

    Parameters
    ----------
    address
        Its own.
    requests_per_s
        How often it asks.
    """

    def __init__(self, address: str, requests_per_s: float) -> None:
        self._control = _datagrams(address, CONTROL_PORT)
        self._service = _datagrams(address, 0)
        self._interval_s = 1 / requests_per_s
        self._server: str | None = None
        self._number = 0
        self._verify = False
        self._asked_s: dict[int, float] = {}
        self._to_tell_next: Any = None
        self._to_tell_verified: Any = None
        self.answers: list[tuple[Any, ...]] = []

    def work(self) -> Any:
        """Ask until told to finish; who is to know that it has."""
        next_s = time.monotonic()
        while True:
            ready = select.select((self._service, self._control), (), (), max(0.0, next_s - time.monotonic()))[0]
            if self._service in ready:
                self._listen()
            if self._control in ready:
                said, who = self._control.recvfrom(4096)
                if self._obey(json.loads(said), who):
                    return who
            if time.monotonic() >= next_s:
                next_s += self._interval_s
                self._ask()

    def acknowledge(self, who: Any) -> None:
        """Tell somebody that what they asked for is done."""
        self._control.sendto(b"{}", who)

    def _obey(self, order: dict[str, Any], who: Any) -> bool:
        self._server = order.get("server", self._server)
        if order.get("next"):
            self._to_tell_next = who
        if order.get("verify"):
            self._verify, self._to_tell_verified = True, who
        return bool(order.get("finish"))

    def _ask(self) -> None:
        if self._server is None:
            return
        self._number += 1
        self._asked_s[self._number] = time.monotonic()
        question = {"seq": self._number, "player": "user", "move": [1, 0]} | ({"verify": True} if self._verify else {})
        self._verify = False
        with suppress(OSError):  # the port of a server that has no service yet is closed
            self._service.sendto(json.dumps(question).encode(), (self._server, PORT))

    def _listen(self) -> None:
        while True:
            try:
                said, (server, _) = self._service.recvfrom(65_536)
            except BlockingIOError:
                return
            except OSError:
                continue  # told of a closed port
            now_s = time.monotonic()
            answer = json.loads(said)
            number, intact = int(answer["seq"]), answer.get("intact")
            self.answers.append(
                (number, self._asked_s[number], now_s, server, answer["counter"], answer["session"], answer["dirtied_bytes"], intact)
            )
            if self._to_tell_next is not None:
                self.acknowledge(self._to_tell_next)
                self._to_tell_next = None
            if intact is not None and self._to_tell_verified is not None:
                self.acknowledge(self._to_tell_verified)
                self._to_tell_verified = None


def main(words: Sequence[str]) -> None:
    """Work, and write the answers to a file at the end."""
    address, file, requests_per_s = words
    user = UserEquipment(address, float(requests_per_s))
    who = user.work()
    with Path(file).open("w", newline="", encoding="utf-8") as table:
        writer = csv.writer(table)
        writer.writerow(COLUMNS)
        writer.writerows(user.answers)
    user.acknowledge(who)


def _datagrams(address: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((address, port))
    opened.setblocking(False)
    return opened


if __name__ == "__main__":
    main(sys.argv[1:])
