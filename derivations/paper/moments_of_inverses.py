"""Moments of the inverse of a Wishart matrix beside fixed letters, the matrix itself, and another, as steps.

    -  inverse-wishart-trace-with-letter             E tr(A W^-1)
    -  letter-between-wishart-and-inverse            E W A W^-1
    -  symmetric-letter-between-wishart-and-inverse  E W D W^-1
    -  trace-of-letters-with-wishart-and-inverse     E tr(W A W^-1 D)
    -  wishart-times-inverse-trace                   E W tr(W^-1)
    -  wishart-times-inverse-trace-with-letter       E W tr(A W^-1)
    -  trace-and-inverse-trace-with-letters          E tr(A W) tr(D W^-1)
    -  trace-and-inverse-trace                       E tr(W) tr(W^-1)
    -  letter-between-inverse-wisharts               E W^-1 A W^-1
    -  symmetric-letter-between-inverse-wisharts     E W^-1 D W^-1
    -  squared-inverse-trace-with-letter             E tr(A W^-1)^2
    -  inverse-wishart-times-trace-with-letter       E W^-1 tr(A W^-1)
    -  two-inverse-traces-with-letters               E tr(A W^-1) tr(D W^-1)
    -  inverse-wishart-times-its-trace               E W^-1 tr(W^-1)
    -  inverse-wishart-square-trace                  E tr(W^-2)
    -  trace-of-letters-between-inverses             E tr(A W^-1 D W^-1)
    -  letter-between-wishart-and-another-inverse    E W1 A W^-1
    -  inverse-between-wisharts                      E W1 W^-1 W1
    -  f-matrix-trace                                E tr(W1 W^-1)
    -  wishart-between-inverses                      E W^-1 W1 W^-1
    -  f-matrix-squared-trace                        E tr(W1 W^-1)^2
    -  f-matrix-square                               E W1 W^-1 W1 W^-1

Each claim was worked out by hand in the way its source says, as in `derivations.paper.moments`.
"""

from __future__ import annotations

from sympy import Trace

from derivations.language.symbols import n, n1, p
from derivations.paper.moment_queries import Query, Sizes, inv, scaled, step_of, tr
from derivations.paper.moments import HAFF, I_P, IN_TURN, SMALL_TALL, T1, V1, V2, A, D, Q, S

V = S**-1
C2 = Q * (Q - 1) * (Q - 3)
HAFF_SYMMETRIC = f"{HAFF}; D is symmetric"
# W is inverted, W1 is another one
MANY: Sizes = ({"n": 160, "p": 2}, {"n": 240, "p": 4}, {"n": 200, "p": 3})
MANY_TWO: Sizes = (
    {"n": 160, "n1": 210, "p": 2},
    {"n": 240, "n1": 180, "p": 4},
    {"n": 200, "n1": 230, "p": 3},
)
SMALL_TALL_TWO: Sizes = ({"n": 16, "n1": 1, "p": 1}, {"n": 18, "n1": 2, "p": 2}, {"n": 20, "n1": 1, "p": 3})


