"""The book's pages: every step has its place, statuses are computed, what a cell puts out is sound HTML."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import cast

import pytest
import sympy

from derivations.book_pages import cards, errata
from derivations.book_pages import html as h
from derivations.book_pages.reader import gaps
from derivations.figures.graphical_model import draw
from derivations.publishing.build import SOURCE
from derivations.steps.contents import load
from derivations.steps.labels import BY_MOVES, Order
from derivations.steps.status import ProofStatus
from derivations.steps.step import Check, Step
from derivations.typeset import statements
from derivations.typeset.left_sides import LEFT_SIDES
from derivations.verification.plain_records import Record, as_record
from derivations.verification.verify import describe

CELL = re.compile(r"```\{code-cell\}[^\n]*\n(.*?)```", re.DOTALL)
SHOW = re.compile(r"cards\.show\((.*?)\)", re.DOTALL)
REMAINING = re.compile(r'cards\.remaining\("([\w-]+)"\)')
STATUSES = "proved|expanded|conditional|corrected|agree|disagree|inconclusive|failed"
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SOURCE.glob("*.md"))}


def cells(text: str) -> list[str]:
    """The code of a page's cells, without their options."""
    return [re.sub(r"^:.*\n", "", code, flags=re.MULTILINE) for code in CELL.findall(text)]


def shown_by(page: str, text: str) -> list[str]:
    """The steps that a page's cells show, in order."""
    names: list[str] = []
    for cell in cells(text):
        for arguments in SHOW.findall(cell):
            names += re.findall(r'"([\w-]+)"', arguments)
        for other in REMAINING.findall(cell):
            names += [step.name for step in load().values() if step.page == other and step.name not in names]
    return names


# -- where steps stand --------------------------------------------------------------------------------------


def misplaced(sources: dict[str, str]) -> dict[str, list[str]]:
    """Steps that do not stand on exactly one page, their own, once; with the pages where they stand."""
    places: dict[str, list[str]] = {name: [] for name in load()}
    for page, text in sources.items():
        for name in shown_by(page, text):
            places.setdefault(name, []).append(page)
    return {
        name: found for name, found in places.items() if name not in load() or found != [load()[name].page]
    }


def test_the_ends_of_a_comparison_stand_at_its_letters_and_never_twice_above_them() -> None:
    shown = h.sizes({"dist0_sq from": 0, "alpha_t to": 2})
    assert r"\((|\omega_0-w_0|^2)^{\mathrm{from}}=0\)" in shown
    assert r"\(\alpha_t^{\mathrm{to}}=2\)" in shown


def test_every_step_stands_on_its_page_exactly_once() -> None:
    assert misplaced(SOURCES) == {}


@pytest.mark.parametrize(
    ("page", "old", "new"),
    [
        ("lemma1", 'cards.remaining("lemma1")', ""),
        ("lemma1", 'cards.show("wishart-mean"', 'cards.show("wishart-mean", "wishart-mean"'),
        ("lemma2", 'cards.show("rows-concentrate"', 'cards.show("wishart-mean", "rows-concentrate"'),
        ("lemma1", '"wishart-mean"', '"no-such-step"'),
    ],
)
def test_guard_sees_a_misplaced_step(page: str, old: str, new: str) -> None:
    assert old in SOURCES[page]
    assert misplaced({**SOURCES, page: SOURCES[page].replace(old, new)})


