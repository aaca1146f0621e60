"""Reads finished runs and sweeps from disk into one table: a row is one variant of one run, with every option that varies.

Folders are pooled: a study of one option after the other that lies beside a sweep over speeds adds its settings to those of the sweep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.errors import InputError
from msmf_traci.reporting.finished_run import FinishedRun, rows_of, runs_in
from msmf_traci.reporting.measures import COPIES, LATER, MEASURES, REPLICATE, STORES, Measure
from msmf_traci.reporting.options import IMAGE, SPEED, Option, Value, axes, find_options
from msmf_traci.reporting.statistics import SEEDS, Units
from msmf_traci.results.run_facts import perfect_strategies, refuse_mixed_versions

PAPER_EXPERIMENTS = {"figure7", "figure7_synthetic", "figure8", "paper_table2", "sensitivity"}
"""Experiments that put the paper's claims to the test."""
MOST_SETTINGS = 100
_WITHIN = 1e-9  # of two runs of the same setting and seed, relative; they should be the same


@dataclass(frozen=True)
class Apart:
    """A further folder that is not of the first folder's design.

    Attributes
    ----------
    folder
        Where it lies.
    options
        The options of which it has no value that the first folder has, by their dotted names: its values, and the first folder's.
    is_beside
        Whether it is a single traced run, which serves the timeline and the replay alone.
    """

    folder: Path
    options: Mapping[str, tuple[list[Value], list[Value]]]
    is_beside: bool


@dataclass(frozen=True)
class Results:
    """Runs, and the rows of their summaries.

    Attributes
    ----------
    folders
        As they were given.
    runs
        Of all folders, the first folder's first; all numbers come from these.
    main
        How many of them are of the first folder.
    rows
        One row a run and variant: `run` (its place in `runs`), `strategy`, `seed`, one column an option that varies anywhere (by its
        dotted name), and the columns of `measures`, in the tables' units.
    options
        The options that vary, by their dotted names.
    units
        What the replicates of a setting are.
    reference
        Every option's value at the reference, of those too that do not vary.
    beside
        Single traced runs that were given for the timeline and the replay: no number comes from them.
    apart
        Further folders that are not of the first one's design.
    """

    folders: tuple[Path, ...]
    runs: tuple[FinishedRun, ...]
    main: int
    rows: pd.DataFrame
    options: Mapping[str, Option]
    units: Units = SEEDS
    reference: Mapping[str, Value] = field(default_factory=dict)
    beside: tuple[FinishedRun, ...] = ()
    apart: tuple[Apart, ...] = ()

    @property
    def strategies(self) -> list[str]:
        """Names, in the order in which the runs were asked for them."""
        return list(dict.fromkeys(name for run in self.runs for name in run.facts["strategies"]))

    @property
    def perfect(self) -> list[str]:
        """Strategies with perfect prediction: they know the road that a vehicle will really drive."""
        known = {name for run in self.runs for name in perfect_strategies(run.facts)}
        return [name for name in self.strategies if name in known]

    @property
    def is_of_traces(self) -> bool:
        """Whether all runs drove people's traces."""
        return bool(self.runs) and all(run.is_of_traces for run in self.runs)

    @property
    def settings(self) -> pd.DataFrame:
        """The combinations of options that were run, each once."""
        return self.rows[list(self.options)].drop_duplicates() if self.options else self.rows[:1][[]]

    @property
    def is_of_paper(self) -> bool:
        """Whether the first folder is one of the paper's experiments."""
        return any(run.facts["config"].get("experiment") in PAPER_EXPERIMENTS for run in self.runs[: self.main])

    @property
    def replicates(self) -> list[int]:
        """Those of all rows: seeds, or numbers of trajectories."""
        return sorted(self.rows[REPLICATE].unique().tolist())

    @property
    def traced(self) -> list[FinishedRun]:
        """Runs with a trace, those given for it first."""
        return [run for run in (*self.beside, *self.runs) if run.is_traced]

    @cached_property
    def design(self) -> list[Option]:
        """The options that vary while all others have their reference value, those of the paper first.

        Of the container image all values count where the speed is looked at, and the other way round: figures show both.
        """
        return [option for option in axes(self.options) if self._varies_alone(option)]

    @cached_property
    def of_images(self) -> list[Measure]:
        """What there is to say of copies, and of stores where they kept images or gave some up."""

        def occurs(name: str) -> bool:
            return name in self.rows and bool((self.rows[name] > 0).any())

        stores = STORES if occurs("image_found_share") or occurs("evictions") else ()
        return [*(measure for measure in COPIES if occurs(measure.column)), *stores]

    @cached_property
    def designed(self) -> pd.DataFrame:
        """Rows that figures may show: those that differ from the reference in options of the design alone."""
        return self.where({}, [option.name for option in self.design])

    @cached_property
    def few_designed(self) -> pd.DataFrame:
        """The same, of no more settings than a reader can see: of many, those that differ from the reference in one option."""
        rows, options = self.designed, self.design
        if len(rows[[option.name for option in options]].drop_duplicates()) <= MOST_SETTINGS:
            return rows
        differs = np.sum([(rows[option.name] != option.reference).to_numpy() for option in options], axis=0)
        few: pd.DataFrame = rows[differs <= 1]
        return few

    def _varies_alone(self, option: Option) -> bool:
        second = next(
            (name for name in (SPEED, IMAGE) if name in self.options and option.name in (SPEED, IMAGE) and name != option.name), None
        )
        rows = self.where({}, [option.name, *([second] if second else [])])
        values = rows.groupby(second)[option.name].nunique() if second else pd.Series([rows[option.name].nunique()])
        return bool((values > 1).any())

    def at(self, **chosen: Any) -> pd.DataFrame:
        """Rows where every option has its reference value, but for those given by dotted name (`**{"workload.image_mb": 500.0}`)."""
        return self.where(chosen)

    def where(self, chosen: Mapping[str, Any], free: Sequence[str] = ()) -> pd.DataFrame:
        """Rows with the given values of some options, any values of `free` ones, and the reference values of all others."""
        wanted = {name: option.reference for name, option in self.options.items()} | dict(chosen)
        kept = pd.Series(True, index=self.rows.index)
        for name, value in wanted.items():
            if name not in free:
                kept &= self.rows[name] == value
        return self.rows[kept]


