"""Existence of inverse moments: the condition as text; its refusal is in `tests/symbolic/query/test_existence.py`."""

import pytest

from symbolic.wishart.existence import MomentDoesNotExist, condition


@pytest.mark.parametrize(
    ("rows", "bound", "text"), [("n", -1, "n >= p"), ("n", 1, "n - p > 1"), ("n12", 7, "n12 - p > 7")]
)
def test_condition_as_text(rows: str, bound: int, text: str) -> None:
    assert condition(rows, bound) == text


def test_the_refusal_is_a_value_error() -> None:
    assert issubclass(MomentDoesNotExist, ValueError)
