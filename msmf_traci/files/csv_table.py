"""Tables of text (CSV) as spreadsheets, R and pandas write them: quoted, with a byte order mark, after a line that names the separator."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from msmf_traci.files.exact_csv import EXACT
from msmf_traci.files.text_file import DamagedFileError, Lines, said

_SEPARATORS = ",;\t"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # spreadsheets write it before the names of columns
_BEYOND = "beyond"


class CsvTable:
    """A table whose first line names its columns.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    columns
        Names of its columns; there is none in an empty file.
    first_row
        Number of the line in which its rows begin.

    Raises
    ------
    DamagedFileError, OSError, UnicodeDecodeError
        If the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with Lines(path) as lines:
            header = lines.readline()
            said_separator = _SEPARATOR_LINE.fullmatch(header)
            if said_separator is not None:
                header = lines.readline()
        header = header.strip("\r\n")
        self._separator = max(_SEPARATORS, key=header.count) if said_separator is None else said_separator[1]
        self.first_row = 2 if said_separator is None else 3
        try:
            names = next(csv.reader([header], delimiter=self._separator), [])
        except (csv.Error, TypeError, ValueError) as error:
            raise DamagedFileError(f"has no first line with the names of its columns ({said(error)}); write it again") from None
        self.columns = [name.strip() for name in names] if header.strip() else []

    def pieces(
        self,
        wanted: Mapping[str, int],
        numbers: Collection[str],
        missing: Mapping[str, Sequence[str]],
        rows: int,
        *,
        must_end: bool = False,
    ) -> Iterator[pd.DataFrame]:
        """Its rows, some at a time.

        Parameters
        ----------
        wanted
            What to call the columns that are wanted, and which ones they are.
        numbers
            Those that are read as numbers; the others are text.
        missing
            What stands for nothing in a column, beside an empty field.
        rows
            How many at a time.
        must_end
            Whether a file that ends within a line is truncated.

        Raises
        ------
        DamagedFileError
            If a line has more columns than the first one, or the file ends too early.
        OSError, UnicodeDecodeError, pandas.errors.ParserError
            If the file cannot be read.
        ValueError
            If something else stands where a number belongs.
        """
        called = {place: name for name, place in wanted.items()} | {len(self.columns): _BEYOND}
        with Lines(self._path) as lines:
            for _ in range(self.first_row - 1):
                lines.readline()
            # names without quotation marks, each once, and one more than there are, so that a longer line is seen
            lines.put_before(self._separator.join(called.get(place, f"column {place}") for place in range(len(self.columns) + 1)) + "\n")
            lines.expect(rows)
            line = self.first_row
            for piece in pd.read_csv(
                lines,  # type: ignore[call-overload]
                sep=self._separator,
                usecols=list(called.values()),
                index_col=False,
                dtype={name: "float64" if name in numbers else "str" for name in called.values()},
                chunksize=rows,
                keep_default_na=False,
                na_values={name: ["", *missing.get(name, ())] for name in called.values()},
                **EXACT,
            ):
                if piece[_BEYOND].notna().any():
                    row = line + int(piece[_BEYOND].notna().to_numpy().argmax())
                    raise DamagedFileError(f"line {row} has more columns than the first line; correct it, or write the file again")
                line += len(piece)
                lines.expect(rows)
                yield piece.drop(columns=_BEYOND)
            if must_end and lines.ends_within_line:
                raise DamagedFileError("is truncated, it ends within a line; write it again")
