"""Root file systems for containers, out of the Python that is running: its interpreter, the modules a program really loads, libraries.

Paths inside are those outside, so that the interpreter finds its library by itself. Incompressible bytes make up the size asked for.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msmf_traci.errors import InputError, MsmfError
from msmf_traci.scratch import owned_scratch, part_of
from msmf_traci.testbed.face_video import INSTALL_OPENCV, write_video
from msmf_traci.units import BYTES_PER_MB

APPLICATIONS = ("game", "face", "ram")
ROOTFS = "rootfs"

_PROGRAMS = Path(__file__).parent / "applications"
_APP = "app"
_PACKAGES = f"{_APP}/packages"
_EMPTY_FOLDERS = ("proc", "dev", "sys", "tmp", _APP)
_FILLER_FILE_BYTES = 64_000_000
_FILLER_CHUNK_BYTES = 1_000_000
# -S: no site-packages; -E: no PYTHON... from outside; -B: the image stays as it is; -u: nothing is held back
_OPTIONS = ("-S", "-E", "-B", "-u")
_CASCADE = "haarcascade_frontalface_default.xml"
# the interpreter looks for the first to find its library, and for the others by the names of character sets
_ALWAYS = ("os.py", "encodings/ascii.py", "encodings/latin_1.py")
# does what a program does before it serves, and says which modules that took: those there are, and the sources read on the way, since a
# module may put another in its own place
_LIST_MODULES = """
import json, sys
opened = []
sys.addaudithook(lambda event, values: opened.append(values[0]) if event == "open" else None)
name, sys.path[:0] = sys.argv[1], sys.argv[2:]
import service
service.warm_up(__import__(name).Program())
program_bytes = memory = service.anonymous_bytes()
files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
files |= {file for file in opened if isinstance(file, str) and file.endswith(".py")}
print(json.dumps({"files": sorted(file for file in files if file), "path": sys.path, "memory": memory}))
"""
# sources are read, not what was compiled of them earlier
_LISTING_OPTIONS = (*_OPTIONS, "-X", f"pycache_prefix={os.devnull}")


@dataclass(frozen=True)
class ImageFacts:
    """An image, and how to start it.

    Attributes
    ----------
    bytes
        Sum of the sizes of its files.
    files
        How many there are.
    least_memory_bytes
        What the program alone takes.
    python
        Path of the interpreter inside.
    arguments
        What a container runs, the interpreter first; memory (MB) and dirty rate (% per s) have to follow.
    """

    bytes: int
    files: int
    least_memory_bytes: int
    python: str
    arguments: tuple[str, ...]


def build_image(application: str, image_mb: float | None, folder: Path) -> ImageFacts:
    """Make `folder/rootfs`, there whole or not at all; it takes the place of an earlier one.

    Parameters
    ----------
    application
        One of APPLICATIONS.
    image_mb
        Sum of the sizes of its files; None: no more than it takes.

    Raises
    ------
    InputError
        If there is no such application, it takes more than `image_mb`, or something it is made of is missing.
    MsmfError
        If it cannot be written.
    """
    if application not in APPLICATIONS:
        raise InputError(f"application {application}: there is no such program; choose from {', '.join(APPLICATIONS)}")
    target = folder / ROOTFS
    python = _base_python()
    try:
        with owned_scratch(part_of(target)) as content:
            for name in _EMPTY_FOLDERS:
                (content / name).mkdir()
            (content / "tmp").chmod(0o1777)
            _copy_application(application, content)
            memory = _copy_python(application, python, content)
            _fill(content, application, image_mb)
            files, total = _count(content)
            if target.exists():
                target.rename(content.with_name("earlier"))
            content.rename(target)
    except OSError as error:
        raise MsmfError(f"{target}: the image cannot be written ({error.strerror}); free space there, or set folder=FOLDER") from error
    return ImageFacts(total, files, memory, str(python), (str(python), *_OPTIONS, f"/{_APP}/{application}.py"))


def _base_python() -> Path:
    """The interpreter itself: neither a virtualenv's nor a link."""
    return Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))


