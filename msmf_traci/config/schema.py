"""The schema of the configuration: every option with its type, range and meaning, in the units that users write.

Those of base stations and servers are in `deployment_schema.py`, those of mobility in `mobility_schema.py`, those of what migrates in
`migration_schema.py`. Defaults live in `conf/`; conversion to SI units happens in `experiment/options.py`. Section 12 of the model lists
the options.
"""

from __future__ import annotations

import functools
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, create_model, model_validator

from msmf_traci.config.deployment_schema import Deployment, Tier, TierChoice, Tiers
from msmf_traci.config.fields import Name, NotNegative, Positive, Section, Text, check_area, kinds_of, section_of
from msmf_traci.config.migration_schema import Application, HandoffOptions, Images, Links, Migration, Workload
from msmf_traci.config.mobility_schema import Matching, Mobility
from msmf_traci.config.strategy_schema import Strategies

APPLICATIONS = "applications"
CHOSEN = frozenset(("scenario.name", "scenario.kind", "deployment.kind"))  # set by scenario=NAME and deployment=NAME


class Scenario(Section):
    """Which network and demand SUMO drives."""

    name: Name = Field(description="name of the scenario")
    kind: Literal["synthetic", "osm", "sumo"] = Field(description="how the network is made")
    parameters_file: Text | None = Field(description="synthetic: a parameters file of your own")
    map_file: Text | None = Field(description="beijing, osm: an OpenStreetMap file (.osm, .osm.gz, .osm.pbf)")
    bbox: list[float] | None = Field(description="beijing, osm: [west, south, east, north] in degrees; edges outside are cut")
    left_hand: bool = Field(description="osm: traffic keeps to the left, as in Great Britain, Japan or India")
    net_file: Text | None = Field(description="sumo: your network (.net.xml, .net.xml.gz)")
    route_file: Text | None = Field(description="sumo: your routes; without it, random trips")
    sumocfg_file: Text | None = Field(description="sumo: your .sumocfg, with its own network and routes")

    @property
    def has_own_routes(self) -> bool:
        """Whether the vehicles are the user's own rather than random trips of ours."""
        return self.route_file is not None or self.sumocfg_file is not None

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        check_area("scenario.bbox", self.bbox)
        if self.kind == "sumo":
            if self.sumocfg_file is None and self.net_file is None:
                raise ValueError("scenario=sumo needs scenario.net_file=YOUR.net.xml or scenario.sumocfg_file=YOUR.sumocfg")
            if self.sumocfg_file is not None and (self.net_file is not None or self.route_file is not None):
                raise ValueError(
                    "scenario.sumocfg_file brings its own network and routes: leave out scenario.net_file and scenario.route_file"
                )
        foreign = {
            "synthetic": ("map_file", "bbox", "net_file", "route_file", "sumocfg_file"),
            "osm": ("parameters_file", "net_file", "route_file", "sumocfg_file"),
            "sumo": ("parameters_file", "map_file", "bbox"),
        }[self.kind]
        for option in foreign:
            if getattr(self, option) is not None:
                raise ValueError(f"scenario.{option} is not for scenario={self.name}: leave it out or choose another scenario")
        if self.left_hand and self.kind != "osm":
            raise ValueError(f"scenario.left_hand is for maps of OpenStreetMap and not for scenario={self.name}: leave it out")
        return self


class Attachment(Section):
    """How a vehicle is attached to a base station (model, section 1)."""

    hysteresis_m: NotNegative = Field(description="how much nearer a new base station must be before a vehicle changes to it")


class Prediction(Section):
    """The look-ahead along the road map (model, sections 3 and 6)."""

    horizon_m: Positive = Field(description="how far ahead the road is followed")
    slack_m: NotNegative = Field(description="how far ahead the attached cell may begin on the road")


class ReportThresholds(Section):
    """When the user equipment reports its status (model, section 8); all thresholds 0: in every frame."""

    distance_m: NotNegative = Field(description="report after moving more than this; 0: distance does not count")
    heading_deg: Annotated[float, Field(ge=0, lt=180, allow_inf_nan=False)] = Field(
        description="report after turning by more than this; 0: turning does not count"
    )
    speed_mps: NotNegative = Field(description="report after changing speed by more than this; 0: speed does not count")
    bytes: NotNegative = Field(description="size of a report")


