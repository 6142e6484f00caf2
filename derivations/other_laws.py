"""Inputs of another law with iid entries: the means that the leading order needs, by cumulants."""

from __future__ import annotations

import sympy

from derivations.assumptions import Assumptions, NotDerivable


def law_excess(assumptions: Assumptions) -> sympy.Expr:
    """E|omega_star - w_0|^2 to leading order for inputs of another law (overparameterized)."""
    raise NotDerivable("inputs of this law are not derived here")
