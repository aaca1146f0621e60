"""Finds strategies by name (the entry-point group `msmf_traci.strategies`) or by class path. Nothing here decides anything."""

from __future__ import annotations

import difflib
import functools
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

from msmf_traci.code_version import user_code_hash
from msmf_traci.config.fields import LONGEST_NAME, check_name
from msmf_traci.config.strategy_schema import Strategies
from msmf_traci.errors import InputError
from msmf_traci.living_code import living_code_hash
from msmf_traci.sentinels import MOST_TIERS
from msmf_traci.strategies.strategy import Strategy

ENTRY_POINTS = "msmf_traci.strategies"
_offered: dict[str, type[Strategy]] = {}  # classes that a Python program has handed over, by their paths


def known_strategies() -> list[str]:
    """Names of the installed strategies."""
    return sorted(_installed(tuple(sys.path)))


@functools.cache
def _installed(_path: tuple[str, ...]) -> dict[str, str]:
    """Class paths of the strategies installed on a path; kept, since finding them reads every package and a sweep asks at each point."""
    return {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}


def offer_strategies(kinds: Sequence[str | type[Strategy]]) -> list[str]:
    """Make classes known that a Python program hands over, also those from a notebook or from within a function.

    Parameters
    ----------
    kinds
        Classes, or names of strategies, which are returned as they are.

    Returns
    -------
    Their class paths, by which `load_strategies` finds them in this process. Of several classes of one path, such as those that a function
    makes, the second is `PATH-2`.

    Raises
    ------
    InputError
        If one is no class.
    """
    names: list[str] = []
    for kind in kinds:
        if isinstance(kind, str):
            names.append(kind)
            continue
        if not isinstance(kind, type):
            raise InputError(f"strategies: {kind!r} is neither a name nor a class; give the class itself, not an object of it")
        path = f"{kind.__module__}:{kind.__qualname__}"
        same = sum(name.partition("-")[0] == path for name in names)
        names.append(f"{path}-{same + 1}" if same else path)
        _offered[names[-1]] = kind
    return names


def is_offered(name: str) -> bool:
    """Whether a name is that of a class that this process alone knows."""
    return name in _offered


def load_strategies(names: Sequence[str]) -> list[type[Strategy]]:
    """Load strategy classes by name or by class path (`package.module:Class`; the current folder is searched too).

    Raises
    ------
    InputError
        If there is no such strategy, or two have the same name in tables.
    """
    loaded = [_load(name) for name in names]
    for i, strategy in enumerate(loaded):
        if strategy.name in [other.name for other in loaded[:i]]:
            raise InputError(f"strategies: two are called {strategy.name}; give one of them another name")
    return loaded


def check_made(kinds: Sequence[type[Strategy]]) -> None:
    """Check that strategies can be made.

    Raises
    ------
    InputError
        If a class cannot be made with its options.
    """
    for kind in kinds:
        try:
            kind(kind.Options())
        except Exception as error:
            raise InputError(
                f"strategy {kind.name} cannot be made: {type(error).__name__}: {error}; its __init__ must take (self, options), "
                "and each of its options needs a default"
            ) from error


def source_hash(kind: type[Strategy]) -> str:
    """Hash of the code that a strategy is written in, its helper modules included: another text may decide otherwise.

    Of a class that a Python program has handed over the class itself counts, as it is now.
    """
    return living_code_hash(kind, Strategy) if kind in _offered.values() else user_code_hash(kind.__module__)


def _load(name: str) -> type[Strategy]:
    found = _installed(tuple(sys.path)).get(name)
    loaded: object
    if name in _offered:
        loaded = _offered[name]
    elif found is not None:
        loaded = _import(found)
    elif ":" in name or "." in name:
        loaded = _import(name)
    else:
        names = known_strategies()
        meant = name.replace("-", "_").lower()
        close = difflib.get_close_matches(meant, names, n=1, cutoff=0.5)
        hint = f"choose from {', '.join(names)}, or give package.module:Class"
        if close:
            is_misspelt = name.islower() or meant == close[0]
            hint = f"did you mean {close[0]}?" if is_misspelt else f"did you mean {close[0]}, or a class of your own, package.module:Class?"
        raise InputError(f"strategies: there is no strategy {name!r}; {hint}")
    if not (isinstance(loaded, type) and issubclass(loaded, Strategy)):
        raise InputError(f"strategies: {name} is no strategy; derive the class from msmf_traci.Strategy")
    if not isinstance(getattr(loaded, "name", None), str):
        raise InputError(f"strategies: {name} has no name for the tables; give the class an attribute name = '...'")
    if loaded.name in Strategies.model_fields and loaded.__module__.rpartition(".")[0] != Strategy.__module__.rpartition(".")[0]:
        raise InputError(f"strategies: {name} is called {loaded.name} in tables, and so is one of ours with options; give it another name")
    if not loaded.is_compiled() and loaded.decide is Strategy.decide:
        raise InputError(f"strategies: {name} has neither decide nor kernel; write one of them (docs/strategies.md)")
    if loaded.predictor == "trip" and (not loaded.is_compiled() or loaded.foresee is Strategy.foresee):
        raise InputError(f"strategies: {name} has predictor='trip', but not both foresee and kernel; write both (docs/strategies.md)")
    try:
        check_name(loaded.name)
    except ValueError as error:
        raise InputError(f"strategies: {name} is called {loaded.name[:LONGEST_NAME]!r} in tables: this {error}") from None
    is_number = type(loaded.tiers) is int and 1 <= loaded.tiers <= MOST_TIERS
    if not (loaded.tiers is None or is_number) or loaded.predictor not in ("map", "route", "trip"):
        raise InputError(
            f"strategies: {name} has tiers={loaded.tiers!r}, predictor={loaded.predictor!r}; "
            f"they must be 1 to {MOST_TIERS} or None (all), and 'map', 'route' or 'trip'"
        )
    return loaded


def _import(path: str) -> object:
    """Class at `package.module:Class` or `package.module.Class`; the current folder is searched too."""
    module, _, attribute = path.partition(":") if ":" in path else path.rpartition(".")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that a file there takes the place of no installed package
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise InputError(f"strategies: {path}: there is no module {error.name}; install it, or go to the folder that holds it") from None
    except AttributeError:
        raise InputError(f"strategies: {path}: module {module} has no class {attribute}; check its name") from None
    except Exception as error:
        raise InputError(f"strategies: {path} cannot be loaded: {type(error).__name__}: {error}; correct the module") from None
