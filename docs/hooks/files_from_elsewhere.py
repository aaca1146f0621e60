"""Brings files into the site that live outside docs/: the reference results, the changelog."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
REFERENCE = "results/reference"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the files under the names that the navigation and the pages use."""
    files.append(File.generated(config, "changelog.md", content=(ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    for path in sorted((ROOT / REFERENCE).iterdir()):
        files.append(File.generated(config, f"{REFERENCE}/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Lead links to the reference results, which are right in the repository, to their copies in the site."""
    return re.sub(rf"\]\((?:\.\./)+{REFERENCE}/", f"]({'../' * page.file.src_uri.count('/')}{REFERENCE}/", markdown)
