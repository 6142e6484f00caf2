"""Every page as a notebook for a reader: its prose, and for each step and figure that it shows a cell that asks for it.

A page's own cells call what serves pages; a reader's cells go through the front door (`import derivations as d`). Cells that a page
shows are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

if TYPE_CHECKING:
    from derivations.steps.step import Step

FOLDER = "notebooks"
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
OPTIONS = re.compile(r"\A(?::[^\n]*\n)+")
HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_SHOWN = re.compile(r"cards\.(show|remaining)\(([^)]*)\)")
_DRAWN = re.compile(r'figures\.picture\(("[^"]+")\)')
# marks of MyST that a notebook would show as they stand
_MARKS = re.compile(
    r"^`{3,}\{(?:raw|embed|bibliography)\}.*?^`{3,}\s*$|^:{3,}.*$|^`{3,}\{.*$|^:[\w-]+:.*$|^\([\w-]+\)=$",
    re.MULTILINE | re.DOTALL,
)
# a link to a page leads to its notebook
_LINK = re.compile(r"(\]\([\w-]+)\.(?:md|html)(?:#[\w-]+)?\)")
_ROLE = re.compile(r"\{[\w:]+\}`([^`]*)`|\[([^\]]*)\]\{[^}]*\}")


def prose(text: str) -> str:
    """Markdown that any notebook shows, of a piece of a page."""
    text = _MARKS.sub("", text)
    text = _LINK.sub(r"\1.ipynb)", _ROLE.sub(lambda found: found[1] or found[2] or "", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _asked(steps: list[Step]) -> Iterator[nbformat.NotebookNode]:
    for step in steps:
        numbers = "".join(f"({number}) " for number in step.equations)
        yield nbformat.v4.new_markdown_cell(f"**{numbers}{step.name}.** {step.statement}")
        yield nbformat.v4.new_code_cell(f'd.step("{step.name}")')


def _steps(page: str, code: str, named: set[str]) -> list[Step]:
    """The steps that a cell of a page shows, in its order."""
    from derivations.steps.contents import load  # the steps: not for Sphinx, which asks where notebooks are

    steps, found = load(), []
    for what, names in _SHOWN.findall(code):
        if what == "show":
            found += [steps[name] for name in re.findall(r'"([^"]+)"', names)]
        else:
            found += [step for step in steps.values() if step.page == page and step.name not in named]
    return found


def notebook(page: str, text: str) -> nbformat.NotebookNode:
    """The notebook of a page, by its name and source."""
    pieces = CELL.split(HEADER.sub("", text))
    codes = [OPTIONS.sub("", code) for code in pieces[1::2]]
    named = {step.name for code in codes for step in _steps("", code, set())}
    cells = [nbformat.v4.new_code_cell("import derivations as d")]
    for k, piece in enumerate(pieces):
        if k % 2 == 0:
            if shown := prose(piece):
                cells.append(nbformat.v4.new_markdown_cell(shown))
        elif OPTIONS.match(piece) and ":tags:" in piece:
            code = codes[k // 2]
            cells += [nbformat.v4.new_code_cell(f"d.figure({name})") for name in _DRAWN.findall(code)]
            cells += _asked(_steps(page, code, named))
        else:
            cells.append(nbformat.v4.new_code_cell(codes[k // 2].strip()))
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    return made


def write(html: Path, staged: Path) -> None:
    """Write the notebook of each built page into a folder beside the pages."""
    folder = html / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(staged.glob("*.md")):
        if (html / f"{path.stem}.html").is_file():
            made = notebook(path.stem, path.read_text(encoding="utf-8"))
            (folder / f"{path.stem}.ipynb").write_text(nbformat.writes(made) + "\n", encoding="utf-8")
