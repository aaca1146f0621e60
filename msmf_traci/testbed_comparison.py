"""`msmf-traci testbed compare`: measured migrations beside equation (1) and a model that is fitted to some of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import yaml

from msmf_traci.command_line import Parser
from msmf_traci.errors import InputError
from msmf_traci.reporting.validation_chart import MODEL_LABELS, write_validation
from msmf_traci.results.store import check_writable, folder_in_one_piece, write_table
from msmf_traci.testbed.comparison import KEYS, MODELS, QUANTITIES, chosen, compare, errors, fit_to, read_measurements, settings
from msmf_traci.testbed.fitting import preset_of

_FOLDER = "comparison"


def main(words: Sequence[str]) -> None:
    """Fit, compare, write tables, picture and preset, and print what came out.

    Raises
    ------
    InputError
        If there is nothing to compare, or nothing to fit on or to test on.
    """
    parser = Parser(
        "msmf-traci testbed compare",
        description="Compare equation (1) of the paper, and a model fitted to measurements, with measured migrations.",
        allow_abbrev=False,
    )
    parser.add_argument("folder", help="folder of sessions of msmf-traci testbed run")
    parser.add_argument(
        "--fit",
        nargs="+",
        required=True,
        metavar="KEY=VALUES",
        help=f"migrations to fit the model to, e.g. memory_mb=10,300; keys: {', '.join(KEYS[1:])}",
    )
    parser.add_argument("--out", help=f"where tables and picture go; FOLDER/{_FOLDER} by default")
    typed = parser.parse_args(list(words))
    corners = _corners(typed.fit)
    target = Path(typed.out) if typed.out else Path(typed.folder) / _FOLDER
    if target.exists():
        raise InputError(f"{target} exists already, and results are never overwritten; remove it, or name another folder with --out")
    check_writable(target.parent)
    measurements = read_measurements(Path(typed.folder))
    for key, values in corners.items():
        there = sorted({each.keys[key] for each in measurements})
        if strange := [value for value in values if value not in there]:
            has = ", ".join(f"{value:g}" for value in there)
            raise InputError(f"--fit {key}={strange[0]:g}: no migration in {typed.folder} has that value; choose from {has}")
    is_fitted_on = chosen(measurements, corners)
    if not any(is_fitted_on) or all(is_fitted_on):
        raise InputError(
            f"--fit {' '.join(typed.fit)} takes {'none' if not any(is_fitted_on) else 'all'} of {len(measurements)} migrations: "
            "choose values that take some and leave others to test on, or measure a third size or distance"
        )
    costs = fit_to([each for each, is_one in zip(measurements, is_fitted_on, strict=True) if is_one])
    table = compare(measurements, is_fitted_on, costs)
    by_setting, summary = settings(table), errors(table, corners)
    preset = {"migration": {"processing": preset_of(costs)}, "workload": {"start_ms": [0, 0]}}
    with folder_in_one_piece(target, way_out="name another folder with --out") as piece:
        for name, content in (("migrations", table), ("settings", by_setting), ("errors", summary)):
            write_table(piece.scratch, name, content, "csv")
        (piece.scratch / "preset.yaml").write_text("# @package _global_\n" + yaml.safe_dump(preset, sort_keys=False), encoding="utf-8")
        write_validation(by_setting, piece.scratch / "validation")
    print(_text(by_setting, summary, preset, target))


def _corners(words: Sequence[str]) -> dict[str, list[float]]:
    corners = {}
    for word in words:
        key, _, values = word.partition("=")
        try:
            corners[key] = [float(value) for value in values.split(",")]
        except ValueError:
            raise InputError(f"--fit {word}: write KEY=NUMBER,NUMBER, e.g. memory_mb=10,300") from None
        if key not in KEYS[1:]:
            raise InputError(f"--fit {word}: there is no key {key}; choose from {', '.join(KEYS[1:])}")
    return corners


def _text(by_setting: pd.DataFrame, summary: pd.DataFrame, preset: dict[str, object], target: Path) -> str:
    """Settings, errors and preset as Markdown that can go into a page as it is."""
    head = ["memory MB", "dirty %/s", "round trip ms", "n", "total s", "eq. (1)", "fitted", "downtime s", "eq. (1)", "fitted", "user s"]
    rows = []
    for row in by_setting.to_dict("records"):
        cell = [f"{row['memory_mb']:g}", f"{row['dirty_percent_per_s']:g}", f"{row['round_trip_ms']:g}", f"{row['n']}"]
        for quantity in QUANTITIES:
            cell.append(f"{row[f'{quantity}_mean_s']:.2f} ({row[f'{quantity}_min_s']:.2f} to {row[f'{quantity}_max_s']:.2f})")
            cell += [f"{row[f'{model}_{quantity}_s']:.2f}" for model in MODELS]
        rows.append([*cell, f"{row['user_downtime_s']:.2f}" + (" *" if row["is_fitted_on"] else "")])
    heads = [f"{MODEL_LABELS[model]}: {quantity}" for quantity in QUANTITIES for model in MODELS]
    error_rows = [
        [
            str(row["rows"]),
            str(row["n"]),
            *(
                f"{100 * row[f'{model}_{quantity}_median']:.1f} ({100 * row[f'{model}_{quantity}_p90']:.1f})"
                for quantity in QUANTITIES
                for model in MODELS
            ),
        ]
        for row in summary.to_dict("records")
    ]
    return "\n".join(
        [
            "Mean (least to greatest) of the repetitions; * fitted on",
            "",
            *_markdown(head, rows),
            "",
            "Absolute relative error, percent: median (90th percentile)",
            "",
            *_markdown(["rows", "n", *heads], error_rows),
            "",
            yaml.safe_dump(preset, sort_keys=False),
            f"Tables, picture and preset: {target}",
        ]
    )


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