def test_each_page_with_steps_is_in_the_table_of_contents() -> None:
    contents = (SOURCE / "_toc.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"(?:file|root): (\w+)", contents))
    assert {step.page for step in load().values()} <= listed
    assert set(SOURCES) == listed


@pytest.mark.parametrize("page", sorted(set(SOURCES) - {"intro", "ledger"}))
def test_no_status_is_typed(page: str) -> None:
    # the opening page and the ledger explain what the words mean
    assert not re.search(rf"\.status-({STATUSES})", SOURCES[page])


# -- what a card says ---------------------------------------------------------------------------------------


class Balance(HTMLParser):
    """Notes tags that are opened and not closed, or the other way round."""

    VOID = ("img", "br", "line", "rect", "circle", "path")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def unbalanced(text: str) -> list[str]:
    parser = Balance()
    parser.feed(text)
    return parser.wrong + parser.open


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> dict[str, Record]:
    """Records as verification would give them, without the work."""
    check = as_record(
        Check(
            r"\mathbb{E}\,W", {"n": 7.0, "p": 4.0}, 1.0, 1.01, 0.002, 123456, 0.1, "agree", "close", probe=1
        )
    )
    found = {
        name: describe(step)
        | {
            "proof": "definition" if step.derive is None else "proved",
            "proof_reason": "",
            "numeric": "agree",
            "numeric_reason": "1 comparison",
            "checks": [check],
        }
        for name, step in load().items()
    }
    monkeypatch.setattr(cards, "records", lambda: found)
    return found


QUICK = [
    name
    for name, step in load().items()
    if step.page in ("setup", "lemma1", "averages", "learning_rates", "moments")
]


@pytest.mark.parametrize("name", QUICK)
def test_a_card_has_its_anchor_its_statuses_and_sound_html(name: str, records: dict[str, Record]) -> None:
    text = cards.show(name).text
    assert text.count(f'id="step-{name}"') == 1
    assert f"status-{records[name]['proof']}" in text
    assert "status-agree" in text
    assert unbalanced(text) == []
    for number in load()[name].equations:
        assert f"({number})" in text
    for used in load()[name].uses if load()[name].derive else ():
        assert f'href="{load()[used].page}.html#step-{used}"' in text


@pytest.mark.parametrize(
    ("proof", "numeric"),
    [("failed", "disagree"), ("none", "inconclusive"), ("not-applicable", "not-applicable")],
)
def test_a_card_shows_what_verification_says(proof: str, numeric: str, records: dict[str, Record]) -> None:
    records["wishart-mean"] |= {"proof": proof, "numeric": numeric}
    text = cards.show("wishart-mean").text
    assert f"status-{proof}" in text
    assert proof == "not-applicable" or f"status-{numeric}" in text
    assert "status-proved" not in text


def badges(text: str) -> list[str]:
    """The opening tags of the badges in the heading of a card."""
    (header,) = re.findall(r"<header>(.*?)</header>", text, re.DOTALL)
    return re.findall(r'<span class="status[^>]*>', header)


def test_every_badge_of_a_card_has_a_reason_that_a_keyboard_reaches(records: dict[str, Record]) -> None:
    for name in QUICK:
        found = badges(cards.show(name).text)
        assert found
        assert all('tabindex="0"' in tag and 'data-reason="' in tag for tag in found), name
    (proof, number) = badges(cards.show("wishart-mean").text)
    assert ProofStatus.PROVED.meaning.partition(",")[0] in proof
    assert re.search(r"(\d+ moves, each|One move,) checked by a second route", proof)
    assert "1 comparison. At three or more" in number


def test_a_reason_calls_steps_and_exponents_by_words(records: dict[str, Record]) -> None:
    records["wishart-mean"] |= {"proof": "expanded", "proof_reason": "by theorem-1 and rows-sandwich"}
    assert 'data-reason="by (5), (81) and (41)"' in badges(cards.show("wishart-mean").text)[0]
    records["theorem-2-remainder"] |= {"proof_reason": r"a_\xi (\nu): -3/2 is printed, -1 derived"}
    said = cards._said(load()["theorem-2-remainder"], records["theorem-2-remainder"]["proof_reason"])
    assert h.plain(said) == "exponent of ξ for ν: -3/2 is printed, -1 derived"


def test_what_a_step_rests_on_has_a_preview_that_is_no_title(records: dict[str, Record]) -> None:
    text = cards.show("wishart-second-moment").text
    links = re.findall(r"<a [^>]*>", re.sub(r"<svg.*?</svg>", "", text[text.index('class="neighbours"') :]))
    assert links
    assert all("aria-description=" in tag and "title=" not in tag for tag in links)


def test_the_card_of_a_moment_names_its_command_and_no_print(records: dict[str, Record]) -> None:
    text = cards.show("inverse-wishart-square").text
    assert "derive moment &quot;W^-2&quot; --cov general" in text
    assert "from the stated form" in text
    assert "printed" not in text
    assert "from the printed form" in cards.show("wishart-mean").text


def test_a_correction_shows_both_forms(records: dict[str, Record]) -> None:
    records["normal-noise-concentrates"] |= {"proof": "corrected", "proof_reason": "a_m: off"}
    text = cards.show("normal-noise-concentrates").text
    assert "Proved:" in text
    assert "As read:" in text
    assert "Printed:" not in text
    assert "step-refuted" in text
    assert "Not fully legible" in text


def test_beyond_the_paper_the_derived_formula_leads(records: dict[str, Record]) -> None:
    records["inner-factor"] |= {"proof": "derived", "proof_reason": "beyond"}
    text = cards.show("inner-factor").text
    assert text.index("beyond the paper") < text.index("The paper, under its own")


@pytest.mark.parametrize(
    ("proof", "shown"),
    [("proved", r"\left(1 - \alpha_t\right)"), ("derived", r"1 - 2 \alpha_t"), ("not-applicable", "only")],
)
def test_theorem_blocks_hold_the_formula_that_stands(
    proof: str, shown: str, records: dict[str, Record]
) -> None:
    records["inner-factor"] |= {"proof": proof}
    formula = cards.formula("inner-factor")
    assert shown in formula.text
    assert formula.text.startswith('<div class="math')


def test_remaining_shows_what_was_not_shown(records: dict[str, Record]) -> None:
    first = cards.remaining("lemma1").text
    assert 'id="step-wishart-mean"' not in first
    assert 'id="step-columns-sandwich"' in first
    cards.show("columns-sandwich")
    assert cards.remaining("lemma1").text == first


def test_counts_follow_the_records(records: dict[str, Record]) -> None:
    before = cards.summary().text
    records["theorem-1"] |= {"proof": "corrected"}
    records["wishart-mean"]["checks"] = [
        {**records["wishart-mean"]["checks"][0], "verdict": "disagree"},
    ]
    after = cards.summary().text
    assert before != after
    assert f"{len(records) - 1} of {len(records)}" in after
    assert f"moments beyond the paper</dt><dd>{sum(bool(step.query) for step in load().values())}<" in after


def test_the_ledger_has_every_step_once_in_order(records: dict[str, Record]) -> None:
    text = cards.ledger().text
    for name, step in load().items():
        assert text.count(f'href="{step.page}.html#step-{name}"') == 1
    first = [
        text.index(f'#step-{name}"') for name in ("meta-loss", "theorem-1", "train-labels", "wishart-mean")
    ]
    assert first == sorted(first)
    assert unbalanced(text) == []


def test_no_page_needs_more_than_myst() -> None:
    """No raw blocks, no reStructuredText, no directives of Sphinx or of myst-nb alone."""
    known = {"code-cell", "embed", "grid", "grid-item-card", "bibliography", "prf:theorem", "prf:lemma"}
    used = {
        name
        for text in SOURCES.values()
        for name in re.findall(r"^[`:]{3,}\{([\w:-]+)\}", text, re.MULTILINE)
    }
    roles = {name for text in SOURCES.values() for name in re.findall(r"\{([\w:-]+)\}`", text)}
    assert used - known == set()
    assert roles <= {"cite", "prf:ref"}


def test_the_ledger_marks_what_could_not_be_read(records: dict[str, Record]) -> None:
    text = cards.ledger().text
    marked = [step for step in load().values() if step.unreadable]
    assert marked
    assert text.count('class="status status-unreadable"') == len(marked)
    for step in marked:
        line = next(line for line in text.split("<tr>") if f'#step-{step.name}"' in line)
        assert f'data-reason="Not fully legible: {h.escape(h.plain(step.unreadable))}">T</span>' in line


def test_the_legend_explains_every_status_that_a_record_has(records: dict[str, Record]) -> None:
    text = cards.legend().text
    for record in records.values():
        assert f"status-{record['proof']}" in text
        assert f"status-{record['numeric']}" in text
    for status in (ProofStatus.EXPANDED, ProofStatus.CONDITIONAL):
        assert text.count(h.prose(status.meaning)) == 1


def test_what_is_neglected_is_shown_as_printed(records: dict[str, Record]) -> None:
    (line,) = statements.printed(load()["theorem-2"])
    assert line.endswith(r" + O\big((m\xi)^{-3/2}\big) \end{aligned}")


def test_the_ledger_names_what_is_missing(
    records: dict[str, Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "PAPER_EQUATIONS", (*cards.PAPER_EQUATIONS, "999"))
    assert "(999)" in cards.ledger().text


def test_the_errata_show_what_is_printed_and_what_is_proved() -> None:
    for sort, number, given in (
        ("corrected", "theorem1.html#step-theorem-1-remainder", "Printed:"),
        ("as read", "theorem2.html#step-slope-at-zero-underparameterized", "As read:"),
    ):
        text = errata.section(sort).text
        assert f'href="{number}"' in text
        assert text.count("Proved:") == text.count(given) > 0
        assert ("Not fully legible" in text) == (sort == "as read")
        assert unbalanced(text) == []
        assert 'id="step-' not in text


@pytest.mark.parametrize(
    ("tex", "names"),
    [
        ("a = b", ""),
        ("a" * 60, " wide"),
        (r"a \\ " + "a" * 90, " wide wider"),
        (r"\\ ".join(["a" * 30] * 3), ""),
    ],
    ids=["short", "wide", "one wide line", "many lines"],
)
def test_wide_displays_are_marked_for_print(tex: str, names: str) -> None:
    assert f'nohighlight{names}"' in h.display(tex)


# -- statements ---------------------------------------------------------------------------------------------


def test_every_order_statement_has_a_left_side() -> None:
    missing = [
        name
        for name, step in load().items()
        if step.claim
        and not (step.tex or name in LEFT_SIDES)
        and any(isinstance(label, Order) and not label.where for label in step.claim())
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("rows-concentrate", [r"X^vX^{vT} = p\,I + O\big(\xi^{1/2}\big)"]),
        ("weighted-rows-of-two-tasks", [r"X^{v(i)}DX^{v(j)T} = O\big(\xi^{\delta/2}\big)"]),
        ("slope-at-zero-positive", [r"\partial_{\alpha_t}\bar L\,(0) > 0"]),
        ("wishart-mean", [r"\mathbb{E}\,W = n I"]),
    ],
)
def test_statements(name: str, shown: list[str]) -> None:
    assert statements.printed(load()[name]) == shown


def test_theorem_1_is_shown_with_its_factors_by_name() -> None:
    (line,) = statements.printed(load()["theorem-1"])
    assert "h_t" in line
    assert "h_r" in line
    assert r"1 - \alpha" not in line


def test_an_abbreviation_stands_only_for_an_equal_sum() -> None:
    step = load()["theorem-1"]
    other = sympy.Symbol("alpha_t", real=True) ** 2 + 1
    assert other not in statements.abbreviations(step, other * sympy.Symbol("p", positive=True))


# -- pieces -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "formulas"),
    [
        ("h_t, the mean square length of a row of B.", ["h_t", "B"]),
        ("A symmetric matrix between X^T and X averages.", ["X^T", "X"]),
        ("B B^T / p is a multiple of the identity.", ["B B^T / p"]),
        ("of order xi^-2: smaller than xi^(-3/2).", [r"\xi ^{-2}", r"\xi ^{-3/2}"]),
        ("positive for every n_t, p > 0: so.", ["n_t", "p &gt; 0"]),
        ("for all n_t >= 1000; so", [r"n_t \ge 1000"]),
        ("M(-a) - M(a) is a Gram matrix", ["M(-a) - M(a)"]),
        ("infinite for a >= 1. A step", [r"a \ge 1"]),
        ("at least sigma^2 / (p - 2), and", [r"\sigma ^2 / (p - 2)"]),
        ("of Tr A (W X^T X) over", [r"\mathrm{Tr}\, A (W X^T X)"]),
        ("covariance I (1 + v), rank k = 2 or 1/p of", ["I (1 + v)", "k = 2", "1/p"]),
        ("the element (k, l) is a number", ["(k", "l)"]),
        ("(b) over the rate, 50 under (c)", []),
        ("panel b, adaptation rate", []),
        ("A plain sentence, with a comma.", []),
        ("the tasks' variability V_sigma, and kappa_4", [r"V_{\sigma}", r"\kappa _4"]),
        ("omega_star^T (B^TB)^-1 and Sigma_w", [r"{\omega^\star}^T (B^TB)^{-1}", r"\Sigma_w"]),
        (r"decay of simulation minus \bar L^{test}", [r"\bar L^{test}"]),
        ("stored in negative_minimum.json, by OMP_NUM_THREADS and dist0_sq", []),
        ("run `derive eval eq5 n_t=3` at n_t", ["n_t"]),
    ],
)
def test_symbols_in_sentences_become_formulas(sentence: str, formulas: list[str]) -> None:
    found = re.findall(r"\\\((.*?)\\\)", h.prose(sentence))
    assert [" ".join(f.split()) for f in found] == formulas


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        (r"a_\xi (\nu)", r"exponent of \xi  for \nu"),
        (r"a (n_r=\mathrm{const})", r"exponent for n_r=\mathrm{const}"),
        ("a/2, laplace entries", "half the exponent, laplace entries"),
        (
            r"decay of simulation minus formula: a_m (\sigma)",
            r"decay of simulation minus formula: exponent of m for \sigma",
        ),
        (
            r"decay of simulation minus the formula (n_r\propto\xi)",
            r"decay of simulation minus the formula (n_r\propto\xi)",
        ),
    ],
)
def test_labels_of_checks_explain_themselves(label: str, shown: str) -> None:
    found = re.sub(r"<[^>]*>|\\\(|\\\)", "", h.label(label, 0))
    assert " ".join(found.split()) == " ".join(shown.split())
    assert h.label(label, 0).count(r"\(") == shown.count("for ") + shown.count("of m") + shown.count(
        r"of \xi"
    ) + shown.count("(n_r")


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("W = X^T X and sigma^2 > 0", "W = Xᵀ X and σ² > 0"),
        ("For n_v m >= 1 and alpha_t, W^-1", "For nᵥ m ≥ 1 and αₜ, W⁻¹"),
        ("of order xi^(-1/2), omega_star", "of order ξ^(-1/2), ω*"),
        ("signal and numbers", "signal and numbers"),
    ],
)
def test_titles_are_plain_text(sentence: str, shown: str) -> None:
    assert h.plain(sentence) == shown


