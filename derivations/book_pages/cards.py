"""What the cells of the book call: steps, the ledger, counts. Formulas and statuses come from the steps."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache

from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.book_pages.reader import alike, ancestry, gaps, use
from derivations.figures.graphical_model import draw
from derivations.publishing.build import SOURCE
from derivations.publishing.pages import assumptions_in_force
from derivations.steps.chain import Chain
from derivations.steps.contents import load
from derivations.steps.labels import LEADING, Order
from derivations.steps.status import NumericStatus, ProofStatus
from derivations.steps.step import Kind, Step
from derivations.support import store
from derivations.typeset import proofs, statements
from derivations.typeset.latex import latex
from derivations.typeset.named_forms import derived_form
from derivations.verification.plain_records import Record
from derivations.verification.prove import chain_of
from derivations.verification.verify import keys_of, modules_of, verify

PAPER_EQUATIONS = tuple(str(k) for k in range(1, 145))
# characters of LaTeX beyond which a formula is handed out as source: set, it is elements by the ten thousand that nobody reads
LONG = 6000
# visible characters of a line that a sheet cannot show: letters would be too small to read
UNREADABLE = 200
# terms beyond which it is no formula to read or to copy: the page says how it is had, as it would be megabytes
VAST = 1000
# steps beyond which links to them are folded away
MANY_LINKS = 8
_SLUG = re.compile(r"(?<![\w/#-])[a-z0-9]+(?:-[a-z0-9]+)+(?![\w-]|\.\w)")
_NUMBER = re.compile(r"\((\d{1,3})\)")
_SHOW = re.compile(r"cards\.show\(([^)]*)\)")


@cache
def records() -> Mapping[str, Record]:
    """The verified record of every step under the book's assumptions; what is not stored is computed now."""
    return {record["name"]: record for record in verify(assumptions=assumptions_in_force())}


# -- one step -----------------------------------------------------------------------------------------------


# what stands beside the heading of a step; that an equation is one, its number says
_KINDS = {Kind.EQUATION: "", Kind.LEMMA: "", Kind.DEFINITION: "", Kind.BEYOND: "beyond the paper"}


def _title(step: Step) -> str:
    """The heading of a step: its equation numbers, or its name in words, and what it is."""
    numbers = ", ".join(f"({number})" for number in step.equations)
    heading = numbers or h.prose(step.name.replace("-", " ").capitalize())
    kind = "" if step.kind is Kind.FIGURE and not numbers else _KINDS.get(step.kind, step.kind)
    beside = f' <span class="step-kind">{kind}</span>' if kind else ""
    return f'<a class="step-number" href="#step-{step.name}">{heading}</a>{beside}'


def _badges(step: Step, record: Record) -> str:
    proof = h.badge(record["proof"], _said(step, record["proof_reason"]) or _meant(step, record))
    nothing_proved = record["proof"] in (ProofStatus.DEFINITION, ProofStatus.NOT_APPLICABLE)
    if record["numeric"] == NumericStatus.NOT_APPLICABLE and nothing_proved:
        return proof
    found = _said(step, record["numeric_reason"])
    if record["numeric"] == NumericStatus.AGREE:
        found = ". ".join(filter(None, (found, NumericStatus.AGREE.meaning)))
    return f"{proof} {h.badge(record['numeric'], found)}"


def _meant(step: Step, record: Record) -> str:
    """What a proof without a reason of its own says: the meaning of its status, and how many moves it has."""
    status = ProofStatus(record["proof"])
    chain = chain_of(step, assumptions_in_force()) if status.stands else None
    if chain is None:
        return status.meaning
    moves = len(chain.moves)
    counted = f"{moves} moves, each" if moves > 1 else "One move,"
    return f"{status.meaning} {counted} checked by a second route."


def _said(step: Step, reason: str) -> str:
    """Why a verdict is what it is, where no link can be: steps are called by their numbers or in words."""
    for label in step.claim() if step.claim else ():
        if reason.startswith(f"{label}: "):
            reason = f"{h.spoken(label)}: {reason.removeprefix(f'{label}: ')}"
            break
    return _SLUG.sub(lambda found: _called(found[0]) if found[0] in load() else found[0], reason)


def _called(name: str) -> str:
    """The equation numbers of a step, or its slug in words."""
    return ", ".join(f"({number})" for number in load()[name].equations) or name.replace("-", " ")


