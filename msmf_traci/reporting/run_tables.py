"""Reads what pictures of one run need from its folder, piece by piece, and says in one sentence what is missing or damaged there.

Text is text here, whatever it looks like: a vehicle may be called `007` or `NA`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.errors import InputError
from msmf_traci.files.exact_csv import EXACT
from msmf_traci.results.store import check_end

ROWS_AT_ONCE = 500_000
TRACE_TABLES = ("frames", "decisions", "stages")

MOST_NUMBER = 2.0**53
"""Up to here a float holds every integer; pictures are made of integers."""

TEXT, NUMBER, OPTIONAL_NUMBER = "text", "number", "optional number"
Columns = Mapping[str, str]
"""Name of each column to read and what it holds: TEXT, NUMBER, or OPTIONAL_NUMBER where empty means not applicable."""


def read_whole(folder: Path, name: str, columns: Columns) -> pd.DataFrame:
    """Read a table at once; its text columns are categories.

    Raises
    ------
    InputError
        If it is missing, damaged, cut off or lacks a column.
    """
    pieces = list(read_pieces(folder, name, columns))
    return pd.concat([piece.astype({c: object for c, kind in columns.items() if kind == TEXT}) for piece in pieces], ignore_index=True)


def header(folder: Path, name: str) -> list[str]:
    """Columns of a table.

    Raises
    ------
    InputError
        If it is missing or damaged.
    """
    path = _find(folder, name)
    try:
        return list(pd.read_csv(path, nrows=0).columns if path.suffix == ".csv" else _parquet_file(path).schema_arrow.names)
    except (ValueError, OSError) as error:
        raise InputError(f"{path} is damaged ({_first_line(error)}); copy the run again, or run it again") from None


def read_pieces(folder: Path, name: str, columns: Columns) -> Iterator[pd.DataFrame]:
    """Read a table piece by piece, so that large ones need little memory; at least one piece, maybe without rows.

    Parameters
    ----------
    folder, name
        Where, and the table's name without its ending.
    columns
        What to read of it; only these columns are in the pieces.

    Raises
    ------
    InputError
        If it is missing, damaged, cut off or lacks a column.
    """
    path = _find(folder, name)
    raw = _csv_pieces(path, columns) if path.suffix == ".csv" else _parquet_pieces(path, columns)
    first_row = 0
    try:
        for piece in raw:
            _check_numbers(piece, columns, path, first_row)
            first_row += len(piece)
            yield piece
    except (ValueError, OSError) as error:  # pandas and pyarrow raise subclasses of these
        raise InputError(f"{path} is damaged ({_first_line(error)}); copy the run again, or run it again") from None


def variant_labels(rows: pd.DataFrame, key_columns: Sequence[str]) -> NDArray[np.object_]:
    """Key columns of rows as one text each, to compare rows of different tables by."""
    return np.asarray(rows[list(key_columns)].astype(str).agg("\x1f".join, axis=1), dtype=object)


def _find(folder: Path, name: str) -> Path:
    for ending in ("csv", "parquet"):
        path = folder / f"{name}.{ending}"
        if path.is_file():
            return path
    if name in TRACE_TABLES:
        raise InputError(f"{folder} has no table {name}: the run was not traced; run it again with output.trace=true")
    also = "; a run with output.migrations=false has to be run again without that" if name == "migrations" else ""
    raise InputError(f"{folder} has no table {name}, so it was copied only in part: copy the whole folder again{also}")


def _csv_pieces(path: Path, columns: Columns) -> Iterator[pd.DataFrame]:
    check_end(path)
    _check_columns(path, list(pd.read_csv(path, nrows=0).columns), columns)
    dtypes: Any = {column: "category" if kind == TEXT else np.float64 for column, kind in columns.items()}
    text = [column for column, kind in columns.items() if kind == TEXT]
    missing = {column: [""] for column, kind in columns.items() if kind != TEXT}
    reader = pd.read_csv(
        path,
        usecols=list(columns),
        dtype=dtypes,
        keep_default_na=False,
        na_values=missing,
        chunksize=ROWS_AT_ONCE,
        encoding="utf-8",
        **EXACT,
    )
    with reader:
        for piece in reader:
            # a line with too few fields leaves its text columns missing, where an empty one is ""
            for column in text:
                if piece[column].isna().any():
                    row = int(piece.index[piece[column].isna()][0])
                    raise InputError(f"{path} is cut off: row {row + 1} has no {column}; copy the run again, or run it again")
            yield piece[list(columns)]


def _parquet_pieces(path: Path, columns: Columns) -> Iterator[pd.DataFrame]:
    file = _parquet_file(path)
    _check_columns(path, file.schema_arrow.names, columns)
    empty = True
    for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(columns)):
        empty = False
        yield _typed(batch.to_pandas()[list(columns)], columns)
    if empty:
        yield _typed(file.schema_arrow.empty_table().to_pandas()[list(columns)], columns)


def _parquet_file(path: Path) -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise InputError(f"{path} needs pyarrow to be read; type: pip install 'msmf-traci[parquet]'") from None
    return pyarrow.parquet.ParquetFile(path)


def _typed(piece: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Columns as they would come from a CSV file."""
    made = {}
    for column, kind in columns.items():
        values = piece[column]
        made[column] = (
            pd.Series(np.where(values.isna(), "", values.astype(str)), index=piece.index).astype("category")
            if kind == TEXT
            else values.astype(np.float64)
        )
    return pd.DataFrame(made)


def _check_columns(path: Path, found: Sequence[str], columns: Columns) -> None:
    missing = [column for column in columns if column not in found]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; it is damaged or of another version: run it again")


def _check_numbers(piece: pd.DataFrame, columns: Columns, path: Path, first_row: int) -> None:
    for column, kind in columns.items():
        if kind == NUMBER and piece[column].isna().any():
            row = first_row + int(np.flatnonzero(piece[column].isna())[0]) + 1
            raise InputError(f"{path} is damaged: row {row} has no {column}; copy the run again, or run it again")
        if kind != TEXT and (beyond := ~(piece[column].abs() < MOST_NUMBER) & piece[column].notna()).any():
            row = first_row + int(np.flatnonzero(beyond)[0]) + 1
            raise InputError(f"{path} is damaged: row {row} has an impossible {column}; copy the run again, or run it again")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
