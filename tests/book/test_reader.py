"""What a reader does: search, filter the ledger, move the explorer's sliders; in a browser, from files, without a network."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from derivations.book_pages.reader.ancestry import ancestors
from derivations.book_pages.reader.explorer import CURVES, SLIDERS, STEPS
from derivations.formulas.by_name import evaluate_named
from derivations.formulas.values import LOSS
from derivations.language.assumptions import read
from derivations.language.regime import Regime
from derivations.paper.experiments.panels import FIGURE_2
from derivations.publishing.pdf import print_book
from derivations.steps.contents import load
from numeric_check.estimators.tails import mean_is_finite
from numeric_check.problem.setting import Setting

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
    # what cards and cells say
    ("Marchenko", "beyond.html#step-proportional-loss"),
    ("Marchenko-Pastur", "beyond.html#step-proportional-loss"),
    # however it is spelt
    ("pseudoinverse", "moments.html#step-pseudo-inverse-mean"),
    ("pseudo-inverses", "moments.html#step-pseudo-inverse-mean"),
    ("overparametrised", "theorem1.html#step-excess-overparameterized"),
    ("overparameterised", "theorem1.html#step-excess-overparameterized"),
    ("αₜ", "figure2.html"),
    ("alpha_t", "figure2.html"),
    ("W²", "moments.html#step-wishart-square-trace"),
    ("inner_steps=3", "change_steps.html"),
    ("inner_steps=3", "positive_rates.html#several-inner-steps-turn-the-sign"),
    ("thm 2", "theorem2.html#step-theorem-2"),
    ("Thm. 2", "theorem2.html#step-theorem-2"),
    ("Fig. 3", "figure3.html#step-figure-3"),
    ("Eqs. 91-93", "theorem2.html#step-task-average"),
    ("Eqs. 91-93", "theorem2.html#step-training-noise-average"),
    ("(5), (8) and (9)", "theorem2.html#step-theorem-2"),
    # whatever it is called
    ("erratum", "errata.html"),
    ("typo", "errata.html"),
    ("wrong", "errata.html"),
    ("corrected", "theorem2.html#step-theorem-2"),
    ("corrected", "errata.html#what-is-corrected"),
    ("CSV", "figure2.html"),
    ("download data", "figure3.html"),
    ("test error", "setup.html#step-test-loss"),
    ("When is a positive rate better?", "positive_rates.html"),
]
# what is named in full comes first
FIRST = {
    "What is wrong with Theorem 2's remainder?",
    "theorem 2",
    "92",
    "figure 3",
    "negative-rate-is-better",
    "thm 2",
    "Thm. 2",
    "Fig. 3",
    "erratum",
    "typo",
    "wrong",
    "CSV",
    "When is a positive rate better?",
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

# pairs of texts in the plot that meet, and texts that leave it
COVERED = """() => {
  const svg = document.querySelector('.explorer-plot svg'), whole = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  return boxes.flatMap(([text, box], k) => [
    ...boxes.slice(k + 1).filter(([, other]) => meet(box, other)).map(([other]) => `${text} on ${other}`),
    ...(box.left < whole.left - 1 || box.right > whole.right + 1 || box.top < whole.top - 1 ? [`${text} outside`] : []),
  ]);
}"""


@pytest.fixture
def opened(site: Path, window: Callable) -> Callable[[str], Any]:
    """Open a page of the book from its file."""

    def open_page(name: str) -> Any:
        page = window(1280, 720)
        page.goto(f"{(site / name.partition('#')[0]).resolve().as_uri()}#{name.partition('#')[2]}")
        page.wait_for_selector(".bd-article.ready")
        return page

    return open_page


def test_the_search_box_finds_numbers_names_and_words(opened: Callable) -> None:
    page = opened("intro.html")
    found = {phrase: page.evaluate(SEARCH, phrase) for phrase, _ in PHRASES}
    missed = {
        (phrase, place): found[phrase] for phrase, place in PHRASES if place not in found[phrase][:SEEN]
    }
    assert missed == {}
    assert [phrase for phrase, place in PHRASES if phrase in FIRST and found[phrase][0] != place] == []
    assert page.evaluate(SEARCH, "zyxw") == []


def test_a_finding_quotes_whole_words_and_no_remains_of_formulas(opened: Callable) -> None:
    page = opened("intro.html")
    page.evaluate(SEARCH, "Marchenko-Pastur")
    quoted = page.locator(".found .excerpt").first
    assert quoted.locator("mark").all_inner_texts() == ["Marchenko", "Pastur"]
    texts = page.evaluate("window.FIND_INDEX.map((place) => place.text || '')")
    remains = re.compile(r",,|\\[A-Za-z]|\b(?:(?:in|of) theorem-\d|[a-z]+\d{4}'s)| [,;] |[${}]\\")
    assert [found[0] for text in texts if (found := remains.search(text))] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_typed_stands_beside_the_magnifier(opened: Callable, width: int) -> None:
    page = opened("intro.html")
    page.set_viewport_size({"width": width, "height": 844})
    sign, text = page.evaluate("""() => {
      const dialog = document.querySelector('#pst-search-dialog');
      dialog.showModal();
      const [sign, input] = ['.fa-magnifying-glass', 'input'].map((one) => dialog.querySelector(one));
      return [sign.getBoundingClientRect().right, input.getBoundingClientRect().left + parseFloat(getComputedStyle(input).paddingLeft)];
    }""")
    assert 0 < sign < text


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


@pytest.mark.parametrize("word", ["corrected", "conditional", "conjecture"])
def test_a_row_of_the_ledger_is_found_by_its_badge(opened: Callable, word: str) -> None:
    page = opened("ledger.html")
    page.wait_for_selector(".finder select")
    rows = page.locator("table.ledger tbody tr:visible")
    page.select_option(".finder label:has-text('proof') select", word)
    names = "(rows) => rows.map((row) => row.querySelector('a').hash)"
    badged = rows.evaluate_all(names)
    page.select_option(".finder label:has-text('proof') select", "")
    page.fill(".finder input", word)
    assert {*badged} <= {*rows.evaluate_all(names)}
    assert 0 < len(badged) < 20


def test_a_ledger_without_rows_says_so_and_how_to_have_them_back(opened: Callable) -> None:
    page = opened("ledger.html")
    page.wait_for_selector(".finder select")
    rows = page.locator("table.ledger tbody tr:visible")
    every = rows.count()
    assert not page.locator(".finder button").is_visible()
    page.select_option(".finder label:has-text('sampling') select", "agree")
    page.fill(".finder input", "zyxw")
    assert rows.count() == 0
    assert page.inner_text(".finder output").startswith("No row of ")
    assert page.locator("form.finder ~ .table-scroll thead").is_hidden()
    page.click(".finder button")
    page.wait_for_function("document.querySelector('.finder button').hidden")
    assert (rows.count(), page.input_value(".finder input")) == (every, "")


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


def explored(opened: Callable, **changed: float) -> Any:
    """The explorer, opened at the sizes of Figure 2 but for what is changed."""
    sizes = {slider.name: getattr(FIGURE_2, slider.name) for slider in SLIDERS}
    words = {**sizes, "inner_steps": 1, "reach": 2, **changed}
    return opened("explorer.html#" + "&".join(f"{name}={value:g}" for name, value in words.items()))


def test_the_explorer_knows_where_the_mean_loss_is_infinite(opened: Callable) -> None:
    page, chance = opened("explorer.html"), random.Random(11)
    seen = set()
    for _ in range(300):
        sizes = {"n_t": chance.randint(1, 4), "n_v": chance.randint(1, 6), "m": chance.randint(1, 3)}
        sizes["p"] = max(2, sizes["n_v"] * sizes["m"] + chance.randint(-4, 4))
        values = {
            **sizes,
            "n_r": 20,
            "sigma": chance.choice([0, 1]),
            "nu": chance.choice([0, 0.5]),
            "dist0_sq": 0,
            "alpha_r": 0.2,
        }
        steps = chance.choice(STEPS)
        rates = [
            rate
            for rate in (-0.5, 0.5)
            if not mean_is_finite(Setting(**values, alpha_t=rate, inner_steps=steps))
        ]
        expected = {0: "", 1: "positive", 2: "all"}[len(rates)]
        found = page.evaluate("([values, steps]) => EXPLORER.infinite(values, steps)", [values, steps])
        assert found == expected, (values, steps)
        seen.add(found)
    assert seen == {"", "positive", "all"}


@pytest.mark.parametrize("p", [5, 6, 7])
def test_the_explorer_offers_nothing_lowest_where_the_mean_loss_is_infinite(opened: Callable, p: int) -> None:
    root = explored(opened, p=p).locator(".explorer")
    said = root.locator(".explorer-said").inner_text()
    assert "the mean loss is infinite" in said
    assert "is lowest" not in said
    assert root.locator(".explorer-plot :is(.exact, .zero, .best)").count() == 0


def test_the_explorer_says_truly_what_it_does_not_draw(opened: Callable) -> None:
    for changed in ({"inner_steps": 2, "p": 4}, {"inner_steps": 3}):
        root = explored(opened, **changed).locator(".explorer")
        assert root.locator(".explorer-plot path.next").count() == 1
    assert (
        "next order (its formula has a pole" in explored(opened, p=7).locator(".explorer-said").inner_text()
    )
    page = explored(opened, inner_steps=3, p=4)
    assert page.locator(".explorer-plot path.next").count() == 0
    words = shlex.split(page.locator(".explorer-said code").inner_text())
    assert words[:3] == ["derive", "sweep", "eq9"]
    assumptions = [words[k + 1] for k, word in enumerate(words) if word == "--assume"]
    values = dict(word.split("=") for word in words[3 : words.index("--assume")])
    low, high, step = map(float, values.pop("alpha_t").split(":"))
    assert (low, high, step) == (-2, 2, 0.2)
    assert read(assumptions) == read(["inner_steps=3", "order=next"])
    given = {**{name: float(value) for name, value in values.items()}, "alpha_t": low}
    assert evaluate_named("eq9", given, read(["inner_steps=3"]))["value"] == pytest.approx(
        page.evaluate("document.querySelector('.explorer').found.leading[0][1]"), rel=1e-9
    )


def test_the_exact_curve_of_figure_6b_meets_its_simulations(opened: Callable) -> None:
    page = opened("explorer.html")
    page.locator(".explorer-place").select_option("Figure 6b")
    found = page.evaluate("document.querySelector('.explorer').found")
    exact = [(round(rate, 6), value) for rate, value in found["exact"]]
    simulated = {round(rate, 6): (mean, error) for rate, mean, error in found["simulated"]}
    common = [(value, *simulated[rate]) for rate, value in exact if rate in simulated]
    assert len(common) == len(simulated) > 10
    assert max(abs(value - mean) / (error + 3e-4 * value) for value, mean, error in common) < 5
    assert "exact curve" not in page.locator(".explorer-said").inner_text()


@pytest.mark.parametrize(
    ("name", "typed", "used", "said"),
    [
        ("n_t", "99999", "200", "whole numbers from 1 to 200: 200 is used"),
        ("n_t", "2.5", "3", "whole numbers from 1 to 200: 3 is used"),
        ("n_t", "", "30", "whole numbers from 1 to 200: 30 is used"),
        ("alpha_r", "-7", "-0.5", "numbers from −0.5 to 1: −0.5 is used"),
        ("alpha_r", "0.333", "0.333", ""),
        ("reach", "9", "4", "numbers from 0.1 to 4: 4 is used"),
    ],
)
def test_a_number_box_shows_what_is_used(
    opened: Callable, name: str, typed: str, used: str, said: str
) -> None:
    page = explored(opened)
    root = page.locator(".explorer")
    box = root.locator(f"input[type=number]:is([data-parameter={name}], .explorer-{name})")
    box.click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.type(typed)
    assert box.input_value() == typed
    page.keyboard.press("Tab")
    assert box.input_value() == used
    allowed = box.locator("xpath=ancestor::*[contains(@class, 'box')]/small[@role='status']")
    assert allowed.inner_text() == said
    assert allowed.get_attribute("aria-live") == "polite"
    assert f"{name}={used}&" in f"{page.url}&" or not typed


def test_a_flat_curve_has_no_lowest_point(opened: Callable) -> None:
    root = explored(opened, sigma=0).locator(".explorer")
    assert "the same at every rate" in root.locator(".explorer-said").inner_text()
    assert root.locator(".explorer-plot .best, .key-best").count() == 0


def test_every_lowest_point_is_marked_and_named(opened: Callable) -> None:
    page = explored(opened)
    page.evaluate("""() => {
      EXPLORER.formulas['over 1 leading'] = { of: (x) => 1 + (x * x - 1) ** 2, parameters: ['alpha_t'] };
      window.dispatchEvent(new Event('hashchange'));
    }""")
    said = page.locator(".explorer-said strong").inner_text()
    assert "lowest at rates −1 and 1: 1, 50 % below its value 2 at rate zero" in said
    assert page.locator(".explorer-plot .best").count() == 2


@pytest.mark.parametrize("changed", [{}, {"sigma": 0}, {"sigma": 0, "nu": 0.05, "p": 300}])
def test_no_text_of_the_explorer_covers_another(opened: Callable, changed: dict[str, float]) -> None:
    page = explored(opened, **changed)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        # the plot is drawn anew once its holder has its width
        page.wait_for_function(
            "() => { const [plot] = document.querySelectorAll('.explorer-plot');"
            " return Math.abs(plot.firstChild.getAttribute('width') - Math.max(300, plot.clientWidth)) < 1; }"
        )
        assert page.evaluate(COVERED) == []


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
