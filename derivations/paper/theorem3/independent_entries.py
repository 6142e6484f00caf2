"""(113) for inputs with independent entries: the average over rows against the average by cumulants.

    -  rows-second-moment-by-cumulants  (111) and (113) from the cumulants of independent entries

`over_rows` never sees a law; it keeps Sigma and F. For rows Sigma^(1/2) u with iid entries u of any symmetric law the
same average follows from the cumulants of u, of which the fourth alone enters.
"""

from __future__ import annotations

import numpy as np
from sympy import Identity, Trace

from derivations.language import model
from derivations.language.assumptions import Assumptions
from derivations.language.model_letters import letter
from derivations.language.symbols import kappa_4, n, p
from derivations.paper.theorem3.general_setting import A, W
from derivations.steps.chain import Chain
from derivations.steps.draws import transpose
from derivations.steps.step import Kind, Observed, Parts, Step
from numeric_check.draws.sample import Sample
from symbolic.algebra.entry_laws import law_of_letter
from symbolic.algebra.words import Expression, gaussian, identity, independent_entries, scalar, tr
from symbolic.averages.over_laws import average

GENERIC_LAW = "generic:4"
LAW = law_of_letter(GENERIC_LAW)
SECOND, FOURTH = r"\mathbb{E}\,\mathrm{Tr}(WAW)\ (\Sigma=I)", r"F\ (\Sigma=I)"
# the law of the entries by its fourth cumulant
LAWS = {3.0: "laplace", -1.2: "uniform", -2.0: "rademacher"}
SIZES = (
    {"n": 4, "p": 3, "kappa_4": 3.0},
    {"n": 7, "p": 5, "kappa_4": -1.2},
    {"n": 3, "p": 8, "kappa_4": -2.0},
)


def second_moment(covariance: str | None) -> Expression:
    """Tr[Sigma W A W] for W = X^T X, before the average; Sigma = I without a covariance."""
    x = independent_entries("X", "n", "p", GENERIC_LAW, covariance)
    w = x.T @ x
    return tr((w if covariance is None else model.SIGMA @ w) @ letter("A") @ w)


def row_square(covariance: str | None) -> Expression:
    """(x^T Sigma x) x x^T for one input x, whose mean is F."""
    x = independent_entries("x", "1", "p", GENERIC_LAW, covariance).T
    form = x.T @ x if covariance is None else x.T @ model.SIGMA @ x
    return tr(form) * (x @ x.T)


def require_form_in_f() -> None:
    """Checks (113) at any Sigma under the generic law, as an equality of averages by cumulants.

    Both sides hold sums over indices of Sigma^(1/2), which are no traces; they have a normal form. Raises
    ArithmeticError when the sides differ.
    """
    n_rows, sigma, a = scalar("n"), model.SIGMA, letter("A")
    pairs = n_rows * (n_rows - 1) * tr(a @ sigma @ sigma @ sigma)
    in_f = pairs + n_rows * tr(a @ row_square("Sigma"))
    if average(second_moment("Sigma"), LAW).terms != average(in_f, LAW).terms:
        raise ArithmeticError("the average by cumulants is not that of independent rows")


def by_cumulants_chain(assumptions: Assumptions) -> Chain:
    """(111) by the cumulants of an entry, put into (113); and (113) by the cumulants of an entry at once."""
    require_form_in_f()
    x = gaussian("X", "n", "p", covariance="Sigma")  # stands for rows of any law
    chain = Chain(tr(model.SIGMA @ W @ letter("A") @ W)).define({"W": x.T @ x})
    in_f = chain.average_rows("X", fourth=model.FOURTH_MOMENT, reads=("rows-second-moment",)).result
    fourth = chain.begin(row_square(None)).average("x", reads=("fourth-moment",)).shows(FOURTH).result
    by_rows = chain.begin(in_f).insert({"Sigma": identity("p"), "F": fourth}).shows(SECOND).result
    if chain.begin(second_moment(None)).average("X").result != by_rows:
        raise ArithmeticError("the average by cumulants is not that of independent rows")
    return chain.shows(SECOND)


def _claim() -> Parts:
    fourth = p + 2 + kappa_4
    return {SECOND: Trace(A) * (n**2 + n * (fourth - 1)), FOURTH: fourth * Identity(p)}


def _observe(sample: Sample) -> Observed:
    x = sample.inputs("n", "p", LAWS[sample["kappa_4"]])
    a = np.eye(sample.size("p")) + 0.3 * sample.matrix("A_offset", "p", "p")
    sample.define("A", a)
    w = transpose(x) @ x
    squares = np.sum(x**2, axis=2, keepdims=True)
    return {
        SECOND: np.einsum("bij,bji->b", w, a @ w),
        FOURTH: transpose(x * squares) @ x / sample["n"],
    }


STEPS: tuple[Step, ...] = (
    Step(
        "rows-second-moment-by-cumulants",
        (),
        Kind.CLAIM,
        "For inputs with independent entries the averages of (111) and (113) follow from the cumulants of an entry, of "
        "which the fourth is all that enters.",
        "theorem3",
        uses=("rows-second-moment", "fourth-moment"),
        claim=_claim,
        derivation=by_cumulants_chain,
        observe=_observe,
        sizes=SIZES,
        method="cumulants of a generic law; at any Sigma both sides of (113) have one normal form",
        remark="For x = Sigma^(1/2) u with independent entries u, F is 2 Sigma^3 + Sigma Tr Sigma^2 plus kappa_4 times "
        "Sigma^(1/2) diag(Sigma^2) Sigma^(1/2). At Sigma = I the last term is kappa_4 I, as here; the Gaussian law has "
        "kappa_4 = 0.",
    ),
)
