"""What a labelled cell shows is one thing, found by its label; anything else ends the build."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from docutils.parsers.rst import DirectiveError
from docutils.utils import new_document

from derivations.publishing import pages
from derivations.publishing.embedding import Embed


def cell(outputs: int) -> Any:
    made = nbformat.v4.new_code_cell("x", metadata={"label": "a-formula"})
    made.outputs = [nbformat.v4.new_output("display_data", data={"text/html": "x"}) for _ in range(outputs)]
    return made


def test_a_labelled_output_has_its_name() -> None:
    named = cell(1)
    pages._name_output("page.md", named)
    assert named.outputs[0].metadata["scrapbook"]["name"] == "a-formula"


@pytest.mark.parametrize("outputs", [0, 2])
def test_a_labelled_cell_shows_one_thing(outputs: int) -> None:
    with pytest.raises(pages.CellError, match="a-formula shows"):
        pages._name_output("page.md", cell(outputs))


def test_an_unknown_label_is_an_error() -> None:
    document = new_document("page")
    state: Any = SimpleNamespace(document=document)
    machine: Any = SimpleNamespace(
        reporter=document.reporter, get_source_and_line=lambda line: ("page", line)
    )
    directive = Embed("embed", ["#nowhere"], {}, [], 1, 0, "", state, machine)
    with pytest.raises(DirectiveError):
        directive.run()
