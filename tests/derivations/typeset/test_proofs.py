"""Proofs as text and as data."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from derivations.command.cli import main
from derivations.language.assumptions import PAPER
from derivations.steps.chain import NO_NUMBER, DoesNotApply, Rule
from derivations.steps.contents import find, load
from derivations.steps.move import Move, Relation
from derivations.typeset.latex import latex
from derivations.typeset.proofs import (
    moves,
    proof_lines,
    proof_text,
    related_latex,
    shortened,
    text,
    where_latex,
)
from symbolic.algebra.words import Expression, constant, gaussian, identity, scalar, tr

FIELDS = {"rule", "over", "before", "relation", "after", "reads", "note", "check", "numeric"}
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
    assert any(line.startswith("7. name an abbreviation") for line in lines)


def test_what_sampling_says_of_each_move() -> None:
    checks = [{"move": 2, "verdict": v} for v in ("agree", "agree")]
    assert [m["numeric"] for m in moves(find("90"), PAPER, checks)][1] == "agree"
    checks[1]["verdict"] = "disagree"
    assert [m["numeric"] for m in moves(find("90"), PAPER, checks)][1] == "disagree"
    assert moves(find("90"), PAPER)[0]["numeric"] == "not verified yet"


def test_a_step_without_moves_says_how_it_is_proved() -> None:
    with pytest.raises(DoesNotApply, match="its method"):
        moves(replace(find("92"), derivation=None), PAPER)


@pytest.mark.slow(20)
@pytest.mark.xdist_group("every chain")
def test_the_moves_of_every_step_are_plain_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Structure alone: the second routes, which other tests run, are not asked for."""
    for said in ("disproved", "route"):
        monkeypatch.setattr(Move, said, "")
    steps = load()
    for step in steps.values():
        if step.derivation is None:
            continue
        shown = moves(step, PAPER)
        assert shown
        assert json.loads(json.dumps(shown)) == shown
        assert [fault for move in shown for fault in _faults(move, steps)] == []


def _faults(move: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """What of a move is not as `derive show NAME --proof --json` is to give it."""
    if move.keys() != FIELDS:
        return [f"fields {', '.join(move)}"]
    texts, lists = FIELDS - {"over", "reads"}, ("over", "reads")
    faults = [name for name in texts if not isinstance(move[name], str)]
    faults += [name for name in lists if not all(isinstance(one, str) for one in move[name])]
    faults += [name for name in texts - {"note"} if not move[name]]
    faults += ["rule"] if move["rule"] not in [*Rule] else []
    faults += ["check"] if move["check"] not in ("proved", "failed") else []
    faults += ["numeric"] if move["numeric"] not in ("not verified yet", "not-applicable") else []
    faults += ["note"] if move["numeric"] == "not-applicable" and not move["note"] else []
    return faults + [slug for slug in move["reads"] if slug not in known]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"after": ""}, "after"),
        ({"check": "agree"}, "check"),
        ({"reads": ["no step"]}, "no step"),
        ({"numeric": "not-applicable", "note": ""}, "note"),
        ({"rule": "assume"}, "rule"),
    ],
)
def test_a_move_that_is_not_as_the_command_gives_it_is_named(changed: Mapping[str, Any], fault: str) -> None:
    move = moves(find("90"), PAPER)[0]
    assert _faults(move, load()) == []
    assert _faults({**move, **changed}, load()) == [fault]


def test_the_command_shows_the_moves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "92", "--proof", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["derivation"]
    assert all(set(move) == FIELDS for move in document["derivation"])
    assert document["derivation"][1]["after"] == "n_v tr(A^2) A^2 + (n_v^2 + n_v) A^4"
    assert document["derivation"][1]["over"] == ["X_v"]
    assert document["derivation"][0]["note"] == "where B = X_v A"
    assert main(["show", "1", "--proof"]) == 2
    assert "there is nothing to prove" in capsys.readouterr().err
    assert main(["show", "92", "--proof"]) == 0
    assert "proof: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("92", ("(one task's share, from (89))", "where B = X_v A", "E_{X_v}[...] = n_v tr(A^2) A^2")),
        (
            "96",
            (
                "B' Gamma)  (from (85))",
                "where BTB_inverse = (B' B)^-1\n",
                "  D = -N*h_t I + B' B\n",
                "  h_t = 1 - 2*alpha_t",
            ),
        ),
        ("96", ("= g*p/(N*h_t^2) + O(xi^-1 m^-2)", "= g*p/(h_t^2*m*n_v) + O(xi^-1 m^-2)", "This is (96).")),
        ("96", ("... (in full with --json)",)),
        ("theorem-1-remainder-bounded", ("<= 1/h^2 tr(K) tr(M_inverse) tr(E^2)",)),
        ("negative-rate-is-better", ("= 4*alpha_t/n_t U' U >= 0",)),
        ("normal-matrix-concentrates", ("is of order",)),
        ("88", ("This is a_m of (88).",)),
        ("5", ("This is (5), (81), up to what the steps put in leave out.",)),
        ("9", ("This is (9), (108), up to what the steps put in leave out.",)),
        ("two-small-matrices", ("has the law of", "matrix, over X_v", "E_{X_v}[...] =")),
    ],
)
def test_what_a_reader_of_the_paper_alone_needs(
    monkeypatch: pytest.MonkeyPatch, name: str, said: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "4000")
    shown = proof_text(find(name), PAPER)
    assert [part for part in said if part not in shown] == []


