"""A run as layers over a map: additional polygons for sumo-gui, and GeoJSON for any other map tool."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray
from msmf_traci.command_line import Parser
from msmf_traci.errors import InputError, MsmfError
from msmf_traci.migration.ledger import BYTE_KINDS, IMAGE_SOURCES
from msmf_traci.reporting.cell_map import CellMap, read_cell_map
from msmf_traci.reporting.overlay_geojson import (
    Features,
    cells_geojson,
    copies_geojson,
    hosts_geojson,
    read_projection,
    transfers_geojson,
    write_geojson,
)
from msmf_traci.reporting.overlay_sumo import sumo_additional
from msmf_traci.reporting.run_tables import NUMBER, OPTIONAL_NUMBER, TEXT, Columns, read_whole
from msmf_traci.results import RESULTS
from msmf_traci.results.newest import newest_run
from msmf_traci.results.run_facts import read_facts
from msmf_traci.results.store import find_map, has_table
from msmf_traci.roads.projection import Projection

SUMO_FILE = "overlay.add.xml"
GEOJSON_FILES = ("cells.geojson", "hosts.geojson", "transfers.geojson", "copies.geojson")
DEFAULT_STRATEGY = "pm_op_tier"


@dataclass(frozen=True)
class Overlay:
    """What is drawn of a run under one strategy.

    Attributes
    ----------
    strategy
        Its name.
    cells
        The deployment.
    hosts
        Servers that took part in a transfer: server, sent, received, completed (transfers), place_x_m, place_y_m.
    transfers
        One row a transfer: its keys, times, outcome and megabytes, as in migrations.csv.
    source_m, target_m
        Where each transfer begins and ends, shape (transfers, 2).
    copies
        One row a copy of an image, as in copies.csv, with megabytes: none where the run has no such table.
    """

    strategy: str
    cells: CellMap
    hosts: pd.DataFrame
    transfers: pd.DataFrame
    source_m: FloatArray
    target_m: FloatArray
    copies: pd.DataFrame


def main(words: Sequence[str]) -> None:
    """Write the overlay that the command line asks for, and say what was written.

    Raises
    ------
    MsmfError
        If the run is wrong or nothing can be written.
    """
    parser = Parser(
        "msmf-traci overlay", description="Draw cells, hosts, transfers and copies of a run over a map: for sumo-gui and as GeoJSON."
    )
    parser.add_argument("run", nargs="?", help=f"folder of one run, e.g. {RESULTS}/synthetic/RUN; the newest in {RESULTS} if not given")
    parser.add_argument("--out", help="folder to write to (default: overlay in the current folder)", default="overlay")
    parser.add_argument(
        "--strategy", help=f"strategy whose transfers and copies are drawn (default: {DEFAULT_STRATEGY} if it was run, else the first one)"
    )
    typed = parser.parse_args(list(words))
    run = newest_run() if typed.run is None else Path(typed.run).expanduser()
    print("\n".join(write_overlay(run, Path(typed.out).expanduser(), typed.strategy)))


def write_overlay(run: Path, out: Path, strategy: str | None = None) -> list[str]:
    """Write `overlay.add.xml` and, where the network has a projection, the GeoJSON files.

    Parameters
    ----------
    run
        Folder of the run, traced or not; its map folder lies beside it.
    out
        Folder to write to, made if it is missing; an overlay that is there is replaced.
    strategy
        Whose transfers and copies are drawn; None: DEFAULT_STRATEGY if it was run, else the run's first. All its variants are drawn.

    Returns
    -------
    What to tell the user, line by line.
    """
    facts = read_facts(run)
    chosen = _choose_strategy(strategy, [str(name) for name in facts["strategies"]], run)
    folder = find_map(run, facts)
    projection = read_projection(folder)
    overlay = read_overlay(run, folder, facts, chosen)
    copies = f"{len(overlay.copies)} copies, " if len(overlay.copies) else ""
    said = [f"{chosen}: {len(overlay.transfers)} transfers, {copies}{len(overlay.hosts)} hosts, {len(overlay.cells)} cells"]
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / SUMO_FILE).write_text(
            sumo_additional(overlay.cells, overlay.hosts, overlay.transfers, overlay.source_m, overlay.target_m, overlay.copies), "utf-8"
        )
        said.append(f"{out / SUMO_FILE}: polygons for sumo-gui")
        if projection is None:
            said.append("no GeoJSON is written: the network has no projection, so its place on the Earth is not known")
        else:
            for name, content in zip(GEOJSON_FILES, _geojson(overlay, projection), strict=True):
                if content is None:
                    (out / name).unlink(missing_ok=True)
                    continue
                write_geojson(out / name, content)
                said.append(f"{out / name}: longitude and latitude, WGS 84")
    except OSError as error:
        raise MsmfError(f"{out} cannot be written ({error.strerror}); name another folder with --out or free some space") from None
    return [*said, _how_to_open(facts, out / SUMO_FILE)]


def _geojson(overlay: Overlay, projection: Projection) -> list[Features | None]:
    """What is in each of the files; None where there are no copies."""
    return [
        cells_geojson(overlay.cells, projection),
        hosts_geojson(overlay.hosts, projection),
        transfers_geojson(overlay.transfers, overlay.source_m, overlay.target_m, projection),
        copies_geojson(overlay.copies, projection) if len(overlay.copies) else None,
    ]


def _how_to_open(facts: Mapping[str, Any], overlay: Path) -> str:
    """The command that shows the overlay on the run's network, or why there is none."""
    told = (facts.get("network") or {}).get("file")
    if told is None:
        return f"open it with: sumo-gui -n NETWORK -a {shlex.quote(str(overlay))} (run.json does not name the network)"
    if not Path(told).is_file():
        return f"open it with: sumo-gui -n NETWORK -a {shlex.quote(str(overlay))} (the network of the run is no longer at {told})"
    return f"open it with: sumo-gui -n {shlex.quote(str(told))} -a {shlex.quote(str(overlay))}"


