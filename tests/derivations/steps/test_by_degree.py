"""Orders by degree: the exponent of a mean square, and bounds of traces, each with a second route that notices errors."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy

from derivations.paper import lemma2, lemma3
from derivations.steps import by_degree
from derivations.steps.by_degree import bound, bound_powers, concentration, not_of_degree, order
from derivations.steps.chain import Chain, DoesNotApply, Rule
from derivations.steps.orders import WEIGHTS, bound_traces, element
from symbolic.algebra.words import Expression, matrix, scalar, tr
from symbolic.averages.expectation import variance
from symbolic.proofs.asymptotics import DELTA, Exponent, sharp_exponent

D, SIGMA = (matrix(name, "p", "p", symmetric=True) for name in ("D", "Sigma"))
p, n_t = scalar("p"), scalar("n_t")


@pytest.mark.parametrize(
    ("word", "exponent"),
    [
        (lemma2.word(0, 0, with_d=False, cross=False), sympy.Rational(1, 2)),
        (lemma2.word(1, 1, with_d=False, cross=True), sympy.Rational(5, 2)),
        (lemma2.word(1, 0, with_d=True, cross=False), 1 + DELTA / 2),
    ],
)
def test_the_order_of_a_mean_square_is_that_of_the_variances(word: Expression, exponent: sympy.Expr) -> None:
    chain = concentration(word, (("X_v1", "X_v2"), ("X_t1", "X_t2")), WEIGHTS)
    assert {move.check for move in chain.moves} == {"proved"}
    assert sympy.simplify(chain.parts["a"] - exponent) == 0
    spread = [bound_traces(variance(element(word, 1, column))) for column in (1, 2)]
    assert sympy.simplify(sharp_exponent([], spread, WEIGHTS).sympy() - exponent) == 0


def test_the_chain_of_lemma_3_reads_as_on_paper() -> None:
    chain = concentration(lemma3.word(0, 0), (("X_v",),), lemma3.ROWS_GROW)
    rules = [Rule.INSERT, Rule.AVERAGE, Rule.INSERT, Rule.INSERT, Rule.AVERAGE, Rule.ORDER]
    assert [move.rule for move in chain.moves] == rules
    assert chain.moves[-1].after == scalar("xi")
    assert set(chain.starts) == {0, 2}


@pytest.mark.parametrize(
    "claimed", [Exponent(Fraction(2)), Exponent(Fraction(4)), Exponent(Fraction(3), Fraction(1, 2))]
)
def test_a_wrong_degree_is_noticed(claimed: Exponent) -> None:
    expr = p**2 * n_t + 5 * p * n_t + scalar("trace") * p
    assert not_of_degree(expr, Exponent(Fraction(3)), WEIGHTS) == ""
    assert "grows like" in not_of_degree(expr, claimed, WEIGHTS)


def test_a_cancelled_term_does_not_count() -> None:
    expr = p**3 + n_t - p**3
    assert not_of_degree(expr, Exponent(Fraction(1)), WEIGHTS) == ""


def test_a_wrong_degree_fails_its_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_degree, "degree", lambda expr, weights: Exponent(Fraction(2)))
    (move,) = order(Chain(p * n_t + p**3), WEIGHTS).moves
    assert move.check == "failed"


def test_a_wrong_bound_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    start = tr(D) * tr(D) + 2 * tr(D @ D)
    (move,) = bound(Chain(start)).moves
    assert (move.check, move.after) == ("proved", (p + 2) * scalar("trace_of_square"))
    monkeypatch.setattr(by_degree, "bound_traces", lambda expr: 2 * scalar("trace_of_square"))
    assert bound(Chain(start)).moves[0].check == "failed"


def test_what_has_no_order_is_refused() -> None:
    with pytest.raises(DoesNotApply, match="vanishes identically"):
        order(Chain(p - p), WEIGHTS)
    with pytest.raises(DoesNotApply, match="no exponent dominates"):
        order(Chain(p * scalar("1/n_t") * scalar("trace") ** 2 + scalar("n_t")), WEIGHTS)
    with pytest.raises(DoesNotApply, match="order by degree"):
        order(Chain(tr(D)), WEIGHTS)


@pytest.mark.parametrize(
    ("start", "check"),
    [
        (tr(SIGMA) * tr(SIGMA @ SIGMA) + 2 * tr(SIGMA @ SIGMA @ SIGMA), "proved"),
        # with a minus, what is left out is no upper bound
        (tr(SIGMA) - tr(SIGMA @ SIGMA), "failed"),
    ],
)
def test_traces_of_powers_are_bounded_where_no_term_is_taken_away(start: Expression, check: str) -> None:
    (move,) = bound_powers(Chain(start)).moves
    assert move.check == check


def test_powers_of_another_letter_have_no_bound() -> None:
    with pytest.raises(DoesNotApply, match="no bound is known for traces of D"):
        bound_powers(Chain(tr(SIGMA @ D)))
