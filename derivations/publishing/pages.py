"""The pages of the book with their cells run: on all cores before Sphinx, and only where something they reach has changed.

A page whose cells have run is a notebook, kept in the store under everything that its cells can reach: its own text, the
modules of the three packages, the data beside them, the libraries and the assumptions. Of the modules that serve pages only
those count that the page's cells import. Many pages run in one process one after another, each with names of its own: a
kernel for each page would take longer to start than most pages take to run.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import chdir
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat

from derivations.language.assumptions import PAPER, Assumptions, read
from derivations.language.extension import for_a_while
from derivations.support import store
from derivations.support.estimates import from_store
from derivations.support.sources import PACKAGES, ROOT, file_of, reached
from derivations.support.workers import elsewhere

# the room of which a page reaches only what its cells import
OF_PAGES = "derivations.book_pages"
# the room whose modules are shown with their comments
SHOWN = ROOT / "derivations" / "extensions"
LIBRARIES = ("ipython", "matplotlib", "myst-nb")
# what a page is read with, as `parse` in `_config.yml` has it
SYNTAX = frozenset({"colon_fence", "dollarmath", "amsmath"})
# the file beside the staged pages, in whose folder their cells run, that says under which assumptions they are built
SETTINGS = ".book-assumptions.json"


class CellError(RuntimeError):
    """A cell raised, or wrote to stderr. `log` holds what it said."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log

    def __reduce__(self) -> tuple[type[CellError], tuple[str, str]]:
        """As it is sent from a worker."""
        return CellError, (str(self), self.log)


def assumptions_in_force() -> Assumptions:
    """The assumptions under which the running page is built; the paper's outside a build."""
    settings = Path(SETTINGS)
    return read(json.loads(settings.read_text(encoding="utf-8"))) if settings.is_file() else PAPER


def read_page(text: str) -> nbformat.NotebookNode:
    """A page as the notebook that Sphinx reads, its cells not run."""
    from myst_nb.core.read import read_myst_markdown_notebook
    from myst_parser.config.main import MdParserConfig

    config = MdParserConfig(enable_extensions=set(SYNTAX))
    found: nbformat.NotebookNode = read_myst_markdown_notebook(text, config=config, add_source_map=True)
    return found


def digest(text: str) -> str:
    """The name under which a page's notebook lies ready for Sphinx."""
    return hashlib.sha256(text.encode()).hexdigest()


def ready(text: str, folder: str) -> nbformat.NotebookNode:
    """The notebook of a page whose cells have run: how Sphinx reads a page."""
    found: nbformat.NotebookNode = nbformat.read(Path(folder) / f"{digest(text)}.ipynb", as_version=4)
    return found


def key(text: str, words: Sequence[str]) -> store.Key:
    """The key of a page under these changed assumptions: all that its cells can reach."""
    cells = [cell.source for cell in read_page(text).cells if cell.cell_type == "code"]
    return store.key(
        "page",
        sorted(_modules(cells)),
        text=text,
        assumptions=list(words),
        **beside(),
    )


def beside() -> dict[str, dict[str, str]]:
    """What a page depends on that is no module and no text of its own."""
    return {"data": _data(), "libraries": {name: version(name) for name in LIBRARIES}}


def _modules(cells: Sequence[str]) -> set[str]:
    """The modules that cells can reach: all that serve no page, and what the cells import."""
    named = set()
    for node in (node for cell in cells for node in ast.walk(ast.parse(cell))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    every = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for name in PACKAGES
        for path in (ROOT / name).rglob("*.py")
    }
    shared = {name for name in every if not name.startswith(OF_PAGES)}
    return shared | reached(name for name in named if file_of(name) is not None)


@cache
def _data() -> dict[str, str]:
    """What lies beside the modules and is no Python, and what a page shows as text, by its hash."""
    return {
        str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in PACKAGES
        for path in sorted((ROOT / name).rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and (path.suffix != ".py" or path.parent == SHOWN)
    }


def run(page: tuple[str, str], folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """A page, by name and text, as a notebook whose cells have run in this folder, a JSON document. Raises CellError."""
    from IPython.core.displayhook import CapturingDisplayHook
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    os.environ.update(environment)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    # no values of earlier cells: to drop them, IPython would collect garbage before each page, seconds with what pages leave
    config.InteractiveShell.cache_size = 0
    shell = InteractiveShell.instance(config=config)
    shell.reset(new_session=True)
    # which processes that a cell starts look for
    shell.user_ns["__spec__"] = None
    name, text = page
    notebook = read_page(text)
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    # by their places, not at random: a page that shows the same as before is the same, and is not set anew
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{place}"
    # what a page adds is not there for the next one
    with chdir(folder), for_a_while(), from_store():
        for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
            shown = CapturingDisplayPublisher()
            shell.display_pub = shown
            # the value of a cell goes where its displays go
            shell.display_trap.hook = CapturingDisplayHook(shell, shown.outputs)
            with capture_output(display=False) as captured:
                result = shell.run_cell(cell.source)
            error = result.error_before_exec or result.error_in_exec
            if error is not None:
                raise CellError(f"{name}: {type(error).__name__}: {error}", captured.stdout + captured.stderr)
            if captured.stderr:
                raise CellError(
                    f"{name}: a cell wrote to stderr: {captured.stderr.strip().splitlines()[0]}",
                    captured.stderr,
                )
            printed = [nbformat.v4.new_output("stream", name="stdout", text=captured.stdout)]
            cell.outputs = (printed if captured.stdout else []) + [
                nbformat.v4.new_output("display_data", data=one["data"], metadata=one["metadata"] or {})
                for one in shown.outputs
            ]
            _name_output(name, cell)
            cell.execution_count = shell.execution_count - 1
    return dict(json.loads(nbformat.writes(notebook)))


def _name_output(page: str, cell: nbformat.NotebookNode) -> None:
    """Give the one thing that a labelled cell shows its label, under which `{embed}` finds it (`embedding.py`)."""
    label = cell.metadata.get("label")
    if label is None:
        return
    if len(cell.outputs) != 1:
        raise CellError(
            f"{page}: the cell {label} shows {len(cell.outputs)} things, where one is embedded", ""
        )
    cell.outputs[0].metadata["scrapbook"] = {"name": label, "mime_prefix": ""}


def missing(
    pages: Mapping[str, str], words: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, store.Key]]:
    """The notebooks of pages that are known, and the keys of those that are not; pages are texts by name."""
    known, open_ = {}, {}
    for name, text in pages.items():
        wanted = key(text, words)
        found = store.load(wanted)
        if found is None:
            open_[name] = wanted
        else:
            known[name] = found
    return known, open_


def run_all(
    texts: Mapping[str, str], folder: Path, environment: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Each page, text by name, run on all cores, begun in their order. Raises CellError."""
    if not texts:
        return {}
    # never in this process: a shell leaves hooks behind
    with elsewhere(len(texts)) as executor:
        running = executor.ended(partial(run, folder=folder, environment=dict(environment)), texts.items())
        ran = {page[0]: ended.result() for page, ended in running}
    return {name: ran[name] for name in texts}
