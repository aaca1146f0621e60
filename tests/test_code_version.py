"""What counts as the code of a product: its modules and what they import; not comments, and not what prints, keeps or shows it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from msmf_traci import code_version
from msmf_traci.code_version import PRODUCTS, code_hash, modules_of, user_code_hash
from msmf_traci.strategies.plugins import load_strategies, source_hash

MINE = """\
from typing import TYPE_CHECKING
import numpy, helper
from pack.inner import sub
if TYPE_CHECKING:
    import only_types
def late():
    '''What it does.'''
    import lazily
"""
FILES = {
    "mine.py": MINE,
    "helper.py": "VALUE = 1\n",
    "pack/__init__.py": "",
    "pack/inner/__init__.py": "from .. import above\n",
    "pack/inner/sub.py": "from .beside import *\n",
    "pack/inner/beside.py": "",
    "pack/above.py": "",
    "lazily.py": "import broken\n",
    "broken.py": "this is no Python\n",
    "only_types.py": "",
    "stranger.py": "",
}


@pytest.mark.parametrize(
    ("module", "products"),
    [
        ("scenario.city_plan", {"synthetic network", "tables"}),
        ("scenario.osm_build", {"osm network", "tables"}),
        ("scenario.trips", {"trips", "pass", "tables"}),
        ("roads.roads", {"roads", "tables"}),
        ("mobility.following", {"pass", "tables"}),
        ("mobility.libsumo_reader", {"pass", "tables"}),  # imported only when it is needed
        ("migration.machine", {"tables"}),
        ("control.look", {"tables"}),
        ("strategies.strategy", {"tables"}),
        ("strategies.pm_op", set()),  # each strategy counts for the runs that ask for it: the next test
        ("results.tables", {"tables"}),
        *(
            (name, set())
            for name in (
                "commands.run",
                "job",
                "launch.sweep",
                "results.console",
                "results.screen",
                "launch.rounds",
                "testbed_job",
                "reporting.page",
            )
        ),
        *((name, set()) for name in ("scratch", "locks", "scenario.fetch", "scenario.clear_cache", "experiment.preview", "config.help")),
    ],
)
def test_a_module_counts_for_what_it_makes_and_for_nothing_else(module: str, products: set[str]) -> None:
    assert {product for product in PRODUCTS if f"msmf_traci.{module}" in modules_of(product)} == products


def test_each_strategy_counts_for_the_runs_that_ask_for_it() -> None:
    kinds = load_strategies(["pm", "pm_tier", "pm_op", "nearest", "never"])
    hashes = {kind.name: source_hash(kind) for kind in kinds}
    assert hashes["pm"] == hashes["pm_tier"]  # one file
    assert len(set(hashes.values())) == 4


def test_modules_are_read_and_not_imported() -> None:
    program = "import sys; from msmf_traci.code_version import code_hash as c; print(c('tables'), 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [code_hash("tables"), "False"]


@pytest.fixture
def hash_of_mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Hash of a user's module with the files as they are now, as another process would take it."""

    def forget() -> None:
        for kept in (code_version._read, code_version._spec_of, user_code_hash):
            kept.cache_clear()

    def take() -> str:
        forget()
        return user_code_hash("mine")

    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield take
    forget()


@pytest.mark.parametrize("file", sorted(FILES))
def test_every_module_of_the_users_that_a_strategy_imports_counts(tmp_path: Path, hash_of_mine: Callable[[], str], file: str) -> None:
    before = hash_of_mine()
    with (tmp_path / file).open("a") as opened:
        opened.write("ANOTHER = 1\n")
    assert (hash_of_mine() != before) == (file not in ("only_types.py", "stranger.py"))


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ("    import lazily", "    # a comment\n\n    import lazily", True),
        ("'''What it does.'''", "'''Another docstring.'''", True),
        ("import numpy, helper", "import numpy\nimport helper", False),
        ("def late():", "def late(\n):", True),
        ("def late():", "def late(a=1):", False),
        ("    import only_types", "    import no_such_types", True),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(
    tmp_path: Path, hash_of_mine: Callable[[], str], old: str, new: str, is_same: bool
) -> None:
    before = hash_of_mine()
    assert old in MINE
    (tmp_path / "mine.py").write_text(MINE.replace(old, new))
    assert (hash_of_mine() == before) == is_same
