"""The tables that a run writes: their columns, their order, and what is empty (docs/tables.md)."""

import numpy as np
import pandas as pd
import pytest
from pytest import approx

from msmf_traci.migration.ledger import Ledger, Outcome, Stage
from msmf_traci.results.keys import Names
from msmf_traci.results.latencies import latencies_of
from msmf_traci.results.store import read_table, write_table
from msmf_traci.results.summary import summary_table
from msmf_traci.results.tables import copies_table, migrations_table, stages_table, vehicles_table

MIGRATIONS = (
    "strategy image_mb vehicle transfer tier source target t_start_s t_handoff_s t_stop_s t_run_s t_end_s outcome image_bytes memory_bytes "
    "dirty_bytes final_bytes host_bytes cloud_bytes other_bytes rounds lead_s downtime_s x_m y_m"
)
VEHICLES = (
    "strategy image_mb vehicle commanded_kmh realised_kmh road_s distance_m image image_bytes memory_capacity_bytes latency_level_ms tier "
    "level_met deployment_bytes handoffs completed mispredicted user_left unfinished refused traffic_bytes wasted_bytes outages outage_s "
    "longest_outage_s censored relayed_s late_s degraded_s satisfied_s unsatisfied_s outside_s unmatched_s reports report_bytes entry_hits "
    "entry_misses handoff_hits handoff_misses copies copies_used copies_unused copies_unfinished copies_refused copy_bytes "
    "copy_wasted_bytes cloud_bytes other_bytes image_needed_bytes image_found_bytes relayed_byte_hops request_latency_ms "
    "request_latency_95th_ms ping_pongs"
)
COPIES = (
    "strategy image_mb vehicle copy tier server t_start_s t_complete_s t_end_s outcome image_bytes host_bytes cloud_bytes other_bytes "
    "missing_bytes x_m y_m"
)
STAGES = "strategy image_mb vehicle transfer stage t_begin_s t_end_s bytes"


SERVER_NAMES = np.array(["L:0,0", "L:1,0", "R:0,0"], dtype=object)
SERVER_TIERS = np.array(["local", "local", "regional"], dtype=object)


def names(image_mb=None):
    """Container (0, 0): car b under pm; (0, 1): car b under nearest; (1, 0): car a under pm; (1, 1): car a under nearest."""
    variants = [{"strategy": strategy, "image_mb": image_mb} for strategy in ("pm", "nearest")]
    return Names(["b", "a"], variants, [(SERVER_NAMES, SERVER_TIERS)] * 2)


class Books:
    """Columns of a ledger, written by hand; containers are numbered vehicle x 2 + variant."""

    def __init__(self):
        self._rows = []

    def book(
        self, container, transfer=0, *, source=0, target=1, outcome=Outcome.COMPLETED, start=0.0, handoff=np.nan, stop=np.nan, end=9.0
    ):
        vehicle, variant = divmod(container, 2)
        integers = (vehicle, variant, transfer, source, target, int(outcome), 2)
        run = end if outcome == Outcome.COMPLETED else np.nan
        self._rows.append((integers, (start, handoff, stop, run, end, 100.0, 20.0, 5.0, 3.0, 100.0, 0.0, 0.0, 7.0, 8.0)))

    def transfers(self):
        ledger = Ledger()
        for row in self._rows:
            ledger.books.transfers.append(row)
        return ledger.transfers()

    def copies(self):
        return Ledger().copies()


def never_ran():
    return latencies_of(Ledger().running(), names())


def trips():
    return {
        "commanded_kmh": np.array([50.0, 50.0]),
        "road_s": np.array([100.0, 0.0]),
        "distance_m": np.array([1000.0, 0.0]),
        "outside_s": np.array([4.0, 0.0]),
        "unmatched_s": np.array([1.0, 0.0]),
    }


