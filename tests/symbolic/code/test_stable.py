"""Stable forms: equal to what went in, of one sign where they say so, and never wrong without an error."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
import sympy
from sympy import symbols

from symbolic.algebra.quotients import NotRational
from symbolic.algebra.sympy_trees import from_sympy
from symbolic.code.positive_form import Form, Rewriter
from symbolic.code.stable import NotEqual, StableForm, stable, verify

n, p, m = symbols("n p m", positive=True)
s = symbols("s", nonnegative=True)
a, r = symbols("a r", real=True)
MU = (n + p + 1) / n
H = 1 - 2 * a + MU * a**2
NAMES = {"rates": ("a", "r"), "sizes": ("n", "p", "m"), "weights": ("s",), "differences": {"room": p - n * m}}

# Each with the sign it has wherever its regime holds; 0 where it has none.
FORMULAS: dict[str, tuple[sympy.Expr, int]] = {
    "quadratic": (H, 1),
    "its negative, expanded": (sympy.expand(-H), -1),
    "quotient": ((1 + a**2 * p / n) / H, 1),
    "complete square": (1 - 2 * MU * a + a**2 * (MU**2 + p / n), 1),
    "difference of sizes": (1 - n * m / p, 1),
    "above one": (n * p - n + 1 - (p - 1), 1),
    "weights apart": (s**2 * H + s * (1 + a**2), 1),
    "two rates": (1 + r**2 * p / n + (1 - 2 * r + MU * r**2) * (s**2 / H + 1 - n * m / p), 1),
    "two rates, expanded": (
        sympy.expand((1 - 2 * r + MU * r**2) * (1 - 2 * a + MU * a**2)),
        1,
    ),
    "both signs": (1 - a * n, 0),
    "cubic": (a**3 + n, 0),
    "quartic": (((1 - a) ** 2 + a**2 * p) ** 2 + a**2 * (1 - 4 * a + 5 * a**2), 1),
    "lower root": (-(n + 1) / (2 * p) - sympy.sqrt(n / p + ((n + 1) / (2 * p)) ** 2), -1),
    "upper root": (-(n + 1) / (2 * p) + sympy.sqrt(n / p + ((n + 1) / (2 * p)) ** 2), 1),
    "root alone": (sympy.sqrt(n * p + 1) / 3, 1),
    "two roots": (sympy.sqrt(n + 1) - sympy.sqrt(p + 3), 0),
}


def value(expr: sympy.Expr, point: dict[str, Fraction]) -> sympy.Expr:
    """The exact (or, with a root, very precise) value at a point."""
    numbers = {
        x: sympy.Rational(point[x.name].numerator, point[x.name].denominator) for x in expr.free_symbols
    }
    return sympy.N(expr.subs(numbers), 60)


def points(count: int) -> list[dict[str, Fraction]]:
    generator = random.Random(5)
    found = []
    for _ in range(count):
        sizes = {x: Fraction(generator.randint(1, 40)) for x in "nm"}
        room = Fraction(generator.randint(1, 30))
        rates = {x: Fraction(generator.randint(-40, 60), 16) for x in "ar"}
        weight = Fraction(generator.randint(1, 9), 4)
        found.append({**sizes, **rates, "s": weight, "p": sizes["n"] * sizes["m"] + room})
    return found


@pytest.mark.parametrize("name", FORMULAS)
def test_form_is_equal_and_of_the_certified_sign(name: str) -> None:
    expr, sign = FORMULAS[name]
    form = stable(expr, **NAMES)
    assert form.sign == sign
    for point in points(8):
        got, wanted = value(form.plain(), point), value(expr, point)
        assert abs(got - wanted) <= abs(wanted) * sympy.Rational(10) ** -50
        assert sign == 0 or wanted * sign > 0


def summands(expr: sympy.Expr) -> list[sympy.Expr]:
    """Every sum in an expression that is not inside of an even power."""
    if isinstance(expr, sympy.Pow) and expr.exp == 2:
        return []
    inner = [x for argument in expr.args for x in summands(argument)]
    return [expr, *inner] if isinstance(expr, sympy.Add) else inner


@pytest.mark.parametrize("name", [name for name, (_, sign) in FORMULAS.items() if sign > 0])
def test_certified_form_has_no_difference_outside_of_a_square(name: str) -> None:
    for total in summands(stable(FORMULAS[name][0], **NAMES).expr):
        assert not any(term.could_extract_minus_sign() for term in total.args), total


def test_quadratic_is_written_in_the_rate_and_one_minus_it() -> None:
    form = stable(H, **NAMES)
    (b, meaning), *_ = form.definitions
    assert meaning == 1 - a
    assert sympy.expand(form.expr - (b**2 + (p + 1) / n * a**2)) == 0


def test_regime_is_used_only_where_it_is_declared() -> None:
    free = {**NAMES, "differences": {}}
    assert stable(1 + n * (p - n * m), **NAMES).sign == 1
    assert stable(1 + n * (p - n * m), **free).sign == 0


def test_upper_root_is_divided_by_a_sum() -> None:
    form = stable(FORMULAS["upper root"][0], **NAMES)
    denominator = sympy.fraction(form.expr)[1]
    assert denominator.has(sympy.sqrt) or any(
        x.is_Pow and x.exp == sympy.Rational(1, 2) for x in denominator.args
    )
    assert form.parameters() == ("n", "p")


@pytest.mark.parametrize("expr", [sympy.sin(n), sympy.Sum(n, (m, 1, 3)), a**n, 0.5 * n])
def test_other_formulas_are_refused(expr: sympy.Expr) -> None:
    with pytest.raises(NotRational):
        stable(expr, **NAMES)


# guards


def test_wrong_rewriting_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Rewriter.fraction

    def without_orientation(self: Rewriter, part: object) -> Form:
        form = original(self, part)
        return Form(-form.expr if form.sign < 0 else form.expr, abs(form.sign))

    monkeypatch.setattr(Rewriter, "fraction", without_orientation)
    with pytest.raises(NotEqual, match="differs from the original"):
        stable(sympy.expand(-H), **NAMES)


def test_verify_rejects_another_formula() -> None:
    verify(H, StableForm(sympy.expand(H), (), 0, ()))
    with pytest.raises(NotEqual):
        verify(H, StableForm(H + a, (), 0, ()))


def test_denominators_are_read_exactly() -> None:
    assert (from_sympy(stable(1 / H, **NAMES).plain()) - from_sympy(1 / H)).is_zero()
