"""The files of formulas: readable names and lines, steps remembered, progress told."""

from __future__ import annotations

from pathlib import Path

import pytest

from derivations.language.assumptions import PAPER, read
from derivations.steps import contents
from derivations.typeset import committed_text
from derivations.typeset.committed_text import WIDTH, differences, formulas, stem, wrapped


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([], "paper"),
        (["inner_steps=2"], "inner_steps=2"),
        (["inputs=kurtosis:7/2", "order=next"], "inputs=kurtosis-7-2+order=next"),
    ],
)
def test_files_are_named_by_the_assumptions(words: list[str], name: str) -> None:
    assert stem(read(words)) == name


def test_a_long_name_is_a_hash_and_no_two_are_the_same() -> None:
    long = [f"inputs=kurtosis:{10**80 + k}/3" for k in range(2)]
    names = {stem(read([word])) for word in long}
    assert len(names) == 2
    assert all(name.startswith("variant-") and len(name) < 30 for name in names)


def test_lines_are_broken_between_terms_and_nothing_else_changes() -> None:
    line = "  = (" + " + ".join(f"{k}*alpha_t^{k}*n_t" for k in range(60)) + ") / (n_t - 1)"
    found = wrapped(f"label\n{line}")
    assert found.split() == ["label", *line.split()]
    assert all(len(part) <= WIDTH for part in found.splitlines())
    assert not any(part.rstrip().endswith(("+", "-")) for part in found.splitlines())


def test_the_differences_name_what_changed_and_count_the_rest() -> None:
    before = dict.fromkeys(("theorem-1", "theorem-2"), "same")
    text = differences(read(["inner_steps=2"]), before, {**before, "theorem-1": "other"})
    assert "## theorem-1  (5, 81)\npaper:\nsame\nnow:\nother\n" in text
    assert text.endswith("## unchanged (1)\ntheorem-2\n")


def test_each_formula_is_remembered_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    few = {name: contents.named(name) for name in ("wishart-mean", "theorem-1")}
    monkeypatch.setattr(committed_text, "load", lambda: few)
    heard: list[tuple[str, int, int]] = []

    def stop(name: str, done: int, total: int) -> None:
        heard.append((name, done, total))
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        formulas(PAPER, stop)
    derived: list[str] = []
    real = committed_text.formula_text

    def counted(step: contents.Step, assumptions: object) -> str | None:
        derived.append(step.name)
        return real(step, PAPER)

    monkeypatch.setattr(committed_text, "formula_text", counted)
    first = formulas(PAPER)
    assert formulas(PAPER) == first
    assert (heard, derived) == ([("wishart-mean", 1, 2)], ["theorem-1"])
