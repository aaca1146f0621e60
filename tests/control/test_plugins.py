"""Strategies of one's own: found by entry point and by class path, refused in one sentence where they are none, asked like the others."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from msmf_traci.errors import InputError
from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.strategies.plugins import check_made, known_strategies, load_strategies
from msmf_traci.strategies.pm import Pm
from msmf_traci.strategies.situation import Situation
from msmf_traci.strategies.strategy import Decision, Strategy

EIGHT = ["nearest", "pm", "pm_op", "pm_tier", "pm_op_tier", "never", "oracle", "oracle_tier"]
TEN_LINES = """\
from msmf_traci import KEEP, NO_SERVER, Decision, Strategy

class Lazy(Strategy):
    name = "lazy"
    def decide(self, now):
        return Decision(now.home, now.everywhere(NO_SERVER))
"""
Writer = Callable[[str, str], None]


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    """Write a module into the current folder; its imports and the path are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield lambda name, text: (tmp_path / f"{name}.py").write_text(text, encoding="utf-8") and None
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path, write_module: Writer) -> Callable[[str, str], None]:
    """Install a distribution with one entry point, as pip would."""

    def as_pip(name: str, path: str) -> None:
        info = tmp_path / "other_package-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[msmf_traci.strategies]\n{name} = {path}\n")
        sys.path.insert(0, str(tmp_path))

    return as_pip


def refusal(name: str) -> str:
    with pytest.raises(InputError) as caught:
        load_strategies([name])
    return str(caught.value)


def test_the_eight_strategies_are_installed_under_their_names_in_tables() -> None:
    assert set(EIGHT) <= set(known_strategies())
    assert [loaded.name for loaded in load_strategies(EIGHT)] == EIGHT


def test_a_strategy_is_found_by_its_entry_point(write_module: Writer, install: Callable[[str, str], None]) -> None:
    write_module("plugged_in", TEN_LINES)
    install("lazy", "plugged_in:Lazy")
    assert "lazy" in known_strategies()
    assert [loaded.name for loaded in load_strategies(["pm", "lazy"])] == ["pm", "lazy"]


@pytest.mark.parametrize("path", ["in_this_folder:Lazy", "in_this_folder.Lazy"])
def test_a_strategy_is_found_by_class_path_in_the_current_folder(write_module: Writer, path: str) -> None:
    write_module("in_this_folder", TEN_LINES)
    (loaded,) = load_strategies([path])
    assert issubclass(loaded, Strategy)
    assert (loaded.name, loaded.tiers, loaded.predictor) == ("lazy", 1, "map")


def test_a_strategy_of_ones_own_is_asked_like_the_others(write_module: Writer, bench: Any) -> None:
    write_module("asked", TEN_LINES)
    lazy, pm = (loaded(loaded.Options()) for loaded in load_strategies(["asked:Lazy", "pm"]))
    plane = bench.plane(bench.roads([[(0, 0), (0, 1000)]]), lazy, pm)
    assert bench.decide(plane, bench.frame()) == [("L:0,0", "NONE"), ("L:0,0", "L:0,1")]


def test_a_misspelt_name_is_refused_with_the_nearest_one() -> None:
    assert "did you mean nearest?" in refusal("neerest")
    assert "did you mean pm_op_tier?" in refusal("PM-OP-Tier")
    assert "choose from" in refusal("xyzzy")
    assert "or a class of your own, package.module:Class?" in refusal("Patient")
    assert "pm_tier" in refusal("xyzzy")


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("", "no_such_module_here:Lazy", ("no module no_such_module_here", "go to the folder that holds it")),
        ("", "bad:Lazy", ("module bad has no class Lazy",)),
        ("import no_such_library", "bad:Lazy", ("no module no_such_library",)),
        ("raise RuntimeError('boom')", "bad:Lazy", ("cannot be loaded", "RuntimeError: boom")),
        ("def Lazy(: pass", "bad:Lazy", ("cannot be loaded", "SyntaxError")),
        ("class Lazy: name = 'lazy'", "bad:Lazy", ("is no strategy", "derive the class")),
        (f"{TEN_LINES}\nlazy = Lazy(None)", "bad:lazy", ("is no strategy",)),
        (TEN_LINES.replace('name = "lazy"', "pass"), "bad:Lazy", ("has no name",)),
        (TEN_LINES.replace('name = "lazy"', "name = 7"), "bad:Lazy", ("has no name",)),
        (f"{TEN_LINES}    tiers = 9\n", "bad:Lazy", ("tiers=9", "must be 1 to 8 or None (all)")),
        (f"{TEN_LINES}    predictor = 'stars'\n", "bad:Lazy", ("predictor='stars'", "'map', 'route' or 'trip'")),
        (TEN_LINES, ":Lazy", ("cannot be loaded",)),
    ],
)
def test_what_is_no_strategy_is_refused_in_one_sentence(write_module: Writer, text: str, path: str, words: tuple[str, ...]) -> None:
    write_module("bad", text)
    sentence = refusal(path)
    assert sentence.startswith("strategies: ")
    assert "\n" not in sentence
    assert all(word in sentence for word in words)


