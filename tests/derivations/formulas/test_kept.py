"""Formulas that took long are kept as plain data, and are the same when they are read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy

from derivations.formulas import kept as module
from derivations.formulas.by_name import derived_parts
from derivations.formulas.kept import Parts, kept, read, written
from derivations.language.assumptions import PAPER, NotDerivable
from derivations.language.assumptions import read as assumed
from derivations.support import store

CHANGED = assumed(["inner_steps=2"])
X = sympy.Symbol("x", positive=True)


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    monkeypatch.setattr(module, "LONG", -1.0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("eq5", ["inner_steps=2"]),
        ("eq5", ["inputs=laplace"]),
        ("eq5", ["split=reused"]),
        ("eq9", ["inner_steps=2"]),
        ("eq9", ["covariance=general"]),
        ("eq9", ["inputs=rademacher"]),
        ("eq14", ["inner_steps=2"]),
        ("eq14", ["split=reused"]),
        ("eq69", ["inner_steps=2"]),
        ("adaptation-factor", ["adaptation_steps=2"]),
    ],
    ids=str,
)
def test_what_is_read_is_what_was_written(name: str, words: list[str]) -> None:
    parts = derived_parts(name, assumed(words))
    again = read(json.loads(json.dumps(written(parts))))
    assert again == parts
    for label, part in again.items():
        assert part.free_symbols == parts[label].free_symbols


def test_a_formula_is_derived_once() -> None:
    calls = []

    def derive() -> Parts:
        calls.append(1)
        return {"a": X**2 / 3 - sympy.sqrt(X)}

    first, second = (kept("theorem-1", CHANGED, derive) for _ in range(2))
    assert first == second == {"a": X**2 / 3 - sympy.sqrt(X)}
    assert len(calls) == 1
    # the paper's own formulas never come from the store
    kept("theorem-1", PAPER, derive)
    kept("theorem-1", PAPER, derive)
    assert len(calls) == 3


def test_short_ones_other_kinds_and_refusals_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Parts:
        raise NotDerivable("not so")

    for _ in range(2):
        with pytest.raises(NotDerivable, match="not so"):
            kept("theorem-1", CHANGED, refuse)
    assert kept("theorem-1", CHANGED, lambda: {"a": sympy.sin(X)}) == {"a": sympy.sin(X)}
    monkeypatch.setattr(module, "LONG", 1e6)
    kept("theorem-1", CHANGED, lambda: {"a": X})
    assert store.contents()["entries"] == 0


@pytest.mark.parametrize(
    "wrong", [["Lambda", 0], ["__import__", "os"], None, {}, 1.5, ["Add", ["exec"]]], ids=str
)
def test_nothing_but_a_formula_is_read(wrong: object) -> None:
    with pytest.raises(TypeError, match="no formula"):
        read({"symbols": [["x", {}]], "parts": [["a", wrong]]})
