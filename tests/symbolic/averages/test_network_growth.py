"""Sums over indices grow at most like the dimension for each connected part, where every index occurs an even number of times."""

from __future__ import annotations

import pytest

from symbolic.algebra.entry_laws import generic, law
from symbolic.algebra.words import Expression, gaussian, matrix, scalar, tr
from symbolic.averages.network_growth import term_bounds
from symbolic.averages.over_laws import average

X, Y = gaussian("X", "n", "p"), gaussian("Y", "1", "p")
A, B = (matrix(name, "p", "p", symmetric=True) for name in "AB")
W = X.T @ X


@pytest.mark.parametrize(
    ("form", "bounds"),
    [
        # Tr A, Tr A^2 and the sum of squares of the diagonal: one part each
        (Y @ A @ Y.T, {"p*A"}),
        ((Y @ A @ Y.T) * (Y @ A @ Y.T), {"p*A*A", "p*p*A*A"}),
        (tr(W @ A) * tr(B), {"n*p*p*A*B"}),
        # the fourth cumulant ties the indices of both forms together
        ((Y @ A @ Y.T) * (Y @ B @ Y.T), {"p*A*B", "p*p*A*B"}),
    ],
)
def test_each_connected_part_counts_once(form: Expression, bounds: set[str]) -> None:
    found = list(term_bounds(average(form, generic(8)), "p", {"A": "A", "B": "B"}))
    kinds = set()
    for bound in found:
        ((_, coefficient),) = bound.terms.items()
        names = {str(name) for name in bound.scalars()}
        kinds.add(frozenset(names - {"kappa_4", "kappa_6", "kappa_8"}))
        assert coefficient
    assert kinds == {frozenset(text.split("*")) for text in bounds}


def test_terms_of_opposite_sign_do_not_cancel() -> None:
    form = tr(A) * tr(B) - tr(A @ B)
    assert len(list(term_bounds(average(form * scalar("n"), generic(4)), "p", {}))) == 2


def test_an_index_that_occurs_once_is_refused() -> None:
    skewed = average((Y @ A @ Y.T) * (Y @ matrix("b", "p", "1")), law("cumulants:1,0"))
    with pytest.raises(ValueError, match="odd number of times"):
        list(term_bounds(skewed, "p", {}))


def test_a_matrix_has_no_bound() -> None:
    with pytest.raises(ValueError, match="scalar"):
        list(term_bounds(average(W @ A, generic(4)), "p", {}))
