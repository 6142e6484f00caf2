"""How fast sums over indices grow with the dimension: at most the dimension itself for each connected part.

In an average over independent entries of a symmetric law every index occurs an even number of times. Read as a graph,
indices its vertices and matrices its edges, a connected part then has a closed walk through all its edges, so no edge
whose removal would disconnect it, and the sum is at most p times the product of the operator norms of its matrices
(J. A. Mingo and R. Speicher, Sharp bounds on sums associated to graphs of matrices, J. Funct. Anal. 262, 2012). A trace is
the case of a circle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import letter_of
from symbolic.algebra.words import polynomial, scalar
from symbolic.averages.network_order import Network
from symbolic.averages.network_polynomial import NetworkPolynomial, NetworkTerm


def term_bounds(average: NetworkPolynomial, dimension: str, norms: Mapping[str, str]) -> Iterator[Expression]:
    """A bound of each term of a scalar average, up to a constant: its coefficient, the dimension for each connected part,
    and the names in `norms` for the operator norms of the letters that have one. Other letters count as bounded.

    The terms stay apart, for bounds of terms must not cancel. Raises ValueError for a matrix, and where an index occurs
    an odd number of times.
    """
    for term, coefficient in average.terms.items():
        bound = polynomial(coefficient)
        for words in _parts(term):
            counts = Counter(letter_of(character).name for word in words for character in word)
            bound = bound * scalar(dimension)
            for name in norms.keys() & counts.keys():
                bound = bound * scalar(norms[name]) ** counts[name]
        yield bound


def _parts(term: NetworkTerm) -> Iterator[list[str]]:
    """The words of each connected part."""
    if term.word is not None or term.open_network is not None:
        raise ValueError("a bound is taken of a scalar")
    for trace in term.traces:
        yield [trace]
    for network in term.networks:
        _require_even(network)
        yield [word for _, _, word in network.edges]


def _require_even(network: Network) -> None:
    ends = Counter(end for start, stop, _ in network.edges for end in (start, stop))
    if network.entries or any(label for _, label in network.labels) or any(k % 2 for k in ends.values()):
        raise ValueError(
            "an index occurs an odd number of times, or is fixed: the sum has no bound of this kind"
        )
