"""Parts of a step as the lines of mathematics that a page shows: equations, orders and signs."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial
from itertools import takewhile

import sympy

from derivations.language.normal_form import to_sympy
from derivations.language.printed_order import order_of
from derivations.steps.contents import load
from derivations.steps.labels import LEADING, OVER_TASKS, Order, Short, Sign, Within, Words
from derivations.steps.neglected import Neglected
from derivations.steps.step import Derived, Kind, Parts, Step
from derivations.typeset.latex import exponent_latex, latex, latex_lines, tidy
from derivations.typeset.left_sides import LEFT_SIDES
from derivations.typeset.line_breaks import visible_length

# the visible characters of a line, and of a left side that still shares its line with what follows
WIDTH, LONG_LEFT = 62, 24
# a size that falls, by whose inverse an order is counted
_INVERSE = re.compile(r"\(1/(\w+)\)")
_RELATIONS = {1: ">", -1: "<", 0: "="}


@cache
def _claims() -> Mapping[str, Parts]:
    """The claim of every step that makes one; after that the order of every printed sum is known."""
    return {name: step.claim() for name, step in load().items() if step.claim}


def _earlier(step: Step) -> Iterator[Parts]:
    """The claims of the steps before this one, in reading order."""
    return (
        _claims()[name] for name in takewhile(lambda name: name != step.name, load()) if name in _claims()
    )


def abbreviations(step: Step, formula: sympy.Basic) -> dict[sympy.Basic, str]:
    """Sums in the formula that an earlier step has named, such as h_t: equal in value, if not in form."""
    named: dict[sympy.Basic, str] = {}
    for claim in _earlier(step):
        for label, value in claim.items():
            if isinstance(value, sympy.Add | sympy.MatAdd) and isinstance(label, Short):
                named[value] = label
    found = dict(named)
    scalars = {value: label for value, label in named.items() if not value.is_Matrix}
    for node in (node for node in formula.atoms(sympy.Add) if not node.is_Matrix):
        for value, label in scalars.items():
            if node.free_symbols == value.free_symbols and sympy.expand(node - value) == 0:
                found[node] = label
    return found


@cache
def _short_names() -> Mapping[str, list[tuple[str, str]]]:
    """What the steps that name parts of their claims name, and how it is called."""
    found = {
        name: [
            (str(label), str(sympy.srepr(value)))
            for label, value in claim.items()
            if isinstance(label, Short)
        ]
        for name, claim in _claims().items()
    }
    return {name: pairs for name, pairs in found.items() if pairs}


def said_elsewhere(step: Step) -> str:
    """What the formulas of a step are written by that its own modules need not state: names of sums, and printed orders of
    terms. Two texts are the same where both are."""
    earlier = [*takewhile(lambda name: name != step.name, load())]
    named = [_short_names()[name] for name in earlier if name in _short_names()]
    own = [*_claims().get(step.name, {}).values()]
    own += [*step.correction().values()] if step.correction else []
    sums = {node for value in own for node in value.atoms(sympy.Add, sympy.MatAdd)}
    orders = {sympy.srepr(node): [*map(sympy.srepr, order_of(node))] for node in sums}
    return json.dumps([named, orders], sort_keys=True)


def left_side(label: str) -> str:
    """The label of a part as LaTeX: words stay words."""
    return rf"\text{{{label.full}}}" if isinstance(label, Words) else label


def _under(label: Within, outside: int, terms: list[str]) -> list[str]:
    """The terms of a part under the sum or average that is printed before it, those outside before that."""
    before, inside = terms[:outside], terms[outside:]
    if len(terms) == 1:
        return [f"{label.under} {terms[0]}"]
    first = inside[0].removeprefix("+ ")
    sign = "+ " if before else ""
    if len(inside) == 1:
        return [*before, f"{sign}{label.under} {first}"]
    return [*before, rf"{sign}{label.under}\Big[ {first}", *inside[1:-1], rf"{inside[-1]} \Big]"]


# -- orders -------------------------------------------------------------------------------------------------


def is_order(parts: Derived) -> bool:
    """Whether the parts are those of a statement `Y = c I + O(xi^a)`, or of several orders by their cause."""
    return any(isinstance(label, Order) for label in parts)


def _error(exponents: Mapping[Order, sympy.Basic]) -> str:
    powers = []
    for label, exponent in exponents.items():
        inverse = _INVERSE.fullmatch(label.letter)
        letter, power = (inverse[1], -exponent) if inverse else (label.letter, exponent)
        powers.append(letter if power == 1 else f"{letter}^{{{exponent_latex(power)}}}")
    return rf"O\big({''.join(reversed(powers))}\big)"


def order_lines(step: Step, parts: Derived, *, derived: bool = False) -> list[str]:
    """`Y = c I + O(xi^a)` as LaTeX, as printed or as the engine put it; one line for each cause where orders are told apart by it."""
    orders: dict[str, dict[Order, sympy.Basic]] = {}
    for label, value in parts.items():
        if isinstance(label, Order):
            orders.setdefault(label.said, {})[label] = to_sympy(value)
    if [*orders] != [""]:
        return [rf"{said}: \quad {_error(exponents)}" for said, exponents in orders.items()]
    left = LEFT_SIDES.get(step.name) or step.tex or "Y"
    error = _error(orders[""])
    leading = to_sympy(parts[LEADING]) if LEADING in parts else 0
    if leading == 0:
        return [f"{left} = {error}"]
    leading = tidy(leading) if derived else leading
    text = latex(leading, abbreviations(step, leading), as_printed=not derived)
    if isinstance(leading, sympy.Add):
        text = rf"\left({text}\right)"
    return [rf"{left} = {text}\,I + {error}"]


# -- all kinds ----------------------------------------------------------------------------------------------


def _long(left: str, first: str) -> bool:
    return visible_length(left) > LONG_LEFT and visible_length(left) + visible_length(first) > WIDTH


def aligned(left: str, lines: list[str]) -> str:
    """`left = lines`, broken where the lines are, and before the equals sign where what is left of it is long."""
    if len(lines) == 1 and not _long(left, lines[0]):
        return f"{left} = {lines[0]}"
    first, *others = lines
    if _long(left, first):
        rest = r" \\ & \qquad ".join([f"= {first}", *others])
        return rf"\begin{{aligned}} & {left} \\ & \quad {rest} \end{{aligned}}"
    rest = r" \\ & \quad ".join(["", *others])
    return rf"\begin{{aligned}} {left} = {{}} & {first}{rest} \end{{aligned}}"


def lines(step: Step, parts: Derived, *, derived: bool = False) -> list[str]:
    """The parts as LaTeX, one formula each, ready for display.

    derived: as the engine put them, not as a reader would.
    """
    if is_order(parts):
        return order_lines(step, parts, derived=derived)
    _claims()
    shown = []
    for label, value in parts.items():
        tree = to_sympy(value)
        if isinstance(label, Sign) and tree in _RELATIONS:
            shown.append(f"{label.quantity} {_RELATIONS[int(tree)]} 0")
            continue
        short = {} if derived else abbreviations(step, tree)
        if derived:
            tree = tidy(tree)
        left, arranged, of_task = left_side(label), None, False
        if isinstance(label, Within):
            left, of_task = label.whole, OVER_TASKS in label.under
            arranged = partial(_under, label, 0 if derived else label.outside)
        terms = latex_lines(tree, short, as_printed=not derived, of_task=of_task, arranged=arranged)
        shown.append(aligned(left, terms))
    return shown


def formula(part: sympy.Basic) -> str:
    """One part as LaTeX, in the order of the print where it is printed, with every abbreviation written out."""
    _claims()
    return latex(part, as_printed=True)


PROVED, PRINTED, AS_READ = "Proved", "Printed", "As read"


def forms(step: Step, only: Collection[str] = ()) -> list[tuple[str, list[str]]]:
    """The right form of a claim that its derivation disproves, if it does, and what is printed, each under its word.

    What could not be read with certainty is a reading, and accuses no print. only: the parts to show; all of them for none
    given and for an order, which is one statement also where only one of its exponents differs.
    """
    word = AS_READ if step.unreadable else PRINTED
    if step.right_order is not None:
        return [(PROVED, proved(step)), (word, printed(step))]
    if step.claim is None or step.correction is None:
        return [(word, printed(step))]
    right, claim = step.correction(), step.claim()
    if not only or is_order(claim):
        return [(PROVED, lines(step, right)), (word, printed(step))]
    parts = ({label: part for label, part in form.items() if label in only} for form in (right, claim))
    return [(form, lines(step, kept)) for form, kept in zip((PROVED, word), parts, strict=True)]


def printed(step: Step) -> list[str]:
    """What the paper prints: the claim with the order of what it neglects, or the formula of a definition."""
    whole = [step.tex] if step.tex and not LEFT_SIDES.get(step.name) else []
    # a definition is its formula: what is checked of it is no print
    if step.claim is None or (whole and step.kind == Kind.DEFINITION):
        return whole
    *others, last = lines(step, step.claim())
    return [*whole, *others, _neglecting(last, step.neglects)]


def proved(step: Step) -> list[str]:
    """The claim with what is wrong in it set right: its parts, or the order of what it neglects."""
    right = step.claim if step.correction is None else step.correction
    if right is None:
        return []
    *others, last = lines(step, right())
    return [*others, _neglecting(last, step.right_order or step.neglects)]


def _neglecting(line: str, order: Neglected | None) -> str:
    """A line of mathematics with what is left out at its end."""
    if order is None:
        return line
    end = r" \end{aligned}"
    body = line.removesuffix(end)
    return f"{body} + {order.tex}{line[len(body) :]}"
