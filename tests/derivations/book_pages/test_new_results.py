"""The list of results beyond the paper: every one, with verdicts and what confirms it."""

from __future__ import annotations

import pytest

from derivations.book_pages import cards
from derivations.book_pages.reader import new_results
from derivations.steps.contents import load
from derivations.steps.step import Kind


def test_every_result_stands_in_the_list_with_its_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    one = {"proof": "proved", "proof_reason": "", "numeric": "agree", "numeric_reason": ""}
    records = {name: {**one, "checks": [{"draws": 0}, {"draws": 7}]} for name in load()}
    records["noise-costs-less-at-a-negative-rate"]["proof"] = "conjecture"
    monkeypatch.setattr(cards, "records", lambda: records)
    shown = new_results.theorems()._repr_html_()
    assert shown.count("<li>") == sum(step.kind is Kind.BEYOND for step in load().values()) > 10
    assert shown.count("1 comparison with samples") == shown.count("<li>")
    assert shown.count("status-conjecture") == 1
