#!/usr/bin/env python3
"""Build the wheel and the source archive, and try the wheel as a user would: install it, run it from Python and typed, remove it.

    python scripts/check_package.py [--python PYTHON ...]

Needs `build` and `twine` (the extra `dev`). PYTHON is the interpreter to install into; by default every Python from 3.11 on that is found.
Each gets a virtual environment of its own, a cache of its own and nothing else of this checkout.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINORS = range(11, 20)
TOWN = ["mobility.vehicles=5", "mobility.max_duration_s=200", "deployment.rings=4", "mobility.min_trip_m=1000"]
NOTEBOOK = f"""
import msmf_traci as msmf
run = msmf.run(*{TOWN!r}, strategies=["pm"])
assert len(run.summary) == 1 and run.facts["mobility"]["source"] == "recording"
print(run)
"""


def main() -> int:
    """Build, check and try; say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="+", metavar="PYTHON", default=pythons())
    typed = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        call([sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(ROOT)], folder)
        built = sorted((folder / "dist").iterdir())
        call([sys.executable, "-m", "twine", "check", "--strict", *map(str, built)], folder)
        for path in built:
            print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
        wheel = next(path for path in built if path.suffix == ".whl")
        for number, python in enumerate(typed.python):
            try_wheel(python, wheel, folder / f"try-{number}")
    return 0


def pythons() -> list[str]:
    """The Pythons from 3.11 on that are found, this one first."""
    found = [path for minor in MINORS if (path := shutil.which(f"python3.{minor}")) is not None and starts(path)]
    this = f"python3.{sys.version_info[1]}"
    return [sys.executable, *(path for path in found if not path.endswith(this))]


def starts(python: str) -> bool:
    """Whether what is found under that name is a Python that can make environments."""
    return subprocess.run([python, "-c", "import ensurepip"], capture_output=True, check=False).returncode == 0


def try_wheel(python: str, wheel: Path, folder: Path) -> None:
    """Install a wheel into an environment of its own, use it, and see that nothing is left when it is removed."""
    folder.mkdir()
    environment = folder / "environment"
    call([python, "-m", "venv", str(environment)], folder)
    inside = str(environment / "bin" / "python")
    call([inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)], folder)
    call([str(environment / "bin" / "msmf-traci"), *TOWN, "strategies=[pm]"], folder)
    call([inside, "-c", NOTEBOOK], folder)
    size = sum(path.stat().st_size for path in environment.rglob("*") if path.is_file() and not path.is_symlink())
    call([inside, "-m", "pip", "uninstall", "--quiet", "--yes", "msmf-traci"], folder)
    left = [str(path.relative_to(environment)) for path in environment.rglob("msmf*traci*")]
    if left:
        sys.exit(f"check_package.py: removing the package has left {', '.join(left)}")
    version = subprocess.run([inside, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}: installed, run, removed without a trace; the environment took {size / 1e6:.0f} MB")


def call(command: Sequence[str], folder: Path) -> None:
    """Do a step; its output is shown only if it fails."""
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MSMF_DATA_DIR", "NUMBA_CACHE_DIR")}
    variables["MSMF_CACHE_DIR"] = str(folder / "cache")
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"check_package.py: {' '.join(command)}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
