"""A Sphinx extension: what the theme would load or make and the book does not need, scripts for icons that its font draws, and
the search of Sphinx."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

# icons are letters of a font that comes with the style sheets; the box of the book searches in an index of its own
UNUSED = ("scripts/fontawesome.js", "searchtools.js", "language_data.js", "searchindex.js")


def without(text: str, names: tuple[str, ...]) -> str:
    """A page without the tags that load the scripts of these names."""
    listed = "|".join(map(re.escape, names))
    return re.sub(rf' *<script [^<>]*src="(?:[^"]*/)?(?:{listed})[?"][^<>]*></script>\n?', "", text)


def lighten(html: Path) -> None:
    """Take from the pages of a folder what they load and do not use."""
    for page in html.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        lighter = without(text, UNUSED)
        if lighter != text:
            page.write_text(lighter, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Keep Sphinx from making its index, which takes a fifth of its time; the page of that search stands, with the book's box."""
    app.connect("builder-inited", lambda app: setattr(app.builder, "search", False))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
