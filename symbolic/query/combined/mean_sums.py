"""Sums and products of means of which each has powers or a logarithm of determinants before it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple

from flint import arb

from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.query.result import Result
from symbolic.query.value import Shown
from symbolic.wishart.determinant_powers import real
from symbolic.wishart.existence import condition, strictest

Table = list[list[Fraction | arb]]
"""A value, exact or with `symbolic.wishart.determinant_powers.DIGITS` digits; that of a scalar has one element."""


class Mean(NamedTuple):
    """One mean, and its value before it is rounded."""

    result: Result
    value: Table | None


def product_of(left: Mean, right: Mean) -> Mean:
    """Minus the product of two scalar means, each a polynomial with powers of determinants before it."""
    made = [x.result.determinants for x in (left, right) if x.result.determinants is not None]
    powers = tuple(power for x in made for power in x.powers)
    value = None
    if left.value is not None and right.value is not None:
        value = [[times(times(left.value[0][0], right.value[0][0]), Fraction(-1))]]
    found = replace(
        left.result,
        **_required((left.result, right.result)),
        expectation=(left.result.expectation * right.result.expectation).scaled(Rational.number(-1)),
        determinants=replace(made[0], powers=powers) if made else None,
        checked=tuple(dict.fromkeys((*left.result.checked, *right.result.checked))),
    )
    return Mean(found, value)


def _required(found: Iterable[Result]) -> dict[str, Any]:
    """The bounds and conditions under which all of several expectations exist."""
    found = list(found)
    bounds = strictest(x.bounds for x in found)
    others = dict.fromkeys(said for x in found for said in x.conditions[len(x.bounds) :])
    return {"bounds": bounds, "conditions": (*(condition(*bound) for bound in bounds), *others)}


def summed(text: str, means: list[Mean]) -> Result:
    """The sum of means; terms without a determinant are merged with what is left beside a logarithm that no power stands with."""
    found = [mean.result for mean in means]
    gathered = _gathered(found)
    parts = [x for x in gathered if not x.is_zero] or gathered[:1]
    values = [mean.value for mean in means if mean.value is not None]
    return replace(
        parts[0],
        query=" ".join(text.split()),
        **_required(found),
        checked=tuple(dict.fromkeys(point for x in found for point in x.checked)),
        value=shown(reduce(_plus, values), found[0].expectation.is_matrix)
        if len(values) == len(means)
        else None,
        parts=tuple(parts) if len(parts) > 1 else (),
    )


def _gathered(found: Iterable[Result]) -> list[Result]:
    """Means with the same determinants before them in one; what stands beside no logarithm is added to what a logarithm leaves."""
    parts: dict[tuple[Any, ...], dict[str, Result]] = {}
    for x in found:
        made = x.determinants
        beside = parts.setdefault(() if made is None else tuple(sorted(made.powers)), {})
        log = "" if made is None else made.log
        if log not in beside:
            beside[log] = x
            continue
        before = beside[log]
        total = before.expectation + x.expectation
        both = before.determinants
        if both is not None and made is not None:
            both = replace(both, slope=both.slope + made.slope)
        beside[log] = replace(before, expectation=total, determinants=both)
    gathered = []
    for beside in parts.values():
        plain = beside.pop("", None)
        for log, x in beside.items():
            made = x.determinants
            if plain is not None and made is not None and x.expectation.terms:
                slope = made.slope + plain.expectation
                beside[log], plain = replace(x, determinants=replace(made, slope=slope)), None
        gathered += [*beside.values(), *([] if plain is None else [plain])]
    return gathered


def _plus(left: Table, right: Table) -> Table:
    return [
        [
            x + y if isinstance(x, Fraction) and isinstance(y, Fraction) else real(x) + real(y)
            for x, y in zip(*rows, strict=True)
        ]
        for rows in zip(left, right, strict=True)
    ]


def times(left: Fraction | arb, right: Fraction | arb) -> Fraction | arb:
    """A product, exact where both are."""
    return (
        left * right
        if isinstance(left, Fraction) and isinstance(right, Fraction)
        else real(left) * real(right)
    )


def _shown(x: Fraction | arb) -> str | float:
    if isinstance(x, Fraction):
        # what Python writes out of an integer at most
        if max(x.numerator.bit_length(), x.denominator.bit_length()) > 14_000:
            raise Refused(
                "the exact value has more than four thousand digits: give smaller sizes, or leave them out"
            )
        return str(x)
    # zero to all its digits, as where terms cancel: what is left of them is no number
    found = 0.0 if x.contains(0) else float(x)
    if math.isinf(found) or (found == 0 and not x.contains(0)):
        raise Refused(
            f"the value is about {x.str(10, radius=False)}, which no double holds: give other sizes"
        )
    return found


def shown(value: Table, is_matrix: bool) -> Shown:
    """A value as it is handed out: exact as text, else a float; raises Refused where neither holds it."""
    texts: list[list[Any]] = [[_shown(x) for x in row] for row in value]
    if is_matrix:
        return texts
    number: Shown = texts[0][0]
    return number
