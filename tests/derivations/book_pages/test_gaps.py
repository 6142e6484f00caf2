"""The plot of comparisons: a dot for each, at its place, and none for what does not scatter."""

from __future__ import annotations

import re
from typing import Any

from derivations.book_pages.reader import gaps


def compared(gap: float, verdict: str = "agree", stderr: float = 0.1) -> dict[str, Any]:
    return {
        "value": 2.0,
        "mean": 2.0 + gap * stderr,
        "stderr": stderr,
        "verdict": verdict,
        "comparison": "number",
    }


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
