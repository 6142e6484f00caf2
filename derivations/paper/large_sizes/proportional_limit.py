"""The exact loss above p = n_v m as training, validation points and parameters grow in proportion.

    -  projection-by-parts         the mean of a weighted projection on a task's rows, exactly, with its two remainders
    -  proportional-fixed-point    what is left without them: an equation for kappa, and the label noise by kappa
    -  proportional-loss           the exact loss with that label noise

With R = (B_1 B_1^T)^-1 and B_1 = X_v A the matrix X_v^T R X_v is, up to A on both sides, the projection on the rows of B_1. By
parts over X_v its mean is kappa T, T = (I + kappa A^2)^-1, up to two terms: one has the factor delta = Tr R - kappa, the other, rho,
one R more than traces. That both vanish beside the rest is what makes the limit: `remainders`. The weight A^2 gives
the trace n_v of the projection, and so kappa; the eigenvalues of X_t^T X_t are those of Marchenko and Pastur.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import MatrixSymbol, Trace

from derivations.language import model
from derivations.language.assumptions import PAPER, Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import (
    alpha_r,
    alpha_t,
    dist0_sq,
    kappa,
    label_noise,
    m,
    n_r,
    n_t,
    n_v,
    noise_limit,
    nu,
    p,
    sigma,
)
from derivations.language.values import evaluate
from derivations.paper.beyond.exact_loss import DEPENDS as LOSS_DEPENDS
from derivations.paper.beyond.exact_loss import loss_exact_chain
from derivations.paper.beyond.one_task import average
from derivations.paper.beyond.reduction import room_left
from derivations.paper.outer_problem import target_covariance
from derivations.paper.theorem1.block_draws import numbers
from derivations.paper.theorem1.concentration import H_R, H_T
from derivations.steps.chain import Chain, Rule, carried_out
from derivations.steps.held import Held
from derivations.steps.labels import BY_MOVES, LOSS
from derivations.steps.rules.rotations import replaced, rewritten
from derivations.steps.rules.word_slopes import Word, by_parts
from derivations.steps.step import Average, Check, Kind, Parts, Step
from derivations.support.estimates import simulated
from derivations.verification.batches import Batch, Plan, Weighted
from derivations.verification.growth import slope_check, until_told
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.seeds import generator_for
from numeric_check.problem.setting import Setting
from symbolic.algebra.words import (
    Expression,
    constant,
    gaussian,
    identity,
    matrix,
    reciprocal,
    scalar,
    tr,
)

Array = NDArray[np.float64]
WEIGHTED = r"\mathbb{E}\,\mathrm{Tr}\,D\,X^{vT}(B_1B_1^T)^{-1}X^v"
ROWS = r"\mathrm{Tr}\,A^2X^{vT}(B_1B_1^T)^{-1}X^v"
EQUATION = r"\mathbb{E}\,\mathrm{Tr}\,A^2X^{vT}(B_1B_1^T)^{-1}X^v\big|_{\delta=\rho=0}"
NOISE = r"\mathbb{E}\,\mathrm{Tr}\,(B_1B_1^T)^{-1}\Gamma_z\big|_{\delta=\rho=0}"
LIMIT = rf"{LOSS}\big|_{{\delta=\rho=0}}"
FEW = r"\mathbb{E}\,\mathrm{Tr}\,(B_1B_1^T)^{-1}\Gamma_z\big|_{\delta=\rho=0,\,n_v\ll p}"
DEPENDS = ("inner_steps", "inputs", "covariance", "split", "noise_val")
DATA, COPY = gaussian("X_v", "n_v", "p"), gaussian("Y", "n_v", "p")
LOOP, RESOLVENT = (matrix(name, "p", "p", symmetric=True) for name in ("A_t", "T_kappa"))
INVERSE, COVARIANCE = (matrix(name, "n_v", "n_v", symmetric=True) for name in ("G_inverse", "Gamma_z"))
WEIGHT, KAPPA = matrix("D_t", "p", "p"), scalar("kappa")
SQUARE = LOOP @ LOOP
SHIFTED = identity("p") + KAPPA * SQUARE
OWN_GRAM = {"G_inverse": DATA @ SQUARE @ DATA.T}
PROJECTION = DATA.T @ INVERSE @ DATA
FORM = tr(WEIGHT @ PROJECTION)


# -- the chains ----------------------------------------------------------------------------------------------


def through_resolvent(chain: Chain) -> Chain:
    """Where D stands, D (T + kappa T A^2); then the X_v that follows T averaged by parts."""
    split = WEIGHT @ RESOLVENT + KAPPA * WEIGHT @ RESOLVENT @ SQUARE
    inverses = {"T_kappa": SHIFTED, **OWN_GRAM}
    replaced(chain, Rule.CANCEL_INVERSE, {"D_t": split}, inverses=inverses)
    marks: dict[Word, Expression] = {(("T_kappa", False), ("X_v", True)): RESOLVENT @ COPY.T}
    return by_parts(chain, "X_v", "Y", marks, OWN_GRAM, "gaussian-inputs")


@lru_cache(maxsize=2)
def _by_parts_chain(assumptions: Assumptions) -> Chain:
    return through_resolvent(Chain(FORM)).shows(WEIGHTED)


def _without_remainders(chain: Chain, weight: Expression) -> Chain:
    """The mean of a weighted projection, which the chain has begun with, without delta and rho."""
    exact = carried_out(_by_parts_chain, PAPER).parts[WEIGHTED]
    if not isinstance(exact, Expression):
        raise TypeError("the mean by parts is no expression in words")
    chain.name(tr(weight @ PROJECTION), "form")
    held = Held(PAPER, where={"D_t": weight})
    chain.expand({"form": exact.replace({"D_t": weight})}, "projection-by-parts", held=held)
    chain.name(tr(INVERSE), "trace_R")
    return chain.define({"trace_R": KAPPA + scalar("delta")})


def _hypothesis(chain: Chain, weight: Expression) -> Chain:
    rest = SQUARE @ DATA.T @ INVERSE @ INVERSE @ DATA @ weight @ RESOLVENT
    return chain.name(tr(rest), "rho").define({"delta": constant(0), "rho": constant(0)})


@lru_cache(maxsize=2)
def _fixed_point_chain(assumptions: Assumptions) -> Chain:
    chain = Chain(tr(SQUARE @ PROJECTION))
    pattern = (("G_inverse", False), ("X_v", False), ("A_t", False), ("A_t", False), ("X_v", True))
    rewritten(chain, Rule.CANCEL_INVERSE, {pattern: identity("n_v")}, "stacked-design", inverses=OWN_GRAM)
    chain.shows(ROWS)
    _without_remainders(chain.begin(tr(SQUARE @ PROJECTION)), SQUARE)
    equation = _hypothesis(chain, SQUARE).shows(EQUATION).result

    task = model.task(assumptions)
    seen = task.x_t.T @ task.x_t
    chain.begin(tr(INVERSE @ COVARIANCE))
    alone = Held(assumptions, where={"nu": constant(0)})
    chain.insert(
        {"Gamma_z": target_covariance(assumptions).replace({"nu": 0})}, "target-covariance", held=alone
    )
    noise = _hypothesis(_without_remainders(chain, seen), seen).shows(NOISE).result

    at_none = {"T_kappa": identity("p")}
    chain.begin(equation).name(tr(SQUARE @ RESOLVENT), "spread")
    kappa_found = scalar("n_v") * reciprocal("spread")
    seen_by_rows = Held(assumptions, read=lambda contraction: task.x_v @ contraction)
    chain.begin(tr(SQUARE @ RESOLVENT)).define(at_none)
    chain.insert({"A_t": task.contraction}, "stacked-design", held=seen_by_rows)
    chain.average("X_t", reads=("wishart-mean", "wishart-second-moment"))
    spread = chain.result
    chain.begin(noise).define({"kappa": kappa_found}).define(at_none)
    return chain.average("X_t", reads=("wishart-mean",)).shows(FEW, {"spread": spread})


def _claim_by_parts() -> Parts:
    d, a, resolvent = (MatrixSymbol(name, p, p) for name in ("D_t", "A_t", "T_kappa"))
    x, inverse = MatrixSymbol("X_v", n_v, p), MatrixSymbol("G_inverse", n_v, n_v)
    weighted, trace = a * a * x.T * inverse * x * d * resolvent, Trace(inverse)
    remainder = Trace(a * a * x.T * inverse * inverse * x * d * resolvent)
    return {WEIGHTED: trace * Trace(d * resolvent) + (kappa - trace) * Trace(weighted) - remainder}


def _claim_fixed_point() -> Parts:
    a, resolvent, x = (
        MatrixSymbol("A_t", p, p),
        MatrixSymbol("T_kappa", p, p),
        MatrixSymbol("X_t", n_t, p),
    )
    spread = (alpha_t / n_t) ** 2
    return {
        ROWS: n_v,
        EQUATION: kappa * Trace(a * a * resolvent),
        NOISE: sigma**2 * kappa * (1 + spread * Trace(x.T * x * resolvent)),
        FEW: sigma**2 * n_v / (p * H_T) * (1 + alpha_t**2 * p / n_t),
    }


# -- numbers -------------------------------------------------------------------------------------------------

NODES, MOST_NODES, AGREED = 64, 2**16, 1e-13
NEWTON = 100


@lru_cache(maxsize=4096)
def fixed_point(n_points: float, rows: float, size: float, rate: float) -> tuple[float, float, float]:
    """kappa and Tr X_t^T X_t T, and the error of the integrals relative to them, for n_v < p.

    The integrals over the eigenvalues 1 + y + 2 sqrt(y) cos(angle), y = p/n_t, by the trapezoidal rule, whose number of nodes is
    doubled until two agree; kappa by Newton's method from the left of a concave, growing function, which does not overshoot.
    """
    found, nodes = _at(n_points, rows, size, rate, NODES), 2 * NODES
    while True:
        finer = _at(n_points, rows, size, rate, nodes)
        error = max(abs(a - b) / b for a, b in zip(found, finer, strict=True))
        if error <= AGREED or nodes >= MOST_NODES:
            return *finer, error
        found, nodes = finer, 2 * nodes


def _at(n_points: float, rows: float, size: float, rate: float, nodes: int) -> tuple[float, float]:
    ratio = size / n_points
    # at both ends the weight vanishes, or has a limit that the middle of the cells leaves out
    angle = (np.arange(nodes) + 0.5) * np.pi / nodes
    eigenvalue = 1 + ratio + 2 * np.sqrt(ratio) * np.cos(angle)
    weight = size * 2 / nodes * np.sin(angle) ** 2 / eigenvalue
    unseen = max(0.0, size - n_points)  # eigenvalues that are zero
    square = np.append((1 - rate * eigenvalue) ** 2, 1.0)
    weight, eigenvalue = np.append(weight, unseen), np.append(eigenvalue, 0.0)
    found = rows / float(weight @ square)
    for _ in range(NEWTON):
        shrunk = 1 / (1 + found * square)
        step = (rows - found * float(weight @ (square * shrunk))) / float(weight @ (square * shrunk**2))
        found += step
        if step <= 1e-15 * found:
            break
    return found, n_points * float(weight @ (eigenvalue / (1 + found * square)))


@lru_cache(maxsize=1)
def _noise_formula() -> sympy.Expr:
    """The label noise by kappa and a name for the trace."""
    part = to_sympy(carried_out(_fixed_point_chain, PAPER).parts[NOISE])
    (trace,) = part.atoms(Trace)
    return part.subs(trace, sympy.Symbol("trace"))


def noise_at(
    assumptions: Assumptions, values: Mapping[str, float], rel_error: float | None = None
) -> Estimate:
    """The label noise of one task in the limit, at these sizes, with the error of its integrals; no draws."""
    n_points, rows, size, rate = (float(values[name]) for name in ("n_t", "n_v", "p", "alpha_t"))
    found, trace, error = fixed_point(n_points, rows, size, rate)
    at = {"kappa": found, "trace": trace, "n_t": n_points, "alpha_t": rate, "sigma": values["sigma"]}
    value = float(evaluate(_noise_formula(), at))
    return Estimate(value, 2 * error * abs(value), 0)


# -- the loss ------------------------------------------------------------------------------------------------


def _loss_chain(assumptions: Assumptions) -> Chain:
    """The exact loss, with the limit in the place of its average."""
    exact = loss_exact_chain(assumptions)
    chain = Chain(exact.result).define(
        {label_noise.name: scalar(noise_limit.name)}, "proportional-fixed-point"
    )
    return chain.shows(LIMIT, {**exact.numbers(), "room": room_left()})


def _claim_loss() -> Parts:
    rows, noise = n_v * m, sigma**2 / 2 * (1 + alpha_r**2 * p / n_r)
    learned = (1 - rows / p) * dist0_sq + m * (p - n_v - 1) / (p - rows - 1) * (nu**2 * n_v / p + noise_limit)
    return {LIMIT: noise + H_R / 2 * (nu**2 + learned)}


# -- what sampling sees --------------------------------------------------------------------------------------

# n_t, n_v, m and p in three proportions, with rates of both signs; each size twice the one before
PROPORTIONS: tuple[tuple[Mapping[str, int], float], ...] = (
    ({"n_t": 4, "n_v": 2, "m": 1, "p": 6}, -0.5),
    ({"n_t": 6, "n_v": 3, "m": 2, "p": 12}, 0.4),
    ({"n_t": 10, "n_v": 2, "m": 1, "p": 6}, -0.3),
)
LADDER, REL_ERROR, DRAWS = (2, 4, 8), 1e-3, 4096
# of each of two simulations that are held against each other
SIMULATED = 1.3e-3
FURTHER = {"sigma": 1.0, "sigma_v": 1.0, "nu": 0.5, "alpha_r": 0.3, "dist0_sq": 0.7}
# target points, in proportion to the size too
TARGET_POINTS = 5
# where each part of the loss is large: the label noise, the variability of the tasks, the start
LOSSES = (
    Setting(n_t=8, n_v=2, n_r=5, m=3, p=11, sigma=1.0, nu=0.3, alpha_t=-0.4, alpha_r=0.3, dist0_sq=0.2),
    Setting(n_t=6, n_v=3, n_r=4, m=2, p=12, sigma=0.3, nu=1.2, alpha_t=0.3, alpha_r=-0.5, dist0_sq=0.4),
    Setting(n_t=9, n_v=1, n_r=7, m=4, p=9, sigma=0.4, nu=0.4, alpha_t=-0.6, alpha_r=0.8, dist0_sq=3.0),
)
WHERE = {"n_t": 8, "n_v": 3, "p": 16}


def both_sides_checks(
    step: Step,
    assumptions: Assumptions,
    seed: int,
    label: str,
    start: Expression,
    kappas: tuple[float, ...] = (0.05, 0.3, 2.0),
) -> list[Check]:
    """A start and what a step finds to be its mean for fixed A and D, at some numbers kappa, over the same draws of X_v."""
    derived = None if step.derive is None else step.derive(assumptions)[label]
    if not isinstance(derived, Expression):
        raise TypeError("the mean by parts is no expression in words")
    found = []
    for number in kappas:
        started, source = time.monotonic(), generator_for(f"{step.name}/{seed}/{number}")
        x_t = source.standard_normal((WHERE["n_t"], WHERE["p"]))
        loop = np.eye(WHERE["p"]) + 0.4 / WHERE["n_t"] * x_t.T @ x_t
        weight = np.eye(WHERE["p"]) + 0.2 * source.standard_normal((WHERE["p"], WHERE["p"]))
        x = source.standard_normal((6 * DRAWS, WHERE["n_v"], WHERE["p"]))
        inverse = np.linalg.inv(x @ loop @ loop @ np.swapaxes(x, 1, 2))
        values: dict[str, Array] = {
            "X_v": x,
            "G_inverse": np.asarray(inverse, np.float64),
            "A_t": loop[None],
            "D_t": weight[None],
            "T_kappa": np.asarray(np.linalg.inv(np.eye(WHERE["p"]) + number * loop @ loop), np.float64)[None],
        }
        scalars, plan = {"kappa": number, "n_v": WHERE["n_v"]}, Plan([start, derived])
        left, right = (
            Weighted.of(side, scalars, plan).at(Batch(values, plan)).ravel() for side in (start, derived)
        )
        stderr = float(np.std(left - right) / np.sqrt(len(x)))
        value, mean = float(right.mean()), float(left.mean())
        where = {name: float(size) for name, size in WHERE.items()} | {"kappa": number}
        seen = Estimate(mean, stderr, len(x))
        found.append(mean_check(label, where, value, seen, time.monotonic() - started))
    return found


def _by_parts_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The weighted projection."""
    return both_sides_checks(step, assumptions, seed, WEIGHTED, FORM)


