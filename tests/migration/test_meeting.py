"""Containers that meet on links and servers (model, section 8): nothing is carried, held or booked twice, whatever is decided."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.migration.ledger import BYTE_KINDS, Stage
from msmf_traci.sentinels import NO_SERVER
from tests.courses import REGION

BYTES_PER_S = 10e6
SENDING = (Stage.IMAGE, Stage.MEMORY, Stage.ROUND, Stage.FINAL)
EXAMPLES = settings(max_examples=150, deadline=None)


def no_link_is_overfull(drive, booked):
    records = booked.engine.containers
    sends = np.isin(records["stage"], SENDING) & (records["to_send_bytes"] > 0) & (records["since_s"] <= booked.now_s)
    for end in ("host", "target"):
        for strategy in range(drive.strategies):
            some = sends[:, strategy]
            load = np.bincount(records[end][some, strategy], records["rate_bytes_per_s"][some, strategy])
            if drive.links.is_shared:
                assert (load <= BYTES_PER_S * (1 + 1e-12)).all()


def no_server_holds_more_than_it_has_room_for(drive, booked):
    records = booked.engine.containers
    for strategy in range(drive.strategies):
        held = np.concatenate([records[end][:, strategy] for end in ("host", "target")])
        held = np.bincount(held[held != NO_SERVER], minlength=REGION + 1)
        local, regional = drive.links.room_by_tier
        assert not local or (held[:REGION] <= local).all()
        assert not regional or held[REGION] <= regional


def bytes_add_up_and_refused_transfers_have_none(drive, booked):
    transfers, stages, vehicles = booked.transfers(), booked.stages(), booked.vehicle_rows()
    sent = transfers[list(BYTE_KINDS)].sum(axis=1)
    assert float(sent.sum()) == pytest.approx(float(stages["bytes"].astype(float).sum()), rel=1e-9, abs=1e-6)
    assert float(vehicles["traffic_bytes"].sum()) == pytest.approx(float(sent.sum()), rel=1e-9, abs=1e-6)
    refused = transfers["outcome"] == "refused"
    assert (sent[refused] == 0).all()
    assert (transfers["t_start_s"] == transfers["t_end_s"])[refused].all()
    assert transfers.loc[refused, "t_handoff_s"].isna().all()
    lasted_s = transfers["t_end_s"] - transfers["t_start_s"]
    assert (sent <= BYTES_PER_S * lasted_s + 1.0).all()


def every_second_is_running_or_stopped(drive, booked):
    for row in booked.vehicle_rows().itertuples():
        assert row.late_s + row.satisfied_s + row.outage_s == pytest.approx(drive.road_s()[int(row.vehicle[1:])], rel=1e-9, abs=1e-6)


@EXAMPLES
@given(data=st.data())
def test_nothing_is_carried_held_or_booked_twice(crowded_drives, book, data):
    """Every rule above, on the same drive: the first two at each frame, the others at its end."""
    drive = data.draw(crowded_drives)

    def look(booked):
        no_link_is_overfull(drive, booked)
        no_server_holds_more_than_it_has_room_for(drive, booked)

    booked = book(drive, look=look)
    bytes_add_up_and_refused_transfers_have_none(drive, booked)
    every_second_is_running_or_stopped(drive, booked)


@EXAMPLES
@given(data=st.data())
def test_who_meets_nobody_fares_on_shared_links_as_on_links_of_its_own(drives, book, data):
    drive = data.draw(drives.filter(lambda drive: drive.vehicles == 1))
    own, shared = book(drive), book(replace(drive, links=replace(drive.links, is_shared=True)))
    for one, other in ((own.transfers(), shared.transfers()), (own.stages(), shared.stages()), (own.vehicle_rows(), shared.vehicle_rows())):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
