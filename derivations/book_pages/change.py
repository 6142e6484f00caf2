"""The chapter that changes one assumption from start to end: formula, optimum, sampling, and what survives."""

from __future__ import annotations

import contextlib
import io
import math
import re
import shlex
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from derivations.book_pages import cards
from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.command import cli
from derivations.formulas.optimum import optimum
from derivations.language.assumptions import PAPER, Assumptions, read
from derivations.language.regime import Regime
from derivations.paper.experiments.points import completed, task
from derivations.publishing.build import BookError
from derivations.steps.contents import find
from derivations.steps.status import NumericStatus, ProofStatus
from derivations.steps.step import Comparison
from derivations.typeset import statements
from derivations.typeset.committed_text import formula_text
from derivations.typeset.named_forms import derived_form, named_form
from derivations.variants.table import BASES, Variant, name_of, setting_of, values_of
from derivations.verification.plain_records import CheckRecord, Record
from derivations.verification.verify import verify
from numeric_check.draws.estimate import Estimate
from numeric_check.verdicts.decay import decay_rate
from numeric_check.verdicts.verdict import SIGMAS

MEANING = {
    ProofStatus.PROVED: "stands as printed",
    ProofStatus.EXPANDED: "stands as printed, to leading order",
    ProofStatus.CONDITIONAL: "stands as printed, under a condition",
    ProofStatus.CORRECTED: "stands as corrected",
    ProofStatus.CONJECTURE: "a conjecture",
    ProofStatus.DEFINITION: "a definition",
    ProofStatus.DERIVED: "changed: derived anew",
    ProofStatus.NOT_APPLICABLE: "does not apply, or is not derived",
}
FITTED = (Comparison.POWER, Comparison.LEFT_OUT)
# the ends of reasons that repeat a long polynomial, and what is said in their place
_ENDS = (
    (re.compile(r"sign certificate: .*"), "no certificate of the sign is found"),
    (re.compile(r" \(leave out a positive factor: .*"), ""),
)
# two rates nearer than this are one
SAME = 1e-9


@cache
def _records(assumptions: Assumptions) -> dict[str, Record]:
    return {record["name"]: record for record in verify(assumptions=assumptions, numeric=False)}


def in_short(regime: Regime) -> str:
    """A regime for the head of a table, where no formula is set."""
    return regime.inequality("p", "nᵥm")


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
        lines = statements.lines(
            step, derived_form(step, step.derive(assumptions), assumptions), derived=True
        )
        found.append(f"<p><code>{h.escape(title)}</code></p>{h.columns(lines)}")
    return Html("".join(found))


def names(name: str, *words: str, without: Collection[str] = ()) -> Html:
    """What the names in the formula of a step stand for under the changed assumptions, but for those that are left out."""
    step, assumptions = find(name), read(words)
    if step.derive is None:
        raise ValueError(f"{name} derives nothing")
    parts = step.derive(assumptions)
    meant = {
        label: value
        for label, value in named_form(step, assumptions).items()
        if label not in parts and label not in without
    }
    lines = statements.lines(step, meant, derived=True)
    return Html(f"<p><code>{h.escape(assumptions.label())}</code></p>{h.columns(lines)}")


def best_rates(name: str, *words: str) -> Html:
    """Best rate and loss, for the paper's assumptions and the changed ones, with the sampled loss beside them."""
    regime = find(name).regime
    if regime is None:
        raise ValueError(f"{name} holds in no regime of its own")
    return lowest(regime, (Variant("the paper"), Variant(", ".join(words), words)))


