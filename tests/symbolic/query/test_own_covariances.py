"""Wishart matrices with covariances of their own: Sigma1 for W1, Sigma2 for W2, ..."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from typing import Any

import pytest

from symbolic.algebra.refusal import Refused
from symbolic.grammar.expanded import expand
from symbolic.grammar.syntax import parse
from symbolic.query.check import CheckFailed
from symbolic.query.query import moment
from symbolic.query.query_expectation import Expectation
from symbolic.query.query_words import Setting
from symbolic.wishart.fixed_letters import joined
from symbolic.wishart.trace_polynomial import TracePolynomial, collect, product_of_traces

BY_HAND = (
    ("W1 A W2", "n1 n2 Sigma1 A Sigma2"),
    ("W W1", "n n1 Sigma Sigma1"),
    ("W1 W2^-1", "n1/(n2 - p - 1) Sigma1 Sigma2^-1"),
    ("W1 W2 W1", "n1 (n1 + 1) n2 Sigma1 Sigma2 Sigma1 + n1 n2 tr(Sigma1 Sigma2) Sigma1"),
    ("W2^2", "n2 (n2 + 1) Sigma2^2 + n2 tr(Sigma2) Sigma2"),
    ("tr(W1 Sigma2) Sigma1^-1", "n1 tr(Sigma1 Sigma2) Sigma1^-1"),
    ("X1' B X1 A X2' C X2", "tr(B) tr(C) Sigma1 A Sigma2"),
)
PAIRS = ("W1 A W2 B W1", "tr(W1 W2^-1 A)^2", "W1^-1 A W2 W1^-1", "X1' B X1 A X2' C X2")


@pytest.mark.parametrize(("text", "right"), BY_HAND)
def test_formulas_worked_out_by_hand(text: str, right: str) -> None:
    found = moment(text, covariance="own")
    assert found.expectation.equals(expand(right, parse(right)))
    assert found.checked


@pytest.mark.parametrize("text", PAIRS)
def test_one_covariance_for_all_is_that_of_the_queries_before(text: str) -> None:
    own = moment(text, covariance="own").expectation
    assert _in_one_sigma(own).equals(moment(text, covariance="general").expectation)


def _in_one_sigma(polynomial: TracePolynomial) -> TracePolynomial:
    def plain(word: tuple[str, ...]) -> tuple[str, ...]:
        factors = ("Sigma" + factor[6:] if factor.startswith("Sigma") else factor for factor in word)
        return reduce(joined, ((factor,) for factor in factors), ())

    terms = [
        product_of_traces(map(plain, key.traces), None if key.word is None else plain(key.word), value)
        for key, value in polynomial.terms.items()
    ]
    return collect(terms, polynomial.is_matrix)


def test_one_column_is_chi_squared() -> None:
    """At p = 1, W_k = s_k chi^2: E (W1/W2)^2 = (s1/s2)^2 n1 (n1 + 2) / ((n2 - 2) (n2 - 4))."""
    s1, s2, n1, n2 = Fraction(3), Fraction(7, 2), 5, 9
    values = {"n1": n1, "n2": n2, "Sigma1": [[s1]], "Sigma2": [[s2]]}
    expected = (s1 / s2) ** 2 * Fraction(n1 * (n1 + 2), (n2 - 2) * (n2 - 4))
    assert moment("tr(W1 W2^-1)^2", values).value == str(expected)


def test_a_swapped_covariance_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    sigma = Setting.sigma

    class Wrong(Expectation):
        def __init__(self, setting: Setting, effort: float = 1) -> None:
            super().__init__(_Swapped(**vars(setting)), effort)

    class _Swapped(Setting):
        def sigma(self, name: str) -> tuple[str, ...]:
            return sigma(self, {"W1": "W2", "W2": "W1"}.get(name[:2], name))

    monkeypatch.setattr("symbolic.query.query.Expectation", Wrong)
    with pytest.raises(CheckFailed, match="do not use it"):
        moment("tr(W1^-1 A W1^-1 W2)", covariance="own")


REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("W1 A W2", {"covariance": "own", "law": "uniform"}, "for Gaussian rows"),
    ("W1 Sigma2", {"covariance": "general"}, "ask for the covariance own"),
    ("W1 Sigma1", {"covariance": "identity"}, "Sigma1 is the identity here"),
    ("W1 W2", {"values": {"n1": 5, "n2": 6, "Sigma1": [[1]]}}, "no value given for Sigma2"),
    ("W1^-1", {"values": {"n1": 9, "Sigma1": [[1, 1], [1, 1]]}}, "Sigma1 is singular"),
    ("W1^+", {"covariance": "own"}, "Sigma = I"),
)


@pytest.mark.parametrize(("text", "options", "reason"), REFUSED)
def test_what_has_no_answer_is_refused(text: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        moment(text, **options)
