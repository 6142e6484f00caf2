"""When a moment of a Wishart matrix exists: the condition on n - p that negative powers impose."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain

from symbolic.algebra.refusal import Refused


class MomentDoesNotExist(Refused):
    """The expectation diverges for these dimensions."""


def condition(rows: str, bound: int | Fraction) -> str:
    """What makes a moment exist when p > 1, as text: n - p > bound = 2 d - 1, d the sum of the negative powers.

    The smallest eigenvalue x of W has a density like x^((n-p-1)/2) at 0, and for p > 1 the other eigenvalues keep
    positive powers away from 0: the moment diverges like the integral of x^-d, so that n - p > 2d - 1 is necessary
    and sufficient; with d = 0, W must only have an inverse.  For p = 1 positive and negative powers multiply to one
    power first. For complex entries the density is like x^(n-p), and bound = d - 1.
    """
    return f"{rows} - p > {bound}" if bound >= 0 else f"{rows} >= p"


def strictest(
    bounds: Iterable[Iterable[tuple[str, int | Fraction]]],
) -> tuple[tuple[str, int | Fraction], ...]:
    """What several expectations require together: of each number of rows the largest bound."""
    found: dict[str, int | Fraction] = {}
    for rows, bound in chain.from_iterable(bounds):
        found[rows] = max(bound, found.get(rows, bound))
    return tuple(sorted(found.items()))


def remedy(rows: str, number: Fraction, over: Fraction) -> str:
    """How many rows to take in place of a number: more than ``over``; the least whole number is named."""
    least = over.numerator // over.denominator + 1
    return f"take {rows} " + (
        f"of at least {least}"
        if number.denominator == 1
        else f"over {over} (a whole number: at least {least})"
    )
