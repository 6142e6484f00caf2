"""Expressions as plain data (JSON) and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from flint import fmpq_mpoly

from symbolic.algebra.coefficients import from_terms, names_of
from symbolic.algebra.entry_laws import GAUSSIAN
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import Letter
from symbolic.algebra.words import constant, identity, independent_entries, matrix, polynomial, tr, unit, zero

Data = dict[str, Any]


def expression_to_data(expr: Expression) -> Data:
    """``expr`` as dictionaries, lists, strings and integers, in an order fixed by the names."""
    return {
        "shape": None if expr.shape is None else list(expr.shape),
        "letters": [asdict(letter) for letter in expr.letters().values()],
        "terms": [
            {
                "coefficient": polynomial_to_data(value),
                "traces": [[list(factor) for factor in trace] for trace in term.traces],
                "word": None if term.word is None else [list(factor) for factor in term.word],
            }
            for term, value in expr.terms.items()
        ],
    }


def polynomial_to_data(value: fmpq_mpoly) -> Data:
    """A coefficient as the names of its generators and pairs of exponents and number."""
    terms = [[list(map(int, exponents)), str(number)] for exponents, number in value.terms()]
    return {"generators": list(names_of(value.context())), "terms": terms}


def expression_from_data(data: Mapping[str, Any]) -> Expression:
    """The expression that `expression_to_data` wrote.

    Raises ValueError when the data are not of that form.
    """
    try:
        letters = {item["name"]: _letter(item) for item in data["letters"]}
        shape = data["shape"]
        total = zero(*shape) if shape else zero()
        for item in data["terms"]:
            term = polynomial(polynomial_from_data(item["coefficient"]))
            for trace in item["traces"]:
                term = term * tr(_word(trace, letters))
            if item["word"] is not None:
                term = term * (_word(item["word"], letters) if item["word"] else identity(shape[0]))
            total = total + term
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"these data describe no expression ({error}): use expression_to_data") from error
    return total


def _letter(item: Mapping[str, Any]) -> Expression:
    letter = Letter(**item)
    if letter.unit:
        return unit(letter.rows, letter.unit)
    if letter.random:
        law = letter.law or GAUSSIAN.name
        return independent_entries(letter.name, letter.rows, letter.columns, law, letter.covariance)
    return matrix(letter.name, letter.rows, letter.columns, letter.symmetric)


def _word(factors: Sequence[tuple[str, bool]], letters: Mapping[str, Expression]) -> Expression:
    result = constant(1)
    for place, (name, transposed) in enumerate(factors):
        factor = letters[name].T if transposed else letters[name]
        result = result @ factor if place else factor
    return result


def polynomial_from_data(data: Mapping[str, Any]) -> fmpq_mpoly:
    """The coefficient that `polynomial_to_data` wrote."""
    terms = {tuple(exponents): Fraction(number) for exponents, number in data["terms"]}
    return from_terms(data["generators"], terms)
