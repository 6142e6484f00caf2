"""Values of the sums over indices in an answer under a law."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from flint import fmpq_mat

from symbolic.algebra.coefficients import number, to_fmpq
from symbolic.algebra.letters import END, index_of, letter_of
from symbolic.algebra.refusal import Refused
from symbolic.averages.network_order import Network
from symbolic.averages.network_polynomial import NetworkPolynomial, NetworkTerm
from symbolic.averages.network_values import evaluate_networks
from symbolic.query.query_words import factor_of
from symbolic.wishart.fixed_letters import COLUMNS
from symbolic.wishart.trace_polynomial import IndexSum

if TYPE_CHECKING:
    from symbolic.query.value import Matrices

MAX_EXACT_SUMS = 2_000_000
"""Most products of elements in all sums over indices of an answer, in exact arithmetic."""

MAX_FLOAT_SUMS = 2_000_000_000
"""Most products of elements in all sums over indices of an answer, in floating point."""


def values(sums: Collection[IndexSum], matrices: Matrices) -> dict[IndexSum, Any]:
    """Each sum's value: a number, or a matrix as `Matrices` multiplies them.

    Raises ValueError over a limit on the work, for a singular Sigma that is inverted, and for exact matrices when a
    root of Sigma is needed that is not rational.
    """
    networks = {x: x.network for x in sums if isinstance(x.network, Network)}
    _check_work(networks.values(), matrices)
    return {x: _value(network, matrices) for x, network in networks.items()}


def _value(network: Network, matrices: Matrices) -> Any:
    letters = {letter_of(character) for _, _, word in network.edges for character in word}
    names = {letter.name for letter in letters}
    given = {name: matrices.factor(factor_of(name, False)) for name in names - {END}}
    # the letter that closes a matrix is of its shape, turned
    shape = next(((x.columns, x.rows) for x in letters if x.name == END), None)
    term = NetworkTerm((), (), None, network) if shape else NetworkTerm((), (network,), None, None)
    indices = frozenset(map(index_of, letters))
    found = evaluate_networks(
        NetworkPolynomial({term: number(1)}, shape, indices), {**given, COLUMNS: matrices.size}
    )
    return fmpq_mat([[to_fmpq(x) for x in row] for row in found]) if isinstance(found, list) else found


def _check_work(networks: Collection[Network], matrices: Matrices) -> None:
    size = matrices.size
    work = sum(len(x.edges) * (size ** max(2, len(x.labels)) + size**2) for x in networks)
    limit = MAX_EXACT_SUMS if matrices.is_exact else MAX_FLOAT_SUMS
    if work > limit:
        raise Refused(
            f"the value sums about {work:.0e} products of elements and the limit is {limit:.0e}: take "
            "smaller matrices"
        )
