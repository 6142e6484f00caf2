"""The formulas by name: as expressions, as stable vectorised functions, as numbers, as source text.

A formula belongs to the step that derives it; nothing here is about a particular one. A name is a step's
slug, its alias (`eq5`) or an equation number; a formula is called `value` when its step has no other, else by
its label.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import sympy

from derivations.assumptions import PAPER, Assumptions, NotDerivable
from derivations.exact_values import parameters, quotient, trace_values, value_at
from derivations.parameters import (
    MATRICES,
    NOT_NEGATIVE,
    SIZES,
    Given,
    InvalidParameter,
    Matrix,
    checked,
    checked_matrix,
    checked_number,
    ordered,
)
from derivations.reading import to_sympy
from derivations.registry import ALIASES, find
from derivations.step import Step
from derivations.symbols import m, n_t, n_v, p
from symbolic.codegen import Compiled, compiled, high_precision, source
from symbolic.stable import StableForm, stable

RATES = ("alpha_t", "alpha_r", "alpha")
KEYS = {r"\alpha_t^-": "minimum", r"\alpha_t^+": "maximum"}
SIGN = r"\mathrm{sign}"
# Which way n_v m compares with p on a page of the paper, and the name to use on the other side.
OVER, UNDER = "over", "under"
REGIMES = {"theorem1": OVER, "theorem2": UNDER, "theorem3": OVER}
LOSS = {OVER: "eq5", UNDER: "eq9"}
KIND = {OVER: "p > n_v m (overparameterized)", UNDER: "p < n_v m (underparameterized)"}


class NoFormula(ValueError):
    """The step derives no formula of the kind asked for."""


# -- expressions --------------------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def derived_parts(name: str, assumptions: Assumptions = PAPER) -> Mapping[str, sympy.Basic]:
    """What the step of this name derives, by label, as SymPy trees.

    Raises UnknownStep, NotDerivable (with the reason), or NoFormula for a step without a derivation.
    """
    step = find(name)
    why_not = step.applies(assumptions)
    if why_not is not None:
        raise NotDerivable(why_not)
    if step.derive is None:
        raise NoFormula(
            f"{name} is a {step.kind} and derives no formula: choose an equation of `derive list`"
        )
    return {label: to_sympy(part) for label, part in step.derive(assumptions).items()}


@lru_cache(maxsize=128)
def formulas(name: str, assumptions: Assumptions = PAPER) -> Mapping[str, sympy.Expr]:
    """The scalar formulas of a step by key: `value`, or `minimum` and `maximum` of (8), or the step's labels.

    Statements about a sign are left out. Raises as `derived_parts`, and NoFormula for matrices.
    """
    parts = {k: v for k, v in derived_parts(name, assumptions).items() if not k.startswith(SIGN)}
    if not parts:
        raise NoFormula(f"{name} is a statement about signs and gives no number: see `derive show {name}`")
    if any(getattr(part, "is_Matrix", False) for part in parts.values()):
        raise NoFormula(
            f"{name} is an equation between matrices and gives no number: see `derive show {name}`"
        )
    if len(parts) == 1:
        return {"value": next(iter(parts.values()))}
    return {KEYS.get(label, label): part for label, part in parts.items()}


def formula(name: str, assumptions: Assumptions = PAPER, key: str | None = None) -> sympy.Expr:
    """The formula of a step, or one of its parts by key; raises as `formulas`."""
    found = formulas(name, assumptions)
    return found[_chosen(name, found, key)]


def _chosen(name: str, found: Collection[str], key: str | None) -> str:
    """The key asked for, or the only one."""
    if key is None and len(found) == 1:
        return next(iter(found))
    if key is None or key not in found:
        raise NoFormula(f"{name} has the formulas {', '.join(found)}: name one of them")
    return key


# -- functions ----------------------------------------------------------------------------------------------


def regime(step: Step) -> str | None:
    """Which of the two regimes a step's formulas are for, None when for both."""
    return REGIMES.get(step.page)


@lru_cache(maxsize=128)
def stable_formulas(name: str, assumptions: Assumptions = PAPER) -> Mapping[str, StableForm]:
    """The formulas of a step in their numerically stable form, each proved equal to the derived one.

    Raises as `formulas`, and NotRational for formulas of matrices.
    """
    rows = (n_t if assumptions.split == "reused" else n_v) * m
    positive = {OVER: {"room": p - rows}, UNDER: {"surplus": rows - p}}
    differences = positive.get(regime(find(name)) or "", {})
    return {
        key: stable(expr, rates=RATES, sizes=SIZES, weights=NOT_NEGATIVE, differences=differences)
        for key, expr in formulas(name, assumptions).items()
    }


@lru_cache(maxsize=128)
def function(name: str, assumptions: Assumptions = PAPER, key: str | None = None) -> Compiled:
    """A formula as a vectorised function of its parameters by name, from its stable form."""
    found = stable_formulas(name, assumptions)
    return compiled(found[_chosen(name, found, key)])


# -- numbers ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """Checked values: exact scalars by name, and matrices by name."""

    scalars: Mapping[str, Fraction]
    matrices: Mapping[str, Matrix]


