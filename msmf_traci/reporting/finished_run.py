"""One finished run as a report reads it: its facts, its tables, and its rows with every option that a run can be told by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.errors import InputError
from msmf_traci.migration.ledger import COPY_OUTCOME_NAMES
from msmf_traci.reporting.measures import LATER, MEASURES, REPLICATE
from msmf_traci.reporting.options import APPLICATION, IMAGE, SPEED, Value, config_options, normalised, varied_columns, with_preset
from msmf_traci.reporting.run_tables import TRACE_TABLES
from msmf_traci.results.run_facts import read_facts
from msmf_traci.results.store import RUN_FILE, folders_below, has_table, read_table
from msmf_traci.results.summary import of_all_vehicles

TABLES = ("vehicles", "migrations", "frames", "decisions", "stages")  # a sweep's own folder has a summary too
# columns that are text, beside those that tell variants apart; of those that name something none is empty. All others are numbers.
_NAMES = ("strategy", "vehicle", "outcome", "source", "target", "server", "home", "host", "stage", "band")
_TEXTS = ("mode", "cell", "edge", "tier", "region")
_DEPTH = 3


ANY = "(any)"  # an option's value in the rows of a strategy that it has no effect on


@dataclass(frozen=True)
class FinishedRun:
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
        return has_table(self.folder, table)

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


def runs_in(folder: Path) -> list[FinishedRun]:
    """The runs in a folder, or the one that it is.

    Raises
    ------
    InputError
        If there is none, or one is damaged.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give the folder of a run or of a sweep, e.g. results/figure7")
    found = [_read_one(each) for each in folders_below(folder, _holds_a_run, _DEPTH)]
    if not found:
        raise InputError(f"{folder} holds no finished run: give the folder of a run or of a sweep, e.g. results/figure7")
    return found


def _holds_a_run(folder: Path) -> bool:
    """Whether a folder holds a run, or what is left of one."""
    return (folder / RUN_FILE).is_file() or any(has_table(folder, name) for name in TABLES)


def _read_one(folder: Path) -> FinishedRun:
    facts = read_facts(folder)
    run = FinishedRun(folder, {**facts, "config": with_preset(facts["config"], facts.get("overrides", []))})
    if not run.has("migrations") and run.writes_migrations:
        run.table("migrations")
    return run


def rows_of(number: int, run: FinishedRun) -> pd.DataFrame:
    """A run's rows of the table, with the value of every option of its configuration that a run can be told by."""
    table = run.table("summary")
    missing = [name for name in (*run.key_columns, REPLICATE, "commanded_kmh", *MEASURES) if name not in table]
    if missing:
        raise InputError(
            f"{run.folder}: table summary has no column {missing[0]}: another version wrote it; make the run again, or leave it out"
        )
    table = of_all_vehicles(table).reset_index(drop=True)
    _check_rows(run, table)
    return rows_with(number, run, table, [REPLICATE, *MEASURES, *(name for name in LATER if name in table)])


