"""The chapter that compares variants: a table of best rates and losses for each regime, and a picture of both."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from derivations.book_pages import cards
from derivations.book_pages import html as h
from derivations.book_pages.change import exponent, gaps_of, in_short
from derivations.book_pages.html import Html
from derivations.book_pages.reader.drawings import themed
from derivations.figures.style import BLUE, VERMILION, styled
from derivations.language.regime import Regime
from derivations.steps.status import NumericStatus
from derivations.steps.step import Comparison
from derivations.variants.combinations import DERIVED, OPEN, REFUSED, Combination, stored
from derivations.variants.table import Entry, entries

BARS = 2.0


def _rate(entry: Entry) -> str:
    return "every rate" if entry.rate is None else h.number(entry.rate, 4)


def table(name: str) -> Html:
    """Best training rate, loss there by formula and by sampling, and slope at zero, for every variant of a regime: "over", "under"."""
    found = entries(Regime(name))
    paper = found[0]
    rows = []
    for entry in found:
        if entry.sampled is None:
            rows.append((entry.label, f"refused: {h.prose(entry.reason)}", "", "", "", "", ""))
            continue
        # less than is shown has no sign
        percent = round(100 * (entry.loss / paper.loss - 1), 1)
        change = "" if entry is paper else f"{percent:+.1f} %" if percent else "0.0 %"
        rows.append(
            (
                h.escape(entry.label),
                _rate(entry),
                h.number(entry.loss),
                change.replace("-", "\u2212"),
                h.measured(entry.sampled.mean, entry.sampled.stderr),
                h.number(entry.sampled.mean - entry.loss, 3),
                h.number(entry.slope, 3),
            )
        )
    headers = (
        "variant",
        "best rate",
        "loss: formula",
        "against paper",
        "loss: sampled",
        "gap",
        "slope at 0",
    )
    return Html(h.table(headers, rows, numeric=range(1, 7)))


def picture() -> Html:
    """Best rates (left) and losses there (right), formula and sampling, of both regimes."""
    with styled("variants"):
        canvas = Canvas(figsize=(10.8, 8.6), layout="constrained")
        FigureCanvasAgg(canvas)
        for row, regime in enumerate(Regime):
            shown = [entry for entry in entries(regime) if entry.sampled is not None]
            left, right = (canvas.add_subplot(2, 2, 2 * row + k) for k in (1, 2))
            _rates(left, shown)
            _losses(right, shown)
            left.set_title(f"${regime.title}$".replace("n_v m", "n_v\\,m"))
        buffer = io.BytesIO()
        # what scrolls on a phone shows it by what is behind
        canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = themed(buffer.getvalue().decode(), "variants", description(), apart=False)
    return Html(f'<figure><div class="drawn broad">{drawn}</div></figure>')


def description() -> str:
    """The picture for a reader who cannot see it."""
    parts = []
    for regime in Regime:
        found = [entry for entry in entries(regime) if entry.rate is not None]
        positive = [entry.label for entry in found if entry.rate is not None and entry.rate > 0]
        parts.append(
            f"{regime.title}: the best training rate of {len(found)} variants; positive for {', '.join(positive) or 'none'}."
        )
    return " ".join(parts)


def _rows(axis: Axes, shown: Sequence[Entry], *, named: bool) -> range:
    places = range(len(shown))
    axis.set_yticks(list(places), [entry.label for entry in shown] if named else [])
    axis.invert_yaxis()
    axis.grid(axis="y", color="black", alpha=0.12)
    return places


def _rates(axis: Axes, shown: Sequence[Entry]) -> None:
    for place, entry in zip(_rows(axis, shown, named=True), shown, strict=True):
        if entry.rate is not None:
            colour = VERMILION if entry.rate > 0 else BLUE
            axis.plot([entry.rate], [place], "o", color=colour, markersize=6)
    axis.axvline(0.0, color="0.8", linewidth=1.0, zorder=0)
    axis.set_xlabel(r"best training rate $\alpha_t$")


def _losses(axis: Axes, shown: Sequence[Entry]) -> None:
    places = _rows(axis, shown, named=False)
    axis.plot([entry.loss for entry in shown], places, "|", color="black", markersize=14, label="formula")
    sampled = [entry.sampled for entry in shown if entry.sampled is not None]
    axis.errorbar(
        [estimate.mean for estimate in sampled],
        list(places),
        xerr=[BARS * estimate.stderr for estimate in sampled],
        fmt="D",
        color=BLUE,
        markersize=3.5,
        label=rf"sampled, $\pm$ {BARS:g} standard errors",
    )
    axis.set_xlabel("average test loss there")
    axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none")


BADGES = {DERIVED: NumericStatus.AGREE, REFUSED: NumericStatus.NOT_APPLICABLE, OPEN: NumericStatus.DISAGREE}
LABELS = {DERIVED: "derived", REFUSED: "refused", OPEN: "not confirmed"}


def _cell(row: Combination) -> str:
    if not row.checks:
        return (
            f"{h.labelled(BADGES[row.verdict], LABELS[row.verdict])} <small>{cards.text(row.reason)}</small>"
        )
    last = row.checks[-1]
    left_out = [check for check in row.checks if check["comparison"] == Comparison.LEFT_OUT]
    # of a source that the formula has exactly there is no gap that could fall
    exact = [check["mean"] for check in left_out if check["value"] < 0]
    if exact:
        shown = h.labelled(BADGES[row.verdict], LABELS[row.verdict])
        least, most = h.number(min(exact), 3), h.number(max(exact), 3)
        falls = least if least == most else f"from {least} to {most}"
        return (
            f"{shown} <small>the gap to the exact loss falls as size to the power {falls}, for each source of loss and at "
            f"several rates; the exact loss against simulation: {h.prose(last['reason'])}</small>"
        )
    if last["comparison"] != Comparison.SIZE:
        shown = h.labelled(BADGES[row.verdict], "as in the paper")
        return f"{shown} <small>{h.prose(last['reason'])}, on a ladder of sizes</small>"
    gaps = gaps_of([check for check in row.checks if check["comparison"] == Comparison.SIZE])
    found = exponent(gaps)
    falls = f"falls as size to the power {found}" if found else "not resolved at three sizes"
    value, sampled = h.number(last["value"]), h.measured(last["mean"], last["stderr"])
    return (
        f"{h.labelled(BADGES[row.verdict], LABELS[row.verdict], last['reason'])} <small>{value}; sampled {sampled}; "
        f"gap {gaps[-1].shown}, times size² {gaps[-1].scaled}; {falls}</small>"
    )


def grid() -> Html:
    """Every change and every pair of changes, in both regimes, with the loss at the largest sampled size."""
    found = stored()
    by_words: dict[tuple[str, ...], dict[Regime, Combination]] = {}
    for row in found:
        by_words.setdefault(row.words, {})[row.regime] = row
    rows = [
        (f"<code>{h.escape(' '.join(words))}</code>", *(_cell(regimes[regime]) for regime in Regime))
        for words, regimes in by_words.items()
    ]
    counts = Counter(row.verdict for row in found)
    summary = ", ".join(f"{count} {LABELS[name]}" for name, count in counts.most_common())
    headers = ("change", *(f"loss, {in_short(regime)}" for regime in Regime))
    return Html(f"<p>{len(found)} losses: {summary}.</p>{h.table(headers, rows)}")
