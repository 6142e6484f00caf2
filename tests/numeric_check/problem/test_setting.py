"""A setting accepts what makes sense, refuses the rest in one line, and compares by content."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from numeric_check.problem.setting import Setting, in_eigenbasis, symmetric_root

PLAIN = Setting(n_t=5, n_v=2, n_r=4, m=3, p=10, sigma=0.5, nu=0.3, alpha_t=0.1, alpha_r=0.2)
A = np.array([[2.0, 0.5], [0.5, 1.0]])


@pytest.mark.parametrize(("p", "regime"), [(5, "under"), (6, "critical"), (7, "over")])
def test_regime(p: int, regime: str) -> None:
    assert replace(PLAIN, p=p).regime == regime


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_t": 0}, "n_t is 0: give a positive integer"),
        ({"n_t": 2.5}, "n_t is 2.5: give a positive integer"),
        ({"m": float("nan")}, "m is nan"),
        ({"p": True}, "p is True"),
        ({"inner_steps": -1}, "inner_steps is -1"),
        ({"sigma": -0.1}, "sigma is -0.1: it cannot be negative"),
        ({"nu": "x"}, "nu is 'x': give a finite number"),
        ({"alpha_t": float("inf")}, "alpha_t is inf: give a finite number"),
        ({"dist0_sq": -1.0}, "dist0_sq is -1.0"),
        ({"noise_val": -1.0}, "noise_val is -1.0"),
        ({"inputs": "cauchy"}, "inputs is 'cauchy'"),
        ({"split": "both"}, "split is 'both'"),
        ({"split": "reused"}, "n_v=2 must equal n_t=5"),
        ({"split": "reused", "n_v": 5, "noise_val": 0.1}, "leave noise_val out"),
        ({"Sigma": np.eye(3)}, r"Sigma has shape \(3, 3\)"),
        ({"p": 2, "Sigma": A + np.triu(A)}, "Sigma is not symmetric"),
        ({"p": 2, "Sigma": A - 3 * np.eye(2)}, "Sigma has a negative eigenvalue"),
        (
            {"p": 2, "Sigma": A * 8e307},
            r"Sigma has the entry 1.6e\+308, beyond 1e\+100: give it in other units",
        ),
        ({"p": 2, "Sigma_w": A * -1e101}, r"Sigma_w has the entry 2e\+101"),
        ({"p": 2, "Sigma_w": np.zeros((0, 0))}, "Sigma_w is empty: give a p x p matrix"),
        ({"p": 2, "Sigma": A * 1j}, "Sigma is complex"),
        ({"p": 2, "Sigma": A * np.nan}, "Sigma has an infinite or undefined entry"),
        ({"p": 2, "Sigma": [["a", "b"], ["c", "d"]]}, "Sigma does not hold numbers"),
        ({"p": 2, "Sigma_w": A[0]}, r"Sigma_w has shape \(2,\)"),
        ({"p": 2, "Sigma": A, "dist0_sq": 1.0}, "dist0_sq must be 0"),
    ],
)
def test_refusals_are_one_line(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        replace(PLAIN, **change)
    assert "\n" not in str(caught.value)


def test_equal_by_content() -> None:
    first, second = (replace(PLAIN, p=2, Sigma=A.copy()) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first != replace(PLAIN, p=2, Sigma=A + np.eye(2))
    assert first != replace(first, alpha_t=0.2)
    assert replace(first, alpha_t=-0.0) == replace(first, alpha_t=0.0)


def test_covariances_cannot_be_changed_afterwards() -> None:
    given = A.copy()
    setting = replace(PLAIN, p=2, Sigma=given)
    given[0, 0] = 100.0
    assert setting.Sigma is not None
    assert setting.Sigma[0, 0] == 2.0
    with pytest.raises(ValueError, match="read-only"):
        setting.Sigma[0, 0] = 3.0


@pytest.mark.parametrize("matrix", [A, np.diag([4.0, 0.0]), np.ones((3, 3))])
def test_symmetric_root(matrix: np.ndarray) -> None:
    root = symmetric_root(matrix)
    assert np.allclose(root @ root, matrix, atol=1e-12)
    assert np.allclose(root, root.T)


def test_eigenbasis_keeps_the_invariants() -> None:
    setting = replace(PLAIN, p=2, Sigma=A, Sigma_w=np.diag([1.0, 3.0]))
    turned = in_eigenbasis(setting)
    assert turned.diagonal
    assert not setting.diagonal
    for power in (1, 2, 3):
        for s in (setting, turned):
            assert s.Sigma is not None
        mixed = [np.trace(np.linalg.matrix_power(s.Sigma, power) @ s.Sigma_w) for s in (setting, turned)]
        assert mixed[0] == pytest.approx(mixed[1])
    # rotating the entries of another law changes it
    assert in_eigenbasis(replace(setting, inputs="uniform")).Sigma is not turned.Sigma
    assert not in_eigenbasis(replace(setting, inputs="uniform")).diagonal
