"""A formula as a function of arrays that refuses, element by element, what the formula refuses at one point."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derivations.formulas.parameters import (
    NOT_NEGATIVE,
    SIZES,
    Given,
    InvalidParameter,
    checked_number,
    common_shape,
)
from derivations.formulas.values import checked_point, counted
from derivations.language.assumptions import Assumptions
from symbolic.code.codegen import Compiled

Values = Mapping[str, Any]
OUT_OF_RANGE = (FloatingPointError, ZeroDivisionError, OverflowError)


@dataclass(frozen=True)
class Function:
    """The formula of a step as a function of numbers and arrays by name, which broadcast against each other.

    With numbers only the result is a float, else an array. Values are checked as those of `derive eval` are, every
    element of an array: what is missing has its default or is named, sizes are positive integers, the regime holds,
    and there is no pole. Raises ValueError, in one line, at the first element that is refused.
    """

    name: str
    assumptions: Assumptions
    code: Compiled
    exact: Callable[[Mapping[str, Given]], float]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments."""
        return self.code.parameters

    def __call__(self, **values: Any) -> Any:
        """The value at the given parameters."""
        values = {name: _plain(name, value) for name, value in values.items()}
        shape = common_shape(values)
        found = self._computed({name: thinned(value) for name, value in values.items()})
        # arguments that repeat along every axis give fewer values than asked for
        return found if np.shape(found) == shape else np.array(np.broadcast_to(found, shape))

    def _computed(self, values: Values) -> Any:
        completed = self._completed(values)
        try:
            # underflow to zero alone is what rounding does anyway
            with np.errstate(all="raise", under="ignore"):
                return self.code(**completed)
        except OUT_OF_RANGE:
            return self._point_by_point(values, completed)

    def _completed(self, values: Values) -> Values:
        """The arguments of the compiled code, all checked."""
        sample = {name: _witness(name, value) for name, value in values.items()}
        if self.assumptions.split == "reused":
            both = [values[name] for name in ("n_t", "n_v") if name in values]
            if len(both) == 2:
                sample = _element(values, sample, np.not_equal(*both))
            if both:
                values = {**values, **dict.fromkeys(("n_t", "n_v"), max(both, key=np.ndim))}
        scalars = self._checked(sample)
        regime, counts = counted(self.name, set(self.parameters), self.assumptions)
        if regime is not None and counts:
            rows, tasks, size = (_floating(values[name]) for name in ("n_v", "m", "p"))
            outside = ~np.asarray(regime.holds(rows * tasks, size))
            if outside.any():
                self._checked(_element(values, sample, outside))
        return {name: values[name] if name in values else float(scalars[name]) for name in self.parameters}

    def _checked(self, sample: Mapping[str, Given]) -> Mapping[str, Any]:
        needed = set(self.parameters)
        return checked_point(self.name, sample, self.assumptions, needed=needed, matrices=set()).scalars

    def _point_by_point(self, values: Values, completed: Values) -> Any:
        """The values where something leaves the range of doubles on the way: those places are computed exactly."""
        shape = common_shape(values)
        if not shape:
            return self.exact(_element(values, values, np.asarray(True)))
        with np.errstate(all="ignore"):
            arrays = {name: np.asarray(value, dtype=np.float64) for name, value in completed.items()}
            found = np.array(np.broadcast_to(self.code(**arrays), shape))
        for place in np.argwhere(~np.isfinite(found)):
            there = np.zeros(shape, dtype=bool)
            there[tuple(place)] = True
            found[tuple(place)] = self.exact(_element(values, values, there))
        return found


def _plain(name: str, value: Any) -> Any:
    """A list, a matrix of NumPy, or an array of Python's numbers as a plain array of doubles; any other value as it is."""
    if isinstance(value, list | tuple | np.matrix):
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and value.dtype == object:
        try:
            return value.astype(np.float64)
        except (TypeError, ValueError, OverflowError):
            raise InvalidParameter(f"{name} has elements that are no numbers: give real numbers") from None
    return value


def thinned(value: Any) -> Any:
    """An array with the axes along which it repeats itself cut to length one: a full grid becomes an open one.

    That is found by looking at every element, which is far cheaper than a formula at every element.
    """
    if not isinstance(value, np.ndarray) or value.ndim < 2:
        return value
    for axis, size in enumerate(value.shape):
        first = value[(slice(None),) * axis + (slice(0, 1),)]
        if size > 1 and (value.strides[axis] == 0 or _repeats(value, first, axis)):
            value = first
    return value


def _repeats(value: NDArray[Any], first: NDArray[Any], axis: int) -> bool:
    """Whether an array is the same at every place of an axis: each element is held against its neighbour there."""
    # most arrays that vary do so at once
    if not np.array_equal(first, value[(slice(None),) * axis + (slice(1, 2),)]):
        return False
    if not value.flags.c_contiguous:
        before = (slice(None),) * axis
        return bool(np.array_equal(value[(*before, slice(1, None))], value[(*before, slice(None, -1))]))
    # in one sweep: a piece at a time, which would stay in the cache, takes longer
    size, step = value.shape[axis], math.prod(value.shape[axis + 1 :])
    flat, same = value.reshape(-1), np.empty(value.size, dtype=bool)
    np.equal(flat[step:], flat[:-step], out=same[:-step])
    same.reshape(-1, size * step)[:, -step:] = True  # the last of a row has no neighbour in it
    return bool(same.all())


def _floating(value: Any) -> NDArray[np.float64]:
    return np.asarray(value, dtype=np.float64)


def _witness(name: str, value: Any) -> Any:
    """A number, or of an array the first element that has no meaning for this parameter, else the first."""
    if not isinstance(value, np.ndarray) or not value.ndim:
        return value.item() if isinstance(value, np.ndarray) else value
    if not value.size:
        return 1
    first = value.flat[0]
    checked_number(name, first)  # of a kind that has an order
    wrong = ~np.isfinite(value)
    if name in SIZES:
        wrong |= (value < 1) | (value != np.floor(value))
    elif name in NOT_NEGATIVE:
        wrong |= value < 0
    return value.flat[int(np.argmax(wrong))].item()


def _element(values: Values, sample: Values, where: NDArray[np.bool_]) -> dict[str, Any]:
    """The values at the first place of a mask that they broadcast to; the sample when there is none."""
    if not where.any():
        return dict(sample)
    shape = np.broadcast_shapes(where.shape, *(np.shape(value) for value in values.values()))
    place = np.unravel_index(int(np.argmax(np.broadcast_to(where, shape))), shape)
    return {
        name: np.broadcast_to(value, shape)[place].item() if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }
