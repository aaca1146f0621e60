"""`msmf-traci completion`: a script that lets a shell complete commands, options and their choices."""

from __future__ import annotations

from collections.abc import Sequence

from msmf_traci.command_line import Parser
from msmf_traci.commands.entry import COMMANDS

_USE = {
    "bash": 'eval "$(msmf-traci completion bash)"',
    "zsh": 'eval "$(msmf-traci completion zsh)"',
    "fish": "msmf-traci completion fish | source",
}
# names of options end in = and are followed by a value at once; files are completed where a value is typed that has no choices
_BASH = """\
_msmf_traci() {{
    local word="${{COMP_LINE:0:$COMP_POINT}}"
    word="${{word##* }}"
    local words="{words}"
    case "${{COMP_WORDS[1]}}" in
        {others}) [ "$COMP_CWORD" -gt 1 ] && words="--help --version" ;;
    esac
    [ "$COMP_CWORD" -eq 1 ] && words="{commands} $words"
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    case "$word" in
        *=*) COMPREPLY=("${{COMPREPLY[@]#*=}}")
             [ ${{#COMPREPLY[@]}} -eq 0 ] && COMPREPLY=($(compgen -f -- "${{word#*=}}")) ;;
        *) [ ${{#COMPREPLY[@]}} -eq 0 ] && COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
    [[ ${{#COMPREPLY[@]}} -eq 1 && "${{COMPREPLY[0]}}" == *= ]] && type compopt > /dev/null 2>&1 && compopt -o nospace
    return 0
}}
complete -F _msmf_traci msmf-traci
"""


def main(words: Sequence[str]) -> None:
    """Print the script for a shell.

    Raises
    ------
    InputError
        If the shell is another one.
    """
    shells = "; ".join(f"{shell}: {line}" for shell, line in _USE.items())
    parser = Parser("msmf-traci completion", description=f"Print a script for your shell's completion. To use it, {shells}.")
    parser.add_argument("shell", choices=list(_USE))
    print(script(parser.parse_args(list(words)).shell), end="")


def script(shell: str) -> str:
    """The script for a shell: bash, zsh or fish."""
    commands, others = " ".join(COMMANDS), [name for name in COMMANDS if name != "run"]
    if shell == "fish":
        offered = " ".join(_words())
        first = f"complete -c msmf-traci -n __fish_is_first_arg -a '{commands}'\n"
        return f"{first}complete -c msmf-traci -n 'not __fish_seen_subcommand_from {' '.join(others)}' -a '{offered}'\n"
    bash = _BASH.format(words=" ".join(_words()), commands=commands, others="|".join(others))
    return bash if shell == "bash" else f"autoload -U +X bashcompinit && bashcompinit\n{bash}"


def _words() -> list[str]:
    """Flags, options with `=`, and options with each of their choices where these are few."""
    from msmf_traci.config.fields import choices_of
    from msmf_traci.config.overrides import GROUPS, group_choices
    from msmf_traci.config.schema import option_fields

    words = ["--help", "--version", "--multirun", "--config-dir"]
    for group in GROUPS:
        words += [f"{group}=", *(f"{group}={name}" for name in group_choices(group))]
    for name, (_, field) in option_fields().items():
        if name not in GROUPS:
            words += [f"{name}=", *(f"{name}={choice}" for choice in choices_of(field.annotation))]
    return words
