"""What runC is asked to do, and where snapshots lie: a runC that only writes files."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from msmf_traci.errors import MsmfError
from msmf_traci.testbed.container import Container


class FakeRunc:
    """Stands in for the programs of a host: writes a page file where a snapshot is asked for, and CRIU's log if it has one."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.code = 0
        self.log: str | None = None

    def start(self, command: list[str]) -> SimpleNamespace:
        self.asked.append(command[3:])  # after runc --root FOLDER
        if command[3] == "checkpoint":
            folder = Path(command[command.index("--image-path") + 1])
            (folder / "pages-1.img").write_bytes(b"x" * 100)
            if "--parent-path" in command:
                (folder / "parent").symlink_to(command[command.index("--parent-path") + 1])
            if self.log is not None:
                (Path(command[command.index("--work-path") + 1]) / "dump.log").write_text(self.log)
        return SimpleNamespace(wait=lambda _: self.code)


@pytest.fixture
def host(tmp_path: Path) -> SimpleNamespace:
    return SimpleNamespace(
        name="local1", folder=tmp_path, bundle=tmp_path / "disk" / "bundle", snapshot=tmp_path / "disk" / "snapshot",
        namespace="msmf-abc-local1", programs=FakeRunc(),
    )  # fmt: skip


def taken(host: SimpleNamespace) -> list[str]:
    return sorted(path.name for path in host.snapshot.iterdir())


def test_whole_snapshots_take_each_others_place(host: SimpleNamespace) -> None:
    container = Container("msmf-abc", ("python", "app.py"), tracks_changes=False)
    container.forget_snapshots(host)
    assert container.snapshot(host, leave_running=True) == 100
    assert container.snapshot(host, leave_running=True) == 100
    container.snapshot(host, leave_running=False)
    assert taken(host) == ["0"]
    first, _, last = host.programs.asked
    assert "--leave-running" in first and "--pre-dump" not in first and "--parent-path" not in first
    assert "--leave-running" not in last and "--parent-path" not in last


def test_with_tracking_each_lies_on_top_of_the_one_before(host: SimpleNamespace) -> None:
    container = Container("msmf-abc", ("python", "app.py"), tracks_changes=True)
    container.forget_snapshots(host)
    for _ in range(11):
        container.snapshot(host, leave_running=True)
    assert container.snapshot(host, leave_running=False) == 100  # the link to the one before is none of its bytes
    assert len(taken(host)) == 12
    first, second, *_, last = host.programs.asked
    assert "--pre-dump" in first and "--parent-path" not in first
    assert second[second.index("--parent-path") + 1] == "../0"
    assert "--pre-dump" not in last and "--leave-running" not in last and last[last.index("--parent-path") + 1] == "../10"
    container.restore(host)
    asked = host.programs.asked[-1]
    assert asked[asked.index("--image-path") + 1] == str(host.snapshot / "11")  # as numbers, not as text
    container.forget_snapshots(host)
    assert taken(host) == []
    container.snapshot(host, leave_running=True)
    assert "--parent-path" not in host.programs.asked[-1]


def test_the_bundle_says_how_to_start_it(host: SimpleNamespace) -> None:
    Container("msmf-abc", ("python", "app.py"), tracks_changes=False).prepare(host)
    said = json.loads((host.bundle / "config.json").read_text())
    assert said["process"]["args"] == ["python", "app.py"] and "MSMF_TESTBED=msmf-abc" in said["process"]["env"]
    assert said["linux"]["cgroupsPath"] == "/msmf-abc/local1"
    assert {"type": "network", "path": "/run/netns/msmf-abc-local1"} in said["linux"]["namespaces"]
    assert Path(said["annotations"]["org.criu.config"]).read_text() == "network-lock skip\n"


def test_a_failure_quotes_the_first_error_of_the_log(host: SimpleNamespace) -> None:
    container = Container("msmf-abc", (), tracks_changes=False)
    container.forget_snapshots(host)
    host.programs.code = 1
    errors = (
        "(0.01) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self",
        "(0.02) Error (criu/x.c:1): the cause",
        "(0.03) Error (criu/cr-dump.c:2): Dumping FAILED.",
    )
    host.programs.log = "\n".join(errors)
    with pytest.raises(MsmfError, match=r"^runc checkpoint failed on host local1 .*criu/x\.c:1\): the cause; run msmf"):
        container.snapshot(host, leave_running=True)
    host.programs.log = None  # this time CRIU does not get as far as its log, and the one before says nothing about it
    with pytest.raises(MsmfError, match="it left no log"):
        container.snapshot(host, leave_running=True)
