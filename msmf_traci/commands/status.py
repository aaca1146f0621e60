"""`msmf-traci status`: runs that are done, running, failed, interrupted or missing, what came of them; and what the cache holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from msmf_traci.command_line import Parser
from msmf_traci.errors import MsmfError
from msmf_traci.files.input_file import input_folder, is_input_folder
from msmf_traci.locks import is_held
from msmf_traci.reporting.command import REPORT_FOLDER
from msmf_traci.results import RESULTS
from msmf_traci.results.runs import Run
from msmf_traci.results.screen import asked
from msmf_traci.results.store import RUN_FILE
from msmf_traci.results.sweep_records import RECORDS_FOLDER, Records
from msmf_traci.scenario.cache_folder import CACHE_VARIABLE, cache_folder
from msmf_traci.scenario.clear_cache import clear_cache
from msmf_traci.scratch import OWNER_FILE, parts_in, target_of

DONE, RUNNING, FAILED, INTERRUPTED, MISSING = "done", "running", "failed", "interrupted", "missing"
MOST_SHOWN = 20  # of the done runs of a folder; to read more of them takes its time
# how deep below the given folder sweeps are looked for: results/<experiment>/
_DEPTH = 3


@dataclass(frozen=True)
class RunState:
    """A run and what became of it.

    Attributes
    ----------
    name
        Its folder.
    state
        `done`, `running`, `failed`, `interrupted` or `missing`.
    reason
        Why it failed; empty otherwise.
    """

    name: str
    state: str
    reason: str = ""


def main(words: Sequence[str]) -> None:
    """Print the state of a folder, or empty the cache.

    Raises
    ------
    InputError
        If the folder does not exist, or the cache is not ours to empty.
    """
    parser = Parser("msmf-traci status", description="Show the runs in a folder of results, what was set, and what came of it.")
    parser.add_argument("folder", nargs="?", help=f"a folder of runs, or one that holds such folders ({RESULTS} if not given)")
    parser.add_argument(
        "--clear-cache", action="store_true", help="empty the cache folder of networks, roads, routes, recordings and downloads"
    )
    typed = parser.parse_args(list(words))
    if typed.folder is not None or not typed.clear_cache:
        folder = input_folder(typed.folder or RESULTS, "folder")
        print("\n".join(status_lines(folder)))
    if typed.clear_cache:
        print(clear_cache())


def status_lines(folder: Path) -> list[str]:
    """The state of every run in a folder and in those that it holds, and the size of the cache."""
    lines: list[str] = []
    for place in _places(folder):
        states = run_states(place)
        counts = ", ".join(
            f"{number} {state}"
            for state in (DONE, RUNNING, FAILED, INTERRUPTED, MISSING)
            if (number := sum(run.state == state for run in states))
        )
        lines.append(f"{place}: {counts}")
        done = [run for run in states if run.state == DONE]
        for run in states:
            if run.state != DONE:
                lines.append(f"  {run.state:<11}  {run.name}" + (f": {run.reason}" if run.reason else ""))
            elif run in done[-MOST_SHOWN:]:
                lines += [f"  {run.state:<11}  {run.name}", *(f"{'':15}{line}" for line in _result_lines(place / run.name))]
        if len(done) > MOST_SHOWN:
            lines.append(f"  {DONE:<11}  {len(done) - MOST_SHOWN} more")
    return [*(lines or [f"{folder}: no runs"]), *_cache_lines()]


def _result_lines(folder: Path) -> list[str]:
    """What was asked of a finished run, and what came of it; none where its tables cannot be read."""
    try:
        run = Run(folder)
        return [asked(run.facts), run.headline.partition(". ")[0].rstrip(".")]
    except MsmfError:
        return []


def run_states(place: Path) -> list[RunState]:
    """Every run that lies in a folder, is being made there, or is missing of a sweep that was asked for."""
    records = Records(place)
    done = {path.parent.name for path in place.glob(f"*/{RUN_FILE}")}
    parts = {
        target_of(part): is_held(part / OWNER_FILE) for part in parts_in(place) if not target_of(part).startswith(("map-", REPORT_FOLDER))
    }
    failed = records.failed()
    planned = [run.name for plan in records.plans() for run in plan]
    states = []
    for name in sorted({*done, *parts, *failed, *planned}, key=_naturally):
        if name in done:
            states.append(RunState(name, DONE))
        elif parts.get(name) or records.is_claimed(name):
            states.append(RunState(name, RUNNING))
        elif name in failed:
            states.append(RunState(name, FAILED, failed[name].reason))
        elif name in parts or records.was_claimed(name):
            states.append(RunState(name, INTERRUPTED))
        else:
            states.append(RunState(name, MISSING))
    return states


def _places(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """Folders at or below this one that hold runs or the plan of some."""
    if (folder / RECORDS_FOLDER).is_dir() or any(folder.glob(f"*/{RUN_FILE}")) or parts_in(folder):
        yield folder
    elif depth:
        for inner in sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")):
            yield from _places(inner, depth - 1)


def _cache_lines() -> list[str]:
    cache = cache_folder()
    if not is_input_folder(cache, CACHE_VARIABLE):
        return [f"cache {cache}: empty"]
    kinds = {path.name: size_of(path) for path in sorted(cache.iterdir()) if path.is_dir() and not path.is_symlink()}
    sizes = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in kinds.items())
    return [f"cache {cache}: {sizes or 'empty'} ({CACHE_VARIABLE} names another, --clear-cache empties it)"]


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder; links are not followed."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(where) / name).lstat().st_size
            except OSError:
                continue  # gone meanwhile
    return total


def _naturally(name: str) -> list[tuple[int, float, str]]:
    """Sort key that puts seed=2 before seed=10."""
    return [(0, float(part), "") if part.isdigit() else (1, 0.0, part) for part in re.split(r"(\d+)", name)]
