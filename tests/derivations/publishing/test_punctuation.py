"""A formula and the sign that stands against it are never parted by the end of a line."""

from __future__ import annotations

import pytest
from docutils import nodes
from docutils.utils import new_document

from derivations.publishing.punctuation import CLASS, Punctuation


def made(*parts: str | nodes.Node) -> nodes.paragraph:
    """A paragraph of texts and formulas, after the transform."""
    document = new_document("page")
    paragraph = nodes.paragraph("", "", *(nodes.Text(p) if isinstance(p, str) else p for p in parts))
    document += paragraph
    Punctuation(document).apply()
    return paragraph


def together(paragraph: nodes.paragraph) -> list[str]:
    return [one.astext() for one in paragraph.findall(nodes.inline) if CLASS in one["classes"]]


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("divided by ", ": so", ["p:"]),
        ("more (", ") and", ["(p)"]),
        ("of ", ", and", ["p,"]),
        ("of ", " and", []),
        ("of", "", []),
    ],
)
def test_what_stands_against_a_formula_stays(before: str, after: str, kept: list[str]) -> None:
    paragraph = made(before, nodes.math("", "p"), *([after] if after else []))
    assert together(paragraph) == kept
    assert paragraph.astext() == f"{before}p{after}"


def test_formulas_side_by_side_keep_their_own_signs() -> None:
    paragraph = made("at ", nodes.math("", "n"), ", ", nodes.math("", "p"), ".")
    assert together(paragraph) == ["n,", "p."]
    assert paragraph.astext() == "at n, p."
