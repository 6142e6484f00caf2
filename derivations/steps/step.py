"""A proof step as data: what the paper prints, what the engine derives, what sampling observes.

Every claim is a mapping from a label (the left-hand side, in LaTeX) to a SymPy expression: a scalar, a
matrix expression, the exponent of an order symbol, or +1/-1 for the sign of a quantity. The three functions
of a step share no formula; verification compares them label by label. A `check` looks at the parts that its step
derives: they are what is being tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from typing import Protocol

import numpy as np
import sympy
from numpy.typing import NDArray

from derivations.language.assumptions import Assumptions
from derivations.language.regime import Regime
from derivations.steps.chain import Chain, DerivedBy
from derivations.steps.neglected import Neglected, Remainders
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression
from symbolic.proofs.asymptotics import Exponent


class Kind(StrEnum):
    """What a step is in the paper, or that the paper does not have it."""

    EQUATION = "equation"
    LEMMA = "lemma"
    THEOREM = "theorem"
    CLAIM = "claim"
    DEFINITION = "definition"
    FIGURE = "figure"
    APPROXIMATION = "approximation"
    MOMENT = "moment"
    BEYOND = "beyond"

    @property
    def with_article(self) -> str:
        """`an equation`, `a lemma`, `a statement beyond the paper`."""
        if self is Kind.BEYOND:
            return "a statement beyond the paper"
        return f"{'an' if self[0] in 'aeiou' else 'a'} {self}"


class Erratum(StrEnum):
    """What there is to know of a print: see the module of the errata for how each is found."""

    CORRECTED = "corrected"
    # disproved, as far as the print could be read
    AS_READ = "as read"
    NOT_SHARP = "not sharp"
    # left out, or not met
    CONDITION = "condition"
    WORDING = "wording"
    UNREADABLE = "unreadable"


class Comparison(StrEnum):
    """What a check compares."""

    NUMBER = "number"
    # the sign of a number, its error as a share of its size
    SIGN = "sign"
    # a number at one of several sizes that grow together, the next check the next size
    SIZE = "size"
    # the power of the size with which something falls
    POWER = "power"
    # the same of what a formula leaves out of the exact value
    LEFT_OUT = "left out"


Parts = Mapping[str, sympy.Basic]
Derived = Mapping[str, "sympy.Basic | Expression"]
Observed = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Check:
    """One numeric comparison: the value asserted, the sampled mean and standard error, the verdict.

    move: the number of the move that is compared, from 1; 0 for the step itself. probe: the number of the projection through
    which a matrix is compared, from 1; 0 for a number. longer: how many times as many draws it would have taken before it
    was left open. drawn: the part of the standard error that comes from draws of this seed; the rest is that of the value, an experiment drawn once.
    signed: where a sign is compared, the number that has it and the standard error of that.
    """

    label: str
    sizes: Mapping[str, float]
    value: float
    mean: float
    stderr: float
    draws: int
    seconds: float
    verdict: str
    reason: str
    comparison: Comparison = Comparison.NUMBER
    move: int = 0
    probe: int = 0
    longer: int = 1
    drawn: float = 1.0
    signed: tuple[float, float] | None = None


class DrawsAtAnyRate(Protocol):
    """Draws of what an average is taken of, the same at every rate."""

    def at(self, rate: float) -> NDArray[np.float64]:
        """What is averaged at a rate, draw by draw."""


@dataclass(frozen=True)
class Average:
    """An average in a step's formula that has no closed form.

    name: of its symbol in the formula. needs: the parameters that it depends on. value: the average at checked parameter
    values, with its error, to a relative error that is aimed at (None: as usual); no draws where it is a quadrature.
    negative: why it is least at a negative rate, under the assumptions; None where that is not known. at_any_rate: at most so many draws
    that serve all rates alike, from which a least one is looked for; None where `value` is quick enough.
    """

    name: str
    needs: tuple[str, ...]
    value: Callable[[Assumptions, Mapping[str, float], float | None], Estimate]
    negative: Callable[[Assumptions], str | None] = lambda assumptions: None
    at_any_rate: Callable[[Assumptions, Mapping[str, float], int], DrawsAtAnyRate | None] = (
        lambda assumptions, values, most: None
    )


@dataclass(frozen=True)
class Step:
    """One numbered equation, lemma, theorem or text claim, or one moment that the paper does not state.

    name: permanent slug. equations: the paper's numbers as strings. kind, statement, page: for the book.
    uses: slugs of the steps this one rests on. depends_on: the assumptions that can change its derivation.
    claim: what the paper prints, or what was worked out by hand where it prints nothing. correction: the right form, where the derivation disproves the print.
    derive: what the engine computes from the model; where it is not given, what the derivation shows. derivation: the proof as a chain of moves. observe: plain NumPy on one batch of sampled matrices,
    label -> array whose first axis is the batch. check: a numeric confirmation of another shape (a ladder of
    sizes, a located minimum), where a mean over draws does not say it.
    sizes: the parameter points at which `observe` is compared (three or more, unequal).
    power_sizes: further points at which perturbed claims are told from the right one (`power.py`).
    resolution: absolute numeric resolution by label, for quantities whose value is zero or that hold draw by draw.
    not_sampled: why a part has no numeric content of its own, by label; every other part is held against sampling.
    applies: None, or the reason why the step does not apply under the assumptions.
    reason: why the step has no proof or no number, for definitions, figures and approximations.
    tex: the printed formula of a definition that has no checkable parts, or a printed line of which the claim is a part.
    query: the arguments with which `derive moment` gives the step's formula, if it does.
    regime: the one in which the step's formula holds, where it has n_v m in it and holds on one side of p only.
    average: the average in the step's formula that is computed numerically, if there is one.
    unreadable: what of the printed equation could not be read in the available text, if anything.
    errata: what a reader of the print should know of it although its formula is not disproved, by kind.
    neglects: the order of what a formula to leading order leaves out, as printed; None where the claim is exact.
    right_order: the right one, where the printed order is too small. where: what grows with the size besides, under the
    condition that the print lacks.
    remainders: by how much the quantities that the step is about deviate from what is stated of them, from what it derives.
    bounded_by: slug of the step that bounds what is neglected; without one its order is only counted.
    counted: whether an order in the claim itself is found by counting powers, such as that of an inverse.
    condition, counterexample: slugs of the steps that prove a condition to suffice which the print lacks, and that the
    print is false without one: both or neither; a counterexample alone disproves the printed order.
    conjectured: whether the claim is not proved, and held against sampling alone; such a step derives nothing.
    """

    name: str
    equations: tuple[str, ...]
    kind: Kind
    statement: str
    page: str
    uses: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    claim: Callable[[], Parts] | None = None
    correction: Callable[[], Parts] | None = None
    derive: Callable[[Assumptions], Derived] | None = None
    derivation: Callable[[Assumptions], Chain] | None = None
    observe: Callable[[Sample], Observed] | None = None
    check: Callable[[Step, Assumptions, int], list[Check]] | None = None
    sizes: tuple[Mapping[str, float], ...] = ()
    power_sizes: tuple[Mapping[str, float], ...] = ()
    resolution: Mapping[str, float] = field(default_factory=dict)
    not_sampled: Mapping[str, str] = field(default_factory=dict)
    applies: Callable[[Assumptions], str | None] = lambda assumptions: None
    method: str = ""
    reason: str = ""
    remark: str = ""
    tex: str = ""
    query: str = ""
    unreadable: str = ""
    errata: Mapping[Erratum, str] = field(default_factory=dict)
    neglects: Neglected | None = None
    right_order: Neglected | None = None
    where: Mapping[str, Exponent] = field(default_factory=dict)
    remainders: Remainders | None = None
    bounded_by: str = ""
    counted: bool = False
    condition: str = ""
    counterexample: str = ""
    conjectured: bool = False
    parameters: tuple[str, ...] = ()
    average: Average | None = None
    regime: Regime | None = None

    def __post_init__(self) -> None:
        if self.derive is None and self.derivation is not None:
            object.__setattr__(self, "derive", DerivedBy(self.derivation))
        if self.conjectured and (self.derive is not None or self.check is None):
            raise ValueError(f"{self.name}: a conjecture derives nothing, and a check samples it")
        if self.proofless and self.derive is not None:
            raise ValueError(f"{self.name}: a figure or an approximation derives nothing")

    def remembering(self) -> Step:
        """The same step, but that what it derives and its chain of moves are found once for each set of assumptions."""
        chain = None if self.derivation is None else cache(self.derivation)
        own = chain is not None and isinstance(self.derive, DerivedBy)
        derive = DerivedBy(chain) if chain is not None and own else self.derive
        return replace(self, derivation=chain, derive=None if derive is None else cache(derive))

    @property
    def proofless(self) -> bool:
        """Whether there is nothing to prove by kind; a `check` may put such a step to the test."""
        return self.kind in (Kind.FIGURE, Kind.APPROXIMATION)

    @property
    def proofs(self) -> tuple[str, ...]:
        """Slugs of the other steps whose proofs decide the status of this one."""
        return tuple(slug for slug in (self.bounded_by, self.condition, self.counterexample) if slug)

    def anchor(self) -> str:
        """The step's place in the book: page and anchor."""
        return f"{self.page}#step-{self.name}"
