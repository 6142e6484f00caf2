"""Exact expectations of expressions in Gaussian matrices, by integration by parts on words.

`expect` is linear. A monomial becomes a product of traces (an open word is closed by a letter of its own),
falls apart into factors that share no random matrix, and each factor is integrated by the steps of
`symbolic.averages.by_parts`, one pair of random letters at a time, all states with equally many letters together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from functools import lru_cache
from math import prod

from flint import fmpq_mpoly

from symbolic.algebra import canonical, letters, terms
from symbolic.algebra.canonical import Monomial
from symbolic.algebra.coefficients import NUMBERS, multiply
from symbolic.algebra.entry_laws import law_of_letter
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import ONE, Letter, covariance_letter, letter_of
from symbolic.algebra.terms import Terms, accumulate
from symbolic.averages import by_parts
from symbolic.averages.by_parts import State
from symbolic.averages.packing import Packing


def clear_cache() -> None:
    """Forget every remembered moment and contraction."""
    by_parts.steps.cache_clear()
    _integrate.cache_clear()


def expect(expr: Expression, over: Collection[str] | None = None) -> Expression:
    """The expectation of ``expr`` over the random letters named in ``over`` (None: over all of them).

    Random letters that are not named stay as they are. Dimensions stay symbols. Letters of another law than
    the Gaussian are averaged by their cumulants (`symbolic.averages.over_laws`), after the Gaussian ones.
    Raises ValueError when ``over`` names a letter that is not random, and for other laws what
    `symbolic.averages.over_laws.expect_law` raises.
    """
    known = expr.letters()
    names = random_names(known, over)
    other_laws = {name: law_of_letter(known[name].law or "") for name in names if known[name].law is not None}
    if other_laws:
        from symbolic.averages.over_laws import expect_law  # which itself takes Gaussian expectations

        return expect_law(expect(expr, names - other_laws.keys()), other_laws)
    indices = expr.letter_indices
    for name in names:
        covariance = covariance_letter(known[name])
        if covariance is not None:
            indices = letters.merge_alphabets(indices, frozenset((letters.index_of(covariance),)))
    end = letters.end_letter(expr.shape)
    total: dict[Monomial, fmpq_mpoly] = {}
    for (traces, word), value in expr.monomials.items():
        closed = traces if word is None else (*traces, *(canonical.closed(word + end) or ()))
        is_one = value.is_one()
        moment = _moment(closed, names)
        if is_one and not end and not total:
            total.update(moment)
            continue
        for result, factor in moment.items():
            key = canonical.reopened(result[0], end) if end else result
            assert key is not None  # integration by parts keeps every deterministic letter
            accumulate(total, key, factor if is_one else multiply(value, factor))
    return Expression(total, expr.shape, indices)


def random_names(known: Mapping[str, Letter], over: Collection[str] | None) -> frozenset[str]:
    """The random letters to integrate over.

    Raises ValueError when ``over`` names a deterministic letter, or is a string instead of a collection.
    """
    random = frozenset(name for name, letter in known.items() if letter.random)
    if over is None:
        return random
    if isinstance(over, str):
        raise ValueError(f"over needs a collection of names: write over=({over!r},)")
    fixed = sorted(name for name in over if name in known and not known[name].random)
    if fixed:
        raise ValueError(f"{', '.join(fixed)} is not random: name Gaussian matrices only")
    return random & frozenset(over)


def covariance(a: Expression, b: Expression, over: Collection[str] | None = None) -> Expression:
    """E[a b] - E[a] E[b] of two scalar expressions. Raises ValueError when one is a matrix."""
    if not (a.is_scalar and b.is_scalar):
        raise ValueError("a covariance needs two scalars: take elements with unit vectors, or a trace")
    return expect(a * b, over) - expect(a, over) * expect(b, over)


def variance(expr: Expression, over: Collection[str] | None = None) -> Expression:
    """The variance of a scalar expression. Raises ValueError when it is a matrix."""
    return covariance(expr, expr, over)


def _moment(traces: tuple[str, ...], names: frozenset[str]) -> Terms:
    """The expectation of a product of traces over the random letters ``names``; the traces in the result."""
    fixed: list[str] = []
    groups: list[tuple[frozenset[str], tuple[str, ...]]] = []
    for trace in traces:
        random = frozenset(letter_of(c).name for c in trace) & names
        if not random:
            fixed.append(trace)
            continue
        members: tuple[str, ...] = (trace,)
        for group in [group for group in groups if group[0] & random]:
            groups.remove(group)
            random, members = random | group[0], members + group[1]
        groups.append((random, members))
    factors = [_integrate(tuple(sorted(members)), random) for random, members in groups]
    if fixed:
        factors.append({(tuple(sorted(fixed)), None): NUMBERS.constant(1)})
    return terms.product(factors)


@lru_cache(maxsize=1 << 14)
def _integrate(traces: tuple[str, ...], names: frozenset[str]) -> Terms:
    """The expectation of a product of traces each of which holds random letters."""
    counts = Counter(letter_of(c).name for trace in traces for c in trace)
    if any(counts[name] % 2 for name in names):
        return {}
    upright = {c for trace in traces for c in trace if letter_of(c).name in names}
    random = frozenset(upright.union(map(canonical.transpose, upright)))
    degrees = Counter(letters.row_dimension(c) for trace in traces for c in trace)
    degrees.pop(ONE, None)
    pairings = prod(prod(range(counts[name] - 1, 0, -2)) for name in names)
    packing = Packing(degrees, pairings)
    total: dict[Monomial, fmpq_mpoly] = {}
    for product, polynomial in _accumulated(random, packing, traces).items():
        words, value = packing.unpack(product, polynomial)
        accumulate(total, (tuple(sorted(words)), None), value)
    return total


def _accumulated(random: frozenset[str], packing: Packing, start: State) -> dict[int, int]:
    """All contractions of ``start``, packed, level by level until no random letter is left."""
    level: dict[State, dict[int, int]] = {start: {0: 1}}
    while () not in level:
        following: dict[State, dict[int, int]] = {}
        for state, packed in level.items():
            for child, loops, count in by_parts.steps(state, random):
                move, shift = packing.move(loops) if loops else (0, 0)
                times, factor = packing.times(move), count << shift
                target = following.get(child)
                if target is None:
                    following[child] = {times[key]: value * factor for key, value in packed.items()}
                    continue
                for key, value in packed.items():
                    moved = times[key]
                    target[moved] = target.get(moved, 0) + value * factor
        if not following:
            return {}
        level = following
    return level[()]
