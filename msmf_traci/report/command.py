"""`msmf-traci-report`: one page with figures about finished runs. Reads its words; what is heavy comes after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msmf_traci.command_line import Parser
from msmf_traci.errors import InputError

if TYPE_CHECKING:
    from msmf_traci.report.reading import Results

REPORT_FOLDER = "report"


def main(words: Sequence[str]) -> None:
    """Write a report.

    Raises
    ------
    InputError
        If there is nothing to report on, what is there does not belong together, or the folder to write is somebody else's.
    """
    parser = Parser("msmf-traci-report", description="Make one page with figures about finished runs; it opens without a network.")
    parser.add_argument(
        "results", nargs="+", metavar="RESULTS", help="folders of runs or sweeps: the first is reported on, others add to it"
    )
    parser.add_argument("--out", metavar="DIR", help=f"folder to write; {REPORT_FOLDER} in the first folder if not given")
    parser.add_argument("--replay", action="store_true", help="add a replay of the first run with a trace (output.trace=true)")
    parser.add_argument("--claims", action="store_true", help="judge the paper's claims, whatever experiment was run")
    typed = parser.parse_args(list(words))
    folders = [Path(name).expanduser() for name in typed.results]
    out = (Path(typed.out).expanduser() if typed.out else folders[0] / REPORT_FOLDER).resolve()
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder} is no folder: give the folder of a run or of a sweep, e.g. results/figure7")

    from msmf_traci.report.folder import refuse_strangers

    refuse_strangers(out)

    from msmf_traci.report.reading import read_results

    results = read_results(folders)
    traced = _traced_run(results) if typed.replay else None

    from msmf_traci.report.build import build_report

    print(f"Report: {build_report(results, out, traced, claims=typed.claims)}")


def _traced_run(results: Results) -> Path:
    """Folder of the run to replay."""
    if not results.traced:
        raise InputError("no run has a trace to replay: make one with output.trace=true and give its folder too, or leave out --replay")
    return results.traced[0].folder
