"""The table of bytes: what transfers and copies sent, who sent images, and what servers held, for each strategy and setting."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd

from msmf_traci.migration.ledger import IMAGE_SOURCES
from msmf_traci.reporting import style
from msmf_traci.reporting.finished_run import FinishedRun, rows_with
from msmf_traci.reporting.measures import COPIES, KINDS, REPLICATE
from msmf_traci.reporting.options import words
from msmf_traci.reporting.page_tables import Field, PageTable, number_field
from msmf_traci.reporting.reading import Results
from msmf_traci.results.summary import of_all_vehicles

_BYTES_PER_GB = 1e9
_OF_TRANSFERS = {f"{kind}_bytes": f"transfers: {kind}" for kind in KINDS}
_OF_COPIES = {outcome: f"copies: {outcome}" for outcome in style.COPIES}
_BY_SOURCE = dict(zip(IMAGE_SOURCES, ("images from the host", "images from the cloud", "images from other servers"), strict=True))
_COLUMNS = [*_OF_TRANSFERS.values(), *_OF_COPIES.values(), *_BY_SOURCE.values()]


def bytes_table(results: Results) -> PageTable | None:
    """Means over seeds, without columns of zeros; None where nothing was copied or kept, or a run has no table of transfers."""
    designed = results.few_designed
    runs = {int(number): results.runs[number] for number in designed["run"].unique()}
    if not results.of_images or not all(run.has("migrations") for run in runs.values()):
        return None
    keys = ["run", "strategy", *results.options]
    sent = pd.concat([_sent(number, run).reindex(columns=[*keys, *_COLUMNS]) for number, run in runs.items()])
    measures = {measure.column: measure for measure in results.of_images if measure not in COPIES}
    orders: dict[str, list[Hashable]] = {
        "strategy": list(results.strategies),
        **{option.name: list(option.values) for option in results.design},
    }
    rows = designed.merge(sent, on=keys)
    # sorted as readers expect them
    rows = rows.assign(**{name: pd.Categorical(rows[name], order) for name, order in orders.items()})
    groups = rows.groupby(list(orders), observed=True)
    means = groups[[*_COLUMNS, *measures]].mean().assign(seeds=groups[REPLICATE].nunique()).reset_index()
    for name, measure in measures.items():
        means[name] /= measure.per_unit
    columns = [("strategy", "", False), *((option.label, "", option.is_numeric) for option in results.design), ("seeds", "", True)]
    sizes = [name for name in _COLUMNS if (means[name] > 0).any()]
    columns += [(f"{name} (GB)", "", True) for name in sizes]
    columns += [(measure.title, measure.definition, True) for measure in measures.values()]
    return PageTable(
        columns,
        [
            [
                Field(str(row["strategy"]), key=str(row["strategy"])),
                *(_option_field(option.name, row[option.name]) for option in results.design),
                number_field(int(row["seeds"])),
                *(number_field(float(row[name])) for name in (*sizes, *measures)),
            ]
            for row in means.to_dict("records")
        ],
    )


def _option_field(name: str, value: float | str) -> Field:
    return Field(words(name, value), key=value)


def _sent(number: int, run: FinishedRun) -> pd.DataFrame:
    """GB per trip of a run's strategies and settings: of transfers by kind, of copies by outcome, and of images by source."""
    keys = run.key_columns
    transfers = run.table("migrations", [*keys, *_OF_TRANSFERS, *IMAGE_SOURCES]).astype(dict.fromkeys(keys, object))
    copies = run.table("copies", [*keys, "outcome", "image_bytes", *IMAGE_SOURCES]).astype(dict.fromkeys(keys, object))
    parts = [
        transfers[[*keys, *_OF_TRANSFERS]].rename(columns=_OF_TRANSFERS),
        *(
            copies.loc[copies["outcome"] == outcome, [*keys, "image_bytes"]].rename(columns={"image_bytes": name})
            for outcome, name in _OF_COPIES.items()
        ),
        *(table[[*keys, *IMAGE_SOURCES]].rename(columns=_BY_SOURCE) for table in (transfers, copies)),
    ]
    sums = pd.concat(parts).groupby(keys, dropna=False)[_COLUMNS].sum().reset_index()
    summary = of_all_vehicles(run.table("summary", [*keys, "commanded_kmh", "vehicles"])).astype(dict.fromkeys(keys, object))
    table = summary.merge(sums, on=keys, how="left").fillna(dict.fromkeys(_COLUMNS, 0.0))
    table[_COLUMNS] = table[_COLUMNS].div(table["vehicles"] * _BYTES_PER_GB, axis=0)
    return rows_with(number, run, table, _COLUMNS)
