"""The options of mobility: SUMO and its vehicles, positions from files, GPS traces and how they are matched to roads."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from msmf_traci.config.fields import Count, NotNegative, Positive, Section, Text, check_area

INFINITE = "inf"
MOST_OFF_ROAD_M = 1000.0  # roads are looked for as far as this at every position: memory and time grow with its square
FCD_ENDINGS = (".xml", ".csv", ".xml.gz", ".csv.gz", ".xml.xz", ".csv.xz", ".parquet")


def _listed(value: Any) -> Any:
    """One name is a list of one; a number is a name, as ids of users are written."""
    if value is None:
        return None
    return [
        str(name) if isinstance(name, int) and not isinstance(name, bool) else name
        for name in (value if isinstance(value, list) else [value])
    ]


def _said(value: float) -> float | str:
    """JSON knows no infinite number."""
    return INFINITE if math.isinf(value) else value


def _check_time(value: str | None) -> str | None:
    if value is not None:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a time in ISO 8601, such as 2008-10-27T13:44:06 or 2008-10-27T13:44:06+08:00") from None
    return value


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone by its IANA name, such as UTC or Asia/Shanghai") from None
    return value


def posix_s(time: str, time_zone: str) -> float:
    """POSIX seconds of a time in ISO 8601, which is in the zone where it names no offset."""
    moment = datetime.fromisoformat(time)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(time_zone))).timestamp()


NotNegativeOrInf = Annotated[
    float, Field(ge=0), BeforeValidator(lambda value: math.inf if value == INFINITE else value), PlainSerializer(_said)
]
NameList = Annotated[Annotated[list[str], Field(min_length=1)] | None, BeforeValidator(_listed)]
Time = Annotated[Text | None, AfterValidator(_check_time)]
Zone = Annotated[str, AfterValidator(_check_zone)]


class Gps(Section):
    """Recorded GPS traces of people and vehicles (docs/gps.md)."""

    SELECTS: ClassVar = ("mode", "user", "begin", "end", "bbox", "number", "per_mode")

    path: Text | None = Field(
        description="gps: GeoLife folder or .plt, .csv, .gpx, each also .gz or .xz, or a folder of these (docs/gps.md)"
    )
    mode: NameList = Field(description="only traces of these modes of transport, e.g. [walk,bus]; null: all")
    user: NameList = Field(description="only traces of these users; null: all")
    begin: Time = Field(description="only points from this time on (ISO 8601; in time_zone if it has no offset)")
    end: Time = Field(description="only points up to this time")
    bbox: list[float] | None = Field(description="only traces wholly within [west, south, east, north] in degrees")
    number: Count | None = Field(description="this many traces, drawn by the seed; null: all")
    per_mode: Count | None = Field(description="this many traces of each mode, drawn by the seed; null: all")
    time_zone: Zone = Field(description="CSV, GPX: time zone of times without an offset, by its IANA name (GeoLife's times are UTC)")
    clock: Literal["together", "recorded"] = Field(description="together: all traces begin at time 0; recorded: at their own times")
    max_gap_s: Positive = Field(description="a longer gap between points cuts a trace")
    max_kmh: Positive = Field(description="a point is left out if both its neighbours imply a speed above this")
    min_duration_s: NotNegative = Field(description="pieces shorter than this are left out")
    min_length_m: NotNegative = Field(description="pieces shorter than this are left out")
    max_points: Count = Field(description="more points than this are refused while reading")

    @model_validator(mode="after")
    def _check_selection(self) -> Self:
        check_area("mobility.gps.bbox", self.bbox)
        if self.begin is not None and self.end is not None and posix_s(self.end, self.time_zone) <= posix_s(self.begin, self.time_zone):
            raise ValueError(f"mobility.gps.end={self.end} is not after mobility.gps.begin={self.begin}: write the earlier time first")
        if self.number is not None and self.per_mode is not None:
            raise ValueError("mobility.gps.number and mobility.gps.per_mode both say how many traces: set one of them")
        return self


class Matching(Section):
    """How GPS traces are matched to roads (docs/gps.md)."""

    lag_s: NotNegativeOrInf = Field(
        description="a position is matched this long after it was measured; inf: the whole trace is matched first"
    )
    sigma_m: Annotated[float, Field(gt=0, le=MOST_OFF_ROAD_M / 4, allow_inf_nan=False)] | None = Field(
        description="standard deviation of GPS positions; null: estimated"
    )
    beta_m: Positive | None = Field(description="mean difference between distance on the road and by beeline; null: twice sigma_m")
    off_road_m: Annotated[float, Field(gt=0, le=MOST_OFF_ROAD_M, allow_inf_nan=False)] | None = Field(
        description="a user farther from the roads than this for some time is off them; null: four times sigma_m, at least 50"
    )
    against_oneway: list[str] = Field(description="modes that may go against one-way streets")


class Mobility(Section):
    """Vehicles and SUMO (model, section 4)."""

    source: Literal["auto", "traci", "libsumo", "recording", "fcd", "gps"] = Field(
        description="where positions come from; auto: a recording if one fits, else libsumo if installed, else traci (docs/mobility.md)"
    )
    recording_file: Text | None = Field(description="recording: the file of a recording; null: the one in the cache")
    fcd_file: Text | None = Field(description="fcd: a file of SUMO's --fcd-output (.xml, .csv, both also .gz or .xz, and .parquet)")
    gps: Gps
    vehicles: Annotated[int, Field(ge=1, le=1_000_000)] = Field(description="number of vehicles (for random trips)")
    depart_window_s: NotNegative = Field(description="all depart within this time")
    speed_kmh: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] | None = Field(
        description="commanded speed; null: as your own routes say"
    )
    speed_mode: Literal["free", "legal", "forced"] = Field(
        description="free: no speed limits; legal: limits bind; forced: constant, no junction rules"
    )
    step_s: Annotated[float, Field(ge=0.01, le=60, allow_inf_nan=False)] | None = Field(
        description="simulation step; null: as your .sumocfg says"
    )
    max_duration_s: Positive = Field(description="the run ends here at the latest")
    min_trip_m: NotNegative = Field(
        description="least beeline of a random trip, but no more than a third of the smaller extent of network and deployment"
    )
    routing: Literal["dijkstra", "astar", "CH", "CHWrapper"] = Field(
        description="algorithm of SUMO's duarouter for random trips; CH is fast for thousands of trips, but some routes differ"
    )
    gui: bool = Field(description="show sumo-gui")
    sumo_home: Text | None = Field(description="folder of another SUMO; null: the installed package eclipse-sumo")
    sumo_args: list[str | int | float | bool] = Field(description="other options of SUMO, e.g. [--device.rerouting.probability,1]")

    @model_validator(mode="after")
    def _check_step(self) -> Self:
        if self.step_s is not None and abs(self.step_s * 1000 - round(self.step_s * 1000)) > 1e-6:
            raise ValueError(f"mobility.step_s={self.step_s}: SUMO counts in milliseconds; write a whole number of them, e.g. 0.033")
        return self

    @property
    def is_from_file(self) -> bool:
        """Whether positions come from files of the user's own, so that no trips are needed."""
        return self.recording_file is not None or self.fcd_file is not None or self.gps.path is not None

    @property
    def drives_sumo(self) -> bool:
        """Whether SUMO may have to be started."""
        return self.source in ("auto", "traci", "libsumo")

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if self.recording_file is not None and self.source != "recording":
            raise ValueError(f"mobility.recording_file is not for mobility.source={self.source}: set mobility.source=recording too")
        if (self.fcd_file is not None) != (self.source == "fcd"):
            raise ValueError("mobility.source=fcd and mobility.fcd_file=FILE go together: set both, or neither")
        if self.fcd_file is not None and not self.fcd_file.lower().endswith(FCD_ENDINGS):
            raise ValueError(f"mobility.fcd_file={self.fcd_file}: its name must end in {', '.join(FCD_ENDINGS)}")
        if (self.gps.path is not None) != (self.source == "gps"):
            raise ValueError("mobility.source=gps and mobility.gps.path=FILE (or a folder) go together: set both, or neither")
        if self.source != "gps":
            for option in Gps.SELECTS:
                if getattr(self.gps, option) is not None:
                    raise ValueError(
                        f"mobility.gps.{option} is not for mobility.source={self.source}: leave it out, or set mobility.source=gps"
                    )
        if self.gui and self.source not in ("auto", "traci"):
            raise ValueError(
                f"mobility.gui=true does not go with mobility.source={self.source}: leave mobility.source out, or set it to traci"
            )
        if self.sumo_home is not None and self.source == "libsumo":
            raise ValueError(
                "mobility.sumo_home is not for mobility.source=libsumo: leave mobility.sumo_home out, or set mobility.source=traci"
            )
        return self

    @model_validator(mode="after")
    def _check_args(self) -> Self:
        words = [str(word) for word in self.sumo_args]
        if words and not words[0].startswith("-"):
            raise ValueError(
                f"mobility.sumo_args: {words[0]} is no option of SUMO; begin with one, e.g. mobility.sumo_args=[--step-method.ballistic]"
            )
        return self
