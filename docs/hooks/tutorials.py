"""Makes a page of every tutorial in examples/, by running it: text, code, what it prints, what it draws; and the gallery of them all.

What a tutorial makes is kept in `.cache/tutorials`, under the hash of its text, the package's code and the versions of what it uses.
"""

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

HOOKS = Path(__file__).parent
ROOT = HOOKS.parents[1]
sys.path.insert(0, str(HOOKS))

from percent_format import cells  # noqa: E402

EXAMPLES = ("first_run", "sweep", "your_city", "your_strategy", "paper_figure")
KEPT = ROOT / ".cache" / "tutorials"
CELLS_FILE = "cells.json"
LONGEST_S = 600
GALLERY_MARK = "<!-- gallery -->"
_USED = ("eclipse-sumo", "altair", "pandas", "numpy", "vl-convert-python")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages and their pictures."""
    for name in EXAMPLES:
        made = run(name)
        files.append(File.generated(config, f"tutorials/{name}.md", content=page_text(name, made)))
        for picture in sorted(made.glob("*.png")):
            files.append(File.generated(config, f"tutorials/{name}/{picture.name}", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Fill in the gallery."""
    return (
        markdown.replace(GALLERY_MARK, "\n\n".join(gallery_entry(name) for name in EXAMPLES))
        if page.file.src_uri == "tutorials.md"
        else markdown
    )


@functools.cache
def run(name: str) -> Path:
    """Run a tutorial, unless what it makes is there already.

    Returns
    -------
    Folder with `cells.json` and the pictures.

    Raises
    ------
    PluginError
        If it fails; its error is quoted.
    """
    script = ROOT / "examples" / f"{name}.py"
    target = KEPT / f"{name}-{_identity(script)}"
    if (target / CELLS_FILE).is_file():
        return target
    work = KEPT / f"{name}.part-{os.getpid()}"
    work.mkdir(parents=True)
    try:
        command = [sys.executable, str(HOOKS / "run_tutorial.py"), str(script), CELLS_FILE]
        result = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False, timeout=LONGEST_S)
        if result.returncode != 0:
            raise PluginError(f"{script} failed:\n{result.stderr}")
        for earlier in KEPT.glob(f"{name}-*"):
            shutil.rmtree(earlier)
        target.mkdir()
        for path in [*work.glob("*.png"), work / CELLS_FILE]:
            shutil.copy(path, target / path.name)
    finally:
        shutil.rmtree(work)
    return target


def page_text(name: str, made: Path) -> str:
    """The page: text as it is, code as code, then what it printed and drew."""
    outputs = iter(json.loads((made / CELLS_FILE).read_text(encoding="utf-8")))
    parts = []
    for cell in cells(ROOT / "examples" / f"{name}.py"):
        if not cell.is_code:
            parts.append(cell.text)
            continue
        output = next(outputs)
        parts.append(f"```python\n{cell.text}\n```")
        if output["text"].strip():
            parts.append(f"```text\n{output['text'].rstrip()}\n```")
        parts += [f"![{Path(picture).stem}]({name}/{picture})" for picture in output["pictures"]]
    parts.append(f"The script: `examples/{name}.py`.")
    return "\n\n".join(parts) + "\n"


def gallery_entry(name: str) -> str:
    """Title, first picture and first sentences of a tutorial."""
    title, text, *_ = cells(ROOT / "examples" / f"{name}.py")[0].text.split("\n\n")
    made = run(name)
    picture = next(picture for output in json.loads((made / CELLS_FILE).read_text(encoding="utf-8")) for picture in output["pictures"])
    heading = title.removeprefix("# ")
    page = f"tutorials/{name}"
    return f"## [{heading}]({page}.md)\n\n{text}\n\n[![{heading}]({page}/{picture}){{ width=420 }}]({page}.md)"


def _identity(script: Path) -> str:
    """What a tutorial's outcome depends on."""
    digest = hashlib.sha256("".join(f"{name} {version(name)}\n" for name in _USED).encode())
    package = [
        path
        for folder in ("msmf_traci", "conf", "scenarios")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".yaml")
    ]
    for path in (script, *sorted(HOOKS.glob("*.py")), *package):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
