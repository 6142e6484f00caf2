"""The terms of the expectation of a Kronecker product, as text and LaTeX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symbolic.wishart.fixed_letters import IDENTITY, Word, transpose
from symbolic.wishart.moment_text import (
    coefficient_text,
    polynomial_latex,
    polynomial_text,
    word_latex,
    word_text,
)
from symbolic.wishart.trace_polynomial import TracePolynomial

PLAIN, TURNED, OUTER = "plain", "turned", "outer"


@dataclass(frozen=True)
class Term:
    """A scalar times kron(left, right), times that and K, or vec(left') vec(right)'."""

    scalar: TracePolynomial
    left: Word
    right: Word
    form: str

    def text(self) -> str:
        """The matrix, without the scalar."""
        left, right = word_text(self.left), word_text(self.right)
        if self.form == OUTER:
            return f"vec({word_text(transpose(self.left))}) vec({right})'"
        return f"kron({left}, {right})" + (" K" if self.form == TURNED else "")

    def latex(self) -> str:
        """The same as LaTeX."""
        left, right = (word_latex(word) or IDENTITY for word in (self.left, self.right))
        if self.form == OUTER:
            turned = word_latex(transpose(self.left)) or IDENTITY
            return rf"\operatorname{{vec}}({turned}) \operatorname{{vec}}({right})^{{T}}"
        return rf"({left} \otimes {right})" + (" K" if self.form == TURNED else "")

    def data(self) -> dict[str, Any]:
        """Coefficient, traces, and the product of two words, as they are printed."""
        ((key, value),) = self.scalar.terms.items()
        traces = [word_text(trace) for trace in key.traces]
        return {"coefficient": coefficient_text(value), "traces": traces, "product": self.text()}

    def element(self, left: Any, right: Any, place: tuple[int, int, int, int]) -> Any:
        """The element in row (i, k) and column (j, l) of the matrix, of the values of the two words."""
        i, k, j, l = place
        if self.form == PLAIN:
            return left[i][j] * right[k][l]
        if self.form == TURNED:
            return left[i][l] * right[k][j]
        return left[i][k] * right[l][j]


def sum_text(terms: tuple[Term, ...]) -> str:
    """The sum; K is the commutation matrix."""
    return _sum(terms, polynomial_text, Term.text, " ")


def sum_latex(terms: tuple[Term, ...]) -> str:
    """The same as LaTeX."""
    return _sum(terms, polynomial_latex, Term.latex, r" \, ")


def _sum(
    terms: tuple[Term, ...],
    scalar: Callable[[TracePolynomial], str],
    matrix: Callable[[Term], str],
    between: str,
) -> str:
    shown = ""
    for term in terms:
        before = scalar(term.scalar)
        minus = before.startswith("-")
        before = before.removeprefix("-")
        sign = (" - " if minus else " + ") if shown else ("-" if minus else "")
        shown += sign + (matrix(term) if before == "1" else f"{before}{between}{matrix(term)}")
    return shown