def containers():
    """Every column counts 0, 1, 2, 3 by container, so that a value tells whose it is."""
    counts = ("handoffs", "outages", "censored", "entry_hits", "entry_misses", "handoff_hits", "handoff_misses")
    clocks = ("outage_s", "longest_outage_s", "relayed_s", "late_s", "degraded_s", "satisfied_s")
    images = ("image_needed_bytes", "image_found_bytes", "relayed_byte_hops")
    return {
        "tier": np.array([["local", "local"], ["regional", "local"]], dtype=object),
        "level_met": np.array([[1, 1], [0, 1]]),
        "image": np.full((2, 2), None),
        "image_bytes": np.array([[5e8, 5e8], [6e8, 6e8]]),
        "deployment_bytes": np.array([[5e8, 5e8], [6e8, 6e8]]),
        "memory_capacity_bytes": np.array([[5e7, 5e7], [6e7, 6e7]]),
        "latency_level_ms": np.array([[30.0, 30.0], [80.0, 80.0]]),
        "reports": np.array([[101, 101], [1, 1]]),
        "report_bytes": np.array([[20200, 20200], [200, 200]]),
        **{name: np.arange(4).reshape(2, 2) for name in counts},
        **{name: np.arange(4.0).reshape(2, 2) for name in (*clocks, *images)},
    }


def test_transfers_have_their_columns_names_and_derived_times():
    books = Books()
    books.book(3, source=1, target=2, start=2.0, handoff=5.0, stop=6.0, end=9.0)
    table = migrations_table(books.transfers(), names(500.0))
    assert " ".join(table.columns) == MIGRATIONS
    row = table.iloc[0]
    assert (row["strategy"], row["vehicle"], row["image_mb"]) == ("nearest", "a", 500)
    assert (row["source"], row["target"], row["tier"], row["outcome"]) == ("L:1,0", "R:0,0", "regional", "completed")
    assert (row["lead_s"], row["downtime_s"], row["x_m"], row["y_m"]) == (3, 3, 7, 8)


def test_copies_have_their_columns_and_count_in_what_is_sent():
    """Car a under nearest: 60 MB in vain and 40 MB used, of which 30 MB came from the cloud; its transfer sent 128 bytes."""
    ledger = Ledger()
    for number, outcome, host, cloud in ((0, 1, 60e6, 0.0), (1, 0, 10e6, 30e6)):
        ledger.books.copies.append(((1, 1, number, 2, outcome), (1.0, 4.0, 9.0, host, cloud, 0.0, 40e6, 7.0, 8.0)))
    table = copies_table(ledger.copies(), names(500.0))
    assert " ".join(table.columns) == COPIES
    assert table["outcome"].tolist() == ["unused", "used"] and table["server"].tolist() == ["R:0,0"] * 2
    assert table["image_bytes"].tolist() == [60e6, 40e6]
    books = Books()
    books.book(3, outcome=Outcome.COMPLETED)
    vehicles = vehicles_table(names(), books.transfers(), ledger.copies(), never_ran(), trips(), containers())
    row = vehicles.query("strategy == 'nearest' and vehicle == 'a'").iloc[0]
    assert (row["copies"], row["copies_used"], row["copies_unused"], row["copies_unfinished"]) == (2, 1, 1, 0)
    assert (row["copy_bytes"], row["copy_wasted_bytes"], row["cloud_bytes"]) == (100e6, 60e6, 30e6)
    assert (row["traffic_bytes"], row["wasted_bytes"]) == (100e6 + 128, 60e6)


def test_transfer_without_handoff_and_stop_has_empty_times_and_no_downtime():
    books = Books()
    books.book(0, outcome=Outcome.MISPREDICTED)
    row = migrations_table(books.transfers(), names()).iloc[0]
    assert all(np.isnan(row[name]) for name in ("t_handoff_s", "t_stop_s", "lead_s", "image_mb"))
    assert row["downtime_s"] == 0


@pytest.mark.parametrize("outcome", list(Outcome))
def test_outcomes_are_named_as_the_model_names_them(outcome):
    books = Books()
    books.book(0, outcome=outcome)
    assert migrations_table(books.transfers(), names()).loc[0, "outcome"] == outcome.name.lower()
    assert [kind.name.lower() for kind in Outcome] == ["completed", "mispredicted", "user_left", "unfinished", "refused"]


