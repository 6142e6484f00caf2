"""The rules by which Theorem 2 is put together by names: wrong ones are caught."""

from __future__ import annotations

import pytest

from derivations.language.assumptions import PAPER, read
from derivations.paper.theorem2 import expansion
from derivations.paper.theorem2.expansion import excess_proof, general_chain, loss_proof
from derivations.steps.chain import Chain, Rule
from symbolic.algebra.words import Expression, constant, matrix, scalar, tr

S, H = (matrix(name, "p", "p", symmetric=True) for name in ("Sigma", "H_inverse"))


def test_the_proof_of_97_reads_as_on_paper() -> None:
    rules = [Rule.NAME, Rule.INVERSE, Rule.MEAN, Rule.KEEP, Rule.CENTRED, Rule.EXPAND, Rule.EXPAND]
    assert [move.rule for move in excess_proof(PAPER).moves] == rules
    assert [move.disproved for move in loss_proof(PAPER).moves] == ["", ""]


def test_a_mean_written_by_wrong_names_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = expansion._noise_by_name
    expansion.excess_proof.cache_clear()
    monkeypatch.setattr(expansion, "_noise_by_name", lambda a: right(a) + scalar("g_3"))
    assert excess_proof(PAPER).moves[-1].disproved == "what is put in for g is not the mean"
    expansion.excess_proof.cache_clear()


@pytest.mark.parametrize(("factor", "check"), [(1, "proved"), (2, "failed")])
def test_factors_commute_with_the_inverse_of_a_polynomial(factor: int, check: str) -> None:
    other = matrix("D", "p", "p", symmetric=True)

    def reordered(expr: Expression) -> Expression:
        return constant(factor) * tr(H @ S @ S @ other)

    (move,) = Chain(tr(S @ H @ S @ other)).commute(reordered, "H_inverse", S + S @ S).moves
    assert move.check == check


def test_general_covariances_are_proved_too() -> None:
    assert {move.check for move in general_chain(read(["covariance=general"])).moves} == {"proved"}
