"""The proof of a step, move by move, as data, as text, and as formulas."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.steps.chain import NO_NUMBER, Chain, DoesNotApply, Move, Rule
from derivations.steps.contents import named
from derivations.steps.move import Relation
from derivations.steps.status import NOT_VERIFIED, NumericStatus
from derivations.steps.step import Step
from derivations.typeset.latex import latex, latex_lines
from derivations.typeset.line_breaks import visible_length
from derivations.typeset.term_order import RATES, name_latex
from derivations.typeset.terminal import label_text, wrapped
from derivations.verification.plain_records import CheckRecord
from derivations.verification.undrawn import no_number
from symbolic.algebra.coefficients import INVERSE, named_terms
from symbolic.algebra.readable import Word
from symbolic.algebra.words import Expression, matrix, polynomial, scalar
from symbolic.proofs.asymptotics import Exponent

# how many terms of an expression, and how many characters of what a name stands for, a line of text shows in full
MANY_TERMS, FIRST_TERMS, LONG_VALUE = 40, 8, 200
BLOCKS = "blocks"
# the name of what is left over of a number that is above others
ROOM = "room"
# the visible characters of a line of definitions
WIDTH = 62
# a letter with its index, to which an exponent is joined as it stands
_LETTER = re.compile(r"\\?[A-Za-z]+(?:_(?:\w|\{\w+\}))?")


@dataclass(frozen=True)
class Line:
    """A move with what a reader needs beside it.

    where: what stands for what, as far as no move before says it; the power -1 or 1/2 of what a letter is, or the blocks
    it is stacked of. errors: the orders of what was left out since the chain last set out, this move included.
    """

    move: Move
    where: tuple[tuple[Expression, str, Expression], ...]
    errors: tuple[Mapping[str, Exponent], ...]


def proof_lines(chain: Chain) -> list[Line]:
    """The moves of a chain, each with the names that are new in it and the errors that it carries along."""
    found = []
    said: dict[str, tuple[str, Expression]] = {}
    errors: tuple[Mapping[str, Exponent], ...] = ()
    for k, move in enumerate(chain.moves):
        errors = () if k in chain.starts else errors
        if move.rule is Rule.KEEP:
            errors = (*errors, move.order)
        new = {
            name: meaning
            for name, meaning in _meanings(move).items()
            if name not in said or (name in move.letters and not move.rule.averages and said[name] != meaning)
        }
        said |= new
        where = tuple((_symbol(name, value), kind, value) for name, (kind, value) in new.items())
        found.append(Line(move, where, errors))
    return found


def _meanings(move: Move) -> dict[str, tuple[str, Expression]]:
    """What the names in a move stand for, and the names in that in turn."""
    known: dict[str, tuple[str, Expression]] = {}
    if move.tasks is not None:
        known |= {name: (BLOCKS, block("1")) for name, block in move.tasks.blocks.items()}
    known |= {name: ("", value) for name, value in move.values.items()}
    known |= {name: ("-1", value) for name, value in move.inverses.items()}
    known |= {name: ("1/2", value) for name, value in move.roots.items()}
    found: dict[str, tuple[str, Expression]] = {}
    names = [*_names(move.before), *_names(move.after)]
    for name in names:  # which grows
        if name in known and name not in found:
            found[name] = known[name]
            if known[name][0] != BLOCKS:
                names += _names(known[name][1])
    return found


def _names(expr: Expression) -> list[str]:
    return [*expr.letters(), *sorted({name.removeprefix(INVERSE) for name in expr.scalars()})]


def _symbol(name: str, value: Expression) -> Expression:
    return matrix(name, *value.shape) if value.shape else scalar(name)


def where_text(line: Line, most: int | None = None) -> list[str]:
    """What stands for what, each as text, its value of at most so many characters."""
    shown = []
    for symbol, kind, value in line.where:
        means = text(value)
        if most is not None and len(means) > most:
            means = f"{_cut(means, most)} ... (in full with --json)"
        if kind == BLOCKS:
            means = f"the blocks {means} of the tasks (here of task 1), stacked"
        elif kind:
            base = means if means.isidentifier() else f"({means})"
            means = f"{base}^{kind if kind == '-1' else f'({kind})'}"
        shown.append(f"{text(symbol)} = {means}")
    return shown


def _where(line: Line) -> str:
    stands = where_text(line)
    return f"where {', '.join(stands)}" if stands else ""


def where_latex(line: Line) -> list[str]:
    """The same as formulas, several to a line where there is room."""
    shown: list[str] = []
    for symbol, kind, value in line.where:
        # what is left over is positive, and that is all that is said of it
        above = not kind and ROOM in value.scalars() and ROOM not in (value - scalar(ROOM)).scalars()
        left, right = latex(symbol), latex(value - scalar(ROOM) if above else value)
        # the name says so, or the move itself
        said = not kind and (symbol, value) == (line.move.before, line.move.after)
        if said or left == f"{right}^{{{kind}}}":
            continue
        if kind == BLOCKS:
            right = rf"\text{{the blocks }} {right} \text{{ of the tasks (here of task 1), stacked}}"
        elif kind:
            base = right if _LETTER.fullmatch(right) else rf"\left({right}\right)"
            right = f"{base}^{{{kind}}}"
        if left.replace(" ", "") in (right.replace(" ", ""), _bare(right), f"({_bare(right)})"):
            continue
        piece = f"{left} {'>' if above else '='} {right}"
        if not shown:
            shown.append(rf"\text{{where }} {piece}")
        elif visible_length(shown[-1]) + visible_length(piece) < WIDTH:
            shown[-1] += rf",\quad {piece}"
        else:
            shown.append(piece)
    return shown


def _bare(tex: str) -> str:
    return tex.replace(r"\left(", "(").replace(r"\right)", ")").replace(" ", "")


def moves(step: Step, assumptions: Assumptions, checks: Sequence[CheckRecord] = ()) -> list[dict[str, Any]]:
    """The moves as plain data: rule, letters averaged over, before, relation, after, reads, note, check, numeric.

    checks: the comparisons with sampling that are known of the step. Raises DoesNotApply or NotDerivable, naming the
    move or the reason, where the step has no proof of this form.
    """
    return [
        {
            "rule": str(line.move.rule),
            "over": list(line.move.letters) if line.move.rule.averages else [],
            "before": text(line.move.before),
            "relation": str(line.move.rule.relation),
            "after": text(line.move.after) + order_text(line),
            "reads": list(line.move.reads),
            "note": "; ".join(filter(None, (note(line.move, k, checks), _where(line)))),
            "check": line.move.check,
            "numeric": _numeric(line.move, k, checks),
        }
        for k, line in enumerate(proof_lines(_chain(step, assumptions)))
    ]


def _chain(step: Step, assumptions: Assumptions) -> Chain:
    if step.conjectured:
        raise DoesNotApply(f"{step.name} is a conjecture: nobody has proved it, leave --proof out")
    if step.derive is None:
        raise DoesNotApply(
            f"{step.name} is {step.kind.with_article}: there is nothing to prove, leave --proof out"
        )
    if step.derivation is None:
        raise DoesNotApply(f"{step.name} is not proved move by move; its method: {step.method or 'none'}")
    return step.derivation(assumptions)


def note(move: Move, place: int, checks: Sequence[CheckRecord]) -> str:
    """Why a move is disproved, or what its second route was where its rule has several; and why it has no number."""
    silent = _numeric(move, place, checks) == NumericStatus.NOT_APPLICABLE
    reason = no_number(move) or (NO_NUMBER.get(move.rule, "") if silent else "")
    said = (
        move.disproved or move.order_unknown or reason or (f"checked by {move.route}" if move.route else "")
    )
    alone = "not drawn by itself: the step is sampled as a whole" if silent and not reason else ""
    return "; ".join(filter(None, (said, alone)))


def _numeric(move: Move, place: int, checks: Sequence[CheckRecord]) -> str:
    if no_number(move):
        return NumericStatus.NOT_APPLICABLE
    verdicts = {check["verdict"] for check in checks if check["move"] == place + 1}
    if not verdicts:
        # a step that was sampled, but not this move of it
        return NumericStatus.NOT_APPLICABLE if checks or move.rule in NO_NUMBER else NOT_VERIFIED
    return next(iter(verdicts)) if len(verdicts) == 1 else NumericStatus.DISAGREE


def origin(step: Step, chain: Chain, place: int) -> tuple[str, ...]:
    """The steps that the start before a move comes from.

    For the only start these are the steps that the proof rests on and no move reads; without any, and where there are
    several, what the first move from there reads.
    """
    read = {name for move in chain.moves for name in move.reads}
    unread = tuple(name for name in step.uses if name not in read) if len(chain.starts) == 1 else ()
    return unread or (chain.moves[place].reads if place < len(chain.moves) else ())


def one_share(chain: Chain, place: int) -> bool:
    """Whether the start before a move is the share of one task, over which the chain sums later."""
    later = [start for start in chain.starts if start > place]
    section = chain.moves[place : min(later, default=len(chain.moves))]
    return any(move.rule is Rule.SUM for move in section)


def ends(step: Step, chain: Chain, place: int) -> list[str]:
    """Which equations, or which parts of them, the expression after so many moves is; parts as LaTeX."""
    numbers = ", ".join(f"({number})" for number in step.equations)
    labels = chain.shown.get(place, ())
    return [numbers] if numbers and labels and len(chain.parts) == 1 else [*labels]


def up_to(step: Step, line: Line) -> str:
    """That an end is not exact, where the errors stand in the steps that were put in and not beside the move."""
    return ", up to what the steps put in leave out" if step.neglects and not line.errors else ""


def numbered(name: str) -> str:
    """A step by its equation numbers, or by its name where it has none."""
    return ", ".join(f"({number})" for number in named(name).equations) or name


def proof_text(step: Step, assumptions: Assumptions, checks: Sequence[CheckRecord] = ()) -> str:
    """The proof as lines of text within the width of the terminal; long expressions by their first terms."""
    try:
        chain = _chain(step, assumptions)
    except NotDerivable as error:
        return str(error)
    lines: list[str] = []
    for k, line in enumerate(proof_lines(chain)):
        move = line.move
        if k in chain.starts:
            sources = ", ".join(numbered(name) for name in origin(step, chain, k))
            share = "one task's share" if one_share(chain, k) else ""
            said = ", ".join(filter(None, (share, f"from {sources}" if sources else "")))
            start = shortened(chain.starts[k])
            lines.append(wrapped(f"{start}  ({said})" if said else start, "    "))
        reads = f"  [{', '.join(move.reads)}]" if move.reads else ""
        over = f", over {_averaged(move)}" if move.rule.averages else ""
        lines.append(wrapped(f"{k + 1}. {move.rule}{over}{reads}"))
        lines.append(wrapped(_related(line), "    "))
        for number, stands in enumerate(where_text(line, LONG_VALUE)):
            lines.append(wrapped(stands if number else f"where {stands}", "    " + "  " * bool(number)))
        because = note(move, k, checks)
        why = f" ({because})" if because else ""
        lines.append(wrapped(f"{move.check}; sampled: {_numeric(move, k, checks)}{why}", "    "))
        whole = f" of {', '.join(f'({number})' for number in step.equations)}" if step.equations else ""
        lines += [
            wrapped(
                f"This is {label_text(part)}{whole if part in chain.parts else ''}{up_to(step, line)}.",
                "    ",
            )
            for part in ends(step, chain, k + 1)
        ]
    return "\n".join(lines)


def _averaged(move: Move) -> str:
    return ", ".join(move.letters) or "the data of the tasks"


def _related(line: Line) -> str:
    if said := _of_sign(line.move):
        return said
    relation, after = line.move.rule.relation, shortened(line.move.after) + order_text(line)
    if relation is Relation.AT_LEAST_ZERO:
        return f"= {after} {relation}"
    over = f"_{{{', '.join(line.move.letters)}}}" if line.move.letters else ""
    left = f"E{over}[...] " if line.move.rule.averages else ""
    return f"{left}{relation} {after}"


def related_latex(line: Line) -> str:
    """What a move leads to, after the relation that it shows."""
    if said := _of_sign(line.move):
        return rf"\text{{{said}}}"
    relation = line.move.rule.relation
    *pieces, last = latex_lines(line.move.after)
    end = r" \succeq 0" if relation is Relation.AT_LEAST_ZERO else ""
    return aligned(_leading_latex(line), [*pieces, f"{last}{order_latex(line)}{end}"])


def _of_sign(move: Move) -> str:
    """What a move says of a sign that it finds, in words; nothing for other moves."""
    word = {"1": "positive", "-1": "negative", "0": "zero"}.get(text(move.after))
    if word is None or move.rule.relation not in (Relation.SIGN, Relation.LEAST):
        return ""
    number = "zero" if word == "zero" else f"a {word} number"
    return f"is {word}" if move.rule.relation is Relation.SIGN else f"is least at {number}"


def aligned(left: str, lines: Sequence[str]) -> str:
    """Lines of a formula below one another, after what stands before the first."""
    if len(lines) == 1:
        return f"{left} {lines[0]}"
    first, *others = lines
    rest = "".join(rf" \\ & \quad {piece}" for piece in others)
    return rf"\begin{{aligned}} & {left} {first}{rest} \end{{aligned}}"


def _leading_latex(line: Line) -> str:
    """The relation in which a move stands to what was before, with what it averages over."""
    relation = line.move.rule.relation
    if relation in (
        Relation.ORDER,
        Relation.LAW,
        Relation.NEAR,
        Relation.SIGN,
        Relation.ROOT,
        Relation.LEAST,
    ):
        return rf"\text{{{relation}}}\ "
    if relation in (Relation.AT_MOST, Relation.AT_LEAST):
        return r"\le" if relation is Relation.AT_MOST else r"\ge"
    if relation is Relation.AT_LEAST_ZERO or not line.move.rule.averages:
        return "="
    over = ", ".join(
        latex(matrix(name, *(letter.rows, letter.columns)))
        if (letter := line.move.before.letters().get(name))
        else name_latex(name)
        for name in line.move.letters
    )
    return rf"\mathbb{{E}}_{{{over}}}[\cdots] =" if over else r"\mathbb{E}[\cdots] ="


def shortened(expr: Expression) -> str:
    """An expression as text; of a long one the first terms and their number."""
    shown, count = text(expr), term_count(expr)
    if count <= MANY_TERMS:
        return shown
    return f"{_cut(shown, len(shown) * FIRST_TERMS // count)} ... ({count} terms; all with --json)"


def term_count(expr: Expression) -> int:
    """The number of terms, coefficients multiplied out."""
    return sum(len(coefficient) for coefficient in expr.terms.values())


def _cut(shown: str, most: int) -> str:
    """The start of a line of about so many characters, up to a sign between terms."""
    places = [place for sign in (" + ", " - ") if (place := shown.rfind(sign, 0, most)) > 0]
    return shown[: max(places, default=most)]


def text(expr: Expression) -> str:
    """An expression of the engine as a line of text: powers of letters collected, inverses of scalars divided by."""
    if expr.is_zero:
        return "0"
    shown = ""
    for term, coefficient in expr.terms.items():
        factor = _coefficient(polynomial(coefficient))
        traces = Counter(f"tr({_word(trace)})" for trace in term.traces)
        words = [shown_trace if n == 1 else f"{shown_trace}^{n}" for shown_trace, n in traces.items()]
        words += [] if term.word is None else [_word(term.word) or "I"]
        sign, factor = ("-", factor[1:]) if factor.startswith("-") and " " not in factor else ("+", factor)
        if " " in factor and words:
            factor = f"({factor})"
        product = " ".join(words if factor == "1" and words else [factor, *words])
        shown += f" {sign} {product}" if shown else f"-{product}" if sign == "-" else product
    return shown


def order_text(line: Line) -> str:
    """The orders of what was left out, such as ` + O(xi^-2)`; nothing where the sides are equal."""
    shown = ""
    for order in line.errors:
        powers = [f"{name}^{exponent.sympy()}" for name, exponent in order.items()]
        shown += f" + O({' '.join(powers)})" if powers else " + (what is left out)"
    return shown


def order_latex(line: Line) -> str:
    """The same as LaTeX."""
    shown = ""
    for order in line.errors:
        powers = [f"{name_latex(name)}^{{{exponent.sympy()}}}" for name, exponent in order.items()]
        shown += f" + O\\left({' '.join(powers)}\\right)" if powers else r" + \text{(what is left out)}"
    return shown


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
    return sum(exponent for name, exponent in powers.items() if name in RATES)


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}^{exponent}"


def _word(word: Word) -> str:
    shown = []
    for factor, run in groupby(word):
        name = f"{factor.name}'" if factor.transposed else factor.name
        shown.append(_power(name, len(list(run))))
    return " ".join(shown)
