"""`--help`, `--version` and completion: one screen first, every option somewhere, and the same for every command."""

import shutil
import subprocess
import sys
from importlib.metadata import version

import pytest

from msmf_traci.commands.completion import script
from msmf_traci.commands.entry import COMMANDS, main, run_by_name
from msmf_traci.config.help import help_text
from msmf_traci.config.schema import APPLICATIONS, CHOSEN, Config, option_fields


def test_help_is_one_screen() -> None:
    lines = help_text().splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 100


def test_every_option_stands_in_the_help_of_its_group_and_in_that_of_all() -> None:
    whole = help_text("all")
    for name in set(option_fields()) - CHOSEN:
        group = name.partition(".")[0]
        assert f" {name}=" in help_text(group if group != name and group in Config.model_fields else "general")
        assert f" {name}=" in whole
    assert "image_mb=1400" in help_text(APPLICATIONS)


def test_the_help_of_an_option_says_what_it_may_be() -> None:
    assert help_text("links.mode").splitlines()[0] == "links.mode=dedicated"
    assert "one of dedicated, shared" in help_text("links.mode")
    assert "--help links shows" in help_text("links.mode")
    for name in ("pm", "never", "oracle_tier"):
        assert f"\n  {name} " in help_text("strategies")


def test_an_unknown_group_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help", "mobilty"]) == 2
    assert capsys.readouterr().err == "msmf-traci: --help mobilty: there is no such group or option; did you mean mobility?\n"


def test_the_help_of_a_command_is_that_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help", "report"]) == 2
    assert capsys.readouterr().err == "msmf-traci: --help report: this is a command; type msmf-traci report --help\n"


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "testbed"])
def test_every_command_shows_its_version_and_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for call in (lambda word: main([command, word]), lambda word: run_by_name(command, [word])):
        assert call("--version") == 0
        assert capsys.readouterr().out == f"msmf-traci {version('msmf-traci')}\n"
        assert call("--help") == 0
        assert "msmf-traci" in capsys.readouterr().out


def test_the_package_is_a_command() -> None:
    done = subprocess.run([sys.executable, "-m", "msmf_traci", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"msmf-traci {version('msmf-traci')}\n"


OF_PM = ("prefetch=", "memory=", "memory=at_once", "memory=just_in_time", "margin=")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("msmf-traci strategi", {"strategies="}),
        ("msmf-traci strategy.pm.", {f"strategy.pm.{option}" for option in OF_PM}),
        ("msmf-traci statu", {"status"}),
        ("msmf-traci scenario=b", {"beijing"}),
        ("msmf-traci seed=1 links.mode=", {"dedicated", "shared"}),
        ("msmf-traci mobility.gui=t", {"true"}),
        ("msmf-traci seed=1 reports.s", {"reports.speed_mps="}),
        ("msmf-traci run reports.s", {"reports.speed_mps="}),
        ("msmf-traci report --v", {"--version"}),
        ("msmf-traci report reports.s", set()),
    ],
)
def test_bash_completes_commands_options_and_choices(line: str, offered: set[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    words = line.split(" ")
    # as bash does: COMP_WORDS would be split at =, of which the function takes no notice
    program = f"{script('bash')}\nCOMP_LINE={line!r} COMP_POINT={len(line)} COMP_CWORD={len(words) - 1} COMP_WORDS=({line})\n"
    program += "compopt() { :; }; _msmf_traci; printf '%s\\n' \"${COMPREPLY[@]}\""
    done = subprocess.run([bash, "--norc", "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == offered


def test_other_shells_get_their_scripts() -> None:
    assert "bashcompinit" in script("zsh") and "links.mode=shared" in script("zsh")
    assert script("fish").startswith("complete -c msmf-traci") and "links.mode=shared" in script("fish")
