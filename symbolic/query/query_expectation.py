"""Expectations of trace polynomials in independent Wishart matrices, by the fastest method that fits.

W = X^T X, where the rows of X are N(0, Sigma). In a product of traces and a word, a matrix whose occurrences
are traces of its own powers and at most one further run W^k is integrated by `symbolic.wishart.wishart_moment`, k of
either sign: E[u W^k v tr W^l] = u E[W^k tr W^l] v. Of what remains, matrices with inverses are integrated one after the
other by `symbolic.weingarten.inverse_words`; the rest goes to the word engine, `symbolic.averages.expectation`.
"""

from __future__ import annotations

from collections.abc import Iterable

from symbolic.algebra.expression import Expression
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.algebra.words import matrix
from symbolic.averages.expectation import expect
from symbolic.query import work as moment_work
from symbolic.query.block import Block, isolated
from symbolic.query.network_text import factors
from symbolic.query.query_words import ROOT_OF_ROWS, Setting, monomial_expression
from symbolic.weingarten.complex_words import ComplexRules
from symbolic.weingarten.haar_words import haar_moment, pseudo_inverse_moment
from symbolic.weingarten.inverse_words import Steps, word_moment
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    ROW_COVARIANCE,
    ROW_IDENTITY,
    SIGMA,
    Word,
    base,
    covariance_of,
    is_inverse,
    is_pseudo,
    is_wishart,
    row_dimension,
)
from symbolic.wishart.moment_text import monomial_text
from symbolic.wishart.partitions import Partition
from symbolic.wishart.trace_polynomial import (
    ONE,
    Monomial,
    QueryTooLarge,
    TracePolynomial,
    collect,
    product_of_traces,
)
from symbolic.wishart.wishart_moment import Covariance, in_rows
from symbolic.wishart.wishart_moment import moment as moment_of_powers


