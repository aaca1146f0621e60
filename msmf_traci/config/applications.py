"""What an application says of its containers, in the place of the options of the workload that it answers for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msmf_traci.config.defaults import default_options
from msmf_traci.config.migration_schema import Application, Workload
from msmf_traci.config.schema import Config


def effective_workload(config: Config) -> Workload:
    """The workload that containers are drawn from: as configured, with what the application gives where there is one."""
    name = config.workload.application
    return config.workload if name is None else config.workload.model_copy(update=_given(config.applications[name]))


def refuse_doubles(configs: Iterable[Config]) -> None:
    """Refuse configurations that set what their application gives: one of the two would have no effect.

    Raises
    ------
    ValueError
        One sentence on the first option that is at another value than its default, which says that somebody set it.
    """
    defaults = default_options("workload")
    for config in configs:
        if config.workload.application is None:
            continue
        for option, given in _given(config.applications[config.workload.application]).items():
            value = getattr(config.workload, option)
            if value != defaults[option]:
                raise ValueError(
                    f"workload.{option}={value} conflicts with workload.application={config.workload.application}, which gives {given}; "
                    f"leave one of the two out, or change applications.{config.workload.application}"
                )


def _given(application: Application) -> dict[str, Any]:
    """Options of the workload that an application answers for."""
    return {
        "image_mb": application.image_mb,
        "memory_mb": application.memory_mb,
        "dirty_percent_per_s": application.dirty_percent_per_s,
        "latency_levels_ms": [application.latency_level_ms],
        "latency_weights": [1.0],
    }
