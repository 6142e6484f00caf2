"""Index networks: reduction to traces and dimensions, and a canonical form that sees isomorphism only."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from symbolic.algebra import letters
from symbolic.algebra.coefficients import number
from symbolic.algebra.letters import Letter
from symbolic.averages.network_order import Edge, Label, Network, canonical_network
from symbolic.averages.network_polynomial import NetworkPolynomial, NetworkTerm
from symbolic.averages.network_values import evaluate_networks
from symbolic.averages.networks import closed, flipped, normal, reduce_network, root_of


def code(name: str, symmetric: bool = False) -> str:
    return chr(2 * letters.index_of(Letter(name, "p", "p", symmetric)))


A, B, C, S = code("A"), code("B"), code("C"), code("S", symmetric=True)
SIGMA = Letter("Sigma", "p", "p", symmetric=True)
R, Q = root_of(SIGMA), chr(2 * letters.index_of(SIGMA))
P: Label = ("p", 0)
Raw = tuple[list[Label], list[Edge], list[tuple[str, int, int, int]]]


def canonical(
    labels: Sequence[Label], edges: Sequence[Edge], entries: Sequence[tuple[str, int, int, int]] = ()
) -> Network:
    return canonical_network(tuple(labels), tuple(edges), tuple(entries), flipped)


@pytest.mark.parametrize(
    ("word", "result"),
    [
        (R + R, Q),
        (Q + R, R + Q),
        (R + Q + R, Q + Q),
        (R + A + R, R + A + R),
        (A + Q + R + R + B, A + Q + Q + B),
    ],
)
def test_roots_are_collected(word: str, result: str) -> None:
    assert normal(word) == result
    assert normal(normal(word)) == normal(word)
    assert flipped(flipped(word)) == normal(word)


def test_traces_join_roots_around_the_end() -> None:
    assert closed(R + A + R) == closed(Q + A)
    assert closed(A + R + B + R) != closed(A + Q + B)


@pytest.mark.parametrize(
    ("labels", "edges", "dimensions", "traces", "networks"),
    [
        ([P], [], ("p",), (), 0),
        ([P], [(0, 0, A)], (), closed(A), 0),
        ([P, P], [(0, 1, A), (1, 0, B)], (), closed(A + B), 0),
        ([P, P], [(0, 1, A), (0, 1, B)], (), closed(A + flipped(B)), 0),
        ([P], [(0, 0, A), (0, 0, B)], (), (), 1),
        ([P, P, P], [(0, 1, A), (1, 2, B), (2, 0, C)], (), closed(A + B + C), 0),
        ([P, P], [(0, 0, A), (0, 0, B), (1, 1, C)], (), closed(C), 1),
        ([("p", 1), ("p", 1)], [(0, 1, A)], (), None, 0),
    ],
)
def test_reduction(
    labels: list[Label],
    edges: list[Edge],
    dimensions: tuple[str, ...],
    traces: tuple[str, ...] | None,
    networks: int,
) -> None:
    reduced = reduce_network(labels, edges, {})
    assert reduced is not None
    assert reduced.dimensions == dimensions
    assert len(reduced.networks) == networks
    if traces is None:  # an element, (A)_11
        assert len(reduced.traces) == 1
    else:
        assert reduced.traces == traces


def shuffled(rng: random.Random, network: Raw) -> Network:
    labels, edges, entries = network
    order = list(range(len(labels)))
    rng.shuffle(order)
    turned = [labels[0]] * len(labels)
    for vertex, place in enumerate(order):
        turned[place] = labels[vertex]
    new_edges = []
    for start, stop, word in edges:
        a, b = (order[v] if v >= 0 else v for v in (start, stop))
        new_edges.append((a, b, word) if rng.random() < 0.5 else (b, a, flipped(word)))
    new_entries = [(m, order[i], order[a], n) for m, i, a, n in entries]
    rng.shuffle(new_edges)
    rng.shuffle(new_entries)
    return canonical(turned, new_edges, new_entries)


def random_network(rng: random.Random) -> Raw:
    size = rng.randint(1, 6)
    labels = [rng.choice((P, P, P, ("n", 0), ("p", 1))) for _ in range(size)]
    words = (A, S, flipped(A), A + S)
    edges = [
        (rng.randrange(-1, size), rng.randrange(size), rng.choice(words)) for _ in range(rng.randint(1, 7))
    ]
    pairs = {(rng.randrange(size), rng.randrange(size)) for _ in range(rng.randint(0, 4))}
    return labels, edges, [(B, i, a, rng.randint(1, 2)) for i, a in sorted(pairs)]


def test_names_of_indices_do_not_matter() -> None:
    rng = random.Random("networks")
    for _ in range(400):
        network = random_network(rng)
        assert len({shuffled(rng, network) for _ in range(4)}) == 1


def test_symmetric_networks_have_one_form() -> None:
    rng = random.Random("symmetric")
    cycle: Raw = ([P] * 8, [(k, (k + 1) % 8, S) for k in range(8)], [])
    complete: Raw = ([P] * 5, [(i, j, S) for i, j in itertools.combinations(range(5), 2)], [])
    cube: Raw = ([P] * 8, [(i, i ^ bit, S) for i in range(8) for bit in (1, 2, 4) if i < i ^ bit], [])
    for network in (cycle, complete, cube):
        assert len({shuffled(rng, network) for _ in range(20)}) == 1


def test_different_networks_stay_different() -> None:
    """Two triangles and a hexagon look alike to colour refinement; so do these, joined through one index."""
    hexagon = [(k, (k + 1) % 6, S) for k in range(6)]
    triangles = [(0, 1, S), (1, 2, S), (2, 0, S), (3, 4, S), (4, 5, S), (5, 3, S)]
    hub = [(k, 6, S) for k in range(6)]
    assert canonical([P] * 7, hexagon + hub) != canonical([P] * 7, triangles + hub)
    assert canonical([P], [(0, 0, A), (0, 0, B)]) != canonical([P], [(0, 0, A), (0, 0, C)])
    assert canonical([P], [(0, 0, A)]) == canonical([P], [(0, 0, flipped(A))])


def total(edges: list[Edge], size: int) -> NetworkPolynomial:
    network = canonical([P] * size, edges)
    indices = frozenset(ord(c) >> 1 for _, _, word in edges for c in word)
    return NetworkPolynomial({NetworkTerm((), (network,), None, None): number(2)}, None, indices)


def test_values_are_sums_over_indices() -> None:
    rng = np.random.default_rng(5)
    exact = {name: rng.integers(-4, 5, (3, 3)).tolist() for name in "ABC"}
    floats = {name: np.array(value, dtype=float) for name, value in exact.items()}
    edges = [(0, 1, A), (1, 2, B), (0, 0, C), (0, 1, A), (2, 2, B), (1, 2, A + B)]
    a, b, c = (floats[name] for name in "ABC")
    expected = 2 * np.einsum("xy,yz,xx,xy,zz,yz->", a, b, c, a, b, a @ b)
    value = evaluate_networks(total(edges, 3), {**exact, "p": 3})
    assert isinstance(value, Fraction)
    assert value == round(expected)
    assert evaluate_networks(total(edges, 3), {**floats, "p": 3}) == pytest.approx(expected, rel=1e-12, abs=0)


def test_values_refuse_too_long_sums_and_missing_sizes() -> None:
    edges = [(i, j, S) for i, j in itertools.combinations(range(5), 2)]
    table = [[1] * 20 for _ in range(20)]
    with pytest.raises(ValueError, match="the limit is 3e\\+05: give arrays of floats"):
        evaluate_networks(total(edges, 5), {"S": table, "p": 20})
    with pytest.raises(ValueError, match="no value given for the dimension p"):
        evaluate_networks(total([(0, 0, A), (0, 0, B)], 1), {"A": [[1]], "B": [[2]]})
