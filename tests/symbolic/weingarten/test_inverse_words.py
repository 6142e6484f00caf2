"""Inverses between fixed letters: formulas known by hand, Haff's identity, and agreement with powers."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

import pytest
from flint import fmpq_mpoly

from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.grammar.expanded import expand
from symbolic.grammar.syntax import parse
from symbolic.query.query import moment
from symbolic.weingarten.inverse_words import Steps, kind_count, kind_of, pairings, weingarten, word_moment
from symbolic.wishart.existence import MomentDoesNotExist
from symbolic.wishart.fixed_letters import Word, closed, joined
from symbolic.wishart.partitions import partitions
from symbolic.wishart.resolvent import DIFFERENCE
from symbolic.wishart.trace_polynomial import (
    Monomial,
    QueryTooLarge,
    TracePolynomial,
    collect,
    product_of_traces,
)

TOP = "/((n - p)*(n - p - 1)*(n - p - 3))"
BY_HAND = (
    # von Rosen, Scand. J. Statist. 15 (1988)
    (
        "W^-1 A W^-1",
        f"((n - p - 2) Sigma^-1 A Sigma^-1 + Sigma^-1 A' Sigma^-1 + tr(Sigma^-1 A) Sigma^-1){TOP}",
    ),
    (
        "tr(W^-1 A) tr(W^-1 B)",
        f"((n - p - 2) tr(Sigma^-1 A) tr(Sigma^-1 B) + tr(Sigma^-1 A Sigma^-1 B)"
        f" + tr(Sigma^-1 A Sigma^-1 B')){TOP}",
    ),
    (
        "tr(W^-1 A) W^-1",
        f"((n - p - 2) tr(Sigma^-1 A) Sigma^-1 + Sigma^-1 A Sigma^-1 + Sigma^-1 A' Sigma^-1){TOP}",
    ),
    ("W A W^-1", "(n Sigma A Sigma^-1 - A' - tr(A) I)/(n - p - 1)"),
    ("tr(W A W^-1 B)", "(n tr(Sigma A Sigma^-1 B) - tr(A' B) - tr(A) tr(B))/(n - p - 1)"),
    ("tr(W A) tr(W^-1 B)", "(n tr(Sigma A) tr(Sigma^-1 B) - tr(A B) - tr(A B'))/(n - p - 1)"),
    ("W1 A W2^-1", "n1/(n2 - p - 1) Sigma A Sigma^-1"),
    # the mean of the other one put in between
    (
        "W1^-1 W2 W1^-1",
        "n2*(n1 - 1)/((n1 - p)*(n1 - p - 1)*(n1 - p - 3)) Sigma^-1",
    ),
)


@pytest.mark.parametrize(("text", "right"), BY_HAND)
def test_formulas_worked_out_by_hand(text: str, right: str) -> None:
    expected = expand(right, parse(right))
    assert moment(text, covariance="general").expectation.equals(expected)


@pytest.mark.parametrize("degree", range(1, 6))
def test_the_kinds_are_all_pairings(degree: int) -> None:
    found = [kind_of(pairing) for pairing in pairings(2 * degree)]
    assert len(found) == prod(range(2 * degree - 1, 0, -2))
    assert {kind: found.count(kind) for kind in partitions(degree)} == {
        kind: kind_count(kind) for kind in partitions(degree)
    }


@pytest.mark.parametrize("degree", range(1, 5))
def test_weingarten_functions_are_orthogonal_to_the_powers_of_the_argument(degree: int) -> None:
    """sum_pi Wg(kind of pi) z^(cycles of pi with tau) = [tau is the pairs of the factors], z = -q."""
    values, bottom = weingarten(degree)
    z = -DIFFERENCE
    sign = (-1) ** degree
    every = pairings(2 * degree)
    own = tuple(k ^ 1 for k in range(2 * degree))
    for tau in every:
        total: fmpq_mpoly = sum(
            (sign * values[kind_of(pi)] * z ** _cycles(pi, tau) for pi in every), bottom * 0
        )
        assert total == (bottom if tau == own else bottom * 0)


def _cycles(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    free = set(range(len(one)))
    found = 0
    while free:
        end = min(free)
        found += 1
        while end in free:
            free -= {end, one[end]}
            end = other[one[end]]
    return found


Q = Rational.generator("n") - Rational.generator("p") - Rational.number(1)
PRODUCTS = (
    ((), ("A",)),
    ((), ("A", "W^-1", "B")),
    ((), ("A'", "W^-1", "A", "W^-1")),
    ((("A", "W^-1"),), ("B", "W^-1")),
    ((("A", "W^-1", "B", "W^-1"),), ("B",)),
    ((("A", "W^-1"), ("B", "W^-1")), ("Sigma", "W^-1", "A")),
    ((("W^-1",), ("A", "W^-1", "W^-1", "B'", "W^-1")), ()),
)


def _turned(word: Word) -> Word:
    return tuple(
        {"A": "A'", "A'": "A", "B": "B'", "B'": "B"}.get(factor, factor) for factor in reversed(word)
    )


def _mean(number: int, traces: Iterable[Word], word: Word) -> TracePolynomial:
    monomial, factor = product_of_traces(map(closed, traces), word, Rational.number(number))
    return word_moment(monomial, "W", ("Sigma",)).scaled(factor)


@pytest.mark.parametrize(("traces", "word"), PRODUCTS)
def test_haffs_identity(traces: tuple[Word, ...], word: Word) -> None:
    """Sigma^-1 E R = (n - p - 1) E V R - E(V r^T V s + tr(V r) V s for each R = r V s, and the like for traces)."""
    v = ("W^-1",)
    right = _mean(1, traces, v + word).scaled(Q)
    for k, factor in enumerate(word):
        if (factor,) == v:
            before, after = word[:k], word[k + 1 :]
            right = right + _mean(-1, traces, v + _turned(before) + v + after)
            right = right + _mean(-1, [*traces, v + before], v + after)
    for j, one in enumerate(traces):
        others = traces[:j] + traces[j + 1 :]
        for k, factor in enumerate(one):
            if (factor,) == v:
                inner = one[k + 1 :] + one[:k]
                right = right + _mean(-1, others, v + inner + v + word)
                right = right + _mean(-1, others, v + _turned(inner) + v + word)
    assert _mean(1, traces, joined(("Sigma^-1",), word)).equals(right)


@pytest.mark.parametrize(
    ("letters", "powers"),
    [
        ("W^-1 A W^-1", "W^-2"),
        ("tr(W^-1 A W^-1) W^-1", "tr(W^-2) W^-1"),
        ("W^-1 A W^-1 A W^-1 A W^-1", "W^-4"),
        ("W^2 A W^-1 A", "W"),
        ("W A W A W^-2", "1 I"),
        ("tr(W A W A W^-1) tr(W^-1)", "tr(W) tr(W^-1)"),
    ],
)
@pytest.mark.parametrize("covariance", ["identity", "general"])
def test_letters_that_are_the_identity(letters: str, powers: str, covariance: str) -> None:
    found = moment(letters, covariance=covariance).expectation
    plain = collect(
        (
            product_of_traces(
                map(_plain, key.traces),
                None if key.word is None else _plain(key.word),
                value,
            )
            for key, value in found.terms.items()
        ),
        found.is_matrix,
    )
    assert plain.equals(moment(powers, covariance=covariance).expectation)


def _plain(word: tuple[str, ...]) -> tuple[str, ...]:
    plain: tuple[str, ...] = ()
    for factor in word:
        if factor not in ("A", "A'"):
            plain = joined(plain, (factor,))
    return plain


@pytest.mark.parametrize(
    ("text", "least"),
    [("W^-1 A W^-1", 7), ("W A W^-1", 5), ("tr(W^-1 A) tr(W^-1 B) W^-1", 9)],
)
def test_the_least_number_of_rows_is_named(text: str, least: int) -> None:
    with pytest.raises(MomentDoesNotExist, match=f"take n of at least {least}"):
        moment(text, {"n": least - 1, "p": 3})
    assert moment(text, {"n": least, "p": 3}).conditions


def test_more_inverses_than_the_limit_are_refused() -> None:
    word = ("W^-1", "A") * 7
    with pytest.raises(Refused, match="at most 6"):
        word_moment(Monomial((), word), "W", ())


def test_the_steps_are_limited() -> None:
    word = ("W", "A") * 3 + ("W^-1", "B")
    with pytest.raises(QueryTooLarge, match="more seconds"):
        word_moment(Monomial((), word), "W", ("Sigma",), Steps(0.001))
    assert word_moment(Monomial((), word), "W", ("Sigma",), Steps(0.1)).is_matrix
