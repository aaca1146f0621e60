"""The script that sets a machine up, with stubs for what it would call: what it refuses, and that it does nothing twice."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from msmf_traci.testbed import parts
from tests.testbed.test_parts import GOOD, GOOD_CRIU, OLD_CRIU, write_stub

SCRIPT = Path(__file__).parents[2] / "scripts" / "setup_testbed.sh"
BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None or not sys.platform.startswith("linux"), reason="a script for Debian")


def run(folder: Path, with_system: bool, **stubs: str) -> subprocess.CompletedProcess[str]:
    for name, body in stubs.items():
        write_stub(folder / "bin" / name, body)
    path = f"{folder / 'bin'}:{os.environ['PATH']}" if with_system else str(folder / "bin")
    return subprocess.run([str(BASH), SCRIPT], env={"PATH": path}, capture_output=True, text=True, check=False, timeout=60)


def test_the_script_and_the_program_agree() -> None:
    settings = dict(re.findall(r"^(\w+)=(\S+)$", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))
    assert settings["least"] == ".".join(map(str, parts.CRIU_LEAST))
    assert Path(settings["home"]) / "bin" == parts.OWN_FOLDER


@pytest.mark.parametrize(("user", "reason"), [(1000, "needs root"), (0, "there is no apt-get")])
def test_who_cannot_install_is_told_in_one_sentence(tmp_path: Path, user: int, reason: str) -> None:
    done = run(tmp_path, with_system=False, id=f"echo {user}")
    assert done.returncode == 2
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nothing_is_done_where_everything_is_there(tmp_path: Path) -> None:
    forbidden = {"apt-get": "exit 9", "mktemp": "exit 9"}
    done = run(tmp_path, with_system=True, **(GOOD | forbidden | {"id": "echo 0", "tc": "echo 6.1.0"}))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "setup_testbed.sh: everything is there already"
    assert done.stdout.splitlines()[-1] == "setup_testbed.sh: the testbed can run here"


def test_a_machine_without_a_mirror_of_debian_is_told_so(tmp_path: Path) -> None:
    if (parts.OWN_FOLDER / "criu").exists():
        pytest.skip(f"there is a CRIU in {parts.OWN_FOLDER} already, which would be taken")
    done = run(tmp_path, with_system=True, **(GOOD | {"id": "echo 0", "criu": OLD_CRIU, "apt-get": "echo 'Ubuntu/Ubuntu http://nowhere'"}))
    assert done.returncode == 1
    assert "none of apt's sources is Debian's" in done.stderr


def test_a_kernel_that_lacks_something_is_told_so(tmp_path: Path) -> None:
    stubs = GOOD | {"id": "echo 0", "criu": GOOD_CRIU, "apt-get": "exit 9", "tc": 'case "$*" in *tbf*) exit 2;; esac'}
    done = run(tmp_path, with_system=True, **stubs)
    assert done.returncode == 1
    assert "the kernel has no tbf" in done.stderr
