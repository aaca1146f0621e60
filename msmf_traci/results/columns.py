"""What every column of every table means, and its unit: the only place where this is written (docs/tables.md is made of it).

A test compares these descriptions with the columns of tables that a run has written.
"""

from __future__ import annotations

from typing import NamedTuple

from msmf_traci.results.summary import PERCENTILES


class Column(NamedTuple):
    """What a column holds.

    Attributes
    ----------
    unit
        Its unit; `text`, `0 or 1` and the like where it is no measure.
    meaning
        One sentence.
    """

    unit: str
    meaning: str


TEXT, COUNT, SECONDS, METRES, BYTES, SHARE, FLAG = "text", "count", "s", "m", "bytes", "0 to 1", "0 or 1"
SPEED, INSTANT = "km/h", "s, simulated time"

_VARIANT = {
    "strategy": Column(TEXT, "Name of the strategy."),
    "image_mb": Column("MB", "Image size of the variant; empty where each vehicle draws its own."),
}
_VEHICLE = {"vehicle": Column(TEXT, "SUMO's id of the vehicle, or the name of the GPS trace.")}
_MODE = {"mode": Column(TEXT, "Means of transport; only with GPS traces; empty where it is unknown.")}

_OUTCOMES = {
    "completed": "Transfers that ended with the container running on the target.",
    "mispredicted": "Transfers that were given up before a handoff: the target was wrong.",
    "user_left": "Transfers that were given up after the handoff: the user had gone on.",
    "unfinished": "Transfers that were open when the vehicle arrived.",
    "refused": "Transfers that never began: the target was full.",
}
_BYTE_KINDS = {
    "image_bytes": "Sent while the container ran: the image.",
    "memory_bytes": "Sent while the container ran: the first snapshot of the memory.",
    "dirty_bytes": "Sent while the container ran: dirty memory, in rounds.",
    "final_bytes": "Sent from the stop of the container on, of whatever kind.",
}

_SOURCES = {
    "host_bytes": Column(BYTES, "Of the image, sent from the server that the container was on, in whatever stage."),
    "cloud_bytes": Column(BYTES, "Of the image, sent from the cloud, in whatever stage."),
    "other_bytes": Column(BYTES, "Of the image, sent from other servers, in whatever stage."),
}
_COPY_OUTCOMES = {
    "used": "Copies of images to servers that the container came to run on.",
    "unused": "Copies of images that were complete, but not used.",
    "unfinished": "Copies of images that ended before they were complete.",
    "refused": "Copies of images that never began: the server's store had no room.",
}

MIGRATIONS = {
    **_VARIANT,
    **_VEHICLE,
    "transfer": Column(COUNT, "Number of the transfer of this container, from 0."),
    "tier": Column(TEXT, "Tier of the target, such as `local` or `regional`."),
    "source": Column(TEXT, "Server that the container was on."),
    "target": Column(TEXT, "Server that it was sent to."),
    "t_start_s": Column(INSTANT, "Begin of the transfer."),
    "t_handoff_s": Column(INSTANT, "Handoff to the target; empty where there was none."),
    "t_stop_s": Column(INSTANT, "Stop of the container; empty where it was not stopped."),
    "t_run_s": Column(INSTANT, "Since when the container ran on the target; empty where it did not."),
    "t_end_s": Column(INSTANT, "End: completed, given up, or the vehicle's arrival."),
    "outcome": Column(TEXT, "`completed`, `mispredicted`, `user_left`, `unfinished` or `refused`."),
    **{name: Column(BYTES, meaning) for name, meaning in _BYTE_KINDS.items()},
    **_SOURCES,
    "rounds": Column(COUNT, "Rounds of dirty memory that began."),
    "lead_s": Column(SECONDS, "Time from the begin to the handoff; empty without a handoff."),
    "downtime_s": Column(SECONDS, "Time in this transfer during which the container was stopped."),
    "x_m": Column(METRES, "Vehicle's place, east, at the last frame not after the end."),
    "y_m": Column(METRES, "Vehicle's place, north, at the last frame not after the end."),
}

