"""The Python interface: the command line's runs, sweeps, sentences and tables, as objects."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import msmf_traci as msmf
from msmf_traci.api import word_of
from msmf_traci.living_code import living_code_hash

ROOT = Path(__file__).parents[1]
TOWN = {"mobility.vehicles": 6, "mobility.max_duration_s": 300, "deployment.rings": 4, "mobility.min_trip_m": 1000}


class Lazy(msmf.Strategy):
    """Follow the user only when requests would be relayed over two hops or more."""

    name = "lazy"

    def decide(self, now: msmf.Situation) -> msmf.Decision:
        return msmf.Decision(home=np.where(now.hops < 2, msmf.KEEP, now.home), target=now.next_home())


@pytest.fixture(scope="module")
def place(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder to work in, with the session's cache."""
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MSMF_CACHE_DIR", str(cache))
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def msmf_typed(msmf):
    """The installed command; its fixture is called like the package."""
    return msmf


@pytest.fixture(scope="module")
def run(place: Path) -> msmf.Run:
    return msmf.run("output.trace=true", TOWN, strategies=["pm", Lazy], seed=3)


def test_a_run_has_tables_facts_and_a_folder(run: msmf.Run, place: Path) -> None:
    assert list(run.summary["strategy"]) == ["lazy", "pm"]
    assert len(run.vehicles) == 2 * run.facts["vehicles"]["inserted"]
    assert run.folder.parent == place / "results" / "synthetic"
    assert (run.options["seed"], run.options["mobility.vehicles"]) == (3, 6)
    for table in (run.migrations, run.frames, run.decisions, run.stages, run.summary_by_band, run.cells, run.roads):
        assert len(table)
    assert run.vehicles["vehicle"].dtype == "string" and run.vehicles["handoffs"].dtype == np.int64
    assert str(run).startswith("Run(") and "satisfies most" in str(run)
    assert run._repr_html_().startswith("<table") and "Asked: " in run._repr_html_()


