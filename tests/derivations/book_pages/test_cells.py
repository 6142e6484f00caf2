"""The cells that documents and pages show name what exists; CONTRIBUTING's own example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from derivations.book_pages import cards
from derivations.publishing.build import SOURCE
from derivations.steps.contents import load

DOCUMENTS = (SOURCE.parent / "CONTRIBUTING.md", *sorted(SOURCE.glob("*.md")))
CALL = re.compile(r"^(cards)\.(\w+)\(([^)]*)\)", re.MULTILINE)


def calls(text: str) -> list[tuple[str, list[str]]]:
    """The functions of `cards` that a text calls, with the names it gives them."""
    return [(function, re.findall(r'"([^"]+)"', given)) for _, function, given in CALL.findall(text)]


def unknown(text: str) -> list[str]:
    """What a text calls or names that does not exist."""
    found = calls(text)
    missing = [function for function, _ in found if not hasattr(cards, function)]
    return missing + [
        name for function, names in found if function == "show" for name in names if name not in load()
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_shows_exists(document: Path) -> None:
    assert unknown(document.read_text(encoding="utf-8")) == []


def test_a_name_that_does_not_exist_is_noticed() -> None:
    assert unknown('cards.show("eq5")\ncards.display("theorem-1")') == ["display", "eq5"]


def test_the_example_of_contributing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    record = {
        "proof": "definition",
        "proof_reason": "",
        "numeric": "agree",
        "numeric_reason": "",
        "checks": [],
    }
    monkeypatch.setattr(cards, "records", lambda: dict.fromkeys(load(), record))
    ((function, names),) = calls(DOCUMENTS[0].read_text(encoding="utf-8"))
    assert 'id="step-theorem-1"' in getattr(cards, function)(*names).text
