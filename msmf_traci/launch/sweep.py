"""What a run is called, what of a sweep is done already, and the stacked summary of a sweep's runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from msmf_traci.config.applications import effective_workload
from msmf_traci.config.compose import Point, Request
from msmf_traci.config.schema import Config
from msmf_traci.errors import InputError
from msmf_traci.results.keys import column_names, columns_beside_keys, key_value
from msmf_traci.results.newest import RESULTS
from msmf_traci.results.store import read_run, read_table
from msmf_traci.results.tables import TABLE_COLUMNS
from msmf_traci.scratch import write_whole

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
    return _free(taken, lambda number: f"{first}-{number}", 2)


def _free(path: Path, name: Callable[[int], str], number: int) -> Path:
    while (free := path.with_name(name(number))).exists():
        number += 1
    return free


def swept_folder(point: Point) -> Path:
    """Folder of a run of a sweep: called by what is varied, and by a hash of whatever else was set.

    So two sweeps over the same values that differ in a fixed option lie side by side, and the same sweep finds its runs again.
    """
    told_by_the_place = {"output.dir", "dry_run"}
    if point.config.output.dir is None:
        told_by_the_place.add("experiment" if point.config.experiment is not None else "scenario")
    words = [word for word in point.overrides if (key := word.partition("=")[0]) not in told_by_the_place and not key.startswith("hydra")]
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


def is_done(folder: Path, config: Config, fingerprint: Mapping[str, Any]) -> bool:
    """Whether this very run lies complete in `folder`: the same configuration, inputs and versions.

    Raises
    ------
    InputError
        If another run lies there.
    """
    if not folder.exists():
        return False
    found = read_run(folder)
    if found is None or comparable(found.get("config")) != comparable(config.model_dump()):
        raise InputError(f"{folder} holds another run, and results are never overwritten; set output.dir to another folder")
    before = found.get("fingerprint", {})
    changed = sorted(name for name in fingerprint if before.get(name) != fingerprint[name])
    if changed:
        raise InputError(f"{folder} holds this run with other {' and '.join(changed)}; remove it, or set output.dir to another folder")
    return True


def comparable(config: Any) -> Any:
    """A configuration without what does not change the tables' content."""
    if not isinstance(config, dict):
        return config
    return {**config, "dry_run": None, "output": {**config.get("output", {}), "dir": None}}


@dataclass(frozen=True)
class Stacked:
    """The stacked summaries of a sweep.

    Attributes
    ----------
    settings
        Columns that tell settings apart, beside the strategy.
    kept
        The numbered name under which a different `summary.csv` of an earlier sweep is kept; None where there was none.
    """

    settings: tuple[str, ...]
    kept: Path | None


def stack_summaries(request: Request) -> Stacked:
    """Write the stacked summaries of a finished sweep, with a column for each swept option that is no key column already."""
    images = [effective_workload(point.config).image_mb for point in request.points]
    columns = columns_beside_keys(request.points[0].swept, images, TABLE_COLUMNS)
    _stack(request, "summary_by_band", columns)
    kept = _stack(request, "summary", columns)
    keys = [key for run in map(read_run, map(swept_folder, request.points)) for key in (run or {}).get("key_columns", ())]
    return Stacked(tuple(name for name in dict.fromkeys([*columns.values(), *keys, "commanded_kmh"]) if name != "strategy"), kept)


def _stack(request: Request, name: str, columns: Mapping[str, str]) -> Path | None:
    """Write a table of all runs, one below the other; returns where a different one is kept."""
    tables = []
    for point in request.points:
        table = read_table(swept_folder(point), name, as_written=True)
        for position, (option, column) in enumerate(columns.items()):
            table.insert(1 + position, column, _option_text(point, option))
        tables.append(table)
    path = results_folder(request.points[0].config) / f"{name}.csv"
    text = pd.concat(tables, ignore_index=True).to_csv(index=False, lineterminator="\n")
    kept = None
    if path.is_file():
        if path.read_bytes() == text.encode():
            return None
        kept = _free(path, lambda number: f"{path.stem}-{number}{path.suffix}", 1)
        path.rename(kept)
    write_whole(path, text)
    return kept


def check_one_folder(request: Request) -> None:
    """Check that the runs of a sweep have different names and lie in one folder.

    Raises
    ------
    InputError
        If two runs would share a folder, or the sweep would spread over several.
    """
    folders = [swept_folder(point) for point in request.points]
    if len({folder.parent for folder in folders}) > 1:
        raise InputError("the runs of a sweep go to one folder: set one output.dir=FOLDER for all of them")
    if len(set(folders)) < len(folders):
        raise InputError("the sweep asks for the same run twice; give every value once")


def _option_text(point: Point, name: str) -> Any:
    """Value of an option in a point of a sweep, as a table holds it."""
    if name == "scenario":
        return point.config.scenario.name
    if name == "migration":  # a preset of options, which do not say its name
        return next(word.partition("=")[2] for word in point.overrides if word.startswith(f"{name}="))
    value: Any = point.config
    for part in name.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)  # applications are called by their users
    return key_value(value)