def read_overlay(run: Path, map_folder: Path, facts: dict[str, Any], strategy: str) -> Overlay:
    """Read what is drawn of a run under one strategy."""
    keys = [str(column) for column in facts["key_columns"]]
    texts = [*keys, "vehicle", "tier", "outcome"]
    more = dict.fromkeys([*texts, "source", "target"], TEXT) | dict.fromkeys(("t_handoff_s", "t_stop_s"), OPTIONAL_NUMBER)
    transfers = _read_sent(run, "migrations", "transfer", more, BYTE_KINDS, strategy)
    cells = read_cell_map(map_folder, facts)
    hosts = _hosts(transfers, cells)
    place = dict(zip(hosts["server"], hosts[["place_x_m", "place_y_m"]].to_numpy(), strict=True))
    source_m, target_m = _places(transfers["source"], place), _places(transfers["target"], place)
    copies = pd.DataFrame()
    if has_table(run, "copies"):
        more = dict.fromkeys([*texts, "server"], TEXT) | dict.fromkeys(("x_m", "y_m"), NUMBER) | {"t_complete_s": OPTIONAL_NUMBER}
        copies = _read_sent(run, "copies", "copy", more, IMAGE_SOURCES, strategy)
    return Overlay(strategy, cells, hosts, transfers, source_m, target_m, copies)


def _read_sent(run: Path, table: str, number: str, columns: Columns, sent: Sequence[str], strategy: str) -> pd.DataFrame:
    """Transfers or copies of a strategy: their columns, with the number of each, its begin and end, and the megabytes that were sent."""
    rows = read_whole(run, table, {**columns, **dict.fromkeys((number, "t_start_s", "t_end_s", *sent), NUMBER)})
    own = rows[rows["strategy"] == strategy].reset_index(drop=True)
    return own.assign(**{number: own[number].astype(np.int64), "sent_mb": own[list(sent)].sum(axis=1) / 1e6})


def _choose_strategy(wanted: str | None, strategies: list[str], run: Path) -> str:
    if wanted is None:
        return DEFAULT_STRATEGY if DEFAULT_STRATEGY in strategies else strategies[0]
    if wanted not in strategies:
        raise InputError(f"{run} has no strategy {wanted}; choose from {', '.join(strategies)}")
    return wanted


def _hosts(transfers: pd.DataFrame, cells: CellMap) -> pd.DataFrame:
    """Servers that transfers left or came to, sorted by name, with how many."""
    names: NDArray[np.object_] = np.array(sorted(set(transfers["source"]) | set(transfers["target"])), dtype=object)
    places = cells.server_places_m(names)
    completed = transfers[transfers["outcome"] == "completed"]
    counts = {"sent": transfers["source"], "received": transfers["target"], "completed": completed["target"]}
    return pd.DataFrame(
        {
            "server": names,
            "tier": [cells.tier_of[name] for name in names],
            **{name: column.value_counts().reindex(names, fill_value=0).to_numpy(dtype=np.int64) for name, column in counts.items()},
            "place_x_m": places[:, 0],
            "place_y_m": places[:, 1],
        }
    )


def _places(servers: pd.Series, place: dict[str, FloatArray]) -> FloatArray:
    return np.array([place[server] for server in servers], dtype=np.float64).reshape(-1, 2)
