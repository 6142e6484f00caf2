"""The benchmark refuses to time what is not equal, and its stored results are those of its rows."""

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.run")


@pytest.fixture
def row(run: ModuleType) -> Any:
    return next(row for row in run.ROWS if row.name == "power-8")


def test_a_row_from_check_to_file(
    run: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.json"
    assert run.main(["--only", "power-8", "--repeats", "1", "--out", str(out)]) == 0
    record = json.loads(out.read_text())
    assert record["rows"][0]["name"] == "power-8"
    assert record["rows"][0]["methods"][0]["runs"] == 1
    assert "E W^8, general covariance" in capsys.readouterr().out


def test_a_wrong_result_is_not_timed(
    run: ModuleType, row: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = replace(row.methods[0], read=lambda moment: {})
    monkeypatch.setattr(run, "ROWS", (replace(row, methods=(wrong,)),))
    out = tmp_path / "results.json"
    assert run.main(["--out", str(out)]) == 1
    assert not out.exists()


def test_tools_that_differ_are_not_timed(run: ModuleType, row: Any) -> None:
    other = replace(row.methods[0], tool="another", read=lambda moment: {})
    with pytest.raises(RuntimeError, match="power-8: the results are not equal"):
        run.run_row(replace(row, methods=(row.methods[0], other)), 1, full=False)


def test_what_cannot_run_is_said(run: ModuleType, row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = replace(row.methods[0], tool="absent", missing="it is not installed")
    late = replace(row.methods[0], tool="late", slow=True)
    monkeypatch.setattr(run, "timed", lambda *_: {"median": 1.0, "fastest": 1.0, "slowest": 1.0, "runs": 1})
    methods = run.run_row(replace(row, methods=(row.methods[0], absent, late)), 1, full=False)["methods"]
    assert [method.get("left_out") for method in methods] == [
        None,
        "it is not installed",
        "takes long: run with --full",
    ]


@pytest.mark.parametrize(("limit", "met"), [(0.5, False), (2.0, True)])
def test_goals_in_seconds_and_ratios(run: ModuleType, row: Any, limit: float, met: bool) -> None:
    assert run.goal(replace(row, goal_seconds=limit), [{"median": 1.0}])["met"] is met
    own, peer = {"median": limit}, {"median": 1.0}
    assert run.goal(replace(row, goal_ratio=1.0), [own, peer])["met"] is (not met)
    assert run.goal(replace(row, goal_ratio=1.0), [own, {"left_out": "absent"}]) is None
    assert run.goal(row, [own]) is None


@pytest.mark.parametrize(
    ("processor", "kept", "said"), [(0.001, True, "kept"), (1.0, False, "MORE THAN 1.5")]
)
def test_the_ratio_to_the_yardstick_is_told(
    run: ModuleType, row: Any, monkeypatch: pytest.MonkeyPatch, processor: float, kept: bool, said: str
) -> None:
    times = {"median": 2.0, "fastest": 2.0, "slowest": 2.0, "runs": 1, "processor": processor}
    monkeypatch.setattr(run, "timed", lambda *_: times)
    record = run.run_row(row, 1, full=False)
    recorded = record["yardstick"]["seconds"]
    assert record["yardstick"] == {"seconds": recorded, "ratio": processor / recorded, "kept": kept}
    assert f"{processor / recorded:.2f} times, {said}" in run.show(record)
    assert run.yardstick("of another name", 1.0) is None


def test_every_row_of_the_yardstick_is_one(run: ModuleType) -> None:
    recorded = json.loads(run.YARDSTICK.read_text())["fastest"]
    assert len(recorded) >= 14
    assert set(recorded) <= {row.name for row in run.ROWS}


def test_published_values_are_compared_and_not_timed(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = next(row for row in run.ROWS if row.name == "published-traces-3")
    monkeypatch.setattr(run, "timed", lambda *_: {"median": 1.0, "fastest": 1.0, "slowest": 1.0, "runs": 1})
    assert [method.get("left_out") for method in run.run_row(row, 1, full=False)["methods"]] == [
        None,
        "published: equal",
    ]
    wrong = replace(row.methods[1], run=lambda: ((1340, 330, 11), (440, 1140, 100), (80, 600, 1000)))
    with pytest.raises(RuntimeError, match="not equal"):
        run.run_row(replace(row, methods=(row.methods[0], wrong)), 1, full=False)


def test_a_wrong_inverse_word_is_not_timed(run: ModuleType) -> None:
    row = next(row for row in run.ROWS if row.name == "inverse-word-2")
    other = next(row for row in run.ROWS if row.name == "inverse-word-4")
    with pytest.raises(RuntimeError, match="not equal"):
        run.run_row(replace(row, theorem=other.theorem), 1, full=False)


def exchanged(row: Any, wider: Any) -> Any:
    right = row.methods[1].run()
    wrong = {**right, "plain": right["turned"]} if isinstance(right, dict) else tuple(x[::-1] for x in right)
    return row.methods[0], replace(row.methods[1], run=lambda: wrong)


WRONG: dict[str, Callable[[Any, Any], Any]] = {
    "kronecker-inverse": exchanged,
    "pseudo-inverse-2": exchanged,
    "determinant-root": lambda row, wider: (row.methods[0], wider.determinant_power(2)[1]),
    "mixed-word": lambda row, wider: (wider.word("W A W^-1"),),
    "laplace-entries-3": lambda row, wider: (
        wider.value_of("tr(W^3)", {"n": 2, "Sigma": [[4, 0], [0, 1]]}, law="uniform"),
        row.methods[1],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_equal_beyond_words_in_w_is_not_timed(
    run: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "timed", lambda *_: {"median": 1.0, "fastest": 1.0, "slowest": 1.0, "runs": 1})
    row = next(row for row in run.ROWS if row.name == name)
    assert run.run_row(row, 1, full=False)["methods"]
    wider = importlib.import_module("benchmarks.wider")
    with pytest.raises(RuntimeError, match="not equal"):
        run.run_row(replace(row, methods=WRONG[name](row, wider)), 1, full=False)


def test_a_missed_goal_is_explained(run: ModuleType, row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "timed", lambda *_: {"median": 1.0, "fastest": 1.0, "slowest": 1.0, "runs": 1})
    record = run.run_row(replace(row, goal_seconds=0.1, bound="The result is large."), 1, full=False)
    assert record["note"] == "The result is large."
    assert "MISSED" in run.show(record)


def test_stored_results_are_those_of_the_rows(run: ModuleType) -> None:
    stored = json.loads(run.RESULTS.read_text())
    assert [(r["name"], r["title"], r["check"]) for r in stored["rows"]] == [
        (row.name, row.title, row.check) for row in run.ROWS
    ]
    for record in stored["rows"]:
        assert "median" in record["methods"][0]
        assert record.get("goal", {}).get("met", True) or record.get("note")
    assert set(stored["machine"]) == {"cpu", "cores"}


def test_repeats_must_be_positive(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["--repeats", "0"])
    assert "at least 1" in capsys.readouterr().err
