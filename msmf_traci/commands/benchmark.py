"""`msmf-traci benchmark`: every strategy in several cities, at several speeds and on several seeds, beside the bound."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from msmf_traci.command_line import Parser
from msmf_traci.errors import InputError
from msmf_traci.results import RESULTS
from msmf_traci.results.console import counted, say

CITIES = ("synthetic", "beijing", "bologna")
SEEDS = {"test": "10,11,12,13,14,15,16,17,18,19", "development": "0,1,2,3,4"}
REFERENCE = "lead"
DATA, BOLOGNA = "MSMF_DATA_DIR", "bologna/run.sumocfg"


def main(words: Sequence[str]) -> None:
    """Make what is missing of the benchmark, and write its page and tables.

    Raises
    ------
    InputError
        If a word is wrong, or the data of a city that was named are not there.
    MsmfError
        If a run has failed; the same command then makes only the missing ones.
    """
    parser = Parser(
        "msmf-traci benchmark",
        description="Compare strategies by what trips cost, beside the bound, in several cities. Runs that are done are not made again.",
    )
    parser.add_argument(
        "words", nargs="*", metavar="OPTION=VALUE", help="options of all runs, such as mobility.vehicles=20 or hydra/launcher=joblib"
    )
    parser.add_argument(
        "--strategy", action="append", default=[], metavar="NAME", help="one more strategy: package.module:Class of your own"
    )
    parser.add_argument("--city", action="append", choices=CITIES, help="leave out the others; all whose data are there if not given")
    parser.add_argument("--seeds", choices=list(SEEDS), default="test", help="tune on those for development, report those for test")
    parser.add_argument("--quick", action="store_true", help="a first look: the synthetic city, 50 km/h, one seed")
    parser.add_argument(
        "--out", default=f"{RESULTS}/benchmark", metavar="DIR", help=f"where everything goes; {RESULTS}/benchmark if not given"
    )
    typed = parser.parse_args(list(words))
    out = Path(typed.out).expanduser()
    cities = typed.city or (["synthetic"] if typed.quick else [city for city in CITIES if _is_there(city)])
    for city in cities:
        _find(city)
    for word in typed.words:
        if word.startswith(("strategies=", "output.dir=", "seed=")):
            raise InputError(f"{word}: the benchmark says this itself; use --strategy, --out or --seeds")

    # what is heavy is loaded only once the words are known to be right
    from msmf_traci.config.compose import Request, read_request
    from msmf_traci.experiment.bounds import add_bounds
    from msmf_traci.launch.carrying_out import make_sweep
    from msmf_traci.reporting.benchmark import benchmark_of, write_benchmark
    from msmf_traci.reporting.folder import refuse_strangers
    from msmf_traci.results.cost import TRAFFIC_FACTORS
    from msmf_traci.results.runs import Run
    from msmf_traci.strategies.plugins import load_strategies
    from msmf_traci.weights import Weights

    def request_of(city: str, more: Sequence[str]) -> Request:
        seeds = "0" if typed.quick else SEEDS[typed.seeds]
        speeds = ["mobility.speed_kmh=50"] if typed.quick and city != "bologna" else []
        fixed = [f"experiment=benchmark_{city}", f"seed={seeds}", *speeds, f"output.dir={out / 'runs' / city}"]
        return read_request([*fixed, *more], multirun=True, config_dir=None)

    refuse_strangers(out / "page")
    requests = {}
    for city in cities:
        named = request_of(city, ()).points[0].config.strategies
        own = [name for name in typed.strategy if name not in named]
        requests[city] = request_of(city, [*([f"strategies=[{','.join([*named, *own])}]"] if own else []), *typed.words])
    reference = load_strategies(typed.strategy[:1])[0].name if typed.strategy else REFERENCE
    made = {}
    for city, request in requests.items():
        say(f"{city}: {counted(len(request.points), 'run')}")
        made[city] = [Run(folder) for folder in make_sweep(request).runs]
    weights = Weights(**next(iter(requests.values())).points[0].config.cost.model_dump())
    for run in itertools.chain(*made.values()):  # runs that were made before may be valued at other weights now
        add_bounds(run.folder, [weights.with_traffic(factor) for factor in TRAFFIC_FACTORS.values()])
    print(f"Benchmark: {write_benchmark(benchmark_of(made, reference, weights), out / 'page')}")


def _is_there(city: str) -> bool:
    """Whether the data of a city are there; those of the synthetic one always."""
    try:
        _find(city)
    except InputError:
        return False
    return True


def _find(city: str) -> None:
    """Find the data of a city.

    Raises
    ------
    InputError
        If they are not there.
    """
    if city == "beijing":
        from msmf_traci.scenario.osm import find_beijing_map

        find_beijing_map()
    elif city == "bologna":
        folder = os.environ.get(DATA)
        if folder is None or not (Path(folder) / BOLOGNA).is_file():
            raise InputError(f"--city bologna needs its scenario: set {DATA} to the folder that has {BOLOGNA} in it, or leave it out")
