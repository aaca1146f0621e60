#!/usr/bin/env python3
"""Run the tests with the lowest versions of all dependencies that pyproject.toml allows.

    python3 scripts/test_lowest_versions.py [arguments of pytest]

Makes a virtual environment in .venv-lowest with `uv`, which alone resolves to lowest versions. A bound in pyproject.toml that is too low
fails here. Needs Python 3.11, for which wheels of all these versions exist.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-lowest"
PYTHON = VENV / "bin" / "python"


def main() -> int:
    """Make the environment anew, say what is in it, run the tests there."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    subprocess.run([str(PYTHON), "-m", "pip", "install", "--quiet", "uv"], check=True)
    install = [
        str(VENV / "bin" / "uv"),
        "pip",
        "install",
        "--quiet",
        "--python",
        str(PYTHON),
        "--resolution",
        "lowest-direct",
        "-e",
        ".[dev]",
    ]
    subprocess.run(install, cwd=ROOT, check=True)
    subprocess.run([str(PYTHON), "-m", "pip", "list", "--format", "freeze"], cwd=ROOT, check=True)
    words = sys.argv[1:] or ["-n", "auto", "--maxprocesses", "4", "--dist", "worksteal"]
    return subprocess.run([str(PYTHON), "-m", "pytest", *words], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