class Expectation:
    """Expectations over Gaussian rows; what is known is kept for one query."""

    def __init__(self, setting: Setting, effort: float = 1) -> None:
        """``effort``: how many times `moment_work.MAX_WORK` a query may take."""
        self._setting = setting
        self.covariance: Covariance = setting.covariance
        self._steps = Steps(effort)
        self._limit = moment_work.MAX_WORK * effort
        self._known: dict[Monomial, TracePolynomial] = {}
        self._blocks: dict[tuple[int, Partition], TracePolynomial] = {}

    def of(self, polynomial: TracePolynomial) -> TracePolynomial:
        """The expectation, in Sigma, the deterministic letters and the dimensions.

        Raises QueryTooLarge, before any is taken, where they are more work than the limit;
        and ValueError over a limit of the degree.
        """
        self._require_apart(polynomial)
        work = moment_work.of_query(polynomial.terms, self._setting)
        if work > self._limit:
            raise QueryTooLarge(
                f"the expectation is too much work (about {work / 1000:.1f} seconds, and the limit is "
                f"{self._limit / 1000:.1f}): lower the degree, use fewer different letters, ask for the parts one by "
                "one, or give it more seconds (work)"
            )
        return self._sum(polynomial)

    def _require_apart(self, polynomial: TracePolynomial) -> None:
        """Raises ValueError for a sum that holds X, a mean or a covariance of rows beside what is checked otherwise."""
        by_rows = next(filter(self._setting.needs_rows, polynomial.terms), None)
        others = (self._setting.rotation(key) or self._is_inverse(key) for key in polynomial.terms)
        if by_rows is not None and any(others):
            raise Refused(
                f"E[{monomial_text(by_rows)}] has no method here: rotations and inverses stand beside W, not "
                "beside X, a mean or a covariance of rows, as far as answers are checked; ask for the parts one by one"
            )

    def _is_inverse(self, monomial: Monomial) -> bool:
        """Whether a product holds an inverse that it does not hold beside X: that has a refusal of its own."""
        apart = not self._setting.needs_rows(monomial)
        names = (name for word in monomial.words for name in word)
        return any(is_pseudo(x) or (apart and is_wishart(x) and is_inverse(x)) for x in names)

    def _sum(self, polynomial: TracePolynomial) -> TracePolynomial:
        if len(polynomial.terms) == 1:
            ((monomial, factor),) = polynomial.terms.items()
            value = self._monomial(monomial)
            is_one = factor.numerator.is_one() and factor.denominator.is_one()
            return value if is_one else value.scaled(factor)
        return collect(
            (
                (key, value * factor)
                for monomial, factor in polynomial.terms.items()
                for key, value in self._monomial(monomial).terms.items()
            ),
            polynomial.is_matrix,
        )

    def _monomial(self, monomial: Monomial) -> TracePolynomial:
        known = self._known.get(monomial)
        if known is None:
            known = self._known[monomial] = self._integrate(monomial)
        return known

    def _integrate(self, monomial: Monomial) -> TracePolynomial:
        pseudo = {base(f) for word in monomial.words for f in word if is_pseudo(f)}
        rotation = self._setting.rotation(monomial)
        if rotation:
            return self._sum(haar_moment(monomial, rotation))
        if pseudo:
            return self._sum(self._without_pseudo_inverse(monomial, min(pseudo)))
        if self._setting.needs_rows(monomial):
            return self._by_rows(monomial)
        random = {base(factor) for word in monomial.words for factor in word if is_wishart(factor)}
        if not random:
            return TracePolynomial({monomial: ONE}, monomial.word is not None)
        if self._setting.is_complex:
            return self._sum(
                word_moment(
                    monomial, min(random), self._setting.sigma(min(random)), self._steps, ComplexRules
                )
            )
        for name in sorted(random):
            block = isolated(monomial, name)
            if block is not None:
                return self._sum(self._without(block, monomial.word is not None))
        if degrees := inverse_degrees([monomial]):
            return self._sum(
                word_moment(monomial, min(degrees), self._setting.sigma(min(degrees)), self._steps)
            )
        return self._by_words(monomial)

    def _without_pseudo_inverse(self, monomial: Monomial, name: str) -> TracePolynomial:
        if any(base(f) == name and is_inverse(f) for word in monomial.words for f in word):
            raise Refused(
                f"E[{monomial_text(monomial)}] has no method here: {name}^+ is averaged for {COLUMNS} > {row_dimension(name)}, where "
                f"{name}^-1 does not exist"
            )
        if self.covariance == "general" or self._setting.is_complex:
            raise Refused(
                f"{name}^+ has no method for a general covariance or complex entries: its moments are known for "
                "real entries and Sigma = I"
            )
        return pseudo_inverse_moment(monomial, name)

    # -- one run of powers ---------------------------------------------------------------------------------

    def _without(self, block: Block, is_matrix: bool) -> TracePolynomial:
        """The product around a block, with the expectation of the block in its place."""
        value = self._powers(block)
        rows = row_dimension(block.name)
        terms = []
        for monomial, coefficient in value.terms.items():
            traces = [self._own(trace, block.name) for trace in monomial.traces]
            key, factor = block.around(self._own(monomial.word or (), block.name), traces)
            terms.append((key, in_rows(coefficient, rows) * factor))
        return collect(terms, is_matrix)

    def _own(self, word: Word, name: str) -> Word:
        """Powers of Sigma as those of the covariance of a matrix."""
        if not self._setting.own:
            return word
        own = covariance_of(name, own=True)
        return tuple(own + factor.removeprefix(SIGMA) for factor in word)

    def _powers(self, block: Block) -> TracePolynomial:
        """The expectation of the powers in a block, for ``W`` and n."""
        powers = block.power, block.parts
        if powers not in self._blocks:
            self._blocks[powers] = moment_of_powers(*powers, self.covariance)
        return self._blocks[powers]

    # -- words ---------------------------------------------------------------------------------------------

    def _by_words(self, monomial: Monomial) -> TracePolynomial:
        """The word engine on the factors that hold random matrices."""
        fixed = [trace for trace in monomial.traces if not any(map(is_wishart, trace))]
        random = tuple(trace for trace in monomial.traces if any(map(is_wishart, trace)))
        if monomial.word is not None and any(map(is_wishart, monomial.word)):
            inner, outer = Monomial(random, monomial.word), None
        else:
            inner, outer = Monomial(random, None), monomial.word
        if fixed or outer is not None:
            expected = self._monomial(inner)
            return collect(
                (
                    (product_of_traces((*key.traces, *fixed), outer if key.word is None else key.word, value))
                    for key, value in expected.terms.items()
                ),
                monomial.word is not None,
            )
        return _read_back(expect(monomial_expression(inner, self._setting)))

    def _by_rows(self, monomial: Monomial) -> TracePolynomial:
        """The word engine on the whole of a product with X, its mean or the covariance of its rows."""
        inverted = next(
            (base(f) for word in monomial.words for f in word if is_wishart(f) and is_inverse(f)), ""
        )
        if inverted:
            raise Refused(
                f"E[{monomial_text(monomial)}] has no method here: inverses of {inverted} are for products of W = X' X "
                "without a mean and with independent rows"
            )
        found = expect(monomial_expression(monomial, self._setting))
        rules: dict[tuple[tuple[str, bool], ...], Expression] = {}
        for rows in self._setting.correlated:
            root = ROOT_OF_ROWS + rows[1:]
            rules[(root, False), (root, True)] = matrix(ROW_COVARIANCE + rows[1:], rows, rows, symmetric=True)
        return _read_back(found.rewrite(rules) if rules else found)


def _read_back(expectation: Expression) -> TracePolynomial:
    """An expression of the word engine in the letters of queries."""
    shape = expectation.shape
    empty = (ROW_IDENTITY + shape[0][1:],) if shape and shape[0] == shape[1] != COLUMNS else ()
    terms = []
    for (traces, word), value in expectation.monomials.items():
        factor = Rational.polynomial(value)
        opened = None if word is None else factors(word) or empty
        terms.append(product_of_traces(map(factors, traces), opened, factor))
    return collect(terms, shape is not None)


def inverse_degrees(monomials: Iterable[Monomial]) -> dict[str, int]:
    """For each Wishart matrix with inverses, their largest number in one product."""
    found: dict[str, int] = {}
    for monomial in monomials:
        counts: dict[str, int] = {}
        for word in monomial.words:
            for factor in word:
                if is_wishart(factor) and is_inverse(factor):
                    counts[base(factor)] = counts.get(base(factor), 0) + 1
        for name, count in counts.items():
            found[name] = max(found.get(name, 0), count)
    return found
