"""Further moments of Wishart matrices as steps: traces, fixed letters, two matrices.

    -  wishart-trace                        E tr(W)
    -  wishart-squared-trace                E tr(W)^2
    -  wishart-square-trace                 E tr(W^2)
    -  wishart-times-trace                  E W tr(W)
    -  letter-between-wisharts              E W A W
    -  symmetric-letter-between-wisharts    E W D W
    -  letter-after-letter-between          E W A W A'
    -  wishart-between-letters-once         E A W D
    -  trace-with-letter                    E tr(A W)
    -  squared-trace-with-symmetric-letter  E tr(D W)^2
    -  two-traces-with-letters              E tr(A W) tr(D W)
    -  trace-of-letters-between             E tr(A W D W)
    -  wishart-times-trace-with-letter      E W tr(A W)
    -  trace-and-trace-with-letter          E tr(W) tr(A W)
    -  two-wisharts-product                 E W1 W2
    -  letter-between-two-wisharts          E W1 A W2
    -  two-wisharts-sandwich-trace          E tr(W1 W2 W1)
    -  wishart-times-trace-of-product       E W1 tr(W1 W2)

Each claim was worked out by hand in the way its source says, as in `derivations.paper.moments`.
"""

from __future__ import annotations

import numpy as np
from sympy import Trace

from derivations.language.symbols import n, n1, n2
from derivations.paper.moment_queries import Query, Sizes, scaled, step_of, tr
from derivations.paper.moments import IN_TURN, PAIRINGS, SMALL, SMALL_TWO, SYMMETRIC, T1, T2, T3, A, D, S

# many rows, so that few draws tell; what only few rows show is seen at the small sizes
MANY: Sizes = ({"n": 150, "p": 2}, {"n": 240, "p": 4}, {"n": 200, "p": 3})
MANY_TWO: Sizes = (
    {"n1": 140, "n2": 210, "p": 2},
    {"n1": 220, "n2": 160, "p": 4},
    {"n1": 180, "n2": 230, "p": 3},
)


