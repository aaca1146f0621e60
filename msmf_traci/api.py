"""The Python interface: what the command line does, for those who write Python.

import msmf_traci as msmf

run = msmf.run("mobility.speed_kmh=20", strategies=["pm", "oracle"])
run.summary
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msmf_traci.config.compose import Request, read_request
from msmf_traci.config.launchers import IN_PROCESS
from msmf_traci.errors import InputError, MsmfError, ToolError
from msmf_traci.experiment.outside import OpenPass, Outside
from msmf_traci.migration.kernel import Now
from msmf_traci.mobility.recorded_pass import RecordedPass
from msmf_traci.records import dtype_of
from msmf_traci.results.newest import newest_results
from msmf_traci.results.runs import Run, Runs, load_runs
from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.strategies.plugins import is_offered, offer_strategies
from msmf_traci.strategies.situation import Situation
from msmf_traci.strategies.strategy import Decision, Strategy

__all__ = [
    "KEEP",
    "NO_SERVER",
    "Decision",
    "InputError",
    "MsmfError",
    "Now",
    "OpenPass",
    "RecordedPass",
    "Run",
    "Runs",
    "Situation",
    "Strategy",
    "ToolError",
    "dtype_of",
    "load",
    "open_pass",
    "preview",
    "recording",
    "report",
    "run",
    "sweep",
]

Options = str | Mapping[str, Any]
Strategies = Iterable[str | type[Strategy]]
_PLAIN = re.compile(r"[A-Za-z0-9_./+-]+")
_passes = itertools.count()
_WORDS = ("null", "true", "false")  # as text


def run(*options: Options, strategies: Strategies | None = None, config_dir: str | Path | None = None, **more: Any) -> Run:
    """Carry out one run, as `msmf-traci` does, and return its result.

    Parameters
    ----------
    options
        Words of the command line such as `"mobility.speed_kmh=20"`, or mappings such as `{"mobility.speed_kmh": 20}`.
    strategies
        Names of strategies, or classes of your own; all eight by default.
    config_dir
        A folder with experiments of your own.
    more
        Options without a dot in their name: `seed=3`, `scenario="beijing"`.

    Raises
    ------
    InputError
        If an option or a file is wrong. The text is the one that the command line shows.
    MsmfError
        If SUMO or the disk fails.

    Examples
    --------
    >>> run = msmf.run("scenario=synthetic", {"mobility.speed_kmh": 20}, strategies=["pm", "oracle"])
    >>> run.summary[["strategy", "satisfied_share"]]
    """
    from msmf_traci.launch.carrying_out import make_run

    request = _request(options, strategies, more, config_dir, multirun=False)
    _refuse_no_run(request, "call sweep() in place of run()")
    return Run(make_run(request).folder)


def sweep(*options: Options, strategies: Strategies | None = None, config_dir: str | Path | None = None, **more: Any) -> Runs:
    """Make the missing runs of a sweep, as `msmf-traci -m` does, and return all its runs.

    Parameters
    ----------
    options
        As of `run`. Several values of an option make the sweep: `"seed=0,1,2"`, or a list in a mapping, `{"seed": [0, 1, 2]}`. The values
        under `variants` share each pass: `{"seed": [0, 1], "variants.links.bandwidth_mbps": [50, 100]}` makes two runs.
    strategies
        As of `run`.
    config_dir
        As of `run`.
    more
        As of `run`.

    Raises
    ------
    InputError
        If an option or a file is wrong in any of the runs.
    MsmfError
        If a run has failed. The others are made, and the same call does only what is missing.

    Examples
    --------
    >>> runs = msmf.sweep({"mobility.speed_kmh": [20, 50], "seed": range(3)}, strategies=["pm", "oracle"])
    >>> runs.summary.groupby(["strategy", "commanded_kmh"])["satisfied_share"].mean()
    """
    from msmf_traci.launch.carrying_out import make_sweep

    request = _request(options, strategies, more, config_dir, multirun=True)
    _refuse_dry_run(request)
    made = make_sweep(request)
    return Runs(made.folder, [Run(folder) for folder in made.runs])


def preview(
    *options: Options, strategies: Strategies | None = None, config_dir: str | Path | None = None, as_sweep: bool = False, **more: Any
) -> str:
    """Say what a run, or a sweep, would do: cells, edges, what is cached, rough time and disk. Nothing is started.

    Parameters
    ----------
    options
        As of `run`, or of `sweep`.
    strategies
        As of `run`.
    config_dir
        As of `run`.
    more
        As of `run`.
    as_sweep
        Whether the options are those of a sweep. Each item of a list is then a value of the sweep.

    Raises
    ------
    InputError
        If an option or a file is wrong.
    """
    from msmf_traci.experiment import preview as lines_of

    request = _request(options, strategies, more, config_dir, multirun=as_sweep)
    return "\n".join(lines_of([point.config for point in request.points]))


def open_pass(
    *options: Options,
    strategies: Strategies = (),
    name: str = "outside",
    tiers: int | None = 1,
    predictor: str = "map",
    config_dir: str | Path | None = None,
    **more: Any,
) -> OpenPass:
    """Open a mobility pass that you advance yourself, frame by frame, deciding for every vehicle. It leaves no folder.

    Parameters
    ----------
    options
        As of `run`.
    strategies
        Names or classes of others in the same pass, for comparison.
    name, tiers, predictor
        Those of your own decisions, as a `Strategy` has them.
    config_dir
        As of `run`.
    more
        As of `run`.

    Raises
    ------
    InputError
        If an option or a file is wrong.

    Examples
    --------
    >>> with msmf.open_pass("mobility.vehicles=20", strategies=["pm"]) as driving:
    ...     now = driving.begin()
    ...     while now is not None:
    ...         now = driving.step(msmf.Decision(home=now.home, target=now.next_home()))
    ...     driving.tables()["summary"]
    """
    if isinstance(strategies, str):
        raise InputError(f"strategies={strategies!r}: give a list of names or classes, such as ['pm']")
    # each pass has a class of its own: several may be open at once
    own = type(f"Outside{next(_passes)}", (Outside,), {"name": name, "tiers": tiers, "predictor": predictor})
    request = _request(options, [*strategies, own], more, config_dir, multirun=False)
    _refuse_no_run(request, "open one of its runs")
    return OpenPass(request.points[0].config)


def load(*folders: str | Path) -> Run | Runs:
    """Load finished runs from disk.

    Parameters
    ----------
    folders
        The folder of a run or of a sweep, or several such folders.

    Returns
    -------
    A `Run` where one folder of a run is named, else `Runs`.

    Raises
    ------
    InputError
        If there is no run, a run is damaged, or the runs are of several versions of msmf-traci.

    Examples
    --------
    >>> msmf.load("results/synthetic").summary
    """
    return load_runs(folders)


def report(*results: Run | Runs | str | Path, out: str | Path | None = None, replay: bool = False, claims: bool = False) -> Path:
    """Write a page with figures about finished runs, as `msmf-traci report` does.

    Parameters
    ----------
    results
        Runs, or their folders. The first is reported on, the others add to it. Without any, the newest in the folder `results` here.
    out
        Folder to write; `report` in the first folder if not given.
    replay
        Whether to add a replay of the first run with a trace.
    claims
        Whether to judge the paper's claims, whatever experiment was run.

    Returns
    -------
    The page.

    Raises
    ------
    InputError
        If there is nothing to report on, or what is there does not belong together.
    """
    from msmf_traci.reporting.command import write_report

    folders = [result.folder if isinstance(result, Run | Runs) else Path(result).expanduser() for result in results] or [newest_results()]
    # those runs and no others that lie beside them
    chosen = {result.folder: [each.folder for each in result] for result in results if isinstance(result, Runs)}
    place = None if out is None else Path(out).expanduser()
    return write_report(folders, place, replay=replay, claims=claims, chosen=chosen)


def recording(source: Run | str | Path) -> RecordedPass:
    """Open the recording of a mobility pass: every vehicle at every step.

    Parameters
    ----------
    source
        A run, or the file of a recording.

    Raises
    ------
    InputError
        If the run left no recording, or the file is none.

    Examples
    --------
    >>> msmf.recording(run).frames().groupby("vehicle")["speed_mps"].mean()
    """
    if not isinstance(source, Run):
        return RecordedPass(Path(source).expanduser())
    mobility = source.facts.get("mobility") or {}
    if mobility.get("recording") is None:
        why = mobility.get(
            "not_recorded", f"its positions are from {mobility.get('source', 'an unknown source')}, and only what SUMO drives is recorded"
        )
        raise InputError(f"{source.folder} has no recording: {why}")
    path = Path(mobility["recording"]["file"])
    if not path.is_file():
        raise InputError(f"the recording of {source.folder} is no longer in the cache ({path}); make the run again")
    return RecordedPass(path)


def _request(
    options: Sequence[Options], strategies: Strategies | None, more: Mapping[str, Any], config_dir: str | Path | None, *, multirun: bool
) -> Request:
    words = []
    for option in [*options, more]:
        if not isinstance(option, str | Mapping):
            raise InputError(f"{option!r} is no option; write words such as 'seed=1', or mappings such as {{'seed': 1}}")
        words += [option] if isinstance(option, str) else [word_of(name, value, multirun=multirun) for name, value in option.items()]
    if isinstance(strategies, str) or not isinstance(strategies, Iterable | None):
        raise InputError(f"strategies={strategies!r}: give a list of names or classes, such as ['pm']")
    if strategies is not None:
        words.append(f"strategies={_text_of(offer_strategies(list(strategies)))}")
    folder = None if config_dir is None else str(Path(config_dir).expanduser().resolve())
    try:
        request = read_request(words, multirun=multirun, config_dir=folder)
    except InputError as error:
        lists = [name for option in [*options, more] if isinstance(option, Mapping) for name, value in option.items() if _is_list(value)]
        if multirun or not str(error).startswith(tuple(f"{name}=" for name in lists)):
            raise
        raise InputError(f"{error}; several values make a sweep: call sweep()") from None
    own = [name for name in request.points[0].config.strategies if is_offered(name)]
    if own and request.launcher != IN_PROCESS:
        raise InputError(
            f"hydra/launcher={request.launcher}: its workers do not know the class {own[0]} of this program; leave hydra/launcher out"
        )
    return request


def _refuse_no_run(request: Request, instead: str) -> None:
    """Refuse what is a sweep, and what makes no run at all."""
    if request.is_sweep:
        raise InputError(f"experiment={request.points[0].config.experiment} is a sweep; {instead}")
    _refuse_dry_run(request)


def _refuse_dry_run(request: Request) -> None:
    if request.points[0].config.dry_run:
        raise InputError("dry_run=true makes no run that could be returned; call preview() in place of this function")


def word_of(name: str, value: Any, *, multirun: bool) -> str:
    """An option and its value, or in a sweep its values, as a word of the command line.

    Parameters
    ----------
    name
        Dotted.
    value
        A number, text, None, a path, a list or a mapping. In a sweep, the items of a list are the values; a list of lists has lists. Under
        `variants` a list is always one value, since its items share the pass.
    multirun
        Whether it is for a sweep.
    """
    if multirun and _is_list(value) and not name.startswith("variants."):
        return f"{name}={','.join(_text_of(each) for each in value)}"
    return f"{name}={_text_of(value)}"


def _is_list(value: Any) -> bool:
    return not isinstance(value, str | bytes | Mapping) and hasattr(value, "__iter__")


def _text_of(value: Any) -> str:
    """A value as Hydra reads it."""
    if hasattr(value, "item") and not _is_list(value):
        value = value.item()  # numpy's numbers
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_text_of(each)}" for key, each in value.items()) + "}"
    if _is_list(value):
        return "[" + ",".join(_text_of(each) for each in value) + "]"
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    # of backslashes only those before a quote, or before the end, count as such
    return '"' + re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + ('\\"' if found[2] else ""), text) + '"'
