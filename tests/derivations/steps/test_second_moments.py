"""Second moments of a uniform rotation, with mistakes put in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules.second_moments import not_turned, two_of_a_rotation
from derivations.verification.moves import sample_move
from symbolic.algebra.words import Expression, matrix, reciprocal, tr

O, A = matrix("O", "p", "p"), matrix("A", "p", "p")
SIZES = {"p": 3}


@pytest.mark.parametrize(
    ("word", "mean"),
    [(O @ A @ O, A.T), (O @ A @ O.T @ A, tr(A) * A), (tr(A @ O) * tr(A @ O), tr(A @ A.T))],
)
def test_two_factors_average_by_their_second_moments(word: Expression, mean: Expression) -> None:
    chain = two_of_a_rotation(Chain(word), "O")
    assert chain.result == reciprocal("p") * mean
    assert chain.moves[-1].disproved == ""


def test_a_frame_has_the_second_moments_of_its_columns() -> None:
    q, h = matrix("Q", "n", "p"), matrix("H", "n", "n", symmetric=True)
    chain = two_of_a_rotation(Chain(tr(A @ q.T @ h @ q)), "Q")
    assert chain.result == reciprocal("p") * tr(A) * tr(h)
    assert chain.moves[-1].disproved == ""
    assert "signed permutations" in not_turned(
        chain.moves[-1].before, reciprocal("n") * tr(A) * tr(h), "Q", "Q_rest"
    )


@pytest.mark.parametrize("wrong", [A.T, reciprocal("p") * A, 2 * reciprocal("p") * A.T])
def test_another_mean_is_seen(wrong: Expression) -> None:
    assert "signed permutations" in not_turned(O @ A @ O, wrong, "O", "O_rest")


def test_another_mean_is_seen_by_sampling() -> None:
    (move,) = two_of_a_rotation(Chain(tr(A @ O) * tr(A @ O)), "O").moves
    wrong = replace(move, after=2 * move.after)
    found = [sample_move(one, "a move", "rotations", SIZES) for one in (move, wrong)]
    assert [check.verdict for check in found if check is not None] == ["agree", "disagree"]


@pytest.mark.parametrize("word", [O, O @ O @ O @ O, A, O @ A @ O + A])
def test_any_other_number_of_factors_is_refused(word: Expression) -> None:
    with pytest.raises(DoesNotApply):
        two_of_a_rotation(Chain(word), "O")
