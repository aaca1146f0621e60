"""What `run.json` has to say so that a run can be reported on: checked once, where it is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msmf_traci.config.earlier_names import with_new_names
from msmf_traci.errors import InputError
from msmf_traci.results.store import RUN_FILE, read_run

_SESSION = "continuity"  # what a session of the testbed says, and no run
_EARLIER_PREDICTORS = {"oracle": "route", "oracle_tier": "route"}  # of runs that do not say what strategies look ahead on
_Count = Annotated[int, Field(ge=0)]
_Seconds = Annotated[float, Field(ge=0)]


class _Facts(BaseModel):
    """Names that nobody reads may be there, too."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class _Deployment(_Facts):
    spacing_m: Annotated[float, Field(gt=0, lt=1e6)] | None = None
    orientation: Literal["flat", "pointy"] | None = None


class _Mobility(_Facts):
    speed_kmh: float | None = None


class _Config(_Facts):
    tiers: dict[str, Any] = {}
    mobility: _Mobility = _Mobility()
    migration: dict[str, Any] = {}
    scenario: dict[str, Any] = {}
    applications: dict[str, Any] = {}
    variants: dict[str, dict[str, Any] | None] = {}


class _Vehicles(_Facts):
    inserted: _Count | None = None
    arrived: _Count | None = None


class _RunFacts(_Facts):
    config: _Config
    overrides: list[str] = []
    strategies: Annotated[list[str], Field(min_length=1)]
    predictors: dict[str, str] | None = None
    key_columns: list[str]
    seed: int
    fingerprint: dict[str, Any] = {}
    versions: dict[str, str | None]
    network: dict[str, Any] | None = None
    mobility: dict[str, Any] | None = None
    map_folder: Annotated[str, Field(min_length=1)]
    deployment: _Deployment | None = None
    vehicles: _Vehicles = _Vehicles()
    teleports: _Count | None = None
    collisions: _Count | None = None
    outside_share: float | None = None
    mean_trip_m: float | None = None
    simulated_s: _Seconds | None = None
    wall_s: dict[str, _Seconds] = {}


def is_session(run: Path) -> bool:
    """Whether a folder is a session of the testbed, which has a run.json of another kind."""
    return _SESSION in (read_run(run) or {})


def read_facts(run: Path) -> dict[str, Any]:
    """What `run.json` says of a finished run, as it stands there; options of the first edition have the names of today.

    Raises
    ------
    InputError
        If it is not there whole, or lacks what a report is made of.
    """
    facts = read_run(run)
    if facts is None and not (run / RUN_FILE).exists():
        raise InputError(f"{run} has no {RUN_FILE}, so it is not a complete run: copy it again, or leave it out")
    if facts is None:
        raise InputError(f"{run / RUN_FILE} is damaged: it is not a JSON object; copy the run again, or leave it out")
    if _SESSION in facts:
        raise InputError(f"{run} is a session of the testbed; use msmf-traci testbed compare for it, or leave it out")
    try:
        _RunFacts.model_validate(facts)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{run / RUN_FILE} is damaged or of another version ({where}: {first['msg']}); copy the run again, or run it again"
        ) from None
    if "strategy" not in facts["key_columns"]:
        raise InputError(f"{run / RUN_FILE} is damaged (key_columns lacks strategy); copy the run again, or run it again")
    config = with_new_names(facts["config"])
    tiers = config["tiers"]
    if not all(isinstance(tiers.get(name), dict) and "area" in tiers[name] for name in tiers["order"]):
        raise InputError(f"{run / RUN_FILE} is damaged (config.tiers does not say its tiers); copy the run again, or run it again")
    return {**facts, "config": config}


def perfect_strategies(facts: Mapping[str, Any]) -> list[str]:
    """Strategies of a run with perfect prediction: they know the road that a vehicle will really drive, or its whole trip."""
    return [name for name, predictor in (facts.get("predictors") or _EARLIER_PREDICTORS).items() if predictor in ("route", "trip")]


def refuse_mixed_versions(facts: Mapping[Path, Mapping[str, Any]]) -> None:
    """Refuse runs of several versions of the program, by their folders: their tables do not belong together.

    Raises
    ------
    InputError
        If there are several.
    """
    first, *others = facts
    ours = facts[first]["versions"].get("msmf-traci")
    for run in others:
        theirs = facts[run]["versions"].get("msmf-traci")
        if ours != theirs:
            raise InputError(
                f"{first} was made by msmf-traci {ours} and {run} by {theirs}: their tables do not belong together; "
                "make one of them again, or use them separately"
            )
