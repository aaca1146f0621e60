"""What the programs inside the containers share: memory of a given size that keeps changing, and a loop that answers over UDP.

Every page of the memory carries a stamp (its number, how often it was rewritten, something of the application's, checksums), so that
the whole state can be checked after a migration: a page that is damaged, in the wrong place or older than the rest is found.
Nothing here may stand in a checkpoint's way: one socket, no file, no thread. The standard library only, and little of it.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import socket
import struct
import sys
import time
from binascii import crc32
from contextlib import suppress

PORT = 9000
PORT_VARIABLE = "MSMF_PORT"
PAYLOAD_BYTES = 40

_BYTES_PER_MB = 1e6
_PAGE = mmap.PAGESIZE
# page number, generation, payload; a checksum of these; a checksum of the body, which is drawn once
_STAMP = struct.Struct(f"<QQ{PAYLOAD_BYTES}s")
_SUM = struct.Struct("<I")
_SUM_AT = _STAMP.size
_BODY_SUM_AT = _SUM_AT + _SUM.size
_BODY_AT = _BODY_SUM_AT + _SUM.size

_TICK_S = 0.01
# longer is a pause (frozen, moved, restored), which is not made up for
_MOST_ELAPSED_S = 0.1
_LARGEST_DATAGRAM = 65536
_REQUESTS_AT_ONCE = 64
_WARM_UP_PAGES = 8
_WRONG = 2


class Application:
    """What one program does beside keeping memory busy; this one does nothing."""

    memory: Memory

    def payload(self, number: int, generation: int, previous: bytes) -> bytes:
        """What a page is to say in its next generation (0: the first): PAYLOAD_BYTES bytes."""
        return os.urandom(PAYLOAD_BYTES)

    def advance(self, elapsed_s: float) -> None:
        """Let time pass."""

    def answer(self, request: dict[str, object]) -> dict[str, object]:
        """The application's own part of a reply."""
        return {}


