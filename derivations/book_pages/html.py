"""Pieces of HTML that the book's pages are made of: mathematics, badges, tables, links, folded parts."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from derivations.typeset.line_breaks import rewrapped, visible_length
from derivations.typeset.term_order import name_latex

# a word that reads as mathematics: a Greek or indexed name, a power, an order symbol, or LaTeX as it stands
_GREEK = "alpha|delta|gamma|Gamma|kappa|nu|omega|rho|sigma|Sigma|theta|xi|mu"
_MATH_WORD = re.compile(rf"^(?:\\.*|\(?(?:\d/)?(?:{_GREEK})\)?[,.:;]?|O\(.*)$")
# in a word with an index or a power, a name of several letters is one of these, or two matrices; else the word is no mathematics,
# but the name of a file or of something in code
_NAMES = re.compile(rf"(?:{_GREEK}|star|diag|[Tt]r|[A-Z]{{2}})")
# characters from which a display is wider than a printed page, and much wider
ROOM = {"wide": 56, "wider": 88}
# characters of a line that a phone shows
_NARROW = 30
_JOINT = re.compile(r"^\(*(?:[-+=<>/|]+|-?\d+(?:[./]\d+)?|Tr|[A-Z](?:/\d+)?|[mnpN](?:[-+]\d)?)\)*$")
# letters that are variables wherever they stand alone, as what is related to another by a sign is
_LETTER = re.compile(r"^(?:[B-HJ-Z]'?(?:\(-?[a-z]\))?|(?!\([a-z]\))\(?(?:[b-z]|\d/[np])\)?)[,.:;]?$")
_RELATION = re.compile(r"^[=<>]=?$")
# what a lone letter after it is the name of
_NAMED = ("panel", "panels", "Panel")
# how a label names an exponent: of what, half of it, in which case, for which law
_EXPONENT = re.compile(r"^(?:(.*:) )?a(?:_(\\xi|m))?(/2)?(?: \((.+)\))?(, [a-z ]+)?$")
_TRAILING = re.compile(r"[,.:;]+$")
# the sign of a number
_NEGATIVE = re.compile(r"(?<![\w)])-(?=\d)")
# a formula, and the signs against it that no line begins with
_AGAINST = re.compile(r'(<span class="math notranslate nohighlight">\\\([^<]*</span>[,.:;?!)]+)')
_INDEX = re.compile(r"_\{[^{}\\]*\}")
_WORD = re.compile(r"\b(all|far|few|near|plus|minus|[a-z]{5,})\b")
# between a case and what is said of it
_CASE = r": \quad "


@dataclass(frozen=True)
class Html:
    """What a cell puts on the page."""

    text: str

    def _repr_html_(self) -> str:
        return _AGAINST.sub(r'<span class="nobreak">\1</span>', self.text)


@dataclass(frozen=True)
class Tex:
    """A formula that a cell keeps for a place outside it."""

    text: str

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.text}$"


@dataclass(frozen=True)
class Markdown:
    """Text that is set as part of the page, such as highlighted code."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text


def escape(text: str) -> str:
    """Text as HTML."""
    return html.escape(text, quote=True)


def inline(tex: str) -> str:
    """A formula in a line of text."""
    return f'<span class="math notranslate nohighlight">\\({escape(upright(tex))}\\)</span>'


def upright(tex: str) -> str:
    """The same with words in indices upright, as in X_{minus,1}: they are no products of letters."""
    return _INDEX.sub(lambda found: _WORD.sub(r"\\mathrm{\1}", found[0]), tex)


def display(tex: str) -> str:
    """A formula on a line of its own; wide ones scroll inside their box, and are set smaller in print."""
    length = widest([tex])
    room = "".join(f" {name}" for name, least in ROOM.items() if length > least)
    return f'<div class="math notranslate nohighlight{room}">\\[{escape(upright(tex))}\\]</div>'


def widest(formulas: Sequence[str]) -> int:
    """The visible characters of the longest line of formulas."""
    return max(visible_length(line.replace("&", "")) for tex in formulas for line in tex.split(r"\\"))


def gathered(lines: Sequence[str]) -> str:
    """Formulas below each other, as one; cases stand in a column, and what is said of them in another."""
    apart, kind = lines, "gathered"
    if all(_CASE in line for line in lines):
        apart, kind = [line.replace(_CASE, r": \quad & ") for line in lines], "aligned"
    return rf"\begin{{{kind}}} " + r" \\ ".join(apart) + rf" \end{{{kind}}}"


def displays(lines: Sequence[str]) -> str:
    """Formulas below each other: short ones share one display."""
    if len(lines) > 1 and not any("aligned" in line for line in lines):
        return display(gathered(lines))
    return "".join(display(line) for line in lines)


def columns(lines: Sequence[str]) -> str:
    """Formulas below each other, broken for wide columns and, where that is too wide for a phone, once more for narrow ones."""
    wide, narrow = (
        [rewrapped(line, most) or line for whole in lines for line in _apart(whole, most)]
        for most in (ROOM["wide"], _NARROW)
    )
    if wide == narrow:
        return displays(wide)
    return f'<div class="for-wide">{displays(wide)}</div>{_narrow(displays(narrow))}'


