"""The words of a command line, sorted into flags and overrides; which options exist is judged in `overrides.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msmf_traci.command_line import Parser
from msmf_traci.files.input_file import input_folder


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
    help
        What help is asked for: a group of options, or the overview if empty; None where none is asked for.
    """

    overrides: list[str]
    multirun: bool
    config_dir: str | None
    help: str | None

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
    parser.add_argument("-h", "--help", nargs="?", const="")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("-cd", "--config-dir")
    parser.add_argument("overrides", nargs="*")
    typed = parser.parse_intermixed_args(list(words))
    config_dir = None if typed.config_dir is None else str(input_folder(typed.config_dir, "--config-dir").resolve())
    return Arguments(typed.overrides, typed.multirun, config_dir, typed.help)
