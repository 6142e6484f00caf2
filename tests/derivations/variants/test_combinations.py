"""The table of all pairs of changes: derived and confirmed, or refused with a reason; and what would not pass."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from derivations.book_pages.variants import grid
from derivations.language.assumptions import PAPER, read
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.values import evaluate
from derivations.paper.beyond.exact_slopes import known_exactly
from derivations.paper.theorem2.general_covariance import INVERSE, NORMAL
from derivations.steps.contents import load
from derivations.variants import combinations, losses
from derivations.variants.combinations import (
    CHANGES,
    DERIVED,
    OPEN,
    REFUSED,
    compute,
    judged,
    pairs,
    places,
    step_of,
    stored,
    write,
)
from derivations.variants.everything_drawn import LABEL as DRAWN
from derivations.variants.losses import LADDER, UNDER
from derivations.verification.plain_records import Record

AGREEING = {"verdict": "agree", "value": 1.0, "mean": 1.0, "stderr": 0.1, "move": 0, "label": "the loss"}
RECORD = {
    "proof": "derived",
    "proof_reason": "",
    "numeric": "agree",
    "numeric_reason": "4 comparisons",
    "checks": [AGREEING] * 4,
}
LAWS = ("inputs=rademacher", "inputs=uniform", "inputs=laplace")
# how many of the committed simulations a run redoes
REDONE = 12
# pairs whose derivation takes longest
LONG = {(steps, law) for steps in ("inner_steps=2", "inner_steps=4") for law in LAWS}


def test_all_pairs_of_different_assumptions_are_in() -> None:
    found = pairs()
    names = {word.partition("=")[0] for word in CHANGES}
    assert len(names) == 7
    for first in CHANGES:
        for second in CHANGES:
            if first.partition("=")[0] != second.partition("=")[0]:
                assert (first, second) in found or (second, first) in found


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, DERIVED),
        ({"proof": "not-applicable"}, REFUSED),
        ({"numeric": "disagree"}, OPEN),
        ({"numeric": "inconclusive"}, OPEN),
        ({"checks": [AGREEING] * 2}, OPEN),
        ({"checks": [AGREEING] * 2 + [AGREEING | {"move": 1}] * 3}, OPEN),
        ({"checks": [AGREEING] * 2 + [AGREEING | {"label": DRAWN}] * 3}, OPEN),
        ({"checks": []}, OPEN),
        ({"numeric": "not-applicable"}, OPEN),
        ({"proof": "failed"}, OPEN),
        ({"proof": "none"}, OPEN),
    ],
)
def test_only_what_is_sampled_at_three_sizes_counts(changed: dict[str, object], expected: str) -> None:
    assert judged(("inner_steps=2",), Regime.OVER, cast(Record, {**RECORD, **changed})).verdict == expected


def test_the_committed_table_has_every_pair_and_nothing_open(tmp_path: Path) -> None:
    found = stored()
    assert [(row.words, row.regime) for row in found] == places()
    verdicts = [row.verdict for row in found]
    assert OPEN not in verdicts
    assert {row.verdict for row in found if len(row.words) == 1} == {DERIVED}
    assert verdicts.count(DERIVED) > 2 * verdicts.count(REFUSED)
    assert all(len(row.reason) > 20 for row in found if row.verdict == REFUSED)
    assert "not confirmed" not in grid().text
    write(found, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == combinations.STORED.read_text()


def together(words: tuple[str, ...], regime: Regime, what: str) -> list[pytest.MarkDecorator]:
    """One worker for what shares the most: blocks of several laws, or values of the exact loss above p = n_v m."""
    steps = next((word for word in words if word.startswith("inner_steps=")), "inner_steps=1")
    exact = regime is Regime.OVER and known_exactly(read(words))
    if not exact and words not in LONG:
        return []
    return [pytest.mark.xdist_group(f"exact {steps}" if exact else f"{what} {steps} {regime}")]


# what is confirmed by the rate at which it nears the exact loss, or simulation, and not by its values: computed in every run
RATES = [row for row in stored() if row.checks and row.checks[-1]["comparison"] != "size"]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row,
            id=" ".join(row.words),
            marks=[
                pytest.mark.slow(30 if "inner_steps=4" in row.words else 5),
                *together(row.words, row.regime, "laws"),
            ],
        )
        for row in RATES
    ],
)
def test_what_is_held_to_the_exact_loss_is_held_in_every_run(row: combinations.Combination) -> None:
    (again,) = compute([(row.words, row.regime)])
    assert again.verdict == row.verdict, again.reason
    assert len(again.checks) >= len(row.checks)


def placed(what: str, seconds: float) -> list[Any]:
    """Every pair in both regimes; those that take longest are marked, and share a worker with what they share most with."""
    return [
        pytest.param(
            words,
            regime,
            id=f"{' '.join(words)}, {regime}",
            marks=[pytest.mark.slow(seconds), *together(words, regime, what)] if long(words) else (),
        )
        for words, regime in places()
    ]


def long(words: tuple[str, ...]) -> bool:
    """Whether the derivation takes seconds."""
    return words in LONG or "covariance=general" in words


@pytest.mark.parametrize(("words", "regime"), placed("laws", 10))
def test_the_committed_numbers_are_those_of_the_formulas(words: tuple[str, ...], regime: Regime) -> None:
    """With the value the verdict is the committed one: it follows from the value and the simulated mean beside it."""
    (row,) = (row for row in stored() if row.words == words and row.regime == regime)
    step, assumptions = load()[step_of(words, regime)], read(words)
    assert step.derive is not None
    if not row.checks:
        with pytest.raises(ValueError, match=r"\S+"):
            step.derive(assumptions)
        return
    if row in RATES:
        return
    parts = step.derive(assumptions)
    formula = to_sympy(next(iter(parts.values())))
    sizes = [check for check in row.checks if check["comparison"] == "size"]
    for k, check in zip(LADDER, sizes, strict=False):
        values = dict(losses.values_of(losses.setting_under(step.name, assumptions, k)))
        if NORMAL in parts:
            values[INVERSE] = np.linalg.inv(np.asarray(evaluate(to_sympy(parts[NORMAL]), values)))
        assert float(evaluate(formula, values)) == pytest.approx(check["value"], rel=1e-10, abs=0)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row, id=f"{row.regime}: {' '.join(row.words)}", marks=together(row.words, row.regime, "refused")
        )
        for row in stored()
        if row.verdict == REFUSED
    ],
)
def test_what_is_refused_is_refused_at_once_with_the_committed_reason(row: combinations.Combination) -> None:
    step = load()[step_of(row.words, row.regime)]
    assert step.derive is not None
    started = time.process_time()
    with pytest.raises(ValueError, match=r"\S+") as caught:
        step.derive(read(row.words))
    assert " ".join(str(caught.value).split())[:200] in row.reason
    assert time.process_time() - started < 20


@pytest.mark.slow(20)
@pytest.mark.parametrize("part", range(REDONE))
def test_a_random_pair_is_derived_and_confirmed_or_refused_as_committed(part: int) -> None:
    """The simulations are committed; of each part of the table one, another in every run, is simulated again."""
    elsewhere = {(row.words, row.regime) for row in RATES}
    words, regime = random.SystemRandom().choice([at for at in places() if at not in elsewhere][part::REDONE])
    (again,) = compute([(words, regime)])
    (committed,) = (row for row in stored() if (row.words, row.regime) == (words, regime))
    assert (words, regime, again.verdict) == (words, regime, committed.verdict), again.reason


@pytest.mark.slow
def test_the_gaussian_formula_does_not_pass_for_other_inputs() -> None:
    """Below p = n_v m; above it the law enters by h_r alone, which is sampled as a part of its own."""
    step = load()[UNDER]
    assert step.derive is not None
    gaussian = step.derive(PAPER)
    wrong = replace(step, derive=lambda assumptions: gaussian)
    verdicts = [check.verdict for check in losses.variant_checks(wrong, read(["inputs=rademacher"]), 0)]
    assert "disagree" in verdicts