COPIES = {
    **_VARIANT,
    **_VEHICLE,
    "copy": Column(COUNT, "Number of the copy of this container, from 0."),
    "tier": Column(TEXT, "Tier of the server, such as `local` or `regional`."),
    "server": Column(TEXT, "Server that the image was sent to."),
    "t_start_s": Column(INSTANT, "Begin of the copy."),
    "t_complete_s": Column(INSTANT, "The image was there; empty where it never was."),
    "t_end_s": Column(INSTANT, "End: the container runs there, the server is no longer wanted, or the vehicle's arrival."),
    "outcome": Column(TEXT, "`used`, `unused`, `unfinished` or `refused`."),
    "image_bytes": Column(BYTES, "Sent for it."),
    "host_bytes": Column(BYTES, "Of these, sent from the server that the container was on."),
    "cloud_bytes": Column(BYTES, "Of these, sent from the cloud."),
    "other_bytes": Column(BYTES, "Of these, sent from other servers."),
    "missing_bytes": Column(BYTES, "What of the image was missing at its begin."),
    "x_m": Column(METRES, "Vehicle's place, east, at the last frame not after the end."),
    "y_m": Column(METRES, "Vehicle's place, north, at the last frame not after the end."),
}

VEHICLES = {
    **_VARIANT,
    **_VEHICLE,
    **_MODE,
    "commanded_kmh": Column(SPEED, "Speed that was set; empty where routes keep their own, and with GPS traces."),
    "realised_kmh": Column(SPEED, "Distance over time on the road."),
    "road_s": Column(SECONDS, "Time on the road, from the first frame to the last."),
    "distance_m": Column(METRES, "Length of the trip."),
    "image": Column(TEXT, "Its application, or its image in the catalogue; empty where there is neither."),
    "image_bytes": Column(BYTES, "Image of the vehicle's container."),
    "memory_capacity_bytes": Column(BYTES, "Memory of the container."),
    "latency_level_ms": Column("ms", "Latency level of its task: the most that it tolerates."),
    "tier": Column(TEXT, "Tier chosen for the task, such as `local`; with links, at the cell attached last."),
    "level_met": Column(FLAG, "Whether that tier meets the latency level; 0 where no tier does."),
    "deployment_bytes": Column(BYTES, "Image bytes that were missing at the first deployment, which are no migration traffic."),
    "handoffs": Column(COUNT, "Handoffs, returns to the host included."),
    **{name: Column(COUNT, meaning) for name, meaning in _OUTCOMES.items()},
    "traffic_bytes": Column(BYTES, "Bytes of all transfers and copies of images."),
    "wasted_bytes": Column(BYTES, "Bytes of the transfers that were not completed, and of the copies that were not used."),
    "outages": Column(COUNT, "Times that the container stood still, however many transfers one of them took."),
    "outage_s": Column(SECONDS, "Sum of all outages."),
    "longest_outage_s": Column(SECONDS, "Longest outage."),
    "censored": Column(FLAG, "Whether the trip ended in an outage, which then counts as long as it was seen."),
    "relayed_s": Column(SECONDS, "Running while requests were relayed over at least one hop."),
    "late_s": Column(SECONDS, "Running with a latency above the level, or while memory was pulled."),
    "degraded_s": Column(SECONDS, "Running while memory was pulled from the server before, which counts as late."),
    "satisfied_s": Column(SECONDS, "Running with a latency of at most the task's level."),
    "unsatisfied_s": Column(SECONDS, "The rest of the time on the road: in outage, or late."),
    "outside_s": Column(SECONDS, "Time outside the deployment."),
    "unmatched_s": Column(SECONDS, "Time without a known road; 0 without GPS traces."),
    "reports": Column(COUNT, "Status updates sent."),
    "report_bytes": Column(BYTES, "Bytes of the status updates."),
    "entry_hits": Column(COUNT, "Stays whose first target was the server entered next."),
    "entry_misses": Column(COUNT, "Stays whose first target was another server."),
    "handoff_hits": Column(COUNT, "Stays whose last target was the server entered next."),
    "handoff_misses": Column(COUNT, "Stays whose last target was another server."),
    "copies": Column(COUNT, "Copies of images ahead of transfers, without refused ones."),
    **{f"copies_{name}": Column(COUNT, meaning) for name, meaning in _COPY_OUTCOMES.items()},
    "copy_bytes": Column(BYTES, "Bytes of the copies."),
    "copy_wasted_bytes": Column(BYTES, "Bytes of the copies that were not used."),
    "cloud_bytes": Column(BYTES, "Bytes of images that came from the cloud."),
    "other_bytes": Column(BYTES, "Bytes of images that came from servers other than the host."),
    "image_needed_bytes": Column(BYTES, "Images at the servers where one came to be wanted, once each time."),
    "image_found_bytes": Column(BYTES, "What of these was there already."),
    "relayed_byte_hops": Column("bytes x hops", "The user's data while requests were relayed, times the hops."),
    "request_latency_ms": Column("ms", "Latency of requests, mean over the time that the container ran; empty where it never did."),
    "request_latency_95th_ms": Column("ms", "The latency that was not exceeded in 95 % of that time."),
    "ping_pongs": Column(COUNT, "Migrations that led back to a server which the container had left no more than 60 s before."),
}

