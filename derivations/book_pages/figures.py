"""The figures on the pages: the drawing with its caption, and the numbers it is drawn from."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.book_pages.reader.drawings import DISTRIBUTION, download, table, themed
from derivations.figures import network_runs
from derivations.figures.captions import alt_text, caption
from derivations.figures.curves import exact, next_order, predicted
from derivations.figures.draw import OWN, draw
from derivations.figures.network_estimates import (
    REPORTED,
    between,
    gaps,
    level,
    lowered,
    lowest,
    marks,
    ten_runs,
)
from derivations.figures.network_figure import TITLES
from derivations.figures.network_runs import RATES
from derivations.formulas.by_name import function
from derivations.formulas.optimum import optimum
from derivations.language.assumptions import PAPER
from derivations.paper.experiments.panels import Panel, figure, slug_of
from derivations.paper.experiments.points import provenance, simulated
from derivations.paper.wide_network.signs import POINTS, predicted_differences
from derivations.publishing.kept_calls import kept
from numeric_check.draws.estimate import Estimate
from numeric_check.network.features import feature_moments
from numeric_check.verdicts.verdict import SIGMAS


def _own(name: str) -> tuple[str, str]:
    """The caption of a figure, and what a reader who cannot see it should know."""
    if slug_of(name) in OWN:
        own = OWN[slug_of(name)]
        return own.caption(), own.alt_text()
    return caption(figure(name)), alt_text(figure(name))


def _theories(name: str) -> set[str]:
    """The losses that a figure draws, by the names under which it looks them up."""
    slug = slug_of(name)
    return {*OWN[slug].THEORIES} if slug in OWN else {panel.theory for panel in figure(name).panels}


def drawing(name: str) -> Html:
    """A figure as a drawing in the colours of the page."""
    return Html(_drawing(name))


@kept(_theories)
def _drawing(name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        text = draw(name, Path(folder) / "figure.svg")[0].read_text(encoding="utf-8")
    return f'<div class="drawn">{themed(text, slug_of(name), _own(name)[1])}</div>'


def picture(name: str) -> Html:
    """A figure: drawing, caption, and below it its command, data and drawings to take along, and how its points were made."""
    return Html(_picture(name, version(DISTRIBUTION)))


@kept(lambda name, _: _theories(name))
def _picture(name: str, edition: str) -> str:
    slug, (said, described) = slug_of(name), _own(name)
    with tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder) / "figure.pdf"
        svg, shown = draw(name, Path(folder) / "figure.svg", also=[pdf])
        files = {
            f"{slug}.csv": table(shown).encode(),
            f"{slug}.svg": svg.read_bytes(),
            f"{slug}.pdf": pdf.read_bytes(),
        }
        text = themed(svg.read_text(encoding="utf-8"), slug, described)
    links = " ".join(download(file, content) for file, content in files.items())
    command = f"derive figure {slug.removeprefix('figure')} --out {slug}.svg"
    return (
        f'<figure><div class="drawn">{text}</div><figcaption>{h.prose(said)}</figcaption></figure>'
        f'<p class="taken"><code>{command}</code> {links} <a href="get.html#cite">How to cite it</a><br><small>{made(slug, edition)}</small></p>'
    )


def made(slug: str, edition: str) -> str:
    """How the points of a figure were made: runs, seed, time, versions."""
    drawn = f"Drawn with version {edition} of this edition."
    shipped = provenance().get(slug)
    if shipped is None:
        return drawn
    draws = sum(point["draws"] for point in shipped["points"])
    versions = ", ".join(f"{name} {number}" for name, number in shipped["versions"].items())
    return (
        f'Experiment, shipped: <code class="nobreak">{h.escape(shipped["command"])}</code>, {h.count(draws)} runs in all, seed {shipped["seed"]}, '
        f"{shipped['seconds']:.0f} seconds on {shipped['cores']} cores, {versions}. {drawn}"
    )


def _least(panel: Panel) -> float:
    """The rate at which the formula of a panel is least: of the formula itself, not of the points of its line."""
    matrices = ("n_t", "n_v", "n_r", "m", "p", "sigma", "Sigma", "Sigma_w")
    names = function(panel.theory, panel.assumptions).parameters if panel.base.Sigma is None else matrices
    fixed = {key: getattr(panel.base, key) for key in {*names, "alpha_t", "alpha_r"} - {panel.rate}}
    return float(optimum(panel.theory, fixed, panel.assumptions)[panel.rate])


def training_rate(name: str) -> Html:
    """What the predicted minimum over the training rate gains on rate zero, and how far prediction and estimate are apart."""
    shown = figure(name)
    (chosen,) = (k for k, panel in enumerate(shown.panels) if panel.rate == "alpha_t")
    panel, marks = shown.panels[chosen], simulated(shown)[chosen]
    best = _least(panel)
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
        f"<p>The predicted minimum, at rate {h.number(best, 3)}, lies {100 * (1 - low / zero):.2g} % below the loss at rate "
        f"zero. At the ends of the range, at rate {'; at rate '.join(ends)}. Such a gap is the remainder of the formula, "
        "which holds to leading order; the estimate resolves it.</p>"
    )


def points(name: str) -> Html:
    """The numbers behind a figure, folded: formula, next order, exact loss, plain protocol and conditional estimator at each rate.

    What a formula is off by is taken from the exact loss, and from the estimate where that is not known.
    """
    return Html(_points(name))


@kept(_theories)
def _points(name: str) -> str:
    shown = figure(name)
    blocks = []
    for panel, found in zip(shown.panels, simulated(shown), strict=True):
        rates = [point.rate for point in found]
        following = next_order(panel, rates)
        formulas = [predicted(panel, rates), *(() if following is None else (following,))]
        known = exact(panel, rates)
        best = [point.conditional.mean for point in found] if known is None else list(map(float, known))
        rows = [
            (
                h.number(point.rate),
                *(
                    f"{h.number(float(values[k]))} ({_percent(values[k] / best[k] - 1)})"
                    for values in formulas
                ),
                *(() if known is None else (h.number(best[k]),)),
                "" if point.plain is None else h.measured(point.plain.mean, point.plain.stderr),
                h.measured(point.conditional.mean, point.conditional.stderr),
            )
            for k, point in enumerate(found)
        ]
        rate = {"alpha_r": "adaptation rate", "alpha_t": "training rate"}[panel.rate]
        lines = ["formula (off by)", "next order (off by)"][: len(formulas)] + (
            [] if known is None else ["exact"]
        )
        headers = (rate, *lines, "plain protocol", "conditional estimator")
        blocks.append(
            h.details(
                f"Numbers of panel ({panel.letter}), {panel.title or rate}",
                h.table(headers, rows, numeric=range(len(headers))),
            )
        )
    return "".join(blocks)


def _percent(share: float) -> str:
    return f"{100 * share:{'+.1g' if abs(share) < 0.095 else '+.0f'}} %".replace("-", "\u2212")


# -- Figure 5 -----------------------------------------------------------------------------------------------

LETTERS = dict(zip(TITLES, "abc", strict=True))


def _measured(estimate: Estimate) -> str:
    if not estimate.stderr > 0:
        return h.number(estimate.mean)
    return f'<span class="nobreak">{h.measured(estimate.mean, estimate.stderr)}</span>'


def network_differences() -> Html:
    """Loss minus loss at rate zero, linearized and below it in two levels, under each reading."""
    rows = []
    for found in zip(*map(marks, TITLES), strict=True):
        rows.append([h.number(found[0].rate), "linearized", *(_measured(mark.linearised) for mark in found)])
        rows.append(["", "trained", *(_measured(mark.two_level) for mark in found)])
    headers = ("rate", "networks", *(f"({letter})" for letter in LETTERS.values()))
    text = "The loss minus that at rate zero. Trained: the linearized mean plus the paired difference of trained and linearized runs."
    return Html(f"<p>{text}</p>{h.table(headers, rows, numeric=(0, 2, 3, 4))}")


def network_verdict() -> Html:
    """What the reported rate does under each reading, with its significance, and where the loss is lowest."""
    lines = []
    for how, letter in LETTERS.items():
        found = marks(how)
        (at,) = (mark for mark in found if mark.rate == REPORTED)
        best = min(found, key=lambda mark: mark.linearised.mean)
        lines.append(
            f"<li>({letter}) {h.prose(TITLES[how])}: from rate zero to {h.number(REPORTED)} the loss changes by "
            f"{_measured(at.linearised)} linearized, {_errors(at.linearised)} standard errors, and by {_measured(at.two_level)} "
            f"trained, {_errors(at.two_level)} standard errors; {lowered(how)} of {at.two_level.draws} trained runs are lower there. Of the rates tried linearized "
            f"networks do best at {h.number(best.rate)}. The loss at zero is {_measured(level(how))}.</li>"
        )
    return Html(f"<ul>{''.join(lines)}</ul>")


def _errors(estimate: Estimate) -> str:
    return f"{abs(estimate.mean) / estimate.stderr:.0f}"


def network_trained() -> Html:
    """What the trained runs shipped now decide of themselves: a sign counts as decided by five standard errors."""
    lines = []
    for how, letter in LETTERS.items():
        at = next(mark for mark in marks(how) if mark.rate == REPORTED).two_level
        best = lowest(how)
        least = RATES[0]
        words = [
            f"{at.draws} runs. At {h.number(REPORTED)} trained networks are {'worse' if at.mean > 0 else 'better'} than at zero, "
            f"{_decided(at)}."
        ]
        if best.rate:
            words.append(
                f"Their mean is lowest at {h.number(best.rate)}; that it is lower there than at zero is {_decided(best.two_level)}."
            )
        lower = between(how, least, REPORTED)
        words.append(
            f"From {h.number(REPORTED)} on to {h.number(least)} it {'rises' if lower.mean > 0 else 'falls on'}, by "
            f"{_measured(replace(lower, mean=abs(lower.mean)))}, {_decided(lower)}."
        )
        lines.append(f"<li>({letter}) {' '.join(words)}</li>")
    return Html(f"<ul>{''.join(lines)}</ul>")


def _decided(estimate: Estimate) -> str:
    """Whether the sign of an estimate is decided, and by how many standard errors."""
    errors = abs(estimate.mean) / estimate.stderr
    return f"{'decided' if errors > SIGMAS else 'not decided'} ({errors:.1f} standard errors)"


def network_scatter() -> Html:
    """The scatter of figures of ten trained runs."""
    rows = []
    for how, letter in LETTERS.items():
        found = ten_runs(how)
        (at,) = (mark for mark in marks(how) if mark.rate == REPORTED)
        cells = ["fewer than ten runs", "", ""]
        if found is not None:
            shares = (f"{100 * share:.0f} %" for share in (found.improved, found.negative))
            cells = [h.number(found.spread, 2), *shares]
        rows.append([f"({letter})", _measured(at.two_level), *cells])
    headers = (
        "reading",
        f"change at {h.number(REPORTED)}",
        "its spread over ten-run figures",
        f"figures lower at {h.number(REPORTED)} than at 0",
        "figures lowest at a negative rate",
    )
    return Html(h.table(headers, rows, numeric=range(1, 5)))


def network_criterion() -> Html:
    """What (14) predicts with the moments of the tangent features: the loss at some rates minus that at zero."""
    rates = (REPORTED, -0.0025, 0.0025, 0.005)
    rows = []
    for how, letter in LETTERS.items():
        found = predicted_differences(PAPER, how, 0, rates)
        rows.append([f"({letter})", *(h.number(found[rate], 2) for rate in rates)])
    share = 100 * feature_moments(network_runs.PRINTED, next(iter(TITLES)), POINTS, 0).largest
    headers = ("reading", *(f"(14) at {h.number(rate)}, minus at 0" for rate in rates))
    return Html(
        f"<p>The largest eigenvalue of the features' covariance is {share:.0f} % of its trace.</p>"
        f"{h.table(headers, rows, numeric=range(1, 5))}"
    )


def network_widths() -> Html:
    """Trained minus linearized loss over the width."""
    rows = [
        [str(gap.width), str(gap.runs), h.number(gap.root_mean_square, 2), h.number(gap.median, 2)]
        for gap in gaps()
    ]
    headers = ("width", "runs", "root mean square", "median size")
    text = (
        "Trained minus linearized loss at rate zero, over the same number of runs at each width, with every rate scaled by the mean "
        "kernel. It falls with width; a few runs with a large bias carry the mean square."
    )
    return Html(f"<p>{text}</p>{h.table(headers, rows, numeric=range(4))}")


def network_provenance() -> Html:
    """How the shipped runs were made."""
    document = network_runs.provenance()
    versions = ", ".join(f"{name} {number}" for name, number in document["versions"].items())
    return Html(
        f"<p><small>Shipped runs: <code>{h.escape(document['command'])}</code>, seed {document['seed']}, {versions}, "
        f"{document['date']}, {document['seconds']} seconds of one core.</small></p>"
    )
