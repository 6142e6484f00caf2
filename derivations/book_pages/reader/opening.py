"""The opening page: the loss and its best rate, and what was found, each sentence held to the verdicts it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from derivations.book_pages import cards
from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.language.assumptions import PAPER
from derivations.publishing.build import BookError
from derivations.publishing.pages import assumptions_in_force
from derivations.steps.contents import load
from derivations.steps.status import ProofStatus
from derivations.typeset import statements


@dataclass(frozen=True)
class Finding:
    """A sentence, with the steps it rests on and the verdicts they must have; `{name}` in it is a link to that step."""

    sentence: str
    rests_on: dict[str, ProofStatus]


FINDINGS = (
    Finding(
        "<strong>The conclusion stands.</strong> With one inner step, noisy labels and inputs of identity covariance the best training rate is negative: "
        "to leading order {minimum-is-negative} with more parameters than validation points and {theorem-2-minimum-is-negative} with fewer; "
        f"for Gaussian inputs and {h.inline('p>n_vm+1')} "
        + "{negative-rate-is-better} at every size, without asymptotics.",
        {
            "minimum-is-negative": ProofStatus.PROVED,
            "theorem-2-minimum-is-negative": ProofStatus.PROVED,
            "negative-rate-is-better": ProofStatus.PROVED,
        },
    ),
    Finding(
        "<strong>Remainders and conditions are misstated.</strong> What Theorems {theorem-1-remainder}, {theorem-2-remainder} and {theorem-3-remainder} "
        f"neglect is larger than printed where {h.inline('n_r')}, or in Theorem 2 the number of tasks, stays fixed; "
        "and Theorem 3, {theorem-3}, needs a "
        "condition that the print lacks.",
        {
            "theorem-1-remainder": ProofStatus.CORRECTED,
            "theorem-2-remainder": ProofStatus.CORRECTED,
            "theorem-3-remainder": ProofStatus.CORRECTED,
            "theorem-3": ProofStatus.CONDITIONAL,
        },
    ),
    Finding(
        "<strong>More steps can turn the sign.</strong> With two, three or four inner steps the best rate can be positive: it is, for (5) "
        "at the sizes of Figure 2 {several-steps-minimum} and, with one validation point and many training points, half as many as parameters, for the exact loss "
        "{several-steps-positive}.",
        {"several-steps-minimum": ProofStatus.PROVED, "several-steps-positive": ProofStatus.PROVED},
    ),
)
LINKS = {
    "minimum-is-negative": "proved",
    "theorem-2-minimum-is-negative": "proved",
    "negative-rate-is-better": "proved",
    "theorem-1-remainder": "1",
    "theorem-2-remainder": "2",
    "theorem-3-remainder": "3",
    "theorem-3": "(14)",
    "several-steps-minimum": "(proved)",
    "several-steps-positive": "(proved)",
}
# the three results beyond the paper that matter most, in words
MOST = Finding(
    '<a href="beyond.html">What is new here</a>, above all: {negative-rate-is-better}; {theorem-2-minimum-is-negative}; '
    "and {positive-rate-criterion}.",
    {
        "negative-rate-is-better": ProofStatus.PROVED,
        "theorem-2-minimum-is-negative": ProofStatus.PROVED,
        "positive-rate-criterion": ProofStatus.PROVED,
    },
)
WORDS = {
    "negative-rate-is-better": "with more parameters than validation points the exact loss is least at a negative rate, at every size where it is finite",
    "theorem-2-minimum-is-negative": "the best rate of Theorem 2 is negative without its proviso",
    "positive-rate-criterion": "which covariances make a small positive rate help",
}


def _link(name: str, words: str) -> str:
    step = load()[name]
    return f'<a href="{step.page}.html#step-{name}" title="{h.escape(h.plain(step.statement))}">{words}</a>'


def _sentences(findings: Sequence[Finding], words: Mapping[str, str]) -> Iterator[str]:
    paper = assumptions_in_force() == PAPER
    for finding in findings:
        found = {name: cards.records()[name]["proof"] for name in finding.rests_on}
        wrong = [name for name, status in finding.rests_on.items() if found[name] != status]
        if paper and wrong:
            raise BookError(
                f"the opening page says what {wrong[0]} does not bear out: it is {found[wrong[0]]}",
                finding.sentence,
            )
        badges = " ".join(h.badge(status) for status in dict.fromkeys(found.values()))
        text = finding.sentence
        for name in finding.rests_on:
            text = text.replace(f"{{{name}}}", _link(name, words[name]))
        yield f"{text} {badges}"


def findings() -> Html:
    """What was found, a sentence each, and what of it is new, with the verdicts; raises BookError where a verdict is another one."""
    items = "".join(f"<li>{text}</li>" for text in _sentences(FINDINGS, LINKS))
    return Html(f'<ol class="findings">{items}</ol><p>{"".join(_sentences([MOST], WORDS))}</p>')


def formulas() -> Html:
    """The loss (5) with its two abbreviations, and its best rate, the minus root of (8), as printed."""
    steps = load()
    loss, root = (statements.printed(steps[name])[0] for name in ("theorem-1", "stationary-rates"))
    short = [statements.printed(steps[name])[0] for name in ("inner-factor", "adaptation-factor")]
    beside = "".join(map(h.display, (*short, root)))
    return Html(
        f"<p>The average test loss, {cards.link('theorem-1')}, and the training rate at which it is least, "
        f"{cards.link('stationary-rates')}, as printed:</p>"
        f'<div class="beside"><div>{h.columns([loss])}</div><div>{beside}</div></div>'
    )
