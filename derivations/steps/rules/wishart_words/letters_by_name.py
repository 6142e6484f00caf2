"""Words of a Wishart matrix and its inverse by the names of their factors: W = X^T X of real rows, H = X^* X of complex ones.

W is symmetric. The transpose of H is its conjugate, another matrix with other means beside H, so that a closed word of H is
always written in H.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import matmul, mul

from derivations.steps.move import DoesNotApply, Rule
from symbolic.algebra.words import Expression, constant, gaussian, identity, matrix, polynomial, tr, zero

Word = tuple[str, ...]
# closed words, and the open one; None in a scalar
Product = tuple[tuple[Word, ...], Word | None]

WISHART, INVERSE, SIGMA, SIGMA_INVERSE = "W", "W_inverse", "Sigma", "Sigma_inverse"
HERMITIAN, HERMITIAN_INVERSE = "H", "H_inverse"
WISHARTS, INVERSES = (WISHART, HERMITIAN), (INVERSE, HERMITIAN_INVERSE)
OF_COMPLEX = (HERMITIAN, HERMITIAN_INVERSE)
ROWS = gaussian("X", "n", "p", covariance=SIGMA)
# what is fixed: A need not be symmetric, D is
FIXED = ("A", "D")
LETTERS = {
    name: matrix(name, "p", "p", symmetric=name not in ("A", *OF_COMPLEX))
    for name in (*WISHARTS, *INVERSES, SIGMA, SIGMA_INVERSE, *FIXED)
}
TURNED = "'"
_PAIRS = (*zip(WISHARTS, INVERSES, strict=True), (SIGMA, SIGMA_INVERSE))
UNIT = frozenset({*_PAIRS, *(pair[::-1] for pair in _PAIRS)})


def is_complex(expr: Expression) -> bool:
    """Whether an expression is in H."""
    return bool(expr.letters().keys() & {*OF_COMPLEX})


def place_of(word: Word | None, names: tuple[str, ...]) -> int | None:
    """Where the first factor stands that is one of these."""
    return next((k for k, name in enumerate(word or ()) if name in names), None)


def zero_like(expr: Expression) -> Expression:
    """Zero of the same shape."""
    return zero(*expr.shape) if expr.shape else zero()


def products(expr: Expression) -> list[tuple[Product, Expression]]:
    """The terms, by names, with their coefficients."""
    odd = sorted(expr.letters().keys() - LETTERS.keys())
    if odd:
        raise DoesNotApply(
            f"{Rule.HAFF}: {', '.join(odd)} is no power of {WISHART}, and none of {', '.join(FIXED)}"
        )
    return [
        (
            (
                tuple(_in_h(_names(trace)) for trace in term.traces),
                None if term.word is None else _names(term.word),
            ),
            polynomial(coefficient),
        )
        for term, coefficient in expr.terms.items()
    ]


def _names(factors: Iterable[tuple[str, bool]]) -> Word:
    return tuple(name + TURNED * transposed for name, transposed in factors)


def _in_h(closed: Word) -> Word:
    """A closed word, or the transposed one if that is in H."""
    return turned_word(closed) if any(name + TURNED in closed for name in OF_COMPLEX) else closed


def word_of(names: Word) -> Expression:
    """The product of a word."""
    plain = ((LETTERS[name.removesuffix(TURNED)], name.endswith(TURNED)) for name in names)
    return reduce(matmul, (one.T if turned else one for one, turned in plain), identity("p"))


def turned_word(word: Word) -> Word:
    """The transposed product."""
    return tuple(
        name.removesuffix(TURNED) if name.endswith(TURNED) else name + TURNED * (name in ("A", *OF_COMPLEX))
        for name in reversed(word)
    )


def expression_of(product: Product) -> Expression:
    """A product of traces and at most one word."""
    closed, word = product
    traces = reduce(mul, (tr(word_of(cyclic(one))) for one in closed), constant(1))
    return traces if word is None else traces * word_of(plain(word))


def plain(word: Word) -> Word:
    """A word without neighbours that cancel."""
    found: list[str] = []
    for name in word:
        if found and (found[-1], name) in UNIT:
            found.pop()
        else:
            found.append(name)
    return tuple(found)


def cyclic(word: Word) -> Word:
    """A closed word without neighbours that cancel."""
    word = plain(word)
    while len(word) > 1 and (word[-1], word[0]) in UNIT:
        word = word[1:-1]
    return word


def count(product: Product, names: tuple[str, ...]) -> int:
    """How many factors are one of these."""
    closed, word = product
    return sum(name in names for one in (*closed, word or ()) for name in one)
