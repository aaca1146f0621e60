"""The programs inside the containers: memory of the size and at the rate that is asked for, whole at any time, and quick answers."""

import importlib.util
import itertools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.testbed.conftest import PROGRAMS, Client, Start

LINUX = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads memory from /proc, as the programs do")
pytestmark = LINUX


def anonymous_bytes(client: Client) -> int:
    lines = Path(f"/proc/{client.process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))


def rate_and_delays(client: Client, seconds: float) -> tuple[float, list[float]]:
    """Bytes dirtied per second, and how long each answer took (s), of requests every few milliseconds."""
    delays = []
    first, begin = client.ask(), time.monotonic()
    while time.monotonic() - begin < seconds:
        sent = time.monotonic()
        client.ask()
        delays.append(time.monotonic() - sent)
        time.sleep(0.004)
    last = client.ask()
    return (last["dirtied_bytes"] - first["dirtied_bytes"]) / (time.monotonic() - begin), sorted(delays)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The common part as a module, to look inside."""
    spec = importlib.util.spec_from_file_location("service", PROGRAMS / "service.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "service", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("application", "memory_mb"), [("ram", 10), ("ram", 100), ("game", 60)])
def test_memory_has_the_size_that_is_asked_for(start: Start, application: str, memory_mb: float) -> None:
    client = start(application, memory_mb, 5)
    time.sleep(0.5)
    assert anonymous_bytes(client) == pytest.approx(memory_mb * 1e6, rel=0.02)


@pytest.mark.parametrize(("application", "memory_mb", "percent"), [("ram", 20, 5), ("ram", 300, 10), ("game", 100, 3)])
def test_memory_is_dirtied_at_its_rate_while_answers_stay_quick(start: Start, application: str, memory_mb: float, percent: float) -> None:
    client = start(application, memory_mb, percent)
    rate, delays = rate_and_delays(client, 2)
    assert rate == pytest.approx(memory_mb * 1e6 * percent / 100, rel=0.1)
    assert delays[len(delays) // 2] < 2e-3
    assert client.ask(verify=True)["intact"] is True


def test_nothing_is_dirtied_at_rate_zero(start: Start) -> None:
    client = start("ram", 10, 0)
    rate, _ = rate_and_delays(client, 0.3)
    assert rate == 0
    assert client.ask(verify=True)["intact"] is True


def test_a_pause_is_not_made_up_for(start: Start) -> None:
    client = start("ram", 20, 100)
    before = client.ask()
    client.process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)
    client.process.send_signal(signal.SIGCONT)
    after = client.ask()
    assert after["dirtied_bytes"] - before["dirtied_bytes"] < 20e6 * 0.5
    assert after["session"] == before["session"]
    assert after["counter"] == before["counter"] + 1


def test_a_program_serves_with_one_thread_and_one_socket(start: Start) -> None:
    client = start("game", 10, 5)
    process = Path(f"/proc/{client.process.pid}")
    assert len(list((process / "task").iterdir())) == 1
    opened = [str(path.readlink()) for path in (process / "fd").iterdir() if int(path.name) > 2]
    assert sum(name.startswith("socket:") for name in opened) == 1
    assert not [name for name in opened if name.endswith((".py", ".so", ".avi"))]


@pytest.mark.parametrize(
    "garbage", [b"", b"\xff\xfe", b"[1, 2]", b'{"no": "seq"}', b"[" * 5000, b'{"seq": ' + b"9" * 5000 + b"}", bytes(60000)], ids=len
)
def test_garbage_is_neither_answered_nor_counted(start: Start, garbage: bytes) -> None:
    client = start("game", 10, 5)
    before = client.ask()
    client.socket.send(garbage)
    assert client.ask()["counter"] == before["counter"] + 1


def test_another_start_is_another_session(start: Start) -> None:
    assert start("ram", 10, 1).ask()["session"] != start("ram", 10, 1).ask()["session"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [(["1", "5"], "the program alone takes"), (["10"], "two numbers"), (["ten", "5"], "two numbers"), (["10", "-1"], "two numbers")],
)
def test_wrong_words_get_one_sentence(words: list[str], reason: str) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-E", PROGRAMS / "ram.py", *words], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_pages_are_dirtied_in_sequence_round_the_memory(service: ModuleType) -> None:
    memory = service.Memory(5, service.Application())
    seen = [memory.payload(number) for number in range(5)]
    assert memory.is_intact()
    for count in range(1, 13):
        memory.rewrite(1)
        now = [memory.payload(number) for number in range(5)]
        assert [number for number in range(5) if now[number] != seen[number]] == [(count - 1) % 5]
        seen = now
        assert memory.is_intact()


def test_damage_an_exchange_and_an_old_page_are_found(service: ModuleType) -> None:
    page = service.mmap.PAGESIZE

    def damaged(change: Any) -> bool:
        memory = service.Memory(4, service.Application())
        old = memory._buffer[:page]
        memory.rewrite(6)
        assert memory.is_intact()
        change(memory._buffer, old)
        return not memory.is_intact()

    def flip(at: int) -> Any:
        def change(buffer: Any, _: bytes) -> None:
            buffer[at] ^= 1

        return change

    def exchange(buffer: Any, _: bytes) -> None:
        buffer[:page], buffer[page : 2 * page] = buffer[page : 2 * page], buffer[:page]

    def turn_back(buffer: Any, old: bytes) -> None:
        buffer[:page] = old

    assert all(damaged(flip(at)) for at in (0, 8, 20, 57, 61, 100, page - 1, 4 * page - 1))
    assert damaged(exchange)
    assert damaged(turn_back)


def test_contents_do_not_compress(service: ModuleType) -> None:
    import zlib

    memory = service.Memory(64, service.Application())
    content = memory._buffer[:]
    assert len(zlib.compress(content)) > 0.98 * len(content)


def test_players_stand_where_their_moves_took_them(start: Start) -> None:
    client = start("game", 10, 10)
    begin = client.ask(player="ann")["position"]
    moves = [[1, 2], [3, -1], [0.5, 0.25], [100, -100], [float("nan"), 0], "left", [1], [1, "2"]]
    for move in moves:
        client.ask(player="ann", move=move)
    other = client.ask(player="bob", move=[0, 0])
    assert other["players"] == 2
    time.sleep(0.2)
    expected = list(begin)
    for dx, dy in ([1, 2], [3, -1], [0.5, 0.25], [5, -5], [0, 0]):
        expected = [min(max(expected[0] + dx, 0), 1000), min(max(expected[1] + dy, 0), 1000)]
    assert client.ask(player="ann")["position"] == expected


def test_the_same_moves_lead_to_the_same_place(start: Start) -> None:
    places = []
    for pause in (0.0, 0.03):
        client = start("game", 10, 10)
        for step in range(12):
            client.ask(player="ann", move=[step % 5 - 2.3, 4.1 - step % 7])
            time.sleep(pause)
        time.sleep(0.2)
        places.append(client.ask(player="ann")["position"])
    assert places[0] == places[1]


def test_the_game_ticks_twenty_times_a_second(start: Start) -> None:
    client = start("game", 10, 1)
    first, begin = client.ask()["tick"], time.monotonic()
    time.sleep(1.5)
    assert (client.ask()["tick"] - first) / (time.monotonic() - begin) == pytest.approx(20, rel=0.15)


def test_creatures_move_as_their_region_is_gone_over_and_stay_in_it(service: ModuleType) -> None:
    spec = importlib.util.spec_from_file_location("game", PROGRAMS / "game.py")
    assert spec is not None and spec.loader is not None
    game = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(game)
    program = game.Program()
    for number in range(20):
        states = [program.payload(number, 0, b"")]
        for generation in range(1, 40):
            states.append(program.payload(number, generation, states[-1]))
        creatures = [game._CREATURE.unpack(state) for state in states]
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y, *_ in creatures)
        assert all(before[:2] != after[:2] for before, after in itertools.pairwise(creatures))


def test_faces_are_found_in_most_frames_while_requests_are_answered(face_folder: Path, start_words: Start) -> None:
    client = start_words(sys.executable, "-u", face_folder / "face.py", 100, 3)
    assert anonymous_bytes(client) == pytest.approx(100e6, rel=0.02)
    first = client.ask()
    rate, delays = rate_and_delays(client, 3)
    last = client.ask(verify=True)
    assert rate == pytest.approx(3e6, rel=0.1)
    assert delays[-len(delays) // 20] < 0.05
    frames = last["frame"] - first["frame"]
    assert 5 * 3 <= frames <= 10 * 3.5
    assert last["frames_detected"] - first["frames_detected"] > 0.8 * frames
    assert last["intact"] is True
    assert all(0 <= x < 160 and 0 <= y < 120 and 30 <= w <= 120 and 30 <= h <= 120 for x, y, w, h in last["faces"])
    assert len(list(Path(f"/proc/{client.process.pid}/task").iterdir())) == 1


def test_the_detector_finds_the_face_that_was_drawn(face_folder: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    from msmf_traci.testbed.face_video import FRAMES

    video = cv2.VideoCapture(str(face_folder / "video.avi"), cv2.CAP_OPENCV_MJPEG)
    detector = cv2.CascadeClassifier(str(face_folder / "haarcascade_frontalface_default.xml"))
    found = []
    while (frame := video.read())[0]:
        found.append(len(detector.detectMultiScale(cv2.cvtColor(frame[1], cv2.COLOR_BGR2GRAY), 1.15, 3, minSize=(36, 36))))
    assert len(found) == FRAMES
    assert sum(number == 1 for number in found) > 0.9 * FRAMES


def test_replies_are_one_json_object(start: Start) -> None:
    client = start("ram", 10, 1)
    client.socket.send(json.dumps({"seq": {"any": ["thing"]}}).encode())
    reply = json.loads(client.socket.recv(65536))
    assert set(reply) == {"seq", "counter", "session", "dirtied_bytes"}
    assert reply["seq"] == {"any": ["thing"]}
    assert int(reply["session"], 16) >= 0


def test_a_clock_that_jumps_back_stops_nothing(service: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class EnoughError(Exception):
        pass

    times = iter([1000.0, 1000.001, 5.0, 5.002, 5.012, 5.013, 5.024])
    waits: list[float] = []
    elapsed: list[float] = []

    def clock() -> float:
        for moment in times:
            return moment
        raise EnoughError

    def select(readable: Any, _: Any, __: Any, wait_s: float) -> tuple[list[Any], ...]:
        waits.append(wait_s)
        return [], [], []

    class Recorder:
        def advance(self, elapsed_s: float) -> None:
            elapsed.append(elapsed_s)

    monkeypatch.setattr(service.time, "monotonic", clock)
    monkeypatch.setattr(service.select, "select", select)
    with pytest.raises(EnoughError):
        service._loop(None, Recorder())
    assert max(waits) <= 0.01
    assert elapsed[0] < 0
    assert all(0 < seconds < 0.02 for seconds in elapsed[1:])
