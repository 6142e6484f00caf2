"""What the gap between a simulation and a formula means: what the formula leaves out, beside the next order and exact values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from derivations.formulas.by_name import evaluate_named
from derivations.formulas.exact import quotient, value_at
from derivations.formulas.parameters import Exact, checked
from derivations.language.assumptions import Assumptions
from derivations.paper.theorem1.remainder import exact_loss_at_rate_zero
from derivations.support.bad_input import BadInput
from numeric_check.draws.estimate import Estimate
from symbolic.algebra.refusal import Refused

# Standard errors within which simulation and a number are not told apart.
SIGMAS = 5
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
    more, exact = next_order(name, values, assumptions), exact_value(name, values, assumptions)
    kept = "the leading order" if assumptions.order == "leading" else "the next order"
    size = f"{gap:.3g}" + (f" ({abs(gap / theory):.2g} of it)" if theory else "")
    if not resolved:
        note = "every draw gives the same number: the gap is no sampling error"
    elif abs(gap) <= SIGMAS * found.stderr:
        note = f"the formula keeps {kept}; what it leaves out is not seen within {SIGMAS} standard errors"
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
        note += f"; the exact value is known here, and the simulation is {found.mean - exact:.3g} from it"
    return {"gap": gap, "next": more, "exact": exact, "note": note}


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


def exact_value(name: str, values: Mapping[str, Exact], assumptions: Assumptions) -> float | None:
    """The exact loss above p = n_v m at the training rate 0, for Gaussian inputs; None elsewhere."""
    known = replace(assumptions, inner_steps=1, adaptation_steps=1, order="leading", added=())
    if name != "eq5" or known != Assumptions() or assumptions.added or values.get("alpha_t") != 0:
        return None
    value = quotient(exact_loss_at_rate_zero(assumptions))
    point = checked(name, values, value.names(), fixed={})
    rows, size = (checked(name, values, names, fixed={}) for names in (("n_v", "m"), ("p",)))
    if size["p"] <= rows["n_v"] * rows["m"] + 1:
        return None
    return float(value_at(value, point))
