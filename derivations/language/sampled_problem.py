"""What the assumptions fix of the sampled problem: one translation for every simulation."""

from __future__ import annotations

from typing import Any

from derivations.language.assumptions import Assumptions
from derivations.language.extension import extension
from derivations.support.bad_input import BadInput
from numeric_check.problem.setting import InnerStep


def told_apart(level: float, assumptions: Assumptions) -> float:
    """A level of label noise, or another where validation data would have the same: then nothing tells the two apart."""
    return level if assumptions.noise_val is None or float(assumptions.noise_val) != level else 1.2 * level


def sampled_fields(assumptions: Assumptions) -> dict[str, Any]:
    """The fields of `numeric_check.problem.setting.Setting` that the assumptions determine, by name.

    Raises ValueError for a number beyond the range of doubles.
    """
    try:
        noise_val = None if assumptions.noise_val is None else float(assumptions.noise_val)
    except OverflowError:
        raise BadInput("noise_val is beyond 1e308: give a smaller number") from None
    step: InnerStep | None = None
    for name, value in assumptions.added:
        step = extension(name).arrays(value)
    return {
        "inner_steps": assumptions.inner_steps,
        "adaptation_steps": assumptions.adaptation_steps,
        "inputs": assumptions.inputs,
        "split": "reused" if assumptions.split == "reused" else "separate",
        "noise_val": noise_val,
        "inner_step": step,
    }
