"""What applications say of their containers, in the place of the options of the workload that they answer for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from msmf_traci.config.defaults import default_options
from msmf_traci.config.migration_schema import Application, Workload
from msmf_traci.config.schema import Config


class Part(NamedTuple):
    """A part of the vehicles: the application of their containers (empty: none), its weight, the workload, and layers, MB by name."""

    application: str
    weight: float
    workload: Workload
    layers: Mapping[str, float]


def parts_of(config: Config) -> list[Part]:
    """The workloads that containers are drawn from: as configured, with what applications give where there are some."""
    mix = config.workload.mix
    if not mix:
        return [Part("", 1.0, config.workload, {})]
    return [
        Part(name, weight, config.workload.model_copy(update=_given(config.applications[name])), _layers(name, config))
        for name, weight in mix.items()
    ]


def image_size(config: Config) -> float | list[float]:
    """Size of all images in MB, or the range of sizes."""
    if config.workload.catalogue is not None:
        return []
    sizes = [part.workload.image_mb for part in parts_of(config)]
    if len(sizes) == 1:
        return sizes[0]
    numbers = [number for size in sizes for number in (size if isinstance(size, list) else [size])]
    return [min(numbers), max(numbers)]


def refuse_doubles(configs: Iterable[Config]) -> None:
    """Refuse configurations that set what their application or catalogue gives: one of the two would have no effect.

    Raises
    ------
    ValueError
        One sentence on the first option that is at another value than its default, which says that somebody set it.
    """
    defaults = default_options("workload")
    for config in configs:
        workload = config.workload
        if workload.catalogue is not None and workload.image_mb != defaults["image_mb"]:
            raise ValueError(
                f"workload.image_mb={workload.image_mb} conflicts with workload.catalogue={workload.catalogue}, which gives the images; "
                "leave one of the two out"
            )
        for name in workload.mix:
            for option, given in _given(config.applications[name]).items():
                value = getattr(workload, option)
                if value != defaults[option]:
                    raise ValueError(
                        f"workload.{option}={value} conflicts with workload.application={workload.application}, which gives {given}; "
                        f"leave one of the two out, or change applications.{name}"
                    )


def _layers(name: str, config: Config) -> Mapping[str, float]:
    """The layers of an application's image that other containers may have, too."""
    application = config.applications[name]
    if application.layers is not None:
        return application.layers
    return {f"image of {name}": application.size_mb} if config.images.shared else {}


def _given(application: Application) -> dict[str, Any]:
    """Options of the workload that an application answers for."""
    return {
        "image_mb": application.size_mb,
        "memory_mb": application.memory_mb,
        "dirty_percent_per_s": application.dirty_percent_per_s,
        "latency_levels_ms": [application.latency_level_ms],
        "latency_weights": [1.0],
    }
