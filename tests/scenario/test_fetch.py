"""The download against a server of its own on this computer: what succeeds, what is retried, what is left behind."""

import gzip
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from msmf_traci.errors import InputError
from msmf_traci.scenario import fetch
from msmf_traci.scenario.cache_folder import cache_folder
from msmf_traci.scenario.fetch import FetchError, fetch_map, main
from msmf_traci.scenario.osm import check_map

BBOX = (116.25, 39.795, 116.50, 40.001)
ROADS = b"""<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6" generator="Overpass API">
  <node id="1" lat="39.9" lon="116.3"/><node id="2" lat="39.9" lon="116.4"/>
  <way id="3"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way>
</osm>
"""
NO_ROADS = b'<osm version="0.6"><node id="1" lat="39.9" lon="116.3"><tag k="highway" v="stop"/></node></osm>'
REMARK = b'<osm><remark> runtime error: Query timed out in "query" at line 1 after 180 seconds. </remark></osm>'
HTML = b"<!DOCTYPE html>\n<html><head><title>Busy</title></head><body>Come back<br></body></html>"


@dataclass
class Overpass:
    """A server that gives one scripted answer after the other, the last one for ever."""

    answers: list[tuple[int, bytes]] = field(default_factory=lambda: [(200, ROADS)])
    queries: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    declared_extra_bytes: int = 0
    hangs: bool = False
    address: str = ""


@pytest.fixture
def overpass(monkeypatch: pytest.MonkeyPatch) -> Iterator[Overpass]:
    # A proxy of the environment must not see these requests.
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    script = Overpass()
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            script.queries.append(urllib.parse.parse_qs(form)["data"][0])
            script.agents.append(self.headers["User-Agent"])
            code, body = script.answers[min(len(script.queries), len(script.answers)) - 1]
            self.send_response(code)
            self.send_header("Content-Length", str(len(body) + script.declared_extra_bytes))
            self.end_headers()
            self.wfile.write(body)
            if script.hangs:
                released.wait(30)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        script.address = f"http://127.0.0.1:{server.server_port}/api/interpreter"
        yield script
        released.set()
        server.shutdown()
        thread.join()


def fetch_to(out: Path, overpass: Overpass, **choices: float) -> list[str]:
    lines: list[str] = []
    fetch_map(BBOX, out, server=overpass.address, wait_s=0, progress=lines.append, **choices)
    return lines


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(overpass_address: str, *words: str) -> int:
    return main(["--server", overpass_address, "--wait-s", "0", *words])


def only_sentence(capsys: pytest.CaptureFixture[str], line_count: int | None = None) -> str:
    """Return the last line of stderr, which must be the tool's own."""
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert captured.out == ""
    lines = captured.err.strip().splitlines()
    assert line_count in (None, len(lines))
    last = lines[-1]
    assert last.startswith("msmf-traci fetch: ")
    return last


def test_plain_file_has_the_answer(overpass: Overpass, tmp_path: Path) -> None:
    lines = fetch_to(tmp_path / "map.osm", overpass)
    assert (tmp_path / "map.osm").read_bytes() == ROADS
    assert lines == [f"fetching {tmp_path / 'map.osm'} from {overpass.address}", "0.0 MB received"]
    assert names(tmp_path) == ["map.osm", "map.osm.sha256"]


def test_fetched_map_that_was_changed_or_cut_is_refused_and_one_that_is_fetched_again_is_not(overpass: Overpass, tmp_path: Path) -> None:
    out = tmp_path / "map.osm"
    fetch_to(out, overpass)
    assert (tmp_path / "map.osm.sha256").read_text() == f"{hashlib.sha256(ROADS).hexdigest()}  map.osm\n"  # as sha256sum writes it
    check_map(out)
    for content in (ROADS.replace(b"39.9", b"39.8", 1), ROADS[:-9]):
        out.write_bytes(content)
        check_map.cache_clear()
        with pytest.raises(InputError, match=r"has changed since it was fetched.*msmf-traci fetch --force --out .*map\.osm"):
            check_map(out)
    fetch_to(out, overpass, force=True)
    check_map(out)


def test_gz_file_has_the_answer_compressed_and_reproducible(overpass: Overpass, tmp_path: Path) -> None:
    fetch_to(tmp_path / "a.osm.gz", overpass)
    fetch_to(tmp_path / "b.osm.gz", overpass)
    assert gzip.decompress((tmp_path / "a.osm.gz").read_bytes()) == ROADS
    assert (tmp_path / "a.osm.gz").read_bytes() == (tmp_path / "b.osm.gz").read_bytes()


def test_query_asks_for_roads_in_the_box_under_the_projects_name(overpass: Overpass, tmp_path: Path) -> None:
    fetch_to(tmp_path / "map.osm", overpass)
    assert "39.7950000,116.2500000,40.0010000,116.5000000" in overpass.queries[0]
    assert 'way["highway"~' in overpass.queries[0]
    assert "[out:xml]" in overpass.queries[0]
    assert "msmf-traci" in overpass.agents[0]


