"""Expectations over independent rows: Gaussian rows against the engine, discrete rows by enumeration."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from symbolic.algebra.expression import Expression
from symbolic.algebra.words import gaussian, identity, matrix, tr, vector
from symbolic.averages.expectation import expect
from symbolic.averages.rows import BeyondFourthMoment, _Rows, expect_rows
from symbolic.checks.entries import expect_by_entries

SIGMA = matrix("Sigma", "p", "p", symmetric=True)
F = matrix("F", "p", "p", symmetric=True)
D = matrix("D", "p", "p")
V = vector("v", "p")
X = gaussian("X", "n", "p", covariance="Sigma")
W = X.T @ X
I_P = identity("p")
GAUSSIAN_F = 2 * SIGMA**3 + SIGMA * tr(SIGMA**2)

WORDS: dict[str, Expression] = {
    "W": W,
    "D W D": D @ W @ D,
    "tr W": tr(W),
    "tr(D W) D": tr(D @ W) * D,
    "W Sigma W": W @ SIGMA @ W,
    "D W Sigma W D": D @ W @ SIGMA @ W @ D,
    "tr(Sigma W D W)": tr(SIGMA @ W @ D @ W),
    "tr(D W Sigma W) D": tr(D @ W @ SIGMA @ W) * D,
    "tr(Sigma W) tr(D W)": tr(SIGMA @ W) * tr(D @ W),
    "tr(Sigma W) W": tr(SIGMA @ W) * W,
    "tr(Sigma W) D W D": tr(SIGMA @ W) * (D @ W @ D),
    "v^T W Sigma W v": V.T @ W @ SIGMA @ W @ V,
    "constant": tr(D) * D,
    "tr(D W) I": tr(D @ W) * I_P,
    "X D X^T": X @ D @ X.T,
    "tr(D) X X^T": tr(D) * (X @ X.T),
    "I of another dimension": tr(SIGMA @ W) * identity("n"),
    "sum": (I_P - W) @ SIGMA @ (I_P - W),
}


@pytest.mark.parametrize("name", WORDS)
def test_gaussian_rows_agree_with_the_engine(name: str) -> None:
    found = expect_rows(WORDS[name], "X", F)
    present = {"F": GAUSSIAN_F} if "F" in found.letters() else {}
    assert found.replace(present) == expect(WORDS[name])


def test_identity_covariance() -> None:
    x = gaussian("X", "n", "p")
    w = x.T @ x
    found = expect_rows(w @ w, "X", F)
    assert found.replace({"F": 2 * I_P + tr(I_P) * I_P}) == expect(w @ w)


# A law on three vectors and their negatives: neither Gaussian nor with independent entries.
SUPPORT = ((Fraction(1), Fraction(2)), (Fraction(-3), Fraction(1)), (Fraction(0), Fraction(1, 2)))
Table = list[list[Fraction]]


def _outer(x: tuple[Fraction, ...], weight: Fraction) -> Table:
    return [[weight * a * b for b in x] for a in x]


def _sum(tables: list[Table]) -> Table:
    return [[sum((t[i][j] for t in tables), Fraction(0)) for j in range(2)] for i in range(2)]


def _moments() -> tuple[Table, Table]:
    sigma = _sum([_outer(x, Fraction(1, 3)) for x in SUPPORT])
    forms = [sum(x[i] * sigma[i][j] * x[j] for i in range(2) for j in range(2)) for x in SUPPORT]
    return sigma, _sum([_outer(x, form / 3) for x, form in zip(SUPPORT, forms, strict=True)])


@pytest.mark.parametrize("name", WORDS)
def test_discrete_rows_agree_with_enumeration(name: str) -> None:
    sigma, fourth = _moments()
    n, sizes = 2, {"n": 2, "p": 2}
    values = {
        "Sigma": sigma,
        "F": fourth,
        "D": [[Fraction(2), Fraction(-1)], [Fraction(5), Fraction(3)]],
        "v": [[Fraction(1)], [Fraction(4)]],
    }
    formula = expect_by_entries(expect_rows(WORDS[name], "X", F), sizes, values, {})
    fixed = WORDS[name].replace({"X": matrix("Y", "n", "p")})
    cases = [
        tuple(tuple(sign * a for a in x) for x, sign in zip(rows, signs, strict=True))
        for rows in product(SUPPORT, repeat=n)
        for signs in product((1, -1), repeat=n)
    ]
    total = [expect_by_entries(fixed, sizes, {**values, "Y": [list(x) for x in rows]}, {}) for rows in cases]
    mean = [
        [sum((t[i][j] for t in total), Fraction(0)) / len(cases) for j in range(len(total[0][0]))]
        for i in range(len(total[0]))
    ]
    assert formula == mean


def test_single_row_has_no_pairs() -> None:
    x = gaussian("x", "1", "p", covariance="Sigma")
    assert expect_rows(x.T @ x @ SIGMA @ x.T @ x, "x", F) == F


def test_a_lone_factor_averages_to_zero() -> None:
    assert expect_rows(X @ D, "X").is_zero
    assert expect_rows(D, "X") == D


@pytest.mark.parametrize(
    ("word", "needs"),
    [
        (W @ D @ W, "not given"),
        (W @ W, "not given"),
        (W @ SIGMA @ W @ SIGMA @ W, "degree 3"),
        (tr(W) * tr(W @ D), "not given"),
        (X @ D @ X.T @ X, "outside"),
        (tr(D) * (X @ X.T) @ X, "outside"),
        (X @ D @ W, "outside"),
    ],
)
def test_other_moments_are_refused(word: Expression, needs: str) -> None:
    with pytest.raises(BeyondFourthMoment, match=needs):
        expect_rows(word, "X", F)


def test_a_missing_fourth_moment_is_refused() -> None:
    with pytest.raises(BeyondFourthMoment, match="give F"):
        expect_rows(W @ SIGMA @ W, "X")


def test_a_fixed_letter_is_refused() -> None:
    with pytest.raises(ValueError, match="not random"):
        expect_rows(D, "D")


def test_the_comparison_catches_a_lost_pair_term(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Rows, "_together", lambda self, closed, opened: 0 * self._joined(closed, opened))
    with pytest.raises(AssertionError):
        test_gaussian_rows_agree_with_the_engine("W Sigma W")
    with pytest.raises(AssertionError):
        test_discrete_rows_agree_with_enumeration("tr(Sigma W) tr(D W)")