# metrics that every vehicle has a value of: a mean and percentiles over vehicles
_PER_VEHICLE = {
    "realised_kmh": Column(SPEED, "All kilometres over all hours."),
    "traffic_per_trip_bytes": Column("bytes a trip", "Bytes of all transfers and copies of images."),
    "wasted_per_trip_bytes": Column("bytes a trip", "Bytes of transfers that were not completed, and of copies that were not used."),
    "traffic_per_km_bytes": Column("bytes a km", "Bytes of all transfers and copies over all kilometres."),
    "traffic_per_vehicle_hour_bytes": Column("bytes an hour", "Bytes of all transfers and copies over all hours on the road."),
    "outage_per_trip_s": Column("s a trip", "Time that the container stood still."),
    "unavailability": Column(SHARE, "Share of the time on the road in which the container stood still."),
    "handoffs_per_trip": Column("count a trip", "Handoffs, returns to the host included."),
    **{f"{name}_per_trip": Column("count a trip", meaning) for name, meaning in _OUTCOMES.items()},
    "copy_traffic_per_trip_bytes": Column("bytes a trip", "Bytes of the copies of images ahead of transfers."),
    "copy_wasted_per_trip_bytes": Column("bytes a trip", "Bytes of the copies that were not used."),
    "cloud_traffic_per_trip_bytes": Column("bytes a trip", "Bytes of images that came from the cloud."),
    "other_traffic_per_trip_bytes": Column("bytes a trip", "Bytes of images that came from servers other than the host."),
    "copies_per_trip": Column("count a trip", "Copies of images ahead of transfers."),
    "image_found_share": Column(SHARE, "Share of the image bytes that were there already where they came to be wanted."),
    "relayed_byte_hops_per_trip": Column("bytes x hops a trip", "The user's data while requests were relayed, times the hops."),
    "relayed_share": Column(SHARE, "Share of the time on the road: running, requests relayed."),
    "late_share": Column(SHARE, "Share of the time on the road: running, latency above the level, or while memory was pulled."),
    "degraded_share": Column(SHARE, "Share of the time on the road: running while memory was pulled."),
    "satisfied_share": Column(SHARE, "Share of the time on the road: running with a latency of at most the task's level."),
    "unsatisfied_per_trip_s": Column("s a trip", "Time in outage, or late."),
    "ping_pongs_per_trip": Column("count a trip", "Migrations that led back to a server left no more than 60 s before."),
    "reports_per_vehicle_hour": Column("count an hour", "Status updates."),
}
_SUMMARY_KEYS = {
    **_VARIANT,
    "commanded_kmh": Column(SPEED, "Speed that was set; empty where there is none."),
    "seed": Column(COUNT, "Seed of the run."),
    "vehicles": Column(COUNT, "Vehicles that the row is about."),
}
_BAND = {"band": Column(TEXT, "Band of realised speed in km/h, such as `10-20`: 10 included, 20 not; in `summary_by_band` only.")}
_MODE_OF_ROW = {"mode": Column(TEXT, "Means of transport, or `all`; only with GPS traces, in `summary` only.")}
# of a variant's servers, in `summary` alone
_STORES = {
    "store_mean_bytes": Column(BYTES, "Images that a server held, mean over servers and over time."),
    "store_peak_bytes": Column(BYTES, "The most that one server held at once."),
    "evictions": Column(COUNT, "Layers that servers gave up to make room."),
}
_AT = {"": "", "_cheap_traffic": ", traffic at a fifth of its weight", "_dear_traffic": ", traffic at five times its weight"}
# what trips cost, in `summary` alone
_COSTS = {
    column: described
    for end, at in _AT.items()
    for column, described in (
        (f"cost{end}_per_trip", Column("cost a trip", f"Unsatisfied seconds, GB sent and GB-hops relayed, each times its weight{at}.")),
        (f"bound{end}_per_trip", Column("cost a trip", f"What every strategy costs at least{at}; empty at weights that `bounds` lacks.")),
    )
}
_SUMMARY_METRICS = {
    **{
        column: described
        for name, mean in _PER_VEHICLE.items()
        for column, described in (
            (name, mean),
            *((f"{name}_p{q:02d}", Column(mean.unit, f"The same, {q}th percentile over vehicles.")) for q in PERCENTILES),
        )
    },
    "traffic_per_transfer_bytes": Column("bytes a transfer", "Bytes of all transfers over all transfers that began."),
    "mean_migration_time_s": Column(SECONDS, "Begin to end of completed transfers (equation 1), mean."),
    "downtime_per_handoff_s": Column("s a handoff", "Time stopped in transfers over handoffs."),
    "mean_outage_s": Column(SECONDS, "Stop to running again, mean over outages; a censored one counts as long as it was seen."),
    "mean_lead_s": Column(SECONDS, "Begin to handoff, mean over transfers with a handoff."),
    "entry_hit_rate": Column(SHARE, "First predictions on entering an area that were right."),
    "handoff_hit_rate": Column(SHARE, "Last predictions before leaving an area that were right."),
    "request_latency_ms": Column("ms", "Latency of requests, mean over the time that containers ran."),
    "request_latency_95th_ms": Column("ms", "The latency that was not exceeded in 95 % of that time."),
}

