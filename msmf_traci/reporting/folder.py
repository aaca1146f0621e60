"""The folder of a report: written in one piece; an earlier report makes room for it, and nothing else does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msmf_traci.errors import InputError
from msmf_traci.results.store import folder_in_one_piece, read_json, write_json
from msmf_traci.scratch import remove_traces_of_the_dead

MARKER = "report.json"
_MADE_BY = "msmf-traci-report"
_WAY_OUT = "give another folder with --out"


def refuse_strangers(out: Path) -> None:
    """Refuse to write where something lies that is no report of ours.

    Raises
    ------
    InputError
        If so.
    """
    try:
        is_free = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    except OSError as error:
        raise InputError(f"{out} cannot be read ({error.strerror}): {_WAY_OUT}") from None
    if not is_free and (read_json(out / MARKER) or {}).get("made_by") != _MADE_BY:
        raise InputError(f"{out} exists and is not an earlier report (it has no {MARKER} of one): {_WAY_OUT}")


@contextmanager
def report_folder(out: Path) -> Iterator[Path]:
    """Give a scratch folder that takes the place of an earlier report at the end."""

    earlier = out.with_name(f".{out.name}.earlier-{os.getpid()}")

    def make_room(taken: Path) -> Path:
        refuse_strangers(taken)
        taken.rename(earlier)
        return taken

    remove_traces_of_the_dead(out.parent)
    try:
        with folder_in_one_piece(out, make_room, _WAY_OUT) as piece:
            yield piece.scratch
            write_json(piece.scratch / MARKER, {"made_by": _MADE_BY})
    finally:
        if earlier.exists() and not out.exists():
            earlier.rename(out)
        shutil.rmtree(earlier, ignore_errors=True)
