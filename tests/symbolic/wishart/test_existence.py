"""Existence of inverse moments: the condition as text; its refusal is in `tests/symbolic/query/test_existence.py`."""

import pytest

from symbolic.wishart.existence import MomentDoesNotExist, condition


@pytest.mark.parametrize(("degree", "text"), [(0, ""), (1, "n - p > 1"), (2, "n - p > 3"), (4, "n - p > 7")])
def test_condition_as_text(degree: int, text: str) -> None:
    assert condition(degree) == text


def test_the_refusal_is_a_value_error() -> None:
    assert issubclass(MomentDoesNotExist, ValueError)
