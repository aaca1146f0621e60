"""Finished runs as Python objects: their tables as data frames, one run or many, read from disk when they are first asked for."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import pandas as pd

from msmf_traci.errors import InputError
from msmf_traci.files.input_file import input_folder
from msmf_traci.results.cost import read_bounds
from msmf_traci.results.option_columns import SEED_OPTION, SPEED_OPTION, column_names, key_value
from msmf_traci.results.run_facts import is_session, read_facts, refuse_mixed_versions
from msmf_traci.results.screen import asked, headline, means_words, result_table, sweep_table
from msmf_traci.results.store import RUN_FILE, find_map, folders_below, read_table
from msmf_traci.results.summary import of_all_vehicles
from msmf_traci.results.tables import TABLE_COLUMNS

_DEPTH = 4  # of folders below the one that is named: results, an experiment, a run
_CITY, _OF_CITY = "scenario.name", "scenario."
# what says where and how things are written, or has columns of its own in every table: no property that tells runs apart
_TELLS_NOTHING = ("output.", "cost.", "variants.", "vary.", "dry_run", "experiment", "strategies")


class _Tables(ABC):
    """The tables of one run or of several."""

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row a run and variant: the paper's figures over all vehicles."""
        return self.table("summary")

    @cached_property
    def summary_by_band(self) -> pd.DataFrame:
        """One row a run, variant and band of realised speed."""
        return self.table("summary_by_band")

    @cached_property
    def vehicles(self) -> pd.DataFrame:
        """One row a run, vehicle and variant."""
        return self.table("vehicles")

    @cached_property
    def bounds(self) -> pd.DataFrame:
        """One row a run, vehicle, combination of varied options, and weights: what the trip costs at least."""
        return self.table("bounds")

    @cached_property
    def migrations(self) -> pd.DataFrame:
        """One row a run and transfer. A run with `output.migrations=false` has none."""
        return self.table("migrations")

    @cached_property
    def copies(self) -> pd.DataFrame:
        """One row a run and copy of an image ahead of a transfer. A run with `output.migrations=false` has none."""
        return self.table("copies")

    @abstractmethod
    def table(self, name: str) -> pd.DataFrame:
        """Read a table by its name, such as `vehicles`."""


class Run(_Tables):
    """A finished run.

    Tables are read from disk when they are first asked for. docs/tables.md describes their columns.

    Attributes
    ----------
    folder
        Where its tables are.
    facts
        What its run.json says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder).absolute()
        self.facts = read_facts(self.folder)

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.folder.name

    @property
    def headline(self) -> str:
        """Which strategy satisfies most, and at what traffic."""
        return headline(self.summary, self.facts)

    @cached_property
    def options(self) -> dict[str, Any]:
        """Every option with its value, by its dotted name."""
        return dict(_flat("", self.facts["config"]))

    @cached_property
    def frames(self) -> pd.DataFrame:
        """One row a vehicle and frame. Only a run with `output.trace=true` has them."""
        return self.table("frames")

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """One row a vehicle, frame and variant. Only a run with `output.trace=true` has them."""
        return self.table("decisions")

    @cached_property
    def stages(self) -> pd.DataFrame:
        """One row a stage of a transfer. Only a run with `output.trace=true` has them."""
        return self.table("stages")

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row a cell of the deployment."""
        return read_table(find_map(self.folder, self.facts), "cells")

    @cached_property
    def roads(self) -> pd.DataFrame:
        """One row a road edge, with its line as WKT in metres."""
        return read_table(find_map(self.folder, self.facts), "roads")

    def table(self, name: str) -> pd.DataFrame:
        """Read a table by its name, such as `vehicles`.

        Raises
        ------
        InputError
            If it is not there; the sentence says which option writes it.
        """
        if name in ("frames", "decisions", "stages") and not self.options.get("output.trace"):
            raise InputError(f"{self.folder} has no table {name}: the run was not traced; run it again with output.trace=true")
        if name == "bounds" and read_bounds(self.folder) is None:
            raise InputError(f"{self.folder} has no table bounds; msmf-traci bound {self.folder} makes it")
        if name in ("migrations", "copies") and not self.options.get("output.migrations", True):
            raise InputError(f"{self.folder} has no table {name}; run it again without output.migrations=false")
        return _typed(read_table(self.folder, name))

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}): {self.headline}"

    def _repr_html_(self) -> str:
        lines = [asked(self.facts), self.headline, f"Tables: {self.folder}"]
        return _html(result_table(self.summary, self.facts), lines)


