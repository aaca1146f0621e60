"""The options of base stations, servers and tiers: a part of the schema (`schema.py`)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from msmf_traci.config.fields import Count, Name, NotNegative, Positive, Section, Text
from msmf_traci.sentinels import MOST_TIERS

MOST_RINGS = 200  # 120,601 cells

OF_HEXAGON = ("rings", "spacing_m", "orientation", "center")
OF_SITES = ("file", "bbox", "radio", "operator", "min_samples", "merge_m", "outline_file", "max_radius_m")


class SiteColumns(Section):
    """Columns of a file of base stations; null: recognised by their names."""

    lon: Text | None = Field(description="sites: column with the longitude in degrees; null: recognised by its name")
    lat: Text | None = Field(description="sites: column with the latitude in degrees; null: recognised by its name")
    x: Text | None = Field(description="sites: column with x in metres, on the network's plane; null: recognised by its name")
    y: Text | None = Field(description="sites: column with y in metres, on the network's plane; null: recognised by its name")
    id: Text | None = Field(description="sites: column with the name; null: recognised by its name")
    tier: Text | None = Field(description="sites: column with the tier of the server that capacity, store and bandwidth are of")
    capacity: Text | None = Field(description="sites: column with the containers that the server can hold; null: recognised by its name")
    store_gb: Text | None = Field(description="sites: column with the room of the server's store; null: recognised by its name")
    bandwidth_mbps: Text | None = Field(description="sites: column with the server's bandwidth; null: recognised by its name")


class Deployment(Section):
    """Where the base stations stand (model, section 1)."""

    kind: Literal["hexagon", "sites"] = Field(description="a hexagonal lattice, or places of your own")
    rings: Annotated[int, Field(ge=1, le=MOST_RINGS)] | None = Field(
        description="hexagon: rings of cells around the centre (synthetic: 10, beijing: 25); null: as many as cover the network"
    )
    spacing_m: Annotated[float, Field(ge=10, le=100_000, allow_inf_nan=False)] = Field(
        description="hexagon: distance between neighbouring base stations"
    )
    orientation: Literal["flat", "pointy"] = Field(description="hexagon: flat or pointy cells")
    center: dict[str, float] | None = Field(description="hexagon: {lon: , lat: } or {x: , y: }; null: middle of the network")
    file: Text | None = Field(description="sites: your base stations (CSV, OpenCelliD's export, GeoJSON, SUMO's poi)")
    columns: SiteColumns
    bbox: list[float] | None = Field(description="sites: only those in [left, bottom, right, top], in the file's degrees or metres")
    radio: Text | None = Field(description="sites: only this radio technology, such as LTE")
    operator: Text | None = Field(description="sites: only this operator, as MCC-MNC, such as 311-480")
    min_samples: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(description="sites: fewest measurements behind a position")
    merge_m: NotNegative = Field(description="sites: those that lie nearer to each other than this are one")
    outline_file: Text | None = Field(description="sites: GeoJSON polygon at which the deployment ends; null: the network's rectangle")
    max_radius_m: Positive | None = Field(
        description="sites: distance from its base station at which a cell ends, instead of the rectangle"
    )

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.kind == "sites" and self.file is None:
            raise ValueError("deployment=sites needs deployment.file=FILE, a file of base stations")
        if self.kind == "hexagon":
            typed = [name for name in OF_SITES if getattr(self, name)] + [f"columns.{name}" for name, column in self.columns if column]
            if typed:
                raise ValueError(f"deployment.{typed[0]} is for base stations of your own: add deployment=sites, or leave it out")
        if self.bbox is not None and not (len(self.bbox) == 4 and self.bbox[0] < self.bbox[2] and self.bbox[1] < self.bbox[3]):
            raise ValueError(
                f"deployment.bbox={list(self.bbox)} is not an area: write [left, bottom, right, top], left < right, bottom < top"
            )
        return self

    @model_validator(mode="after")
    def _check_center(self) -> Self:
        if self.center is not None and set(self.center) not in ({"lon", "lat"}, {"x", "y"}):
            raise ValueError("deployment.center takes {lon: DEGREES, lat: DEGREES} or {x: METRES, y: METRES}")
        if self.center is not None and not all(abs(value) < 1e9 for value in self.center.values()):
            raise ValueError("deployment.center takes finite numbers")
        if self.center is not None and "lon" in self.center and not (abs(self.center["lon"]) <= 180 and abs(self.center["lat"]) <= 90):
            raise ValueError("deployment.center: lon must be in -180..180 and lat in -90..90 degrees")
        return self


class Tier(Section):
    """One tier of servers: how far they are from the user, what they can do, and which cells each of them covers."""

    latency_ms: NotNegative = Field(description="latency between the user and a server of the tier")
    compute_ms: NotNegative = Field(description="computing time of a request at a server of the tier")
    compute_ms_per_container: NotNegative = Field(0.0, description="what each other container on the server adds to the computing time")
    area: Literal["cell", "rings", "clusters", "column", "all"] = Field(
        description="what a server covers: its cell, rings of a lattice, a cluster of stations, those of one value in a column, all"
    )
    rings: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="with area=rings: rings of cells around the middle of an area; 1, 2, 3 are 7, 19, 37 cells"
    )
    clusters: Count | None = Field(None, description="with area=clusters: how many areas; null: one for every 19 cells")
    column: Text | None = Field(None, description="with area=column: the column of deployment.file that says the area of each station")
    capacity: Count | None = Field(None, description="containers that a server of the tier can hold; null: any number")
    store_gb: Positive | None = Field(None, description="images that a server of the tier can hold; null: any number")
    bandwidth_mbps: Positive | None = Field(None, description="bandwidth of a server of the tier; null: links.bandwidth_mbps")


_TAKEN = ("L", "R", "node", "cell", "region", "x_m", "y_m", "lon", "lat", "polygon")  # of servers' names, and columns of cells.csv


class Tiers(Section):
    """The tiers of servers (model, section 2), each a section by its name; users add some of their own."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Tier]

    order: Annotated[list[Name], Field(min_length=1, max_length=MOST_TIERS)] = Field(
        description="names of the tiers in use, the lowest first"
    )
    local: Tier
    regional: Tier

    @property
    def sections(self) -> dict[str, Tier]:
        """Every tier that has a section, in use or not, by its name."""
        return {"local": self.local, "regional": self.regional, **(self.__pydantic_extra__ or {})}

    @property
    def in_use(self) -> dict[str, Tier]:
        """The tiers in use by their names, the lowest first."""
        sections = self.sections
        return {name: sections[name] for name in self.order}

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        for name in self.__pydantic_extra__ or {}:
            if name in _TAKEN or hasattr(Tiers, name) or ":" in name or "." in name:
                raise ValueError(f"tiers.{name}: this name is taken, or has a colon or a dot in it; choose another name")
        twice = next((name for name in self.order if self.order.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"tiers.order names {twice} twice: name each tier once")
        absent = next((name for name in self.order if name not in self.sections), None)
        if absent is not None:
            raise ValueError(
                f"tiers.order names {absent}, which has no section: choose from {', '.join(self.sections)}, "
                f"or add '+tiers.{absent}={{latency_ms: 100, compute_ms: 5, area: all}}'"
            )
        own = next((name for name in (self.__pydantic_extra__ or {}) if name not in self.order), None)
        if own is not None:
            raise ValueError(f"tiers.{own} is not in use: add it to the tiers, lowest first: 'tiers.order=[{','.join(self.order)},{own}]'")
        return self

    @model_validator(mode="after")
    def _check_areas(self) -> Self:
        for name, tier in self.in_use.items():
            if tier.area in ("rings", "column") and getattr(tier, tier.area) is None:
                raise ValueError(f"tiers.{name}.area={tier.area} needs tiers.{name}.{tier.area}: say which")
        return self


class TierChoice(Section):
    """Which of the eligible tiers serves a task (model, section 2)."""

    min_speed_kmh: NotNegative = Field(description="below this speed the lowest eligible tier is taken")
