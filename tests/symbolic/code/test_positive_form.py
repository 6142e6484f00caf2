"""Positive forms of polynomials in sizes, and the small tools they are made with."""

from __future__ import annotations

import pytest
import sympy
from flint import fmpq_mpoly
from sympy import symbols

from symbolic.algebra.coefficients import names_in
from symbolic.algebra.polynomials import by_monomial, common_sign, nested, shifted_by_one
from symbolic.algebra.sympy_trees import from_sympy, polynomial_to_sympy
from symbolic.code.positive_form import Form, Rewriter, eliminated, total

n, m, p, s, a = symbols("n m p s a")
SYMBOLS = {x.name: x for x in (n, m, p, s, a)}


def poly(expr: sympy.Expr) -> fmpq_mpoly:
    return from_sympy(expr).numerator


def rewriter() -> Rewriter:
    sizes = frozenset({"n", "m", "p"})
    return Rewriter(dict(SYMBOLS), ("a",), sizes, frozenset({"s"}), {"room": p - n * m})


@pytest.mark.parametrize(
    ("expr", "sign"),
    [
        (n * p + 3, 1),
        (-n - p**2, -1),
        (n * p - 1, 1),  # n, p >= 1; not both are 1 in a factor by itself
        (3 - n - 2 * p, -1),
        (p - n * m, 1),
        (n * m - p - 1, -1),
        (p * n + p - n**2 * m - n * m, 1),
        (n - p, -1),  # the difference and m - 1 together
        (n * m**2 - p * m - n + 1, -1),  # a product of sizes in favour of the difference
        (2 * n - p, 0),
        (p - 2 * n * m, 0),
        (n * m - p + 2, 0),  # a difference of integers is at least one, no more
    ],
)
def test_sign_of_a_polynomial_in_sizes(expr: sympy.Expr, sign: int) -> None:
    work = rewriter()
    form = work.fraction(from_sympy(expr))
    assert form.sign == sign
    assert sympy.expand(form.expr.subs(work.definitions) - expr) == 0


def test_each_term_of_a_difference_is_eliminated_and_written_out_again_is_the_polynomial() -> None:
    difference, expr = p - n * m + 2, n**2 * m**3 * p + p**2 - n * m
    found = [*eliminated(poly(expr), poly(difference), "room")]
    assert [names_in(one) for one in found] == [{"n", "m", "room"}, {"m", "p", "room"}]
    for one in found:
        written = polynomial_to_sympy(one, {**SYMBOLS, "room": difference})
        assert sympy.expand(written - expr) == 0
    assert [*eliminated(poly(n), poly(2 * p - n**2 - n), "room")] == []


def test_shift_moves_as_few_sizes_as_it_can() -> None:
    work = rewriter()
    work.factor(poly(n * p + n - p * 0 - 1))
    assert {x.name for x in work.definitions} in ({"n_less_1"}, {"p_less_1"})


def test_names_outside_of_the_declared_have_no_sign() -> None:
    assert rewriter().fraction(from_sympy(sympy.Symbol("a") ** 2 * n)).sign == 1
    work = Rewriter(dict(SYMBOLS), (), frozenset({"n"}))
    assert work.fraction(from_sympy(n + s)).sign == 0


def test_sum_has_a_sign_only_where_all_terms_agree() -> None:
    assert total([Form(n, 1), Form(p, 1)]).sign == 1
    assert total([Form(n, 1), Form(p, -1)]).sign == 0
    assert total([Form(n, 1), Form(p, 0)]).sign == 0


@pytest.mark.parametrize("expr", [n**3 * p + 4 * n**2 - p * m + 7, 5 * n, sympy.Integer(2), n**4 + n**2])
def test_nested_form_is_the_polynomial(expr: sympy.Expr) -> None:
    assert sympy.expand(nested(poly(expr), SYMBOLS) - expr) == 0


def test_nested_form_keeps_signs() -> None:
    form = nested(poly((n + 2 * p + 3) ** 4), SYMBOLS)
    assert all(c > 0 for c in form.atoms(sympy.Number))


def test_coefficients_of_monomials() -> None:
    found = by_monomial(from_sympy((s**2 * n + s * p + 4) / (n + 1)), {"s"})
    assert sorted(found) == [(), (("s", 1),), (("s", 2),)]
    assert found[(("s", 2),)].equals(from_sympy(n / (n + 1)))
    assert list(by_monomial(from_sympy(n / s), {"s"})) == [()]


def test_small_tools() -> None:
    assert names_in(poly(n * p + 0 * s)) == {"n", "p"}
    assert [common_sign(poly(x)) for x in (n + 1, -n - 1, n - 1)] == [1, -1, 0]
    assert shifted_by_one(poly(n * p), ["n"]) == poly(n * p + p)