def _narrow(body: str) -> str:
    """What becomes part of the page in a narrow window alone."""
    return f'<noscript class="later narrow"><div class="for-narrow">{body}</div></noscript>'


def _apart(line: str, most: int) -> list[str]:
    """Formulas that share a line, each on one of its own where a column could not show them side by side."""
    shared = visible_length(line) > most and r"\begin" not in line
    return line.replace(r",\quad ", ",\n").split("\n") if shared else [line]


def fitted(tex: str) -> str:
    """A formula in a line of text, or broken below it where a phone could not show it in one."""
    if visible_length(tex) <= _NARROW:
        return inline(tex)
    return columns([tex])


def prose(text: str) -> str:
    """A plain sentence of the steps as HTML: `alpha_r`, `xi^(-1/2)` are set as mathematics, what stands in backticks as code."""
    if "`" in text:
        parts = text.split("`")
        return "".join(
            f"<code>{escape(part)}</code>" if k % 2 else prose(part) for k, part in enumerate(parts)
        )
    words = text.replace(" +- ", " ± ").split(" ")
    kinds = [_reads_as_formula(word) for word in words]
    for k, word in enumerate(words):
        if _RELATION.match(word):
            kinds[k - 1] = kinds[k - 1] or words[k - 1] == "a"
        # an article begins a sentence
        if k and _TRAILING.sub("", word) == "A" and not words[k - 1].endswith((".", ":")):
            kinds[k] = True
        if k and words[k - 1] in _NAMED and _LETTER.match(word):
            kinds[k] = False
    # a lone letter or operator belongs to the formula it stands beside
    for order in (range(len(words)), reversed(range(len(words)))):
        for k in order:
            beside = (k > 0 and kinds[k - 1] and not _TRAILING.search(words[k - 1])) or (
                k + 1 < len(words) and kinds[k + 1] and not _TRAILING.search(words[k])
            )
            article = words[k] == "A" and k == 0
            if beside and not kinds[k] and _JOINT.match(_TRAILING.sub("", words[k])) and not article:
                kinds[k] = True
    pieces: list[str] = []
    formula: list[str] = []

    def flush() -> None:
        if formula:
            body = " ".join(formula)
            tail = _TRAILING.search(body)
            end = tail[0] if tail else ""
            shown = inline(tex_of_words(body.removesuffix(end)))
            pieces.append(f"{shown}{end}")
            formula.clear()

    for word, is_math in zip(words, kinds, strict=True):
        if is_math:
            formula.append(word)
            if _TRAILING.search(word):
                flush()
        else:
            flush()
            pieces.append(escape(_NEGATIVE.sub("\u2212", word)))
    flush()
    return " ".join(pieces)


def _reads_as_formula(word: str) -> bool:
    if "\\" in word and not word.startswith("\\"):
        return True
    if word.startswith("\\") or not re.search("[_^]", word):
        return bool(_MATH_WORD.match(word) or _LETTER.match(word) or _RELATION.match(word))
    # what stands in braces is LaTeX
    return all(map(_NAMES.fullmatch, re.findall("[A-Za-z]{2,}", re.sub(r"\{[^{}]*\}", "", word))))


def tex_of_words(text: str) -> str:
    """`xi^(-1/2) n_t` as LaTeX; text that is LaTeX already stays."""
    if "\\" in text:
        return text
    text = text.replace(">=", r"\ge ").replace("<=", r"\le ")
    text = re.sub(r"\^\(([^()]*)\)", r"^{\1}", text)
    text = re.sub(r"\b(theta|omega)_star\b", r"{\\\1^\\star}", text)
    text = re.sub(rf"_({_GREEK})\b", r"_{\\\1}", text)
    text = re.sub(r"\b(alpha_[tr]|omega_0|w_0|sigma_v|Sigma_w)\b", lambda m: name_latex(m[1]) + " ", text)
    text = re.sub(rf"(?<!\\)\b({_GREEK})(?=\b|_|\^)", r"\\\1 ", text)
    text = re.sub(r"\bTr\b", r"\\mathrm{Tr}\\,", text)
    return re.sub(r"(\^|_)-(\w+)", r"\1{-\2}", text)


def _exponent(
    found: re.Match[str],
    said: Callable[[str], str],
    formula: Callable[[str], str],
    tail: Callable[[str], str],
) -> str:
    """In words, the exponent that a label names."""
    before, letter, half, case, after = (part or "" for part in found.groups())
    of = f" of {formula(letter)}" if letter else ""
    where = f" for {formula(case)}" if case else ""
    return (
        f"{said(before)}{' ' if before else ''}{'half the ' if half else ''}exponent{of}{where}{tail(after)}"
    )


def spoken(text: str) -> str:
    """The label of a part for where no formula can be set; `plain` then shows its letters."""
    exponent = _EXPONENT.match(text)
    return _exponent(exponent, str, str, str) if exponent else text