def test_missing_folder_is_made(overpass: Overpass, tmp_path: Path) -> None:
    fetch_to(tmp_path / "new" / "deep" / "map.osm", overpass)
    assert (tmp_path / "new" / "deep" / "map.osm").exists()


@pytest.mark.parametrize("code", [429, 500, 504])
def test_busy_server_is_asked_again(code: int, overpass: Overpass, tmp_path: Path) -> None:
    overpass.answers = [(code, HTML), (200, ROADS)]
    lines = fetch_to(tmp_path / "map.osm", overpass)
    assert (tmp_path / "map.osm").read_bytes() == ROADS
    assert any(str(code) in line and "attempt 2 of 4" in line for line in lines)


def test_truncated_answer_is_asked_for_again(overpass: Overpass, tmp_path: Path) -> None:
    overpass.answers = [(200, ROADS[:-20]), (200, ROADS)]
    fetch_to(tmp_path / "map.osm.gz", overpass)
    assert gzip.decompress((tmp_path / "map.osm.gz").read_bytes()) == ROADS


@pytest.mark.parametrize("name", ["map.osm", "map.osm.gz", "new/deep/map.osm"])
@pytest.mark.parametrize(
    "answer",  # code, body, attempts, words of the error
    [
        (500, HTML, 4, "500"),
        (429, b"", 4, "429"),
        (400, HTML, 1, "400"),
        (404, b"", 1, "404"),
        (200, HTML, 1, "HTML"),
        (200, b"busy", 1, "not XML"),
        (200, b"<gpx></gpx>", 1, "<gpx>"),
        (200, ROADS[:-8], 4, "</osm>"),
        (200, b"", 4, "</osm>"),
        (200, REMARK, 1, "Query timed out"),
        (200, NO_ROADS, 1, "no roads"),
    ],
)
def test_failure_says_why_and_leaves_nothing(name: str, answer: tuple[int, bytes, int, str], overpass: Overpass, tmp_path: Path) -> None:
    code, body, attempts, words = answer
    overpass.answers = [(code, body)]
    with pytest.raises(FetchError, match=words):
        fetch_to(tmp_path / name, overpass)
    assert len(overpass.queries) == attempts
    assert names(tmp_path) == []


def test_too_large_answer_is_refused(overpass: Overpass, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="larger than"):
        fetch_to(tmp_path / "map.osm", overpass, max_bytes=len(ROADS) - 1)
    assert names(tmp_path) == []


def test_dropped_connection_fails(overpass: Overpass, tmp_path: Path) -> None:
    overpass.answers, overpass.declared_extra_bytes = [(200, ROADS[:100])], 1000
    with pytest.raises(FetchError, match="download failed"):
        fetch_to(tmp_path / "map.osm", overpass, retries=1)
    assert len(overpass.queries) == 2
    assert names(tmp_path) == []


def test_silent_server_times_out(overpass: Overpass, tmp_path: Path) -> None:
    overpass.hangs, overpass.declared_extra_bytes = True, 1000
    with pytest.raises(FetchError, match=r"silent for 0\.1 s"):
        fetch_to(tmp_path / "map.osm", overpass, timeout_s=0.1, retries=1)
    assert names(tmp_path) == []


def test_refused_connection_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
    assert run(address, "--out", str(tmp_path / "map.osm"), "--retries", "1") == 2
    assert "the connection to" in only_sentence(capsys)
    assert names(tmp_path) == []


