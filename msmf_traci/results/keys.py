"""The key columns of the tables: which variant, which vehicle; and the names of what is numbered inside the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import IntArray

KEY_COLUMNS = ("strategy", "image_mb")
MODE = "mode"  # a vehicle's means of transport
BAND = "band"  # of realised speed
ALL = "all"  # modes, bands


class Names:
    """Names of vehicles, variants and servers.

    Parameters
    ----------
    vehicles
        Ids in the order of their numbers.
    variants
        Key columns of each variant, strategy and image_mb first: the same columns for all.
    servers
        Names of the servers of each variant, in the order of their numbers, and the tier of each.
    modes
        Means of transport of the vehicles, in the order of their numbers; empty where the source tells none.
    """

    def __init__(
        self,
        vehicles: Sequence[str],
        variants: Sequence[Mapping[str, Any]],
        servers: Sequence[tuple[NDArray[np.object_], NDArray[np.object_]]],
        modes: Sequence[str] = (),
    ) -> None:
        self.vehicles = vehicles
        self.modes = modes
        self.variants = variants
        self.columns = list(variants[0])
        self.rank: IntArray = np.argsort(_sorted_variants(variants))
        """Place of each variant in the order of its keys."""
        # one long list of the servers of all variants; those who share an array share its place
        places: dict[int, int] = {}
        self._first_server: IntArray = np.zeros(len(variants), dtype=np.int64)
        names, tiers, total = [], [], 0
        for variant, (server_names, server_tiers) in enumerate(servers):
            if id(server_names) not in places:
                places[id(server_names)] = total
                total += len(server_names)
                names.append(server_names)
                tiers.append(server_tiers)
            self._first_server[variant] = places[id(server_names)]
        self._server_names = np.concatenate(names)
        self._server_tiers = np.concatenate(tiers)

    def keys(self, variant: IntArray, vehicle: IntArray) -> dict[str, NDArray[Any]]:
        """Key columns of rows."""
        return {**self.variant_keys(variant), "vehicle": np.array(self.vehicles, dtype=object)[vehicle]}

    def variant_keys(self, variant: IntArray) -> dict[str, NDArray[Any]]:
        """Key columns of variants."""
        return {name: _column([each[name] for each in self.variants])[variant] for name in self.columns}

    def order(self, variant: IntArray, vehicle: IntArray, number: IntArray) -> IntArray:
        """Order of rows by their keys and a number, the earlier of equals first."""
        rank: IntArray = np.empty(len(self.vehicles), dtype=np.int64)
        rank[np.argsort(np.array(self.vehicles, dtype=object), kind="stable")] = np.arange(len(self.vehicles))
        return np.lexsort((number, rank[vehicle], self.rank[variant]))

    def servers(self, variant: IntArray, server: IntArray) -> NDArray[np.object_]:
        """Names of servers, each of a variant."""
        return np.asarray(self._server_names[self._first_server[variant] + server], dtype=object)

    def tiers(self, variant: IntArray, server: IntArray) -> NDArray[np.object_]:
        """Tiers of servers, each of a variant."""
        return np.asarray(self._server_tiers[self._first_server[variant] + server], dtype=object)


def _column(values: Sequence[Any]) -> NDArray[Any]:
    """A column of numbers where all are numbers (or empty), else of text."""
    if all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
        return np.array([np.nan if value is None else float(value) for value in values])
    return np.array(["" if value is None else str(value) for value in values], dtype=object)


def _sorted_variants(variants: Sequence[Mapping[str, Any]]) -> IntArray:
    """Variants in the order of their keys: numbers as numbers, text as text, empty ones last."""

    def key(variant: int) -> list[tuple[int, float, str]]:
        values = variants[variant].values()
        return [
            (2, 0.0, "") if value is None else (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, str(value))
            for value in values
        ]

    return np.array(sorted(range(len(variants)), key=key), dtype=np.int64)
