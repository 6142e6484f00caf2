"""What the search box looks through, the links of equations' numbers, and the notebooks of pages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from docutils import nodes

from derivations.publishing.build import SOURCE
from derivations.publishing.equation_links import linked, places
from derivations.publishing.finding import index, plain, sections
from derivations.publishing.notebooks import notebook
from derivations.steps.contents import load

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


def test_numbers_of_equations_are_links_and_other_numbers_are_not() -> None:
    found = list(linked("by (92) and (999), see (5)", places()))
    assert [node.astext() for node in found] == ["by ", "(92)", " and (999), see ", "(5)"]
    assert [node["refuri"] for node in found if isinstance(node, nodes.reference)] == [
        "theorem2.html#step-task-average",
        "theorem1.html#step-theorem-1",
    ]
    assert len(places()) == 144


def test_the_index_holds_steps_and_sections_that_were_built_and_no_others(tmp_path: Path) -> None:
    built = '<section id="the-rest"></section><section id="step-wishart-mean">'
    (tmp_path / "lemma1.html").write_text(built, encoding="utf-8")
    record = {"name": "wishart-mean", "proof": "proved", "numeric": "agree"}
    found = {place["url"]: place for place in index(tmp_path, {"lemma1": PAGE, "setup": PAGE}, [record])}
    assert found.keys() == {"lemma1.html", "lemma1.html#the-rest", "lemma1.html#step-wishart-mean"}
    step = found["lemma1.html#step-wishart-mean"]
    assert (step["numbers"], step["proof"], step["page"]) == (["31"], "proved", "Moments of W")
    assert found["lemma1.html"]["text"] == "With a link, theorem-1 and (92). The mean It is n I ."


def test_a_page_is_found_by_words_that_its_header_has_and_it_does_not_say() -> None:
    header = '---\nmyst: {html_meta: {keywords: "typo, misprint"}}\n---\n'
    page, section = sections("errata", f"{header}# Errata\n\n## The rest\n", 'id="the-rest"')
    assert (page["sought"], section["sought"]) == ("typo, misprint", "")
    assert "typo" not in page["text"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"the rate $\alpha_t$ of [Figure 2](figure2.md)", "the rate α_t of Figure 2"),
        ("`derive eval` [proved]{.status} {prf:ref}`theorem-1`", "derive eval proved theorem-1"),
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
