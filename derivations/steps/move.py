"""A move of a derivation: the rule, its two sides, and the second route that belongs to the rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from derivations.language.assumptions import Assumptions
from derivations.steps.domains import ANYWHERE, VARIABLES, Where, text
from derivations.steps.rules.stacked import Tasks
from derivations.steps.second_routes import OutOfReach
from symbolic.algebra.refusal import Refused
from symbolic.algebra.words import Expression, constant, polynomial, scalar, zero
from symbolic.proofs.asymptotics import Exponent

SecondRoute: TypeAlias = tuple[str, str]
# what |d|^2 is called, of the only vector that stays in exact means
SQUARED_LENGTH = "dist0_sq"


class Relation(StrEnum):
    """How the side that a move leads to is related to the side before."""

    EQUAL = "="
    AT_MOST = "<="
    AT_LEAST = ">="
    AT_LEAST_ZERO = ">= 0"
    ORDER = "is of order"
    SIGN = "has the sign of"
    ROOT = "vanishes at"
    LEAST = "is least at a number of the sign"
    LAW = "has the law of"
    NEAR = "has the integrand"


class Rule(StrEnum):
    """The rules by which one expression leads to the next."""

    INSERT = "insert a definition"
    EXPAND = "write out"
    AVERAGE = "average by parts"
    CUMULANTS = "average by cumulants"
    ROWS = "average by rows"
    KNOWN = "average by named moments"
    SUM = "sum over tasks that are alike"
    TASKS = "sum over exchangeable tasks"
    NAME = "name an abbreviation"
    MEAN = "split off the mean"
    INVERSE = "expand an inverse about its mean"
    KEEP = "keep orders"
    COMMUTE = "commute"
    CENTRED = "average of a fluctuation"
    SHOWN = "put in a mean found above"
    HAAR = "Haar average"
    ROW_SPACES = "row spaces alone"
    CANCEL = "cancel a factor before the rows"
    NEAREST = "solution of minimum norm"
    LEAST_SQUARES = "least squares"
    CANCEL_INVERSE = "cancel an inverse"
    WISHART = "average of an inverse Wishart matrix"
    SCHUR = "Schur complement"
    POLAR = "polar decomposition"
    INVARIANCE = "average by invariance"
    IMAGE = "linear image of a Gaussian matrix"
    BIDIAGONAL = "bidiagonal form of a Gaussian matrix"
    ROW_SPECTRUM = "write in eigenvalues seen from one row"
    CHI_SQUARE = "average over chi-square variables"
    NEAR = "look near a point"
    FRAMES = "moment of uniform frames"
    LINEAR = "average of what enters linearly"
    HAFF = "Haff's identity"
    HERMITIAN = "Haff's identity for complex rows"
    STEIN = "integrate by parts through an inverse"
    INVERSE_MEAN = "mean of an inverse Wishart matrix"
    GRAM = "a Gram matrix is positive semidefinite"
    BOUND = "bound by Cauchy-Schwarz"
    COMPONENT = "bound by the square of one component"
    TANGENT = "bound by a tangent"
    POWERS = "bound by a product of powers"
    EIGENVALUES = "bound by eigenvalues of at most one"
    SIGNS = "average over signs"
    SPECTRUM = "put eigenvalues in"
    IN_PROBABILITY = "limit in probability"
    CONNECTED = "bound by connected sums"
    CHEBYSHEV = "bound by Chebyshev"
    ORDER = "order by degree"
    DIFFERENTIATE = "differentiate"
    SIGN = "sign certificate"
    FACTOR = "leave out a positive factor"
    ROOT = "isolate roots"
    LEAST = "global minimum"
    FRACTION = "write as one fraction"
    LIMIT = "limit by leading coefficients"

    @property
    def relation(self) -> Relation:
        """What a move by this rule shows of its two sides."""
        return _RELATIONS.get(self, Relation.EQUAL)

    @property
    def averages(self) -> bool:
        """Whether a move by this rule is an average over its letters."""
        return self in AVERAGES


_RELATIONS = {
    Rule.GRAM: Relation.AT_LEAST_ZERO,
    Rule.BOUND: Relation.AT_MOST,
    Rule.COMPONENT: Relation.AT_MOST,
    Rule.TANGENT: Relation.AT_LEAST,
    Rule.POWERS: Relation.AT_MOST,
    Rule.EIGENVALUES: Relation.AT_MOST,
    Rule.CONNECTED: Relation.AT_MOST,
    Rule.CHEBYSHEV: Relation.AT_MOST,
    Rule.ORDER: Relation.ORDER,
    Rule.SIGN: Relation.SIGN,
    Rule.FACTOR: Relation.SIGN,
    Rule.ROOT: Relation.ROOT,
    Rule.LEAST: Relation.LEAST,
    Rule.IMAGE: Relation.LAW,
    Rule.BIDIAGONAL: Relation.LAW,
    Rule.ROW_SPECTRUM: Relation.LAW,
    Rule.NEAR: Relation.NEAR,
}
AVERAGES = (
    Rule.AVERAGE,
    Rule.CUMULANTS,
    Rule.ROWS,
    Rule.KNOWN,
    Rule.CENTRED,
    Rule.HAAR,
    Rule.ROW_SPACES,
    Rule.WISHART,
    Rule.INVARIANCE,
    Rule.FRAMES,
    Rule.LINEAR,
    Rule.INVERSE_MEAN,
    Rule.HAFF,
    Rule.HERMITIAN,
    Rule.STEIN,
)


NO_NUMBER = {
    Rule.SUM: "it multiplies by the number of tasks",
    Rule.BOUND: "an inequality, which holds exactly at random matrices",
    Rule.COMPONENT: "an inequality, which holds exactly at random numbers",
    Rule.POWERS: "an inequality, which holds exactly at random numbers",
    Rule.TANGENT: "an inequality, which holds exactly at random numbers",
    Rule.EIGENVALUES: "an inequality, which holds exactly at random matrices",
    Rule.CONNECTED: "an inequality, which holds exactly at random matrices",
    Rule.CHEBYSHEV: "an inequality, which holds exactly at laws of few matrices",
    Rule.GRAM: "an inequality, which holds at any draw",
    Rule.DIFFERENTIATE: "a derivative: its step samples the slope",
    Rule.SIGN: "a sign: its step samples what has it",
    Rule.FACTOR: "a sign: exact at random points",
    Rule.ROOT: "a root: exact when put back",
    Rule.LEAST: "the place of a minimum: its step samples the loss there and elsewhere",
    Rule.LIMIT: "a limit: exact values far out come close to it",
    Rule.SIGNS: "a mean over few values, taken one by one",
    Rule.IN_PROBABILITY: "a limit: its step samples what comes of it",
    Rule.BIDIAGONAL: "a law: its step samples what comes of it",
    Rule.ROW_SPECTRUM: "a law: its step samples what comes of it",
    Rule.CHI_SQUARE: "a mean of scalars: its step samples what comes of it",
    Rule.NEAR: "an integrand, up to bounded factors: its step samples what comes of it",
    Rule.ORDER: "an exponent: sampled over a ladder of sizes where the step has one",
}
"""The rules whose moves are not sampled, and why."""


class DoesNotApply(ValueError):
    """A move that has no meaning here; the text names the move and the reason."""


def lengths_only(expr: Expression) -> Expression:
    """A scalar whose only traces are |d|^2 of the vector d, as a polynomial; raises DoesNotApply for other traces."""
    odd = sorted({*expr.letters()} - {"d"})
    if odd:
        raise DoesNotApply(f"{Rule.KEEP}: the order of traces of {', '.join(odd)} is not known")
    return without_traces(expr, scalar(SQUARED_LENGTH))


def without_traces(expr: Expression, bound: Expression | None = None) -> Expression:
    """A scalar with every trace replaced by a bound; None: by one, where what is in them stays bounded."""
    total = zero()
    for term, coefficient in expr.terms.items():
        total = total + polynomial(coefficient) * (bound or constant(1)) ** len(term.traces)
    return total


@dataclass(frozen=True, eq=False)
class Growth:
    """How sizes grow with one parameter, of which orders are powers.

    label: what grows (xi, m). weights: the exponent of each size and scalar; the others stay. base: the numbers from
    which sampling starts a ladder, none where the step samples the order itself. bound: writes the traces that are left in exact means and variances as scalars of
    known order (`without_traces` where the dimension inside them stays fixed).
    """

    label: str
    weights: Mapping[str, Exponent]
    base: Mapping[str, float]
    bound: Callable[[Expression], Expression] = lengths_only


def _no_order() -> Mapping[str, Exponent]:
    return {}


@dataclass(frozen=True)
class Move:
    """One line of a proof.

    rule: by which `before` leads to `after`. reads: slugs of the steps it rests on. letters: what was put in, written
    out or averaged over. values: what letters and names stand for. inverses: letters that are the inverse of a word. frames: letters whose
    rows are the first of a uniform orthogonal matrix, each with the name of the remaining rows. roots: letters that are the
    symmetric square root of a word. spectra: eigenvalues, in equal numbers, of letters that commute.
    again: the rule once more, from any expression.
    tasks: what stacked letters are made of. second_route: the rule's second route, where it has several, and why it
    disagrees, nothing when it agrees. order_of_error: the order of what an expansion leaves out, by what grows. growths: along which it is seen.
    weights: the exponents of what grows, where an order is found.
    held: whether the second route compares what is put in with what is found or stated of it, held_under: under which assumptions. own: names of this proof alone, which
    the move gives a meaning. where: for which values it holds, and what is put in for variables besides `values`.
    """

    rule: Rule
    before: Expression
    after: Expression
    reads: tuple[str, ...]
    letters: tuple[str, ...]
    values: Mapping[str, Expression]
    second_route: Callable[[], SecondRoute] = field(repr=False, compare=False)
    inverses: Mapping[str, Expression] = field(default_factory=dict)
    frames: Mapping[str, str] = field(default_factory=dict)
    roots: Mapping[str, Expression] = field(default_factory=dict)
    spectra: Mapping[str, Sequence[Fraction]] = field(default_factory=dict)
    tasks: Tasks | None = None
    order_of_error: Callable[[], Mapping[str, Exponent]] = field(default=_no_order, repr=False, compare=False)
    growths: tuple[Growth, ...] = ()
    weights: Mapping[str, Exponent] = field(default_factory=dict)
    held: bool = False
    held_under: Assumptions | None = field(default=None, compare=False)
    own: frozenset[str] = frozenset()
    where: Where = ANYWHERE
    again: Callable[[Expression], Expression] | None = field(default=None, repr=False, compare=False)

    @property
    def restricts(self) -> Where:
        """For which values of sizes, noise and rates what it leads to says something of what it sets out from."""
        # what is given by letters is no value: |d|^2 by d
        given = {
            name: text(value)
            for name, value in self.values.items()
            if name in VARIABLES and not value.letters()
        }
        return replace(self.where, at={**given, **self.where.at})

    @cached_property
    def _checked(self) -> SecondRoute:
        try:
            return self.second_route()
        except (DoesNotApply, OutOfReach, Refused, ArithmeticError) as error:
            return "", f"there is no second route: {error}"

    @property
    def disproved(self) -> str:
        """Why the second route disagrees, computed when it is asked for; nothing when it agrees."""
        return self._checked[1]

    @property
    def route(self) -> str:
        """The second route, where the rule has several."""
        return self._checked[0]

    @cached_property
    def order(self) -> Mapping[str, Exponent]:
        """The order of the error by what grows; empty where the two sides are equal, or `order_unknown` says why."""
        try:
            return self.order_of_error()
        except Refused:
            return {}

    @cached_property
    def order_unknown(self) -> str:
        """Why the order of the error is not known; nothing where it is."""
        try:
            self.order_of_error()
        except Refused as error:
            return f"the order of what is left out is not known: {error}"
        return ""

    @property
    def check(self) -> str:
        """`proved` when the second route came to the same expression, else `failed`."""
        return "failed" if self.disproved else "proved"


@dataclass(frozen=True)
class Known:
    """A moment with a name: E[word] = value, where the value holds the name.

    word: one product of traces and at most one matrix product, with coefficient one. names: what the names in `value`
    stand for. slug: the step that defines them.
    """

    word: Expression
    value: Expression
    names: Mapping[str, Expression]
    slug: str
