"""First-order MAML and an implicit inner step beside MAML at their best rates, for one task and one validation point."""

from __future__ import annotations

from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.paper.inner_loops import implicit_step
from derivations.paper.inner_loops.first_order import best

SIZE, SIGMA, NU = 60, 1.0, 0.5
POINTS = (6, 30, 120)


def table() -> Html:
    """The best rate of each, and its deviation over that at a rate of zero, by the number of training points."""
    rows = []
    for points in POINTS:
        found = best(points, SIZE, SIGMA, NU)
        cells = [f"{value:.2f}" for method in ("maml", "first_order") for value in found[method]]
        rate, share, error = implicit_step.best(points, SIZE, SIGMA, NU)
        rows.append((str(points), *cells, f"{rate:.2f}", f"{share:.2f} ± {error:.2f}"))
    head = (
        "training points",
        "best rate, MAML",
        "its deviation",
        "best rate, first order",
        "its deviation",
        "best rate, implicit step",
        "its deviation",
    )
    note = (
        f"<p><small>Deviations as shares of the one at a rate of zero. p = {SIZE}, one task, one validation point, sigma = {SIGMA:g}, "
        f"nu = {NU:g}; the least on a grid of negative rates, by quadrature, and for the implicit step from {implicit_step.BEST_DRAWS} draws with their standard error.</small></p>"
    )
    return Html(h.table(head, rows) + note)
