"""What bounds the remainders of the proportional limit, by plain NumPy; and a wrong equation is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from derivations.language.assumptions import PAPER
from derivations.paper.large_sizes.proportional_limit import DATA, INVERSE, RESOLVENT, SQUARE
from derivations.paper.large_sizes.remainders import BY_PARTS, remainders_chain
from derivations.steps.contents import named
from derivations.steps.rules import word_slopes
from symbolic.algebra.words import tr


@pytest.mark.parametrize("scale", [1, 3])
def test_what_the_remark_says_holds_for_drawn_inputs(scale: int) -> None:
    generator = np.random.default_rng(7)
    n_t, n_v, p = 6 * scale, 3 * scale, 12 * scale
    x_t = generator.standard_normal((n_t, p))
    square = np.linalg.matrix_power(np.eye(p) + 0.5 / n_t * x_t.T @ x_t, 2)
    x_v = generator.standard_normal((2000, n_v, p))
    inverse = np.linalg.inv(x_v @ square @ np.swapaxes(x_v, 1, 2))
    traces = np.trace(inverse, axis1=1, axis2=2)
    kappa, spread = float(traces.mean()), float(traces.std())
    resolvent = np.linalg.inv(np.eye(p) + kappa * square)
    of_square = float(np.einsum("kij,kji->k", inverse, inverse).mean())
    most = (spread * (kappa + spread) + 2 * of_square) / kappa
    assert spread**2 * (p - n_v) / (1 + kappa) < most
    assert abs(n_v - kappa * np.trace(square @ resolvent)) < 1 + n_v * spread / kappa
    assert n_v / np.trace(square) < kappa < n_v / (p - n_v - 1)


def test_a_wrong_derivative_by_parts_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = word_slopes._by_parts_of

    def seen() -> list[bool]:
        return [bool(move.disproved) for move in remainders_chain.__wrapped__(PAPER).moves]

    assert not any(seen())
    monkeypatch.setattr(word_slopes, "_by_parts_of", lambda *given: 2 * right(*given))
    assert any(seen())


def test_an_equation_without_the_last_trace_is_seen_by_sampling() -> None:
    step = named("proportional-remainders")
    assert step.check is not None
    assert step.derive is not None
    assert {check.verdict for check in step.check(step, PAPER, 0)} == {"agree"}
    parts = step.derive(PAPER)
    last = -2 * tr(SQUARE @ DATA.T @ INVERSE**3 @ DATA @ SQUARE @ RESOLVENT)
    wrong = {**parts, BY_PARTS: parts[BY_PARTS] - last}
    found = step.check(replace(step, derive=lambda assumptions: wrong), PAPER, 0)
    assert "disagree" in {check.verdict for check in found}
