"""What the theme would load on every page and the book does not need: scripts for icons that its font draws, and its own search."""

from __future__ import annotations

import re
from pathlib import Path

# icons are letters of a font that comes with the style sheets; the box of the book searches in an index of its own
EVERYWHERE = ("scripts/fontawesome.js",)
BUT_IN_SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")
SEARCH = "search.html"


def without(text: str, names: tuple[str, ...]) -> str:
    """A page without the tags that load the scripts of these names."""
    listed = "|".join(map(re.escape, names))
    return re.sub(rf' *<script [^<>]*src="(?:[^"]*/)?(?:{listed})[?"][^<>]*></script>\n?', "", text)


def lighten(html: Path) -> None:
    """Take from the pages of a folder what they load and do not use."""
    for page in html.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        lighter = without(text, EVERYWHERE if page.name == SEARCH else EVERYWHERE + BUT_IN_SEARCH)
        if lighter != text:
            page.write_text(lighter, encoding="utf-8")
