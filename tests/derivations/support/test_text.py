"""What is suggested for an unknown word: near words whatever their case, and never a long list."""

from __future__ import annotations

import pytest

from derivations.steps.contents import UnknownStep, find, load
from derivations.steps.status import ProofStatus
from derivations.support.text import FEW, nearest

LONG = [f"equation-{k}" for k in range(100)] + ["theorem-1", "eq5"]


def test_case_does_not_matter() -> None:
    assert nearest("EQ5", LONG) == "did you mean 'eq5'?"
    assert nearest("INPUTS", ["inputs", "split"]) == "did you mean 'inputs'?"
    assert nearest("sigma_W", ["Sigma", "Sigma_w", "F"]) == "did you mean 'Sigma_w'?"


@pytest.mark.parametrize("word", ["", "foo", "theorem1", "x" * 10**6])
def test_a_long_list_is_never_shown(word: str) -> None:
    said = nearest(word, LONG)
    assert said.count("'") == 6
    assert len(said) < 100
    assert nearest("theorem1", LONG).startswith("did you mean 'theorem-1'")


def test_a_short_list_is_shown_where_nothing_is_near() -> None:
    assert nearest("xyz", ["plain", "conditional"]) == "known: plain, conditional"
    assert nearest("plane", ["plain", "conditional"]) == "did you mean 'plain'?"
    assert nearest("xyz", LONG[:FEW]).startswith("known: ")


@pytest.mark.parametrize("name", ["eqv5", "foo", "", "y" * 10**5])
def test_an_unknown_step_is_told_where_all_names_are(name: str) -> None:
    with pytest.raises(UnknownStep, match=r"did you mean .* `derive list` shows every name") as caught:
        find(name)
    assert len(str(caught.value)) < 200 < len(" ".join(load()))


def test_a_member_of_an_enumeration_is_named_by_its_value() -> None:
    assert nearest("prooved", ProofStatus) == f"did you mean {'proved'!r}?"
