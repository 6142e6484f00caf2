"""A minimum and its certificate in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

DIGITS = 15


def certificate_text(document: Mapping[str, Any]) -> str:
    """The document of `optimum` as lines: rate and loss to 15 digits, the reason, and what it was decided on."""
    rate = next(iter(document))
    certificate = document["certificate"]
    lines = [f"{rate} = {number(document[rate])}", f"loss = {number(document['loss'])}"]
    if document[rate] is not None:
        sign = (document[rate] > 0) - (document[rate] < 0)
        lines.append(f"sign of {rate}: {('negative', 'zero', 'positive')[sign + 1]}")
    lines += [f"method: {certificate['kind']}", f"why: {certificate['reason']}"]
    for at, value in [(point["at"], point["value"]) for point in certificate.get("stationary", ())]:
        lines.append(f"the derivative vanishes at {rate} = {interval(at)}, with loss = {interval(value)}")
    if certificate.get("poles"):
        lines.append(f"poles at {rate} = {', '.join(map(interval, certificate['poles']))}")
    if certificate.get("limits"):
        low, high = map(number, certificate["limits"])
        lines.append(f"limits of the loss: {low} for {rate} to -infinity, {high} for {rate} to +infinity")
    return "\n".join(lines)


def number(value: Any) -> str:
    """A number, or the text of an exact one, to 15 digits."""
    if value is None or value == "infinite":
        return "none" if value is None else "infinite"
    exact = Fraction(Decimal(value)) if isinstance(value, str) and "/" not in value else Fraction(value)
    context = Context(prec=DIGITS)
    found = context.divide(Decimal(exact.numerator), Decimal(exact.denominator)).normalize(context)
    return f"{found:f}" if -5 < found.adjusted() < DIGITS else f"{found:e}"


def interval(ends: Sequence[str]) -> str:
    """An enclosure to 15 digits and the width that it really has."""
    low, high = (Fraction(Decimal(end)) if "/" not in end else Fraction(end) for end in ends)
    if low == high:
        return number(ends[0])
    return f"{number(ends[0])} (enclosed within {float(abs(high - low)):.0e})"
