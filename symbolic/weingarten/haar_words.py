"""Averages over rotations: words of a Haar-distributed orthogonal matrix, and of the Moore-Penrose inverse of X^T X for p > n.

For an orthogonal p x p matrix O with the uniform law, and pairings pi of the rows and sigma of the columns of 2 d factors,

    E prod_k O_{i_k j_k} = sum_{pi, sigma} Wg(pi, sigma; p) prod_{{k, l} in pi} delta(i_k, i_l) prod_{{k, l} in sigma} delta(j_k, j_l),

Wg the Weingarten function of the orthogonal group (Collins and Sniady, Commun. Math. Phys. 264, 2006), for p >= d.

The rows of the n x p matrix X being standard normal, V = (X^T X)^+ = Q S^-1 Q^T, where the p x n frame Q is uniform and independent
of S = X X^T, a Wishart matrix of size n with p rows. So

    E prod_k V_{i_{2k} i_{2k+1}} = sum_pi c(pi) prod_{{a, b} in pi} delta(i_a, i_b),   c(pi) = sum_sigma Wg(pi, sigma; p) E p_sigma(S^-1),

with p_sigma the product of the traces of powers of S^-1 that the cycles of sigma make. It exists for p - n > 2 d - 1
(Cook and Forzani, Electron. J. Stat. 5, 2011).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import prod

from flint import fmpq, fmpq_mpoly, fmpz_poly

from symbolic.algebra.quotients import Rational, sum_of
from symbolic.algebra.refusal import Refused
from symbolic.weingarten.inverse_words import cycles, kind_count, kind_of, pairings, pieces
from symbolic.wishart.fixed_letters import PSEUDO, TRANSPOSED, Word, base, row_dimension, transpose
from symbolic.wishart.identity import RING
from symbolic.wishart.partitions import Partition
from symbolic.wishart.trace_polynomial import Monomial, TracePolynomial, collect, product_of_traces
from symbolic.wishart.wishart_inverse import trace_numerators
from symbolic.wishart.wishart_moment import in_rows

MAX_ROTATIONS = 6
"""Most factors of one rotation in a product: there are (2 d - 1)!!^2 pairs of pairings, and they are checked at p >= d."""

MAX_PSEUDO_INVERSES = 3
"""Most Moore-Penrose inverses in a product: they are checked at p >= 2 d + 1."""

END = "end"
Ends = list[tuple[int, Word]]

_n, _p = RING.gens()


def haar_moment(monomial: Monomial, name: str) -> TracePolynomial:
    """The average of a product over the rotation ``name``, all other factors held fixed; for p >= d at 2 d factors.

    Raises ValueError for more than `MAX_ROTATIONS` factors.
    """
    fixed, factors, ends = _ends(monomial, lambda factor: base(factor) == name)
    count = len(factors)
    if count > MAX_ROTATIONS:
        raise Refused(f"{count} factors of {name} are over the limit: ask for at most {MAX_ROTATIONS}")
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
    """The average of a product over (X^T X)^+ of standard normal rows, ``name`` that of the Wishart matrix; for p - n > 2 d - 1.

    Raises ValueError for more than `MAX_PSEUDO_INVERSES` factors.
    """
    fixed, factors, ends = _ends(monomial, lambda factor: factor == name + PSEUDO)
    count = len(factors)
    if count > MAX_PSEUDO_INVERSES:
        raise Refused(
            f"{count} Moore-Penrose inverses of {name} are over the limit: ask for at most {MAX_PSEUDO_INVERSES}"
        )
    terms = []
    for pairing in pairings(2 * count):
        weight = in_rows(_pseudo_inverse_weights(count)[kind_of(pairing)], row_dimension(name))
        terms.append(_closed(monomial, fixed, cycles(pairing, ends, ()), weight))
    return collect(terms, monomial.word is not None)


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


@lru_cache(maxsize=MAX_PSEUDO_INVERSES)
def _pseudo_inverse_weights(degree: int) -> dict[Partition, Rational]:
    """c(pi) by the kind of a pairing."""
    means: dict[Partition, Rational] = {}
    values = orthogonal_weingarten(degree)
    found: dict[Partition, Rational] = {}
    for pairing in pairings(2 * degree):
        kind = kind_of(pairing)
        if kind not in found:
            found[kind] = sum_of(_over_columns(pairing, degree, values, means))
    return found


def _over_columns(
    pairing: tuple[int, ...],
    degree: int,
    values: dict[Partition, Rational],
    means: dict[Partition, Rational],
) -> Iterator[Rational]:
    for other in pairings(2 * degree):
        cycle = kind_of(other)
        if cycle not in means:
            means[cycle] = _mean_of_traces(cycle)
        yield values[kind_of_two(pairing, other)] * means[cycle]


def _mean_of_traces(parts: Partition) -> Rational:
    """E prod tr S^-k for a Wishart matrix S of size n with p rows."""
    numerators, roots = trace_numerators(parts)
    free = _p - _n - 1
    top = sum(
        (_at(value, free) * _n ** len(cycle) for (_, cycle), value in numerators.items()),
        RING.constant(0),
    )
    return Rational(top, prod((free - root for root in roots), start=RING.constant(1)), {}).reduced()


def _at(polynomial: fmpz_poly, place: fmpq_mpoly) -> fmpq_mpoly:
    total = RING.constant(0)
    for coefficient in reversed(polynomial.coeffs()):
        total = total * place + int(coefficient)
    return total
