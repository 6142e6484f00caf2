"""The answer to a moment query."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from symbolic.query.combined.kronecker_terms import Term, sum_latex, sum_text
from symbolic.query.query_words import Setting
from symbolic.query.value import Shown
from symbolic.wishart.determinant_powers import Determinants
from symbolic.wishart.moment_text import polynomial_latex, polynomial_terms, polynomial_text
from symbolic.wishart.trace_polynomial import TracePolynomial

Data = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """The expectation of a query: a polynomial in what has no value yet, and its value when everything has.

    ``terms`` are printed: coefficient (text), word (text; None in a scalar), traces (texts, with repetition);
    beyond the Gaussian law there may be ``sums`` over indices (texts) and a ``matrix`` of such sums.
    ``conditions`` state what must hold for every term's expectation to exist, such as ``n - p > 3``, and ``bounds``
    the same as names of rows and what n - p must exceed; ``checked`` the
    small sizes at which the answer was compared with an average taken entry by entry, such as ``n=3 p=2``;
    ``determinants`` are what stands before it: powers and logarithms of determinants, of which ``expectation`` and ``terms`` are the
    rest. ``kronecker``: where a Kronecker product was asked for, the sum that it is; ``expectation`` is then of the traces it was
    found from. ``setting`` has the shapes of the letters, and which X have a mean M and a covariance U of rows.
    ``sizes`` are the dimensions that had values, which ``expectation`` has no more. ``parts``: where terms have different
    determinants before them, the means whose sum it is; ``expectation`` and ``determinants`` are then those of the first. ``symmetric``: the letters that are
    said to be their own transposes.
    """

    query: str
    covariance: str
    law: str
    expectation: TracePolynomial
    conditions: tuple[str, ...]
    checked: tuple[str, ...]
    value: Shown | None = None
    bounds: tuple[tuple[str, int | Fraction], ...] = ()
    setting: Setting = field(default_factory=Setting)
    determinants: Determinants | None = None
    kronecker: tuple[Term, ...] = ()
    sizes: tuple[tuple[str, Fraction], ...] = ()
    parts: tuple[Result, ...] = ()
    symmetric: tuple[str, ...] = ()

    @property
    def is_zero(self) -> bool:
        """Whether nothing is left of it."""
        return not (
            self.expectation.terms or (self.determinants is not None and self.determinants.slope.terms)
        )

    @property
    def terms(self) -> list[Data]:
        """The terms as they are printed."""
        return [term.data() for term in self.kronecker] or polynomial_terms(self.expectation)

    @property
    def text(self) -> str:
        """The expectation in the grammar of queries."""
        if self.parts:
            return _joined(part.text for part in self.parts)
        if self.kronecker:
            return sum_text(self.kronecker)
        return self._around(polynomial_text, "({})", Determinants.factor_text, Determinants.log_text)

    @property
    def latex(self) -> str:
        """The expectation as LaTeX."""
        if self.parts:
            return _joined(part.latex for part in self.parts)
        if self.kronecker:
            return sum_latex(self.kronecker)
        return self._around(
            polynomial_latex, r"\left({}\right)", Determinants.factor_latex, Determinants.log_latex
        )

    def _around(
        self,
        written: Callable[[TracePolynomial], str],
        brackets: str,
        factor: Callable[[Determinants], str],
        log: Callable[[Determinants], str],
    ) -> str:
        """The expectation with what determinants put before it."""
        whole = written(self.expectation)
        if self.determinants is None:
            return whole
        slope = self.determinants.slope
        if not self.expectation.terms:
            return written(slope) if slope.terms else whole
        is_one = whole == "1"
        if self.determinants.log:
            mean = log(self.determinants)
            inside = brackets.format(mean)
            whole = (
                mean if is_one else f"-{inside}" if whole == "-1" else f"{inside} {brackets.format(whole)}"
            )
            if slope.terms:
                whole += f" + {written(slope)}".replace("+ -", "- ", 1)
            is_one = False
        before = factor(self.determinants)
        if not before:
            return whole
        if is_one or whole == "-1":
            return before if is_one else f"-{before}"
        return f"{before} {brackets.format(whole)}"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"

    def as_dict(self) -> Data:
        """Plain data for JSON; ``value`` is there when it is known, ``conditions`` when there are any."""
        data: Data = {
            "query": self.query,
            "covariance": self.covariance,
            "law": self.law,
            "latex": self.latex,
            "terms": self.terms,
            "checked": list(self.checked),
        }
        if self.parts:
            data["parts"] = [part.as_dict() for part in self.parts]
            del data["terms"]
        elif self.determinants is not None:
            data["determinants"] = {
                "factor": self.determinants.factor_text(),
                "log": self.determinants.log_text() if self.determinants.log else None,
                "slope": polynomial_terms(self.determinants.slope),
            }
        if self.conditions:
            data["conditions"] = list(self.conditions)
        if self.value is not None:
            data["value"] = self.value
        return data


def _joined(terms: Iterable[str]) -> str:
    """Sums in one."""
    return " + ".join(terms).replace("+ -", "- ")
