"""Rational polynomials over named generators, brought together from different rings."""

from fractions import Fraction

import pytest

from symbolic.algebra import coefficients
from symbolic.algebra.coefficients import (
    NUMBERS,
    equal,
    evaluate_at,
    from_terms,
    generator,
    inverse_of,
    lift,
    multiply,
    names_in,
    number,
    substitute,
    to_fmpq,
    trim,
    unify,
)


def total(*values):
    result = number(0)
    for value in values:
        first, second = unify(result, value)
        result = first + second
    return result


def test_generators_of_different_rings_meet():
    product = multiply(generator("n"), multiply(generator("p"), number(Fraction(3, 2))))
    assert equal(product, from_terms(["p", "n"], {(1, 1): Fraction(3, 2)}))
    assert names_in(product) == {"n", "p"}


def test_a_generator_that_cancels_is_forgotten():
    n, p = generator("n"), generator("p")
    value = total(n, p, -n)
    assert trim(value).context().names() == ("p",)
    assert not trim(total(p, -p))


def test_inverse_cancels():
    n = generator("n")
    assert equal(multiply(multiply(n, n), generator("1/n")), n)
    assert equal(multiply(n, inverse_of(multiply(n, number(3)))), number(Fraction(1, 3)))
    assert equal(inverse_of(generator("1/n")), n)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"n": number(2)}, from_terms(["p"], {(1,): 4, (0,): Fraction(1, 2)})),
        ({"p": generator("n")}, from_terms(["n", "1/n"], {(3, 0): 1, (0, 1): 1})),
        (
            {"n": generator("p"), "p": generator("n")},
            from_terms(["n", "p", "1/p"], {(1, 2, 0): 1, (0, 0, 1): 1}),
        ),
        ({"q": number(0)}, from_terms(["n", "p", "1/n"], {(2, 1, 0): 1, (0, 0, 1): 1})),
    ],
)
def test_substitution_is_simultaneous_and_follows_inverses(values, expected):
    value = from_terms(["n", "p", "1/n"], {(2, 1, 0): 1, (0, 0, 1): 1})
    assert equal(substitute(value, values), expected)


def test_value_at_numbers():
    value = from_terms(["n", "1/p"], {(2, 1): Fraction(1, 2), (0, 0): -1})
    assert evaluate_at(value, {"n": 3, "p": Fraction(1, 2)}) == 8
    assert evaluate_at(number(7), {}) == 7
    assert evaluate_at(number(0), {}) == 0


@pytest.mark.parametrize("value", [Fraction(0), Fraction(-2, 3)])
def test_a_number_meets_a_polynomial_as_any_other_does(value):
    """Numbers are told apart where polynomials are lifted and multiplied: flint's own ways give the same."""
    poly = from_terms(["n", "1/n"], {(2, 0): 1, (0, 1): Fraction(1, 2)})
    ring, constant = poly.context(), number(value)
    lifted = lift(constant, ring)
    assert lifted.context() is ring
    assert lifted == constant.project_to_context(ring)
    for product in (multiply(poly, constant), multiply(constant, poly), multiply(poly, lifted)):
        assert product == poly * constant.project_to_context(ring)
        assert product.context() is ring
    assert lift(lifted, NUMBERS) == constant


def test_projection_only_enlarges():
    """flint's own projection onto a smaller ring would silently give 0; `lift` is never used that way."""
    value = multiply(generator("n"), generator("p"))
    with pytest.raises(ValueError, match="no value given for p"):
        evaluate_at(value, {"n": 2})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generator("2n"), "is not a name"),
        (lambda: generator("n p"), "is not a name"),
        (lambda: generator("1/"), "is not a name"),
        (lambda: generator(""), "is not a name"),
        (lambda: generator(3), "is not a name"),
        (lambda: to_fmpq(0.5), "not an exact number"),
        (lambda: inverse_of(number(0)), "not a single term"),
        (lambda: inverse_of(total(generator("n"), number(1))), "not a single term"),
        (lambda: evaluate_at(generator("1/n"), {"n": 0}), "not a single term"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_inverse_guard_catches_a_mutant(monkeypatch):
    """Without the cancellation n * 1/n would stay different from 1."""
    monkeypatch.setattr(coefficients, "cancel_inverses", lambda value: value)
    assert not equal(multiply(generator("n"), generator("1/n")), number(1))
