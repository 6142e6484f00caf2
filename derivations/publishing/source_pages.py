"""The source files that state the steps as pages of the book, so that a card's lines are a link away without a network."""

from __future__ import annotations

import re
from html import escape
from os.path import relpath
from pathlib import Path, PurePosixPath

from derivations.support.sources import ROOT

FOLDER = "source"
# what `step_files` writes where no repository of the code is known
_PLACE = re.compile(
    r'(?<!">)<code>((?:derivations|symbolic|numeric_check)/[\w/]+\.py):(\d+)(?:-(\d+))?</code>'
)
_STYLE = (
    ":root { color-scheme: light dark; --ink: #222; --ground: #fff; --link: #0550ae; --mark: #fff2d6 }"
    "@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --ground: #121212; --link: #a9cbf0; --mark: #42310c } }"
    "html { color: var(--ink); background: var(--ground); font-family: sans-serif; scroll-padding-top: 4em }"
    "body { margin: 0 1em 2em } h1 { font-size: 1.1em; overflow-wrap: anywhere } a { color: var(--link) }"
    "pre { counter-reset: line; overflow-x: auto; line-height: 1.4 } pre:focus-visible { outline: 2px solid }"
    "span { display: inline-block; min-width: 100% } span:target { background: var(--mark) }"
    "span::before { counter-increment: line; content: counter(line); content: counter(line) / ''; display: inline-block; "
    "width: 3em; margin-right: 1em; text-align: right }"
)


def address(path: str) -> str:
    """The page of a source file, from the pages of the book."""
    return f"{FOLDER}/{PurePosixPath(path).with_suffix('.html')}"


def page(path: str, text: str) -> str:
    """A source file as a page: every line has an anchor, `L1` and so on."""
    place = address(path)
    home = relpath("index.html", PurePosixPath(place).parent)
    icon = relpath("_static/favicon.svg", PurePosixPath(place).parent)
    lines = "\n".join(
        f'<span id="L{k + 1}">{escape(line)}</span>' for k, line in enumerate(text.splitlines())
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<title>{escape(path)}</title><link rel="icon" href="{icon}"><style>{_STYLE}</style></head>\n'
        f'<body><main><h1>{escape(path)}</h1><p><a href="{home}">The book</a></p>\n'
        f'<pre tabindex="0" aria-label="Source"><code>{lines}</code></pre></main></body>\n</html>\n'
    )


def write(html: Path) -> None:
    """Make the places in the source that pages of a folder name links, and write the pages that these lead to."""
    named: set[str] = set()

    def linked(found: re.Match[str]) -> str:
        named.add(found[1])
        return f'<a href="{address(found[1])}#L{found[2]}">{found[0]}</a>'

    for shown in html.glob("*.html"):
        text = shown.read_text(encoding="utf-8")
        changed = _PLACE.sub(linked, text)
        if changed != text:
            shown.write_text(changed, encoding="utf-8")
    for path in named:
        target = html / address(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(path, (ROOT / path).read_text(encoding="utf-8")), encoding="utf-8")
