"""Several books side by side: names of folders, the line that leads from page to page, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from derivations.language.assumptions import PAPER, InvalidAssumption, read
from derivations.publishing.build import PAGE, SOURCE
from derivations.publishing.site import build_site, folder_name, read_variant, switcher

TWO, SIGNS = read(["inner_steps=2"]), read(["inputs=rademacher", "noise_val=1/3"])
TEXT = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {name: python3, display_name: Python 3}
---
# Page

```{code-cell} ipython3
:tags: [remove-input]
from derivations.publishing.pages import assumptions_in_force
assumptions_in_force().label()
```
"""


def test_a_variant_is_read_on_top_of_the_base(tmp_path: Path) -> None:
    assert read_variant("inner_steps=2, inputs=laplace") == read(["inner_steps=2", "inputs=laplace"])
    assert read_variant("inner_steps=2", ["inputs=laplace"]) == read(["inner_steps=2", "inputs=laplace"])
    path = tmp_path / "change.toml"
    path.write_text("[assumptions]\ninner_steps = 2\n", encoding="utf-8")
    assert read_variant(str(path)) == TWO


@pytest.mark.parametrize("text", ["", ",", "inner_steps=2,", "inner_steps", "inner_step=2"])
def test_a_bad_variant_is_refused(text: str) -> None:
    with pytest.raises(InvalidAssumption):
        read_variant(text)


def test_folders_are_named_for_their_assumptions() -> None:
    assert folder_name(TWO) == "inner_steps-2".replace("_", "-")
    assert folder_name(SIGNS) == "inputs-rademacher-noise-val-1-3"


def test_each_page_leads_to_the_same_page_of_the_others() -> None:
    books = [PAPER, TWO]
    assert f'href="variants/{folder_name(TWO)}/{PAGE}"' in switcher(books, 0)
    assert f'href="../../{PAGE}"' in switcher(books, 1)
    assert "<b>paper</b>" in switcher(books, 0)


def test_equal_variants_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the same"):
        build_site(tmp_path / "out", PAPER, [TWO, TWO])
    with pytest.raises(ValueError, match="the same"):
        build_site(tmp_path / "out", PAPER, [PAPER])
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_site_holds_every_book(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(SOURCE / "_config.yml", source)
    shutil.copy(SOURCE / "references.bib", source)
    for folder in ("_static", "_vendor", "_scripts"):
        shutil.copytree(SOURCE / folder, source / folder)
    (source / "_toc.yml").write_text("format: jb-book\nroot: intro\n", encoding="utf-8")
    (source / "intro.md").write_text(TEXT, encoding="utf-8")
    site = build_site(tmp_path / "out", PAPER, [TWO, SIGNS], source=source)
    pages = {book.assumptions: (book.html / "intro.html").read_text(encoding="utf-8") for book in site.books}
    assert list(pages) == [PAPER, TWO, SIGNS]
    for assumptions, page in pages.items():
        assert f"'{assumptions.label()}'" in page.replace("&#39;", "'")
        assert PAGE not in page
        for other in set(pages) - {assumptions}:
            up = "" if assumptions == PAPER else "../../"
            place = "intro.html" if other == PAPER else f"variants/{folder_name(other)}/intro.html"
            assert f'href="{up}{place}"' in page
            assert (site.html / place).is_file()
