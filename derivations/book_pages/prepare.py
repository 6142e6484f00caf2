"""What the cells of the book look up, computed before they run: on all cores, and once for all pages."""

from __future__ import annotations

import re

from derivations.book_pages import undershoot
from derivations.book_pages.reader import explorer
from derivations.figures.panels import FIGURES, figure
from derivations.figures.points import completed, tasks
from derivations.language.assumptions import Assumptions, read
from derivations.language.regime import Regime
from derivations.publishing.build import SOURCE
from derivations.support.workers import workers
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
    changed = [item for regime in (Regime.UNDER, Regime.OVER) for item in wanted(regime)]
    completed([*changed, *(item for name in FIGURES for item in tasks(figure(name).panels))], "pages")
    jobs = [(OVER, CHANGED), *((name, changed) for changed in extended() for name in (OVER, UNDER))]
    verify_jobs(jobs)
    verify(assumptions=CHANGED, numeric=False)
    explorer.prepare()
    gaps = undershoot.shown()
    with workers(len(gaps)) as executor:
        list(executor.map(undershoot.computed, gaps))


if __name__ == "__main__":
    prepare()
