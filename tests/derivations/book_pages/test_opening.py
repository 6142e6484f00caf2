"""The opening page: what was found and what of it is new, each sentence held to the verdicts that it rests on."""

from __future__ import annotations

import pytest

from derivations.book_pages import cards
from derivations.book_pages.reader import opening
from derivations.publishing.build import BookError
from derivations.steps.status import ProofStatus


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, ProofStatus]]:
    found = {
        name: {"proof": status}
        for finding in (*opening.FINDINGS, opening.MOST)
        for name, status in finding.rests_on.items()
    }
    monkeypatch.setattr(cards, "records", lambda: found)
    return found


def test_the_three_new_results_are_named_and_linked(records: dict[str, dict[str, ProofStatus]]) -> None:
    shown = opening.findings().text
    assert '<a href="beyond.html">What is new here</a>' in shown
    said = shown[shown.index("What is new here") :]
    assert [name for name in opening.WORDS if f'#step-{name}"' in said] == [*opening.MOST.rests_on]
    assert not any(sign in shown for sign in "{}")


@pytest.mark.parametrize("name", [*opening.MOST.rests_on, "several-steps-minimum"])
def test_a_verdict_that_does_not_bear_it_out_ends_the_build(
    records: dict[str, dict[str, ProofStatus]], name: str
) -> None:
    records[name]["proof"] = ProofStatus.EXPANDED
    with pytest.raises(BookError, match=name):
        opening.findings()
