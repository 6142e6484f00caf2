"""What the cells of the book look up, computed before they run: on all cores, and once for all pages."""

from __future__ import annotations

import re

from derivations.book_pages import undershoot
from derivations.book_pages.reader import explorer
from derivations.language.assumptions import Assumptions, read
from derivations.language.extension import load_extensions
from derivations.language.regime import Regime
from derivations.paper.experiments.panels import FIGURES, figure
from derivations.paper.experiments.points import completed, tasks
from derivations.publishing.build import SOURCE
from derivations.steps.contents import load
from derivations.support.workers import side_by_side, workers
from derivations.variants.losses import OVER, UNDER
from derivations.variants.table import wanted
from derivations.verification.verify import verify, verify_jobs

# what the chapter on changed assumptions asks for
CHANGED = read(["inner_steps=2"])
_CONFIRMED = re.compile(r"extending\.confirmed\((.*?)\)")


def extended() -> list[Assumptions]:
    """The assumptions that the chapter on extensions confirms, as its cells say."""
    page = (SOURCE / "extending.md").read_text(encoding="utf-8")
    return [read(re.findall(r'"([^"]+)"', words)) for words in _CONFIRMED.findall(page)]


def prepare() -> None:
    """Fills the store with everything slow that a page shows beyond the verified records."""
    load()  # once, not by each of the following
    side_by_side([_verify, _figures, _variants, explorer.prepare, _gaps], load_extensions)


def _verify() -> None:
    verify(assumptions=CHANGED, numeric=False)
    verify_jobs([(OVER, CHANGED), *((name, changed) for changed in extended() for name in (OVER, UNDER))])


def _figures() -> None:
    completed([item for name in FIGURES for item in tasks(figure(name).panels)], "figures")


def _variants() -> None:
    completed([item for regime in (Regime.UNDER, Regime.OVER) for item in wanted(regime)], "variants")


def _gaps() -> None:
    gaps = undershoot.shown()
    with workers(len(gaps)) as executor:
        for _, ended in executor.ended(undershoot.computed, gaps):
            ended.result()
