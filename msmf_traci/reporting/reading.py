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
from msmf_traci.reporting.measures import MEASURES, REPLICATE
from msmf_traci.reporting.options import (
    APPLICATION,
    IMAGE,
    SPEED,
    Option,
    Value,
    axes,
    config_options,
    find_options,
    normalised,
    varied_columns,
    with_preset,
)
from msmf_traci.reporting.run_tables import TRACE_TABLES
from msmf_traci.reporting.statistics import SEEDS, Units
from msmf_traci.results.run_facts import read_facts, refuse_mixed_versions
from msmf_traci.results.store import RUN_FILE, folders_below, read_table
from msmf_traci.results.summary import of_all_vehicles

TABLES = ("vehicles", "migrations", "frames", "decisions", "stages")  # a sweep's own folder has a summary too
# columns that are text, beside those that tell variants apart; of those that name something none is empty. All others are numbers.
_NAMES = ("strategy", "vehicle", "outcome", "source", "target", "home", "host", "stage", "band")
_TEXTS = ("mode", "cell", "edge", "tier", "region")
_DEPTH = 3
PAPER_EXPERIMENTS = {"figure7", "figure7_synthetic", "figure8", "paper_table2", "sensitivity"}
"""Experiments that put the paper's claims to the test."""
_EARLIER_PREDICTORS = {"oracle": "route", "oracle_tier": "route"}  # of runs that do not say what strategies look ahead on
_WITHIN = 1e-9  # of two runs of the same setting and seed, relative; they should be the same


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder
        Where it lies.
    facts
        What its `run.json` says.
    """

    folder: Path
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.folder.name

    @property
    def seed(self) -> int:
        """Its seed: the replicate."""
        return int(self.facts["seed"])

    @property
    def key_columns(self) -> list[str]:
        """Columns that tell its variants apart."""
        return list(self.facts["key_columns"])

    @property
    def is_traced(self) -> bool:
        """Whether it has the tables of a trace."""
        return all(self.has(name) for name in TRACE_TABLES)

    @property
    def writes_migrations(self) -> bool:
        """Whether it was asked for the table of transfers."""
        output = self.facts["config"].get("output", {})
        return not isinstance(output, dict) or output.get("migrations", True) is not False

    @property
    def is_of_traces(self) -> bool:
        """Whether people's traces were driven, whose speed nobody commands."""
        mobility = self.facts.get("mobility")
        return isinstance(mobility, dict) and mobility.get("source") == "gps"

    @property
    def map_folder(self) -> Path:
        """Where its map lies."""
        return self.folder.parent / str(self.facts["map_folder"])

    def has(self, table: str) -> bool:
        """Whether it wrote a table."""
        return any((self.folder / f"{table}.{ending}").is_file() for ending in ("csv", "parquet"))

    def rows(self, name: str) -> int:
        """How many rows a table has."""
        path = self.folder / f"{name}.csv"
        if not path.is_file():
            return len(self.table(name, columns=["strategy"]))
        with path.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1

    def table(self, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        """One of its tables.

        Parameters
        ----------
        name
            Without ending.
        columns
            Those that are needed; all if empty.

        Raises
        ------
        InputError
            If it is not there whole.
        """
        table = read_table(self.folder, name, columns=columns)
        for column in table.columns:
            values = table[column]
            if column in _NAMES:
                is_sound = bool(values.notna().all())
            elif column in (*_TEXTS, *self.key_columns):
                is_sound = True
            elif table.empty:  # without a row nothing tells that its columns are numbers
                table[column], is_sound = values.astype(np.float64), True
            else:
                is_sound = pd.api.types.is_numeric_dtype(values) and not np.isinf(values.to_numpy(dtype=np.float64)).any()
            if not is_sound:
                raise self.damage(name, f"its column {column} has values that no run writes")
        return table

    def damage(self, table: str, why: str) -> InputError:
        """What to raise about a table that was read and cannot be right."""
        return InputError(f"{self.folder}: table {table} is damaged ({why}); copy the run again, or leave it out")


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
    runs: tuple[Run, ...]
    main: int
    rows: pd.DataFrame
    options: Mapping[str, Option]
    units: Units = SEEDS
    reference: Mapping[str, Value] = field(default_factory=dict)
    beside: tuple[Run, ...] = ()
    apart: tuple[Apart, ...] = ()

    @property
    def strategies(self) -> list[str]:
        """Names, in the order in which the runs were asked for them."""
        return list(dict.fromkeys(name for run in self.runs for name in run.facts["strategies"]))

    @property
    def perfect(self) -> list[str]:
        """Strategies with perfect prediction: they know the road that a vehicle will really drive."""
        known = [run.facts.get("predictors") or _EARLIER_PREDICTORS for run in self.runs]
        return [name for name in self.strategies if any(predictors.get(name) == "route" for predictors in known)]

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
    def traced(self) -> list[Run]:
        """Runs with a trace, those given for it first."""
        return [run for run in (*self.beside, *self.runs) if run.is_traced]

    @cached_property
    def design(self) -> list[Option]:
        """The options that vary while all others have their reference value, those of the paper first.

        Of the container image all values count where the speed is looked at, and the other way round: figures show both.
        """
        return [option for option in axes(self.options) if self._varies_alone(option)]

    @cached_property
    def designed(self) -> pd.DataFrame:
        """Rows that figures may show: those that differ from the reference in options of the design alone."""
        return self.where({}, [option.name for option in self.design])

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


def read_results(folders: Sequence[Path], first_runs: Sequence[Path] = ()) -> Results:
    """Read runs and sweeps.

    Parameters
    ----------
    folders
        Folders of runs, of sweeps, or of several of these; the first is what the report is about, the others add to it.
    first_runs
        The runs that the report is about, where these are others than all in the first folder.

    Raises
    ------
    InputError
        If there is nothing, or nothing whole, or what does not belong together.
    """
    groups: list[list[Run]] = []
    known: set[Path] = set()
    for number, folder in enumerate(folders):
        places = first_runs if number == 0 and first_runs else [folder]
        groups.append([run for place in places for run in _runs_in(place) if run.folder.resolve() not in known])
        known |= {run.folder.resolve() for run in groups[-1]}
    first, further = groups[0], groups[1:]
    is_beside = [len(group) == 1 and group[0].is_traced for group in further]
    beside = [group[0] for group, only in zip(further, is_beside, strict=True) if only]
    runs = [*first, *(run for group, only in zip(further, is_beside, strict=True) if not only for run in group)]
    refuse_mixed_versions({run.folder: run.facts for run in (*runs, *beside)})
    summaries = {run.folder: _rows_of(number, run) for number, run in enumerate([*runs, *beside])}
    tables = [summaries[run.folder] for run in runs]
    options = find_options([run.facts["config"] for run in runs], tables, len(first))
    names = ["run", "strategy", REPLICATE, *options, *MEASURES]
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
    first: Sequence[Run], further: Sequence[Run], tables: Mapping[Path, pd.DataFrame], options: Sequence[str]
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


def _runs_in(folder: Path) -> list[Run]:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: give the folder of a run or of a sweep, e.g. results/figure7")
    found = [_read_one(each) for each in folders_below(folder, _holds_a_run, _DEPTH)]
    if not found:
        raise InputError(f"{folder} holds no finished run: give the folder of a run or of a sweep, e.g. results/figure7")
    return found


def _holds_a_run(folder: Path) -> bool:
    """Whether a folder holds a run, or what is left of one."""
    return (folder / RUN_FILE).is_file() or any((folder / f"{name}.{ending}").is_file() for name in TABLES for ending in ("csv", "parquet"))


def _read_one(folder: Path) -> Run:
    facts = read_facts(folder)
    run = Run(folder, {**facts, "config": with_preset(facts["config"], facts.get("overrides", []))})
    if not run.has("migrations") and run.writes_migrations:
        run.table("migrations")
    return run


def _rows_of(number: int, run: Run) -> pd.DataFrame:
    """A run's rows of the table, with the value of every option of its configuration that a run can be told by."""
    table = run.table("summary")
    missing = [name for name in (*run.key_columns, REPLICATE, "commanded_kmh", *MEASURES) if name not in table]
    if missing:
        raise InputError(
            f"{run.folder}: table summary has no column {missing[0]}: another version wrote it; make the run again, or leave it out"
        )
    table = of_all_vehicles(table).reset_index(drop=True)
    _check_rows(run, table)
    return pd.concat([pd.DataFrame({"run": number, **option_values(run, table)}), table[["strategy", REPLICATE, *MEASURES]]], axis=1)


def option_values(run: Run, table: pd.DataFrame) -> dict[str, pd.Series]:
    """Value of every option of its configuration that a run can be told by, in the rows of one of its tables.

    Parameters
    ----------
    run
        Whose table it is.
    table
        With the run's key columns and commanded_kmh.
    """
    config = run.facts["config"]
    values = {name: pd.Series([value] * len(table), index=table.index, dtype=object) for name, value in config_options(config).items()}
    values |= varied_values(run, table)
    speed = table["commanded_kmh"]
    values[SPEED] = speed.astype(object).where(speed.notna(), normalised(None))
    return values


def _check_rows(run: Run, summary: pd.DataFrame) -> None:
    """Check that a run's tables were not cut off between two rows: what each says of the others' rows."""
    strangers = set(summary["strategy"]) - set(run.facts["strategies"])
    if strangers or summary.empty or (summary[REPLICATE] != run.seed).any():
        raise run.damage("summary", f"it is not that of seed {run.seed} and its strategies")
    counts = ("completed", "mispredicted", "user_left", "unfinished", "refused")
    vehicles = run.table("vehicles", columns=counts)
    rows = {"summary": (summary["vehicles"].sum(), len(vehicles))}
    if run.writes_migrations:
        rows["migrations"] = (run.rows("migrations"), vehicles.to_numpy().sum())
    wrong = next((name for name, (there, expected) in rows.items() if there != expected), None)
    if wrong is not None:
        raise InputError(
            f"{run.folder}: table {wrong} does not fit the table vehicles: one of them is damaged; copy the run again, or leave it out"
        )


def varied_values(run: Run, table: pd.DataFrame) -> dict[str, pd.Series]:
    """Value of every option that a run varied within its pass, in the rows of one of its tables.

    Parameters
    ----------
    run
        Whose table it is.
    table
        With the run's key columns.

    Returns
    -------
    By the options' dotted names; columns of objects, numbers as numbers.
    """
    config = config_options(run.facts["config"])
    found = {}
    for option, column in varied_columns(run.facts["config"], run.key_columns).items():
        # empty is a size that is drawn, or no limit: the configuration's own value, or null
        empty = config[option] if column == "image_mb" else normalised(None)
        codes, said = pd.factorize(table[column], use_na_sentinel=False)
        values = pd.Series([empty if pd.isna(value) else normalised(value) for value in said], dtype=object)
        found[option] = values.take(codes).set_axis(table.index)
    if IMAGE in found and APPLICATION in found:
        # of rows with an application, image_mb is what that gives, and the option is as configured
        found[IMAGE] = found[IMAGE].where(found[APPLICATION] == normalised(None), config[IMAGE])
    return found


def _without_doubles(rows: pd.DataFrame, options: Sequence[str], runs: Sequence[Run]) -> pd.DataFrame:
    """Each setting and seed once; two runs of the same must have come out alike."""
    keys = ["strategy", REPLICATE, *options]
    again = rows.duplicated(keys, keep="first")
    if again.any():
        both = rows[again].merge(rows[~again], on=keys, suffixes=("_again", ""))
        for name in MEASURES:
            one, other = both[name], both[f"{name}_again"]
            differ = ((one - other).abs() > _WITHIN * one.abs().clip(lower=1.0)) | (one.isna() != other.isna())
            if differ.any():
                first = both[differ].iloc[0]
                raise InputError(
                    f"{runs[first['run']].folder} and {runs[first['run_again']].folder} are runs of the same configuration and seed "
                    f"with different results ({name}): tables of different versions or inputs are mixed; report on them apart"
                )
    return rows[~again].reset_index(drop=True)
