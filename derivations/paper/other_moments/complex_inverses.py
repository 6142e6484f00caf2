"""Moments with inverses of complex Wishart matrices W = X^* X as steps, for complex Gaussian rows of a real covariance.

    -  complex-inverse-wishart-mean             E W^-1
    -  complex-inverse-wishart-square           E W^-2
    -  letter-between-complex-inverses          E W^-1 A W^-1
    -  two-complex-inverse-traces-with-letters  E tr(A W^-1) tr(D W^-1)
    -  letter-between-complex-and-inverse       E W A W^-1

Claims are sums over permutations by hand: for one factor the multiple of Sigma^-1 that E tr(W W^-1) = p asks for, for two
the Weingarten functions of the two permutations at -(n - p), 1/(q^2 - 1) and 1/(q (q^2 - 1)) for q = n - p.
"""

from __future__ import annotations

from sympy import Identity, Trace

from derivations.language.symbols import n, p
from derivations.paper.moment_queries import Query, Sizes, inv, step_of, tr
from derivations.paper.moments import A, D, S
from symbolic.algebra.entry_laws import COMPLEX

WEINGARTEN = "the Weingarten function of the unitary group at p - n, by hand"
# a variance of d inverses needs n - p > 2 d - 1
SOME: Sizes = ({"n": 16, "p": 2}, {"n": 20, "p": 3}, {"n": 24, "p": 4})
SMALL: Sizes = ({"n": 12, "p": 1}, {"n": 14, "p": 2})
V, q = S.inv(), n - p
OF_INVERSE = "of the inverse of a complex Wishart matrix"

INVERSES = (
    Query(
        "complex-inverse-wishart-mean",
        "W^-1",
        f"Mean {OF_INVERSE}",
        r"\mathbb{E}\,W^{-1}",
        V / q,
        WEINGARTEN,
        lambda m: inv(m["W"]),
        SOME,
        SMALL,
        COMPLEX,
        "n - p > 0",
    ),
    Query(
        "complex-inverse-wishart-square",
        "W^-2",
        f"Mean square {OF_INVERSE}",
        r"\mathbb{E}\,W^{-2}",
        V * V / (q**2 - 1) + Trace(V) * V / (q * (q**2 - 1)),
        WEINGARTEN,
        lambda m: inv(m["W"]) @ inv(m["W"]),
        SOME,
        SMALL,
        COMPLEX,
        "n - p > 1",
    ),
    Query(
        "letter-between-complex-inverses",
        "W^-1 A W^-1",
        f"Mean of a fixed letter between two factors {OF_INVERSE}",
        r"\mathbb{E}\,W^{-1}AW^{-1}",
        V * A * V / (q**2 - 1) + Trace(A * V) * V / (q * (q**2 - 1)),
        WEINGARTEN,
        lambda m: inv(m["W"]) @ m["A"] @ inv(m["W"]),
        SOME,
        SMALL,
        COMPLEX,
        "n - p > 1",
    ),
    Query(
        "two-complex-inverse-traces-with-letters",
        "tr(A W^-1) tr(D W^-1)",
        f"Mean product of the traces {OF_INVERSE} times two fixed letters",
        r"\mathbb{E}\,\mathrm{Tr}\,AW^{-1}\,\mathrm{Tr}\,DW^{-1}",
        Trace(A * V) * Trace(D * V) / (q**2 - 1) + Trace(A * V * D * V) / (q * (q**2 - 1)),
        WEINGARTEN,
        lambda m: tr(m["A"] @ inv(m["W"])) * tr(m["D"] @ inv(m["W"])),
        SOME,
        SMALL,
        COMPLEX,
        "n - p > 1",
    ),
    Query(
        "letter-between-complex-and-inverse",
        "W A W^-1",
        "Mean of a fixed letter between a complex Wishart matrix and its inverse",
        r"\mathbb{E}\,WAW^{-1}",
        (n * S * A * V - Trace(A) * Identity(p)) / q,
        "integration by parts, by hand",
        lambda m: m["W"] @ m["A"] @ inv(m["W"]),
        SOME,
        SMALL,
        COMPLEX,
        "n - p > 0",
    ),
)

STEPS = tuple(step_of(query) for query in INVERSES)
