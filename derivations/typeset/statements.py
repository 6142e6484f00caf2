"""Parts of a step as the lines of mathematics that a page shows: equations, orders and signs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import takewhile

import sympy

from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.steps.contents import load
from derivations.steps.step import Derived, Step
from derivations.typeset.latex import exponent_latex, latex, latex_lines, tidy
from derivations.typeset.left_sides import LEFT_SIDES
from derivations.verification.prove import prove

# the letter that grows, by the label of its exponent
GROWING: Mapping[str, str] = {"a": r"\xi", r"a_\xi": r"\xi", "a_m": "m"}
LEADING = "c"
# labels that are no name of a quantity, in full
WORDS: Mapping[str, str] = {
    "numerator": "degree of the numerator",
    "denominator": "degree of the denominator",
}
_SIGN = re.compile(r"^\\mathrm\{sign\}(\\,)?\s*")
_RELATIONS = {1: ">", -1: "<", 0: "="}
# quantities short enough to stand for their value in a later formula
_ABBREVIATION = re.compile(r"^(?:[hgH]_\{?[\w,]+\}?)$")
_BARE_GREEK = re.compile(r"(?<![\\a-zA-Z])(alpha|nu|omega|sigma|xi)(?=_|\b)")


def abbreviations(step: Step, formula: sympy.Basic) -> dict[sympy.Basic, str]:
    """Sums in the formula that an earlier step has named, such as h_t: equal in value, if not in form."""
    named: dict[sympy.Basic, str] = {}
    for earlier in takewhile(lambda other: other.name != step.name, load().values()):
        for label, value in (earlier.claim() if earlier.claim else {}).items():
            if isinstance(value, sympy.Add | sympy.MatAdd) and _ABBREVIATION.match(label):
                named[value] = label
    found = dict(named)
    scalars = {value: label for value, label in named.items() if not value.is_Matrix}
    for node in (node for node in formula.atoms(sympy.Add) if not node.is_Matrix):
        for value, label in scalars.items():
            if node.free_symbols == value.free_symbols and sympy.expand(node - value) == 0:
                found[node] = label
    return found


def named(step: Step, formula: sympy.Basic, assumptions: Assumptions) -> sympy.Basic:
    """The formula with h_t, h_r and other names of earlier steps for the sums that they now stand for, or minus these."""
    values: dict[sympy.Symbol, sympy.Expr] = {}
    for earlier in takewhile(lambda other: other.name != step.name, load().values()):
        labels = [label for label in (earlier.claim() if earlier.claim else {}) if _ABBREVIATION.match(label)]
        if labels and earlier.derive is not None and prove(earlier, assumptions).status.stands:
            parts = earlier.derive(assumptions)
            trees = {sympy.Symbol(label): to_sympy(parts[label]) for label in labels if label in parts}
            values |= {name: tree for name, tree in trees.items() if isinstance(tree, sympy.Add)}
    found: dict[sympy.Basic, sympy.Expr] = {}
    for node in (node for node in formula.atoms(sympy.Add) if not node.is_Matrix):
        for name, value in values.items():
            for sign in (1, -1) if node.free_symbols == value.free_symbols else ():
                if sympy.expand(node - sign * value) == 0:
                    found[node] = sign * name
    return formula.xreplace(found)


def left_side(label: str) -> str:
    """The label of a part as LaTeX: words stay words."""
    if re.search(r"[\\_^(]|^\w$", label):
        return _BARE_GREEK.sub(r"\\\1", label)
    return rf"\text{{{WORDS.get(label, label)}}}"


# -- orders -------------------------------------------------------------------------------------------------


def split_cause(label: str) -> tuple[str, str]:
    """`a_m (\\nu)` as the exponent's label and the cause it is about."""
    core, _, cause = label.partition(" (")
    return core, cause.rstrip(")")


