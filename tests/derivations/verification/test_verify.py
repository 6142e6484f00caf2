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
from derivations.support.sources import reached
from derivations.typeset import committed_text
from derivations.verification import verify as verification
from derivations.verification.measure import checks
from derivations.verification.verify import keys_of, modules_of, verify, verify_step
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


def test_the_modules_of_what_decides_a_status_are_in_its_key() -> None:
    """Also those that a bound, a condition or a counterexample rests on, and not the step itself."""
    keys = {name: reached(keys_of(name)["proof"].modules) for name in STEPS}
    for step in STEPS.values():
        for other in (*step.uses, *step.proofs):
            assert reached(modules_of(other)) <= keys[step.name], (step.name, other)
    assert "derivations.paper.moments" in keys["theorem-1"]


def test_a_step_that_looks_up_what_it_does_not_name_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit of that would not change the key of what is kept."""
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    monkeypatch.setattr("derivations.support.workers.cores", lambda: 1)
    # what was found before in this process looks up nothing
    monkeypatch.setattr("derivations.verification.prove._known", {})
    named, module = verification.ancestors, "derivations.paper.theorem3.loss"
    monkeypatch.setattr(
        verification, "ancestors", lambda names, *, deciding=False: named(names, deciding=False)
    )
    record = verify_step("theorem-3", numeric=False)
    assert record["proof"] == "failed"
    assert "which it does not say that it rests on" in record["proof_reason"]
    assert module not in record["proof_reason"]
    assert store.contents()["kinds"].keys() <= {"sources", "seconds"}
    monkeypatch.undo()
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    assert verify_step("theorem-3", numeric=False)["passed"]


def test_committed_formulas_are_current() -> None:
    assert committed_text.check(None, PAPER) == []


def test_an_edited_formula_is_noticed(tmp_path: Path) -> None:
    (path,) = committed_text.write(tmp_path, PAPER)
    path.write_text(path.read_text().replace("sigma", "tau", 1))
    assert committed_text.check(tmp_path, PAPER) == [path.name]


@pytest.mark.slow
def test_every_step_passes() -> None:
    assert [record["name"] for record in verify() if not record["passed"]] == []
