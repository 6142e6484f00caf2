"""Batches of draws in the store: a row for each, by estimator, problem, seed and index."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache, partial
from inspect import ismethod
from typing import Any

import numpy as np

from derivations.support import store
from derivations.support.sources import file_of
from numeric_check.draws.estimate import Moments
from numeric_check.estimators.simulation import Batch
from numeric_check.problem.setting import Setting

NUMBERS = (bool, int, float, str, type(None), np.floating, np.integer)


class StoredBatches:
    """The memory of an executor that runs batches."""

    def recall(self, task: Batch) -> Moments | None:
        """The moments of a batch that was drawn before."""
        key = _key(task)
        found = None if key is None else store.load(key)
        if found is None:
            return None
        return Moments(int(found["count"]), float(found["mean"]), float(found["scatter"]))

    def keep(self, task: Batch, result: Moments) -> None:
        """Remember a batch; one of numbers that are not finite is no result."""
        key = _key(task)
        if key is not None and np.isfinite([result.mean, result.scatter]).all():
            store.save(key, {"count": result.count, "mean": result.mean, "scatter": result.scatter})


def _key(task: Batch) -> store.Key | None:
    """The key of a batch; None where its function is no plain data, so that no name would tell it from others."""
    found = described(task.function)
    if found is None:
        return None
    text, modules = found
    return store.key("batch", modules, estimator=text, experiment=task.seed_text, index=task.number)


@lru_cache(maxsize=64)
def described(function: Callable[..., Any]) -> tuple[str, tuple[str, ...]] | None:
    """What a function with its arguments is, and the modules that it runs; None where that is no plain data, or in no file."""
    modules = {"numeric_check.estimators.simulation"}
    try:
        text = _text(function, modules)
    except TypeError:
        return None
    if any(file_of(module) is None for module in modules):
        return None
    return text, tuple(sorted(modules))


def _text(value: Any, modules: set[str]) -> str:
    if isinstance(value, partial):
        given = [_text(item, modules) for item in value.args]
        given += [f"{name}={_text(item, modules)}" for name, item in sorted(value.keywords.items())]
        return f"{_text(value.func, modules)}({', '.join(given)})"
    if isinstance(value, Setting):
        # of a law that is added the name alone says nothing of its draws, nor the module of a function what that has enclosed
        draw = value.law.draw
        modules.add(draw.__module__)
        drawn = _text(draw, modules) if hasattr(draw, "__qualname__") else repr(draw)
        if value.inner_step is not None:
            modules.add(type(value.inner_step).__module__)
        return f"Setting {value.fingerprint} by {drawn}, of moments {value.law.even_moments}"
    if isinstance(value, np.ndarray):
        return f"array {value.shape} {value.dtype} {hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, tuple):
        return f"({', '.join(_text(item, modules) for item in value)})"
    if isinstance(value, NUMBERS):
        return repr(value)
    if callable(value) and not ismethod(value) and "<" not in getattr(value, "__qualname__", "<"):
        modules.add(value.__module__)
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"{value!r} is no plain data")