BESIDE = (
    Query(
        "inverse-wishart-trace-with-letter",
        "tr(A W^-1)",
        "Mean trace of the inverse of a Wishart matrix times a fixed letter",
        r"\mathbb{E}\,\mathrm{Tr}\,AW^{-1}",
        Trace(A * V) / (Q - 1),
        HAFF,
        lambda m: tr(m["A"] @ inv(m["W"])),
        MANY,
        SMALL_TALL,
        when="n - p > 1",
    ),
    Query(
        "letter-between-wishart-and-inverse",
        "W A W^-1",
        "Mean of a fixed letter between a Wishart matrix and its inverse",
        r"\mathbb{E}\,WAW^{-1}",
        (n * S * A * V - A.T - Trace(A) * I_P) / (Q - 1),
        HAFF,
        lambda m: m["W"] @ m["A"] @ inv(m["W"]),
        MANY,
        SMALL_TALL,
        when="n - p > 1",
    ),
    Query(
        "symmetric-letter-between-wishart-and-inverse",
        "W D W^-1",
        "Mean of a fixed symmetric letter between a Wishart matrix and its inverse",
        r"\mathbb{E}\,WDW^{-1}",
        (n * S * D * V - D - Trace(D) * I_P) / (Q - 1),
        HAFF_SYMMETRIC,
        lambda m: m["W"] @ m["D"] @ inv(m["W"]),
        MANY,
        SMALL_TALL,
        when="n - p > 1",
    ),
    Query(
        "trace-of-letters-with-wishart-and-inverse",
        "tr(W A W^-1 D)",
        "Mean trace of a Wishart matrix and its inverse with fixed letters between them",
        r"\mathbb{E}\,\mathrm{Tr}\,WAW^{-1}D",
        (n * Trace(S * A * V * D) - Trace(A * D) - Trace(A) * Trace(D)) / (Q - 1),
        HAFF_SYMMETRIC,
        lambda m: tr(m["W"] @ m["A"] @ inv(m["W"]) @ m["D"]),
        MANY,
        SMALL_TALL,
        when="n - p > 1",
    ),
    Query(
        "wishart-times-inverse-trace",
        "W tr(W^-1)",
        "Mean of a Wishart matrix times the trace of its inverse",
        r"\mathbb{E}\,W\,\mathrm{Tr}\,W^{-1}",
        (n * V1 * S - 2 * I_P) / (Q - 1),
        HAFF,
        lambda m: scaled(tr(inv(m["W"])), m["W"]),
        MANY,
        SMALL_TALL,
        when="n - p > 1",
    ),
    Query(
        "wishart-times-inverse-trace-with-letter",
        "W tr(A W^-1)",
        "Mean of a Wishart matrix times the trace of its inverse with a fixed letter",
        r"\mathbb{E}\,W\,\mathrm{Tr}\,AW^{-1}",
        (n * Trace(A * V) * S - A - A.T) / (Q - 1),
        HAFF,
        lambda m: scaled(tr(m["A"] @ inv(m["W"])), m["W"]),
        MANY,
        SMALL_TALL,
        when="n - p > 1",
    ),
    Query(
        "trace-and-inverse-trace-with-letters",
        "tr(A W) tr(D W^-1)",
        "Mean product of the traces of a Wishart matrix and of its inverse, each with a fixed letter",
        r"\mathbb{E}\,\mathrm{Tr}\,AW\,\mathrm{Tr}\,DW^{-1}",
        (n * Trace(A * S) * Trace(D * V) - 2 * Trace(A * D)) / (Q - 1),
        HAFF_SYMMETRIC,
        lambda m: tr(m["A"] @ m["W"]) * tr(m["D"] @ inv(m["W"])),
        MANY,
        SMALL_TALL,
        when="n - p > 1",
    ),
    Query(
        "trace-and-inverse-trace",
        "tr(W) tr(W^-1)",
        "Mean product of the traces of a Wishart matrix and of its inverse",
        r"\mathbb{E}\,\mathrm{Tr}\,W\,\mathrm{Tr}\,W^{-1}",
        (n * T1 * V1 - 2 * p) / (Q - 1),
        HAFF,
        lambda m: tr(m["W"]) * tr(inv(m["W"])),
        MANY,
        SMALL_TALL,
        when="n - p > 1",
    ),
)

BETWEEN = (
    Query(
        "letter-between-inverse-wisharts",
        "W^-1 A W^-1",
        "Mean of a fixed letter between two inverses of a Wishart matrix",
        r"\mathbb{E}\,W^{-1}AW^{-1}",
        ((Q - 2) * V * A * V + V * A.T * V + Trace(A * V) * V) / C2,
        HAFF,
        lambda m: inv(m["W"]) @ m["A"] @ inv(m["W"]),
        MANY,
        SMALL_TALL,
        when="n - p > 3",
    ),
    Query(
        "symmetric-letter-between-inverse-wisharts",
        "W^-1 D W^-1",
        "Mean of a fixed symmetric letter between two inverses of a Wishart matrix",
        r"\mathbb{E}\,W^{-1}DW^{-1}",
        ((Q - 1) * V * D * V + Trace(D * V) * V) / C2,
        HAFF_SYMMETRIC,
        lambda m: inv(m["W"]) @ m["D"] @ inv(m["W"]),
        MANY,
        SMALL_TALL,
        when="n - p > 3",
    ),
    Query(
        "squared-inverse-trace-with-letter",
        "tr(A W^-1)^2",
        "Mean squared trace of the inverse of a Wishart matrix times a fixed letter",
        r"\mathbb{E}\,(\mathrm{Tr}\,AW^{-1})^2",
        ((Q - 2) * Trace(A * V) ** 2 + Trace(A * V * A * V) + Trace(A * V * A.T * V)) / C2,
        HAFF,
        lambda m: tr(m["A"] @ inv(m["W"])) ** 2,
        MANY,
        SMALL_TALL,
        when="n - p > 3",
    ),
    Query(
        "inverse-wishart-times-trace-with-letter",
        "W^-1 tr(A W^-1)",
        "Mean of the inverse of a Wishart matrix times its trace with a fixed letter",
        r"\mathbb{E}\,W^{-1}\,\mathrm{Tr}\,AW^{-1}",
        ((Q - 2) * Trace(A * V) * V + V * A * V + V * A.T * V) / C2,
        HAFF,
        lambda m: scaled(tr(m["A"] @ inv(m["W"])), inv(m["W"])),
        MANY,
        SMALL_TALL,
        when="n - p > 3",
    ),
    Query(
        "two-inverse-traces-with-letters",
        "tr(A W^-1) tr(D W^-1)",
        "Mean product of the traces of the inverse of a Wishart matrix times two fixed letters",
        r"\mathbb{E}\,\mathrm{Tr}\,AW^{-1}\,\mathrm{Tr}\,DW^{-1}",
        ((Q - 2) * Trace(A * V) * Trace(D * V) + 2 * Trace(A * V * D * V)) / C2,
        HAFF_SYMMETRIC,
        lambda m: tr(m["A"] @ inv(m["W"])) * tr(m["D"] @ inv(m["W"])),
        MANY,
        SMALL_TALL,
        when="n - p > 3",
    ),
    Query(
        "inverse-wishart-times-its-trace",
        "W^-1 tr(W^-1)",
        "Mean of the inverse of a Wishart matrix times its trace",
        r"\mathbb{E}\,W^{-1}\,\mathrm{Tr}\,W^{-1}",
        ((Q - 2) * V1 * V + 2 * V**2) / C2,
        HAFF,
        lambda m: scaled(tr(inv(m["W"])), inv(m["W"])),
        MANY,
        SMALL_TALL,
        when="n - p > 3",
    ),
    Query(
        "inverse-wishart-square-trace",
        "tr(W^-2)",
        "Mean trace of the squared inverse of a Wishart matrix",
        r"\mathbb{E}\,\mathrm{Tr}\,W^{-2}",
        ((Q - 1) * V2 + V1**2) / C2,
        HAFF,
        lambda m: tr(inv(m["W"] @ m["W"])),
        MANY,
        SMALL_TALL,
        when="n - p > 3",
    ),
    Query(
        "trace-of-letters-between-inverses",
        "tr(A W^-1 D W^-1)",
        "Mean trace of two inverses of a Wishart matrix with fixed letters between them",
        r"\mathbb{E}\,\mathrm{Tr}\,AW^{-1}DW^{-1}",
        ((Q - 1) * Trace(A * V * D * V) + Trace(A * V) * Trace(D * V)) / C2,
        HAFF_SYMMETRIC,
        lambda m: tr(m["A"] @ inv(m["W"]) @ m["D"] @ inv(m["W"])),
        MANY,
        SMALL_TALL,
        when="n - p > 3",
    ),
)

