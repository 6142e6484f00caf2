"""A Sphinx extension: `{embed} #label` puts what a labelled cell shows where no cell can stand, as the directive of Jupyter Book 2 does.

`pages.py` gives the output its name.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Embed(SphinxDirective):
    """What the cell of a label shows; an unknown label is an error, which ends the build."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The nodes of the output."""
        from myst_nb.core.variables import RetrievalError, render_variable_outputs
        from myst_nb.ext.glue.utils import retrieve_glue_data

        label = self.arguments[0].removeprefix("#")
        try:
            output = retrieve_glue_data(self.state.document, label)
        except RetrievalError as error:
            raise self.error(f"no cell of this page is labelled {label}: {error}") from error
        source, line = self.get_source_info()
        found: list[nodes.Node] = render_variable_outputs([output], self.state.document, line, source)
        return found


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("embed", Embed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