def test_a_run_is_that_of_the_command_line(run: msmf.Run, place: Path, msmf_typed, tmp_path: Path) -> None:
    words = [f"{name}={value}" for name, value in TOWN.items()]
    done = msmf_typed(place, *words, "seed=3", "strategies=[pm]", f"output.dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    typed = msmf.load(next(tmp_path.glob("2*")))
    ours = run.vehicles[run.vehicles["strategy"] == "pm"].reset_index(drop=True)
    assert_frame_equal(typed.vehicles, ours)


def test_what_was_loaded_is_what_was_returned(run: msmf.Run) -> None:
    again = msmf.load(run.folder)
    assert isinstance(again, msmf.Run)
    assert_frame_equal(again.summary, run.summary)
    several = msmf.load(run.folder.parent)
    assert isinstance(several, msmf.Runs) and run.name in [each.name for each in several]


def test_the_recording_has_the_frames_of_the_trace(run: msmf.Run) -> None:
    recorded = msmf.recording(run)
    frames = recorded.frames()
    keys = ["t_s", "vehicle"]
    traced = run.frames.sort_values(keys).reset_index(drop=True)
    ours = frames.sort_values(keys).reset_index(drop=True)
    assert_frame_equal(ours[[*keys, "x_m", "y_m", "speed_mps"]], traced[[*keys, "x_m", "y_m", "speed_mps"]])
    assert (ours["edge"] == traced["edge"].fillna("")).all()
    assert set(recorded.routes()) == set(recorded.vehicles) == set(frames["vehicle"])
    assert_frame_equal(msmf.recording(recorded.path).frames(), frames)


def test_a_sweep_is_stacked_with_what_was_varied_and_made_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = {**TOWN, "seed": range(2), "handoff.unsynced": ["stop", "relay"], "output.dir": "sweep"}
    runs = msmf.sweep(words, strategies=["pm"])
    assert [each.name.rpartition("-")[0] for each in runs] == [
        f"unsynced={value}_seed={seed}" for seed in (0, 1) for value in ("stop", "relay")
    ]
    told = list(runs.summary[["seed", "unsynced"]].itertuples(index=False, name=None))
    assert told == [(0, "stop"), (0, "relay"), (1, "stop"), (1, "relay")]
    assert set(runs.vehicles.columns[:3]) == {"run", "unsynced", "seed"}
    assert runs.settings == ["commanded_kmh", "unsynced", "image_mb"]
    assert re.search(r"\d \[\d", runs._repr_html_())
    assert "PYTHONSAFEPATH" not in os.environ
    capsys.readouterr()
    again = msmf.sweep(words, strategies=["pm"])
    assert "4 of 4 runs are done already" in capsys.readouterr().err
    assert_frame_equal(again.summary, runs.summary)
    loaded, ours = (each.summary.sort_values(["seed", "unsynced"], ignore_index=True) for each in (msmf.load("sweep"), runs))
    assert_frame_equal(loaded, ours)


def test_a_report_is_written_where_it_is_asked_for(run: msmf.Run, tmp_path: Path) -> None:
    page = msmf.report(run, out=tmp_path / "page")
    assert page.is_file() and page.is_relative_to(tmp_path)


def test_a_report_on_some_runs_is_about_these_and_no_others_beside_them(run: msmf.Run, place: Path, tmp_path: Path) -> None:
    other = msmf.run(TOWN, strategies=["never"], seed=9)
    assert other.folder.parent == run.folder.parent
    page = msmf.report(msmf.Runs(run.folder.parent, [run]), out=tmp_path / "page").read_text(encoding="utf-8")
    assert run.name in page and other.name not in page


def test_runs_made_twice_count_once_in_the_mean(run: msmf.Run) -> None:
    twice = msmf.Runs(run.folder.parent, [run, msmf.load(run.folder)])
    assert not re.search(r"\d \[\d", twice._repr_html_())


def test_a_folder_may_be_left_before_the_tables_are_read(run: msmf.Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded = msmf.load(run.folder)
    monkeypatch.chdir(tmp_path)
    assert len(loaded.summary) == 2


def test_a_sweep_can_be_made_in_a_thread(place: Path) -> None:
    made: list[int] = []
    words = {**TOWN, "seed": [3, 4], "output.dir": "thread"}
    thread = threading.Thread(target=lambda: made.append(len(msmf.sweep(words, strategies=["pm"]))))
    thread.start()
    thread.join()
    assert made == [2]


def test_a_preview_starts_nothing(place: Path) -> None:
    before = sorted(place.rglob("*"))
    assert "a sweep of 2 runs" in msmf.preview(TOWN, seed=[0, 1], as_sweep=True)
    assert "a sweep" not in msmf.preview(TOWN, {"workload.image_mb": [100, 500]})
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: msmf.run("mobility.sped_kmh=20"), "there is no option mobility.sped_kmh; did you mean mobility.speed_kmh?"),
        (lambda: msmf.run("seed=0,1"), "several values make a sweep; add -m (in Python: call sweep)"),
        (lambda: msmf.run("experiment=figure7_synthetic"), "experiment=figure7_synthetic is a sweep; call sweep() in place of run()"),
        (lambda: msmf.run("dry_run=true"), "call preview() in place of this function"),
        (lambda: msmf.sweep("dry_run=true", seed=[0, 1]), "call preview() in place of this function"),
        (lambda: msmf.run(["seed=0"]), "is no option; write words such as 'seed=1'"),
        (lambda: msmf.sweep("hydra/launcher=joblib", seed=[0, 1], strategies=[Lazy]), "workers do not know the class"),
        (lambda: msmf.run(strategies="pm"), "give a list of names or classes, such as ['pm']"),
        (lambda: msmf.run(strategies=[object()]), "neither a name nor a class"),
        (lambda: msmf.run(strategies=[int]), "is no strategy"),
        (lambda: msmf.load("nowhere"), "there is no such folder"),
        (lambda: msmf.load(), "name the folder of a run or of a sweep"),
        (lambda: msmf.load("."), "holds no finished run"),
        (lambda: msmf.recording("nowhere.msmf"), "nowhere.msmf"),
        (lambda: msmf.report(), "there is no finished run in the folder results here; name the folder"),
        (lambda: msmf.run(seed=[0, 1]), "several values make a sweep: call sweep()"),
        (lambda: msmf.run({"mobility.speed_kmh": [20, 50]}), "several values make a sweep: call sweep()"),
    ],
)
def test_what_is_wrong_is_the_command_lines_sentence(call, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(msmf.InputError) as error:
        call()
    assert sentence in str(error.value)


def test_tables_that_a_run_did_not_write_say_which_option_writes_them(place: Path) -> None:
    bare = msmf.run(TOWN, "output.migrations=false", strategies=["never"])
    with pytest.raises(msmf.InputError, match=r"run it again with output\.trace=true"):
        _ = bare.frames
    with pytest.raises(msmf.InputError, match=r"run it again without output\.migrations=false"):
        _ = bare.migrations


@pytest.mark.parametrize(
    ("value", "word", "swept"),
    [
        (20, "a=20", "a=20"),
        (np.float64(0.5), "a=0.5", "a=0.5"),
        (np.int64(3), "a=3", "a=3"),
        (None, "a=null", "a=null"),
        (True, "a=true", "a=true"),
        ("beijing", "a=beijing", "a=beijing"),
        ("my city, old/net.xml", 'a="my city, old/net.xml"', 'a="my city, old/net.xml"'),
        ('say "so" \\', 'a="say \\"so\\" \\\\"', 'a="say \\"so\\" \\\\"'),
        ("C:\\my maps", 'a="C:\\my maps"', 'a="C:\\my maps"'),
        ("null", 'a="null"', 'a="null"'),
        (Path("maps/x.xml"), "a=maps/x.xml", "a=maps/x.xml"),
        ([100, 500], "a=[100,500]", "a=100,500"),
        ([[100, 500], [1, 2]], "a=[[100,500],[1,2]]", "a=[100,500],[1,2]"),
        (range(3), "a=[0,1,2]", "a=0,1,2"),
        (np.array([1, 2]), "a=[1,2]", "a=1,2"),
        ({"lon": 116.4, "lat": 39.9}, "a={lon:116.4,lat:39.9}", "a={lon:116.4,lat:39.9}"),
    ],
)
def test_values_become_the_words_that_hydra_reads(value: object, word: str, swept: str) -> None:
    assert word_of("a", value, multirun=False) == word
    assert word_of("a", value, multirun=True) == swept


ODD_TEXT = st.one_of(
    st.text(alphabet="\\\"' ,=[]{}():abnul$%", max_size=12), st.text(max_size=8), st.sampled_from(["null", "True", "C:\\a b\\", "a\\"])
)


@given(ODD_TEXT)
def test_hydra_reads_back_the_text_that_was_given(text: str) -> None:
    assume("${" not in text)  # refers to another option, as in a file
    assume(not re.fullmatch(r"[+-]?(nan|inf|[\d._]+(e[+-]?\d*)?)", text, re.IGNORECASE))  # a number
    override = OverridesParser.create().parse_override(word_of("experiment", text, multirun=False))
    assert override.value() == text


def test_values_under_variants_share_the_pass_in_a_sweep_too(place: Path) -> None:
    assert word_of("variants.links.bandwidth_mbps", [50, 100], multirun=True) == "variants.links.bandwidth_mbps=[50,100]"
    runs = msmf.sweep({**TOWN, "seed": [3], "variants.links.bandwidth_mbps": [50, 100], "output.dir": "varied"}, strategies=["pm"])
    assert list(runs.summary["bandwidth_mbps"]) == [50, 100]
    with pytest.raises(msmf.InputError, match=r"write them as a list, 'variants\.links\.bandwidth_mbps=\[50,100\]'"):
        msmf.sweep("variants.links.bandwidth_mbps=50,100")


def test_all_that_is_public_is_there_typed_and_described() -> None:
    for name in msmf.__all__:
        found = getattr(msmf, name)
        if isinstance(found, type) or callable(found):
            assert found.__doc__, name
            for part, member in vars(found).items() if isinstance(found, type) else ():
                if not part.startswith("_") and callable(member):
                    assert member.__doc__, f"{name}.{part}"


def test_the_import_loads_nothing_heavy_and_touches_nothing() -> None:
    program = (
        "import sys, signal, os; before = dict(os.environ), signal.getsignal(signal.SIGINT), sys.path[:]\n"
        "import msmf_traci\n"
        "heavy = {'numpy', 'pandas', 'numba', 'hydra', 'traci', 'scipy'} & set(sys.modules)\n"
        "print(heavy or 'light', before == (dict(os.environ), signal.getsignal(signal.SIGINT), sys.path[:]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["light", "True"]


NOTEBOOK = """
import numpy as np
import msmf_traci as msmf
LIMIT = {limit}
def far(hops):
    {comment}
    return hops >= LIMIT
class Mine(msmf.Strategy):
    name = "mine"
    def decide(self, now):
        return msmf.Decision(home=np.where(far(now.hops), now.home, msmf.KEEP), target=now.next_home())
{more}
"""


def test_a_class_without_a_file_is_told_by_what_it_does_and_uses() -> None:
    def told(**parts: object) -> str:
        # the main module may be an installed console's, as here pytest's
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(NOTEBOOK.format(**{"limit": 2, "comment": "pass", "more": "", **parts}), names)
        return living_code_hash(names["Mine"], msmf.Strategy)

    assert told() == told(more="OTHER = 5", comment="pass  # why")
    assert told() != told(limit=3)
    assert told() != told(comment="hops = hops + 1")


def class_of(**values: object) -> type[msmf.Strategy]:
    names: dict[str, Any] = {"__name__": "__main__", "msmf": msmf, "np": np, "functools": functools, **values}
    exec(
        "@functools.cache\ndef helped():\n    return R\n"
        "class Mine(msmf.Strategy):\n    name = 'mine'\n    a = A\n    b = B\n"
        "    def decide(self, now):\n        return helped(), T, x in {'p', 'q', 'r'}\n",
        names,
    )
    return names["Mine"]


def hash_of(**values: object) -> str:
    return living_code_hash(class_of(**{"A": 1, "B": 2, "R": 1, "T": (1,), **values}), msmf.Strategy)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"B": 1}, {"B": 2}),  # equal numbers are one object
        ({"A": True, "B": True}, {"A": True, "B": False}),
        ({"R": 1}, {"R": 2}),  # behind a decorator
        ({"T": [1, {"k": 2}]}, {"T": [1, {"k": 3}]}),
        ({"T": functools.partial(max, 1)}, {"T": functools.partial(max, 2)}),
        ({"T": np.arange(5000)}, {"T": np.arange(5000) + (np.arange(5000) == 2500)}),
        ({"T": {1, 2}}, {"T": {1, 3}}),
    ],
)
def test_whatever_a_class_uses_counts(one: dict[str, object], other: dict[str, object]) -> None:
    assert hash_of(**one) == hash_of(**one)
    assert hash_of(**one) != hash_of(**other)


