"""Moments that the paper does not state, as steps: Wishart powers with their inverses, products, and other laws.

    -  general-wishart-mean           E W
    -  general-wishart-square         E W^2
    -  general-wishart-cube           E W^3
    -  general-wishart-two-traces     E tr(W) tr(W^2)
    -  wishart-between-letters        E W A W D W
    -  squared-trace-with-letter      E tr(A W)^2
    -  two-wisharts-sandwich          E W1 W2 W1
    -  two-wisharts-with-letter       E tr(W1 A W2 A^T)
    -  two-wisharts-alternating       E tr(W1 W2 W1 W2)
    -  inverse-wishart-mean           E W^-1
    -  inverse-wishart-square         E W^-2
    -  inverse-wishart-squared-trace  E tr(W^-1)^2
    -  inverse-wishart-cube-trace     E tr(W^-3)
    -  wishart-square-inverse-trace   E W^2 tr(W^-1)
    -  wishart-square-rademacher      E W^2, entries +1 or -1
    -  wishart-cube-rademacher        E W^3, entries +1 or -1
    -  two-wisharts-rademacher        E W1 W2 W1, entries +1 or -1
    -  wishart-square-laplace         E W^2, Laplace entries
    -  wishart-squared-trace-laplace  E tr(W)^2, Laplace entries
    -  wishart-cube-uniform           E W^3, uniform entries
    -  wishart-squared-trace-uniform  E tr(W)^2, uniform entries
    -  wishart-square-student         E W^2, entries of Student's law with 12 degrees of freedom

Each claim was worked out by hand in the way its source says: nothing of it comes from the engine, whose answer it is
compared with.
"""

from __future__ import annotations

import sympy
from sympy import Identity, MatrixSymbol, Rational, Trace

from derivations.language.symbols import n, n1, n2, p
from derivations.paper.moment_queries import Query, Sizes, inv, scaled, step_of, tr

I_P = Identity(p)
S, A, D = (MatrixSymbol(name, p, p) for name in ("Sigma", "A", "D"))
T1, T2, T3 = Trace(S), Trace(S**2), Trace(S**3)
V1, V2, V3 = Trace(S**-1), Trace(S**-2), Trace(S**-3)
# by how much the rows exceed the columns, which decides whether a moment of the inverse exists
Q = n - p

FEW: Sizes = ({"n": 9, "p": 2}, {"n": 14, "p": 5}, {"n": 17, "p": 3})
# with few rows, products of three and more spread widely about their mean, and so do squares under laws with long tails
MORE: Sizes = ({"n": 18, "p": 2}, {"n": 22, "p": 4}, {"n": 27, "p": 3})
# a product with k inverses has a variance when n - p > 4 k - 1; here this holds up to k = 3 with room to spare
TALL: Sizes = ({"n": 40, "p": 2}, {"n": 55, "p": 3}, {"n": 48, "p": 4})
TWO: Sizes = ({"n1": 16, "n2": 23, "p": 2}, {"n1": 20, "n2": 14, "p": 4}, {"n1": 15, "n2": 26, "p": 3})
# where one unit of a small coefficient is a large part of the value
SMALL: Sizes = ({"n": 1, "p": 1}, {"n": 1, "p": 2}, {"n": 2, "p": 1}, {"n": 3, "p": 2})
SMALL_TALL: Sizes = ({"n": 16, "p": 1}, {"n": 18, "p": 2}, {"n": 20, "p": 3})
SMALL_TWO: Sizes = ({"n1": 1, "n2": 2, "p": 1}, {"n1": 2, "n2": 1, "p": 2}, {"n1": 1, "n2": 1, "p": 3})

PAIRINGS = "the sum over all pairings of the Gaussian factors, taken by hand"
SYMMETRIC = f"{PAIRINGS}; D is symmetric"
DERIVATIVE = "the derivative in Sigma of the mean of Tr W^2, taken by hand"
HAFF = "what follows by hand from Haff's identity"
IN_TURN = "what follows by hand when one matrix is averaged after the other"
COUNT = "the sum over rows that are equal or not, taken by hand"

