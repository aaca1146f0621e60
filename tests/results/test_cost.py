"""What trips cost: the definition on paper, other weights, bounds beside it, and what the screen says (model, section 14)."""

import numpy as np
import pandas as pd
import pytest
from pytest import approx

from msmf_traci.errors import InputError
from msmf_traci.results.cost import has_weights, revalued, valued, weights_from, weights_of, with_bounds
from msmf_traci.results.screen import cheapest
from msmf_traci.weights import Weights


def summary(**columns):
    base = {"strategy": ["pm"], "image_mb": [np.nan], "seed": [0], "unsatisfied_per_trip_s": [12.0]}
    base |= {"traffic_per_trip_bytes": [1.5e9], "relayed_byte_hops_per_trip": [4e9]}
    n = max(map(len, columns.values()), default=1)
    return pd.DataFrame({**{name: value * n for name, value in base.items()}, **columns})


def bounds(*rows):
    """Vehicle, weight of traffic, bound; of images that are drawn."""
    table = pd.DataFrame(rows, columns=["vehicle", "traffic_per_gb", "bound"])
    table.insert(0, "image_mb", np.nan)
    return table.assign(unsatisfied_per_s=1.0, relayed_per_gb_hop=1.0)


def test_cost_is_seconds_and_gigabytes_and_relayed_gigabytes_by_weight():
    """12 s, 1.5 GB at 10 and 4 GB-hops; at a fifth, and at five times the weight of traffic."""
    row = valued(summary(), Weights()).iloc[0]
    assert row["cost_per_trip"] == approx(12 + 15 + 4)
    assert row["cost_cheap_traffic_per_trip"] == approx(12 + 3 + 4)
    assert row["cost_dear_traffic_per_trip"] == approx(12 + 75 + 4)
    assert valued(summary(), Weights(2.0, 1.0, 0.5)).iloc[0]["cost_per_trip"] == approx(24 + 1.5 + 2)


def test_bounds_are_means_over_vehicles_at_the_weights_of_the_summary():
    table = bounds(("a", 10.0, 4.0), ("b", 10.0, 8.0), ("a", 2.0, 1.0), ("b", 2.0, 2.0), ("a", 50.0, 9.0), ("b", 50.0, 11.0))
    found = revalued(summary(strategy=["pm", "never"]), table, Weights())
    assert found["bound_per_trip"].tolist() == [6, 6]
    assert found["bound_cheap_traffic_per_trip"].tolist() == [1.5, 1.5]
    assert found["bound_dear_traffic_per_trip"].tolist() == [10, 10]


def test_at_weights_without_bounds_there_are_none():
    found = revalued(summary(), bounds(("a", 10.0, 4.0)), Weights(traffic_per_gb=7.0))
    assert found["cost_per_trip"].iloc[0] == approx(12 + 10.5 + 4) and found["bound_per_trip"].isna().all()
    assert not has_weights(bounds(("a", 10.0, 4.0)), Weights(traffic_per_gb=7.0)).any()


def test_bounds_belong_to_the_image_that_was_varied_and_to_rows_of_all_modes():
    table = bounds(("a", 10.0, 4.0), ("a", 10.0, 5.0)).assign(image_mb=[100.0, 500.0])
    rows = summary(image_mb=[100.0, 500.0, 500.0], mode=["all", "all", "walk"])
    found = with_bounds(valued(rows, Weights()), table, Weights())["bound_per_trip"]
    assert found.tolist()[:2] == [4, 5] and np.isnan(found.iloc[2])


def test_weights_are_set_by_words_and_those_of_a_run_are_in_its_facts():
    assert weights_from(["cost.traffic_per_gb=50"], Weights()) == Weights(traffic_per_gb=50.0)
    assert weights_of({"config": {"cost": {"unsatisfied_per_s": 2.0, "traffic_per_gb": 3.0, "relayed_per_gb_hop": 0.0}}}) == Weights(
        2, 3, 0
    )
    assert weights_of({"config": {}}) == Weights()  # of an earlier version


@pytest.mark.parametrize("word", ["cost.trafic_per_gb=5", "traffic_per_gb=5", "cost.traffic_per_gb=-1", "cost.traffic_per_gb=much", "cost"])
def test_wrong_weights_are_one_sentence(word):
    with pytest.raises(InputError, match="weight"):
        weights_from([word], Weights())


def test_the_cheapest_is_said_with_the_bound_and_the_next_one():
    """Two seeds: pm costs 31 and 33, never 40 and 44; the oracle is cheaper, but knows the road."""
    rows = valued(summary(strategy=["pm", "pm", "never", "never", "oracle"], seed=[0, 1, 0, 1, 0]), Weights())
    rows["cost_per_trip"], rows["bound_per_trip"] = [31.0, 33.0, 40.0, 44.0, 1.0], 20.0
    text = cheapest(rows, ["image_mb"], ["oracle"], Weights())
    assert text.startswith("pm costs least: 32.0 [19.3, 44.7] a trip; no strategy can cost less than 20.0")
    assert "never, the next one, costs 10.0" in text
    assert "10 for a GB sent" in text


def test_of_several_settings_each_has_its_cheapest():
    rows = valued(summary(strategy=["pm", "never", "pm", "never"], image_mb=[100.0, 100.0, 500.0, 500.0]), Weights())
    rows["cost_per_trip"] = [1.0, 2.0, 4.0, 3.0]
    assert cheapest(rows, ["image_mb"], [], Weights()).startswith("Of 2 settings, these cost least: pm at 1, never at 1.")


def test_without_costs_nothing_is_said():
    assert cheapest(summary(), [], [], Weights()) == ""
