"""One experiment told as a story: find the city, read its roads, lay the cells, draw the trips, drive them, write the tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from msmf_traci.config.measured_ranges import beyond_measured
from msmf_traci.config.schema import Config
from msmf_traci.config.variants import combinations
from msmf_traci.experiment.bookkeeping import write_tables
from msmf_traci.experiment.drive import Drive
from msmf_traci.experiment.facts import run_facts
from msmf_traci.experiment.map_folder import servers_by_column, write_map_once
from msmf_traci.experiment.preparation import Inputs, draw_trips, read_city
from msmf_traci.results.console import say
from msmf_traci.results.store import RUN_FILE, folder_in_one_piece, refuse_taken, write_json
from msmf_traci.scenario.content_cache import used_until_the_end


class Phases:
    """Wall seconds of each phase of a run."""

    def __init__(self) -> None:
        self.wall_s: dict[str, float] = {}

    @contextmanager
    def time(self, phase: str) -> Iterator[None]:
        """Time one phase."""
        begin = time.monotonic()
        yield
        self.wall_s[phase] = round(time.monotonic() - begin, 3)


@dataclass(frozen=True)
class Result:
    """A finished run.

    Attributes
    ----------
    summary
        Its summary.
    facts
        What its run.json says.
    folder
        Where its tables are.
    """

    summary: pd.DataFrame
    facts: Mapping[str, Any]
    folder: Path


@used_until_the_end()
def run_experiment(
    config: Config,
    inputs: Inputs,
    folder: Path,
    overrides: Sequence[str] = (),
    when_taken: Callable[[Path], Path | None] = refuse_taken,
) -> Result:
    """Run one experiment and leave its tables in `folder`, complete or not at all.

    Parameters
    ----------
    config
        The judged configuration.
    inputs
        What it stands on, from `judge_files`; good for one run, since strategies remember.
    folder
        Folder of this run; must not exist.
    overrides
        The words that made the configuration, kept in run.json.
    when_taken
        Asked for another name if somebody else has made `folder` by the time the run is complete; None if that one serves.

    Raises
    ------
    MsmfError
        One sentence on what is wrong with the input, or why SUMO failed.
    """
    phases = Phases()
    with phases.time("network"):
        if not inputs.network.is_built:
            say("building the network (kept in the cache)")
        net_file = inputs.network.ensure()
    with phases.time("roads"):
        city = read_city(config, net_file)
    for line in beyond_measured(each.config for each in combinations(config)):
        say(line)
    with phases.time("trips"):
        needs_trips = not config.scenario.has_own_routes and not config.mobility.is_from_file
        trip_file = draw_trips(config, inputs, city) if needs_trips else None
    with folder_in_one_piece(folder, when_taken) as piece:
        drive = Drive(config, inputs, city, trip_file, piece.scratch)
        with phases.time("simulation"):
            drive.through()
        with phases.time("tables"):
            summary = write_tables(drive, piece.scratch)
            servers = servers_by_column(config, [each.config for each in drive.variants.variants], city.layout)
            map_folder = write_map_once(folder.parent, city.driven, city.cells, servers, city.projection)
        facts = run_facts(config, overrides, inputs, city, drive, map_folder.name, phases.wall_s)
        write_json(piece.scratch / RUN_FILE, facts)
    return Result(summary, facts, piece.target)
