"""The figures on the pages: the drawing with its caption, and the numbers it is drawn from."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.figures.captions import alt_text, caption, lowest_predicted
from derivations.figures.curves import predicted
from derivations.figures.draw import draw
from derivations.figures.panels import figure
from derivations.figures.points import simulated


def picture(name: str, *, with_caption: bool = True) -> Html:
    """A figure as an image of its own, whose identifiers stay apart from those of the page."""
    shown = figure(name)
    with tempfile.TemporaryDirectory() as folder:
        data = draw(name, Path(folder) / "figure.svg")[0].read_bytes()
    source = f"data:image/svg+xml;base64,{base64.b64encode(data).decode()}"
    text = f"<figcaption>{h.prose(caption(shown))}</figcaption>" if with_caption else ""
    return Html(f'<figure><img src="{source}" alt="{h.escape(alt_text(shown))}"/>{text}</figure>')


def training_rate(name: str) -> Html:
    """What the predicted minimum over the training rate gains on rate zero, and how far prediction and estimate are apart."""
    shown = figure(name)
    (chosen,) = (k for k, panel in enumerate(shown.panels) if panel.rate == "alpha_t")
    panel, marks = shown.panels[chosen], simulated(shown)[chosen]
    best = lowest_predicted(panel)
    low, zero = (float(value) for value in predicted(panel, [best, 0.0]))
    theory = predicted(panel, [point.rate for point in marks])
    ends = [
        f"{h.number(point.rate)}: formula {h.number(float(value))}, estimate "
        f"{h.measured(point.conditional.mean, point.conditional.stderr)}, "
        f"{abs(value - point.conditional.mean) / point.conditional.stderr:.0f} standard errors apart, "
        f"{100 * abs(value / point.conditional.mean - 1):.2g} % of the loss"
        for point, value in ((marks[0], theory[0]), (marks[-1], theory[-1]))
    ]
    return Html(
        f"<p>The predicted minimum, at rate {h.number(best, 2)}, lies {100 * (1 - low / zero):.2g} % below the loss at rate "
        f"zero. At the ends of the range, at rate {'; at rate '.join(ends)}. Such a gap is the remainder of the formula, "
        "which holds to leading order; the estimate resolves it.</p>"
    )


def points(name: str) -> Html:
    """The numbers behind a figure, folded: formula, plain protocol and conditional estimator at each rate."""
    shown = figure(name)
    blocks = []
    for panel, found in zip(shown.panels, simulated(shown), strict=True):
        theory = predicted(panel, [point.rate for point in found])
        rows = [
            (
                h.number(point.rate),
                h.number(float(value)),
                "" if point.plain is None else h.measured(point.plain.mean, point.plain.stderr),
                h.measured(point.conditional.mean, point.conditional.stderr),
            )
            for point, value in zip(found, theory, strict=True)
        ]
        rate = {"alpha_r": "adaptation rate", "alpha_t": "training rate"}[panel.rate]
        headers = (rate, "formula", "plain protocol", "conditional estimator")
        blocks.append(
            h.details(
                f"Numbers of panel ({panel.letter}), {panel.title or rate}",
                h.table(headers, rows, numeric=range(4)),
            )
        )
    return Html("".join(blocks))
