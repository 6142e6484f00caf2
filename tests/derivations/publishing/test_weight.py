"""Scripts of the theme that pages do not use are taken out, and no others."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from derivations.publishing import weight

PAGE = """<head>
  <script defer src="_static/scripts/fontawesome.js?digest=55c2"></script>
    <script src="_static/find.js?v=1"></script>
    <script src="_static/searchtools.js"></script>
    <script src="_static/language_data.js"></script>
    <script src="searchindex.js"></script>
    <script>const kept = "searchindex.js";</script>
</head>
"""


def test_icons_and_the_search_of_the_theme_are_not_loaded(tmp_path: Path) -> None:
    page = tmp_path / "intro.html"
    page.write_text(PAGE, encoding="utf-8")
    weight.lighten(tmp_path)
    assert page.read_text(encoding="utf-8").splitlines() == [
        "<head>",
        '    <script src="_static/find.js?v=1"></script>',
        '    <script>const kept = "searchindex.js";</script>',
        "</head>",
    ]


def test_sphinx_makes_no_index_of_its_own(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "conf.py").write_text(
        f"extensions = [{weight.__name__!r}]\nhtml_additional_pages = {{'search': 'search.html'}}\n",
        encoding="utf-8",
    )
    (source / "index.rst").write_text("Page\n====\n", encoding="utf-8")
    app = Sphinx(source, source, tmp_path / "html", tmp_path / "doctrees", "html", status=None)
    app.build()
    assert (tmp_path / "html" / "search.html").is_file()
    assert not (tmp_path / "html" / "searchindex.js").exists()
