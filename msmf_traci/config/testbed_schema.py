"""The options of `msmf-traci testbed run` with type, range and meaning; defaults are in `conf/testbed.yaml`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from msmf_traci.config.fields import NotNegative, Positive, Section, Text

Tier = Literal["local", "regional"]


class SessionHandoff(Section):
    """When the user hands off, and what happens then."""

    after_s: NotNegative = Field(description="the user hands off this long after the target has a snapshot of the memory")
    lead_s: NotNegative | None = Field(description="the user hands off this long after the transfer's start, however much has been sent")
    unsynced: Literal["stop", "relay"] = Field(
        description="if the copy is not ready at the handoff: stop the container, or relay requests to it"
    )
    user_left: Literal["abandon", "finish"] = Field(
        description="if the user leaves the target while the container is stopped: abandon the transfer, or finish it"
    )


def _as_text(value: Any) -> Any:
    """Names may look like numbers, which is what they are read as."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Drive(Section):
    """A drive that was traced by msmf-traci (output.trace=true), to be driven again in real time."""

    run: Text | None = Field(description="folder of the run, with decisions.csv; null: one transfer from source to target")
    vehicle: Annotated[Text | None, BeforeValidator(_as_text)] = Field(
        description="which vehicle; null: the first whose drive is long enough"
    )
    strategy: Text | None = Field(description="strategy whose decisions are driven; needed if the run has several strategies")
    begin_s: NotNegative = Field(description="where to begin, in seconds after the vehicle's departure")
    duration_s: Positive | None = Field(description="how long to drive; null: to the end")


class SessionLinks(Section):
    """What connects the hosts."""

    bandwidth_mbps: Annotated[float, Field(ge=1, le=10_000, allow_inf_nan=False)] = Field(
        description="bandwidth of every host's link, in each direction"
    )
    local_ms: Annotated[float, Field(ge=0, le=2000, allow_inf_nan=False)] = Field(
        description="round-trip time between the user and a local server"
    )
    regional_ms: Annotated[float, Field(ge=0, le=2000, allow_inf_nan=False)] = Field(
        description="round-trip time between the user and a regional server; between two servers it is the sum of theirs"
    )


class SessionOutput(Section):
    """Where the tables go."""

    dir: Text = Field(description="folder of the sessions")


class SessionConfig(Section):
    """One session of the testbed, completely described."""

    application: Literal["game", "face", "ram"] = Field(description="what runs in the container")
    image_mb: Positive | None = Field(description="image size; null: the application's")
    memory_mb: Positive | None = Field(description="memory; null: the application's")
    dirty_percent_per_s: NotNegative | None = Field(
        description="share of the memory that changes each second, percent; null: the application's"
    )
    dirty_threshold_mbit: Annotated[float, Field(ge=0.1, allow_inf_nan=False)] = Field(
        description="dirty (changed) memory at which a round of copying begins"
    )
    source: Tier = Field(description="tier of the first server")
    target: Tier = Field(description="tier of the server that the container moves to")
    handoff: SessionHandoff
    drive: Drive
    links: SessionLinks
    requests_per_s: Annotated[float, Field(ge=1, le=1000, allow_inf_nan=False)] = Field(description="how often the user asks the service")
    track_changes: bool = Field(
        description="true: snapshots hold changed memory only, if the kernel has soft-dirty tracking; false: all memory"
    )
    repetition: Annotated[int, Field(ge=1)] = Field(description="number of this repetition; repetition=1,2,3 with -m makes three")
    folder: Text = Field(description="folder in which the hosts get their disks while it runs")
    output: SessionOutput
