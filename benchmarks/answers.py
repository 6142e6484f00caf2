"""The engines' results in the form of `form_wick.Answer`, for comparison before timing."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from math import prod

import sympy
from flint import fmpq_mpoly, fmpz_poly

from benchmarks.form_wick import Answer, Trace, canonical
from symbolic.algebra.coefficients import names_of
from symbolic.algebra.expression import Expression
from symbolic.wishart.marked_basis import Vector
from symbolic.wishart.partitions import Partition

PowerAnswer = dict[tuple[int, Partition, int], int]
"""(power of Sigma, parts of the power sums, power of n) to an integer."""


def from_identity(moment: fmpq_mpoly) -> Answer:
    """A polynomial in n and p."""
    return {((), int(n), int(p)): int(value) for (n, p), value in moment.terms()}


def from_general(moment: Vector) -> Answer:
    """A scalar in n and the traces of powers of S."""
    return {
        (tuple(sorted(("S",) * part for part in partition)), power, 0): number
        for (_, partition), value in moment.items()
        for power, number in _powers(value)
    }


def from_words(moment: Expression, closing: str) -> Answer:
    """An open word moment, closed to a trace by a letter, with covariance named S and row count n."""
    total: Counter[tuple[tuple[Trace, ...], int, int]] = Counter()
    for term, value in moment.terms.items():
        closed = [*term.traces, (*term.word, (closing, False))] if term.word is not None else term.traces
        traces = tuple(
            sorted(
                canonical(name + ("t" if flip and name != "S" else "") for name, flip in w) for w in closed
            )
        )
        for power, number in _powers_of_n(value).items():
            total[traces, power, 0] += number
    return {key: value for key, value in total.items() if value}


def _powers_of_n(value: fmpq_mpoly) -> dict[int, int]:
    names = names_of(value.context())
    if names not in ((), ("n",)):
        raise ValueError(f"the coefficient {value} has other generators than n: compare such words otherwise")
    return {int(exponents[0]) if exponents else 0: int(number) for exponents, number in value.terms()}


def in_powers(moment: Vector) -> PowerAnswer:
    """A moment, of either kind, by the power of Sigma, the parts of its power sums and the power of n."""
    return {
        (j, partition, power): number
        for (j, partition), value in moment.items()
        for power, number in _powers(value)
    }


def collapsed(answer: PowerAnswer, is_matrix: bool) -> Answer:
    """The moment, or the trace of a matrix moment, at Sigma = I, where every power sum is p."""
    total: Counter[tuple[tuple[Trace, ...], int, int]] = Counter()
    for (_, partition, power), number in answer.items():
        total[(), power, len(partition) + is_matrix] += number
    return dict(total)


@cache
def _power_sums(partition: Partition, diagonal: tuple[int, ...]) -> int:
    return prod(sum(x**part for x in diagonal) for part in partition)


def at_diagonal(answer: PowerAnswer, n: int, sigma: Sequence[int]) -> tuple[int, ...]:
    """The diagonal of a matrix moment for n rows and a diagonal Sigma; of a scalar, the same number throughout."""
    diagonal = tuple(sigma)
    totals = [0] * len(diagonal)
    for (j, partition, power), number in answer.items():
        value = number * n**power * _power_sums(partition, diagonal)
        for place, x in enumerate(diagonal):
            totals[place] += value * x**j
    return tuple(totals)


def _powers(value: fmpz_poly) -> list[tuple[int, int]]:
    return [(power, int(number)) for power, number in enumerate(value.coeffs()) if number]


def chi_square(degree: int) -> dict[int, int]:
    """n (n+2) ... (n+2d-2) by powers of n: every moment of degree d at p = Sigma = 1."""
    total = {0: 1}
    for i in range(degree):
        longer: Counter[int] = Counter()
        for power, number in total.items():
            longer[power + 1] += number
            longer[power] += 2 * i * number
        total = {power: number for power, number in longer.items() if number}
    return total


def one_column(answer: Answer) -> dict[int, int]:
    """An answer at p = 1 and all letters 1, by powers of n."""
    total: Counter[int] = Counter()
    for (_, power, _), number in answer.items():
        total[power] += number
    return dict(total)


def at_sizes(answer: Answer, n: int, p: int) -> int:
    """The value of an answer without letters."""
    return sum(number * n**rows * p**columns for (_, rows, columns), number in answer.items())


def exchanged(answer: Answer) -> Answer:
    """The answer with n and p exchanged."""
    return {(traces, p, n): number for (traces, n, p), number in answer.items()}


def from_sympy(moment: sympy.Expr) -> Answer:
    """A SymPy polynomial in n and p."""
    terms = sympy.Poly(moment, *sympy.symbols("n p")).as_dict()
    return {((), int(n), int(p)): int(number) for (n, p), number in terms.items()}
