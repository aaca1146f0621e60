"""The words of a command line, sorted into flags and overrides; which options exist is judged in `overrides.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msmf_traci.command_line import Parser
from msmf_traci.errors import InputError


@dataclass(frozen=True)
class Arguments:
    """What was typed.

    Attributes
    ----------
    overrides
        The `name=value` words.
    multirun
        Whether a sweep is asked for.
    config_dir
        A folder of the user's own configuration.
    help, version
        Whether only these are asked for.
    """

    overrides: list[str]
    multirun: bool
    config_dir: str | None
    help: bool
    version: bool

    def flags(self, *, multirun: bool) -> list[str]:
        """The flags that Hydra takes."""
        flags = ["--multirun"] if multirun else []
        return flags if self.config_dir is None else [*flags, "--config-dir", self.config_dir]


def read_arguments(words: Sequence[str]) -> Arguments:
    """Sort the words of a command line.

    Raises
    ------
    InputError
        If a flag is unknown or the configuration folder does not exist.
    """
    parser = Parser("msmf-traci", add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("-cd", "--config-dir")
    parser.add_argument("overrides", nargs="*")
    typed = parser.parse_intermixed_args(list(words))
    if typed.config_dir is not None and not Path(typed.config_dir).is_dir():
        raise InputError(f"--config-dir {typed.config_dir}: there is no such folder; check the path")
    config_dir = None if typed.config_dir is None else str(Path(typed.config_dir).resolve())
    return Arguments(typed.overrides, typed.multirun, config_dir, typed.help, typed.version)
