"""The value of an answer against its printed terms, at the matrices that were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from symbolic.checks.claims import NotApplicable
from symbolic.query.printed_terms import ROOT, Point, TooManyProducts, coefficient
from symbolic.wishart.covariance_matrix import rational_root
from symbolic.wishart.fixed_letters import IDENTITY, SIGMA

MAX_SIZE = 20
"""Largest matrices that are kept with an answer, so that its value can be computed again."""

MAX_PRODUCTS = 200_000
"""Most products of elements in sums over indices that are computed again."""

ROUNDING = Fraction(1, 10**9)
"""Largest error of a value in floats, relative to the sum of the absolute values of what is added up."""

SMALLEST = Fraction(1, 10**300)
"""Smaller floats are rounded more coarsely, in the end to zero."""

Data = Mapping[str, Any]
Table = list[list[Fraction]]


def kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as plain data: dimensions, exact elements as text, floats; large matrices by size."""
    data: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, int):
            data[name] = value
            continue
        rows = value.tolist() if hasattr(value, "dtype") else value
        if len(rows) > MAX_SIZE:
            data[name] = f"{len(rows)} x {len(rows)}"
        else:
            data[name] = [[x if isinstance(x, float) else str(x) for x in row] for row in rows]
    return data


def compare(terms: Sequence[Data], given: Data, size: int, value: Any) -> tuple[str, str]:
    """The printed terms evaluated, against the printed value; size is p. NotApplicable with the reason."""
    if value is None:
        raise NotApplicable("there is no value")
    if all(_is_number(term) for term in terms):
        number = sum((coefficient(term["coefficient"]).at({}) for term in terms), Fraction(0))
        return _multiple(number, value, size)
    rows = {name: x for name, x in given.items() if not isinstance(x, int)}
    if any(isinstance(x, str) for x in rows.values()):
        raise NotApplicable(f"matrices larger than {MAX_SIZE} x {MAX_SIZE} are not kept")
    texts = _texts(terms)
    floating = any(isinstance(x, float) for table in rows.values() for row in table for x in row)
    needs_root = any(ROOT in text for text in texts)
    if floating and needs_root:
        raise NotApplicable(f"the root {ROOT} of floats is not rational in general")
    if floating and any(f"{SIGMA}^-" in text for text in texts):
        raise NotApplicable(f"the rounding of an inverse in floats depends on {SIGMA}")
    matrices = {name: fmpq_mat([[_number(x) for x in row] for row in table]) for name, table in rows.items()}
    if SIGMA in matrices:
        matrices[SIGMA] = (matrices[SIGMA] + matrices[SIGMA].transpose()) * fmpq(1, 2)
    if needs_root:
        matrices[ROOT] = rational_root(matrices[SIGMA])
    try:
        expected = Point({}, matrices, size, MAX_PRODUCTS).value(terms)
        if not floating:
            return _exactly(expected, _table(value))
        positive = [{**term, "coefficient": term["coefficient"].removeprefix("-")} for term in terms]
        sizes = Point({}, {name: _absolute(x) for name, x in matrices.items()}, size).value(positive)
    except TooManyProducts as reason:
        raise NotApplicable(str(reason)) from None
    return _nearly(expected, _table(value), max(x for row in sizes for x in row))


def _is_number(term: Data) -> bool:
    """Whether a term is a number, or a number times the identity."""
    return term["word"] in (None, IDENTITY) and not term["traces"] and not _sums(term)


def _sums(term: Data) -> list[str]:
    return [*term.get("sums", ()), *([term["matrix"]] if "matrix" in term else [])]


def _texts(terms: Sequence[Data]) -> set[str]:
    return {text for term in terms for text in (*term["traces"], term["word"] or "", *_sums(term))}


def _number(x: Any) -> fmpq:
    value = Fraction(x)
    return fmpq(value.numerator, value.denominator)


def _absolute(matrix: fmpq_mat) -> fmpq_mat:
    return fmpq_mat([[abs(x) for x in row] for row in matrix.tolist()])


def _table(value: Any) -> Table:
    rows = value if isinstance(value, list) else [[value]]
    return [[Fraction(x) for x in row] for row in rows]


def _multiple(number: Fraction, value: Any, size: int) -> tuple[str, str]:
    """A number, or a multiple of the identity."""
    if not isinstance(value, list):
        return (str(number) if isinstance(value, str) else str(float(number))), str(value)
    exact = isinstance(value[0][0], str)
    diagonal, other = (str(number), "0") if exact else (float(number), 0.0)
    expected = f"{diagonal} {IDENTITY}, {size} x {size}"
    rows = [[diagonal if i == j else other for j in range(size)] for i in range(size)]
    return expected, expected if value == rows else "another matrix"


def _exactly(expected: Table, obtained: Table) -> tuple[str, str]:
    if expected == obtained:
        text = ascii([[str(x) for x in row] for row in expected])
        return text[:100], text[:100]
    return "the value of the terms", _difference(expected, obtained)


def _nearly(expected: Table, obtained: Table, scale: Fraction) -> tuple[str, str]:
    pairs = [(x, y) for both in zip(expected, obtained, strict=False) for x, y in zip(*both, strict=False)]
    same_shape = [len(row) for row in expected] == [len(row) for row in obtained]
    if same_shape and all(abs(x - y) <= ROUNDING * scale + SMALLEST for x, y in pairs):
        return "equal up to rounding", "equal up to rounding"
    return "equal up to rounding", _difference(expected, obtained)


def _difference(expected: Table, obtained: Table) -> str:
    """Where two matrices differ, in one line."""
    for i, (line, other) in enumerate(zip(expected, obtained, strict=False)):
        for j, (x, y) in enumerate(zip(line, other, strict=False)):
            if x != y:
                return f"{str(y)[:30]} in place of {str(x)[:30]} in row {i + 1}, column {j + 1}"
    return f"{len(obtained)} rows in place of {len(expected)}"
