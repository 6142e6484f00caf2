"""A Sphinx extension: no line ends between a formula and the comma or bracket that stands against it."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

BEFORE = re.compile(r"[(\[“]+$")
AFTER = re.compile(r"^[),.:;?!\]”’]+(?:s\b)?")
CLASS = "nobreak"


class Punctuation(SphinxTransform):
    """Puts each formula of a line together with what stands against it, where no line is broken."""

    default_priority = 740

    def apply(self, **_: object) -> None:
        """Take the signs out of the texts beside a formula into one place with it."""
        for formula in [*self.document.findall(nodes.math)]:
            parent = formula.parent
            at = parent.index(formula)
            before, after = "", ""
            if (
                at
                and isinstance(parent[at - 1], nodes.Text)
                and (found := BEFORE.search(str(parent[at - 1])))
            ):
                before = found[0]
            if at + 1 < len(parent) and isinstance(parent[at + 1], nodes.Text):
                after = found[0] if (found := AFTER.search(str(parent[at + 1]))) else ""
            if not before and not after:
                continue
            if after:
                parent[at + 1] = nodes.Text(str(parent[at + 1])[len(after) :])
            together = nodes.inline(classes=[CLASS])
            parent[at] = together
            together += [nodes.Text(before), formula, nodes.Text(after)]
            if before:
                parent[at - 1] = nodes.Text(str(parent[at - 1])[: -len(before)])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_transform(Punctuation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