class Cost(Section):
    """What the cost of a trip is made of (model, section 14); it values tables, and makes no other runs."""

    unsatisfied_per_s: NotNegative = Field(description="cost of each second in outage, or late")
    traffic_per_gb: NotNegative = Field(description="cost of each GB that is sent")
    relayed_per_gb_hop: NotNegative = Field(description="cost of each GB of the user's that is relayed over one hop")


class Output(Section):
    """Where the tables go and what they hold."""

    dir: Text | None = Field(description="folder of the results; null: results/<experiment or scenario>")
    format: Literal["csv", "parquet"] = Field(description="format of the tables")
    trace: bool = Field(description="also write frames, decisions and stages")
    migrations: bool = Field(description="write migrations, the largest table; false for wide studies that need summaries only")
    bounds: bool = Field(description="find what trips cost at least; false for wide studies, where it takes its time")
    speed_bands_kmh: list[Positive] = Field(description="limits of the bands of realised speed in summary_by_band")

    @model_validator(mode="after")
    def _check_bands(self) -> Self:
        if any(after <= before for before, after in zip(self.speed_bands_kmh, self.speed_bands_kmh[1:], strict=False)):
            raise ValueError("output.speed_bands_kmh must rise from each number to the next")
        return self


# Traffic does not depend on these: one mobility pass serves any of their values (model, section 11).
VARIED: dict[str, type[Section]] = {
    "attachment": Attachment,
    "tiers": Tiers,
    "tier_choice": TierChoice,
    "prediction": Prediction,
    "strategy": Strategies,
    "workload": Workload,
    "handoff": HandoffOptions,
    "migration": Migration,
    "links": Links,
    "images": Images,
    "reports": ReportThresholds,
}


_ONE_FOR_ALL = ("Tiers.order", "Migration.measured")  # of all variants


def _mirror(section: type[Section], base: type[Section] = Section) -> Any:
    """The mirror of a section: each option is null, or a list of values that differ; a section in it is mirrored too."""

    def check_differ(values: list[Any]) -> list[Any]:
        if any(value in values[:i] for i, value in enumerate(values)):
            raise ValueError("names a value twice: give every value once")
        return values

    fields: dict[str, Any] = {}
    for name, field in section.model_fields.items():
        if (inner := section_of(field)) is not None:
            mirror = _mirror(inner)
            fields[name] = (mirror, mirror())
        elif f"{section.__name__}.{name}" not in _ONE_FOR_ALL:
            value_type = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
            values = Annotated[list[value_type], Field(min_length=1), AfterValidator(check_differ)]  # type: ignore[valid-type]
            fields[name] = (values | None, Field(None, description=f"values of {name} that share the pass"))
    return create_model(f"{section.__name__}Values", __base__=base, **fields)


if TYPE_CHECKING:
    Variants = Section
else:
    TierValues = _mirror(Tier)

    class _TiersOfAnyName(Section):
        """Tiers of the user's own have mirrors, too."""

        model_config = ConfigDict(extra="allow")
        __pydantic_extra__: dict[str, TierValues]

    class _StrategiesOfAnyName(Section):
        """Strategies of the user's own have mirrors, too."""

        model_config = ConfigDict(extra="allow")
        __pydantic_extra__: dict[str, dict[str, Annotated[list[Any], Field(min_length=1)]]]

    _OF_ANY_NAME = {"tiers": _TiersOfAnyName, "strategy": _StrategiesOfAnyName}
    _MIRRORS = {name: _mirror(section, _OF_ANY_NAME.get(name, Section)) for name, section in VARIED.items()}
    Variants = create_model("Variants", __base__=Section, **{name: (mirror, mirror()) for name, mirror in _MIRRORS.items()})


class Vary(Section):
    """How the values of several varied options are combined."""

    design: Literal["product", "one_at_a_time"] = Field(
        description="product: every combination of values; one_at_a_time: each value, with all other options as configured"
    )
    together: list[Annotated[list[str], Field(min_length=2)]] = Field(
        description="with one_at_a_time: lists of options whose values are also combined with each other"
    )


