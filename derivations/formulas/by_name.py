"""The formulas by name: as expressions, as stable vectorised functions, as numbers, as source text.

A formula belongs to the step that derives it; nothing here is about a particular one. A name is a step's
slug, its alias (`eq5`) or an equation number; a formula is called `value` when its step has no other, else by
its label.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import sympy

from derivations.formulas.exact import parameters, quotient, value_at
from derivations.formulas.kept import kept
from derivations.formulas.parameters import NOT_NEGATIVE, SIZES, Given, InvalidParameter, ordered
from derivations.formulas.values import checked_point, needs, traces, united
from derivations.language.assumptions import PAPER, Assumptions, NotDerivable
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import label_noise, m, n_t, n_v, nu, p, sigma
from derivations.paper.theorem2.general_covariance import NORMAL
from derivations.steps.contents import ALIASES, find
from derivations.steps.labels import InRegime, Sign
from derivations.support.bad_input import BadInput
from numeric_check.draws.estimate import Estimate
from numeric_check.estimators.tails import nothing_amplified
from symbolic.proofs.asymptotics import UndecidedOrder
from symbolic.proofs.positivity import SignUnproved

if TYPE_CHECKING:  # one number needs no source text
    from derivations.formulas.function import Function
    from symbolic.code.stable import StableForm

RATES = ("alpha_t", "alpha_r", "alpha")
BY_REGIME = {regime.value: regime for regime in Regime}
KEYS = {r"\alpha_t^-": "minimum", r"\alpha_t^+": "maximum"}


class NoFormula(BadInput):
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
            f"{name} is {step.kind.with_article} and derives no formula: `derive show` "
            f"prints it; numbers come from {', '.join(ALIASES)}"
        )
    derive = step.derive
    try:
        return kept(
            step.name,
            assumptions,
            lambda: {label: to_sympy(part) for label, part in derive(assumptions).items()},
        )
    except (SignUnproved, UndecidedOrder) as error:
        if assumptions == PAPER:
            raise
        raise NotDerivable(
            f"{name} has no such form under {assumptions.label()} ({error}): stationary rates are found by "
            "`derive optimum eq5`, `eq9` or `eq14`"
        ) from None


@lru_cache(maxsize=128)
def formulas(name: str, assumptions: Assumptions = PAPER) -> Mapping[str, sympy.Expr]:
    """The scalar formulas of a step by key: `value`, or `minimum` and `maximum` of (8), or the step's labels.

    Statements about a sign are left out. Raises as `derived_parts`, and NoFormula for matrices and for moments.
    """
    query = find(name).query
    if query:
        raise NoFormula(
            f"{name} is a moment, which need not exist at every size: ask for its value with `derive moment {query}`"
        )
    parts = {k: v for k, v in derived_parts(name, assumptions).items() if not isinstance(k, Sign)}
    if not parts:
        raise NoFormula(f"{name} is a statement about signs and gives no number: see `derive show {name}`")
    parts = {label: part for label, part in parts.items() if label != NORMAL or len(parts) == 1}
    if any(getattr(part, "is_Matrix", False) for part in parts.values()):
        raise NoFormula(
            f"{name} is an equation between matrices and gives no number: see `derive show {name}`"
        )
    if len(parts) == 1:
        return {"value": next(iter(parts.values()))}
    return {
        label.regime.value if isinstance(label, InRegime) else KEYS.get(label, label): part
        for label, part in parts.items()
    }


def in_regime(
    name: str, values: Mapping[str, Given], assumptions: Assumptions = PAPER
) -> Mapping[str, sympy.Expr]:
    """As `formulas`; of a step that has a formula for each regime, the one of these sizes.

    Raises InvalidParameter where the sizes are missing, or neither formula holds.
    """
    found = formulas(name, assumptions)
    if found.keys() != BY_REGIME.keys():
        return found
    point = checked_point(name, values, assumptions, needed={"n_v", "m", "p"}, matrices=set())
    rows, size = point.scalars["n_v"] * point.scalars["m"], point.scalars["p"]
    for key, regime in BY_REGIME.items():
        if abs(size - rows) > 1 and regime.holds(rows, size):
            return {"value": found[key]}
    near = Regime.OVER if size >= rows else Regime.UNDER
    if (exact := _unamplified(found[near.value], values, assumptions)) is not None:
        return {"value": exact}
    conditions = " or ".join(regime.with_room("p", "n_v m") for regime in Regime)
    raise InvalidParameter(
        f"{name} is infinite unless {conditions}, but n_v m = {rows} and p = {size}: change n_v, m or p"
    )


def _unamplified(
    expr: sympy.Expr, values: Mapping[str, Given], assumptions: Assumptions
) -> sympy.Expr | None:
    """A formula where nothing is there to be amplified, so that what is infinite elsewhere cancels; None where something is."""
    tasks, spread, noise = (float(values.get(str(symbol), math.inf)) for symbol in (m, nu, sigma))
    if not nothing_amplified(tasks, spread, noise, float(assumptions.noise_val or 0)):
        return None
    alike = {m: 1} if tasks == 1 else {nu: 0}
    return expr.subs({**alike, sigma: 0, label_noise: 0})


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


@lru_cache(maxsize=128)
def stable_formulas(name: str, assumptions: Assumptions = PAPER) -> Mapping[str, StableForm]:
    """The formulas of a step in their numerically stable form, each proved equal to the derived one.

    Raises as `formulas`, and NotRational for formulas of matrices.
    """
    from symbolic.code.stable import stable

    rows = (n_t if assumptions.split == "reused" else n_v) * m
    # a formula for each regime holds with one row or parameter to spare: see `in_regime`
    positive = {
        Regime.OVER: {"room": p - rows},
        Regime.UNDER: {"surplus": rows - p},
        None: {},
        Regime.OVER.value: {"spare": p - rows - 1},
        Regime.UNDER.value: {"spare": rows - p - 1},
    }
    differences = {
        key: positive[key if key in BY_REGIME else find(name).regime] for key in formulas(name, assumptions)
    }
    return {
        key: stable(expr, rates=RATES, sizes=SIZES, weights=NOT_NEGATIVE, differences=differences[key])
        for key, expr in formulas(name, assumptions).items()
    }


@lru_cache(maxsize=128)
def function(name: str, assumptions: Assumptions = PAPER, key: str | None = None) -> Function:
    """A formula as a vectorised function of its parameters by name, from its stable form; raises as `formulas`."""
    from derivations.formulas.function import Function
    from symbolic.code.codegen import compiled

    if find(name).average is not None:
        raise NoFormula(
            f"{name} has an average without a closed form: ask for one number at a time (evaluate)"
        )
    found = stable_formulas(name, assumptions)
    if found.keys() == BY_REGIME.keys():
        raise NoFormula(f"{name} has a formula for each regime: ask for one number at a time (evaluate)")
    chosen = _chosen(name, found, key)
    expr = formulas(name, assumptions)[chosen]
    return Function(
        name, assumptions, compiled(found[chosen]), lambda values: _number(name, expr, values, assumptions)
    )


# -- numbers ------------------------------------------------------------------------------------------------


def evaluate_named(
    name: str,
    values: Mapping[str, Given],
    assumptions: Assumptions = PAPER,
    rel_error: float | None = None,
) -> dict[str, float]:
    """The numbers a step's formulas give: `{"value": ...}`, or `{"minimum": ..., "maximum": ...}` for (8).

    A formula with an average that has no closed form gives `{"value": ..., "error": ...}`, with the error below
    rel_error of the value where that is asked for, and within reach.

    values: by parameter name, taken as exact numbers; the results are computed exactly (a square root to 50
    digits) and then rounded to doubles. Raises ValueError, in one line, on whatever does not fit together.
    """
    if rel_error is not None and not 0 < rel_error < math.inf:
        raise InvalidParameter(f"the error asked for is {rel_error}: give a positive number, as in 1e-6")
    if assumptions.split == "reused":
        united(values)  # refused before a long derivation, not after it
    if find(name).average is not None:
        return _averaged(name, formula(name, assumptions), values, assumptions, rel_error)
    return {
        key: _number(name, expr, values, assumptions)
        for key, expr in in_regime(name, values, assumptions).items()
    }


def _averaged(
    name: str,
    expr: sympy.Expr,
    values: Mapping[str, Given],
    assumptions: Assumptions,
    rel_error: float | None,
) -> dict[str, float]:
    """The number of a formula with an average that has no closed form, and its error."""
    average = find(name).average
    assert average is not None
    value = quotient(expr)
    needed = parameters(value)[0] - {average.name} | {*average.needs}
    point = checked_point(name, values, assumptions, needed=needed, matrices=set())
    rows, size = point.scalars["n_v"] * point.scalars["m"], point.scalars["p"]
    if abs(size - rows) <= 1 and (exact := _unamplified(expr, point.scalars, assumptions)) is not None:
        value = quotient(exact)
    numbers = {key: float(number) for key, number in point.scalars.items()}

    def computed(aim: float | None) -> tuple[float, float, Estimate]:
        """The value, its error, and the average."""
        found = average.value(assumptions, numbers, aim)
        at, next_to = (
            value_at(value, {**point.scalars, average.name: Fraction(number)})
            for number in (found.mean, found.mean + found.stderr)
        )
        # of a double the last bit is rounded
        return float(at), abs(float(next_to - at)) + (math.ulp(float(at)) if found.stderr else 0.0), found

    at, error, found = computed(rel_error)
    if rel_error is not None and error > rel_error * abs(at):
        # the average may be less precise than the value, of which it is a part
        at, error, found = computed(found.stderr / abs(found.mean) * rel_error * abs(at) / error)
        if error > rel_error * abs(at):
            reached = float(f"{error / abs(at) * 1.1:.1e}")
            raise InvalidParameter(
                f"an error of {rel_error:g} of the value is out of reach here: ask for --rel-error {reached:g} or more"
            )
    return {"value": at, "error": error}


def _number(name: str, expr: sympy.Expr, values: Mapping[str, Given], assumptions: Assumptions) -> float:
    value = quotient(expr)
    scalars, matrices = needs(value, assumptions)
    if value.roots:
        scalars = {str(symbol.name) for symbol in expr.free_symbols}
    point = checked_point(name, values, assumptions, needed=scalars, matrices=matrices)
    if value.roots:
        from symbolic.code.codegen import high_precision

        return float(high_precision(expr, point.scalars))
    numbers = {**point.scalars, **traces(value, point, assumptions)}
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
    from symbolic.code.codegen import source
    from symbolic.code.stable import StableForm

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
            form,
            language,
            name=stem if len(forms) == 1 else f"{stem}_{_identifier(key)}",
            parameters=ordered(form.parameters()),
        )
        for key, form in forms.items()
    }


def _trace_parameter(trace: sympy.Trace) -> str:
    word = trace.arg.args if isinstance(trace.arg, sympy.MatMul) else (trace.arg,)
    return "tr_" + "_".join(_identifier(str(factor)) for factor in word)


def _identifier(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_")
