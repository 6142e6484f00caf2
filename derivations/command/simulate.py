"""Monte Carlo of what a central formula states, beside the number the formula gives.

`eq5`, `eq9`, `eq14`, `exact-loss`: the average test loss; `exact-loss-at-zero`: at alpha_t = 0. `eq10`,
`exact-slope-at-zero`: its derivative in the training rate at zero, by
differences at common random numbers. `eq8`: the training rate at which it is smallest, located on the
simulated curve.

The formulas are asymptotic and the simulation is not: a large |z| measures what a formula leaves out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial

import numpy as np

from derivations.command.simulate_limits import require_possible
from derivations.command.simulation_budget import (
    Quantity,
    draws_for_error,
    draws_unasked,
    most_draws,
    require_memory,
    require_reachable,
)
from derivations.command.simulation_gap import AT_ZERO, explained
from derivations.formulas.by_name import evaluate_named
from derivations.formulas.parameters import Exact, checked_number, parse_values
from derivations.formulas.trace_form import RATES, trace_form
from derivations.formulas.values import united
from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.extension import load_extensions
from derivations.language.regime import Regime
from derivations.language.sampled_problem import sampled_fields
from derivations.steps.contents import ALIASES, find
from derivations.support.bad_input import BadInput
from derivations.support.batches import StoredBatches
from derivations.support.text import nearest
from derivations.support.workers import cores, workers
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators import reduced
from numeric_check.estimators.located_minimum import located_minimum
from numeric_check.estimators.simulation import Method, simulate
from numeric_check.estimators.tails import variance_is_finite
from numeric_check.problem.setting import Setting

Progress = Callable[[float], None]
Document = dict[str, float | int | str | None]
Simulation = Callable[..., Estimate]

QUANTITIES: Mapping[str, Quantity] = {
    "eq5": "loss",
    "eq8": "minimum",
    "eq9": "loss",
    "eq10": "slope",
    "eq14": "loss",
    "exact-loss": "loss",
    "exact-loss-at-zero": "loss",
    "exact-slope-at-zero": "slope",
}
# A rate or a slope is harder to resolve than a loss, and a run of the plain protocol costs more than a draw.
DEFAULT_ERROR: Mapping[tuple[Quantity, Method], float] = {
    ("loss", "conditional"): 0.001,
    ("loss", "plain"): 0.003,
    ("slope", "conditional"): 0.005,
    ("slope", "plain"): 0.05,
    ("minimum", "conditional"): 0.005,
    ("minimum", "plain"): 0.02,
}
PROTOCOLS: tuple[Method, ...] = ("conditional", "plain", "reduced")
# What a formula does not depend on it leaves open: the simplest problem that has the quantity is sampled.
NEUTRAL: Mapping[str, float] = {
    "n_v": 1,
    "n_r": 1,
    "m": 1,
    "sigma": 1.0,
    "nu": 0.0,
    "alpha_t": 0.0,
    "alpha_r": 0.0,
    "dist0_sq": 0.0,
}
# A spread below this part of the mean is that of rounding: the quantity is the same in every draw.
ROUNDING = 1e-12
HEAVY_TAILS = "the draws have no finite variance: stderr understates the error, and more draws hardly help"
PILOT_DRAWS = 256
# Starting processes pays only for work that takes longer than this many seconds.
WORTH_PROCESSES = 10.0


def run(
    name: str,
    words: Sequence[str] | Mapping[str, Exact],
    *,
    rel_error: float | None = None,
    seed: int = 0,
    protocol: str | None = None,
    assumptions: Assumptions = PAPER,
    progress: Progress | None = None,
    explain: bool = True,
) -> Document:
    """Simulates the quantity of `name` at the values, given or in `words`, and compares it with the formula.

    rel_error: aimed-at standard error over |mean|; None for a usual one, as far as it takes about half a minute of
    one core. protocol: "conditional" draws inputs only and averages the
    rest exactly; "reduced" draws what of one task's inputs matters, where that is exact; "plain" draws everything, as an
    experiment would; None takes the one that needs the fewest draws. The result depends on these arguments and
    the code alone, not on the number of cores. Returns mean, stderr, draws, theory and z = (mean - theory) /
    stderr, None where all draws are equal; gap and, where `explain`, next, exact and note of `simulation_gap`; and a warning where draws have no finite variance or the usual error
    is not reached. Raises
    ValueError, in one line, for bad input, for a quantity whose mean is infinite, and for an error that would
    take too many draws.
    """
    given = None if protocol is None else _protocol(protocol)
    alias = _alias(name)
    quantity = QUANTITIES[alias]
    values = words if isinstance(words, Mapping) else parse_values(words)
    # the formula first: it checks the values, and refuses what cannot be derived before anything is drawn
    theory, error = _theory(alias, values, assumptions)
    setting = setting_of(alias, values, assumptions)
    require_possible(setting)
    method = given or _cheapest(setting, quantity, rel_error)
    aim = _aim(rel_error, quantity, method)
    require_memory(setting, quantity, method)
    most = (draws_unasked if rel_error is None else most_draws)(setting, quantity, method)
    simulation = _simulation(alias, setting, method, seed)
    found = _sampled(simulation, aim, most, method, progress, asked=rel_error is not None)
    spread = found.stderr > ROUNDING * abs(found.mean)
    z = (found.mean - theory) / math.hypot(found.stderr, error) if spread else None
    document: Document = {
        "mean": found.mean,
        "stderr": found.stderr,
        "draws": found.draws,
        "protocol": method,
    }
    document |= {"theory": theory, "z": z}
    if explain:
        document |= explained(alias, values, assumptions, found, theory, resolved=spread)
    else:
        document["gap"] = found.mean - theory
    warnings = [] if variance_is_finite(setting) else [HEAVY_TAILS]
    if not found.resolved(aim):
        warnings.append(
            f"stderr is above {aim:g} of the mean after as many draws as are made unasked: give --rel-error to go on"
        )
    return document | {"warning": "; ".join(warnings)} if warnings else document


# -- what is asked ------------------------------------------------------------------------------------------


def _protocol(text: str) -> Method:
    for known in PROTOCOLS:
        if text == known:
            return known
    raise BadInput(f"unknown protocol {text!r}; {nearest(text, PROTOCOLS)}")


def _cheapest(setting: Setting, quantity: Quantity, rel_error: float | None) -> Method:
    """The protocol that needs the fewest draws; the reduction where it leaves nothing to draw only for an error finer than usual."""
    if quantity == "minimum" or not reduced.applies(setting):
        return "conditional"
    drawn = (quantity == "slope" or setting.alpha_t != 0) and (setting.sigma > 0 or setting.sigma_v > 0)
    finer = rel_error is not None and rel_error < DEFAULT_ERROR[quantity, "conditional"]
    return "reduced" if drawn or finer else "conditional"


def _alias(name: str) -> str:
    """The name of a formula that can be simulated; ValueError for any other, known or not."""
    slug = find(name).name
    for alias in QUANTITIES:
        if ALIASES.get(alias, alias) == slug:
            return alias
    raise BadInput(f"{name} has no simulation of its own: simulate one of {', '.join(QUANTITIES)}")


def _aim(rel_error: float | None, quantity: Quantity, method: Method) -> float:
    if rel_error is None:
        return DEFAULT_ERROR[quantity, "plain" if method == "plain" else "conditional"]
    if not (math.isfinite(rel_error) and rel_error > 0):
        raise BadInput(f"--rel-error is {rel_error}: give a positive finite number, as in 0.002")
    return rel_error


def _theory(alias: str, values: Mapping[str, Exact], assumptions: Assumptions) -> tuple[float, float]:
    """The formula's number, and the error of the average in it, if it has one."""
    if (
        "Sigma" in values and find(alias).regime is Regime.OVER
    ):  # below p = n_v m the traces depend on the rate
        rates = {name: _double(name, checked_number(name, values[name])) for name in RATES if name in values}
        if len(rates) == len(RATES):
            fixed = {name: value for name, value in values.items() if name not in RATES}
            return float(trace_form(alias, fixed, assumptions)(**rates)), 0.0
    document = evaluate_named(alias, values, assumptions)
    key = "minimum" if QUANTITIES[alias] == "minimum" else "value"
    return float(document[key]), float(document.get("error", 0.0))