def is_order(parts: Derived) -> bool:
    """Whether the parts are those of a statement `Y = c I + O(xi^a)`, or of several orders by their cause."""
    cores = {split_cause(label)[0] for label in parts}
    return bool(cores) and cores <= {LEADING, *GROWING} and bool(cores & set(GROWING))


def _of(cause: str) -> str:
    """What an order is about: the part due to a source, or the case in which a relation holds."""
    return cause if re.search(r"=|\\propto", cause) else rf"\text{{part of }} {cause}"


def _error(exponents: Mapping[str, sympy.Basic]) -> str:
    powers = []
    for label, letter in GROWING.items():
        if label in exponents:
            exponent = exponents[label]
            powers.append(letter if exponent == 1 else f"{letter}^{{{exponent_latex(exponent)}}}")
    return rf"O\big({''.join(reversed(powers))}\big)"


def order_lines(step: Step, parts: Derived) -> list[str]:
    """`Y = c I + O(xi^a)` as LaTeX; one line for each cause where orders are told apart by it."""
    trees = {label: to_sympy(value) for label, value in parts.items()}
    causes = list(dict.fromkeys(split_cause(label)[1] for label in trees))
    if causes != [""]:
        grouped = [
            (
                cause,
                {
                    split_cause(label)[0]: tree
                    for label, tree in trees.items()
                    if split_cause(label)[1] == cause
                },
            )
            for cause in causes
        ]
        return [rf"{_of(cause)}: \quad {_error(exponents)}" for cause, exponents in grouped]
    left = LEFT_SIDES.get(step.name) or step.tex or "Y"
    error = _error(trees)
    if LEADING not in trees:
        return [f"{left} = {error}"]
    leading = tidy(trees[LEADING])
    if leading == 0:
        return [f"{left} = {error}"]
    text = latex(leading, abbreviations(step, leading))
    if isinstance(leading, sympy.Add):
        text = rf"\left({text}\right)"
    return [rf"{left} = {text}\,I + {error}"]


# -- all kinds ----------------------------------------------------------------------------------------------


def aligned(left: str, lines: list[str]) -> str:
    """`left = lines`, broken where the lines are."""
    if len(lines) == 1:
        return f"{left} = {lines[0]}"
    first, *others = lines
    rest = r" \\ & \quad ".join(["", *others])
    return rf"\begin{{aligned}} {left} = {{}} & {first}{rest} \end{{aligned}}"


def lines(
    step: Step, parts: Derived, *, derived: bool = False, under: Assumptions | None = None
) -> list[str]:
    """The parts as LaTeX, one formula each, ready for display.

    derived: as the engine put them, not as a reader would. under: with the names of earlier steps under these assumptions.
    """
    if is_order(parts):
        return order_lines(step, parts)
    shown = []
    for label, value in parts.items():
        left, tree = left_side(label), to_sympy(value)
        sign = _SIGN.match(left)
        if sign and tree in _RELATIONS:
            shown.append(f"{left[sign.end() :]} {_RELATIONS[int(tree)]} 0")
            continue
        short = {} if derived else abbreviations(step, tree)
        if derived:
            tree = tidy(tree) if under is None else named(step, tidy(tree), under)
        shown.append(aligned(left, latex_lines(tree, short)))
    return shown


def heading(step: Step) -> str:
    """What stands over the claim where another form stands beside it: what could not be read with certainty is a
    reading, and accuses no print."""
    return "As read" if step.unreadable else "Printed"


def printed(step: Step) -> list[str]:
    """What the paper prints: the claim with the order of what it neglects, or the formula of a definition."""
    if step.tex and not LEFT_SIDES.get(step.name):
        return [step.tex]
    if step.claim is None:
        return []
    *others, last = lines(step, step.claim())
    return [*others, _neglecting(last, step.neglects)]


def _neglecting(line: str, term: str) -> str:
    """A line of mathematics with what is left out at its end."""
    if not term:
        return line
    end = r" \end{aligned}"
    body = line.removesuffix(end)
    return f"{body} + {term}{line[len(body) :]}"
