"""The errata are computed: what is corrected is disproved and proved, what is remarked is marked in its step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.book_pages import errata_rows as errata_module
from derivations.book_pages.errata_rows import SORTS, NotProved, errata
from derivations.language.assumptions import PAPER
from derivations.steps.contents import load
from derivations.verification.prove import disagreeing

ENTRIES = errata()


def test_what_is_corrected() -> None:
    corrected = {entry.equations for entry in ENTRIES if entry.sort == "corrected"}
    assert corrected == {("5", "81"), ("96", "9", "108"), ("14", "143", "144")}


def test_what_could_not_be_read_with_certainty_accuses_no_print() -> None:
    """A reading that is disproved stands apart from a legible print that is."""
    assert {entry.equations for entry in ENTRIES if entry.sort == "as read"} == {("88",), ("10",)}
    assert all(entry.reservation for entry in ENTRIES if entry.sort == "as read")
    assert not any(entry.reservation for entry in ENTRIES if entry.sort == "corrected")
    assert not any(entry.printed for entry in ENTRIES if "97" in entry.equations)


def test_remainders_that_are_not_sharp() -> None:
    found = {number for entry in ENTRIES if entry.sort == "not sharp" for number in entry.equations}
    assert found == {"79", "80"}


def test_remainders_that_need_a_condition() -> None:
    found = {number for entry in ENTRIES if entry.sort == "condition" for number in entry.equations}
    assert found == {"5", "14", "77", "81", "139", "142", "143", "144"}


def test_unreadable_equations_are_listed_or_reserved() -> None:
    named = {entry.step for entry in ENTRIES if entry.sort == "unreadable" or entry.reservation}
    assert named == {step.name for step in load().values() if step.unreadable}


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if e.sort in ("corrected", "as read")], ids=lambda e: e.step
)
def test_a_corrected_entry_shows_the_difference(entry: errata_module.Erratum) -> None:
    step = load()[entry.step]
    assert step.derive is not None
    assert entry.printed
    assert entry.right
    derived = step.derive(PAPER)
    for label, printed in entry.printed.items():
        part = {label: derived[label]}
        assert disagreeing({label: printed}, part)
        assert not disagreeing({label: entry.right[label]}, part)
    assert entry.detail
    assert entry.text


def test_every_entry_says_something_and_is_sorted() -> None:
    assert all(entry.text for entry in ENTRIES)
    assert [SORTS.index(entry.sort) for entry in ENTRIES] == sorted(SORTS.index(e.sort) for e in ENTRIES)


def test_a_correction_that_is_not_proved_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = dict(load())
    step = steps["slope-at-zero-underparameterized"]
    steps[step.name] = replace(step, correction=step.claim)
    monkeypatch.setattr(errata_module, "load", lambda: steps)
    with pytest.raises(NotProved, match="failed"):
        errata()
