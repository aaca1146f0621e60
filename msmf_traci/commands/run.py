"""`msmf-traci run`, or `msmf-traci` alone: one experiment, or a sweep with -m."""

from __future__ import annotations

from collections.abc import Sequence

from msmf_traci.commands.entry import COMMANDS
from msmf_traci.errors import InputError


def main(words: Sequence[str]) -> None:
    """Judge all that was typed, then do it.

    Raises
    ------
    MsmfError
        If something is wrong or fails.
    """
    from msmf_traci.config.arguments import read_arguments

    arguments = read_arguments(words)
    if arguments.help in COMMANDS:
        raise InputError(f"--help {arguments.help}: this is a command; type msmf-traci {arguments.help} --help")
    if arguments.help is not None:
        from msmf_traci.config.help import help_text

        print(help_text(arguments.help, arguments.overrides))
        return
    from msmf_traci.config.compose import read_request

    request = read_request(arguments.overrides, multirun=arguments.multirun, config_dir=arguments.config_dir)
    # what is heavy is loaded only once the words are known to be right
    from msmf_traci.experiment import preview
    from msmf_traci.launch.carrying_out import make_run, make_sweep
    from msmf_traci.results.run_facts import perfect_strategies, read_facts
    from msmf_traci.results.screen import result_text, sweep_text
    from msmf_traci.results.store import read_table
    from msmf_traci.weights import Weights

    if request.points[0].config.dry_run:
        print("\n".join(preview([point.config for point in request.points])))
    elif request.is_sweep:
        sweep = make_sweep(request)
        weights, perfect = Weights(**request.points[0].config.cost.model_dump()), perfect_strategies(read_facts(sweep.runs[0]))
        print(sweep_text(read_table(sweep.folder, "summary"), sweep.settings, sweep.folder, sweep.kept, perfect, weights))
    else:
        run = make_run(request)
        print(result_text(run.summary, run.facts, run.folder))
