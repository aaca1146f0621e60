"""Scripts in the percent format: `# %% [markdown]` begins a cell of text in comments, `# %%` one of code."""

import re
from dataclasses import dataclass
from pathlib import Path

_MARK = re.compile(r"^# %%( \[markdown\])?$")


@dataclass(frozen=True)
class Cell:
    """A piece of a script.

    Attributes
    ----------
    is_code
        Whether it is code rather than text.
    text
        The code, or the text without its comment signs.
    line
        Number of its first line in the file, from 1.
    """

    is_code: bool
    text: str
    line: int


def cells(script: Path) -> list[Cell]:
    """The cells of a script, in order."""
    lines = script.read_text(encoding="utf-8").splitlines()
    begins = [number for number, line in enumerate(lines) if _MARK.match(line)]
    found = []
    for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True):
        is_code, body = not lines[begin].endswith("[markdown]"), lines[begin + 1 : end]
        text = "\n".join(body if is_code else [line.removeprefix("#").removeprefix(" ") for line in body]).strip("\n")
        found.append(Cell(is_code, text, begin + 2))
    return found


def code_cells(script: Path) -> list[Cell]:
    """The cells of code only."""
    return [cell for cell in cells(script) if cell.is_code]
