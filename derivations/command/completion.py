"""Scripts that complete the words of `derive` in bash, zsh and fish: commands, options, steps, parameters."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping

SHELLS = ("bash", "zsh", "fish")
_BASH = """_derive() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words
  if [ "$COMP_CWORD" -eq 1 ]; then words="{commands}"; else
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _derive derive"""
# the functions of bash; a shell without any completion yet gets its own first
_ZSH = """(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u; }
autoload -U +X bashcompinit && bashcompinit"""


def options(parser: argparse.ArgumentParser) -> list[str]:
    """The long options of a command."""
    return [option for option in parser.format_help().split() if option.startswith("--")]


def script(shell: str, parsers: Mapping[str, argparse.ArgumentParser], names: Iterable[str]) -> str:
    """The script of a shell; `names` are what commands that take words are given, as steps and parameters."""
    listed = " ".join(names)
    words = {
        name: " ".join(dict.fromkeys(o.strip("[],") for o in options(parser)))
        for name, parser in parsers.items()
    }
    if shell == "fish":
        rows = ["complete -c derive -n __fish_use_subcommand -f -a '" + " ".join(parsers) + "'"]
        for name, known in words.items():
            rows.append(f"complete -c derive -n '__fish_seen_subcommand_from {name}' -a '{known} {listed}'")
        return "\n".join(rows)
    cases = "\n".join(f'      {name}) words="{known} {listed}" ;;' for name, known in words.items())
    text = _BASH.format(commands=" ".join(parsers), cases=cases)
    return f"{_ZSH}\n{text}" if shell == "zsh" else text