BOUNDS = {
    "image_mb": Column("MB", "Image size; empty where each vehicle draws its own. Other varied options follow, but none of a strategy."),
    **_VEHICLE,
    "unsatisfied_per_s": Column("cost per s", "Weight of an unsatisfied second."),
    "traffic_per_gb": Column("cost per GB", "Weight of a GB that is sent: that of the run, a fifth of it, and five times as much."),
    "relayed_per_gb_hop": Column("cost per GB and hop", "Weight of a GB that is relayed over a hop."),
    "bound": Column("cost", "What the trip costs at least, whatever decides."),
    "moves": Column(COUNT, "Moves of the plan that reaches the bound; an excursion has two."),
    "traffic_bytes": Column(BYTES, "What they send in that plan."),
}

FRAMES = {
    "t_s": Column(INSTANT, "Time of the frame."),
    **_VEHICLE,
    "x_m": Column(METRES, "Place on the network, east."),
    "y_m": Column(METRES, "Place on the network, north."),
    "speed_mps": Column("m/s", "Speed; with GPS traces, displacement over time."),
    "edge": Column(TEXT, "Road edge; with GPS traces as known by then, empty off the roads."),
    "position_m": Column(METRES, "Place on the edge, from its begin."),
    "cell": Column("`q,r`", "Cell that the vehicle is attached to."),
}
DECISIONS = {
    "t_s": Column(INSTANT, "Time of the frame."),
    **_VARIANT,
    **_VEHICLE,
    "home": Column(TEXT, "Server that the strategy wants the container on, or `KEEP`."),
    "target": Column(TEXT, "Server that the strategy wants it copied to, or `NONE`."),
    "host": Column(TEXT, "Server that the container is on, after this frame's rules."),
    "running": Column(FLAG, "Whether it runs there, after this frame's rules."),
    "prefetch": Column(TEXT, "Servers on which the strategy wants the image ahead of time, with a blank between them."),
}
STAGES = {
    **_VARIANT,
    **_VEHICLE,
    "transfer": Column(COUNT, "Number of the transfer, as in migrations."),
    "stage": Column(TEXT, "`IMAGE`, `MEMORY`, `ROUND`, `IDLE`, `FINAL`, `RESTORE`, `PULL` or `REPLAY`."),
    "t_begin_s": Column(INSTANT, "Begin of the stage."),
    "t_end_s": Column(INSTANT, "End of the stage."),
    "bytes": Column(BYTES, "Bytes sent in it."),
}
CELLS = {
    "cell": Column("`q,r`", "Axial coordinates of the cell."),
    "local": Column(TEXT, "Local server that covers it; each tier has a column of its name."),
    "regional": Column(TEXT, "Regional server that covers it."),
    "x_m": Column(METRES, "Centre, east."),
    "y_m": Column(METRES, "Centre, north."),
    "lon": Column("degrees", "Centre, longitude; empty where the network has no projection."),
    "lat": Column("degrees", "Centre, latitude; empty where the network has no projection."),
    "polygon": Column("m, WKT", "Ground of the cell."),
}
ROADS = {
    "edge": Column(TEXT, "SUMO's id of the edge."),
    "class": Column(TEXT, "SUMO's type of the edge, such as `highway.primary`."),
    "name": Column(TEXT, "Street name."),
    "line": Column("WKT, m", "Centre line."),
}

