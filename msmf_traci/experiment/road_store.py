"""Roads as arrays, kept in the cache: SUMO's reader takes many seconds for a large network, and a sweep reads the same one at every run."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from msmf_traci.code_version import code_hash
from msmf_traci.errors import InputError
from msmf_traci.files.columns_file import ColumnsFile, ColumnsWriter
from msmf_traci.results.console import say
from msmf_traci.roads.roads import Roads, read_roads
from msmf_traci.scenario.content_cache import build_once, content_key, file_hash, find_built

KIND = "roads"
FILE = "roads.msmf"
_FLOATS = ("length_m", "line_x_m", "line_y_m")
_INTEGERS = ("line_start", "successor", "from_node", "to_node", "follower_start", "follower")
_FLAGS = ("turnaround",)
_TEXTS = ("ids", "names", "classes")


def roads_of(net_file: Path) -> Roads:
    """The roads of a network, from the cache if it was read before.

    Raises
    ------
    InputError
        If the network is damaged or no network.
    """
    # another reader, or another code of ours, may read the same file differently
    key = content_key(network=file_hash(net_file), sumolib=version("sumolib"), code=code_hash("roads"))
    folder = find_built(KIND, key)
    if folder is not None:
        return _load(folder / FILE)
    roads = read_roads(net_file)
    try:
        build_once(KIND, key, lambda folder: _save(roads, folder / FILE))
    except InputError as error:
        say(f"the roads are not kept for the next run: {error}")
    return roads


def _save(roads: Roads, path: Path) -> None:
    writer = ColumnsWriter()
    for name in _FLOATS:
        writer.add(name, np.ascontiguousarray(getattr(roads, name)).view(np.int64))  # the bits of the numbers
    for name in _INTEGERS:
        writer.add(name, getattr(roads, name))
    for name in _FLAGS:
        writer.add(name, getattr(roads, name).astype(np.int64))
    place = {"boundary_m": list(roads.boundary_m), "projection": roads.projection, "net_offset_m": list(roads.net_offset_m)}
    writer.write(path, place | {name: getattr(roads, name) for name in _TEXTS})


def _load(path: Path) -> Roads:
    with ColumnsFile(path, "file of roads") as file:
        floats = {name: file.read(name).view(np.float64) for name in _FLOATS}
        integers = {name: file.read(name) for name in _INTEGERS}
        flags = {name: file.read(name).astype(np.bool_) for name in _FLAGS}
        match file.about:
            case {"boundary_m": [*boundary], "projection": str() | None as projection, "net_offset_m": [*offset]} if (
                len(boundary) == 4 and len(offset) == 2 and all(isinstance(number, int | float) for number in (*boundary, *offset))
            ):
                texts = {name: file.about.get(name) for name in _TEXTS}
            case _:
                file.refuse("its header is not that of a file of roads")
        n, start, successor = len(floats["length_m"]), integers["line_start"], integers["successor"]
        fits = all(isinstance(text, list) and len(text) == n and all(isinstance(word, str) for word in text) for text in texts.values())
        fits = fits and len(start) == n + 1 and len(successor) == n and len(floats["line_x_m"]) == len(floats["line_y_m"])
        if not (fits and start[0] == 0 and (np.diff(start) >= 1).all() and start[-1] == len(floats["line_x_m"])):
            file.refuse("its columns do not fit together")
        follower, follower_start = integers["follower"], integers["follower_start"]
        fits = len(integers["from_node"]) == len(integers["to_node"]) == n and len(flags["turnaround"]) == len(follower)
        if not (fits and len(follower_start) == n + 1 and follower_start[-1] == len(follower) and (np.diff(follower_start) >= 0).all()):
            file.refuse("its connections do not fit together")
        named = np.concatenate([successor, follower])
        if ((named < -1) | (named >= n)).any() or not all(np.isfinite(values).all() for values in floats.values()):
            file.refuse("it names edges that it does not have")
    columns: dict[str, Any] = {**texts, **floats, **integers, **flags}
    return Roads(
        **columns,
        boundary_m=(boundary[0], boundary[1], boundary[2], boundary[3]),
        projection=projection,
        net_offset_m=(offset[0], offset[1]),
    )
