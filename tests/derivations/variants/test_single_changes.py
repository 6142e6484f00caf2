"""Every step under each single change: derived, or refused with the reason, and neither takes long."""

from __future__ import annotations

import time

import pytest

from derivations.formulas.by_name import evaluate_named
from derivations.language.assumptions import PAPER, NotDerivable, read
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import alpha_r, n_r, p
from derivations.paper.target_task import loss_coefficients
from derivations.steps import contents
from derivations.verification.prove import prove

CHANGES = (
    "inner_steps=2",
    "adaptation_steps=2",
    "inputs=rademacher",
    "covariance=general",
    "split=reused",
    "noise_val=1/3",
    "order=next",
)
# far above what any step takes, far below a search for closed forms that does not end
MOST_CPU_SECONDS = 60
BRACKET = contents.find("adaptation-rate-bracket")


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_every_step_is_decided_under_a_single_change(change: str) -> None:
    assumptions = read([change])
    for step in contents.load().values():
        started = time.process_time()
        proof = prove(step, assumptions)
        assert proof.status not in ("failed", "none"), (step.name, proof.detail)
        assert proof.status != "not-applicable" or proof.detail, step.name
        assert time.process_time() - started < MOST_CPU_SECONDS, step.name


def test_bracket_of_several_adaptation_steps_is_refused_at_once() -> None:
    assumptions = read(["adaptation_steps=2"])
    proof = prove(BRACKET, assumptions)
    assert proof.status == "not-applicable"
    assert "has degree 4 in alpha_r" in proof.detail
    with pytest.raises(NotDerivable, match="`derive optimum` with alpha_r left out"):
        evaluate_named(BRACKET.name, {"p": 3, "n_r": 5}, assumptions)


def test_bracket_ends_where_the_adaptation_factor_is_least() -> None:
    end = evaluate_named(BRACKET.name, {"p": 3, "n_r": 5})["value"]
    factor = to_sympy(loss_coefficients(PAPER)[1])
    values = {x: factor.subs({alpha_r: x, p: 3, n_r: 5}) for x in (end - 1e-3, end, end + 1e-3)}
    assert min(values, key=lambda x: float(values[x])) == end