def _copy_application(application: str, content: Path) -> None:
    for name in ("service.py", f"{application}.py"):
        _copy(_PROGRAMS / name, content / _APP / name)
    if application == "face":
        write_video(content / _APP / "video.avi")
        cascade = _package_folder("cv2") / "data" / _CASCADE
        if not cascade.is_file():
            raise InputError(f"{cascade} is missing, so this release of OpenCV cannot find faces; {INSTALL_OPENCV} for one that can")
        _copy(cascade, content / _APP / _CASCADE)


def _copy_python(application: str, python: Path, content: Path) -> int:
    """Copy the interpreter, every module that the program loads, and their shared libraries; the memory that the program alone takes."""
    packages = [_package_folder(name) for name in ("cv2", "numpy")] if application == "face" else []
    sites = list(dict.fromkeys(package.parent for package in packages))
    listed = _loaded(application, python, [content / _APP, *sites])
    library = Path(os.__file__).parent
    modules = [Path(name) for name in listed["files"] if not Path(name).is_relative_to(content)]
    modules += [library / name for name in _ALWAYS]
    if packages:
        # OpenCV's glue is partly read as text, and its binary takes the name of its package: no modules of their own
        modules += [*packages[0].rglob("*.py"), *packages[0].glob("*.so")]
    binaries = [python, *(path for path in modules if path.suffix != ".py")]
    for path in {*binaries, *modules, *_shared_libraries(binaries)}:
        site = next((site for site in sites if path.is_relative_to(site)), None)
        inside = content / _PACKAGES / path.relative_to(site) if site else content / path.relative_to("/")
        _copy(path, inside)
    # an interpreter whose folders are missing warns
    for name in listed["path"]:
        if Path(name).is_relative_to(library):
            (content / Path(name).relative_to("/")).mkdir(parents=True, exist_ok=True)
    return int(listed["memory"])


def _package_folder(name: str) -> Path:
    """Where a package lies that this Python finds."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise InputError(f"the application face needs {name}, which is not installed; {INSTALL_OPENCV}")
    return Path(spec.origin).parent


def _loaded(application: str, python: Path, folders: Iterable[Path]) -> dict[str, Any]:
    """Files of the modules that a program loads, where the interpreter looks for modules, and how much memory it has then."""
    words = [str(python), *_LISTING_OPTIONS, "-c", _LIST_MODULES, application, *map(str, folders)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(f"{application} does not run with {python} ({last}); use a Python that has all of its standard library")
    listed: dict[str, Any] = json.loads(done.stdout)
    return listed


def _shared_libraries(binaries: Iterable[Path]) -> set[Path]:
    """The libraries that binaries are linked with, under the paths at which the loader looks, and the loader."""
    try:
        done = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
    except FileNotFoundError:
        raise InputError(
            "ldd is not in PATH, but it has to tell which libraries an image needs; install the C library's programs"
        ) from None
    if missing := re.search(r"^\s*(\S+) => not found", done.stdout, re.MULTILINE):
        raise InputError(f"this Python is linked with the library {missing[1]}, which is not found; install that library")
    return {Path(os.path.normpath(path)) for path in re.findall(r"^\s*(?:\S+ => )?(/.+) \(0x[0-9a-f]+\)$", done.stdout, re.MULTILINE)}


def _copy(source: Path, target: Path) -> None:
    """Copy a file, or what a link leads to."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def _fill(content: Path, application: str, image_mb: float | None) -> None:
    """Add bytes that do not compress until the image is as large as it has to be."""
    if image_mb is None:
        return
    missing = round(image_mb * BYTES_PER_MB) - _count(content)[1]
    if missing < 0:
        smallest = -(-_count(content)[1] // 100_000) / 10
        raise InputError(f"image_mb is {image_mb:g}, but {application} takes {smallest:.1f} MB with this Python; give at least that")
    folder = content / "filler"
    folder.mkdir()
    for number, start in enumerate(range(0, missing, _FILLER_FILE_BYTES)):
        end = min(start + _FILLER_FILE_BYTES, missing)
        with (folder / f"{number:05}").open("wb") as file:
            for at in range(start, end, _FILLER_CHUNK_BYTES):
                file.write(os.urandom(min(_FILLER_CHUNK_BYTES, end - at)))


def _count(content: Path) -> tuple[int, int]:
    """How many files there are, and the sum of their sizes."""
    sizes = [path.stat().st_size for path in content.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)
