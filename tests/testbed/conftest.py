"""What tests of the testbed share: a program of ours as an ordinary process, and a client that asks it."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import msmf_traci.testbed

PROGRAMS = Path(msmf_traci.testbed.__file__).parent / "applications"


class Client:
    """Asks a program, and may listen to what it prints."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.connect(("127.0.0.1", port))
        self._seq = 0

    def ask(self, **more: object) -> dict[str, Any]:
        """Send a request and wait for its reply."""
        self._seq += 1
        self.socket.send(json.dumps({"seq": self._seq} | more).encode())
        reply: dict[str, Any] = json.loads(self.socket.recv(65536))
        assert reply["seq"] == self._seq
        return reply

    def wait_until_ready(self) -> dict[str, Any]:
        """Ask until the program answers."""
        for _ in range(300):
            assert self.process.poll() is None, self.process.communicate()
            with contextlib.suppress(ConnectionRefusedError):
                return self.ask()
            time.sleep(0.1)
        raise AssertionError("no answer for half a minute")


Start = Callable[..., Client]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def start_words() -> Iterator[Start]:
    """Start a program by its whole command line; all of them end with the test."""
    clients: list[Client] = []

    def start(*words: object) -> Client:
        port = free_port()
        process = subprocess.Popen(
            list(map(str, words)), env=os.environ | {"MSMF_PORT": str(port)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        clients.append(Client(process, port))
        clients[-1].wait_until_ready()
        return clients[-1]

    yield start
    for client in clients:
        client.process.kill()
        client.process.communicate()
        client.socket.close()


@pytest.fixture
def start(start_words: Start) -> Start:
    """Start ram or game with memory and dirty rate, as a container would."""

    def start_program(application: str, memory_mb: float, percent_per_s: float) -> Client:
        return start_words(sys.executable, "-S", "-E", "-u", PROGRAMS / f"{application}.py", memory_mb, percent_per_s)

    return start_program


@pytest.fixture(scope="session")
def face_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs with what face needs beside it."""
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV: pip install 'msmf-traci[testbed]'")
    from msmf_traci.testbed.face_video import write_video

    folder = tmp_path_factory.mktemp("face")
    for path in [*PROGRAMS.glob("*.py"), Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"]:
        shutil.copy(path, folder)
    write_video(folder / "video.avi")
    return folder
