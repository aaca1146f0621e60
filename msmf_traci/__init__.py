"""msmf-traci: measure container-migration strategies for mobile edge computing on simulated road traffic.

    import msmf_traci as msmf

    run = msmf.run("mobility.speed_kmh=20", strategies=["pm", "oracle"])
    run.summary

What is public is listed in `__all__`; it is loaded when it is first used, so that the import takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from msmf_traci.version import VERSION

if TYPE_CHECKING:
    from msmf_traci.api import (
        KEEP,
        NO_SERVER,
        Decision,
        InputError,
        MsmfError,
        Now,
        OpenPass,
        RecordedPass,
        Run,
        Runs,
        Situation,
        Strategy,
        ToolError,
        dtype_of,
        load,
        open_pass,
        preview,
        recording,
        report,
        run,
        sweep,
    )

__version__ = VERSION
__all__ = [
    "KEEP",
    "NO_SERVER",
    "Decision",
    "InputError",
    "MsmfError",
    "Now",
    "OpenPass",
    "RecordedPass",
    "Run",
    "Runs",
    "Situation",
    "Strategy",
    "ToolError",
    "dtype_of",
    "load",
    "open_pass",
    "preview",
    "recording",
    "report",
    "run",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("msmf_traci.api"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
