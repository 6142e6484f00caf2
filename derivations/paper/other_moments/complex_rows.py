"""Moments of complex Wishart matrices W = X^* X as steps, for complex Gaussian rows of a real covariance.

    -  complex-wishart-mean                  E W
    -  complex-wishart-square                E W^2
    -  complex-wishart-cube                  E W^3
    -  complex-wishart-squared-trace         E tr(W)^2
    -  complex-wishart-square-trace          E tr(W^2)
    -  complex-wishart-times-trace           E W tr(W)
    -  letter-between-complex-wisharts       E W A W
    -  complex-wishart-two-traces            E tr(A W) tr(D W)
    -  complex-wishart-trace-with-letters    E tr(A W D W)
    -  complex-wishart-times-letter-trace    E W tr(A W)
    -  two-complex-wisharts-sandwich         E W1 A W2 W1

Claims are sums over permutations, taken by hand: no entry of X is paired with another of X, only with one of X^*. The moves
write W as R + i J in real Gaussian rows and integrate these by parts, so that nothing complex is left.
"""

from __future__ import annotations

from sympy import Trace

from derivations.language.symbols import n, n1, n2
from derivations.paper.moment_queries import Query, scaled, step_of, tr
from derivations.paper.moments import FEW, MORE, SMALL, SMALL_TWO, T1, T2, TWO, A, D, S
from symbolic.algebra.entry_laws import COMPLEX

PERMUTATIONS = "the sum over all permutations that pair the factors of X with those of X^*, taken by hand"
OF_COMPLEX = "of a complex Wishart matrix"

POWERS = (
    Query(
        "complex-wishart-mean",
        "W",
        f"Mean {OF_COMPLEX}",
        r"\mathbb{E}\,W",
        n * S,
        PERMUTATIONS,
        lambda m: m["W"],
        FEW,
        SMALL,
        COMPLEX,
    ),
    Query(
        "complex-wishart-square",
        "W^2",
        f"Mean square {OF_COMPLEX}",
        r"\mathbb{E}\,W^2",
        n**2 * S**2 + n * T1 * S,
        PERMUTATIONS,
        lambda m: m["W"] @ m["W"],
        FEW,
        SMALL,
        COMPLEX,
    ),
    Query(
        "complex-wishart-cube",
        "W^3",
        f"Mean cube {OF_COMPLEX}",
        r"\mathbb{E}\,W^3",
        n * (n**2 + 1) * S**3 + 2 * n**2 * T1 * S**2 + n**2 * T2 * S + n * T1**2 * S,
        PERMUTATIONS,
        lambda m: m["W"] @ m["W"] @ m["W"],
        MORE,
        SMALL,
        COMPLEX,
    ),
    Query(
        "complex-wishart-squared-trace",
        "tr(W)^2",
        f"Mean squared trace {OF_COMPLEX}",
        r"\mathbb{E}\,(\mathrm{Tr}\,W)^2",
        n**2 * T1**2 + n * T2,
        PERMUTATIONS,
        lambda m: tr(m["W"]) ** 2,
        FEW,
        SMALL,
        COMPLEX,
    ),
    Query(
        "complex-wishart-square-trace",
        "tr(W^2)",
        f"Mean trace of the square {OF_COMPLEX}",
        r"\mathbb{E}\,\mathrm{Tr}\,W^2",
        n**2 * T2 + n * T1**2,
        PERMUTATIONS,
        lambda m: tr(m["W"] @ m["W"]),
        FEW,
        SMALL,
        COMPLEX,
    ),
    Query(
        "complex-wishart-times-trace",
        "W tr(W)",
        f"Mean {OF_COMPLEX} times its trace",
        r"\mathbb{E}\,W\,\mathrm{Tr}\,W",
        n**2 * T1 * S + n * S**2,
        PERMUTATIONS,
        lambda m: scaled(tr(m["W"]), m["W"]),
        FEW,
        SMALL,
        COMPLEX,
    ),
)

LETTERS = (
    Query(
        "letter-between-complex-wisharts",
        "W A W",
        "Mean of a fixed letter between two factors of a complex Wishart matrix",
        r"\mathbb{E}\,WAW",
        n**2 * S * A * S + n * Trace(A * S) * S,
        PERMUTATIONS,
        lambda m: m["W"] @ m["A"] @ m["W"],
        FEW,
        SMALL,
        COMPLEX,
    ),
    Query(
        "complex-wishart-two-traces",
        "tr(A W) tr(D W)",
        f"Mean product of the traces {OF_COMPLEX} times two fixed letters",
        r"\mathbb{E}\,\mathrm{Tr}\,AW\,\mathrm{Tr}\,DW",
        n**2 * Trace(A * S) * Trace(D * S) + n * Trace(A * S * D * S),
        PERMUTATIONS,
        lambda m: tr(m["A"] @ m["W"]) * tr(m["D"] @ m["W"]),
        FEW,
        SMALL,
        COMPLEX,
    ),
    Query(
        "complex-wishart-trace-with-letters",
        "tr(A W D W)",
        f"Mean trace of two factors {OF_COMPLEX} with fixed letters between them",
        r"\mathbb{E}\,\mathrm{Tr}\,AWDW",
        n**2 * Trace(A * S * D * S) + n * Trace(A * S) * Trace(D * S),
        PERMUTATIONS,
        lambda m: tr(m["A"] @ m["W"] @ m["D"] @ m["W"]),
        FEW,
        SMALL,
        COMPLEX,
    ),
    Query(
        "complex-wishart-times-letter-trace",
        "W tr(A W)",
        f"Mean {OF_COMPLEX} times its trace with a fixed letter",
        r"\mathbb{E}\,W\,\mathrm{Tr}\,AW",
        n**2 * Trace(A * S) * S + n * S * A * S,
        PERMUTATIONS,
        lambda m: scaled(tr(m["A"] @ m["W"]), m["W"]),
        FEW,
        SMALL,
        COMPLEX,
    ),
    Query(
        "two-complex-wisharts-sandwich",
        "W1 A W2 W1",
        "Mean of a complex Wishart matrix with a fixed letter between two factors of another",
        r"\mathbb{E}\,W_1AW_2W_1",
        n1**2 * n2 * S * A * S**2 + n1 * n2 * Trace(A * S**2) * S,
        PERMUTATIONS,
        lambda m: m["W1"] @ m["A"] @ m["W2"] @ m["W1"],
        TWO,
        SMALL_TWO,
        COMPLEX,
    ),
)

STEPS = tuple(step_of(query) for query in (*POWERS, *LETTERS))