SINGLE = (
    Query(
        "wishart-trace",
        "tr(W)",
        "Mean trace of a Wishart matrix",
        r"\mathbb{E}\,\mathrm{Tr}\,W",
        n * T1,
        PAIRINGS,
        lambda m: tr(m["W"]),
        MANY,
        SMALL,
    ),
    Query(
        "wishart-squared-trace",
        "tr(W)^2",
        "Mean squared trace of a Wishart matrix",
        r"\mathbb{E}\,(\mathrm{Tr}\,W)^2",
        n**2 * T1**2 + 2 * n * T2,
        PAIRINGS,
        lambda m: tr(m["W"]) ** 2,
        MANY,
        SMALL,
    ),
    Query(
        "wishart-square-trace",
        "tr(W^2)",
        "Mean trace of the square of a Wishart matrix",
        r"\mathbb{E}\,\mathrm{Tr}\,W^2",
        n * (n + 1) * T2 + n * T1**2,
        PAIRINGS,
        lambda m: tr(m["W"] @ m["W"]),
        MANY,
        SMALL,
    ),
    Query(
        "wishart-times-trace",
        "W tr(W)",
        "Mean of a Wishart matrix times its trace",
        r"\mathbb{E}\,W\,\mathrm{Tr}\,W",
        n**2 * T1 * S + 2 * n * S**2,
        PAIRINGS,
        lambda m: scaled(tr(m["W"]), m["W"]),
        MANY,
        SMALL,
    ),
    Query(
        "letter-between-wisharts",
        "W A W",
        "Mean of a fixed letter between two Wishart factors",
        r"\mathbb{E}\,WAW",
        n**2 * S * A * S + n * S * A.T * S + n * Trace(A * S) * S,
        PAIRINGS,
        lambda m: m["W"] @ m["A"] @ m["W"],
        MANY,
        SMALL,
    ),
    Query(
        "symmetric-letter-between-wisharts",
        "W D W",
        "Mean of a fixed symmetric letter between two Wishart factors",
        r"\mathbb{E}\,WDW",
        n * (n + 1) * S * D * S + n * Trace(D * S) * S,
        SYMMETRIC,
        lambda m: m["W"] @ m["D"] @ m["W"],
        MANY,
        SMALL,
    ),
    Query(
        "letter-after-letter-between",
        "W A W A'",
        "Mean of two Wishart factors with a fixed letter and its transpose",
        r"\mathbb{E}\,WAWA^T",
        n**2 * S * A * S * A.T + n * S * A.T * S * A.T + n * Trace(A * S) * S * A.T,
        PAIRINGS,
        lambda m: m["W"] @ m["A"] @ m["W"] @ np.swapaxes(m["A"], -1, -2),
        MANY,
        SMALL,
    ),
    Query(
        "wishart-between-letters-once",
        "A W D",
        "Mean of a Wishart matrix between two fixed letters",
        r"\mathbb{E}\,AWD",
        n * A * S * D,
        SYMMETRIC,
        lambda m: m["A"] @ m["W"] @ m["D"],
        MANY,
        SMALL,
    ),
    Query(
        "trace-with-letter",
        "tr(A W)",
        "Mean trace of a Wishart matrix times a fixed letter",
        r"\mathbb{E}\,\mathrm{Tr}\,AW",
        n * Trace(A * S),
        PAIRINGS,
        lambda m: tr(m["A"] @ m["W"]),
        MANY,
        SMALL,
    ),
    Query(
        "squared-trace-with-symmetric-letter",
        "tr(D W)^2",
        "Mean squared trace of a Wishart matrix times a fixed symmetric letter",
        r"\mathbb{E}\,(\mathrm{Tr}\,DW)^2",
        n**2 * Trace(D * S) ** 2 + 2 * n * Trace(D * S * D * S),
        SYMMETRIC,
        lambda m: tr(m["D"] @ m["W"]) ** 2,
        MANY,
        SMALL,
    ),
    Query(
        "two-traces-with-letters",
        "tr(A W) tr(D W)",
        "Mean product of the traces of a Wishart matrix times two fixed letters",
        r"\mathbb{E}\,\mathrm{Tr}\,AW\,\mathrm{Tr}\,DW",
        n**2 * Trace(A * S) * Trace(D * S) + 2 * n * Trace(A * S * D * S),
        SYMMETRIC,
        lambda m: tr(m["A"] @ m["W"]) * tr(m["D"] @ m["W"]),
        MANY,
        SMALL,
    ),
    Query(
        "trace-of-letters-between",
        "tr(A W D W)",
        "Mean trace of two Wishart factors with fixed letters between them",
        r"\mathbb{E}\,\mathrm{Tr}\,AWDW",
        n * (n + 1) * Trace(A * S * D * S) + n * Trace(A * S) * Trace(D * S),
        SYMMETRIC,
        lambda m: tr(m["A"] @ m["W"] @ m["D"] @ m["W"]),
        MANY,
        SMALL,
    ),
    Query(
        "wishart-times-trace-with-letter",
        "W tr(A W)",
        "Mean of a Wishart matrix times its trace with a fixed letter",
        r"\mathbb{E}\,W\,\mathrm{Tr}\,AW",
        n**2 * Trace(A * S) * S + n * S * A * S + n * S * A.T * S,
        PAIRINGS,
        lambda m: scaled(tr(m["A"] @ m["W"]), m["W"]),
        MANY,
        SMALL,
    ),
    Query(
        "trace-and-trace-with-letter",
        "tr(W) tr(A W)",
        "Mean product of a Wishart matrix's trace and its trace with a fixed letter",
        r"\mathbb{E}\,\mathrm{Tr}\,W\,\mathrm{Tr}\,AW",
        n**2 * T1 * Trace(A * S) + 2 * n * Trace(A * S**2),
        PAIRINGS,
        lambda m: tr(m["W"]) * tr(m["A"] @ m["W"]),
        MANY,
        SMALL,
    ),
)

PAIRS = (
    Query(
        "two-wisharts-product",
        "W1 W2",
        "Mean product of two Wishart matrices",
        r"\mathbb{E}\,W_1W_2",
        n1 * n2 * S**2,
        IN_TURN,
        lambda m: m["W1"] @ m["W2"],
        MANY_TWO,
        SMALL_TWO,
    ),
    Query(
        "letter-between-two-wisharts",
        "W1 A W2",
        "Mean of a fixed letter between two Wishart matrices",
        r"\mathbb{E}\,W_1AW_2",
        n1 * n2 * S * A * S,
        IN_TURN,
        lambda m: m["W1"] @ m["A"] @ m["W2"],
        MANY_TWO,
        SMALL_TWO,
    ),
    Query(
        "two-wisharts-sandwich-trace",
        "tr(W1 W2 W1)",
        "Mean trace of one Wishart matrix between two factors of another",
        r"\mathbb{E}\,\mathrm{Tr}\,W_1W_2W_1",
        n1 * n2 * (n1 + 1) * T3 + n1 * n2 * T1 * T2,
        IN_TURN,
        lambda m: tr(m["W1"] @ m["W2"] @ m["W1"]),
        MANY_TWO,
        SMALL_TWO,
    ),
    Query(
        "wishart-times-trace-of-product",
        "W1 tr(W1 W2)",
        "Mean of a Wishart matrix times the trace of its product with another",
        r"\mathbb{E}\,W_1\,\mathrm{Tr}\,W_1W_2",
        n1**2 * n2 * T2 * S + 2 * n1 * n2 * S**3,
        IN_TURN,
        lambda m: scaled(tr(m["W1"] @ m["W2"]), m["W1"]),
        MANY_TWO,
        SMALL_TWO,
    ),
)

STEPS = tuple(step_of(query) for query in (*SINGLE, *PAIRS))
