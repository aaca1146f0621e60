"""`msmf-traci testbed`: what the machine can do, sessions of real migrations, and the removal of what killed sessions have left."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msmf_traci.command_line import Parser
from msmf_traci.config.testbed_request import SessionPoint, read_testbed_request, session_options
from msmf_traci.errors import InputError, MsmfError
from msmf_traci.launch.naming import name_by
from msmf_traci.results.console import counted, say
from msmf_traci.results.store import RUN_FILE, check_writable, folder_in_one_piece, read_run, write_json, write_table
from msmf_traci.scratch import remove_traces_of_the_dead

_USAGE = """\
msmf-traci testbed: containers that really migrate, between hosts that are network namespaces of this machine (docs/testbed.md).

  sudo scripts/setup_testbed.sh                       install what it needs
  msmf-traci testbed check                            what this machine can do, as a table
  msmf-traci testbed run memory_mb=100                one migration, local to regional server
  msmf-traci testbed run -m memory_mb=10,100 repetition=1,2,3      a sweep: every combination, one after another
  msmf-traci testbed run drive.run=results/synthetic/RUN drive.strategy=pm_op_tier drive.duration_s=300
  msmf-traci testbed compare results/testbed --fit memory_mb=10,300 round_trip_ms=1,100      the model against measurements
  msmf-traci testbed clean                            remove what a killed session has left

Options of run and their defaults
"""


def main(words: Sequence[str]) -> None:
    """Do what the first word says.

    Raises
    ------
    MsmfError
        If something is missing, wrong or fails.
    """
    words = list(words)
    _widen_path()
    if not words or words[0] in ("-h", "--help") or (words[0] != "compare" and words[1:] in (["-h"], ["--help"])):
        print(_help())
        return
    commands = {"check": _check, "run": _run, "compare": _compare, "clean": _clean}
    if words[0] not in commands:
        raise InputError(f"{words[0]}: there is no such command; choose from {', '.join(commands)}")
    commands[words[0]](words[1:])


def _widen_path() -> None:
    """Find the administrator's programs also where the caller's PATH does not reach them, as under su and cron."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(dict.fromkeys([*folders, "/usr/sbin", "/sbin"]))


def _help() -> str:
    options = session_options()
    shown = {name: f"{name}={'null' if default is None else default}" for name, (_, default) in options.items()}
    width = max(map(len, shown.values()))
    return _USAGE + "\n".join(f"  {shown[name]:<{width}}  {description}" for name, (description, _) in options.items())


def _check(words: Sequence[str]) -> None:
    from msmf_traci.testbed.parts import check_lines, require

    _refuse_words("check", words)
    print("\n".join(check_lines()))
    require()


def _compare(words: Sequence[str]) -> None:
    from msmf_traci.testbed_comparison import main as compare_main

    compare_main(words)


def _clean(words: Sequence[str]) -> None:
    from msmf_traci.testbed.leftovers import clean

    _refuse_words("clean", words)
    if os.geteuid() != 0:
        raise InputError("only root can remove what sessions have left; run msmf-traci testbed clean as root")
    done, failures = clean()
    if done or not failures:
        print("\n".join(done) or "nothing of a killed session is left")
    if failures:
        raise MsmfError("; ".join(failures))


def _refuse_words(command: str, words: Sequence[str]) -> None:
    if words:
        raise InputError(f"{words[0]}: {command} takes no options; leave it out")


def _run(words: Sequence[str]) -> None:
    parser = Parser("msmf-traci testbed run", add_help=False, allow_abbrev=False)
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("overrides", nargs="*")
    typed = parser.parse_intermixed_args(list(words))
    points = read_testbed_request(typed.overrides, multirun=typed.multirun)
    folders = [session_folder(point) for point in points]
    if len(set(folders)) < len(folders):
        raise InputError("the sweep asks for the same session twice; give every value once")
    missing = [(point, folder) for point, folder in zip(points, folders, strict=True) if not _is_done(point, folder)]
    if len(missing) < len(points):
        done = len(points) - len(missing)
        print(f"{done} of {counted(len(points), 'session')} done already in {folders[0].parent}, {len(missing)} to do", flush=True)
    if not missing:
        return
    from msmf_traci.testbed.images import Images
    from msmf_traci.testbed.leftovers import recorded
    from msmf_traci.testbed.parts import require
    from msmf_traci.testbed_job import judge, measure

    parts = require()
    check_writable(folders[0].parent)
    remove_traces_of_the_dead(folders[0].parent)
    with recorded(Path(points[0].config.folder), folders[0].parent) as (_, scratch):
        images = Images(scratch)
        for point, _ in missing:
            judge(point.config, images)
        lost = 0
        for number, (point, folder) in enumerate(missing, 1):
            say(f"session {number} of {len(missing)}: {folder.name}")
            with folder_in_one_piece(folder) as piece:
                measured = measure(point.config, images, parts)
                for name, table in measured.tables.items():
                    write_table(piece.scratch, name, table, "csv")
                facts = {"overrides": list(point.overrides), "config": point.config.model_dump(), **measured.facts}
                write_json(piece.scratch / RUN_FILE, facts)
            print(f"{measured.text}\n  {folder}", flush=True)
            lost += not measured.is_whole
    if lost:
        raise MsmfError(
            f"the service lost its state in {counted(lost, 'session')}: see continuity in run.json, and do not use these figures"
        )


def session_folder(point: SessionPoint) -> Path:
    """Folder of a session: called by its words."""
    name = name_by([word for word in point.overrides if not word.startswith(("output.", "folder="))])
    return Path(point.config.output.dir).expanduser() / name


def _measured(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without what says where things lie, which changes nothing that is measured."""
    return {name: value for name, value in config.items() if name not in ("folder", "output")}


def _is_done(point: SessionPoint, folder: Path) -> bool:
    if not folder.exists():
        return False
    found = read_run(folder)
    if found is None or _measured(found.get("config", {})) != _measured(point.config.model_dump()):
        raise InputError(f"{folder} holds another session, and results are never overwritten; set output.dir to another folder")
    return True
