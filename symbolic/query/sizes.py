"""The dimensions given to a moment query: p an integer, the rows of a Wishart matrix any number for which it exists."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from operator import index
from typing import Any

from symbolic.algebra.refusal import Refused
from symbolic.grammar.tokens import MAX_DIGITS
from symbolic.wishart.fixed_letters import COLUMNS

Sizes = Mapping[str, Fraction]


def read_size(name: str, value: Any) -> Fraction:
    """A dimension. Raises ValueError unless it is a positive number of at most `MAX_DIGITS` digits, for p an integer.

    Floats are read as the shortest decimal that is the same float: 5.1 is 51/10.
    """
    number = _exact(value)
    if number is None or number <= 0:
        what = "integer" if name == COLUMNS else "integer, or fraction such as 11/2"
        raise Refused(f"{name} is {_short(value)}: give a positive {what}")
    if name == COLUMNS and number.denominator != 1:
        raise Refused(f"{name} is {_short(value)}: give a positive integer (the rows n need not be one)")
    if max(number.numerator, number.denominator) >= 10**MAX_DIGITS:
        raise Refused(f"{name} is over the limit of {MAX_DIGITS} digits: give a smaller integer")
    return number


def require_rows(sizes: Sizes, law: str) -> None:
    """Raise ValueError where no Wishart matrix has these rows: n is an integer, or any number over p - 1."""
    for name, number in sizes.items():
        if name == COLUMNS or number.denominator == 1:
            continue
        if law not in ("gaussian", "complex"):
            raise Refused(f"{name} is {number}: rows of the law {law} are counted, give a positive integer")
        if number <= sizes.get(COLUMNS, 0) - 1:
            raise Refused(
                f"{name} is {number}, and no Wishart matrix with p = {sizes[COLUMNS]} has it: give an integer, or "
                f"more than {sizes[COLUMNS] - 1}"
            )


def _exact(value: Any) -> Fraction | None:
    """A real number of Python, NumPy or SymPy; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, Rational):
            return Fraction(int(value.numerator), int(value.denominator))
        if isinstance(value, Real):
            return Fraction(str(float(value)))
        return Fraction(value) if isinstance(value, Decimal) else Fraction(index(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _short(value: object) -> str:
    text = str(value) if isinstance(value, Fraction) else ascii(value)
    return text if len(text) <= 50 else text[:47] + "..."
