"""The contents: every step in reading order, and the module that states it.

Modules are named here, not imported: looking one step up loads the module of that step and no other. A test holds
that each module states exactly the steps that are listed for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from derivations.language.assumptions import Assumptions
from derivations.steps.step import Check, Step
from derivations.support.text import nearest, shortened

# The steps of each module, in reading order. A step rests on earlier ones only.
CONTENTS: Mapping[str, tuple[str, ...]] = {
    "derivations.paper.setup": (
        "meta-loss",
        "test-loss-definition",
        "gradient-step",
        "gaussian-inputs",
        "label-noise",
        "task-parameters",
        "data-model",
        "train-labels",
        "validation-labels",
        "meta-loss-matrix",
        "inner-loop",
        "outer-optimum",
        "test-loss",
        "test-labels",
        "adapted-parameters",
        "target-labels",
        "average-loss",
    ),
    "derivations.paper.lemma1": (
        "wishart-mean",
        "wishart-second-moment",
        "wishart-third-moment",
        "wishart-fourth-moment",
        "wishart-1-trace-1",
        "wishart-2-trace-1",
        "wishart-1-trace-2",
        "wishart-2-trace-2",
        "rows-sandwich",
        "columns-sandwich",
    ),
    "derivations.paper.lemma2": (
        "rows-concentrate",
        "rows-through-wishart",
        "rows-through-wishart-squared",
        "rows-of-two-tasks",
        "rows-of-two-tasks-wishart",
        "rows-of-two-tasks-two-wisharts",
        "weighted-rows-concentrate",
        "weighted-rows-through-wishart",
        "weighted-rows-through-two-wisharts",
        "weighted-rows-of-two-tasks",
        "weighted-rows-of-two-tasks-wishart",
        "weighted-rows-of-two-tasks-two-wisharts",
    ),
    "derivations.paper.lemma3": (
        "columns-concentrate",
        "columns-after-wishart",
        "columns-between-wisharts",
    ),
    "derivations.paper.target_task": (
        "loss-as-residual",
        "loss-after-test-data",
        "mean-adapted-parameters",
        "loss-after-linear-term",
        "adapted-square-given-inputs",
        "adapted-square",
        "loss-from-excess",
    ),
    "derivations.paper.outer_problem": (
        "stacked-target",
        "stacked-design",
        "stacked-loss",
        "outer-solution",
        "outer-deviation",
        "outer-mean-square",
        "target-covariance-blocks",
        "target-covariance",
        "outer-mean-square-as-trace",
    ),
    "derivations.paper.theorem1.loss": (
        "gram-concentrates",
        "noise-concentrates",
        "start-concentrates",
        "gram-inverse-concentrates",
        "inner-factor",
        "adaptation-factor",
        "excess-overparameterized",
        "theorem-1",
    ),
    "derivations.paper.theorem1.remainder": ("theorem-1-remainder",),
    "derivations.paper.theorem1.learning_rates": (
        "loss-rises-with-noise",
        "loss-falls-with-target-data",
        "meta-data-can-hurt",
        "adaptation-rate-bracket",
        "same-limits",
        "slope-at-zero-positive",
        "stationary-rates",
        "minimum-is-negative",
    ),
    "derivations.paper.theorem2.solution": (
        "least-squares-solution",
        "least-squares-deviation",
        "least-squares-mean-square",
    ),
    "derivations.paper.theorem2.concentration": (
        "normal-matrix-concentrates",
        "normal-inverse-concentrates",
        "normal-noise-concentrates",
    ),
    "derivations.paper.theorem2.moments": (
        "mu-2",
        "mu-3",
        "mu-4",
        "mu-1-1",
        "mu-2-1",
        "mu-2-2",
        "g-1",
        "g-2",
        "g-3",
        "g-4",
        "normal-noise-terms",
        "validation-noise-average",
        "task-average",
        "training-noise-average",
    ),
    "derivations.paper.theorem2.loss": (
        "excess-underparameterized",
        "excess-underparameterized-short",
        "theorem-2",
        "theorem-2-remainder",
    ),
    "derivations.paper.theorem2.learning_rates": (
        "loss-rises-with-noise-underparameterized",
        "loss-falls-with-data",
        "many-tasks-limit",
        "adaptation-rate-bracket-underparameterized",
        "ratio-of-quartics",
        "slope-at-zero-underparameterized",
    ),
    "derivations.paper.theorem3.general_setting": (
        "nonlinear-loss",
        "tangent-features",
        "linearized-model",
        "linearized-loss",
        "input-covariance",
        "task-covariance",
        "fourth-moment",
        "wishart-covariances",
        "rows-mean",
        "rows-second-moment",
        "gaussian-fourth-moment",
    ),
    "derivations.paper.theorem3.independent_entries": ("rows-second-moment-by-cumulants",),
    "derivations.paper.theorem3.target_task": (
        "general-loss-as-residual",
        "general-loss-after-test-data",
        "general-mean-adapted-parameters",
        "general-loss-after-linear-term",
        "general-adapted-square-given-inputs",
        "general-adapted-square",
        "adaptation-weight",
        "general-loss-from-square",
    ),
    "derivations.paper.theorem3.outer_problem": (
        "general-stacked-target",
        "general-stacked-design",
        "general-stacked-loss",
        "minimum-norm-solution",
        "optimum-mean-vanishes",
        "weighted-square",
        "general-covariance-blocks",
        "general-target-covariance",
        "weighted-mean-square",
    ),
    "derivations.paper.theorem3.orders": (
        "variance-of-rows",
        "variance-through-training-data",
        "variance-through-both-training-data",
        "training-weight",
        "general-gram-concentrates",
        "general-noise-concentrates",
        "general-weight-concentrates",
        "general-gram-inverse-concentrates",
    ),
    "derivations.paper.theorem3.exact_variances": ("exact-variances",),
    "derivations.paper.theorem3.loss": (
        "weighted-square-leading",
        "theorem-3",
        "theorem-3-reduces-to-theorem-1",
        "quadratic-in-adaptation-rate",
        "ratio-of-quartics-general",
    ),
    "derivations.paper.theorem3.remainder": ("theorem-3-remainder",),
    "derivations.paper.figures": (
        "figure-1",
        "figure-2",
        "figure-3",
        "figure-4",
        "figure-6",
    ),
    "derivations.paper.theorem1.reused_data": ("reused-data-ignore-the-rate",),
    "derivations.paper.moments": (
        "general-wishart-mean",
        "general-wishart-square",
        "general-wishart-cube",
        "general-wishart-two-traces",
        "wishart-between-letters",
        "squared-trace-with-letter",
        "two-wisharts-sandwich",
        "two-wisharts-with-letter",
        "two-wisharts-alternating",
        "inverse-wishart-mean",
        "inverse-wishart-square",
        "inverse-wishart-squared-trace",
        "inverse-wishart-cube-trace",
        "wishart-square-inverse-trace",
        "wishart-square-rademacher",
        "wishart-cube-rademacher",
        "two-wisharts-rademacher",
        "wishart-square-laplace",
        "wishart-squared-trace-laplace",
        "wishart-cube-uniform",
        "wishart-squared-trace-uniform",
        "wishart-square-student",
    ),
}
# Names under which the central formulas are known on the command line.
ALIASES: Mapping[str, str] = {
    "eq5": "theorem-1",
    "eq8": "stationary-rates",
    "eq9": "theorem-2",
    "eq10": "slope-at-zero-underparameterized",
    "eq14": "theorem-3",
}
# Where the steps are sampled that stand under changed assumptions too: a module and its function of a step, the
# assumptions and a seed.
SAMPLED_UNDER_CHANGES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("theorem-1", "theorem-2", "theorem-3", "excess-overparameterized", "excess-underparameterized"),
        ("derivations.variants.losses", "variant_checks"),
    ),
    **dict.fromkeys(
        ("inner-factor", "adaptation-factor", "stacked-design"), ("derivations.variants.parts", "part_checks")
    ),
}
MODULE_OF: Mapping[str, str] = {slug: module for module, slugs in CONTENTS.items() for slug in slugs}


class UnknownStep(ValueError):
    """A NAME that no step has."""


@cache
def stated(module: str) -> Mapping[str, Step]:
    """The steps of a module by slug; raises ValueError when they are not those that the contents list."""
    steps: tuple[Step, ...] = importlib.import_module(module).STEPS
    found = tuple(step.name for step in steps)
    if found != CONTENTS[module]:
        odd = sorted({*found} ^ {*CONTENTS[module]}) or ["the order"]
        raise ValueError(f"{module} and the contents differ: {', '.join(odd)}")
    return {step.name: step for step in steps}


def named(slug: str) -> Step:
    """The step with this slug; raises KeyError when there is none."""
    return stated(MODULE_OF[slug])[slug]


@cache
def load() -> dict[str, Step]:
    """All steps by slug, in reading order; every step rests on earlier ones only (ValueError otherwise)."""
    steps = {slug: named(slug) for slug in MODULE_OF}
    seen: set[str] = set()
    for step in steps.values():
        unknown = [name for name in step.uses if name not in seen]
        if unknown:
            raise ValueError(f"step {step.name!r} uses {unknown[0]!r}, which does not come before it")
        seen.add(step.name)
    return steps


def find(name: str) -> Step:
    """The step with this slug, alias (`eq5`) or equation number (`65`); raises UnknownStep with a suggestion."""
    slug = ALIASES.get(name, name)
    if slug in MODULE_OF:
        return named(slug)
    number = name.removeprefix("eq")
    for step in load().values():
        if number in step.equations:
            return step
    raise UnknownStep(
        f"unknown name {shortened(name)!r}; {nearest(name, [*ALIASES, *MODULE_OF])} `derive list` shows every name"
    )


def ancestors(names: Iterable[str]) -> set[str]:
    """The slugs on which the given steps rest, transitively, including themselves."""
    found: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack.extend(named(name).uses)
    return found


def sampled_under_changes(slug: str) -> Callable[[Step, Assumptions, int], list[Check]] | None:
    """What samples this step under changed assumptions, or None where what it leads to is sampled instead."""
    if slug not in SAMPLED_UNDER_CHANGES:
        return None
    module, function = SAMPLED_UNDER_CHANGES[slug]
    found: Callable[[Step, Assumptions, int], list[Check]] = getattr(
        importlib.import_module(module), function
    )
    return found
