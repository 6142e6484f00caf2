"""What the paper does not have, as a list of theorems: hypotheses and statement, how each is proved, and what confirms it."""

from __future__ import annotations

from derivations.book_pages import cards
from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.steps.contents import load
from derivations.steps.step import Kind, Step


def _how(step: Step) -> str:
    """The verdicts, by what method a result is shown, and how many comparisons with samples confirm it."""
    record = cards.records()[step.name]
    sampled = sum(bool(check["draws"]) for check in record["checks"])
    said = [cards.text(step.method)] if step.method else []
    said += [f"{sampled} comparison{'' if sampled == 1 else 's'} with samples"] if sampled else []
    badges = h.badge(record["proof"], record["proof_reason"])
    return f"{badges} {h.badge(record['numeric'], record['numeric_reason'])} <small>{'; '.join(said)}</small>"


def theorems() -> Html:
    """Every result beyond the paper in reading order, with its verdicts; moments are on a page of their own."""
    items = [
        f"<li>{cards.link(step.name)}: {cards.text(step.statement)} {_how(step)}</li>"
        for step in load().values()
        if step.kind is Kind.BEYOND
    ]
    return Html(f"<ol>{''.join(items)}</ol>")
