"""The summary against paper: totals over totals, means and percentiles over vehicles, bands of speed (model, section 10)."""

import numpy as np
import pandas as pd
import pytest
from pytest import approx

from msmf_traci.results.latencies import Latencies
from msmf_traci.results.summary import band_table, of_all_vehicles, summary_table


def summarised(vehicles, transfers, *more):
    return summary_table(vehicles, transfers, never_ran(vehicles), *more)


def banded(vehicles, transfers, *more):
    return band_table(vehicles, transfers, never_ran(vehicles), *more)


def never_ran(vehicles):
    return Latencies(np.zeros(len(vehicles) + 1, dtype=np.int64), np.zeros(0), np.zeros(0))


def only_row(vehicles, transfers, **options):
    table = summarised(vehicles, transfers, options.get("seed", 0))
    assert len(table) == 1
    return table.iloc[0]


def test_rates_are_totals_over_totals(vehicle_rows, transfer_rows):
    """A short and a long trip: 3 km and 400 s in all, 60 MB; the mean of the two rates would be another number."""
    vehicles = vehicle_rows(
        {"vehicle": "v0", "distance_m": 1000.0, "road_s": 100.0, "traffic_bytes": 50e6, "outage_s": 30.0, "satisfied_s": 70.0},
        {"vehicle": "v1", "distance_m": 2000.0, "road_s": 300.0, "traffic_bytes": 10e6, "relayed_s": 60.0, "late_s": 20.0, "reports": 299},
    )
    row = only_row(vehicles, transfer_rows({}, {}, {}))
    assert row["traffic_per_trip_bytes"] == approx(30e6)
    assert row["traffic_per_km_bytes"] == approx(20e6)
    assert row["traffic_per_vehicle_hour_bytes"] == approx(60e6 / 400 * 3600)
    assert row["traffic_per_transfer_bytes"] == approx(20e6)
    assert row["unavailability"] == approx(30 / 400)
    assert row["relayed_share"] == approx(60 / 400)
    assert row["late_share"] == approx(20 / 400)
    assert row["satisfied_share"] == approx(170 / 400)
    assert row["reports_per_vehicle_hour"] == approx(400 / 400 * 3600)
    assert row["realised_kmh"] == approx(3.0 / (400 / 3600))
    assert row["outage_per_trip_s"] == approx(15)


def test_percentiles_are_over_vehicles(vehicle_rows, transfer_rows):
    """Traffic 0, 1, ..., 20 MB over 21 vehicles of 1 km: the 5th, 50th and 95th percentile are 1, 10 and 19."""
    vehicles = vehicle_rows(*({"vehicle": f"v{n}", "traffic_bytes": n * 1e6, "handoffs": n, "realised_kmh": 30.0 + n} for n in range(21)))
    row = only_row(vehicles, transfer_rows())
    for metric, unit in (("traffic_per_trip_bytes", 1e6), ("traffic_per_km_bytes", 1e6), ("handoffs_per_trip", 1)):
        assert [row[f"{metric}_p{q}"] for q in ("05", "50", "95")] == approx([1 * unit, 10 * unit, 19 * unit])
    assert [row[f"realised_kmh_p{q}"] for q in ("05", "50", "95")] == approx([31, 40, 49])


def test_migration_time_is_that_of_completed_transfers(vehicle_rows, transfer_rows):
    transfers = transfer_rows({"t_end_s": 10.0}, {"t_start_s": 5.0, "t_end_s": 25.0}, {"t_end_s": 500.0, "outcome": "mispredicted"})
    assert only_row(vehicle_rows({}), transfers)["mean_migration_time_s"] == approx(15)


def test_downtime_is_per_handoff_and_outage_per_outage(vehicle_rows, transfer_rows):
    """2 + 3 + 4 s of three transfers; two of them one outage; four handoffs."""
    vehicles = vehicle_rows(
        {"vehicle": "v0", "handoffs": 3, "outages": 1, "outage_s": 5.0},
        {"vehicle": "v1", "handoffs": 1, "outages": 1, "outage_s": 4.0},
    )
    transfers = transfer_rows({"downtime_s": 2.0, "outcome": "user_left"}, {"downtime_s": 3.0}, {"downtime_s": 4.0, "vehicle": "v1"})
    row = only_row(vehicles, transfers)
    assert row["downtime_per_handoff_s"] == approx(9 / 4)
    assert row["mean_outage_s"] == approx(9 / 2)


def test_lead_time_is_that_of_transfers_with_a_handoff(vehicle_rows, transfer_rows):
    assert only_row(vehicle_rows({}), transfer_rows({"lead_s": 4.0}, {"lead_s": 0.0}, {}))["mean_lead_s"] == approx(2)


