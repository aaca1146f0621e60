"""The containers: image, memory, latency level and start time of each vehicle's task. Model, section 5."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from msmf_traci.arrays import FloatArray

START_RANGE_BYTES = (100e6, 2000e6)


@dataclass(frozen=True)
class WorkloadOptions:
    """What containers are drawn from; a range of equal ends is a fixed size."""

    image_bytes: tuple[float, float]
    memory_bytes: tuple[float, float]
    latency_levels_ms: tuple[float, ...]
    latency_weights: tuple[float, ...]
    start_s: tuple[float, float]


@dataclass(frozen=True)
class Containers:
    """One container a vehicle, arrays of shape (vehicles,)."""

    image_bytes: FloatArray
    memory_bytes: FloatArray
    latency_level_ms: FloatArray
    start_s: FloatArray

    def __len__(self) -> int:
        return len(self.image_bytes)


def draw_uniforms(vehicles: Sequence[str], seed: int) -> FloatArray:
    """Three numbers in [0, 1) for each vehicle, from a generator of its own, seeded by (seed, vehicle id); shape (vehicles, 3).

    All three are drawn whether or not they are used, so that fixing a size, or adding vehicles, changes no other draw.
    """
    uniform = np.empty((len(vehicles), 3))
    for i, vehicle in enumerate(vehicles):
        uniform[i] = generator_for(vehicle, seed).random(3)
    return uniform


def generator_for(name: str, seed: int) -> np.random.Generator:
    """Random numbers that follow from a name and the seed."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def make_containers(uniform: FloatArray, options: WorkloadOptions) -> Containers:
    """The containers of vehicles with these draws."""
    image = _between(options.image_bytes, uniform[:, 0])
    steps = np.cumsum(options.latency_weights)
    level = np.minimum(np.searchsorted(steps, uniform[:, 2], side="right"), len(steps) - 1)
    return Containers(
        image_bytes=image,
        memory_bytes=_between(options.memory_bytes, uniform[:, 1]),
        latency_level_ms=np.asarray(options.latency_levels_ms, dtype=np.float64)[level],
        start_s=start_time_s(image, options.start_s),
    )


def joined(one: Containers, other: Containers) -> Containers:
    """The containers of some vehicles, followed by those of others."""
    return Containers(*(np.concatenate([getattr(one, each.name), getattr(other, each.name)]) for each in fields(Containers)))


def start_time_s(image_bytes: FloatArray, start_s: tuple[float, float]) -> FloatArray:
    """Start time of a container: linear in its image between 100 and 2000 MB, clamped outside."""
    return np.asarray(np.interp(image_bytes, START_RANGE_BYTES, start_s), dtype=np.float64)


def _between(ends: tuple[float, float], uniform: FloatArray) -> FloatArray:
    return ends[0] + (ends[1] - ends[0]) * uniform
