"""SUMO dying in mid-run, an interrupt from the keyboard, a full disk: one sentence, nothing left behind, the next run works."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import BIN

Command = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds SUMO's process in /proc")

LONG = ["mobility.speed_kmh=5", "strategies=[never]", "mobility.source=traci"]


def sumo_of(parent: int) -> int:
    """Process of SUMO that the command has started, once it drives."""
    for _ in range(600):
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                status = (entry / "status").read_text()
            except (OSError, ValueError):
                continue
            if words[0].endswith(b"/sumo") and b"--remote-port" in words and f"PPid:\t{parent}\n" in status:
                return int(entry.name)
        time.sleep(0.05)
    raise AssertionError("SUMO was not started")


def started(folder: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    """A long run of the command in a folder of its own."""
    return subprocess.Popen(
        [str(BIN / "msmf-traci"), *LONG, *words], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_sumo_killed_in_mid_run_is_one_sentence_and_leaves_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    process = started(tmp_path, environment)
    sumo = sumo_of(process.pid)
    time.sleep(2)
    os.kill(sumo, signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.splitlines()[-1].startswith("msmf-traci: SUMO stopped at")
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_interrupt_ends_sumo_and_leaves_nothing(number: int, code: int, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    process = started(tmp_path / "work", environment | {"TMPDIR": str(tmp_path / "tmp")})
    sumo = sumo_of(process.pid)
    time.sleep(2)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert said.splitlines()[-1].startswith("msmf-traci: interrupted")
    assert "Traceback" not in said
    assert not Path(f"/proc/{sumo}").exists()
    assert not list((tmp_path / "work").iterdir()) and not list((tmp_path / "tmp").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="the signal on a parent's death is Linux's own")
def test_killed_command_leaves_no_sumo_and_the_next_run_clears_up(environment: dict[str, str], msmf: Command, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    temporary = {"TMPDIR": str(tmp_path / "tmp")}
    process = started(tmp_path, environment | temporary, "output.dir=out")
    sumo = sumo_of(process.pid)
    time.sleep(1)
    process.kill()
    process.communicate(timeout=60)
    assert gone(sumo)
    assert list((tmp_path / "out").iterdir()) and list((tmp_path / "tmp").iterdir())
    result = msmf(tmp_path, "mobility.vehicles=3", "strategies=[never]", "output.dir=out", **temporary)
    assert result.returncode == 0, result.stderr
    assert not [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
    assert not list((tmp_path / "tmp").iterdir())


def gone(process: int) -> bool:
    """Whether a process ends within seconds."""
    for _ in range(100):
        try:
            status = Path(f"/proc/{process}/status").read_text()
        except OSError:
            return True
        if "State:\tZ" in status:
            return True
        time.sleep(0.05)
    return False


def test_two_commands_at_once_in_one_folder_both_keep_their_runs(environment: dict[str, str], tmp_path: Path) -> None:
    command = [str(BIN / "msmf-traci"), "mobility.vehicles=3", "strategies=[never]", "output.dir=out"]
    both = [subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate(timeout=120) and process.returncode for process in both] == [0, 0]
    assert len(list((tmp_path / "out").glob("*/run.json"))) == 2


def test_two_equal_sweeps_at_once_do_no_harm(environment: dict[str, str], tmp_path: Path) -> None:
    command = [str(BIN / "msmf-traci"), "-m", "seed=0,1", "mobility.vehicles=3", "strategies=[never]", "output.dir=out"]
    both = [subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate(timeout=120) and process.returncode for process in both] == [0, 0]
    assert {path.name.split("-")[0] for path in (tmp_path / "out").iterdir()} >= {"summary.csv", "map"}
    assert len(list((tmp_path / "out").glob("*/run.json"))) == 2


def test_strategy_that_raises_is_said_with_its_line(called: Command, tmp_path: Path) -> None:
    (tmp_path / "shaky.py").write_text(
        "from msmf_traci.strategies.strategy import Strategy\n"
        "class Shaky(Strategy):\n"
        "    name = 'shaky'\n"
        "    def decide(self, now):\n"
        "        raise ValueError('my mistake')\n"
    )
    result = called(tmp_path, "strategies=[shaky:Shaky]")
    assert result.returncode == 2
    assert "strategy shaky failed at 1 s" in result.stderr and "ValueError: my mistake" in result.stderr
    assert "shaky.py, line 5" in result.stderr and "Traceback" not in result.stderr
    assert not (tmp_path / "results").exists()


def test_failed_run_of_a_sweep_is_named_and_only_the_missing_is_done_again(called: Command, tmp_path: Path) -> None:
    # the second point's strategy refuses to decide until a file appears
    (tmp_path / "moody.py").write_text(
        "from pathlib import Path\n"
        "from msmf_traci import KEEP, NO_SERVER, Decision, Strategy\n"
        "class Moody(Strategy):\n"
        "    name = 'moody'\n"
        "    def decide(self, now):\n"
        "        answer = Decision(now.everywhere(KEEP), now.everywhere(NO_SERVER))\n"
        "        if not Path('calm').exists():\n"
        "            answer = type(answer)(answer.home.astype(float), answer.target)\n"
        "        return answer\n"
    )
    words = ["-m", "mobility.vehicles=3", "strategies=[never],[moody:Moody]", "output.dir=out"]
    first = called(tmp_path, *words)
    assert first.returncode == 2
    assert "strategy moody: decide must return" in first.stderr.splitlines()[-1]
    assert len(list((tmp_path / "out").glob("*/run.json"))) == 1
    assert not (tmp_path / "out" / "summary.csv").exists()
    (tmp_path / "calm").touch()
    second = called(tmp_path, *words)
    assert second.returncode == 0, second.stderr
    assert second.stderr.count("done already") == 1
    assert (tmp_path / "out" / "summary.csv").is_file()


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts a small file system as root")
def test_full_disk_is_one_sentence_and_leaves_no_half_table(msmf: Command, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True, check=False).returncode != 0:
        pytest.skip("cannot mount a tmpfs here")
    try:
        result = msmf(tmp_path, "output.trace=true", "mobility.vehicles=20", f"output.dir={small}/out")
        assert result.returncode == 2, result.stderr
        assert "No space left" in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
        assert not list(small.iterdir())
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_command_ended_while_trips_are_drawn_leaves_no_tool_behind(number: int, environment: dict[str, str], tmp_path: Path) -> None:
    work, cache = tmp_path / "work", tmp_path / "cache"
    work.mkdir()
    command = [str(BIN / "msmf-traci"), "mobility.vehicles=60000", "strategies=[never]"]
    process = subprocess.Popen(command, cwd=work, env=environment | {"MSMF_CACHE_DIR": str(cache)}, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if tools := tools_working_in(cache, "drawn.rou.xml"):
            break
        time.sleep(0.05)
    assert tools, "no tool of SUMO was started"
    process.send_signal(number)
    process.communicate(timeout=60)
    time.sleep(0.5)
    assert tools_working_in(cache, "drawn") == []
    assert not list(work.iterdir())
    if number == signal.SIGTERM:
        assert process.returncode == 143
        assert not list((cache / "routes").iterdir())


def tools_working_in(cache: Path, file: str) -> list[str]:
    """Processes whose command line names that file in that cache."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(cache) in words and file in words:
            found.append(path.parent.name)
    return found
