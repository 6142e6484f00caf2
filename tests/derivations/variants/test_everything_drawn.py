"""The plain protocol beside the estimator: a mistake of either shows where no formula enters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from derivations.language.assumptions import read
from derivations.steps.contents import find
from derivations.support import estimates
from derivations.variants.everything_drawn import LABEL, plain_check
from derivations.variants.losses import UNDER, few, setting_of, variant_checks
from numeric_check.estimators import plain

NOISY = read(["noise_val=1/3"])
SETTING = setting_of(UNDER, NOISY, few(UNDER, NOISY), start=0.0)


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    for memory in ("_simulated", "_batches"):
        monkeypatch.setattr(estimates, memory, {})


def test_both_agree() -> None:
    assert plain_check(SETTING, "loss", 0).verdict == "agree"


def _with_training_noise(generator: np.random.Generator, setting: Any, w_0: Any, draws: int) -> Any:
    return plain_data(generator, replace(setting, noise_val=None), w_0, draws)


def _towards_its_start(data: Any, setting: Any, omega_0: Any) -> Any:
    return 0.9 * plain_solution(data, setting, omega_0)


plain_data, plain_solution = plain.draw_meta_data, plain.solve_outer


@pytest.mark.parametrize(
    ("name", "wrong"), [("draw_meta_data", _with_training_noise), ("solve_outer", _towards_its_start)]
)
def test_a_wrong_protocol_is_seen(
    name: str, wrong: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, name, wrong)
    assert plain_check(SETTING, "excess", 0).verdict == "disagree"


def test_every_loss_under_changed_assumptions_is_held_against_it() -> None:
    (found,) = [check for check in variant_checks(find("theorem-2"), NOISY, 0) if check.label == LABEL]
    assert found.verdict == "agree"
