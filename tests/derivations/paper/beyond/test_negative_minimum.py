"""Theorem 2 without its proviso: its certificates hold by themselves, and wrong ones do not."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import sympy

from derivations.formulas.optimum import optimum
from derivations.language.assumptions import PAPER
from derivations.paper.beyond.negative_minimum import FILE, document, minimum_chain
from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules.fractions_of import complement
from symbolic.algebra.words import constant, reciprocal, scalar
from symbolic.proofs import plain_check


def test_every_move_is_proved() -> None:
    chain = minimum_chain(PAPER)
    assert [move.disproved for move in chain.moves if move.disproved] == []
    assert {*chain.parts.values()} == {sympy.Integer(1)}


def test_the_certificates_are_those_that_are_committed() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8")) == json.loads(json.dumps(document()))


def test_they_are_checked_without_any_algebra() -> None:
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: print(end.code, {'sympy', 'flint', 'numpy'} & set(sys.modules))"
    )
    words = [sys.executable, "-I", "-c", code, plain_check.__file__, str(FILE)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["15 certificates hold", "0 set()"]


@pytest.mark.parametrize("change", ["sign", "coefficient", "bound", "factor", "what"])
def test_a_changed_certificate_is_refused(change: str, tmp_path: Path) -> None:
    rows = json.loads(FILE.read_text(encoding="utf-8"))
    row = next(row for row in rows if row["certificate"]["factors"][0]["certificate"].get("bounds"))
    first = row["certificate"]["factors"][0]
    if change == "sign":
        row["sign"] = -row["sign"]
    elif change == "coefficient":
        terms = row["certificate"]["numerator"]["terms"]
        terms[0][1] = str(Fraction(terms[0][1]) + 1)
    elif change == "bound":
        row["domain"]["bounds"] = {}
    elif change == "what":
        row["what"] = f"{row['what']} + 1"
    else:
        first["multiplicity"] += 1
    assert plain_check.faults(rows)
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(rows), encoding="utf-8")
    assert plain_check.main(str(broken)) == 1


def test_none_certify_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.json"
    path.write_text("[]", encoding="utf-8")
    assert plain_check.main(str(path)) == 1
    assert capsys.readouterr().out == "there are no certificates\n"


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("2*a/b - 1", True),
        ("(2*a - b)**2/(2*a*b - b**2)", True),
        ("2*a/b", False),
        ("f(a)", False),
        (r"\alpha_t", None),
    ],
)
def test_an_expression_is_held_against_its_certificate(what: str, found: bool | None) -> None:
    names = ["a", "b"]
    certificate = {
        "numerator": {"variables": names, "terms": [[[1, 0], "2"], [[0, 1], "-1"]]},
        "denominator": {"variables": names, "terms": [[[0, 1], "1"]]},
    }
    assert plain_check.written(what, certificate) is found


@pytest.mark.parametrize("text", ['{"rows": []}', "[1]", '[{"what": "a"}]', "no JSON", None])
def test_a_file_without_certificates_is_one_line(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert plain_check.main(str(path)) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "is no file of certificates" in err


def test_the_minimum_is_negative_at_random_sizes_where_it_is_large_too() -> None:
    source = random.Random(3)
    for _ in range(12):
        sizes = {name: source.randint(1, 60) for name in ("n_t", "n_v", "m", "p")}
        if sizes["n_v"] * sizes["m"] <= sizes["p"]:
            continue
        given = {**sizes, "n_r": 3, "sigma": 1, "nu": source.randint(0, 9), "alpha_r": 0}
        assert optimum("eq9", given)["alpha_t"] < 0


def test_a_rest_is_written_only_where_it_stands() -> None:
    names = {"h": constant(1) - scalar("x")}
    chain = complement(Chain(scalar("a") * (reciprocal("h") - constant(1))), "h", "k", names)
    assert chain.result == scalar("a") * scalar("k") * reciprocal("h")
    assert chain.moves[0].disproved == ""
    with pytest.raises(DoesNotApply, match="does not hold 1/h - 1"):
        complement(Chain(scalar("a") * (reciprocal("h") + constant(1))), "h", "k", names)