def lowest(regime: Regime, variants: Sequence[Variant]) -> Html:
    """Every minimum of the loss over the training rate under each variant, the global ones first, each simulated."""
    base = BASES[regime]
    best = [optimum(name_of(v, regime), values_of(setting_of(v, base)), v.assumptions) for v in variants]
    found = [(v, b, rate, loss) for v, b in zip(variants, best, strict=True) for rate, loss in minima(b)]
    settings = [replace(setting_of(v, base), alpha_t=rate or 0.0) for v, _, rate, _ in found]
    sampled = completed(
        [task(setting, "conditional", 1) for setting in settings], f"best rates, {regime.title}"
    )
    rows = [
        (
            h.escape(v.label),
            "every rate" if rate is None else h.number(rate),
            h.number(loss),
            h.measured(s.mean, s.stderr),
            h.measured(s.mean - loss, s.stderr),
            "global" if rate == b["alpha_t"] else "local",
        )
        for (v, b, rate, loss), s in zip(found, sampled, strict=True)
    ]
    reasons: dict[str, list[str]] = {}
    for v, one in zip(variants, best, strict=True):
        reasons.setdefault(one["certificate"]["reason"], []).append(v.label)
    why = "".join(
        f"<p>Why it is global ({h.escape('; '.join(labels))}): {h.prose(said)}.</p>"
        for said, labels in reasons.items()
    )
    other_way = [
        v.label
        for v in variants
        if turned([s for (one, *_), s in zip(found, sampled, strict=True) if one is v])
    ]
    if other_way:
        why += (
            f"<p><strong>Simulation orders the minima the other way: {h.escape(', '.join(other_way))}.</strong> "
            "What the formula leaves out is larger there than what it says of their difference.</p>"
        )
    headers = (
        "assumptions",
        "rate of a minimum",
        "loss: formula",
        "loss: sampled",
        "gap",
        "minimum",
    )
    return Html(h.table(headers, rows, numeric=range(1, 5)) + why)


def turned(losses: Sequence[Estimate]) -> bool:
    """Whether a minimum that the formula puts above the first is sampled below it, beyond doubt."""
    first, *others = losses
    return any(first.mean - one.mean > SIGMAS * math.hypot(first.stderr, one.stderr) for one in others)


def minima(best: Mapping[str, Any]) -> list[tuple[float | None, float]]:
    """The best rate with its loss, then every other local minimum among the isolated stationary rates."""
    found = [
        (sum(map(float, point["at"])) / 2, sum(map(float, point["value"])) / 2)
        for point in best["certificate"].get("stationary", ())
    ]
    found.sort()
    losses = [math.inf, *(loss for _, loss in found), math.inf]
    local = [point for k, point in enumerate(found) if losses[k] > point[1] < losses[k + 2]]
    others = [point for point in local if abs(point[0] - best["alpha_t"]) > SAME]
    return [(best["alpha_t"], best["loss"]), *others]


def confirmed(name: str, *words: str) -> Html:
    """The changed formula against exact and sampled losses: the difference must fall as fast as the theory says."""
    (record,) = verify([find(name).name], read(words))
    return Html(decay([check for check in record["checks"] if not check["move"]]))


@dataclass(frozen=True)
class Gap:
    """Sampled minus formula at one size, with its standard error; `growth` by how much the size has grown."""

    growth: float
    value: float
    stderr: float

    @property
    def shown(self) -> str:
        """The gap with its error."""
        return h.measured(self.value, self.stderr)

    @property
    def scaled(self) -> str:
        """The gap times the square of the size, which tends to a constant where the formula leaves out no more."""
        return h.measured(self.value * self.growth**2, self.stderr * self.growth**2)


def gaps_of(checks: Sequence[CheckRecord]) -> list[Gap]:
    """The gaps of comparisons over growing sizes: what multiplies the sizes that are not held fixed is their growth."""
    first = checks[0]["sizes"]
    growth = [max(size / first[name] for name, size in check["sizes"].items()) for check in checks]
    return [
        Gap(k, check["mean"] - check["value"], check["stderr"])
        for k, check in zip(growth, checks, strict=True)
    ]


def exponent(gaps: Sequence[Gap]) -> str:
    """The fitted exponent of the gap in the size with its error; nothing where fewer than three gaps are resolved."""
    seen = [gap for gap in gaps if abs(gap.value) > SIGMAS * gap.stderr > 0]
    if len(seen) < 3:
        return ""
    fitted = decay_rate([g.growth for g in seen], [g.value for g in seen], [g.stderr for g in seen])
    return h.measured(*fitted)


