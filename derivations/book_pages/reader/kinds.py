"""The pages on one kind of changed assumption each: every minimum simulated, and what stands of the paper's main claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from derivations.book_pages import cards, change
from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.language.assumptions import read
from derivations.language.regime import Regime
from derivations.paper.theorem2.general_covariance import NORMAL
from derivations.steps.chain import Rule
from derivations.steps.contents import MODULE_OF, named
from derivations.steps.labels import LOSS
from derivations.steps.status import ProofStatus
from derivations.typeset import proofs
from derivations.typeset.latex import latex, latex_lines
from derivations.variants.table import VARIANTS, Variant, entries
from derivations.verification.prove import chain_of
from derivations.verification.verify import relevant, verify_step

PAPERS = VARIANTS[0]
# in the proof of the loss with a general covariance, the mean of one task's share of the noise
NOISE = "Q"
# lines of a long formula that stand together
LINES = 5
BY_LABEL: Mapping[str, Variant] = {variant.label: variant for variant in VARIANTS}
# what a reader asks after first, in reading order
CLAIMS = (
    "theorem-1",
    "slope-at-zero-positive",
    "stationary-rates",
    "minimum-is-negative",
    "adaptation-rate-bracket",
    "task-average",
    "theorem-2",
    "theorem-3",
    "negative-rate-is-better",
)


@dataclass(frozen=True)
class Kind:
    """A kind of change: its page, what the page is called, and the variants that it compares."""

    page: str
    title: str
    labels: tuple[str, ...]


KINDS = (
    Kind(
        "change_steps",
        "Several steps",
        ("2 inner steps", "3 inner steps", "4 inner steps", "2 adaptation steps"),
    ),
    Kind(
        "change_law", "Another law of the inputs", ("Rademacher inputs", "uniform inputs", "Laplace inputs")
    ),
    Kind("change_covariance", "Another covariance", ("mild covariance", "spiked covariance")),
    Kind("change_data", "Reused data", ("reused data",)),
    Kind("change_noise", "Another noise", ("noise-free validation",)),
)


def overview() -> Html:
    """The best training rate under each change, in both regimes, with the page that says more."""
    rates = {
        regime: {entry.label: entry for entry in entries(regime)} for regime in (Regime.OVER, Regime.UNDER)
    }

    def row(place: str, label: str) -> tuple[str, ...]:
        found = [by_label[label] for by_label in rates.values()]
        shown = ["every rate" if one.rate is None else h.number(one.rate, 4) for one in found]
        return place, h.escape(label), *shown

    rows = [row("", PAPERS.label)]
    for kind in KINDS:
        link = f'<a href="{kind.page}.html">{h.escape(kind.title)}</a>'
        rows += [row(link if k == 0 else "", label) for k, label in enumerate(kind.labels)]
    headers = ("page", "change", *(f"best rate, {change.in_short(regime)}" for regime in rates))
    return Html(h.table(headers, rows, numeric=(2, 3)))


def minima(regime: str, *changes: str) -> Html:
    """Every minimum of the loss over the training rate in a regime, "over" or "under", each simulated.

    Of the paper first; each change is a label of the table of variants, or the words of an assumption.
    """
    changed = [BY_LABEL.get(one) or Variant(one, tuple(one.split())) for one in changes]
    return change.lowest(Regime(regime), [PAPERS, *changed])


def general_loss() -> Html:
    """The loss below p = n_v m for covariances of any value, by the means H_t and Q that its proof names."""
    step, assumptions = named("theorem-2"), read(["covariance=general"])
    chain = chain_of(step, assumptions)
    if chain is None:
        raise ValueError("theorem-2 has no proof with a general covariance")
    place = max(k for k, move in enumerate(chain.moves) if move.rule is Rule.CENTRED)
    written = next(move for move in chain.moves[place:] if NOISE in move.values)
    loss = proofs.aligned(f"{LOSS} =", latex_lines(chain.moves[place].after))
    shown = [loss, f"{NORMAL} = {latex(chain.parts[NORMAL])}"]
    lines = latex_lines(written.values[NOISE])
    # a display does not go on over the end of a sheet
    groups = [lines[k : k + LINES] for k in range(0, len(lines), LINES)]
    spelt = [proofs.aligned("" if k else f"{NOISE} =", group) for k, group in enumerate(groups)]
    return Html(h.columns(shown) + h.details(f"What {NOISE} is", h.columns(spelt)))


def standing(*words: str) -> Html:
    """What becomes of the paper's main claims under the changed assumptions, and how many steps do not depend on these."""
    assumptions = read(words)
    rows = []
    for name in CLAIMS:
        record = verify_step(name, assumptions, numeric=False)
        status = ProofStatus(record["proof"])
        why = "" if status is ProofStatus.DERIVED else cards.text(change.brief(record["proof_reason"]))
        rows.append((cards.link(name), h.prose(named(name).statement), h.escape(change.MEANING[status]), why))
    steps = [step for step in map(named, MODULE_OF) if not step.query]
    free = sum(not assumptions.changes(relevant(step, assumptions)) for step in steps)
    said = (
        f"<p>Of {h.count(len(steps))} steps {h.count(free)} do not depend on it and stand as they are. Of the main claims "
        "some are derived anew: the engine finds what takes the place of the formula, and the printed sentence is not asserted.</p>"
    )
    return Html(said + h.table(("claim", "what it says", "what becomes of it", "why"), rows))
