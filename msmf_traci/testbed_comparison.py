"""`msmf-traci testbed compare`: measured migrations beside equation (1) and a model that is fitted to some of them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from msmf_traci.command_line import Parser
from msmf_traci.errors import InputError
from msmf_traci.reporting.validation_chart import MODEL_LABELS, PUBLISHED_LABELS, write_published, write_validation
from msmf_traci.results.store import check_writable, folder_in_one_piece, write_table
from msmf_traci.testbed.comparison import KEYS, MODELS, QUANTITIES, chosen, compare, errors, fit_to, read_measurements, settings
from msmf_traci.testbed.fitting import preset_of
from msmf_traci.testbed.published import read_published
from msmf_traci.testbed.published_comparison import MODELS as PUBLISHED_MODELS
from msmf_traci.testbed.published_comparison import Split, compare_published, errors_by_set, grouped
from msmf_traci.testbed.times_fit import TERMS

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
        description="Compare equation (1) of the paper, presets, and a model fitted to measurements, with measured migrations.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "measured", nargs="+", help="folder of sessions of msmf-traci testbed run, or files FILE.csv of measurements (docs/validation.md)"
    )
    parser.add_argument(
        "--fit",
        nargs="+",
        metavar="KEY=VALUES",
        help=f"sessions to fit the model to, e.g. memory_mb=10,300; keys: {', '.join(KEYS[1:])}",
    )
    parser.add_argument("--preset", help="of files: the preset of rows that name none in a column `preset`")
    parser.add_argument("--config-dir", help="folder with presets of your own: migration/NAME.yaml")
    parser.add_argument("--seed", type=int, help="of files: hold back a third of the rows, drawn by this number; by default none")
    parser.add_argument("--terms", help=f"of files: fit these terms alone, by default as few as are needed: {','.join(TERMS)}")
    parser.add_argument("--out", help=f"where tables and picture go; FOLDER/{_FOLDER} or FILE-{_FOLDER} by default")
    typed = parser.parse_args(list(words))
    if all(name.endswith(".csv") for name in typed.measured):
        _compare_files(typed)
        return
    if len(typed.measured) > 1:
        raise InputError(f"{typed.measured[1]}: name one folder of sessions, or files of measurements that end with .csv")
    if not typed.fit:
        raise InputError("--fit is missing: say which sessions to fit the model to, e.g. --fit memory_mb=10,300")
    folder, corners = Path(typed.measured[0]), _corners(typed.fit)
    target = Path(typed.out) if typed.out else folder / _FOLDER
    _refuse_there(target)
    measurements = read_measurements(folder)
    for key, values in corners.items():
        there = sorted({each.keys[key] for each in measurements})
        if strange := [value for value in values if value not in there]:
            has = ", ".join(f"{value:g}" for value in there)
            raise InputError(f"--fit {key}={strange[0]:g}: no migration in {folder} has that value; choose from {has}")
    is_fitted_on = chosen(measurements, corners)
    if not any(is_fitted_on) or all(is_fitted_on):
        raise InputError(
            f"--fit {' '.join(typed.fit)} takes {'none' if not any(is_fitted_on) else 'all'} of {len(measurements)} migrations: "
            "choose values that take some and leave others to test on, or measure a third size or distance"
        )
    costs = fit_to([each for each, is_one in zip(measurements, is_fitted_on, strict=True) if is_one])
    table = compare(measurements, is_fitted_on, costs)
    by_setting, summary = settings(table), errors(table, corners)
    preset = preset_of(costs)
    with folder_in_one_piece(target, way_out="name another folder with --out") as piece:
        for name, content in (("migrations", table), ("settings", by_setting), ("errors", summary)):
            write_table(piece.scratch, name, content, "csv")
        write_preset(preset, piece.scratch / "preset.yaml")
        write_validation(by_setting, piece.scratch / "validation")
    print(_text(by_setting, summary, preset, target))


def write_preset(preset: dict[str, Any], path: Path) -> None:
    """Write a preset as `migration=NAME` reads it."""
    path.write_text("# @package _global_\n" + yaml.safe_dump(preset, sort_keys=False), encoding="utf-8")


def _compare_files(typed: Namespace) -> None:
    """Measured migrations of files: a table of all, a preset of each group, and what came out."""
    if typed.fit:
        raise InputError("--fit chooses among sessions; for files, say in a column `fit` which rows to fit on, or draw them with --seed")
    target = Path(typed.out) if typed.out else Path(f"{Path(typed.measured[0]).stem}-{_FOLDER}")
    _refuse_there(target)
    terms = typed.terms.split(",") if typed.terms else None
    if strange := [term for term in terms or () if term not in TERMS]:
        raise InputError(f"--terms {typed.terms}: there is no term {strange[0]}; choose from {', '.join(TERMS)}")
    groups = grouped([row for name in typed.measured for row in read_published(Path(name))], Split(typed.seed), terms)
    table = compare_published(groups, typed.preset, typed.config_dir, terms)
    by_set = errors_by_set(table)
    with folder_in_one_piece(target, way_out="name another folder with --out") as piece:
        for name, content in (("migrations", table), ("errors", by_set)):
            write_table(piece.scratch, name, content, "csv")
        for group in groups:
            if group.terms is not None:
                write_preset(preset_of(group.terms.costs()), piece.scratch / f"{group.name}.yaml")
        write_published(table, piece.scratch / "validation")
    print("\n".join([*_rows_text(table), "", *_sets_text(by_set), "", f"Tables, picture and presets: {target}"]))


def _rows_text(table: pd.DataFrame) -> list[str]:
    """A line for each migration."""
    models = [model for model in PUBLISHED_MODELS if not table[[f"{model}_{quantity}_s" for quantity in QUANTITIES]].isna().all(axis=None)]
    head = ["set", "row", "app", "mode", "preset"]
    for quantity in QUANTITIES:
        head += [f"{quantity} s", *(PUBLISHED_LABELS[model] for model in models)]
    rows = []
    for row in table.to_dict("records"):
        cells = [str(row[name]) for name in head[:5]]
        for quantity in QUANTITIES:
            cells += [_number(row[f"{quantity}_s"]), *(_number(row[f"{model}_{quantity}_s"]) for model in models)]
        rows.append([*cells[:-1], cells[-1] + (" *" if row["is_fitted_on"] else "")])
    return ["Seconds; * fitted on", "", *_markdown(head, rows)]


def _sets_text(by_set: pd.DataFrame) -> list[str]:
    """A line for each set."""
    models = [model for model in PUBLISHED_MODELS if not by_set[[f"{model}_{each}_median" for each in QUANTITIES]].isna().all(axis=None)]
    head = ["set", "n", *(f"{PUBLISHED_LABELS[model]}: {quantity}" for quantity in QUANTITIES for model in models)]
    rows = [
        [str(row["set"]), str(row["n"]), *(_percent(row, f"{model}_{quantity}") for quantity in QUANTITIES for model in models)]
        for row in by_set.to_dict("records")
    ]
    return ["Absolute relative error, percent: median (greatest)", "", *_markdown(head, rows)]


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3g}"


def _percent(row: Mapping[Hashable, Any], name: str) -> str:
    median, most = row[f"{name}_median"], row[f"{name}_max"]
    return "" if pd.isna(median) else f"{100 * median:.1f} ({100 * most:.0f})"


def _refuse_there(target: Path) -> None:
    if target.exists():
        raise InputError(f"{target} exists already, and results are never overwritten; remove it, or name another folder with --out")
    check_writable(target.parent)


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
