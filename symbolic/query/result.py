"""The answer to a moment query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symbolic.query.query_words import Setting
from symbolic.query.value import Shown
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
    ``setting`` has the shapes of the letters, and which X have a mean M and a covariance U of rows.
    """

    query: str
    covariance: str
    law: str
    expectation: TracePolynomial
    conditions: tuple[str, ...]
    checked: tuple[str, ...]
    value: Shown | None = None
    bounds: tuple[tuple[str, int], ...] = ()
    setting: Setting = field(default_factory=Setting)

    @property
    def terms(self) -> list[Data]:
        """The terms as they are printed."""
        return polynomial_terms(self.expectation)

    @property
    def text(self) -> str:
        """The expectation in the grammar of queries."""
        return polynomial_text(self.expectation)

    @property
    def latex(self) -> str:
        """The expectation as LaTeX."""
        return polynomial_latex(self.expectation)

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
        if self.conditions:
            data["conditions"] = list(self.conditions)
        if self.value is not None:
            data["value"] = self.value
        return data
