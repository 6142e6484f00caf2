"""The setting of Theorem 3, (11)-(13), (17) and (109)-(113): inputs and tasks of any law with zero mean.

    (11)   nonlinear-loss          squared loss of any model f
    (13)   tangent-features        inputs of the linearized model: gradients of f at the start
    (12)   linearized-model        f to first order in its parameters about the start
    -      linearized-loss         (12) in (11) is linear regression
    (109)  input-covariance        Sigma
    (110)  task-covariance         Sigma_w
    (111)  fourth-moment           F = E (x^T Sigma x) x x^T
    (17)   wishart-covariances     the covariances of the experiment: one Wishart draw each
    (112)  rows-mean               E X^T X for rows of any law
    (113)  rows-second-moment      the second moment of X^T X, for rows of any law
    -      gaussian-fourth-moment  F for Gaussian inputs

Of the law of an input x only Sigma = E x x^T and F = E (x^T Sigma x) x x^T enter; the averages over its data
are taken by independence of the rows, without any law.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
from sympy import Identity, MatrixSymbol, Trace

from derivations.language import model
from derivations.language.assumptions import PAPER, Assumptions, NotDerivable
from derivations.language.model_letters import letter
from derivations.language.printed_order import in_order
from derivations.language.symbols import column, f_0, inner, n, nu, p, y
from derivations.paper.setup import define
from derivations.paper.wide_network.linearisation import linearisation_checks
from derivations.steps import discrete_law
from derivations.steps.chain import Chain, abbreviation
from derivations.steps.draws import Array, fixed_column, transpose
from derivations.steps.held import Held
from derivations.steps.step import Kind, Observed, Parts, Step
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, constant, gaussian, scalar, tr
from symbolic.averages.rows import BeyondFourthMoment, expect_rows

SIGMA, SIGMA_W = MatrixSymbol("Sigma", p, p), MatrixSymbol("Sigma_w", p, p)
F, A = MatrixSymbol("F", p, p), MatrixSymbol("A", p, p)
I_P = Identity(p)
K, OMEGA_0 = column("k", p), column("omega_0", p)
LOSS_AT_POINT = "L"
ROWS = 40  # inputs per draw where one draw averages over several
SIZES = ({"n": 4, "p": 3, "nu": 0.7}, {"n": 7, "p": 5, "nu": 1.1}, {"n": 3, "p": 8, "nu": 0.9})


def general(assumptions: Assumptions) -> Assumptions:
    """The assumptions of Theorem 3: covariances Sigma and Sigma_w.

    The averages are taken by independence of the rows, and F stands for the law: words of Gaussian inputs serve
    for any law as long as no average but that of `over_rows` is taken of them.
    """
    return replace(assumptions, covariance="general", inputs="gaussian")


def over_rows(expr: Expression, *names: str) -> Expression:
    """The average over input matrices or task parameters of any law, one after the other.

    Raises NotDerivable where moments beyond Sigma and F would be needed.
    """
    try:
        for name in names:
            expr = expect_rows(expr, name, model.FOURTH_MOMENT)
    except BeyondFourthMoment as error:
        raise NotDerivable(str(error)) from None
    return expr


def _linear_model(at: Expression) -> Expression:
    """(12): the model at the start, and its gradient times the way from there."""
    return scalar("f_0") + letter("k").T @ (at - letter("omega_0"))


def _linearized_chain(assumptions: Assumptions) -> Chain:
    """(11) at a point, with (12) for f."""
    residual = scalar("y") - scalar("f")
    chain = Chain(constant(Fraction(1, 2)) * residual * residual)
    held = Held(PAPER)
    return chain.expand({"f": _linear_model(model.OMEGA)}, "linearized-model", held=held).shows(LOSS_AT_POINT)


def _claim_model() -> Parts:
    return {r"f_{lin}(x,\omega)": f_0 + inner(K, column("omega", p)) - inner(K, OMEGA_0)}


def _claim_linearized() -> Parts:
    label = y - f_0 + inner(K, OMEGA_0)
    return {LOSS_AT_POINT: (label - inner(K, column("omega", p))) ** 2 / 2}


def _observe_linearized(sample: Sample) -> Observed:
    """For the model f(x, omega) = (x^T omega)^2 + x^T omega: its loss (11) at one point, with (12) for f."""
    x, start, at = (fixed_column(sample, name, "p") for name in ("x_point", "omega_0", "omega"))

    def f(parameters: Array) -> float:
        return float(np.sum(x * parameters)) ** 2 + float(np.sum(x * parameters))

    steps = np.eye(sample.size("p"))
    # central differences are exact for a quadratic model, up to rounding
    slopes = [(f(start + steps[:, [k]]) - f(start - steps[:, [k]])) / 2 for k in range(sample.size("p"))]
    k, label = np.array(slopes)[:, None], 3.0 + float(np.sum(x))
    for name, value in (("k", k), ("y", label), ("f_0", f(start))):
        sample.define(name, value)
    residual = label - f(start) - float(np.sum(k * (at - start)))
    return {LOSS_AT_POINT: np.array([residual**2 / 2])}


# -- laws ---------------------------------------------------------------------------------------------------


def _observe_covariance(sample: Sample) -> Observed:
    x = discrete_law.inputs(sample, 1)
    return {r"\mathbb{E}\,xx^T": transpose(x) @ x}


def _observe_task_covariance(sample: Sample) -> Observed:
    w = discrete_law.tasks(sample)
    return {r"\mathbb{E}\,ww^T": w @ transpose(w)}


def _observe_fourth(sample: Sample) -> Observed:
    x = discrete_law.inputs(sample, ROWS)
    return {r"\mathbb{E}\,(x^T\Sigma x)xx^T": _weighted_square(x, discrete_law.covariance(sample))}


def _weighted_square(x: Array, sigma: Array) -> Array:
    """(x^T Sigma x) x x^T, averaged over the rows x of each matrix of a batch."""
    form = np.einsum("bni,bni->bn", x @ sigma, x)
    return np.asarray(transpose(x * form[..., None]) @ x / x.shape[1])


def _observe_wishart(sample: Sample) -> Observed:
    scale = 1 / sample["p"]
    draws = (sample.gaussian("p", "p"), sample.gaussian("p", "p"))
    first, second = (np.asarray(transpose(x) @ x) * scale for x in draws)
    return {r"\mathbb{E}\,\Sigma": first, r"\mathbb{E}\,\Sigma_w": sample["nu"] ** 2 * scale * second}


_CHECKED = "a definition; checked on a law whose moments are finite sums"


# -- averages over independent rows -------------------------------------------------------------------------


W = abbreviation("W", "p")


def _rows_chain(label: str, word: Expression, reads: tuple[str, ...], assumptions: Assumptions) -> Chain:
    """A word in W, with W = X^T X put in and averaged by independence of the rows."""
    x = gaussian("X", "n", "p", covariance="Sigma")
    chain = Chain(word).define({"W": x.T @ x})
    return chain.average_rows("X", fourth=model.FOURTH_MOMENT, reads=reads).shows(label)


_mean_chain = partial(_rows_chain, r"\mathbb{E}\,X^TX", W, ("input-covariance",))
_second_chain = partial(
    _rows_chain,
    r"\mathbb{E}\,\mathrm{Tr}[\Sigma WAW]",
    tr(model.SIGMA @ W @ letter("A") @ W),
    ("input-covariance", "fourth-moment"),
)


def _sampled_wishart(sample: Sample) -> Array:
    x = discrete_law.inputs(sample, "n")
    return np.asarray(transpose(x) @ x)


def _observe_mean(sample: Sample) -> Observed:
    return {r"\mathbb{E}\,X^TX": _sampled_wishart(sample)}


def _observe_second(sample: Sample) -> Observed:
    w = _sampled_wishart(sample)
    # any matrix A, not symmetric; near the identity, so that the trace is not zero by chance
    a = np.eye(sample.size("p")) + 0.3 * sample.matrix("A_offset", "p", "p")
    sample.define("A", a)
    left, right = discrete_law.covariance(sample) @ w, a @ w
    return {r"\mathbb{E}\,\mathrm{Tr}[\Sigma WAW]": np.einsum("bij,bji->b", left, right)}


def _gaussian_chain(assumptions: Assumptions) -> Chain:
    """The definition of F, averaged by parts."""
    x = gaussian("x", "1", "p", covariance="Sigma").T
    return Chain((x.T @ model.SIGMA @ x) * (x @ x.T)).average("x", reads=("input-covariance",)).shows("F")


def _observe_gaussian(sample: Sample) -> Observed:
    sigma = sample.matrix("Sigma", "p", "p", positive=True)
    x = sample.gaussian(ROWS, "p", sigma)
    return {"F": _weighted_square(x, sigma)}


_ROWS = "independence of the rows; no law is used"


_define = partial(define, page="theorem3")


STEPS: tuple[Step, ...] = (
    _define(
        "nonlinear-loss",
        ("11",),
        "Regression with the squared loss, for any model f.",
        r"L(\omega)=\mathbb{E}_x\mathbb{E}_{y|x}\,\tfrac12\big[y-f(x,\omega)\big]^2",
    ),
    _define(
        "tangent-features",
        ("13",),
        "The inputs of the linearized model: gradients of f at the start of training.",
        r"k(x,\omega_0)=\nabla_\omega f(x,\omega)\big|_{x,\omega_0}",
        uses=("nonlinear-loss",),
    ),
    Step(
        "linearized-model",
        ("12",),
        Kind.APPROXIMATION,
        "Near the start of training the model is replaced by its first-order expansion in the parameters.",
        "theorem3",
        uses=("nonlinear-loss", "tangent-features"),
        claim=_claim_model,
        tex=r"f(x,\omega)\simeq f(x,\omega_0)+k(x,\omega_0)^T(\omega-\omega_0)",
        check=linearisation_checks,
        reason="an approximation and no identity: how good it is depends on the network and its width",
        remark="What it leaves out is measured with the network of section 5.4, at the solution of the outer problem with "
        "the features (13); the stated exponent of the width is that known of wide networks, an upper bound.",
    ),
    Step(
        "linearized-loss",
        (),
        Kind.CLAIM,
        "With (12) in (11) the loss at a point (x, y) is that of linear regression: the gradient k at the start is the "
        "input, and the label is what the start leaves of y, plus k^T omega_0.",
        "theorem3",
        uses=("nonlinear-loss", "tangent-features", "linearized-model"),
        claim=_claim_linearized,
        derivation=_linearized_chain,
        observe=_observe_linearized,
        sizes=SIZES,
        resolution={LOSS_AT_POINT: 1e-9},
        method="expansion of the square",
        remark="This is exact for the linearized model, and makes Theorem 3 one about it: its inputs x are the k of (13), "
        "and the loss that is averaged from (114) on is (11) over a sample.",
    ),
    Step(
        "input-covariance",
        ("109",),
        Kind.DEFINITION,
        "The covariance of an input.",
        "theorem3",
        claim=lambda: {r"\mathbb{E}\,xx^T": SIGMA},
        observe=_observe_covariance,
        sizes=SIZES,
        tex=r"\Sigma=\mathbb{E}\,xx^T",
        reason=_CHECKED,
    ),
    Step(
        "task-covariance",
        ("110",),
        Kind.DEFINITION,
        "The covariance of the task parameters.",
        "theorem3",
        claim=lambda: {r"\mathbb{E}\,ww^T": SIGMA_W},
        observe=_observe_task_covariance,
        sizes=SIZES,
        tex=r"\Sigma_w=\mathbb{E}\,ww^T",
        reason=_CHECKED,
    ),
    Step(
        "fourth-moment",
        ("111",),
        Kind.DEFINITION,
        "The matrix of fourth moments of an input, all that enters of its law beyond the covariance.",
        "theorem3",
        uses=("input-covariance",),
        claim=lambda: {r"\mathbb{E}\,(x^T\Sigma x)xx^T": F},
        observe=_observe_fourth,
        sizes=SIZES,
        tex=r"F=\mathbb{E}\,(x^T\Sigma x)\,xx^T",
        reason=_CHECKED,
    ),
    Step(
        "wishart-covariances",
        ("17",),
        Kind.DEFINITION,
        "The covariances of the experiment: one draw each of a Wishart matrix with p degrees of freedom.",
        "theorem3",
        uses=("input-covariance", "task-covariance"),
        claim=lambda: {r"\mathbb{E}\,\Sigma": I_P, r"\mathbb{E}\,\Sigma_w": nu**2 / p * I_P},
        observe=_observe_wishart,
        sizes=SIZES,
        tex=r"\Sigma\sim\tfrac1p\mathcal W(I,p),\qquad\Sigma_w\sim\tfrac{\nu^2}{p^2}\mathcal W(I,p)",
        reason="a definition; its mean is checked against the sampler",
        unreadable="the powers of p could not be read in the available text; the scale taken is the one at "
        "which the means are those of section 4, I and nu^2/p I",
    ),
    Step(
        "rows-mean",
        ("112",),
        Kind.LEMMA,
        "The mean of X^T X for rows of any law.",
        "theorem3",
        uses=("input-covariance",),
        claim=lambda: {r"\mathbb{E}\,X^TX": n * SIGMA},
        derivation=_mean_chain,
        observe=_observe_mean,
        sizes=SIZES,
        method=_ROWS,
    ),
    Step(
        "rows-second-moment",
        ("113",),
        Kind.LEMMA,
        "The second moment of X^T X that enters, for rows of any law, with W = X^T X and any matrix A.",
        "theorem3",
        uses=("rows-mean", "fourth-moment"),
        claim=lambda: {
            r"\mathbb{E}\,\mathrm{Tr}[\Sigma WAW]": Trace(A * in_order(n**2 * SIGMA**3, n * (F - SIGMA**3)))
        },
        derivation=_second_chain,
        observe=_observe_second,
        sizes=SIZES,
        method=_ROWS,
    ),
    Step(
        "gaussian-fourth-moment",
        (),
        Kind.CLAIM,
        "For Gaussian inputs the matrix of fourth moments is known.",
        "theorem3",
        uses=("fourth-moment",),
        claim=lambda: {"F": in_order(2 * SIGMA**3, Trace(SIGMA**2) * SIGMA)},
        derivation=_gaussian_chain,
        observe=_observe_gaussian,
        sizes=SIZES,
        method="Gaussian integration by parts",
    ),
)
