"""Expectations of words in FORM: the inputs of `wick.frm`, and its answers as dictionaries.

A word is a string such as ``"WAWB"``, a product of letters in which W = X^T X is random; it stands for its
trace.  An answer maps (sorted canonical traces, power of n, power of p) to an integer.
"""

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

PROGRAM = Path(__file__).with_name("wick.frm")
LETTERS = "ABCDEF"

Trace = tuple[str, ...]
Answer = dict[tuple[tuple[Trace, ...], int, int], int]


def definitions(words: Sequence[str], general: bool) -> dict[str, str]:
    """The preprocessor variables of `wick.frm` for the product of the traces of the words.

    Raises ValueError for a letter other than W and A to F.
    """
    rows: list[str] = []
    columns: list[str] = []
    links: list[str] = []
    count = 0
    for word in words:
        first = count
        for position, letter in enumerate(word):
            left = f"a{count + 1}"
            count += 1
            right = f"a{first + 1}" if position == len(word) - 1 else f"a{count + 1}"
            if letter == "W":
                rows += 2 * [f"i{len(rows) // 2 + 1}"]
                columns += [left, right]
            elif letter in LETTERS:
                links.append(f"ch({left},{letter},{right})")
            else:
                raise ValueError(f"the letter {letter!r} is unknown: use W and {', '.join(LETTERS)}")
    return {
        "PAIRS": str(len(rows) // 2),
        "SIGMA": str(int(general)),
        "LINKS": "*".join(links) or "1",
        "SLOTS": ",".join(f"s{k + 1}" for k in range(len(rows))),
        "ROWS": ",".join(rows),
        "COLS": ",".join(columns),
    }


def run(binary: str, words: Sequence[str], general: bool) -> str:
    """FORM's answer as it prints it; raises RuntimeError with FORM's message when it fails."""
    options = [f"{name}={value}" for name, value in definitions(words, general).items()]
    command = [binary, "-q", *(part for option in options for part in ("-d", option)), str(PROGRAM)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "=" not in done.stdout:
        raise RuntimeError(f"FORM failed: {done.stdout}{done.stderr}")
    return done.stdout


def parse(text: str) -> Answer:
    """The printed answer, with traces in canonical form."""
    body = "".join(text.split()).partition("=")[2].rstrip(";")
    total: Counter[tuple[tuple[Trace, ...], int, int]] = Counter()
    for term in re.findall(r"[+-][^+-]+", body):
        traces: list[Trace] = []
        powers = {"n": 0, "p": 0}
        number = 1
        for factor in re.findall(r"(?:\([^)]*\)|[^*(])+", term[1:]):
            base, _, exponent = factor.partition("^")
            if base.isdigit():
                number *= int(base)
            elif base in powers:
                powers[base] += int(exponent or 1)
            else:
                letters = tuple(base.removeprefix("tr(").removesuffix(")").split(","))
                traces += [canonical(letters)] * int(exponent or 1)
        total[tuple(sorted(traces)), powers["n"], powers["p"]] += number if term[0] == "+" else -number
    return {key: value for key, value in total.items() if value}


def canonical(letters: Iterable[str]) -> Trace:
    """The least rotation of a trace or of its transpose; S is symmetric, At is the transpose of A."""
    word = tuple(letters)
    turned = tuple(x if x == "S" else x[0] if x.endswith("t") else f"{x}t" for x in word[::-1])
    return min(text[k:] + text[:k] for text in (word, turned) for k in range(len(word)))


def expectation(binary: str, words: Sequence[str], general: bool) -> Answer:
    """E[prod tr word] computed by FORM."""
    return parse(run(binary, words, general))
