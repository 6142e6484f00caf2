"""What the book's search box looks through: every step by its numbers, name and card, every section by its text.

Read from the pages as built, as cells write much of what they show. The index is a script, as a page opened from a file may load
no data in another way.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TypedDict

from derivations.steps.contents import load
from derivations.steps.step import Step
from derivations.verification.plain_records import Record

FILE = "_static/find-index.js"
# in the header of a page: the words that it is looked for by and does not say
_KEYWORDS = re.compile(r'keywords: "([^"]*)"')
# most of a page, taken out before it is read: drawings, formulas on lines of their own and their copies for narrow windows, files
# in links; the rows of the ledger, which are the cards again
_UNREAD = re.compile(
    r'<noscript class="later narrow">.*?</noscript>|<(svg|script|style)\b.*?</\1>|<div class="math[^>]*>.*?</div>'
    r'|(?<=href=")data:[^"]*|<form class="finder".*?</table>',
    re.DOTALL,
)
# what says nothing of its own, by class and, in a card, also by tag
_SILENT = {"headerlink", "status", "cell_input", "number"}
_SILENT_IN_CARDS = {"header", "table", "figure", "summary", "use", "ancestry", "neighbours"}
_VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
_INLINE = {"a", "b", "cite", "code", "em", "i", "kbd", "small", "span", "strong", "sub", "sup"}
# what is printed on so many letters is output to look at
_LONGEST_OUTPUT = 400
# what more than one in so many cards says is said by the form of cards
_FORM = 12
_WORD = re.compile(r"[^\W\d_]{2}")
# the name of a formula that is not read
_LABEL = re.compile(r"\w+(?: \w+){0,2}:")
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho _ sigma tau upsilon phi chi psi omega"
_SIGNS = (
    "ge≥ geq≥ le≤ leq≤ ll≪ gg≫ to→ infty∞ cdot· times× pm± ne≠ neq≠ sum∑ prod∏ partial∂ nabla∇ propto∝ approx≈ sim∼ in∈ star* dots…"
    " ldots… cdots… preceq≼ succeq≽ lvert| rvert| vert| top^T varepsilonε Gammaγ Deltaδ Thetaθ Lambdaλ Xiξ Piπ Sigmaσ Phiφ Psiψ Omegaω"
)
# how a formula is set, not what it says
_SETTING = "mathrm operatorname mathbb mathcal mathbf text left right big bigg Big Bigg displaystyle bar hat tilde limits tfrac dfrac frac"
_COMMANDS = (
    {name: chr(ord("α") + k) for k, name in enumerate(_GREEK.split())}
    | {
        found[1]: found[2].upper() if found[1][0].isupper() else found[2]
        for found in re.finditer(r"([A-Za-z]+?)(\^T|[^A-Za-z ])(?: |$)", _SIGNS)
    }
    | dict.fromkeys(_SETTING.split(), "")
)
_FRACTION = re.compile(r"\\[td]?frac\s*(?:\{([^{}]*)\}|(\w))\s*(?:\{([^{}]*)\}|(\w))")
_FORMULA = re.compile(r"\\\((.*?)\\\)", re.DOTALL)
# letters that are set low or high without a formula, as in a menu
_LOW_AND_HIGH = {
    ord(letter): f"{sign}{to}"
    for sign, letters, plain_letters in (
        ("_", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789aehijklmnoprstuvx"),
        ("^", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵀᵗᵛʳˢ", "0123456789Ttvrs"),
    )
    for letter, to in zip(letters, plain_letters, strict=True)
}


class Place(TypedDict, total=False):
    """One place of the book: where it is, what it is called, what it says, what else it is looked for by; of a step also numbers,
    name and verdicts. What is empty is left out of the file."""

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


@dataclass
class Part:
    """A section or a card of a page as it is read: its anchor, its heading, its lines, the names of the files that it offers."""

    anchor: str
    is_card: bool = False
    heading: str = ""
    lines: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def formula(latex: str) -> str:
    """A formula of one line as plain text: signs for commands, indices and powers behind `_` and `^`, no braces around them."""
    latex = _FRACTION.sub(lambda found: "/".join(filter(None, found.groups())), latex)
    latex = re.sub(r"\\begin\{\w+\}|\\end\{\w+\}|\\[,;:! \\]|\\q?quad\b|[&~]", " ", latex)
    latex = re.sub(r"\\([A-Za-z]+)\s?", lambda found: _COMMANDS.get(found[1], f"{found[1]} "), latex)
    latex = re.sub(r"\s*([_^])\s*", r"\1", re.sub(r"[\\{}]", "", latex))
    return re.sub(r"\s+", " ", latex).strip()


def plain(text: str) -> str:
    """Text of a page on one line, its formulas readable, without those on lines of their own."""
    text = re.sub(r"\\\[.*?\\\]", "", text, flags=re.DOTALL)
    text = _FORMULA.sub(lambda found: formula(found[1]), text).translate(_LOW_AND_HIGH)
    return re.sub(r"\s+([,.;:)])(?=\s|$)", r"\1", re.sub(r"\s+", " ", text)).strip()


class Reader(HTMLParser):
    """What the article of a built page says, part by part, in reading order."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Part] = []
        # tags that are open, each with the part that it begins, if any, and whether it is read
        self._open: list[tuple[str, Part | None, bool]] = []
        self._within: list[Part] = []
        self._line: list[str] = []
        self._article = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a part, and hold whether what follows is read."""
        given = dict(attrs)
        if tag not in _INLINE:
            self._end_line()
        if tag == "article":
            self._article = True
        if tag in _VOID or not self._article:
            return
        part = None
        if tag == "section" and (anchor := given.get("id")):
            part = Part(anchor, anchor.startswith("step-"))
            self.parts.append(part)
            self._within.append(part)
        within = self._within[-1] if self._within else None
        if within and tag == "a" and (name := given.get("download")):
            within.files.append(name)
        silent = _SILENT | _SILENT_IN_CARDS if within and within.is_card else _SILENT
        read = not silent & {tag, *(given.get("class") or "").split()}
        self._open.append((tag, part, read and (not self._open or self._open[-1][2])))

    def handle_endtag(self, tag: str) -> None:
        """End what the tag ends."""
        if tag not in _INLINE:
            self._end_line(tag)
        # a tag that nobody closes ends with the one around it
        while self._open and any(tag == name for name, _, _ in self._open):
            name, part, _ = self._open.pop()
            if part:
                self._within.pop()
            if name == tag:
                break
        if tag == "article":
            self._article = False

    def handle_data(self, data: str) -> None:
        """Add to the line."""
        if self._open and self._open[-1][2]:
            self._line.append(data)

    def _end_line(self, tag: str = "") -> None:
        line = plain("".join(self._line))
        self._line.clear()
        if not line or not self._within or (tag == "pre" and len(line) > _LONGEST_OUTPUT):
            return
        part = self._within[-1]
        if tag in ("h1", "h2", "h3"):
            part.heading = line
        # a line said before in the same place, of numbers alone or before a formula adds nothing
        elif _WORD.search(line) and not _LABEL.fullmatch(line) and line not in part.lines:
            part.lines.append(line)


def running(lines: Iterable[str]) -> str:
    """Lines as one text, in which those that are no sentences stay apart."""
    return re.sub(r"(?<=[^.:;,?!…]) \n", "; ", " \n".join(lines)).replace(" \n", " ")


def parts(built: str) -> list[Part]:
    """The sections and cards of a built page; the first is the page itself."""
    reader = Reader()
    reader.feed(_UNREAD.sub("", built))
    reader.close()
    return reader.parts


def sections(page: str, text: str, read: Iterable[Part]) -> Iterator[Place]:
    """The sections of a page, by its source and what was built of it; the first is the page itself."""
    keywords = _KEYWORDS.search(text)
    title = ""
    for part in read:
        if part.is_card or not part.heading:
            continue
        first = not title
        title = title or part.heading
        sought = [keywords[1]] if keywords and first else []
        yield Place(
            url=f"{page}.html" if first else f"{page}.html#{part.anchor}",
            title=part.heading,
            text=running(part.lines),
            sought=" ".join([*sought, *_offered(part)]),
            page=title,
            kind="page" if first else "section",
            name=page,
        )


def _offered(part: Part) -> list[str]:
    return ["download data", *part.files] if part.files else []


def step_place(step: Step, record: Record | None, title: str, card: Part, form: frozenset[str]) -> Place:
    """Where a step stands; `form`: the lines that cards have in common."""
    numbers = ", ".join(f"({number})" for number in step.equations)
    name = step.name.replace("-", " ")
    said = [line for line in card.lines if line not in form] or [step.statement]
    return Place(
        url=f"{step.page}.html#step-{step.name}",
        title=f"{numbers} {name}" if numbers else name,
        text=running(said),
        sought=" ".join([*filter(None, [step.query]), *_offered(card)]),
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
        page: parts((html / f"{page}.html").read_text(encoding="utf-8"))
        for page in texts
        if (html / f"{page}.html").is_file()
    }
    found = [place for page, read in built.items() for place in sections(page, texts[page], read)]
    titles = {place["name"]: place["title"] for place in found if place["kind"] == "page"}
    cards = {(page, part.anchor): part for page, read in built.items() for part in read if part.is_card}
    said = Counter(line for card in cards.values() for line in card.lines)
    form = frozenset(line for line, times in said.items() if times > 1 and times * _FORM > len(cards))
    steps = [
        step_place(step, known.get(step.name), titles.get(step.page, step.page), card, form)
        for step in load().values()
        if (card := cards.get((step.page, f"step-{step.name}")))
    ]
    return [*steps, *found]


def write(html: Path, staged: Path, records: Iterable[Record]) -> None:
    """Write the index beside the built pages."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(staged.glob("*.md"))}
    places = [
        {name: value for name, value in place.items() if value} for place in index(html, texts, records)
    ]
    text = json.dumps(places, ensure_ascii=False, separators=(",", ":"))
    (html / FILE).parent.mkdir(parents=True, exist_ok=True)
    (html / FILE).write_text(f"window.FIND_INDEX = {text};\n", encoding="utf-8")
