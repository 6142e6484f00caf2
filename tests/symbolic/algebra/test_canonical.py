"""Canonical closed words, down at the letter codes."""

import pytest

from symbolic.algebra.canonical import closed, opened, transpose
from symbolic.algebra.letters import index_of
from symbolic.algebra.words import gaussian, matrix, unit, vector


def code(expr):
    """The character of a single letter."""
    (((_, word), _),) = expr.monomials.items()
    return word


A = code(matrix("A", "p", "p"))
D = code(matrix("D", "p", "p", symmetric=True))
X = code(gaussian("X", "n", "p"))
W, U = code(vector("w", "p")), code(vector("u", "p"))
E1, E2 = code(unit("p", 1)), code(unit("p", 2))


def test_transposition_reverses_and_flips():
    assert transpose(A + D) == D + transpose(A)
    assert transpose(D) == D
    assert transpose(transpose(X + A)) == X + A


@pytest.mark.parametrize("word", [A + D + A, transpose(X) + X + A, D * 3 + A])
def test_all_turns_share_one_representative(word):
    for turn in range(len(word)):
        turned = word[turn:] + word[:turn]
        assert closed(turned) == closed(transpose(turned)) == closed(word)
        assert len(closed(word)) == 1


def test_a_trace_through_dimension_one_falls_apart():
    word = A + W + transpose(U) + D + U + transpose(W)
    assert closed(word) == tuple(sorted(closed(transpose(W) + A + W) + closed(transpose(U) + D + U)))
    assert closed(W + transpose(U) + A + E1 + transpose(E2)) is not None
    assert closed(W + transpose(W) + E1 + transpose(E2) + E2 + transpose(E1)) == closed(
        transpose(W) + E1 + transpose(E1) + W
    )


def test_orthogonal_basis_vectors_make_zero():
    assert closed(E1 + transpose(E2)) is None
    assert closed(E1 + transpose(E1)) == ()
    assert closed(A + E1 + transpose(E2) + E1 + transpose(W)) is None
    assert opened(A + E1 + transpose(E2) + E1, False, True) is None


def test_open_words_keep_their_ends():
    assert opened(A + W, False, True) == ((), A + W)
    assert opened(W + transpose(U), False, False) == ((), W + transpose(U))
    assert opened(transpose(W) + A + U, True, True) == (closed(transpose(W) + A + U), "")
    assert opened(A + W + transpose(U) + D + U + transpose(W), False, False) == (
        closed(transpose(U) + D + U),
        A + W + transpose(W),
    )


def test_letters_are_interned():
    letter = matrix("A", "p", "p").letters()["A"]
    assert index_of(letter) == ord(A) >> 1