def test_two_strategies_of_one_name_in_tables_are_refused(write_module: Writer) -> None:
    write_module("twice", TEN_LINES.replace('"lazy"', '"never"'))
    with pytest.raises(InputError, match="two are called never"):
        load_strategies(["never", "twice:Lazy"])


@pytest.mark.parametrize("path", ["no_such_module_here:Lazy", "plugged_in:Absent"])
def test_a_broken_entry_point_is_refused_in_one_sentence(write_module: Writer, install: Callable[[str, str], None], path: str) -> None:
    write_module("plugged_in", TEN_LINES)
    install("broken", path)
    assert refusal("broken").startswith("strategies: ")


class Answers(Strategy):
    """Gives the answers that it was made with."""

    name = "answers"

    def __init__(self, home: Any, target: Any) -> None:
        self.home, self.target = home, target

    def decide(self, now: Situation) -> Decision:
        return Decision(self.home, self.target)


def ask(bench: Any, home: Any, target: Any) -> list[tuple[str, str]]:
    plane = bench.plane(bench.roads([[(0, 0), (0, 1000)]]), Answers(home, target))
    return bench.decide(plane, bench.frame(vehicle=[0, 1]), host=90)


@pytest.mark.parametrize(
    ("home", "target"),
    [
        (np.array([0]), np.array([0, 0])),  # one answer for two vehicles
        (np.array([0, 0]), np.array([[0, 0]])),
        (np.array([0.0, 1.0]), np.array([0, 0])),  # no numbers of servers
        (np.array([0, 0]), np.array([True, False])),
        (np.array([0, -3]), np.array([0, 0])),
        (np.array([0, 10_000]), np.array([0, 0])),  # 91 cells and their regions are fewer
        (np.array([0, 0]), np.array([0, 10_000])),
    ],
)
def test_answers_that_are_not_one_server_a_vehicle_are_refused(bench: Any, home: Any, target: Any) -> None:
    with pytest.raises(InputError, match=r"strategy answers: decide must return a (home|target) for each of 2 vehicles"):
        ask(bench, home, target)


def test_the_last_server_keep_and_no_target_are_answers(bench: Any) -> None:
    last = len(bench.servers) - 1
    assert ask(bench, np.array([last, KEEP]), np.array([NO_SERVER, last])) == [
        (bench.servers.name(last), "NONE"),
        ("KEEP", bench.servers.name(last)),
    ]


def test_no_server_is_no_home(bench: Any) -> None:
    with pytest.raises(InputError):
        ask(bench, np.array([0, NO_SERVER]), np.array([NO_SERVER, NO_SERVER]))


def test_a_strategy_cannot_change_what_the_others_see(bench: Any) -> None:
    class Vandal(Answers):
        name = "vandal"

        def decide(self, now: Situation) -> Decision:
            now.home[:] = 7
            return super().decide(now)

    vandal, pm = Vandal(np.array([0]), np.array([NO_SERVER])), Pm(Pm.Options())
    plane = bench.plane(bench.roads([[(0, 0), (0, 1000)]]), vandal, pm)
    assert bench.decide(plane, bench.frame(), host=0)[1] == ("L:0,0", "L:0,1")


def test_a_strategy_that_cannot_be_made_is_refused() -> None:
    class NoOptions(Strategy):
        name = "no_options"

        def __init__(self) -> None:
            pass

    with pytest.raises(InputError, match="strategy no_options cannot be made"):
        check_made([NoOptions])
