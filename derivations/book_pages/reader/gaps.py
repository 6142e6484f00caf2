"""Comparisons with sampling as a small plot: how far each sampled mean is from what it is compared with, in standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from derivations.book_pages.html import escape
from derivations.steps.status import NumericStatus
from derivations.steps.step import Comparison

LIMIT = 5.0
"""Standard errors up to which a mean agrees."""
WIDTH, MARGIN, DOT, BASE = 480.0, 20.0, 2.6, 14.0


def gap(check: Any) -> float | None:
    """The distance of a comparison in standard errors; None where nothing scatters."""
    return (check["mean"] - check["value"]) / check["stderr"] if check["stderr"] > 0 else None


def plot(checks: Sequence[Any]) -> str:
    """One dot for each comparison that scatters, heaped where they meet; nothing of fewer than three."""
    found = [
        (g, check)
        for check in checks
        if check.get("comparison", Comparison.NUMBER) == Comparison.NUMBER and (g := gap(check)) is not None
    ]
    if len(found) < 3:
        return ""
    bins: dict[int, int] = {}
    places = []
    for g, check in sorted(found, key=lambda one: one[0]):
        k = round((max(-LIMIT, min(LIMIT, g)) + LIMIT) / (2 * LIMIT) * (WIDTH - 2 * MARGIN) / (2 * DOT))
        bins[k] = bins.get(k, 0) + 1
        places.append((MARGIN + 2 * DOT * k, bins[k] - 1, g, check))
    ground = 2 * DOT * max(bins.values()) + 4
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{ground - DOT - 2 * DOT * k:.1f}" r="{DOT - 0.3:.1f}"'
        f"{'' if check['verdict'] == NumericStatus.AGREE else ' class=apart'}/>"
        for x, k, g, check in places
    )
    ticks = "".join(
        f'<text x="{MARGIN + (t + LIMIT) / (2 * LIMIT) * (WIDTH - 2 * MARGIN):.0f}" y="{ground + BASE:.0f}">{t:+d}</text>'
        if t
        else f'<text x="{WIDTH / 2:.0f}" y="{ground + BASE:.0f}">0</text>'
        for t in (-5, -3, -1, 0, 1, 3, 5)
    )
    far = max(abs(g) for g, _ in found)
    said = f"{len(found)} sampled means, each by how many of its standard errors it is off: at most {far:.1f}; five are allowed"
    return (
        f'<figure class="gaps"><svg viewBox="0 0 {WIDTH:.0f} {ground + BASE + 4:.0f}" role="img" aria-label="{escape(said)}">'
        f'<path d="M{MARGIN} {ground}H{WIDTH - MARGIN}M{WIDTH / 2} {ground}v-{ground - 2}"/>{dots}{ticks}</svg>'
        f"<figcaption>{escape(said)}.</figcaption></figure>"
    )
