"""All points as validation points at a rate of zero: the losses by plain NumPy, and proofs of something else fail."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from derivations.book_pages.reader import all_points as page
from derivations.language.assumptions import PAPER
from derivations.paper.beyond import all_points
from derivations.paper.beyond.all_points import EXAMPLES, FROM_MEAN, PARAMETERS, WITH_START, Example
from derivations.steps.contents import named
from derivations.verification.prove import prove
from symbolic.algebra.words import Expression, scalar

STEP = named("all-points-at-zero")
DRAWS = 400


def mean_deviation(
    rows: int, tasks: int, size: int, sigma: float, nu: float, start: float
) -> tuple[float, float]:
    """E|omega - w_0|^2 of plain least squares from a start at that squared distance, on rows of every task."""
    source = np.random.default_rng(rows)
    found = []
    begin = np.full(size, np.sqrt(start / size))
    for _ in range(DRAWS):
        x = source.standard_normal((tasks, rows, size))
        w = nu / np.sqrt(size) * source.standard_normal((tasks, size))
        y = np.einsum("irp,ip->ir", x, w) + sigma * source.standard_normal((tasks, rows))
        design, target = x.reshape(-1, size), y.ravel()
        omega = begin + np.linalg.lstsq(design, target - design @ begin, rcond=None)[0]
        found.append(float(omega @ omega))
    return float(np.mean(found)), float(np.std(found) / np.sqrt(DRAWS))


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_the_losses_of_the_table_are_those_of_plain_least_squares(example: Example) -> None:
    at = {name: float(getattr(example.setting, name)) for name in PARAMETERS}
    h_r = (1 - at["alpha_r"]) ** 2 + at["alpha_r"] ** 2 * (at["p"] + 1) / at["n_r"]
    constant = at["sigma"] ** 2 / 2 * (1 + at["alpha_r"] ** 2 * at["p"] / at["n_r"]) + h_r / 2 * at["nu"] ** 2
    of_all, few, best, rate = page.losses(example)
    for value, rows in ((of_all, at["n_t"] + at["n_v"]), (few, at["n_v"])):
        sizes = (int(rows), int(at["m"]), int(at["p"]))
        mean, error = mean_deviation(*sizes, at["sigma"], at["nu"], at["dist0_sq"])
        assert abs(2 * (value - constant) / h_r - mean) < 5 * error
    assert rate < 0
    assert best < few
    assert (best < of_all) is example.negative


def test_the_regimes_of_the_figures_are_those_of_all_points() -> None:
    for example in EXAMPLES:
        count = (example.setting.n_t + example.setting.n_v) * example.setting.m
        assert abs(count - example.setting.p) > 1
        assert example.regime.holds(count, example.setting.p)


def test_a_claim_of_the_other_sign_fails() -> None:
    for label in (FROM_MEAN, WITH_START, *(example.label for example in EXAMPLES)):
        claim = all_points._claim()
        claim[label] = -claim[label]
        assert prove(replace(STEP, claim=claim.copy)).status == "failed"


def test_a_loss_with_other_points_is_no_loss_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A little more, put in for the loss of all points, has the same signs, and is stated by no step."""
    right = all_points._Formula.with_points

    def more(self: all_points._Formula, points: Expression) -> all_points._Formula:
        found = right(self, points)
        return replace(found, loss=found.loss + Fraction(1, 100) * scalar("sigma") ** 2)

    def seen() -> list[bool]:
        return [bool(move.disproved) for move in all_points.all_points_chain.__wrapped__(PAPER).moves]

    assert not any(seen())
    monkeypatch.setattr(all_points._Formula, "with_points", more)
    assert any(seen())
