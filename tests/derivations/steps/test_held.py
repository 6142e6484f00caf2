"""Definitions put in are held against the steps that state them, at the move that puts them in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.language import model
from derivations.language.assumptions import PAPER, read
from derivations.paper import outer_problem
from derivations.paper.outer_problem import SHORT_A
from derivations.steps import held
from derivations.steps.chain import Chain, Rule
from derivations.steps.contents import find
from derivations.steps.held import Held
from symbolic.algebra.words import Expression, matrix

TASK = model.task(PAPER)
B, HELD = matrix("B", "n_v", "p"), Held(PAPER, {"A": TASK.contraction})


@pytest.mark.parametrize(
    ("value", "slug", "check"),
    [
        (TASK.x_v @ SHORT_A, "stacked-design", "proved"),
        (TASK.x_v @ SHORT_A @ SHORT_A, "stacked-design", "failed"),
        (-TASK.x_v @ SHORT_A, "stacked-design", "failed"),
        (TASK.x_v @ SHORT_A, "stacked-target", "failed"),
        (TASK.x_v @ SHORT_A, "gaussian-inputs", "failed"),
    ],
)
def test_a_definition_is_what_the_step_states(value: Expression, slug: str, check: str) -> None:
    (move,) = Chain(B.T @ B).insert({"B": value}, slug, held=HELD).moves
    assert move.check == check
    assert (move.disproved == f"B is not what {slug} states") == (check == "failed")


ONE, TWO = (model.task(PAPER, label) for label in "12")


@pytest.mark.parametrize(
    ("value", "check"),
    [
        (ONE.design, "proved"),
        (TWO.design, "proved"),
        (2 * ONE.design, "failed"),
        (ONE.x_v @ TWO.contraction, "failed"),
        (TASK.x_v @ TWO.contraction, "failed"),
        (TASK.x_t @ TASK.contraction, "failed"),
    ],
)
def test_what_is_stated_of_a_task_holds_of_any_one(value: Expression, check: str) -> None:
    rows = (value.shape or ("",))[0]
    b = matrix("B", rows, "p")
    (move,) = Chain(b.T @ b).insert({"B": value}, "stacked-design", held=Held(PAPER)).moves
    assert move.check == check


@pytest.mark.parametrize(
    "name",
    [
        *["6", "7", "58", "59", "65", "66", "67", "68", "70", "72", "75", "76", "77", "84", "85", "86"],
        *["115", "116", "117", "118", "119", "123", "124", "130", "131", "140"],
        *["exact-loss-at-zero", "exact-slope-at-zero", "deviation-at-zero-underparameterized"],
        *["two-small-matrices", "negative-rate-is-better", "theorem-1-remainder"],
        "reused-data-ignore-the-rate",
    ],
)
def test_a_cited_definition_that_is_another_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step that a proof cites states twice as much: the move that puts it in as it was says so."""
    step, parts = find(name), held.stated
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    assert all(move.check == "proved" for move in chain.moves)
    monkeypatch.setattr(held, "stated", lambda *given: tuple(2 * part for part in parts(*given)))
    inserts = [move.second_route()[1] for move in chain.moves if move.rule is Rule.INSERT]
    assert any("is not what" in said for said in inserts)


@pytest.mark.parametrize("changed", [[], ["inner_steps=2"], ["noise_val=1/2"], ["inputs=uniform"]])
@pytest.mark.parametrize("name", ["73", "89", "92", "60", "64"])
def test_the_proofs_put_in_what_is_stated(name: str, changed: list[str]) -> None:
    step, assumptions = find(name), read(changed)
    if name == "92" and changed in (["noise_val=1/2"], ["inputs=uniform"]):
        return
    assert step.derivation is not None
    assert step.derivation(assumptions).moves[0].disproved == ""


def test_a_step_that_is_read_must_state_something_of_what_is_put_in() -> None:
    held_to = Held(PAPER)
    values = {"B_1": TASK.design}
    assert held_to.not_stated(values, ("stacked-design",)) == ""
    both = ("stacked-design", "inverse-wishart-mean")
    assert held_to.not_stated(values, both) == "inverse-wishart-mean states none of what is put in"
    # unless it is said to be read for where the proof sets out
    assert replace(held_to, beside=("inverse-wishart-mean",)).not_stated(values, both) == ""


def test_a_mutated_definition_is_caught_where_it_is_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outer_problem, "SHORT_A", SHORT_A @ SHORT_A)
    chain = outer_problem._block_chain(PAPER)
    assert chain.moves[0].disproved == "delta_gamma is not what stacked-target states"
