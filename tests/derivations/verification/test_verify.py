"""Verdicts of the numeric side: the truth agrees, a wrong value does not, and results are remembered by content."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from derivations.language.assumptions import PAPER
from derivations.steps.contents import load
from derivations.steps.step import Observed
from derivations.support import store
from derivations.typeset import committed_text
from derivations.verification.measure import checks
from derivations.verification.verify import verify, verify_step
from numeric_check.draws.sample import Sample

STEPS = load()


def test_a_wrong_value_disagrees() -> None:
    step = STEPS["wishart-second-moment"]
    derived = {label: part * 2 for label, part in step.derive(PAPER).items()}
    assert {check.verdict for check in checks(step, PAPER, derived)} == {"disagree"}


def test_the_second_probe_sees_an_error_off_the_diagonal() -> None:
    step = STEPS["wishart-mean"]
    found = checks(step, PAPER, STEPS["wishart-mean"].derive(PAPER))
    assert {check.verdict for check in found} == {"agree"}

    def skewed(sample: Sample) -> Observed:
        observed = {label: array.copy() for label, array in step.observe(sample).items()}
        for array in observed.values():
            array[:, 0, 1] += 3.0
        return observed

    found = checks(replace(step, observe=skewed), PAPER, step.derive(PAPER))
    assert "disagree" in {check.verdict for check in found}


def test_results_are_remembered_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    first = verify_step("rows-sandwich")
    assert first["passed"]
    assert verify_step("rows-sandwich") == first
    store.close()
    with closing(sqlite3.connect(store.file())) as file, file:
        assert file.execute("UPDATE results SET result = 'damaged'").rowcount > 0
    assert verify_step("rows-sandwich")["passed"]


def test_committed_formulas_are_current() -> None:
    assert committed_text.check(None, PAPER) == []


def test_an_edited_formula_is_noticed(tmp_path: Path) -> None:
    (path,) = committed_text.write(tmp_path, PAPER)
    path.write_text(path.read_text().replace("sigma", "tau", 1))
    assert committed_text.check(tmp_path, PAPER) == [path.name]


@pytest.mark.slow
def test_every_step_passes() -> None:
    assert [record["name"] for record in verify() if not record["passed"]] == []
