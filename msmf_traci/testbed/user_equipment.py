"""The user equipment: asks the service a hundred times a second and writes down every question, answered or not.

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
from typing import Any, NamedTuple

from msmf_traci.testbed.container import PORT

CONTROL_PORT = 9100
COLUMNS = ("seq", "asked_s", "answered_s", "server", "counter", "session", "dirtied_bytes", "intact")


class _Order(NamedTuple):
    """Who is to know when something is done, and under which number."""

    sender: Any
    number: int | None


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
        self._verify = False
        self._next_answer: _Order | None = None
        self._verified: _Order | None = None
        self._asked_s: list[float] = []
        self._answers: dict[int, tuple[Any, ...]] = {}

    def work(self) -> _Order:
        """Ask until told to finish; the order to."""
        next_s = time.monotonic()
        while True:
            ready = select.select((self._service, self._control), (), (), max(0.0, next_s - time.monotonic()))[0]
            if self._service in ready:
                self._listen()
            if self._control in ready:
                said, sender = self._control.recvfrom(4096)
                content = json.loads(said)
                order = _Order(sender, content.get("number"))
                self._obey(content, order)
                if content.get("finish"):
                    return order
            if time.monotonic() >= next_s:
                next_s += self._interval_s
                self._ask()

    def rows(self) -> list[tuple[Any, ...]]:
        """One row a question, in the columns of COLUMNS."""
        nothing = ("",) * (len(COLUMNS) - 2)
        return [(number, asked_s, *self._answers.get(number, nothing)) for number, asked_s in enumerate(self._asked_s, 1)]

    def acknowledge(self, order: _Order) -> None:
        """Tell whoever gave an order that it is done."""
        self._control.sendto(json.dumps({"number": order.number}).encode(), order.sender)

    def _obey(self, content: dict[str, Any], order: _Order) -> None:
        self._server = content.get("server", self._server)
        if content.get("next"):
            self._next_answer = order
        if content.get("verify"):
            self._verify, self._verified = True, order

    def _ask(self) -> None:
        if self._server is None:
            return
        self._asked_s.append(time.monotonic())
        question = {"seq": len(self._asked_s), "player": "user", "move": [1, 0]} | ({"verify": True} if self._verify else {})
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
            intact = answer.get("intact")
            self._answers[int(answer["seq"])] = now_s, server, answer["counter"], answer["session"], answer["dirtied_bytes"], intact
            if self._next_answer is not None:
                self.acknowledge(self._next_answer)
                self._next_answer = None
            if intact is not None and self._verified is not None:
                self.acknowledge(self._verified)
                self._verified = None


def main(words: Sequence[str]) -> None:
    """Work, and write the questions with their answers to a file at the end."""
    address, file, requests_per_s = words
    user = UserEquipment(address, float(requests_per_s))
    order = user.work()
    with Path(file).open("w", newline="", encoding="utf-8") as table:
        writer = csv.writer(table)
        writer.writerow(COLUMNS)
        writer.writerows(user.rows())
    user.acknowledge(order)


def _datagrams(address: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((address, port))
    opened.setblocking(False)
    return opened


if __name__ == "__main__":
    main(sys.argv[1:])