class Memory:
    """Pages of anonymous memory, rewritten in sequence round and round: what is dirty grows linearly, up to all of it."""

    def __init__(self, pages: int, application: Application) -> None:
        self.pages = pages
        # how many pages were rewritten so far, each time counted
        self.rewritten = 0
        self._application = application
        self._buffer = mmap.mmap(-1, pages * _PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        # a huge page would be dirty as a whole; there are kernels without them
        with suppress(OSError):
            self._buffer.madvise(mmap.MADV_NOHUGEPAGE)
        for number in range(pages):
            body = os.urandom(_PAGE - _BODY_AT)
            start = number * _PAGE
            self._buffer[start + _BODY_SUM_AT : start + _PAGE] = _SUM.pack(crc32(body)) + body
            self._stamp(number, 0, b"")

    def payload(self, number: int) -> bytes:
        """What a page says now."""
        start = number * _PAGE
        content: bytes = _STAMP.unpack_from(self._buffer, start)[2]
        return content

    def rewrite(self, pages: int) -> None:
        """Rewrite the next pages."""
        for _ in range(pages):
            generation, number = divmod(self.rewritten, self.pages)
            self._stamp(number, generation + 1, self.payload(number))
            self.rewritten += 1

    def is_intact(self) -> bool:
        """Whether every page is what it has to be by now."""
        rounds, next_number = divmod(self.rewritten, self.pages)
        with memoryview(self._buffer) as view:
            for number in range(self.pages):
                start = number * _PAGE
                stamp = view[start : start + _SUM_AT]
                if _STAMP.unpack(stamp)[:2] != (number, rounds + (number < next_number)):
                    return False
                if _SUM.unpack_from(view, start + _SUM_AT)[0] != crc32(stamp):
                    return False
                if _SUM.unpack_from(view, start + _BODY_SUM_AT)[0] != crc32(view[start + _BODY_AT : start + _PAGE]):
                    return False
        return True

    def _stamp(self, number: int, generation: int, previous: bytes) -> None:
        start = number * _PAGE
        stamp = _STAMP.pack(number, generation, self._application.payload(number, generation, previous))
        self._buffer[start : start + _BODY_SUM_AT] = stamp + _SUM.pack(crc32(stamp))


class Service:
    """An application with its memory: what it answers, and what it does as time passes."""

    def __init__(self, application: Application, pages: int, pages_per_s: float) -> None:
        self.session = os.urandom(8).hex()
        self.counter = 0
        self._application = application
        self._pages_per_s = pages_per_s
        # pages to rewrite by now, part of one included
        self._due = 0.0
        self._memory = application.memory = Memory(pages, application)

    def reply(self, datagram: bytes) -> bytes | None:
        """The answer to a datagram; none to what is no request."""
        try:
            request = json.loads(datagram)
        except (ValueError, RecursionError):
            return None
        if not isinstance(request, dict) or "seq" not in request:
            return None
        own = self._application.answer(request)
        self.counter += 1
        answer = {
            "seq": request["seq"],
            "counter": self.counter,
            "session": self.session,
            "dirtied_bytes": self._memory.rewritten * _PAGE,
            **own,
        }
        if request.get("verify") is True:
            answer["intact"] = self._memory.is_intact()
        return json.dumps(answer).encode()

    def advance(self, elapsed_s: float) -> None:
        """Let time pass: rewrite what is due, and let the application do its part."""
        elapsed_s = min(max(elapsed_s, 0.0), _MOST_ELAPSED_S)
        self._due += self._pages_per_s * elapsed_s
        pages = int(self._due)
        self._due -= pages
        self._memory.rewrite(pages)
        self._application.advance(elapsed_s)


def serve(application: Application) -> None:
    """Answer for ever: memory and dirty rate from the command line, the port from the environment."""
    name = sys.argv[0].rpartition("/")[2].removesuffix(".py")
    try:
        memory_mb, percent_per_s = (float(word) for word in sys.argv[1:])
        port = int(os.environ.get(PORT_VARIABLE, PORT))
        if not (0 < memory_mb < float("inf") and 0 <= percent_per_s < float("inf")):
            raise ValueError
    except ValueError:
        _give_up(f"{name}: give MEMORY_MB and DIRTY_PERCENT_PER_S, two numbers, and in {PORT_VARIABLE} a port or nothing")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port_socket:
        port_socket.bind(("0.0.0.0", port))
        port_socket.setblocking(False)
        warm_up(application)
        interpreter = anonymous_bytes()
        pages = int((memory_mb * _BYTES_PER_MB - interpreter) // _PAGE)
        if pages < 1:
            smallest = -(-(interpreter + _PAGE) // 100_000) / 10
            _give_up(
                f"{name}: MEMORY_MB is {memory_mb:g}, but the program alone takes {interpreter / 1e6:.1f} MB; give {smallest:.1f} or more"
            )
        _loop(port_socket, Service(application, pages, memory_mb * _BYTES_PER_MB * percent_per_s / 100 / _PAGE))


def warm_up(application: Application) -> None:
    """Do once what is done later, so that what it takes in memory is there before memory is measured."""
    service = Service(application, _WARM_UP_PAGES, _WARM_UP_PAGES / _MOST_ELAPSED_S)
    for _ in range(20):
        service.advance(_MOST_ELAPSED_S)
        service.reply(b'{"seq": 0, "verify": true}')
    service.reply(b"no request")


def anonymous_bytes() -> int:
    """This process's anonymous memory: what a checkpoint of it amounts to."""
    try:
        with open("/proc/self/smaps_rollup", encoding="ascii") as lines:
            return _sum_anonymous(lines.read())
    except OSError:
        with open("/proc/self/smaps", encoding="ascii", errors="replace") as lines:
            return _sum_anonymous(lines.read())


def _sum_anonymous(text: str) -> int:
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Anonymous:"))


def _loop(port_socket: socket.socket, service: Service) -> None:
    before = time.monotonic()
    while True:
        # no longer than a tick: after a restore the clock may be another machine's, and behind
        wait_s = min(before + _TICK_S - time.monotonic(), _TICK_S)
        if wait_s > 0 and select.select([port_socket], [], [], wait_s)[0]:
            _answer(port_socket, service)
        now = time.monotonic()
        if not before <= now < before + _TICK_S:
            service.advance(now - before)
            before = now


def _answer(port_socket: socket.socket, service: Service) -> None:
    """Answer what has come in; not all of a flood at once."""
    for _ in range(_REQUESTS_AT_ONCE):
        try:
            datagram, sender = port_socket.recvfrom(_LARGEST_DATAGRAM)
        except OSError:
            return
        reply = service.reply(datagram)
        if reply is not None:
            # no way there just now: as if it had been lost
            with suppress(OSError):
                port_socket.sendto(reply, sender)


def _give_up(sentence: str) -> None:
    print(sentence, file=sys.stderr)
    raise SystemExit(_WRONG)