def test_transfers_are_sorted_by_their_keys_whatever_the_order_of_booking():
    books = Books()
    for container, transfer in ((2, 1), (0, 0), (2, 0), (3, 0), (1, 0), (2, 10), (2, 9)):
        books.book(container, transfer)
    table = migrations_table(books.transfers(), names())
    keys = list(table[["strategy", "vehicle", "transfer"]].itertuples(index=False, name=None))
    assert keys == sorted(keys)
    assert list(table.index) == list(range(7))


def test_stages_keep_the_order_of_time_within_a_transfer():
    ledger = Ledger(keep_stages=True)
    for begin, stage in ((0.0, Stage.IMAGE), (5.0, Stage.MEMORY), (6.0, Stage.IDLE), (8.0, Stage.ROUND)):
        ledger.books.stages.append(((0, 1, 0, int(stage)), (begin, begin + 1, 10.0)))
    table = stages_table(ledger.stages(), names())
    assert " ".join(table.columns) == STAGES
    assert list(table["stage"]) == ["IMAGE", "MEMORY", "IDLE", "ROUND"]
    assert set(table["strategy"]) == {"nearest"}


def test_a_run_without_stages_has_their_columns():
    assert " ".join(stages_table(Ledger().stages(), names()).columns) == STAGES


def test_vehicles_have_their_columns_and_their_own_values():
    books = Books()
    for transfer, outcome in enumerate((Outcome.COMPLETED, Outcome.USER_LEFT, Outcome.UNFINISHED)):
        books.book(2, transfer, outcome=outcome)
    books.book(1, outcome=Outcome.COMPLETED)
    table = vehicles_table(names(), books.transfers(), books.copies(), never_ran(), trips(), containers())
    assert " ".join(table.columns) == VEHICLES
    assert list(table["strategy"] + " " + table["vehicle"]) == ["nearest a", "nearest b", "pm a", "pm b"]
    for column in ("handoffs", "outages", "outage_s", "censored", "relayed_s", "entry_hits", "handoff_misses"):
        assert list(table[column]) == [3, 1, 2, 0]
    assert list(table["traffic_bytes"]) == [0, 128, 3 * 128, 0]
    assert list(table["wasted_bytes"]) == [0, 0, 2 * 128, 0]
    assert list(table["completed"]) == [0, 1, 1, 0]
    assert list(table["user_left"]) == [0, 0, 1, 0]
    assert list(table["unfinished"]) == [0, 0, 1, 0]
    assert list(table["tier"]) == ["local", "local", "regional", "local"]
    assert list(table["level_met"]) == [1, 1, 0, 1]
    assert list(table["deployment_bytes"]) == list(table["image_bytes"]) == [6e8, 5e8, 6e8, 5e8]
    assert list(table["report_bytes"]) == [200, 20200, 200, 20200]


def test_time_that_is_not_satisfied_is_the_rest_of_the_time_on_the_road():
    """Car b: 100 s on the road, of which 1 s satisfied under nearest, 0 s under pm; car a was 0 s on the road, and has 3 and 2 s here."""
    table = vehicles_table(names(), Ledger().transfers(), Ledger().copies(), never_ran(), trips(), containers())
    assert list(table["unsatisfied_s"]) == [-3, 99, -2, 100]


def test_a_way_back_within_a_minute_is_a_ping_pong():
    """Back on 0 after 60 s: it counts. Back on 1 after 60.5 s: it does not. To 2 and back on 1 within 41 s: it does."""
    books = Books()
    moves = ((0, 1, 10.0), (1, 0, 70.0), (0, 1, 130.5), (1, 2, 150.0), (2, 1, 191.0))
    for number, (source, target, end) in enumerate(moves):
        books.book(0, number, source=source, target=target, end=end)
    books.book(2, 0, source=0, target=1, end=10.0)  # what others do does not count
    books.book(2, 1, source=1, target=0, end=20.0, outcome=Outcome.USER_LEFT)  # nor what was not completed
    table = vehicles_table(names(), books.transfers(), books.copies(), never_ran(), trips(), containers())
    assert dict(zip(table["strategy"] + " " + table["vehicle"], table["ping_pongs"], strict=True)) == {
        "nearest a": 0,
        "nearest b": 0,
        "pm a": 0,
        "pm b": 2,
    }


