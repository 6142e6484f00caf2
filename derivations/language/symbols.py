"""The symbols of the paper, for printed claims (SymPy side).

Dimension symbols are positive; nothing is concluded from SymPy's assumptions: proofs read names only.
"""

from __future__ import annotations

import sympy
from sympy import MatrixSymbol, Symbol

n, n_t, n_v, n_r, n_s, m, p, N = sympy.symbols("n n_t n_v n_r n_s m p N", positive=True)
# rows of several independent Wishart matrices, in the queries of the page on moments
n1, n2 = sympy.symbols("n1 n2", positive=True)
sigma, nu = sympy.symbols("sigma nu", nonnegative=True)
sigma_v = Symbol("sigma_v", nonnegative=True)
alpha_t, alpha_r, alpha = sympy.symbols("alpha_t alpha_r alpha", real=True)
dist0_sq = Symbol("dist0_sq", nonnegative=True)  # |omega_0 - w_0|^2
excess = Symbol("excess", nonnegative=True)  # E |omega_star - w_0|^2
# E Tr M^-1 K: what the label noise of one task adds, in its rotated coordinates
label_noise = Symbol("label_noise", nonnegative=True)
# the same in the limit of large sizes in proportion
noise_limit = Symbol("noise_limit", nonnegative=True)
kappa = Symbol("kappa", positive=True)  # what E Tr (B_1 B_1^T)^-1 comes to in that limit
kappa_4 = Symbol("kappa_4", real=True)  # the fourth cumulant of an entry of the inputs
y, f_0 = sympy.symbols("y f_0", real=True)  # a label, and what a model says of it at the start
xi, delta = sympy.symbols("xi delta", positive=True)

LATEX_NAMES = {
    "dist0_sq": r"|\omega_0-w_0|^2",
    "excess": r"\mathbb{E}|\omega^\star-w_0|^2",
    "label_noise": r"\mathbb{E}\,\mathrm{Tr}\,M^{-1}K",
    "noise_limit": r"f_\kappa",
    "kappa": r"\kappa",
    "A_t": "A",
    "D_t": "D",
    "T_kappa": r"T_\kappa",
    "mu": r"\mu",
    "T_mu": r"T_\mu",
    "T_a": "T",
    "R_mu": r"R_\mu",
    "E_t": "E",
    "M_3_near": r"\tilde M_3",
    "M_4_near": r"\tilde M_4",
    "Z_inverse": "(ZZ^T)^{-1}",
    "unreached": "(p-n_t-n_v-1)",
    "n_t": "n_t",
    "n1": "n_1",
    "n2": "n_2",
    "sigma_v": r"\sigma_v",
    "omega_star": r"\omega^\star",
    "omega_0": r"\omega_0",
    "omega": r"\omega",
    "w_0": "w_0",
    "w_prime": "w'",
    "delta_w": r"\delta w'",
    "theta_star": r"\theta^\star",
    "gamma": r"\gamma",
    "delta_gamma": r"\delta\gamma",
    "Gamma": r"\Gamma",
    "X_t": "X^t",
    "X_v": "X^v",
    "X_r": "X^r",
    "X_s": "X^s",
    "z_t": "z^t",
    "z_v": "z^v",
    "z_r": "z^r",
    "z_s": "z^s",
    "y_t": "y^t",
    "y_v": "y^v",
    "y_r": "y^r",
    "y_s": "y^s",
    "w_i": "w^{(i)}",
    "Sigma": r"\Sigma",
    "Sigma_w": r"\Sigma_w",
    "H_t_inverse": r"H_t^{-1}",
    "Gamma_1": r"\Gamma_1",
    "Gamma_z": r"\Gamma_z",
    "G_inverse": r"(B_1B_1^T)^{-1}",
    "Q_perp": r"Q_\perp",
    "E_perp": r"E_\perp",
    "Q_o": "Q",
    "Q_o_perp": r"Q_\perp",
    "E_o": "O_1",
    "E_o_perp": "O_2",
    "J_o": "J",
    "H_o": "H",
    "L_inverse": "L^{-1}",
    "M_inverse": "M^{-1}",
    "D_inverse": "D^{-1}",
    "S_inverse": "S^{-1}",
    "F_inverse": "F^{-1}",
    "C_inverse": r"(B_1X^{vT})^{-1}",
    "F_plus": r"F(\alpha_t)",
    "F_minus": r"F(-\alpha_t)",
    "M_plus": r"M(\alpha_t)",
    "M_minus": r"M(-\alpha_t)",
    "K_plus": r"K(\alpha_t)",
    "K_minus": r"K(-\alpha_t)",
    "room": "(p-n_vm-1)",
    "free": "(p-n_v-1)",
    "spare": "(n_vm-p-1)",
    "triples": "(N-1)N(N+2)",
    "B_dot": r"\dot B",
    "Gamma_dot": r"\dot\Gamma",
    "excess_dot": r"\partial_{\alpha_t}\mathbb{E}|\omega^\star-w_0|^2",
    "Pi": r"\Pi",
}


def column(name: str, size: sympy.Expr) -> MatrixSymbol:
    """A column vector symbol."""
    return MatrixSymbol(name, size, 1)


def squared_norm(vector: sympy.MatrixExpr) -> sympy.Expr:
    """|v|^2, written as the trace of v v^T so that it is a scalar to SymPy."""
    return sympy.Trace(vector * vector.T)


def inner(left: sympy.MatrixExpr, right: sympy.MatrixExpr) -> sympy.Expr:
    """left^T right, written as a trace."""
    return sympy.Trace(right * left.T)


DIMENSIONS = {
    "n": n,
    "n1": n1,
    "n2": n2,
    "n_t": n_t,
    "n_v": n_v,
    "n_r": n_r,
    "n_s": n_s,
    "m": m,
    "p": p,
    "N": N,
}
SCALARS = {
    s.name: s
    for s in (
        sigma,
        nu,
        sigma_v,
        alpha_t,
        alpha_r,
        alpha,
        dist0_sq,
        excess,
        label_noise,
        noise_limit,
        kappa,
        kappa_4,
        y,
        f_0,
    )
}


def symbol_table() -> dict[str, sympy.Symbol]:
    """The paper's scalar symbols by name."""
    return {**DIMENSIONS, **SCALARS}


def dimension_name(size: sympy.Expr) -> str:
    """The name of a dimension symbol, or "1"."""
    return str(size)
