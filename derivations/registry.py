"""The registry of steps: each module of the paper registers its steps on import, in reading order."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from functools import cache

from derivations.step import Step
from derivations.user_text import nearest, shortened

# Import order is reading order; adding a module here is all that is needed to add its steps.
MODULES = (
    "setup",
    "lemma1",
    "lemma2",
    "lemma3",
    "test_phase",
    "outer_problem",
    "overparameterized",
    "overparameterized_remainder",
    "learning_rates",
    "underparameterized",
    "underparameterized_orders",
    "underparameterized_moments",
    "underparameterized_loss",
    "underparameterized_rates",
    "nongaussian_setup",
    "independent_entries",
    "nongaussian_test_phase",
    "nongaussian_outer",
    "nongaussian_orders",
    "exact_variances",
    "nongaussian",
    "nongaussian_remainder",
    "figure_steps",
    "reused_data",
    "moment_steps",
)
# Names under which the central formulas are known on the command line.
ALIASES: dict[str, str] = {}

_steps: dict[str, Step] = {}
_module_of: dict[str, str] = {}


class UnknownStep(ValueError):
    """A NAME that no step has."""


def register(step: Step, alias: str | None = None) -> Step:
    """Add a step under its slug, which must be new."""
    if step.name in _steps:
        raise ValueError(f"step {step.name!r} is registered twice; give it a slug of its own")
    _steps[step.name] = step
    # the registering module gives the reading order, in whatever order modules are imported
    _module_of[step.name] = sys._getframe(1).f_globals["__name__"].rpartition(".")[2]
    if alias is not None:
        ALIASES[alias] = step.name
    return step


@cache
def load() -> dict[str, Step]:
    """All steps by slug, in reading order; every step rests on earlier ones only (ValueError otherwise)."""
    for module in MODULES:
        importlib.import_module(f"derivations.{module}")
    ordered = sorted(_steps.values(), key=lambda step: MODULES.index(_module_of[step.name]))
    seen: set[str] = set()
    for step in ordered:
        unknown = [name for name in step.uses if name not in seen]
        if unknown:
            raise ValueError(f"step {step.name!r} uses {unknown[0]!r}, which does not come before it")
        seen.add(step.name)
    return {step.name: step for step in ordered}


def find(name: str) -> Step:
    """The step with this slug, alias (`eq5`) or equation number (`65`); raises UnknownStep with a suggestion."""
    steps = load()
    slug = ALIASES.get(name, name)
    if slug in steps:
        return steps[slug]
    number = name.removeprefix("eq")
    for step in steps.values():
        if number in step.equations:
            return step
    raise UnknownStep(
        f"unknown name {shortened(name)!r}; {nearest(name, [*ALIASES, *steps])} `derive list` shows every name"
    )


def ancestors(names: Iterable[str]) -> set[str]:
    """The slugs on which the given steps rest, transitively, including themselves."""
    steps = load()
    found: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack.extend(steps[name].uses)
    return found
