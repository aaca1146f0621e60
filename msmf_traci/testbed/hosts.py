"""The hosts of a testbed: two local and two regional servers, the cloud centre and the user equipment (the paper, section 5.4.1)."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from msmf_traci.errors import MsmfError
from msmf_traci.testbed.namespaces import entered
from msmf_traci.testbed.network import namespace_of
from msmf_traci.testbed.programs import Programs, end, last_line

LOCAL, REGIONAL, CLOUD, USER = "local", "regional", "cloud", "user"
_ADDRESSES = {"user": 1, "cloud": 2, "local1": 11, "local2": 12, "regional1": 21, "regional2": 22}
_SUBNET = "10.77.0"
_RSYNC_PORT = 873
_DAEMON_STARTS_S = 5.0
MODULE = "host"  # what rsync calls the folder of a host


@dataclass
class Host:
    """One host: a network namespace and a folder.

    Attributes
    ----------
    name, tier
        What it is called, and what it is.
    testbed
        Name of the testbed.
    folder
        What is on its disk.
    programs
        Starts its programs.
    """

    name: str
    tier: str
    testbed: str
    folder: Path
    programs: Programs
    _daemon: subprocess.Popen[str] | None = field(default=None, init=False)
    _cleared: int = field(default=0, init=False)

    @property
    def namespace(self) -> str:
        """Its network namespace."""
        return namespace_of(self.testbed, self.name)

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return address_of(self.name)

    @property
    def bundle(self) -> Path:
        """The OCI bundle of the service: its root file system and how to start it."""
        return self.folder / "disk" / "bundle"

    @property
    def snapshot(self) -> Path:
        """The snapshots of the service's memory, each a numbered folder."""
        return self.folder / "disk" / "snapshot"

    def receive(self) -> None:
        """Be ready to receive files; what somebody is still sending here is broken off first.

        Raises
        ------
        MsmfError
            If rsync does not listen in time.
        """
        self.stop_receiving()
        self.bundle.mkdir(parents=True, exist_ok=True)
        self.snapshot.mkdir(parents=True, exist_ok=True)
        settings, log = self.folder / "rsyncd.conf", self.folder / "rsyncd.log"
        settings.write_text(
            "use chroot = no\nuid = 0\ngid = 0\nread only = no\nreverse lookup = no\nforward lookup = no\nmunge symlinks = no\n"
            f"log file = {log}\n[{MODULE}]\npath = {self.folder}/disk\n",
            encoding="utf-8",
        )
        command = ["rsync", "--daemon", "--no-detach", f"--config={settings}", f"--address={self.address}", f"--port={_RSYNC_PORT}"]
        self._daemon = self.programs.start(command, namespace=self.namespace)
        deadline_s = time.monotonic() + _DAEMON_STARTS_S
        while not self._listens():
            if time.monotonic() > deadline_s or self._daemon.poll() is not None:
                said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
                raise MsmfError(f"rsync does not listen on host {self.name}: {last_line(said)}")
            time.sleep(0.002)

    def stop_receiving(self) -> None:
        """End rsync's daemon and whoever it is receiving from."""
        if self._daemon is not None:
            end(self._daemon)
            self._daemon = None

    def clear(self) -> None:
        """Forget image and snapshot."""
        disk = self.folder / "disk"
        if disk.exists():
            self._cleared += 1
            old = disk.rename(self.folder / f"old-{self._cleared}")
            self.programs.start(["rm", "-rf", str(old)])  # a large image takes its time
        disk.mkdir(parents=True)

    def _listens(self) -> bool:
        with entered(self.namespace), socket.socket() as probe:
            return probe.connect_ex((self.address, _RSYNC_PORT)) == 0


def make_host(name: str, testbed: str, folder: Path, programs: Programs) -> Host:
    """A host of one of the known names, with an empty folder."""
    host = Host(name, tier_of_host(name), testbed, folder / name, programs)
    host.folder.mkdir()
    return host


def host_names() -> tuple[str, ...]:
    """The six hosts."""
    return tuple(_ADDRESSES)


def tier_of_host(name: str) -> str:
    """What a host is: LOCAL, REGIONAL, CLOUD or USER."""
    return name.rstrip("12")


def address_of(name: str) -> str:
    """IPv4 address of a host."""
    return f"{_SUBNET}.{_ADDRESSES[name]}"


def copy_image(image: Path, host: Host) -> None:
    """Put the image on a host's disk, as the first deployment does; it is no part of any migration."""
    host.bundle.mkdir(parents=True, exist_ok=True)
    host.programs.run(["cp", "--archive", str(image), str(host.bundle / "rootfs")])
