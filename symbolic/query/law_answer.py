"""Expectations of moment queries under a law: traces, words, and sums over indices where there are more."""

from __future__ import annotations

from symbolic.algebra.entry_laws import Law
from symbolic.algebra.letters import end_letter
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.averages.cumulants import Budget, TooManyBlocks
from symbolic.averages.network_polynomial import NetworkTerm
from symbolic.averages.over_laws import average
from symbolic.query.network_text import closed_network, factors, open_network
from symbolic.query.query_words import Setting, monomial_expression
from symbolic.wishart.fixed_letters import is_inverse, is_pseudo, is_wishart
from symbolic.wishart.moment_text import monomial_text
from symbolic.wishart.trace_polynomial import (
    Monomial,
    QueryTooLarge,
    TracePolynomial,
    collect,
    product_of_traces,
)
from symbolic.wishart.wishart_moment import Covariance

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

    def __init__(self, setting: Setting, law: Law, effort: float = 1) -> None:
        """``effort``: how many times the blocks named above one query may look at."""
        self._setting = setting
        self.covariance: Covariance = setting.covariance
        self._effort = max(effort, 1 / MAX_BLOCKS)
        self.law = law
        self._budget = Budget(MAX_BLOCKS)

    def of(self, query: TracePolynomial) -> TracePolynomial:
        """The expectation, in Sigma and its root, the deterministic letters and the dimensions.

        Raises ValueError for inverses of Wishart matrices, QueryTooLarge over a limit of this module, and
        LawOrderError beyond the order of the law.
        """
        terms: list[tuple[Monomial, Rational]] = []
        random = [
            x
            for x in query.terms
            if self._setting.needs_rows(x) or any(is_wishart(f) for word in x.words for f in word)
        ]
        self._check(random)
        lettered = any(not is_wishart(f) for monomial in random for word in monomial.words for f in word)
        plain_query = self.covariance == "identity" and not lettered
        self._budget = Budget(int(self._effort * (MAX_PLAIN_BLOCKS if plain_query else MAX_BLOCKS)))
        for monomial, factor in query.terms.items():
            if monomial not in random:
                terms.append((monomial, factor))
                continue
            # beside a column open words are columns, and closed by a letter of another shape
            end = end_letter(monomial_expression(monomial, self._setting).shape)
            for term, coefficient in self._average(monomial).items():
                word = None if term.word is None else factors(term.word)
                key, value = product_of_traces(map(factors, term.traces), word, coefficient * factor)
                sums = tuple(sorted(map(closed_network, term.networks)))
                matrix = None if term.open_network is None else open_network(term.open_network, end)
                terms.append((key._replace(sums=sums, matrix=matrix), value))
        return collect(terms, query.is_matrix)

    def _check(self, random: list[Monomial]) -> None:
        for monomial in random:
            if self._setting.needs_rows(monomial):
                raise Refused(
                    f"X, its mean and the covariance of its rows have no method under the law {self.law.name}: ask for "
                    "W, or for the law gaussian"
                )
            found = [f for word in monomial.words for f in word if is_wishart(f)]
            if any(is_inverse(factor) or is_pseudo(factor) for factor in found):
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
        moment = monomial_expression(monomial, self._setting)
        laws = {name: self.law for name, letter in moment.letters().items() if letter.random}
        try:
            result = average(moment, laws, budget=self._budget)
        except TooManyBlocks:
            raise QueryTooLarge(
                f"the expectation under the law {self.law.name} is too much work (over {self._budget.total} blocks "
                "of set partitions): lower the degree, ask for the parts one by one, or give it more seconds (work)"
            ) from None
        return {term: Rational.polynomial(value) for term, value in result.terms.items()}
