"""The options of what migrates, when, over which links and at what cost: a part of the schema (`schema.py`)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from msmf_traci.config.fields import LARGEST, Name, NotNegative, NumberOrRange, Positive, Range, Section, Text

Percent = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class Application(Section):
    """What an application's containers are (docs/experiments.md)."""

    image_mb: Positive | None = Field(None, description="image size")
    layers: dict[Name, Positive] | None = Field(None, description="in place of image_mb: layers of the image, MB by name")
    memory_mb: Positive = Field(description="memory")
    dirty_percent_per_s: NotNegative = Field(description="share of the memory that changes each second, percent")
    latency_level_ms: Positive = Field(description="latency level of its tasks")

    @property
    def size_mb(self) -> float:
        """Size of its image."""
        return sum(self.layers.values()) if self.image_mb is None and self.layers else float(self.image_mb or 0)

    @model_validator(mode="after")
    def _check_image(self) -> Self:
        if (self.image_mb is None) == (not self.layers):
            raise ValueError("give image_mb or layers, one of the two")
        return self


class Workload(Section):
    """Containers (model, section 5)."""

    application: Text | dict[Name, Positive] | None = Field(
        description="the application of all containers, or several with weights; null: sizes and levels as set here"
    )
    catalogue: Text | None = Field(description="CSV of images: image, layer, size_mb, weight; each container has one of them")
    image_mb: NumberOrRange = Field(description="image size: a range to draw from, or one number")
    memory_mb: NumberOrRange = Field(description="memory: a range to draw from, or one number")
    dirty_percent_per_s: NotNegative = Field(description="share of the memory that changes each second, percent")
    dirty_cap_percent: Percent = Field(description="most of the memory that can be dirty at once, percent: what changes again and again")
    dirty_threshold_mbit: Annotated[float, Field(ge=0.1, le=LARGEST, allow_inf_nan=False)] = Field(
        description="dirty (changed) memory at which a round of copying begins"
    )
    latency_levels_ms: Annotated[list[Positive], Field(min_length=1)] = Field(description="latency levels of tasks")
    latency_weights: Annotated[list[NotNegative], Field(min_length=1)] = Field(
        description="share of the tasks at each latency level; the shares add up to 1"
    )
    start_ms: Range = Field(description="time to start a container of 100 MB, and one of 2000 MB")
    request_mbps: NotNegative = Field(description="the user's data, both ways together, which take hops while requests are relayed")

    @property
    def mix(self) -> dict[str, float]:
        """The applications of containers, and their weights; empty: none."""
        if isinstance(self.application, dict):
            return self.application
        return {} if self.application is None else {self.application: 1.0}

    @model_validator(mode="after")
    def _check_application(self) -> Self:
        if self.application == {}:
            raise ValueError("workload.application names no application: write {NAME: WEIGHT, ...}, or null")
        if self.catalogue is not None and self.application is not None:
            raise ValueError("workload.catalogue and workload.application both say which images containers have: leave one of them out")
        return self

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        if len(self.latency_weights) != len(self.latency_levels_ms):
            raise ValueError(
                f"workload.latency_weights has {len(self.latency_weights)} numbers and latency_levels_ms "
                f"{len(self.latency_levels_ms)}: give one weight for each level"
            )
        if abs(sum(self.latency_weights) - 1) > 1e-9:
            raise ValueError(f"workload.latency_weights add up to {sum(self.latency_weights):g}: they must add up to 1")
        return self


class PostCopyOptions(Section):
    """What a container takes along that runs before its memory is there (model, section 7)."""

    state_mb: NotNegative = Field(description="state of execution, which is sent while the container is stopped")
    faults_per_mb: NotNegative = Field(description="misses of each MB of missing memory, each of which waits for a round trip")


class ReplayOptions(Section):
    """How a container that starts from a snapshot catches up with logged messages (model, section 7)."""

    base_s: NotNegative = Field(description="seconds that a start takes in addition before the first message is replayed")
    arriving_per_s: NotNegative = Field(description="messages that arrive in a second, and are logged")
    served_per_s: NotNegative = Field(description="messages that the container serves in a second while it replays")
    limit_s: NotNegative = Field(description="seconds after which replaying is cut off; the messages that are left are lost")


