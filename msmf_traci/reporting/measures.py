"""What is measured: the columns of the summaries that figures and claims are about, their definitions and units. Model, section 10."""

from __future__ import annotations

import math
from dataclasses import dataclass

REPLICATE = "seed"
KINDS = ("image", "memory", "dirty", "final")
"""Kinds of bytes that a transfer sends."""


@dataclass(frozen=True)
class Measure:
    """A column of summary.csv.

    Attributes
    ----------
    column
        Its name, with the tables' unit.
    label, unit
        As a reader sees it.
    per_unit
        How many of the table's unit make one of the reader's.
    definition
        A sentence.
    """

    column: str
    label: str
    unit: str
    per_unit: float
    definition: str

    @property
    def most(self) -> float:
        """The most that it can be, in the reader's unit; the least is 0."""
        return 100.0 if self.unit.startswith("%") else math.inf

    @property
    def difference_unit(self) -> str:
        """The unit of a difference between two of its values."""
        return self.unit.replace("%", "percentage points")

    @property
    def title(self) -> str:
        """Label and unit, for an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


_ALL = "bytes of all transfers and copies of images, wasted ones too"
TRAFFIC = (
    Measure("traffic_per_trip_bytes", "traffic per trip", "GB", 1e9, f"{_ALL}, divided by the number of vehicles"),
    Measure(
        "traffic_per_transfer_bytes", "traffic per transfer", "MB", 1e6, "bytes of all transfers, wasted ones too, divided by their number"
    ),
    Measure("traffic_per_km_bytes", "traffic per km", "MB/km", 1e6, f"{_ALL}, divided by the kilometres driven"),
    Measure("traffic_per_vehicle_hour_bytes", "traffic per vehicle-hour", "GB/h", 1e9, f"{_ALL}, divided by the hours on the road"),
)
DOWNTIME = (
    Measure(
        "downtime_per_handoff_s",
        "downtime per handoff",
        "s",
        1.0,
        "seconds that containers were stopped in their transfers, divided by the number of handoffs",
    ),
    Measure("mean_outage_s", "mean outage", "s", 1.0, "seconds from stop to running again, across abandoned transfers, mean of outages"),
    Measure("unavailability", "unavailability", "%", 0.01, "seconds in outages, divided by the seconds on the road"),
)
SATISFIED = Measure(
    "satisfied_share",
    "satisfied",
    "% of the time",
    0.01,
    "seconds in which the container ran within the task's latency, divided by the seconds on the road",
)
OTHERS = (
    Measure("realised_kmh", "realised speed", "km/h", 1.0, "kilometres driven, divided by the hours on the road"),
    Measure(
        "wasted_per_trip_bytes",
        "wasted traffic per trip",
        "GB",
        1e9,
        "bytes of transfers that were not completed and of copies that were not used, divided by the number of vehicles",
    ),
    Measure(
        "handoffs_per_trip", "handoffs per trip", "", 1.0, "handoffs that a container was to follow, divided by the number of vehicles"
    ),
    Measure(
        "completed_per_trip",
        "completed transfers per trip",
        "",
        1.0,
        "transfers after which the container ran on the target, divided by the number of vehicles",
    ),
    Measure(
        "mispredicted_per_trip",
        "mispredicted transfers per trip",
        "",
        1.0,
        "transfers abandoned before their handoff, divided by the number of vehicles",
    ),
    Measure(
        "user_left_per_trip",
        "transfers per trip whose user left",
        "",
        1.0,
        "transfers abandoned after their handoff, divided by the number of vehicles",
    ),
    Measure(
        "unfinished_per_trip", "unfinished transfers per trip", "", 1.0, "transfers open at arrival, divided by the number of vehicles"
    ),
    Measure(
        "refused_per_trip",
        "refused transfers per trip",
        "",
        1.0,
        "transfers that found their server full, divided by the number of vehicles",
    ),
    Measure(
        "relayed_share", "relayed", "% of the time", 0.01, "seconds in which requests were relayed, divided by the seconds on the road"
    ),
    Measure(
        "late_share",
        "late",
        "% of the time",
        0.01,
        "seconds in which the latency was above the task's level, divided by the seconds on the road",
    ),
    SATISFIED,
    Measure("mean_lead_s", "lead time", "s", 1.0, "seconds from the start of a transfer to its handoff, mean of transfers with a handoff"),
    Measure(
        "mean_migration_time_s", "total migration time", "s", 1.0, "seconds from the start of a completed transfer to its end (equation 1)"
    ),
    Measure(
        "entry_hit_rate",
        "hit rate at entry",
        "%",
        0.01,
        "right predictions of the next home when a home is entered, as a share of those compared",
    ),
    Measure(
        "handoff_hit_rate",
        "hit rate at handoff",
        "%",
        0.01,
        "right predictions of the next home at the handoff, as a share of those compared",
    ),
    Measure(
        "reports_per_vehicle_hour",
        "status reports",
        "per vehicle-hour",
        1.0,
        "status reports of the user equipment, divided by the hours on the road",
    ),
)
MEASURES = {measure.column: measure for measure in (*TRAFFIC, *DOWNTIME, *OTHERS)}

COPIES = (
    Measure("copy_traffic_per_trip_bytes", "copies of images per trip", "GB", 1e9, "bytes of copies, divided by the number of vehicles"),
    Measure(
        "copy_wasted_per_trip_bytes",
        "copies in vain per trip",
        "GB",
        1e9,
        "bytes of copies that were not used, divided by the number of vehicles",
    ),
    Measure(
        "cloud_traffic_per_trip_bytes",
        "images from the cloud per trip",
        "GB",
        1e9,
        "bytes of images that the cloud sent, divided by the number of vehicles",
    ),
    Measure(
        "other_traffic_per_trip_bytes",
        "images from other servers per trip",
        "GB",
        1e9,
        "bytes of images that servers other than the host sent, divided by the number of vehicles",
    ),
)
STORES = (
    Measure(
        "image_found_share",
        "images found there",
        "% of their bytes",
        0.01,
        "bytes of images that were on the server already when an image came to be wanted there, as a share of the images' bytes",
    ),
    Measure("store_mean_bytes", "held by a server", "GB", 1e9, "bytes of images on a server, mean over servers and over time"),
    Measure("store_peak_bytes", "most held by a server", "GB", 1e9, "the most bytes of images that one server held at once"),
    Measure("evictions", "evictions", "", 1.0, "layers of images that servers gave up to make room, in a run"),
)
COST = (
    Measure(
        "cost_per_trip",
        "cost of a trip",
        "",
        1.0,
        "unsatisfied seconds, GB sent and GB-hops relayed, each times its weight (cost.*), divided by the number of vehicles",
    ),
    Measure("bound_per_trip", "bound", "", 1.0, "what no strategy can get below, at the same weights"),
    Measure("request_latency_ms", "request latency", "ms", 1.0, "mean over the seconds in which containers ran"),
    Measure("request_latency_95th_ms", "request latency, 95th percentile", "ms", 1.0, "not exceeded in 95 % of these seconds"),
    Measure(
        "ping_pongs_per_trip",
        "ping-pongs per trip",
        "",
        1.0,
        "migrations back to a server left no more than 60 s before, divided by the number of vehicles",
    ),
)
OF_IMAGES = {measure.column: measure for measure in (*COPIES, *STORES)}
OF_COST = {measure.column: measure for measure in COST}
LATER = OF_IMAGES | OF_COST
"""What summaries say of copies, stores and costs; those of earlier versions do not."""
