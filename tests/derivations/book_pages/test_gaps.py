"""Comparisons in a table, and as a plot: a dot for each, at its place, and none for what does not scatter."""

from __future__ import annotations

import re

from derivations.book_pages.reader import gaps
from derivations.steps.step import Check
from derivations.verification.plain_records import CheckRecord, as_record


def compared(gap: float, verdict: str = "agree", stderr: float = 0.1, draws: int = 9) -> CheckRecord:
    return as_record(Check("p", {"n": 7.0}, 2.0, 2.0 + gap * stderr, stderr, draws, 0.1, verdict, "close"))


def places(text: str) -> list[float]:
    return [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', text)]


def test_dots_stand_where_their_gap_is() -> None:
    found = places(gaps.plot([compared(-4), compared(0), compared(4)]))
    assert found == sorted(found)
    assert abs(found[1] - gaps.WIDTH / 2) <= 2 * gaps.DOT
    assert abs((found[2] - found[1]) - 0.4 * (gaps.WIDTH - 2 * gaps.MARGIN)) <= 4 * gaps.DOT


def test_what_disagrees_stands_out_at_the_end() -> None:
    text = gaps.plot([compared(1), compared(2), compared(40, "disagree")])
    assert text.count("class=apart") == 1
    assert max(places(text)) <= gaps.WIDTH
    assert "at most 40.0" in text


def test_nothing_is_drawn_of_few_or_of_what_does_not_scatter() -> None:
    assert gaps.plot([compared(1), compared(2)]) == ""
    assert gaps.plot([compared(1), compared(2), compared(0, stderr=0.0)]) == ""


def check(comparison: str, draws: int) -> CheckRecord:
    return {**compared(1, draws=draws), "comparison": comparison}


def test_what_is_not_drawn_is_called_exact_and_no_draws_are_counted() -> None:
    exact = check("left out", 0)
    text = gaps.comparisons([exact, exact])
    assert "<summary>2 comparisons of exact values</summary>" in text
    assert text.count("<div>exact</div>") == 2
    text = gaps.comparisons([exact, check("number", 1234)])
    assert "2 comparisons with sampling, 1\u202f234 draws</summary>" in text
    assert text.count("<div>exact</div>") == 1
    assert gaps.comparisons([]) == ""


def test_a_table_with_exponents_says_by_what_they_agree() -> None:
    said = "steps of one half"
    assert said in gaps.comparisons([check("power", 9)])
    assert said in gaps.comparisons([check("left out", 0)])
    assert said not in gaps.comparisons([check("number", 9)])
