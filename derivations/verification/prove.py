"""Proof status of a step: exact comparison of what is claimed with what is derived.

`proved`: every part of the claim equals the derived part exactly, and what an asymptotic claim neglects is bounded in
a step that is itself proved. `corrected`: some part is disproved by an exact counterexample and the corrected claim is
proved. Anything undecided is `failed`. What else there is: `ProofStatus.meaning`.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import sympy

from derivations.language.assumptions import PAPER, Assumptions, NotDerivable
from derivations.language.bounds import OUT_OF_REACH
from derivations.language.normal_form import NormalForm, normal_form, to_sympy
from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.labels import Order
from derivations.steps.neglected import Neglected, Orders, Quantity, order_of, power_of, same
from derivations.steps.status import ProofStatus
from derivations.steps.step import Derived, Kind, Parts, Step
from derivations.verification.starts.bindings import wrongly_named
from derivations.verification.starts.claimed import shown_on_less
from derivations.verification.starts.origins import unheld, unstated_start
from symbolic.algebra.quotients import NotRational
from symbolic.algebra.refusal import Refused
from symbolic.proofs.asymptotics import Exponent, largest


@dataclass(frozen=True)
class Proof:
    """The computed proof status with its method, and the reason or counterexample where there is one."""

    status: ProofStatus
    method: str
    detail: str = ""


def difference(claimed: sympy.Basic, derived: object) -> NormalForm:
    """The normal form of `claimed - derived`; it has no terms exactly when the two are equal."""
    return normal_form(claimed).minus(normal_form(derived))


def disagreeing(claim: Parts, derived: Derived) -> dict[str, NormalForm]:
    """The parts in which a claim and a derivation differ; raises ValueError when their labels differ."""
    if set(claim) != set(derived):
        odd = sorted(set(claim) ^ set(derived))
        raise ValueError(f"claim and derivation have different parts: {', '.join(odd)}")
    found = {}
    for label, expr in claim.items():
        residual = difference(expr, derived[label])
        if not residual.is_zero():
            found[label] = residual
    return found


def counterexample(residual: NormalForm, seed: int = 1) -> Mapping[str, Fraction] | None:
    """Exact values of the symbols at which the residual is not zero, or None when none was found."""
    generator = random.Random(seed)
    for _ in range(40):
        for coefficient in residual.coefficients():
            names = coefficient.names()
            point = {
                name: Fraction(generator.randint(2, 9), generator.randint(1, 4)) for name in sorted(names)
            }
            try:
                if coefficient.at(point) != 0:
                    return point
            except (ZeroDivisionError, NotRational):
                continue
    return None


def prove(step: Step, assumptions: Assumptions = PAPER) -> Proof:
    """The proof status of a step under the assumptions (a claim is asserted only under the paper's)."""
    why_not = step.applies(assumptions)
    if why_not is not None and assumptions == PAPER:
        return Proof(
            ProofStatus.FAILED, step.method, f"it does not apply under the paper's assumptions: {why_not}"
        )
    if why_not is not None:
        return Proof(ProofStatus.NOT_APPLICABLE, "", why_not)
    if step.proofless:
        return Proof(ProofStatus.NOT_APPLICABLE, "", step.reason)
    unproved = conjectures(step)
    if unproved:
        return Proof(ProofStatus.FAILED, step.method, f"it rests on {unproved[0]}, which is a conjecture")
    if step.derive is None:
        if step.conjectured:
            return Proof(ProofStatus.CONJECTURE, "", step.reason)
        if step.kind == Kind.DEFINITION:
            return Proof(ProofStatus.DEFINITION, "definition", step.reason)
        return Proof(ProofStatus.NONE, "", "no derivation")
    try:
        derived = step.derive(assumptions)
    except NotDerivable as error:
        return Proof(
            ProofStatus.FAILED if assumptions == PAPER else ProofStatus.NOT_APPLICABLE, "", str(error)
        )
    except (ArithmeticError, ValueError) as error:
        # an undecided sign or a missing closed form: a failure of the paper's own step, a limit elsewhere
        limit = isinstance(error, OUT_OF_REACH) and assumptions != PAPER
        status = ProofStatus.NOT_APPLICABLE if limit else ProofStatus.FAILED
        return Proof(status, step.method, f"not derived: {' '.join(str(error).split())[:200]}")
    fault = fault_of_chain(step, assumptions, derived)
    if fault:
        return Proof(ProofStatus.FAILED, step.method, fault)
    if assumptions.changes(step.depends_on):
        return Proof(
            ProofStatus.DERIVED, step.method, "beyond the paper: the printed claim is not asserted here"
        )
    if step.claim is None:
        return Proof(ProofStatus.FAILED, step.method, "nothing is claimed")
    found = compare(step, step.claim(), derived, assumptions)
    return qualified(step, derived) if found.status is ProofStatus.PROVED else found


def conjectures(step: Step) -> list[str]:
    """The steps that a step names as what it rests on and nobody has proved."""
    contents = importlib.import_module("derivations.steps.contents")
    return [slug for slug in (*step.uses, *step.proofs) if contents.named(slug).conjectured]


def qualified(step: Step, derived: Derived) -> Proof:
    """What the proof of a step amounts to whose claim equals its derivation: see `ProofStatus.meaning`.

    A step is `failed` that names another which is not proved, or is about something else, or does not say of it what is
    needed; so is one whose printed order is smaller than what its moves leave out, if no right one is given.
    """
    others = {slug: _other(slug) for slug in step.proofs}
    for slug, (_, status) in others.items():
        # a counterexample may be that to a printed order: what it disproves is disproved exactly
        enough = (ProofStatus.PROVED, *([ProofStatus.CORRECTED] if slug == step.counterexample else []))
        if status not in enough:
            return Proof(ProofStatus.FAILED, step.method, f"it rests on {slug}, which is {status}")
    if bool(step.condition) != (bool(step.counterexample) and step.right_order is None):
        return Proof(
            ProofStatus.FAILED, step.method, "a condition needs a counterexample without it, and the reverse"
        )
    named = ((step.bounded_by, False), (step.condition, False), (step.counterexample, True))
    faults = (unfit(step, slug, derived, contradicts=against) for slug, against in named if slug)
    fault = next(filter(None, faults), "")
    fault = fault or wrong_order(step, derived)
    if fault:
        return Proof(ProofStatus.FAILED, step.method, fault)
    left_out = said_of_order(step)
    if step.right_order is not None:
        return Proof(ProofStatus.CORRECTED, step.method, left_out)
    if step.condition:
        needed, without = others[step.condition][0], others[step.counterexample][0]
        said = f"true under a condition that is not printed, {needed.name}; false without, {without.name}{left_out}"
        return Proof(ProofStatus.CONDITIONAL, step.method, said)
    if step.counted:
        said = "the order is that in probability, found by counting powers; that of the mean is not bounded"
        return Proof(ProofStatus.EXPANDED, step.method, said)
    if step.neglects and not step.bounded_by:
        said = (
            "the order of what is neglected is counted in powers; the tail of the expectation is not bounded"
        )
        return Proof(ProofStatus.EXPANDED, step.method, said + left_out)
    below = ", ".join(rests_unbounded(step))
    if below and not step.bounded_by:
        if stated_order(step) is not None:
            said = f"it rests on {below}, whose remainder is counted in powers and not bounded, and bounds none of its own"
            return Proof(ProofStatus.EXPANDED, step.method, said + left_out)
        left_out = f"; of the formula to leading order of {below}, whose remainder is not bounded{left_out}"
    return Proof(ProofStatus.PROVED, step.method, left_out.removeprefix("; "))


def unbounded(step: Step) -> bool:
    """Whether what a step neglects, or the order in its claim, is counted in powers alone, or holds under a condition that
    the print lacks: then it is never `proved`.
    """
    return step.counted or bool(step.condition) or (step.neglects is not None and not step.bounded_by)


def rests_unbounded(step: Step) -> list[str]:
    """The nearest steps that a step rests on whose remainders are not bounded; nothing behind one that is bounded, nor behind
    one whose remainder this step itself bounds: of that it takes the formula alone.
    """
    contents = importlib.import_module("derivations.steps.contents")
    found: dict[str, None] = {}

    def look(at: Step) -> None:
        for slug in at.uses:
            used: Step = contents.named(slug)
            if step.name in (used.bounded_by, used.condition):
                continue
            if unbounded(used):
                found[slug] = None
            elif not used.bounded_by:
                look(used)

    look(step)
    return [*found]


# -- orders -------------------------------------------------------------------------------------------------


def stated_order(step: Step) -> Neglected | None:
    """The order that a step prints: of what it neglects, or the one that is a part of its claim."""
    if step.neglects is not None or step.claim is None:
        return step.neglects
    parts = {label: part for label, part in step.claim().items() if isinstance(label, Order)}
    return Neglected({label.growing: to_sympy(part) for label, part in parts.items()}) if parts else None


def left_out(step: Step, where: Mapping[str, Exponent] | None = None) -> Orders:
    """The order of what the moves of a step leave out, by what grows; raises Refused where it is not known."""
    chain = chain_of(step, PAPER)
    found = {} if chain is None else chain.left_out(where)
    return {name: order.sympy() for name, order in found.items()}


def order_kept(step: Step, derived: Derived) -> Orders:
    """The order of the formula that a step derives, by what grows."""
    chain = chain_of(step, PAPER)
    growths = {} if chain is None else chain.growths
    parts = [to_sympy(part) for label, part in derived.items() if not isinstance(label, Order)]
    return {
        name: largest([order_of(part, growth.weights) for part in parts]).sympy()
        for name, growth in growths.items()
    }


def _exceeded(step: Step, derived: Derived, found: Orders) -> list[str]:
    """Along what grows an order is larger than what the step prints, or no smaller than what it keeps."""
    stated = stated_order(step)
    if stated is None:
        return []
    if not stated.exponents:
        return [
            name
            for name, kept in order_kept(step, derived).items()
            if not (name in found and found[name] < kept)
        ]
    return stated.exceeded(found)


def _quantities(
    step: Step, derived: Derived, where: Mapping[str, Exponent]
) -> list[tuple[Quantity, Mapping[str, Exponent]]]:
    """The quantities whose error may bound this step's, each with the order of its factor: the parts that it derives, the
    words whose order it states, and the parts of the chains that it is made of.
    """
    found: list[tuple[Quantity, Mapping[str, Exponent]]] = []
    found += [(part, {}) for label, part in derived.items() if not isinstance(label, Order)]
    chain = chain_of(step, PAPER)
    if chain is None:
        return found
    if any(isinstance(label, Order) for label in derived):
        found += [(word, {}) for word in chain.fluctuating()]
    for one in chain.carried:
        sizes = {name: chain.size(one, name, where) for name in one.chain.growths}
        found += [(part, sizes) for part in one.chain.parts.values()]
    return found


def unfit(step: Step, slug: str, derived: Derived, *, contradicts: bool) -> str:
    """Why another step is not the bound, the condition or the counterexample that this one names it for; nothing if it is.

    It must be about a quantity of this step, by normal form; a bound or a condition must bring its error within the printed
    order, and a counterexample beyond it.
    """
    other, _ = _other(slug)
    if other.remainders is None or other.derive is None:
        return f"{slug} says of no quantity how large its error is"
    stated = list(other.remainders(other.derive(PAPER)))
    orders = [
        {name: order + sizes[name].sympy() if name in sizes else order for name, order in one.orders.items()}
        for quantity, sizes in _quantities(step, derived, {} if contradicts else step.where)
        for one in stated
        if same(one.of, quantity)
    ]
    if not orders:
        return f"{slug} is about something else"
    beyond = [bool(_exceeded(step, derived, found)) for found in orders]
    if contradicts:
        return "" if any(beyond) else f"{slug} does not contradict the printed order"
    return f"{slug} leaves an error larger than the printed order" if any(beyond) else ""


def wrong_order(step: Step, derived: Derived) -> str:
    """What is wrong with the printed order of what a step neglects, or with the right one that it gives; else nothing."""
    if step.neglects is None:
        return ""
    try:
        found = left_out(step, step.where)
        without = left_out(step)
    except Refused as error:
        return f"the order of what is left out is not known: {error}"
    exceeded = _exceeded(step, derived, found)
    if step.where and not _exceeded(step, derived, without):
        return "the printed order holds without the condition too"
    if step.right_order is None:
        said = f"what is left out is of order {power_of(found)}"
        return f"{said}, larger than what is printed, as {', '.join(exceeded)} grows" if exceeded else ""
    if not exceeded:
        return "the printed order holds: there is nothing to correct"
    same_order = dict(step.right_order.exponents) == dict(found)
    return "" if same_order else f"the corrected order is wrong too: it is {power_of(found)}"


def said_of_order(step: Step) -> str:
    """How the printed order compares with what is left out, where they differ."""
    if step.neglects is None or not step.neglects.exponents:
        return ""
    found = left_out(step, step.where)
    if step.right_order is not None:
        printed = power_of(step.neglects.exponents)
        return f"O({printed}) is printed; what is left out is of order {power_of(found)}, by {step.counterexample}"
    smaller = any(found[name] != value for name, value in step.neglects.exponents.items())
    return f"; what is left out is smaller than printed, of order {power_of(found)}" if smaller else ""


def _other(slug: str) -> tuple[Step, ProofStatus]:
    """Another step, and the status of its proof under the paper's assumptions."""
    # named, not imported: the result of a step does not depend on the contents
    step: Step = importlib.import_module("derivations.steps.contents").named(slug)
    return step, _told[slug] if slug in _told else proof_of(step).status


_told: dict[str, ProofStatus] = {}


@contextmanager
def told(others: Mapping[str, ProofStatus]) -> Iterator[None]:
    """The status of other steps' proofs as it was found elsewhere: what rests on them inside does not find it again.

    Nothing that was found inside is taken for what this process found by itself.
    """
    before = dict(_known)
    _told.update(others)
    try:
        yield
    finally:
        if _told:
            _known.clear()
            _known.update(before)
        _told.clear()


# by the name of a step, that very step and its proof under the paper's assumptions
_known: dict[str, tuple[Step, Proof]] = {}


def proof_of(step: Step, alike: Step | None = None) -> Proof:
    """The proof of a step under the paper's assumptions, found once in a process: others rest on it, or ask for it.

    alike: the same step, if it is to be proved by what it remembers of its derivation.
    """
    known = _known.get(step.name)
    if known is None or known[0] is not step:
        known = _known[step.name] = step, prove(step if alike is None else alike)
    return known[1]


def chain_of(step: Step, assumptions: Assumptions) -> Chain | None:
    """The step's proof move by move; None where it has none, or where a move does not apply under the assumptions.

    Under the paper's assumptions every move must apply: DoesNotApply and NotDerivable are raised there.
    """
    if step.derivation is None:
        return None
    try:
        return step.derivation(assumptions)
    except (DoesNotApply, NotDerivable):
        if not assumptions.changes(step.depends_on):
            raise
        return None


def fault_of_chain(step: Step, assumptions: Assumptions, derived: Derived) -> str:
    """What is wrong with the step's chain of moves: that it does not lead to what is derived under the assumptions, the
    first move that its second route disproves, the part that does not end at what the step derives, or that is shown for less
    than it is claimed for. Nothing where all is right, or where there is no chain.
    """
    if step.derivation is None:
        return ""
    try:
        chain = step.derivation(assumptions)
    except (DoesNotApply, NotDerivable) as error:
        return f"the proof does not go through: {error}"
    for k, move in enumerate(chain.moves):
        if move.disproved:
            return f"move {k + 1}, {move.rule}: {move.disproved[:200]}"
    if set(chain.parts) != set(derived):
        return f"the chain shows {', '.join(chain.parts)}; the step derives {', '.join(derived)}"
    for label, part in chain.parts.items():
        if part is not derived[label] and not difference(part, derived[label]).is_zero():
            return f"{label}: the chain does not end at what the step derives"
    # what a changed assumption does not reach, as a counterexample of its own law, is proved of the paper's own steps
    read_under = assumptions if assumptions.changes(step.depends_on) else PAPER
    fault = unstated_start(chain, assumptions) or unheld(chain, read_under)
    return fault or shown_on_less(step, chain) or wrongly_named(chain, assumptions)


def first_difference(
    step: Step, wrong: Mapping[str, NormalForm], assumptions: Assumptions
) -> tuple[str, str]:
    """Of the parts in which a claim is another the one that the moves show first, and after which move they do."""
    chain = chain_of(step, assumptions)
    shown = {} if chain is None else chain.shown
    for place in sorted(shown):
        label = next((label for label in shown[place] if label in wrong), "")
        if label:
            return label, f" after move {place}, {chain.moves[place - 1].rule}" if chain is not None else ""
    return next(iter(wrong)), ""


def compare(step: Step, claim: Parts, derived: Derived, assumptions: Assumptions = PAPER) -> Proof:
    """Judge a claim against a derivation of the step."""
    try:
        wrong = disagreeing(claim, derived)
    except (ValueError, ZeroDivisionError) as error:
        return Proof(ProofStatus.FAILED, step.method, str(error))
    if not wrong:
        return Proof(ProofStatus.PROVED, step.method)
    label, residual = next(iter(wrong.items()))
    if step.correction is None:
        label, where = first_difference(step, wrong, assumptions)
        said = f"{label}{where}: claim and derivation differ by {wrong[label]}"
        return Proof(ProofStatus.FAILED, step.method, said)
    point = counterexample(residual)
    if point is None:
        return Proof(
            ProofStatus.FAILED, step.method, f"{label}: they differ, but no exact counterexample was found"
        )
    try:
        still_wrong = disagreeing(step.correction(), derived)
    except (ValueError, ZeroDivisionError) as error:
        return Proof(ProofStatus.FAILED, step.method, str(error))
    if still_wrong:
        return Proof(
            ProofStatus.FAILED, step.method, f"{next(iter(still_wrong))}: the correction is wrong too"
        )
    if not point:
        said = f"{label}: {claim[label]} is printed, {derived[label]} derived"
        return Proof(ProofStatus.CORRECTED, step.method, said)
    where = ", ".join(f"{name} = {value}" for name, value in point.items())
    return Proof(ProofStatus.CORRECTED, step.method, f"{label}: the printed form is off at {where}")
