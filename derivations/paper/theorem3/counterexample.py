"""A law that meets every condition of Theorem 3 and breaks its conclusion: scale mixtures.

-  scale-mixture-meets-the-conditions   (134)-(136) hold, exactly
-  scale-mixture-breaks-the-conclusion  (138), (139), (142) and (14) do not

Sigma has four eigenvalues in equal numbers. A row is diag(1 + e v)^(1/2) Sigma^(1/2) u with u standard Gaussian and a
random sign e of its own. v is orthogonal to the first three powers of the eigenvalues: no form that (134)-(136) hold
to a small variance sees the sign. A form weighted by Sigma_w, or by H_r with its cube of Sigma, does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import prod

import numpy as np
import sympy
from sympy import Rational

from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import p, sigma
from derivations.language.values import evaluate
from derivations.paper.theorem3.concentration import form_chain
from derivations.paper.theorem3.outer_problem import MEAN_FORM
from derivations.paper.theorem3.scale_mixture import (
    DEGREE,
    DIAGONAL,
    FEW,
    LEAN,
    OFF,
    PRODUCTS,
    RATE,
    RATIOS,
    SPECTRUM,
    TASKS,
    TRACE,
    VARIANCE,
    WEIGHTED,
    blocks,
    conclusion_chain,
    conditions_chain,
    label,
    order_of_142,
)
from derivations.steps.draws import Array, transpose
from derivations.steps.neglected import Quantity, Remainder, order_of
from derivations.steps.orders import ONE
from derivations.steps.step import Check, Kind, Observed, Parts, Step
from derivations.verification.growth import fluctuation_check, sign_check
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.sample import Sample
from numeric_check.draws.seeds import generator_for
from numeric_check.problem.normals import normals

CLASSES = len(SPECTRUM)


# -- the claims ---------------------------------------------------------------------------------------------


def _moment(*values: Sequence[Fraction]) -> Rational:
    """The mean over the four eigenvalues of a product."""
    total = sum((prod(each, start=Fraction(1)) for each in zip(*values, strict=True)), Fraction(0)) / CLASSES
    return Rational(total.numerator, total.denominator)


def _claim_conditions() -> Parts:
    s = SPECTRUM
    square = _moment(s, s)
    return {
        label((0, 0), DIAGONAL): 2 * (square + _moment(s, s, LEAN, LEAN)) / p,
        label((0, 0), OFF): square / p,
        TRACE: _moment(TASKS, TASKS) / p,
        DEGREE: sympy.Integer(-1),
    }


def _remainders(found: Mapping[str, Quantity]) -> list[Remainder]:
    """Of Gamma and B H_r B^T, by the roots of their variances, and of (142), of which no limit is one."""
    of, parts = blocks(), {name: to_sympy(part) for name, part in found.items()}
    # over p^2, the variance of B H_r B^T tends to a positive number
    orders = {
        "Sigma_w": order_of(parts[VARIANCE], {"p": ONE}),
        "H_r": order_of(parts[WEIGHTED] * p**2, {"p": ONE}),
    }
    square = order_of_142().sympy()
    wrong = [Remainder(form_chain(PAPER).parts[MEAN_FORM], {"xi": square})]
    found_of = [
        Remainder(of[name], {"xi": order.scaled(Fraction(1, 2)).sympy()}) for name, order in orders.items()
    ]
    return [*found_of, *(wrong if 1 not in {parts[name] for name in RATIOS} else [])]


def _claim_conclusion() -> Parts:
    s, v, d = SPECTRUM, LEAN, TASKS
    square, cube, fourth = (_moment(*[s] * k) for k in (2, 3, 4))
    lean_of_tasks, lean_of_weight = _moment(d, s, v), RATE**2 * _moment(s, s, s, s, v)
    parts: dict[str, sympy.Basic] = {
        VARIANCE: lean_of_tasks**2 + 2 * (_moment(d, d, s, s) + _moment(d, d, s, s, v, v)) / p,
        WEIGHTED: lean_of_weight**2,
    }
    for name, share in RATIOS.items():
        weight = square - 2 * RATE * cube + RATE**2 * fourth + RATE**2 / share * square**2
        excess = lean_of_tasks * lean_of_weight / ((_moment(d, s) + sigma**2) * weight)
        parts[name] = 1 + sympy.factor(excess)
    return parts


# -- what sampling sees -------------------------------------------------------------------------------------

TASKS_PER_DRAW = 16
SIZES = (
    {"p": 4, "n_plus_1": 400, "n_minus_1": 300, "n_plus_2": 350, "n_minus_2": 250},
    {"p": 8, "n_plus_1": 6, "n_minus_1": 8, "n_plus_2": 5, "n_minus_2": 7},
    {"p": 12, "n_plus_1": 9, "n_minus_1": 5, "n_plus_2": 8, "n_minus_2": 6},
)
LADDER = tuple({"xi": float(k), "p": 4 * k, "n_t": 2 * k, "n_v": 4} for k in (6, 12, 24, 48))
# sizes and label noise: of a ladder on which the ratio stays off one, and where it has come as near to its limit as the
# standard error asked for, a fiftieth of the smaller effect
LADDER_OF_RATIO = ((400, 0.02), (1600, 0.02), (6400, 0.02))
NEAR_LIMIT = ((3200, 0.02), (6400, 1.5), (12_800, 0.02))
RATIO_ERROR = 2e-4


def _spread(values: Sequence[Fraction], size: int) -> Array:
    """One number for each dimension, in equal parts."""
    return np.repeat(np.array([float(value) for value in values]), size // CLASSES)


def _rows(sample: Sample, *shape: int) -> Array:
    """Rows of this law, shape (batch, ..., p)."""
    size = sample.size("p")
    lean = _spread(LEAN, size)
    scales = np.sqrt(_spread(SPECTRUM, size) * np.stack([1 - lean, 1 + lean]))
    normal = normals(sample.generator, (sample.batch, *shape, size))
    normal *= np.take(scales, sample.generator.integers(2, size=(sample.batch, *shape)), axis=0)
    return normal


def _observe_conditions(sample: Sample) -> Observed:
    """Variances over the tasks of a draw, each with two rows."""
    size = sample.size("p")
    rows = _rows(sample, 2 * TASKS_PER_DRAW)
    x, y = rows[:, :TASKS_PER_DRAW], rows[:, TASKS_PER_DRAW:]
    seen = {
        label((0, 0), DIAGONAL): np.einsum("btp,btp->bt", rows, rows) / size,
        label((0, 0), OFF): np.einsum("btp,btp->bt", x, y) / size,
    }
    square = np.sum((_spread(TASKS, size) / size) ** 2)
    return {name: np.var(value, axis=1, ddof=1) for name, value in seen.items()} | {
        TRACE: np.full(sample.batch, square)
    }


def _check_conditions(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The products of (134)-(136) fluctuate by the root of the stated order."""

    def product_of(left: int, right: int) -> Callable[[Sample], Array]:
        def observed(sample: Sample) -> Array:
            x_v, x_t = _rows(sample, sample.size("n_v")), _rows(sample, sample.size("n_t"))
            sides = [x_v] + [(x_v @ transpose(x_t)) @ x_t for _ in range(left)]
            return np.asarray(sides[left] @ transpose(sides[right]) / sample["p"] ** (1 + left + right))

        return observed

    if step.derive is None:
        raise ValueError(f"{step.name} derives no order")
    order = float(evaluate(to_sympy(step.derive(assumptions)[DEGREE]), {}))
    return [
        fluctuation_check(
            rf"{DEGREE}/2\ ({number})",
            f"{step.name}/{number}",
            LADDER,
            product_of(*powers),
            order / 2,
            draws=960,
            base_seed=seed,
        )
        for powers, number in PRODUCTS.items()
    ]


