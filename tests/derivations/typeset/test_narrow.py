"""Displays broken once more for narrow columns: nothing is lost, and what can be broken fits."""

from __future__ import annotations

import re

import pytest

from derivations.book_pages.html import ROOM
from derivations.steps.contents import load
from derivations.typeset import statements
from derivations.typeset.line_breaks import rewrapped, visible_length

WIDTH = 30


def symbols(tex: str) -> str:
    """What a reader reads: without environments, breaks, space and the sizes of brackets."""
    tex = re.sub(r"\\(?:begin|end)\{aligned\}|\\\\|&|\\q?quad\b|\\left\b|\\right\b|\\bigg?\b", "", tex)
    return re.sub(r"\s", "", tex).replace("={}", "=")


@pytest.mark.parametrize(("width", "least"), [(WIDTH, 90), (ROOM["wide"], 20)])
def test_no_symbol_of_any_claim_is_lost_when_it_is_broken_again(width: int, least: int) -> None:
    broken = {
        line: again
        for step in load().values()
        for line in statements.printed(step)
        if (again := rewrapped(line, width)) is not None
    }
    assert len(broken) > least
    assert {line for line, again in broken.items() if symbols(line) != symbols(again)} == set()


def test_the_loss_fits() -> None:
    (line,) = statements.printed(load()["theorem-1"])
    rows = (rewrapped(line, WIDTH) or "").replace("&", "").split(r"\\")
    assert len(rows) > 3
    assert max(map(visible_length, rows)) <= WIDTH + 4


@pytest.mark.parametrize(
    "tex",
    [
        "a = b",
        r"x = \frac{abcdefghijklmnopqrstuvwxyzabcdefghijkl}{2}",
        r"M = \begin{pmatrix} a + b & c \\ d & e \end{pmatrix} + abcdefghijklmnopqrstuvwxyz",
    ],
)
def test_what_fits_cannot_be_broken_or_holds_an_array_stays(tex: str) -> None:
    assert rewrapped(tex, WIDTH) is None


def test_relations_begin_lines_and_stay_with_a_short_left_side() -> None:
    again = rewrapped("L = abcdefghijklmnopqrstuvw + abcdefghij = x", 20) or ""
    assert again == (
        r"\begin{aligned} & L = abcdefghijklmnopqrstuvw \\ & \quad + abcdefghij \\ & \quad = x \end{aligned}"
    )