def setting_of(alias: str, values: Mapping[str, Exact], assumptions: Assumptions = PAPER) -> Setting:
    """The sampled problem in which `alias` makes its statement; raises ValueError for impossible values."""
    if "F" in values:
        raise BadInput("F alone is no law to draw inputs from: leave it out, and choose --assume inputs=LAW")
    if assumptions.split == "reused":
        values = united(values)
    matrices = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    scalars = {name: _double(name, value) for name, value in values.items() if isinstance(value, Fraction)}
    numbers = {**NEUTRAL, **scalars}
    if "Sigma" in matrices:
        numbers["p"] = len(matrices["Sigma"])
    numbers.setdefault("n_t", numbers["p"])
    if QUANTITIES[alias] == "slope" or alias in AT_ZERO:
        numbers["alpha_t"] = 0.0
    n_t, n_v, n_r, m, p = (int(numbers[name]) for name in ("n_t", "n_v", "n_r", "m", "p"))
    setting = Setting(
        n_t,
        n_v,
        n_r,
        m,
        p,
        numbers["sigma"],
        numbers["nu"],
        numbers["alpha_t"],
        numbers["alpha_r"],
        dist0_sq=numbers["dist0_sq"],
        Sigma=matrices.get("Sigma"),
        Sigma_w=matrices.get("Sigma_w"),
        **sampled_fields(assumptions),
    )
    if QUANTITIES[alias] == "minimum" and not Regime.OVER.holds(setting.validation_points, setting.p):
        raise BadInput(
            f"{alias} holds for {Regime.OVER}, but n_v m = {setting.validation_points} and p = {setting.p}: "
            "change n_v, m or p"
        )
    return setting


