"""The contents: every step in reading order, and the module that states it.

Modules are named here, not imported: looking one step up, also by the number of an equation, loads the module of
that step and no other. A module that states other steps, or other equations, than are listed for it is refused.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from derivations.language.assumptions import Assumptions
from derivations.steps.step import Check, Step
from derivations.support.bad_input import BadInput
from derivations.support.text import LONGEST, nearest, shortened


def _unnumbered(names: str) -> Mapping[str, str]:
    """Steps without equations of the paper."""
    return dict.fromkeys(names.split(), "")


# The steps of each module in reading order, each with the numbers of its equations. A step rests on earlier ones only.
CONTENTS: Mapping[str, Mapping[str, str]] = {
    "derivations.paper.setup": {
        "meta-loss": "1",
        "test-loss-definition": "2",
        "gradient-step": "3",
        "gaussian-inputs": "28",
        "label-noise": "29",
        "task-parameters": "30",
        "data-model": "4",
        "train-labels": "18",
        "validation-labels": "19",
        "meta-loss-matrix": "20",
        "inner-loop": "21",
        "outer-optimum": "22",
        "test-loss": "23",
        "test-labels": "24",
        "adapted-parameters": "25",
        "target-labels": "26",
        "average-loss": "27",
    },
    "derivations.paper.lemma1": {
        "wishart-mean": "31",
        "wishart-second-moment": "32",
        "wishart-third-moment": "33",
        "wishart-fourth-moment": "34 35",
        "wishart-1-trace-1": "36",
        "wishart-2-trace-1": "37",
        "wishart-1-trace-2": "38",
        "wishart-2-trace-2": "39 40",
        "rows-sandwich": "41",
        "columns-sandwich": "42",
    },
    "derivations.paper.lemma2": {
        "rows-concentrate": "43",
        "rows-through-wishart": "44",
        "rows-through-wishart-squared": "45",
        "rows-of-two-tasks": "46",
        "rows-of-two-tasks-wishart": "47",
        "rows-of-two-tasks-two-wisharts": "48",
        "weighted-rows-concentrate": "49",
        "weighted-rows-through-wishart": "50",
        "weighted-rows-through-two-wisharts": "51",
        "weighted-rows-of-two-tasks": "52",
        "weighted-rows-of-two-tasks-wishart": "53",
        "weighted-rows-of-two-tasks-two-wisharts": "54",
    },
    "derivations.paper.lemma3": {
        "columns-concentrate": "55",
        "columns-after-wishart": "56",
        "columns-between-wisharts": "57",
    },
    "derivations.paper.target_task": {
        "loss-as-residual": "58",
        "loss-after-test-data": "59",
        "mean-adapted-parameters": "60",
        "loss-after-linear-term": "61",
        "adapted-square-given-inputs": "62 63",
        "adapted-square": "64",
        "loss-from-excess": "65",
    },
    "derivations.paper.outer_problem": {
        "stacked-target": "67",
        "stacked-design": "68",
        "stacked-loss": "66",
        "outer-solution": "69",
        "outer-deviation": "70",
        "outer-mean-square": "71",
        "target-covariance-blocks": "72",
        "target-covariance": "73",
        "outer-mean-square-as-trace": "74",
    },
    "derivations.paper.theorem1.loss": {
        "gram-concentrates": "75",
        "noise-concentrates": "76",
        "start-concentrates": "77",
        "gram-inverse-concentrates": "78",
        "inner-factor": "6 82",
        "adaptation-factor": "7 82",
        "excess-overparameterized": "79 80",
        "theorem-1": "5 81",
    },
    "derivations.paper.theorem1.remainder": {"theorem-1-remainder": ""},
    "derivations.paper.theorem1.learning_rates": {
        "loss-rises-with-noise": "",
        "loss-falls-with-target-data": "",
        "meta-data-can-hurt": "",
        "adaptation-rate-bracket": "",
        "same-limits": "",
        "slope-at-zero-positive": "",
        "stationary-rates": "8",
        "minimum-is-negative": "",
    },
    "derivations.paper.theorem2.solution": {
        "least-squares-solution": "83",
        "least-squares-deviation": "84",
        "least-squares-mean-square": "85",
    },
    "derivations.paper.theorem2.concentration": {
        "normal-matrix-concentrates": "86",
        "normal-inverse-concentrates": "87",
        "normal-noise-concentrates": "88",
    },
    "derivations.paper.theorem2.moments": {
        "mu-2": "102",
        "mu-3": "103",
        "mu-4": "104",
        "mu-1-1": "105",
        "mu-2-1": "106",
        "mu-2-2": "107",
        "g-1": "98",
        "g-2": "99",
        "g-3": "100",
        "g-4": "101",
        "normal-noise-terms": "89",
        "validation-noise-average": "90",
        "task-average": "91 92",
        "training-noise-average": "93 94 95",
    },
    "derivations.paper.theorem2.loss": {
        "excess-underparameterized": "96",
        "excess-underparameterized-short": "97",
        "theorem-2": "9 108",
        "theorem-2-remainder": "",
    },
    "derivations.paper.theorem2.learning_rates": {
        "loss-rises-with-noise-underparameterized": "",
        "loss-falls-with-data": "",
        "many-tasks-limit": "",
        "adaptation-rate-bracket-underparameterized": "",
        "ratio-of-quartics": "",
        "slope-at-zero-underparameterized": "10",
    },
    "derivations.paper.theorem3.general_setting": {
        "nonlinear-loss": "11",
        "tangent-features": "13",
        "linearized-model": "12",
        "linearized-loss": "",
        "input-covariance": "109",
        "task-covariance": "110",
        "fourth-moment": "111",
        "wishart-covariances": "17",
        "rows-mean": "112",
        "rows-second-moment": "113",
        "gaussian-fourth-moment": "",
    },
    "derivations.paper.theorem3.independent_entries": {"rows-second-moment-by-cumulants": ""},
    "derivations.paper.theorem3.target_task": {
        "general-loss-as-residual": "114",
        "general-loss-after-test-data": "115",
        "general-mean-adapted-parameters": "116",
        "general-loss-after-linear-term": "118",
        "general-adapted-square-given-inputs": "119 120",
        "general-adapted-square": "121 122",
        "adaptation-weight": "16 124",
        "general-loss-from-square": "123",
    },
    "derivations.paper.theorem3.outer_problem": {
        "general-stacked-target": "126",
        "general-stacked-design": "127",
        "general-stacked-loss": "125",
        "minimum-norm-solution": "128",
        "optimum-mean-vanishes": "117",
        "weighted-square": "129",
        "general-covariance-blocks": "130",
        "general-target-covariance": "131 132",
        "weighted-mean-square": "133",
    },
    "derivations.paper.theorem3.orders": {
        "variance-of-rows": "134",
        "variance-through-training-data": "135",
        "variance-through-both-training-data": "136",
        "training-weight": "15 140",
        "general-gram-concentrates": "137",
        "general-noise-concentrates": "138",
        "general-weight-concentrates": "139",
        "general-gram-inverse-concentrates": "141",
    },
    "derivations.paper.theorem3.exact_variances": {"exact-variances": ""},
    "derivations.paper.theorem3.loss": {
        "weighted-square-leading": "142",
        "theorem-3": "14 143 144",
        "theorem-3-reduces-to-theorem-1": "",
        "quadratic-in-adaptation-rate": "",
        "ratio-of-quartics-general": "",
    },
    "derivations.paper.theorem3.sufficient_conditions": {
        "weighted-forms-concentrate": "",
        "theorem-3-under-conditions": "",
    },
    "derivations.paper.theorem3.counterexample": {
        "scale-mixture-meets-the-conditions": "",
        "scale-mixture-breaks-the-conclusion": "",
    },
    "derivations.paper.theorem3.remainder": {"theorem-3-remainder": ""},
    "derivations.paper.experiments.figures": _unnumbered(
        """
        figure-1 figure-2 figure-3 figure-4 figure-5 figure-6
        """
    ),
    "derivations.paper.theorem1.reused_data": {"reused-data-ignore-the-rate": ""},
    "derivations.paper.moments": _unnumbered(
        """
        general-wishart-mean general-wishart-square general-wishart-cube general-wishart-two-traces
        wishart-between-letters squared-trace-with-letter two-wisharts-sandwich
        two-wisharts-with-letter two-wisharts-alternating inverse-wishart-mean
        inverse-wishart-square inverse-wishart-squared-trace inverse-wishart-cube-trace
        wishart-square-inverse-trace wishart-square-rademacher wishart-cube-rademacher
        two-wisharts-rademacher wishart-square-laplace wishart-squared-trace-laplace
        wishart-cube-uniform wishart-squared-trace-uniform wishart-square-student
        """
    ),
    "derivations.paper.moments_of_words": _unnumbered(
        """
        wishart-trace wishart-squared-trace wishart-square-trace wishart-times-trace
        letter-between-wisharts symmetric-letter-between-wisharts letter-after-letter-between
        wishart-between-letters-once trace-with-letter squared-trace-with-symmetric-letter
        two-traces-with-letters trace-of-letters-between wishart-times-trace-with-letter
        trace-and-trace-with-letter two-wisharts-product letter-between-two-wisharts
        two-wisharts-sandwich-trace wishart-times-trace-of-product
        """
    ),
    "derivations.paper.moments_of_inverses": _unnumbered(
        """
        inverse-wishart-trace-with-letter letter-between-wishart-and-inverse
        symmetric-letter-between-wishart-and-inverse trace-of-letters-with-wishart-and-inverse
        wishart-times-inverse-trace wishart-times-inverse-trace-with-letter
        trace-and-inverse-trace-with-letters trace-and-inverse-trace letter-between-inverse-wisharts
        symmetric-letter-between-inverse-wisharts squared-inverse-trace-with-letter
        inverse-wishart-times-trace-with-letter two-inverse-traces-with-letters
        inverse-wishart-times-its-trace inverse-wishart-square-trace trace-of-letters-between-inverses
        letter-between-wishart-and-another-inverse inverse-between-wisharts f-matrix-trace
        wishart-between-inverses f-matrix-squared-trace f-matrix-square
        """
    ),
    "derivations.paper.other_moments.complex_rows": _unnumbered(
        """
        complex-wishart-mean complex-wishart-square complex-wishart-cube complex-wishart-squared-trace
        complex-wishart-square-trace complex-wishart-times-trace letter-between-complex-wisharts
        complex-wishart-two-traces complex-wishart-trace-with-letters complex-wishart-times-letter-trace
        two-complex-wisharts-sandwich
        """
    ),
    "derivations.paper.other_moments.complex_inverses": _unnumbered(
        """
        complex-inverse-wishart-mean complex-inverse-wishart-square letter-between-complex-inverses
        two-complex-inverse-traces-with-letters letter-between-complex-and-inverse
        """
    ),
    "derivations.paper.other_moments.uniform_rotations": _unnumbered(
        """
        rotated-letter letter-between-rotations rotation-times-trace rotation-squared-trace
        rotated-letter-trace
        """
    ),
    "derivations.paper.other_moments.pseudo_inverses": _unnumbered(
        "pseudo-inverse-mean pseudo-inverse-trace-with-letter"
    ),
    "derivations.paper.beyond.reduction": _unnumbered("one-task-suffices two-small-matrices"),
    "derivations.paper.beyond.negative_rate": {"negative-rate-is-better": ""},
    "derivations.paper.beyond.exact_loss": {"exact-loss": ""},
    "derivations.paper.inner_loops.first_order": {"first-order-costs-more": ""},
    "derivations.paper.large_sizes.proportional_limit": _unnumbered(
        """
        projection-by-parts proportional-fixed-point proportional-loss
        """
    ),
    "derivations.paper.large_sizes.remainders": {"proportional-remainders": ""},
    "derivations.paper.beyond.at_zero": _unnumbered(
        """
        deviation-at-zero-overparameterized deviation-at-zero-underparameterized exact-loss-at-zero
        deviation-slope-at-zero-overparameterized deviation-slope-at-zero-underparameterized
        exact-slope-at-zero
        """
    ),
    "derivations.paper.beyond.all_points": {"all-points-at-zero": ""},
    "derivations.paper.beyond.two_valued_inputs": {"two-valued-inputs-diverge": ""},
    "derivations.paper.beyond.negative_minimum": {"theorem-2-minimum-is-negative": ""},
    "derivations.paper.beyond.below_conjecture": {"noise-costs-less-at-a-negative-rate": ""},
    "derivations.paper.inner_loops.several_steps": _unnumbered("several-steps-minimum several-steps-exactly"),
    "derivations.paper.inner_loops.positive_exactly": {"several-steps-positive": ""},
    "derivations.paper.inner_loops.implicit_step": {"implicit-step-shrinks": ""},
    "derivations.paper.inner_loops.best_loop": {"best-inner-loop": ""},
    "derivations.paper.inner_loops.finite_loss": {"exact-loss-finite": ""},
    "derivations.paper.inner_loops.infinite_loss": {"exact-loss-infinite": ""},
    "derivations.paper.beyond.positive_rates": _unnumbered(
        "positive-rate-criterion positive-rate-spiked positive-rate-aligned"
    ),
    "derivations.paper.beyond.bounded_remainder": {"theorem-1-remainder-bounded": ""},
}
# Names under which the central formulas are known on the command line.
ALIASES: Mapping[str, str] = {
    "eq5": "theorem-1",
    "eq8": "stationary-rates",
    "eq9": "theorem-2",
    "eq10": "slope-at-zero-underparameterized",
    "eq14": "theorem-3",
}
# The modules whose steps state a changed assumption, which a proof under it reads.
STATED_UNDER_CHANGES: Mapping[str, str] = {"covariance": "derivations.paper.theorem3.general_setting"}
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
    "exact-loss": ("derivations.paper.beyond.exact_loss", "loss_checks"),
    "exact-loss-at-zero": ("derivations.paper.beyond.sampled_at_zero", "loss_checks"),
    "exact-slope-at-zero": ("derivations.paper.beyond.sampled_at_zero", "slope_checks"),
}
MODULE_OF: Mapping[str, str] = {slug: module for module, slugs in CONTENTS.items() for slug in slugs}
# The first step that states an equation is the one its number names; an alias goes before.
OF_EQUATION: Mapping[str, str] = {
    number: slug
    for slugs in reversed([*CONTENTS.values()])
    for slug, numbers in reversed([*slugs.items()])
    for number in numbers.split()
} | {alias.removeprefix("eq"): slug for alias, slug in ALIASES.items()}
_EQUATION = re.compile(r"(?:(?:eq|eqs|equation|equations)[-.]*)?\(?([0-9]+)\)?")
_LEMMA = re.compile(r"lemma-?([1-3])")


class UnknownStep(BadInput):
    """A NAME that no step has."""


@cache
def stated(module: str) -> Mapping[str, Step]:
    """The steps of a module by slug; raises ValueError when they are not those that the contents list."""
    steps: tuple[Step, ...] = importlib.import_module(module).STEPS
    found = [(step.name, " ".join(step.equations)) for step in steps]
    listed = [*CONTENTS[module].items()]
    if found != listed:
        odd = sorted({slug for slug, _ in {*found} ^ {*listed}}) or ["the order"]
        raise ValueError(f"{module} and the contents differ: {', '.join(odd)}")
    return {step.name: step for step in steps}


# of each block under way, the modules whose steps were looked up in it
_WATCHED: list[set[str]] = []


@contextmanager
def watched() -> Iterator[set[str]]:
    """Notes the modules whose steps are looked up inside, by name or all at once."""
    found: set[str] = set()
    _WATCHED.append(found)
    try:
        yield found
    finally:
        _WATCHED.remove(found)


def named(slug: str) -> Step:
    """The step with this slug; raises KeyError when there is none."""
    module = MODULE_OF[slug]
    for found in _WATCHED:
        found.add(module)
    return stated(module)[slug]


def load() -> dict[str, Step]:
    """All steps by slug, in reading order; every step rests on earlier ones only (ValueError otherwise)."""
    for found in _WATCHED:
        found.update(MODULE_OF.values())
    return _loaded()


@cache
def _loaded() -> dict[str, Step]:
    steps = {slug: named(slug) for slug in MODULE_OF}
    seen: set[str] = set()
    for step in steps.values():
        unknown = [name for name in step.uses if name not in seen]
        if unknown:
            raise ValueError(f"step {step.name!r} uses {unknown[0]!r}, which does not come before it")
        seen.add(step.name)
    return steps


def slug_of(name: str | int) -> str:
    """The slug that a name means: itself (`theorem-1`, `Theorem 1`), or the number of an equation (`5`, `eq5`, `Eq. (5)`).

    Raises UnknownStep with a suggestion.

    >>> {slug_of(name) for name in (5, "5", "(5)", "eq5", "Eq. 5", "Equation (5)", "theorem-1", "Theorem 1")}
    {'theorem-1'}
    """
    text = str(name)
    if len(text) <= LONGEST:
        words = "-".join(text.lower().replace("_", " ").split())
        if words in MODULE_OF:
            return words
        lemma = _LEMMA.fullmatch(words)
        if lemma:
            numbers = [
                int(n)
                for each in CONTENTS[f"derivations.paper.lemma{lemma[1]}"].values()
                for n in each.split()
            ]
            raise UnknownStep(
                f"Lemma {lemma[1]} is the equations ({min(numbers)})-({max(numbers)}): name one of them, as {min(numbers)}"
            )
        number = _EQUATION.fullmatch(words)
        if number and number[1] in OF_EQUATION:
            return OF_EQUATION[number[1]]
    raise UnknownStep(
        f"unknown name {shortened(text)!r}; {nearest(text, [*ALIASES, *MODULE_OF])} `derive list` shows every name"
    )


def find(name: str | int) -> Step:
    """The step that a name means, as `slug_of` reads it; raises UnknownStep with a suggestion."""
    return named(slug_of(name))


def ancestors(names: Iterable[str], *, deciding: bool = False) -> set[str]:
    """The slugs on which the given steps rest, transitively, including themselves.

    deciding: also those whose proofs decide the status of one of them, and what these rest on.
    """
    found: set[str] = set()
    stack = list(names)
    while stack:
        step = named(stack.pop())
        if step.name not in found:
            found.add(step.name)
            stack.extend((*step.uses, *step.proofs) if deciding else step.uses)
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
