"""The containers: application, image, memory, latency level and start time of each vehicle's task. Model, section 5."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.migration.catalogue import PRIVATE, Catalogue, catalogue_of

START_RANGE_BYTES = (100e6, 2000e6)
DRAWS = 4


@dataclass(frozen=True)
class Kind:
    """What some of the containers are drawn from; a range of equal ends is a fixed size.

    Attributes
    ----------
    name
        Of the application, or of the image of a catalogue; empty: neither.
    weight
        How many of the containers are of this kind, in relation to the others'.
    image_bytes, memory_bytes
        Ends of the ranges of sizes.
    dirty_share_per_s
        Share of the memory that changes each second.
    latency_levels_ms, latency_weights
        Levels of the tasks, and the share of each.
    layers
        Names and bytes of the image's layers, which other containers may have, too; none of a private image.
    """

    name: str
    weight: float
    image_bytes: tuple[float, float]
    memory_bytes: tuple[float, float]
    dirty_share_per_s: float
    latency_levels_ms: tuple[float, ...]
    latency_weights: tuple[float, ...]
    layers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class WorkloadOptions:
    """What containers are drawn from; `image_share` of an image is left once it is compressed, and that is its size from here on."""

    kinds: tuple[Kind, ...]
    start_s: tuple[float, float]
    image_share: float = 1.0

    @cached_property
    def levels(self) -> tuple[tuple[float, tuple[float, ...], tuple[float, ...]], ...]:
        """What latency levels depend on."""
        return tuple((kind.weight, kind.latency_levels_ms, kind.latency_weights) for kind in self.kinds)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The layers of images, numbered like the kinds."""
        return catalogue_of([dict(kind.layers) for kind in self.kinds])


@dataclass(frozen=True)
class Containers:
    """One container a vehicle, arrays of shape (vehicles,); `image` is its number in the catalogue, or -1, `kind` that of its kind."""

    image_bytes: FloatArray
    memory_bytes: FloatArray
    latency_level_ms: FloatArray
    start_s: FloatArray
    dirty_share_per_s: FloatArray
    image: IntArray
    kind: IntArray

    def __len__(self) -> int:
        return len(self.image_bytes)


def draw_uniforms(vehicles: Sequence[str], seed: int) -> FloatArray:
    """Four numbers in [0, 1) for each vehicle, from a generator of its own, seeded by (seed, vehicle id); shape (vehicles, 4).

    All are drawn whether or not they are used, so that fixing a size, or adding vehicles, changes no other draw.
    """
    uniform = np.empty((len(vehicles), DRAWS))
    for i, vehicle in enumerate(vehicles):
        uniform[i] = generator_for(vehicle, seed).random(DRAWS)
    return uniform


def generator_for(name: str, seed: int) -> np.random.Generator:
    """Random numbers that follow from a name and the seed."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def make_containers(uniform: FloatArray, options: WorkloadOptions) -> Containers:
    """The containers of vehicles with these draws: for the image, the memory, the latency level and the kind."""
    kinds = options.kinds
    kind = _choose([each.weight for each in kinds], uniform[:, 3])
    image = _between(np.array([each.image_bytes for each in kinds])[kind], uniform[:, 0])
    level_ms = np.empty(len(kind))
    for number in np.unique(kind):
        own, levels = kind == number, np.asarray(kinds[number].latency_levels_ms, dtype=np.float64)
        level_ms[own] = levels[_choose(kinds[number].latency_weights, uniform[own, 2])]
    return Containers(
        image_bytes=image,
        memory_bytes=_between(np.array([each.memory_bytes for each in kinds])[kind], uniform[:, 1]),
        latency_level_ms=level_ms,
        start_s=start_time_s(image / options.image_share, options.start_s),
        dirty_share_per_s=np.array([each.dirty_share_per_s for each in kinds])[kind],
        image=np.array([number if each.layers else PRIVATE for number, each in enumerate(kinds)])[kind],
        kind=kind,
    )


def private_containers(
    image_bytes: FloatArray, memory_bytes: FloatArray, latency_level_ms: FloatArray, start_s: FloatArray, dirty_share_per_s: FloatArray
) -> Containers:
    """Containers of given sizes, each with an image of its own; arrays of shape (vehicles,)."""
    n = len(image_bytes)
    private: IntArray = np.full(n, PRIVATE)
    return Containers(image_bytes, memory_bytes, latency_level_ms, start_s, dirty_share_per_s, private, np.zeros(n, dtype=np.int64))


def joined(one: Containers, other: Containers) -> Containers:
    """The containers of some vehicles, followed by those of others."""
    return Containers(*(np.concatenate([getattr(one, each.name), getattr(other, each.name)]) for each in fields(Containers)))


def start_time_s(image_bytes: FloatArray, start_s: tuple[float, float]) -> FloatArray:
    """Start time of a container: linear in its image between 100 and 2000 MB, clamped outside."""
    return np.asarray(np.interp(image_bytes, START_RANGE_BYTES, start_s), dtype=np.float64)


def _choose(weights: Sequence[float], uniform: FloatArray) -> IntArray:
    """Which of several, by their weights, each draw takes."""
    steps = np.cumsum(weights)
    return np.asarray(np.minimum(np.searchsorted(steps, uniform * steps[-1], side="right"), len(steps) - 1), dtype=np.int64)


def _between(ends: FloatArray, uniform: FloatArray) -> FloatArray:
    return np.asarray(ends[:, 0] + (ends[:, 1] - ends[:, 0]) * uniform, dtype=np.float64)
