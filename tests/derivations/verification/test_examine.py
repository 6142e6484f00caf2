"""One step is proved once; whatever goes wrong in it is said of it, and of no other."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import numpy as np
import pytest

from derivations.command.cli import main
from derivations.command.junit import junit
from derivations.language.assumptions import PAPER, Assumptions, read
from derivations.steps import contents
from derivations.steps.status import NumericStatus, ProofStatus
from derivations.steps.step import Check, Derived, Step
from derivations.support import store
from derivations.verification import prove as proving
from derivations.verification import verify as verification
from derivations.verification.examine import Examined, examine
from derivations.verification.growth import sign_check
from derivations.verification.plain_records import CheckRecord, Record, as_record
from derivations.verification.verify import all_pass, checked, keys_of, passed, verify, verify_jobs

NAME, OTHERS = "rows-sandwich", ("wishart-mean", "columns-sandwich")
STEP = contents.named(NAME)


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "store"))
    monkeypatch.setattr("derivations.support.workers.cores", lambda: 1)


def put(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """The step, changed, in the place of the true one."""
    changed = replace(STEP, **changes)
    monkeypatch.setattr(verification, "named", lambda name: changed if name == NAME else contents.named(name))


def counted(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> Counter[str]:
    calls: Counter[str] = Counter()
    original = getattr(module, name)

    def spy(*arguments: object, **options: object) -> object:
        calls[name] += 1
        return original(*arguments, **options)

    monkeypatch.setattr(module, name, spy)
    return calls


def test_a_step_is_derived_and_proved_once_and_its_keys_are_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    derived: list[Assumptions] = []

    def derive(assumptions: Assumptions) -> Derived:
        derived.append(assumptions)
        return STEP.derive(assumptions)

    put(monkeypatch, derive=derive)
    proofs = counted(monkeypatch, verification, "examine")
    keys = counted(monkeypatch, verification, "keys_of")
    (record,) = verify([NAME])
    assert record["passed"]
    assert (derived, proofs["examine"], keys["keys_of"]) == ([PAPER], 1, 1)


def test_only_the_part_that_is_missing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = verify([NAME], numeric=False)
    asked: list[object] = []
    original = verification.examine

    def spy(
        step: Step, assumptions: Assumptions, wanted: list[str], *rest: int, **options: object
    ) -> Examined:
        asked.append((wanted, options["known"] is not None))
        return original(step, assumptions, wanted, *rest, **options)

    monkeypatch.setattr(verification, "examine", spy)
    (second,) = verify([NAME])
    assert asked == [(["numeric"], True)]
    assert (first["proof"], second["proof"], second["numeric"]) == ("proved", "proved", "agree")


def test_a_proof_that_others_rest_on_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rests, on = "excess-underparameterized-short", "theorem-2-remainder"
    verify([on], numeric=False)
    monkeypatch.setattr(proving, "_known", {})
    asked: list[str] = []
    original = proving.prove
    monkeypatch.setattr(
        proving, "prove", lambda step, *rest: (asked.append(step.name), original(step, *rest))[1]
    )
    (record,) = verify([rests], numeric=False)
    assert (asked, record["passed"]) == ([rests], True)
    # unless all is to be computed anew
    monkeypatch.setattr(proving, "_known", {})
    (again,) = verify([rests], numeric=False, fresh=True)
    assert (asked, again["proof"]) == ([rests, rests, on], record["proof"])


def test_what_was_told_of_a_proof_does_not_stand_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rests, on = "excess-underparameterized-short", "theorem-2-remainder"
    monkeypatch.setattr(proving, "_known", {})
    store.save(keys_of(on)["proof"], {"result": {"proof": "failed", "proof_reason": ""}, "seconds": 0.0})
    assert verify([rests], numeric=False)[0]["proof"] == "failed"
    assert verify([on], numeric=False, fresh=True)[0]["passed"]
    assert verify([rests], numeric=False, fresh=True)[0]["passed"]


@pytest.mark.parametrize("status", ["failed", "conjecture"])
def test_a_step_fails_by_the_proof_of_another_that_is_told(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests, on = "excess-underparameterized-short", "theorem-2-remainder"
    monkeypatch.setattr(proving, "_known", {})
    store.save(keys_of(on)["proof"], {"result": {"proof": status, "proof_reason": ""}, "seconds": 0.0})
    (record,) = verify([rests], numeric=False)
    assert (record["proof"], record["proof_reason"]) == ("failed", f"it rests on {on}, which is {status}")


def raising(error: Exception) -> Callable[..., object]:
    def function(*arguments: object) -> object:
        raise error

    return function


def endless(*arguments: object) -> list[Check]:
    return [Check("a", {}, 1.0, math.nan, 1.0, 9, 0.0, "inconclusive", "not finite")]


def unbounded(*arguments: object) -> list[Check]:
    return [sign_check("a", {}, math.inf, 1.0, 1.0, said="it is", draws=9, seconds=0.0)]


BREAKS: dict[str, tuple[dict[str, object], str, str, str]] = {
    "engine": (
        {"derive": raising(AssertionError("engine and pairings disagree"))},
        "failed",
        "failed",
        "pairings",
    ),
    "size": ({"check": raising(ValueError("matmul: wrong size"))}, "proved", "failed", "wrong size"),
    "memory": ({"observe": raising(MemoryError())}, "proved", "failed", "MemoryError"),
    "finite": ({"check": endless}, "proved", "failed", "the mean is nan"),
    "sign": ({"check": unbounded}, "proved", "failed", "the number with the sign is inf"),
    "claim": ({"claim": raising(KeyError("no such letter"))}, "failed", "agree", "no such letter"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_what_goes_wrong_in_one_step_is_said_of_that_step(
    case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, proof, numeric, said = BREAKS[case]
    put(monkeypatch, **changes)
    assert main(["verify", NAME, *OTHERS, "--json"]) == 1
    records = {record["name"]: record for record in json.loads(capsys.readouterr().out)}
    broken = records.pop(NAME)
    assert (broken["proof"], broken["numeric"], broken["passed"]) == (proof, numeric, False)
    assert said in f"{broken['proof_reason']} {broken['numeric_reason']}"
    assert {record["passed"] for record in records.values()} == {True}
    assert len(records) == len(OTHERS)


def test_what_an_exception_ended_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        put(patch, observe=raising(MemoryError()))
        assert verify([NAME])[0]["numeric"] == "failed"
    held = {part: store.load(key) for part, key in keys_of(NAME).items()}
    assert held["proof"] is not None
    assert held["numeric"] is None
    assert verify([NAME])[0]["passed"]


def die(*arguments: object, **options: object) -> Examined:
    import os

    os._exit(9)


def test_a_lost_process_costs_its_own_steps_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivations.support.workers.cores", lambda: 2)
    monkeypatch.setattr(verification, "_examined", die)
    records = verify([NAME, *OTHERS, "label-noise"], numeric=False)
    assert [record["proof"] for record in records] == ["failed"] * 4
    assert "lost its worker" in records[0]["proof_reason"]


def test_a_process_that_is_lost_while_it_samples_leaves_the_proof_that_is_kept() -> None:
    future: Future[Examined] = Future()
    future.set_exception(RuntimeError("lost"))
    found = verification._outcome(future, ["numeric"])
    assert {*found.parts} == found.broken == {"numeric"}


@pytest.mark.parametrize("damage", ["{}", "", b"\xff"])
def test_a_damaged_entry_is_computed_anew(damage: object, capsys: pytest.CaptureFixture[str]) -> None:
    before = verify([NAME])
    with closing(sqlite3.connect(store.file())) as other, other:
        other.execute("UPDATE results SET result = ?", (damage,))
    after = verify([NAME])
    assert [row["numeric"] for row in after] == [row["numeric"] for row in before] == ["agree"]
    assert capsys.readouterr().err.count("is damaged") == 3  # the proof, the number, the seconds
    assert store.check() == {}


def test_nothing_can_be_written_and_results_come_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "file"))
    assert {record["passed"] for record in verify([NAME, *OTHERS])} == {True}
    assert capsys.readouterr().err.count("not kept") == 1


# -- order and progress -------------------------------------------------------------------------------------


def test_the_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [NAME, *OTHERS]
    verify(names)
    took = store.load(store.key("seconds", ()))
    assert took is not None
    assert set(took) == {f"{name}, paper" for name in names}
    store.save(
        store.key("seconds", ()), dict(zip((f"{name}, paper" for name in names), (1, 3, 2), strict=True))
    )
    order: list[str] = []
    verify(names, fresh=True, report=lambda record, done, total: order.append(record["name"]))
    assert order == ["wishart-mean", "columns-sandwich", NAME]


def test_ticks_say_what_is_running(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setattr("numeric_check.draws.executor.TICK", 0.01)
    heard: list[tuple[object, int, int]] = []

    def claim() -> object:
        latest = time.monotonic() + 60
        while len(heard) <= 3 and time.monotonic() < latest:
            time.sleep(0.01)
        return STEP.claim()

    put(monkeypatch, claim=claim)
    verify_jobs(
        [(NAME, PAPER)], numeric=False, tick=lambda running, done, total: heard.append((running, done, total))
    )
    assert len(heard) > 3
    assert heard[0] == ([NAME], 0, 1)


def test_the_number_of_processes_changes_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for count in (1, 2):
        monkeypatch.setattr("derivations.support.workers.cores", lambda count=count: count)
        records = verify([NAME, *OTHERS], fresh=True)
        found.append([[check["mean"] for check in record["checks"]] for record in records])
    assert found[0] == found[1]


# -- what counts as a pass ----------------------------------------------------------------------------------


def test_nothing_checked_is_not_a_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "eq5", "--assume", "order=next", "--assume", "inputs=laplace"]) == 1
    assert "nothing was checked: proof not-applicable: the next order" in capsys.readouterr().out
    assert main(["verify", "figure-1"]) == 1
    assert not all_pass([])


def test_a_check_is_kept_field_by_field() -> None:
    check = Check("p", {"n": 7.0}, 1.0, 1.0, 0.1, 9, 0.1, "agree", "close")
    assert as_record(check).keys() == CheckRecord.__annotations__.keys()


def of_statuses(proof: str, numeric: str) -> Record:
    return cast(Record, {"proof": proof, "numeric": numeric})


@pytest.mark.parametrize("status", ProofStatus)
def test_a_proof_passes_when_it_is_no_failure(status: ProofStatus) -> None:
    record = of_statuses(str(status), "skipped")
    failed = status in ("failed", "none")
    assert passed(str(status), "skipped") == (not failed)
    assert checked(record) == (status not in ("none", "not-applicable", "skipped", "conjecture"))


@pytest.mark.parametrize("status", NumericStatus)
def test_a_number_passes_when_nothing_is_open(status: NumericStatus) -> None:
    record = of_statuses("skipped", str(status))
    assert passed("skipped", str(status)) == (status not in ("disagree", "inconclusive", "failed"))
    assert checked(record) == (status not in ("not-applicable", "skipped"))


# -- the report for continuous integration ------------------------------------------------------------------


def test_the_report_has_a_case_for_each_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(monkeypatch, derive=raising(AssertionError("a < b & \x00\x1b ]]> \ud800")))
    out = tmp_path / "report.xml"
    assert main(["verify", NAME, *OTHERS, "figure-1", "--junit", str(out)]) == 1
    suites = ElementTree.parse(out).getroot()
    (suite,) = suites
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "skipped": "1",
    }
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {NAME: ["failure"], "wishart-mean": [], "columns-sandwich": [], "figure-1": ["skipped"]}
    said = suite.find("testcase/failure").get("message")
    assert said.startswith("proof failed: AssertionError: a < b & ?? ]]> ?")
    capsys.readouterr()
    assert main(["verify", NAME, "--junit", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_report_of_nothing_is_valid() -> None:
    assert ElementTree.fromstring(junit([]).encode()).get("tests") == "0"


def test_changed_arrays_are_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sampled value that is not finite is no verdict but a failure of its step, with a reason in words."""
    wrong = replace(STEP, observe=lambda sample: {k: v * np.inf for k, v in STEP.observe(sample).items()})
    found = examine(wrong, PAPER, ["numeric"])
    result = found.parts["numeric"]["result"]
    assert result["numeric"] == "failed"
    json.dumps(found.parts, allow_nan=False)


