"""What a reader does: search, filter the ledger, move the explorer's sliders; in a browser, from files, without a network."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from derivations.book_pages.reader.ancestry import ancestors
from derivations.book_pages.reader.explorer import CURVES, SLIDERS
from derivations.formulas.by_name import evaluate_named
from derivations.formulas.values import LOSS
from derivations.language.assumptions import read
from derivations.language.regime import Regime
from derivations.publishing.pdf import print_book
from derivations.steps.contents import load

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("book")]

PHRASES = [
    ("92", "theorem2.html#step-task-average"),
    ("Eq. 92", "theorem2.html#step-task-average"),
    ("(92)", "theorem2.html#step-task-average"),
    ("equation 5", "theorem1.html#step-theorem-1"),
    ("eq8", "learning_rates.html#step-stationary-rates"),
    ("theorem 2", "theorem2.html#step-theorem-2"),
    ("Theorem 1", "theorem1.html#step-theorem-1"),
    ("lemma 1", "lemma1.html"),
    ("figure 3", "figure3.html#step-figure-3"),
    ("Figure 5", "figure5.html#step-figure-5"),
    ("three inner steps", "change_steps.html"),
    ("another covariance", "change_covariance.html"),
    ("build your own variant", "change.html#build-your-own-variant"),
    ("Wishart", "lemma1.html#step-wishart-mean"),
    ("cite", "get.html#cite"),
    ("MAML", "glossary.html#words"),
    ("notebook", "notebooks.html"),
    ("errata", "errata.html"),
    ("ledger", "ledger.html"),
    ("positive rate optimal", "positive_rates.html"),
    ("negative-rate-is-better", "beyond.html#step-negative-rate-is-better"),
    ("change an assumption", "change.html"),
    ("Is Eq. 92 right, and how is it shown?", "theorem2.html#step-task-average"),
    ("What is wrong with Theorem 2's remainder?", "theorem2.html#step-theorem-2-remainder"),
    ("what changes with three inner steps?", "change_steps.html"),
    ("How do I cite or reproduce Figure 3?", "figure3.html#step-figure-3"),
    ("which formula do I copy into my code?", "get.html#copy-a-formula"),
]
# what is named in full comes first
FIRST = {
    "What is wrong with Theorem 2's remainder?",
    "theorem 2",
    "92",
    "figure 3",
    "negative-rate-is-better",
}
# how many of the places that are found are looked through
SEEN = 12
SEARCH = """async (query) => {
  const input = document.querySelector('form.bd-search input');
  input.value = query;
  input.dispatchEvent(new Event('input'));
  for (let k = 0; k < 400; k += 1) {
    await new Promise((done) => setTimeout(done, 25));
    const list = document.querySelector('.found');
    if (list.dataset.query === query) return [...list.querySelectorAll('a')].map((a) => a.getAttribute('href').replace('./', ''));
  }
  return null;
}"""


@pytest.fixture
def opened(site: Path, browser: Any) -> Iterator[Callable[[str], Any]]:
    """Open a page of the book from its file."""
    pages = []

    def open_page(name: str) -> Any:
        page = browser.new_page()
        pages.append(page)
        page.goto(f"{(site / name.partition('#')[0]).resolve().as_uri()}#{name.partition('#')[2]}")
        page.wait_for_selector(".bd-article.ready")
        return page

    yield open_page
    for page in pages:
        page.close()


def test_the_search_box_finds_numbers_names_and_words(opened: Callable) -> None:
    page = opened("intro.html")
    found = {phrase: page.evaluate(SEARCH, phrase) for phrase, _ in PHRASES}
    missed = {phrase: found[phrase] for phrase, place in PHRASES if place not in found[phrase][:SEEN]}
    assert missed == {}
    assert [phrase for phrase, place in PHRASES if phrase in FIRST and found[phrase][0] != place] == []
    assert page.evaluate(SEARCH, "zyxw") == []


def test_every_place_of_the_index_exists(opened: Callable, site: Path) -> None:
    page = opened("intro.html")
    page.evaluate(SEARCH, "92")
    places = page.evaluate("window.FIND_INDEX.map((place) => place.url)")
    texts = {path.name: path.read_text(encoding="utf-8") for path in site.glob("*.html")}
    wrong = [
        url
        for url in places
        for name, _, anchor in [url.partition("#")]
        if name not in texts or (anchor and f'id="{anchor}"' not in texts[name])
    ]
    assert len(places) > 300
    assert wrong == []


def test_the_ledger_is_filtered_by_words_and_verdicts(opened: Callable) -> None:
    page = opened("ledger.html")
    page.wait_for_selector(".finder select")
    rows = page.locator("table.ledger tbody tr:visible")
    every = rows.count()
    page.select_option(".finder select >> nth=0", "corrected")
    corrected = rows.count()
    page.fill(".finder input", "remainder")
    assert 0 < rows.count() < corrected < every


def test_a_formula_is_copied_from_its_card(opened: Callable) -> None:
    page = opened("theorem1.html")
    card = page.locator("#step-theorem-1")
    assert card.locator("button.take").count() == 0
    card.locator("details.use summary").click()
    python = card.locator(".taking:has(button[title^='Python of'])")
    python.locator("button").press("Enter")
    assert python.locator("button").inner_text() == "Copied"
    page.evaluate("document.body.prepend(document.createElement('textarea'))")
    page.focus("textarea")
    page.keyboard.press("Control+V")
    pasted = page.input_value("textarea")
    assert pasted.startswith("import numpy")
    assert pasted == python.locator("pre").inner_text()


def test_what_a_step_rests_on_is_drawn_and_followed_by_keyboard(opened: Callable) -> None:
    page = opened("theorem2.html")
    card = page.locator("#step-theorem-2-remainder")
    fold = card.locator("details.ancestry")
    assert fold.locator("svg").count() == 0
    fold.locator("summary").press("Enter")
    fold.locator("svg a").first.wait_for()
    steps = load()
    below = ancestors("theorem-2-remainder", steps)
    assert fold.locator("svg a").count() == len(below) + 1
    drawn = fold.locator("svg g", has=page.locator("a[href$='#step-theorem-2']"))
    thin = drawn.locator("path").evaluate("(line) => getComputedStyle(line).strokeWidth")
    drawn.locator("a").focus()
    assert drawn.locator("path").evaluate("(line) => getComputedStyle(line).strokeWidth") > thin
    page.keyboard.press("Enter")
    page.wait_for_url("**/theorem2.html#step-theorem-2")


def test_comparisons_are_drawn_and_listed_when_they_are_asked_for(opened: Callable) -> None:
    card = opened("theorem2.html").locator("#step-task-average")
    fold = card.locator("details:has(> summary:text('comparisons with sampling'))")
    assert fold.locator("circle").count() == 0
    fold.locator("summary").click()
    fold.locator("circle").first.wait_for()
    assert 3 <= fold.locator("circle").count() <= fold.locator("tbody tr").count()


def test_the_explorer_evaluates_what_the_command_does(opened: Callable) -> None:
    page, chance = opened("explorer.html"), random.Random(7)
    for place in range(50):
        curve = CURVES[place % len(CURVES)]
        values = {
            slider.name: round(chance.uniform(max(slider.low, -0.4), slider.high), 2) for slider in SLIDERS
        }
        over = curve.regime is Regime.OVER
        values |= {"n_t": chance.randint(2, 60), "n_r": chance.randint(2, 60)}
        values |= {"n_v": chance.randint(1 if over else 2, 8), "m": chance.randint(1 if over else 2, 6)}
        rows = values["n_v"] * values["m"]
        values["p"] = rows + chance.randint(2, 50) if over else rows - 2
        assert curve.regime.holds(rows, values["p"])
        values["alpha_t"] = round(chance.uniform(-2, 2), 3)
        given = values if over else {k: v for k, v in values.items() if k != "dist0_sq"}
        expected = evaluate_named(LOSS[curve.regime], given, read(curve.words))["value"]
        seen = page.evaluate("([name, values]) => EXPLORER.call(name, values)", [curve.name, values])
        assert seen == pytest.approx(expected, rel=1e-9), (curve.name, values)


def test_the_explorer_follows_keys_choices_and_its_address(opened: Callable) -> None:
    page = opened(
        "explorer.html#n_t=30&n_v=2&n_r=20&m=3&p=60&sigma=1&nu=0.5&dist0_sq=0&alpha_r=0.2&inner_steps=2"
    )
    root = page.locator(".explorer")
    assert root.locator(".explorer-steps").input_value() == "2"
    before = root.locator(".explorer-said").inner_text()
    page.focus("#explore-n_t")
    page.keyboard.press("ArrowRight")
    assert root.locator("input[type=number][data-parameter=n_t]").input_value() == "31"
    assert root.locator(".explorer-said").inner_text() != before
    assert "n_t=31" in page.url
    root.locator(".explorer-regime").select_option("under")
    assert root.locator(".explorer-place").input_value() == "Figure 3b"
    assert root.locator(".explorer-plot path.leading").count() == 1


def test_the_explorer_marks_the_best_rate_of_figure_2(opened: Callable) -> None:
    best = opened("explorer.html").evaluate("document.querySelector('.explorer').found.best")
    assert best == pytest.approx([-1.01115211, 0.68371936], abs=1e-6)


def test_without_scripts_a_picture_stands_for_the_explorer(site: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "explorer.html").resolve().as_uri())
    shown = page.locator("noscript svg, .drawn svg").count()
    hidden = page.locator(".explorer").is_hidden()
    context.close()
    assert shown
    assert hidden


PRINTED = ("setup", "lemma3", "theorem1")


@pytest.mark.slow(60)
def test_printed_pages_stand_in_reading_order_and_hold_theorem_1(site: Path, tmp_path: Path) -> None:
    from pypdf import PdfReader

    for name in PRINTED:
        (tmp_path / f"{name}.html").symlink_to(site / f"{name}.html")
    # in a thread of its own, as the browser of these tests has the loop of this one
    with ThreadPoolExecutor(1) as executor:
        sheets = executor.submit(print_book, tmp_path / "book.pdf", tmp_path).result()
    reader = PdfReader(tmp_path / "book.pdf")
    assert len(reader.pages) == sheets > 30
    titles = [item["/Title"] for item in reader.outline if not isinstance(item, list)]
    assert len(titles) == len(PRINTED)
    place = titles.index("Theorem 1: more parameters than validation points")
    first = reader.get_destination_page_number(reader.outline[place])
    text = "".join(page.extract_text() for page in reader.pages[first : first + 3])
    assert "To leading order the average test loss is" in " ".join(text.split())
    links = [
        str(link.get_object().get("/A", {}).get("/URI", ""))
        for page in reader.pages
        for link in page.get("/Annots") or ()
    ]
    assert not [link for link in links if link.startswith("file:")]
