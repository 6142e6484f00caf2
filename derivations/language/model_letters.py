"""The matrix letters that printed claims may use, by name: the same letters as in the model's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from derivations.language import model
from derivations.language.assumptions import PAPER
from derivations.support.text import nearest
from symbolic.algebra.words import Expression, gaussian, identity, matrix, vector

_LETTERS: dict[str, Callable[[], Expression]] = {
    "X": lambda: gaussian("X", "n", "p"),
    "C": lambda: matrix("C", "n", "n", symmetric=True),
    "A": lambda: matrix("A", "p", "p"),
    "D": lambda: matrix("D", "p", "p", symmetric=True),
    "Sigma": lambda: model.SIGMA,
    "inverse of Sigma": lambda: matrix("Sigma_inverse", "p", "p", symmetric=True),
    "Sigma_inverse": lambda: matrix("Sigma_inverse", "p", "p", symmetric=True),
    "Sigma_w": lambda: model.SIGMA_W,
    "F": lambda: model.FOURTH_MOMENT,
    "H_r": lambda: matrix("H_r", "p", "p", symmetric=True),
    "X_t": lambda: model.inputs("X_t", "n_t", PAPER),
    "X_v": lambda: model.inputs("X_v", "n_v", PAPER),
    "X_r": lambda: model.inputs("X_r", "n_r", PAPER),
    "X_s": lambda: model.inputs("X_s", "n_s", PAPER),
    "z_t": lambda: model.noise("z_t", "n_t"),
    "z_v": lambda: model.noise("z_v", "n_v"),
    "z_r": lambda: model.noise("z_r", "n_r"),
    "z_s": lambda: model.noise("z_s", "n_s"),
    "y_t": lambda: vector("y_t", "n_t"),
    "y_v": lambda: vector("y_v", "n_v"),
    "y_r": lambda: vector("y_r", "n_r"),
    "y_s": lambda: vector("y_s", "n_s"),
    "w": lambda: vector("w", "p"),
    "w_0": lambda: model.W_0,
    "w_prime": lambda: vector("w_prime", "p"),
    "delta_w": lambda: model.task_deviation("delta_w"),
    "k": lambda: vector("k", "p"),
    "omega": lambda: model.OMEGA,
    "omega_0": lambda: vector("omega_0", "p"),
    "omega_star": lambda: model.OMEGA_STAR,
    "theta": lambda: vector("theta", "p"),
    "theta_star": lambda: vector("theta_star", "p"),
    # the stacked outer problem: N = n_v m validation rows
    "B": lambda: matrix("B", "N", "p"),
    "gamma": lambda: vector("gamma", "N"),
    "delta_gamma": lambda: gaussian("delta_gamma", "1", "N", covariance="Gamma").T,
    "Gamma": lambda: matrix("Gamma", "N", "N", symmetric=True),
    "inverse of B*B.T": lambda: matrix("BBT_inverse", "N", "N", symmetric=True),
    "inverse of B.T*B": lambda: matrix("BTB_inverse", "p", "p", symmetric=True),
    # beyond the paper: the inverse of H_t, below p = n_v m with a general covariance
    "H_t_inverse": lambda: matrix("H_t_inverse", "p", "p", symmetric=True),
    # beyond the paper: one task in rotated coordinates, above p = n_v m
    "U": lambda: gaussian("U", "n_t", "n_v"),
    "V": lambda: gaussian("V", "n_t", "q"),
    # and of its rows of B those across its training inputs, which a frame Q spans
    "B_1": lambda: matrix("B_1", "n_v", "p"),
    "Q": lambda: matrix("Q", "n_t", "p"),
    "Z": lambda: gaussian("Z", "n_v", "q"),
    "K": lambda: matrix("K", "n_v", "n_v", symmetric=True),
    "M": lambda: matrix("M", "n_v", "n_v", symmetric=True),
    "F_inverse": lambda: matrix("F_inverse", "n_v", "n_v", symmetric=True),
    "M_inverse": lambda: matrix("M_inverse", "n_v", "n_v", symmetric=True),
    "G_inverse": lambda: matrix("G_inverse", "n_v", "n_v", symmetric=True),
    "Gamma_1": lambda: matrix("Gamma_1", "n_v", "n_v", symmetric=True),
    # beyond the paper: an inner loop's matrix, and what a projection on the rows it leaves becomes in the mean
    "A_t": lambda: matrix("A_t", "p", "p", symmetric=True),
    "D_t": lambda: matrix("D_t", "p", "p"),
    "T_kappa": lambda: matrix("T_kappa", "p", "p", symmetric=True),
    "I_p": lambda: identity("p"),
    # beyond the paper: what a linear inner loop makes of the training labels, seen by validation inputs, and the best one
    "T_a": lambda: matrix("T_a", "p", "p", symmetric=True),
    "Y": lambda: matrix("Y", "n_v", "n_t"),
    "E_t": lambda: matrix("E_t", "n_v", "n_t"),
    "R_mu": lambda: matrix("R_mu", "n_t", "n_t", symmetric=True),
    "T_mu": lambda: matrix("T_mu", "p", "p", symmetric=True),
    "Q_o": lambda: matrix("Q_o", "p", "N"),
    "Q_o_perp": lambda: matrix("Q_o_perp", "q", "N"),
    "E_o": lambda: matrix("E_o", "n_t", "N"),
    "E_o_perp": lambda: matrix("E_o_perp", "n_o", "N"),
    "J_o": lambda: matrix("J_o", "n_v", "n_o"),
}

# what the model, its problem and its loss are written in: what these stand for is stated by a step
OF_THE_MODEL = frozenset(
    name
    for name in _LETTERS
    if name.split("_")[0]
    in ("X", "z", "y", "w", "delta", "omega", "theta", "gamma", "B", "Gamma", "H", "F", "A")
    and name != "X"
)

# letters that are their own transpose (a trace read backwards is the same trace)
SYMMETRIC = frozenset(
    {
        "C",
        "D",
        "F",
        "Sigma",
        "Sigma_inverse",
        "Sigma_w",
        "Gamma",
        "H_r",
        "H_t",
        "H_t_inverse",
        "S",
        "BBT_inverse",
        "BTB_inverse",
        "K",
        "M",
        "F_inverse",
        "M_inverse",
        "G_inverse",
        "Gamma_1",
        "A_t",
        "T_kappa",
        "R_mu",
        "T_mu",
        "T_a",
    }
)


@cache
def letter(name: str) -> Expression:
    """The word that a printed matrix symbol stands for; raises ValueError naming the nearest known letter."""
    if name not in _LETTERS:
        raise ValueError(f"unknown matrix {name!r} in a claim; {nearest(name, _LETTERS)}")
    return _LETTERS[name]()


Value = float | NDArray[np.float64]


def engine_values(values: Mapping[str, Value]) -> dict[str, Value]:
    """Values of the engine's letters from those of the printed symbols.

    Label noise is in units of its standard deviation, and the inverses of the outer problem are letters of their own.
    """
    found = dict(values)
    for name in ("z_t", "z_v", "z_r", "z_s"):
        if name in values:
            found[name] = np.asarray(values[name]) / float(np.asarray(values["sigma"]))
    if "B" in values:
        b = np.asarray(values["B"])
        if b.shape[0] <= b.shape[1]:
            found["BBT_inverse"] = np.linalg.inv(b @ b.T)
        if b.shape[0] >= b.shape[1]:
            found["BTB_inverse"] = np.linalg.inv(b.T @ b)
    return found
