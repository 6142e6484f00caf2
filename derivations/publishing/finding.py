"""What the book's search box looks through: every step by its numbers, name and statement, every section by its text.

The index is a script, as a page opened from a file may load no data in another way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypedDict

from docutils.nodes import make_id

from derivations.steps.contents import load
from derivations.steps.step import Step
from derivations.verification.verify import Record

FILE = "_static/find-index.js"
HEADING = re.compile(r"^(#{1,3}) (.+)$", re.MULTILINE)
# what is no text of a page: its header, cells, directives' lines, anchors, rules of tables
_DROPPED = re.compile(
    r"\A---\n.*?\n---\n|^```\{(?:code-cell|embed|raw)\}.*?^```$|^```\w*$|^`{3,}\{[\w:-]+\}|^:{3,}[^\n]*$|^:[\w-]+:[^\n]*$|^\([\w-]+\)=$|^[|: -]+$",
    re.MULTILINE | re.DOTALL,
)
# in the header of a page: the words that it is looked for by and does not say
_KEYWORDS = re.compile(r'keywords: "([^"]*)"')
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|\{[\w:]+\}`([^`<]*)[^`]*`|\[([^\]]*)\]\{[^}]*\}")
_GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "Gamma": "Γ",
    "delta": "δ",
    "nu": "ν",
    "xi": "ξ",
    "omega": "ω",
    "sigma": "σ",
    "Sigma": "Σ",
    "theta": "θ",
    "mu": "μ",
    "lambda": "λ",
}


class Place(TypedDict):
    """One place of the book: where it is, what it is called, what it says, what else it is looked for by; of a step also numbers,
    name and verdicts."""

    url: str
    title: str
    text: str
    sought: str
    page: str
    kind: str
    numbers: list[str]
    name: str
    proof: str
    number: str


def plain(text: str) -> str:
    """Markdown as plain text; formulas become readable."""
    text = _LINK.sub(lambda found: next(filter(None, found.groups()), ""), text)
    text = re.sub(r"\\([A-Za-z]+)", lambda found: _GREEK.get(found[1], ""), text)
    return re.sub(r"\s+", " ", re.sub(r"[`*$\\{}|]|&nbsp;", " ", text)).strip()


def sections(page: str, text: str, built: str) -> Iterator[Place]:
    """The sections of a page, by its source and what was built of it; the first is the page itself."""
    keywords = _KEYWORDS.search(text)
    text = _DROPPED.sub("", text)
    found = [*HEADING.finditer(text)]
    title = plain(found[0][2]) if found else page
    for k, heading in enumerate(found):
        end = found[k + 1].start() if k + 1 < len(found) else len(text)
        anchor = make_id(re.sub(r"[`*$\\]|\{\w+\}", "", heading[2]))
        if k and f'id="{anchor}"' not in built:
            continue
        yield Place(
            url=f"{page}.html#{anchor}" if k else f"{page}.html",
            title=plain(heading[2]),
            text=plain(text[heading.end() : end]),
            sought=keywords[1] if keywords and not k else "",
            page=title,
            kind="section" if k else "page",
            numbers=[],
            name=page,
            proof="",
            number="",
        )


def step_place(step: Step, record: Record | None, title: str) -> Place:
    """Where a step stands."""
    numbers = ", ".join(f"({number})" for number in step.equations)
    name = step.name.replace("-", " ")
    return Place(
        url=f"{step.page}.html#step-{step.name}",
        title=f"{numbers} {name}" if numbers else name,
        text=" ".join(filter(None, (step.statement, step.query, step.method))),
        sought="",
        page=title,
        kind=str(step.kind),
        numbers=list(step.equations),
        name=step.name,
        proof=record["proof"] if record else "",
        number=record["numeric"] if record else "",
    )


def index(html: Path, texts: Mapping[str, str], records: Iterable[Record]) -> list[Place]:
    """Every place of the pages, sources by name, that were built in this folder."""
    known = {record["name"]: record for record in records}
    built = {
        page: (html / f"{page}.html").read_text(encoding="utf-8")
        for page in texts
        if (html / f"{page}.html").is_file()
    }
    found = [place for page in built for place in sections(page, texts[page], built[page])]
    titles = {place["name"]: place["title"] for place in found if place["kind"] == "page"}
    steps = [
        step_place(step, known.get(step.name), titles.get(step.page, step.page))
        for step in load().values()
        if f'id="step-{step.name}"' in built.get(step.page, "")
    ]
    return [*steps, *found]


def write(html: Path, staged: Path, records: Iterable[Record]) -> None:
    """Write the index beside the built pages."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(staged.glob("*.md"))}
    text = json.dumps(index(html, texts, records), ensure_ascii=False, separators=(",", ":"))
    (html / FILE).parent.mkdir(parents=True, exist_ok=True)
    (html / FILE).write_text(f"window.FIND_INDEX = {text};\n", encoding="utf-8")
