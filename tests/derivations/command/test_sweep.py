"""`derive sweep`: rows against `derive eval` and `derive simulate`, what is refused, what is kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from derivations.command import sweep
from derivations.command.cli import main
from derivations.command.simulate import run as simulated
from derivations.formulas.by_name import evaluate_named
from derivations.formulas.parameters import parse_values
from derivations.language.assumptions import PAPER, read
from tests.derivations.conftest import edited

LOSS = ["n_t=30", "n_v=2", "n_r=20", "m=3", "p=60", "sigma=1", "nu=0.5"]


@pytest.mark.parametrize("assume", [[], ["noise_val=1/2"], ["inputs=laplace"]])
@pytest.mark.parametrize(
    "ranges",
    [
        ["alpha_t=-1:1:0.25", "alpha_r=0.2"],
        ["alpha_t=-1:1:1", "alpha_r=0:0.4:0.1"],
        ["p=20:60:20", "alpha_t=0.1", "alpha_r=0"],
    ],
)
def test_each_row_is_what_eval_gives(ranges: list[str], assume: list[str]) -> None:
    fixed = [word for word in LOSS if word.partition("=")[0] not in {r.partition("=")[0] for r in ranges}]
    assumptions = read(assume)
    rows = sweep.run("eq5", [*fixed, *ranges], assumptions)
    for row in rows:
        words = [word for word in [*fixed, *ranges] if ":" not in word]
        point = {key: value for key, value in row.items() if key != "value"}
        words += [f"{key}={int(value) if key == 'p' else value}" for key, value in point.items()]
        assert row["value"] == pytest.approx(
            evaluate_named("eq5", parse_values(words), assumptions)["value"], rel=1e-12
        )


def test_both_ends_are_rows_and_the_grid_is_exact() -> None:
    rows = sweep.run("eq5", [*LOSS, "alpha_r=0.2", "alpha_t=-2:2:0.1"], PAPER)
    assert [row["alpha_t"] for row in rows] == [k / 10 for k in range(-20, 21)]
    assert {*sweep.run("eq8", ["p=60", "n_t=10:30:10"], PAPER)[0]} == {"n_t", "minimum", "maximum"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["alpha_t=0.1", "alpha_r=0.2"], "one or two ranges"),
        (["alpha_t=0:1", "alpha_r=0.2"], "FROM:TO:STEP"),
        (["alpha_t=0:1:0", "alpha_r=0.2"], "never arrives"),
        (["alpha_t=0:1:-0.1", "alpha_r=0.2"], "never arrives"),
        (["alpha_t=0:1:1e-9", "alpha_r=0.2"], "larger step"),
        (["alpha_t=0:x:1", "alpha_r=0.2"], "no number"),
        (["alpha_t=0:1:0.5", "alpha_t=0.1", "alpha_r=0.2"], "one or two ranges|keep one"),
        (["alpha_q=0:1:0.5", "alpha_t=0.1", "alpha_r=0.2"], "unknown parameter"),
        (["alpha_t=0:1:0.5"], "needs alpha_r"),
    ],
)
def test_bad_ranges_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sweep.run("eq5", [*LOSS, *words], PAPER)


def test_a_row_outside_the_regime_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for word in LOSS if not word.startswith("p=")]
    assert main(["sweep", "eq5", *words, "alpha_t=0.1", "alpha_r=0.2", "p=3:9:3"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "p > n_v m" in err


def test_the_file_holds_the_rows_and_appears_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "loss.csv"
    words = ["sweep", "eq5", *LOSS, "alpha_r=0.2", "alpha_t=0:1:0.5", "--out", str(out)]
    assert main([*words, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    with out.open() as file:
        assert [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)] == rows
    assert [path.name for path in tmp_path.iterdir()] == ["loss.csv"]
    assert main([*words[:-1], str(tmp_path / "none" / "loss.csv")]) == 2
    assert main([*words[:-1], str(tmp_path / "loss.txt")]) == 2


def test_simulated_rows_are_kept_through_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    made: list[str] = []

    def counted(name: str, words: list[str], **options: Any) -> Any:
        made.append(words[-1])
        if len(made) == 2:
            raise KeyboardInterrupt
        return simulated(name, words, **options)

    words = [*LOSS, "alpha_r=0.2", "alpha_t=0:1:0.5"]
    monkeypatch.setattr(sweep, "simulated", counted)
    with pytest.raises(KeyboardInterrupt):
        sweep.run("eq5", words, PAPER, simulate=True, rel_error=0.01)
    rows = sweep.run("eq5", words, PAPER, simulate=True, rel_error=0.01)
    assert made == ["alpha_t=0", "alpha_t=1/2", "alpha_t=1/2", "alpha_t=1"]
    direct = simulated("eq5", [*LOSS, "alpha_r=0.2", "alpha_t=1/2"], rel_error=0.01, explain=False)
    assert rows[1] == {"alpha_t": 0.5, **direct}


def test_a_row_is_made_anew_after_an_edit_of_its_formula_or_its_law(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    made: list[str] = []

    def counted(name: str, words: list[str], **options: Any) -> dict[str, float]:
        made.append(words[-1])
        return {"mean": 1.0}

    monkeypatch.setattr(sweep, "simulated", counted)
    words = [*LOSS, "alpha_r=0.2", "alpha_t=0:1:1"]
    for module, rows in {
        "": 2,
        "derivations.paper.theorem1.loss": 2,
        "derivations.paper.theorem3.loss": 0,
    }.items():
        with edited(module):
            sweep.run("eq5", words, PAPER, simulate=True, rel_error=0.01)
        assert len(made) == rows, module
        made.clear()
    sweep.run("eq5", words, read(["inputs=triangular"]), simulate=True, rel_error=0.01)
    made.clear()
    with edited("derivations.extensions.triangular"):
        sweep.run("eq5", words, read(["inputs=triangular"]), simulate=True, rel_error=0.01)
    assert len(made) == 2


def test_rows_of_another_question_are_never_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    made: list[str] = []

    def counted(name: str, words: list[str], **options: Any) -> dict[str, float]:
        made.append(name)
        return {"mean": 1.0}

    monkeypatch.setattr(sweep, "simulated", counted)
    words = [*LOSS, "alpha_r=0.2", "alpha_t=0:1:1"]
    questions: list[tuple[str, list[str], dict[str, Any]]] = [
        ("eq5", words, {}),
        ("eq5", words, {"seed": 1}),
        ("eq5", words, {"rel_error": 0.02}),
        ("eq5", words, {"rel_error": None}),
        ("exact-loss", words, {}),
        ("eq5", [*words[1:], "n_t=31"], {}),
        *(
            ("eq5", words, {"assume": [text]})
            for text in ("inputs=laplace", "inputs=uniform", "noise_val=1/2")
        ),
        *(("eq5", words, {"assume": [f"inner_steps={count}"]}) for count in (2, 3)),
    ]
    for count in (2, 0):
        for name, given, options in questions:
            made.clear()
            asked = {"rel_error": 0.01, **{key: value for key, value in options.items() if key != "assume"}}
            sweep.run(name, given, read(options.get("assume", [])), simulate=True, **asked)
            assert len(made) == count, (name, options)
