"""Comparisons with sampling: a table of all, and a small plot of how far each sampled mean is from what it is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from derivations.book_pages import html as h
from derivations.book_pages.html import escape
from derivations.steps.status import NumericStatus
from derivations.steps.step import Comparison
from derivations.verification.plain_records import CheckRecord
from numeric_check.verdicts.verdict import SIGMAS

WIDTH, MARGIN, DOT, BASE = 480.0, 20.0, 2.6, 14.0
EXPONENTS = (Comparison.POWER, Comparison.LEFT_OUT)
_PROJECTIONS = (
    "A matrix is compared through two numbers: its projection on its own value (1), and on that plus a fixed random matrix (2), so "
    "that an error in any element shows."
)
_EXPONENTS = (
    "An exponent is fitted to sizes at which the power does not quite hold yet, and is not held to five standard errors. Orders come "
    "in steps of one half: it agrees when it is known to lie within a quarter of the stated one, or as far as the reason of its verdict says; "
    'a bound also when it is below. See <a href="statistics.html#exponents">what sampling can tell</a>.'
)


def comparisons(checks: Sequence[CheckRecord]) -> str:
    """Every comparison of a step, folded, with what its verdicts go by; nothing of none."""
    if not checks:
        return ""
    rows = [
        (
            h.label(check["label"], check["probe"]),
            h.sizes(check["sizes"]),
            h.number(check["value"]),
            h.measured(check["mean"], check["stderr"]),
            h.count(check["draws"]) if check["draws"] else "exact",
            h.badge(check["verdict"], check["reason"]),
        )
        for check in checks
    ]
    draws = sum(check["draws"] for check in checks)
    # what was drawn once and is shipped is no formula
    against = "experiment" if any(check["drawn"] < 1 for check in checks) else "formula"
    found = "sampled" if draws else "fitted"
    body = h.table(("quantity", "at", against, found, "draws", "verdict"), rows, numeric=(2, 3, 4))
    notes = [_PROJECTIONS] if any(check["probe"] for check in checks) else []
    notes += [_EXPONENTS] if any(check["comparison"] in EXPONENTS for check in checks) else []
    body += "".join(f"<p><small>{note}</small></p>" for note in notes)
    plural = "comparison" if len(rows) == 1 else "comparisons"
    how = f"with sampling, {h.count(draws)} draws" if draws else "of exact values"
    summary = f"{len(rows)} {plural} {how}"
    return f'<details class="sampled"><summary>{summary}</summary>{h.later(plot(checks) + body)}</details>'


def gap(check: CheckRecord) -> float | None:
    """The distance of a comparison in standard errors; None where nothing scatters."""
    return (check["mean"] - check["value"]) / check["stderr"] if check["stderr"] > 0 else None


def plot(checks: Sequence[CheckRecord]) -> str:
    """One dot for each comparison that scatters, heaped where they meet; nothing of fewer than three."""
    found = [
        (g, check)
        for check in checks
        if check["comparison"] == Comparison.NUMBER and (g := gap(check)) is not None
    ]
    if len(found) < 3:
        return ""
    bins: dict[int, int] = {}
    places = []
    for g, check in sorted(found, key=lambda one: one[0]):
        k = round((max(-SIGMAS, min(SIGMAS, g)) + SIGMAS) / (2 * SIGMAS) * (WIDTH - 2 * MARGIN) / (2 * DOT))
        bins[k] = bins.get(k, 0) + 1
        places.append((MARGIN + 2 * DOT * k, bins[k] - 1, g, check))
    ground = 2 * DOT * max(bins.values()) + 4
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{ground - DOT - 2 * DOT * k:.1f}" r="{DOT - 0.3:.1f}"'
        f"{'' if check['verdict'] == NumericStatus.AGREE else ' class=apart'}/>"
        for x, k, g, check in places
    )
    ticks = "".join(
        f'<text x="{MARGIN + (t + SIGMAS) / (2 * SIGMAS) * (WIDTH - 2 * MARGIN):.0f}" y="{ground + BASE:.0f}">{t:+d}</text>'
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
