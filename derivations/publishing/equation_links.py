"""A Sphinx extension: an equation's number in prose, such as (92), is a link to its step, and each page offers its notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from derivations.publishing.notebooks import FOLDER

# The file beside the staged pages that says where the equations stand: to load all steps would take Sphinx longer than to read it.
FILE = ".equations.json"
# for each number of an equation where it stands, as page and anchor, and what it says
Places = Mapping[str, tuple[str, str]]
NUMBER = re.compile(r"\((\d{1,3})\)")
# where a number is no link: what is one already, names of things, formulas, code
KEPT = (
    nodes.reference,
    nodes.title,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
)


def places() -> Places:
    """Where every equation stands."""
    from derivations.steps.contents import load  # the steps: not for Sphinx, which reads the file

    return {
        number: (f"{step.page}.html#step-{step.name}", step.statement)
        for step in load().values()
        for number in step.equations
    }


@cache
def _read(folder: Path) -> Places:
    found: dict[str, tuple[str, str]] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return found


def linked(text: str, known: Places) -> Iterator[nodes.Node]:
    """A text with its numbers of equations as links, where they are known; other numbers stay."""
    end = 0
    for found in NUMBER.finditer(text):
        if found[1] not in known:
            continue
        if found.start() > end:
            yield nodes.Text(text[end : found.start()])
        place, statement = known[found[1]]
        yield nodes.reference("", found[0], refuri=place, internal=True, reftitle=statement)
        end = found.end()
    if end < len(text):
        yield nodes.Text(text[end:])


class EquationLinks(SphinxTransform):
    """Turns the numbers of equations in the prose of a page into links."""

    default_priority = 750

    def apply(self, **_: object) -> None:
        """Replace each text that holds such a number."""
        known = _read(Path(self.env.srcdir))
        for text in [*self.document.findall(nodes.Text)]:
            parent, inside = text.parent, False
            while parent is not None and not inside:
                inside, parent = isinstance(parent, KEPT), parent.parent
            if not inside and NUMBER.search(str(text)):
                text.parent.replace(text, [*linked(str(text), known)])


def offer_notebook(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put a button that loads the page's notebook down beside those of the theme."""
    if doctree is not None and "header_buttons" in context:
        context["header_buttons"].insert(
            0,
            {
                "type": "link",
                "url": f"{FOLDER}/{pagename}.ipynb",
                "text": "",
                "icon": "fas fa-download",
                "tooltip": "This page as a notebook",
                "label": "download-notebook-button",
            },
        )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_transform(EquationLinks)
    # after the theme has made its list
    app.connect("html-page-context", offer_notebook, priority=502)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
