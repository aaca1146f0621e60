"""Which launchers of Hydra there are, which extra each needs, and what an allocation offers them."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable, Sequence

from hydra.core.override_parser.types import Override

from msmf_traci.errors import InputError

LAUNCHER_GROUP = "hydra/launcher"
IN_PROCESS = "basic"
_PLUGINS = {"joblib": "hydra_joblib_launcher", "slurm": "hydra_submitit_launcher", "ray": "hydra_ray_launcher"}
LAUNCHERS = (IN_PROCESS, *_PLUGINS)


def accept_schemas_of_plugins() -> None:
    """Let Hydra check our `joblib` and `ray` against what the plugins store under the same names, without a word at every composition.

    The package comes first on Hydra's search path, so that its files are the ones taken. Wherever runs are composed, this has to be
    called first: in the command, and in every worker.
    """
    warnings.filterwarnings("ignore", message=rf"\s*'{LAUNCHER_GROUP}/\w+' is validated against", category=UserWarning)


def check_launcher(override: Override, choices: Sequence[str], nearest: Callable[[str, Sequence[str]], str]) -> None:
    """Check that a launcher asked for exists and is one.

    Parameters
    ----------
    override
        The word `hydra/launcher=NAME`.
    choices
        What there is, those of the user's own included.
    nearest
        Says what was probably meant.

    Raises
    ------
    InputError
        If it is unknown, or several are asked for.
    """
    if override.is_sweep_override():
        raise InputError(f"{override.input_line}: a sweep has one launcher; choose one of {', '.join(choices)}")
    value = str(override.get_value_element_as_str())
    if value not in choices:
        raise InputError(f"{override.input_line}: there is no launcher {value!r}; {nearest(value, choices)}")


def check_installed(launcher: str) -> None:
    """Check that a launcher's extra is installed, wherever it was chosen.

    Raises
    ------
    InputError
        With the line to type.
    """
    plugin = _PLUGINS.get(launcher)
    if plugin is None:
        return
    try:
        found = importlib.util.find_spec(f"hydra_plugins.{plugin}")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise InputError(f"{LAUNCHER_GROUP}={launcher} needs an extra that is not installed; type: pip install 'msmf-traci[{launcher}]'")


def is_hydras(word: str) -> bool:
    """Whether an override is about Hydra itself, such as the launcher, rather than about a run."""
    return word.lstrip("+~").startswith(("hydra.", "hydra/"))


def usable_cores() -> int:
    """Cores that this process may use: its allocation by Slurm, else what the system lets it run on."""
    allotted = os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE")
    if allotted is not None and allotted.isdigit():
        return max(1, int(allotted))
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
