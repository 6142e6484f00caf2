"""The hundred random sizes at which the conjecture below p = n_v m was sampled, counted for the page."""

from __future__ import annotations

from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.paper.beyond.below_conjecture import beyond, shipped

WHAT = {
    "sigma": (
        r"V_\sigma(\alpha_t)-V_\sigma(-\alpha_t)",
        "label noise, a positive rate against its mirror image",
    ),
    "nu above": (r"V_\nu(\alpha_t)-V_\nu(0)", "tasks, a positive rate against zero"),
    "nu below": (r"V_\nu(-\alpha_t)-V_\nu(0)", "tasks, a negative rate against zero"),
}


def counts() -> Html:
    """At how many sizes a change is positive, and negative, by five standard errors; with the provenance."""
    found = shipped()
    rows = [
        (h.inline(tex), said, str(beyond(found["rows"], what, 5)), str(beyond(found["rows"], what, -5)))
        for what, (tex, said) in WHAT.items()
    ]
    head = ("change", "of what", "positive by five standard errors", "negative by five")
    note = (
        f"<p><small>{len(found['rows'])} sizes of seed {found['seed']}, {h.escape(found['command'])}, "
        f"{found['date']}, NumPy {found['versions']['numpy']}, {found['seconds']:g} s.</small></p>"
    )
    return Html(h.table(head, rows) + note)