def link(name: str) -> str:
    """A link to a step's place in the book, under its equation numbers or its slug."""
    return _anchor(load()[name], _called(name))


def _chip(name: str) -> str:
    """The same with a preview that style sheets show, as one that comes as a title is seen by a mouse alone."""
    step = load()[name]
    preview = h.escape(h.plain(step.statement))
    return f'<a href="{step.page}.html#step-{name}" aria-description="{preview}">{_called(name)}</a>'


def _anchor(step: Step, text: str) -> str:
    return (
        f'<a href="{step.page}.html#step-{step.name}" title="{h.escape(h.plain(step.statement))}">{text}</a>'
    )


def text(sentence: str) -> str:
    """A sentence of a step as HTML; slugs of other steps, and numbers of equations, become links."""

    def linked(found: re.Match[str]) -> str:
        if found[1] in _of_number():
            return _anchor(_of_number()[found[1]], found[0])
        return link(found[0]) if found[0] in load() else found[0]

    return re.sub(f"{_NUMBER.pattern}|{_SLUG.pattern}", linked, h.prose(sentence))


def reason(step: Step, reason: str) -> str:
    """Why a verdict is what it is; the label of a part that it starts with is mathematics."""
    for label in step.claim() if step.claim else ():
        if reason.startswith(f"{label}: "):
            shown = h.label(label, 0) if isinstance(label, Order) else h.inline(statements.left_side(label))
            return f"{shown}: {text(reason.removeprefix(f'{label}: '))}"
    return text(reason)


def both_forms(step: Step, only: Collection[str] = ()) -> str:
    """The proved and the printed form of a claim that is disproved, or only the parts named."""
    (proved, right), (word, printed) = statements.forms(step, only)
    return (
        f"<p><strong>{proved}:</strong></p>{h.columns(right)}"
        f'<p><strong>{word}:</strong></p><div class="step-refuted">{h.columns(printed)}</div>'
    )


def _body(step: Step, record: Record) -> str:
    """The formula: as printed where that is proved, else the right or the newly derived one beside it."""
    printed = statements.printed(step)
    if record["proof"] == ProofStatus.CORRECTED:
        return both_forms(step)
    if record["proof"] == ProofStatus.DERIVED and step.derive is not None:
        now = assumptions_in_force()
        derived = _folded(statements.lines(step, derived_form(step, step.derive(now), now), derived=True))
        return (
            f"<p>Under the assumptions of this book, beyond the paper:</p>{derived}"
            f'<p>The paper, under its own:</p><div class="step-refuted">{h.columns(printed)}</div>'
        )
    return h.columns(printed)


def _led_to(step: Step, line: proofs.Line) -> str:
    """What a move leads to, and what stands for what in it."""
    terms = proofs.term_count(line.move.after)
    meant = max((proofs.term_count(value) for _, _, value in line.where), default=0)
    if max(terms, meant) > VAST:
        return _vast(step, max(terms, meant))
    where = proofs.where_latex(line)
    return _folded([proofs.related_latex(line)], terms) + (_folded(where, meant) if where else "")


def _vast(step: Step, terms: int) -> str:
    """In place of a formula that nobody could read: how to have it."""
    words = (f"--assume {shlex.quote(f'{k}={v}')}" for k, v in assumptions_in_force().changed().items())
    asked = " ".join(("derive show", step.name, "--proof --json", *words))
    return f"<p><small>A formula of {h.count(terms)} terms: <code>{h.escape(asked)}</code> prints it.</small></p>"


def _source(named: str, lines: list[str]) -> str:
    """Formulas as their LaTeX, behind a line to open."""
    joined = "\n".join(lines)
    source = h.later(f"<pre>{h.escape(joined)}</pre>")
    return f'<details class="source"><summary>{named}, as LaTeX</summary>{source}</details>'


def _folded(lines: list[str], terms: int = 0) -> str:
    """Formulas for display; behind a line to open where they would fill pages, and as source where they would fill many."""
    named = f"A long formula of {terms} terms" if terms > proofs.MANY_TERMS else "A long formula"
    if sum(map(len, lines)) > LONG:
        return _source(named, lines)
    shown = h.columns(lines)
    return h.details(named, shown) if terms > proofs.MANY_TERMS else shown


