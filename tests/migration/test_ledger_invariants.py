"""Whatever is decided, the books balance (model, section 9): random homes, targets, KEEP and NONE, both policies each way."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.migration.ledger import BYTE_KINDS, OUTCOME_NAMES

BYTES_PER_S = 10e6
NEAR = {"rel": 1e-9, "abs": 1e-6}
SLACK_BYTES = 1.0  # rounding of instants of about 100 s, times the bandwidth
SLACK_S = 1e-9
STAGE_OF_KIND = {"image_bytes": "IMAGE", "memory_bytes": "MEMORY", "dirty_bytes": "ROUND", "final_bytes": "FINAL"}
CONTAINER = ["strategy", "vehicle"]
TRANSFER = [*CONTAINER, "transfer"]


def bytes_add_up_from_stage_to_run(drive, booked):
    transfers, stages, vehicles = booked.transfers(), booked.stages(), booked.vehicle_rows()
    by_stage = stages.groupby([*TRANSFER, "stage"])["bytes"].sum()
    for row in transfers.itertuples():
        for kind, stage in STAGE_OF_KIND.items():
            sent = by_stage.get((row.strategy, row.vehicle, row.transfer, stage), 0.0)
            assert getattr(row, kind) == pytest.approx(sent, **NEAR)
    traffic = transfers.assign(bytes=transfers[list(BYTE_KINDS)].sum(axis=1))
    for row in vehicles.itertuples():
        own = traffic[(traffic["strategy"] == row.strategy) & (traffic["vehicle"] == row.vehicle)]
        assert row.traffic_bytes == pytest.approx(own["bytes"].sum(), **NEAR)
        assert row.wasted_bytes == pytest.approx(own.loc[own["outcome"] != "completed", "bytes"].sum(), **NEAR)
        assert {name: getattr(row, name) for name in OUTCOME_NAMES} == {name: (own["outcome"] == name).sum() for name in OUTCOME_NAMES}
    assert float(vehicles["traffic_bytes"].sum()) == pytest.approx(float(stages["bytes"].astype(float).sum()), **NEAR)


def no_link_carries_more_than_its_bandwidth(drive, booked):
    stages, transfers = booked.stages(), booked.transfers()
    assert (stages["bytes"] <= BYTES_PER_S * (stages["t_end_s"] - stages["t_begin_s"]) + SLACK_BYTES).all()
    assert (stages["bytes"] >= 0).all()
    total = transfers[list(BYTE_KINDS)].sum(axis=1)
    assert (total <= BYTES_PER_S * (transfers["t_end_s"] - transfers["t_start_s"]) + SLACK_BYTES).all()


def completed_transfers_have_sent_everything_and_stopped_for_the_start_time(drive, booked):
    transfers = booked.transfers()
    stages = dict(list(booked.stages().groupby(TRANSFER)["stage"]))
    for row in transfers[transfers["outcome"] == "completed"].itertuples():
        vehicle = int(row.vehicle[1:])
        image, memory = drive.containers.image_bytes[vehicle], drive.containers.memory_bytes[vehicle]
        assert row.image_bytes + row.memory_bytes + row.dirty_bytes + row.final_bytes >= image + memory - SLACK_BYTES
        assert row.image_bytes <= image + SLACK_BYTES
        assert row.memory_bytes <= memory + SLACK_BYTES
        costs, before = drive.processing, list(stages[row.strategy, row.vehicle, row.transfer])[-3:-2]
        restore_s = drive.containers.start_s[vehicle] + drive.links.switch_s + costs.restore_s + costs.restore_s_per_byte * memory
        final_s, s_per_changed_byte = row.final_bytes / BYTES_PER_S + costs.answers_s, 0.0
        if before in ([], ["IMAGE"]):
            final_s += max(0.0, row.t_start_s + costs.prepare_s - row.t_stop_s)
        if before:  # else its snapshot was there
            s, s_per_byte = costs.checkpoint_s, costs.checkpoint_s_per_byte
            if before != ["IMAGE"]:
                s, s_per_byte = own(costs.later_s, s), own(costs.later_s_per_byte, s_per_byte)
                s_per_changed_byte = costs.later_s_per_changed_byte
                final_s += costs.comparison_s + costs.comparison_s_per_byte * memory
            final_s += own(costs.final_s, s) + own(costs.final_s_per_byte, s_per_byte) * memory
            s_per_changed_byte = own(costs.final_s_per_changed_byte, s_per_changed_byte)
        assert row.downtime_s >= restore_s - SLACK_S
        # of what was sent, some may have changed; without a snapshot before it all has
        changed_s = row.downtime_s - final_s - restore_s
        least_s, most_s = (s_per_changed_byte * changed for changed in (memory if before == ["IMAGE"] else 0, memory))
        assert least_s - 1e-9 * (1 + row.downtime_s) <= changed_s <= most_s + 1e-9 * (1 + row.downtime_s)
        assert row.source != row.target


def own(cost: float, other: float) -> float:
    """A cost of its own, or else another one."""
    return other if np.isnan(cost) else cost


def every_second_on_the_road_is_running_or_stopped(drive, booked):
    for row in booked.vehicle_rows().itertuples():
        running_s = row.late_s + row.satisfied_s
        assert running_s + row.outage_s == pytest.approx(drive.road_s()[int(row.vehicle[1:])], **NEAR)
        assert -SLACK_S <= row.relayed_s <= running_s + SLACK_S
        assert min(row.late_s, row.satisfied_s, row.outage_s) >= 0
        assert row.longest_outage_s <= row.outage_s + SLACK_S
        assert (row.longest_outage_s * row.outages >= row.outage_s - 1e-6) and (row.outages > 0) >= (row.outage_s > 0)
        assert row.censored <= row.outages


def downtime_of_transfers_adds_up_to_the_outages(drive, booked):
    """A container is stopped exactly while a transfer of it is."""
    downtime_s = booked.transfers().groupby(CONTAINER)["downtime_s"].sum()
    for row in booked.vehicle_rows().itertuples():
        assert row.outage_s == pytest.approx(downtime_s.get((row.strategy, row.vehicle), 0.0), **NEAR)


def nothing_is_booked_after_arrival(drive, booked):
    arrived_s = {f"v{v}": t_s for v, t_s in enumerate(drive.times_s[drive.last])}
    first_s = {f"v{v}": t_s for v, t_s in enumerate(drive.times_s[drive.first])}
    for table, begin in ((booked.transfers(), "t_start_s"), (booked.stages(), "t_begin_s")):
        assert (table["t_end_s"] <= table["vehicle"].map(arrived_s).astype(float)).all()
        assert (table[begin] >= table["vehicle"].map(first_s).astype(float)).all()
    for vehicle, then in booked.state_at_arrival.items():
        now = booked.state(vehicle)
        assert all(np.array_equal(now[name], then[name]) for name in then)
    assert len(booked.state_at_arrival) == drive.vehicles


def transfers_of_a_container_follow_each_other(drive, booked):
    for _, rows in booked.transfers().groupby(CONTAINER):
        assert list(rows["transfer"]) == list(range(len(rows)))
        assert (rows["t_start_s"].to_numpy()[1:] >= rows["t_end_s"].to_numpy()[:-1]).all()
        hosts = [rows["source"].iloc[0]]
        for row in rows.itertuples():
            assert row.source == hosts[-1]
            hosts.append(row.target if row.outcome == "completed" else row.source)
        assert hosts[-1] == "ABCD"[booked.last_host[_container(rows)]]


def handoffs_are_those_signalled_and_those_taken_back(drive, booked):
    """Model, section 10: one for each transfer with a t_handoff, and one where rule 4 takes the container back to its host.

    The latter are the transfers that a stopped container's user has left, and that no transfer started stopped at that instant follows.
    """
    transfers = booked.transfers()
    expected = transfers[transfers["t_handoff_s"].notna()].groupby(CONTAINER).size()
    for row in booked.vehicle_rows().itertuples():
        own = transfers[(transfers["strategy"] == row.strategy) & (transfers["vehicle"] == row.vehicle)]
        left = own[(own["outcome"] == "user_left") & own["t_stop_s"].notna()]
        moved_on = left["t_end_s"].isin(own.loc[own["t_start_s"] == own["t_stop_s"], "t_start_s"])
        assert row.handoffs == expected.get((row.strategy, row.vehicle), 0) + (~moved_on).sum()


def outcomes_follow_from_handoff_and_policy(drive, booked):
    transfers = booked.transfers()
    signalled, stopped = transfers["t_handoff_s"].notna(), transfers["t_stop_s"].notna()
    assert signalled[transfers["outcome"].isin(["completed", "user_left"])].all()
    assert not signalled[transfers["outcome"] == "mispredicted"].any()
    assert signalled[stopped].all()
    assert (transfers["t_stop_s"] >= transfers["t_handoff_s"])[stopped].all()
    if not drive.policy.relay_unsynced:
        assert (transfers["t_stop_s"] == transfers["t_handoff_s"])[signalled].all()
    if drive.policy.finish_user_left:
        assert not (stopped & (transfers["outcome"] == "user_left")).any()


def stages_of_a_transfer_are_contiguous_and_in_order(drive, booked):
    follows = {
        "IMAGE": {"MEMORY", "FINAL"},
        "MEMORY": {"ROUND", "IDLE", "FINAL"},
        "ROUND": {"ROUND", "IDLE", "FINAL"},
        "IDLE": {"ROUND", "FINAL"},
        "FINAL": {"RESTORE"},
        "RESTORE": set(),
    }
    transfers = booked.transfers().set_index(TRANSFER)
    parts = booked.stages().groupby(TRANSFER)
    assert len(parts) == len(transfers)
    for key, rows in parts:
        transfer, stages = transfers.loc[key], list(rows["stage"])
        begin_s, end_s = rows["t_begin_s"].to_numpy(), rows["t_end_s"].to_numpy()
        assert (begin_s[0], end_s[-1]) == (transfer["t_start_s"], transfer["t_end_s"])
        assert (begin_s[1:] == end_s[:-1]).all()
        assert (end_s >= begin_s - SLACK_S).all()
        assert all(after in follows[before] for before, after in pairwise(stages))
        assert (stages[-1] == "RESTORE") >= (transfer["outcome"] == "completed")
        assert stages.count("ROUND") == transfer["rounds"]
        if "FINAL" in stages:
            assert begin_s[stages.index("FINAL")] == transfer["t_stop_s"]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_books_balance(drives, book, data):
    """Every rule above, on the same drive: drawing and driving one takes longer than all of them."""
    drive = data.draw(drives)
    booked = book(drive, traced=True)
    for holds in (
        bytes_add_up_from_stage_to_run,
        no_link_carries_more_than_its_bandwidth,
        completed_transfers_have_sent_everything_and_stopped_for_the_start_time,
        every_second_on_the_road_is_running_or_stopped,
        downtime_of_transfers_adds_up_to_the_outages,
        nothing_is_booked_after_arrival,
        transfers_of_a_container_follow_each_other,
        handoffs_are_those_signalled_and_those_taken_back,
        outcomes_follow_from_handoff_and_policy,
        stages_of_a_transfer_are_contiguous_and_in_order,
    ):
        holds(drive, booked)


def _container(rows) -> tuple[int, int]:
    return int(rows["vehicle"].iloc[0][1:]), int(rows["strategy"].iloc[0][1:])
