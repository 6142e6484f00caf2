"""The answer to a moment query with powers or logarithms of determinants as factors, and its check.

The rest of the query is averaged and checked like any other, n left free; then n is moved. The second route takes none of the
identities of `symbolic.wishart.determinant_powers`: at two small sizes the same query with whole powers is averaged as a polynomial in the
entries, the determinants written out, and compared in value. The derivative beside a logarithm is compared with means of products
of entries and logarithms of chi-squared variables (`symbolic.checks.log_determinants`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple, NoReturn, Protocol

from flint import arb, ctx

from symbolic.algebra.refusal import Refused
from symbolic.grammar.determinant_factors import Factor
from symbolic.grammar.determinant_terms import Key, Terms, with_powers
from symbolic.grammar.determinant_terms import renamed as renamed_tree
from symbolic.grammar.shapes import ONE
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.grammar.tree import Covariance, Node, Product, symbols
from symbolic.query.asked import needed_names
from symbolic.query.check import CheckFailed
from symbolic.query.combined.mean_sums import Mean, Table, product_of, shown, summed, times
from symbolic.query.query_words import Setting
from symbolic.query.result import Result
from symbolic.query.sizes import read_size
from symbolic.query.value import Matrices, Shown, evaluate, read_matrices
from symbolic.wishart.determinant_powers import (
    DIGITS,
    Determinants,
    real,
    renamed,
    shifted,
    twice_derivative,
)
from symbolic.wishart.existence import MomentDoesNotExist, condition, remedy, strictest
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    MAX_NUMBER,
    PSEUDO,
    covariance_of,
    is_dimension,
    row_dimension,
)
from symbolic.wishart.trace_polynomial import TracePolynomial


class Average(Protocol):
    """The expectation of a tree with these values, everything else about the query settled."""

    def __call__(self, node: Node, known: Mapping[str, Any], log: str = "") -> Result:
        """``log``: the matrix whose log det stands beside it, with which its derivative is checked."""


TRIALS = ((2, 1), (1, 2), (3, 1))
"""p and the power of each determinant at which an answer is compared; the first two that do."""

MOST_TRIALS = 2


class Asked(NamedTuple):
    """A query: its text, its tree with 1 in place of its ``factors``, and the values given.

    ``names`` are those of the tree; ``by_rows``: every X has a mean, or a covariance of rows. ``setting`` is that of the whole.
    """

    text: str
    node: Node
    factors: tuple[Factor, ...]
    names: frozenset[str]
    values: Mapping[str, Any]
    covariance: str
    law: str
    by_rows: bool
    setting: Setting


def with_determinants(asked: Asked, average: Average) -> Result:
    """The expectation. Raises ValueError where it has no method, and MomentDoesNotExist where it diverges."""
    terms = Terms(asked.text, asked.factors)
    with ctx.workdps(DIGITS):

        def means(node: Node) -> list[Mean]:
            return [_Answer(asked, key, part, average).mean() for key, part in terms.of(node).items()]

        if not isinstance(asked.node, Covariance):
            return _with_inverses(asked, summed(asked.text, means(asked.node)))
        left, right = asked.node.left, asked.node.right
        if any(factor.is_log for factor in asked.factors):
            raise MomentSyntaxError(
                asked.text,
                next(factor.position for factor in asked.factors if factor.is_log),
                "the covariance with a logarithm is of log det(W), as one of the two parts of cov, and a word without "
                "logarithms and powers of determinants",
            )
        both = means(Product(asked.node.position, False, (left, right)))
        products = [product_of(one, other) for one in means(left) for other in means(right)]
        return _with_inverses(asked, summed(asked.text, [*both, *products]))


def _with_inverses(asked: Asked, found: Result) -> Result:
    """What negative powers of determinants require also where they cancel: the determinant is not zero.

    Raises MomentDoesNotExist where the sizes are given, and it is.
    """
    negative = {row_dimension(x.name) for x in asked.factors if x.power < 0 and not x.is_mean}
    added = [(rows, Fraction(-1)) for rows in negative - dict(found.bounds).keys()]
    for rows, bound in added:
        if rows in asked.values and COLUMNS in asked.values:
            n, p = (read_size(name, asked.values[name]) for name in (rows, COLUMNS))
            if n - p <= bound:
                raise MomentDoesNotExist(
                    f"the inverse of a determinant exists only for {condition(rows, bound)}, and {rows} - {COLUMNS} = {n - p} "
                    f"here: {remedy(rows, n, p + bound)}"
                )
    bounds = strictest([found.bounds, added])
    others = found.conditions[len(found.bounds) :]
    return replace(found, bounds=bounds, conditions=(*(condition(*bound) for bound in bounds), *others))


def centred(asked: Asked, average: Average) -> Result:
    """The covariance with the logarithm that is the one factor of a query: what its derivative adds to the product of means."""
    terms = Terms(asked.text, asked.factors).of(asked.node)
    if {*terms} != {Key(logs=(asked.factors[0].name,))}:
        raise MomentSyntaxError(
            asked.text, 1, "cov with a logarithm is of a word without powers and logarithms of determinants"
        )
    ((key, part),) = terms.items()
    with ctx.workdps(DIGITS):
        return summed(asked.text, [_Answer(asked, key, part, average, is_centred=True).mean()])


def _require_method(asked: Asked, key: Key, node: Node) -> None:
    """Raises ValueError where a term has no method beside its determinants."""
    names = {symbol.name for symbol in symbols(node)}

    def fail(name: str, reason: str) -> NoReturn:
        position = next(factor.position for factor in asked.factors if factor.name == name)
        raise MomentSyntaxError(asked.text, position, reason)

    if key.means:
        _require_answer(asked, key, fail)
        return
    if len(key.logs) > 1:
        fail(
            key.logs[1],
            "a product of two logarithms has no method here: one in each term of a sum, in cov one of the two parts",
        )
    for name in key.names:
        if asked.law not in ("gaussian", "complex"):
            raise Refused(
                "real powers and logarithms of a determinant are known for Gaussian and complex normal rows, not under "
                f"{asked.law[:50]}: give p, as in p=3, for whole powers"
            )
        number, rows = name[1:], row_dimension(name)
        of_mean = {f"M{number}", f"U{number}"} & {*asked.names, *asked.values}
        if asked.by_rows or of_mean or f"X{number}" in names:
            fail(
                name,
                f"a power of det({name}) has no method beside X{number}, or a mean or a covariance of its rows: give p, "
                "as in p=3, for whole powers",
            )
        if name + PSEUDO in names:
            fail(name, f"det({name}) is 0 where {name}^+ is averaged, for {COLUMNS} > {rows}: take {name}^-1")


def _require_answer(asked: Asked, key: Key, fail: Callable[[str, str], NoReturn]) -> None:
    """Raises ValueError for means of determinants beside what is still to be averaged, or of other matrices than asked for."""
    logs = [mean for mean in key.means if mean.is_log]
    for mean in key.means:
        sigma = ""
        if asked.covariance != "identity":
            sigma = covariance_of(mean.name, asked.covariance == "own")
        beside = sum((x.power for x in key.means if x.name == mean.name and not x.is_log), Fraction(0))
        if any(name[0] in "WX" for name in asked.names) or not all(
            factor.is_mean for factor in asked.factors
        ):
            fail(
                mean.name,
                "the mean of a determinant stands in an answer, beside nothing that is random: ask for the parts one by one",
            )
        if mean.sigma != sigma:
            fail(
                mean.name,
                f"of {mean.name} this is no mean: the determinant of {sigma or 'no Sigma'} belongs to it",
            )
        if mean.is_log and (len(logs) > 1 or mean.power != beside):
            fail(
                mean.name,
                f"this is no mean of log det({mean.name}) beside det({mean.name})^{beside}: ask for it",
            )


class _Answer:
    """One term: E of what stands beside its determinants as a formula in n, and what these make of it."""

    def __init__(
        self, asked: Asked, key: Key, node: Node, average: Average, *, is_centred: bool = False
    ) -> None:
        """is_centred: the logarithm less its mean is meant."""
        _require_method(asked, key, node)
        self._asked, self._average, self._node = asked, average, node
        self._step = 1 if asked.law == "complex" else 2
        self._is_read, self._is_centred = bool(key.means), is_centred
        self._powers = [(x.name, x.power) for x in key.means if not x.is_log] or [*key.powers]
        self._log = next((x.name for x in key.means if x.is_log), next(iter(key.logs), ""))
        # in n log det(W) tr(W) the first n is a number, and that of E tr(W) = n p moves: the first has another name meanwhile
        moved, taken = list(map(row_dimension, key.names)), self._dimensions()
        free = [name for k in range(MAX_NUMBER, 0, -1) if (name := f"n{k}") not in taken]
        if len(free) < len(moved):
            raise Refused(
                f"there are more than {MAX_NUMBER - len(moved)} numbers of rows: ask for the parts one by one"
            )
        self._moved = dict(zip(moved, free, strict=False))
        apart = {} if self._is_read else self._moved
        inner = average(renamed_tree(node, apart), {}, "" if self._is_read else self._log)
        known = {*apart.values()}
        points = [
            " ".join(x for x in point.split() if x.split("=")[0] not in known) for point in inner.checked
        ]
        self._inner = replace(inner, checked=tuple(points), setting=asked.setting)

    def mean(self) -> Mean:
        """Its mean, compared with determinants written out."""
        points = self._checked() if self._moved and not self._is_read else []
        bounds, sizes = self._bounds(self._powers), self._sizes()
        self._require_existing(bounds, sizes)
        formula, determinants = self._made()
        if self._is_centred:
            formula, determinants = determinants.slope, replace(determinants, log="", log_sigma=())
        matrices = self._matrices(sizes, self._asked.values)
        value = None if matrices is None else self._value(formula, determinants, sizes, matrices)
        try:
            formula, slope = formula.at(sizes), determinants.slope.at(sizes)
        except ZeroDivisionError:
            raise Refused("the expectation has a pole at these sizes: take larger row counts") from None
        given = tuple(sizes.items())
        has_determinants = bool(self._moved) and not self._is_centred
        found = replace(
            self._inner,
            covariance=self._asked.covariance,
            expectation=formula,
            conditions=(*(condition(*bound) for bound in bounds), *self._others()),
            bounds=bounds,
            checked=tuple(dict.fromkeys((*self._inner.checked, *points))),
            determinants=replace(determinants, slope=slope, sizes=given) if has_determinants else None,
            sizes=given,
        )
        return Mean(found, value)

    def _others(self) -> tuple[str, ...]:
        """The conditions of the rest that are not of inverses."""
        return self._inner.conditions[len(self._inner.bounds) :]

    def _sigma(self, name: str) -> tuple[str, ...]:
        if self._asked.covariance == "identity":
            return ()
        return (covariance_of(name, self._asked.covariance == "own"),)

    def _made(self) -> tuple[TracePolynomial, Determinants]:
        formula = self._inner.expectation
        slope = TracePolynomial({}, formula.is_matrix)
        if not self._is_read:
            for name, power in self._powers:
                formula = shifted(formula, row_dimension(name), self._step * power)
            if self._log:
                slope = twice_derivative(formula, row_dimension(self._log), self._step)
            formula, slope = self._together(formula), self._together(slope)
        return formula, Determinants(
            tuple((name, power, self._sigma(name)) for name, power in self._powers),
            self._log,
            self._sigma(self._log) if self._log else (),
            slope,
            self._step == 1,
        )

    def _together(self, polynomial: TracePolynomial) -> TracePolynomial:
        """An expectation in which the numbers of rows have one name again."""
        return renamed(polynomial, {other: rows for rows, other in self._moved.items()})

    def _bounds(self, powers: Iterable[tuple[str, Fraction]]) -> tuple[tuple[str, Fraction], ...]:
        """The rest at n + 2k requires n + 2k - p > 2 d - 1, and the density n - p > -1."""
        found = {rows: Fraction(bound) for rows, bound in self._inner.bounds}
        change = dict.fromkeys(self._moved, Fraction(0))
        for name, power in powers:
            change[row_dimension(name)] += self._step * power
        for rows, moved in change.items():
            found[rows] = max(Fraction(dict(self._inner.bounds).get(rows, -1)) - moved, Fraction(-1))
        return tuple(sorted(found.items()))

    # -- values -----------------------------------------------------------------------------------------------

    def _dimensions(self) -> set[str]:
        return {COLUMNS, *self._needed()[0]}

    def _letters(self) -> set[str]:
        return {*self._needed()[1]}

    def _needed(self) -> tuple[list[str], list[str]]:
        return needed_names(
            [*self._asked.names, *(factor.name for factor in self._asked.factors)], self._asked.setting
        )

    def _sizes(self) -> dict[str, Fraction]:
        values = self._asked.values
        dimensions, letters = self._dimensions(), self._letters()
        for name in values:
            if name not in dimensions | letters:
                raise Refused(f"{name[:50]!r} is not needed in this expression: leave it out")
        sizes = {name: read_size(name, values[name]) for name in sorted(dimensions & values.keys())}
        if letters & values.keys():
            missing = sorted((letters | dimensions) - values.keys() - {COLUMNS})
            if missing:
                raise Refused(f"no value given for {', '.join(missing)}: give all of them, or no matrices")
            matrices = self._matrices(sizes, values)
            if matrices is not None:
                sizes[COLUMNS] = Fraction(matrices.lengths[COLUMNS])
        return sizes

    def _matrices(self, sizes: Mapping[str, Fraction], values: Mapping[str, Any]) -> Matrices | None:
        """The values of the letters, where everything has one."""
        letters = self._letters()
        if not (letters | self._dimensions()) - {COLUMNS} <= values.keys() or not (
            letters or COLUMNS in sizes
        ):
            return None
        whole = {name: int(number) for name, number in sizes.items() if number.denominator == 1}
        size = whole.pop(COLUMNS, None)
        tables = {name: values[name] for name in sorted(letters)}
        return read_matrices(tables, size, self._inner.setting.shapes, whole)

    def _require_existing(
        self, bounds: tuple[tuple[str, Fraction], ...], sizes: Mapping[str, Fraction]
    ) -> None:
        for rows, bound in bounds:
            if rows in sizes and COLUMNS in sizes and sizes[rows] - sizes[COLUMNS] <= bound:
                n, p = sizes[rows], sizes[COLUMNS]
                inverted = rows in dict(self._inner.bounds)
                if bound < 0 and not (self._log or inverted) and all(power > 0 for _, power in self._powers):
                    raise Refused(
                        f"the formula is for {condition(rows, bound)}, and {rows} - {COLUMNS} = {n - p} here, where the "
                        f"determinant is zero: {remedy(rows, n, p + bound)}"
                    )
                raise MomentDoesNotExist(
                    f"the expectation exists only for {condition(rows, bound)}, and {rows} - {COLUMNS} = {n - p} here: "
                    + remedy(rows, n, p + bound)
                )

    def _value(
        self,
        formula: TracePolynomial,
        determinants: Determinants,
        sizes: dict[str, Fraction],
        matrices: Matrices,
    ) -> Table:
        scales = {name: matrices.determinant(name) for name in self._letters() if name.startswith("Sigma")}
        used = [(power, sigma) for _, power, sigma in determinants.powers]
        used += [(Fraction(-1), determinants.log_sigma)] * bool(determinants.log)
        for power, sigma in used:
            if sigma and scales[sigma[0]] <= 0 and (power < 0 or power.denominator > 1):
                raise Refused(f"{sigma[0]} is singular: give a positive definite matrix")
        length = {**matrices.lengths, **{name: int(size) for name, size in sizes.items()}}
        shape = (length[self._inner.setting.whole[0]], length[self._inner.setting.whole[1]])
        at = {**sizes, COLUMNS: Fraction(matrices.lengths[COLUMNS])}
        try:
            plain = evaluate(formula.at(at), matrices, shape)
            slope = evaluate(determinants.slope.at(at), matrices, shape) if determinants.log else plain
        except ZeroDivisionError:
            raise Refused("the expectation has a pole at these sizes: take larger row counts") from None
        factor = determinants.factor_value(at, scales)
        log = determinants.log_value(at, scales) if determinants.log else None

        def whole(one: Any, other: Any) -> Fraction | arb:
            number: Fraction | arb = Fraction(one)
            if log is not None:
                number = log * real(number) + real(Fraction(other))
            found = times(number, factor)
            return found if isinstance(one, str) else real(found)

        tables = [x if isinstance(x, list) else [[x]] for x in (plain, slope)]
        return [[whole(*pair) for pair in zip(*rows, strict=True)] for rows in zip(*tables, strict=True)]

    # -- the check ----------------------------------------------------------------------------------------------

    def _checked(self) -> list[str]:
        """Where it was compared with determinants written out. Raises CheckFailed where it differs, Refused where nothing could be."""
        found: list[str] = []
        reason = ""
        names = {self._log, *(name for name, _ in self._powers)} - {""}
        for size, power in TRIALS:
            if len(found) == MOST_TRIALS:
                break
            powers = dict.fromkeys(sorted(names), Fraction(power))
            values: dict[str, Any] = {COLUMNS: size}
            least = max((bound for _, bound in self._bounds(powers.items())), default=Fraction(0))
            degree = max((bound for _, bound in self._inner.bounds), default=-1)
            dimensions, letters = self._dimensions(), self._letters()
            for k, name in enumerate(sorted(dimensions - {COLUMNS})):
                values[name] = size + int(max(least, Fraction(degree), Fraction(0))) + 2 + k
            lengths = {**values, ONE: 1}
            for k, name in enumerate(sorted(letters)):
                rows, columns = (lengths[length] for length in self._inner.setting.shape(name))
                values[name] = _small(k, rows, columns, name.startswith("Sigma"))
            written = with_powers(self._node, powers, size)
            used = self._used(written)
            try:
                expected = self._average(
                    written, {name: x for name, x in values.items() if name in used}
                ).value
            except Refused as refusal:
                reason = str(refusal)
                continue
            found.append(self._compared(expected, powers, values))
        if not found:
            raise Refused(f"there is no small size at which the determinants could be checked: {reason}")
        return found

    def _used(self, node: Node) -> set[str]:
        """The names that need a value in a tree."""
        dimensions, letters = needed_names({symbol.name for symbol in symbols(node)}, self._asked.setting)
        return {COLUMNS, *dimensions, *letters}

    def _compared(
        self, expected: Shown | None, powers: Mapping[str, Fraction], values: Mapping[str, Any]
    ) -> str:
        sizes = {name: Fraction(value) for name, value in values.items() if is_dimension(name)}
        formula = self._inner.expectation
        for name, power in powers.items():
            formula = shifted(formula, row_dimension(name), self._step * power)
        formula = self._together(formula)
        made = Determinants(
            tuple((name, power, self._sigma(name)) for name, power in powers.items()),
            "",
            (),
            TracePolynomial({}, formula.is_matrix),
            self._step == 1,
        )
        matrices = self._matrices(sizes, values)
        obtained = None
        if matrices is not None:
            obtained = shown(self._value(formula, made, sizes, matrices), formula.is_matrix)
        point = " ".join(f"{name}={number}" for name, number in sorted(sizes.items()))
        if obtained != expected:
            raise CheckFailed(
                f"the answer is wrong at {point}: with the determinants written out it is {str(expected)[:60]}, and by the "
                f"formula {str(obtained)[:60]}: do not use it"
            )
        return point


def _small(number: int, rows: int, columns: int, is_covariance: bool) -> list[list[int]]:
    """A matrix of small integers, another one for each number; a covariance is definite, with a determinant that is not 1."""
    if columns == 1 < rows:
        return [[(3 * number + 2 * i) % 5 - 1] for i in range(rows)]
    if is_covariance:
        return [[number + 2 + i if i == j else 1 for j in range(rows)] for i in range(rows)]
    return [
        [(7 * number + 3 * i + 5 * j + 2 * i * j + 10) % 11 - 4 for j in range(columns)] for i in range(rows)
    ]
