"""What the search box looks through, the links of equations' numbers, and the notebooks of pages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import cast

import nbformat
import pytest
from docutils import nodes

from derivations.publishing.build import SOURCE
from derivations.publishing.equation_links import linked, places
from derivations.publishing.finding import formula, index, parts, plain, sections
from derivations.publishing.notebooks import notebook
from derivations.steps.contents import load
from derivations.verification.plain_records import Record

PAGES = {path.stem: path.read_text(encoding="utf-8") for path in SOURCE.glob("*.md")}
PAGE = """---
kernelspec: {name: python3}
---
# Moments of $W$

With [a link](lemma1.md), {prf:ref}`theorem-1` and (92).

````{prf:theorem} The mean
:label: the-mean

It is $n I$.
````

```{code-cell} ipython3
:tags: [remove-input]
cards.show("wishart-mean")
```

(anchor)=
## The rest

```{code-cell} ipython3
d.step(32)
```

```{code-cell} ipython3
:tags: [remove-input]
cards.remaining("lemma1")
```
"""

# as it is built
BUILT = r"""<nav><section id="menu"><h1>Menu</h1></section></nav><article>
<section id="moments-of-w"><h1>Moments of <span class="math">\(W\)</span><a class="headerlink" href="#">#</a></h1>
<p>With <a href="lemma1.html">a link</a>, <a>Theorem 1</a>, <span class="nobreak"><span class="math">\(g_1,\ldots,g_4\)</span>,</span>
and (92).<br></p><div class="math">\[E = m\]</div><svg><text>axis</text></svg>
<div class="cell_input"><pre>cards.show("wishart-mean")</pre></div>
<div><section class="step" id="step-wishart-mean"><header>Wishart mean</header><p>The mean of W.</p><p><strong>Proved:</strong></p>
<details><summary>Remark</summary><noscript class="later"><p>After Marchenko and Pastur.</p></noscript></details>
<noscript class="later narrow"><p>narrow</p></noscript><table><tr><td>drawn</td></tr></table></section></div>
<p class="taken"><a download="figure2.csv" href="data:text/csv;base64,bG9zcw==">CSV</a></p>
<section id="the-rest"><h2>The rest</h2>
<div><table class="ledger"><tr><th>inputs</th></tr><tr><td><div>two masses</div></td><td class="number">0.25</td></tr><tr><td>7</td></tr></table></div>
<form class="finder"></form><div><table><tr><td>a row of the ledger</td></tr></table></div></section>
</section></article><footer><p>Footer</p></footer>"""


def test_numbers_of_equations_are_links_and_other_numbers_are_not() -> None:
    found = list(linked("by (92) and (999), see (5)", places()))
    assert [node.astext() for node in found] == ["by ", "(92)", " and (999), see ", "(5)"]
    assert [node["refuri"] for node in found if isinstance(node, nodes.reference)] == [
        "theorem2.html#step-task-average",
        "theorem1.html#step-theorem-1",
    ]
    assert len(places()) == 144


def test_the_index_holds_steps_and_sections_that_were_built_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "lemma1.html").write_text(BUILT, encoding="utf-8")
    record = cast(Record, {"name": "wishart-mean", "proof": "proved", "numeric": "agree"})
    found = {place["url"]: place for place in index(tmp_path, {"lemma1": PAGE, "setup": PAGE}, [record])}
    assert found.keys() == {"lemma1.html", "lemma1.html#the-rest", "lemma1.html#step-wishart-mean"}
    step = found["lemma1.html#step-wishart-mean"]
    assert (step["numbers"], step["proof"], step["page"]) == (["31"], "proved", "Moments of W")


def test_a_place_says_what_stands_there_also_in_cards_and_in_what_cells_made(tmp_path: Path) -> None:
    (tmp_path / "lemma1.html").write_text(BUILT, encoding="utf-8")
    texts = {place["url"]: place["text"] for place in index(tmp_path, {"lemma1": PAGE}, [])}
    assert texts == {
        "lemma1.html": "With a link, Theorem 1, g_1,…,g_4, and (92). CSV",
        "lemma1.html#the-rest": "inputs; two masses",
        "lemma1.html#step-wishart-mean": "The mean of W. After Marchenko and Pastur.",
    }


def test_what_the_form_of_cards_says_is_no_text_of_one(tmp_path: Path) -> None:
    names = [name for name, step in load().items() if step.page == "lemma1"][:2]
    cards = "".join(
        f'<section id="step-{name}"><p>Of {name}.</p><p>How it was derived</p></section>' for name in names
    )
    (tmp_path / "lemma1.html").write_text(f"<article>{cards}</article>", encoding="utf-8")
    assert [place["text"] for place in index(tmp_path, {"lemma1": ""}, [])] == [
        f"Of {name}." for name in names
    ]


def test_a_page_is_found_by_words_that_its_header_has_and_by_the_files_that_it_offers() -> None:
    header = '---\nmyst: {html_meta: {keywords: "typo, misprint"}}\n---\n'
    page, section = sections("errata", header, parts(BUILT))
    assert (page["sought"], section["sought"]) == ("typo, misprint download data figure2.csv", "")
    assert "typo" not in page["text"]


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"g_1,\ldots,g_4", "g_1,…,g_4"),
        (r"\mathrm{Tr}\, D", "Tr D"),
        (r"\alpha_t  = 0.2", "α_t = 0.2"),
        (r"\tfrac{\sigma^2}{p}\to\infty", "σ^2/p→∞"),
        (r"\mathbb{E}\,\left|\omega^\star - w_0\right|^{2}", "E |ω^*- w_0|^2"),
        (r"X^{v(1)T}\det W", "X^v(1)Tdet W"),
    ],
)
def test_a_formula_reads_as_text(latex: str, shown: str) -> None:
    assert formula(latex) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the rate \\(\\alpha_t\\) of\n Figure 2 .", "the rate α_t of Figure 2."),
        ("regime p > nᵥ m, Xᵀ", "regime p > n_v m, X^T"),
    ],
)
def test_text_of_the_index_is_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_notebook_has_prose_steps_by_the_front_door_and_the_cells_that_a_page_shows() -> None:
    made = notebook("lemma1", PAGE)
    nbformat.validate(made)
    codes = [cell.source for cell in made.cells if cell.cell_type == "code"]
    rest = [name for name, step in load().items() if step.page == "lemma1" and name != "wishart-mean"]
    assert codes == [
        "import derivations as d",
        'd.step("wishart-mean")',
        "d.step(32)",
        *(f'd.step("{name}")' for name in rest),
    ]
    text = "\n".join(cell.source for cell in made.cells if cell.cell_type == "markdown")
    assert "theorem-1 and (92)" in text
    assert "(anchor)=" not in text


def test_links_of_a_notebook_lead_to_notebooks() -> None:
    cells = notebook(
        "figure3", "See [it](lemma1.md#here), [that](beyond.html#step-x), [more](https://example.org/a.md)."
    ).cells
    assert (
        cells[-1].source == "See [it](lemma1.ipynb), [that](beyond.ipynb), [more](https://example.org/a.md)."
    )


@pytest.mark.parametrize("page", sorted(PAGES))
def test_no_notebook_calls_what_serves_pages(page: str) -> None:
    for cell in notebook(page, PAGES[page]).cells:
        assert "book_pages" not in cell.source
        assert cell.cell_type == "markdown" or compile(cell.source, page, "exec")


@pytest.mark.slow(20)
@pytest.mark.parametrize("page", ["lemma3", "notebooks", "check_one", "own_assumption"])
def test_a_notebook_runs(page: str, tmp_path: Path) -> None:
    """In a process of its own, as a kernel would run it."""
    cells = [cell.source for cell in notebook(page, PAGES[page]).cells if cell.cell_type == "code"]
    script = tmp_path / "cells.py"
    script.write_text("\n\n".join(cells), encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
