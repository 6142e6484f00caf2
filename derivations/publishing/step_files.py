"""The record of every step as a file of the book, and where its source stands.

The lines of the source are written into the pages when a book is put in its place: results and pages are kept where a line
has only moved.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path

from derivations.language.assumptions import Assumptions
from derivations.publishing.citation import citation
from derivations.steps.contents import MODULE_OF
from derivations.support.sources import ROOT, file_of
from derivations.verification.plain_records import Record
from derivations.verification.verify import keys_of

FOLDER = "steps"
_MARK = re.compile(r"@source:([\w-]+)@")
SEED = 0
"""The seed with which the book's steps are sampled."""


def document(record: Record, assumptions: Assumptions) -> dict[str, object]:
    """The record of a step without how long it took, with its assumptions, seed and content keys."""
    kept = {name: value for name, value in record.items() if name != "seconds"}
    keys = {part: key.name for part, key in keys_of(record["name"], assumptions, SEED).items()}
    return kept | {"assumptions": assumptions.label(), "seed": SEED, "content_keys": keys}


def write(html: Path, records: Iterable[Record], assumptions: Assumptions) -> None:
    """Write the files beside the built pages."""
    folder = html / FOLDER
    folder.mkdir(exist_ok=True)
    for record in records:
        text = json.dumps(document(record, assumptions), indent=1, ensure_ascii=False)
        (folder / f"{record['name']}.json").write_text(f"{text}\n", encoding="utf-8")


def mark(name: str) -> str:
    """What stands in a page for the place of a step in the source until `fill`."""
    return f"@source:{name}@"


def fill(html: Path) -> None:
    """Write the places of steps in the source into the pages of a folder."""
    for page in html.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        filled = _MARK.sub(lambda found: where(found[1]), text)
        if filled != text:
            page.write_text(filled, encoding="utf-8")


@cache
def _places(module: str) -> dict[str, tuple[int, int]]:
    """The first and last line of the call, or of the line of a table, that names each word that a module names."""
    path = file_of(module)
    tree = ast.parse(path.read_text(encoding="utf-8") if path else "")
    found: dict[str, tuple[int, int]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(args=[ast.Constant(value=str(name)), *_]):
                found[name] = (node.lineno, node.end_lineno or node.lineno)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(name)) if name not in found:
                found[name] = (node.lineno, node.end_lineno or node.lineno)
    return found


def place(name: str) -> tuple[str, int, int]:
    """The file that states a step, and its first and last line there; the whole file where no line names the step."""
    module = MODULE_OF[name]
    path = file_of(module)
    if path is None:
        return module, 0, 0
    first, last = _places(module).get(name, (1, len(path.read_text(encoding="utf-8").splitlines())))
    return path.relative_to(ROOT).as_posix(), first, last


def where(name: str) -> str:
    """The place of a step in the source: a link where the citation file names a repository of the code."""
    path, first, last = place(name)
    lines = f"{path}:{first}" + (f"-{last}" if last > first else "")
    repository = citation().get("repository-code")
    shown = f"<code>{escape(lines)}</code>"
    if repository is None:
        return shown
    address = f"{str(repository).rstrip('/')}/blob/HEAD/{path}#L{first}-L{last}"
    return f'<a href="{escape(address)}">{shown}</a>'
