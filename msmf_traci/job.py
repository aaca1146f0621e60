"""One run as Hydra's launchers call it: judge the composed configuration, run it unless it is done, print the result."""

from __future__ import annotations

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from msmf_traci.config.compose import judge_composed
from msmf_traci.results.console import result_text
from msmf_traci.results.store import read_run
from msmf_traci.run import run_experiment
from msmf_traci.sweep import is_done, swept_folder, timed_folder


def run_composed(composed: DictConfig) -> None:
    """Run one experiment of a command; a run of a sweep that lies complete is only said to be done."""
    config = judge_composed(composed)
    hydra = HydraConfig.get()
    overrides = [str(word) for word in hydra.overrides.task]
    is_sweep = hydra.mode == RunMode.MULTIRUN
    folder = swept_folder(config, overrides) if is_sweep else timed_folder(config)
    if is_sweep:
        print(f"\nRun {folder.name}", flush=True)
        if is_done(folder, config):
            print(f"done already: {folder}", flush=True)
            return
    summary = run_experiment(config, folder, overrides)
    print(result_text(summary, read_run(folder) or {}, folder), flush=True)
