"""The errata as the page shows them: what is printed, what is proved, and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from derivations.book_pages import cards
from derivations.book_pages import html as h
from derivations.book_pages.errata_rows import Entry, by_place, errata
from derivations.book_pages.html import Html
from derivations.steps.contents import load
from derivations.steps.step import Erratum


@cache
def _places() -> tuple[tuple[Entry, ...], ...]:
    return tuple(tuple(group) for group in by_place(errata()))


def _title(group: Sequence[Entry]) -> str:
    """The equations that a place is about, each with a link to where it is derived."""
    of_number = {number: step for step in load().values() for number in step.equations}
    numbers = sorted({number for entry in group for number in entry.equations}, key=int)
    if not numbers:
        return " ".join(cards.link(entry.step) for entry in group)
    links = (f'<a href="{of_number[n].page}.html#step-{of_number[n].name}">({n})</a>' for n in numbers)
    return f'<span class="step-number">{", ".join(links)}</span>'


def _forms(entry: Entry) -> str:
    """The parts that differ, proved and printed."""
    if entry.printed is None or entry.right is None:
        return ""
    return cards.both_forms(load()[entry.step], entry.printed)


def _remark(entry: Entry) -> str:
    if entry.sort is Erratum.UNREADABLE:
        return _illegible(entry.text)
    where = "" if load()[entry.step].equations else f" <small>{cards.link(entry.step)}</small>"
    parts = [f"<p>{h.prose(entry.statement)}{where}</p>", _forms(entry), f"<p>{cards.text(entry.text)}</p>"]
    if entry.detail:
        parts.append(f"<p><small>{cards.reason(load()[entry.step], entry.detail)}.</small></p>")
    if entry.reservation:
        parts.append(_illegible(entry.reservation))
    return "".join(parts)


def _illegible(what: str) -> str:
    return f'<p class="step-unreadable">Not fully legible: {h.prose(what)}.</p>'


def _card(group: Sequence[Entry]) -> str:
    return f'<section class="step"><header>{_title(group)}</header>{"".join(map(_remark, group))}</section>'


def section(*sorts: str) -> Html:
    """Every place whose first entry is of these sorts, in reading order."""
    found = [group for sort in sorts for group in _places() if group[0].sort == sort]
    return Html("".join(map(_card, found)) or "<p>None.</p>")
