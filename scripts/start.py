#!/usr/bin/env python3
"""Set up and run msmf-traci, or set up and run its tests, on a machine with Python 3.11+ and nothing else.

    python3 scripts/start.py run [overrides of msmf-traci]
    python3 scripts/start.py test [arguments of pytest]

Makes a virtual environment (.venv to run, .venv-test to test), installs the package there, and looks for the system's libraries
that SUMO needs. A second run installs nothing unless pyproject.toml has changed. Uses the standard library only.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SYSTEM_PACKAGES = ["libx11-6", "libxext6", "libxrender1", "libgl1", "libatomic1"]
# what is installed, and where: what tests need changes nothing in what runs
MODES = {"run": (".", ROOT / ".venv"), "test": (".[dev]", ROOT / ".venv-test")}


def stop(sentence: str) -> None:
    """End with one sentence and exit code 2."""
    print(f"start.py: {sentence}", file=sys.stderr)
    sys.exit(2)


def call(command: list[str], doing: str) -> None:
    """Run a step of the set-up; its output is shown only if it fails."""
    print(f"{doing} ...", file=sys.stderr, flush=True)
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if result.returncode != 0:
        print(result.stdout, file=sys.stderr)
        stop(f"{doing} failed; its output stands above")


def is_root_on_debian() -> bool:
    """Whether system packages can be installed without asking anybody."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_system_packages(packages: list[str], why: str) -> None:
    """Install packages of Debian or Ubuntu as root, or say the one line to type."""
    line = f"apt-get install -y {' '.join(packages)}"
    if not is_root_on_debian():
        stop(f"{why}; type: sudo {line}")
    call(["apt-get", "update", "-qq"], "updating the list of system packages")
    call(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], f"installing {' '.join(packages)}")


def programs_of(venv: Path) -> Path:
    """Where a virtual environment has its programs."""
    return venv / ("Scripts" if os.name == "nt" else "bin")


def make_environment(venv: Path) -> None:
    """Make a virtual environment, unless it is there."""
    if (venv / "pyvenv.cfg").is_file() and shutil.which("pip", path=str(programs_of(venv))):
        return
    shutil.rmtree(venv, ignore_errors=True)
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        install_system_packages([f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"], "this Python has no ensurepip")
    call([sys.executable, "-m", "venv", str(venv)], f"making a virtual environment in {venv.name}")


def install(what: str, venv: Path) -> None:
    """Install the package with what it needs, unless this was done for the same pyproject.toml."""
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()).hexdigest()
    stamp = venv / "installed"
    if stamp.is_file() and stamp.read_text() == digest:
        return
    call(
        [str(programs_of(venv) / "python"), "-m", "pip", "install", "--disable-pip-version-check", "-e", what],
        f"installing {what} and what it needs into {venv.name}",
    )
    stamp.write_text(digest)


def check_sumo(venv: Path) -> None:
    """See that SUMO starts; install the system's libraries that it lacks where that can be done."""
    find = "import importlib.util as u; print(list(u.find_spec('sumo').submodule_search_locations)[0])"
    home = subprocess.run([str(programs_of(venv) / "python"), "-c", find], capture_output=True, text=True, check=True).stdout.strip()
    sumo = [str(Path(home) / "bin" / "sumo"), "--version"]
    if subprocess.run(sumo, capture_output=True, check=False).returncode == 0:
        return
    if sys.platform.startswith("linux"):
        install_system_packages(SYSTEM_PACKAGES, "SUMO needs libraries of the system that are missing")
    result = subprocess.run(sumo, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        stop(f"SUMO does not start: {result.stderr.strip()}")


def main() -> int:
    """Set up, then run what was asked for."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is where an older Python is told so
        stop(f"msmf-traci needs Python 3.11 or newer, and this is {sys.version.split()[0]}; call this script with a newer one")
    mode, words = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if mode not in MODES:
        stop("say what to do: python3 scripts/start.py run, or python3 scripts/start.py test")
    what, venv = MODES[mode]
    make_environment(venv)
    install(what, venv)
    check_sumo(venv)
    if mode == "run":
        command = [str(programs_of(venv) / "msmf-traci"), *words]
    else:
        command = [str(programs_of(venv) / "python"), "-m", "pytest", "-n", "auto", "--maxprocesses", "4", "--dist", "worksteal", *words]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if mode == "run" and code == 0 and not words:
        report = programs_of(venv).relative_to(ROOT) / "msmf-traci"
        print(f"Next: {report} report, for a page with figures; README.md has more to try", file=sys.stderr)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
