"""The chapter that changes one assumption from start to end: formula, optimum, sampling, and what survives."""

from __future__ import annotations

import contextlib
import io
import shlex
from collections import Counter
from dataclasses import replace
from functools import cache

from derivations.book_pages import cards
from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.command import cli
from derivations.figures.points import completed, task
from derivations.formulas.optimum import optimum
from derivations.language.assumptions import PAPER, Assumptions, read
from derivations.publishing.build import BookError
from derivations.steps.contents import find
from derivations.typeset import statements
from derivations.typeset.committed_text import formula_text
from derivations.variants.table import OVER, UNDER, Variant, setting_of, values_of
from derivations.verification.verify import Record, verify

MEANING = {
    "proved": "stands as printed",
    "corrected": "stands as corrected",
    "definition": "a definition",
    "derived": "changed: derived anew",
    "not-applicable": "does not apply, or is not derived",
}
BASES = {"eq5": OVER, "eq9": UNDER}


@cache
def _records(assumptions: Assumptions) -> dict[str, Record]:
    return {record["name"]: record for record in verify(assumptions=assumptions, numeric=False)}


def command(*words: str) -> Html:
    """A command, run now in this process, and what it prints; raises BookError when it fails."""
    said, wrong = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(wrong):
        status = cli.main(words)
    if status != 0:
        raise BookError(f"derive {' '.join(words)}: {wrong.getvalue().strip()}", wrong.getvalue())
    line = shlex.join(words)
    return Html(f"<pre><b>$ derive {h.escape(line)}</b>\n{h.escape(said.getvalue())}</pre>")


def in_text(name: str, *words: str) -> Html:
    """A step in the canonical text of `derive regenerate`, for the paper's assumptions and the changed ones."""
    step = find(name)
    texts = [(a.label(), formula_text(step, a) or "derives nothing") for a in (PAPER, read(words))]
    return Html("".join(f"<pre><b>{h.escape(label)}</b>\n{h.escape(text)}</pre>" for label, text in texts))


def formula(name: str, *words: str) -> Html:
    """The formula that the engine derives under the changed assumptions, and the paper's below it."""
    step = find(name)
    found = []
    for assumptions in (read(words), PAPER):
        if step.derive is None:
            raise ValueError(f"{name} derives nothing")
        title = assumptions.label()
        lines = statements.lines(step, step.derive(assumptions), derived=True, under=assumptions)
        found.append(f"<p><code>{h.escape(title)}</code></p>{h.displays(lines)}")
    return Html("".join(found))


def best_rates(name: str, *words: str) -> Html:
    """Best rate and loss, for the paper's assumptions and the changed ones, with the sampled loss beside them."""
    variants = (Variant("the paper"), Variant(", ".join(words), words))
    base = BASES[name]
    best = [optimum(name, values_of(setting_of(v, base)), v.assumptions) for v in variants]
    settings = [
        replace(setting_of(v, base), alpha_t=b["alpha_t"] or 0.0) for v, b in zip(variants, best, strict=True)
    ]
    sampled = completed([task(setting, "conditional", 1) for setting in settings], f"best rates of {name}")
    rows = [
        (
            h.escape(v.label),
            "every rate" if b["alpha_t"] is None else h.number(b["alpha_t"]),
            h.number(b["loss"]),
            h.measured(s.mean, s.stderr),
            h.escape(b["certificate"]["reason"]),
        )
        for v, b, s in zip(variants, best, sampled, strict=True)
    ]
    headers = ("assumptions", "best rate", "loss: formula", "loss: sampled", "why it is global")
    return Html(h.table(headers, rows, numeric=range(1, 4)))


def confirmed(name: str, *words: str) -> Html:
    """The changed formula against simulation at four sizes: the difference must fall as fast as the theory says."""
    (record,) = verify([find(name).name], read(words))
    rows = [
        (
            h.sizes(check["sizes"]),
            h.number(check["value"]),
            h.measured(check["mean"], check["stderr"]),
            h.badge(check["verdict"], check["reason"]),
        )
        for check in record["checks"]
    ]
    return Html(h.table(("sizes", "formula", "sampled", "verdict"), rows, numeric=(1, 2)))


def survivors(*words: str) -> Html:
    """What becomes of the paper's steps under the changed assumptions: counts, and each step that changes, with why."""
    # the moments beyond the paper are about no assumption of it
    found = {name: record for name, record in _records(read(words)).items() if not find(name).query}
    before = _records(PAPER)
    counts = Counter(MEANING[record["proof"]] for record in found.values())
    summary = h.table(
        ("what becomes of it", "steps"), [(k, h.count(n)) for k, n in counts.items()], numeric=(1,)
    )
    rows = [
        (cards.link(name), h.escape(MEANING[record["proof"]]), cards.text(record["proof_reason"]))
        for name, record in found.items()
        if record["proof"] != before[name]["proof"]
    ]
    changed = h.table(("step", "what becomes of it", "why"), rows)
    return Html(summary + h.details(f"The {len(rows)} steps that change", changed))
