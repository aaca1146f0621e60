"""Folders of results: written under a temporary name and renamed when complete, so that a run is there whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from msmf_traci.errors import InputError, MsmfError
from msmf_traci.files.exact_csv import EXACT
from msmf_traci.files.input_file import is_there
from msmf_traci.results.earlier import is_earlier_summary, split_earlier_summary
from msmf_traci.scratch import folders_to_make, owned_scratch, part_of, refusal, remove_empty, settle

RUN_FILE = "run.json"


def check_writable(folder: Path) -> None:
    """Check, without leaving anything behind, that folders can be made in `folder`.

    Raises
    ------
    InputError
        If they cannot.
    """
    existing = folder
    while not is_there(existing, "output.dir") and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise InputError(f"output folder {folder} cannot be made: {existing} is a file; set output.dir to another folder")
    probe = existing / f".msmf-traci-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise InputError(f"output folder {folder} cannot be written ({error.strerror}); set output.dir to another folder") from None


@dataclass
class Piece:
    """A folder in the making.

    Attributes
    ----------
    scratch
        Where to write now.
    target
        Its name when it is complete; may change at the end, if somebody else has taken it meanwhile.
    """

    scratch: Path
    target: Path


def refuse_taken(target: Path) -> Path | None:
    """What to do by default about a name that is taken: refuse."""
    raise InputError(f"{target} exists already, and results are never overwritten; set output.dir to another folder")


def share_taken(_: Path) -> Path | None:
    """What to do where anybody's folder of that name serves: let ours go."""
    return None


@contextmanager
def folder_in_one_piece(
    target: Path, when_taken: Callable[[Path], Path | None] = refuse_taken, way_out: str = "set output.dir to another folder"
) -> Iterator[Piece]:
    """Give a scratch folder that becomes `target` at the end; on any failure nothing is left, made parents included.

    Parameters
    ----------
    target
        The folder to make.
    when_taken
        Asked if somebody else has made `target` meanwhile: another name, or None if that one serves as well.
    way_out
        What the user can do where it cannot be written.

    Raises
    ------
    MsmfError
        If it cannot be written.
    """
    made = folders_to_make(target.parent)
    done = False
    try:
        with owned_scratch(part_of(target)) as content:
            piece = Piece(content, target)
            yield piece
            _settle(piece, when_taken)
        done = True
    except OSError as error:
        raise MsmfError(refusal(error, "", target, way_out)) from None
    finally:
        if not done:
            remove_empty(made)


def _settle(piece: Piece, when_taken: Callable[[Path], Path | None]) -> None:
    """Give a complete folder its name, or another one where that is taken."""
    while True:
        try:
            settle(piece.scratch, piece.target)
        except OSError:
            if not piece.target.exists():
                raise
            other = when_taken(piece.target)
            if other is None:
                return
            piece.target = other
        else:
            return


class TableWriter:
    """Writes one table, at once or in pieces.

    Parameters
    ----------
    folder, name
        Where, and the table's name without its ending.
    format
        `csv` or `parquet`.
    """

    def __init__(self, folder: Path, name: str, format: str) -> None:
        self._path = folder / f"{name}.{format}"
        self._is_csv = format == "csv"
        self._writer: Any = None
        self.has_begun = False

    def write(self, table: pd.DataFrame) -> None:
        """Add rows."""
        if self._is_csv:
            table.to_csv(self._path, mode="a", header=not self.has_begun, index=False, lineterminator="\n")
        else:
            self._write_parquet(table)
        self.has_begun = True

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()

    def _write_parquet(self, table: pd.DataFrame) -> None:
        import pyarrow
        import pyarrow.parquet

        rows = pyarrow.Table.from_pandas(table, preserve_index=False)
        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(self._path, rows.schema)
        self._writer.write_table(rows.cast(self._writer.schema))


def write_table(folder: Path, name: str, table: pd.DataFrame, format: str) -> None:
    """Write a whole table."""
    writer = TableWriter(folder, name, format)
    writer.write(table)
    writer.close()


def rewrite_table(folder: Path, name: str, table: pd.DataFrame, format: str) -> None:
    """Write a table in the place of one that is there: the new one is there whole, or the old one."""
    path = folder / f"{name}.{format}"
    with owned_scratch(part_of(path)) as scratch:
        write_table(scratch, name, table, format)
        (scratch / path.name).replace(path)


