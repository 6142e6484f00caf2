"""Parameter values: read from `name=value` words, checked, and taken as exact numbers.

Numbers are integers, decimals and fractions (`30`, `0.2`, `1e9`, `1/3`); a matrix is `@file.npy`. Text is
never run. Every problem is one line that names what is wrong and what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derivations.language import meanings
from derivations.language.symbols import DIMENSIONS
from derivations.support.bad_input import BadInput
from derivations.support.text import exact_number, nearest, shortened
from numeric_check.problem.setting import covariance

Matrix = NDArray[np.float64]
Given = int | float | Fraction | Matrix
Exact = Fraction | Matrix

NAMES = ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq")
MATRICES = ("Sigma", "Sigma_w", "F")
SIZES = frozenset(DIMENSIONS)
NOT_NEGATIVE = frozenset({"sigma", "sigma_v", "nu", "dist0_sq", "excess"})
# smallest eigenvalues above minus this part of the largest entry are zero up to rounding
ROUNDING = 1e-10
DEFAULTS: Mapping[str, Fraction] = {
    name: Fraction(text) for name, text in meanings.DEFAULTS.items() if name not in MATRICES
}


class Range(StrEnum):
    """The values that a parameter may take."""

    SIZE = "integer, 1 or more"
    NOT_NEGATIVE = "0 or more"
    NUMBER = "any number"
    COVARIANCE = "symmetric, no eigenvalue below 0"


def range_of(name: str) -> Range:
    """The values that the parameter of this name may take: what `checked_number` and `checked_matrix` let pass."""
    if name in MATRICES:
        return Range.COVARIANCE
    if name in SIZES:
        return Range.SIZE
    return Range.NOT_NEGATIVE if name in NOT_NEGATIVE else Range.NUMBER


class InvalidParameter(BadInput):
    """A parameter that is unknown, missing, repeated, or has no meaning."""


# -- reading ------------------------------------------------------------------------------------------------


def common_shape(values: Mapping[str, Any]) -> tuple[int, ...]:
    """The shape to which numbers and arrays by name broadcast; raises InvalidParameter with the shapes where they do not."""
    shapes = {name: np.shape(value) for name, value in values.items()}
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        said = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise InvalidParameter(f"these shapes do not broadcast: {said}; let them agree, or be 1") from None


def parse_values(words: Iterable[str]) -> dict[str, Exact]:
    """Values from `name=value` words; raises InvalidParameter on a malformed or repeated word."""
    values: dict[str, Exact] = {}
    for word in words:
        name, separator, text = word.partition("=")
        if not separator or not name:
            raise InvalidParameter(f"parameters are NAME=VALUE words, as in n_t=30, not {word!r}")
        if name in values:
            raise InvalidParameter(f"parameter {name!r} is given twice: keep one of the values")
        values[name] = parse_matrix(name, text) if text.startswith("@") else parse_number(name, text)
    return values


def parse_number(name: str, text: str) -> Fraction:
    """An exact number from text; raises InvalidParameter."""
    text = text.strip()
    if name in MATRICES:
        raise InvalidParameter(f"{name} is a matrix: give a file, {name}=@file.npy")
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        raise InvalidParameter(f"{name} must be a finite number, not {text}")
    try:
        found = exact_number(text)
    except ZeroDivisionError:
        raise InvalidParameter(f"{name}={shortened(text)} divides by zero: give a finite number") from None
    if found is None:
        raise InvalidParameter(
            f"{name}={shortened(text)} is no number: write an integer, a decimal or a fraction like 1/3"
        )
    return found


def parse_matrix(name: str, text: str) -> Matrix:
    """A square matrix from `@file.npy`; nothing but an array of numbers is loaded."""
    path = Path(text.removeprefix("@"))
    if name not in MATRICES:
        raise InvalidParameter(f"{name} is a number, not a file: write {name}=VALUE")
    if path.exists() and not path.is_file():
        raise InvalidParameter(f"{path} is no ordinary file: save {name} with numpy.save")
    try:
        # the header is looked at before any data are read
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise InvalidParameter(f"cannot read {path} for {name}: {error.strerror or error}") from None
    except (ValueError, EOFError):
        raise InvalidParameter(f"{path} is no .npy file of numbers: save {name} with numpy.save") from None
    if not isinstance(loaded, np.ndarray) or loaded.ndim != 2 or loaded.shape[0] != loaded.shape[1]:
        shape = getattr(loaded, "shape", "several arrays")
        raise InvalidParameter(f"{name} in {path} has shape {shape}: give a square p x p matrix")
    if not len(loaded):
        raise InvalidParameter(f"{name} in {path} is empty: give a p x p matrix with p of at least 1")
    return checked_matrix(name, loaded, loaded.shape[0])


# -- checking -----------------------------------------------------------------------------------------------


def checked_matrix(name: str, value: Matrix, p: int) -> Matrix:
    """A real, finite, symmetric, positive semidefinite p x p matrix; raises InvalidParameter."""
    try:
        return covariance(name, value, p)
    except ValueError as error:
        raise InvalidParameter(str(error)) from None


def require_possible(fourth: Matrix, sigma: Matrix) -> None:
    """Raises InvalidParameter where no inputs of covariance Sigma have F = E (x^T Sigma x) x x^T.

    With y = Sigma^(1/2) x, v^T F v = E |y (v^T x)|^2 is at least |E y (v^T x)|^2 = v^T Sigma^3 v: F - Sigma^3 is
    positive semidefinite. Both are p x p, checked each by itself.
    """
    # entries of order one, whatever the units of x
    unit = max(float(np.abs(sigma).max()), float(np.cbrt(np.abs(fourth).max())))
    if unit == 0.0:
        return
    scaled = sigma / unit
    surplus = fourth / unit / unit / unit - scaled @ scaled @ scaled
    if float(np.linalg.eigvalsh(surplus)[0]) < -ROUNDING:
        raise InvalidParameter(
            "F - Sigma^3 has a negative eigenvalue: by Cauchy-Schwarz no inputs of covariance Sigma have this "
            "F = E (x^T Sigma x) x x^T, leave F out or give the one of their law"
        )


def checked_number(name: str, value: object) -> Fraction:
    """The exact number given for a scalar parameter; raises InvalidParameter."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise InvalidParameter(f"{name} must be a number, not {type(value).__name__} {str(value)[:30]!r}")
    if not isinstance(value, Fraction | Integral) and not math.isfinite(value):
        raise InvalidParameter(f"{name} must be a finite number, not {value}")
    if isinstance(value, Fraction):
        exact = value
    else:
        exact = Fraction(int(value)) if isinstance(value, Integral) else Fraction(float(value))
    allowed = range_of(name)
    if allowed is Range.SIZE and (exact.denominator != 1 or exact < 1):
        raise InvalidParameter(f"{name} must be a positive integer, not {shown(exact)}")
    if allowed is Range.NOT_NEGATIVE and exact < 0:
        raise InvalidParameter(f"{name} must not be negative: it is {shown(exact)}, give a number from 0 up")
    return exact