@lru_cache(maxsize=32)
def _exact_noise(
    assumptions: Assumptions, given: tuple[tuple[str, float], ...], seed: int, more: int
) -> Estimate:
    error = REL_ERROR / math.sqrt(more)
    return average(assumptions, dict(given), rel_error=error, max_draws=more * DRAWS, seed=seed, sampled=True)


def _ladder_checks(said: str, value: Callable[[Mapping[str, float], float], float], seed: int) -> list[Check]:
    """A value by exact label noise minus that by its limit, over sizes in proportion: it falls like one over the size.

    value: of the numbers and of the label noise of one task.
    """

    def fitted(sizes: Mapping[str, int], rate: float, more: int) -> Check:
        started, gaps, errors, draws = time.monotonic(), [], [], 0
        for k in LADDER:
            given = {name: float(k * size) for name, size in sizes.items() if name != "m"}
            given |= {"alpha_t": rate, "sigma": 1.0, "sigma_v": 1.0}
            seen = _exact_noise(PAPER, tuple(given.items()), seed, more)
            at = {**given, **FURTHER, "n_r": float(TARGET_POINTS * k), "m": float(sizes["m"])}
            exact = value(at, seen.mean)
            gaps.append(exact - value(at, noise_at(PAPER, given).mean))
            errors.append(abs(value(at, seen.mean + seen.stderr) - exact))
            draws += seen.draws
        shown = ", ".join(f"{name} = {size} k" for name, size in sizes.items() if name != "m")
        label = f"{said}: exact minus limit, {shown}, alpha_t = {rate:g}"
        seconds = time.monotonic() - started
        ladder = [float(k * sizes["p"]) for k in LADDER]
        return slope_check(label, ladder, gaps, errors, -1.0, draws=draws, seconds=seconds, sharp=True)

    return [until_told(partial(fitted, sizes, rate)) for sizes, rate in PROPORTIONS]


