"""Moves that rest on rotations: right ones are proved, wrong ones and wrong laws are caught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from derivations.language import model
from derivations.language.assumptions import PAPER, read
from derivations.paper.theorem1 import next_order, reused_data
from derivations.paper.theorem1.concentration import EXCESS, XI, excess_chain
from derivations.steps.chain import Chain, DoesNotApply, Rule, Tasks
from derivations.steps.rules import haar
from derivations.verification.moves import sample_move
from symbolic.algebra.words import (
    Expression,
    gaussian,
    identity,
    independent_entries,
    matrix,
    scalar,
    tr,
    vector,
)

B, D = matrix("B", "N", "p"), vector("d", "p")
GRAM, OWN, Z = (matrix(name, "N", "N", symmetric=True) for name in ("G", haar.OWN, "Z"))
SIZES = {
    "n_t": 3,
    "n_v": 2,
    "m": 2,
    "N": 4,
    "p": 12,
    "sigma": 0.8,
    "nu": 0.9,
    "alpha_t": 0.4,
    "dist0_sq": 0.6,
}
PLAIN = next_order.PLAIN_ROWS


def chain_of(block: Callable[[str], Expression]) -> Chain:
    return haar.project(Chain(D.T @ B.T @ GRAM @ B @ D), "G", Tasks({"B": block}))


def test_the_share_of_a_uniform_row_space() -> None:
    chain = chain_of(lambda label: model.task(read(["inner_steps=2"]), label).design)
    assert chain.result == scalar("N") * scalar("1/p") * (D.T @ D)
    (move,) = chain.moves
    assert (move.check, move.rule) == ("proved", Rule.HAAR)
    sampled = sample_move(move, "share", "share", SIZES)
    assert sampled is not None
    assert sampled.verdict == "agree"
    wrong = haar.not_projected(move.before, move.after * 2, "G", "B")
    assert wrong == "averaged over signed permutations of the coordinates it is another"


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (lambda label: independent_entries(f"X{label}", "n_v", "p", "uniform"), "changes under rotations"),
        (lambda label: gaussian(f"X{label}", "n_v", "p", "Sigma"), "changes under rotations"),
        (
            lambda label: gaussian(f"X{label}", "n_v", "p") @ matrix("S", "p", "p"),
            "does not turn with the inputs",
        ),
        (lambda label: gaussian("X1", "n_v", "p"), "share random letters"),
    ],
)
def test_a_row_space_that_is_not_uniform_is_refused(block: Callable[[str], Expression], said: str) -> None:
    with pytest.raises(DoesNotApply, match=f"Haar average: .*{said}"):
        chain_of(block)


def test_a_projection_that_does_not_occur_is_refused() -> None:
    with pytest.raises(DoesNotApply, match="the projection on the rows of B does not occur"):
        haar.project(Chain(D.T @ D), "G", PLAIN)


def test_the_own_share_of_a_task_depends_on_row_spaces_alone() -> None:
    made_of = next_order.tasks(PAPER)
    chain = haar.to_plain_rows(Chain(tr(GRAM @ OWN)), "G", next_order.PLAIN, made_of, PLAIN)
    haar.average_plain_rows(chain, next_order.PLAIN, PLAIN)
    assert [move.check for move in chain.moves] == ["proved", "proved"]
    for move in chain.moves:
        sampled = sample_move(move, "own", "own", SIZES)
        assert sampled is not None
        assert sampled.verdict == "agree"
    other = replace(made_of, blocks={**made_of.blocks, haar.OWN: lambda label: identity("n_v")})
    with pytest.raises(DoesNotApply, match="T is not made of the rows of a task"):
        haar.to_plain_rows(Chain(tr(GRAM @ OWN)), "G", next_order.PLAIN, other, PLAIN)


@pytest.mark.parametrize("extra", [scalar("s") * tr(GRAM @ OWN), scalar("N")])
def test_what_plain_rows_are_put_in_for_is_compared(
    extra: Expression, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second routes of both moves look at what these lead to."""
    start = scalar("s") * tr(GRAM @ OWN) + tr(GRAM @ Z)
    right_rewrite, right_mean = Expression.rewrite, haar.in_place_of

    def rewrite(expr: Expression, rules: Mapping[Any, Expression]) -> Expression:
        return right_rewrite(expr + extra if expr == start else expr, rules)

    def moves() -> list[str]:
        chain = haar.to_plain_rows(Chain(start), "G", next_order.PLAIN, next_order.tasks(PAPER), PLAIN)
        return [move.disproved for move in haar.average_plain_rows(chain, next_order.PLAIN, PLAIN).moves]

    assert moves() == ["", ""]
    monkeypatch.setattr(Expression, "rewrite", rewrite)
    assert "with the same row spaces" in moves()[0]
    monkeypatch.undo()
    monkeypatch.setattr(haar, "in_place_of", lambda *given: right_mean(*given) + scalar("s") * scalar("1/q"))
    assert "with single rows" in moves()[1]