def test_a_worker_goes_on_in_its_room() -> None:
    """And when that is done in a room that nobody has, then in another's."""
    names = ["weighted-square", "stationary-rates", "exact-variances", "theorem-1-remainder", "wishart-mean"]
    ended: list[verification.Task] = []
    tasks: list[verification.Task] = [((name, PAPER), ["proof"], 0, None) for name in names]
    begun = verification._by_rooms(tasks, ended)
    first, second = next(begun), next(begun)
    order = [first, second]
    for done in (second, first):
        ended.append(done)
        order.append(next(begun))
    ended.append(order[2])
    order.append(next(begun))
    assert [task[0][0] for task in order] == [
        "weighted-square",
        "stationary-rates",
        "theorem-1-remainder",
        "exact-variances",
        "wishart-mean",
    ]
    ended.append(order[3])
    assert list(begun) == []
    late = verification._by_rooms([tasks[0], tasks[2]], ended := [])
    assert [next(late)[0][0], next(late)[0][0]] == ["weighted-square", "exact-variances"]


def test_what_rests_on_a_proof_comes_after_it() -> None:
    """And waits for nothing where there is nothing else."""
    names = ["excess-overparameterized", "theorem-1-remainder-bounded", "stationary-rates", "exact-variances"]
    ended: list[verification.Task] = []
    begun = verification._by_rooms([((name, PAPER), ["proof"], 0, None) for name in names], ended)
    order = [next(begun), next(begun)]
    for _ in range(2):
        ended.append(order[-1])
        order.append(next(begun))
    assert [task[0][0] for task in order] == [*names[1:], names[0]]