RATIOS = (
    Query(
        "letter-between-wishart-and-another-inverse",
        "W1 A W^-1",
        "Mean of a fixed letter between a Wishart matrix and the inverse of another",
        r"\mathbb{E}\,W_1AW^{-1}",
        n1 * S * A * V / (Q - 1),
        IN_TURN,
        lambda m: m["W1"] @ m["A"] @ inv(m["W"]),
        MANY_TWO,
        SMALL_TALL_TWO,
        when="n - p > 1",
    ),
    Query(
        "inverse-between-wisharts",
        "W1 W^-1 W1",
        "Mean of the inverse of a Wishart matrix between two factors of another",
        r"\mathbb{E}\,W_1W^{-1}W_1",
        n1 * (n1 + p + 1) * S / (Q - 1),
        IN_TURN,
        lambda m: m["W1"] @ inv(m["W"]) @ m["W1"],
        MANY_TWO,
        SMALL_TALL_TWO,
        when="n - p > 1",
    ),
    Query(
        "f-matrix-trace",
        "tr(W1 W^-1)",
        "Mean trace of a Wishart matrix times the inverse of another",
        r"\mathbb{E}\,\mathrm{Tr}\,W_1W^{-1}",
        n1 * p / (Q - 1),
        IN_TURN,
        lambda m: tr(m["W1"] @ inv(m["W"])),
        MANY_TWO,
        SMALL_TALL_TWO,
        when="n - p > 1",
    ),
)

RATIO_SQUARES = (
    Query(
        "wishart-between-inverses",
        "W^-1 W1 W^-1",
        "Mean of a Wishart matrix between two inverses of another",
        r"\mathbb{E}\,W^{-1}W_1W^{-1}",
        n1 * (n - 1) * V / C2,
        IN_TURN,
        lambda m: inv(m["W"]) @ m["W1"] @ inv(m["W"]),
        MANY_TWO,
        SMALL_TALL_TWO,
        when="n - p > 3",
    ),
    Query(
        "f-matrix-squared-trace",
        "tr(W1 W^-1)^2",
        "Mean squared trace of a Wishart matrix times the inverse of another",
        r"\mathbb{E}\,(\mathrm{Tr}\,W_1W^{-1})^2",
        n1 * p * (n1 * ((Q - 2) * p + 2) + 2 * (Q - 1 + p)) / C2,
        IN_TURN,
        lambda m: tr(m["W1"] @ inv(m["W"])) ** 2,
        MANY_TWO,
        SMALL_TALL_TWO,
        when="n - p > 3",
    ),
    Query(
        "f-matrix-square",
        "W1 W^-1 W1 W^-1",
        "Mean square of a Wishart matrix times the inverse of another",
        r"\mathbb{E}\,(W_1W^{-1})^2",
        n1 * ((n1 + 1) * (n - 1) + (Q - 2) * p + 2) / C2 * I_P,
        IN_TURN,
        lambda m: m["W1"] @ inv(m["W"]) @ m["W1"] @ inv(m["W"]),
        MANY_TWO,
        SMALL_TALL_TWO,
        when="n - p > 3",
    ),
)

STEPS = tuple(step_of(query) for query in (*BESIDE, *BETWEEN, *RATIOS, *RATIO_SQUARES))
