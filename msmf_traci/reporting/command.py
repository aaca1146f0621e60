"""`msmf-traci report`: one page with figures about finished runs. Reads its words; what is heavy comes after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msmf_traci.command_line import Parser
from msmf_traci.errors import InputError
from msmf_traci.results import RESULTS
from msmf_traci.results.console import counted, say
from msmf_traci.results.newest import newest_results
from msmf_traci.results.store import RUN_FILE
from msmf_traci.results.sweep_records import Records

if TYPE_CHECKING:
    from msmf_traci.reporting.reading import Results

REPORT_FOLDER = "report"


def main(words: Sequence[str]) -> None:
    """Write the report that the command line asks for, and say where.

    Raises
    ------
    InputError
        As of `write_report`.
    """
    parser = Parser("msmf-traci report", description="Make one page with figures about finished runs; it opens without a network.")
    parser.add_argument(
        "results",
        nargs="*",
        metavar="RESULTS",
        help=f"folders of runs or sweeps: the first is reported on, others add to it; the newest in {RESULTS} if not given",
    )
    parser.add_argument("--out", metavar="DIR", help=f"folder to write; {REPORT_FOLDER} in the first folder if not given")
    parser.add_argument("--replay", action="store_true", help="add a replay of the first run with a trace (output.trace=true)")
    parser.add_argument("--claims", action="store_true", help="judge the paper's claims, whatever experiment was run")
    typed = parser.parse_args(list(words))
    folders = [Path(name).expanduser() for name in typed.results] or [newest_results()]
    out = None if typed.out is None else Path(typed.out).expanduser()
    print(f"Report: {write_report(folders, out, replay=typed.replay, claims=typed.claims)}")


def write_report(
    folders: Sequence[Path],
    out: Path | None,
    *,
    replay: bool = False,
    claims: bool = False,
    chosen: Mapping[Path, Sequence[Path]] | None = None,
) -> Path:
    """Write a report.

    Parameters
    ----------
    folders
        Of runs or sweeps. The first is reported on, the others add to it. Of a folder of sweeps the newest sweep counts.
    out
        Folder to write; `report` in the first folder if None.
    replay
        Whether to add a replay of the first run with a trace.
    claims
        Whether to judge the paper's claims, whatever experiment was run.
    chosen
        The runs that count of a folder, where the caller has chosen them.

    Returns
    -------
    The page.

    Raises
    ------
    InputError
        If there is nothing to report on, what is there does not belong together, or the folder to write is somebody else's.
    """
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder: give the folder of a run or of a sweep, e.g. results/figure7")
    out = (out or folders[0] / REPORT_FOLDER).resolve()

    from msmf_traci.reporting.folder import refuse_strangers

    refuse_strangers(out)

    from msmf_traci.reporting.reading import read_results

    results = read_results(folders, {**_newest_sweeps(folders), **(chosen or {})})
    traced = _traced_run(results) if replay else None

    from msmf_traci.reporting.build import build_report

    return build_report(results, out, traced, claims=claims)


def _newest_sweeps(folders: Sequence[Path]) -> dict[Path, list[Path]]:
    """The runs of the newest sweep in each folder that keeps records of sweeps; what else lies there is said to be left out."""
    found = {}
    for folder in folders:
        runs = {path.parent.name for path in folder.glob(f"*/{RUN_FILE}")}
        plans = Records(folder).plans()
        names = [run.name for run in plans[-1] if run.name in runs] if plans else []
        if not names:
            continue
        found[folder] = [folder / name for name in names]
        if others := len(runs) - len(names):
            left_out = f"{counted(others, 'other run')} there left out; name the folder of a run to add it"
            say(f"{folder}: the report is on the newest sweep ({counted(len(names), 'run')}), {left_out}")
    return found


def _traced_run(results: Results) -> Path:
    """Folder of the run to replay."""
    if not results.traced:
        raise InputError("no run has a trace to replay: make one with output.trace=true and give its folder too, or leave out --replay")
    return results.traced[0].folder
