"""The contract of the command: one JSON document on stdout, one line on stderr, exit status 0, 1, 2 or 3."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from derivations.command import cli, commands
from derivations.command.cli import COMMANDS, DISTRIBUTION, main
from derivations.command.help_text import WITH_ASSUMPTIONS, WITH_PARAMETERS
from derivations.formulas.parameters import MATRICES, NAMES
from derivations.language.assumptions import NAMES as ASSUMPTIONS
from derivations.steps.contents import load
from numeric_check.draws.threads import VARIABLES
from tests.conftest import find_program

FIGURE_2 = ["n_t=30", "n_v=2", "n_r=20", "m=3", "p=60", "sigma=1", "nu=0.5", "alpha_t=0.2", "alpha_r=0.2"]
BAD = {
    "help of an unknown command": ["help", "lst"],
    "unknown status": ["list", "--status", "prooved"],
    "unknown step": ["list", "eq555"],
    "no range": ["sweep", "eq5", *FIGURE_2],
    "unknown shell": ["completion", "tcsh"],
    "unknown step to show": ["show", "theorem-9"],
    "unknown language": ["show", "eq5", "--as", "cobol"],
    "both rates given": ["optimum", "eq5", *FIGURE_2],
    "no folder for changed formulas": ["regenerate", "--assume", "inner_steps=2"],
    "the same variant twice": ["book", "--variant", "inner_steps=2", "--variant", "inner_steps=2"],
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
    "value of no letter": ["moment", "W Q W", "A=[[1,0],[0,1]]"],
    "nonexistent inverse moment": ["moment", "W^-2", "n=4", "p=3"],
    "negative error": ["simulate", "eq5", *FIGURE_2, "--rel-error", "-1"],
    "missing file": ["eval", "eq14", *FIGURE_2, "Sigma=@nowhere.npy"],
    "unknown figure": ["figure", "9"],
    "unknown work on the store": ["store", "burn"],
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


def test_the_list_computes_nothing_and_says_what_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    monkeypatch.setattr("derivations.verification.verify.examine", None)
    assert main(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(load())
    known = {"gradient-step": "definition", "figure-2": "not-applicable", "theorem-1": "not verified yet"}
    assert known.items() <= {row["name"]: row["proof"] for row in rows}.items()
    derived = {s.name for s in load().values() if s.derive is not None}
    # what is no definition, figure, approximation or conjecture derives something
    others = {row["name"] for row in rows if row["kind"] not in ("definition", "figure", "approximation")}
    conjectured = {s.name for s in load().values() if s.conjectured}
    assert others - conjectured == derived
    assert derived == {row["name"] for row in rows if row["proof"] == "not verified yet"}
    sampled = {s.name for s in load().values() if s.name in derived or s.observe or s.check}
    assert sampled == {row["name"] for row in rows if row["numeric"] == "not verified yet"}
    assert {row["name"]: row["unreadable"] for row in rows} == {s.name: s.unreadable for s in load().values()}
    assert any(row["unreadable"] for row in rows)
    assert not list(tmp_path.iterdir())


def test_the_list_shows_what_the_store_holds_under_the_same_assumptions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def proofs(*words: str) -> dict[str, str]:
        assert main(["list", *words, "--json"]) == 0
        return {row["name"]: row["proof"] for row in json.loads(capsys.readouterr().out)}

    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    assert main(["verify", "wishart-mean", "theorem-1", "--symbolic-only"]) == 0
    capsys.readouterr()
    assert proofs("wishart-mean", "Eq. 9") == {"wishart-mean": "proved", "theorem-2": "not verified yet"}
    assert {name for name, proof in proofs("--status", "not verified yet").items() if proof == "definition"}
    assert {*proofs("--status", "proved")} == {"wishart-mean"} | {
        name for name in ("theorem-1",) if proofs(name)[name] == "proved"
    }
    assert proofs("5", "--assume", "inner_steps=2") == {"theorem-1": "not verified yet"}


def test_a_list_on_a_terminal_fits_it_and_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    words = ["list", "eq5", "10", "adaptation-rate-bracket-underparameterized"]
    assert main(words) == 0
    whole, said = capsys.readouterr()
    assert any(len(line) > 80 for line in whole.splitlines())
    assert said == (
        "derive: 3 of 3 steps are not verified yet (-): "
        "run `derive verify eq5 10 adaptation-rate-bracket-underparameterized`\n"
    )
    assert main([*words, "--status", "proved"]) == 0
    assert capsys.readouterr() == ("no step is known to be 'proved'\n", said)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) == 80
    assert lines[0].split()[:3] == ["equation", "proof", "number"]
    assert all(line.endswith("…") for line in lines[1:])


def test_the_list_names_the_steps_without_a_chain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--without-chain", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [s.name for s in load().values() if s.derivation is None]
    # what the README says of them
    kinds = [row["kind"] for row in rows]
    assert {*kinds} == {"definition", "figure", "approximation", "beyond"}
    assert (kinds.count("approximation"), kinds.count("beyond")) == (1, 1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("92", ["stated in derivations/paper/theorem2/moments.py"]),
        ("10", ["Differentiating (9) brings a factor h_r.", "As read:\n", "Proved:\n"]),
        ("14", ["the print lacks a condition", "(theorem-3-under-conditions): ", "Printed:\n"]),
        ("3", ["proof: definition; number: not-applicable"]),
    ],
)
def test_show_says_where_a_step_is_stated_and_what_is_printed(
    name: str, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", name]) == 0
    out = capsys.readouterr().out
    assert all(part in out for part in said)
    assert main(["show", name, "--json"]) == 0
    assert Path(json.loads(capsys.readouterr().out)["module"]).is_file()


AT_THE_EDGE = ["n_t=9", "n_v=2", "n_r=9", "m=3", "sigma=1", "nu=1", "alpha_t=0", "alpha_r=0"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (
            ["show", "92", "--assume", "inputs=rademacher"],
            "(90) to (95): the averages over X^t have names for Gaussian inputs only; choose inputs=gaussian",
        ),
        (["show", "Lemma 1"], "Lemma 1 is the equations (31)-(42): name one of them"),
        (["show", "lemma3"], "Lemma 3 is the equations (55)-(57): name one of them"),
        (["show", "eq2", "--proof"], "test-loss-definition is a definition: there is nothing to prove"),
        (
            ["eval", "eq1"],
            "eq1 is a definition and derives no formula: `derive show` prints it; numbers come from eq5",
        ),
        (
            ["eval", "exact-loss", *AT_THE_EDGE, "p=6"],
            "exact-loss holds for p > n_v m + 1, but n_v m = 6 and p = 6",
        ),
        (["figure", "9"], "no figure '9': draw one of 1 to 6"),
        (["moment", "W^2", "--assume", "inputs=rademacher"], "moment takes no --assume: name the law"),
    ],
)
def test_a_refusal_names_what_was_asked_for(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    assert capsys.readouterr().err.startswith(f"derive: {said}")


def test_help_lists_the_added_laws_and_assumptions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["help", "eval"]) == 0
    out = capsys.readouterr().out
    assert "inputs=triangular  entries with the triangular density" in out
    assert "rate_decay=Q  " in out


@pytest.mark.parametrize("name", ["eq5", "5", "(5)", "Eq. 5", "theorem-1", "Theorem 1"])
def test_a_name_may_be_written_in_every_usual_way(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", name, *FIGURE_2]) == 0
    assert float(capsys.readouterr().out.partition(" = ")[2]) == pytest.approx(
        0.7218193622920518, rel=1e-15, abs=0
    )


@pytest.mark.parametrize("words", [[], ["help"], ["--help"]])
def test_alone_the_command_says_what_it_can_do(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_explains_the_parameters(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["help", command]) == 0
    out = capsys.readouterr().out
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out == out
    assert "examples:\n  " in out
    if command in WITH_PARAMETERS:
        assert all(f"  {name} " in out for name in (*NAMES, *MATRICES))
    if command in WITH_ASSUMPTIONS:
        assert all(f"  {name} " in out for name in ASSUMPTIONS)


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"derive {version(DISTRIBUTION)}\n"


NOT_FOR_A_NUMBER = {
    "email",  # of importlib.metadata
    "multiprocessing",
    "matplotlib",
    "symbolic.grammar.syntax",
    "symbolic.code.codegen",
}


def test_one_number_waits_for_nothing_it_does_not_need() -> None:
    code = (
        "import os, sys; from derivations.command.cli import main; from numeric_check.draws.threads import VARIABLES; "
        "main(sys.argv[1:]); print(*{os.environ[name] for name in VARIABLES}, *sorted(sys.modules))"
    )
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, "-c", code, "eval", "eq5", *FIGURE_2],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    value, (threads, *loaded) = done.stdout.splitlines()[0], done.stdout.splitlines()[1].split()
    assert value.startswith("value = 0.72")
    assert threads == "1"
    assert {"sympy", "derivations.paper.theorem1.loss"} <= {*loaded}
    assert not NOT_FOR_A_NUMBER & {*loaded}


def completed(*words: str) -> set[str]:
    line = " ".join(f"'{word}'" for word in words)
    script = (
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _derive; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    completion = subprocess.run(
        [sys.executable, "-m", "derivations", "completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = subprocess.run(
        ["bash", "-c", f"{completion}\n{script}"], capture_output=True, text=True, check=True
    )
    return {*found.stdout.split()}


COMPLETED = [
    (["derive", "ver"], {"verify"}),
    (["derive", "simulate", "--re"], {"--rel-error"}),
    (["derive", "eval", "eq1"], {"eq10", "eq14"}),
    (["derive", "eval", "eq5", "alpha_"], {"alpha_t=", "alpha_r="}),
]


@pytest.mark.fish
@pytest.mark.parametrize(("words", "expected"), COMPLETED)
def test_fish_completes_them_too(
    words: list[str], expected: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "fish"]) == 0
    script = f"{capsys.readouterr().out}\ncomplete -C '{' '.join(words)}'"
    shell = find_program("fish")
    assert shell
    found = subprocess.run([shell, "--no-config", "-c", script], capture_output=True, text=True, check=True)
    assert {*found.stdout.split()} == expected


@pytest.mark.zsh
def test_zsh_takes_the_script_with_no_completion_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    script = f"{capsys.readouterr().out}\nprint -r -- $_comps[derive]"
    shell = find_program("zsh")
    assert shell
    found = subprocess.run([shell, "-f", "-c", script], capture_output=True, text=True, check=True)
    assert (found.stdout.split()[-1], found.stderr) == ("_derive", "")


@pytest.mark.parametrize(("words", "expected"), COMPLETED)
def test_bash_completes_commands_options_steps_and_parameters(words: list[str], expected: set[str]) -> None:
    assert completed(*words) == expected


def test_the_best_rate_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["optimum", "eq5", *[word for word in FIGURE_2 if not word.startswith("alpha_t")]]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "alpha_t = -1.01115211040462\nloss = 0.683719365174017\nsign of alpha_t: negative\n" in out
    assert "{" not in out
    assert max(len(digits) for digits in re.findall(r"[0-9]+", out)) <= 16


def test_an_exact_moment_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["moment", "tr(W)", "n=7", "p=3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == "21"


def test_verify_reports_a_single_proof(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "wishart-mean", "--symbolic-only", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["name"], record["proof"], record["numeric"]) == ("wishart-mean", "proved", "skipped")


def test_bad_input_is_tried_with_every_command() -> None:
    assert {words[0] for words in BAD.values()} >= {*COMMANDS}


WORDS = {
    "list": [],
    "show": ["eq5"],
    "verify": ["wishart-mean"],
    "eval": ["eq5", *FIGURE_2],
    "optimum": ["eq5", *FIGURE_2[:-1]],
    "moment": ["tr(W)"],
    "simulate": ["eq5", *FIGURE_2],
    "regenerate": ["--check"],
    "sweep": ["eq5", *FIGURE_2[:-1], "alpha_r=0:1:0.5"],
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


@pytest.mark.parametrize(
    ("file", "status"),
    [(cli.__file__, 3), ("data.csv", 2), ("/nowhere/derivations/data.csv", 2), (None, 2), (7, 2)],
)
def test_a_file_of_the_package_that_is_missing_is_no_fault_of_a_user(
    file: object, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", file)

    monkeypatch.setitem(commands._COMMANDS, "verify", fail)
    assert main(["verify"]) == status
    assert ("internal error" in capsys.readouterr().err) == (status == 3)


def test_numbers_out_of_range_are_no_fault_of_a_user_who_gave_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(commands._COMMANDS, "verify", fail)
    assert main(["verify"]) == 3


def test_the_collector_runs_again_once_the_libraries_are_loaded() -> None:
    code = "import gc, sys; from derivations.command.cli import main; main(['list', 'eq5']); sys.exit(not gc.isenabled())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
