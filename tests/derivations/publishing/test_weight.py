"""Scripts of the theme that pages do not use are taken out, and no others."""

from __future__ import annotations

from pathlib import Path

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
    for name in ("intro.html", "search.html"):
        (tmp_path / name).write_text(PAGE, encoding="utf-8")
    weight.lighten(tmp_path)
    page, search = ((tmp_path / name).read_text(encoding="utf-8") for name in ("intro.html", "search.html"))
    assert page.splitlines() == [
        "<head>",
        '    <script src="_static/find.js?v=1"></script>',
        '    <script>const kept = "searchindex.js";</script>',
        "</head>",
    ]
    assert "fontawesome" not in search
    assert search.count("<script src") == 4