def test_what_stands_in_backticks_is_code() -> None:
    assert h.prose("see `a_b <c>`.") == "see <code>a_b &lt;c&gt;</code>."


def test_a_number_in_a_sentence_has_its_sign() -> None:
    assert (
        h.prose("exponent -2 +- 0.1, from 3-2 to (-3/2)") == "exponent \u22122 ± 0.1, from 3-2 to (\u22123/2)"
    )


def test_no_line_begins_with_what_stands_against_a_formula() -> None:
    text = h.Html(f"at {h.prose('n_t, of')} {h.sizes({'n': 3, 'p': 2})}: {h.display('x')}, end")._repr_html_()
    kept = re.findall(r'<span class="nobreak"><span class="math [^>]*>\\\((.*?)\\\)</span>(.)</span>', text)
    assert kept == [("n_t", ","), ("n=3", ","), ("p=2", ":")]
    assert text.count("nobreak") == 3


def test_text_is_escaped() -> None:
    assert "<script>" not in h.prose("<script> & a_b")
    assert "<" not in h.escape('<">')
    assert h.inline("a<b").count("<") == 2


@pytest.mark.parametrize(
    ("mean", "stderr", "shown"),
    [
        (1.23456, 0.0012, "1.2346 ± 0.0012"),
        (-12.0, 3.0, "\u221212.0 ± 3.0"),
        (2.0, 0.0, "2"),
        (1234.5, 56.0, "1234 ± 56"),
        # as many digits as the error allows, also beside a power of ten
        (2.86466e-6, 6.6e-7, h.inline(r"(2.86 \pm 0.66)\cdot10^{-6}")),
        (-0.0385385, 6.6e-7, "\u22120.03853850 ± " + h.inline(r"6.6\cdot10^{-7}")),
        (0.0, 3e-8, h.inline(r"(0.0 \pm 3.0)\cdot10^{-8}")),
        (1.25e7, 4e5, h.inline(r"(1.250 \pm 0.040)\cdot10^{7}")),
    ],
)
def test_measured_values(mean: float, stderr: float, shown: str) -> None:
    assert h.measured(mean, stderr) == shown