def decay(checks: Sequence[CheckRecord]) -> str:
    """A formula against what confirms it: fitted powers of its gaps, losses over growing sizes, and single numbers."""
    fitted = [check for check in checks if check["comparison"] in FITTED]
    ladder = [check for check in checks if check["comparison"] == Comparison.SIZE]
    single = [check for check in checks if check["comparison"] in (Comparison.NUMBER, Comparison.SIGN)]
    return (_powers(fitted) if fitted else "") + (_ladder(ladder) if ladder else "") + _numbers(single)


def _powers(checks: Sequence[CheckRecord]) -> str:
    """The power of the size with which a gap falls, fitted, beside the one that is stated."""
    rows = [
        (
            h.label(check["label"], 0),
            h.number(check["value"]) if check["value"] else "",
            h.measured(check["mean"], check["stderr"]) if check["value"] else "nothing is left out",
            h.badge(check["verdict"], check["reason"]),
        )
        for check in checks
    ]
    ends = sorted(checks[0]["sizes"].values())
    said = f"Fitted between sizes {h.number(ends[0])} and {h.number(ends[-1])} times the least."
    return f"{h.table(('gap', 'power stated', 'power found', ''), rows, numeric=(1, 2))}<p>{said}</p>"


def _numbers(checks: Sequence[CheckRecord]) -> str:
    """Values against sampled means."""
    rows = [
        (
            h.label(check["label"], 0),
            h.sizes(check["sizes"]),
            h.number(check["value"]),
            h.measured(check["mean"], check["stderr"]),
            h.badge(check["verdict"], check["reason"]),
        )
        for check in checks
    ]
    return h.table(("", "sizes", "value", "sampled", ""), rows, numeric=(2, 3)) if rows else ""


def _ladder(checks: Sequence[CheckRecord]) -> str:
    """Formula and sampled mean over growing sizes: the gap, the gap times the size squared, and its fitted exponent."""
    gaps = gaps_of(checks)
    first = checks[0]["sizes"]
    same = {name: size for name, size in first.items() if all(one["sizes"][name] == size for one in checks)}
    rows = [
        (
            h.sizes({name: size for name, size in check["sizes"].items() if name not in same}),
            h.number(check["value"]),
            h.measured(check["mean"], check["stderr"]),
            gap.shown,
            gap.scaled,
        )
        for check, gap in zip(checks, gaps, strict=True)
    ]
    headers = ("sizes", "formula", "sampled", "gap", "gap × size²")
    found = exponent(gaps)
    said = (
        f"Fitted exponent of the gap in the size: <strong>{found}</strong>."
        if found
        else "At fewer than three sizes a gap is resolved, which gives no exponent."
    )
    worst = next((check for check in checks if check["verdict"] != NumericStatus.AGREE), checks[-1])
    badge = h.badge(worst["verdict"], worst["reason"])
    held = f"<p>The same at all sizes: {h.sizes(same)}.</p>" if same else ""
    return f"{held}{h.table(headers, rows, numeric=range(1, 5))}<p>{said} The rate of decay: {badge}</p>"


def brief(reason: str) -> str:
    """A reason without a long polynomial at its end."""
    for end, instead in _ENDS:
        reason = end.sub(instead, reason)
    return reason


def survivors(*words: str) -> Html:
    """What becomes of the paper's steps under the changed assumptions: counts, and each step that changes, with why."""
    # the moments beyond the paper are about no assumption of it
    found = {name: record for name, record in _records(read(words)).items() if not find(name).query}
    before = _records(PAPER)
    counts = Counter(MEANING[ProofStatus(record["proof"])] for record in found.values())
    summary = h.table(
        ("what becomes of it", "steps"), [(k, h.count(n)) for k, n in counts.items()], numeric=(1,)
    )
    rows = [
        (
            cards.link(name),
            h.escape(MEANING[ProofStatus(record["proof"])]),
            cards.text(brief(record["proof_reason"])),
        )
        for name, record in found.items()
        if record["proof"] != before[name]["proof"]
    ]
    changed = h.table(("step", "what becomes of it", "why"), rows)
    return Html(
        summary + h.details(f"The {len(rows)} steps of which another thing is said than before", changed)
    )