def _start(step: Step, chain: Chain, place: int) -> str:
    """Where an expression from which the proof sets out comes from."""
    sources = ", ".join(link(name) for name in proofs.origin(step, chain, place))
    share = "one task's share" if proofs.one_share(chain, place) else ""
    said = ", ".join(filter(None, (share, f"from {sources}" if sources else "")))
    return f"<p><small>{said[0].upper()}{said[1:]}:</small></p>" if said else ""


def _moves(step: Step, record: Record) -> str:
    """The proof move by move: the rule, what it rests on, what it leads to, and whether sampling agrees."""
    if not ProofStatus(record["proof"]).stands:
        return ""
    chain = chain_of(step, assumptions_in_force())
    if chain is None:
        return ""
    items = []
    others = alike.left_out(chain)
    for k, line in enumerate(proofs.proof_lines(chain)):
        move = line.move
        if k in others:
            items += [alike.by_the_same_moves(step, chain, others[k])] if others[k] else []
            continue
        verdicts = [c["verdict"] for c in record["checks"] if c["move"] == k + 1]
        # a proof stands where the second route of every move agreed: it is not taken again
        badges = h.badge(ProofStatus.PROVED) + (f" {h.badge(verdicts[0])}" if len({*verdicts}) == 1 else "")
        reads = f" <small>{', '.join(link(name) for name in move.reads)}</small>" if move.reads else ""
        if k in chain.starts:
            begin = chain.starts[k]
            count = proofs.term_count(begin)
            start = _vast(step, count) if count > VAST else _folded([latex(begin)], count)
            items.append(f"{'</ol>' if k else ''}{_start(step, chain, k)}{start}<ol start={k + 1}>")
        shown = _led_to(step, line)
        shown += "".join(
            f"<p><small>{_ended(chain, part)}{proofs.up_to(step, line)}.</small></p>"
            for part in proofs.ends(step, chain, k + 1)
        )
        items.append(f"<li>{h.escape(str(move.rule))}{reads} {badges}{shown}</li>")
    items.append("</ol>")
    return f'<div class="moves"><p><strong>Proof.</strong></p>{"".join(items)}</div>'


def _ended(chain: Chain, part: str) -> str:
    """What an expression is of what the step says: an equation or a part of it, or what an order is read from."""
    if isinstance(part, Order):
        return f"From this the {h.label(part, 0)} is read"
    if part == LEADING:
        return "This is the multiple of the identity"
    return f"This is {h.inline(statements.left_side(part)) if part in chain.parts else part}"


def _derivation(step: Step, record: Record) -> str:
    """How the step was derived: method, and what the engine found."""
    if step.derive is None:
        return ""
    parts = [f"<p>Method: {text(step.method)}.</p>"] if step.method else []
    if record["proof"] not in (ProofStatus.DERIVED, ProofStatus.NOT_APPLICABLE):
        found = statements.lines(step, step.derive(assumptions_in_force()), derived=True)
        shown = _source("A long formula", found) if h.widest(found) > UNREADABLE else h.displays(found)
        parts.append(f"<p>What the derivation gives, before it is compared:</p>{shown}")
    if record["proof"] in (ProofStatus.PROVED, ProofStatus.EXPANDED, ProofStatus.CONDITIONAL):
        form = "stated" if step.query else "printed"
        parts.append(f"<p>The difference from the {form} form is identically zero.</p>")
    if record["proof_reason"]:
        parts.append(f"<p>{reason(step, record['proof_reason'])}.</p>")
    return h.details("How it was derived", "".join(parts))


@cache
def _of_number() -> Mapping[str, Step]:
    """The step of each equation."""
    return {number: step for step in load().values() for number in step.equations}


@cache
def _users() -> Mapping[str, list[str]]:
    """The steps that rest on a step at once, in reading order."""
    found: dict[str, list[str]] = {}
    for step in load().values():
        for used in step.uses:
            found.setdefault(used, []).append(step.name)
    return found


