"""Theorem 1, (5)-(7) with (75)-(82): more parameters than validation data, p > n_v m.

B B^T and Gamma concentrate around multiples of the identity, with exact means; the average test loss follows by
putting the means into (74) and the result into (65).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import sympy
from sympy import Rational

from derivations import model
from derivations.assumptions import PAPER, Assumptions, NotDerivable
from derivations.evaluate import evaluate
from derivations.ladder import fluctuation_check, residual_check
from derivations.observations import Array, fixed_column, squared_norms, transpose
from derivations.exact_haar import reused_excess
from derivations.next_order import next_order_excess
from derivations.other_laws import law_excess
from derivations.orders import LEADING, ORDER, WEIGHTS, derive_order, exponent_of, order_parts
from derivations.outer_problem import target_covariance
from derivations.reading import to_sympy
from derivations.registry import register
from derivations.step import Check, Derived, Erratum, Observed, Parts, Step
from derivations.symbols import alpha_r, alpha_t, dist0_sq, m, n_r, n_t, n_v, nu, p, sigma
from derivations.test_phase import loss_coefficients
from numeric_check.sample import Sample
from numeric_check.setting import Setting
from numeric_check.simulate import Quantity
from symbolic.asymptotics import Exponent, inverse_exponent
from symbolic.moments import expect
from symbolic.words import Expression, scalar, vector

DEPENDS = ("inner_steps", "adaptation_steps", "inputs", "covariance", "split", "noise_val", "order")
INNER = ("inner_steps", "inputs", "covariance", "split", "noise_val", "order")
H_T = (1 - alpha_t) ** 2 + alpha_t**2 * (p + 1) / n_t
H_R = (1 - alpha_r) ** 2 + alpha_r**2 * (p + 1) / n_r
HALF = Rational(1, 2)
# |omega_0 - w_0| is of order xi^(-1/4)
REGIME = {**WEIGHTS, "dist0_sq": Exponent(Fraction(-1, 2))}


# -- the engine ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Concentration:
    """A random block that is `leading` times the identity up to elementwise errors of order `error`."""

    leading: Expression
    error: Exponent


def _require_supported(assumptions: Assumptions) -> None:
    if assumptions.covariance != "identity":
        raise NotDerivable("Theorem 1 is for identity covariance; with a general covariance use eq14 (Theorem 3)")
    if assumptions.split != "separate":
        raise NotDerivable("with reused data the validation rows grow with n_t and B B^T does not concentrate")
    if assumptions.inputs != "gaussian":
        raise NotDerivable("the fluctuations are derived for Gaussian inputs; only means are known for other laws")


@lru_cache(maxsize=32)
def gram(assumptions: Assumptions) -> Concentration:
    """B B^T / p: the block of one task, and of two tasks."""
    _require_supported(assumptions)
    one, two = model.task(assumptions, "1"), model.task(assumptions, "2")
    scale = scalar("1/p")
    blocks = {
        "same task": scale * (one.design @ one.design.T),
        "other task": scale * (one.design @ two.design.T),
    }
    return Concentration(*derive_order(blocks, REGIME))


@lru_cache(maxsize=32)
def noise(assumptions: Assumptions) -> Concentration:
    """Gamma: the block of one task (blocks between tasks vanish exactly, (72))."""
    _require_supported(assumptions)
    return Concentration(*derive_order({"same task": target_covariance(assumptions)}, REGIME))


@lru_cache(maxsize=32)
def start(assumptions: Assumptions) -> Concentration:
    """B (omega_0 - w_0)(omega_0 - w_0)^T B^T."""
    _require_supported(assumptions)
    one, two = model.task(assumptions, "1"), model.task(assumptions, "2")
    d = vector("d", "p")
    blocks = {
        "same task": one.design @ d @ d.T @ one.design.T,
        "other task": one.design @ d @ d.T @ two.design.T,
    }
    return Concentration(*derive_order(blocks, REGIME, squared_length="dist0_sq"))


@lru_cache(maxsize=32)
def leading_excess(assumptions: Assumptions) -> sympy.Expr:
    """E|omega_star - w_0|^2 to leading order: (74) with every block replaced by its mean."""
    if assumptions.covariance != "identity":
        _require_supported(assumptions)
    if assumptions.split == "reused":
        return reused_excess(assumptions)
    if assumptions.inputs != "gaussian":
        return law_excess(assumptions)
    if assumptions.order == "next":
        return next_order_excess(assumptions)
    width = p * to_sympy(gram(assumptions).leading)
    gain = to_sympy(noise(assumptions).leading) - to_sympy(start(assumptions).leading)
    return dist0_sq + n_v * m * gain / width


@lru_cache(maxsize=32)
def leading_loss(assumptions: Assumptions) -> sympy.Expr:
    """The average test loss to leading order: (65) with `leading_excess`."""
    c_0, c_2 = loss_coefficients(assumptions)
    return to_sympy(c_0) + to_sympy(c_2) * leading_excess(assumptions)


def _inverse_order(assumptions: Assumptions) -> Derived:
    block = gram(assumptions)
    width = scalar("p") * block.leading
    grown = block.error + Exponent(Fraction(1))
    error = inverse_exponent(Exponent(Fraction(1)), grown)
    return {LEADING: 1 / to_sympy(width), ORDER: error.sympy()}


def _derive_inner_factor(assumptions: Assumptions) -> Derived:
    return {"h_t": gram(assumptions).leading}


def _derive_adaptation_factor(assumptions: Assumptions) -> Derived:
    return {"h_r": 2 * loss_coefficients(assumptions)[1]}


# -- what sampling sees -------------------------------------------------------------------------------------


def _contracted_rows(sample: Sample, rows: Array, x_t: Array) -> Array:
    """rows (I - alpha_t/n_t X_t^T X_t)."""
    return np.asarray(rows - sample["alpha_t"] / sample["n_t"] * (rows @ transpose(x_t)) @ x_t)


def _observe_inner_factor(sample: Sample) -> Observed:
    row = _contracted_rows(sample, sample.gaussian(1, "p"), sample.gaussian("n_t", "p"))
    return {"h_t": np.sum(row**2, axis=(1, 2)) / sample["p"]}


def _observe_adaptation_factor(sample: Sample) -> Observed:
    x, e = sample.gaussian("n_r", "p"), fixed_column(sample, "e", "p")
    moved = e - sample["alpha_r"] / sample["n_r"] * transpose(x) @ (x @ e)
    return {"h_r": squared_norms(moved) / float(np.sum(e**2))}


FACTOR_SIZES = (
    {"n_t": 6, "n_r": 5, "p": 9, "alpha_t": 0.4, "alpha_r": 0.3},
    {"n_t": 11, "n_r": 14, "p": 5, "alpha_t": -0.5, "alpha_r": -0.4},
    {"n_t": 20, "n_r": 9, "p": 12, "alpha_t": 0.9, "alpha_r": 0.7},
)
BLOCK_SIZES: tuple[dict[str, float], ...] = (
    {"n_t": 6, "p": 4, "alpha_t": 0.4, "sigma": 0.8, "nu": 0.9},
    {"n_t": 4, "p": 7, "alpha_t": -0.5, "sigma": 0.6, "nu": 1.2},
    {"n_t": 9, "p": 5, "alpha_t": 0.9, "sigma": 1.3, "nu": 0.7},
)
LADDER = tuple(
    {"xi": float(xi), "p": 2 * xi, "n_t": 3 * xi, "alpha_t": 0.4, "sigma": 0.8, "nu": 0.9}
    for xi in (16, 32, 64, 112)
)


def _design(sample: Sample) -> tuple[Array, Array, Array]:
    """B of two tasks with one validation row each, and the training data."""
    x_v = [sample.gaussian(1, "p") for _ in range(2)]
    x_t = [sample.gaussian("n_t", "p") for _ in range(2)]
    rows = [_contracted_rows(sample, v, t) for v, t in zip(x_v, x_t, strict=True)]
    return np.concatenate(rows, axis=1), np.stack(x_v), np.stack(x_t)


def _means(sample: Sample) -> tuple[float, float]:
    """Means of B B^T / p and Gamma, from Tr W = n p and Tr W^2 = n p (n + p + 1) on average, as plain numbers."""
    values = {"n_t": sample["n_t"], "p": sample["p"], "alpha_t": sample["alpha_t"]}
    h_t = float(evaluate(to_sympy(gram(PAPER).leading), values))
    values |= {"sigma": sample["sigma"], "nu": sample["nu"]}
    return h_t, float(evaluate(to_sympy(noise(PAPER).leading), values))


def _gram_deviation(sample: Sample) -> Array:
    b, _, _ = _design(sample)
    return np.asarray(b @ transpose(b) / sample["p"] - _means(sample)[0] * np.eye(2))


def _inverse_deviation(sample: Sample) -> Array:
    b, _, _ = _design(sample)
    return np.asarray(np.linalg.inv(b @ transpose(b)) - np.eye(2) / (sample["p"] * _means(sample)[0]))


def _noise_deviation(sample: Sample) -> Array:
    b, x_v, x_t = _design(sample)
    mixed = x_v[0] @ transpose(x_t[0])
    row = b[:, :1]
    share = sample["alpha_t"] ** 2 / sample["n_t"] ** 2
    gamma = sample["nu"] ** 2 / sample["p"] * row @ transpose(row) + sample["sigma"] ** 2 * (
        1 + share * mixed @ transpose(mixed)
    )
    return np.asarray(gamma - _means(sample)[1])


def _start_deviation(sample: Sample) -> Array:
    b, _, _ = _design(sample)
    squared = sample["xi"] ** -0.5
    projected = b[:, :, :1] * np.sqrt(squared)  # a start along one coordinate, |d|^2 = xi^(-1/2)
    return np.asarray(projected @ transpose(projected) - squared * _means(sample)[0] * np.eye(2))


def _observed_leading(sample: Sample, block: str) -> Array:
    """A diagonal element of the block, whose mean is the leading coefficient at every size."""
    x_v, x_t = sample.gaussian(1, "p"), sample.gaussian("n_t", "p")
    row = _contracted_rows(sample, x_v, x_t)
    if block == "gram":
        return squared_norms(row) / sample["p"]
    if block == "noise":
        mixed = x_v @ transpose(x_t)
        share = sample["alpha_t"] ** 2 / sample["n_t"] ** 2
        return sample["nu"] ** 2 / sample["p"] * squared_norms(row) + sample["sigma"] ** 2 * (
            1 + share * squared_norms(mixed)
        )
    start = fixed_column(sample, "d", "p")
    sample.define("dist0_sq", float(np.sum(start**2)))
    return squared_norms(row @ start)


# -- registration -------------------------------------------------------------------------------------------


def _concentration_step(
    name: str, number: str, statement: str, block: str, leading: sympy.Expr, exponent: sympy.Rational, uses: tuple[str, ...],
    remark: str = "", erratum: Erratum = "",
) -> None:  # fmt: skip
    derivations = {"gram": gram, "noise": noise, "start": start}
    deviations = {
        "gram": _gram_deviation, "noise": _noise_deviation, "start": _start_deviation, "inverse": _inverse_deviation,
    }  # fmt: skip

    def derive(assumptions: Assumptions) -> Derived:
        if block == "inverse":
            return _inverse_order(assumptions)
        found = derivations[block](assumptions)
        return order_parts(found.leading, found.error)

    def check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
        return [
            fluctuation_check(
                ORDER,
                step.name,
                LADDER,
                deviations[block],
                exponent_of(step, assumptions),
                draws=720,
                base_seed=seed,
            )
        ]

    def observe(sample: Sample) -> Observed:
        return {LEADING: _observed_leading(sample, block)}

    exact = block != "inverse"  # the mean of an inverse is only asymptotically the inverse of the mean
    register(
        Step(
            name, (number,), "equation", statement, "theorem1", uses=uses, depends_on=INNER,
            claim=lambda: {LEADING: leading, ORDER: exponent}, derive=derive, check=check,
            observe=observe if exact else None, sizes=BLOCK_SIZES if exact else (),
            method="exact means and variances of the elements by the engine; degree in xi", remark=remark,
            erratum=erratum,
        )
    )  # fmt: skip


_concentration_step(
    "gram-concentrates", "75", "B B^T / p is a multiple of the identity up to elementwise fluctuations.", "gram",
    H_T, -HALF, ("stacked-design", "rows-concentrate", "rows-through-wishart", "rows-through-wishart-squared"),
)  # fmt: skip
_concentration_step(
    "noise-concentrates", "76", "Gamma is a multiple of the identity up to elementwise fluctuations.", "noise",
    nu**2 * H_T + sigma**2 * (1 + alpha_t**2 * p / n_t), -HALF, ("target-covariance", "gram-concentrates"),
)  # fmt: skip
_concentration_step(
    "start-concentrates", "77", "What the start contributes, as an average with fluctuations.", "start",
    dist0_sq * H_T, -HALF, ("stacked-design", "weighted-rows-concentrate"),
    remark="The matrix has rank one: its elements fluctuate by as much as their mean, so the error term is of the order "
    "of the main term. The conclusion survives because the mean enters Theorem 1 exactly. Lemma 2, which is stated for "
    "positive delta, is used here at delta = -1/2.",
    erratum="condition",
)  # fmt: skip
_concentration_step(
    "gram-inverse-concentrates", "78", "The inverse of B B^T, by the first term of its Neumann series.", "inverse",
    1 / (p * H_T), -3 * HALF, ("gram-concentrates",),
)  # fmt: skip
register(
    Step(
        "inner-factor", ("6", "82"), "equation",
        "h_t, the mean square length of a row of B per dimension.", "theorem1", uses=("gram-concentrates",),
        depends_on=INNER, claim=lambda: {"h_t": H_T}, derive=_derive_inner_factor, observe=_observe_inner_factor,
        sizes=FACTOR_SIZES, method="Gaussian integration by parts",
    )
)  # fmt: skip
register(
    Step(
        "adaptation-factor", ("7",), "equation",
        "h_r, by which adaptation scales the squared deviation of the meta-parameter.", "theorem1",
        uses=("loss-from-excess",), depends_on=("adaptation_steps", "inputs", "covariance"),
        claim=lambda: {"h_r": H_R}, derive=_derive_adaptation_factor, observe=_observe_adaptation_factor,
        sizes=FACTOR_SIZES, method="Gaussian integration by parts",
    )
)  # fmt: skip

SIMULATED = ((1.0, 24), (2.0, 48), (4.0, 96), (8.0, 192))


def setting_at(xi: float, base: int) -> Setting:
    """A point of the ladder: p and n_t in proportion to xi, |omega_0 - w_0|^2 falling as xi^(-1/2)."""
    return Setting(
        n_t=base, n_v=2, n_r=base, m=2, p=2 * base, sigma=0.9, nu=0.6, alpha_t=0.4, alpha_r=0.3,
        dist0_sq=0.5 * xi**-0.5,
    )  # fmt: skip


def numbers(setting: Setting) -> dict[str, float]:
    """The scalar parameters of a setting by name."""
    names = ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq")
    return {name: float(getattr(setting, name)) for name in names}


def _residual(quantity: Quantity, rel_error: float) -> Callable[[Step, Assumptions, int], list[Check]]:
    """The check that simulation minus the formula that the step derives falls as xi^-2."""

    def check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
        if step.derive is None:
            raise ValueError(f"{step.name} derives no formula")
        ladder = [(xi, setting_at(xi, base)) for xi, base in SIMULATED]
        return [
            residual_check(
                f"decay of simulation minus {label}",
                ladder,
                lambda setting, formula=to_sympy(part): float(evaluate(formula, numbers(setting))),
                -2.0,
                quantity=quantity,
                rel_error=rel_error,
                sharp=True,
                base_seed=seed,
            )
            for label, part in step.derive(assumptions).items()
        ]

    return check


_REMAINDER = (
    "The means of B B^T and Gamma are exact, so the first correction averages to zero and the remainder is of order "
    "xi^-2: smaller than the xi^(-3/2) that is printed. The ladder confirms the exponent -2."
)


def _claim_excess() -> Parts:
    share = n_v * m / p
    return {
        r"\mathbb{E}|\omega^\star-w_0|^2": (1 - share) * dist0_sq
        + share * (nu**2 + sigma**2 * (1 + alpha_t**2 * p / n_t) / H_T)
    }


def _claim_loss() -> Parts:
    share = n_v * m / p
    return {
        r"\bar L^{test}": sigma**2 / 2 * (1 + alpha_r**2 * p / n_r)
        + H_R
        / 2
        * (nu**2 * (1 + share) + (1 - share) * dist0_sq + sigma**2 * share * (1 + alpha_t**2 * p / n_t) / H_T)
    }


register(
    Step(
        "excess-overparameterized", ("79", "80"), "equation",
        "The mean square deviation of the learned meta-parameter, to leading order.", "theorem1",
        uses=("outer-mean-square-as-trace", "noise-concentrates", "start-concentrates", "gram-inverse-concentrates"),
        depends_on=INNER, claim=_claim_excess,
        derive=lambda assumptions: {r"\mathbb{E}|\omega^\star-w_0|^2": leading_excess(assumptions)},
        check=_residual("excess", 0.0002),
        method="means of the blocks put into the exact formula (74)", remark=_REMAINDER, erratum="not sharp",
    )
)  # fmt: skip
register(
    Step(
        "theorem-1", ("5", "81"), "theorem",
        "The average test loss with more parameters than validation data, to leading order.", "theorem1",
        uses=("loss-from-excess", "excess-overparameterized", "inner-factor", "adaptation-factor", "average-loss"),
        depends_on=DEPENDS, claim=_claim_loss,
        derive=lambda assumptions: {r"\bar L^{test}": leading_loss(assumptions)},
        check=_residual("loss", 0.00003),
        method="exact test phase (65) with the leading-order deviation", remark=_REMAINDER, erratum="not sharp",
        parameters=("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq"),
    ),
    alias="eq5",
)  # fmt: skip
