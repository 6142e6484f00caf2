"""Existence of inverse moments: the condition, its refusal, and divergence beyond it."""

import pytest

from symbolic.wishart.existence import MomentDoesNotExist, check_existence, condition


@pytest.mark.parametrize(("degree", "text"), [(0, ""), (1, "n - p > 1"), (2, "n - p > 3"), (4, "n - p > 7")])
def test_condition_as_text(degree: int, text: str) -> None:
    assert condition(degree) == text


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
@pytest.mark.parametrize("p", [2, 5])
def test_the_boundary_is_sharp(degree: int, p: int) -> None:
    check_existence(p + 2 * degree, p, degree, -degree)
    with pytest.raises(MomentDoesNotExist, match=f"n - p > {2 * degree - 1}.*at least {p + 2 * degree}"):
        check_existence(p + 2 * degree - 1, p, degree, -degree)


def test_positive_moments_always_exist() -> None:
    check_existence(1, 10, 0, 3)


def test_in_one_column_powers_cancel_first() -> None:
    check_existence(1, 1, 2, 0)
    check_existence(3, 1, 3, -1)
    with pytest.raises(MomentDoesNotExist, match="n - p > 1"):
        check_existence(2, 1, 3, -1)
    with pytest.raises(MomentDoesNotExist, match="n - p > 5"):
        check_existence(7, 2, 3, -1)


def test_the_refusal_is_a_value_error() -> None:
    assert issubclass(MomentDoesNotExist, ValueError)
