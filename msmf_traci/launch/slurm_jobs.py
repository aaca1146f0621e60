"""The jobs of Slurm that a sweep has submitted, found by the folders that submitit keeps of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from msmf_traci.locks import is_surely_dead
from msmf_traci.scratch import CONTENT, OWNER_FILE, parts_in

SUBMITIT_FOLDER = ".submitit"


def cancel_jobs_of_the_dead(records: Path) -> None:
    """Cancel the jobs of sweeps that were killed and could not do so themselves."""
    for part in parts_in(records):
        if is_surely_dead(part / OWNER_FILE):
            cancel_jobs(part / CONTENT)


def cancel_jobs(scratch: Path) -> None:
    """Cancel whatever is still queued or running of the jobs whose files lie in a launcher's scratch folder."""
    numbers = {found.group(1) for path in scratch.glob(f"{SUBMITIT_FOLDER}/*") if (found := re.match(r"(\d+)(_|$)", path.name))}
    scancel = shutil.which("scancel")
    if numbers and scancel is not None:
        subprocess.run([scancel, "--quiet", *sorted(numbers)], capture_output=True, check=False)