def test_what_cannot_be_read_is_like_no_other() -> None:
    assert hash_of(T=object()) != hash_of(T=object())


def test_a_class_has_the_same_hash_in_every_process() -> None:
    program = "from tests.test_api import hash_of; print(hash_of(T={'u', 'v', 'w', frozenset({'x', 'y'})}))"
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1


def test_a_class_that_a_function_makes_is_told_by_its_values(place: Path) -> None:
    def made(hops: int) -> type[msmf.Strategy]:
        class Far(Lazy):
            name = "far"
            limit = hops

        return Far

    words = {**TOWN, "seed": [3, 4], "output.dir": "made"}
    msmf.sweep(words, strategies=[made(1)])
    with pytest.raises(msmf.InputError, match="with other code of the strategy far;"):
        msmf.sweep(words, strategies=[made(2)])


def test_a_folder_for_numbas_own_cache_keeps_what_lies_there(tmp_path: Path) -> None:
    mine = [tmp_path / name for name in ("analysis", "backend", "bin", "code", "data", "e1", "f2")]
    for folder in mine:
        folder.mkdir()
    subprocess.run([sys.executable, "-c", "import msmf_traci.compiled"], env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}, check=True)
    assert all(folder.is_dir() for folder in mine)


def test_compiled_functions_of_a_calling_program_keep_their_own_place() -> None:
    program = "import numba; before = numba.config.CACHE_DIR; import msmf_traci.compiled; print(numba.config.CACHE_DIR == before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_a_table_of_runs_with_other_columns_is_stacked(run: msmf.Run, place: Path) -> None:
    both = msmf.Runs(run.folder.parent, [run, msmf.run(TOWN, strategies=["pm"], **{"variants.links.bandwidth_mbps": [50, 100]})])
    assert isinstance(both.summary, pd.DataFrame) and len(both.summary) == 4