# -- what is taken from the store under a changed assumption ---------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words", "again"),
    [
        ("columns-sandwich", ["inputs=laplace"], False),
        ("rows-sandwich", ["covariance=general"], False),
        ("label-noise", ["adaptation_steps=3"], False),
        ("stacked-design", ["adaptation_steps=3"], False),
        ("stacked-design", ["inner_steps=2"], True),
        ("adaptation-factor", ["adaptation_steps=3"], True),
        ("adaptation-factor", ["inner_steps=2"], False),
    ],
)
def test_moves_that_an_assumption_leaves_valid_come_from_the_store(
    name: str, words: list[str], again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proof and samples of a step are those under the paper's assumptions unless what it rests on changes."""
    (first,) = verify([name])
    computed = counted(monkeypatch, verification, "_computed")
    (second,) = verify([name], read(words))
    assert computed["_computed"] == again
    if not again:
        assert second == first


def test_where_nothing_is_compared_a_step_does_not_pass() -> None:
    silent = replace(STEP, observe=None, derivation=None, check=lambda *given: [])
    found = examine(silent, PAPER, ["proof", "numeric"]).parts
    assert found["numeric"]["result"]["numeric"] == "inconclusive"
    assert found["numeric"]["result"]["numeric_reason"] == "nothing was compared"
    assert not passed(found["proof"]["result"]["proof"], found["numeric"]["result"]["numeric"])


def _without(label: str, step: Step) -> Step:
    """The step with one of its labels not observed."""
    assert step.observe is not None
    observed = step.observe
    return replace(step, observe=lambda sample: {k: v for k, v in observed(sample).items() if k != label})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda step: replace(step, sizes=step.sizes[:2]), "observed at 2 sizes: give 3 or more"),
        (lambda step: _without(min(step.derive(PAPER)), step), "is not observed, and no reason is given"),
        (
            lambda step: replace(step, resolution=dict.fromkeys(step.derive(PAPER), 1e6)),
            "a resolution of 1e+06 allows more than the value",
        ),
    ],
    ids=["too few sizes", "a label not observed", "a resolution above the value"],
)
def test_an_observation_that_leaves_something_out_does_not_agree(
    change: Callable[[Step], Step], said: str
) -> None:
    step = contents.named("task-average")
    assert step.check is None
    found = examine(change(step), PAPER, ["numeric"], known={"result": {"proof": "proved"}})
    result = found.parts["numeric"]["result"]
    assert result["numeric"] == "inconclusive"
    assert said in result["numeric_reason"]


def test_what_does_not_apply_under_the_papers_own_assumptions_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, applies=lambda assumptions: "not here")
    (record,) = verify([NAME], numeric=False)
    assert (record["proof"], record["passed"]) == ("failed", False)
    assert "does not apply under the paper's assumptions: not here" in record["proof_reason"]
    changed = proving.prove(replace(STEP, applies=lambda assumptions: "not here"), read(["inner_steps=2"]))
    assert changed.status == "not-applicable"
