"""Exact algebra of random matrices: words, their averages, and proofs.

The letters of a word, and its expectation, are at hand here:

>>> from symbolic import expect, gaussian, matrix, tr
>>> x = gaussian("X", "n", "p", covariance="Sigma")
>>> expect(tr(x.T @ x))
n * tr(Sigma)
>>> expect(x.T @ x @ matrix("A", "p", "p") @ x.T @ x).shape
('p', 'p')
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbolic.algebra.words import gaussian, identity, matrix, tr, vector
    from symbolic.averages.expectation import expect

__all__ = ["expect", "gaussian", "identity", "matrix", "tr", "vector"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "symbolic.averages.expectation" if name == "expect" else "symbolic.algebra.words"
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
