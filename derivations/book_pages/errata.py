"""The errata as the page shows them: what is printed, what is proved, and what could not be read."""

from __future__ import annotations

from functools import cache

from derivations.book_pages import cards
from derivations.book_pages import html as h
from derivations.book_pages.errata_rows import Erratum, Sort, errata
from derivations.book_pages.html import Html
from derivations.steps.contents import load
from derivations.typeset import statements


@cache
def _all() -> tuple[Erratum, ...]:
    return tuple(errata())


def _title(entry: Erratum) -> str:
    numbers = ", ".join(f"({number})" for number in entry.equations) or entry.step.replace("-", " ")
    step = load()[entry.step]
    return f'<a class="step-number" href="{step.page}.html#step-{entry.step}">{numbers}</a>'


def _forms(entry: Erratum) -> str:
    """The parts that differ, proved and printed."""
    if entry.printed is None or entry.right is None:
        return ""
    step = load()[entry.step]
    forms = (entry.right, entry.printed)
    if step.claim and step.correction and statements.is_order(step.claim()):
        # an order is one statement, also where only one of its exponents differs
        forms = (step.correction(), step.claim())
    right, printed = (h.displays(statements.lines(step, form)) for form in forms)
    return (
        f"<p><strong>Proved:</strong></p>{right}"
        f'<p><strong>{"As read" if entry.sort == "as read" else "Printed"}:</strong></p><div class="step-refuted">{printed}</div>'
    )


def _card(entry: Erratum) -> str:
    parts = [f"<p>{h.prose(entry.statement)}</p>", _forms(entry)]
    if entry.text and entry.sort != "unreadable":
        parts.append(f"<p>{cards.text(entry.text)}</p>")
    if entry.detail:
        parts.append(f"<p><small>{cards.reason(load()[entry.step], entry.detail)}.</small></p>")
    unread = entry.text if entry.sort == "unreadable" else entry.reservation
    if unread:
        parts.append(f'<p class="step-unreadable">Not fully legible: {h.prose(unread)}.</p>')
    return f'<section class="step"><header>{_title(entry)}</header>{"".join(parts)}</section>'


def section(*sorts: Sort) -> Html:
    """Every entry of these sorts, in reading order."""
    found = [entry for sort in sorts for entry in _all() if entry.sort == sort]
    return Html("".join(_card(entry) for entry in found) or "<p>None.</p>")