def read_results(folders: Sequence[Path], chosen: Mapping[Path, Sequence[Path]] | None = None) -> Results:
    """Read runs and sweeps.

    Parameters
    ----------
    folders
        Folders of runs, of sweeps, or of several of these; the first is what the report is about, the others add to it.
    chosen
        The runs to read of a folder, where these are others than all in it.

    Raises
    ------
    InputError
        If there is nothing, or nothing whole, or what does not belong together.
    """
    groups: list[list[FinishedRun]] = []
    known: set[Path] = set()
    for folder in folders:
        places = (chosen or {}).get(folder, [folder])
        groups.append([run for place in places for run in runs_in(place) if run.folder.resolve() not in known])
        known |= {run.folder.resolve() for run in groups[-1]}
    first, further = groups[0], groups[1:]
    is_beside = [len(group) == 1 and group[0].is_traced for group in further]
    beside = [group[0] for group, only in zip(further, is_beside, strict=True) if only]
    runs = [*first, *(run for group, only in zip(further, is_beside, strict=True) if not only for run in group)]
    refuse_mixed_versions({run.folder: run.facts for run in (*runs, *beside)})
    summaries = {run.folder: rows_of(number, run) for number, run in enumerate([*runs, *beside])}
    tables = [summaries[run.folder] for run in runs]
    options = find_options([run.facts["config"] for run in runs], tables, len(first))
    names = ["run", "strategy", REPLICATE, *options, *MEASURES, *LATER]
    rows = pd.concat([table.reindex(columns=names) for table in tables], ignore_index=True)
    told = find_options([run.facts["config"] for run in (*runs, *beside)], list(summaries.values()), len(first))
    differ = [_differences(first, group, summaries, list(told)) for group in further]
    apart = [Apart(*each) for each in zip(folders[1:], differ, is_beside, strict=True)]
    return Results(
        tuple(folders),
        tuple(runs),
        len(first),
        _without_doubles(rows, list(options), runs),
        options,
        reference=_reference_row(tables[: len(first)], options),
        beside=tuple(beside),
        apart=tuple(each for each in apart if each.options or each.is_beside),
    )


def _reference_row(tables: Sequence[pd.DataFrame], options: Mapping[str, Option]) -> dict[str, Value]:
    """Every option's value in the row of the first folder that has most of the reference values: all of them, if there is one."""
    table = pd.concat(tables, ignore_index=True)
    has = np.sum([(table[name] == option.reference).to_numpy() for name, option in options.items() if name in table], axis=0)
    row = table.iloc[int(np.argmax(has))]
    return {name: row[name] for name in map(str, table.columns) if "." in name and not pd.isna(row[name])}


def _differences(
    first: Sequence[FinishedRun], further: Sequence[FinishedRun], tables: Mapping[Path, pd.DataFrame], options: Sequence[str]
) -> dict[str, tuple[list[Value], list[Value]]]:
    """The options of which further runs have no value that the first ones have: their values, and those of the first."""
    found = {}
    for name in options:
        theirs, ours = (
            list(dict.fromkeys(value for run in runs if name in tables[run.folder] for value in tables[run.folder][name].unique()))
            for runs in (further, first)
        )
        if ours and theirs and not set(ours) & set(theirs):
            found[name] = theirs, ours
    return found


def _without_doubles(rows: pd.DataFrame, options: Sequence[str], runs: Sequence[FinishedRun]) -> pd.DataFrame:
    """Each setting and seed once; two runs of the same must have come out alike."""
    keys = ["strategy", REPLICATE, *options]
    again = rows.duplicated(keys, keep="first")
    if again.any():
        both = rows[again].merge(rows[~again], on=keys, suffixes=("_again", ""))
        for name in (*MEASURES, *LATER):
            one, other = both[name], both[f"{name}_again"]
            differ = ((one - other).abs() > _WITHIN * one.abs().clip(lower=1.0)) | (one.isna() != other.isna())
            if differ.any():
                first = both[differ].iloc[0]
                raise InputError(
                    f"{runs[first['run']].folder} and {runs[first['run_again']].folder} are runs of the same configuration and seed "
                    f"with different results ({name}): tables of different versions or inputs are mixed; report on each of them separately"
                )
    return rows[~again].reset_index(drop=True)
