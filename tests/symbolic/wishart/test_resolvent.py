"""The resolvent: it solves its equation, and it notices wrong eigenvalues."""

import pytest
from flint import fmpz_poly

from symbolic.wishart import resolvent as module
from symbolic.wishart.marked_basis import basis
from symbolic.wishart.resolvent import M, apply, resolvent


@pytest.mark.parametrize("degree", range(7))
def test_resolvent_solves_its_equation(degree: int) -> None:
    for element in basis(degree):
        solved, roots = resolvent({element: fmpz_poly([1])})
        bottom = fmpz_poly([1])
        for root in roots:
            bottom *= M - root
        left = {key: M * value for key, value in solved.items()}
        for key, value in apply(solved).items():
            left[key] = left.get(key, fmpz_poly([])) - value
        assert {key: value for key, value in left.items() if value} == {element: bottom}


def test_a_missing_eigenvalue_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = module.contents
    monkeypatch.setattr(module, "contents", lambda degree: right(degree)[:-1])
    with pytest.raises(ArithmeticError, match="does not end"):
        resolvent({(2, ()): fmpz_poly([1])})


@pytest.mark.parametrize("elements", [[], [(1, ()), (2, ())]])
def test_one_degree_at_a_time(elements: list[tuple[int, tuple[int, ...]]]) -> None:
    with pytest.raises(ValueError, match="terms of one degree"):
        resolvent({element: fmpz_poly([1]) for element in elements})
