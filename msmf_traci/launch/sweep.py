"""What of a sweep is done already, and the stacked summary of its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from msmf_traci.config.applications import image_size
from msmf_traci.config.compose import Point, Request
from msmf_traci.config.earlier_names import is_of_first_edition
from msmf_traci.config.schema import Config
from msmf_traci.errors import InputError
from msmf_traci.launch.naming import free, results_folder, swept_folder
from msmf_traci.results.console import say
from msmf_traci.results.cost import BOUND_COLUMNS, COST_COLUMNS, read_bounds, revalued, weights_of
from msmf_traci.results.option_columns import columns_beside_keys, key_value
from msmf_traci.results.store import read_run, read_table
from msmf_traci.results.tables import TABLE_COLUMNS
from msmf_traci.scratch import write_whole
from msmf_traci.weights import Weights


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
    if found is not None and isinstance(found.get("config"), dict) and is_of_first_edition(found["config"]):
        raise InputError(
            f"{folder} holds a run of the first edition, whose options had other names: reports take it, but a sweep cannot go on with it; "
            "set output.dir to another folder"
        )
    if found is None or comparable(found.get("config")) != comparable(config.model_dump()):
        raise InputError(f"{folder} holds another run, and results are never overwritten; set output.dir to another folder")
    before = found.get("fingerprint", {})
    changed = sorted(name for name in fingerprint if before.get(name) != fingerprint[name])
    if changed:
        what = _what_changed(changed, before, fingerprint)
        raise InputError(f"{folder} holds this run, but made with other {what}; remove that folder, or set output.dir to another one")
    return True


def _what_changed(changed: Sequence[str], before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Entries of a fingerprint in words; of strategies those whose code is another one."""
    words = [name for name in changed if name != "strategies"]
    if "strategies" in changed:
        was, those = before.get("strategies") or {}, now["strategies"]
        names = sorted(name for name in those if was.get(name) != those[name])
        words.append(f"code of {'the strategy' if len(names) == 1 else 'the strategies'} {', '.join(names)}" if names else "strategies")
    return " and ".join(words)


def comparable(config: Any) -> Any:
    """A configuration without what does not change the tables' content."""
    if not isinstance(config, dict):
        return config
    return {**config, "dry_run": None, "cost": None, "output": {**config.get("output", {}), "dir": None}}


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
    images = [image_size(point.config) for point in request.points]
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
        if name == "summary":
            table = _valued_as_asked(table, point)
        for position, (option, column) in enumerate(columns.items()):
            table.insert(1 + position, column, _option_text(point, option))
        tables.append(table)
    path = results_folder(request.points[0].config) / f"{name}.csv"
    text = pd.concat(tables, ignore_index=True).to_csv(index=False, lineterminator="\n")
    kept = None
    if path.is_file():
        if path.read_bytes() == text.encode():
            return None
        kept = free(path, lambda number: f"{path.stem}-{number}{path.suffix}", 1)
        path.rename(kept)
    write_whole(path, text)
    return kept


def _valued_as_asked(summary: pd.DataFrame, point: Point) -> pd.DataFrame:
    """A summary as it was written, with costs at the weights that are asked for now, where the run was valued at others."""
    folder = swept_folder(point)
    wanted = Weights(**point.config.cost.model_dump())
    if weights_of(read_run(folder) or {"config": {}}) == wanted:
        return summary
    numbers = revalued(read_table(folder, "summary"), read_bounds(folder), wanted)
    if numbers[list(BOUND_COLUMNS)].isna().all(axis=None):
        say(f"{folder} has no bounds at these weights; msmf-traci bound {folder} cost.NAME=NUMBER adds them")
    return summary.assign(**{name: numbers[name] for name in COST_COLUMNS})


def check_one_folder(request: Request) -> None:
    """Check that the runs of a sweep have different names and lie in one folder.

    Raises
    ------
    InputError
        If two runs would share a folder, the sweep would spread over several, or two runs would differ in what values tables alone.
    """
    for option in request.points[0].swept:
        if option.startswith("cost."):
            raise InputError(
                f"{option}: costs value tables and make no other runs; give one value, and the same command again for another one"
            )
    folders = [swept_folder(point) for point in request.points]
    if len({folder.parent for folder in folders}) > 1:
        raise InputError("the runs of a sweep must go to one folder: set one output.dir=FOLDER for all of them")
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