def shown(value: Fraction) -> str:
    """A number as short text."""
    try:
        text = str(value) if value.denominator == 1 else repr(float(value))
    except OverflowError:
        return "a number beyond 1e308"
    return text if len(text) < 30 else f"{float(value):.6g}"


def checked(
    name: str, values: Mapping[str, Given], needed: Collection[str], *, fixed: Mapping[str, Fraction]
) -> dict[str, Fraction]:
    """The scalar values that a formula called `name` needs, as exact numbers, from what a user gives.

    needed: the formula's scalar parameters; those in `fixed` and those with a default may be left out. Other
    names of the model, on which this formula does not depend, are checked too. Raises InvalidParameter.
    """
    known = [*dict.fromkeys([*NAMES, *(n for n in needed if n not in fixed), *MATRICES])]
    found: dict[str, Fraction] = {}
    for key, value in values.items():
        if key in fixed:
            raise InvalidParameter(f"{key} is set by the assumptions: leave it out")
        if key not in known:
            raise InvalidParameter(f"unknown parameter {key!r}; {nearest(key, known)}")
        if key not in MATRICES:
            found[key] = checked_number(key, value)
    found = {**DEFAULTS, **found, **fixed}
    missing = [key for key in ordered(needed) if key not in found]
    if missing:
        words = " ".join(f"{key}=VALUE" for key in missing)
        raise InvalidParameter(f"{name} needs {', '.join(missing)}: add {words}")
    return {key: found[key] for key in ordered(needed)}


def ordered(names: Collection[str]) -> list[str]:
    """Parameter names in the order of the model, others after them."""
    return [*(n for n in NAMES if n in names), *sorted(n for n in names if n not in NAMES)]
