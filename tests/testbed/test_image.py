"""Images: whole or not there, of the size that is asked for, and able to run what they hold with nothing of the machine outside."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from msmf_traci.errors import InputError
from msmf_traci.testbed import image
from msmf_traci.testbed.image import APPLICATIONS, build_image
from tests.testbed.conftest import Start

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("ldd") is None, reason="images are for Linux, made with ldd"
)
AS_ROOT = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="chroot needs root")


def sizes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_facts_say_what_lies_there(tmp_path: Path) -> None:
    facts = build_image("ram", None, tmp_path)
    found = sizes(tmp_path / "rootfs")
    assert (facts.files, facts.bytes) == (len(found), sum(found.values()))
    # beside the interpreter itself, which may come with its debugging symbols
    assert facts.bytes - max(found.values()) < 15e6
    assert facts.arguments == (facts.python, "-S", "-E", "-B", "-u", "/app/ram.py")
    assert facts.python.lstrip("/") in found
    assert not Path(facts.python).is_symlink()
    assert [path.name for path in tmp_path.iterdir()] == ["rootfs"]


def test_nothing_superfluous_is_inside(tmp_path: Path) -> None:
    build_image("game", None, tmp_path)
    names = sizes(tmp_path / "rootfs")
    for part in ("__pycache__", "site-packages", "tkinter", "idlelib", "ensurepip", "lib2to3", "/test/", "config-", ".a"):
        assert not [name for name in names if (name.endswith(part) if part == ".a" else part in name)]
    assert {"app/service.py", "app/game.py"} < set(names)
    assert {"proc", "dev", "sys", "tmp"} <= {path.name for path in (tmp_path / "rootfs").iterdir()}


@pytest.mark.parametrize("image_mb", [100, 170.5])
def test_filler_makes_up_the_size(tmp_path: Path, image_mb: float) -> None:
    facts = build_image("ram", image_mb, tmp_path)
    assert facts.bytes == pytest.approx(image_mb * 1e6, rel=0.01)
    filler = [size for name, size in sizes(tmp_path / "rootfs").items() if name.startswith("filler/")]
    assert len(filler) > 1
    assert max(filler) <= 64e6


def test_all_but_the_filler_comes_out_the_same_again(tmp_path: Path) -> None:
    folders = [tmp_path / name / "rootfs" for name in "ab"]
    for folder in folders:
        build_image("ram", 60, folder.parent)
    first, second = ({name: (folder / name).read_bytes() for name in sizes(folder)} for folder in folders)
    assert {name for name in first if first[name] != second[name]} == {name for name in first if name.startswith("filler/")}


def test_an_image_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    build_image("ram", None, tmp_path)
    build_image("game", None, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["rootfs"]
    assert (tmp_path / "rootfs" / "app" / "game.py").is_file()
    assert not (tmp_path / "rootfs" / "app" / "ram.py").exists()


def test_too_small_a_size_names_the_smallest_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"image_mb is 3, but ram takes \d+\.\d MB") as caught:
        build_image("ram", 3, tmp_path)
    assert not list(tmp_path.iterdir())
    smallest = float(str(caught.value).split(" takes ")[1].split()[0])
    assert build_image("ram", smallest, tmp_path).bytes == pytest.approx(smallest * 1e6, rel=0.01)


def test_an_unknown_application_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"chess: there is no such program; choose from game, face, ram"):
        build_image("chess", None, tmp_path)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(image.MsmfError, match="the image cannot be written"):
        build_image("ram", None, tmp_path / "file")


@AS_ROOT
@pytest.mark.parametrize("application", APPLICATIONS)
def test_the_interpreter_runs_in_a_chroot(tmp_path: Path, application: str) -> None:
    if application == "face":
        pytest.importorskip("cv2", reason="needs OpenCV: pip install 'msmf-traci[testbed]'")
    facts = build_image(application, None, tmp_path)
    words = [
        shutil.which("chroot"),
        tmp_path / "rootfs",
        facts.python,
        "-S",
        "-E",
        "-c",
        "import socket, json, sys; print(json.dumps(sys.version))",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 0, done.stderr
    assert not done.stderr


@AS_ROOT
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare, for a /proc that goes with the process")
@pytest.mark.parametrize("application", APPLICATIONS)
def test_the_application_answers_from_inside_a_chroot(tmp_path: Path, start_words: Start, application: str) -> None:
    if application == "face":
        pytest.importorskip("cv2", reason="needs OpenCV: pip install 'msmf-traci[testbed]'")
    facts = build_image(application, None, tmp_path)
    rootfs = tmp_path / "rootfs"
    script = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
    client = start_words("unshare", "--mount", "sh", "-c", script, rootfs, *facts.arguments, 100, 5)
    assert client.ask(verify=True)["intact"] is True
    assert Path(f"/proc/{client.process.pid}/root").readlink() == rootfs
    client.process.kill()
    client.process.wait()
    assert sum(sizes(rootfs).values()) == facts.bytes
