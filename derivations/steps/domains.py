"""Where the sign of a quantity is claimed to hold, and where moves show it: on which values of sizes, noise and rates.

A sign that is shown on less than it is claimed for is not proved. What is put in for a variable on the way, bounds that a
certificate uses and values that one variable takes by others all make a sign one about fewer values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Self

# counted, and so at least one; any noise or distance is positive, and a rate any number
SIZES = frozenset({"n_t", "n_v", "n_r", "m", "p", "N"})
AMOUNTS = frozenset({"sigma", "sigma_v", "nu", "dist0_sq", "room"})
RATES = frozenset({"alpha_t", "alpha_r"})
# without N = n_v m and room, which are names of what others leave
VARIABLES = (SIZES | AMOUNTS | RATES) - {"N", "room"}


@dataclass(frozen=True)
class Where:
    """Every size from one on, every positive noise and distance and every rate, unless said otherwise.

    at: variables that have a value, or are given by others, as text. at_least: other lower bounds. positive: further
    variables that are. nonzero: rates that are not zero.

    >>> Where(positive=frozenset({"alpha_t"})).lacks(Where())
    ''
    >>> Where().lacks(Where(at={"alpha_t": "0"}))
    'it is shown for alpha_t = 0 alone'
    """

    at: Mapping[str, str] = field(default_factory=dict)
    at_least: Mapping[str, Fraction] = field(default_factory=dict)
    positive: frozenset[str] = frozenset()
    nonzero: frozenset[str] = frozenset()

    def __and__(self, other: Self) -> Where:
        """Where both hold."""
        bounds = {**self.at_least}
        for name, bound in other.at_least.items():
            bounds[name] = max(bound, bounds.get(name, bound))
        at = {**self.at}
        for name, value in other.at.items():
            # two values of one variable are no claim's
            at[name] = value if at.get(name, value) == value else f"{at[name]} and {value}"
        return Where(at, bounds, self.positive | other.positive, self.nonzero | other.nonzero)

    def lacks(self, shown: Where) -> str:
        """Why what is shown there is not shown wherever it is claimed, here; nothing if it is."""
        for name, value in shown.at.items():
            if self.at.get(name) != value:
                return f"it is shown for {name} = {value} alone"
        for name, bound in shown.at_least.items():
            least = self.at_least.get(name, self._least(name))
            if least is None or bound > least:
                return f"it is shown for {name} >= {bound} alone"
        for name in sorted(shown.positive - self.positive - {*self.at}):
            least = self._least(name)
            if least is None and self.at_least.get(name, Fraction(0)) <= 0:
                return f"it is shown for {name} > 0 alone"
        for name in sorted(shown.nonzero - self.nonzero - self.positive - {*self.at}):
            if self._least(name) is None:
                return f"it is shown for {name} other than zero alone"
        return ""

    @staticmethod
    def _least(name: str) -> Fraction | None:
        """Up to which number a variable goes down where nothing is said; None: to any."""
        if name in SIZES:
            return Fraction(1)
        return Fraction(0) if name in AMOUNTS else None

    def said(self) -> str:
        """In words, where something is: `alpha_t = 0, p = (m*n_v + room)`; nothing where nothing is."""
        return ", ".join(
            (
                *(f"{name} = {value}" for name, value in self.at.items()),
                *(f"{name} >= {bound}" for name, bound in self.at_least.items()),
                *(f"{name} > 0" for name in sorted(self.positive)),
                *(f"{name} != 0" for name in sorted(self.nonzero)),
            )
        )


def text(value: object) -> str:
    """An expression as it is compared and said, without brackets around all of it."""
    said = str(value)
    inner = said[1:-1]
    return inner if said == f"({inner})" and ")" not in inner.partition("(")[0] else said


ANYWHERE = Where()
# at a rate of the other sign nothing else is claimed
AT_POSITIVE_RATES = Where(positive=frozenset({"alpha_t"}))
