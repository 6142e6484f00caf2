"""What a derived formula predicts for the average test loss along a learning rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from derivations.figures.panels import Panel
from derivations.formulas.by_name import function
from derivations.formulas.trace_form import trace_form
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


def _fixed(setting: Setting) -> dict[str, float | Array]:
    """What a formula of covariances takes from a setting, but for the rates."""
    names = ("n_t", "n_v", "n_r", "m", "p", "sigma", "Sigma", "Sigma_w")
    return {name: getattr(setting, name) for name in names}