def test_command_prints_file_size_and_licence(overpass: Overpass, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "map.osm"
    assert run(overpass.address, "--out", str(out), "--bbox", "-74.0,40.7,-73.9,40.8") == 0
    assert capsys.readouterr().out.splitlines() == [f"{out} (0.0 MB)", "(c) OpenStreetMap contributors, ODbL 1.0"]
    assert "40.7000000,-74.0000000,40.8000000,-73.9000000" in overpass.queries[0]


def test_existing_file_is_kept_unless_forced(overpass: Overpass, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "map.osm"
    out.write_text("mine")
    assert run(overpass.address, "--out", str(out)) == 2
    assert "exists already" in only_sentence(capsys, line_count=1)
    assert out.read_text() == "mine"
    assert overpass.queries == []
    overpass.answers = [(400, b""), (200, ROADS)]
    assert run(overpass.address, "--out", str(out), "--force") == 2
    assert out.read_text() == "mine"
    assert run(overpass.address, "--out", str(out), "--force") == 0
    assert out.read_bytes() == ROADS


@pytest.mark.parametrize(
    "words",
    [
        ["--bbox", "116.5,39.8,116.25,40.0"],
        ["--bbox", "116.25,40.0,116.5,40.0"],
        ["--bbox", "116.25,39.8,116.5,91"],
        ["--bbox", "-181,39.8,116.5,40"],
        ["--bbox", "116.25,39.8,nan,40"],
        ["--bbox", "116.25,39.8,inf,40"],
        ["--bbox", "a,b,c,d"],
        ["--bbox", "1,2,3"],
        ["--bbox", "1,2,3,4,5"],
        ["--bbox", ""],
        ["--bbox"],
        ["--server", "ftp://127.0.0.1/"],
        ["--server", "file:///etc/hosts"],
        ["--server", "127.0.0.1"],
        ["--server", "http://"],
        ["--server", "http://127.0.0.1:port/"],
        ["--server", "http://127.0.0.1/a b"],
        ["--retries", "-1"],
        ["--retries", "many"],
        ["--max-mb", "0"],
        ["--max-mb", "nan"],
        ["--max-mb", "inf"],
        ["--timeout-s", "0"],
        ["--timeout-s", "1e300"],
        ["--wait-s", "-1"],
        ["--out", ""],
        ["--unknown"],
        ["surplus"],
    ],
)
def test_wrong_argument_is_one_sentence_and_code_2(
    words: list[str], overpass: Overpass, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(overpass.address, "--out", str(tmp_path / "map.osm"), *words) == 2
    only_sentence(capsys, line_count=1)
    assert overpass.queries == []
    assert names(tmp_path) == []


def test_folder_as_out_is_refused(overpass: Overpass, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(overpass.address, "--out", str(tmp_path)) == 2
    assert "is a folder" in only_sentence(capsys, line_count=1)


def test_folder_that_cannot_be_made_is_refused(overpass: Overpass, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(overpass.address, "--out", str(tmp_path / "file" / "map.osm")) == 2
    assert "cannot be written" in only_sentence(capsys, line_count=1)
    assert overpass.queries == []


def test_unwritable_folder_is_refused(
    overpass: Overpass, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Not by the folder's mode, which does not bind an administrator.
    monkeypatch.setattr(Path, "touch", refuse)
    assert run(overpass.address, "--out", str(tmp_path / "new" / "map.osm")) == 2
    assert "cannot be written (Permission denied)" in only_sentence(capsys, line_count=1)
    assert overpass.queries == []
    assert names(tmp_path) == []


def test_full_disc_is_one_sentence(
    overpass: Overpass, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("msmf_traci.scenario.overpass.gzip.GzipFile", fail)
    assert run(overpass.address, "--out", str(tmp_path / "map.osm.gz")) == 2
    assert "No space left" in only_sentence(capsys)
    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process there")
def test_interrupt_leaves_nothing_and_gives_130(overpass: Overpass, tmp_path: Path) -> None:
    overpass.hangs, overpass.declared_extra_bytes = True, 1000
    # A process started in the background may have SIGINT ignored; the tool's user has not.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from msmf_traci.scenario.fetch import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["--server", overpass.address, "--out", str(tmp_path / "new" / "map.osm.gz")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.PIPE, text=True, env=env)
    deadline_s = time.monotonic() + 20
    while not overpass.queries and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert [path.suffix for path in (tmp_path / "new").iterdir()] == [".part"]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "msmf-traci fetch: interrupted; nothing was left behind"
    assert names(tmp_path) == []


def test_terminal_gets_one_updating_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    console = fetch._Console()
    for text in ("1.0 MB so far", "2.0 MB so far", "2.5 MB received"):
        console(text)
    console.finish()
    assert capsys.readouterr().err == "\r1.0 MB so far\033[K\r2.0 MB so far\033[K\r2.5 MB received\033[K\n"


def test_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "--bbox" in capsys.readouterr().out


def test_default_out_prefers_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSMF_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MSMF_DATA_DIR", str(tmp_path))
    assert fetch.default_out() == tmp_path / "beijing" / "beijing_central.osm.gz"
    monkeypatch.setenv("MSMF_DATA_DIR", str(tmp_path / "missing"))
    assert fetch.default_out() == tmp_path / "cache" / "maps" / "beijing_central.osm.gz"
    monkeypatch.delenv("MSMF_DATA_DIR")
    assert fetch.default_out() == tmp_path / "cache" / "maps" / "beijing_central.osm.gz"


def test_default_out_avoids_a_data_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSMF_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MSMF_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert fetch.default_out() == tmp_path / "cache" / "maps" / "beijing_central.osm.gz"


@pytest.mark.parametrize(
    ("platform", "tail"),
    [
        ("linux", (".cache", "msmf-traci")),
        ("darwin", ("Library", "Caches", "msmf-traci")),
        ("win32", ("AppData", "Local", "msmf-traci")),
    ],
)
def test_cache_folder_is_the_systems_usual_one(platform: str, tail: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MSMF_CACHE_DIR", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder() == Path.home().joinpath(*tail)


@pytest.mark.parametrize("choices", [{"retries": -1}, {"timeout_s": float("nan")}, {"max_bytes": 0}, {"wait_s": -1}])
def test_wrong_limit_is_an_input_error(choices: dict[str, float], tmp_path: Path) -> None:
    all_choices = {"retries": 0, "timeout_s": 1, "max_bytes": 1, "wait_s": 0, **choices}
    with pytest.raises(InputError, match=next(iter(choices))):
        fetch_map(BBOX, tmp_path / "a.osm", server="http://127.0.0.1:9/", progress=print, **all_choices)
