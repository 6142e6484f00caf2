"""When a small positive training rate is better than none: the slope of (14) at a rate of zero; and spiked covariances.

    -  positive-rate-criterion  the slope at zero: negative exactly where a small positive rate lowers (14)
    -  positive-rate-spiked     two large eigenvalues among two hundred: (14) is least at a positive rate; with fifty, at a negative one
    -  positive-rate-aligned    twenty-five: at a positive rate where tasks differ along them, at a negative one where they differ elsewhere

In words: the rows of B lose by the inner loop the share Tr Sigma^2 / Tr Sigma of their length, at twice the rate, against what the
error loses in the directions that the target task weighs, Tr H_r Sigma^2 / Tr H_r Sigma, and in those in which tasks differ.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any

import numpy as np
import sympy
from sympy import MatrixSymbol, Trace

from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.model_letters import letter
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import m, n_v, p, sigma
from derivations.language.values import Point, evaluate
from derivations.paper.theorem3.concentration import F_GAUSSIAN, form_chain
from derivations.paper.theorem3.general_setting import SIGMA, SIGMA_W
from derivations.paper.theorem3.loss import loss_over_chain
from derivations.paper.theorem3.target_task import adaptation_weight
from derivations.steps.chain import Chain
from derivations.steps.chains.products import in_place_of, present, product_of
from derivations.steps.domains import Where
from derivations.steps.labels import LOSS, Sign
from derivations.steps.move import Rule
from derivations.steps.rules.certified_signs import certify
from derivations.steps.rules.derivatives import at_zero, slope_at_zero
from derivations.steps.rules.roots import least_at
from derivations.steps.rules.rotations import rewritten
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.growth import paired_check
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.target_loss import one_step_weight
from numeric_check.estimators.task_maps import propagate
from numeric_check.problem.samplers import inputs
from numeric_check.problem.setting import Setting
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.readable import Term
from symbolic.algebra.words import Expression, constant, identity, matrix, reciprocal, scalar

SLOPE = r"\partial_{\alpha_t}\bar L^{test}(0)"
ISOTROPIC = r"\partial_{\alpha_t}\bar L^{test}(0)\big|_{\Sigma=I}"
DEPENDS = ("inner_steps", "adaptation_steps", "inputs", "split", "noise_val", "order")
# how a trace is called: by its letters other than Sigma, and the number of Sigmas
PREFIX = {(): "s", ("Sigma_w",): "v", ("H_r",): "r", ("F",): "f", ("F", "Sigma_w"): "u", ("F", "H_r"): "q"}
H_R = MatrixSymbol("H_r", p, p)


def _by_traces(exprs: Mapping[str, Expression]) -> tuple[dict[str, Expression], dict[str, Expression]]:
    """The expressions with a name for each trace, and the traces by name."""
    traces: dict[str, Expression] = {}
    for expr in exprs.values():
        for term in expr.terms:
            for word in term.traces:
                letters = [factor.name for factor in word]
                others = tuple(sorted(name for name in letters if name != "Sigma"))
                traces[f"{PREFIX[others]}_{letters.count('Sigma')}"] = product_of(expr, Term((word,), None))
    named = dict(exprs)
    for name, trace in traces.items():
        named = {key: in_place_of(trace, scalar(name), value) for key, value in named.items()}
    return named, traces


def _start(assumptions: Assumptions) -> tuple[Expression, dict[str, Expression], dict[str, Expression]]:
    """(14) in its names; these with names for traces, 1/g by 1/(s_1 g_1); and the traces."""
    loss = loss_over_chain(assumptions)
    named, traces = _by_traces({**form_chain(assumptions).numbers(), LOSS: loss.result})
    named["g_1"] = named.pop("g") * reciprocal("s_1")
    return named.pop(LOSS), named, traces


def _slope(chain: Chain, names: Mapping[str, Expression]) -> Chain:
    chain.define({"g": scalar("s_1") * scalar("g_1")}, "theorem-3")
    return slope_at_zero(chain, "alpha_t", names, "theorem-3")


@lru_cache(maxsize=4)
def criterion_chain(assumptions: Assumptions) -> Chain:
    """The slope of (14) at zero in traces; and at Sigma = I."""
    start, names, traces = _start(assumptions)
    chain = _slope(Chain(start), names).shows(SLOPE, traces)
    slope = chain.result
    at: dict[str, Expression] = {}
    for name in sorted(x for x in traces if x in slope.scalars() or INVERSE + x in slope.scalars()):
        chain.begin(traces[name]).insert({"Sigma": identity("p")})
        at[name] = chain.result
    names_at = {"s_1": scalar("p"), "s_2": scalar("p")}
    return (
        chain.begin(slope)
        .insert(names_at)
        .shows(ISOTROPIC, {k: v for k, v in at.items() if k not in names_at})
    )


def slope_in_traces(assumptions: Assumptions) -> sympy.Expr:
    """The slope in s_j = Tr Sigma^j, r_j = Tr H_r Sigma^j and v_j = Tr Sigma_w Sigma^j."""
    start, names, _ = _start(assumptions)
    return to_sympy(_slope(Chain(start), names).result)


def _claim_criterion() -> Parts:
    spread = Trace(SIGMA_W * SIGMA) + sigma**2
    rates = (
        2 * Trace(SIGMA**2) / Trace(SIGMA)
        - Trace(H_R * SIGMA**2) / Trace(H_R * SIGMA)
        - Trace(SIGMA_W * SIGMA**2) / spread
    )
    return {
        SLOPE: n_v * m * Trace(H_R * SIGMA) * spread / Trace(SIGMA) ** 2 * rates,
        ISOTROPIC: n_v * m / p**2 * sigma**2 * Trace(H_R),
    }


# -- spiked covariances -------------------------------------------------------------------------------------

# Sigma = low I + (high - low) Q^T Q with k orthonormal rows Q; the other numbers of the example
EXAMPLE: Mapping[str, Fraction] = {
    "n_t": Fraction(100),
    "n_v": Fraction(2),
    "m": Fraction(2),
    "p": Fraction(200),
    "sigma": Fraction(3, 10),
    "alpha_r": Fraction(0),
}
LOW, HIGH, FEW, MANY = Fraction(1, 20), Fraction(2), 2, 50
SPIKES = matrix("Q", "k", "p")
FRAME_SIZES = ({"k": 2, "p": 5}, {"k": 1, "p": 4}, {"k": 3, "p": 6})
SEVERAL = 25


@dataclass(frozen=True)
class Case:
    """k large eigenvalues of Sigma; Sigma_w = across I + (along - across) Q^T Q; +1 where the best rate is positive, else -1."""

    name: str
    count: int
    along: Fraction
    across: Fraction
    side: int

    @property
    def sloping(self) -> Sign:
        """The sign of the slope at zero."""
        return Sign(rf"\partial_{{\alpha_t}}\bar L^{{test}}(0)\big|_{{{self.name}}}")

    @property
    def best(self) -> Sign:
        """The sign of the rate at which the loss is least."""
        return Sign(rf"\alpha_t^\star\big|_{{{self.name}}}")

    @property
    def numbers(self) -> dict[str, Expression]:
        """What is put in."""
        own = {
            "k": Fraction(self.count),
            "along": self.along,
            "across": self.across,
            "low": LOW,
            "high": HIGH,
        }
        return {name: constant(value) for name, value in {**EXAMPLE, **own}.items()}

    def covariances(self) -> tuple[np.ndarray, np.ndarray]:
        """Sigma and Sigma_w, with the large eigenvalues first."""
        large = np.arange(int(EXAMPLE["p"])) < self.count
        pairs = ((HIGH, LOW), (self.along, self.across))
        first, second = (np.diag(np.where(large, float(one), float(rest))) for one, rest in pairs)
        return first, second


_ALIKE, _ALONG, _ACROSS = 1 / EXAMPLE["p"], Fraction(1, SEVERAL), 1 / (EXAMPLE["p"] - SEVERAL)
# Tr Sigma_w = 1 in each
NUMBERS_OF_SPIKES = (Case("k=2", FEW, _ALIKE, _ALIKE, 1), Case("k=50", MANY, _ALIKE, _ALIKE, -1))
DIRECTIONS = (
    Case(r"\mathrm{aligned}", SEVERAL, _ALONG, Fraction(0), 1),
    Case(r"\mathrm{opposed}", SEVERAL, Fraction(0), _ACROSS, -1),
)


def _spiked(assumptions: Assumptions, cases: tuple[Case, ...]) -> Chain:
    """Each trace for spiked covariances, alpha_r = 0 and Gaussian inputs; then slope and minimum."""
    start, names, traces = _start(assumptions)
    square = SPIKES.T @ SPIKES
    spiked, spread = (
        scalar(rest) * identity("p") + (scalar(large) - scalar(rest)) * square
        for large, rest in (("high", "low"), ("along", "across"))
    )
    chain = Chain(letter("H_r")).insert({"H_r": adaptation_weight(assumptions)}, "adaptation-weight")
    at_zero(chain, ("alpha_r",), {})
    letters = {"H_r": chain.result, "Sigma_w": spread}
    found: dict[str, Expression] = {}
    for name, trace in traces.items():
        chain.begin(scalar(name)).define({name: trace}, "theorem-3")
        if "F" in trace.letters():
            chain.insert({"F": F_GAUSSIAN}, "gaussian-fourth-moment")
        inside = {key: value for key, value in letters.items() if key in trace.letters()}
        if inside:
            chain.insert(inside)
        chain.insert({"Sigma": spiked})
        frame: dict[tuple[tuple[str, bool], ...], Expression] = {(("Q", False), ("Q", True)): identity("k")}
        rewritten(chain, Rule.CANCEL_INVERSE, frame, frames={"Q": "Q_perp"}, sizes=FRAME_SIZES)
        found[name] = chain.result
    slope = _slope(chain.begin(start), names).result
    for case in cases:
        numbers = case.numbers
        at = {
            name: chain.begin(value).insert(present(value, numbers)).result for name, value in found.items()
        }
        chain.begin(slope)
        certify(chain.insert(present(slope, {**numbers, **at})), {}).shows_sign(case.sloping)
        chain.begin(start).define({"g": scalar("s_1") * scalar("g_1")}, "theorem-3")
        chain.insert(present(chain.result, {**numbers, **at}))
        least_at(chain, "alpha_t", {**names, **numbers, **at}).shows_sign(case.best)
    return chain


@lru_cache(maxsize=4)
def spiked_chain(assumptions: Assumptions) -> Chain:
    """Few large eigenvalues and many, of tasks that differ alike in all directions."""
    return _spiked(assumptions, NUMBERS_OF_SPIKES)


@lru_cache(maxsize=4)
def aligned_chain(assumptions: Assumptions) -> Chain:
    """As many large eigenvalues, of tasks that differ along them alone and of others that differ elsewhere alone."""
    return _spiked(assumptions, DIRECTIONS)


def _signs(positive: str, negative: str) -> Parts:
    """The slope falls and the best rate is positive in one case, and the other way round in the other."""
    slope, best = r"\partial_{\alpha_t}\bar L^{test}(0)\big|_", r"\alpha_t^\star\big|_"
    numbers = {name: str(value) for name, value in EXAMPLE.items()}
    return {
        Sign(f"{label}{{{case}}}", Where(numbers | at)): sympy.Integer(value)
        for case, side in ((positive, 1), (negative, -1))
        for label, at, value in ((slope, {"alpha_t": "0"}, -side), (best, {}, side))
    }


def _claim_spiked() -> Parts:
    return _signs("k=2", "k=50")


def _claim_aligned() -> Parts:
    return _signs(r"\mathrm{aligned}", r"\mathrm{opposed}")


# -- what sampling sees -------------------------------------------------------------------------------------

# where the moves are sampled: k rows of Q, q left over
MOVE_SIZES: tuple[Mapping[str, float], ...] = tuple(
    {
        **sizes,
        "low": low,
        "high": 1.6,
        "along": along,
        "across": 0.5,
        "sigma": 0.8,
        "alpha_t": rate,
        "alpha_r": 0.3,
    }
    for sizes, low, along, rate in (
        ({"k": 2.0, "q": 3.0, "p": 5.0, "n_t": 7.0, "n_r": 5.0, "n_v": 2.0, "m": 2.0}, 0.6, 0.2, 0.3),
        ({"k": 1.0, "q": 6.0, "p": 7.0, "n_t": 5.0, "n_r": 6.0, "n_v": 1.0, "m": 3.0}, 0.3, 0.9, -0.4),
        ({"k": 3.0, "q": 1.0, "p": 4.0, "n_t": 6.0, "n_r": 9.0, "n_v": 3.0, "m": 1.0}, 0.9, 0.1, 0.2),
    )
)
RATIO_SIZES: tuple[dict[str, Any], ...] = (
    {"n_t": 5, "n_v": 2, "n_r": 4, "m": 1, "p": 4, "sigma": 0.8, "alpha_r": 0.3},
    {"n_t": 4, "n_v": 1, "n_r": 6, "m": 3, "p": 3, "sigma": 0.9, "alpha_r": -0.2},
    {"n_t": 6, "n_v": 3, "n_r": 5, "m": 2, "p": 5, "sigma": 1.1, "alpha_r": 0.2},
)
DRAWS, BATCH, STEP = 80_000, 5_000, 0.2


@dataclass(frozen=True)
class _Ratio:
    """The slope of the ratio of means, its error, and the weight of the target task."""

    mean: float
    stderr: float
    weight: np.ndarray


def _setting(place: Mapping[str, Any], covariances: tuple[np.ndarray, np.ndarray], rate: float) -> Setting:
    one = {**place, "n_v": 1, "m": 1}
    return Setting(**one, nu=1.0, alpha_t=rate, Sigma=covariances[0], Sigma_w=covariances[1])


def _covariances(size: int, isotropic: bool) -> tuple[np.ndarray, np.ndarray]:
    steps = (np.arange(size) + 0.5) / size
    spectrum = np.ones(size) if isotropic else 0.4 + 1.2 * steps
    return np.diag(spectrum), np.diag((0.5 + np.cos(7 * steps) ** 2) / size)


@lru_cache(maxsize=16)
def _sampled(index: int, isotropic: bool, seed: int) -> _Ratio:
    """The leading order is a ratio of means over one validation row b, each a quadratic in the rate, whose slope a difference gives.

    |b|^2, the variance of its residual and b H_r b^T, averaged over the validation input, are drawn at three rates with the
    same training inputs.
    """
    place = RATIO_SIZES[index]
    covariances = _covariances(place["p"], isotropic)
    weight = one_step_weight(_setting(place, covariances, 0.0), place["alpha_r"], place["n_r"])
    drawn: list[list[np.ndarray]] = []
    # all validation rows at once: those of the root of Sigma have the same mean squares
    root = np.sqrt(covariances[0])
    for rate in (-STEP, 0.0, STEP):
        setting, found = _setting(place, covariances, rate), []
        for batch in range(DRAWS // BATCH):
            x = inputs(generator_for(f"criterion/{index}/{seed}", batch), setting, BATCH, setting.n_t)
            b, path = propagate(np.broadcast_to(root, (BATCH, *root.shape)), x, rate / setting.n_t, 1)
            spread, kept = (np.sum((b @ matrix) * b, axis=(1, 2)) for matrix in (covariances[1], weight))
            noise = setting.sigma**2 * (1 + np.sum(path**2, axis=(1, 2)))
            found.append([np.sum(b**2, axis=(1, 2)), spread + noise, kept])
        drawn.append([np.concatenate(column) for column in zip(*found, strict=True)])
    low, middle, high = drawn
    values = [*middle, *((up - down) / (2 * STEP) for up, down in zip(high, low, strict=True))]
    g, c, w, g_dot, c_dot, w_dot = (float(value.mean()) for value in values)
    slope = (c_dot * w + c * w_dot) / g**2 - 2 * c * w * g_dot / g**3
    changes = (
        -2 * (c_dot * w + c * w_dot) / g**3 + 6 * c * w * g_dot / g**4,
        w_dot / g**2 - 2 * w * g_dot / g**3,
        c_dot / g**2 - 2 * c * g_dot / g**3,
        -2 * c * w / g**3,
        w / g**2,
        c / g**2,
    )
    each = sum(rate * value for rate, value in zip(changes, values, strict=True))
    rows = place["n_v"] * place["m"] / 2
    return _Ratio(rows * slope, rows * float(np.std(each)) / math.sqrt(DRAWS), np.asarray(weight))


def _check_criterion(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The slope of the ratio of sampled means, which the leading order is at any size."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    found = []
    for label, part in step.derive(assumptions).items():
        for index, place in enumerate(RATIO_SIZES):
            started = time.monotonic()
            seen = _sampled(index, label == ISOTROPIC, seed)
            covariances = _covariances(place["p"], label == ISOTROPIC)
            matrices = {"Sigma": covariances[0], "Sigma_w": covariances[1], "H_r": seen.weight}
            numbers = {name: float(value) for name, value in place.items()}
            value = float(evaluate(to_sympy(part), Point({**numbers, **matrices})))
            estimate = Estimate(seen.mean, seen.stderr, DRAWS)
            found.append(mean_check(label, numbers, value, estimate, time.monotonic() - started))
    return found


# the rates between which, and their mirror images, the loss is simulated: near zero, and further away
NEAR, FAR = 0.2, 0.4


def _check_cases(cases: tuple[Case, ...], step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The whole problem simulated on both sides of zero, near it and further away, at the same random numbers."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    derived = {label: int(to_sympy(part)) for label, part in step.derive(assumptions).items()}
    found = []
    for case in cases:
        sizes: dict[str, Any] = {name: int(EXAMPLE[name]) for name in ("n_t", "n_v", "m", "p")}
        first, second = case.covariances()
        for label, rate, side in ((case.sloping, NEAR, 1), (case.best, FAR, -1)):
            setting = Setting(
                **sizes,
                n_r=50,
                sigma=float(EXAMPLE["sigma"]),
                nu=1.0,
                alpha_t=-rate,
                alpha_r=0.0,
                Sigma=first,
                Sigma_w=second,
            )
            found.append(paired_check(str(label), setting, rate, side * derived[label], seed))
    return found


def _two_cases(
    name: str,
    statement: str,
    remark: str,
    *,
    claim: Callable[[], Parts],
    derivation: Callable[[Assumptions], Chain],
    cases: tuple[Case, ...],
) -> Step:
    """The sign of the best rate for two spectra of two values each."""
    return Step(
        name,
        (),
        Kind.BEYOND,
        statement,
        "positive_rates",
        uses=("theorem-3", "adaptation-weight", "gaussian-fourth-moment", "positive-rate-criterion"),
        depends_on=DEPENDS,
        claim=claim,
        derivation=derivation,
        check=partial(_check_cases, cases),
        sizes=MOVE_SIZES,
        applies=unchanged(DEPENDS),
        method="traces of low I + (high - low) Q^T Q; all stationary points isolated and compared by enclosures",
        remark=remark,
    )


STEPS: tuple[Step, ...] = (
    Step(
        "positive-rate-criterion",
        (),
        Kind.BEYOND,
        "The slope of (14) in the training rate at zero: a small positive rate lowers (14) where 2 Tr Sigma^2 / Tr Sigma "
        "is below the sum of the other two ratios, and a small negative one where it is above, as at Sigma = I with noisy labels.",
        "positive_rates",
        uses=("theorem-3", "weighted-square-leading"),
        depends_on=DEPENDS,
        claim=_claim_criterion,
        derivation=criterion_chain,
        check=_check_criterion,
        sizes=MOVE_SIZES,
        applies=unchanged(DEPENDS),
        regime=Regime.OVER,
        method="differentiate (14) at zero",
        remark="The factor before the bracket is positive. In words: to shrink the rows of B by a positive rate costs 2 Tr Sigma^2 / "
        "Tr Sigma, the mean eigenvalue in the directions that inputs fill; it pays where the target task, by H_r, and the "
        "tasks' spread, by Sigma_w, weigh directions of larger eigenvalues still, as when few eigenvalues are large.",
    ),
    _two_cases(
        "positive-rate-spiked",
        "Of two hundred eigenvalues of Sigma, k are 2 and the others 1/20: with k = 2 the loss (14) falls at a training rate of zero and "
        "is least at a positive one, with k = 50 it rises and is least at a negative one.",
        "p = 200, n_t = 100, n_v = 2, m = 2, sigma = 3/10, Sigma_w = I/200, alpha_r = 0, Gaussian inputs.",
        claim=_claim_spiked,
        derivation=spiked_chain,
        cases=NUMBERS_OF_SPIKES,
    ),
    _two_cases(
        "positive-rate-aligned",
        "Of two hundred eigenvalues of Sigma twenty-five are 2 and the others 1/20: where tasks differ along the twenty-five alone, the loss (14) falls "
        "at a training rate of zero and is least at a positive one; where they differ along the others alone, it rises and is least at a negative one.",
        "p = 200, n_t = 100, n_v = 2, m = 2, sigma = 3/10, Tr Sigma_w = 1, spread evenly over these directions, alpha_r = 0, Gaussian inputs. "
        "The covariance of the inputs is the same in both: where tasks differ decides.",
        claim=_claim_aligned,
        derivation=aligned_chain,
        cases=DIRECTIONS,
    ),
)
