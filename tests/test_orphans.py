"""What a killed process has started ends with it, and so does what that has started."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.test_failures import gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the signal on a parent's death is Linux's own")

TOOL = """
import subprocess, sys
from pathlib import Path
child = subprocess.Popen(["sleep", "60"])
Path(sys.argv[1]).write_text(str(child.pid))
child.wait()
"""
CALL = """
import sys
from pathlib import Path
from msmf_traci.scenario.sumo_tools import Sumo, run_tool
sumo = Sumo(Path(sys.argv[1]), "1.28.0")
run_tool(sumo, [*sumo.tool("tool.py"), sys.argv[2]], folder=Path(sys.argv[1]))
"""


def test_programs_that_a_tool_of_a_killed_command_has_started_end_too(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "tool.py").write_text(TOOL)
    said = tmp_path / "pid"
    process = subprocess.Popen([sys.executable, "-c", CALL, str(tmp_path), str(said)])
    for _ in range(200):
        if said.is_file() and said.read_text():
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert gone(int(said.read_text()))


def test_tool_sees_its_own_words_and_folder(tmp_path: Path) -> None:
    from msmf_traci.scenario.sumo_tools import Sumo, run_tool

    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "neighbour.py").write_text("WORD = 'found'\n")
    (tmp_path / "tools" / "tool.py").write_text("import sys, neighbour\nprint(__name__, sys.argv[1:], neighbour.WORD)\n")
    sumo = Sumo(tmp_path, "1.28.0")
    assert run_tool(sumo, [*sumo.tool("tool.py"), "--seed", "1"], folder=tmp_path) == "__main__ ['--seed', '1'] found\n"


def test_parent_that_is_about_to_end_has_ended(tmp_path: Path) -> None:
    said = tmp_path / "said"
    child = f"""
import os
from pathlib import Path
from msmf_traci.orphans import parent_has_ended
answers = [parent_has_ended(os.getppid(), 0.1)]
Path({str(said)!r}).with_suffix(".first").touch()
answers.append(parent_has_ended(os.getppid(), 30.0))
Path({str(said)!r}).write_text(str(answers))
"""
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]).wait()"
    process = subprocess.Popen([sys.executable, "-c", parent])
    assert seen(said.with_suffix(".first"))
    process.kill()
    process.wait()
    assert seen(said)
    assert said.read_text() == "[False, True]"


def seen(file: Path) -> bool:
    """Whether a file appears, with its words if it has any."""
    for _ in range(400):
        if file.is_file() and (file.suffix == ".first" or file.read_text()):
            return True
        time.sleep(0.05)
    return False


def test_second_request_to_end_does_not_interrupt_the_cleaning_up(tmp_path: Path) -> None:
    said = tmp_path / "said"
    script = f"""
import os, signal, time
from pathlib import Path
from msmf_traci.signals import ending_cleanly_on_signals
with ending_cleanly_on_signals(is_whole_process=True):
  try:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(30)
  except KeyboardInterrupt as interrupt:
    for _ in range(50):
        os.kill(os.getpid(), signal.SIGTERM)
    Path({str(said)!r}).write_text(f"{{interrupt.args[0]}} cleaned up")
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
    assert said.read_text() == "15 cleaned up"
