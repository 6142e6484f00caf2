"""The values at which a formula is evaluated, checked: numbers, matrices, and whether its regime holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

from derivations.formulas import normal_inverse
from derivations.formulas.exact import TRACE, parameters, trace_values
from derivations.formulas.parameters import (
    MATRICES,
    Given,
    InvalidParameter,
    Matrix,
    checked,
    checked_matrix,
    checked_number,
    require_possible,
)
from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.regime import Regime
from derivations.paper.theorem2.general_covariance import INVERSE
from derivations.steps.contents import find
from derivations.steps.labels import InRegime
from derivations.steps.step import Step
from symbolic.algebra.quotients import Rational

Value = TypeVar("Value")
# The loss of each regime.
LOSS = {Regime.OVER: "eq5", Regime.UNDER: "eq9"}


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
    given = dict(values)
    found: dict[str, Matrix] = {}
    unknown = sorted(matrices - set(MATRICES))
    if unknown:
        raise InvalidParameter(
            f"{name} is about any matrix {unknown[0]}, for which there is no parameter: see `derive show {name}`"
        )
    if matrices:
        found = _checked_matrices(name, given, matrices, assumptions)
        given.setdefault("p", len(found["Sigma"]))
    elif any(key in given for key in MATRICES):
        raise InvalidParameter(f"{name} is for identity covariance and takes no matrices: use eq14 for Sigma")
    if assumptions.split == "reused":
        given = united(given)
    regime, counts = counted(name, needed, assumptions)
    scalars = checked(name, given, needed | counts, fixed=fixed)
    if matrices and checked_number("dist0_sq", given.get("dist0_sq", 0)) != 0:
        raise InvalidParameter(f"{name} is for omega_0 = w_0 = 0: set dist0_sq=0 or leave it out")
    if counts and regime is not None:
        _check_regime(name, regime, scalars)
    return Point(scalars, found)


def counted(name: str, needed: set[str], assumptions: Assumptions) -> tuple[Regime | None, set[str]]:
    """The regime in which a formula of these parameters holds, and the parameters that tell whether it does."""
    regime = find(name).regime
    rows = "n_t" if assumptions.split == "reused" else "n_v"
    return regime, {"n_v", "m", "p"} if regime is not None and {rows, "m"} <= needed else set()


def united(given: Mapping[str, Value]) -> dict[str, Value]:
    """With reused data n_v is n_t: what is left out is filled in. Raises InvalidParameter when they differ."""
    numbers = [given[key] for key in ("n_t", "n_v") if key in given]
    if len(numbers) == 2 and numbers[0] != numbers[1]:
        raise InvalidParameter(
            "with split=reused the validation data are the training data: set n_v equal to n_t"
        )
    return {**given, **dict.fromkeys(("n_t", "n_v"), numbers[0])} if numbers else dict(given)


def _checked_matrices(
    name: str, given: dict[str, Given], needed: set[str], assumptions: Assumptions
) -> dict[str, Matrix]:
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
    if "F" in found and assumptions.inputs != PAPER.inputs:
        raise InvalidParameter(
            f"F and inputs={assumptions.inputs} both set the fourth moment of the inputs: give one of them"
        )
    if "F" in found and "F" not in needed:
        raise InvalidParameter(
            f"the formula of {name} has no F here: it does not depend on it, or is for Gaussian inputs; leave F out"
        )
    if "nu" in given and "Sigma_w" in found:
        raise InvalidParameter("nu and Sigma_w both set the variability of tasks: give one of them")
    if "Sigma_w" in needed and "Sigma_w" not in found:
        if "nu" not in given:
            raise InvalidParameter(f"{name} needs Sigma_w: add Sigma_w=@file.npy")
        found["Sigma_w"] = float(checked_number("nu", given["nu"])) ** 2 / size * np.eye(size)
    checked_found = {key: checked_matrix(key, value, size) for key, value in found.items()}
    if "F" in checked_found:
        require_possible(checked_found["F"], checked_found["Sigma"])
    return checked_found


def holds_for(step: Step) -> str | None:
    """The sizes for which the formula of a step holds, as an inequality; None where it holds for all."""
    labels = step.claim() if step.claim is not None and step.regime is None else {}
    if any(isinstance(label, InRegime) for label in labels):
        return " or ".join(regime.with_room("p", "n_v m") for regime in Regime)
    if step.regime is None:
        return None
    # the mean of an inverse Wishart matrix, in an exact average, is finite one row further only
    return step.regime.title + (" + 1" if step.average is not None else "")


def _check_regime(name: str, regime: Regime, values: Mapping[str, Fraction]) -> None:
    rows, size = values["n_v"] * values["m"], values["p"]
    if regime.holds(rows, size):
        return
    step = find(name)
    here = f"{name} holds for {regime}, but n_v m = {rows} and p = {size}"
    if step.average is not None:
        raise InvalidParameter(
            f"{name} holds for {holds_for(step)}, but n_v m = {rows} and p = {size}: take a larger p, or fewer validation points"
        )
    if rows == size:
        raise InvalidParameter(f"{here}: neither {' nor '.join(LOSS.values())} holds, change n_v, m or p")
    raise InvalidParameter(f"{here}: use {LOSS[regime.other]}, which holds for {regime.other}")


def needs(value: Rational, assumptions: Assumptions) -> tuple[set[str], set[str]]:
    """The scalars and matrices to be given for a formula, H_t^-1 and F following from them."""
    scalars, matrices = parameters(value)
    if INVERSE in matrices:
        return scalars | normal_inverse.needed(assumptions), matrices - {INVERSE}
    return scalars, matrices


def traces(value: Rational, point: Point, assumptions: Assumptions) -> dict[str, Fraction]:
    """The traces in a formula by name, at a point that holds the rate."""
    if INVERSE not in parameters(value)[1]:
        return trace_values(value, point.matrices, assumptions)
    names = [name for name in value.names() if name.startswith(TRACE)]
    return normal_inverse.traces_at(names, point.matrices, point.scalars, assumptions)