def test_realised_speed_is_distance_over_time_and_empty_without_time():
    table = vehicles_table(names(), Ledger().transfers(), Ledger().copies(), never_ran(), trips(), containers())
    assert list(table["realised_kmh"]) == approx([np.nan, 36, np.nan, 36], nan_ok=True)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_run_without_any_transfer_has_all_its_tables(tmp_path, format):
    """What `never` leaves behind: no transfer, numbers all the same."""
    migrations = migrations_table(Ledger().transfers(), names())
    vehicles = vehicles_table(names(), Ledger().transfers(), Ledger().copies(), never_ran(), trips(), containers())
    summary = summary_table(vehicles, migrations, never_ran(), 0)
    for name, table in (("migrations", migrations), ("vehicles", vehicles), ("summary", summary)):
        write_table(tmp_path, name, table, format)
    assert " ".join(read_table(tmp_path, "migrations").columns) == MIGRATIONS
    again = read_table(tmp_path, "vehicles")
    assert list(again["traffic_bytes"]) == list(again["wasted_bytes"]) == list(again["completed"]) == [0, 0, 0, 0]
    assert list(read_table(tmp_path, "summary")["traffic_per_trip_bytes"]) == approx([0, 0])


@pytest.mark.parametrize("table", ["migrations", "vehicles"])
def test_column_types_do_not_depend_on_whether_there_were_transfers(table):
    books = Books()
    books.book(0)
    types = []
    for booked in (books, Ledger()):
        migrations = migrations_table(booked.transfers(), names())
        made = {
            "migrations": migrations,
            "vehicles": vehicles_table(names(), booked.transfers(), booked.copies(), never_ran(), trips(), containers()),
        }
        types.append(made[table].dtypes.to_dict())
    assert types[0] == types[1]


def test_the_same_ledger_gives_the_same_bytes(tmp_path):
    for folder, order in (("one", (0, 3, 1, 2)), ("two", (2, 1, 0, 3))):
        books = Books()
        for container in order:
            books.book(container, start=0.1 + container / 3, end=10 / 3)
        (tmp_path / folder).mkdir()
        write_table(tmp_path / folder, "migrations", migrations_table(books.transfers(), names()), "csv")
    one, two = ((tmp_path / folder / "migrations.csv").read_bytes() for folder in ("one", "two"))
    assert one == two
    assert len(pd.read_csv(tmp_path / "one" / "migrations.csv")) == 4


def test_modes_stand_beside_the_vehicles_where_there_are_any(tmp_path):
    """Car b walks, the other's mode is unknown; without modes there is no such column."""
    variants = [{"strategy": strategy, "image_mb": None} for strategy in ("pm", "nearest")]
    with_modes = Names(["b", "a"], variants, [(SERVER_NAMES, SERVER_TIERS)] * 2, ["walk", ""])
    books = Books()
    books.book(2)
    table = vehicles_table(with_modes, books.transfers(), books.copies(), never_ran(), trips(), containers())
    assert " ".join(table.columns) == VEHICLES.replace("vehicle commanded", "vehicle mode commanded")
    assert list(table["mode"]) == ["", "walk", "", "walk"]
    write_table(tmp_path, "vehicles", table, "csv")
    assert (tmp_path / "vehicles.csv").read_text().splitlines()[1].startswith("nearest,,a,,50.0,")
    assert list(read_table(tmp_path, "vehicles")["mode"].isna()) == [True, False, True, False]
    assert list(migrations_table(books.transfers(), with_modes).columns) == MIGRATIONS.split()
    without = vehicles_table(names(), books.transfers(), books.copies(), never_ran(), trips(), containers())
    pd.testing.assert_frame_equal(table.drop(columns="mode"), without)
