"""Reading powers and logarithms of determinants of Wishart matrices that are factors of a moment query: their text, taken out of it.

Their means are read too, as answers have them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, NamedTuple

from symbolic.algebra.refusal import Refused
from symbolic.grammar.syntax import MAX_INVERSE_ORDER, MAX_ORDER
from symbolic.grammar.tokens import MAX_TEXT, MomentSyntaxError
from symbolic.wishart.fixed_letters import COLUMNS, MAX_NUMBER, SIGMA, row_dimension

MOST_POWER = 100
"""Largest exponent of a determinant, without sign."""

MOST_DIGITS = 12
"""Most digits of its numerator and denominator."""

_NUMBER = r"-?\s*[0-9]+(?:\s*/\s*[0-9]+|\.[0-9]+)?"
_POWER = re.compile(
    r"(?<![A-Za-z0-9_])(?:(?P<log>log\s*)(?P<open>\(\s*)?)?det\s*\(\s*(?P<name>W(?:[1-9][0-9]?)?)\s*\)(?(open)\s*\))"
    rf"(?:\s*(?:\^|\*\*)\s*(?:\(\s*(?P<round>{_NUMBER})\s*\)|{{\s*(?P<curly>{_NUMBER})\s*}}|(?P<bare>-?\s*[0-9]+(?:\.[0-9]+)?)))?"
)

_ROWS = r"(?P<rows>n(?:[1-9][0-9]?)?|[0-9]+(?:/[0-9]+)?) - i"
_SIZE = r"(?P<size>p|[0-9]+)"
_FREE = rf"\({_ROWS}\)(?P<half>/2)?"
_EXPONENT = r"(?:\(-?[0-9]+(?:/[0-9]+)?\)|[0-9]+)"
_MEANS = (
    re.compile(
        rf"(?:det\((?P<sigma>Sigma[0-9]*)\)\^(?P<scaled>{_EXPONENT}) )?(?:2\^\((?P<two>[-/0-9]+)\*(?P<length>p|[0-9]+)\) )?"
        rf"prod\(i=0\.\.{_SIZE}-1: gamma\({_FREE} \+ (?P<power>{_EXPONENT})\)/gamma\(\((?P=rows) - i\)(?:/2)?\)\)"
    ),
    re.compile(
        r"(?P<open>\()?(?:log det\((?P<sigma>Sigma[0-9]*)\) \+ )?(?P<two>(?P<length>p|[0-9]+) log 2 \+ )?"
        rf"sum\(i=0\.\.{_SIZE}-1: digamma\((?P<inner>\()?{_ROWS}(?(inner)\)(?P<half>/2))(?: \+ (?P<power>{_EXPONENT}))?\)\)(?(open)\))"
    ),
)
"""The means of a power and of a logarithm, as `symbolic.wishart.determinant_powers` writes them."""

MOST_FACTORS = 20
"""Most factors of this kind in a query."""


class Factor(NamedTuple):
    """det(name)^power, or log det(name), whose power is 0; or the mean of one, by the determinant of ``sigma``, if any.

    The mean of a logarithm is taken beside det(name)^power. ``rows``, ``size``: the numbers that a mean has for n and p, if any.
    """

    name: str
    power: Fraction
    is_log: bool
    position: int
    is_mean: bool = False
    sigma: str = ""
    rows: str = ""
    size: str = ""


class Parts(NamedTuple):
    """A query in parts: ``rest`` is the query with (1) in place of each of the ``factors``, every place kept."""

    rest: str
    factors: tuple[Factor, ...] = ()


def split(text: str, columns: int | None) -> Parts:
    """The query without its factors of this kind, and these.

    Where p is known, whole powers stay: they are polynomials then. Raises MomentSyntaxError where a factor has no method.
    """
    found, rest, after = [], list(text), 0
    if not ("det" in text or "gamma" in text) or len(text) > MAX_TEXT:
        return Parts(text)
    for place in range(len(text)):
        if place < after:
            continue
        read = _mean(text, place)
        match = _POWER.match(text, place) if read is None else None
        if match is not None:
            read = _factor(match, text), match.end()
        if read is not None:
            found.append(read[0])
            after = read[1]
            rest[place:after] = "(1)".ljust(after - place)
    whole = all(factor.power.denominator == 1 and not (factor.is_log or factor.is_mean) for factor in found)
    lowest = min((factor.power for factor in found), default=Fraction(0))
    most = MAX_ORDER if lowest >= 0 else MAX_INVERSE_ORDER
    if not found or (whole and columns is not None and columns <= most):
        return Parts(text)
    if len(found) > MOST_FACTORS:
        reason = (
            f"powers of determinants are over the limit of {MOST_FACTORS} in a query: add their exponents"
        )
        raise MomentSyntaxError(text, found[MOST_FACTORS].position, reason)
    names = {factor.name for factor in found}
    free = (name for name in ("W", *(f"W{k}" for k in range(1, MAX_NUMBER + 1))) if name not in names)
    numbered: dict[str, str] = {}
    for x in found:
        if x.rows and x.rows not in numbered:
            own = x.sigma.removeprefix(SIGMA)
            numbered[x.rows] = f"W{own}" if own else next(free)
    return Parts("".join(rest), tuple(x._replace(name=numbered.get(x.rows, x.name)) for x in found))


def sizes_of(factors: Iterable[Factor], given: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes that means have as numbers, beside those that are given. Raises Refused where they do not agree."""
    found = dict(given)
    for factor in factors:
        for name, number in ((row_dimension(factor.name), factor.rows), (COLUMNS, factor.size)):
            if number and str(found.setdefault(name, Fraction(number))) != number:
                raise Refused(
                    f"{name} is {number} in a mean, and {str(found[name])[:50]} is given: let them agree"
                )
    return found