def test_hit_rates_are_pooled(vehicle_rows, transfer_rows):
    """1 of 1 and 1 of 4: 2 of 5."""
    vehicles = vehicle_rows(
        {"vehicle": "v0", "entry_hits": 1, "handoff_hits": 3},
        {"vehicle": "v1", "entry_hits": 1, "entry_misses": 3, "handoff_misses": 1},
    )
    row = only_row(vehicles, transfer_rows())
    assert (row["entry_hit_rate"], row["handoff_hit_rate"]) == approx((0.4, 0.75))


def test_outcomes_are_means_over_vehicles(vehicle_rows, transfer_rows):
    vehicles = vehicle_rows({"vehicle": "v0", "completed": 3, "mispredicted": 1}, {"vehicle": "v1", "user_left": 1, "unfinished": 1})
    row = only_row(vehicles, transfer_rows())
    names = ("completed", "mispredicted", "user_left", "unfinished", "refused")
    assert [row[f"{name}_per_trip"] for name in names] == [1.5, 0.5, 0.5, 0.5, 0]


def test_what_does_not_apply_is_empty(vehicle_rows, transfer_rows):
    """No transfer, no handoff, no outage, no prediction: NaN, not 0; traffic and shares are 0."""
    row = only_row(vehicle_rows({}), transfer_rows())
    empty = (
        "traffic_per_transfer_bytes",
        "mean_migration_time_s",
        "downtime_per_handoff_s",
        "mean_outage_s",
        "mean_lead_s",
        "entry_hit_rate",
    )
    assert all(np.isnan(row[name]) for name in (*empty, "handoff_hit_rate"))
    assert (row["traffic_per_trip_bytes"], row["unavailability"], row["handoffs_per_trip"]) == (0, 0, 0)


def test_vehicle_of_one_frame_counts_but_has_no_rate(vehicle_rows, transfer_rows):
    """0 s on the road: no share, no speed and no percentile of its own, yet it is a trip."""
    still = {"vehicle": "v1", "road_s": 0.0, "distance_m": 0.0, "satisfied_s": 0.0, "realised_kmh": np.nan, "reports": 1}
    row = only_row(vehicle_rows({"traffic_bytes": 10e6, "relayed_s": 50.0}, still), transfer_rows())
    assert (row["vehicles"], row["traffic_per_trip_bytes"]) == (2, 5e6)
    assert [row[f"relayed_share_p{q}"] for q in ("05", "50", "95")] == [0.5, 0.5, 0.5]
    assert row["realised_kmh_p50"] == 36
    alone = only_row(vehicle_rows(still), transfer_rows())
    assert all(np.isnan(alone[name]) for name in ("unavailability", "relayed_share_p50", "realised_kmh", "traffic_per_km_bytes"))


def test_bands_hold_their_lower_edge_and_their_own_transfers(vehicle_rows, transfer_rows):
    speeds = {"v0": 9.9, "v1": 10.0, "v2": 19.9, "v3": 20.0, "v4": 300.0, "v5": np.nan}
    vehicles = vehicle_rows(*({"vehicle": name, "realised_kmh": speed, "traffic_bytes": 6e6} for name, speed in speeds.items()))
    transfers = transfer_rows({"vehicle": "v1", "t_end_s": 7.0}, {"vehicle": "v2", "t_end_s": 9.0}, {"vehicle": "v4", "t_end_s": 1.0})
    table = banded(vehicles, transfers, 0, [10, 20]).set_index("band")
    assert list(table.index) == ["<10", "10-20", ">=20"]
    assert list(table["vehicles"]) == [1, 2, 2]
    assert list(table["mean_migration_time_s"]) == approx([np.nan, 8, 1], nan_ok=True)
    assert list(table["traffic_per_transfer_bytes"]) == approx([np.nan, 6e6, 12e6], nan_ok=True)
    total = only_row(vehicles, transfers)
    assert (total["vehicles"], total["mean_migration_time_s"], total["traffic_per_transfer_bytes"]) == approx((6, 17 / 3, 12e6))


def test_bands_without_vehicles_are_left_out(vehicle_rows, transfer_rows):
    table = banded(vehicle_rows({"realised_kmh": 36.0}), transfer_rows(), 0, [10, 20.5, 30, 40])
    assert list(table["band"]) == ["30-40"]


@pytest.mark.parametrize(("speed_kmh", "edges"), [(36.0, []), (np.nan, [10, 20])])
def test_a_table_without_bands_has_its_columns(vehicle_rows, transfer_rows, speed_kmh, edges):
    rows = vehicle_rows({"realised_kmh": speed_kmh})
    table = banded(rows, transfer_rows({}), 0, edges)
    assert table.empty
    assert list(table.columns) == list(banded(vehicle_rows({}), transfer_rows({}), 0, [10]).columns)


