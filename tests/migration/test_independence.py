"""Containers share nothing (model, section 8, dedicated links): who else is on the road, and what else is compared, changes nothing."""

from dataclasses import fields, replace
from itertools import product

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.migration.workload import Containers


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_container_fares_as_if_it_were_alone(drives, book, data):
    drive = data.draw(drives)
    together = book(drive)
    tables = together.transfers(), together.stages(), together.vehicle_rows()
    for v, s in product(range(drive.vehicles), range(drive.strategies)):
        alone = book(
            replace(
                drive,
                first=drive.first[[v]],
                last=drive.last[[v]],
                home=drive.home[:, [v]][:, :, [s]],
                target=drive.target[:, [v]][:, :, [s]],
                entry=drive.entry[:, [v]][:, :, [s]],
                cell=drive.cell[:, [v]],
                containers=Containers(*(getattr(drive.containers, each.name)[[v]] for each in fields(Containers))),
            )
        )
        for among, own in zip(tables, (alone.transfers(), alone.stages(), alone.vehicle_rows()), strict=True):
            rows = among[(among["vehicle"] == f"v{v}") & (among["strategy"] == f"s{s}")].reset_index(drop=True)
            names = ["vehicle", "strategy"]
            pd.testing.assert_frame_equal(rows.drop(columns=names), own.drop(columns=names), check_exact=True, check_dtype=False)


def test_users_who_leave_in_the_same_frame_go_each_their_own_way(same_container_drive, book):
    """Four containers stop on A for B at 2 s; at 4 s one user is at D, one back at A, one at C, one still at B.

    To D and C: 120 MB from 4 s, 12.5 s; to B: from 2 s. All arrive at 18 s.
    """
    homes = np.array([[0, 0, 0, 0], [1, 1, 1, 1], *[[3, 0, 2, 1]] * 8])
    booked = book(same_container_drive(homes))
    rows = booked.transfers()
    assert list(rows["vehicle"] + " " + rows["target"] + " " + rows["outcome"]) == [
        "v0 B user_left",
        "v0 D completed",
        "v1 B user_left",
        "v2 B user_left",
        "v2 C completed",
        "v3 B completed",
    ]
    assert list(rows["t_end_s"]) == [4, 16.5, 4, 4, 16.5, 14.5]
    assert list(booked.vehicle_rows()["outage_s"]) == [14.5, 2, 14.5, 12.5]
    assert list(booked.vehicle_rows()["handoffs"]) == [2, 2, 2, 1]
