"""Several books in one site: the one under the base assumptions, and each variant in a folder of its own beside it.

Every page of every book carries a line that leads to the same page of the others.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from derivations.language.assumptions import Assumptions, InvalidAssumption, read
from derivations.publishing.build import PAGE, SOURCE, Book, build, publish, require_replaceable
from derivations.support.bad_input import BadInput

FOLDER = "variants"


@dataclass(frozen=True)
class Site:
    """The built books, the base first, with the seconds they took together."""

    html: Path
    books: tuple[Book, ...]
    seconds: float

    @property
    def index(self) -> Path:
        """The page to open first."""
        return self.html / "index.html"


def read_variant(text: str, base: Sequence[str] = ()) -> Assumptions:
    """Assumptions from `a=1,b=2` or FILE.toml, on top of the base's words; raises InvalidAssumption."""
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise InvalidAssumption(f"--variant takes NAME=VALUE[,NAME=VALUE...] or FILE.toml, not {text!r}")
    return read([*base, *words])


def folder_name(assumptions: Assumptions) -> str:
    """A name for the folder of a variant, readable in an address."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", assumptions.label()).strip("-.")


def switcher(books: Sequence[Assumptions], current: int) -> str:
    """A line of links from a page of one book to the same page of the others."""
    up = "" if current == 0 else "../../"
    parts = []
    for k, assumptions in enumerate(books):
        label = escape(assumptions.label())
        place = PAGE if k == 0 else f"{FOLDER}/{folder_name(assumptions)}/{PAGE}"
        parts.append(f"<b>{label}</b>" if k == current else f'<a href="{escape(up + place)}">{label}</a>')
    return f"Assumptions: {' · '.join(parts)}"


def build_site(
    out: Path,
    base: Assumptions,
    variants: Sequence[Assumptions],
    *,
    source: Path = SOURCE,
    echo: bool = False,
) -> Site:
    """Build every book into `out`, replacing a site built there before; nothing is replaced unless all are built.

    Raises ValueError for equal variants or when `out` holds anything but an earlier build, BookError when a book
    fails.
    """
    books = [base, *variants]
    if len(set(books)) < len(books):
        raise BadInput("two of the variants are the same: name each once, and none that equals the base")
    require_replaceable(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=out.parent) as scratch:
        root = Path(scratch) / "site"
        built = []
        for k, assumptions in enumerate(books):
            place = root if k == 0 else root / FOLDER / folder_name(assumptions)
            built.append(build(place, assumptions, source=source, echo=echo, banner=switcher(books, k)))
        publish(root, out)
    moved = tuple(
        Book(out / book.html.relative_to(root), book.pages, book.seconds, book.assumptions) for book in built
    )
    return Site(out, moved, sum(book.seconds for book in built))
