"""What a pass follows from: the key under which its recording is found again, or why it has none."""

from __future__ import annotations

from dataclasses import dataclass

from msmf_traci.code_version import code_hash
from msmf_traci.mobility.sumo_command import Command, Load, files_asked_for, options_asked_for
from msmf_traci.scenario.content_cache import content_key
from msmf_traci.scenario.sumo_options import READ, WRITTEN, WRITTEN_AS_TEXT, Options


@dataclass
class PassKey:
    """Identity of a pass.

    Attributes
    ----------
    key
        Hash of everything that determines the frames; None if that cannot be known.
    why_none
        Why there is no key.
    writes
        Whether SUMO writes files of its own in this pass, which a replay would not.
    """

    key: str | None = None
    why_none: str | None = None
    writes: bool = False


def pass_key(sumo_version: str, load: Load, command: Command) -> PassKey:
    """Key of the pass that SUMO would drive.

    Parameters
    ----------
    sumo_version
        SUMO's release.
    load, command
        What it loads and how it is run.
    """
    if command.gui:
        return PassKey(why_none="a person can change it in sumo-gui")
    options = options_asked_for(load, command)
    found = files_asked_for(load, command)
    if found.unknown:
        return PassKey(why_none=found.unknown[0], writes=bool(found.outputs))
    key = content_key(
        network=load.network.key,
        files=found.hashes,
        options=what_is_said(options),
        speed_mps=command.speed_mps,
        mode=command.mode,
        max_duration_s=command.max_duration_s,
        sumo=sumo_version,
        code=code_hash("pass"),
    )
    return PassKey(key, writes=bool(found.outputs))


def what_is_said(options: Options) -> dict[str, str]:
    """The options but for names of files, whose content counts."""
    return {name: value for name, value in sorted(options.items()) if name not in READ | WRITTEN | WRITTEN_AS_TEXT}
