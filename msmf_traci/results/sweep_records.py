"""What a sweep keeps beside its runs: its plan, which run a live process is making, and why a run failed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from msmf_traci.locks import Lock, is_held, try_lock
from msmf_traci.scratch import LOCK_ENDING, write_whole

RECORDS_FOLDER = ".sweep"
_PLAN = "plan-"
_FAILED = ".failed.json"
_POLL_S = 0.5


@dataclass(frozen=True)
class Planned:
    """A run of a sweep, before it is made.

    Attributes
    ----------
    name
        Its folder beside the records.
    identity
        Hash of its configuration, inputs and code.
    """

    name: str
    identity: str


@dataclass(frozen=True)
class Failure:
    """Why a run failed, in a sentence, and when."""

    reason: str
    at_s: float


class Records:
    """The records of the sweeps in a folder of results.

    Parameters
    ----------
    results
        Folder of the runs.
    """

    def __init__(self, results: Path) -> None:
        self.folder = results / RECORDS_FOLDER

    def write_plan(self, runs: Sequence[Planned]) -> None:
        """Keep what a sweep is to make; the same sweep again writes the same file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {"runs": [asdict(run) for run in runs]}
        digest = hashlib.sha256("\n".join(run.name for run in runs).encode()).hexdigest()[:12]
        _write_json(self.folder / f"{_PLAN}{digest}.json", content)

    def plans(self) -> list[list[Planned]]:
        """The sweeps that have been asked for in this folder, the latest last."""
        found = []
        for path in sorted(self.folder.glob(f"{_PLAN}*.json"), key=lambda path: path.stat().st_mtime_ns):
            content = _read_json(path)
            with suppress(KeyError, TypeError):
                found.append([Planned(str(run["name"]), str(run["identity"])) for run in content["runs"]])
        return found

    def claim(self, name: str, *, wait: bool) -> Lock | None:
        """Say that this process is making a run; None where another one is, unless it is to be waited for."""
        self.folder.mkdir(parents=True, exist_ok=True)
        while (lock := try_lock(self._claim_file(name))) is None and wait:
            time.sleep(_POLL_S)
        return lock

    def is_claimed(self, name: str) -> bool:
        """Whether a live process is making a run."""
        return is_held(self._claim_file(name))

    def was_claimed(self, name: str) -> bool:
        """Whether a process has begun a run, alive or dead; it lets go of its claim at the end of the run."""
        return self._claim_file(name).exists()

    def note_failure(self, name: str, reason: str) -> None:
        """Keep why a run failed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_json(self._failure_file(name), asdict(Failure(reason, time.time())))

    def note_lost(self, name: str, reason: str) -> None:
        """Keep why a run ended whose process could not say so itself."""
        self.note_failure(name, f"{reason}; no tables were written")

    def forget_failure(self, name: str) -> None:
        """The run is being made again, or has been."""
        self._failure_file(name).unlink(missing_ok=True)

    def failure(self, name: str) -> Failure | None:
        """Why a run failed; None where it did not."""
        content = _read_json(self._failure_file(name))
        try:
            return Failure(str(content["reason"]), float(content["at_s"]))
        except (KeyError, TypeError, ValueError):
            return None

    def failed(self) -> dict[str, Failure]:
        """Every run that failed when it was last tried."""
        names = sorted(path.name.removesuffix(_FAILED) for path in self.folder.glob(f"*{_FAILED}"))
        return {name: failure for name in names if (failure := self.failure(name)) is not None}

    def _claim_file(self, name: str) -> Path:
        return self.folder / f".{name}{LOCK_ENDING}"

    def _failure_file(self, name: str) -> Path:
        return self.folder / f"{name}{_FAILED}"


def identity(config: Mapping[str, Any], fingerprint: Mapping[str, Any]) -> str:
    """Hash of everything that a run's tables follow from."""
    text = json.dumps({"config": config, "fingerprint": fingerprint}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_whole(path, json.dumps(content, indent=1) + "\n")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