def _neighbours(step: Step) -> str:
    """What a step rests on, and what rests on it, as links, many of them behind a line to open; and all below it as a drawing."""
    below = len(ancestry.ancestors(step.name, load()))
    deep = below > len(step.uses)
    drawn = ancestry.drawing(step.name, load()) if deep else ""
    parts = []
    for said, names in (("Rests on", step.uses), ("Used by", _users().get(step.name, ()))):
        links = f'<span class="chips">{" ".join(map(_chip, names))}</span>'
        many, with_drawing = len(names) > MANY_LINKS, deep and names is step.uses
        if names and not many:
            parts.append(f'<p class="chips">{said} {" ".join(map(_chip, names))}</p>')
        if many or with_drawing:
            summary = f"{said} {len(names)} steps" if many else f"Drawn: all {below} steps that it rests on"
            summary += f", {below} in all" if many and with_drawing else ""
            body = h.later((links if many else "") + (drawn if with_drawing else ""))
            parts.append(f'<details class="ancestry"><summary>{summary}</summary>{body}</details>')
    return f'<div class="neighbours">{"".join(parts)}</div>' if parts else ""


def _key(step: Step, record: Record) -> store.Key:
    """All that the card of a step shows: the modules of its proof, its record, and what it says of other steps."""
    now = assumptions_in_force()
    said = " ".join(
        (
            *(step.statement, step.remark, step.method, step.unreadable),
            *(*step.errata.values(), *step.not_sampled.values()),
            *(record["proof_reason"], record["numeric_reason"]),
        )
    )
    beside = [load()[slug] for slug in (*_SLUG.findall(said), *_users().get(step.name, ())) if slug in load()]
    beside += [_of_number()[number] for number in _NUMBER.findall(said) if number in _of_number()]
    return store.key(
        "card",
        [*modules_of(step.name, now), __name__],
        step=step.name,
        assumptions=now.changed(),
        record={part: value for part, value in record.items() if part != "seconds"},
        beside=[(other.name, other.equations, other.page, other.statement) for other in beside],
        formulas=statements.said_elsewhere(step),
        content_keys=[key.name for key in keys_of(step.name, now).values()],
    )


def _card(name: str) -> str:
    """The card of a step: as it is kept, where nothing that it shows has changed."""
    step, record = load()[name], records()[name]
    wanted = _key(step, record)
    found = store.load(wanted)
    if found is None:
        found = {"html": _written(step, record)}
        store.save(wanted, found)
    return str(found["html"])


def _written(step: Step, record: Record) -> str:
    notes = [f"<p>Asked with <code>derive moment {h.escape(step.query)}</code>.</p>"] if step.query else []
    notes += [f"<p>{text(said)}</p>" for said in (step.remark, *step.errata.values()) if said]
    if step.unreadable:
        notes.append(f'<p class="step-unreadable">Not fully legible: {text(step.unreadable)}.</p>')
    # a reason that several parts share stands once
    for why in dict.fromkeys(step.not_sampled.values()):
        parts = [label for label, reason in step.not_sampled.items() if reason == why]
        shown = ", ".join(h.inline(statements.left_side(label)) for label in parts)
        notes.append(f"<p>Not sampled, {shown}: {text(why)}.</p>")
    if record["proof"] == ProofStatus.NOT_APPLICABLE:
        notes.append(f"<p>Nothing to prove: {text(record['proof_reason'])}.</p>")
    return (
        f'<section class="step" id="step-{step.name}"><header>{_title(step)} {_badges(step, record)}</header>'
        f"<p>{text(step.statement)}</p>{_body(step, record)}{''.join(notes)}"
        f"{_moves(step, record)}{_derivation(step, record)}{gaps.comparisons(record['checks'])}"
        f"{use.use_this(step, record, assumptions_in_force())}{_neighbours(step)}</section>"
    )


def show(*names: str) -> Html:
    """The named steps: statement, formula, statuses, derivation and comparisons."""
    return Html("".join(_card(name) for name in names))


def remaining(page: str) -> Html:
    """Every step of a page that no cell of the page names, in reading order."""
    named = _named_on(page)
    return show(*(name for name, step in load().items() if step.page == page and name not in named))


def _named_on(page: str) -> set[str]:
    """The steps that the cells of a page show by name: read from its source, so that no order of cells matters."""
    source = (SOURCE / f"{page}.md").read_text(encoding="utf-8")
    return {name for cell in _SHOW.findall(source) for name in re.findall(r'"([^"]+)"', cell)}


# -- the whole paper ----------------------------------------------------------------------------------------


