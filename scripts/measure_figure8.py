#!/usr/bin/env python3
"""Figures 8(b) and 8(c) on the testbed: handoffs drawn from the simulated experiment, carried out by real containers.

    sudo python scripts/measure_figure8.py results/figure8 [--out results/testbed-figure8] [--per-cell 3]

Needs finished runs of `msmf-traci -m experiment=figure8` and what `msmf-traci testbed check` asks for. Draws completed transfers:

- 8(b): for each application, transfers of pm_op_tier, whatever the means of transport;
- 8(c): for the application `ram`, transfers of each strategy and means of transport.

Each is one session of `msmf-traci testbed run` with the transfer's tiers and lead time, stopped at the handoff as in the simulation. A
long lead is cut (LONGEST_LEAD_S), so that the whole takes an hour or so: fewer rounds than in the simulation, and a task whose memory
changes nearly as fast as the link carries has not settled yet; the expectations are for the same lead as the measurement. What is done
already is not done again. Writes `handoffs.csv`, one row each: simulated, expected by equation (1) and, with `--costs PRESET.yaml`, by a
fitted model, and measured; a picture of them, `figure8.svg` and `.png`; and prints the means.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from msmf_traci.config.testbed_request import read_testbed_request
from msmf_traci.errors import MsmfError
from msmf_traci.migration.ledger import BYTE_KINDS
from msmf_traci.reporting.handoff_chart import write_handoffs
from msmf_traci.testbed.comparison import PAPER, read_measurement
from msmf_traci.testbed.conductor import tier_of
from msmf_traci.testbed.expectation import Costs, costs_of, expect
from msmf_traci.testbed_command import session_folder
from msmf_traci.units import BYTES_PER_MB

BIN = Path(sys.executable).parent
STRATEGIES = ("nearest", "pm", "pm_op", "pm_tier", "pm_op_tier")
MODES = ("walk", "bike", "bus", "car")
APPLICATIONS = ("game", "face", "ram")
OF_MODES = "ram"
# image and memory take 125, 64 and 32 s at 100 Mb/s
LONGEST_LEAD_S = {"game": 190.0, "face": 90.0, "ram": 90.0}
SEED = 8
WORDS = ["application", "source_tier", "target_tier", "lead_s"]


def read_transfers(results: Path) -> pd.DataFrame:
    """Completed transfers with a handoff of every run, with the means of transport of their vehicle."""
    tables = []
    for run in sorted(path.parent for path in results.glob("*/run.json")):
        transfers = pd.read_csv(run / "migrations.csv", dtype={"vehicle": str})
        vehicles = pd.read_csv(run / "vehicles.csv", dtype={"vehicle": str})[["vehicle", "mode"]].drop_duplicates()
        tables.append(transfers.merge(vehicles, on="vehicle").assign(run=run.name))
    if not tables:
        sys.exit(f"measure_figure8.py: {results} holds no runs; make them with msmf-traci -m experiment=figure8")
    table = pd.concat(tables, ignore_index=True)
    return table[(table["outcome"] == "completed") & table["lead_s"].notna()]


def draw(transfers: pd.DataFrame, per_cell: int) -> pd.DataFrame:
    """The transfers to carry out, each with the part of the figure that it is for."""
    drawn = []
    for application in APPLICATIONS:
        rows = transfers[(transfers["strategy"] == "pm_op_tier") & (transfers["application"] == application)]
        drawn.append(rows.sample(min(per_cell, len(rows)), random_state=SEED).assign(figure="8b"))
    for strategy in STRATEGIES:
        for mode in MODES:
            is_one = (transfers["strategy"] == strategy) & (transfers["mode"] == mode) & (transfers["application"] == OF_MODES)
            rows = transfers[is_one]
            drawn.append(rows.sample(min(per_cell, len(rows)), random_state=SEED).assign(figure="8c"))
    table = pd.concat(drawn, ignore_index=True)
    table["source_tier"], table["target_tier"] = table["source"].map(tier_of), table["target"].map(tier_of)
    table["simulated_lead_s"] = table["lead_s"]
    table["lead_s"] = table["lead_s"].clip(upper=table["application"].map(LONGEST_LEAD_S)).round(3)
    table["number"] = table.groupby(WORDS).cumcount() + 1  # among those that are carried out alike
    return table


def carry_out(row: dict[str, object], out: Path) -> Path:
    """One session of whole snapshots, which is what the models describe; its folder."""
    words = [
        f"application={row['application']}",
        f"source={row['source_tier']}",
        f"target={row['target_tier']}",
        f"handoff.lead_s={row['lead_s']}",
        "handoff.unsynced=stop",
        "track_changes=false",
        f"repetition={row['number']}",
        f"output.dir={out}",
    ]
    session = subprocess.Popen([str(BIN / "msmf-traci-testbed"), "run", *words])
    try:
        code = session.wait()
    except KeyboardInterrupt:
        session.wait()  # it hears Ctrl-C, too, and cleans up
        raise
    if code:
        sys.exit(code)
    (point,) = read_testbed_request(words, multirun=False)
    return session_folder(point)


def read_costs(preset: Path) -> Costs:
    """A fitted model from a preset."""
    terms = yaml.safe_load(preset.read_text(encoding="utf-8"))["migration"]["processing"]
    return costs_of([*(f"migration.processing.{name}={value}" for name, value in terms.items()), "workload.start_ms=[0,0]"])


def main() -> None:
    """Draw, carry out, write, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of the runs of experiment=figure8")
    parser.add_argument("--out", type=Path, default=Path("results/testbed-figure8"), metavar="FOLDER", help="where sessions go")
    parser.add_argument("--per-cell", type=int, default=3, metavar="N", help="transfers of each application, and of each strategy and mode")
    parser.add_argument("--costs", type=Path, metavar="PRESET", help="a fitted model, from msmf-traci testbed compare")
    arguments = parser.parse_args()
    drawn = draw(read_transfers(arguments.results), arguments.per_cell)
    models = {"equation_1": PAPER} | ({"fitted": read_costs(arguments.costs)} if arguments.costs else {})
    rows = []
    for number, row in enumerate(drawn.to_dict("records")):
        print(f"{number + 1} of {len(drawn)}", flush=True)
        folder = carry_out(row, arguments.out)
        measured = read_measurement(folder)
        if measured is None:
            sys.exit(f"measure_figure8.py: the transfer in {folder} did not complete; look at transfers.csv there")
        transfer = pd.read_csv(folder / "transfers.csv").iloc[0]
        found = {
            name: row[name] for name in ("figure", "application", "strategy", "mode", "source", "target", "simulated_lead_s", "lead_s")
        }
        expected = {name: expect(measured.migration, costs) for name, costs in models.items()}
        found |= {f"simulated_{kind}": row[kind] for kind in BYTE_KINDS}
        found |= {f"{name}_{kind}": model.sent_bytes[kind] for name, model in expected.items() for kind in BYTE_KINDS}
        found |= {f"measured_{kind}": transfer[kind] for kind in (*BYTE_KINDS, "link_bytes")}
        found |= {"simulated_downtime_s": row["downtime_s"]} | {f"{name}_downtime_s": model.downtime_s for name, model in expected.items()}
        rows.append(found | {"measured_downtime_s": transfer["downtime_s"], "user_downtime_s": transfer["user_downtime_s"]})
    table = pd.DataFrame(rows)
    table.to_csv(arguments.out / "handoffs.csv", index=False, lineterminator="\n")
    write_handoffs(table, arguments.out / "figure8")
    times = [name for name in table.columns if name.endswith("_s") and not name.endswith("lead_s")]
    megabytes = [name for name in table.columns if name.endswith("_bytes")]
    print((table[table["figure"] == "8b"].groupby("application")[megabytes].mean() / BYTES_PER_MB).round(1).T.to_string())
    print(table[table["figure"] == "8c"].groupby(["strategy", "mode"])[times].mean().round(2).to_string())


if __name__ == "__main__":
    try:
        main()
    except MsmfError as error:
        sys.exit(f"measure_figure8.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
