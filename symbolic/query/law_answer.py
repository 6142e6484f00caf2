"""Answers to moment queries under a law: traces and words, and terms with sums over indices beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symbolic.algebra.coefficients import number
from symbolic.algebra.entry_laws import Law
from symbolic.algebra.letters import end_letter, index_of, letter_of
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.averages.cumulants import Budget, TooManyBlocks
from symbolic.averages.network_polynomial import NetworkPolynomial, NetworkTerm
from symbolic.averages.network_values import evaluate_networks
from symbolic.averages.networks import ROOT_SUFFIX, is_root
from symbolic.averages.over_laws import average
from symbolic.query.network_text import closed_network, factors, open_matrix
from symbolic.query.query_words import INVERSE_OF_SIGMA, monomial_expression
from symbolic.query.value import ROUNDING, Matrices, Shown, evaluate
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    INVERSE,
    SIGMA,
    Word,
    closed,
    is_inverse,
    is_wishart,
    word_order,
)
from symbolic.wishart.moment_text import (
    coefficient_latex,
    coefficient_text,
    monomial_text,
    polynomial_latex,
    polynomial_terms,
    polynomial_text,
    traces_latex,
    word_latex,
    word_text,
)
from symbolic.wishart.trace_polynomial import (
    Monomial,
    QueryTooLarge,
    TracePolynomial,
    at,
    collect,
    product_of_traces,
)
from symbolic.wishart.wishart_moment import Covariance

ROOT = SIGMA + ROOT_SUFFIX

MAX_EXACT_SUMS = 2_000_000
"""Most products of elements in all sums over indices of an answer, in exact arithmetic."""

MAX_FLOAT_SUMS = 2_000_000_000
"""Most products of elements in all sums over indices of an answer, in floating point."""


@dataclass(frozen=True, eq=False)
class LawPolynomial:
    """``plain``: the terms of traces and words. ``sums``: the terms that hold sums over indices."""

    plain: TracePolynomial
    sums: Mapping[NetworkTerm, Rational]

    @property
    def is_matrix(self) -> bool:
        """Whether the answer is a matrix."""
        return self.plain.is_matrix

    def at(self, sizes: Mapping[str, int]) -> LawPolynomial:
        """With numbers for some dimensions. Raises ZeroDivisionError at a pole."""
        values = {term: at(value, sizes) for term, value in self.sums.items()}
        return LawPolynomial(
            self.plain.at(sizes), {term: value for term, value in values.items() if not value.is_zero()}
        )

    # -- writing -------------------------------------------------------------------------------------------

    @property
    def _shape(self) -> tuple[str, str] | None:
        return (COLUMNS, COLUMNS) if self.is_matrix else None

    def _parts(self, term: NetworkTerm) -> tuple[list[str], list[str]]:
        """The networks and the matrix of a term, as text and as LaTeX."""
        shown = sorted(closed_network(network) for network in term.networks)
        texts, latex = [f"[{part.text}]" for part in shown], [rf"\left[{x.latex}\right]" for x in shown]
        if term.open_network is not None:
            matrix = open_matrix(term, end_letter(self._shape))
            texts.append(matrix.text)
            latex.append(matrix.latex)
        elif term.word is not None:
            texts.append(word_text(factors(term.word)))
            latex.append(word_latex(factors(term.word)))
        return texts, latex

    def _sorted(self) -> list[tuple[NetworkTerm, Rational]]:
        return sorted(
            self.sums.items(),
            key=lambda item: (len(item[0].traces), self._parts(item[0])[0], self._traces(item[0])),
        )

    @staticmethod
    def _traces(term: NetworkTerm) -> tuple[Word, ...]:
        """The traces of a term, in a form that depends on names only."""
        return tuple(sorted((closed(factors(trace)) for trace in term.traces), key=word_order))

    @property
    def text(self) -> str:
        """The answer as text: as queries are written, and sums over indices in brackets."""
        shown = [] if self.sums and not self.plain.terms else [polynomial_text(self.plain)]
        for term, value in self._sorted():
            traces = self._traces(term)
            parts = [monomial_text(Monomial(traces, None)) if traces else "", *self._parts(term)[0]]
            shown.append(" ".join(part for part in (f"({coefficient_text(value)})", *parts) if part))
        return " + ".join(shown)

    @property
    def latex(self) -> str:
        """The answer as LaTeX."""
        text = "" if self.sums and not self.plain.terms else polynomial_latex(self.plain)
        for term, value in self._sorted():
            factor = coefficient_latex(value)
            sign = "-" if factor.startswith("-") else "+" if text else ""
            traces = self._traces(term)
            parts = [traces_latex(traces)] * bool(traces) + self._parts(term)[1]
            product = r" \, ".join([factor.removeprefix("-")] * (factor not in ("", "-")) + parts)
            text += (f" {sign} " if text else sign) + product
        return text

    @property
    def terms(self) -> list[dict[str, Any]]:
        """The terms as data; those with sums over indices have ``sums`` and, for a matrix, ``matrix``."""
        shown = polynomial_terms(self.plain)
        for term, value in self._sorted():
            texts = self._parts(term)[0]
            data: dict[str, Any] = {
                "coefficient": coefficient_text(value),
                "word": None if term.word is None else word_text(factors(term.word)),
                "traces": [word_text(trace) for trace in self._traces(term)],
                "sums": texts[: len(term.networks)],
            }
            if term.open_network is not None:
                data["matrix"] = texts[-1]
            shown.append(data)
        return shown

    # -- values --------------------------------------------------------------------------------------------

    @property
    def needs_root(self) -> bool:
        """Whether the answer holds Sigma^(1/2)."""
        return any(is_root(character) for character in self._characters())

    def _characters(self) -> set[str]:
        found: set[str] = set()
        for term in self.sums:
            found.update(*term.traces, term.word or "")
            for network in (*term.networks, *([term.open_network] if term.open_network else [])):
                found.update(*(word for _, _, word in network.edges))
        return found

    def value(self, matrices: Matrices) -> Shown:
        """The value when no dimension is left.

        Raises ValueError over a limit on the work, for a singular Sigma that is inverted, and for exact
        matrices when a root of Sigma is needed.
        """
        shown = evaluate(self.plain, matrices)
        if not self.sums:
            return shown
        self._check_work(matrices)
        names = {letter_of(character).name for character in self._characters()}
        values: dict[str, Any] = {
            name: matrices.factor(SIGMA + INVERSE if name == INVERSE_OF_SIGMA else name)
            for name in names
            if name not in ("", ROOT)
        }
        if ROOT in names:
            values[ROOT] = matrices.root(ROUNDING)
        terms = {term: number(value.at({})) for term, value in self.sums.items()}
        indices = frozenset(index_of(letter_of(c)) for c in self._characters())
        total = evaluate_networks(
            NetworkPolynomial(terms, self._shape, indices), {**values, COLUMNS: matrices.size}
        )
        return _sum(shown, total, matrices)

    def _check_work(self, matrices: Matrices) -> None:
        work = 0
        for term in self.sums:
            networks = (*term.networks, *([term.open_network] if term.open_network else []))
            work += sum(
                len(x.edges) * matrices.size ** max(2, len(x.labels)) + len(x.edges) * matrices.size**2
                for x in networks
            )
        limit = MAX_EXACT_SUMS if matrices.is_exact else MAX_FLOAT_SUMS
        if work > limit:
            raise Refused(
                f"the value sums about {work:.0e} products of elements and the limit is {limit:.0e}: take "
                "smaller matrices"
            )


def _sum(shown: Shown, total: Any, matrices: Matrices) -> Shown:
    """The plain value and that of the sums over indices."""
    if isinstance(shown, str):
        return str(Fraction(shown) + total)
    if isinstance(shown, float):
        return shown + float(total)
    rows = total if isinstance(total, list) else total.tolist()
    if matrices.is_exact:
        return [[str(Fraction(x) + y) for x, y in zip(*both, strict=True)] for both in _rows(shown, rows)]
    return [[float(x) + float(y) for x, y in zip(*both, strict=True)] for both in _rows(shown, rows)]


def _rows(first: Any, second: Any) -> list[tuple[Any, Any]]:
    return list(zip(first, second, strict=True))


Formula = TracePolynomial | LawPolynomial
"""The answer to a query, without sums over indices or with them."""


def value_of(formula: Formula, matrices: Matrices) -> Shown:
    """The value of an answer in which no dimension is left; see `LawPolynomial.value` and `evaluate`."""
    return formula.value(matrices) if isinstance(formula, LawPolynomial) else evaluate(formula, matrices)


MAX_DEGREE = 8
"""Most Wishart factors in a term of a query under a law."""

MAX_BLOCKS = 12_000
"""How many blocks of set partitions one query may look at: about a second."""

MAX_PLAIN_BLOCKS = 40_000
"""The same with the identity covariance and no letters, where a block is a product of dimensions."""

MAX_MONOMIALS = 40
"""Most different random products in a query under a law."""


class LawExpectation:
    """Expectations under one law, and the work left for one query."""

    def __init__(self, covariance: Covariance, law: Law) -> None:
        self.covariance: Covariance = covariance
        self.law = law
        self._budget = Budget(MAX_BLOCKS)

    def of(self, query: TracePolynomial) -> LawPolynomial:
        """The expectation, in Sigma and its root, the deterministic letters and the dimensions.

        Raises ValueError for inverses of Wishart matrices, QueryTooLarge over a limit of this module, and
        LawOrderError beyond the order of the law.
        """
        plain: list[tuple[Monomial, Rational]] = []
        sums: dict[NetworkTerm, Rational] = {}
        random = [x for x in query.terms if any(is_wishart(f) for word in x.words for f in word)]
        self._check(random)
        lettered = any(not is_wishart(f) for monomial in random for word in monomial.words for f in word)
        plain_query = self.covariance == "identity" and not lettered
        self._budget = Budget(MAX_PLAIN_BLOCKS if plain_query else MAX_BLOCKS)
        for monomial, factor in query.terms.items():
            if monomial not in random:
                plain.append((monomial, factor))
                continue
            for term, coefficient in self._average(monomial).items():
                value = coefficient * factor
                if term.networks or term.open_network is not None:
                    sums[term] = sums[term] + value if term in sums else value
                    continue
                word = None if term.word is None else factors(term.word)
                plain.append(product_of_traces(map(factors, term.traces), word, value))
        sums = {term: value for term, value in sums.items() if not value.is_zero()}
        return LawPolynomial(collect(plain, query.is_matrix), sums)

    def _check(self, random: list[Monomial]) -> None:
        for monomial in random:
            found = [f for word in monomial.words for f in word if is_wishart(f)]
            if any(map(is_inverse, found)):
                raise Refused(
                    f"E[{monomial_text(monomial)}] has no method under the law {self.law.name}: inverses of "
                    "Wishart matrices are for the law gaussian"
                )
            if len(found) > MAX_DEGREE:
                raise QueryTooLarge(
                    f"degree {len(found)} is over the limit under the law {self.law.name}: ask for at most "
                    f"{MAX_DEGREE}"
                )
        if len(random) > MAX_MONOMIALS:
            raise QueryTooLarge(
                f"{len(random)} random products are over the limit of {MAX_MONOMIALS} under the law "
                f"{self.law.name}: ask for the parts one by one"
            )

    def _average(self, monomial: Monomial) -> dict[NetworkTerm, Rational]:
        moment = monomial_expression(monomial, self.covariance)
        laws = {name: self.law for name, letter in moment.letters().items() if letter.random}
        try:
            result = average(moment, laws, budget=self._budget)
        except TooManyBlocks:
            raise QueryTooLarge(
                f"the expectation under the law {self.law.name} is too much work (over {self._budget.total} blocks "
                "of set partitions): lower the degree, or ask for the parts one by one"
            ) from None
        return {term: Rational.polynomial(value) for term, value in result.terms.items()}
