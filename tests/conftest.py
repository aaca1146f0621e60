"""What tests share: the installed command, a cache of their own, and the real map where it is present."""

import io
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
# machine code of the engine, for all tests and the commands that they start, whatever their caches
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".pytest_cache" / "compiled"))
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of a job in the background; commands that tests start would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
# reasons for which a test may be skipped where everything else is installed; not set: any
MAY_SKIP = os.environ.get("MSMF_MAY_SKIP")

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is said to be installed, a skipped test fails."""
    report = yield
    if MAY_SKIP is not None and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not re.search(MAY_SKIP, reason):
            report.outcome = "failed"
            report.longrepr = f"{reason}: yet everything is said to be installed (MSMF_MAY_SKIP={MAY_SKIP})"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that start commands and take longest, every other one in each half.

    Of two parallel workers each begins with a half, so that no worker waits for the other's long ones at the end.
    """
    modules = list(dict.fromkeys(item.path for item in items))
    half_of = {path: number % 2 for number, path in enumerate(modules)}
    items.sort(key=lambda item: (half_of[item.path], item.path.parent.name not in ("end_to_end", "testbed")))


@pytest.fixture(autouse=True)
def same_signals() -> Iterator[None]:
    """Leave the handlers of signals as they were: a command called in this process sets them, and programs started later inherit them."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    if threading.current_thread() is threading.main_thread():
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the whole session, shared by parallel workers, apart from the user's own."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "msmf-cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real map and trajectories."""
    name = os.environ.get("MSMF_DATA_DIR")
    if not name or not (Path(name) / "beijing" / "beijing_central.osm.pbf").is_file():
        pytest.skip("needs the real map of Beijing: set MSMF_DATA_DIR to the folder that holds beijing/beijing_central.osm.pbf")
    return Path(name)


@pytest.fixture(scope="session")
def environment(cache: Path) -> dict[str, str]:
    """Environment of the command: the session's cache, no real map."""
    return {name: value for name, value in os.environ.items() if name != "MSMF_DATA_DIR"} | {"MSMF_CACHE_DIR": str(cache)}


@pytest.fixture(scope="session")
def msmf(environment: dict[str, str]) -> Command:
    """Run the installed command in a folder."""

    def call(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BIN / "msmf-traci"), *words], cwd=folder, env=environment | more, capture_output=True, text=True, check=False, timeout=580
        )

    return call


@pytest.fixture(scope="session")
def called(cache: Path) -> Command:
    """Call the command in a folder, in this process, which has loaded everything already; otherwise like `msmf`.

    Modules of that folder are forgotten afterwards: another folder may have others of the same names.
    """
    from msmf_traci.commands.entry import main

    def call(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        said, told = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(told):
            patch.chdir(folder)
            patch.setenv("MSMF_CACHE_DIR", str(cache))
            patch.delenv("MSMF_DATA_DIR", raising=False)
            for name, value in more.items():
                patch.setenv(name, value)
            patch.setattr(sys, "path", list(sys.path))
            code = main(words)
        for name, module in list(sys.modules.items()):
            if Path(getattr(module, "__file__", None) or "/").is_relative_to(folder):
                del sys.modules[name]
        return subprocess.CompletedProcess(words, code, said.getvalue(), told.getvalue())

    return call


@pytest.fixture(scope="session")
def sumo_home() -> Path:
    """SUMO's folder in the wheel."""
    from msmf_traci.scenario.sumo_tools import find_sumo

    return find_sumo().home


@pytest.fixture(scope="session")
def libsumo() -> None:
    """SUMO as a library; a test that asks for it is skipped without it."""
    from msmf_traci.sumo_python import has_sumo_package

    if not has_sumo_package("libsumo"):
        pytest.skip("needs libsumo: pip install 'msmf-traci[libsumo]'")


@pytest.fixture
def shut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may not be entered, not even by root."""
    folder, stat = tmp_path / "shut", Path.stat
    folder.mkdir()
    (folder / "net.xml").write_text("<net/>")

    def refusing(path: Path, **options: bool) -> os.stat_result:
        if folder in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refusing)
    return folder
