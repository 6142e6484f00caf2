"""Long lines of LaTeX: broken between terms and inside brackets, never inside a fraction, nothing lost."""

from __future__ import annotations

import re

import pytest

from derivations.typeset.line_breaks import bracketed, broken, factored, fill, split_sum, visible_length

LONG = r"+ \frac{p}{m} \left(a_{1} + \left(b + c\right) d + \frac{e + f}{g} - h\right) z"


@pytest.mark.parametrize(
    ("tex", "terms"),
    [
        ("a + b - c", ["a", "+ b", "- c"]),
        (r"\left(a + b\right) c + d", [r"\left(a + b\right) c", "+ d"]),
        (r"\frac{a + b}{c}", [r"\frac{a + b}{c}"]),
        (r"x^{a + b} - y", ["x^{a + b}", "- y"]),
    ],
)
def test_sums_are_split_at_their_own_signs(tex: str, terms: list[str]) -> None:
    assert split_sum(tex) == terms


@pytest.mark.parametrize(
    ("tex", "count"),
    [
        (r"\left(a\right) \left(b \left(c\right)\right)", 2),
        (r"\frac{\left(a\right)}{b}", 0),
        (r"\left(a + b\right)^{2}", 0),
        ("a + b", 0),
    ],
)
def test_brackets_that_may_be_broken(tex: str, count: int) -> None:
    assert len(bracketed(tex)) == count


def bare(text: str) -> str:
    """The text without spaces, indentation and the size of brackets."""
    text = text.replace(r"\bigg(", r"\left(").replace(r"\bigg)", r"\right)").replace(r"\quad", "")
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("width", [8, 14, 20, 100])
def test_nothing_is_lost(width: int) -> None:
    assert bare("".join(broken(LONG, width))) == bare(LONG)


def test_a_short_line_stays_whole() -> None:
    assert broken(LONG, 100) == [LONG]


def test_each_piece_can_stand_on_a_line_of_its_own() -> None:
    pieces = broken(LONG, 12)
    assert len(pieces) > 2
    assert all(piece.count(r"\left") == piece.count(r"\right") for piece in pieces)
    assert all(piece.count("{") == piece.count("}") for piece in pieces)


def test_lines_are_filled_to_the_width() -> None:
    lines = fill(["aaa", "+ bbb", "+ ccc", "+ ddd"], 8)
    assert lines == ["aaa + bbb", "+ ccc + ddd"]
    assert all(visible_length(line) <= 8 for line in lines)


def test_a_line_without_a_sum_to_break_stays_whole() -> None:
    assert broken(r"\left(abcdefgh\right)", 3) == [r"\left(abcdefgh\right)"]


WORD = r"+ \frac{2}{n} \mathrm{Tr}\left[X^{v(1)} X^{v(1)T} \delta \Gamma X^{t(1)T} X^{t(1)} B\right] \left(a + b\right)^{2} C"


@pytest.mark.parametrize("width", [12, 18, 24])
def test_a_product_is_broken_between_factors_and_nothing_is_lost(width: int) -> None:
    rows = factored(WORD, width)
    assert len(rows) > 1
    assert all(row.startswith(r"\qquad") for row in rows[1:])
    assert all(row.count("{") == row.count("}") for row in rows)
    joined = "".join(rows).replace(r"\big[", r"\left[").replace(r"\big]", r"\right]")
    assert bare(joined.replace(r"\qquad", "")) == bare(WORD)
    assert not any(row.endswith((r"\delta", r"\mathrm{Tr}", "+", "[")) for row in rows)


@pytest.mark.parametrize(
    "line",
    [
        r"A B C",
        r"\text{the blocks } X^{v(1)} X^{v(1)T} X^{t(1)} X^{t(1)T} \text{ of the tasks}",
        r"\frac{A B C D E F G H I J K L M N O P Q R}{2}",
        r"\left(\mathrm{Tr}\left[A B C D E F G H I J K L M N O P Q\right]\right)^{2}",
    ],
)
def test_what_is_short_or_held_together_is_no_product_to_break(line: str) -> None:
    assert factored(line, 12) == [line]