def test_errors_are_carried_until_the_chain_begins_anew() -> None:
    chain = find("96").derivation
    assert chain is not None
    lines = proof_lines(chain(PAPER))
    assert [len(line.errors) for line in lines] == [0, 0, 0, 1, 1, 1, 1]
    assert all(r" + O\left(" in related_latex(line) for line in lines[3:])


@pytest.mark.parametrize("rule", NO_NUMBER)
def test_what_is_called_an_inequality_is_shown_as_one(rule: Rule) -> None:
    inequality = rule.relation in (Relation.AT_MOST, Relation.AT_LEAST, Relation.AT_LEAST_ZERO)
    assert inequality == NO_NUMBER[rule].startswith("an inequality")


def test_an_average_names_its_letters_in_formulas() -> None:
    chain = find("92").derivation
    assert chain is not None
    lines = proof_lines(chain(PAPER))
    assert related_latex(lines[1]).startswith(r"\mathbb{E}_{X^v}[\cdots] = ")
    assert where_latex(lines[0]) == [r"\text{where } B = X^v A"]


def test_what_a_move_says_is_not_said_again_below_it() -> None:
    chain = find("83").derivation
    assert chain is not None
    line = proof_lines(chain(PAPER))[0]
    assert (line.move.before, "", line.move.after) in line.where
    assert not any(r"\omega" in shown for shown in where_latex(line))
    other = replace(line, move=replace(line.move, after=scalar("n_t")))
    assert r"\omega" in where_latex(other)[0]


def test_of_what_is_left_over_it_is_said_that_it_is_positive() -> None:
    chain = find("92").derivation
    assert chain is not None
    line = proof_lines(chain(PAPER))[0]
    above = scalar("n_v") * scalar("m") + scalar("room")
    assert where_latex(replace(line, where=((scalar("p"), "", above),))) == [r"\text{where } p > n_v m"]
    # nothing where a name is known, and its name says what it is
    assert latex(scalar("room")) == "(p-n_vm-1)"
    less = scalar("p") - scalar("n_v") * scalar("m") - constant(1)
    assert where_latex(replace(line, where=((scalar("room"), "", less),))) == []


def test_definitions_share_a_line_while_there_is_room() -> None:
    chain = find("92").derivation
    assert chain is not None
    line = proof_lines(chain(PAPER))[0]
    n_t = scalar("n_t")
    short = replace(line, where=tuple((scalar(name), "", n_t) for name in ("a", "b", "c")))
    assert where_latex(short) == [r"\text{where } a = n_t,\quad b = n_t,\quad c = n_t"]
    long = sum((scalar(f"q{k}") for k in range(20)), n_t)
    shown = where_latex(replace(line, where=tuple((scalar(name), "", long) for name in ("a", "b"))))
    assert [piece.partition("=")[0] for piece in shown] == [r"\text{where } a ", "b "]


@pytest.mark.parametrize(
    ("value", "rule", "said"),
    [
        (1, Rule.SIGN, r"\text{is positive}"),
        (-1, Rule.SIGN, r"\text{is negative}"),
        (-1, Rule.LEAST, r"\text{is least at a negative number}"),
    ],
)
def test_a_sign_is_said_in_words(value: int, rule: Rule, said: str) -> None:
    chain = find("92").derivation
    assert chain is not None
    line = proof_lines(chain(PAPER))[0]
    assert related_latex(replace(line, move=replace(line.move, rule=rule, after=constant(value)))) == said


def test_of_a_long_expression_the_first_terms_are_shown() -> None:
    total = sum((scalar(f"a{k}") * n for k in range(1, 60)), n)
    shown = shortened(total)
    assert shown.endswith("... (60 terms; all with --json)")
    assert len(shown) < len(text(total)) / 4
    assert shortened(n * p) == "n*p"


def test_a_move_that_is_not_sampled_by_itself_says_so() -> None:
    """Once its step was sampled; before that nothing is known of it."""
    step = find("96")
    before, after = (moves(step, PAPER, checks)[0] for checks in ((), ({"move": 0, "verdict": "agree"},)))
    assert before["numeric"] == "not verified yet"
    assert after["numeric"] == "not-applicable"
    assert "sampled as a whole" in after["note"]