def folders_below(folder: Path, is_wanted: Callable[[Path], bool], depth: int) -> Iterator[Path]:
    """The folder itself if it is wanted, else the wanted ones in it, so many levels deep, in the order of their names."""
    if is_wanted(folder):
        yield folder
    elif depth:
        for inner in sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")):
            yield from folders_below(inner, is_wanted, depth - 1)


def find_map(run: Path, facts: Mapping[str, Any]) -> Path:
    """Find the folder with the cells and roads of a run, which lies beside it.

    Raises
    ------
    InputError
        If it is not there.
    """
    name = str(facts["map_folder"])
    folder = run.resolve().parent / name
    if not folder.is_dir():
        raise InputError(
            f"the map of {run} is missing: there is no folder {name} in {folder.parent}; "
            "copy it there from the folder in which the run was made"
        )
    return folder


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that a person can read."""
    path.write_text(json.dumps(content, indent=2, sort_keys=False, allow_nan=False) + "\n", encoding="utf-8")


def read_run(folder: Path) -> dict[str, Any] | None:
    """What `run.json` of a finished run says; None where there is none."""
    return read_json(folder / RUN_FILE)


def read_json(path: Path) -> dict[str, Any] | None:
    """What a JSON file says; None where there is none, or none whole."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def read_table(folder: Path, name: str, *, as_written: bool = False, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table of a finished run, whatever its format.

    Parameters
    ----------
    folder, name
        Where, and the table's name without its ending.
    as_written
        Keep the text of a CSV file, digit by digit.
    columns
        Read these only; all if empty.

    Raises
    ------
    InputError
        If it is not there whole.
    """
    path = _path_of(folder, name)
    if path is None and name == "summary_by_band" and (earlier := _path_of(folder, "summary")) is not None:
        table = _read_whole(earlier, as_written, [])
        if is_earlier_summary(table):
            by_band = split_earlier_summary(table)[1]
            return by_band[list(columns)] if columns else by_band
    if path is None:
        raise InputError(f"{folder} has no table {name}: the run was not copied whole; copy it again, or leave it out")
    table = _read_whole(path, as_written, columns)
    return split_earlier_summary(table)[0] if name == "summary" and is_earlier_summary(table) else table


def has_table(folder: Path, name: str) -> bool:
    """Whether a run has a table, in either format."""
    return _path_of(folder, name) is not None


def _path_of(folder: Path, name: str) -> Path | None:
    """The file of a table in a run's folder, whatever its format; None where there is none."""
    return next((path for ending in ("csv", "parquet") if (path := folder / f"{name}.{ending}").is_file()), None)


def _read_whole(path: Path, as_written: bool, columns: Sequence[str]) -> pd.DataFrame:
    if path.suffix == ".csv":
        check_end(path)
    try:
        return _read(path, as_written, list(columns) or None)
    except (KeyError, ValueError, OSError, ImportError) as error:  # pandas' and pyarrow's own errors are ValueErrors
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path}: table {path.stem} cannot be read ({said}): it was cut off, or another version wrote it; "
            "copy the run again, or leave it out"
        ) from None


def check_end(path: Path) -> None:
    """Check that the last row of a CSV file ends its line.

    Raises
    ------
    InputError
        If it does not: the file was cut off.
    """
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty, without even a header; copy the run again, or run it again")
    with path.open("rb") as file:
        file.seek(-1, 2)
        last = file.read(1)
    if last != b"\n":
        raise InputError(f"{path} is cut off in the middle of its last row; copy the run again, or run it again")


def _read(path: Path, as_written: bool, wanted: list[str] | None) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path, columns=wanted)
    if as_written:
        return pd.read_csv(path, dtype=str, keep_default_na=False, usecols=wanted)
    # names are text even where all look like numbers, or none is there
    text = {name: "string" for name in ("vehicle", "mode", "cell", "edge", "image") if wanted is None or name in wanted}
    table: pd.DataFrame = pd.read_csv(path, keep_default_na=False, na_values=[""], usecols=wanted, dtype=text, **EXACT)
    return table