def summary() -> Html:
    """How much of the paper is covered, and how it stands."""
    found = list(records().values())
    covered = {number for record in found for number in record["equations"]} & set(PAPER_EQUATIONS)
    verdicts = Counter(record["proof"] for record in found)
    checks = [check for record in found for check in record["checks"]]
    agreeing = sum(check["verdict"] == NumericStatus.AGREE for check in checks)
    beyond = sum(bool(load()[record["name"]].query) for record in found)
    rows = [
        ("numbered equations covered", f"{len(covered)} of {len(PAPER_EQUATIONS)}"),
        ("steps, each with its verdict", str(len(found))),
        ("of them, moments beyond the paper", str(beyond)),
        *((h.badge(status), str(number)) for status, number in verdicts.most_common()),
        ("comparisons with sampling that agree", f"{h.count(agreeing)} of {h.count(len(checks))}"),
        ("random draws", h.count(sum(check["draws"] for check in checks))),
    ]
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)
    return Html(f'<dl class="counts">{cells}</dl>')


def _ledger_key(step: Step, position: int) -> tuple[int, int]:
    return (min(int(number) for number in step.equations) if step.equations else 1000, position)


def _legibility(step: Step) -> str:
    """The mark of an equation of which something could not be read, with what; else nothing."""
    return (
        f" {h.labelled('unreadable', 'T', f'Not fully legible: {step.unreadable}')}"
        if step.unreadable
        else ""
    )


def ledger() -> Html:
    """One line per step, in the order of the equations, with links to where each is derived."""
    steps = list(load().values())
    order = sorted(range(len(steps)), key=lambda k: _ledger_key(steps[k], k))
    rows = []
    for k in order:
        step, record = steps[k], records()[steps[k].name]
        rows.append(
            (
                link(step.name) + _legibility(step),
                f"{h.prose(step.statement)}<br><small>{step.name}</small>",
                step.kind,
                h.badge(record["proof"], _said(step, record["proof_reason"])),
                h.badge(record["numeric"], _said(step, record["numeric_reason"])),
                f"<small>{h.prose(step.method)}</small>" if step.method else "",
            )
        )
    covered = {number for step in steps for number in step.equations}
    missing = [number for number in PAPER_EQUATIONS if number not in covered]
    note = f"<p>Not treated yet: {', '.join(f'({number})' for number in missing)}.</p>" if missing else ""
    # `find.js` fills it, and shows it, where scripts run
    filters = '<form class="finder" role="search" aria-label="Rows of the ledger" hidden></form>'
    headers = ("equation", "statement", "kind", "proof", "number", "method")
    return Html(filters + h.table(headers, rows, wide=True) + note)


# what a legend does not list: that a part was not asked for, or that changed assumptions are in force
_UNLISTED = (ProofStatus.SKIPPED, ProofStatus.NONE, ProofStatus.DERIVED, NumericStatus.SKIPPED)


def legend() -> Html:
    """What the verdicts of the ledger mean."""
    rows = [
        (h.badge(status), h.prose(status.meaning), of)
        for of, statuses in (("proof", ProofStatus), ("number", NumericStatus))
        for status in statuses
        if status not in _UNLISTED
    ]
    rows.append(
        (
            h.labelled("unreadable", "T", ""),
            "Something of the printed equation could not be read in the available text. Point at it to see what.",
            "print",
        )
    )
    return Html(h.details("What the verdicts mean", h.table(("verdict", "meaning", "of"), rows, wide=True)))


def graphical_model() -> Html:
    """The drawing of how the data arise and what each stage of learning reads."""
    return Html(f'<div class="drawing">{draw()}</div>')


def formula(name: str) -> Html:
    """The formula of a step for the theorem blocks of a page, which embed it.

    Under changed assumptions it is the derived one, or the paper's with a word that it is.
    """
    step, status = load()[name], records()[name]["proof"]
    shown = statements.printed(step)
    if status == ProofStatus.CORRECTED:
        shown = statements.proved(step)
    elif status == ProofStatus.DERIVED and step.derive is not None:
        now = assumptions_in_force()
        shown = statements.lines(step, derived_form(step, step.derive(now), now), derived=True)
        if sum(map(len, shown)) > LONG:
            shown = [
                rf"\text{{see }} {', '.join(map(statements.left_side, step.derive(now)))} \text{{ below: it is long}}"
            ]
    elif status == ProofStatus.NOT_APPLICABLE:
        shown = [*shown, r"\text{(under the paper's assumptions only)}"]
    return h.Html(h.columns(shown))