def rows_with(number: int, run: FinishedRun, table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of a table with a row a variant, in a row for each strategy and setting, with the value of every option."""
    table = for_every_setting(run, table)
    return pd.concat([pd.DataFrame({"run": number, **option_values(run, table)}), table[["strategy", *columns]]], axis=1)


def for_every_setting(run: FinishedRun, table: pd.DataFrame) -> pd.DataFrame:
    """A run's rows, with those of strategies that an option has no effect on at each of its values, so that strategies can be compared.

    Such a row has an empty cell in the column of an option of another strategy. It counts at every setting that occurs: where each value
    is varied alone, at those of the run; where all are combined, at all combinations.

    Parameters
    ----------
    run
        Whose rows they are.
    table
        With the run's key columns.
    """
    config, options = config_options(run.facts["config"]), _options_of_others(run, table)
    of_others = [column for column, (_, is_empty) in options.items() if is_empty.any()]
    if not of_others:
        return table
    keys = [column for column in run.key_columns if column != "strategy"]
    table = table.astype(dict.fromkeys(keys, object))
    for column in of_others:
        option, is_empty = options[column]
        said = [normalised(None if pd.isna(value) else value) for value in table[column]]
        others = [value for value, empty in zip(said, is_empty, strict=True) if not empty]
        base = config[option] if config[option] in others or not others else others[0]
        table[column] = pd.Series(said, index=table.index, dtype=object).where(~is_empty, base)
    settings = table[keys].drop_duplicates()
    if run.facts["config"]["vary"]["design"] == "product":
        rest = [key for key in keys if key not in of_others]
        settings = table[rest].drop_duplicates() if rest else table[:1][[]]
        for column in of_others:
            settings = settings.merge(table[[column]].drop_duplicates(), how="cross")
    found = []
    for empty, rows in table.groupby([options[column][1] for column in of_others], sort=False):
        spread = [column for column, is_empty in zip(of_others, empty, strict=True) if is_empty]
        shared = [key for key in keys if key not in spread]
        rows = rows.drop(columns=spread)
        found.append(rows.merge(settings, on=shared) if shared else rows.merge(settings, how="cross"))
    return pd.concat(found, ignore_index=True)


def _options_of_others(run: FinishedRun, table: pd.DataFrame) -> dict[str, tuple[str, pd.Series]]:
    """By column the options of strategies, and which rows are of strategies that each has no effect on."""
    found = {}
    for option, column in varied_columns(run.facts["config"], run.key_columns).items():
        if option.startswith("strategy."):
            found[column] = option, table[column].isna() & (table["strategy"] != option.split(".")[1])
    return found


def option_values(run: FinishedRun, table: pd.DataFrame) -> dict[str, pd.Series]:
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
    values |= {name: each.mask(each == ANY, values[name]) for name, each in varied_values(run, table).items()}
    speed = table["commanded_kmh"]
    values[SPEED] = speed.astype(object).where(speed.notna(), normalised(None))
    return values


def _check_rows(run: FinishedRun, summary: pd.DataFrame) -> None:
    """Check that a run's tables were not cut off between two rows: what each says of the others' rows."""
    strangers = set(summary["strategy"]) - set(run.facts["strategies"])
    if strangers or summary.empty or (summary[REPLICATE] != run.seed).any():
        raise run.damage("summary", f"it is not that of seed {run.seed} and its strategies")
    counts = ("completed", "mispredicted", "user_left", "unfinished", "refused")
    vehicles = run.table("vehicles", columns=counts)
    rows = {"summary": (summary["vehicles"].sum(), len(vehicles))}
    if run.writes_migrations:
        rows["migrations"] = (run.rows("migrations"), vehicles.to_numpy().sum())
    if run.has("copies"):
        copies = run.table("vehicles", columns=[f"copies_{outcome}" for outcome in COPY_OUTCOME_NAMES])
        rows["copies"] = (run.rows("copies"), copies.to_numpy().sum())
    wrong = next((name for name, (there, expected) in rows.items() if there != expected), None)
    if wrong is not None:
        raise InputError(
            f"{run.folder}: table {wrong} does not fit the table vehicles: one of them is damaged; copy the run again, or leave it out"
        )


def is_at(values: pd.Series, wanted: Value) -> pd.Series:
    """Whether rows, whose values come from `varied_values`, count at a value."""
    return values.isin([wanted, ANY])


def varied_values(run: FinishedRun, table: pd.DataFrame) -> dict[str, pd.Series]:
    """Value of every option that a run varied within its pass, in the rows of one of its tables.

    Parameters
    ----------
    run
        Whose table it is.
    table
        With the run's key columns.

    Returns
    -------
    By the options' dotted names; columns of objects, numbers as numbers; ANY in rows of strategies that an option has no effect on.
    """
    config, of_others = config_options(run.facts["config"]), _options_of_others(run, table)
    found = {}
    for option, column in varied_columns(run.facts["config"], run.key_columns).items():
        # empty is a size that is drawn: the configuration's own value; or no limit: null
        empty = config[option] if column == "image_mb" else normalised(None)
        codes, said = pd.factorize(table[column], use_na_sentinel=False)
        values = pd.Series([empty if pd.isna(value) else normalised(value) for value in said], dtype=object)
        found[option] = values.take(codes).set_axis(table.index)
        if column in of_others:
            found[option] = found[option].mask(of_others[column][1], ANY)
    if IMAGE in found and APPLICATION in found:
        # of rows with an application, image_mb is what that gives, and the option is as configured
        found[IMAGE] = found[IMAGE].where(found[APPLICATION] == normalised(None), config[IMAGE])
    return found
