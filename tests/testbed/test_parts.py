"""What a machine has of what the testbed needs: told from programs that are stubs, and from those that are really there."""

import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from msmf_traci import testbed_command
from msmf_traci.errors import InputError
from msmf_traci.testbed import mounts, parts
from msmf_traci.testbed.parts import CRIU, DIRTY_TRACKING, NETEM, ROOT, RUNC, TBF, TUN, Part, check_lines, examine, require

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="asks for the user as Unix does")

GOOD_CRIU = 'case "$*" in --version) echo "Version: 4.2.1";; *mem_dirty_track) exit 1;; check) echo "Looks good.";; esac'
OLD_CRIU = 'case "$1" in --version) echo "Version: 3.17.1";; esac'
BROKEN_CRIU = (
    'case "$1" in --version) echo "Version: 4.3";; check) echo "Error (criu/cr-check.c:1): the kernel is too strange." >&2; exit 1;; esac'
)
GOOD = {
    "runc": 'echo "runc version 1.1.5+ds1"',
    "criu": GOOD_CRIU,
    "rsync": 'echo "rsync  version 3.2.7  protocol version 31"',
    "ip": 'echo "ip utility, iproute2-6.1.0, libbpf 1.1.2"',
    "tc": 'case "$*" in *netem*) echo "Error: Specified qdisc kind is unknown." >&2; exit 2;; *) echo "tc utility, iproute2-6.1.0";; esac',
    "unshare": 'shift; exec "$@"',
    "true": "exit 0",
}

