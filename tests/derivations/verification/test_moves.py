"""Sampling of moves: right ones agree, wrong ones do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from derivations.language.assumptions import PAPER
from derivations.steps.chain import Chain, Move, Rule
from derivations.steps.contents import find
from derivations.verification.moves import batch_value, sample_chain, sample_move
from symbolic.algebra.words import gaussian, identity, matrix, scalar, tr

SIZES = {
    "n": 5,
    "p": 3,
    "n_t": 5,
    "n_v": 4,
    "n_r": 6,
    "n_s": 7,
    "m": 2,
    "sigma": 0.8,
    "nu": 0.9,
    "alpha_t": -0.3,
    "alpha_r": 0.2,
}
X, B, D = gaussian("X", "n", "p"), matrix("B", "n", "p"), matrix("D", "p", "p", symmetric=True)


def test_a_batch_has_the_value_of_each_draw() -> None:
    generator = np.random.default_rng(1)
    x, d = generator.standard_normal((3, 5, 2)), generator.standard_normal((1, 2, 2))
    expr = 2 * X.T @ X @ matrix("D", "p", "p") + scalar("1/n") * tr(X.T @ X) * identity("p")
    found = batch_value(expr, {"X": x, "D": d}, {"n": 5.0, "p": 2.0})
    for one, value in zip(x, found, strict=True):
        w = one.T @ one
        np.testing.assert_allclose(value, 2 * w @ d[0] + np.trace(w) / 5 * np.eye(2))


@pytest.mark.parametrize("name", ["65", "73", "92"])
def test_the_moves_of_a_step_agree_with_sampling(name: str) -> None:
    step = find(name)
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    verdicts = [found[0].verdict for found in sample_chain(chain, step.name, [SIZES])]
    expected = ["not-applicable" if move.rule is Rule.SUM else "agree" for move in chain.moves]
    assert verdicts == expected


@pytest.mark.parametrize(
    "move",
    [
        Chain(X.T @ X).average("X").moves[0],
        Chain(B.T @ B).insert({"B": matrix("C", "n", "p") @ D}).moves[0],
        Chain(X.T @ X @ D @ X.T @ X).average("X").moves[0],
    ],
    ids=["average", "insert", "average of a square"],
)
def test_a_wrong_move_is_noticed(move: Move) -> None:
    assert sample_move(move, "right", SIZES).verdict == "agree"
    off = replace(move, after=move.after + move.after * scalar("1/n") * scalar("1/n"))
    assert sample_move(off, "wrong", SIZES).verdict == "disagree"
