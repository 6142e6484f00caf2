"""Integration by parts through an inverse, and its second route."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from derivations.steps.chain import Chain, DoesNotApply, Rule
from derivations.steps.rules.word_slopes import Word, _other_series, by_parts
from symbolic.algebra.words import Expression, gaussian, identity, matrix, tr

X, Y, D = gaussian("X", "n_v", "p"), gaussian("Y", "n_v", "p"), matrix("D", "p", "p")
A = matrix("A_t", "p", "p", symmetric=True)
R = matrix("G_inverse", "n_v", "n_v", symmetric=True)
GRAM = {"G_inverse": X @ A @ X.T}
FORM = tr(D @ X.T @ R @ X)
FIRST = (("D", False), ("X", True))
MARKS = {FIRST: D @ Y.T}


def test_a_projection_by_parts() -> None:
    chain = by_parts(Chain(FORM), "X", "Y", MARKS, GRAM)
    form = A @ X.T @ R @ X @ D
    expected = tr(R) * tr(D) - tr(R) * tr(form) - tr(A @ X.T @ R @ R @ X @ D)
    assert chain.result == expected
    assert chain.moves[-1].check == "proved"
    assert chain.moves[-1].rule is Rule.STEIN


def test_without_an_inverse_it_is_the_engine_s_mean() -> None:
    chain = by_parts(Chain(tr(D @ X.T @ X)), "X", "Y", MARKS, {})
    assert chain.result == Chain(tr(D @ X.T @ X)).average("X").result


@pytest.mark.parametrize(
    "marks",
    [
        {},
        MARKS | {(("G_inverse", False), ("X", False)): R @ Y},
        {FIRST: D @ A @ Y.T},
        {FIRST: D @ Y.T + A @ Y.T},
    ],
    ids=["no copy", "two copies", "another word", "one more term"],
)
def test_wrong_marks_are_refused(marks: Mapping[Word, Expression]) -> None:
    with pytest.raises(DoesNotApply):
        by_parts(Chain(FORM), "X", "Y", marks, GRAM)


@pytest.mark.parametrize(
    "wrong",
    [
        tr(R) * tr(D) - tr(R) * tr(A @ X.T @ R @ X @ D),
        tr(R) * tr(D) - tr(R) * tr(A @ X.T @ R @ X @ D) + tr(A @ X.T @ R @ R @ X @ D),
        tr(R) * tr(D) - 2 * tr(R) * tr(A @ X.T @ R @ X @ D) - tr(A @ X.T @ R @ R @ X @ D),
        tr(identity("n_v")) * tr(D) - tr(R) * tr(A @ X.T @ R @ X @ D) - tr(A @ X.T @ R @ R @ X @ D),
    ],
    ids=["last term missing", "its sign", "a factor", "R left out"],
)
def test_the_second_route_sees_another_mean(wrong: Expression) -> None:
    assert "differ" in _other_series(FORM, wrong, "X", GRAM)
