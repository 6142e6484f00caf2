"""Tables of the chapter on Theorem 1: how far the leading order is off, and where training ends."""

from __future__ import annotations

from derivations.book_pages import html as h
from derivations.book_pages import training, undershoot
from derivations.book_pages.html import Html
from derivations.book_pages.undershoot import Gap
from derivations.language.assumptions import PAPER
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.paper.experiments.panels import FIGURE_2, FIGURE_3
from derivations.publishing.pages import assumptions_in_force
from derivations.steps.contents import load
from derivations.typeset.term_order import name_latex

# these tables are about the paper's theorem, whatever the assumptions of the book
_PAPER = "<p><small>Under the paper's assumptions.</small></p>"
_EXCESS = r"\mathbb{E}|\omega^\star-w_0|^2"


def _beyond() -> str:
    return "" if assumptions_in_force() == PAPER else _PAPER


def _percent(gap: Gap) -> str:
    text = f"{100 * gap.relative:+.1f} %".replace("-", "\u2212")
    return text if gap.resolved else f"{text} (within error)"


_SOURCES = {"sigma": "label noise", "nu": "the variability of tasks", "dist0_sq": "the start"}


def rate_sources() -> str:
    """The sources of error whose terms in the printed loss depend on the training rate, in words."""
    claim = load()["theorem-1"].claim
    if claim is None:
        raise ValueError("Theorem 1 states nothing")
    (printed,) = (to_sympy(part) for part in claim().values())
    names = {symbol.name: symbol for symbol in printed.free_symbols}
    found = [words for name, words in _SOURCES.items() if printed.diff(names[name]).has(names["alpha_t"])]
    return " and ".join(found)


def where_the_rate_enters() -> Html:
    """The sentence on the sources of error that the training rate acts on."""
    return Html(
        f"<p>The training rate {h.inline(name_latex('alpha_t'))} enters through {rate_sources()} alone.</p>"
    )


def gap_over_rates() -> Html:
    """Formula and sampled mean of the distance and of the loss, at the sizes of Figure 2, over the rate."""
    rows = []
    for excess, loss in zip(undershoot.over_rates(), undershoot.over_rates("loss"), strict=True):
        cells = [h.number(excess.alpha_t)]
        for gap in (excess, loss):
            cells += [h.number(gap.theory), h.measured(gap.mean, gap.stderr), _percent(gap)]
        rows.append(cells)
    headers = (
        "rate",
        "distance: formula",
        "distance: sampled",
        "missing",
        "loss: formula",
        "loss: sampled",
        "missing ",
    )
    note = (
        f"<p><small>Distance: {h.inline(_EXCESS)}. Missing: what the formula lacks of the sampled mean. "
        "Errors are one standard error.</small></p>"
        f"<p>At each of these rates the formula lies below the truth, by {range_of_gaps()} of the distance.</p>"
    )
    return Html(h.table(headers, rows, numeric=range(7)) + note + _beyond())


def range_of_gaps() -> str:
    """The smallest and largest missing share of the distance over the training rates, as text."""
    shares = [100 * gap.relative for gap in undershoot.over_rates()]
    return f"{min(shares):.0f} to {max(shares):.0f} per cent"


def gap_over_sizes() -> Html:
    """The gap as p and n_t grow in proportion: its decay, and the exponent fitted to it."""
    gaps = undershoot.over_sizes()
    rows = [
        (
            str(gap.xi),
            str(60 * gap.xi),
            h.number(gap.theory),
            h.measured(gap.mean, gap.stderr),
            h.measured(gap.mean - gap.theory, gap.stderr),
            h.measured((gap.mean - gap.theory) * gap.xi**2, gap.stderr * gap.xi**2),
            _percent(gap),
        )
        for gap in gaps
    ]
    slope, error = undershoot.slope(gaps)
    headers = ("size", "p", "formula", "sampled", "gap", "gap × size²", "missing")
    note = f"<p>Fitted exponent of the gap in the size: <strong>{h.measured(slope, error)}</strong>.</p>"
    return Html(h.table(headers, rows, numeric=range(7)) + note + _beyond())


def training_table() -> Html:
    """Gradient descent on the outer loss against the exact solution, from several starts, in both regimes."""
    rows = []
    for setting in (FIGURE_2, FIGURE_3):
        for run in training.runs(setting):
            rows.append(
                (
                    h.inline(Regime(setting.regime).title),
                    h.number(run.start, 3),
                    h.number(run.way, 3),
                    h.number(run.miss, 2),
                    h.number(run.apart if run.apart > 1e-6 else 0.0, 3) if run.start else "–",
                    h.number(run.loss, 3) if run.loss > 1e-12 else "0",
                )
            )
    headers = (
        "regime",
        "start: distance from the mean",
        "way to the exact solution",
        "missed by training",
        "apart from the first end",
        "outer loss at the end",
    )
    return Html(h.table(headers, rows, numeric=range(1, 6)) + _beyond())