def checked_point(
    name: str,
    values: Mapping[str, Given],
    assumptions: Assumptions,
    *,
    needed: set[str],
    matrices: set[str],
) -> Point:
    """The values a formula needs, checked, and whether its regime holds; raises InvalidParameter."""
    fixed = {} if assumptions.noise_val is None else {"sigma_v": assumptions.noise_val}
    side = regime(find(name))
    given = dict(values)
    found: dict[str, Matrix] = {}
    if matrices:
        found = _checked_matrices(name, given, matrices)
        given.setdefault("p", len(found["Sigma"]))
    elif any(key in given for key in MATRICES):
        raise InvalidParameter(f"{name} is for identity covariance and takes no matrices: use eq14 for Sigma")
    counts = {"n_v", "m", "p"} if side is not None and {"n_v", "m"} <= needed else set()
    scalars = checked(name, given, needed | counts, fixed=fixed)
    if matrices and checked_number("dist0_sq", given.get("dist0_sq", 0)) != 0:
        raise InvalidParameter(f"{name} is for omega_0 = w_0 = 0: set dist0_sq=0 or leave it out")
    if assumptions.split == "reused" and scalars.get("n_v", 0) != scalars.get("n_t", scalars.get("n_v", 0)):
        raise InvalidParameter(
            "with split=reused the validation data are the training data: set n_v equal to n_t"
        )
    if counts and side is not None:
        _check_regime(name, side, scalars)
    return Point(scalars, found)


def _checked_matrices(name: str, given: dict[str, Given], needed: set[str]) -> dict[str, Matrix]:
    """Sigma, Sigma_w (or nu^2/p I), and F where it is given; they leave `given`."""
    found: dict[str, Matrix] = {}
    for key in [key for key in MATRICES if key in given]:
        value = given.pop(key)
        if not isinstance(value, np.ndarray) or value.ndim != 2:
            raise InvalidParameter(f"{key} must be a p x p matrix: give {key}=@file.npy")
        found[key] = value
    if "Sigma" not in found:
        raise InvalidParameter(f"{name} needs Sigma: add Sigma=@file.npy")
    size = len(found["Sigma"])
    if "p" in given and given["p"] != size:
        raise InvalidParameter(f"Sigma is {size} x {size}: p must be {size}, or left out")
    if "nu" in given and "Sigma_w" in found:
        raise InvalidParameter("nu and Sigma_w both set the variability of tasks: give one of them")
    if "Sigma_w" in needed and "Sigma_w" not in found:
        if "nu" not in given:
            raise InvalidParameter(f"{name} needs Sigma_w: add Sigma_w=@file.npy")
        found["Sigma_w"] = float(checked_number("nu", given["nu"])) ** 2 / size * np.eye(size)
    return {key: checked_matrix(key, value, size) for key, value in found.items()}


def _check_regime(name: str, side: str, values: Mapping[str, Fraction]) -> None:
    rows, size = values["n_v"] * values["m"], values["p"]
    if rows != size and (OVER if size > rows else UNDER) == side:
        return
    here = f"{name} holds for {KIND[side]}, but n_v m = {rows} and p = {size}"
    if rows == size:
        raise InvalidParameter(f"{here}: neither {LOSS[OVER]} nor {LOSS[UNDER]} holds, change n_v, m or p")
    other = UNDER if side == OVER else OVER
    raise InvalidParameter(f"{here}: use {LOSS[other]}, which holds for {KIND[other]}")


def evaluate_named(
    name: str, values: Mapping[str, Given], assumptions: Assumptions = PAPER
) -> dict[str, float]:
    """The numbers a step's formulas give: `{"value": ...}`, or `{"minimum": ..., "maximum": ...}` for (8).

    values: by parameter name, taken as exact numbers; the results are computed exactly (a square root to 50
    digits) and then rounded to doubles. Raises ValueError, in one line, on whatever does not fit together.
    """
    return {
        key: _number(name, expr, values, assumptions) for key, expr in formulas(name, assumptions).items()
    }


def _number(name: str, expr: sympy.Expr, values: Mapping[str, Given], assumptions: Assumptions) -> float:
    value = quotient(expr)
    scalars, matrices = parameters(value)
    if value.roots:
        scalars = {str(symbol.name) for symbol in expr.free_symbols}
    point = checked_point(name, values, assumptions, needed=scalars, matrices=matrices)
    if value.roots:
        return float(high_precision(expr, point.scalars))
    numbers = {**point.scalars, **trace_values(value, point.matrices, assumptions)}
    try:
        return float(value_at(value, numbers))
    except OverflowError:
        raise InvalidParameter(f"the value of {name} here is beyond 1e308: give smaller numbers") from None


# -- source text --------------------------------------------------------------------------------------------


def source_code(name: str, language: str, assumptions: Assumptions = PAPER) -> dict[str, str]:
    """The formulas of a step as functions in `python`, `c` or `javascript`, by key; raises as `formulas`.

    A function is called by the step's alias or slug (and its key, where there are several) and takes its
    parameters in the model's order. Formulas of scalars are in their stable form; a trace of matrices is a
    parameter, `tr_Sigma_F` for the trace of Sigma F.
    """
    step = find(name)
    stem = next((alias for alias, slug in ALIASES.items() if slug == step.name), step.name)
    stem = _identifier(stem)
    found = formulas(step.name, assumptions)
    forms: dict[str, StableForm] = {}
    for key, expr in found.items():
        traces = {trace: sympy.Symbol(_trace_parameter(trace)) for trace in expr.atoms(sympy.Trace)}
        if traces:
            forms[key] = StableForm(expr.xreplace(traces), (), 0, RATES)
        else:
            forms[key] = stable_formulas(step.name, assumptions)[key]
    return {
        key: source(
            form, language, name=stem if len(forms) == 1 else f"{stem}_{_identifier(key)}",
            parameters=ordered(form.parameters()),
        )
        for key, form in forms.items()
    }  # fmt: skip


def _trace_parameter(trace: sympy.Trace) -> str:
    word = trace.arg.args if isinstance(trace.arg, sympy.MatMul) else (trace.arg,)
    return "tr_" + "_".join(_identifier(str(factor)) for factor in word)


def _identifier(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_")
