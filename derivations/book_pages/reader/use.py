"""What a reader takes from a step: its formula in each language and as commands, where it is stated, its record as JSON."""

from __future__ import annotations

import shlex

from derivations.book_pages import html as h
from derivations.formulas.by_name import NoFormula
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.publishing import step_files
from derivations.steps.labels import Order, Sign
from derivations.steps.step import Step
from derivations.typeset.exported_names import front_door
from derivations.typeset.presentation import present
from derivations.verification.plain_records import Record
from derivations.verification.verify import keys_of
from symbolic.algebra.quotients import NotRational

LANGUAGES = {
    "latex": "LaTeX",
    "python": "Python",
    "sympy": "SymPy",
    "c": "C",
    "javascript": "JavaScript",
}
COMPUTED = "Python, with the programs of this edition: the source above leaves one argument to be computed"
SHOWN_OF_KEY = 12
"""Digits of a content key on the page; the file of the step has them all."""


def sources(step: Step, assumptions: Assumptions) -> dict[str, str]:
    """The formula of a step in each language in which it can be said; nothing for what has no formula."""
    found = {}
    # signs and orders are no formulas to compute with
    claims = step.claim() if step.claim else {}
    stated = bool(claims) and all(isinstance(label, Sign | Order) for label in claims)
    for language in ["latex"] if stated else LANGUAGES:
        try:
            document = present(step, assumptions, language)
        except (NoFormula, NotDerivable, NotRational):
            continue
        # a definition without parts is LaTeX, as printed, in every language
        if document["formula"] and (document["parts"] or language == "latex"):
            found[language] = str(document["formula"]).strip()
    return found


def commands(step: Step, assumptions: Assumptions, *, numbers: bool) -> str:
    """The commands that show the step, prove and sample it and, where it is a number, say what its value takes."""
    words = "".join(f" --assume {shlex.quote(f'{k}={v}')}" for k, v in assumptions.changed().items())
    asked = [f"derive show {step.name}", f"derive show {step.name} --proof", f"derive verify {step.name}"]
    asked += [f"derive show {step.name} --as python"] if numbers else []
    lines = [f"{line}{words}" for line in asked]
    return "\n".join([*lines, *([f"derive moment {step.query}"] if step.query else [])])


def _computed(step: Step, assumptions: Assumptions) -> list[tuple[str, str]]:
    """Where a formula has an average without a closed form, the lines that compute it: its source alone does not."""
    if step.average is None:
        return []
    names = {*step.parameters, *step.average.needs}
    return [(COMPUTED, front_door(step.name, names, assumptions.changed()))]


def use_this(step: Step, record: Record, assumptions: Assumptions) -> str:
    """The folded part of a card that hands its formula out; it becomes part of the page when it is opened."""
    texts = sources(step, assumptions)
    shown = [(LANGUAGES[language], text) for language, text in texts.items()]
    shown += _computed(step, assumptions)
    shown.append(("Command line", commands(step, assumptions, numbers="python" in texts)))
    blocks = "".join(
        f'<div class="taking"><p>{said} <button type="button" class="take" title="{said} of {step.name}">Copy</button></p>'
        f"<pre>{h.escape(text)}</pre></div>"
        for said, text in shown
    )
    keys = ", ".join(
        f"{part} <code>{key.name[:SHOWN_OF_KEY]}</code>"
        for part, key in keys_of(step.name, assumptions).items()
    )
    beside = (
        f"<p>Stated in {step_files.mark(step.name)}. Sampled with seed {step_files.SEED}. Content keys: {keys}. "
        f'<a href="{step_files.FOLDER}/{step.name}.json" download>The record as JSON</a>: formula, verdicts with their '
        f"reasons, {len(record['checks'])} comparisons.</p>"
    )
    return f'<details class="use"><summary>Use this</summary>{h.later(blocks + beside)}</details>'
