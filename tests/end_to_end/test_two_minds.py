"""The engine against a slow, plain implementation written from the model alone: decisions, transfers, copies, bookkeeping, to 1e-6."""

import csv
import json
import math
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.reference.plain_model import Lattice, Recomputed, Weights, recompute

Command = Callable[..., subprocess.CompletedProcess[str]]

TOLERANCE = 1e-6
# one pass for all tests that drive there: the city takes a minute to build, and its trips half a minute
BEIJING = ["scenario=beijing", "mobility.vehicles=40"]


def traced(called: Command, folder: Path, *words: str, **more: str) -> Path:
    result = called(folder, "output.trace=true", "output.dir=out", *words, **more)
    assert result.returncode == 0, result.stderr
    (run,) = (path.parent for path in (folder / "out").glob("*/run.json"))
    return run


def second_mind(run: Path) -> Recomputed:
    facts = json.loads((run / "run.json").read_text())
    return recompute(run, Path(facts["network"]["file"]), Path(facts["routes"][0]["file"]))


def differs(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """Columns in which two rows differ by more than the tolerance."""
    wrong = []
    for name, value in expected.items():
        seen = found[name]
        if value is None:
            equal = isinstance(seen, float) and math.isnan(seen)
        elif isinstance(value, int | float):
            equal = math.isclose(float(seen), value, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        else:
            equal = str(seen) == str(value)
        if not equal:
            wrong.append(f"{name}: {seen!r}, not {value!r}")
    return wrong


def compare(run: Path) -> None:
    """Compare every row of decisions, migrations, copies and vehicles, and what the summary says of stores."""
    compare_with(run, second_mind(run))


def compare_with(run: Path, mind: Recomputed) -> None:
    """Compare a run with what was recomputed from its trace."""
    assert mind.cell_mismatches == []
    text = {"vehicle": str}
    assert mind.decisions and mind.migrations
    tables = {"decisions": mind.decisions, "migrations": mind.migrations}
    if (run / "copies.csv").exists():
        tables["copies"] = mind.copies
    else:
        assert mind.copies == []
    for name, expected in tables.items():
        rows = pd.read_csv(run / f"{name}.csv", dtype=text, keep_default_na=name != "decisions").to_dict("records")
        assert len(rows) == len(expected)
        wrong = [
            (name, i, problems) for i, (row, other) in enumerate(zip(rows, expected, strict=True)) if (problems := differs(row, other))
        ]
        assert wrong[:3] == []
    vehicles = pd.read_csv(run / "vehicles.csv", dtype=text).to_dict("records")
    assert len(vehicles) == len(mind.vehicles)
    wrong = [
        (row["strategy"], row["vehicle"], p) for row in vehicles if (p := differs(row, mind.vehicles[row["strategy"], row["vehicle"]]))
    ]
    assert wrong[:3] == []
    servers = json.loads((run / "run.json").read_text())["servers"]
    summary = pd.read_csv(run / "summary.csv").to_dict("records")
    everybody = [row for row in summary if row.get("mode", "all") == "all"]  # with GPS traces there is a row for each mode, too
    assert [(row["strategy"], differs(row, mind.held(row["strategy"], servers))) for row in everybody] == [
        (row["strategy"], []) for row in everybody
    ]


FEW = ["mobility.vehicles=12", "mobility.max_duration_s=600"]


@pytest.mark.parametrize(
    "words",
    [
        ["mobility.vehicles=20"],
        [*FEW, "handoff.unsynced=relay", "handoff.user_left=finish", "mobility.speed_kmh=30", "seed=1"],
        [
            *FEW,
            "attachment.hysteresis_m=40",
            "strategy.pm_op.min_dwell_s=20",
            "tier_choice.min_speed_kmh=20",
            "tiers.regional.rings=1",
            "seed=2",
        ],
        [*FEW, "workload.image_mb=100", "workload.memory_mb=[1,400]", "workload.dirty_percent_per_s=5", "handoff.unsynced=relay", "seed=3"],
        [
            *FEW,
            "deployment.orientation=pointy",
            "prediction.horizon_m=600",
            "prediction.slack_m=5",
            "strategy.nearest.trigger_m=120",
            "deployment.rings=6",
        ],
    ],
    ids=["defaults", "relay and finish", "hysteresis, dwell and slow tier", "small containers", "pointy, short sight, small deployment"],
)
def test_two_minds_agree_on_the_synthetic_city(words: list[str], called: Command, tmp_path: Path) -> None:
    compare(traced(called, tmp_path, *words))


FULL_OF_FEW = ["tiers.local.capacity=3", "tiers.regional.capacity=5"]
# every term matters: against none at all it costs whole seconds at each stage
PROCESSING = [
    *("migration.processing.checkpoint_s=0.2", "migration.processing.checkpoint_s_per_mb=0.004"),
    *("migration.processing.round_s=0.1", "migration.processing.round_s_per_mb=0.002"),
    *("migration.processing.restore_s=0.3", "migration.processing.restore_s_per_mb=0.003"),
    *("migration.processing.round_trips=4", "links.round_trip_ms=40", "migration.processing.transport_efficiency=0.94"),
]
# snapshots with costs of their own, preparation and compression
EVERY_COST = [
    *PROCESSING,
    *("migration.processing.prepare_s=2.5", "migration.processing.later_s=0.3", "migration.processing.later_s_per_changed_mb=0.05"),
    *("migration.processing.final_s=0.2", "migration.processing.final_s_per_changed_mb=0.02", "workload.dirty_cap_percent=60"),
    *("migration.processing.memory_sent_percent=60", "migration.processing.image_sent_percent=40"),
]
SMALL = ["mobility.vehicles=16", "mobility.max_duration_s=600", "deployment.rings=6", "workload.image_mb=[20,200]"]
OWN_PLAN = """
image: {send: image}
pause: {until: {time_s: 1.5}}
memory: {send: memory}
round: {send: dirty, until: {downtime_s: 0.05}}
wait: {until: {time_s: 4}, then: round}
final: {container: stopped, send: state}
start: {container: stopped}
pull: {container: degraded, send: rest}
"""


@pytest.mark.parametrize(
    "words",
    [
        ["handoff.plan=cold", *EVERY_COST, "handoff.unsynced=relay", "images.source=cloud", "images.retain_s=300"],
        [
            "handoff.plan=postcopy",
            *EVERY_COST,
            "images.source=nearest",
            "images.retain_s=null",
            "links.mode=shared",
            "strategy.pm.prefetch=2",
        ],
        ["handoff.plan=hybrid", "links.round_trip_ms=10", "handoff.unsynced=relay", "handoff.user_left=finish"],
        ["handoff.plan=replay", "handoff.replay.base_s=1", "handoff.replay.limit_s=3", "links.mode=shared", *FULL_OF_FEW],
        ["handoff.plan=own.yaml", *EVERY_COST, "workload.dirty_percent_per_s=3"],
        ["handoff.plan=precopy", *EVERY_COST, "workload.dirty_percent_per_s=4"],
    ],
    ids=["cold", "post-copy", "hybrid", "replay", "a plan of one's own", "pre-copy with every cost"],
)
def test_two_minds_agree_on_plans_and_their_costs(words: list[str], called: Command, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN_PLAN)
    run = traced(called, tmp_path, *SMALL, *(word.replace("=own.yaml", f"={tmp_path}/own.yaml") for word in words))
    migrations = pd.read_csv(run / "migrations.csv")
    assert (migrations["outcome"] == "completed").sum() > 50
    compare(run)


CROWD = ["mobility.vehicles=20", "mobility.max_duration_s=600", "deployment.rings=4"]
FULL = ["tiers.local.capacity=1", "tiers.regional.capacity=3"]
REPORTS = ["reports.distance_m=60", "reports.heading_deg=20", "reports.speed_mps=4"]


@pytest.mark.parametrize(
    "words",
    [
        [*FEW, "links.mode=shared", "handoff.unsynced=relay", "handoff.user_left=finish"],
        [*FEW, "links.mode=shared", "links.bandwidth_mbps=400", *PROCESSING],
        [*FEW, "workload.image_mb=[20,200]", "workload.dirty_percent_per_s=5", *PROCESSING],
        [*FEW, *REPORTS],
        [*FEW, "reports.distance_m=150", "attachment.hysteresis_m=40", "tier_choice.min_speed_kmh=20", "strategy.pm_op.min_dwell_s=20"],
    ],
    ids=["shared links, relay and finish", "fast shared links, processing", "processing", "reports", "rare reports, slow tier"],
)
def test_two_minds_agree_on_shared_links_processing_and_reports(words: list[str], called: Command, tmp_path: Path) -> None:
    compare(traced(called, tmp_path, *words))


@pytest.mark.parametrize(
    "words",
    [
        [*FULL, "strategies=[nearest,pm_op,pm_tier,pm_op_tier]"],
        [
            "tiers.local.capacity=2",
            "tiers.regional.capacity=3",
            "tiers.regional.rings=1",
            "handoff.unsynced=relay",
            "handoff.user_left=finish",
        ],
        [*FULL, *REPORTS, "links.mode=shared"],
    ],
    ids=["full servers", "full servers, relay and finish", "full servers, shared links and reports"],
)
def test_two_minds_agree_where_servers_are_full(words: list[str], called: Command, tmp_path: Path) -> None:
    run = traced(called, tmp_path, *CROWD, *words)
    migrations = pd.read_csv(run / "migrations.csv")
    refused = migrations.tier[migrations.outcome == "refused"].value_counts()
    assert refused["local"] > 50 and refused["regional"] > 20
    compare(run)


AHEAD = ["strategy.pm.prefetch=4", "strategies=[pm,pm_op,pm_op_tier,oracle]", "prediction.horizon_m=3000", "workload.image_mb=[50,600]"]
IN_TIME = "strategy.pm.memory=just_in_time"


@pytest.mark.parametrize(
    "words",
    [
        [*FEW, *AHEAD, "mobility.speed_kmh=30"],
        [*FEW, *AHEAD, IN_TIME, "images.source=cloud", "images.retain_s=60", "handoff.unsynced=relay", "workload.request_mbps=2"],
        [*FEW, *AHEAD, IN_TIME, "images.retain_s=null", "handoff.user_left=finish", *PROCESSING, "workload.dirty_percent_per_s=5"],
        [*FEW, *AHEAD, "links.mode=shared", "images.source=cloud", "images.cloud_uplink_mbps=300", "handoff.unsynced=relay"],
        [*CROWD, *FULL, *AHEAD, IN_TIME, "links.mode=shared", "images.prefetch_when=idle", "images.retain_s=30"],
    ],
    ids=["from the host", "from the cloud, in time", "kept, processing", "shared with the cloud", "full servers, idle links"],
)
def test_two_minds_agree_on_images_ahead(words: list[str], called: Command, tmp_path: Path) -> None:
    run = traced(called, tmp_path, *words)
    assert (pd.read_csv(run / "copies.csv").outcome.value_counts() > 20).all()
    compare(run)


SMALL = ["mobility.vehicles=20", "mobility.max_duration_s=400", "deployment.rings=4"]
HELD = [*SMALL, "strategies=[pm,pm_op_tier]", "strategy.pm.prefetch=4", "prediction.horizon_m=3000"]
SHARED = ["workload.application={game: 2, face: 5, ram: 3}", "images.shared=true"]
# their sizes and memories are crooked, so that nothing ends at the instant of a frame
LAYERS = [
    *("workload.application={a: 2, b: 2, c: 1}", "images.source=cloud"),
    "+applications.a={layers: {base: 80, lib: 150, one: 90}, memory_mb: 41.3, dirty_percent_per_s: 1.9, latency_level_ms: 40}",
    "+applications.b={layers: {two: 200.5, lib: 150, base: 80}, memory_mb: 117.1, dirty_percent_per_s: 1.03, latency_level_ms: 150}",
    "+applications.c={layers: {base: 80, three: 333.3}, memory_mb: 23.7, dirty_percent_per_s: 2.77, latency_level_ms: 80}",
]
CATALOGUE = """image,layer,size_mb,weight
python,debian,48.5,4
python,python,310,4
node,debian,48.5,2
node,node,280.25,2
numeric,debian,48.5,3
numeric,python,310,3
numeric,numpy,151.3,3
tiny,busybox,4.2,1
"""


def compare_full(run: Path) -> None:
    """Compare a run in which stores were full."""
    copies = pd.read_csv(run / "copies.csv").outcome.value_counts()
    assert copies["refused"] > 20 and copies["used"] > 5 and pd.read_csv(run / "summary.csv").evictions.max() > 3
    compare(run)


@pytest.mark.parametrize(
    "words",
    [
        ["tiers.local.store_gb=0.7", "tiers.regional.store_gb=2", "images.retain_s=null", "workload.image_mb=[50,600]"],
        [
            *("tiers.local.store_gb=0.8", "tiers.regional.store_gb=2", "images.retain_s=null", "workload.image_mb=[50,600]"),
            "images.source=nearest",
        ],
        [*LAYERS, "tiers.local.store_gb=0.6", "images.retain_s=null", "handoff.unsynced=relay", "handoff.user_left=finish", IN_TIME],
        [*LAYERS, "tiers.local.store_gb=0.6", "images.retain_s=60", "images.source=nearest"],
        [
            *(*SHARED, "tiers.local.store_gb=2", "tiers.regional.store_gb=3", "images.retain_s=null"),
            *("links.mode=shared", "images.prefetch_when=idle"),
        ],
        [
            *(*SHARED, "tiers.local.store_gb=1.5", "images.retain_s=30", "images.source=nearest", "handoff.unsynced=relay", IN_TIME),
            *("links.mode=shared", "handoff.user_left=finish", "tiers.regional.capacity=4"),
        ],
    ],
    ids=[
        "private",
        "private from the nearest",
        "layers from the cloud, in time",
        "layers from the nearest",
        "shared and idle links",
        "shared links, nearest, in time, full servers",
    ],
)
def test_two_minds_agree_on_full_stores(words: list[str], called: Command, tmp_path: Path) -> None:
    compare_full(traced(called, tmp_path, *HELD, *words))


def test_two_minds_agree_on_a_catalogue(called: Command, tmp_path: Path) -> None:
    (tmp_path / "images.csv").write_text(CATALOGUE)
    words = ["images.source=cloud", "tiers.local.store_gb=0.7", "images.retain_s=60", "handoff.unsynced=relay"]
    full = ["tiers.local.capacity=3", "tiers.regional.capacity=6"]
    compare_full(traced(called, tmp_path, *HELD, f"workload.catalogue={tmp_path / 'images.csv'}", *words, *full))


def test_two_minds_agree_on_layers_that_are_deleted_at_once(called: Command, tmp_path: Path) -> None:
    words = ["images.retain_s=0", "tiers.local.store_gb=0.5", "links.mode=shared", "links.bandwidth_mbps=400"]
    run = traced(called, tmp_path, *HELD, *LAYERS, *words, *PROCESSING[:-2], "migration.processing.transport_efficiency=0.94")
    first = pd.read_csv(run / "decisions.csv").drop_duplicates(["strategy", "vehicle"])
    assert (first.home != first.host).any()  # the store of the home was full
    compare(run)


TIGHT = ["tiers=three", "tiers.local.capacity=1", "tiers.regional.capacity=2", "tiers.central.capacity=3"]
TOGETHER = [f"tiers.{name}.compute_ms_per_container={ms}" for name, ms in (("local", 4), ("regional", 6), ("central", 9))]


def test_two_minds_agree_where_three_tiers_are_full(called: Command, tmp_path: Path) -> None:
    run = traced(called, tmp_path, *SMALL, *TIGHT, "links.mode=shared", "handoff.unsynced=relay", "handoff.user_left=finish")
    decisions = pd.read_csv(run / "decisions.csv")
    hosts = decisions.host[decisions.home == "central:all"].str.split(":").str[0].value_counts()
    assert min(hosts[tier] for tier in ("central", "R", "L")) > 100  # what central refuses falls down one tier, and two
    compare(run)


@pytest.mark.parametrize(
    "words",
    [
        [*TIGHT, "tiers.local.bandwidth_mbps=60", "tiers.regional.bandwidth_mbps=200", "seed=1"],
        [
            *("tiers=three", *TOGETHER, "tiers.local.compute_ms=3", "tiers.central.compute_ms=12", "tiers.regional.latency_ms=20"),
            *("tier_choice.min_speed_kmh=25", "workload.image_mb=[20,200]", "handoff.unsynced=relay"),
        ],
        ["tiers=three", "tiers.order=[central,local]", "tiers.central.latency_ms=20", "tiers.local.capacity=1"],
        [
            *("tiers.order=[regional,metro]", "tiers.regional.rings=1", "tiers.regional.capacity=3", "tiers.regional.latency_ms=20"),
            "+tiers.metro={latency_ms: 70, compute_ms: 5, area: rings, rings: 3, capacity: 2}",
        ],
    ],
    ids=[
        "unlike bandwidths, full",
        "computing together",
        "all cells below cells",
        "a tier of one's own",
    ],
)
def test_two_minds_agree_on_tiers(words: list[str], called: Command, tmp_path: Path) -> None:
    compare(traced(called, tmp_path, *SMALL, *words))


def write_links(path: Path, areas: dict[str, int | None]) -> str:
    """Every local server linked to its region's, these to one another in a ring and some of them to a switch; what is above, to the switch.

    Some ways are equally short, and some rows repeat a link.
    """
    lattice = Lattice(4, 500.0, "flat", (0.0, 0.0), areas)
    servers = {tier: {cell: lattice.server(tier, cell).name for cell in lattice.cells} for tier in areas}
    regions = sorted(set(servers["regional"].values()))
    rows: list[tuple[str, str, float, int]] = [
        (local, servers["regional"][cell], 4 + i * 7 % 23, 40 + i * 11 % 60) for i, (cell, local) in enumerate(servers["local"].items())
    ]
    rows += [("L:0,0", "L:0,1", 3, 30), ("L:0,1", "L:1,0", 3.25, 30), ("L:1,0", "L:0,0", 3, 35)]
    rows += [(other, region, 4, 70 + i) for i, (region, other) in enumerate(zip(regions, regions[1:] + regions[:1], strict=True))]
    rows += [(regions[i], "node:exchange", 2, 55 + i) for i in (0, 2, 3, 5)]
    rows.append((regions[3], "node:exchange", 1.5, 45))
    for tier, latency_ms in (("metro", 25), ("central", 38)):
        above = sorted(set(servers.get(tier, {}).values()))
        rows += [(name, "node:exchange", latency_ms + 5 * i, 90) for i, name in enumerate(above)]
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["a", "b", "latency_ms", "mbps"])
        table.writerows(rows)
    return f"links.file={path}"


def test_two_minds_agree_on_the_nearest_source_in_a_network(called: Command, tmp_path: Path) -> None:
    words = ["images.source=nearest", "images.retain_s=null", "tiers.local.store_gb=0.5", "links.mode=shared", "migration=runc_rsync"]
    compare_full(traced(called, tmp_path, *HELD, *LAYERS, *words, write_links(tmp_path / "links.csv", TWO)))


TWO: dict[str, int | None] = {"local": 0, "regional": 2}


@pytest.mark.parametrize(
    ("areas", "words"),
    [
        (TWO, ["migration=runc_rsync", "workload.image_mb=[20,200]"]),
        (
            {**TWO, "central": None},
            [
                *("tiers=three", "links.mode=shared", "migration=runc_rsync", "tier_choice.min_speed_kmh=25", "handoff.user_left=finish"),
                *("attachment.hysteresis_m=40", "strategy.pm_op.min_dwell_s=20", "seed=2", *TOGETHER),
            ],
        ),
        (
            {"local": 0, "regional": 1, "metro": 3},
            [
                *("tiers.order=[local,regional,metro]", "tiers.local.capacity=1", "tiers.regional.rings=1", "tiers.regional.capacity=2"),
                "+tiers.metro={latency_ms: 60, compute_ms: 5, area: rings, rings: 3, capacity: 3}",
                *("links.mode=shared", "seed=1"),
            ],
        ),
    ],
    ids=["round trips", "shared links, three tiers, slow vehicles", "full servers"],
)
def test_two_minds_agree_on_a_network_of_links(areas: dict[str, int | None], words: list[str], called: Command, tmp_path: Path) -> None:
    compare(traced(called, tmp_path, *SMALL, *words, write_links(tmp_path / "links.csv", areas)))


BASELINES = "strategies=[follow,threshold,sla,mdp,lyapunov]"


@pytest.mark.parametrize(
    "words",
    [
        [*FEW, BASELINES],
        [*FEW, BASELINES, "handoff.unsynced=relay", "workload.request_mbps=10", "workload.image_mb=[20,300]", "strategy.mdp.slot_s=20"],
        [
            *(*SMALL, BASELINES, *TIGHT, *TOGETHER, "links.mode=shared", "handoff.unsynced=relay", "workload.image_mb=[20,200]"),
            *("strategy.lyapunov.slot_s=7", "strategy.lyapunov.delay_per_ms=0.1", "strategy.threshold.hops=2", "mobility.step_s=0.5"),
        ],
        [
            *(*FEW, BASELINES, "handoff.plan=postcopy", "links.round_trip_ms=20", "workload.request_mbps=100", "handoff.user_left=finish"),
            *("strategy.mdp.farthest=3", "strategy.mdp.discount=0.5", "attachment.hysteresis_m=40", "cost.traffic_per_gb=1"),
        ],
        [
            *(*FEW, BASELINES, "handoff.plan=replay", "migration=runc_rsync", "handoff.switch_ms=300", "workload.request_mbps=1"),
            *("mobility.speed_kmh=100", "strategy.threshold.hops=1", "cost.unsatisfied_per_s=0.1"),
        ],
        [
            *(*SMALL, BASELINES, "workload.image_mb=[5,60]", "workload.memory_mb=[1,20]", "seed=3", "strategy.mdp.slot_s=40"),
            *("strategy.mdp.farthest=2", "strategy.mdp.migration_constant=1", "strategy.mdp.transmission_constant=0.01"),
            "strategy.mdp.transmission_factor=0",
        ],
        [*FEW, BASELINES, "strategy.mdp.slot_s=11.3", "strategy.lyapunov.slot_s=0.7", "workload.image_mb=[5,60]", "seed=2"],
    ],
    ids=[
        *("default", "relayed", "full servers, three tiers", "post-copy", "replay, fast"),
        *("half of the way", "slots that end at frames"),
    ],
)
def test_two_minds_agree_on_baselines(words: list[str], called: Command, tmp_path: Path) -> None:
    compare(traced(called, tmp_path, *words))


# small images and low levels, so that plans move and come back
EAGER = ["workload.image_mb=[20,100]", "workload.memory_mb=[1,20]", "workload.latency_levels_ms=[15,20,40]"]


@pytest.mark.parametrize(
    "words",
    [
        [*EAGER, "workload.request_mbps=1"],
        [*EAGER, "workload.request_mbps=100", "tiers=three", "attachment.hysteresis_m=40"],
        [*EAGER, "handoff.plan=postcopy", "links.round_trip_ms=20", "workload.request_mbps=100", "cost.unsatisfied_per_s=0.1"],
        [*EAGER, "handoff.plan=replay", "migration=runc_rsync", "handoff.switch_ms=300", "mobility.speed_kmh=100"],
        ["workload.application={game: 1, face: 1, ram: 2}", "images.shared=true", "workload.request_mbps=20", "cost.traffic_per_gb=0.1"],
    ],
    ids=["default", "relaying, three tiers", "post-copy", "replay, fast", "layers"],
)
def test_two_minds_agree_on_bounds(words: list[str], called: Command, tmp_path: Path) -> None:
    run = traced(called, tmp_path, *SMALL, "strategies=[pm]", *words)
    mind, bounds = second_mind(run), pd.read_csv(run / "bounds.csv", dtype={"vehicle": str})
    assert (bounds.moves > 1).sum() > 5
    some = bounds[bounds.vehicle.isin(sorted(mind.bound_of)[:15])]
    assert len(some) == 45
    for row in some.to_dict("records"):
        weights = Weights(row["unsatisfied_per_s"], row["traffic_per_gb"], row["relayed_per_gb_hop"])
        expected = mind.bound_of[row["vehicle"]](weights)
        assert math.isclose(row["bound"], expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE), (row, expected)


def test_two_minds_agree_on_beijing(called: Command, data_dir: Path, tmp_path: Path) -> None:
    compare(traced(called, tmp_path, *BEIJING, MSMF_DATA_DIR=str(data_dir)))


def test_two_minds_agree_on_beijing_with_kept_images(called: Command, data_dir: Path, tmp_path: Path) -> None:
    words = ["images.source=cloud", "images.retain_s=300", "tiers.local.store_gb=1.5", "handoff.unsynced=relay"]
    ahead = ["strategies=[pm]", "strategy.pm.prefetch=4", "prediction.horizon_m=3000"]
    compare_full(traced(called, tmp_path, *BEIJING, *ahead, *SHARED, *words, MSMF_DATA_DIR=str(data_dir)))
