"""Averages of words in a rotation O, uniform on the orthogonal group of p x p matrices, as steps.

    -  rotated-letter                E O A O^T D
    -  letter-between-rotations      E O A O
    -  rotation-times-trace          E O tr(A O)
    -  rotation-squared-trace        E tr(A O)^2
    -  rotated-letter-trace          E tr(A O D O^T)

Claims are taken by hand from the columns of O: each is uniform on the sphere, E O_ij^2 = 1/p, and a change of the sign of a
row or of a column changes no law, so that no two different entries are correlated. The command sums over Weingarten's functions.
The trace of O A O^T alone does not fluctuate, and no sampling tells its mean from a value; so another letter stands beside it.
"""

from __future__ import annotations

import numpy as np
from sympy import Trace

from derivations.language.symbols import p
from derivations.paper.moment_queries import Query, Sizes, scaled, step_of, tr
from derivations.paper.moments import A, D

ENTRIES = "the entries taken by hand, which are uncorrelated and have the mean square 1/p"
SOME: Sizes = ({"p": 2}, {"p": 5}, {"p": 3})
FEW: Sizes = ({"p": 2}, {"p": 4})
OVER = ("O",)

ROTATIONS = (
    Query(
        "rotated-letter",
        "O A O' D",
        "Mean of a fixed letter turned by a rotation, times another",
        r"\mathbb{E}\,OAO^TD",
        Trace(A) / p * D,
        ENTRIES,
        lambda m: m["O"] @ m["A"] @ np.swapaxes(m["O"], 1, 2) @ m["D"],
        SOME,
        FEW,
        rotations=OVER,
    ),
    Query(
        "letter-between-rotations",
        "O A O",
        "Mean of a fixed letter between two factors of a rotation",
        r"\mathbb{E}\,OAO",
        A.T / p,
        ENTRIES,
        lambda m: m["O"] @ m["A"] @ m["O"],
        SOME,
        FEW,
        rotations=OVER,
    ),
    Query(
        "rotation-times-trace",
        "O tr(A O)",
        "Mean of a rotation times its trace with a fixed letter",
        r"\mathbb{E}\,O\,\mathrm{Tr}\,AO",
        A.T / p,
        ENTRIES,
        lambda m: scaled(tr(m["A"] @ m["O"]), m["O"]),
        SOME,
        FEW,
        rotations=OVER,
    ),
    Query(
        "rotation-squared-trace",
        "tr(A O)^2",
        "Mean squared trace of a rotation times a fixed letter",
        r"\mathbb{E}\,(\mathrm{Tr}\,AO)^2",
        Trace(A * A.T) / p,
        ENTRIES,
        lambda m: tr(m["A"] @ m["O"]) ** 2,
        SOME,
        FEW,
        rotations=OVER,
    ),
    Query(
        "rotated-letter-trace",
        "tr(A O D O')",
        "Mean trace of a fixed letter times another turned by a rotation",
        r"\mathbb{E}\,\mathrm{Tr}\,AODO^T",
        Trace(A) * Trace(D) / p,
        ENTRIES,
        lambda m: tr(m["A"] @ m["O"] @ m["D"] @ np.swapaxes(m["O"], 1, 2)),
        SOME,
        FEW,
        rotations=OVER,
    ),
)

STEPS = tuple(step_of(query) for query in ROTATIONS)
