"""Solutions put in: held against the exact solution of their equations; inverses that cancel."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derivations.steps.chain import Chain, DoesNotApply, Rule
from derivations.steps.rules import solutions
from symbolic.algebra.words import Expression, matrix, tr, vector

B, GAMMA, START, OMEGA = solutions.DESIGN, solutions.TARGET, vector("omega_0", "p"), vector("omega", "p")
GRAM, NORMAL = matrix("G", "N", "N", symmetric=True), matrix("G", "p", "p", symmetric=True)
ABOVE, BELOW = {"G": B @ B.T}, {"G": B.T @ B}


def test_the_solutions_are_proved() -> None:
    above = solutions.nearest(Chain(OMEGA), "omega", "G", START)
    below = solutions.least_squares(Chain(OMEGA), "omega", "G")
    assert [(m.rule, m.check) for m in (*above.moves, *below.moves)] == [
        (Rule.NEAREST, "proved"),
        (Rule.LEAST_SQUARES, "proved"),
    ]


@pytest.mark.parametrize(
    ("solution", "inverses", "start"),
    [
        (B.T @ GRAM @ GAMMA, ABOVE, START),  # a solution, but the one nearest to zero
        (START + B.T @ GRAM @ (GAMMA + B @ START), ABOVE, START),
        (B.T @ GRAM @ GRAM @ GAMMA, ABOVE, 0 * START),
        (NORMAL @ NORMAL @ B.T @ GAMMA, BELOW, None),
        (-NORMAL @ B.T @ GAMMA, BELOW, None),
    ],
)
def test_a_wrong_solution_is_caught(
    solution: Expression, inverses: dict[str, Expression], start: Expression | None
) -> None:
    assert solutions.not_solved(solution, inverses, start)


def test_an_inverse_cancels_what_it_inverts() -> None:
    chain = solutions.cancel_inverse(Chain(tr(GRAM @ B @ B.T @ GRAM)), "G", ("B", False), ("B", True))
    assert chain.result == tr(GRAM)
    assert chain.moves[0].check == "proved"
    other = solutions.cancel_inverse(Chain(NORMAL @ B.T @ B), "G", ("B", True), ("B", False))
    assert other.moves[0].check == "proved"


@pytest.mark.parametrize(
    ("move", "said"),
    [
        (lambda: solutions.nearest(Chain(START), "omega", "G", START), "minimum norm: omega does not occur"),
        (lambda: solutions.least_squares(Chain(START), "omega", "G"), "least squares: omega does not occur"),
        (
            lambda: solutions.cancel_inverse(Chain(tr(GRAM @ GRAM)), "G", ("B", False), ("B", True)),
            "cancel an inverse: G does not occur beside B",
        ),
        (
            lambda: solutions.cancel_inverse(Chain(B.T @ GRAM @ B), "G", ("B", False), ("B", True)),
            "stands nowhere beside what it inverts",
        ),
    ],
)
def test_a_move_that_does_not_apply_is_refused_by_name(move: Callable[[], Chain], said: str) -> None:
    with pytest.raises(DoesNotApply, match=said):
        move()