def test_a_reason_that_several_parts_share_stands_once() -> None:
    text = cards.show("first-order-costs-more").text
    assert text.count("Not sampled") == 1
    assert text.count(BY_MOVES[:20]) == 1


def test_a_proof_ends_in_the_parts_of_an_order_by_what_they_are() -> None:
    text = cards.show("rows-concentrate").text
    assert "This is the multiple of the identity." in text
    assert "From this the exponent is read." in text


def test_cases_and_what_is_said_of_them_are_two_columns() -> None:
    cases = [r"n_r \propto \xi: \quad O(1)", r"n_r: \quad O(2)"]
    assert (
        h.gathered(cases)
        == r"\begin{aligned} n_r \propto \xi: \quad & O(1) \\ n_r: \quad & O(2) \end{aligned}"
    )
    assert "gathered" in h.gathered([cases[0], "x = 1"])


def test_tables_stack_with_labels() -> None:
    text = h.table(("a", "b"), [("1", "2")], numeric=(1,))
    assert 'data-label="b"' in text
    assert unbalanced(text) == []


def test_the_drawing_is_sound_and_names_every_node() -> None:
    text = draw()
    assert unbalanced(text) == []
    assert text.count("<circle") == 10
    assert all(f">{which}<" in text for which in "tvrs")


