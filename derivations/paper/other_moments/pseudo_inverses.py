"""Moments of the Moore-Penrose inverse W^+ of W = X^T X, with fewer rows than columns, as steps.

    -  pseudo-inverse-mean                E W^+
    -  pseudo-inverse-trace-with-letter   E tr(A W^+)

By hand: W^+ turns with the columns of X, whose law no rotation changes, so that its mean is a multiple of I. The trace is that of
(X X^T)^-1, an inverse Wishart matrix of n dimensions with p degrees of freedom, n/(p - n - 1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sympy import Trace

from derivations.language.symbols import n, p
from derivations.paper.moment_queries import Query, Sizes, step_of, tr
from derivations.paper.moments import I_P, A

TURNED = "the trace of an inverse Wishart matrix of n dimensions, and rotations of the columns, by hand"
# a variance needs p - n > 3
WIDE: Sizes = ({"n": 3, "p": 24}, {"n": 2, "p": 16}, {"n": 4, "p": 28})
SMALL: Sizes = ({"n": 1, "p": 12}, {"n": 2, "p": 14})


def pinv(batch: NDArray[np.float64]) -> NDArray[np.float64]:
    """The Moore-Penrose inverse of each matrix of a batch, symmetric and of one rank: the inverse in the space of its columns."""
    rank = int(np.linalg.matrix_rank(batch[0], tol=1e-9 * float(np.trace(batch[0])), hermitian=True))
    span, _ = np.linalg.qr(batch[:, :, :rank])
    turned = np.swapaxes(span, 1, 2)
    return np.asarray(span @ np.linalg.inv(turned @ batch @ span) @ turned)


PSEUDO_INVERSES = (
    Query(
        "pseudo-inverse-mean",
        "W^+",
        "Mean Moore-Penrose inverse of a Wishart matrix",
        r"\mathbb{E}\,W^+",
        n / (p * (p - n - 1)) * I_P,
        TURNED,
        lambda m: pinv(m["W"]),
        WIDE,
        SMALL,
        when="p - n > 1",
    ),
    Query(
        "pseudo-inverse-trace-with-letter",
        "tr(A W^+)",
        "Mean trace of the Moore-Penrose inverse of a Wishart matrix times a fixed letter",
        r"\mathbb{E}\,\mathrm{Tr}\,AW^+",
        n * Trace(A) / (p * (p - n - 1)),
        TURNED,
        lambda m: tr(m["A"] @ pinv(m["W"])),
        WIDE,
        SMALL,
        when="p - n > 1",
    ),
)

STEPS = tuple(step_of(query) for query in PSEUDO_INVERSES)
