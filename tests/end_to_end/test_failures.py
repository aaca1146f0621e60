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

LONG = ["mobility.speed_kmh=5", "strategies=[never]"]


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


def started(folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A long run of the command in a folder of its own."""
    return subprocess.Popen(
        [str(BIN / "msmf-traci"), *LONG], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
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


def test_interrupt_ends_with_130_ends_sumo_and_leaves_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    process = started(tmp_path, environment)
    sumo = sumo_of(process.pid)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("msmf-traci: interrupted")
    assert "Traceback" not in said
    assert not Path(f"/proc/{sumo}").exists()
    assert not list(tmp_path.iterdir())


def test_failed_run_of_a_sweep_is_named_and_only_the_missing_is_done_again(msmf: Command, tmp_path: Path) -> None:
    # the second point's strategy refuses to decide until a file appears
    (tmp_path / "moody.py").write_text(
        "from pathlib import Path\n"
        "from msmf_traci.control.strategies import Never\n"
        "class Moody(Never):\n"
        "    name = 'moody'\n"
        "    def decide(self, now):\n"
        "        answer = super().decide(now)\n"
        "        if not Path('calm').exists():\n"
        "            answer = type(answer)(answer.home.astype(float), answer.target)\n"
        "        return answer\n"
    )
    words = ["-m", "mobility.vehicles=3", "strategies=[never],[moody:Moody]", "output.dir=out"]
    first = msmf(tmp_path, *words)
    assert first.returncode == 2
    assert "strategy moody: decide must return" in first.stderr.splitlines()[-1]
    assert len(list((tmp_path / "out").glob("*/run.json"))) == 1
    assert not (tmp_path / "out" / "summary.csv").exists()
    (tmp_path / "calm").touch()
    second = msmf(tmp_path, *words)
    assert second.returncode == 0, second.stderr
    assert second.stdout.count("done already") == 1
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
