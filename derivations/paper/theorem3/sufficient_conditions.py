"""What suffices for Theorem 3: conditions under which (138), (139), (142) and (14) hold.

-  weighted-forms-concentrate  (137)-(139) for independent entries of any symmetric law, by exact variances
-  theorem-3-under-conditions  the order of what (142) and (14) neglect, from these variances

(134)-(136) hold the forms X W^a W^b X^T to a small variance; Gamma and B H_r B^T are forms weighted by Sigma_w and by H_r.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from sympy import Rational

from derivations.language import model
from derivations.language.assumptions import PAPER, Assumptions, unchanged
from derivations.language.model_letters import letter
from derivations.language.normal_form import to_sympy
from derivations.paper.theorem3.concentration import INVERSE, NOTHING, ONE_INNER_STEP, form_chain
from derivations.paper.theorem3.general_setting import general
from derivations.paper.theorem3.outer_problem import MEAN_FORM, target_covariance
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain, Rule
from derivations.steps.chains.products import degree_of_powers
from derivations.steps.labels import ORDER
from derivations.steps.neglected import Quantity, Remainder
from derivations.steps.orders import ONE, element
from derivations.steps.rules.moment_bounds import Deviation, bound_mean, by_pairs, chebyshev, on_event
from derivations.steps.step import Kind, Parts, Step
from symbolic.algebra.words import Expression, letter_expression, matrix, zero
from symbolic.proofs.asymptotics import Exponent

HALF = Fraction(1, 2)
# entries u of any symmetric law: kappa_4, kappa_6 and kappa_8 stay symbols
LAW = "generic:8"
# where its moves are compared: with two rows at least, of which single elements are taken
MOVE_SIZES: tuple[Mapping[str, float], ...] = (
    {"n_t": 4, "n_v": 2, "n_r": 5, "p": 3, "sigma": 0.8, "alpha_t": 0.4, "alpha_r": 0.3},
    {"n_t": 3, "n_v": 2, "n_r": 4, "p": 5, "sigma": 1.2, "alpha_t": -0.3, "alpha_r": 0.2},
    {"n_t": 6, "n_v": 3, "n_r": 3, "p": 4, "sigma": 0.5, "alpha_t": 0.7, "alpha_r": -0.4},
)
# what is of order xi, and the largest eigenvalue of Sigma_w; those of Sigma and H_r are bounded
TASK_NORM = "norm_of_Sigma_w"
ORDERS = {"p": ONE, "n_t": ONE, TASK_NORM: Exponent(Fraction(-1))}
# the means of B B^T, Gamma and B H_r B^T, by the conditions; the deviations from these; the root of the probability of a
# large one of the first
MEANS = {"g": ONE, "c": NOTHING, "w": ONE}
D = Deviation("D", "d", "g", str(next(iter(INVERSE.letters()))))
C, E = Deviation("C", "s", "c"), Deviation("E", "e", "w")
RARE = "root_of_P"
GRAM, NOISE, WEIGHT = (ORDER.when(block) for block in (r"BB^T", r"\Gamma", r"BH_rB^T"))
NOISY, NOISELESS = (ORDER.when(case) for case in (r"\sigma>0", r"\sigma=0"))


def _block(which: str, first: str, second: str, assumptions: Assumptions) -> Expression:
    if which == NOISE:
        return target_covariance(assumptions, first, second)
    one, other = (model.task(general(assumptions), index).design for index in (first, second))
    return one @ (letter("H_r") @ other.T if which == WEIGHT else other.T)


def _of_any_law(block: Expression) -> Expression:
    """A block whose inputs have independent entries of any symmetric law."""
    inputs = {name: one for name, one in block.letters().items() if one.random}
    return block.replace({name: letter_expression(replace(one, law=LAW)) for name, one in inputs.items()})


def fluctuate(chain: Chain, which: str, assumptions: Assumptions) -> Chain:
    """The variances of the elements of a block, all together: E e^2 - E e e' with the element e' of an independent copy.

    Within a task and between two, on the diagonal and off it; no term can cancel as each is bounded by itself.
    """
    total, blocks = zero(), {}
    for name, pair, copies in (("Y", "11", "33"), ("Z", "12", "34")):
        if which == NOISE and name == "Z":
            continue  # the covariance of gamma between two tasks vanishes exactly (130)
        for label, tasks in ((name, pair), (f"{name}_copy", copies)):
            blocks[label] = _of_any_law(_block(which, tasks[0], tasks[1], assumptions))
        for place in ((1, 1), (1, 2)):
            entry, copy = (element(matrix(label, "n_v", "n_v"), *place) for label in (name, f"{name}_copy"))
            total = total + entry * entry - entry * copy
    reads = "general-target-covariance" if which == NOISE else "general-stacked-design"
    chain.begin(total).define(blocks, reads)
    return order(bound_mean(chain, "p", {"Sigma_w": TASK_NORM}), ORDERS)


@lru_cache(maxsize=8)
def forms_chain(assumptions: Assumptions) -> Chain:
    """The orders of the standard deviations of the elements of the three blocks."""
    chain = Chain(zero())
    for which in (GRAM, NOISE, WEIGHT):
        fluctuate(chain, which, assumptions).shows_degree(which, HALF)
    return chain


# -- the remainder ------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def remainder_chain(assumptions: Assumptions) -> Chain:
    """The order of what (142) neglects, from those of the deviations D, C, E of B B^T, Gamma and B H_r B^T from their means.

    Where the eigenvalues of D are at most half its mean g, each term that (142) leaves out has two of these as factors,
    otherwise D, which is bounded, or C and E, which stand once: Cauchy-Schwarz. The terms linear in one of them average to
    zero over all draws, so over this event to minus their average over the other, whose probability is at most of the order
    of the mean square of D over g: Cauchy-Schwarz and Chebyshev. There the quotient itself is bounded by its mean size and
    that probability where there is no label noise, and its root where there is.
    """
    (kept,) = (move for move in form_chain(assumptions).moves if move.rule is Rule.KEEP)
    orders = [move for move in forms_chain(assumptions).moves if move.rule is Rule.ORDER]
    weights = dict(MEANS)
    for one, move in zip((D, C, E), orders, strict=True):
        weights[one.spread] = degree_of_powers(move.after).scaled(HALF) + MEANS[one.mean].scaled(-1)
    chain = remainder(form_chain(assumptions), weights)
    if kept.order["xi"] != degree_of_powers(chain.moves[1].after):
        raise ArithmeticError("what (142) leaves out is of another order than two fluctuations")
    return chain


def remainder(form: Chain, weights: Mapping[str, Exponent]) -> Chain:
    """The same, from the chain of (142) and the orders of the means and of the deviations over these."""
    reads = ("weighted-forms-concentrate", "weighted-square-leading")
    chain = Chain(zero()).begin_left_out(form)
    order(by_pairs(chain, (D, C, E), *reads), weights)
    on_event(chain.begin_left_out(form, Rule.CENTRED), (D, C, E), RARE, *reads)
    order(chebyshev(chain, RARE, D.spread, *reads), weights)
    for power in (2, 1):  # of the mean size: that of the mean square, and of what is bounded draw by draw
        chain.begin_on_event(form, RARE, power)
        order(chebyshev(chain, RARE, D.spread, *reads), weights)
    pairs, alone, root, whole = (k for k, move in enumerate(chain.moves) if move.rule is Rule.ORDER)
    chain.shows_largest(NOISY, {pairs: 1}, {alone: 1}, {root: HALF})
    return chain.shows_largest(NOISELESS, {pairs: 1}, {alone: 1}, {whole: 1})


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
    half = Rational(HALF)
    return {GRAM: half, NOISE: -half, WEIGHT: half}


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
        derivation=forms_chain,
        sizes=MOVE_SIZES,
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
        uses=("weighted-forms-concentrate", "weighted-square-leading"),
        depends_on=ONE_INNER_STEP,
        claim=lambda: {NOISY: -3 * Rational(HALF), NOISELESS: Rational(-2)},
        derivation=remainder_chain,
        remainders=_of_square,
        applies=unchanged(ONE_INNER_STEP),
        reason="the remainder is sampled at (142) and (14), with Laplace entries too",
        method="Cauchy-Schwarz for the terms left out, Chebyshev for the rest; orders from exact variances",
        remark="Without label noise nothing need be asked of the inverse: B H_r B^T is at most |H_r| B B^T and Gamma at most "
        "|Sigma_w| B B^T, so the quotient of (133) is bounded draw by draw, and the error is of order xi^-2. For inputs whose law has "
        "atoms B B^T can be singular, and the second moment infinite at every size. In the proof g, c and w are the means of the three matrices, "
        "D, C and E their deviations, g d, c s and w e the standard deviations of these, and P is the probability that D is larger "
        "than half of g: there the terms linear in one deviation, and the quotient itself, are bounded by its root.",
    ),
)