def _noise_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The label noise of one task."""
    return _ladder_checks("label noise", lambda at, noise: noise, seed)


def _loss_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """How the loss depends on one task's label noise, by simulation of both; and what the limit in its place is off by."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no loss")
    formula = to_sympy(step.derive(assumptions)[LIMIT])

    def value(at: Mapping[str, float], noise: float) -> float:
        return float(evaluate(formula, {**at, noise_limit.name: noise}))

    return [_simulated_loss(value, one, seed) for one in LOSSES] + _ladder_checks("loss", value, seed)


def _simulated_loss(
    value: Callable[[Mapping[str, float], float], float], setting: Setting, seed: int
) -> Check:
    """The simulated loss against the formula, with what simulation gives for the label noise in the place of its limit."""
    started, at = time.monotonic(), numbers(setting)
    # one task alike to all others, and training from their mean: the whole deviation is label noise
    alone = replace(setting, m=1, nu=0.0, dist0_sq=0.0)
    noise, seen = simulated(alone, "excess", SIMULATED, seed), simulated(setting, "loss", SIMULATED, seed)
    expected = value(at, noise.mean)
    stderr = float(np.hypot(seen.stderr, value(at, noise.mean + noise.stderr) - expected))
    both = Estimate(seen.mean, stderr, noise.draws + seen.draws)
    label = "loss, by one task's simulated label noise"
    return mean_check(label, at, expected, both, time.monotonic() - started)


