"""What is observed rests on draws: no formula of the engine is on the observing side, and wrong ones are noticed."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import derivations
from derivations.language.assumptions import PAPER
from derivations.steps.contents import load
from derivations.steps.draws import Array
from derivations.steps.labels import LEADING
from derivations.steps.task_draws import (
    covariance_halves,
    gradient_step,
    isotropic_tasks,
    outer_product,
    target,
)
from derivations.verification.growth import fluctuation_check
from numeric_check.draws.sample import Sample

STEPS = load()
FOLDER = Path(derivations.__file__).parent
OBSERVING = (
    "steps/draws",
    "steps/task_draws",
    "steps/discrete_law",
    "paper/outer_problem_draws",
    "paper/target_task_draws",
    "paper/theorem1/block_draws",
    "paper/theorem3/sampled_blocks",
)
# where formulas are derived, or stated by hand
FORMULAS = (
    "derivations.language.model",
    "derivations.paper.theorem1.concentration",
    "derivations.paper.outer_problem",
    "derivations.paper.theorem3.concentration",
    "derivations.paper.target_task",
    "derivations.paper.theorem2.concentration",
    "derivations.paper.theorem2.expansion",
    "derivations.language.symbols",
    "symbolic.averages.expectation",
    "symbolic.averages.rows",
)


def imported(path: Path) -> set[str]:
    """Every module that a file imports, `from package import module` included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("module", OBSERVING)
def test_an_observation_imports_no_formula(module: str) -> None:
    assert imported(FOLDER / f"{module}.py").isdisjoint(FORMULAS)


def test_an_imported_formula_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "observing.py"
    path.write_text(
        "from derivations.language import model\nfrom derivations.paper.theorem1.concentration import gram\n"
    )
    assert len(imported(path) & set(FORMULAS)) == 2


SMALL = {"n_t": 5, "n_v": 2, "p": 3, "alpha_t": 0.4, "sigma": 0.8, "nu": 0.9}


def test_gamma_multiplied_from_the_left_is_that_of_the_inner_step() -> None:
    inputs = Sample("gamma", SMALL, batch=1)
    x_t, x_v = (np.repeat(inputs.gaussian(rows, "p"), 200, axis=0) for rows in ("n_t", "n_v"))
    sample = Sample("gamma", SMALL, 1, batch=200)
    halves = covariance_halves(sample, x_t, x_v, isotropic_tasks(sample, "p", 1000))
    plain = outer_product(target(sample, x_t, x_v, isotropic_tasks(sample, "p", 500))) / 500
    for estimate in (*halves, plain):
        spread = np.hypot(estimate.std(axis=0), plain.std(axis=0)) / np.sqrt(200)
        assert (np.abs(estimate.mean(axis=0) - plain.mean(axis=0)) < 5 * spread + 1e-12).all()


def test_without_noise_gamma_is_exactly_that_of_the_inner_step() -> None:
    sample = Sample("gamma", {**SMALL, "sigma": 0.0}, batch=4)
    x_t, x_v = sample.gaussian("n_t", "p"), sample.gaussian("n_v", "p")
    w = isotropic_tasks(sample, "p", 6)
    gamma = x_v @ (w - gradient_step(np.zeros_like(w), x_t, x_t @ w, 0.4))
    halves = covariance_halves(sample, x_t, x_v, w)
    for estimate, half in zip(halves, (gamma[..., :3], gamma[..., 3:]), strict=True):
        np.testing.assert_allclose(estimate, outer_product(half) / 3, rtol=1e-10)


# (77) is not among them: its matrix of rank one fluctuates by as much as its mean, which is sampled on its own.
FLUCTUATING = (
    "rows-through-wishart",
    "columns-after-wishart",
    "gram-concentrates",
    "noise-concentrates",
    "normal-matrix-concentrates",
    "general-gram-concentrates",
    "general-noise-concentrates",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", FLUCTUATING)
def test_a_wrong_leading_part_does_not_fluctuate_as_stated(name: str) -> None:
    step = STEPS[name]
    derived = dict(step.derive(PAPER))
    assert {check.verdict for check in step.check(step, PAPER, 0)} == {"agree"}
    derived[LEADING] = 2 * derived[LEADING]
    wrong = replace(step, derive=lambda assumptions: derived)
    assert "agree" not in {check.verdict for check in step.check(wrong, PAPER, 0)}


LADDER = tuple({"xi": k, "p": k, "n_t": k} for k in (8, 16, 32, 64))


def doubtful(sample: Sample) -> tuple[Array, Array]:
    """Two estimates of zero with nothing but noise in them."""
    first, second = sample.gaussian(1, 1), sample.gaussian(1, 1)
    return first, second


def halved(sample: Sample) -> tuple[Array, Array]:
    """A number that fluctuates by xi^-1/2, estimated twice with noise that does not fall."""
    number = 3 * sample["xi"] ** -0.5 * sample.gaussian(1, 1)
    return number + 0.5 * sample.gaussian(1, 1), number + 0.5 * sample.gaussian(1, 1)


def test_halves_take_the_noise_of_a_sampled_average_away() -> None:
    found = fluctuation_check("halves", "halves", LADDER, halved, -0.5, draws=4000)
    assert found.verdict == "agree"
    once = fluctuation_check("one", "one", LADDER, lambda sample: halved(sample)[0], -0.5, draws=4000)
    assert once.verdict != "agree"


def test_noise_alone_is_not_taken_for_a_fluctuation() -> None:
    assert fluctuation_check("noise", "noise", LADDER, doubtful, 0.0, draws=4000).verdict == "inconclusive"