def waiting(hops: int) -> type[msmf.Strategy]:
    """A class made by a function, as its kin."""

    class Waiting(Lazy):
        name = f"waiting_{hops}"

        def decide(self, now: msmf.Situation) -> msmf.Decision:
            return msmf.Decision(home=np.where(now.hops < hops, msmf.KEEP, now.home), target=now.next_home())

    return Waiting


def test_classes_that_a_function_makes_are_told_apart(place: Path) -> None:
    made = msmf.run(TOWN, strategies=[waiting(1), waiting(9), "never"], seed=3)
    assert list(made.summary["strategy"]) == ["never", "waiting_1", "waiting_9"]
    sent = made.summary.set_index("strategy")["traffic_per_trip_bytes"]
    assert sent["waiting_1"] > sent["waiting_9"]
    with pytest.raises(msmf.InputError, match="two are called waiting_1; give one of them another name"):
        msmf.run(TOWN, strategies=[waiting(1), waiting(1)])


def test_a_program_that_has_hydra_open_itself_keeps_it(place: Path) -> None:
    with initialize_config_module("hydra.conf", version_base="1.3"):
        theirs = GlobalHydra.instance().hydra
        assert "6 random trips" in msmf.preview(TOWN)
        assert GlobalHydra.instance().hydra is theirs


def test_runs_of_one_name_are_told_by_their_folders_and_cities_by_their_names(run: msmf.Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(run.folder, tmp_path / name / "one")
    facts = json.loads((tmp_path / "b" / "one" / "run.json").read_text())
    facts["config"]["scenario"] |= {"name": "mine", "kind": "osm", "map_file": "mine.osm.pbf"}
    (tmp_path / "b" / "one" / "run.json").write_text(json.dumps(facts))
    several = msmf.load(tmp_path)
    assert isinstance(several, msmf.Runs)
    told = several.summary[["run", "scenario"]].drop_duplicates()
    assert list(told.itertuples(index=False, name=None)) == [("a/one", "synthetic"), ("b/one", "mine")]


def test_runs_of_two_versions_are_not_stacked(run: msmf.Run, tmp_path: Path) -> None:
    for name in ("new", "old"):
        shutil.copytree(run.folder, tmp_path / name)
    facts = json.loads((tmp_path / "old" / "run.json").read_text())
    facts["versions"]["msmf-traci"] = "0.1.0"
    (tmp_path / "old" / "run.json").write_text(json.dumps(facts))
    with pytest.raises(msmf.InputError, match=r"by 0\.1\.0: their tables do not belong together"):
        msmf.load(tmp_path)