SIZES: tuple[Mapping[str, float], ...] = (
    {"n_v": 2, "n_t": 6, "p": 14},
    {"n_v": 3, "n_t": 9, "p": 19},
    {"n_v": 1, "n_t": 5, "p": 11},
)
STEPS: tuple[Step, ...] = (
    Step(
        "projection-by-parts",
        (),
        Kind.BEYOND,
        "For the rows B_1 = X_v A of one task, Gaussian validation inputs, any symmetric inner loop A that does not depend on them and any "
        "number kappa: the mean of a weighted projection on these rows, exactly, by T = (I + kappa A^2)^-1.",
        "beyond",
        uses=("gaussian-inputs", "stacked-design"),
        depends_on=("inputs", "covariance", "split"),
        claim=_claim_by_parts,
        not_sampled=dict.fromkeys(_claim_by_parts(), BY_MOVES),
        derivation=_by_parts_chain,
        check=_by_parts_checks,
        sizes=SIZES,
        applies=unchanged(("inputs", "covariance", "split")),
        method="the weight written by T, then one factor X_v averaged by parts through the inverse",
        remark="Right of the equality sign stand averages, too. Where Tr (B_1 B_1^T)^-1 stays close to kappa, the middle term is small, and the last has "
        "one inverse more than traces.",
    ),
    Step(
        "proportional-fixed-point",
        (),
        Kind.BEYOND,
        "What is left of a projection of rank n_v and of one task's label noise when two remainders are left out, delta = "
        "Tr (B_1 B_1^T)^-1 - kappa and the last term rho: n_v = kappa Tr A^2 T, which fixes kappa, and the label noise by kappa. For few "
        "validation points it becomes the label noise of (80).",
        "beyond",
        uses=(
            "projection-by-parts",
            "target-covariance",
            "stacked-design",
            "wishart-mean",
            "wishart-second-moment",
        ),
        depends_on=DEPENDS,
        claim=_claim_fixed_point,
        not_sampled=dict.fromkeys(_claim_fixed_point(), BY_MOVES),
        derivation=_fixed_point_chain,
        check=_noise_checks,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="the exact mean at two weights, A^2 and X_t^T X_t, with delta = rho = 0 put in",
        remark="Proved is what follows where delta and rho are left out. That they may be, as n_v and p grow in proportion, follows at rates of zero and below for given training inputs from "
        "proportional-remainders and two inequalities that its remark argues, and is a hypothesis at positive ones. For few validation points T is the identity, and Tr A^2 and Tr X_t^T X_t are their means.",
    ),
    Step(
        "proportional-loss",
        (),
        Kind.BEYOND,
        "The average test loss above p = n_v m + 1 where of one task's label noise the two remainders are left out, as in the limit of n_t, n_v and p that grow in proportion: "
        "it has the peak at n_v m near p, which (5) lacks.",
        "beyond",
        regime=Regime.OVER,
        uses=("exact-loss", "proportional-fixed-point"),
        depends_on=LOSS_DEPENDS,
        claim=_claim_loss,
        derivation=_loss_chain,
        check=_loss_checks,
        applies=unchanged(DEPENDS),
        method="the exact loss, with the label noise of the fixed-point equation",
        remark="Start, variability of the tasks and the factor of the tasks, which has the peak, are exact. Of the label noise of one task the limit is taken, with "
        "the law of Marchenko and Pastur for the eigenvalues of X_t^T X_t; it is computed to about 13 digits. Proved is the formula; of the remainders, at rates of zero and below, proportional-remainders tells. What it is off by from the exact value falls "
        "like one over the size, as the slopes below show, and is 2.5 % at n_t = 40, n_v = 20, p = 60, alpha_t = -0.5.",
        average=Average(noise_limit.name, ("n_t", "n_v", "m", "p", "alpha_t", "sigma"), noise_at),
        parameters=("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq"),
    ),
)
