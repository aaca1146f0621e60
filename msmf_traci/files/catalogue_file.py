"""Images and their layers from a file: CSV with the columns image, layer, size_mb and weight. Model, section 5."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from msmf_traci.errors import InputError

COLUMNS = ("image", "layer", "size_mb", "weight")
_LARGEST = 1e9


class CatalogueImage(NamedTuple):
    """An image: how often it is drawn in relation to others, and its layers in their order, MB by name."""

    name: str
    weight: float
    layers: Mapping[str, float]


def read_catalogue(path: Path) -> list[CatalogueImage]:
    """Read a catalogue of images, in the order of their first rows.

    Raises
    ------
    InputError
        If it cannot be read, lacks a column, or says of a layer or an image what cannot be.
    """
    try:
        at = path.stat()
    except OSError as error:
        raise InputError(f"workload.catalogue={path} cannot be read ({error.strerror}); check the path") from None
    return _read(path, at.st_mtime_ns, at.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, _changed_ns: int, _size: int) -> list[CatalogueImage]:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(
            f"workload.catalogue={path} cannot be read: {error}; write a table with the columns {', '.join(COLUMNS)}"
        ) from None
    absent = next((column for column in COLUMNS if column not in table.columns), None)
    if absent is not None:
        raise InputError(f"workload.catalogue={path} has no column {absent}; its first line must name {', '.join(COLUMNS)}")
    if table.empty:
        raise InputError(f"workload.catalogue={path} has no rows; name an image and a layer in each")
    for column in ("size_mb", "weight"):
        numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
        is_right = (numbers > 0 if column == "size_mb" else numbers >= 0) & np.isfinite(numbers)
        _refuse_first(path, table, ~(is_right & (numbers <= (_LARGEST if column == "size_mb" else np.inf))), column, "no such number")
        table[column] = numbers
    for column in ("image", "layer"):
        _refuse_first(path, table, (table[column].str.strip() == "").to_numpy(), column, "no name")
    _refuse_first(path, table, _contradicts(table, "layer", "size_mb"), "size_mb", "another size than the layer had before")
    _refuse_first(path, table, _contradicts(table, "image", "weight"), "weight", "another weight than the image had before")
    images = [
        CatalogueImage(str(name), float(rows["weight"].iloc[0]), dict(zip(rows["layer"], rows["size_mb"], strict=True)))
        for name, rows in table.groupby("image", sort=False)
    ]
    if not sum(each.weight for each in images):
        raise InputError(f"workload.catalogue={path}: all weights are 0; give an image that is to be drawn a weight above 0")
    return images


def _contradicts(table: pd.DataFrame, name: str, column: str) -> np.ndarray:
    """Rows that say another number of something than its first row."""
    return (table[column] != table.groupby(name)[column].transform("first")).to_numpy()


def _refuse_first(path: Path, table: pd.DataFrame, is_wrong: np.ndarray, column: str, what: str) -> None:
    wrong = np.flatnonzero(is_wrong)
    if len(wrong):
        row = table.iloc[wrong[0]]
        raise InputError(
            f"workload.catalogue={path}: row {wrong[0] + 1} (image {row['image'] or '?'}, layer {row['layer'] or '?'}) has {column} "
            f"{row[column]!r}, which is {what}; correct it"
        )
