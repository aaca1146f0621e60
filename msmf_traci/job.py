"""One run as Hydra's launchers call it: judge the composed configuration, run it unless it is done, print the result."""

from __future__ import annotations

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from msmf_traci.config.compose import judge_composed
from msmf_traci.results.console import result_text
from msmf_traci.results.store import refuse_taken
from msmf_traci.run import judge_files, run_experiment
from msmf_traci.sweep import is_done, numbered, swept_folder, timed_folder


def run_composed(composed: DictConfig) -> None:
    """Run one experiment of a command; a run of a sweep that lies complete is only said to be done."""
    hydra = HydraConfig.get()
    config = judge_composed(composed, hydra.runtime.choices.get("experiment"))
    inputs = judge_files(config)
    overrides = [str(word) for word in hydra.overrides.task]
    if hydra.mode != RunMode.MULTIRUN:
        result = run_experiment(config, inputs, timed_folder(config), overrides, numbered)
    else:
        folder, fingerprint = swept_folder(config, overrides), inputs.fingerprint()
        print(f"\nRun {folder.name}", flush=True)
        if is_done(folder, config, fingerprint):
            print(f"done already: {folder}", flush=True)
            return

        def theirs_if_equal(taken: Path) -> Path | None:
            """Another sweep in the same folder may finish the same run first: then its run serves."""
            return None if is_done(taken, config, fingerprint) else refuse_taken(taken)

        result = run_experiment(config, inputs, folder, overrides, theirs_if_equal)
    print(result_text(result.summary, result.facts, result.folder), flush=True)
