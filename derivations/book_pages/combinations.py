"""The table of all pairs of changed assumptions: both regimes beside each other, with reasons and numbers."""

from __future__ import annotations

from collections import Counter

from derivations.book_pages import cards
from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.language.regime import Regime
from derivations.variants.combinations import DERIVED, OPEN, REFUSED, Combination, stored

TITLES = {regime.value: regime.title for regime in Regime}
BADGES = {DERIVED: "agree", REFUSED: "not-applicable", OPEN: "disagree"}
# what a comparison of values is called; the paper's own losses are confirmed by how differences fall
LOSS = r"\bar L^{test}"
LABELS = {DERIVED: "derived", REFUSED: "refused", OPEN: "not confirmed"}


def _cell(row: Combination) -> str:
    if row.check is None:
        return (
            f"{h.labelled(BADGES[row.verdict], LABELS[row.verdict])} <small>{cards.text(row.reason)}</small>"
        )
    if row.check["label"] != LOSS:
        shown = h.labelled(BADGES[row.verdict], "as in the paper")
        return f"{shown} <small>{h.escape(row.check['reason'])}, on a ladder of sizes</small>"
    value, sampled = h.number(row.check["value"]), h.measured(row.check["mean"], row.check["stderr"])
    shown = h.labelled(BADGES[row.verdict], LABELS[row.verdict], row.check["reason"])
    return f"{shown} <small>{value}; sampled {sampled}: {h.escape(row.check['reason'])}</small>"


def grid() -> Html:
    """Every change and every pair of changes, in both regimes, with the loss at the largest sampled size."""
    found = stored()
    by_words: dict[tuple[str, ...], dict[str, Combination]] = {}
    for row in found:
        by_words.setdefault(row.words, {})[row.regime] = row
    rows = [
        (f"<code>{h.escape(' '.join(words))}</code>", *(_cell(regimes[name]) for name in TITLES))
        for words, regimes in by_words.items()
    ]
    counts = Counter(row.verdict for row in found)
    summary = ", ".join(f"{count} {LABELS[name]}" for name, count in counts.most_common())
    headers = ("change", *(f"loss at {title}" for title in TITLES.values()))
    return Html(f"<p>{len(found)} losses: {summary}.</p>{h.table(headers, rows)}")
