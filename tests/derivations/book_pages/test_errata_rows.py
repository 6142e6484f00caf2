"""The errata are computed: what is corrected is disproved and proved, what is remarked is marked in its step."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest

from derivations.book_pages import errata_rows as errata_module
from derivations.book_pages.errata_rows import Entry, NotProved, by_place, errata
from derivations.language.assumptions import PAPER
from derivations.language.symbols import alpha_t, sigma
from derivations.paper.theorem1.concentration import leading_loss
from derivations.steps.contents import load
from derivations.steps.step import Erratum
from derivations.verification.plain_records import Record
from derivations.verification.prove import disagreeing
from derivations.verification.verify import verify_step

pytestmark = pytest.mark.xdist_group("errata")


@functools.cache
def entries() -> tuple[Entry, ...]:
    """All entries: derived once, and not while tests are collected, which every worker does."""
    return tuple(errata())


def test_what_is_corrected() -> None:
    corrected = {entry.equations for entry in entries() if entry.sort == "corrected"}
    assert corrected == {("5", "81"), ("96", "9", "108"), ("14", "143", "144")}


def test_what_could_not_be_read_with_certainty_accuses_no_print() -> None:
    """A reading that is disproved stands apart from a legible print that is."""
    assert {entry.equations for entry in entries() if entry.sort == "as read"} == {("88",), ("10",)}
    assert all(entry.reservation for entry in entries() if entry.sort == "as read")
    assert not any(entry.reservation for entry in entries() if entry.sort == "corrected")
    assert not any(entry.printed for entry in entries() if "97" in entry.equations)


def test_remainders_that_are_not_sharp() -> None:
    found = {number for entry in entries() if entry.sort == "not sharp" for number in entry.equations}
    assert found == {"79", "80"}


def test_remainders_that_need_a_condition() -> None:
    found = {number for entry in entries() if entry.sort == "condition" for number in entry.equations}
    assert found == {"5", "81", "8", "9", "14", "77", "108", "138", "139", "142", "143", "144"}


def test_what_is_conditional_is_among_the_errata_with_both_halves() -> None:
    conditional = [step for step in load().values() if step.condition]
    assert {number for step in conditional for number in step.equations} == {
        "5",
        "81",
        "14",
        "138",
        "139",
        "142",
        "143",
        "144",
    }
    for step in conditional:
        entry = next(
            e
            for e in entries()
            if e.sort == "condition" and set(step.equations) <= set(e.equations) and step.condition in e.text
        )
        assert step.counterexample in entry.text
        # what an entry of its own says is not said again
        without = load()[step.counterexample]
        assert (without.statement in entry.text) == (without.correction is None)


@pytest.mark.parametrize(
    ("name", "said"),
    [("theorem-3", "names a condition"), ("slope-at-zero-underparameterized", "carries a correction")],
)
def test_what_is_not_proved_is_refused(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(step: str, **how: bool) -> Record:
        return verify_step(step, **how) | ({"proof": "failed"} if step == name else {})

    monkeypatch.setattr(errata_module, "verify_step", judged)
    with pytest.raises(NotProved, match=f"{name} {said}, but its proof status is failed"):
        errata()


def test_slips_of_wording_and_what_they_are_about() -> None:
    found = {entry.step: entry.text for entry in entries() if entry.sort == "wording"}
    assert set(found) == {
        "figure-2",
        "figure-3",
        "general-noise-concentrates",
        "ratio-of-quartics-general",
    }
    assert "Gamma is of order one" in found["general-noise-concentrates"]


def test_an_equation_stands_in_one_place_and_nothing_is_said_twice() -> None:
    places = by_place(entries())
    stands = [number for group in places for number in {n for entry in group for n in entry.equations}]
    assert len(stands) == len(set(stands))
    assert sorted(e.step for group in places for e in group) == sorted(e.step for e in entries())
    assert len({(entry.sort, entry.text) for entry in entries()}) == len(entries())


def test_places_that_a_later_entry_joins_become_one() -> None:
    first, second, both = (
        replace(entries()[0], step=step, equations=numbers)
        for step, numbers in (("a", ("1",)), ("b", ("2",)), ("c", ("1", "2")))
    )
    assert by_place([first, second, both]) == [[first, both, second]]


def test_without_label_noise_there_is_no_best_rate() -> None:
    assert leading_loss(PAPER).subs(sigma, 0).diff(alpha_t).equals(0)


def test_unreadable_equations_are_listed_or_reserved() -> None:
    named = {entry.step for entry in entries() if entry.sort == "unreadable" or entry.reservation}
    assert named == {step.name for step in load().values() if step.unreadable}


@pytest.mark.parametrize("name", [step.name for step in load().values() if step.correction is not None])
def test_a_corrected_entry_shows_the_difference(name: str) -> None:
    step = load()[name]
    entry = next(e for e in entries() if e.step == name and e.sort in ("corrected", "as read"))
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
    assert all(entry.text for entry in entries())
    order = [*Erratum]
    assert [order.index(entry.sort) for entry in entries()] == sorted(order.index(e.sort) for e in entries())