Machine = Callable[..., Path]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Make PATH a folder of stubs, with the good ones changed as told; None leaves one out."""
    monkeypatch.setattr(parts.platform, "system", lambda: "Linux")
    monkeypatch.setattr(parts.os, "geteuid", lambda: 0)
    monkeypatch.setattr(parts, "OWN_FOLDER", tmp_path / "own")
    (tmp_path / "tun").write_bytes(b"")
    monkeypatch.setattr(parts, "_TUN_DEVICE", tmp_path / "tun")
    (tmp_path / "mounts").write_text("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n", encoding="ascii")
    monkeypatch.setattr(mounts, "_TABLE", tmp_path / "mounts")

    def make(own: str | None = None, **changes: str | None) -> Path:
        for name, body in (GOOD | changes).items():
            if body is not None:
                write_stub(tmp_path / "bin" / name, body)
        if own is not None:
            write_stub(tmp_path / "own" / CRIU, own)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        return tmp_path

    return make


def write_stub(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="ascii")
    path.chmod(0o755)


def part(name: str) -> Part:
    return next(part for part in examine() if part.name == name)


def test_a_machine_with_everything_will_do(machine: Machine) -> None:
    folder = machine()
    found = require()
    assert found.criu_folder == folder / "bin"
    assert not found.has_netem
    assert part(RUNC).found == f"1.1.5+ds1, {folder / 'bin' / 'runc'}"
    assert check_lines()[-1] == "the testbed can run here"


def test_the_kernels_own_delays_and_tracking_are_seen(machine: Machine) -> None:
    machine(tc="echo 6.1.0", criu='case "$1" in --version) echo "Version: 4.2";; esac')
    found = require()
    assert found.has_netem
    assert found.has_dirty_tracking


@pytest.mark.parametrize("name", ["runc", "criu", "rsync", "ip", "tc"])
def test_a_program_that_is_missing_is_named_with_what_to_do(machine: Machine, name: str) -> None:
    machine(**{name: None})
    with pytest.raises(InputError, match=rf"^the testbed needs {name}: .*PATH.*; run sudo scripts/setup_testbed.sh$"):
        require()


def test_the_first_that_is_missing_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(runc=None, rsync=None)
    monkeypatch.setattr(parts.os, "geteuid", lambda: 1000)
    with pytest.raises(InputError, match=r"^the testbed needs root: user 1000; run as root$"):
        require()
    assert "the testbed can run here" not in check_lines()


@pytest.mark.parametrize(
    ("in_path", "reason"),
    [
        (OLD_CRIU, "is 3.17.1, which is older than 4.2"),
        (BROKEN_CRIU, r"is 4.3, but criu check fails \(the kernel is too strange\)"),
        ("echo gibberish", r"does not tell its version \(gibberish\)"),
        ('echo "no such library" >&2; exit 127', r"does not tell its version \(no such library\)"),
    ],
)
def test_a_criu_that_will_not_do_is_passed_over_for_our_own(machine: Machine, in_path: str, reason: str) -> None:
    folder = machine(criu=in_path)
    with pytest.raises(InputError, match=reason):
        require()
    machine(criu=in_path, own=GOOD_CRIU)
    assert require().criu_folder == folder / "own"
    # both are told
    assert part(CRIU).found.startswith(f"4.2.1, {folder / 'own' / CRIU}; {folder / 'bin' / CRIU} ")


def test_versions_are_compared_as_numbers(machine: Machine) -> None:
    machine(criu='case "$1" in --version) echo "Version: 4.10";; esac')
    assert part(CRIU).is_there


def test_what_takes_root_is_not_tried_without(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = machine(unshare='touch "$0.was-called"')
    monkeypatch.setattr(parts.os, "geteuid", lambda: 1000)
    found = {part.name: part for part in examine()}
    assert not found[TBF].is_there
    assert found[TBF].remedy == found[ROOT].remedy
    assert not (folder / "bin" / "unshare.was-called").exists()


def test_a_kernel_without_tbf_is_told_apart_from_a_missing_program(machine: Machine) -> None:
    machine(tc='case "$*" in *tbf*) echo "Error: Specified qdisc kind is unknown." >&2; exit 2;; *) echo "tc 6.1.0";; esac')
    with pytest.raises(InputError, match=r"tbf: does not work \(Specified qdisc kind is unknown\); take a machine whose kernel has it"):
        require()


def test_tun_is_needed_only_where_netem_is_not(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = machine()
    monkeypatch.setattr(parts, "_TUN_DEVICE", folder / "none")
    assert not part(NETEM).is_needed
    with pytest.raises(InputError, match=TUN):
        require()
    machine(tc="echo 6.1.0")
    assert not part(TUN).is_needed
    require()


def test_missing_cgroups_are_told(machine: Machine) -> None:
    folder = machine()
    (folder / "mounts").write_text("proc /proc proc rw 0 0\n", encoding="ascii")
    with pytest.raises(InputError, match="cgroups: not mounted"):
        require()


def test_memory_that_can_be_had_is_read_from_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:       8000 kB\nMemAvailable:   2000 kB\n", encoding="ascii")
    monkeypatch.setattr(parts, "_MEMORY", tmp_path / "meminfo")
    assert parts.available_memory_bytes() == 2_048_000
    monkeypatch.setattr(parts, "_MEMORY", tmp_path / "nothing")
    assert parts.available_memory_bytes() == math.inf


def test_another_system_is_refused_before_anything_else_is_looked_at(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine()
    monkeypatch.setattr(parts.platform, "system", lambda: "Darwin")
    assert len(examine()) == 1
    with pytest.raises(InputError, match="the testbed needs Linux: Darwin"):
        require()


def test_lines_say_for_each_part_what_there_is_or_what_to_do(machine: Machine) -> None:
    machine(rsync=None)
    lines = check_lines()
    assert len(lines) == len(examine())
    assert "missing  rsync                not in PATH; run sudo scripts/setup_testbed.sh" in lines
    assert any(line.startswith(f"absent   {NETEM} ") and "relay" in line for line in lines)
    assert any(line.startswith(f"absent   {DIRTY_TRACKING} ") for line in lines)


def test_the_command_finds_what_only_an_administrators_path_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere:/sbin")
    for _ in range(2):
        testbed_command.main(["--help"])
        assert os.environ["PATH"] == "/nowhere:/sbin:/usr/sbin"


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="looks at a Linux machine")
def test_this_machine_is_looked_at_and_left_as_it_was() -> None:
    def links() -> str:
        return str(sorted(path.name for path in Path("/sys/class/net").iterdir()))

    before = links()
    missing = [part for part in examine() if part.is_needed and not part.is_there]
    assert links() == before
    if missing:
        pytest.skip("; ".join(f"{part.name}: {part.found}" for part in missing))
    assert (require().criu_folder / CRIU).is_file()
