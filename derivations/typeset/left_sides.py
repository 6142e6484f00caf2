"""What the asymptotic statements are about: the random matrix on the left of `Y = c I + O(xi^a)`, by step.

Claims of this kind hold a leading coefficient and an exponent only; pages need the whole line.
"""

from __future__ import annotations

from collections.abc import Mapping

LEFT_SIDES: Mapping[str, str] = {
    "rows-concentrate": r"X^vX^{vT}",
    "rows-through-wishart": r"X^vX^{tT}X^tX^{vT}",
    "rows-through-wishart-squared": r"X^v(X^{tT}X^t)^2X^{vT}",
    "rows-of-two-tasks": r"X^{v(i)}X^{v(j)T}",
    "rows-of-two-tasks-wishart": r"X^{v(i)}X^{t(i)T}X^{t(i)}X^{v(j)T}",
    "rows-of-two-tasks-two-wisharts": r"X^{v(i)}X^{t(i)T}X^{t(i)}X^{t(j)T}X^{t(j)}X^{v(j)T}",
    "weighted-rows-concentrate": r"X^vDX^{vT}",
    "weighted-rows-through-wishart": r"X^vX^{tT}X^tDX^{vT}",
    "weighted-rows-through-two-wisharts": r"X^vX^{tT}X^tDX^{tT}X^tX^{vT}",
    "weighted-rows-of-two-tasks": r"X^{v(i)}DX^{v(j)T}",
    "weighted-rows-of-two-tasks-wishart": r"X^{v(i)}X^{t(i)T}X^{t(i)}DX^{v(j)T}",
    "weighted-rows-of-two-tasks-two-wisharts": r"X^{v(i)}X^{t(i)T}X^{t(i)}DX^{t(j)T}X^{t(j)}X^{v(j)T}",
    "columns-concentrate": r"X^{vT}X^v",
    "columns-after-wishart": r"X^{tT}X^tX^{vT}X^v",
    "columns-between-wisharts": r"X^{tT}X^tX^{vT}X^vX^{tT}X^t",
    "gram-concentrates": r"\tfrac1pBB^T",
    "noise-concentrates": r"\Gamma",
    "start-concentrates": r"B(\omega_0-w_0)(\omega_0-w_0)^TB^T",
    "gram-inverse-concentrates": r"(BB^T)^{-1}",
    "normal-matrix-concentrates": r"\tfrac1{n_vm}B^TB",
    "normal-inverse-concentrates": r"\left(\tfrac1{n_vm}B^TB\right)^{-1}",
    "normal-noise-concentrates": r"\tfrac1{n_vm}B^T\Gamma B - \tfrac1{n_vm}\mathbb{E}\,B^T\Gamma B",
    "variance-of-rows": r"\mathrm{Var}\Big(\tfrac1pX^{v(i)}X^{v(j)T}\Big)",
    "variance-through-training-data": r"\mathrm{Var}\Big(\tfrac1{p^2}X^{v(i)}X^{t(i)T}X^{t(i)}X^{v(j)T}\Big)",
    "variance-through-both-training-data": (
        r"\mathrm{Var}\Big(\tfrac1{p^3}X^{v(i)}X^{t(i)T}X^{t(i)}X^{t(j)T}X^{t(j)}X^{v(j)T}\Big)"
    ),
    "general-gram-concentrates": "BB^T",
    "general-noise-concentrates": r"\Gamma",
    "general-weight-concentrates": "BH_rB^T",
    "general-gram-inverse-concentrates": "(BB^T)^{-1}",
}
