"""The command ``derive moment``: an expression and ``name=value`` words to the document that is printed.

Values: ``n=7``, ``n=11/2``, ``p=3``; a matrix from a file, ``A=@a.npy``, or written out, ``A=[[1,1/2],[0,1]]``
(exact) or ``A=[[1,0.5],[0,1]]`` (floats), a column as ``a=[1,2]``; and a name for an expression, ``S=W/(n-1)``.
Nothing of a text or a file is run as code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derivations.language.extension import load_law
from derivations.support.bad_input import BadInput
from symbolic.algebra.entry_laws import COMPLEX
from symbolic.grammar.tokens import DECLARED, MAX_DIGITS, excerpt
from symbolic.query.query import moment
from symbolic.query.result import Result

MAX_FILE_BYTES = 64_000_000
"""Largest file that is read."""

MAX_VALUE_TEXT = 100_000
"""Most characters of a matrix that is written out."""

MAGIC = b"\x93NUMPY"
"""How every ``.npy`` file begins."""

_DIGITS = rf"[0-9]{{1,{MAX_DIGITS}}}"
_NUMBER = re.compile(rf"-?(?:{_DIGITS}(?:/({_DIGITS})|\.[0-9]{{0,{MAX_DIGITS}}})?|\.{_DIGITS})")
_MATRIX = re.compile(r"\[\s*\[[^][]*\](?:\s*,\s*\[[^][]*\])*\s*\]")
_ROW = re.compile(r"\[([^][]*)\]")
_COLUMN = re.compile(r"\[[^][]*\]")
_RANDOM = re.compile(r"[WX]")

Matrix = NDArray[Any] | list[list[Fraction]]
Value = Fraction | Matrix | str
"""A size, a matrix, or the expression that a name stands for."""


class InvalidValue(BadInput):
    """A ``name=value`` word that cannot be read."""


def run(
    text: str,
    words: Sequence[str] = (),
    covariance: str | None = None,
    law: str = "gaussian",
    work: float | None = None,
    mean: str = "zero",
    rows: str = "independent",
    symmetric: Sequence[str] = (),
    rotations: Sequence[str] = (),
) -> Result:
    """The expectation of the expression ``text``.

    ``words`` are of the form ``name=value``. ``covariance`` is "identity", "general", or None for "general"
    where Sigma occurs in the expression or the values. ``work`` is the limit in seconds; ``mean``, ``rows``,
    ``symmetric`` and ``rotations`` are as for `symbolic.query.query.moment`. With values for everything the result has a
    ``value``: exact numbers as text, floats as numbers, a matrix as its rows.
    Raises ValueError, with one line that says what is wrong and what would be right, for all bad input.
    """
    values = read_values(words)
    if law != COMPLEX:
        load_law(law)
    with np.errstate(all="ignore"):
        return moment(text, values, covariance, law, work, mean, rows, symmetric, rotations)


def value_text(value: Any) -> str:
    """A number as it is, a matrix as its rows below each other, a multiple of the identity as that."""
    if not isinstance(value, list):
        return str(value)
    cells = [[str(x) for x in row] for row in value]
    if len(cells) > 1 and all(
        cell == cells[0][0] if i == j else cell in ("0", "0.0", "-0.0")
        for i, row in enumerate(cells)
        for j, cell in enumerate(row)
    ):
        return f"{cells[0][0]} I"
    width = max(len(x) for row in cells for x in row)
    return "\n".join("  ".join(x.rjust(width) for x in row) for row in cells)


def read_values(words: Iterable[str]) -> dict[str, Value]:
    """The values in ``name=value`` words. Raises InvalidValue, naming the word, where one cannot be read."""
    values: dict[str, Value] = {}
    for word in words:
        name, separator, text = word.partition("=")
        name, text = name.strip(), text.strip()
        if not separator or not name:
            raise InvalidValue(f"values are written NAME=VALUE, not {excerpt(word)}")
        if name in values:
            raise InvalidValue(f"{excerpt(name)} is given twice: keep one of them")
        values[name] = _value(name, text)
    return values


def _value(name: str, text: str) -> Value:
    if text.startswith("@"):
        return _from_file(name, Path(text[1:]))
    if text.startswith("["):
        return _written_out(name, text)
    number = _number(text)
    if number is None and DECLARED.fullmatch(name) and _RANDOM.search(text):
        return text
    if number is None:
        raise InvalidValue(
            f"{excerpt(name)} is {excerpt(text)}: give a number for n or p (7, 11/2, 5.5; at most {MAX_DIGITS} "
            "digits), @FILE.npy or [[1,0],[0,1]] for a matrix"
        )
    return number


def _written_out(name: str, text: str) -> Matrix:
    """A matrix such as ``[[1, 1/2], [0, 1]]``, exact, or one of floats where an element has a decimal point."""
    if len(text) > MAX_VALUE_TEXT:
        raise InvalidValue(f"{excerpt(name)} is over the limit of {MAX_VALUE_TEXT} characters: use a file")
    if _COLUMN.fullmatch(text):
        text = "[" + ",".join(f"[{x}]" for x in text[1:-1].split(",")) + "]"
    if not _MATRIX.fullmatch(text):
        raise InvalidValue(f"{excerpt(name)} is {excerpt(text)}: write a matrix as [[1,0],[0,1]]")
    rows = [[_element(name, x.strip()) for x in row.split(",")] for row in _ROW.findall(text)]
    is_rectangular = len({*map(len, rows)}) == 1
    return np.array(rows, dtype=float) if "." in text and is_rectangular else rows


def _element(name: str, text: str) -> Fraction:
    number = _number(text)
    if number is None:
        raise InvalidValue(
            f"{excerpt(name)} has the element {excerpt(text)}: write numbers such as 2, 1/3 or 0.25"
        )
    return number


def _number(text: str) -> Fraction | None:
    """A whole number, a fraction or a decimal, exactly; None for anything else."""
    found = _NUMBER.fullmatch(text)
    if found is None or (found[1] and not int(found[1])):
        return None
    return Fraction(text)


def _from_file(name: str, path: Path) -> NDArray[Any]:
    """An array of real numbers with one or two dimensions from an ``.npy`` file."""
    if not path.is_file():
        raise InvalidValue(f"{excerpt(name)}: there is no file {excerpt(str(path))}")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InvalidValue(f"{excerpt(name)}: the file is over the limit of {MAX_FILE_BYTES} bytes")
    try:
        with path.open("rb") as file:
            magic = file.read(6)
        # Mapped, so that a header which announces more than the file holds costs no memory.
        loaded = np.load(path, allow_pickle=False, mmap_mode="r") if magic == MAGIC else None
    except Exception as error:  # a broken header can raise nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InvalidValue(
            f"{excerpt(name)}: {excerpt(str(path))} cannot be read as an .npy file of numbers ({reason[:100]})"
        ) from None
    if loaded is None:
        raise InvalidValue(f"{excerpt(name)}: {excerpt(str(path))} is no .npy file: write it with numpy.save")
    if loaded.ndim not in (1, 2):
        raise InvalidValue(f"{excerpt(name)} has the shape {loaded.shape}: give a matrix")
    if loaded.dtype.kind not in "biuf":
        raise InvalidValue(f"{excerpt(name)} has elements of type {loaded.dtype}: give real numbers")
    array = np.array(loaded)
    if array.dtype.kind == "f" and array.dtype.itemsize != 8:
        with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is refused
            array = array.astype(np.float64)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidValue(f"{excerpt(name)} has elements that are not finite: give finite real numbers")
    return array
