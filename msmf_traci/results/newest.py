"""The newest results, for commands that are given no folder."""

from __future__ import annotations

import sys
from pathlib import Path

from msmf_traci.errors import InputError
from msmf_traci.results import RESULTS
from msmf_traci.results.run_facts import is_session
from msmf_traci.results.store import RUN_FILE


def newest_results() -> Path:
    """The newest sweep, or the newest run that is not part of one, in the folder of results here; it is said on stderr.

    Raises
    ------
    InputError
        If there is none.
    """
    # a run of a sweep is older than the sweep's stacked summary
    return _newest([path.parent for path in Path(RESULTS).glob("*/summary.csv")], "the folder of a run or of a sweep")


def newest_run() -> Path:
    """The newest run in the folder of results here, of a sweep or not; it is said on stderr.

    Raises
    ------
    InputError
        If there is none.
    """
    return _newest([], "the folder of a run")


def _newest(sweeps: list[Path], what: str) -> Path:
    written_s = {folder: (folder / "summary.csv").stat().st_mtime for folder in sweeps}
    written_s |= {path.parent: path.stat().st_mtime for path in Path(RESULTS).glob(f"*/*/{RUN_FILE}") if not is_session(path.parent)}
    if not written_s:
        raise InputError(f"there is no finished run in the folder {RESULTS} here; name {what}")
    newest = max(written_s, key=lambda folder: written_s[folder])
    print(f"the newest results here: {newest}", file=sys.stderr, flush=True)
    return newest
