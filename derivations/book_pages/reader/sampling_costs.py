"""What draws cost beside the experiment, as `python -m benchmarks.sampling` measured it, for the page on sampling."""

from __future__ import annotations

import json
from typing import Any

from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.support.sources import ROOT

RESULTS = ROOT / "benchmarks" / "sampling.json"


def table() -> Html:
    """For each point the processor time to equal standard error of the experiment over ours; the rest in words."""
    if not RESULTS.is_file():
        return Html("<p>No results are stored; <code>python -m benchmarks.sampling</code> makes them.</p>")
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    rows = []
    for point in found["points"]:
        ours = point["plain"]["price"] / point["ratio"]
        jax = _times(point["jax"]["price"] / ours) if "jax" in point else "–"
        goal = "–" if point["goal"] is None else _times(point["goal"])
        rows.append((point["point"], _times(point["ratio"]), jax, goal))
    head = ("point", "experiment in NumPy", "experiment in JAX", "aim, in NumPy")
    step, row = found["network_step"], found["sweep"]
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    note = (
        f"<p>A step of meta-training the network of Figure 5 reaches {100 * step['share']:.0f} % of the speed of one large product "
        f"of matrices. A simulated row of a sweep, to {row['rel_error']:g} of the loss, takes {1e3 * row['seconds_each']:.2g} ms of "
        f"one core, a million of them {row['hours_of_a_million']:.2g} hours.</p>"
        f"<p><small>{h.escape(found['command'])}, {found['date']}, {h.escape(found['machine']['cpu'])}, {versions}.</small></p>"
    )
    return Html(h.table(head, rows, numeric=range(1, 4)) + note)


def _times(ratio: float) -> str:
    """A ratio to two digits, as a power of ten where it is large."""
    digits, _, exponent = f"{ratio:.1e}".partition("e")
    return f"{ratio:.2g}" if ratio < 1000 else f"{digits}·10<sup>{int(exponent)}</sup>"
