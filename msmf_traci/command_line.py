"""The words of a command line: what is wrong with them is said in one sentence, instead of the usage."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from msmf_traci.errors import InputError
from msmf_traci.version import VERSION


class Parser(argparse.ArgumentParser):
    """Raises an InputError with one sentence, where argparse would print the usage and exit. Every command has `--version`."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self.add_argument("--version", action="version", version=f"msmf-traci {VERSION}", help="show the version and stop")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is."""
        raise InputError(f"{message}; see {self.prog} --help")
