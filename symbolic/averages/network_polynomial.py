"""Linear combinations of products of traces, irreducible networks and at most one matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from flint import fmpq_mpoly

from symbolic.algebra import canonical, coefficients
from symbolic.algebra.canonical import Monomial
from symbolic.algebra.expression import Expression, Shape
from symbolic.algebra.refusal import Refused
from symbolic.averages.network_order import Edge, Label, Network
from symbolic.averages.networks import flipped


class NotAnExpression(Refused):
    """A result holds sums over indices that are neither traces nor products."""


class NetworkTerm(NamedTuple):
    """Traces, closed networks, and an open word (None in a scalar) or an open network that END closes."""

    traces: tuple[str, ...]
    networks: tuple[Network, ...]
    word: str | None
    open_network: Network | None


class Kernel(NamedTuple):
    """An open network as before [K]_(row, column) after; without a row or column K is a vector.

    Row and column are the same index where K is diagonal.
    """

    labels: tuple[Label, ...]
    edges: tuple[Edge, ...]
    row: int | None
    column: int | None
    before: str
    after: str


def kernel_of(network: Network, end: str) -> Kernel:
    """An open network without the letter ``end`` that closes it."""
    turned = canonical.transpose(end)
    edges = list(network.edges)
    place = next(k for k, edge in enumerate(edges) if end in edge[2] or turned in edge[2])
    start, stop, word = edges.pop(place)
    if end not in word:
        start, stop, word = stop, start, flipped(word)
    after, before = word.split(end)
    return Kernel(
        network.labels,
        tuple(edges),
        None if stop < 0 else stop,
        None if start < 0 else start,
        before,
        after,
    )


def opened(traces: tuple[str, ...], networks: tuple[Network, ...], end: str) -> NetworkTerm:
    """The term whose open word or network was closed by the letter ``end``."""
    if not end:
        return NetworkTerm(traces, networks, None, None)
    reopened = canonical.reopened(traces, end)
    if reopened is not None:
        return NetworkTerm(reopened[0], networks, reopened[1], None)
    turned = canonical.transpose(end)
    for position, network in enumerate(networks):
        if any(end in word or turned in word for _, _, word in network.edges):
            return NetworkTerm(traces, networks[:position] + networks[position + 1 :], None, network)
    raise AssertionError("averages keep every deterministic letter")


class NetworkPolynomial:
    """An immutable linear combination of `NetworkTerm`, with polynomial coefficients."""

    __slots__ = ("indices", "shape", "terms")

    def __init__(
        self, terms: Mapping[NetworkTerm, fmpq_mpoly], shape: Shape, indices: frozenset[int]
    ) -> None:
        self.terms = dict(terms)
        self.shape = shape
        self.indices = indices

    @classmethod
    def of(cls, expr: Expression) -> NetworkPolynomial:
        """An expression, which has no networks."""
        terms = {NetworkTerm(traces, (), word, None): c for (traces, word), c in expr.monomials.items()}
        return cls(terms, expr.shape, expr.letter_indices)

    @property
    def is_expression(self) -> bool:
        """Whether only traces and products remain."""
        return not any(term.networks or term.open_network for term in self.terms)

    def expression(self) -> Expression:
        """The same as an Expression. Raises NotAnExpression where a network remains."""
        if not self.is_expression:
            raise NotAnExpression(
                "the expectation holds sums over indices, such as diagonals or elementwise powers, that are no "
                "products and traces: use symbolic.averages.over_laws.average, or make the covariance the identity"
            )
        total: dict[Monomial, fmpq_mpoly] = {(t.traces, t.word): value for t, value in self.terms.items()}
        return Expression(total, self.shape, self.indices)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NetworkPolynomial):
            return NotImplemented
        return self.terms.keys() == other.terms.keys() and all(
            coefficients.equal(value, other.terms[key]) for key, value in self.terms.items()
        )

    def __hash__(self) -> int:
        return hash((self.shape, frozenset(self.terms)))
