"""How far the leading order of Theorem 1 is off at the sizes of Figure 2, and how fast that closes.

The exact average is sampled with everything but the inputs averaged in closed form. Results are remembered by
content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from derivations.language.assumptions import PAPER
from derivations.language.values import evaluate
from derivations.paper.experiments.panels import FIGURE_2
from derivations.paper.theorem1.block_draws import numbers
from derivations.paper.theorem1.concentration import leading_excess, leading_loss
from derivations.support.estimates import estimated, from_store
from numeric_check.estimators.simulation import Quantity, simulate
from numeric_check.problem.setting import Setting
from numeric_check.verdicts.decay import decay_rate
from numeric_check.verdicts.verdict import SIGMAS

RATES = (-2.0, -1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0, 2.0)
FACTORS = (1, 2, 4, 8)
REL_ERROR = 0.0005


@dataclass(frozen=True)
class Gap:
    """Formula and sampled mean of one quantity at one setting; `xi` multiplies p and n_t of Figure 2."""

    quantity: str
    alpha_t: float
    xi: int
    theory: float
    mean: float
    stderr: float
    draws: int

    @property
    def relative(self) -> float:
        """(sampled - formula) / sampled."""
        return (self.mean - self.theory) / self.mean

    @property
    def resolved(self) -> bool:
        """Whether the gap is at least five standard errors."""
        return abs(self.mean - self.theory) >= SIGMAS * self.stderr


def _theory(quantity: str, setting: Setting) -> float:
    formula = leading_excess(PAPER) if quantity == "excess" else leading_loss(PAPER)
    return float(evaluate(formula, numbers(setting)))


def gap(quantity: str, alpha_t: float, xi: int = 1, rel_error: float = REL_ERROR) -> Gap:
    """The gap for "excess" (E|omega_star - w_0|^2) or "loss", from the store or sampled now."""
    setting = replace(FIGURE_2, p=FIGURE_2.p * xi, n_t=FIGURE_2.n_t * xi, alpha_t=alpha_t)
    which: Quantity = "excess" if quantity == "excess" else "loss"
    with from_store():
        found = estimated(partial(simulate, setting, which, rel_error=rel_error), 20.0)
    return Gap(quantity, alpha_t, xi, _theory(quantity, setting), found.mean, found.stderr, found.draws)


Wanted = tuple[str, float, int, float]


def shown() -> list[Wanted]:
    """The arguments of every gap that the chapter shows, the longest first."""
    sizes = [("excess", FIGURE_2.alpha_t, xi, REL_ERROR / xi) for xi in reversed(FACTORS)]
    return [*sizes, *((quantity, rate, 1, REL_ERROR) for quantity in ("excess", "loss") for rate in RATES)]


def computed(wanted: Wanted) -> Gap:
    """The gap with these arguments."""
    return gap(*wanted)


def over_rates(quantity: str = "excess") -> list[Gap]:
    """The gap at the sizes of Figure 2 over the training rate."""
    return [gap(quantity, rate) for rate in RATES]


def over_sizes() -> list[Gap]:
    """The gap in the mean squared distance as p and n_t grow in proportion, resolved alike at each size."""
    return [gap("excess", FIGURE_2.alpha_t, xi, REL_ERROR / xi) for xi in FACTORS]


def slope(
    gaps: Sequence[Gap], value: Callable[[Gap], float] = lambda g: g.mean - g.theory
) -> tuple[float, float]:
    """The fitted exponent of the gap in the size, with its standard error."""
    return decay_rate([float(g.xi) for g in gaps], [value(g) for g in gaps], [g.stderr for g in gaps])