class Runs(_Tables, Sequence[Run]):
    """Finished runs side by side; their tables are stacked, with a column for each option in which the runs differ.

    Attributes
    ----------
    folder
        The folder that was named, or the first of several.
    """

    def __init__(self, folder: Path, runs: Sequence[Run]) -> None:
        self.folder = Path(folder).absolute()
        self._runs = tuple(runs)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Run, ...]: ...
    def __getitem__(self, index: int | slice) -> Run | tuple[Run, ...]:
        return self._runs[index]

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    @cached_property
    def varied(self) -> dict[str, str]:
        """Options in which the runs differ, with the column of each; speed and seed always, since every table has them."""
        names = list(dict.fromkeys(name for run in self for name in run.options))
        columns = {SPEED_OPTION: "commanded_kmh", SEED_OPTION: "seed"}
        differ = [name for name in names if not name.startswith(_TELLS_NOTHING) and name not in columns and self._many(name) > 1]
        if _CITY in differ and all(self._many(_CITY, name) == self._many(_CITY) for name in differ if name.startswith(_OF_CITY)):
            # the name of the city says the rest
            columns[_CITY] = "scenario"
            differ = [name for name in differ if not name.startswith(_OF_CITY)]
        return columns | column_names(differ, TABLE_COLUMNS)

    def _many(self, *options: str) -> int:
        """How many combinations of values these options have."""
        return len({repr([run.options.get(option) for option in options]) for run in self})

    @property
    def settings(self) -> list[str]:
        """Columns that tell settings apart, beside the strategy and the seed."""
        keys = [name for run in self for name in run.facts["key_columns"]]
        return [name for name in dict.fromkeys([*self.varied.values(), *keys]) if name not in ("strategy", "seed")]

    def table(self, name: str) -> pd.DataFrame:
        """Read a table of all runs, one below the other; the column `run` has the name of each run.

        Runs of the same name are told by their folders, as far as these differ.

        Raises
        ------
        InputError
            If a run lacks it.
        """
        parts = []
        has_doubles = len({run.name for run in self}) < len(self)
        above = os.path.commonpath([run.folder for run in self]) if has_doubles else ""
        for run in self:
            part = run.table(name)
            label = run.folder.relative_to(above).as_posix() if has_doubles else run.name
            added = {"run": label, **{column: key_value(run.options.get(option)) for option, column in self.varied.items()}}
            for position, (column, value) in enumerate((column, value) for column, value in added.items() if column not in part):
                part.insert(position, column, value)
            parts.append(part)
        return _typed(pd.concat(parts, ignore_index=True))

    def __repr__(self) -> str:
        return f"Runs({str(self.folder)!r}): {len(self)} runs"

    def _repr_html_(self) -> str:
        overall = of_all_vehicles(self.summary).drop_duplicates(["strategy", "seed", *self.settings])
        return _html(sweep_table(overall, self.settings), [f"{len(self)} runs. {means_words(overall)}", f"Runs: {self.folder}"])


def load_runs(folders: Sequence[str | Path]) -> Run | Runs:
    """Load finished runs.

    Parameters
    ----------
    folders
        Each of a run, or of a folder that holds runs, such as that of a sweep.

    Returns
    -------
    A Run where one folder of a run is named, else Runs.

    Raises
    ------
    InputError
        If there is no run, one is damaged, or they are of several versions.
    """
    if not folders:
        raise InputError("name the folder of a run or of a sweep, such as results/synthetic")
    paths = [input_folder(str(folder), "folder") for folder in folders]
    if len(paths) == 1 and (paths[0] / RUN_FILE).is_file():
        return Run(paths[0])
    found: dict[Path, Run] = {}
    for path in paths:
        inside = [each for each in folders_below(path, lambda one: (one / RUN_FILE).is_file(), _DEPTH) if not is_session(each)]
        if not inside:
            raise InputError(f"{path} holds no finished run; name the folder of a run or of a sweep, such as results/synthetic")
        found |= {folder.resolve(): Run(folder) for folder in inside}
    refuse_mixed_versions({run.folder: run.facts for run in found.values()})
    return Runs(paths[0], list(found.values()))


def _flat(prefix: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Text as pandas' text, whether a column has values or not; numbers as they are."""
    text = [name for name in table.columns if table[name].dtype == object or isinstance(table[name].dtype, pd.StringDtype)]
    return table.astype(dict.fromkeys(text, "string"))


def _html(table: pd.DataFrame, lines: Sequence[str]) -> str:
    from html import escape

    shown = table.rename(columns=lambda head: str(head).replace("-\n", "").replace("\n", " "))
    return f"{shown.to_html(index=False, justify='right')}<p>{'<br>'.join(map(escape, lines))}</p>"
