"""What a sweep is to make: every point judged, its plan kept, and which of its runs are missing."""

from __future__ import annotations

from msmf_traci.config.compose import Point, Request
from msmf_traci.experiment import judge_files
from msmf_traci.launch.naming import results_folder, swept_folder
from msmf_traci.launch.sweep import comparable, is_done
from msmf_traci.results.sweep_records import Planned, Records, identity


def judge_points(request: Request) -> dict[str, Point]:
    """Judge every point of a sweep, keep the plan beside its runs, and return the missing ones by their names.

    Raises
    ------
    InputError
        One sentence on the first thing that is wrong in any of the runs.
    """
    plan, missing = [], dict[str, Point]()
    for point in request.points:
        folder = swept_folder(point)
        fingerprint = judge_files(point.config).fingerprint()
        plan.append(Planned(folder.name, identity(comparable(point.config.model_dump()), fingerprint)))
        if not is_done(folder, point.config, fingerprint):
            missing[folder.name] = point
    Records(results_folder(request.points[0].config)).write_plan(plan)
    return missing
