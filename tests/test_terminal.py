"""What a command prints may be lost, and its work is done all the same: full, closed, left and narrow streams."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
TINY = ["mobility.vehicles=2", "deployment.rings=4", "strategies=[pm]", "mobility.min_trip_m=500", "mobility.max_duration_s=300"]
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Shell:
    """Run the installed command as a line of a shell, with redirections after its words."""

    def call(command: str, words: list[str], redirection: str, **more: str) -> subprocess.CompletedProcess[str]:
        line = f'"{BIN / command}" "$@" {redirection}'
        env = environment | more
        return subprocess.run(
            ["bash", "-c", line, "x", *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=300
        )

    return call


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        pytest.param(">/dev/full", 2, ["stdout cannot be written (No space left on device)"], marks=needs_full),
        pytest.param(">&- 2>/dev/full", 0, [], marks=needs_full),
        ("<&- >&- 2>&-", 0, []),
    ],
)
def test_a_run_is_made_whatever_becomes_of_its_words(redirection: str, code: int, said: list[str], shell: Shell, tmp_path: Path) -> None:
    result = shell("msmf-traci", [*TINY, "output.dir=ü"], redirection, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert result.returncode == code, result.stderr
    sentences = [line.removeprefix("msmf-traci: ") for line in result.stderr.splitlines() if line.startswith("msmf-traci: ")]
    assert [line.partition(",")[0] for line in sentences] == said
    assert "Traceback" not in result.stderr
    (table,) = (tmp_path / "ü").glob("*/summary.csv")
    assert table.read_text().startswith("strategy,")


def test_letters_that_a_terminal_lacks_are_written_as_codes(shell: Shell) -> None:
    result = shell("msmf-traci", ["output.dür=1"], "", PYTHONIOENCODING="ascii")
    assert (result.returncode, "output.d\\xfcr" in result.stderr) == (2, True)


def test_a_sweep_goes_on_when_its_reader_leaves(shell: Shell, tmp_path: Path) -> None:
    result = shell("msmf-traci", ["-m", *TINY, "seed=1,2", "output.dir=out"], "| true; exit ${PIPESTATUS[0]}")
    assert (result.returncode, "Traceback" in result.stderr) == (0, False), result.stderr
    assert len((tmp_path / "out" / "summary.csv").read_text().splitlines()) > 2


@needs_full
@pytest.mark.parametrize("command", ["status", "fetch", "overlay", "report", "testbed"])
def test_no_command_breaks_on_a_full_disk_behind_its_stdout(command: str, shell: Shell) -> None:
    result = shell(f"msmf-traci-{command}", ["--help"], ">/dev/full")
    assert result.stderr == f"msmf-traci {command}: stdout cannot be written (No space left on device)" + (
        ", so not all of the output is shown; all other work is done\n"
    )
    assert result.returncode == 2


def test_closed_streams_do_not_give_their_number_to_a_file(tmp_path: Path) -> None:
    script = (
        "import os\nfrom msmf_traci.terminal import Output\nwith Output().in_use():\n    print('lost')\n    file = open('table', 'w')\n"
    )
    script += "    file.write(str(file.fileno()))\n"
    subprocess.run(["bash", "-c", '"$1" -c "$2" <&- >&- 2>&-', "x", sys.executable, script], cwd=tmp_path, check=True, env=dict(os.environ))
    assert int((tmp_path / "table").read_text()) > 2
