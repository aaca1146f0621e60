"""Names and measured values of a run's tables as the whole numbers that a replay is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from msmf_traci.arrays import IntArray
from msmf_traci.errors import InputError
from msmf_traci.reporting.run_tables import variant_labels

KEEP, NONE, NEVER = -2, -1, -1


class Numbers:
    """Numbers for names, given in the order in which the names are met.

    Parameters
    ----------
    names
        Those that have numbers already.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.of = {name: number for number, name in enumerate(names)}

    def __call__(self, name: str) -> int:
        """Give the number of a name."""
        return self.of.setdefault(name, len(self.of))


def in_ms(seconds: pd.Series) -> IntArray:
    """Whole milliseconds, NEVER where there is none."""
    values = seconds.to_numpy(dtype=np.float64)
    return np.where(np.isnan(values), NEVER, np.rint(np.nan_to_num(values) * 1000.0)).astype(np.int64)


def rounded(values: pd.Series, quantum: float) -> IntArray:
    """Values as whole multiples of a quantum."""
    return np.rint(values.to_numpy(dtype=np.float64) / quantum).astype(np.int64)


def starts(counts: IntArray) -> IntArray:
    """Where each group of sorted rows begins, by how many rows groups have; at last the end."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])


def numbered(column: pd.Series, numbers: dict[str, int], run: Path) -> IntArray:
    """Numbers of the names in a column, all of them known."""
    names = column.astype("category").cat
    unknown = [str(name) for name in names.categories if name not in numbers]
    if unknown:
        raise InputError(f"{run}: {column.name} {unknown[0]} stands in one table and not in another; copy the run again, or run it again")
    return np.array([numbers[name] for name in names.categories], dtype=np.int64)[names.codes.to_numpy()]


def new_numbered(column: pd.Series, numbers: Numbers) -> IntArray:
    """Numbers of the names in a column; those met for the first time get one, KEEP and NONE have their own."""
    names = column.astype("category").cat
    special = {"KEEP": KEEP, "NONE": NONE}
    of = [special[name] if name in special else numbers(str(name)) for name in names.categories]
    return np.array(of, dtype=np.int64)[names.codes.to_numpy()]


def variant_numbers(rows: pd.DataFrame, key_columns: Sequence[str], variants: Numbers, run: Path) -> IntArray:
    """Variant of each row; every combination of keys is looked up once."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    combination = np.zeros(len(rows), dtype=np.int64)
    for column in key_columns:
        names = rows[column].astype("category").cat
        combination = combination * len(names.categories) + names.codes.to_numpy()
    _, first, of_row = np.unique(combination, return_index=True, return_inverse=True)
    labels = variant_labels(rows.iloc[first], key_columns)
    unknown = [label for label in labels if label not in variants.of]
    if unknown:
        raise InputError(f"{run}: the table of vehicles lacks {' '.join(unknown[0].split(chr(31)))}; copy the run again, or run it again")
    return np.array([variants.of[label] for label in labels], dtype=np.int64)[of_row]
