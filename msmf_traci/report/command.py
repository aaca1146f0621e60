"""`msmf-traci-report`: one page with figures, claims and sensitivity about finished runs. Reads its words; what is heavy comes after."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from msmf_traci.errors import InputError

if TYPE_CHECKING:
    from msmf_traci.report.figure import Figure
    from msmf_traci.report.judgement import Judgement
    from msmf_traci.report.reading import Results
    from msmf_traci.report.sensitivity import Sensitivity

REPORT_FOLDER = "report"


@dataclass(frozen=True)
class Parts:
    """What a report has beside its own figures; each may be absent.

    Attributes
    ----------
    judge
        Claims and what the tables say about them.
    explain
        What the figures depend on; None where there is no study of that.
    draw
        Further figures: timeline, map.
    write_replay
        Makes the replay of a traced run in a folder and gives its page.
    """

    judge: Callable[[Results], Sequence[Judgement]] | None = None
    explain: Callable[[Results], Sensitivity | None] | None = None
    draw: Callable[[Results], Sequence[Figure]] | None = None
    write_replay: Callable[[Path, Path], Path] | None = None


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, instead of the usage."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see msmf-traci-report --help")


def main(words: Sequence[str], parts: Parts | None = None) -> None:
    """Write a report.

    Raises
    ------
    InputError
        If there is nothing to report on, what is there does not belong together, or the folder to write is somebody else's.
    """
    has = parts or Parts()
    parser = _Parser("msmf-traci-report", description="Make one page with figures about finished runs; it opens without a network.")
    parser.add_argument(
        "results", nargs="+", metavar="RESULTS", help="folders of runs or sweeps: the first is reported on, others add to it"
    )
    parser.add_argument("--out", metavar="DIR", help=f"folder to write; {REPORT_FOLDER} in the first folder if not given")
    if has.write_replay is not None:
        parser.add_argument("--replay", action="store_true", help="add a replay of the first run with a trace (output.trace=true)")
    typed = parser.parse_args(list(words))
    folders = [Path(name).expanduser() for name in typed.results]
    out = Path(typed.out).expanduser() if typed.out else folders[0] / REPORT_FOLDER
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder} is no folder: give the folder of a run or of a sweep, e.g. results/figure7")

    from msmf_traci.report.folder import refuse_strangers

    refuse_strangers(out)

    from msmf_traci.report.reading import read_results

    results = read_results(folders)
    replay = _replay(results, has.write_replay) if getattr(typed, "replay", False) else None

    from msmf_traci.report.build import build_report

    page = build_report(
        results,
        has.judge(results) if has.judge else [],
        has.explain(results) if has.explain else None,
        has.draw(results) if has.draw else [],
        out,
        replay=replay,
    )
    print(f"Report: {page}")


def _replay(results: Results, write: Callable[[Path, Path], Path] | None) -> Callable[[Path], Path]:
    """What writes the replay of the first traced run into a folder."""
    traced = next((run for run in results.runs if run.has("frames")), None)
    if traced is None or write is None:
        raise InputError("no run has a trace to replay: make one with output.trace=true and give its folder too, or leave out --replay")
    return lambda folder: write(traced.folder, folder)
