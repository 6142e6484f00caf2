"""The average test loss above p = n_v m, exactly, at every size and training rate, for Gaussian inputs.

-  exact-loss  the average test loss at every size and training rate, by one task's label noise
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import sympy

from derivations.language.assumptions import Assumptions
from derivations.language.extension import modules_adding
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.sampled_problem import sampled_fields
from derivations.language.symbols import alpha_r, dist0_sq, label_noise, m, n_r, n_v, nu, p, sigma
from derivations.language.values import evaluate
from derivations.paper.beyond.negative_rate import one_step
from derivations.paper.beyond.one_task import (
    Common,
    average,
    by_quadrature_alone,
    common,
    order_of_zero,
    require_rotations,
    require_variance,
    rotations,
)
from derivations.paper.beyond.reduction import GAMMA, OWN_INVERSE, room_left, share_of_one
from derivations.paper.theorem1.block_draws import numbers
from derivations.paper.theorem1.concentration import EXCESS, H_R, put_in
from derivations.paper.theorem1.next_order import GAP, NOISE, exactly_known, tasks
from derivations.steps.chain import Chain, carried_out
from derivations.steps.held import Held
from derivations.steps.labels import LOSS
from derivations.steps.step import Average, Check, Kind, Parts, Step
from derivations.support import estimates, store
from derivations.support.bad_input import BadInput
from derivations.support.estimates import simulated
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators.tails import nothing_amplified, task_exponent
from numeric_check.problem.setting import Setting
from symbolic.algebra.words import matrix, tr

MOST_PRECISE = 4  # inner steps up to which the average is computed to more digits
MOST_DRAWS = 2_000_000  # where an error is asked for
DEPENDS = ("inner_steps", "adaptation_steps", "inputs", "covariance", "split", "noise_val")


def _deviation(assumptions: Assumptions) -> Chain:
    """(74) with start and task variability exact, and the label noise of all tasks by that of one."""
    require_rotations(assumptions)
    chain = exactly_known(assumptions).name(
        tr(matrix("BBT_inverse", "N", "N", symmetric=True) @ NOISE), "noise"
    )
    held = Held(assumptions, {"room": room_left(), label_noise.name: tr(OWN_INVERSE @ GAMMA)})
    chain.expand({"noise": share_of_one(label_noise.name, assumptions)}, "one-task-suffices", held=held)
    chain.expand({"N": tasks(assumptions).total}).name(GAP.T @ GAP, "dist0_sq")
    return chain


@lru_cache(maxsize=16)
def excess_chain(assumptions: Assumptions) -> Chain:
    """The exact deviation by its formula."""
    return _deviation(assumptions).shows(EXCESS, {"room": room_left()})


@lru_cache(maxsize=16)
def loss_exact_chain(assumptions: Assumptions) -> Chain:
    """The exact deviation, put into (65)."""
    found = _deviation(assumptions)
    return put_in(found, assumptions, names={"room": room_left()}, after=found)


def _claim() -> Parts:
    rows, noise = n_v * m, sigma**2 / 2 * (1 + alpha_r**2 * p / n_r)
    learned = (1 - rows / p) * dist0_sq + m * (p - n_v - 1) / (p - rows - 1) * (nu**2 * n_v / p + label_noise)
    return {LOSS: noise + H_R / 2 * (nu**2 + learned)}


class InfiniteLoss(BadInput):
    """The mean loss is infinite at this rate."""


def label_noise_at(
    assumptions: Assumptions, values: Mapping[str, float], rel_error: float | None = None
) -> Estimate:
    """The average of one task's label noise, to a relative error as far as it is reached.

    Raises BadInput where it is infinite, and where it is drawn and the draws have no finite variance.
    """
    require_finite(assumptions, values)
    plain, given = _given(assumptions, values)
    at = tuple({**given, "alpha_t": float(values["alpha_t"])}.items())
    return _remembered(plain, at, rel_error, estimates.asked())


def require_finite(assumptions: Assumptions, values: Mapping[str, float]) -> None:
    """Raises BadInput where the average is infinite: InfiniteLoss where it is so at positive rates alone."""
    noise = values["sigma"] if assumptions.noise_val is None else float(assumptions.noise_val)
    idle = nothing_amplified(values["m"], values.get("nu", 1.0), values["sigma"], noise)
    if values["p"] <= values["n_v"] * values["m"] + 1 and not idle:
        raise BadInput(
            "the mean loss is infinite at p = n_v m + 1: take a larger p, or fewer validation points"
        )
    steps, sizes = order_of_zero(assumptions), [int(values[name]) for name in ("n_t", "n_v", "p")]
    if values["alpha_t"] > 0 and (values["sigma"] or noise) and task_exponent(steps, *sizes) <= 2:
        raise InfiniteLoss(
            f"the mean loss is infinite at every alpha_t > 0 with {assumptions.inner_steps} inner steps, n_t = {sizes[0]} and p = n_v + "
            f"{sizes[2] - sizes[1]}: take a larger p, fewer inner steps or alpha_t <= 0"
        )


def _given(assumptions: Assumptions, values: Mapping[str, float]) -> tuple[Assumptions, dict[str, float]]:
    """What the average depends on but for the rate: neither the order of a formula nor what happens at the test changes it."""
    noise = values["sigma"] if assumptions.noise_val is None else float(assumptions.noise_val)
    given = {name: float(values[name]) for name in ("n_t", "n_v", "p", "sigma")}
    return replace(assumptions, order="leading", adaptation_steps=1), {**given, "sigma_v": noise}


def at_any_rate(assumptions: Assumptions, values: Mapping[str, float], most: int) -> Common | None:
    """Draws at which the average is seen at all rates alike; None where a quadrature gives it, or there is no noise.

    Raises as `label_noise_at`, at the rate that is given: rates of its sign may be compared.
    """
    require_finite(assumptions, values)
    plain, given = _given(assumptions, values)
    if not (given["sigma"] or given["sigma_v"]) or by_quadrature_alone(plain, given):
        return None
    require_variance(plain, {**given, "alpha_t": float(values["alpha_t"])})
    return common(plain, given, most)


def negative_is_best(assumptions: Assumptions) -> str | None:
    """Why the loss is least at a negative rate, with one inner step; None with more."""
    if one_step(assumptions) is not None:
        return None
    return "at every size the loss at -alpha_t is below that at alpha_t > 0 (negative-rate-is-better)"


@lru_cache(maxsize=4096)
def _remembered(
    assumptions: Assumptions, given: tuple[tuple[str, float], ...], rel_error: float | None, in_store: bool
) -> Estimate:
    """The average, once within a process, and once for all who look up what was drawn."""
    values = dict(given)
    if not values["sigma"] and not values["sigma_v"]:
        return Estimate(0.0, 0.0, 0)
    wanted: store.Key | None = None
    if in_store:
        what = assumptions.as_dict()
        modules = [average.__module__, __name__, *modules_adding([*what, what["inputs"]])]
        wanted = store.key("average", modules, assumptions=what, given=given, rel_error=rel_error)
    known = estimates.stored(wanted)
    if known is not None:
        return known
    if rel_error is None:
        precise = 1e-5 if assumptions.inner_steps <= MOST_PRECISE else 1e-4
        found = average(assumptions, values, rel_error=precise)
    else:
        found = average(
            assumptions, values, rel_error=rel_error, max_draws=MOST_DRAWS, agreed=max(rel_error, 1e-13)
        )
    return estimates.keep(wanted, found)


def exact_formula(assumptions: Assumptions, quantity: str) -> sympy.Expr:
    """The exact `loss`, or the `excess` E|omega_star - w_0|^2, in the average `label_noise`."""
    chain, label = (loss_exact_chain, LOSS) if quantity == "loss" else (excess_chain, EXCESS)
    return to_sympy(carried_out(chain, assumptions).parts[label])


def exact_at(
    formula: sympy.Basic,
    assumptions: Assumptions,
    values: Mapping[str, float],
    rel_error: float | None = None,
) -> Estimate:
    """A formula in `label_noise` at these values, with the error of that average (draws: 0 where it is a quadrature).

    rel_error: of the average, as far as it is reached.
    """
    return _exact_at(formula, assumptions, tuple(values.items()), rel_error)


@lru_cache(maxsize=4096)
def _exact_at(
    formula: sympy.Basic,
    assumptions: Assumptions,
    given: tuple[tuple[str, float], ...],
    rel_error: float | None,
) -> Estimate:
    values = dict(given)
    found = label_noise_at(assumptions, values, rel_error)
    at, next_to = (
        float(evaluate(formula, {**values, label_noise.name: value}))
        for value in (found.mean, found.mean + found.stderr)
    )
    # of a double the last bit is rounded
    return Estimate(at, abs(next_to - at) + (math.ulp(at) if found.stderr else 0.0), found.draws)


# -- what sampling sees -------------------------------------------------------------------------------------

# n_t, n_v, m, p with rates of both signs: one, two and more validation points, fewer training points than those too
PLACES: tuple[tuple[dict[str, Any], float], ...] = (
    ({"n_t": 12, "n_v": 1, "n_r": 9, "m": 4, "p": 17}, -0.6),
    ({"n_t": 10, "n_v": 2, "n_r": 14, "m": 3, "p": 19}, 0.5),
    ({"n_t": 7, "n_v": 3, "n_r": 8, "m": 2, "p": 16}, -0.4),
    ({"n_t": 2, "n_v": 4, "n_r": 11, "m": 2, "p": 21}, 0.3),
)
LEARNED: dict[str, Any] = {"sigma": 0.8, "nu": 0.7, "alpha_r": 0.9, "dist0_sq": 0.6}
MOVE_SIZES: tuple[Mapping[str, float], ...] = tuple(
    {**sizes, **LEARNED, "alpha_t": rate, "N": sizes["n_v"] * sizes["m"]} for sizes, rate in PLACES[:3]
)
REL_ERROR, SECONDS = 8e-4, 6.0
# of an average beside a simulation, over the error of the simulation: it widens what is compared by less than a twentieth
SHARE = 0.3


def loss_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The exact loss against simulation, at rates of both signs, under the assumptions."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no loss")
    formula = to_sympy(step.derive(assumptions)[LOSS])
    found = []
    for sizes, rate in PLACES:
        started = time.monotonic()
        setting = Setting(**sizes, alpha_t=rate, **LEARNED, **sampled_fields(assumptions))
        seen, exact = (
            simulated(setting, "loss", REL_ERROR, seed, SECONDS),
            exact_at(formula, assumptions, numbers(setting), SHARE * REL_ERROR),
        )
        stderr = (seen.stderr**2 + exact.stderr**2) ** 0.5
        where = {**{name: float(size) for name, size in sizes.items()}, "alpha_t": rate}
        both = replace(seen, stderr=stderr)
        found.append(mean_check(LOSS, where, exact.mean, both, time.monotonic() - started))
    return found


STEPS: tuple[Step, ...] = (
    Step(
        "exact-loss",
        (),
        Kind.BEYOND,
        "The average test loss with more parameters than validation data, exactly: p > n_v m + 1, Gaussian inputs, at every "
        "size and training rate.",
        "beyond",
        regime=Regime.OVER,
        uses=(
            "loss-from-excess",
            "adaptation-factor",
            "outer-mean-square-as-trace",
            "one-task-suffices",
            "two-small-matrices",
        ),
        depends_on=DEPENDS,
        claim=_claim,
        derivation=loss_exact_chain,
        check=loss_checks,
        sizes=MOVE_SIZES,
        applies=rotations,
        method="invariance under rotations reduces the tasks to one and that to two small Wishart matrices",
        remark="Up to two inner steps the loss is finite at every rate for p > n_v m + 1; for p = n_v m + 1 it is infinite, but without label noise "
        "for a single task and for tasks that are all alike. With more "
        "steps and few rows of p left over by n_v, eigenvalues of the inner loop near zero are too likely: as p = n_v + 2 from three "
        "steps on, or p = n_v + 3 from five, the loss is infinite at every alpha_t > 0, and refused. With one validation point this "
        "is exact-loss-infinite, and everywhere else exact-loss-finite.",
        average=Average(
            label_noise.name,
            ("n_t", "n_v", "m", "p", "alpha_t", "sigma"),
            label_noise_at,
            negative_is_best,
            at_any_rate,
        ),
        parameters=("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq"),
    ),
)
