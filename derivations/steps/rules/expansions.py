"""Random words around their means: fluctuations, inverses as series in them, and the orders of what is left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache, reduce
from operator import matmul

from derivations.steps.move import SQUARED_LENGTH, DoesNotApply, Growth, Rule
from derivations.steps.orders import element, variances_of_elements
from derivations.steps.rules.far_out import Numbers, log_of, not_of_order
from derivations.steps.rules.stacked import OTHER_TASK, SAME_TASK, NotStacked, Tasks, over_tasks
from derivations.steps.second_routes import compared
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.readable import Term
from symbolic.algebra.words import (
    Expression,
    constant,
    identity,
    matrix,
    polynomial,
    reciprocal,
    scalar,
    unit,
    zero,
)
from symbolic.proofs.asymptotics import Exponent, degree, largest

NOTHING = Exponent(Fraction(0))
LENGTH = "length_of_d"
# stands for what grows, where only an order is known of a letter
ANY_SIZE = "any_size"


@dataclass(frozen=True)
class Mean:
    """How the mean of a word is written: `scale` times `name`, a number times the identity or a matrix.

    name: of the number, or of the matrix. inverse: the letter of the inverse of the matrix; "" for a number.
    scale: the name of a scalar, or "1". times: a scalar that stands before the name as well.
    """

    name: str
    scale: str = "1"
    inverse: str = ""
    times: Expression | None = None

    @property
    def over_scale(self) -> Expression:
        """One over the scale."""
        return constant(1) if self.scale == "1" else reciprocal(self.scale)

    def written(self, size: str) -> Expression:
        """The mean, size x size."""
        times = (self.times or constant(1)) * (constant(1) if self.scale == "1" else scalar(self.scale))
        if self.inverse:
            return times * matrix(self.name, size, size, symmetric=True)
        return times * scalar(self.name) * identity(size)

    def inverted(self, size: str) -> Expression:
        """The inverse of the mean."""
        if self.inverse:
            return self.over_scale * matrix(self.inverse, size, size, symmetric=True)
        return self.over_scale * reciprocal(self.name) * identity(size)


@dataclass(frozen=True, eq=False)
class Fluctuation:
    """The deviation of a random word from its mean, as a letter of its own.

    letter: its name. word: in stacked letters. mean: how the mean is written. value: what the engine finds for the name
    of the mean. tasks: what the stacked letters are made of.
    """

    letter: str
    word: Expression
    mean: Mean
    value: Expression
    tasks: Tasks

    @property
    def size(self) -> str:
        """The dimension of the square word."""
        return (self.word.shape or ("1",))[0]

    @property
    def definition(self) -> Expression:
        """The word minus its mean."""
        return self.word - self.mean.written(self.size)

    @property
    def definitions(self) -> dict[str, Expression]:
        """What the letters of the definition stand for."""
        return {self.letter: self.definition, self.mean.name: self.number}

    @property
    def number(self) -> Expression:
        """What the name of the mean stands for where inputs are Gaussian."""
        return self.tasks.under_gaussian(self.value)

    def blocks(self) -> Mapping[str, Expression]:
        """The blocks whose elements the fluctuation is made of, with their means."""
        if self.size != self.tasks.stacked:
            return {SAME_TASK: self.word}
        return {which: self.tasks.block(self.word, which) for which in (SAME_TASK, OTHER_TASK)}

    def is_plain_sum(self) -> bool:
        """Whether the word is a sum over tasks of words of one task each."""
        names = self.tasks.definitions(over_tasks(self.word, self.tasks))
        return bool(names) and all(name.endswith("1") for name in names)

    def wrong_mean(self) -> str:
        """Why the mean is another by a second route; nothing where it is right."""
        written = self.mean.written(self.size).replace(self._numbers)
        if self.size != self.tasks.stacked:
            before = self.tasks.written_out(self.word)
            return _not_mean(before, written.replace({self.tasks.stacked: self.tasks.total}))
        for which in (SAME_TASK, OTHER_TASK):
            before = self.tasks.block(self.word, which)
            stated = self.tasks.block(written, which)
            said = _not_mean(before, stated)
            if said:
                return said
        return ""

    @property
    def _numbers(self) -> Mapping[str, Expression]:
        return {self.mean.name: self.number}

    def exponent(self, growth: Growth) -> Exponent:
        """The sharp order of the elements, from their exact variances."""
        return _exponent(self, growth)


def _not_mean(before: Expression, stated: Expression) -> str:
    random = [name for name, letter in before.letters().items() if letter.random]
    _, said = compared(before, random, stated, {})
    return f"the mean is another: {said}" if said else ""


@lru_cache(maxsize=256)
def _exponent(fluctuation: Fluctuation, growth: Growth) -> Exponent:
    known = dict(growth.weights)
    known[LENGTH] = known.get(SQUARED_LENGTH, NOTHING).scaled(Fraction(1, 2))
    found = [degree(variance, known) for variance in _variances(fluctuation, growth)]
    return largest([order.scaled(Fraction(1, 2)) for order in found if order is not None])


@lru_cache(maxsize=256)
def _variances(fluctuation: Fluctuation, growth: Growth) -> Sequence[Expression]:
    """Exact variances of elements, up to factors that do not grow."""
    tasks = fluctuation.tasks
    if (
        {*growth.weights} == {tasks.count}
        and fluctuation.size != tasks.stacked
        and fluctuation.is_plain_sum()
    ):
        return [scalar(tasks.count)]  # independent tasks: their number times the variance of one
    if fluctuation.size == tasks.stacked:
        # a start of that length along a coordinate: an element has a plain variance for every law of the inputs
        start = {"d": scalar(LENGTH) * unit("p", 1)}
        blocks = [block.replace(start) for block in fluctuation.blocks().values() if not block.is_zero]
        return variances_of_elements(blocks, growth.bound)
    found = []
    for row, column in ((1, 1), (1, 2)):
        entry = element(fluctuation.word, row, column)
        mean = tasks.mean(entry)
        found.append(growth.bound(tasks.mean(entry * entry) - mean * mean))
    return found


def mean_of(
    word: Expression, tasks: Tasks, mean: Mean, rule: Rule, known: Mapping[str, Expression]
) -> Expression:
    """What the name of the mean stands for, by the engine; raises DoesNotApply when the mean is not of that form.

    known: what names stand for already; a mean with a factor before its name has one of them.
    """
    try:
        if word.shape == (tasks.stacked, tasks.stacked):
            found = tasks.average(tasks.block(word, SAME_TASK))
            if not tasks.average(tasks.block(word, OTHER_TASK)).is_zero:
                raise DoesNotApply(f"{rule}: the blocks between different tasks do not average to zero")
        else:
            found = tasks.mean(word)
    except NotStacked as error:
        raise DoesNotApply(f"{rule}: {error}") from None
    found = found * mean.over_scale.replace({tasks.stacked: tasks.total})
    if mean.inverse:
        return found
    value = element(found, 1, 1)
    if found != value * identity((found.shape or ("1",))[0]):
        raise DoesNotApply(f"{rule}: the mean of {word} is no multiple of the identity")
    if mean.name in known:
        if value != (mean.times or constant(1)) * known[mean.name]:
            raise DoesNotApply(f"{rule}: the mean of {word} is not {mean.name} times a known number")
        return known[mean.name]
    if mean.times is not None:
        raise DoesNotApply(f"{rule}: nothing is called {mean.name} yet")
    return value


def series(fluctuation: Fluctuation, inverse: Expression, order: int) -> Expression:
    """The inverse of a word as a series in its fluctuation, exactly: with the inverse itself in the last term.

    With mean M and fluctuation D: sum over j <= order of (-1)^j M^-1 (D M^-1)^j, and the remainder
    (-1)^(order + 1) M^-1 (D M^-1)^order D times the inverse, symmetrised.
    """
    size = fluctuation.size
    around, letter = fluctuation.mean.inverted(size), matrix(fluctuation.letter, size, size, symmetric=True)
    powers = [reduce(matmul, [letter @ around] * j, identity(size)) for j in range(order + 1)]
    total = zero(size, size)
    for j, power in enumerate(powers):
        total = total + constant((-1) ** j) * (around @ power)
    rest = constant((-1) ** (order + 1)) * (around @ powers[-1] @ letter @ inverse)
    return total + constant(Fraction(1, 2)) * (rest + rest.T)


@dataclass
class Context:
    """What the letters of a chain stand for, as it goes on.

    fluctuations, inverses: by letter; an inverse with the word whose inverse it is. words: abbreviated words.
    expanded: the fluctuations about which inverses were expanded. named: numbers by their names.
    """

    fluctuations: dict[str, Fluctuation] = field(default_factory=dict)
    inverses: dict[str, Expression] = field(default_factory=dict)
    words: dict[str, Expression] = field(default_factory=dict)
    expanded: dict[str, Fluctuation] = field(default_factory=dict)
    named: dict[str, Expression] = field(default_factory=dict)

    def copy(self) -> Context:
        """The same, to be added to apart."""
        return Context(
            {**self.fluctuations}, {**self.inverses}, {**self.words}, {**self.expanded}, {**self.named}
        )

    def definitions(self, *exprs: Expression) -> dict[str, Expression]:
        """What the letters and names of expressions stand for, each by letters and names that come before it."""
        names = {name for expr in exprs for name in (*expr.letters(), *expr.scalars())}
        names |= {name.removeprefix(INVERSE) for name in names}
        found: dict[str, Expression] = {}
        for name, fluctuation in self.fluctuations.items():
            if name in names:
                found |= {fluctuation.mean.name: fluctuation.number, name: fluctuation.definition}
            if fluctuation.mean.name in names:
                found[fluctuation.mean.name] = fluctuation.number
        return found

    def inverted(self, *exprs: Expression) -> dict[str, Expression]:
        """The words whose inverses occur."""
        names = {name for expr in exprs for name in expr.letters()}
        return {name: word for name, word in self.inverses.items() if name in names}

    def fluctuating(self, term: Term) -> int:
        """How many fluctuation letters a term has."""
        words = (*term.traces, term.word or ())
        return sum(factor.name in self.fluctuations for word in words for factor in word)

    def order_of(self, dropped: Expression, growth: Growth, orders: Mapping[str, Exponent]) -> Exponent:
        """The order of products of fluctuations: of their coefficients and of the elements of their letters.

        orders: of other letters, deterministic ones of known size. Raises DoesNotApply for a letter of unknown order.
        """
        weights = dict(growth.weights)
        for fluctuation in self.fluctuations.values():
            tasks = fluctuation.tasks
            parts = (weights.get(name, NOTHING) for name in (tasks.rows, tasks.count))
            weights.setdefault(tasks.stacked, reduce(lambda a, b: a + b, parts))
            if not fluctuation.mean.inverse:
                found = degree(growth.bound(fluctuation.number), weights)
                weights[fluctuation.mean.name] = NOTHING if found is None else found
        exponents = []
        for term, coefficient in dropped.terms.items():
            total = degree(polynomial(coefficient), weights) or NOTHING
            for word in (*term.traces, term.word or ()):
                if [factor.name for factor in word] == ["d", "d"]:
                    total = total + weights.get(SQUARED_LENGTH, NOTHING)
                    continue
                for factor in word:
                    total = total + self._element(factor.name, growth, weights, orders)
            exponents.append(total)
        return largest(exponents)

    def another_order(
        self, dropped: Expression, growth: Growth, orders: Mapping[str, Exponent], claimed: Exponent
    ) -> str:
        """Why products of fluctuations are of another order, by exact values at very large sizes; nothing if they are not.

        The largest term in root mean squares of elements: no degree of a polynomial is looked at.
        """
        fluctuations = [*self.fluctuations.values()]
        means = {f.mean.name: growth.bound(f.number) for f in fluctuations if not f.mean.inverse}
        spreads = {f.letter: _variances(f, growth) for f in fluctuations if f.letter in dropped.letters()}
        stacked = {f.tasks.stacked: f.tasks.total for f in fluctuations}
        needed = [*map(polynomial, dropped.terms.values()), *means.values(), *stacked.values()]
        needed += [variance for variances in spreads.values() for variance in variances]
        names = {name.removeprefix(INVERSE) for expr in needed for name in expr.scalars()}
        names = {*names, SQUARED_LENGTH, ANY_SIZE} - {*means, *stacked}
        weights = {ANY_SIZE: Exponent(Fraction(1)), **growth.weights}
        weights[LENGTH] = weights.get(SQUARED_LENGTH, NOTHING).scaled(Fraction(1, 2))

        def size(sizes: Numbers) -> float:
            at = {**sizes, "1": Fraction(1)}
            for defined in (stacked, means):
                at |= {name: Fraction(evaluate(value, at)) for name, value in defined.items()}
            logs = {name: float(known.constant) * log_of(at[ANY_SIZE]) for name, known in orders.items()}
            for name, variances in spreads.items():
                logs[name] = max(log_of(x) for one in variances if (x := evaluate(one, at))) / 2
            for name, about in self.expanded.items():
                logs[name] = -sum(log_of(at.get(part, 1)) for part in (about.mean.scale, about.mean.name))

            def of(term: Term) -> float:
                words = [[factor.name for factor in word] for word in (*term.traces, term.word or ())]
                lengths = words.count(["d", "d"])
                others = sum(logs[name] for names in words if names != ["d", "d"] for name in names)
                return others + lengths * log_of(at[SQUARED_LENGTH])

            return max(log_of(evaluate(polynomial(c), at)) + of(term) for term, c in dropped.terms.items())

        return not_of_order(size, claimed, names, weights)

    def _element(
        self, name: str, growth: Growth, weights: Mapping[str, Exponent], orders: Mapping[str, Exponent]
    ) -> Exponent:
        if name in self.fluctuations:
            return self.fluctuations[name].exponent(growth)
        if name in self.expanded:  # an inverse has the order of the inverse of the mean
            mean = self.expanded[name].mean
            scale = weights.get(mean.scale, NOTHING)
            return (scale + weights.get(mean.name, NOTHING)).scaled(-1)
        if name in orders:
            return orders[name]
        raise DoesNotApply(f"{Rule.KEEP}: the order of {name} is not known")

    def require_centred(self, expr: Expression, random: Collection[str]) -> None:
        """Raises DoesNotApply when a fluctuation stands beside something random that is not written out."""
        for term in expr.terms:
            names = {factor.name for word in (*term.traces, term.word or ()) for factor in word}
            odd = sorted(names & {*random})
            if odd:
                raise DoesNotApply(f"{Rule.CENTRED}: {', '.join(odd)} is random as well")