def _weight(size: int, points: float) -> Array:
    """The diagonal of H_r, with F as its definition has it for a Gaussian row of either sign."""
    s, v, rate = _spread(SPECTRUM, size), _spread(LEAN, size), float(RATE)
    fourth = np.zeros(size)
    for sign in (1.0, -1.0):
        own = s * (1 + sign * v)
        fourth += (own * np.sum(s * own) + 2 * own * s * own) / 2
    return np.asarray(s * (1 - rate * s) ** 2 + rate**2 / points * (fourth - s**3))


def _observe_conclusion(sample: Sample) -> Observed:
    """Half the squared difference of two draws."""
    size = sample.size("p")
    value = _rows(sample, 2) ** 2 @ (_spread(TASKS, size) / size)
    return {VARIANCE: (value[:, 0] - value[:, 1]) ** 2 / 2}


@dataclass(frozen=True)
class Ratio:
    """The sampled weighted square of the learned parameter over what (142) gives, with its standard error."""

    mean: float
    stderr: float
    draws: int
    seconds: float


@cache
def sampled_ratio(size: int, noise: float, share: float, seed: int) -> Ratio:
    """The ratio at a size, sampled.

    The learned parameter is x (x^T w + z) / x^T x; w and z are averaged over at a given row x. Each draw serves both signs
    of its row. Elements of one eigenvalue enter by the sum of their squares alone, which is drawn as such, as chi-squared.
    """
    started = time.monotonic()
    s, v, tasks = (_spread(values, size) for values in (SPECTRUM, LEAN, TASKS))
    weight = _weight(size, share * size)
    forms = (np.ones(size), tasks / size, weight)
    columns = np.stack([s * (1 + sign * v) * form for sign in (1, -1) for form in forms], axis=1)
    of_each = columns[:: size // CLASSES]
    formula = np.sum(weight * s) / np.sum(s) ** 2 * (np.sum(tasks / size * s) + noise**2)
    total = square = 0.0
    draws, batch, each, stderr = 0, 0, 1024, math.inf
    while stderr > RATIO_ERROR:
        generator = generator_for(f"scale-mixture/{size}/{noise}/{share}/{seed}", batch)
        drawn = generator.chisquare(size // CLASSES, (each, CLASSES)) @ of_each
        one, task, weighted = drawn[:, 0::3], drawn[:, 1::3], drawn[:, 2::3]
        found = np.mean((task + noise**2) * weighted / one**2, axis=1) / formula
        total, square = total + float(found.sum()), square + float((found**2).sum())
        draws, batch = draws + each, batch + 1
        stderr = math.sqrt((square / draws - (total / draws) ** 2) / (draws - 1))
    return Ratio(total / draws, stderr, draws, time.monotonic() - started)


def _check_conclusion(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The sampled ratio comes to its limit, and stays off one on the way."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no limit")
    parts = step.derive(assumptions)
    found = []
    for name, share in RATIOS.items():
        for size, noise in NEAR_LIMIT:
            value = float(evaluate(parts[name], {"sigma": noise}))
            seen = sampled_ratio(size, noise, float(share), seed)
            where = {"p": float(size), "n_r": float(share) * size, "sigma": noise}
            found.append(
                mean_check(name, where, value, Estimate(seen.mean, seen.stderr, seen.draws), seen.seconds)
            )
    name = next(iter(RATIOS))
    for size, noise in LADDER_OF_RATIO:
        seen = sampled_ratio(size, noise, float(FEW), seed)
        found.append(
            sign_check(
                name.replace(r"\lim_{p\to\infty}\rho", r"\rho-1"),
                {"p": float(size), "n_r": float(FEW) * size, "sigma": noise},
                seen.mean - 1,
                seen.stderr,
                float(np.sign(float(evaluate(parts[name], {"sigma": noise})) - 1)),
                said="the ratio is off one by",
                draws=seen.draws,
                seconds=seen.seconds,
            )
        )
    return found


# -- the steps ----------------------------------------------------------------------------------------------

STEPS: tuple[Step, ...] = (
    Step(
        "scale-mixture-meets-the-conditions",
        (),
        Kind.CLAIM,
        "A law that meets every condition of Theorem 3: Sigma has the eigenvalues 1, 4, 7, 8 in equal numbers, a row is "
        "Gaussian with the covariance Sigma (1 + v) or Sigma (1 - v), each with probability 1/2, where v is -1, 7/8, -1, 9/16, "
        "and Sigma_w has the eigenvalues 0, 2/p, 0, 2/p.",
        "theorem3",
        uses=(
            "input-covariance",
            "variance-of-rows",
            "variance-through-training-data",
            "variance-through-both-training-data",
        ),
        claim=_claim_conditions,
        derivation=conditions_chain,
        observe=_observe_conditions,
        check=_check_conditions,
        sizes=SIZES,
        resolution={TRACE: 1e-9},
        method="exact averages over rows of either sign and over their number; degree in xi",
        remark="The eigenvalues of v are orthogonal to the first three powers of those of Sigma, exactly: the traces on "
        "which (134)-(136) depend do not see the sign of a row. The order is that of each of the nine variances, of the "
        "elements on and off the diagonal and between two tasks.",
    ),
    Step(
        "scale-mixture-breaks-the-conclusion",
        (),
        Kind.CLAIM,
        "For the law of scale-mixture-meets-the-conditions, one task with one validation point, alpha_t = 0 and alpha_r = 1/7, Gamma and B H_r B^T "
        "fluctuate as much as they are large, and rho, the left side of (142) over what its right side states, does not tend to one.",
        "theorem3",
        uses=(
            "scale-mixture-meets-the-conditions",
            "weighted-mean-square",
            "adaptation-weight",
            "weighted-square-leading",
        ),
        claim=_claim_conclusion,
        derivation=conclusion_chain,
        remainders=_remainders,
        observe=_observe_conclusion,
        check=_check_conclusion,
        not_sampled={WEIGHTED: "what it does to the loss is in rho, which is sampled"},
        sizes=SIZES,
        method="exact means and variances of the forms at a given sign of the row; limit of the quotient",
        remark="Traces with Sigma_w, and the cube of Sigma in H_r, do see the sign of a row, and both at once: their "
        "fluctuations are correlated. At a given sign x^T x / p, Gamma and x^T H_r x / p tend to constants, the quotient is "
        "bounded but for the label noise, whose part has a bounded second moment, and so its mean tends to that of the two quotients.",
    ),
)