def label(text: str, probe: int) -> str:
    """The label of a check: LaTeX, or words with mathematics among them, and the number of a matrix's projection, if any."""
    exponent = _EXPONENT.match(text)
    if exponent:
        return _exponent(exponent, prose, inline, escape)
    words = re.search(r"(^|\s)[a-z]{2,}(\s|$)", text)
    shown = prose(text) if words else inline(tex_of_words(text))
    return shown + (f" <small>projection {probe}</small>" if probe else "")


_BELOW = str.maketrans("0123456789trvsmnpij", "₀₁₂₃₄₅₆₇₈₉ₜᵣᵥₛₘₙₚᵢⱼ")
_ABOVE = str.maketrans("0123456789-T", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ")
_LETTERS = dict(zip(_GREEK.split("|"), "αδγΓκνωρσΣθξμ", strict=True))


def plain(text: str) -> str:
    """A sentence of the steps where no formula can be set, as in a title: Greek letters, and small ones below and above."""
    text = re.sub(rf"\\?\b({_GREEK})(?=\b|_)", lambda found: _LETTERS[found[1]], text)
    text = re.sub(r"_([0-9trvsmnpij])(?![A-Za-z0-9])", lambda found: found[1].translate(_BELOW), text)
    text = re.sub(r"\^(-?\d|T)(?![\d/])", lambda found: found[1].translate(_ABOVE), text)
    return (
        text.replace("_star", "*")
        .replace(">=", "≥")
        .replace("<=", "≤")
        .replace(" +- ", " ± ")
        .replace("`", "")
    )


def badge(status: str, reason: str = "") -> str:
    """A computed status as a coloured word with its sign; the reason shows when pointed at, touched or reached by keyboard."""
    return labelled(status, status.replace("-", " "), reason)


def labelled(status: str, word: str, reason: str = "") -> str:
    """A word with the colour and sign of a status."""
    said = (
        f' tabindex="0" role="note" aria-label="{escape(f"{word}: {plain(reason)}")}" data-reason="{escape(plain(reason))}"'
        if reason
        else ""
    )
    return f'<span class="status status-{escape(status)}"{said}>{escape(word)}</span>'


def details(summary: str, body: str) -> str:
    """A folded part."""
    return f"<details><summary>{summary}</summary>{body}</details>"


def later(body: str) -> str:
    """What becomes part of the page when it is asked for (`later.js`): tables of many cells make a page slow. No such part within another."""
    return f'<noscript class="later">{body}</noscript>'


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numeric: Iterable[int] = (),
    wide: bool = False,
) -> str:
    """A table of HTML cells that stacks in a narrow window.

    numeric: columns aligned right. wide: whether the second column holds sentences.
    """
    right = set(numeric)

    def cell(tag: str, k: int, content: str) -> str:
        kind = ' class="number"' if k in right else ""
        name = f' data-label="{escape(headers[k])}"' if tag == "td" else ""
        body = f"<div>{content}</div>" if tag == "td" else content
        return f"<{tag}{kind}{name}>{body}</{tag}>"

    head = "".join(cell("th", k, escape(text)) for k, text in enumerate(headers))
    body = []
    for row in rows:
        body.append("<tr>" + "".join(cell("td", k, text) for k, text in enumerate(row)) + "</tr>")
    return (
        f'<div class="table-scroll"><table class="ledger stacked{" sentences" if wide else ""}">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def number(value: float, digits: int = 5) -> str:
    """A number to `digits` significant digits, as LaTeX where it needs a power of ten."""
    if value == 0 or (isinstance(value, float) and not math.isfinite(value)):
        return str(value) if value else "0"
    text = f"{value:.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return inline(rf"{mantissa}\cdot10^{{{int(exponent)}}}")
    return text.replace("-", "\u2212")


def measured(mean: float, stderr: float) -> str:
    """A sampled mean with its standard error, to two digits of the error."""
    if not stderr > 1e-9 * abs(mean):
        return number(mean)
    largest = max(abs(mean), stderr)
    if largest >= 1e6 or (largest < 1e-3 and stderr < 1e-6):
        power = math.floor(math.log10(largest))
        mean, stderr = mean / 10.0**power, stderr / 10.0**power
        return inline(rf"({_to_error(mean, stderr)})\cdot10^{{{power}}}".replace("±", r"\pm"))
    shown = _to_error(mean, stderr).replace("-", "\u2212")
    return f"{shown.partition(' ')[0]} ± {number(stderr, 2)}" if stderr < 1e-6 else shown


def _to_error(mean: float, stderr: float) -> str:
    """Both to two digits of the error."""
    decimals = max(0, 1 - math.floor(math.log10(stderr)))
    return f"{mean:.{decimals}f} ± {stderr:.{decimals}f}"


def count(value: int) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def sizes(values: Mapping[str, float]) -> str:
    """The parameters of a comparison: `n = 7, p = 4`."""
    shown = []
    for name, value in values.items():
        head, _, tail = name.partition(" ")
        letter = name_latex(head)
        if tail:
            # what is a power already has no second upper index
            letter = rf"{f'({letter})' if '^' in letter else letter}^{{\mathrm{{{tail}}}}}"
        shown.append(inline(f"{letter}={value:.6g}"))
    return ", ".join(shown)
