"""Proofs as text and as data."""

from __future__ import annotations

import json

import pytest

from derivations.command.cli import main
from derivations.language.assumptions import PAPER
from derivations.steps.chain import DoesNotApply
from derivations.steps.contents import find
from derivations.typeset.proofs import moves, proof_text, text
from symbolic.algebra.words import Expression, gaussian, identity, scalar, tr

X, n, p = gaussian("X", "n", "p"), scalar("n"), scalar("p")


@pytest.mark.parametrize(
    ("expr", "shown"),
    [
        (X.T @ X - X.T @ X, "0"),
        (2 * n * identity("p") - (X.T @ X) ** 2, "2*n I - X' X X' X"),
        (scalar("1/n") ** 2 * (n * p + p) * tr(X.T @ X), "(p/n^2 + p/n) tr(X X')"),
        (-scalar("a") * scalar("1/n") * X.T @ X, "-a/n X' X"),
    ],
)
def test_expressions_are_lines_of_text(expr: Expression, shown: str) -> None:
    assert text(expr) == shown


def test_a_proof_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    lines = proof_text(find("65"), PAPER).splitlines()
    assert max(map(len, lines)) <= 72
    assert any(line.startswith("6. name an abbreviation") for line in lines)


def test_what_sampling_says_of_each_move() -> None:
    checks = [{"label": "move 2: average by parts", "verdict": v} for v in ("agree", "agree")]
    assert [m["numeric"] for m in moves(find("90"), PAPER, checks)][1] == "agree"
    checks[1]["verdict"] = "disagree"
    assert [m["numeric"] for m in moves(find("90"), PAPER, checks)][1] == "disagree"
    assert moves(find("90"), PAPER)[0]["numeric"] == "not verified yet"


def test_a_step_without_moves_says_how_it_is_proved() -> None:
    with pytest.raises(DoesNotApply, match="its method"):
        moves(find("theorem-1-remainder"), PAPER)


def test_the_command_shows_the_moves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "92", "--proof", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    fields = {"rule", "before", "after", "reads", "note", "check", "numeric"}
    assert all(set(move) == fields for move in document["derivation"])
    assert document["derivation"][1]["after"] == "n_v tr(A^2) A^2 + (n_v^2 + n_v) A^4"
    assert main(["show", "theorem-1-remainder", "--proof"]) == 2
    assert "not proved move by move" in capsys.readouterr().err