class HandoffOptions(Section):
    """What happens at a handoff (model, section 7)."""

    unsynced: Literal["stop", "relay"] = Field(
        description="if the copy is not ready at the handoff: stop the container, or relay requests to it"
    )
    user_left: Literal["abandon", "finish"] = Field(
        description="if the user leaves the target while the container is stopped: abandon the transfer, or finish it"
    )
    switch_ms: NotNegative = Field(description="time to tell the user the new address")
    plan: Text = Field(description="what a migration does: precopy, cold, postcopy, hybrid, replay, or a file FILE.yaml")
    postcopy: PostCopyOptions
    replay: ReplayOptions


class ProcessingCosts(Section):
    """What a migration does beside sending bytes (model, section 7); nothing in the paper's model."""

    prepare_s: NotNegative = Field(description="seconds from the begin of a transfer until anything is sent")
    checkpoint_s: NotNegative = Field(description="seconds that a snapshot of the memory takes before its bytes flow")
    checkpoint_s_per_mb: NotNegative = Field(description="seconds that each MB of the memory adds to a snapshot")
    later_s: NotNegative | None = Field(description="seconds that a later snapshot takes; null: as checkpoint_s")
    later_s_per_mb: NotNegative | None = Field(description="seconds that each MB of the memory adds; null: as checkpoint_s_per_mb")
    later_s_per_changed_mb: NotNegative = Field(description="seconds that each MB adds that has changed since the snapshot before")
    final_s: NotNegative | None = Field(
        description="seconds that the snapshot of a container that stops takes; null: as a later one, or the first where there is none"
    )
    final_s_per_mb: NotNegative | None = Field(description="seconds that each MB of the memory adds; null: likewise")
    final_s_per_changed_mb: NotNegative | None = Field(
        description="seconds that each MB adds that has changed, all of it where there is no snapshot before; null: likewise"
    )
    round_s: NotNegative = Field(description="seconds that it takes to compare a snapshot with the one on the target")
    round_s_per_mb: NotNegative = Field(description="seconds that each MB of the memory adds to this comparison")
    restore_s: NotNegative = Field(description="seconds that restoring takes in addition to workload.start_ms")
    restore_s_per_mb: NotNegative = Field(description="seconds that each MB of the memory adds to restoring")
    round_trips: NotNegative = Field(description="round trips between two servers that each sending waits for before its bytes flow")
    transport_efficiency: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        description="share of the bandwidth that carries images and memories"
    )
    memory_sent_percent: Percent = Field(description="what compression leaves to send of a memory, percent")
    image_sent_percent: Percent = Field(description="what compression leaves to send, and to store, of an image, percent")


class Measured(Section):
    """Where the costs of a preset were measured, and within which ranges."""

    source: Text = Field(description="who measured them, and where that is written")
    stack: Text = Field(description="programs that migrated, with versions")
    plans: Annotated[list[Text], Field(min_length=1)] = Field(description="plans of those migrations")
    memory_mb: Range = Field(description="their sizes of memory")
    bandwidth_mbps: Range = Field(description="their bandwidths")
    round_trip_ms: Range = Field(description="their round-trip times")


class Migration(Section):
    """What a migration costs besides the bytes that it sends."""

    measured: Measured | None = Field(description="where a preset was measured, and within which ranges; null: it is the paper's model")
    processing: ProcessingCosts


class Images(Section):
    """Where images come from, and how long servers keep them (model, section 7)."""

    source: Literal["host", "cloud", "nearest"] = Field(
        description="host: where the container runs; cloud: the cloud's image set; nearest: the nearest server that has the layer"
    )
    shared: bool = Field(description="containers of one application have the same image; false: each has its own")
    retain_s: NotNegative | None = Field(description="how long a server keeps an image that is not in use; null: as long as there is room")
    cloud_uplink_mbps: Positive | None = Field(description="bandwidth of the cloud's link; null: unlimited")
    prefetch_when: Literal["always", "idle"] = Field(description="idle: copies of images get what transfers leave of shared links")


class Links(Section):
    """Links between servers (model, section 8)."""

    mode: Literal["dedicated", "shared"] = Field(
        description="dedicated: each transfer has the whole bandwidth; shared: max-min fair shares of each server's up- and downlink"
    )
    bandwidth_mbps: Positive = Field(description="bandwidth of a transfer, or of a server's uplink and of its downlink")
    hop_latency_ms: NotNegative = Field(description="latency of each hop of a relayed request")
    file: Text | None = Field(description="CSV of links between servers: a, b, latency_ms, mbps; null: latency by hops")
    round_trip_ms: NotNegative = Field(
        description="round-trip time between two servers, for migration.processing.round_trips and misses of post-copy"
    )
