"""Makes a report: figures and tables from runs and transfers, their files, and the page around them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from msmf_traci.reporting.city_map import map_figure
from msmf_traci.reporting.claims import judge_claims
from msmf_traci.reporting.curves import curve_figures
from msmf_traci.reporting.figure8 import figure8_figures
from msmf_traci.reporting.folder import report_folder
from msmf_traci.reporting.judgement import claims_table, evidence_table
from msmf_traci.reporting.overview import overview_figure
from msmf_traci.reporting.page import Content, page_text
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.replay import write_replay
from msmf_traci.reporting.sensitivity import study_sensitivity
from msmf_traci.reporting.stills import write_figure, write_points
from msmf_traci.reporting.timeline import timeline_figure
from msmf_traci.reporting.tornado import tornado_figures
from msmf_traci.reporting.trajectories import read_trajectories
from msmf_traci.reporting.trajectory_claims import judge_trajectory_claims
from msmf_traci.reporting.transfers import transfer_figures

PAGE = "index.html"


def build_report(results: Results, out: Path, traced: Path | None = None, *, claims: bool = False) -> Path:
    """Write the page, its figures and its tables.

    Parameters
    ----------
    results
        What it is about.
    out
        Folder to write; an earlier report there is replaced.
    traced
        Folder of a run to add a replay of.
    claims
        Whether to judge the paper's claims although the runs are not of one of its experiments.

    Returns
    -------
    The page's path.

    Raises
    ------
    InputError
        If a table is not there whole, or `out` is no folder of ours.
    """
    trajectories = read_trajectories(results)
    judgements = [*judge_claims(results), *judge_trajectory_claims(trajectories)] if claims or results.is_of_paper else []
    sensitivity = study_sensitivity(results)
    transfers, reason = transfer_figures(results)
    pictures = [figure for figure in (timeline_figure(results), map_figure(results)) if figure is not None]
    figure8 = figure8_figures(trajectories) if trajectories is not None else []
    figures = [
        overview_figure(results),
        *curve_figures(results),
        *figure8,
        *transfers,
        *(tornado_figures(sensitivity.table) if sensitivity else []),
        *pictures,
    ]
    return write_report(Content(results, figures, judgements, sensitivity, reason), out, traced)


def write_report(content: Content, out: Path, traced: Path | None = None) -> Path:
    """Write what has been made; parameters and errors as in :func:`build_report`."""
    with report_folder(out) as folder:
        (folder / "figures").mkdir()
        for figure in content.drawn:
            write_figure(figure, folder / "figures")
        if content.judgements:
            write_points(folder / "claims.csv", claims_table(content.judgements))
            write_points(folder / "claims_evidence.csv", evidence_table(content.judgements))
        if content.sensitivity is not None:
            write_points(folder / "sensitivity.csv", content.sensitivity.table)
        if traced is not None:
            content = replace(content, replay=write_replay(traced, folder / "replay").relative_to(folder).as_posix())
        (folder / PAGE).write_text(page_text(content), encoding="utf-8")
    return out / PAGE
