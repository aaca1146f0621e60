"""The words of a command line: what is wrong with them is said in one sentence, instead of the usage."""

from __future__ import annotations

import argparse
from typing import NoReturn

from msmf_traci.errors import InputError


class Parser(argparse.ArgumentParser):
    """Raises an InputError with one sentence, where argparse would print the usage and exit."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is."""
        raise InputError(f"{message}; see {self.prog} --help")
