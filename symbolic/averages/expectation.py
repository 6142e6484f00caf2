"""Exact expectations of expressions in Gaussian matrices, by integration by parts on words.

`expect` is linear. A monomial becomes a product of traces (an open word is closed by a letter of its own),
falls apart into factors that share no random matrix, and each factor is integrated by the steps of
`symbolic.averages.by_parts`, one pair of random letters at a time, all states with equally many letters together.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping
from functools import cache, lru_cache
from math import prod

from flint import fmpq_mpoly

from symbolic.algebra import canonical, letters, terms
from symbolic.algebra.canonical import Monomial
from symbolic.algebra.coefficients import NUMBERS, multiply
from symbolic.algebra.entry_laws import law
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import ONE, Letter, covariance_letter, letter_of
from symbolic.algebra.terms import Terms, accumulate
from symbolic.averages.by_parts import Alphabet, Contractions, State
from symbolic.averages.packing import Packing

CACHE_SIZE = 1_000_000
"""How many states and words are remembered before those of the oldest alphabet are forgotten."""

END = ""
"""Name of the letter that closes an open word into a trace; no letter of a reader has it."""

_engines: OrderedDict[tuple[tuple[Letter, ...], tuple[Letter, ...]], Contractions] = OrderedDict()


def clear_cache() -> None:
    """Forget every remembered moment and contraction."""
    _engines.clear()
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
    other_laws = {name: law(known[name].law or "") for name in names if known[name].law is not None}
    if other_laws:
        from symbolic.averages.over_laws import expect_law  # which itself takes Gaussian expectations

        return expect_law(expect(expr, names - other_laws.keys()), other_laws)
    indices = expr.letter_indices
    for name in names:
        covariance = covariance_letter(known[name])
        if covariance is not None:
            indices = letters.merge_alphabets(indices, frozenset((letters.index_of(covariance),)))
    end = chr(2 * letters.index_of(Letter(END, expr.shape[1], expr.shape[0]))) if expr.shape else ""
    total: dict[Monomial, fmpq_mpoly] = {}
    for (traces, word), value in expr.monomials.items():
        closed = traces if word is None else (*traces, *(canonical.closed(word + end) or ()))
        is_one = value.is_one()
        moment = _moment(closed, names)
        if is_one and not end and not total:
            total.update(moment)
            continue
        for result, factor in moment.items():
            accumulate(total, _reopen(result[0], end), factor if is_one else multiply(value, factor))
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


def _reopen(traces: tuple[str, ...], end: str) -> Monomial:
    """The monomial whose open word was closed by ``end``."""
    if not end:
        return traces, None
    for position, trace in enumerate(traces):
        for text in (trace, canonical.transpose(trace)):
            place = text.find(end)
            if place >= 0:
                return traces[:position] + traces[position + 1 :], text[place + 1 :] + text[:place]
    raise AssertionError("integration by parts keeps every deterministic letter")


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


def _engine(involved: Collection[Letter], names: frozenset[str]) -> Contractions:
    """The remembered contractions over the alphabet of some letters and their covariances."""
    random = sorted((x for x in involved if x.name in names), key=lambda x: x.name)
    covariances = {sigma for x in random if (sigma := covariance_letter(x)) is not None}
    others = sorted({x for x in involved if x.name not in names} - covariances, key=lambda x: x.name)
    fixed = [*others, *sorted(covariances, key=lambda x: x.name)]
    key = tuple(fixed), tuple(random)
    engine = _engines.pop(key, None) or Contractions(Alphabet(*key))
    while _engines and engine.size + sum(known.size for known in _engines.values()) > CACHE_SIZE:
        _engines.popitem(last=False)
    _engines[key] = engine
    return engine


@lru_cache(maxsize=1 << 14)
def _integrate(traces: tuple[str, ...], names: frozenset[str]) -> Terms:
    """The expectation of a product of traces each of which holds random letters."""
    characters = set("".join(traces))
    counts = Counter(letter_of(c).name for trace in traces for c in trace)
    if any(counts[name] % 2 for name in names):
        return {}
    contractions = _engine({letter_of(c) for c in characters}, names)
    alphabet = contractions.alphabet
    codes = {c: alphabet.code[letter_of(c), letters.is_transposed(c)] for c in characters}
    state: list[bytes] = []
    for trace in traces:
        closed = contractions.closed(bytes(codes[c] for c in trace))
        state.extend(closed[0] if closed else ())
    degrees = Counter(alphabet.rows[code] for word in state for code in word)
    degrees.pop(ONE, None)
    pairings = prod(prod(range(counts[name] - 1, 0, -2)) for name in names)
    packing = Packing(degrees, pairings)
    decode = _decoder(alphabet)
    total: dict[Monomial, fmpq_mpoly] = {}
    for product, polynomial in _accumulated(contractions, packing, tuple(sorted(state))).items():
        words, value = packing.unpack(product, polynomial)
        accumulate(total, (tuple(sorted(x for word in words for x in decode(word))), None), value)
    return total


def _accumulated(contractions: Contractions, packing: Packing, start: State) -> dict[int, int]:
    """All contractions of ``start``, packed, level by level until no random letter is left."""
    level: dict[State, dict[int, int]] = {start: {0: 1}}
    while () not in level:
        following: dict[State, dict[int, int]] = {}
        for state, packed in level.items():
            for child, loops, count in contractions.steps(state):
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


def _decoder(alphabet: Alphabet) -> Callable[[bytes], tuple[str, ...]]:
    """How finished words are written in the letter codes of expressions."""
    codes = [
        chr(2 * letters.index_of(letter) + (transposed and not letter.symmetric))
        for letter, transposed in alphabet.factors
    ]

    @cache
    def decode(word: bytes) -> tuple[str, ...]:
        return canonical.closed("".join(map(codes.__getitem__, word))) or ()

    return decode
