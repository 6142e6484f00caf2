"""The reduction to one task: its moves hold, wrong ones are seen by their second routes, and its sign at every size."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

from derivations.language.assumptions import PAPER, NotDerivable, read
from derivations.language.normal_form import to_sympy
from derivations.paper.beyond import reduction
from derivations.paper.beyond.one_task import mean_of_inverse, one_task
from derivations.steps.chain import Chain, DoesNotApply, Rule
from derivations.steps.contents import find
from derivations.steps.rules import rotations
from derivations.steps.rules.certified_signs import EVERYWHERE
from derivations.steps.rules.rotations import by_invariance, gram, linear_image, rewritten
from derivations.verification.moves import sample_move
from derivations.verification.prove import difference
from symbolic.algebra.words import Expression, gaussian, identity, matrix, scalar, tr

NAMES = ("one-task-suffices", "two-small-matrices", "negative-rate-is-better")
SIZES = {"n_v": 2, "q": 6, "p": 8, "n_t": 3, "n_o": 2, "N": 4, "m": 2}
Q, X = matrix("Q", "n_v", "p"), gaussian("X", "n_t", "p")
R, G = (matrix(name, "n_v", "n_v", symmetric=True) for name in ("R", "G"))
H = matrix("H", "p", "p", symmetric=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("words", [[], ["noise_val=1/3"], ["inner_steps=2"]], ids=str)
def test_every_move_is_proved(name: str, words: list[str]) -> None:
    step, assumptions = find(name), read(words)
    if step.applies(assumptions) is None:
        assert step.derivation is not None
        assert [move.disproved for move in step.derivation(assumptions).moves if move.disproved] == []


def test_the_words_of_the_chain_are_those_that_are_evaluated() -> None:
    parts, task = reduction.one_task_chain(PAPER).parts, one_task(PAPER).split()
    assert parts["M"] == task.gram
    named = to_sympy(task.weight).subs(sympy.Symbol("mean_inverse"), mean_of_inverse())
    assert difference(named, parts[reduction.MEAN_K]).is_zero()


@pytest.mark.parametrize("words", [["inputs=uniform"], ["covariance=general"], ["split=reused"]])
def test_where_the_law_turns_it_does_not_apply(words: list[str]) -> None:
    for name in NAMES:
        assert find(name).applies(read(words))
        derive = find(name).derive
        assert derive is not None
        with pytest.raises(NotDerivable):
            derive(read(words))


@pytest.mark.parametrize("words", [["inner_steps=2"], ["inner_steps=3"]])
def test_with_more_steps_the_sign_is_not_claimed(words: list[str]) -> None:
    assert "positive rate can be better" in str(find("negative-rate-is-better").applies(read(words)))


# Each rule, with a mistake put in


def turned() -> Chain:
    chain = Chain(tr(R @ G))
    return by_invariance(chain, "Q", "Q_perp", "R", {"R": Q @ H @ Q.T})


def test_the_average_over_a_frame_is_a_multiple_of_the_identity() -> None:
    assert turned().result == scalar("1/n_v") * tr(R) * tr(G)
    (move,) = turned().moves
    assert move.disproved == ""
    wrong = replace(move, after=2 * move.after)
    found = [sample_move(one, "a move", "frames", SIZES) for one in (move, wrong)]
    assert [check.verdict for check in found if check is not None] == ["agree", "disagree"]


def test_a_matrix_that_does_not_turn_with_the_frame_is_seen() -> None:
    chain = Chain(tr(R @ G))
    by_invariance(chain, "Q", "Q_perp", "R", {"R": Q @ H @ Q.T + G})
    assert chain.moves[-1].disproved


def test_invariance_needs_one_matrix_in_every_term() -> None:
    with pytest.raises(DoesNotApply, match="once in every term"):
        by_invariance(Chain(tr(R @ R)), "Q", "Q_perp", "R", {"R": Q @ H @ Q.T})


@pytest.mark.parametrize("factor", [1, 2])
def test_a_wrong_inverse_is_seen(factor: int) -> None:
    b, inverse = matrix("B", "n_v", "p"), matrix("B_inverse", "n_v", "n_v", symmetric=True)
    chain = rewritten(
        Chain(tr(inverse @ b @ b.T)),
        Rule.CANCEL_INVERSE,
        {(("B_inverse", False), ("B", False), ("B", True)): factor * identity("n_v")},
        inverses={"B_inverse": b @ b.T},
    )
    assert bool(chain.moves[-1].disproved) == (factor == 2)


def test_a_frame_that_is_none_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the rows are not orthogonal, Q Q^T is not I."""
    rule = {(("Q", False), ("Q", True)): identity("n_v")}
    assert not rewritten(Chain(Q @ Q.T), Rule.POLAR, rule, frames={"Q": "Q_perp"}).moves[-1].disproved
    monkeypatch.setattr(
        rotations, "_orthogonal", lambda source, size: rotations.random_matrix(source, size, size)
    )
    assert rewritten(Chain(Q @ Q.T), Rule.POLAR, rule, frames={"Q": "Q_perp"}).moves[-1].disproved


def test_a_gaussian_image_with_another_covariance_is_seen() -> None:
    def seen(data: Expression) -> str:
        chain = Chain(Q @ data.T @ data @ Q.T)
        (move,) = linear_image(chain, "X", "Q", "Q_perp", "U", "V").moves
        return move.disproved

    assert seen(X) == ""
    assert seen(gaussian("X", "n_t", "p", covariance="H")) != ""


def test_only_gram_matrices_with_positive_factors_have_a_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    u = gaussian("U", "n_t", "n_v")
    chain = gram(Chain(3 * u.T @ u), EVERYWHERE, "sign")
    assert chain.moves[-1].disproved == ""
    for wrong in (u.T @ matrix("W", "n_t", "n_t") @ u, G):
        with pytest.raises(DoesNotApply, match="no sum of Gram matrices"):
            gram(Chain(wrong), EVERYWHERE, "sign")
    negative = Chain(-1 * u.T @ u)
    with pytest.raises(DoesNotApply, match="may be negative"):
        gram(negative, EVERYWHERE, "sign")
    monkeypatch.setattr(rotations, "is_not_negative", lambda factor, domain: True)
    assert gram(negative, EVERYWHERE, "sign").moves[-1].disproved


@pytest.mark.parametrize("which", range(3))
def test_a_wrong_factor_of_the_tasks_fails(which: int, monkeypatch: pytest.MonkeyPatch) -> None:
    right = reduction.tasks_factor()
    wrong = (right * 2, right.subs(reduction.n_v, reduction.n_v + 1), 1 / right)[which]
    monkeypatch.setattr(reduction, "tasks_factor", lambda: wrong)
    (said,) = [move.disproved for move in reduction.tasks_chain.__wrapped__(PAPER).moves if move.disproved]
    assert "beta and gamma integrals give another mean" in said
