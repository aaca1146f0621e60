"""Measured migrations of any stack, from a file: expected on paper, fitted to times that are made of known terms, compared."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from pytest import approx

from msmf_traci.commands.entry import testbed as testbed_command
from msmf_traci.config.overrides import group_choices
from msmf_traci.errors import InputError
from msmf_traci.testbed.comparison import PAPER
from msmf_traci.testbed.expectation import costs_of
from msmf_traci.testbed.fitting import preset_of
from msmf_traci.testbed.published import Published, read_published
from msmf_traci.testbed.published_comparison import LEAST_LEFT_OUT, Split
from msmf_traci.testbed.times_fit import TERMS, Terms, expected_times, fit_times, leave_one_out

HEAD = "row,app,mode,rounds,image_mb,memory_mb,dirty_mb_per_s,dirty_set_mb,bandwidth_mbps,rtt_ms,downtime_s,total_s,note"
# 100 MB at 80 Mb/s: 10 MB/s
ROWS = {
    "cold": "1,a,cold,0,0,100,,,80,20,1,1,",
    "precopy": "2,a,precopy,2,0,100,,20,80,20,1,1,",
    "sent before": "3,a,precopy,1,0,100,,20,80,20,1,1,base memory sent beforehand",
    "rate": "4,a,precopy,1,0,100,0.5,,80,20,1,1,",
    "postcopy": "5,a,postcopy,0,0,100,,20,80,20,,1,",
    "replay": "6,a,replay,0,0,100,,,80,20,1,1,rate=10 c=1",
    "local": "7,a,local,0,0,100,,,,0,1,,",
}


def write(path: Path, *lines: str, head: str = HEAD) -> Path:
    path.write_text("\n".join(["# somebody, somewhere", head, *lines]) + "\n")
    return path


def one(path: Path, line: str) -> Published:
    (row,) = read_published(write(path / "rows.csv", line))
    return row


def terms(served_per_s: float = math.inf, **values: float) -> Terms:
    neutral = {"transport": 1.0}
    return Terms(np.array([values.get(name, neutral.get(name, 0.0)) for name in TERMS]), served_per_s)


ALL = terms(
    served_per_s=60,
    restore_s=2,
    prepare_s=3,
    final_s_per_mb=0.01,
    final_s_per_changed_mb=0.1,
    transport=1.5,
    checkpoint_s_per_mb=0.02,
    later_s_per_changed_mb=0.2,
    round_trips=10,
    faults_per_mb=5,
)


@pytest.mark.parametrize(
    ("name", "total_s", "downtime_s"),
    [
        ("cold", 10 + 0.2, 10 + 0.2),  # the start takes 0.2 s
        ("precopy", 10 + 2 + 2 + 0.2, 2 + 0.2),
        ("sent before", 2 + 0.2, 2 + 0.2),
        ("rate", 10 + 0.5 + 0.2, 0.5 + 0.2),  # 5 MB are dirty after 10 s
        ("postcopy", 10 + 0.2, 0.2),
        ("replay", 10 + 0.2, 0.2),
        ("local", 0.2, 0.2),
    ],
)
def test_equation_1_is_bytes_and_the_start(tmp_path: Path, name: str, total_s: float, downtime_s: float) -> None:
    assert expected_times(one(tmp_path, ROWS[name]), PAPER) == approx((total_s, downtime_s), abs=1e-6)


COLD_S = 0.01 * 100 + 0.1 * 100 + 0.2 + 15 + 2  # all has changed
STOP_S = 0.01 * 100 + 0.1 * 20 + 0.2 + 3 + 2


@pytest.mark.parametrize(
    ("name", "total_s", "downtime_s"),
    [
        ("cold", 3 + COLD_S, COLD_S),
        # a first snapshot 2 s, a later one 2 + 4 s, each with 0.2 s for answers
        ("precopy", 3 + (2 + 0.2 + 15) + (2 + 4 + 0.2 + 3) + STOP_S, STOP_S),
        ("sent before", 3 + STOP_S, STOP_S),
        ("postcopy", 3 + 0.2 + 2 + (0.2 + 5 * 100 * 0.02 + 15), 0.2 + 2),
        # the snapshot is of 3 s; the container runs 2 + 0.2 + 15 + 2 s later: 192 messages, of which 50 a second are caught up
        ("replay", 3 + 19.2 + 192 / 50, 2),
        ("local", 3 + 11 + 2, 11 + 2),
    ],
)
def test_all_terms_by_hand(tmp_path: Path, name: str, total_s: float, downtime_s: float) -> None:
    assert expected_times(one(tmp_path, ROWS[name]), ALL.costs()) == approx((total_s, downtime_s), abs=1e-6)


def test_compression_leaves_the_terms_as_they_are(tmp_path: Path) -> None:
    """A transport below 1 is compression: half of the bytes, and as much processing."""
    half = terms(transport=0.5, final_s_per_mb=0.01, restore_s=1)
    assert expected_times(one(tmp_path, ROWS["cold"]), half.costs())[1] == approx(5 + 1 + 1)


def made_of(rows: list[Published], known: Terms) -> list[Published]:
    """The rows as if they had taken what some terms say."""
    made = []
    for row in rows:
        total_s, downtime_s = expected_times(row, known.costs())
        made.append(Published(row.name, row.migration, row.counts_from_stop, total_s, downtime_s, "", None))
    return made


GRID = [
    f"{memory}{dirty}{mbps},a,precopy,2,0,{memory},,{dirty},{mbps},{rtt},1,1,"
    for memory, dirty, mbps, rtt in [
        (100, 5, 100, 10),
        (100, 40, 50, 50),
        (300, 40, 100, 90),
        (300, 5, 1000, 10),
        (50, 30, 500, 50),
        (700, 20, 80, 20),
    ]
]


def test_known_terms_are_found_and_no_others(tmp_path: Path) -> None:
    known = terms(restore_s=2, transport=1.3, final_s_per_changed_mb=0.05)
    rows = made_of(read_published(write(tmp_path / "rows.csv", *GRID)), known)
    found = fit_times(rows)
    assert found.values == approx(known.values, abs=1e-6)
    assert all(each.values == approx(known.values, abs=1e-6) for each in leave_one_out(rows))
    only = fit_times(rows, ["restore_s"])
    assert [name for name, value in zip(TERMS, only.values, strict=True) if value] == ["restore_s", "transport"]
    assert only.values[TERMS.index("transport")] == 1  # bytes take their time


def test_a_constant_is_enough_where_there_is_nothing_else(tmp_path: Path) -> None:
    """Ten times of one setting, which differ by chance."""
    lines = [f"{k},a,cold,0,0,7,,,25000,1,{4 + 0.1 * (k % 3):g},{4 + 0.1 * (k % 3):g}," for k in range(10)]
    found = fit_times(read_published(write(tmp_path / "rows.csv", *lines)))
    assert [name for name, value in zip(TERMS, found.values, strict=True) if value] == ["restore_s", "transport"]
    assert found.values[0] == approx(4.09, abs=0.03)


def test_messages_served_in_a_second_are_found(tmp_path: Path) -> None:
    lines = [f"{rate},a,replay,0,0,27,,,1000,1,1,1,rate={rate}" for rate in (10, 20, 30, 40)]
    known = terms(served_per_s=70, restore_s=30, prepare_s=12)
    found = fit_times(made_of(read_published(write(tmp_path / "rows.csv", *lines)), known))
    assert found.served_per_s == approx(70, rel=0.02)
    assert found.values == approx(known.values, rel=0.05, abs=0.05)


def test_the_preset_of_a_fit_says_the_same(tmp_path: Path) -> None:
    preset = preset_of(ALL.costs())
    words = [f"migration.processing.{name}={value}" for name, value in preset["migration"]["processing"].items()]
    words += [f"handoff.{plan}.{name}={value}" for plan, options in preset["handoff"].items() for name, value in options.items()]
    costs = costs_of([*words, "workload.start_ms=[0,0]", "handoff.postcopy.state_mb=0"])
    for line in ROWS.values():
        row = one(tmp_path, line)
        assert expected_times(row, costs) == approx(expected_times(row, ALL.costs()), rel=1e-3)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,a,warm,0,0,100,,,80,20,1,1,", "row 1: mode is warm; choose from cold"),
        ("1,a,cold,0,0,100,,,,20,1,1,", "row 1: bandwidth_mbps is empty"),
        ("1,a,cold,0,0,100,,,80,20,0,1,", "row 1: downtime_s is 0"),
        ("1,a,cold,0,0,many,,,80,20,1,1,", "row 1: memory_mb is many"),
        ("1,a,cold,0,0,1e10,,,80,20,1,1,", "row 1: memory_mb is 1e10; write a number from 0 to 1e.09"),
        ("1,a,cold,0,0,-1,,,80,20,1,1,", "row 1: memory_mb is -1"),
        ("1,a,precopy,,0,100,,,80,20,1,1,", "row 1: rounds is nan"),
        ("1,a,precopy,1.5,0,100,,,80,20,1,1,", "row 1: rounds is 1.5"),
        ("1,a,replay,0,0,100,,,80,20,1,1,", "row 1: note does not say how many messages"),
        ("1,a,cold,0,0,,,,80,20,1,1,", "no row with a measured time and a size of memory"),
        ("1,a,cold,0,0,100,,,80,20,,,", "no row with a measured time and a size of memory"),
    ],
)
def test_wrong_rows_are_refused(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_published(write(tmp_path / "rows.csv", line))


def test_a_migration_of_months_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="rows, row 1: by the model this migration takes months"):
        expected_times(one(tmp_path, "1,a,cold,0,0,1e9,,,0.1,20,1,1,"), PAPER)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read"):
        read_published(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"has no column rtt_ms"):
        read_published(write(tmp_path / "rows.csv", "1", head=HEAD.replace(",rtt_ms", "")))


def test_what_is_fitted_on_is_said_by_the_file_or_drawn(tmp_path: Path) -> None:
    said = read_published(write(tmp_path / "rows.csv", *(f"{line},{k % 2 == 0}" for k, line in enumerate(GRID)), head=f"{HEAD},fit"))
    assert Split(seed=3).of(said) == [True, False] * 3
    rows = read_published(write(tmp_path / "rows.csv", *GRID))
    assert Split().of(rows) == [True] * 6
    assert sorted(Split(seed=3).of(rows)) == [False] * 2 + [True] * 4
    assert Split(seed=3).of(rows) == Split(seed=3).of(rows)
    assert len({tuple(Split(seed=seed).of(rows)) for seed in range(9)}) > 1


def test_compare_writes_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"{line},{'runc_rsync' if k else ''}" for k, line in enumerate(GRID)]
    write(tmp_path / "mine.csv", *lines, head=f"{HEAD},preset")
    assert testbed_command(["compare", "mine.csv"]) == 0
    said = capsys.readouterr().out
    assert "| mine | 100540100 |" not in said and "Absolute relative error" in said
    made = tmp_path / "mine-comparison"
    assert {path.name for path in made.iterdir()} == {
        *("migrations.csv", "errors.csv", "mine.yaml", "runc_rsync.yaml", "validation.svg", "validation.png")
    }
    table = pd.read_csv(made / "migrations.csv")
    assert table["preset"].isna().tolist() == [True, *[False] * 5]
    assert table["preset_total_s"].isna().tolist() == [True, *[False] * 5]
    assert table["left_out_total_s"].notna().sum() == 5 and LEAST_LEFT_OUT == 5
    assert table["equation_1_total_s"][0] == approx(100 / 12.5 + 5 / 12.5 + 5 / 12.5 + 0.2, abs=1e-6)
    assert testbed_command(["compare", "mine.csv"]) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "runc_rsink"], "there is no migration 'runc_rsink'; did you mean runc_rsync?"),
        (["--terms", "restore_s,magic"], "there is no term magic"),
        (["--fit", "memory_mb=10"], "--fit chooses among sessions"),
        (["results"], "name one folder of sessions, or files"),
    ],
)
def test_wrong_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mine.csv", *GRID)
    assert testbed_command(["compare", "mine.csv", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "mine-comparison").exists()


def test_a_preset_of_ones_own_is_held_against_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own" / "migration").mkdir(parents=True)
    (tmp_path / "own" / "migration" / "mine.yaml").write_text(
        "# @package _global_\n" + yaml.safe_dump(preset_of(terms(restore_s=5).costs()))
    )
    write(tmp_path / "mine.csv", *GRID)
    assert testbed_command(["compare", "mine.csv", "--preset", "mine", "--config-dir", "own", "--seed", "1"]) == 0
    table = pd.read_csv(tmp_path / "mine-comparison" / "migrations.csv")
    assert table["preset_downtime_s"][0] == approx(5 / 12.5 + 5) and table["is_fitted_on"].sum() == 4


SHIPPED = {
    "ma2019_openface": "docker_bzip2_2018",
    "p4cf": "podman_crun_2026",
    "shadow_sequential": "kubernetes_crio_2026",
}


@pytest.mark.skipif("MSMF_DATA_DIR" not in os.environ, reason="MSMF_DATA_DIR is not set: the published measurements are not there")
@pytest.mark.parametrize(("name", "preset"), SHIPPED.items())
def test_published_measurements_are_expected_within_15_percent(name: str, preset: str) -> None:
    """Of sets with five rows or more: each row by a fit to the others, and by the preset."""
    assert preset in group_choices("migration")
    rows = read_published(Path(os.environ["MSMF_DATA_DIR"]) / "measurements" / f"{name}.csv")
    assert len(rows) >= LEAST_LEFT_OUT
    of_preset = costs_of([f"migration={preset}"])
    for expected in ([each.costs() for each in leave_one_out(rows)], [of_preset] * len(rows)):
        times = [(row, expected_times(row, costs)) for row, costs in zip(rows, expected, strict=True)]
        assert np.median([abs(found[0] / row.total_s - 1) for row, found in times]) < 0.15
        assert np.median([abs(found[1] / row.downtime_s - 1) for row, found in times]) < 0.15
