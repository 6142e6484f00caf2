"""What `derive CMD --help` says below the options: examples that run, and what the words after NAME mean."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from derivations.language.meanings import ASSUMPTIONS, DEFAULTS, PARAMETERS

_LOSS = "n_t=30 n_v=2 n_r=20 m=3 p=60 sigma=1 nu=0.5"
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "list": ("derive list", "derive list eq5 'Theorem 2'", "derive list --status corrected --json"),
    "show": ("derive show eq5", "derive show eq5 --as python", "derive show 92"),
    "verify": (
        "derive verify eq5",
        "derive verify eq9 --assume inputs=laplace",
        "derive verify --junit report.xml",
    ),
    "eval": (f"derive eval eq5 {_LOSS} alpha_t=0.2 alpha_r=0.2", "derive eval eq8 n_t=30 p=60"),
    "optimum": (f"derive optimum eq5 {_LOSS} alpha_r=0.2",),
    "moment": (
        'derive moment "W^2 tr(W^2)" n=7 p=3',
        'derive moment "W^-1 A W^-1" --cov general',
        'derive moment "tr(W^-2)" n=11/2 p=2 --as python',
        'derive moment "X A X\'" --mean general --rows general',
        'derive moment "O A O\' B" --rotation O',
        'derive moment "W^+ A W^+" n=3 p=9',
        'derive moment "var(a\' S^-1 b)" S="W/(n-1)" --cov general',
    ),
    "simulate": (f"derive simulate eq5 {_LOSS} alpha_t=0.2 alpha_r=0.2 --rel-error 0.005",),
    "sweep": (
        f"derive sweep eq5 {_LOSS} alpha_r=0.2 alpha_t=-2:2:0.5",
        f"derive sweep eq5 {_LOSS} alpha_r=0.2 alpha_t=-1:1:0.5 --simulate --workers 2",
    ),
    "regenerate": ("derive regenerate --check", "derive regenerate --assume inner_steps=2 --out formulas"),
    "figure": ("derive figure 2 --out figure2.svg",),
    "book": ("derive book --assume inner_steps=2 --out two-steps",),
    "store": ("derive store", "derive store prune", "derive store check --json"),
    "completion": ('eval "$(derive completion bash)"', "derive completion fish | source"),
}
# what the words of `derive moment` stand for
LETTERS = "W = X^T X, where X is n x p; its rows have covariance Sigma; I is the identity, small letters are columns"
WITH_PARAMETERS = ("eval", "optimum", "simulate", "sweep")
WITH_ASSUMPTIONS = ("list", "show", "verify", *WITH_PARAMETERS, "regenerate", "figure", "book")
_NAMES = "NAME: a slug, or a number in any usual spelling: theorem-1, 'Theorem 1', 5, '(5)', eq5, 'Eq. 5'."


def _table(title: str, meanings: Mapping[str, str]) -> list[str]:
    width = max(map(len, meanings))
    return ["", title, *(f"  {name:{width}s}  {text}" for name, text in meanings.items())]


def _added() -> dict[str, str]:
    """The laws and assumptions of `derivations/extensions/`, as their modules introduce them: `NAME=VALUE: meaning`."""
    from derivations.language.extension import EXTENSIONS, load_extensions, modules_adding
    from symbolic.algebra.entry_laws import NAMED

    load_extensions()
    said: dict[str, str] = {}
    for name in (*NAMED, *EXTENSIONS):
        for module in modules_adding([name]):
            first = (sys.modules[module].__doc__ or "").partition("\n")[0]
            shown, colon, meaning = first.partition(": ")
            said |= {shown: meaning} if colon else {name: first}
    return said


def epilog(command: str, *, added: bool = False) -> str:
    """The examples of a command, and the meaning of what is given to it.

    added: with the laws and assumptions that were added, which takes loading them.
    """
    lines = ["examples:", *(f"  {example}" for example in EXAMPLES[command])]
    if command in (*WITH_PARAMETERS, "show", "verify", "list"):
        lines += ["", _NAMES]
    if command in WITH_PARAMETERS:
        said = {
            n: f"{text} (default {DEFAULTS[n]})" if n in DEFAULTS else text for n, text in PARAMETERS.items()
        }
        lines += _table("parameters, as NAME=VALUE words (a formula needs some of them):", said)
    if command in WITH_ASSUMPTIONS:
        lines += _table(
            "assumptions, as --assume NAME=VALUE:", {**ASSUMPTIONS, **(_added() if added else {})}
        )
    if command == "moment":
        from symbolic.grammar.syntax import GRAMMAR

        lines += [
            "",
            LETTERS,
            "",
            "an expression is a query:",
            *(f"  {line}" for line in GRAMMAR.splitlines()),
        ]
    return "\n".join(lines)