POWERS = (
    Query(
        "general-wishart-mean",
        "W",
        "Mean of a Wishart matrix",
        r"\mathbb{E}\,W",
        n * S,
        PAIRINGS,
        lambda m: m["W"],
        FEW,
        SMALL,
    ),
    Query(
        "general-wishart-square",
        "W^2",
        "Mean square of a Wishart matrix",
        r"\mathbb{E}\,W^2",
        n * (n + 1) * S**2 + n * T1 * S,
        PAIRINGS,
        lambda m: m["W"] @ m["W"],
        FEW,
        SMALL,
    ),
    Query(
        "general-wishart-cube",
        "W^3",
        "Mean cube of a Wishart matrix",
        r"\mathbb{E}\,W^3",
        n * (n**2 + 3 * n + 4) * S**3 + 2 * n * (n + 1) * T1 * S**2 + n * (n + 1) * T2 * S + n * T1**2 * S,
        PAIRINGS,
        lambda m: m["W"] @ m["W"] @ m["W"],
        MORE,
        SMALL,
    ),
    Query(
        "general-wishart-two-traces",
        "tr(W^2) tr(W)",
        "Mean product of the traces of a Wishart matrix and its square",
        r"\mathbb{E}\,\mathrm{Tr}\,W^2\,\mathrm{Tr}\,W",
        n**2 * T1**3 + n * (n**2 + n + 4) * T1 * T2 + 4 * n * (n + 1) * T3,
        DERIVATIVE,
        lambda m: tr(m["W"] @ m["W"]) * tr(m["W"]),
        MORE,
        SMALL,
    ),
)

LETTERS = (
    Query(
        "wishart-between-letters",
        "W A W D W",
        "Mean product of Wishart factors with fixed letters between them",
        r"\mathbb{E}\,WAWDW",
        n**2 * (n + 1) * S * A * S * D * S
        + n * (n + 1) * (S * A.T * S * D * S + S * D * S * A.T * S)
        + 2 * n * S * D * S * A * S
        + n**2 * Trace(D * S) * S * A * S
        + n * Trace(D * S) * S * A.T * S
        + n * (n + 1) * Trace(A * S) * S * D * S
        + n * (n + 1) * Trace(A * S * D * S) * S
        + n * Trace(A * S) * Trace(D * S) * S,
        SYMMETRIC,
        lambda m: m["W"] @ m["A"] @ m["W"] @ m["D"] @ m["W"],
        MORE,
        SMALL,
    ),
    Query(
        "squared-trace-with-letter",
        "tr(A W)^2",
        "Mean squared trace of a Wishart matrix times a fixed letter",
        r"\mathbb{E}\,(\mathrm{Tr}\,AW)^2",
        n**2 * Trace(A * S) ** 2 + n * Trace(A * S * A * S) + n * Trace(A * S * A.T * S),
        PAIRINGS,
        lambda m: tr(m["A"] @ m["W"]) ** 2,
        FEW,
        SMALL,
    ),
)

PRODUCTS = (
    Query(
        "two-wisharts-sandwich",
        "W1 W2 W1",
        "Mean of one Wishart matrix between two factors of another",
        r"\mathbb{E}\,W_1W_2W_1",
        n1 * n2 * (n1 + 1) * S**3 + n1 * n2 * T2 * S,
        IN_TURN,
        lambda m: m["W1"] @ m["W2"] @ m["W1"],
        TWO,
        SMALL_TWO,
    ),
    Query(
        "two-wisharts-with-letter",
        "tr(W1 A W2 A')",
        "Mean trace of two Wishart matrices with a fixed letter between",
        r"\mathbb{E}\,\mathrm{Tr}\,W_1AW_2A^T",
        n1 * n2 * Trace(S * A * S * A.T),
        IN_TURN,
        lambda m: tr(m["W1"] @ m["A"] @ m["W2"] @ m["A"].T),
        TWO,
        SMALL_TWO,
    ),
    Query(
        "two-wisharts-alternating",
        "tr(W1 W2 W1 W2)",
        "Mean trace of an alternating product of two Wishart matrices",
        r"\mathbb{E}\,\mathrm{Tr}\,W_1W_2W_1W_2",
        n1 * n2 * ((n1 * n2 + n1 + n2 + 3) * Trace(S**4) + (n1 + n2 + 1) * T2**2),
        IN_TURN,
        lambda m: tr(m["W1"] @ m["W2"] @ m["W1"] @ m["W2"]),
        TWO,
        SMALL_TWO,
    ),
)