@contextmanager
def said_of(text: str, rest: str, factors: tuple[Factor, ...]) -> Iterator[None]:
    """Say what is wrong with ``rest``, the query without its ``factors``, of the query itself."""
    try:
        yield
    except MomentSyntaxError as error:
        if str(error) != str(MomentSyntaxError(rest, error.position, error.reason)):
            raise  # of the text of a definition
        inside = (x.position for x in factors if x.position <= error.position < x.position + len("(1)"))
        raise MomentSyntaxError(text, next(inside, error.position), error.reason) from None


def is_logarithm(text: str) -> bool:
    """Whether a text is the logarithm of the determinant of a Wishart matrix, and nothing else."""
    match = _POWER.fullmatch(text.strip())
    return (
        match is not None
        and match["log"] is not None
        and not (match["bare"] or match["round"] or match["curly"])
    )


def _mean(text: str, place: int) -> tuple[Factor, int] | None:
    """The mean that stands at a place, and where it ends."""
    for pattern in _MEANS:
        match = pattern.match(text, place)
        if match is None or (place and (text[place - 1].isalnum() or text[place - 1] in "_)")):
            continue
        is_log = pattern is _MEANS[1]
        power = Fraction((match["power"] or "0").strip("()"))
        scales = [] if is_log else [match["scaled"], match["two"]]
        if any(scale is not None and scale.strip("()") != str(power) for scale in scales):
            continue
        if (match["two"] is None) != (match["half"] is None) or match["length"] not in (None, match["size"]):
            continue  # of no matrix with real or complex rows
        rows = "" if match["rows"].startswith("n") else match["rows"]
        size = "" if match["size"] == COLUMNS else match["size"]
        name = "" if rows else "W" + match["rows"][1:]
        return Factor(name, power, is_log, place + 1, True, match["sigma"] or "", rows, size), match.end()
    return None


def _factor(match: re.Match[str], text: str) -> Factor:
    position = match.start() + 1
    written = match["round"] or match["curly"] or match["bare"]
    if text[match.end() :].lstrip().startswith(("^", "**")):
        raise MomentSyntaxError(
            text,
            position,
            "the power of a determinant is a number: write det(W)^2, det(W)^(1/2) or det(W)^(-0.3)",
        )
    if text[: match.start()].rstrip().endswith("/"):
        raise MomentSyntaxError(
            text, position, "a determinant cannot be divided by: write a power, det(W)^-1"
        )
    if match["log"]:
        if written:
            raise MomentSyntaxError(
                text, position, "a power of a logarithm has no method here: ask for log det(W) itself"
            )
        return Factor(match["name"], Fraction(0), True, position)
    plain = "".join((written or "1").split())
    if sum(map(str.isdigit, plain)) > MOST_DIGITS or re.search(r"/0+$", plain):
        raise MomentSyntaxError(
            text, position, f"the exponent is no number of at most {MOST_DIGITS} digits: give another one"
        )
    power = Fraction(plain)
    if abs(power) > MOST_POWER:
        raise MomentSyntaxError(text, position, f"the exponent is over the limit: at most {MOST_POWER}")
    return Factor(match["name"], power, False, position)
