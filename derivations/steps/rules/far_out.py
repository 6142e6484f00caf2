"""Second route to an order: exact values at two very large sizes, with no look at any monomial."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from math import log2

from symbolic.proofs.asymptotics import Exponent

# xi^delta at these values of delta is a whole number when xi is a power of two to one of these
DELTAS = (Fraction(1, 4), Fraction(1, 2), Fraction(1))
DOUBLINGS = (400, 800)
# how far a slope between these sizes may be from the exponent: exponents differ by a quarter at least
SLACK = 0.05

Numbers = Mapping[str, Fraction]


def not_of_order(
    size: Callable[[Numbers], float],
    claimed: Exponent,
    names: Collection[str],
    weights: Mapping[str, Exponent],
) -> str:
    """Why what has these binary logarithms does not grow like the power of xi claimed; nothing if it does.

    size: the logarithm at given sizes, which are different multiples of powers of xi. names: of all numbers it needs.
    weights: the exponents of those that grow.
    """
    known = {name: weights[name] for name in names if name in weights}
    for delta in DELTAS if any(weight.slope for weight in known.values()) else DELTAS[-1:]:
        logs = []
        for doublings in DOUBLINGS:
            at = {name: Fraction(2 * k + 3) for k, name in enumerate(sorted(names))}
            for name, weight in known.items():
                at[name] *= Fraction(2) ** int((weight.constant + weight.slope * delta) * doublings)
            logs.append(size(at))
        slope = (logs[1] - logs[0]) / (DOUBLINGS[1] - DOUBLINGS[0])
        exponent = float(claimed.constant + claimed.slope * delta)
        if not abs(slope - exponent) <= SLACK:
            return f"between very large sizes it grows like xi^{slope:.2f}, not xi^{exponent:.2f}"
    return ""


def log_of(value: object) -> float:
    """The binary logarithm of the absolute value of a fraction; raises ArithmeticError for zero."""
    exact = abs(value if isinstance(value, Fraction) else Fraction(str(value)))
    if not exact:
        raise ArithmeticError("it vanishes at a large size")
    return log2(exact.numerator) - log2(exact.denominator)
