"""One run as Hydra's launchers call it: judge the composed configuration, run it unless it is done, print the result."""

from __future__ import annotations

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from msmf_traci.config.compose import judge_composed
from msmf_traci.results.console import result_text
from msmf_traci.results.store import read_run, refuse_taken
from msmf_traci.run import judge_files, run_experiment
from msmf_traci.sweep import is_done, numbered, swept_folder, timed_folder


def run_composed(composed: DictConfig) -> None:
    """Run one experiment of a command; a run of a sweep that lies complete is only said to be done."""
    hydra = HydraConfig.get()
    config = judge_composed(composed, hydra.runtime.choices.get("experiment"))
    overrides = [str(word) for word in hydra.overrides.task]
    if hydra.mode != RunMode.MULTIRUN:
        summary, folder = run_experiment(config, timed_folder(config), overrides, numbered)
    else:
        folder = swept_folder(config, overrides)
        print(f"\nRun {folder.name}", flush=True)
        fingerprint = judge_files(config).fingerprint()
        if is_done(folder, config, fingerprint):
            print(f"done already: {folder}", flush=True)
            return
        # another sweep in the same folder may finish the same run first: then its run serves
        summary, folder = run_experiment(
            config, folder, overrides, lambda taken: None if is_done(taken, config, fingerprint) else refuse_taken(taken)
        )
    print(result_text(summary, read_run(folder) or {}, folder), flush=True)
