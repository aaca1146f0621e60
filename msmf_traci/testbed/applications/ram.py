"""A program that holds much memory whose contents keep changing, and does nothing else."""

from __future__ import annotations

import service


class Program(service.Application):
    """Nothing beside its memory."""


if __name__ == "__main__":
    service.serve(Program())
