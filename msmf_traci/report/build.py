"""Makes a report: figures and tables from cells and transfers, their files, and the page around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from msmf_traci.report.curves import curve_figures
from msmf_traci.report.figure import Figure
from msmf_traci.report.folder import report_folder
from msmf_traci.report.judgement import Judgement
from msmf_traci.report.page import Content, page_text
from msmf_traci.report.reading import Results
from msmf_traci.report.sensitivity import Sensitivity
from msmf_traci.report.stills import write_figure, write_points
from msmf_traci.report.tornado import tornado_figures
from msmf_traci.report.transfers import transfer_figures

PAGE = "index.html"


def build_report(
    results: Results,
    judgements: Sequence[Judgement],
    sensitivity: Sensitivity | None,
    extra_figures: Sequence[Figure],
    out: Path,
    answer: str = "",
    replay: Callable[[Path], Path] | None = None,
) -> Path:
    """Write the page, its figures and its tables.

    Parameters
    ----------
    results
        What it is about.
    judgements, sensitivity
        What the tables say about the paper's claims, and what that depends on.
    extra_figures
        Made elsewhere: `timeline...`, `map...` and others.
    out
        Folder to write; an earlier report there is replaced.
    answer
        The first sentence of the page; a plain one from the cells if empty.
    replay
        Writes a replay into a folder and gives its page.

    Returns
    -------
    The page's path.

    Raises
    ------
    InputError
        If a table is not there whole, or `out` is no folder of ours.
    """
    transfers, reason = transfer_figures(results)
    figures = [*curve_figures(results), *transfers, *(tornado_figures(sensitivity.table) if sensitivity else []), *extra_figures]
    with report_folder(out) as folder:
        (folder / "figures").mkdir()
        for figure in figures:
            write_figure(figure, folder / "figures")
        write_points(folder / "claims.csv", _claims_table(judgements))
        if sensitivity is not None:
            write_points(folder / "sensitivity.csv", sensitivity.table)
        address = replay(folder / "replay").relative_to(folder).as_posix() if replay else ""
        content = Content(results, figures, judgements, sensitivity, answer, reason, address)
        (folder / PAGE).write_text(page_text(content), encoding="utf-8")
    return out / PAGE


def _claims_table(judgements: Sequence[Judgement]) -> pd.DataFrame:
    """One row a number behind a claim; a claim without numbers has one row."""
    columns = ["claim", "source", "asks", "verdict", "because"]
    parts = []
    for judged in judgements:
        numbers = judged.evidence if len(judged.evidence) else pd.DataFrame(index=[0])
        said = (judged.name, judged.source, judged.asks, judged.verdict, judged.because)
        parts.append(numbers.assign(**dict(zip(columns, said, strict=True)))[[*columns, *numbers.columns]])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
