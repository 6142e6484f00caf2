"""What the cells of the book look up, computed before they run: on all cores, and once for all pages."""

from __future__ import annotations

from derivations.book_pages import undershoot
from derivations.figures.panels import FIGURES, figure
from derivations.figures.points import completed, tasks
from derivations.language.assumptions import read
from derivations.support.workers import workers
from derivations.variants.losses import OVER, UNDER
from derivations.variants.table import wanted
from derivations.verification.verify import verify, verify_jobs

# what the chapters on changed assumptions and on extensions ask for
CHANGED = read(["inner_steps=2"])
EXTENDED = (read(["inputs=triangular"]), read(["rate_decay=1/2", "inner_steps=2"]))


def prepare() -> None:
    """Fills the store with everything slow that a page shows beyond the verified records."""
    completed(
        [
            *(item for name in FIGURES for item in tasks(figure(name).panels)),
            *wanted("over"),
            *wanted("under"),
        ],
        "pages",
    )
    jobs = [(OVER, CHANGED), *((name, changed) for changed in EXTENDED for name in (OVER, UNDER))]
    verify_jobs(jobs)
    verify(assumptions=CHANGED, numeric=False)
    gaps = undershoot.shown()
    with workers(len(gaps)) as executor:
        list(executor.map(undershoot.computed, gaps))


if __name__ == "__main__":
    prepare()
