"""What the gap between a simulation and a formula means: what the formula leaves out, beside the next order and exact values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from derivations.formulas.by_name import evaluate_named
from derivations.formulas.parameters import Exact
from derivations.language.assumptions import Assumptions
from derivations.support.bad_input import BadInput
from numeric_check.draws.estimate import Estimate
from numeric_check.problem.impossible import Impossible
from numeric_check.verdicts.verdict import SIGMAS
from symbolic.algebra.refusal import Refused

EXACT = "exact-loss"
AT_ZERO = ("exact-loss-at-zero", "exact-slope-at-zero")


@dataclass(frozen=True)
class Exactly:
    """A value that needs no expansion, and the error with which it is computed."""

    value: float
    error: float


# The derivation of the next order below p = n_v m grows fast with the steps of the inner loop.
MOST_STEPS = 2


def explained(
    name: str,
    values: Mapping[str, Exact],
    assumptions: Assumptions,
    found: Estimate,
    theory: float,
    *,
    resolved: bool,
) -> dict[str, float | str | None]:
    """The fields `gap` (mean - theory), `next` (the formula to the next order), `exact` and `note` of a simulation.

    next, exact: None where there is no such number. resolved: whether the draws differ by more than rounding.
    """
    gap = found.mean - theory
    if name in AT_ZERO:
        note = "the formula is exact: the gap is an error of the sampling"
        return {"gap": gap, "next": None, "exact": theory, "note": note}
    exact = exact_value(name, values, assumptions)
    if name == EXACT and exact is not None:
        note = f"the formula is exact; its average is computed to {exact.error:.2g}, the gap is an error of the sampling"
        return {"gap": gap, "next": None, "exact": exact.value, "note": note}
    more = next_order(name, values, assumptions)
    kept = "the leading order" if assumptions.order == "leading" else "the next order"
    size = f"{gap:.3g}" + (f" ({abs(gap / theory):.2g} of it)" if theory else "")
    if not resolved:
        note = "every draw gives the same number: the gap is no sampling error"
    elif abs(gap) <= SIGMAS * found.stderr:
        note = f"the formula keeps {kept}; what it leaves out is not seen within {SIGMAS:g} standard errors"
    else:
        note = (
            f"the formula keeps {kept} in the sizes: the gap of {size} is what it leaves out at these sizes, "
            "not an error of the sampling, and falls as the sizes grow"
        )
    if more is not None:
        note += f"; the next order adds {more - theory:.3g} and leaves a gap of {found.mean - more:.3g}"
    elif assumptions.order == "leading" and exact is None:
        note += "; no next order is derived for it here"
    if exact is not None:
        note += (
            f"; the exact value is known here, and the simulation is {found.mean - exact.value:.3g} from it"
        )
    return {"gap": gap, "next": more, "exact": None if exact is None else exact.value, "note": note}


def next_order(name: str, values: Mapping[str, Exact], assumptions: Assumptions) -> float | None:
    """The formula's number with `order=next`, or None where that is not derived, or kept already."""
    if assumptions.order != "leading" or assumptions.inner_steps > MOST_STEPS:
        return None
    try:
        found = evaluate_named(name, values, replace(assumptions, order="next"))
        before = evaluate_named(name, values, assumptions)
    except (BadInput, Refused):
        return None
    # a formula that does not know the order is no next one
    return found["value"] if "value" in found and found != before else None


def exact_value(name: str, values: Mapping[str, Exact], assumptions: Assumptions) -> Exactly | None:
    """The exact loss above p = n_v m, at every training rate, and its error; None where there is none."""
    if name not in ("eq5", EXACT):
        return None
    try:
        found = evaluate_named(EXACT, values, assumptions)
    except (BadInput, Impossible, Refused):
        return None
    return Exactly(found["value"], found["error"])