def _double(name: str, value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        raise BadInput(f"{name} is beyond 1e308: give a smaller number") from None


# -- the sampling -------------------------------------------------------------------------------------------


def _simulation(alias: str, setting: Setting, method: Method, seed: int) -> Simulation:
    quantity = QUANTITIES[alias]
    if quantity == "minimum":
        return partial(located_minimum, setting, protocol=method, seed=seed)
    return partial(simulate, setting, quantity, protocol=method, seed=seed, max_seconds=math.inf)


def _sampled(
    simulation: Simulation, aim: float, most: int, method: Method, progress: Progress | None, *, asked: bool
) -> Estimate:
    """The estimate to the error aimed at, on as many cores as are worth it; they do not change it.

    A small part of the work tells first how much there is. Each batch of the rest is kept. Raises ValueError when that is too much; unless nobody
    asked for the error, when it ends after `most` draws.
    """
    started = time.monotonic()
    pilot = simulation(rel_error=aim, max_draws=PILOT_DRAWS)
    seconds = (time.monotonic() - started) / pilot.draws
    if not (math.isfinite(pilot.mean) and math.isfinite(pilot.stderr)):
        raise BadInput(
            "the draws leave the range of floating point: give sizes, rates and standard deviations nearer to 1"
        )
    if pilot.resolved(aim):
        return pilot
    if draws_for_error(pilot, aim) > most and method != "plain":
        pilot = simulation(rel_error=aim, max_draws=pilot.draws + 1)  # what the control variates leave
    needed = require_reachable(pilot, aim, most, method) if asked else min(draws_for_error(pilot, aim), most)
    pieces = cores() if needed * seconds > WORTH_PROCESSES else 1
    with workers(pieces, load_extensions, StoredBatches()) as executor:
        return simulation(rel_error=aim, max_draws=most, executor=executor, progress=progress)
