"""A number of rows that is written beside a power or logarithm of a determinant, kept apart while the rows of the matrix are moved.

In n log det(W) tr(W) the n before the logarithm is a number, and that of E tr(W) = n p is what the derivative is taken in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from symbolic.grammar.tokens import tokens
from symbolic.wishart.determinant_powers import renamed
from symbolic.wishart.fixed_letters import MAX_NUMBER, is_dimension
from symbolic.wishart.trace_polynomial import TracePolynomial


def other_name(rows: str) -> str:
    """What stands for a number of rows where it is written."""
    return f"n{MAX_NUMBER - int(rows[1:] or 0)}"


def apart(text: str, rows: str, names: Collection[str], values: Collection[str]) -> str | None:
    """The text with that name for a number of rows; None where it touches another name, or the name is taken.

    ``names`` are those of the query, ``values`` those that have values, which may be words.
    """
    if other_name(rows) in names:
        return None
    count = sum(token.text == rows for token in tokens(text, {x for x in values if not is_dimension(x)}))
    found, changed = re.subn(rf"(?<![A-Za-z0-9_]){rows}(?![A-Za-z0-9_])", other_name(rows), text)
    return found if changed == count else None


def together(polynomial: TracePolynomial, moved: Iterable[str]) -> TracePolynomial:
    """An expectation in which the numbers of rows have one name again."""
    return renamed(polynomial, {other_name(rows): rows for rows in moved})
