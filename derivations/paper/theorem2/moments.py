"""The averages of B^T Gamma B, (89)-(95), and the polynomials they are made of, (98)-(107).

    (102)         mu-2                      mean of W_t^2, scaled
    (103)         mu-3                      mean of W_t^3, scaled
    (104)         mu-4                      mean of W_t^4, scaled
    (105)         mu-1-1                    mean of W_t Tr W_t, scaled
    (106)         mu-2-1                    mean of W_t^2 Tr W_t, scaled
    (107)         mu-2-2                    mean of W_t^2 Tr W_t^2, scaled
    (98)          g-1                       mean of A W_t A, scaled
    (99)          g-2                       mean of A^2 Tr W_t, scaled
    (100)         g-3                       mean of A^4, scaled
    (101)         g-4                       mean of A^2 Tr A^2, scaled
    (89)          normal-noise-terms        B^T Gamma B in three parts: validation noise, task parameters, training noise
    (90)          validation-noise-average  mean of the first part
    (91)(92)      task-average              mean of the second part
    (93)(94)(95)  training-noise-average    mean of the third part

The claims are the printed polynomials; the derivations average the words of the model, and for the
abbreviations mu_k, g_k the moments that define them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

import numpy as np
import sympy
from sympy import Identity, MatrixSymbol, Trace

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.printed_order import in_order
from derivations.language.symbols import alpha_t, m, n_t, n_v, nu, p, sigma
from derivations.paper.outer_problem import SHORT_A, target_covariance
from derivations.paper.theorem2.abbreviations import (
    WISHART,
    abbreviation_chain,
    definitions,
    inner_words,
    mu_chain,
    named_moments,
    names_of,
    term_value,
)
from derivations.paper.theorem2.concentration import INNER
from derivations.steps.chain import Chain, Known
from derivations.steps.draws import Array, transpose
from derivations.steps.held import Held
from derivations.steps.labels import OVER_INPUTS, OVER_TASKS, Short, Within
from derivations.steps.step import Kind, Observed, Parts, Step
from derivations.steps.task_draws import (
    adapted_from,
    design,
    gaussian_inputs,
    isotropic_tasks,
    outer_product,
    target,
)
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, constant, identity, matrix, reciprocal, scalar, tr
from symbolic.averages.expectation import expect

X_T, X_V = MatrixSymbol("X_t", n_t, p), MatrixSymbol("X_v", n_v, p)
I_P = Identity(p)
W_T, W_V = X_T.T * X_T, X_V.T * X_V
A = I_P - alpha_t / n_t * W_T
TASK_SIZES = (
    {"n_t": 5, "n_v": 7, "p": 3, "m": 2, "sigma": 0.7, "nu": 0.9, "alpha_t": -0.4},
    {"n_t": 9, "n_v": 5, "p": 4, "m": 3, "sigma": 0.9, "nu": 0.8, "alpha_t": 0.15},
    {"n_t": 14, "n_v": 9, "p": 2, "m": 1, "sigma": 1.1, "nu": 0.5, "alpha_t": -0.2},
)
# where one unit of a small coefficient is a large part of the value
_ROWS = (
    (1, 1, 1, 1, 0.8, 1.2, 0.6),
    (1, 1, 2, 2, 1.3, 0.7, -1.5),
    (2, 2, 1, 1, 0.6, 1.4, 1.4),
    (3, 1, 2, 1, 1.2, 0.9, -0.9),
)
SMALL = tuple(dict(zip(TASK_SIZES[0], row, strict=True)) for row in _ROWS)

# -- what the paper prints: abbreviations -------------------------------------------------------------------

MU: Mapping[str, sympy.Expr] = {
    "2": (n_t + p + 1) / n_t,
    "3": in_order(n_t**2, p**2, 3 * n_t * p, 3 * n_t, 3 * p, 4) / n_t**2,
    "4": in_order(
        n_t**3,
        p**3,
        6 * n_t**2 * p,
        6 * n_t * p**2,
        6 * n_t**2,
        6 * p**2,
        17 * n_t * p,
        21 * n_t,
        21 * p,
        20,
    )
    / n_t**3,
    "1,1": (n_t**2 * p + 2 * n_t) / (n_t**2 * p),
    "2,1": (n_t**2 * p + n_t * p**2 + n_t * p + 4 * n_t + 4 * p + 4) / (n_t**2 * p),
    "2,2": in_order(
        n_t**3 * p,
        n_t * p**3,
        2 * n_t**2 * p**2,
        2 * n_t**2 * p,
        2 * n_t * p**2,
        8 * n_t**2,
        8 * p**2,
        21 * n_t * p,
        20 * n_t,
        20 * p,
        20,
    )
    / (n_t**3 * p),
}
G_1 = 1 - 2 * alpha_t * MU["2"] + alpha_t**2 * MU["3"]
G_2 = 1 - 2 * alpha_t * MU["1,1"] + alpha_t**2 * MU["2,1"]
G_3 = 1 - 4 * alpha_t + 6 * alpha_t**2 * MU["2"] - 4 * alpha_t**3 * MU["3"] + alpha_t**4 * MU["4"]
G_4 = (
    1
    - 4 * alpha_t
    + 2 * alpha_t**2 * MU["2"]
    + 4 * alpha_t**2 * MU["1,1"]
    - 4 * alpha_t**3 * MU["2,1"]
    + alpha_t**4 * MU["2,2"]
)


# -- their observation ---------------------------------------------------------------------------------------


def _traces(sample: Sample) -> tuple[Array, Array]:
    """W / n_t, and A from the gradient step itself."""
    x = gaussian_inputs(sample, "n_t")
    return transpose(x) @ x / sample["n_t"], adapted_from(np.eye(sample.size("p")), x, sample["alpha_t"])


def _normalised_trace(left: Array, right: Array | None = None) -> Array:
    """Tr(left right) / p for a batch of symmetric matrices, without forming the product."""
    diagonal = np.einsum("bii->b", left) if right is None else np.einsum("bij,bij->b", left, right)
    return np.asarray(diagonal / left.shape[-1])


def _abbreviation_step(
    name: str,
    number: str,
    label: str,
    averaged: str,
    *,
    claim: sympy.Expr,
    uses: tuple[str, ...],
    chain: Callable[[Assumptions], Chain],
    observe: Callable[[Array, Array], Array],
    depends_on: tuple[str, ...] = (),
) -> Step:
    return Step(
        name,
        (number,),
        Kind.EQUATION,
        f"The average over the training inputs of {averaged}, with W = X^T X and each trace divided by p.",
        "theorem2",
        uses=uses,
        depends_on=depends_on,
        claim=lambda: {label: claim},
        derivation=chain,
        observe=lambda sample: {label: observe(*_traces(sample))},
        sizes=TASK_SIZES,
        power_sizes=SMALL,
        method="Gaussian integration by parts",
    )


def _power_trace(matrix: Array, exponent: int) -> Array:
    """Tr(matrix^exponent) / p, for exponents up to 4; 1 for exponent 0."""
    if exponent == 0:
        return np.ones(len(matrix))
    square = matrix @ matrix if exponent > 2 else matrix
    factors = {1: (matrix, None), 2: (matrix, matrix), 3: (square, matrix), 4: (square, square)}
    return _normalised_trace(*factors[exponent])


def _mu_step(number: str, key: str, powers: tuple[int, int], rests_on: str) -> Step:
    label = rf"\mu_{{{key}}}"
    return _abbreviation_step(
        "mu-" + key.replace(",", "-"),
        number,
        label,
        " ".join(f"Tr (W / n_t)^{power}" if power > 1 else "Tr (W / n_t)" for power in powers if power),
        claim=MU[key],
        uses=(rests_on,),
        chain=lambda assumptions: mu_chain(tuple(power for power in powers if power), label),
        observe=lambda w, a: _power_trace(w, powers[0]) * _power_trace(w, powers[1]),
    )


def _g_step(
    number: str,
    index: int,
    averaged: str,
    claim: sympy.Expr,
    uses: tuple[str, ...],
    observe: Callable[[Array, Array], Array],
) -> Step:
    return _abbreviation_step(
        f"g-{index}",
        number,
        Short(f"g_{index}"),
        averaged,
        claim=claim,
        uses=("stacked-design", "wishart-mean", *uses),
        observe=observe,
        chain=partial(abbreviation_chain, f"g_{index}"),
        depends_on=("inner_steps", "inputs", "covariance"),
    )


# -- the three terms of B^T Gamma B -------------------------------------------------------------------------

SUM = Within(r"B^{(i)T}\Gamma^{(i)}B^{(i)}", r"B^T\Gamma B", OVER_TASKS)
VALIDATION, TASKS, TRAINING = "validation noise", "task parameters", "training noise"
_A, _W_V, _W_T = r"A^{(i)}", r"X^{v(i)T}X^{v(i)}", r"X^{t(i)T}X^{t(i)}"
WORDS = {
    VALIDATION: f"{_A}{_W_V}{_A}",
    TASKS: rf"{_A}{_W_V}A^{{(i)2}}{_W_V}{_A}",
    TRAINING: f"{_A}{_W_V}{_W_T}{_W_V}{_A}",
}
"""The three parts of (89), without their coefficients, for one task."""
MEAN = {source: f"{OVER_INPUTS}{OVER_TASKS}{word}" for source, word in WORDS.items()}
GIVEN = {
    source: Within(rf"\mathbb{{E}}_{{X^v}}{word}", MEAN[source], rf"\mathbb{{E}}_{{X^t}}{OVER_TASKS}")
    for source, word in WORDS.items()
}


def terms(assumptions: Assumptions) -> dict[str, Expression]:
    """B^T K B of one task for each covariance K that Gamma is made of, by what it comes from.

    That they make up B^T Gamma B is checked before they are returned.
    """
    task = model.task(assumptions)
    b, path = task.design, task.x_v @ task.noise_path
    rate = scalar("alpha_t") * reciprocal("n_t")
    per_rate = reciprocal("alpha_t") * scalar("n_t")
    found = {
        VALIDATION: b.T @ b,
        TASKS: b.T @ b @ b.T @ b,
        TRAINING: b.T @ path @ path.T @ b * per_rate**2,
    }
    noise, spread = scalar("sigma") ** 2, scalar("nu") ** 2 * reciprocal("p")
    total = noise * found[VALIDATION] + spread * found[TASKS] + noise * rate**2 * found[TRAINING]
    if total != b.T @ target_covariance(assumptions) @ b:
        raise NotDerivable("the covariance of the residuals has other parts than in (73)")
    return found


# -- the same averages as proofs: move by move ---------------------------------------------------------------


def _sum_chain(assumptions: Assumptions) -> Chain:
    """(89): B and Gamma of one task put in, with A by its name."""
    if assumptions.split == "reused" or assumptions.covariance != "identity":
        raise NotDerivable("with reused data or a general covariance Gamma has other parts than in (73)")
    task = model.task(assumptions)
    b, gamma = matrix("B", "n_v", "p"), matrix("Gamma", "n_v", "n_v", symmetric=True)
    path, level = task.x_v @ task.noise_path, scalar("sigma")
    noise = (level if assumptions.noise_val is None else scalar("sigma_v")) ** 2 * identity("n_v")
    tasks = scalar("nu") ** 2 * reciprocal("p") * (task.x_v @ SHORT_A @ SHORT_A @ task.x_v.T)
    held = Held(assumptions, {"A": task.contraction})
    chain = Chain(b.T @ gamma @ b).insert({"B": task.x_v @ SHORT_A}, "stacked-design", held=held)
    covariance = tasks + noise + level**2 * (path @ path.T)
    chain.insert({"Gamma": covariance}, "target-covariance", held=held)
    return chain.shows(SUM, {"A": task.contraction})


def _named(name: str, word: Expression, factor: Expression, assumptions: Assumptions) -> Known:
    """E word = factor g I, which is what the name g stands for."""
    names = {name: term_value(name, assumptions)}
    return Known(word, factor * scalar(name) * identity("p"), names, name.replace("_", "-"))


@cache
def term_chain(source: str, assumptions: Assumptions) -> Chain:
    """The average of one part of B^T Gamma B: first over X^v, with A by its name, then over X^t."""
    if assumptions.split == "reused":
        raise NotDerivable("with reused data X^v is X^t, and no average over X^v alone comes first")
    if assumptions.inputs != "gaussian":
        raise NotDerivable(
            "(90) to (95): the averages over X^t have names for Gaussian inputs only; choose inputs=gaussian"
        )
    task = model.task(assumptions)
    b, path = matrix("B", "n_v", "p"), matrix("P", "n_v", "n_t")
    kernel = {VALIDATION: b, TASKS: b @ b.T @ b, TRAINING: path @ path.T @ b}[source]
    per_rate = task.noise_path * reciprocal("alpha_t") * scalar("n_t")
    # with one inner step the noise goes through X_t^T alone
    through = per_rate if per_rate == task.x_t.T else matrix("L", "p", "n_t")
    chain = Chain(b.T @ kernel)
    held = Held(assumptions, {"A": task.contraction})
    chain.insert({"B": task.x_v @ SHORT_A}, "stacked-design", held=held)
    if source == TRAINING:
        chain.define({"P": task.x_v @ through}, "target-covariance")
    chain.average("X_v", reads=("gaussian-inputs",) if source == VALIDATION else ("columns-sandwich",))
    written_out = {"A": task.contraction, "L": per_rate}
    if source != VALIDATION:
        chain.shows(GIVEN[source], written_out)
    written_out = {name: x for name, x in written_out.items() if name in chain.result.letters()}
    square, rows, size = SHORT_A @ SHORT_A, scalar("n_t"), scalar("p")
    if source == VALIDATION:
        held = Held(assumptions, {"W": WISHART}, read=lambda a: task.x_v @ a)
        chain.expand({"A": inner_words(assumptions)["A"]}, "stacked-design", held=held)
        chain.by_known(named_moments(chain.result), {"W": WISHART}, {"X_t"})
    elif source == TASKS:
        named = (
            _named("g_3", square @ square, constant(1), assumptions),
            _named("g_4", tr(square) * square, size, assumptions),
        )
        chain.by_known(named, written_out, {"X_t"})
    else:
        inside = through @ through.T
        named = (
            _named("g_1", SHORT_A @ inside @ SHORT_A, rows, assumptions),
            _named("g_2", tr(inside) * square, rows * size, assumptions),
        )
        chain.by_known(named, written_out, {"X_t"})
    names = names_of(chain)
    chain.over_tasks(scalar("m"), expect(terms(assumptions)[source]), names, "gaussian-inputs")
    chain.shows(MEAN[source], names)
    return chain.names(MEAN[source], lambda: definitions(chain.result.scalars(), assumptions))


def _word(source: str, sample: Sample, x_t: Array, x_v: Array) -> Array:
    back = transpose(design(x_t, x_v, sample["alpha_t"]))
    if source == TRAINING:
        return outer_product((back @ x_v) @ transpose(x_t))
    gram = outer_product(back)
    return gram @ gram if source == TASKS else gram


def _observe_term(source: str, sample: Sample, *, given: bool) -> Observed:
    found: dict[str, Array] = {}
    if given:
        x_t = sample.matrix("X_t", "n_t", "p")[None]
        found[GIVEN[source]] = _word(source, sample, x_t, gaussian_inputs(sample, "n_v"))
    found[MEAN[source]] = np.asarray(
        sum(
            _word(source, sample, gaussian_inputs(sample, "n_t"), gaussian_inputs(sample, "n_v"))
            for _ in range(sample.size("m"))
        )
    )
    return found


def _observe_sum(sample: Sample) -> Observed:
    x_t, x_v = sample.matrix("X_t", "n_t", "p"), sample.matrix("X_v", "n_v", "p")
    gap = target(sample, x_t, x_v, isotropic_tasks(sample, "p"))
    return {SUM: outer_product(design(x_t, x_v, sample["alpha_t"]).T @ gap)}


def _term_step(
    name: str, numbers: tuple[str, ...], source: str, *, claim: Callable[[], Parts], uses: tuple[str, ...]
) -> Step:
    # the validation noise is averaged at once
    given = source != VALIDATION
    return Step(
        name,
        numbers,
        Kind.EQUATION,
        f"The average of the part that comes from the {source}.",
        "theorem2",
        uses=("normal-noise-terms", *uses),
        depends_on=INNER,
        claim=claim,
        derivation=lambda assumptions: term_chain(source, assumptions),
        observe=lambda sample: _observe_term(source, sample, given=given),
        sizes=TASK_SIZES,
        power_sizes=SMALL,
        method="Gaussian integration by parts, first over X^v, then over X^t",
    )


STEPS: tuple[Step, ...] = (
    _mu_step("102", "2", (2, 0), "wishart-second-moment"),
    _mu_step("103", "3", (3, 0), "wishart-third-moment"),
    _mu_step("104", "4", (4, 0), "wishart-fourth-moment"),
    _mu_step("105", "1,1", (1, 1), "wishart-1-trace-1"),
    _mu_step("106", "2,1", (2, 1), "wishart-2-trace-1"),
    _mu_step("107", "2,2", (2, 2), "wishart-2-trace-2"),
    _g_step(
        "98",
        1,
        "Tr A (W / n_t) A",
        G_1,
        ("mu-2", "mu-3"),
        lambda w, a: _normalised_trace(a @ w, a),
    ),
    _g_step(
        "99",
        2,
        "Tr A^2 Tr (W / n_t)",
        G_2,
        ("mu-1-1", "mu-2-1"),
        lambda w, a: _power_trace(a, 2) * _power_trace(w, 1),
    ),
    _g_step(
        "100",
        3,
        "Tr A^4",
        G_3,
        ("mu-2", "mu-3", "mu-4"),
        lambda w, a: _power_trace(a, 4),
    ),
    _g_step(
        "101",
        4,
        "Tr A^2 Tr A^2",
        G_4,
        ("mu-2", "mu-1-1", "mu-2-1", "mu-2-2"),
        lambda w, a: _power_trace(a, 2) ** 2,
    ),
    Step(
        "normal-noise-terms",
        ("89",),
        Kind.EQUATION,
        "B^T Gamma B has three parts: from the validation noise, the task parameters, the training noise; "
        "a sum over tasks, of which one term is derived.",
        "theorem2",
        uses=("stacked-design", "target-covariance"),
        depends_on=INNER,
        claim=lambda: {
            SUM: in_order(
                sigma**2 * A * W_V * A,
                nu**2 / p * A * W_V * A**2 * W_V * A,
                alpha_t**2 * sigma**2 / n_t**2 * A * W_V * W_T * W_V * A,
            )
        },
        derivation=_sum_chain,
        observe=_observe_sum,
        sizes=TASK_SIZES,
        power_sizes=SMALL,
        method="expansion of the model in matrix words",
    ),
    _term_step(
        "validation-noise-average",
        ("90",),
        VALIDATION,
        uses=("mu-2", "wishart-mean"),
        claim=lambda: {MEAN[VALIDATION]: m * n_v * (1 - 2 * alpha_t + alpha_t**2 * MU["2"]) * I_P},
    ),
    _term_step(
        "task-average",
        ("91", "92"),
        TASKS,
        uses=("g-3", "g-4", "columns-sandwich"),
        claim=lambda: {
            GIVEN[TASKS]: in_order(n_v * (n_v + 1) * A**4, n_v * Trace(A**2) * A**2),
            MEAN[TASKS]: m * n_v * (n_v + 1) * G_3 * I_P + m * n_v * p * G_4 * I_P,
        },
    ),
    _term_step(
        "training-noise-average",
        ("93", "94", "95"),
        TRAINING,
        uses=("g-1", "g-2", "columns-sandwich"),
        claim=lambda: {
            GIVEN[TRAINING]: in_order(n_v * (n_v + 1) * A * W_T * A, n_v * Trace(W_T) * A**2),
            MEAN[TRAINING]: m * n_v * (n_v + 1) * n_t * G_1 * I_P + m * n_v * n_t * p * G_2 * I_P,
        },
    ),
)
