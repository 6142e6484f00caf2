"""What is conjectured of the exact deviation below p = n_v m: a status of its own, on which nothing rests, and its evidence."""

from __future__ import annotations

import random
import secrets
from dataclasses import replace

import pytest
import sympy

from derivations.language.assumptions import PAPER
from derivations.paper.beyond import below_conjecture
from derivations.paper.beyond.below_conjecture import COUNT, SEED, beyond, change, random_place, row, shipped
from derivations.steps.chain import DoesNotApply
from derivations.steps.contents import find
from derivations.steps.status import ProofStatus
from derivations.typeset.proofs import proof_text
from derivations.verification.measure import checks
from derivations.verification.prove import prove
from numeric_check.estimators.differences import rate_scale
from numeric_check.estimators.tails import mean_is_finite
from numeric_check.problem.setting import Setting

STEP = find("noise-costs-less-at-a-negative-rate")
DOCUMENT = shipped()


def test_it_is_neither_proved_nor_failed() -> None:
    status = prove(STEP, PAPER).status
    assert status is ProofStatus.CONJECTURE
    assert (status.passes, status.stands, status.checked) == (True, False, False)


def test_there_is_no_proof_to_show() -> None:
    with pytest.raises(DoesNotApply, match="is a conjecture: nobody has proved it"):
        proof_text(STEP, PAPER)


def test_nothing_may_rest_on_it() -> None:
    found = prove(replace(find("theorem-2-minimum-is-negative"), uses=(STEP.name,)), PAPER)
    assert found.status is ProofStatus.FAILED
    assert "which is a conjecture" in found.detail


def test_a_conjecture_derives_nothing() -> None:
    with pytest.raises(ValueError, match="a conjecture derives nothing"):
        replace(STEP, derive=lambda assumptions: {})


def test_the_places_are_those_that_the_seed_draws() -> None:
    generator = random.Random(SEED)
    drawn = [random_place(generator) for _ in range(COUNT)]
    assert [(one["sizes"], one["rate"]) for one in DOCUMENT["rows"]] == drawn


def test_at_every_place_it_is_borne_out() -> None:
    for what in ("sigma", "nu above", "nu below"):
        assert beyond(DOCUMENT["rows"], what, 5) == COUNT


def test_a_random_sample_is_drawn_again() -> None:
    for one in random.Random(secrets.randbits(32)).sample(DOCUMENT["rows"], 3):
        again = row(one["sizes"], one["rate"])
        for what, seen in one["changes"].items():
            assert again["changes"][what]["draws"] == seen["draws"]
            assert again["changes"][what]["mean"] == pytest.approx(seen["mean"], rel=1e-6)


def test_sampling_refutes_each_part_with_the_other_sign() -> None:
    right = checks(STEP, PAPER, {}, 0)
    assert {check.verdict for check in right} == {"agree"}
    turned = {label: -part for label, part in below_conjecture.CLAIMED.items()}
    wrong = checks(
        replace(STEP, claim=lambda: {k: sympy.Integer(v) for k, v in turned.items()}), PAPER, {}, 0
    )
    assert {check.verdict for check in wrong} == {"disagree"}


def near_the_edge(generator: random.Random) -> Setting:
    """Label noise alone, at random sizes up to p = n_v m - 4 with a finite mean at rates of both signs, and a negative rate."""
    while True:
        n_t, n_v, m = generator.randint(1, 12), generator.randint(1, 5), generator.randint(3, 12)
        if n_v * m < 6:
            continue
        p = generator.randint(1, n_v * m - 4)
        found = Setting(n_t=n_t, n_v=n_v, n_r=3, m=m, p=p, sigma=1.0, nu=0.0, alpha_t=0.1, alpha_r=0.0)
        rate = generator.uniform(0.3, 2.0) * rate_scale(found)
        settings = [replace(found, alpha_t=side * rate) for side in (-1, 1)]
        if all(map(mean_is_finite, settings)):
            return settings[0]


@pytest.mark.slow(30)
def test_label_noise_costs_more_at_the_positive_rate_close_to_the_edge_too() -> None:
    generator, undecided = random.Random(9), []
    for _ in range(COUNT):
        setting = near_the_edge(generator)
        found = change(setting, -setting.alpha_t)
        undecided += [(setting, found)] if not found.mean > 5 * found.stderr else []
    assert undecided == []
