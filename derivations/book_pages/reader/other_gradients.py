"""First-order MAML beside MAML at their best rates, for one task and one validation point."""

from __future__ import annotations

from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.paper.inner_loops.first_order import best

SIZE, SIGMA, NU = 60, 1.0, 0.5
POINTS = (6, 30, 120)


def table() -> Html:
    """The best rate of each, and its deviation over that at a rate of zero, by the number of training points."""
    rows = []
    for points in POINTS:
        found = best(points, SIZE, SIGMA, NU)
        cells = (f"{value:.2f}" for method in ("maml", "first_order") for value in found[method])
        rows.append((str(points), *cells))
    head = ("training points", "best rate, MAML", "its deviation", "best rate, first order", "its deviation")
    note = (
        f"<p><small>Deviations as shares of the one at a rate of zero. p = {SIZE}, one task, one validation point, sigma = {SIGMA:g}, "
        f"nu = {NU:g}; by quadrature, the least on a grid of negative rates.</small></p>"
    )
    return Html(h.table(head, rows) + note)
