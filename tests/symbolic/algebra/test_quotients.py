"""Rational functions put into one another."""

from __future__ import annotations

import pytest
import sympy

from symbolic.algebra.coefficients import by_monomial, by_power
from symbolic.algebra.quotients import NotRational, Rational
from symbolic.algebra.sympy_trees import from_sympy, quotient_to_sympy
from symbolic.algebra.words import scalar

x, y, z = sympy.symbols("x y z")


@pytest.mark.parametrize(
    ("whole", "value"),
    [
        ((x**3 + y) / (x - z), y / (1 + z)),
        (x**2 * y - 1, sympy.Integer(0)),
        (y / (1 + x) ** 2, (1 - y) / y),
        (y + z, 1 / z),
        (1 / x, y / z),
    ],
)
def test_a_function_is_put_into_another(whole: sympy.Expr, value: sympy.Expr) -> None:
    found = from_sympy(whole).replace("x", from_sympy(value))
    assert sympy.cancel(quotient_to_sympy(found, {}) - whole.subs(x, value)) == 0
    assert found.numerator.gcd(found.denominator).is_one()


def test_what_divides_by_nothing_or_has_roots_is_refused() -> None:
    with pytest.raises(ZeroDivisionError, match="identically zero"):
        from_sympy(1 / (x - y)).replace("x", Rational.generator("y"))
    with pytest.raises(NotRational, match="square roots"):
        from_sympy(sympy.sqrt(1 + y) + x).replace("x", Rational.generator("y"))


def test_powers_of_one_name_are_those_of_many() -> None:
    value = ((scalar("x") + 2 * scalar("y")) ** 3 - scalar("1/z") * scalar("x")).coefficient()
    for name in ("x", "y", "1/z", "absent"):
        by_many = by_monomial(value, (name,))
        assert by_power(value, name) == {dict(key).get(name, 0): part for key, part in by_many.items()}