RUN_JSON = {
    "config": Column("options", "Every option with the value that the run had."),
    "overrides": Column("list of text", "Words of the command line."),
    "strategies": Column("list of text", "Names of the strategies."),
    "predictors": Column("text each", "What each strategy looks ahead on: the road map, or the route really driven."),
    "key_columns": Column("list of text", "Columns that say which variant a row is of."),
    "seed": Column(COUNT, "Seed of the run."),
    "fingerprint": Column("hashes", "What tells this run from others: network, files, options of SUMO, strategies, versions."),
    "versions": Column("text each", "Versions of msmf-traci, SUMO, Python and numpy."),
    "network": Column("file", "The network: path, SHA-256, size in bytes."),
    "routes": Column("list of files", "The route files: path, SHA-256, size in bytes."),
    "sites_file": Column("file", "The file of base stations; null on the lattice."),
    "link_files": Column("list of files", "The files of links between servers."),
    "catalogue_files": Column("list of files", "The catalogues of images."),
    "plan_files": Column("list of files", "The plans of migrations that are files of one's own."),
    "source_map": Column("file", "The file that the network was made of; null where there is none."),
    "mobility": Column("facts", "Where positions came from; see the sections below."),
    "map_folder": Column(TEXT, "Folder beside the run that holds cells and roads."),
    "deployment": Column("facts", "The deployment."),
    "deployment.rings": Column(COUNT, "Lattice: rings of cells around the centre; null for sites."),
    "deployment.spacing_m": Column(METRES, "Lattice: distance between neighbouring base stations; null for sites."),
    "deployment.orientation": Column(TEXT, "Lattice: `flat` or `pointy`; null for sites."),
    "deployment.center_xy_m": Column(METRES, "Lattice: centre on the network: east, north; null for sites."),
    "deployment.sites": Column("facts", "Sites: rows of the file, those left out by reason, and those merged; null for the lattice."),
    "deployment.max_radius_m": Column(METRES, "Sites: distance from a station at which its cell ends; null: there is none."),
    "deployment.area_km2": Column("km²", "Area of all cells."),
    "cells": Column(COUNT, "Cells."),
    "cells_with_roads": Column(COUNT, "Cells that a road passes through."),
    "servers": Column(COUNT, "Servers of all tiers."),
    "servers_with_own": Column("counts", "Servers whose `capacity`, `store` and `bandwidth` the file of stations says."),
    "servers_by_tier": Column("counts", "Servers of each tier."),
    "edges": Column(COUNT, "Road edges that are open to passenger cars."),
    "edges_in_deployment": Column(COUNT, "Those whose middle lies in the deployment."),
    "vehicles": Column("counts", "What became of the vehicles."),
    "vehicles.inserted": Column(COUNT, "Vehicles that SUMO put on the road."),
    "vehicles.arrived": Column(COUNT, "Vehicles that came to the end of their route."),
    "vehicles.not_inserted": Column(COUNT, "Vehicles that found no place on the road."),
    "vehicles.left_out": Column(COUNT, "Vehicles whose route leaves the roads open to passenger cars."),
    "teleports": Column(COUNT, "Times that SUMO moved a vehicle by a jump."),
    "collisions": Column(COUNT, "Collisions."),
    "outside_share": Column(SHARE, "Share of the time on the road spent outside the deployment; null without vehicles."),
    "unmatched_share": Column(SHARE, "Share of the time on the road without a known road; null without vehicles."),
    "mean_trip_m": Column(METRES, "Mean length of the trips that came to their end; null where none did."),
    "simulated_s": Column(SECONDS, "From the begin of the pass to its last frame."),
    "wall_s": Column(SECONDS, "Real time of each phase. It differs each time a run is made."),
}

# tables by their name on disk
TABLES: dict[str, dict[str, Column]] = {
    "run.json": RUN_JSON,
    "summary": _SUMMARY_KEYS | _MODE_OF_ROW | _SUMMARY_METRICS | _STORES | _COSTS,
    "summary_by_band": _SUMMARY_KEYS | _BAND | _SUMMARY_METRICS,
    "vehicles": VEHICLES,
    "bounds": BOUNDS,
    "migrations": MIGRATIONS,
    "frames": FRAMES,
    "copies": COPIES,
    "decisions": DECISIONS,
    "stages": STAGES,
    "cells": CELLS,
    "roads": ROADS,
}
