"""The container of the service under runC: started, snapshot by CRIU, restored elsewhere, deleted."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msmf_traci.errors import MsmfError
from msmf_traci.testbed.hosts import Host
from msmf_traci.testbed.namespaces import NAMES
from msmf_traci.testbed.programs import MARK, end

PORT = 9000  # where the service answers
# A container without connections has nothing to lock; what arrives meanwhile waits in the socket's buffer or is lost, as UDP may be
_CRIU_SETTINGS = "network-lock skip\n"
_SETTINGS_ANNOTATION = "org.criu.config"
_PATIENCE_S = 120.0
# where CRIU writes why it could not do what runC asked of it; it is not asked to start or to delete
_LOGS = {"checkpoint": "dump.log", "restore": "restore.log"}


@dataclass(frozen=True)
class Container:
    """The service's container, the same on every host.

    Attributes
    ----------
    testbed
        Name of the testbed.
    arguments
        The program and its words.
    tracks_changes
        Whether the kernel tracks which pages change (soft-dirty), so that a snapshot holds only what has changed since the one before.
    """

    testbed: str
    arguments: Sequence[str]
    tracks_changes: bool

    def prepare(self, host: Host) -> None:
        """Write how to start the container on a host beside its root file system."""
        host.bundle.mkdir(parents=True, exist_ok=True)
        (host.folder / "criu.conf").write_text(_CRIU_SETTINGS, encoding="utf-8")
        (host.bundle / "config.json").write_text(json.dumps(self._specification(host), indent=1), encoding="utf-8")

    def start(self, host: Host) -> None:
        """Start it anew."""
        self._runc(host, "run", "--detach", "--bundle", str(host.bundle), self.testbed)

    def forget_snapshots(self, host: Host) -> None:
        """Begin anew: the next snapshot is a whole one."""
        shutil.rmtree(host.snapshot, ignore_errors=True)
        host.snapshot.mkdir(parents=True)

    def snapshot(self, host: Host, *, leave_running: bool) -> int:
        """Write its memory to a folder among the host's snapshots; without `leave_running` it has ended then.

        With tracking each is a folder of its own, on top of the one before; otherwise CRIU cannot tell which pages have changed, and a
        whole one takes the place of the one before.

        Returns
        -------
        The bytes written.
        """
        number = len(_snapshots(host)) if self.tracks_changes else 0
        folder = host.snapshot / str(number)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        while_running = "--pre-dump" if self.tracks_changes else "--leave-running"
        how = [while_running] if leave_running else []
        on_top = ["--parent-path", f"../{number - 1}"] if number > 0 else []
        self._runc(host, "checkpoint", *how, *on_top, "--image-path", str(folder), "--work-path", str(_logs(host)), self.testbed)
        return sum(path.stat().st_size for path in folder.iterdir() if not path.is_symlink())

    def restore(self, host: Host) -> None:
        """Let it go on from the newest of the host's snapshots."""
        where = ["--image-path", str(_snapshots(host)[-1]), "--work-path", str(_logs(host)), "--bundle", str(host.bundle)]
        self._runc(host, "restore", "--detach", *where, self.testbed)

    def delete(self, host: Host) -> None:
        """Remove what is left of it on a host where it runs no more."""
        if (host.folder / "runc" / self.testbed).exists():
            self._runc(host, "delete", "--force", self.testbed)

    def _runc(self, host: Host, *words: str) -> None:
        begin_s = time.monotonic()
        if words[0] in _LOGS:
            _log(host, words[0]).unlink(missing_ok=True)
        program = host.programs.start(["runc", "--root", str(host.folder / "runc"), *words])
        try:
            code = program.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            end(program)
            raise MsmfError(
                f"runc {words[0]} on host {host.name} did not end within {_PATIENCE_S:g} s and was killed; run msmf-traci testbed check"
            ) from None
        if code != 0:
            raise MsmfError(
                f"runc {words[0]} failed on host {host.name} after {time.monotonic() - begin_s:.1f} s: {_why(host, words[0])}; "
                "run msmf-traci testbed check"
            )

    def _specification(self, host: Host) -> dict[str, Any]:
        """The OCI configuration (github.com/opencontainers/runtime-spec)."""
        private = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]
        return {
            "ociVersion": "1.0.2",
            "annotations": {_SETTINGS_ANNOTATION: str(host.folder / "criu.conf")},
            "process": {
                "terminal": False,
                "user": {"uid": 0, "gid": 0},
                "args": list(self.arguments),
                "env": ["PATH=/bin", f"{MARK}={self.testbed}"],
                "cwd": "/",
                "noNewPrivileges": True,
                "capabilities": {},
            },
            "root": {"path": "rootfs", "readonly": True},
            "hostname": "service",
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {
                    "destination": "/dev",
                    "type": "tmpfs",
                    "source": "tmpfs",
                    "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
                },
            ],
            "linux": {
                "cgroupsPath": f"/{self.testbed}/{host.name}",
                "namespaces": [*private, {"type": "network", "path": str(NAMES / host.namespace)}],
            },
        }


def _snapshots(host: Host) -> list[Path]:
    """The snapshots on a host, the newest last."""
    return sorted((path for path in host.snapshot.iterdir() if path.is_dir()), key=lambda path: int(path.name))


def _logs(host: Host) -> Path:
    folder = host.folder / "criu"
    folder.mkdir(exist_ok=True)
    return folder


def _log(host: Host, word: str) -> Path:
    return host.folder / "criu" / _LOGS[word]


def _why(host: Host, word: str) -> str:
    """CRIU's first error, or that runC said why on stderr only."""
    if word not in _LOGS:
        return "CRIU was not involved, so there is no log"
    try:
        lines = _log(host, word).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "it left no log"
    # the last error is only a consequence of the first, and one about the number of open files comes in every user namespace
    errors = [line for line in lines if "Error (" in line and "RLIMIT_NOFILE" not in line]
    return errors[0].strip() if errors else "CRIU's log names no error"
