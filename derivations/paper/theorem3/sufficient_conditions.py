"""What suffices for Theorem 3: conditions under which (138), (139), (142) and (14) hold.

-  weighted-forms-concentrate  (137)-(139) for independent entries of any symmetric law, by exact variances
-  theorem-3-under-conditions  the order of what (142) and (14) neglect, from these variances

(134)-(136) hold the forms X W^a W^b X^T to a small variance; Gamma and B H_r B^T are forms weighted by Sigma_w and by H_r.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache

from sympy import Rational

from derivations.language import model
from derivations.language.assumptions import PAPER, Assumptions, unchanged
from derivations.language.model_letters import letter
from derivations.language.normal_form import to_sympy
from derivations.paper.theorem3.concentration import ONE_INNER_STEP, form_chain
from derivations.paper.theorem3.general_setting import general
from derivations.paper.theorem3.outer_problem import MEAN_FORM, target_covariance
from derivations.steps.chain import Rule
from derivations.steps.labels import ORDER
from derivations.steps.neglected import Quantity, Remainder
from derivations.steps.orders import ONE, element
from derivations.steps.step import Derived, Kind, Parts, Step
from symbolic.algebra.entry_laws import generic
from symbolic.algebra.terms import accumulate
from symbolic.algebra.words import Expression
from symbolic.averages.network_growth import term_bounds
from symbolic.averages.network_polynomial import NetworkPolynomial
from symbolic.averages.over_laws import average
from symbolic.proofs.asymptotics import Exponent, largest, sharp_exponent

HALF = Rational(1, 2)
# entries u of any symmetric law: kappa_4, kappa_6 and kappa_8 stay symbols
LAW = generic(8)
# what is of order xi, and the largest eigenvalue of Sigma_w; those of Sigma and H_r are bounded
ORDERS = {"p": ONE, "n_t": ONE, "Sigma_w": Exponent(Fraction(-1))}
GRAM, NOISE, WEIGHT = (ORDER.when(block) for block in (r"BB^T", r"\Gamma", r"BH_rB^T"))
NOISY, NOISELESS = (ORDER.when(case) for case in (r"\sigma>0", r"\sigma=0"))


def covariance_of_elements(first: Expression, second: Expression, copy: Expression) -> NetworkPolynomial:
    """E[first second] - E[first] E[second] for entries of the generic law; `copy` is `second` on independent data."""
    together, apart = (average(first * other, LAW) for other in (second, copy))
    terms = dict(together.terms)
    for key, value in apart.terms.items():
        accumulate(terms, key, -value)
    return NetworkPolynomial(terms, None, together.indices | apart.indices)


def _block(which: str, first: str, second: str, assumptions: Assumptions) -> Expression:
    if which == NOISE:
        return target_covariance(assumptions, first, second)
    one, other = (model.task(general(assumptions), index).design for index in (first, second))
    return one @ (letter("H_r") @ other.T if which == WEIGHT else other.T)


@cache
def fluctuation(which: str, assumptions: Assumptions) -> Exponent:
    """The order of the standard deviation of the elements of a block, within a task and between two."""
    bounds: list[Expression] = []
    # the covariance of gamma between two tasks vanishes exactly (130)
    for pair, copies in ((("1", "1"), ("3", "3")), (("1", "2"), ("3", "4"))):
        if which == NOISE and pair[0] != pair[1]:
            continue
        block, copy = (_block(which, *tasks, assumptions) for tasks in (pair, copies))
        for place in ((1, 1), (1, 2)):
            entry = element(block, *place)
            spread = covariance_of_elements(entry, entry, element(copy, *place))
            bounds.extend(term_bounds(spread, "p", ("Sigma_w",)))
    return sharp_exponent([], bounds, ORDERS)


def _derive_forms(assumptions: Assumptions) -> Derived:
    return {which: fluctuation(which, assumptions).sympy() for which in (GRAM, NOISE, WEIGHT)}


# -- the remainder ------------------------------------------------------------------------------------------


def remainder(spreads: tuple[Exponent, ...], moment: Fraction) -> Exponent:
    """The order of what (142) neglects, relative to it.

    spreads: relative orders of the standard deviations of B B^T, Gamma and B H_r B^T around their exact means. moment: by
    Hoelder the part of an event of probability P is at most P^moment.

    Let D, C, K be the relative deviations: the quotient is Tr[(I + D)^-1 (I + C) (I + D)^-1 (I + K)]. Where |D| < 1/2 it is
    N, plus terms linear in D, C, K, plus terms of which each has two of these as factors and otherwise factors that are
    bounded in D or linear in C and K. The linear terms average to zero over all draws, so over this event to minus
    their average over the other; the others are bounded by variances (Cauchy-Schwarz). The event |D| >= 1/2 has a
    probability of the order of Var D (Chebyshev).
    """
    widest = largest(list(spreads))
    rare = spreads[0].scaled(2)
    linear = widest + rare.scaled(Fraction(1, 2))
    return largest([widest.scaled(2), linear, rare.scaled(moment)])


def _derive_remainder(assumptions: Assumptions) -> Derived:
    gram, noise, weight = (fluctuation(which, assumptions) for which in (GRAM, NOISE, WEIGHT))
    # the means of B B^T and B H_r B^T are of order xi, that of Gamma is of order one
    spreads = (gram + ONE.scaled(-1), noise, weight + ONE.scaled(-1))
    leading = ONE.scaled(-1)
    # the chain of (142) lists every term that is left out; each has two fluctuations at least
    (kept,) = (move for move in form_chain(assumptions).moves if move.rule is Rule.KEEP)
    if kept.order["xi"] != leading + largest(list(spreads)).scaled(2):
        raise ArithmeticError("what (142) leaves out is of another order than two fluctuations")
    return {
        label: (leading + remainder(spreads, moment)).sympy()
        for label, moment in ((NOISY, Fraction(1, 2)), (NOISELESS, Fraction(1)))
    }


def _of_forms(found: Mapping[str, Quantity]) -> list[Remainder]:
    """Of the blocks of a task, about their means."""
    return [
        Remainder(_block(which, "1", "1", PAPER), {"xi": to_sympy(found[which])})
        for which in (GRAM, NOISE, WEIGHT)
    ]


def _of_square(found: Mapping[str, Quantity]) -> list[Remainder]:
    """Of (142)."""
    formula = form_chain(PAPER).parts[MEAN_FORM]
    return [Remainder(formula, {"xi": to_sympy(found[label])}) for label in (NOISY, NOISELESS)]


def _claim_forms() -> Parts:
    return {GRAM: HALF, NOISE: -HALF, WEIGHT: HALF}


# -- the steps ----------------------------------------------------------------------------------------------

STEPS: tuple[Step, ...] = (
    Step(
        "weighted-forms-concentrate",
        (),
        Kind.CLAIM,
        "The orders of (137)-(139) hold when an input is Sigma^(1/2) u with independent entries u of one symmetric law with moments "
        "up to the eighth, the eigenvalues of Sigma, H_r and p Sigma_w stay bounded, and p and n_t are of order xi.",
        "theorem3",
        uses=("general-stacked-design", "general-target-covariance", "rows-mean", "rows-second-moment"),
        depends_on=ONE_INNER_STEP,
        claim=_claim_forms,
        derive=_derive_forms,
        remainders=_of_forms,
        applies=unchanged(ONE_INNER_STEP),
        reason="the orders are those of (137)-(139), which are sampled there, with Laplace entries too",
        method="exact variances by cumulants of a generic law; a bound of each sum over indices by its connected parts",
        remark="What is needed of a law is that the variances of the forms x^T M y, x^T W M y and x^T W M W' y vanish relative "
        "to their size for M = I, Sigma_w and H_r, where H_r has Sigma^3 and F in it; (134)-(136) have M = I only. For Gaussian "
        "inputs Tr Sigma_w^2 = O(1/xi) is enough in place of bounded eigenvalues of p Sigma_w.",
    ),
    Step(
        "theorem-3-under-conditions",
        (),
        Kind.CLAIM,
        "(142) and (14) hold with their error of order xi^(-3/2) where (137)-(139) hold in mean square, as for "
        "independent entries, H_r and p Sigma_w have bounded eigenvalues, Tr H_t is of order xi, n_v and m are fixed, and, where there is label "
        "noise, the trace of Gamma times the inverse of B B^T / p has a bounded second moment.",
        "theorem3",
        uses=("weighted-forms-concentrate", "weighted-mean-square"),
        depends_on=ONE_INNER_STEP,
        claim=lambda: {NOISY: -3 * HALF, NOISELESS: Rational(-2)},
        derive=_derive_remainder,
        remainders=_of_square,
        applies=unchanged(ONE_INNER_STEP),
        reason="the remainder is sampled at (142) and (14), with Laplace entries too",
        method="exact means; variances, Cauchy-Schwarz and Chebyshev for the rest",
        remark="Without label noise nothing need be asked of the inverse: B H_r B^T is at most |H_r| B B^T and Gamma at most "
        "|Sigma_w| B B^T, so the quotient of (133) is bounded draw by draw, and the error is of order xi^-2. For inputs whose law has "
        "atoms B B^T can be singular, and the second moment infinite at every size. What is computed are the orders; that they "
        "combine like this, by the inequalities of Hoelder, Cauchy-Schwarz and Chebyshev, is argued in the module.",
    ),
)