@pytest.mark.parametrize(("dimension", "spare"), [(0, 1), (1, 0)])
def test_a_wrong_mean_of_an_inverse_is_caught(
    dimension: int, spare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = haar.mean_trace_of_inverse
    trace = tr(matrix(next_order.PLAIN, "N", "N", symmetric=True))
    assert not haar.average_plain_rows(Chain(trace), next_order.PLAIN, PLAIN).moves[0].disproved

    def wrong(size: Expression, freedom: Expression) -> tuple[Expression, Expression]:
        mean, below = right(size, freedom)
        return mean + dimension * scalar("1/q"), below + spare

    monkeypatch.setattr(haar, "mean_trace_of_inverse", wrong)
    assert (
        "with single rows"
        in haar.average_plain_rows(Chain(trace), next_order.PLAIN, PLAIN).moves[0].disproved
    )


def test_rows_that_are_not_plain_are_refused() -> None:
    trace = tr(matrix(next_order.PLAIN, "N", "N", symmetric=True))
    made_of = next_order.tasks(PAPER)
    with pytest.raises(DoesNotApply, match="no plain Gaussian rows"):
        haar.average_plain_rows(
            Chain(trace), next_order.PLAIN, Tasks({**made_of.blocks, "X": made_of.blocks["B"]})
        )
    with pytest.raises(DoesNotApply, match="a product of inverses"):
        haar.average_plain_rows(Chain(trace * trace), next_order.PLAIN, PLAIN)
    with pytest.raises(DoesNotApply, match="no inverse of plain rows"):
        haar.average_plain_rows(Chain(scalar("p")), next_order.PLAIN, PLAIN)


def test_a_factor_before_the_rows_cancels_or_is_refused() -> None:
    reused = read(["split=reused", "inner_steps=2"])
    (move,) = reused_data.without_factor(reused).moves
    assert (move.check, move.rule) == ("proved", Rule.CANCEL)
    assert haar.not_cancelled(move.before, move.after * 2, "BBT_inverse", "XXT_inverse")
    made_of = next_order.tasks(PAPER)
    with pytest.raises(DoesNotApply, match="no common factor"):
        haar.cancel(
            Chain(tr(GRAM)),
            "G",
            "XXT_inverse",
            lambda label: identity("n_t"),
            made_of,
            reused_data.plain_tasks(reused),
        )


@pytest.mark.parametrize(
    "words", [[], ["order=next"], ["split=reused"], ["inputs=uniform"], ["inner_steps=3"]]
)
def test_the_deviation_is_proved_under_assumptions(words: list[str]) -> None:
    chain = excess_chain(read(words))
    assert [move.disproved for move in chain.moves] == [""] * len(chain.moves)
    assert set(chain.parts) == {EXCESS}


def test_a_mean_is_put_in_only_where_it_was_found() -> None:
    chain = next_order.next_order(PAPER, XI)
    used = [move for move in chain.moves if move.rule is Rule.SHOWN]
    assert [move.check for move in used] == ["proved", "proved"]
    with pytest.raises(DoesNotApply, match="was not found above"):
        Chain(tr(OWN)).use(tr(OWN), "t")
    with pytest.raises(DoesNotApply, match="does not occur"):
        Chain(tr(B @ B.T)).sum_tasks(PLAIN).begin(scalar("p")).use(tr(B @ B.T), "t")