class Config(Section):
    """One run, completely described."""

    experiment: Name | None = Field(description="an experiment by its name: a file of options")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(description="the one seed of trips, SUMO and workload")
    strategies: Annotated[list[str], Field(min_length=1)] = Field(description="names, or class paths of your own (package.module:Class)")
    dry_run: bool = Field(description="say what would be done, and do nothing")
    scenario: Scenario
    deployment: Deployment
    attachment: Attachment
    tiers: Tiers
    tier_choice: TierChoice
    prediction: Prediction
    strategy: Strategies
    mobility: Mobility
    matching: Matching
    applications: dict[Name, Application] = Field(description="what workload.application can name")
    workload: Workload
    handoff: HandoffOptions
    migration: Migration
    links: Links
    images: Images
    reports: ReportThresholds
    cost: Cost
    output: Output
    vary: Vary
    variants: Variants

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        twice = sorted({name for name in self.strategies if self.strategies.count(name) > 1})
        if twice:
            raise ValueError(f"strategies names {twice[0]} twice: name each once")
        if self.mobility.speed_kmh is None and not self.scenario.has_own_routes and not self.mobility.is_from_file:
            raise ValueError("mobility.speed_kmh=null needs routes of your own: set a speed, or scenario.route_file")
        if self.mobility.speed_kmh is None and self.mobility.speed_mode != "free":
            raise ValueError(f"mobility.speed_mode={self.mobility.speed_mode} needs a commanded speed: set mobility.speed_kmh too")
        if self.mobility.depart_window_s > self.mobility.max_duration_s and not self.scenario.has_own_routes:
            raise ValueError(
                f"mobility.depart_window_s={self.mobility.depart_window_s:g} is longer than mobility.max_duration_s="
                f"{self.mobility.max_duration_s:g}: some vehicles would never depart; shorten the one or lengthen the other"
            )
        if not self.scenario.has_own_routes and any(str(word).split("=")[0] == "--scale" for word in self.mobility.sumo_args):
            raise ValueError("mobility.sumo_args: --scale is not for random trips; set mobility.vehicles")
        has_step = self.scenario.sumocfg_file is not None or (self.mobility.is_from_file and self.mobility.source != "gps")
        if self.mobility.step_s is None and not has_step:
            raise ValueError("mobility.step_s=null needs scenario.sumocfg_file: set a step, e.g. mobility.step_s=1")
        return self

    @model_validator(mode="after")
    def _check_application(self) -> Self:
        absent = next((name for name in self.workload.mix if name not in self.applications), None)
        if absent is not None:
            raise ValueError(
                f"workload.application={absent}: there is no such application; choose from {', '.join(sorted(self.applications))}, "
                "or add it under applications (docs/experiments.md)"
            )
        sizes: dict[str, tuple[float, str]] = {}
        for name, application in self.applications.items():
            for layer, size_mb in (application.layers or {}).items():
                before_mb, where = sizes.setdefault(layer, (size_mb, name))
                if size_mb != before_mb:
                    raise ValueError(
                        f"applications.{name}.layers.{layer}={size_mb:g} contradicts applications.{where}.layers.{layer}={before_mb:g}: "
                        "layers of one name are the same bytes; correct one of them, or give it another name"
                    )
        return self


def option_fields() -> dict[str, tuple[str, Any]]:
    """Every option by its dotted name: (description, pydantic field); what users add, applications and tiers, is not among them."""
    options: dict[str, tuple[str, Any]] = {}
    for name, field in Config.model_fields.items():
        if name == APPLICATIONS:
            continue
        if name == "variants":
            for option, (_, inner_field) in varied_fields().items():
                options[f"variants.{option}"] = (f"values of {option} that share the pass", inner_field)
        else:
            options |= options_of(name, field)
    return options


@functools.cache
def text_options() -> frozenset[str]:
    """Options whose value is a text of the user's, such as a path: whatever is typed is one, `5` and `false` too."""
    return frozenset(name for name, (_, field) in option_fields().items() if _is_text(field.annotation))


def _is_text(annotation: Any) -> bool:
    return all(kind is str for kind in kinds_of(annotation) if kind is not NoneType)


def varied_fields() -> dict[str, tuple[str, Any]]:
    """Every option that can have several values in one pass, as in `option_fields`."""
    options: dict[str, tuple[str, Any]] = {}
    for name in VARIED:
        options |= options_of(name, Config.model_fields[name])
    del options["tiers.order"], options["migration.measured"]
    return options


def options_of(name: str, field: Any) -> dict[str, tuple[str, Any]]:
    """The option that a field is, or those of the section that it is."""
    section = section_of(field)
    if section is None:
        return {name: (field.description or "", field)}
    options: dict[str, tuple[str, Any]] = {}
    for inner, inner_field in section.model_fields.items():
        options |= options_of(f"{name}.{inner}", inner_field)
    return options
