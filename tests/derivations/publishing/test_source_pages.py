"""Places in the source become links to pages that the book brings along."""

from __future__ import annotations

import re
from pathlib import Path

from derivations.publishing import source_pages, step_files
from derivations.support.sources import ROOT


def test_the_lines_of_a_step_are_a_link_to_a_page_with_these_lines(tmp_path: Path) -> None:
    path, first, _ = step_files.place("theorem-1")
    card = tmp_path / "theorem1.html"
    card.write_text(f"<p>Stated in {step_files.where('theorem-1')}.</p>", encoding="utf-8")
    source_pages.write(tmp_path)
    (target, anchor) = re.findall(r'<a href="([^"#]+)#([^"]+)">', card.read_text(encoding="utf-8"))[0]
    assert anchor == f"L{first}"
    shown = (tmp_path / target).read_text(encoding="utf-8")
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    assert re.findall(r'<span id="(L\d+)">', shown) == [f"L{k + 1}" for k in range(len(lines))]
    home = re.findall(r'href="([^"]*)index.html"', shown)[0]
    assert (tmp_path / target).parent.joinpath(home).resolve() == tmp_path.resolve()


def test_what_links_to_a_repository_already_stays(tmp_path: Path) -> None:
    card = tmp_path / "card.html"
    text = '<a href="https://example.org"><code>derivations/front.py:3-4</code></a>'
    card.write_text(text, encoding="utf-8")
    source_pages.write(tmp_path)
    assert card.read_text(encoding="utf-8") == text
    assert not (tmp_path / source_pages.FOLDER).exists()


def test_source_is_text_and_no_markup() -> None:
    shown = source_pages.page("derivations/x.py", 'a = "<b>" & 1\n')
    assert "&lt;b&gt;&quot; &amp; 1" in shown
    assert "<b>" not in shown