@pytest.mark.parametrize(("edges", "band"), [([50], "<50"), ([2.5], ">=2.5"), ([2.5, 36], ">=36"), ([36, 36.5], "36-36.5")])
def test_bands_are_called_by_their_edges(vehicle_rows, transfer_rows, edges, band):
    assert list(banded(vehicle_rows({}), transfer_rows(), 0, edges)["band"]) == [band]


def test_strategies_are_kept_apart_in_the_order_of_their_vehicles(vehicle_rows, transfer_rows):
    vehicles = vehicle_rows(
        {"strategy": "nearest", "traffic_bytes": 4e6, "handoffs": 2},
        {"strategy": "pm", "traffic_bytes": 1e6, "handoffs": 1, "outages": 1, "outage_s": 2.0},
    )
    transfers = transfer_rows({"strategy": "pm", "downtime_s": 2.0}, {"strategy": "nearest"}, {"strategy": "nearest", "t_end_s": 30.0})
    by_band = banded(vehicles, transfers, 0, [40])
    assert list(by_band[["strategy", "band"]].itertuples(index=False, name=None)) == [("nearest", "<40"), ("pm", "<40")]
    table = summarised(vehicles, transfers, 0)
    assert list(table["strategy"]) == ["nearest", "pm"]
    assert list(table["mean_migration_time_s"]) == [20, 10]
    assert list(table["downtime_per_handoff_s"]) == [0, 2]
    assert list(table["traffic_per_transfer_bytes"]) == [2e6, 1e6]


def test_keys_come_first_and_say_which_run(vehicle_rows, transfer_rows):
    row = only_row(vehicle_rows({"image_mb": 500.0}), transfer_rows(), seed=17)
    assert list(row.index[:6]) == ["strategy", "image_mb", "commanded_kmh", "seed", "vehicles", "realised_kmh"]
    assert list(row.iloc[:5]) == ["pm", 500, 50, 17, 1]
    in_bands = banded(vehicle_rows({"image_mb": 500.0}), transfer_rows(), 17, [10]).iloc[0]
    assert list(in_bands.index[:6]) == ["strategy", "image_mb", "commanded_kmh", "band", "seed", "vehicles"]


def test_every_metric_of_each_vehicle_has_its_percentiles(vehicle_rows, transfer_rows):
    columns = set(only_row(vehicle_rows({}), transfer_rows()).index)
    pooled = {"traffic_per_transfer_bytes", "mean_migration_time_s", "downtime_per_handoff_s", "mean_outage_s", "mean_lead_s"}
    pooled |= {
        "entry_hit_rate",
        "handoff_hit_rate",
        "request_latency_ms",
        "request_latency_95th_ms",
        "strategy",
        "image_mb",
        "commanded_kmh",
        "seed",
        "vehicles",
    }
    of_each = {name for name in columns if name[-4:] not in ("_p05", "_p50", "_p95")} - pooled
    assert columns == pooled | of_each | {f"{name}_p{q}" for name in of_each for q in ("05", "50", "95")}
    assert {
        "traffic_per_trip_bytes",
        "unavailability",
        "handoffs_per_trip",
        "completed_per_trip",
        "relayed_share",
        "realised_kmh",
    } <= of_each


def test_modes_have_rows_of_their_own(vehicle_rows, transfer_rows):
    """Two walk, one drives, one's mode is unknown: in the row of all and in its band, in none of a mode."""
    speeds = {"v0": 4.0, "v1": 6.0, "v2": 36.0, "v3": 40.0}
    vehicles = vehicle_rows(*({"vehicle": name, "realised_kmh": speed, "traffic_bytes": speed} for name, speed in speeds.items()))
    transfers = transfer_rows({"vehicle": "v0", "t_end_s": 4.0}, {"vehicle": "v2", "t_end_s": 8.0}, {"vehicle": "v3", "t_end_s": 30.0})
    plain, plain_bands = summarised(vehicles, transfers, 0), banded(vehicles, transfers, 0, [10])
    vehicles.insert(3, "mode", pd.array(["walk", "walk", "car", ""], dtype="string"))
    table = summarised(vehicles, transfers, 0)
    assert list(table.columns[:6]) == ["strategy", "image_mb", "commanded_kmh", "mode", "seed", "vehicles"]
    assert list(table[["mode", "vehicles"]].itertuples(index=False, name=None)) == [("all", 4), ("car", 1), ("walk", 2)]
    assert list(table["traffic_per_trip_bytes"]) == approx([21.5, 36, 5])
    assert list(table["mean_migration_time_s"]) == approx([14, 8, 4])
    pd.testing.assert_frame_equal(of_all_vehicles(table).drop(columns="mode"), plain)
    pd.testing.assert_frame_equal(of_all_vehicles(plain), plain)
    pd.testing.assert_frame_equal(banded(vehicles, transfers, 0, [10]), plain_bands)
    assert list(plain_bands["traffic_per_trip_bytes"]) == approx([5, 38])
