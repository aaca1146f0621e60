"""A network on its way from a scenario to SUMO: where it is or will be, and how it is made; not which one it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msmf_traci.scenario.content_cache import build_once, has_built
from msmf_traci.scenario.sumo_options import Options

KIND = "networks"
NET_FILE = "network.net.xml"


@dataclass(frozen=True)
class NetworkSource:
    """A network that is there or can be built.

    Attributes
    ----------
    key
        Hash of everything that determines the network.
    net_file
        Where it is, or will be.
    source_file
        The map or parameters file it comes from, if any.
    build
        Makes it in an empty folder; None for a network of the user's own.
    route_files
        The user's own routes.
    sumocfg_file, options
        The user's own configuration of SUMO, and the options that it sets.
    """

    key: str
    net_file: Path
    source_file: Path | None = None
    build: Callable[[Path], None] | None = None
    route_files: tuple[Path, ...] = ()
    sumocfg_file: Path | None = None
    options: Options | None = None

    @property
    def is_built(self) -> bool:
        """Whether nothing has to be built."""
        return self.build is None or has_built(KIND, self.key)

    def ensure(self) -> Path:
        """The network's file, built now if need be."""
        return self.net_file if self.build is None else build_once(KIND, self.key, self.build) / NET_FILE
