"""Expressions as SymPy objects."""

import random
from fractions import Fraction

import pytest
import sympy

from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.quotients import sum_of
from symbolic.algebra.sympy_trees import from_sympy, polynomial_to_sympy, sum_from_sympy, to_sympy
from symbolic.algebra.words import constant, gaussian, identity, matrix, scalar, tr, zero
from symbolic.averages.expectation import expect

n, p = sympy.symbols("n p", positive=True)
A = matrix("A", "p", "p")
X = gaussian("X", "n", "p", covariance="Sigma")
Y = gaussian("Y", "n", "p")


def test_scalars_are_sympy_polynomials():
    value = scalar("1/n") * scalar("alpha") ** 2 + Fraction(1, 2) * scalar("p")
    assert to_sympy(value) == sympy.Symbol("alpha") ** 2 / n + p / 2
    assert to_sympy(zero()) == 0
    assert to_sympy(value, {"alpha": sympy.Integer(2), "n": p, "p": p}) == 4 / p + p / 2


def test_traces_and_matrices():
    sa, sigma = sympy.MatrixSymbol("A", p, p), sympy.MatrixSymbol("Sigma", p, p)
    assert to_sympy(A.T @ A) == sa.T * sa
    assert to_sympy(2 * tr(A)) == 2 * sympy.Trace(sa)
    assert to_sympy(expect(X.T @ X)) == n * sigma
    assert to_sympy(expect(Y.T @ Y)) == n * sympy.Identity(p)
    assert to_sympy(identity("p")) == sympy.Identity(p)
    assert to_sympy(zero("p", "q")) == sympy.ZeroMatrix(p, sympy.Symbol("q", positive=True))
    assert to_sympy(tr(A), {"A": sympy.Identity(p)}).doit() == p


def test_dimension_names_of_letters_become_positive():
    moment = expect(tr(gaussian("Z", "rows", "cols").T @ gaussian("Z", "rows", "cols")))
    assert all(symbol.is_positive for symbol in to_sympy(moment).free_symbols)
    assert to_sympy(scalar("alpha")).is_positive is None


def test_explicit_value_agrees_with_evaluation():
    moment = expect(X.T @ X @ A @ X.T @ X) * tr(A)
    values = {"A": [[1, 2], [0, 3]], "Sigma": [[2, 1], [1, 2]]}
    table = {name: sympy.Matrix(value) for name, value in values.items()}
    expression = to_sympy(moment, {"n": sympy.Integer(3), "p": sympy.Integer(2)})
    letters = {symbol: table[symbol.name] for symbol in expression.atoms(sympy.MatrixSymbol)}
    explicit = expression.subs(letters).doit()
    assert explicit == sympy.Matrix(evaluate(moment, values | {"n": 3}))


def test_a_missing_symbol_is_refused():
    with pytest.raises(ValueError, match="no symbol given for n"):
        polynomial_to_sympy(scalar("1/n").coefficient(), {})


def test_a_scalar_of_the_same_name_is_not_taken_for_a_letter():
    y, a = matrix("y", "n", "1"), matrix("A", "n", "n")
    tree = to_sympy(y + a @ y, {"y": sympy.Symbol("y")})
    assert {one.name: one.shape for one in tree.atoms(sympy.MatrixSymbol)}["y"] == (
        sympy.Symbol("n", positive=True),
        1,
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_polynomial_is_built_in_the_order_that_sympy_finds(seed: int) -> None:
    # equal trees of SymPy have equal arguments in equal order: one built in another order equals nothing
    source = random.Random(seed)
    names = ["n_t", "p", "1/n_v", "1/x", "alpha_t", "A1", "Z"]
    symbols = {
        name.removeprefix("1/"): sympy.Symbol(
            name.removeprefix("1/"), **({"positive": True} if k % 2 else {})
        )
        for k, name in enumerate(names)
    }
    value = constant(0)
    expected = sympy.Integer(0)
    for _ in range(20):
        number = Fraction(source.randint(-3, 3), source.randint(1, 3))
        term, product = constant(number), sympy.Rational(number.numerator, number.denominator)
        for name in names:
            power = source.choice([0, 0, 1, 2])
            term = term * scalar(name) ** power
            base = symbols[name.removeprefix("1/")]
            product *= base ** (-power if name.startswith("1/") else power)
        value, expected = value + term, expected + product
    built = polynomial_to_sympy(value.coefficient(), symbols)
    assert built == expected
    assert hash(built) == hash(expected)


def test_a_sum_is_read_as_its_terms_are() -> None:
    x, same_name, y = sympy.Symbol("x"), sympy.Symbol("x", positive=True), sympy.Symbol("y")
    terms = [x * y / 3, same_name * y, y * same_name**-2, -(x**-2) * y, 5, 1 / (x + y), sympy.sqrt(same_name)]
    for some in (terms, terms[:5], terms[2:4], []):
        one_by_one = sum_of(from_sympy(sympy.sympify(term)) for term in some)
        assert (sum_from_sympy(map(sympy.sympify, some), from_sympy) - one_by_one).is_zero()
