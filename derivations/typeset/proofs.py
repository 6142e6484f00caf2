"""The proof of a step, move by move, as data, as text, and as formulas."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.steps.chain import NO_NUMBER, DoesNotApply, Move, Rule
from derivations.steps.status import NumericStatus
from derivations.steps.step import Step
from derivations.typeset.term_order import name_latex
from symbolic.algebra.coefficients import INVERSE, named_terms
from symbolic.algebra.readable import Word
from symbolic.algebra.words import Expression, polynomial


def moves(
    step: Step, assumptions: Assumptions, checks: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """The moves as plain data: rule, before, after, reads, note, check, numeric.

    checks: the comparisons with sampling that are known of the step. Raises DoesNotApply or NotDerivable, naming the
    move or the reason, where the step has no proof of this form.
    """
    if step.derivation is None:
        raise DoesNotApply(f"{step.name} is not proved move by move; its method: {step.method or 'none'}")
    return [
        {
            "rule": str(move.rule),
            "before": text(move.before),
            "after": f"O({text(move.after)})"
            if move.rule is Rule.ORDER
            else text(move.after) + order_text(move),
            "reads": list(move.reads),
            "note": note(move),
            "check": move.check,
            "numeric": _numeric(move, k, checks),
        }
        for k, move in enumerate(step.derivation(assumptions).moves)
    ]


def note(move: Move) -> str:
    """Why a move is disproved, what its second route was where its rule has several, or why it has no number."""
    return (
        move.disproved
        or move.order_unknown
        or NO_NUMBER.get(move.rule, "")
        or (f"checked by {move.route}" if move.route else "")
    )


def _numeric(move: Move, place: int, checks: Iterable[Mapping[str, Any]]) -> str:
    if move.rule in NO_NUMBER:
        return NumericStatus.NOT_APPLICABLE
    verdicts = {check["verdict"] for check in checks if str(check["label"]).startswith(f"move {place + 1}:")}
    if not verdicts:
        return "not verified yet"
    return next(iter(verdicts)) if len(verdicts) == 1 else NumericStatus.DISAGREE


def proof_text(step: Step, assumptions: Assumptions, checks: Sequence[Mapping[str, Any]] = ()) -> str:
    """The proof as lines of text within the width of the terminal."""
    width = max(40, shutil.get_terminal_size((100, 24)).columns)
    try:
        found = moves(step, assumptions, checks)
    except NotDerivable as error:
        return str(error)
    lines: list[str] = []
    starts = step.derivation(assumptions).starts if step.derivation is not None else {}
    for k, move in enumerate(found):
        if k in starts:
            lines.append(_wrapped(move["before"], width, "    "))
        reads = f"  [{', '.join(move['reads'])}]" if move["reads"] else ""
        lines.append(_wrapped(f"{k + 1}. {move['rule']}{reads}", width, ""))
        lines.append(_wrapped(f"= {move['after']}", width, "    "))
        note = f" ({move['note']})" if move["note"] else ""
        lines.append(_wrapped(f"{move['check']}; sampled: {move['numeric']}{note}", width, "    "))
    return "\n".join(lines)


def _wrapped(line: str, width: int, indent: str) -> str:
    return textwrap.fill(
        line, width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False
    )


def text(expr: Expression) -> str:
    """An expression of the engine as a line of text: powers of letters collected, inverses of scalars divided by."""
    if expr.is_zero:
        return "0"
    shown = ""
    for term, coefficient in expr.terms.items():
        factor = _coefficient(polynomial(coefficient))
        words = [f"tr({_word(trace)})" for trace in term.traces]
        words += [] if term.word is None else [_word(term.word) or "I"]
        sign, factor = ("-", factor[1:]) if factor.startswith("-") and " " not in factor else ("+", factor)
        if " " in factor and words:
            factor = f"({factor})"
        product = " ".join(words if factor == "1" and words else [factor, *words])
        shown += f" {sign} {product}" if shown else f"-{product}" if sign == "-" else product
    return shown


def order_text(move: Move) -> str:
    """The order of the error of a move, such as ` + O(xi^-2)`; nothing where its sides are equal."""
    powers = [f"{name}^{exponent.sympy()}" for name, exponent in move.order.items()]
    return f" + O({' '.join(powers)})" if powers else ""


def order_latex(move: Move) -> str:
    """The same as LaTeX."""
    powers = [f"{name_latex(name)}^{{{exponent.sympy()}}}" for name, exponent in move.order.items()]
    return f" + O\\left({' '.join(powers)}\\right)" if powers else ""


def _coefficient(value: Expression) -> str:
    """A Laurent polynomial as text, such as `6 alpha_t^2 p / n_t`."""
    poly = value.coefficient()
    parts = []
    # by powers of the learning rates, as a reader would write them
    for powers, number in sorted(named_terms(poly), key=lambda term: _rates(term[0])):
        top = [_power(name, e) for name, e in powers.items() if not name.startswith(INVERSE)]
        bottom = [
            _power(name.removeprefix(INVERSE), e) for name, e in powers.items() if name.startswith(INVERSE)
        ]
        numerator, denominator = int(number.p), int(number.q)
        if abs(numerator) != 1 or not top:
            top.insert(0, str(abs(numerator)))
        if denominator != 1:
            bottom.insert(0, str(denominator))
        over = f"/{bottom[0]}" if len(bottom) == 1 else f"/({' '.join(bottom)})" if bottom else ""
        parts.append(("-" if numerator < 0 else "+", " ".join(top) + over))
    first, *rest = parts
    start = ("-" if first[0] == "-" else "") + first[1].replace(" ", "*")
    return "".join([start, *(f" {sign} {body.replace(' ', '*')}" for sign, body in rest)])


def _rates(powers: Mapping[str, int]) -> int:
    return sum(exponent for name, exponent in powers.items() if name.startswith("alpha"))


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}^{exponent}"


def _word(word: Word) -> str:
    shown = []
    for factor, run in groupby(word):
        name = f"{factor.name}'" if factor.transposed else factor.name
        shown.append(_power(name, len(list(run))))
    return " ".join(shown)
