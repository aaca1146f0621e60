"""The replay of a traced run: one page that plays vehicles, containers and transfers over the city, and needs nothing else."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, select_autoescape
from markupsafe import Markup

from msmf_traci.errors import MsmfError
from msmf_traci.reporting.packing import pack
from msmf_traci.reporting.replay_data import read_replay

REPLAY_FILE = "replay.html"
_TEMPLATES = "msmf_traci.reporting.templates"
# in the order in which they build on each other
_SCRIPTS = ("replay_scene.js", "replay_images.js", "replay_view.js", "replay_map.js", "replay_timeline.js", "replay.js")
# these could end a script element or begin an entity
_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def write_replay(run: Path, out: Path) -> Path:
    """Write `out/replay.html`, the replay of a traced run.

    Parameters
    ----------
    run
        Folder of the run; its map folder lies beside it.
    out
        Folder to write to, made if it is missing; a replay that is there is replaced.

    Returns
    -------
    The page.

    Raises
    ------
    InputError
        If the run was not traced, or something of it is missing or damaged.
    MsmfError
        If the page cannot be written.
    """
    page = _page(run)
    path = out / REPLAY_FILE
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise MsmfError(f"{path} cannot be written ({error.strerror}); name another folder or free some space") from None
    return path


def json_for_script(content: Any) -> Markup:
    """JSON that stays text inside a script element, whatever names it holds."""
    return Markup(json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_ESCAPES))


def _page(run: Path) -> str:
    data = read_replay(run)
    packed = pack(data.arrays)
    environment = Environment(autoescape=select_autoescape(default=True, default_for_string=True), trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_text("replay.html"))
    return template.render(
        run=data.facts["run"],
        scenario=data.facts["scenario"],
        has_images="lists" in data.facts or "copy_outcomes" in data.facts,
        style=Markup(_text("replay.css")),
        script=Markup("\n".join(_text(name) for name in _SCRIPTS)),
        facts=json_for_script({**data.facts, "lengths": packed.lengths}),
        data=Markup(packed.text),
    )


def _text(name: str) -> str:
    return files(_TEMPLATES).joinpath(name).read_text(encoding="utf-8")
