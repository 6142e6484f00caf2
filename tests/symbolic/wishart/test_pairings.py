"""Wishart moments against the sum over all Wick pairings, written out here from the definition.

E[x_{ia} x_{jb}] = [i = j] Sigma_{ab}.  A moment of degree d has factors W_{ab} = sum_i x_{ia} x_{ib}, hence
2d slots; every perfect matching of the slots gives n for each connected set of row labels, tr Sigma^c for
each closed chain of c matched pairs, and Sigma^c for the open chain of a matrix moment.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from flint import fmpz_poly

from symbolic.wishart import marked_basis
from symbolic.wishart.general import matrix_moment_general, trace_moment_general
from symbolic.wishart.identity import matrix_moment, trace_moment
from symbolic.wishart.partitions import partitions

Term = tuple[int, tuple[int, ...], int]


def matchings(slots: list[int]) -> Iterator[list[tuple[int, int]]]:
    if not slots:
        yield []
        return
    for k in range(1, len(slots)):
        for rest in matchings(slots[1:k] + slots[k + 1 :]):
            yield [(slots[0], slots[k]), *rest]


def wick(power: int, traces: tuple[int, ...]) -> Counter[Term]:
    """Number of matchings with Sigma^j, traces nu and n^c, by (j, nu, c)."""
    links, first, open_ends = {}, 0, []
    for position, length in enumerate((power, *traces)):
        factors = list(range(first, first + length))
        first += length
        for t in factors:
            links[2 * t + 1] = 2 * t + 2
            links[2 * t + 2] = 2 * t + 1
        if factors:
            left, right = 2 * factors[0], 2 * factors[-1] + 1
            links[left], links[right] = right, left
            if position == 0:
                del links[left], links[right]
                open_ends = [left, right]
    total: Counter[Term] = Counter()
    for matching in matchings(list(range(2 * first))):
        partner = dict(matching) | {b: a for a, b in matching}
        unseen = set(partner)

        def chain(start: int, partner: dict[int, int] = partner, unseen: set[int] = unseen) -> int:
            pairs, slot = 0, start
            while slot in unseen:
                unseen -= {slot, partner[slot]}
                pairs += 1
                slot = links.get(partner[slot], -1)
            return pairs

        opened = chain(open_ends[0]) if open_ends else 0
        closed = []
        while unseen:
            closed.append(chain(min(unseen)))
        label = list(range(first))
        for a, b in matching:
            old, new = label[a // 2], label[b // 2]
            label = [new if entry == old else entry for entry in label]
        total[opened, tuple(sorted(closed)), len(set(label))] += 1
    return total


CASES = [(0, mu) for d in range(1, 6) for mu in partitions(d)] + [
    (d - e, mu) for d in range(1, 5) for e in range(d) for mu in partitions(e)
]


@pytest.mark.parametrize(("power", "traces"), CASES)
def test_moment_is_the_sum_over_pairings(power: int, traces: tuple[int, ...]) -> None:
    expected = wick(power, traces)
    general = matrix_moment_general(power, traces) if power else trace_moment_general(traces)
    found = {
        (j, nu, c): int(number)
        for (j, nu), value in general.items()
        for c, number in enumerate(value.coeffs())
        if number
    }
    assert found == expected
    identity: Counter[tuple[int, int]] = Counter()
    for (_, nu, c), number in expected.items():
        identity[c, len(nu)] += number
    assert {e: int(v) for e, v in matrix_moment(power, traces).terms()} == identity


@pytest.mark.parametrize("traces", [(6,), (3, 3), (1, 2, 3)])
def test_degree_six_is_the_sum_over_pairings(traces: tuple[int, ...]) -> None:
    general = trace_moment_general(traces)
    expected: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for (_, nu, c), number in wick(0, traces).items():
        expected.setdefault((0, nu), [0] * 7)[c] = number
    assert general == {key: fmpz_poly(value) for key, value in expected.items()}


def test_pairings_of_three_factors() -> None:
    assert wick(3, ()).total() == 15
    assert wick(1, (1,)) == {(1, (1,), 2): 1, (2, (), 1): 2}
    assert wick(0, (2,)) == {(0, (2,), 2): 1, (0, (1, 1), 1): 1, (0, (2,), 1): 1}


def test_a_lost_term_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    complete = marked_basis.images

    def lossy(power: int, partition: tuple[int, ...]) -> dict[tuple[int, tuple[int, ...]], int]:
        return {key: a for key, a in complete(power, partition).items() if key != (power, partition)}

    marked_basis.clear_cache()
    monkeypatch.setattr(marked_basis, "images", lossy)
    try:
        with pytest.raises(AssertionError):
            test_moment_is_the_sum_over_pairings(2, (2,))
    finally:
        marked_basis.clear_cache()


def test_a_wrong_identity_moment_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "symbolic.wishart.identity._moments", {(): trace_moment(()), (1,): trace_moment((1,)) * 2}
    )
    with pytest.raises(AssertionError):
        test_moment_is_the_sum_over_pairings(0, (1, 1))
