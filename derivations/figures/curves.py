"""What a derived formula predicts for the average test loss along a learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from derivations.formulas.by_name import formula as formula_of
from derivations.formulas.by_name import function
from derivations.formulas.trace_form import trace_form
from derivations.language.assumptions import PAPER
from derivations.language.symbols import label_noise, noise_limit
from derivations.language.values import evaluate
from derivations.paper.beyond.exact_loss import exact_formula, label_noise_at
from derivations.paper.experiments.panels import Panel
from derivations.paper.large_sizes.proportional_limit import noise_at
from numeric_check.problem.setting import Setting

Array = NDArray[np.float64]


def predicted(panel: Panel, rates: Sequence[float] | Array) -> Array:
    """The loss that the panel's equation predicts at each value of its rate, shape (len(rates),)."""
    along = np.asarray(rates, dtype=np.float64)
    both = {name: getattr(panel.base, name) for name in ("alpha_t", "alpha_r")} | {panel.rate: along}
    if panel.base.Sigma is not None:
        return trace_form(panel.theory, _fixed(panel.base), panel.assumptions)(
            both["alpha_t"], both["alpha_r"]
        )
    formula = function(panel.theory, panel.assumptions)
    values = {name: both.get(name, getattr(panel.base, name)) for name in formula.parameters}
    return np.asarray(formula(**values), dtype=np.float64)


def next_order(panel: Panel, rates: Sequence[float] | Array) -> Array | None:
    """The loss with its next order at each value of the rate; None where that is not derived: for covariances, or not as in the paper."""
    if panel.base.Sigma is not None or panel.assumptions != PAPER:
        return None
    return predicted(replace(panel, assumptions=replace(PAPER, order="next")), rates)


# of the average in an exact loss, where it is sampled: below what a line is wide
EXACT_ERROR = 1e-3


def exact(panel: Panel, rates: Sequence[float] | Array) -> Array | None:
    """The exact loss at each value of the rate; None where it is not known: below p = n_v m + 1, or not as in the paper."""
    if panel.theory != "eq5" or panel.assumptions != PAPER:
        return None
    formula = exact_formula(PAPER, "loss")
    found = []
    for rate in rates:
        given = {key: float(number) for key, number in _scalars(panel.at(float(rate))).items()}
        noise = label_noise_at(PAPER, given, EXACT_ERROR).mean
        found.append(float(evaluate(formula, {**given, label_noise.name: noise})))
    return np.array(found)


def in_proportion(panel: Panel, rates: Sequence[float] | Array) -> Array | None:
    """The loss with the label noise at large sizes in proportion; None where it is not drawn, as for `exact`."""
    if not panel.limit or panel.theory != "eq5" or panel.assumptions != PAPER:
        return None
    formula, found = formula_of("proportional-loss"), []
    for rate in rates:
        given = {key: float(number) for key, number in _scalars(panel.at(float(rate))).items()}
        found.append(float(evaluate(formula, {**given, noise_limit.name: noise_at(PAPER, given).mean})))
    return np.array(found)


def _scalars(setting: Setting) -> dict[str, float]:
    names = ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq")
    return {name: getattr(setting, name) for name in names}


def _fixed(setting: Setting) -> dict[str, float | Array]:
    """What a formula of covariances takes from a setting, but for the rates."""
    names = ("n_t", "n_v", "n_r", "m", "p", "sigma", "Sigma", "Sigma_w")
    return {name: getattr(setting, name) for name in names}
