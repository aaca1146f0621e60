"""One experiment, from a judged configuration to tables on disk."""

from msmf_traci.experiment.experiment import run_experiment
from msmf_traci.experiment.preparation import judge_files
from msmf_traci.experiment.preview import preview

__all__ = ["judge_files", "preview", "run_experiment"]
