"""The order in which the paper prints the terms of a sum, which SymPy forgets: `in_order` keeps it beside the sum."""

from __future__ import annotations

from typing import Any

import sympy

_ORDERS: dict[sympy.Basic, tuple[sympy.Basic, ...]] = {}


def in_order(*terms: Any) -> Any:
    """The sum of these terms, which are printed in this order; a term that is itself a sum may have a name there.

    Raises ValueError for a sum whose terms combine, and for one that is printed in two orders.
    """
    given = tuple(sympy.Integer(term) if isinstance(term, int) else term for term in terms)
    matrices = any(term.is_Matrix for term in given)
    total = sympy.MatAdd(*given).doit() if matrices else sympy.Add(*given)
    parts = [
        part
        for term in given
        for part in (term.args if isinstance(term, sympy.Add | sympy.MatAdd) else (term,))
    ]
    if {*parts} != {*total.args}:
        raise ValueError(f"the terms of {total} combine: a sum with an order keeps its terms")
    if _ORDERS.setdefault(total, given) != given:
        raise ValueError(f"{total} is printed in two orders")
    return total


def order_of(total: sympy.Basic) -> tuple[sympy.Basic, ...]:
    """The terms of a sum as they are printed; nothing for a sum that is not known to be printed."""
    return _ORDERS.get(total, ())
