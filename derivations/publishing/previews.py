"""A Sphinx extension: each page says in its head what it is about, and shows a picture where a link to it is shared."""

from __future__ import annotations

import base64
import tempfile
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx

from derivations.support.workers import elsewhere

PICTURE = "_static/preview.png"
FIGURE = "2"
LONGEST = 200
"""Characters of a description, beyond which search engines cut it."""


def description(doctree: nodes.document) -> str:
    """The first paragraph of a page, whole sentences of it where there is room for one."""
    for paragraph in doctree.findall(nodes.paragraph):
        within, parent = False, paragraph.parent
        while parent is not None and not within:
            within, parent = not isinstance(parent, nodes.section | nodes.document), parent.parent
        text = " ".join(paragraph.astext().split())
        if within or not text:
            continue
        if len(text) <= LONGEST:
            return text
        cut = text[:LONGEST]
        return cut[: cut.rindex(". ") + 1] if ". " in cut else f"{cut.rpartition(' ')[0]} …"
    return ""


def head(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add title, description and picture of a page to its head; a description that a page gives itself stays."""
    if doctree is None:
        return
    given = 'name="description"' in str(context.get("metatags", ""))
    said = description(doctree)
    # an address that others can follow, where the place of the book is configured
    picture = urljoin(app.config.html_baseurl, PICTURE)
    tags = {"og:type": "article", "og:title": nodes.Text(context["title"]).astext(), "og:image": picture}
    tags |= {"og:description": said} if said else {}
    lines = [f'<meta property="{name}" content="{escape(value)}">' for name, value in tags.items()]
    lines += [f'<meta name="description" content="{escape(said)}">'] if said and not given else []
    lines.append('<meta name="twitter:card" content="summary_large_image">')
    context["metatags"] = context.get("metatags", "") + "\n".join(lines)


def draw_picture(target: Path) -> None:
    """Write the picture, by another process; one that was drawn before is known, as long as nothing that draws it is edited."""
    with elsewhere(1) as executor:
        for _, drawn in executor.ended(_draw, [target]):
            drawn.result()


def _draw(target: Path) -> None:
    # loaded here alone: Sphinx loads this module at each build
    from derivations.paper.experiments.panels import figure
    from derivations.publishing.kept_calls import kept

    picture = kept(lambda: {panel.theory for panel in figure(FIGURE).panels})(_picture)
    target.write_bytes(base64.b64decode(picture()))


def _picture() -> str:
    from derivations.figures.draw import draw  # and this not for a picture that is known

    with tempfile.TemporaryDirectory() as folder:
        return base64.b64encode(draw(FIGURE, Path(folder) / "preview.png")[0].read_bytes()).decode("ascii")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what goes in a head."""
    app.connect("html-page-context", head)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