INVERSES = (
    Query(
        "inverse-wishart-mean",
        "W^-1",
        "Mean inverse of a Wishart matrix",
        r"\mathbb{E}\,W^{-1}",
        S**-1 / (Q - 1),
        HAFF,
        lambda m: inv(m["W"]),
        TALL,
        SMALL_TALL,
        when="n - p > 1",
    ),
    Query(
        "inverse-wishart-square",
        "W^-2",
        "Mean squared inverse of a Wishart matrix",
        r"\mathbb{E}\,W^{-2}",
        ((Q - 1) * S**-2 + V1 * S**-1) / (Q * (Q - 1) * (Q - 3)),
        HAFF,
        lambda m: inv(m["W"] @ m["W"]),
        TALL,
        SMALL_TALL,
        when="n - p > 3",
    ),
    Query(
        "inverse-wishart-squared-trace",
        "tr(W^-1)^2",
        "Mean squared trace of the inverse of a Wishart matrix",
        r"\mathbb{E}\,(\mathrm{Tr}\,W^{-1})^2",
        ((Q - 2) * V1**2 + 2 * V2) / (Q * (Q - 1) * (Q - 3)),
        HAFF,
        lambda m: tr(inv(m["W"])) ** 2,
        TALL,
        SMALL_TALL,
        when="n - p > 3",
    ),
    Query(
        "inverse-wishart-cube-trace",
        "tr(W^-3)",
        "Mean trace of the cubed inverse of a Wishart matrix",
        r"\mathbb{E}\,\mathrm{Tr}\,W^{-3}",
        ((Q - 1) ** 2 * V3 + 3 * (Q - 1) * V1 * V2 + 2 * V1**3) / ((Q + 1) * Q * (Q - 1) * (Q - 3) * (Q - 5)),
        HAFF,
        lambda m: tr(inv(m["W"] @ m["W"] @ m["W"])),
        TALL,
        SMALL_TALL,
        when="n - p > 5",
    ),
    Query(
        "wishart-square-inverse-trace",
        "W^2 tr(W^-1)",
        "Mean square of a Wishart matrix times the trace of its inverse",
        r"\mathbb{E}\,W^2\,\mathrm{Tr}\,W^{-1}",
        (n * (n + 1) * V1 * S**2 + n * T1 * V1 * S - 4 * n * S) / (Q - 1),
        HAFF,
        lambda m: scaled(tr(inv(m["W"])), m["W"] @ m["W"]),
        TALL,
        SMALL_TALL,
        when="n - p > 1",
    ),
)


def _square(slug: str, law: str, kurtosis: sympy.Rational) -> Query:
    """E W^2 = n (n + p + kurtosis - 2) I, where E u^4 = kurtosis."""
    claim = n * (n + p + kurtosis - 2) * I_P
    what, label = "Mean square of a Wishart matrix", r"\mathbb{E}\,W^2"
    return Query(slug, "W^2", what, label, claim, COUNT, lambda m: m["W"] @ m["W"], MORE, SMALL, law)


def _cube(slug: str, law: str, kurtosis: sympy.Rational, sixth: sympy.Rational) -> Query:
    """E W^3, where E u^4 = kurtosis and E u^6 = sixth: the parts of three equal rows, of two, and of none."""
    equal = sixth + 3 * (p - 1) * kurtosis + (p - 1) * (p - 2)
    claim = n * (equal + 3 * (n - 1) * (kurtosis + p - 1) + (n - 1) * (n - 2)) * I_P
    what, label = "Mean cube of a Wishart matrix", r"\mathbb{E}\,W^3"
    return Query(slug, "W^3", what, label, claim, COUNT, lambda m: m["W"] @ m["W"] @ m["W"], MORE, SMALL, law)


def _squared_trace(slug: str, law: str, kurtosis: sympy.Rational) -> Query:
    """E (Tr W)^2, where E u^4 = kurtosis: Tr W is the sum of n p squares."""
    claim = n**2 * p**2 + (kurtosis - 1) * n * p
    what, label = "Mean squared trace of a Wishart matrix", r"\mathbb{E}\,(\mathrm{Tr}\,W)^2"
    return Query(slug, "tr(W)^2", what, label, claim, COUNT, lambda m: tr(m["W"]) ** 2, FEW, SMALL, law)


ONE = Rational(1)
LAWS = (
    _square("wishart-square-rademacher", "rademacher", ONE),
    _cube("wishart-cube-rademacher", "rademacher", ONE, ONE),
    Query(
        "two-wisharts-rademacher",
        "W1 W2 W1",
        "Mean of one Wishart matrix between two factors of another",
        r"\mathbb{E}\,W_1W_2W_1",
        n1 * n2 * (n1 + p - 1) * I_P,
        IN_TURN,
        lambda m: m["W1"] @ m["W2"] @ m["W1"],
        TWO,
        SMALL_TWO,
        "rademacher",
    ),
    _square("wishart-square-laplace", "laplace", Rational(6)),
    _squared_trace("wishart-squared-trace-laplace", "laplace", Rational(6)),
    _cube("wishart-cube-uniform", "uniform", Rational(9, 5), Rational(27, 7)),
    _squared_trace("wishart-squared-trace-uniform", "uniform", Rational(9, 5)),
    # E u^4 = 3 (12 - 2) / (12 - 4); the variance of the square needs the eighth moment, which exists
    _square("wishart-square-student", "student:12", Rational(15, 4)),
)

STEPS = tuple(step_of(query) for query in (*POWERS, *LETTERS, *PRODUCTS, *INVERSES, *LAWS))
