"""Exact polynomial coefficients: rational polynomials in named generators.

A coefficient is a python-flint ``fmpq_mpoly``. Its generators are the symbolic dimensions (``n``, ``p``)
and the scalar parameters of an expression. Two coefficients over different generators are brought to the
union of their contexts before they meet; coefficients over the same generators meet directly.

A generator named ``1/x`` is the inverse of the generator ``x``: `multiply` cancels one against the other, so
that coefficients are Laurent polynomials in normal form.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache

from flint import fmpq, fmpq_mpoly, fmpq_mpoly_ctx, fmpz

Exact = int | Fraction
"""What the public functions accept as an exact number."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*'?")
INVERSE = "1/"

Powers = tuple[tuple[str, int], ...]
"""A product of powers of generators, by name."""


def check_name(name: str) -> str:
    """Return ``name`` if it can name a letter or a scalar: a letter, then letters, digits, underscores.

    Raises ValueError otherwise.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name: use a letter followed by letters, digits or underscores")
    return name


def to_fmpq(value: Exact | fmpq | fmpz) -> fmpq:
    """The exact number ``value`` as a flint rational.

    Raises ValueError for anything inexact (a float, say), because every result must stay exact.
    """
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    if isinstance(value, int | fmpz | fmpq):
        return fmpq(value)
    raise ValueError(f"{value!r} is not an exact number: give an int or a Fraction")


def to_fraction(value: fmpq | fmpz | int) -> Fraction:
    """A flint rational as a ``Fraction``."""
    number = fmpq(value)
    return Fraction(int(number.p), int(number.q))


def context(names: Iterable[str]) -> fmpq_mpoly_ctx:
    """The polynomial ring over the rationals in the generators ``names``, which it sorts."""
    return _ring(tuple(sorted({*names})))


@lru_cache(maxsize=4096)
def _ring(names: tuple[str, ...]) -> fmpq_mpoly_ctx:
    return fmpq_mpoly_ctx.get(names, "lex")


NUMBERS = context(())
"""The ring without generators: plain rational numbers."""


@lru_cache(maxsize=4096)
def names_of(ring: fmpq_mpoly_ctx) -> tuple[str, ...]:
    """The generator names of a ring."""
    return tuple(str(name) for name in ring.names())


@lru_cache(maxsize=65536)
def union(first: fmpq_mpoly_ctx, second: fmpq_mpoly_ctx) -> fmpq_mpoly_ctx:
    """The smallest ring that holds both rings."""
    return context(names_of(first) + names_of(second))


def lift(value: fmpq_mpoly, ring: fmpq_mpoly_ctx) -> fmpq_mpoly:
    """``value`` as an element of ``ring``, which must hold every generator of ``value``'s own ring.

    (flint's own projection to a smaller ring silently drops terms; this module only ever enlarges rings,
    except in `trim`, which removes generators that do not occur.)
    """
    if value.context() is ring:
        return value
    # most of what is lifted is a number, for which the projection takes seven times as long
    return (
        ring.constant(value.leading_coefficient()) if value.is_constant() else value.project_to_context(ring)
    )


def unify(first: fmpq_mpoly, second: fmpq_mpoly) -> tuple[fmpq_mpoly, fmpq_mpoly]:
    """Both coefficients over the union of their generators."""
    here, there = first.context(), second.context()
    if here is there:
        return first, second
    ring = union(here, there)
    return lift(first, ring), lift(second, ring)


def number(value: Exact | fmpq | fmpz) -> fmpq_mpoly:
    """The constant polynomial ``value``."""
    return NUMBERS.constant(to_fmpq(value))


@lru_cache(maxsize=4096)
def generator(name: str) -> fmpq_mpoly:
    """The polynomial that is the single generator ``name``, or ``1/name`` for its inverse.

    Raises ValueError when ``name`` is no name.
    """
    check_name(name.removeprefix(INVERSE) if isinstance(name, str) else name)
    return context((name,)).gen(0)


@lru_cache(maxsize=4096)
def _inverse_pairs(ring: fmpq_mpoly_ctx) -> tuple[tuple[int, int, fmpq_mpoly], ...]:
    """Positions of the generators that occur in a ring together with their inverse, and their product less one."""
    position = {name: index for index, name in enumerate(names_of(ring))}
    return tuple(
        (straight, index, ring.gen(straight) * ring.gen(index) - 1)
        for name, index in position.items()
        if name.startswith(INVERSE) and (straight := position.get(name.removeprefix(INVERSE), -1)) >= 0
    )


def cancel_inverses(value: fmpq_mpoly) -> fmpq_mpoly:
    """``value`` with every product of a generator and its inverse removed."""
    pairs = _inverse_pairs(value.context())
    if not pairs:
        return value
    degrees = value.degrees()
    for straight, inverse, zero in pairs:
        if degrees[straight] and degrees[inverse]:
            # no term of what is left over has both; flint divides far faster than terms can be gone through here
            value = value % zero
    return value


def multiply(first: fmpq_mpoly, second: fmpq_mpoly) -> fmpq_mpoly:
    """The product over the union of the generators, inverses cancelled."""
    if second.context() is NUMBERS:
        return cancel_inverses(first * second.leading_coefficient())
    if first.context() is NUMBERS:
        return cancel_inverses(second * first.leading_coefficient())
    first, second = unify(first, second)
    return cancel_inverses(first * second)


def inverse_of(value: fmpq_mpoly) -> fmpq_mpoly:
    """The inverse of a polynomial that is a single term.

    Raises ValueError for zero and for a sum of several terms, whose inverse is no polynomial.
    """
    terms = list(value.terms())
    if len(terms) != 1:
        raise ValueError(
            f"the inverse of {value} is not a single term: substitute its inverse by name as well"
        )
    exponents, coefficient = terms[0]
    result = number(1 / coefficient)
    for name, exponent in zip(names_of(value.context()), exponents, strict=True):
        opposite = name.removeprefix(INVERSE) if name.startswith(INVERSE) else INVERSE + name
        for _ in range(int(exponent)):
            result = multiply(result, generator(opposite))
    return result


def names_in(value: fmpq_mpoly) -> frozenset[str]:
    """The generators that really occur in ``value``."""
    ring = value.context()
    return frozenset(
        name for name, degree in zip(names_of(ring), value.degrees(), strict=True) if int(degree) > 0
    )


def named_terms(value: fmpq_mpoly) -> Iterator[tuple[dict[str, int], fmpq]]:
    """The terms in the order of the ring: the powers that are not 0 by name, and the number."""
    names = names_of(value.context())
    for exponents, coefficient in value.terms():
        yield {name: int(e) for name, e in zip(names, exponents, strict=True) if e}, coefficient


def by_monomial(value: fmpq_mpoly, names: Collection[str]) -> dict[Powers, fmpq_mpoly]:
    """What multiplies each product of powers of the generators named: polynomials in the others."""
    ring = value.context()
    labels = names_of(ring)
    found: dict[Powers, dict[tuple[int, ...], fmpq]] = {}
    for exponents, coefficient in value.terms():
        powers = [(name, int(e)) for name, e in zip(labels, exponents, strict=True)]
        key = tuple((name, e) for name, e in powers if e and name in names)
        found.setdefault(key, {})[tuple(0 if name in names else e for name, e in powers)] = coefficient
    return {key: ring.from_dict(terms) for key, terms in found.items()}


def by_power(value: fmpq_mpoly, name: str) -> dict[int, fmpq_mpoly]:
    """What multiplies each power of one generator."""
    ring = value.context()
    if name not in names_of(ring):
        return {0: value} if value else {}
    place = names_of(ring).index(name)
    found: dict[int, dict[tuple[int, ...], fmpq]] = {}
    for exponents, coefficient in zip(value.monoms(), value.coeffs(), strict=True):
        rest = (*exponents[:place], 0, *exponents[place + 1 :])
        found.setdefault(int(exponents[place]), {})[rest] = coefficient
    return {power: ring.from_dict(terms) for power, terms in found.items()}


def trim(value: fmpq_mpoly) -> fmpq_mpoly:
    """The same polynomial over the generators that occur in it: a normal form across rings."""
    used = names_in(value)
    names = names_of(value.context())
    if len(used) == len(names):
        return value
    # the projection leaves out terms with a generator that it takes away: none of these occurs
    return value.project_to_context(context(used))


def equal(first: fmpq_mpoly, second: fmpq_mpoly) -> bool:
    """Whether two coefficients are the same polynomial, over whatever rings they are written."""
    # most that are compared differ: to see it in what no ring changes spares taking both to a common one
    if len(first) != len(second) or first.total_degree() != second.total_degree():
        return False
    first, second = unify(first, second)
    return bool(first == second)


def substitute(value: fmpq_mpoly, values: Mapping[str, fmpq_mpoly]) -> fmpq_mpoly:
    """``value`` with some generators replaced by polynomials, all at once. Generators not named stay.

    Replacing ``x`` replaces ``1/x`` by the inverse, which must then be a single term (ValueError otherwise).
    """
    value = trim(value)
    images = [_image(name, values) for name in names_of(value.context())]
    if not images:
        return value
    ring = NUMBERS
    for image in images:
        ring = union(ring, image.context())
    return cancel_inverses(value.compose(*(lift(image, ring) for image in images), ctx=ring))


def _image(name: str, values: Mapping[str, fmpq_mpoly]) -> fmpq_mpoly:
    if name in values:
        return values[name]
    base = name.removeprefix(INVERSE)
    return inverse_of(values[base]) if base in values else generator(name)


def evaluate_at(value: fmpq_mpoly, numbers: Mapping[str, Exact | fmpq]) -> Fraction:
    """The exact value of the polynomial at ``numbers``; ``1/x`` takes its value from ``x``.

    Raises ValueError when a generator that occurs has no number, or an inverse is taken of zero.
    """
    names = names_of(value.context())
    if numbers.keys() >= {*names} or numbers.keys() >= names_in(value):
        return to_fraction(value(*(to_fmpq(numbers.get(name, 0)) for name in names)))
    result = trim(substitute(value, {name: number(given) for name, given in numbers.items()}))
    missing = sorted(names_in(result))
    if missing:
        raise ValueError(f"no value given for {', '.join(missing)}: add it to the values")
    return to_fraction(result.leading_coefficient()) if result else Fraction(0)


def from_terms(names: Iterable[str], terms: Mapping[tuple[int, ...], Exact | fmpz | fmpq]) -> fmpq_mpoly:
    """The polynomial with the given exponents (in the order of ``names``) and coefficients."""
    given = tuple(names)
    order = sorted(range(len(given)), key=given.__getitem__)
    ring = context(given)
    return ring.from_dict(
        {tuple(exponents[index] for index in order): to_fmpq(value) for exponents, value in terms.items()}
    )
