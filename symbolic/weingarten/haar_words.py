"""Averages over rotations: words of a Haar-distributed orthogonal matrix, and of the Moore-Penrose inverse of X^T X for p > n.

For an orthogonal p x p matrix O with the uniform law, and pairings pi of the rows and sigma of the columns of 2 d factors,

    E prod_k O_{i_k j_k} = sum_{pi, sigma} Wg(pi, sigma; p) prod_{{k, l} in pi} delta(i_k, i_l) prod_{{k, l} in sigma} delta(j_k, j_l),

Wg the Weingarten function of the orthogonal group (Collins and Sniady, Commun. Math. Phys. 264, 2006), for p >= d.

The rows of the n x p matrix X being standard normal, W = X^T X = Q S Q^T and W^+ = Q S^-1 Q^T, where the p x n frame Q is uniform and
independent of S = X X^T, a Wishart matrix of size n with p rows. W and W^+ that touch are therefore one factor V = Q S^e Q^T, W^+ W the
projection with e = 0, and

    E prod_k V_{i_{2k} i_{2k+1}} = sum_pi c(pi) prod_{{a, b} in pi} delta(i_a, i_b),   c(pi) = sum_sigma Wg(pi, sigma; p) E p_sigma(S),

with p_sigma the product of the traces of powers of S that the cycles of sigma make, the powers of a cycle added. With d inverses left it
exists for p - n > 2 d - 1 (Cook and Forzani, Electron. J. Stat. 5, 2011).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import groupby
from math import prod
from typing import NamedTuple

from flint import fmpq, fmpq_mpoly, fmpz_poly

from symbolic.algebra.coefficients import names_of
from symbolic.algebra.quotients import Rational, sum_of
from symbolic.algebra.refusal import Refused
from symbolic.weingarten.inverse_words import cycles, kind_count, pairings, pieces
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    PSEUDO,
    TRANSPOSED,
    Word,
    base,
    is_pseudo,
    row_dimension,
    transpose,
)
from symbolic.wishart.identity import RING
from symbolic.wishart.partitions import Partition
from symbolic.wishart.trace_polynomial import Monomial, TracePolynomial, collect, product_of_traces
from symbolic.wishart.wishart_inverse import trace_numerators
from symbolic.wishart.wishart_moment import in_rows, moment

MAX_ROTATIONS = 6
"""Most factors of one rotation in a product: there are (2 d - 1)!!^2 pairs of pairings, and they are checked at p >= d."""

MAX_PSEUDO_INVERSES = 3
"""Most factors V in a product with a Moore-Penrose inverse: they are checked at p >= 2 d + 1."""

END = "end"
Ends = list[tuple[int, Word]]

_n, _p = RING.gens()


def require_few_rotations(name: str, count: int) -> None:
    """Raises Refused for more than `MAX_ROTATIONS` factors."""
    if count > MAX_ROTATIONS:
        raise Refused(f"{count} factors of {name} are over the limit: ask for at most {MAX_ROTATIONS}")


def require_few_inverses(name: str, count: int) -> None:
    """Raises Refused for more than `MAX_PSEUDO_INVERSES` factors."""
    if count > MAX_PSEUDO_INVERSES:
        raise Refused(
            f"{count} factors {name}^+, or {name} beside it, are over the limit: ask for at most {MAX_PSEUDO_INVERSES} between "
            f"letters, or for powers, ({name}^+)^{count}"
        )


def haar_moment(monomial: Monomial, name: str) -> TracePolynomial:
    """The average of a product over the rotation ``name``, all other factors held fixed; for p >= d at 2 d factors.

    Raises ValueError for more than `MAX_ROTATIONS` factors.
    """
    fixed, factors, ends = _ends(monomial, lambda factor: base(factor) == name)
    count = len(factors)
    require_few_rotations(name, count)
    terms: list[tuple[Monomial, Rational]] = []
    if count % 2 == 0:
        # a transposed factor begins with its column
        turned = [factor.endswith(TRANSPOSED) for factor in factors]
        for rows in pairings(count):
            for columns in pairings(count):
                joints = [0] * (2 * count)
                for k in range(count):
                    joints[2 * k + turned[k]] = 2 * rows[k] + turned[rows[k]]
                    joints[2 * k + 1 - turned[k]] = 2 * columns[k] + 1 - turned[columns[k]]
                weight = orthogonal_weingarten(count // 2)[kind_of_two(rows, columns)]
                terms.append(_closed(monomial, fixed, cycles(tuple(joints), ends, ()), weight))
    return collect(terms, monomial.word is not None)


def pseudo_inverse_moment(monomial: Monomial, name: str) -> TracePolynomial:
    """The average of a product over W and (X^T X)^+ of standard normal rows, ``name`` that of the Wishart matrix.

    Raises ValueError for more than `MAX_PSEUDO_INVERSES` factors.
    """
    found = runs(monomial, name)
    count = len(found.exponents)
    require_few_inverses(name, count)
    fixed, factors, ends = _ends(found.rest, lambda factor: factor.startswith(name + PSEUDO))
    exponents = tuple(found.exponents[int(factor.removeprefix(name + PSEUDO))] for factor in factors)
    terms = []
    for pairing in pairings(2 * count):
        weight = in_rows(_frame_weight(pairing, exponents, found.traces), row_dimension(name))
        terms.append(_closed(monomial, fixed, cycles(pairing, ends, ()), weight))
    return collect(terms, monomial.word is not None)


class Runs(NamedTuple):
    """A product by the runs of a Wishart matrix and its Moore-Penrose inverse.

    ``exponents``: of each run that is a factor of ``rest``; ``traces``: of those that are traces by themselves.
    """

    exponents: list[int]
    traces: tuple[int, ...]
    rest: Monomial

    @property
    def inverses(self) -> int:
        """How many inverses are left."""
        return -sum(exponent for exponent in (*self.exponents, *self.traces) if exponent < 0)


def runs(monomial: Monomial, name: str) -> Runs:
    """A product with one factor for each run of the Wishart matrix ``name`` and its Moore-Penrose inverse."""
    exponents: list[int] = []
    alone: list[int] = []
    traces: list[Word] = []

    def exponent(run: Iterable[str]) -> int:
        return sum(-1 if is_pseudo(factor) else 1 for factor in run)

    def joined(word: Word) -> Word:
        found: list[str] = []
        for is_own, run in groupby(word, lambda factor: base(factor) == name):
            if is_own:
                found.append(f"{name}{PSEUDO}{len(exponents)}")
                exponents.append(exponent(run))
            else:
                found += run
        return tuple(found)

    for trace in monomial.traces:
        start = next((k for k, factor in enumerate(trace) if base(factor) != name), None)
        if start is None:
            alone.append(exponent(trace))
        else:
            traces.append(joined(trace[start:] + trace[:start]))
    rest = Monomial(tuple(traces), None if monomial.word is None else joined(monomial.word))
    return Runs(exponents, tuple(alone), rest)


def _ends(monomial: Monomial, chosen: Callable[[str], bool]) -> tuple[list[Word], list[str], Ends]:
    """The words without the chosen factors, these factors, and for the beginning (2 k) and the end (2 k + 1) of each where it
    leads: to which other, by which piece of a word."""
    words = monomial.words if monomial.word is None else (*monomial.traces, (*monomial.word, END))
    fixed: list[Word] = []
    factors: list[str] = []
    ends: Ends = []
    for word in words:
        places = [k for k, factor in enumerate(word) if chosen(factor)]
        if not places:
            fixed.append(word)
            continue
        first = len(factors)
        turned = word[places[0] :] + word[: places[0]]
        own = [factor for factor in turned if chosen(factor)]
        plain = tuple("" if chosen(factor) else factor for factor in turned[1:])
        between = pieces(plain, "")
        factors += own
        ends += [(0, ())] * (2 * len(own))
        for k, piece in enumerate(between):
            right, left = 2 * (first + k) + 1, 2 * (first + (k + 1) % len(own))
            ends[right], ends[left] = (left, piece), (right, transpose(piece))
    return fixed, factors, ends


def _closed(
    monomial: Monomial, fixed: list[Word], words: list[Word], weight: Rational
) -> tuple[Monomial, Rational]:
    """The product of closed words, that with the letter `END` opened again."""
    traces, opened = [], None
    for word in (*fixed, *words):
        turned = word if END in word else transpose(word)
        if END in turned:
            place = turned.index(END)
            opened = turned[place + 1 :] + turned[:place]
        else:
            traces.append(word)
    return product_of_traces(traces, opened if monomial.word is not None else None, weight)


def kind_of_two(one: tuple[int, ...], other: tuple[int, ...]) -> Partition:
    """Half the lengths of the cycles that two pairings make."""
    free, lengths = set(range(len(one))), []
    while free:
        place, length = min(free), 0
        while place in free:
            free -= {place, one[place]}
            place, length = other[one[place]], length + 1
        lengths.append(length)
    return tuple(sorted(lengths))


@lru_cache(maxsize=MAX_ROTATIONS)
def orthogonal_weingarten(degree: int) -> dict[Partition, Rational]:
    """Wg(kind; p) for pairings of 2 d factors: (-1)^d times the coefficients of E (tr V)^d of an inverse Wishart matrix V at -p."""
    numerators, roots = trace_numerators((1,) * degree)
    bottom = prod((_p + root for root in roots), start=RING.constant(1))
    sign = (-1) ** (degree + len(roots))
    return {
        kind: Rational(_at(value, -_p) * fmpq(sign, kind_count(kind)), bottom, {}).reduced()
        for (_, kind), value in numerators.items()
    }


@lru_cache(maxsize=1000)
def _frame_weight(pairing: tuple[int, ...], exponents: tuple[int, ...], traces: tuple[int, ...]) -> Rational:
    """c(pi) for factors Q S^e Q^T with these exponents, beside traces of these powers of S."""
    count = len(exponents)
    if not count:
        return _mean_of_traces(tuple(sorted(traces)))
    values = orthogonal_weingarten(count)
    return sum_of(
        values[kind_of_two(pairing, other)]
        * _mean_of_traces(tuple(sorted((*_powers(other, exponents), *traces))))
        for other in pairings(2 * count)
    )


def _powers(pairing: tuple[int, ...], exponents: tuple[int, ...]) -> list[int]:
    """The powers of S in the traces that the cycles of a pairing make."""
    free, found = set(range(len(pairing))), []
    while free:
        place, power = min(free), 0
        while place in free:
            power += exponents[place // 2]
            free -= {place, place ^ 1}
            place = pairing[place ^ 1]
        found.append(power)
    return found


@lru_cache(maxsize=1000)
def _mean_of_traces(powers: Partition) -> Rational:
    """E prod tr S^k for a Wishart matrix S of size n with p rows."""
    (value,) = moment(0, filter(None, powers), "identity").terms.values()
    exchanged = Rational(_exchanged(value.numerator), _exchanged(value.denominator), {})
    return exchanged * Rational.polynomial(_n ** powers.count(0))


def _exchanged(polynomial: fmpq_mpoly) -> fmpq_mpoly:
    """The polynomial with n for p and p for n."""
    places = [(COLUMNS, "n").index(name) for name in names_of(polynomial.context())]
    terms: dict[tuple[int, ...], fmpq] = {}
    for exponents, value in polynomial.to_dict().items():
        found = dict(zip(places, exponents, strict=True))
        terms[found.get(0, 0), found.get(1, 0)] = value
    return RING.from_dict(terms)


def _at(polynomial: fmpz_poly, place: fmpq_mpoly) -> fmpq_mpoly:
    total = RING.constant(0)
    for coefficient in reversed(polynomial.coeffs()):
        total = total * place + int(coefficient)
    return total
