"""Labels as objects: what kind of statement a part is, is never guessed from its text."""

from __future__ import annotations

import re
from copy import copy

import pytest

from derivations.steps.contents import load
from derivations.steps.labels import DENOMINATOR, IN_TASKS, ORDER, Order, Short, Sign, Words
from derivations.steps.step import Step

KINDS = (
    Sign(r"\bar L"),
    ORDER,
    IN_TASKS.due_to(r"\nu"),
    ORDER.when("m=1"),
    Words("upper end"),
    DENOMINATOR,
    Short("h_t"),
)


@pytest.mark.parametrize("label", KINDS)
def test_label_keeps_its_kind_when_it_is_copied(label: str) -> None:
    again = copy(label)
    assert (type(again), again, getattr(again, "__dict__", {})) == (
        type(label),
        label,
        getattr(label, "__dict__", {}),
    )


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (Sign(r"\bar L"), r"\mathrm{sign}\,\bar L"),
        (ORDER, "a"),
        (IN_TASKS.due_to(r"\nu"), r"a_m (\nu)"),
        (DENOMINATOR, "denominator"),
    ],
)
def test_label_is_its_text(label: str, text: str) -> None:
    assert label == text
    assert {text: 1}[label] == 1


def guessed(label: str) -> bool:
    """Whether a label says its kind in its text alone."""
    if isinstance(label, Sign | Order | Words):
        return False
    return bool(re.match(r"\\mathrm\{sign\}|a( |_|$)", label) or re.fullmatch("[a-z ]{2,}", label))


@pytest.mark.parametrize("step", load().values(), ids=lambda step: step.name)
def test_claims_say_of_what_kind_their_parts_are(step: Step) -> None:
    for stated in (step.claim, step.correction):
        labels = [*stated()] if stated else []
        assert [label for label in labels if guessed(label)] == []
        assert len({isinstance(label, Order) for label in labels if label != "c"}) <= 1


@pytest.mark.parametrize("label", ["a", r"a_\xi", "a (m=1)", r"\mathrm{sign}\,\bar L", "upper end"])
def test_a_guess_is_seen(label: str) -> None:
    assert guessed(label)
