"""Launchers: which are known, which extra is missing, what an allocation offers; and that composing once is composing each."""

import importlib.util
import os
import re

import pytest

from msmf_traci.config import compose
from msmf_traci.config.compose import read_request
from msmf_traci.config.help import help_text
from msmf_traci.config.launchers import check_installed, usable_cores
from msmf_traci.errors import InputError


@pytest.mark.parametrize("launcher", ["joblib", "slurm", "ray"])
def test_missing_extra_is_named_with_the_line_to_type(launcher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=re.escape(f"type: pip install 'msmf-traci[{launcher}]'")):
        read_request(["seed=0,1", f"hydra/launcher={launcher}"], multirun=True)


def test_launcher_of_hydra_itself_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_installed("basic")


def test_help_lists_the_launchers() -> None:
    assert "basic, joblib, ray, slurm" in help_text("hydra")


def test_workers_are_as_many_as_the_allocation_has_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    monkeypatch.delenv("SLURM_CPUS_ON_NODE", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5}, raising=False)
    assert usable_cores() == 3
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "8")
    assert usable_cores() == 8
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "4")
    assert usable_cores() == 4


@pytest.mark.parametrize(
    "words",
    [
        ["seed=0,1", "mobility.speed_kmh=5,50", "strategies=[pm],[pm,never]"],
        ["deployment.rings=null,3", "workload.image_mb=[100,200],500", "mobility.vehicles=7"],
        ["scenario=synthetic,beijing", "seed=0,1", "deployment.spacing_m=250,500"],
        ["experiment=quick,paper_table2", "seed=3,4", "output.dir=here"],
        ["deployment.center=null,{x: 1, y: 2}", "seed=1,2"],
        ["experiment=paper_table2"],
        ["scenario=sumo", "scenario.sumocfg_file=a.sumocfg", "mobility.step_s=null,0.5"],
        ["seed=0,1", "seed=5"],
    ],
)
def test_points_composed_once_are_those_that_hydra_composes_each(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    quick = read_request(words, multirun=True)
    monkeypatch.setattr(compose, "_comes_late", lambda *_: False)
    assert read_request(words, multirun=True) == quick
