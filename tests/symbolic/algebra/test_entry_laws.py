"""Laws of entries: moments and cumulants from integrals and series, and what is no law."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy

from symbolic.algebra.entry_laws import LawOrderError, generic, law

t, u = sympy.symbols("t u", real=True)

LOGARITHMS = {
    "gaussian": t**2 / 2,
    "rademacher": sympy.log(sympy.cosh(t)),
    "laplace": -sympy.log(1 - t**2 / 2),
    "uniform": sympy.log(sympy.sinh(sympy.sqrt(3) * t) / (sympy.sqrt(3) * t)),
}


@pytest.mark.parametrize("name", LOGARITHMS)
def test_cumulants_are_the_series_of_the_logarithm(name: str) -> None:
    """kappa_k = k! times the coefficient of t^k in log E exp(t u)."""
    series = sympy.series(LOGARITHMS[name], t, 0, 9).removeO()
    for k in range(1, 9):
        expected = series.coeff(t, k) * sympy.factorial(k)
        assert law(name).cumulant_number(k) == Fraction(int(expected.p), int(expected.q))


DENSITIES = {
    "gaussian": lambda x: mpmath.exp(-(x**2) / 2) / mpmath.sqrt(2 * mpmath.pi),
    "laplace": lambda x: mpmath.exp(-mpmath.sqrt(2) * abs(x)) / mpmath.sqrt(2),
    "uniform": lambda x: (abs(x) <= mpmath.sqrt(3)) / (2 * mpmath.sqrt(3)),
}


@pytest.mark.parametrize("name", DENSITIES)
def test_moments_are_integrals(name: str) -> None:
    edge = mpmath.sqrt(3) if name == "uniform" else mpmath.inf
    for k in range(9):
        value = mpmath.quad(lambda x, k=k: x**k * DENSITIES[name](x), [-edge, 0, edge])
        assert float(value) == pytest.approx(float(law(name).rule(k)), abs=1e-9, rel=1e-9)


@pytest.mark.parametrize("degrees", [Fraction(5), Fraction(17, 2), Fraction(12)])
def test_students_moments_are_integrals(degrees: Fraction) -> None:
    d = mpmath.mpf(degrees.numerator) / degrees.denominator
    scale = mpmath.sqrt((d - 2) / d)
    constant = mpmath.gamma((d + 1) / 2) / (mpmath.sqrt(d * mpmath.pi) * mpmath.gamma(d / 2))
    entry_law = law(f"student:{degrees}")
    for k in range(0, int(entry_law.order) + 1, 2):
        value = 2 * mpmath.quad(
            lambda x, k=k: (scale * x) ** k * constant * (1 + x**2 / d) ** (-(d + 1) / 2),
            [0, 1, 10, mpmath.inf],
        )
        assert float(value) == pytest.approx(float(entry_law.rule(k)), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "order"),
    [("student:5", 4), ("student:9/2", 4), ("student:41/10", 4), ("student:4", 3), ("kurtosis:2", 4)],
)
def test_declared_orders(name: str, order: int) -> None:
    entry_law = law(name)
    assert entry_law.order == order
    entry_law.moment(order)
    for ask in (entry_law.moment, entry_law.cumulant):
        with pytest.raises(LawOrderError, match=f"order {order + 1} is needed, but the law {name}") as caught:
            ask(order + 1)
        assert "\n" not in str(caught.value)


def test_cumulants_are_given_back() -> None:
    entry_law = law("cumulants:1/2,1,-1/3")
    assert [entry_law.cumulant_number(k) for k in range(1, 6)] == [0, 1, Fraction(1, 2), 1, Fraction(-1, 3)]
    assert not entry_law.symmetric
    assert law("cumulants:0,1").symmetric
    assert law("kurtosis:7/2").cumulant_number(4) == Fraction(1, 2)


def test_a_law_of_two_values_by_its_cumulants() -> None:
    """Rademacher: kappa_4 = -2 leaves only kappa_5 = 0, kappa_6 = 16, ..."""
    assert law("cumulants:0,-2,0,16,0,-272").rule(8) == 1


def test_symbolic_cumulants() -> None:
    entry_law = generic(8)
    assert str(entry_law.moment(4)) == "kappa_4 + 3"
    assert str(entry_law.moment(6)) == "15*kappa_4 + kappa_6 + 15"
    assert not entry_law.moment(7)
    with pytest.raises(ValueError, match="the symbol kappa_4, not a number"):
        entry_law.cumulant_number(4)
    with pytest.raises(LawOrderError):
        entry_law.moment(10)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "unknown law"),
        ("Gaussian", "unknown law"),
        ("student", "no number"),
        ("student:2", "more than 2 degrees"),
        ("student:nan", "no number"),
        ("student:1e999999999", "no number"),
        ("kurtosis:0.99", "at least 1"),
        ("kurtosis:1/0", "no number"),
        ("cumulants:", "no number"),
        ("cumulants:1,2,x", "no number"),
        ("cumulants:2,1", "no random variable"),
        ("cumulants:0,-3", "no random variable"),
        ("cumulants:0,-2,0,15", "no random variable"),
        ("cumulants:0,-2,1", "no random variable"),
        ("cumulants:0,-6/5,0,5", "no random variable"),
        ("cumulants:" + ",".join("0" * 60), "at most 40"),
        ("uniform:" + "x" * 500, "unknown law"),
    ],
)
def test_what_is_no_law(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        law(name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
