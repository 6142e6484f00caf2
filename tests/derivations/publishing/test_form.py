"""The pages are MyST alone: directives and roles that its processors know, and nothing of reStructuredText."""

from __future__ import annotations

import re

import pytest

from derivations.publishing.build import SOURCE

# what https://mystmd.org/guide documents of what the pages use
KNOWN = {
    "bibliography",
    "cite",
    "code-cell",
    "embed",
    "grid",
    "grid-item-card",
    "prf:lemma",
    "prf:ref",
    "prf:theorem",
    "raw",
}
NAMED = re.compile(r"^[ >]*[`:~]{3,}\{([\w:+.-]+)\}|\{([\w:+.-]+)\}`", re.MULTILINE)
RESTRUCTURED = re.compile(r"^\s*\.\. [\w-]+::|(?<![\w`]):[a-z]+:`|\{eval-rst\}", re.MULTILINE)
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(SOURCE.glob("*.md"))}


def foreign(text: str) -> set[str]:
    """What a page uses that is not MyST's."""
    used = {name for found in NAMED.findall(text) for name in found if name}
    return {*(used - KNOWN), *RESTRUCTURED.findall(text)}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_myst_alone(name: str) -> None:
    assert foreign(PAGES[name]) == set()


@pytest.mark.parametrize(
    "text",
    [
        "```{eval-rst}\n.. note:: x\n```",
        ".. math::\n\n  x",
        "see :ref:`there`",
        "{download}`x`",
        "```{toctree}\n```",
        "```{glue:} x\n```",
        "as {glue:text}`x` is",
    ],
)
def test_what_is_not_is_seen(text: str) -> None:
    assert foreign(text)
