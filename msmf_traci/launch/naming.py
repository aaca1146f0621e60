"""What the folders of runs are called, alone and in a sweep."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from msmf_traci.config.compose import Point
from msmf_traci.config.schema import Config
from msmf_traci.errors import InputError
from msmf_traci.results import RESULTS
from msmf_traci.results.option_columns import column_names

LONGEST_NAME = 80
_LONGEST_VALUE = 24


def results_folder(config: Config) -> Path:
    """Folder of the runs of an experiment: `results/<experiment, else scenario>`, or `output.dir`."""
    if config.output.dir is not None:
        try:
            return Path(config.output.dir).expanduser()
        except RuntimeError:
            raise InputError(f"output.dir={config.output.dir}: there is no such home folder; write the path in full") from None
    return Path(RESULTS) / (config.experiment or config.scenario.name)


def timed_folder(config: Config) -> Path:
    """Folder of a single run: called by its time, numbered on where that is taken."""
    folder = results_folder(config) / datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    return numbered(folder) if folder.exists() else folder


def numbered(taken: Path) -> Path:
    """The first free name beside a folder whose name is taken: `NAME-2`, `NAME-3`, ..."""
    first = re.sub(r"(T\d\d-\d\d-\d\d)-\d+$", r"\1", taken.name)
    return free(taken, lambda number: f"{first}-{number}", 2)


def free(path: Path, name: Callable[[int], str], number: int) -> Path:
    """The first free path beside another, its name made of a number from the given one on."""
    while (found := path.with_name(name(number))).exists():
        number += 1
    return found


def swept_folder(point: Point) -> Path:
    """Folder of a run of a sweep: called by what is varied, and by a hash of whatever else was set.

    So two sweeps over the same values that differ in a fixed option lie side by side, and the same sweep finds its runs again.
    """
    told_by_the_place = {"output.dir", "dry_run"}
    if point.config.output.dir is None:
        told_by_the_place.add("experiment" if point.config.experiment is not None else "scenario")
    # neither what carries a sweep out nor what values its tables makes another run
    words = [
        word
        for word in point.overrides
        if (key := word.partition("=")[0]) not in told_by_the_place and not key.startswith(("hydra", "cost."))
    ]
    varied = [word for word in words if word.partition("=")[0] in point.swept]
    return results_folder(point.config) / name_by(varied, [word for word in words if word not in varied])


def name_by(varied: Sequence[str], fixed: Sequence[str] = ()) -> str:
    """A folder's name that a shell takes without quotes: `speed_kmh=20_seed=0`, with a hash of what it does not say.

    Parameters
    ----------
    varied
        Overrides that the name tells, the last part of each option; a long or odd value is shortened.
    fixed
        Overrides that it does not tell.
    """
    varied = sorted(varied)
    last = column_names([word.partition("=")[0] for word in varied], ())
    said, unsaid = list[str](), list(fixed)
    for word in varied:
        option, _, value = word.partition("=")
        short = re.sub(r"[^A-Za-z0-9.+-]+", "_", value).strip("_")[:_LONGEST_VALUE]
        said.append(f"{last[option]}={short}")
        if short != value:
            unsaid.append(word)
    name = "_".join(said) or "defaults"
    if len(name) > LONGEST_NAME:
        name, unsaid = name[:LONGEST_NAME], [*varied, *fixed]
    return f"{name}-{hashlib.sha256(','.join(sorted(unsaid)).encode()).hexdigest()[:8]}" if unsaid else name