@pytest.mark.parametrize("spoil", [lambda t: t.replace("</div>", "", 1), lambda t: t + "</p>"])
def test_guard_sees_unsound_html(spoil: Callable[[str], str]) -> None:
    assert unbalanced(spoil(h.table(("a",), [("1",)])))


def proved(step: Step) -> Record:
    return cast(Record, {**describe(step), "proof": ProofStatus.PROVED, "checks": []})


def test_a_card_says_what_its_proof_uses() -> None:
    record = proved(load()["task-average"])
    shown = cards._moves(load()["task-average"], record)
    assert "One task's share, from <a" in shown
    assert r"\text{where } B = X^v A" in shown
    assert r"\mathbb{E}_{X^v}[\cdots] = " in shown
    shown = cards._moves(load()["theorem-1-remainder-bounded"], record)
    assert r"\[\le " in shown


def test_of_a_vast_formula_a_card_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    step = load()["task-average"]
    record = proved(step)
    asked = "<code>derive show task-average --proof --json</code>"
    whole = cards._moves(step, record)
    assert asked not in whole
    monkeypatch.setattr(cards, "VAST", 1)
    shown = cards._moves(step, record)
    assert asked in shown
    assert len(shown) < len(whole)


def test_numbers_of_equations_and_slugs_in_sentences_are_links() -> None:
    shown = cards.text("With (12), by theorem-2-remainder. Not (999) nor not-a-slug.")
    assert re.findall(r"<a href=\"([^\"]+)\"[^>]*>([^<]+)</a>", shown) == [
        ("theorem3.html#step-linearized-model", "(12)"),
        ("theorem2.html#step-theorem-2-remainder", "theorem 2 remainder"),
    ]
    assert shown.endswith("Not (999) nor not-a-slug.")


def test_definitions_that_share_a_line_stand_apart_on_a_phone() -> None:
    shared = r"a = bcdefghijklmnopqrstuvw,\quad x = yzabcdefghijklmn"
    wide, _, narrow = h.columns([shared]).partition('<noscript class="later narrow">')
    assert shared in wide
    assert r"\quad" not in narrow
    assert "bcdefghijklmnopqrstuvw," in narrow
    assert h.columns([r"a = b,\quad c = d"]) == h.display(r"a = b,\quad c = d")


@pytest.mark.parametrize(("drawn", "against"), [(1.0, "formula"), (0.2, "experiment")])
def test_what_a_sampled_number_is_held_against_heads_its_column(drawn: float, against: str) -> None:
    check = Check("panel a", {"alpha_t": 0.1}, 1.0, 1.01, 0.02, 500, 0.1, "agree", "close", drawn=drawn)
    shown = gaps.comparisons([as_record(check)])
    assert re.findall(r">(formula|experiment)</th>", shown) == [against]
