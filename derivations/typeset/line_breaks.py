"""Where long lines of LaTeX may be broken: between the terms of a sum, inside its largest bracket, on a phone between factors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_LEFT, _RIGHT = r"\left(", r"\right)"
# what a bracket that goes over several lines and its indentation take away
_MARGIN = 8
# what the lines after the first of a display are set in, and the left side that still shares its line with the right one
_INDENT, _SHORT_LEFT = 2, 12
# a bracket within brackets is broken no further than this
_LEAST = 18
# in columns narrower than this a product is broken too, before one of these factors and after none of those words
_PHONE = 40
_FACTOR = re.compile(r"[A-Z(]|\\left\(|\\(?:Sigma|Gamma|theta|omega|gamma)\b|\\mathrm\{Tr\}")
_BOUND = re.compile(
    r"(?:^|[-+=<>,;:|(\[&]|\\(?:delta|quad|qquad|le|ge|big\[|bigg\(|text\{[^{}]*\}|mathrm\{Tr\}|sqrt|partial|in))$"
)
# how wide a formula is: what has no width of its own, indices, fractions without fractions in them, other commands
_WITHOUT_WIDTH = re.compile(r"\\(?:left|right|,|;|mathrm|operatorname|mathbb)\b")
_INDEX = re.compile(r"[_^]\{?([^{}\s]*)\}?")
_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_SPACING = re.compile(r"[{}\s]")


def fill(terms: Sequence[str], width: int, least: int = 0) -> list[str]:
    """The terms of a sum in lines of about `width` visible characters; brackets within brackets are given `least` of them."""
    lines: list[str] = []
    for term in terms:
        if lines and visible_length(lines[-1]) + visible_length(term) <= width:
            lines[-1] += f" {term}"
        else:
            lines.append(term)
    return [piece for line in lines for piece in broken(line, width, least)]


def broken(line: str, width: int, least: int = 0) -> list[str]:
    """A long line broken inside its largest bracketed sum, whose brackets then have a fixed size.

    The line stays whole when it is short, or when there is no sum to break.
    """
    spans = bracketed(line)
    if visible_length(line) <= width or not spans:
        return [line]
    start, end = max(spans, key=lambda span: span[1] - span[0])
    terms = split_sum(line[start + len(_LEFT) : end - len(_RIGHT)].strip())
    if len(terms) == 1:
        return [line]
    first, *others = fill(terms, max(width - _MARGIN, least), least)
    if not others:
        return [line]
    pieces = [rf"{line[:start]}\bigg( {first}", *(rf"\quad {piece}" for piece in others)]
    pieces[-1] += rf" \bigg) {line[end:].strip()}"
    return [piece.strip() for piece in pieces]


def bracketed(tex: str) -> list[tuple[int, int]]:
    """Where the outermost `\\left( ... \\right)` of a line start and end.

    Those inside a fraction, or inside delimiters of another kind that cannot go over lines, do not count.
    """
    spans, depth, braces, start = [], 0, 0, 0
    for k, letter in enumerate(tex):
        braces += {"{": 1, "}": -1}.get(letter, 0)
        if braces == 0 and tex.startswith(r"\left", k):
            start = k if depth == 0 else start
            depth += 1
        elif braces == 0 and tex.startswith(r"\right", k):
            depth -= 1
            # a power of a bracket keeps its bracket
            if depth == 0 and tex.startswith(_LEFT, start) and not tex.startswith("^", k + len(_RIGHT)):
                spans.append((start, k + len(_RIGHT)))
    return spans


def split_sum(tex: str) -> list[str]:
    """The terms of a sum in LaTeX, each after the first with its sign."""
    pieces, depth, start = [], 0, 0
    for k, letter in enumerate(tex):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        depth += tex.startswith(r"\left", k) - tex.startswith(r"\right", k)
        if depth == 0 and tex[k : k + 3] in (" + ", " - "):
            pieces.append(tex[start:k])
            start = k + 1
    return [*pieces, tex[start:]]


@lru_cache(maxsize=2**14)
def visible_length(tex: str) -> int:
    """Roughly how many characters wide a formula is; a fraction counts as its wider part."""
    text = _INDEX.sub(r"\1", _WITHOUT_WIDTH.sub("", tex))
    while _FRACTION.search(text):
        text = _FRACTION.sub(lambda m: max(m[1], m[2], key=len), text)
    return len(_SPACING.sub("", _COMMAND.sub("x", text)))


def factored(line: str, width: int) -> list[str]:
    """A line that no sum lets break, broken between factors, also of a trace, whose brackets then have a fixed size.

    What follows the first line starts without a sign, and further in.
    """
    if visible_length(line) <= width or r"\text" in line:
        return [line]
    opened = _opened(line)
    pieces, depth, start = [], 0, 0
    for k, letter in enumerate(opened):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        depth += opened.startswith(r"\left", k) - opened.startswith(r"\right", k)
        before = opened[start:k].strip()
        if depth == 0 and letter == " " and _FACTOR.match(opened, k + 1) and not _BOUND.search(before):
            pieces.append(before)
            start = k + 1
    rows = [""]
    for piece in (*pieces, opened[start:].strip()):
        if rows[-1] and _breadth(rows[-1]) + _breadth(piece) > width:
            rows.append("")
        rows[-1] = f"{rows[-1]} {piece}".strip()
    return [rows[0], *(rf"\qquad {row}" for row in rows[1:])] if len(rows) > 1 else [line]


def _opened(line: str) -> str:
    """A line whose outermost square brackets let it break; those with a power, or in a fraction, keep theirs."""
    depth, braces, start, pairs = 0, 0, 0, []
    for k, letter in enumerate(line):
        braces += {"{": 1, "}": -1}.get(letter, 0)
        if line.startswith(r"\left", k):
            start = k if depth == 0 else start
            depth += 1
        elif line.startswith(r"\right", k):
            depth -= 1
            end = k + len(_RIGHT)
            if (
                depth == 0
                and braces == 0
                and line.startswith(r"\left[", start)
                and not line.startswith("^", end)
            ):
                pairs.append((start, k))
    for first, last in reversed(pairs):
        inner = line[first + len(_LEFT) : last]
        line = rf"{line[:first]}\big[ {inner.strip()} \big]{line[last + len(_RIGHT) :]}"
    return line


def _breadth(tex: str) -> float:
    """How wide a product is, in characters: indices and powers are set smaller."""
    scripts = re.findall(r"[_^]\{([^{}]*)\}|[_^](\\[a-z]+|.)", re.sub(r"\\frac\{[^{}]*\}", "", tex))
    return visible_length(tex) - 0.35 * sum(visible_length("".join(pair)) for pair in scripts)


def rewrapped(tex: str, width: int) -> str | None:
    """A display set for a column of `width` characters: broken before relations, between terms, inside brackets.

    Where the column is a phone's, products are broken too.

    None where it fits as it is, where nothing can be broken, and where it holds an array.
    """
    flat = _flat(tex)
    if r"\begin" in flat or max(map(visible_length, _rows(tex))) <= width:
        return None
    lines = [line for side in _sides(flat) for line in fill(split_sum(side), width - _INDENT, _LEAST)]
    if width < _PHONE:
        lines = [row for line in lines for row in factored(line, width - _INDENT)]
    if len(lines) == 1:
        return None
    shown = r" \\ & \quad ".join(line.removeprefix(r"\quad").strip() for line in lines)
    return rf"\begin{{aligned}} & {shown} \end{{aligned}}"


def _rows(tex: str) -> list[str]:
    return tex.replace(r"\begin{aligned}", "").replace(r"\end{aligned}", "").replace("&", "").split(r"\\")


def _flat(tex: str) -> str:
    """A display as one line, without the breaks and the alignment that it has."""
    rows = [re.sub(r"^(?:\\q?quad\b\s*)+", "", row.strip()) for row in _rows(tex)]
    return re.sub(r"= *\{\}", "=", " ".join(rows)).strip()


def _sides(line: str) -> list[str]:
    """A chain of relations, cut before each but the first that follows a short left side."""
    cuts, depth = [0], 0
    for k, letter in enumerate(line):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        depth += line.startswith(r"\left", k) - line.startswith(r"\right", k)
        if depth == 0 and line[k : k + 3] in (" = ", " < ", " > "):
            cuts.append(k + 1)
    if len(cuts) > 1 and visible_length(line[: cuts[1]]) < _SHORT_LEFT:
        del cuts[1]
    return [line[start:end].strip() for start, end in zip(cuts, [*cuts[1:], len(line)], strict=True)]
