"""The contract of the command: one JSON document on stdout, one line on stderr, exit status 0, 1, 2 or 3."""

from __future__ import annotations

import json

import pytest

from derivations.command import commands
from derivations.command.cli import main
from derivations.steps.contents import load
from derivations.verification.verify import describe

FIGURE_2 = ["n_t=30", "n_v=2", "n_r=20", "m=3", "p=60", "sigma=1", "nu=0.5", "alpha_t=0.2", "alpha_r=0.2"]
BAD = {
    "no command": [],
    "unknown command": ["lst"],
    "unknown name": ["eval", "eq55x", "n_t=3"],
    "unknown parameter": ["eval", "eq5", *FIGURE_2, "sigmaa=1"],
    "missing parameter": ["eval", "eq5", *FIGURE_2[1:]],
    "fractional dimension": ["eval", "eq5", *FIGURE_2[1:], "n_t=3.5"],
    "zero dimension": ["eval", "eq5", *FIGURE_2[1:], "n_t=0"],
    "NaN rate": ["eval", "eq5", *FIGURE_2[:-1], "alpha_r=nan"],
    "infinite rate": ["eval", "eq5", *FIGURE_2[:-1], "alpha_r=inf"],
    "negative noise": ["eval", "eq5", *[w for w in FIGURE_2 if not w.startswith("sigma")], "sigma=-1"],
    "wrong regime": ["eval", "eq5", *[w for w in FIGURE_2 if not w.startswith("n_v")], "n_v=40"],
    "wrong regime below": ["eval", "eq9", *FIGURE_2],
    "unknown assumption": ["verify", "--assume", "inner_step=2"],
    "bad assumption": ["verify", "--assume", "inner_steps=two"],
    "syntax": ["moment", "W^2 tr(W"],
    "unknown letter": ["moment", "W Q W"],
    "nonexistent inverse moment": ["moment", "W^-2", "n=4", "p=3"],
    "negative error": ["simulate", "eq5", *FIGURE_2, "--rel-error", "-1"],
    "missing file": ["eval", "eq14", *FIGURE_2, "Sigma=@nowhere.npy"],
    "unknown figure": ["figure", "9"],
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_two(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(BAD[case]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("argv", "keys"),
    [
        (["eval", "eq5", *FIGURE_2], {"value"}),
        (["eval", "eq8", "n_t=30", "p=60"], {"minimum", "maximum"}),
        (
            ["optimum", "eq5", *[w for w in FIGURE_2 if not w.startswith("alpha_t")]],
            {"alpha_t", "loss", "certificate"},
        ),
        (["simulate", "eq5", *FIGURE_2, "--rel-error", "0.01"], {"mean", "stderr", "draws", "theory", "z"}),
        (["moment", "W^2 tr(W^2)", "n=7", "p=3"], {"value"}),
        (["moment", "W A W"], {"latex", "terms"}),
        (["show", "eq5"], {"name", "formula"}),
    ],
)
def test_json_documents_have_the_agreed_fields(
    argv: list[str], keys: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*argv, "--json"]) == 0
    out, err = capsys.readouterr()
    assert keys <= set(json.loads(out))
    assert err == ""


def test_the_list_says_what_could_not_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = list(load().values())
    verdict = {"proof": "proved", "numeric": "agree"}
    monkeypatch.setattr(
        commands, "_verified", lambda *arguments, **options: [describe(step) | verdict for step in steps]
    )
    assert main(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["unreadable"] for row in rows} == {step.name: step.unreadable for step in steps}
    assert any(row["unreadable"] for row in rows)


def test_an_exact_moment_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["moment", "tr(W)", "n=7", "p=3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == "21"


def test_verify_reports_a_single_proof(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "wishart-mean", "--symbolic-only", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["name"], record["proof"], record["numeric"]) == ("wishart-mean", "proved", "skipped")


WORDS = {
    "list": [],
    "show": ["eq5"],
    "verify": ["wishart-mean"],
    "eval": ["eq5", *FIGURE_2],
    "optimum": ["eq5", *FIGURE_2[:-1]],
    "moment": ["tr(W)"],
    "simulate": ["eq5", *FIGURE_2],
    "regenerate": ["--check"],
    "figure": ["2"],
    "book": [],
}


@pytest.mark.parametrize("command", WORDS)
@pytest.mark.parametrize("error", [ValueError("unexpected"), KeyError("lost"), AssertionError()])
def test_an_error_of_the_program_is_status_three_and_not_blamed_on_the_input(
    command: str, error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> None:
        raise error

    monkeypatch.setitem(commands._COMMANDS, command, fail)
    assert main([command, *WORDS[command]]) == 3
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("derive: internal error")
    assert type(error).__name__ in err
    monkeypatch.setenv("DERIVE_DEBUG", "1")
    assert main([command, *WORDS[command]]) == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("eval", "derivations.formulas.by_name.value_at"),
        ("optimum", "derivations.formulas.optimum.minimum"),
        ("moment", "derivations.command.moment.moment"),
        ("simulate", "derivations.command.simulate.evaluate_named"),
    ],
)
def test_an_unexpected_value_error_deep_inside_is_status_three(
    command: str, place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ValueError("two shapes differ")

    monkeypatch.setattr(place, fail)
    assert main([command, *WORDS[command]]) == 3
    assert "give numbers" not in capsys.readouterr().err


def test_numbers_out_of_range_are_no_fault_of_a_user_who_gave_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(commands._COMMANDS, "verify", fail)
    assert main(["verify"]) == 3
