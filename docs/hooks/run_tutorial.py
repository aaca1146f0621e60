"""Runs a tutorial cell by cell, as `python SCRIPT` would, and keeps what each cell prints and draws.

`python run_tutorial.py SCRIPT OUTPUTS` works in the current folder and writes to the file OUTPUTS a list with, for each code cell, its text
on stdout and the names of the PNG files that it made.
"""

import contextlib
import io
import json
import sys
import types
from pathlib import Path

from percent_format import code_cells


def main(script: Path, outputs: Path) -> None:
    """Run it."""
    module = types.ModuleType("__main__")
    module.__file__ = str(script)
    sys.modules["__main__"] = module
    sys.argv = [str(script)]
    sys.path.insert(0, str(script.parent))
    made = []
    for cell in code_cells(script):
        before, printed = set(Path().glob("*.png")), io.StringIO()
        # lines keep their numbers, so that an error names the right one
        code = compile("\n" * (cell.line - 1) + cell.text, str(script), "exec")
        with contextlib.redirect_stdout(printed):
            exec(code, module.__dict__)
        pictures = sorted(set(Path().glob("*.png")) - before)
        made.append({"text": printed.getvalue(), "pictures": [picture.name for picture in pictures]})
    outputs.write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
