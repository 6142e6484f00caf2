"""The answer to a moment query with powers or logarithms of determinants as factors, and its check.

The rest of the query is averaged and checked like any other, n left free; then n is moved. The second route takes none of the
identities of `symbolic.wishart.determinant_powers`: at two small sizes the same query with whole powers is averaged as a polynomial in the
entries, the determinants written out, and compared in value. The derivative beside a logarithm is compared with means of products
of entries and logarithms of chi-squared variables (`symbolic.checks.log_determinants`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

from flint import arb, ctx

from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.grammar.determinant_factors import Factor
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.query.check import CheckFailed
from symbolic.query.combined.rows_apart import apart, other_name, together
from symbolic.query.result import Result
from symbolic.query.sizes import read_size
from symbolic.query.value import Matrices, Shown, evaluate, read_matrices
from symbolic.wishart.determinant_powers import (
    DIGITS,
    Determinants,
    real,
    shifted,
    twice_derivative,
)
from symbolic.wishart.existence import MomentDoesNotExist, condition
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    IDENTITY,
    PSEUDO,
    covariance_of,
    indices_of,
    is_dimension,
    row_dimension,
)
from symbolic.wishart.trace_polynomial import TracePolynomial


class Average(Protocol):
    """The expectation of a text with these values, everything else about the query settled."""

    def __call__(self, inner: str, known: Mapping[str, Any], log: str = "") -> Result:
        """``log``: the matrix whose log det stands beside it, with which its derivative is checked."""


TRIALS = ((2, 1), (1, 2), (3, 1))
"""p and the power of each determinant at which an answer is compared; the first two that do."""

MOST_TRIALS = 2


class Asked(NamedTuple):
    """A query: its text, the same with its ``factors`` left out, and the values given.

    ``term``: of a sum the term in which they stand. ``names``, ``in_term``: the names of the rest, and of this. ``by_rows``: every X has a mean, or a covariance of rows.
    ``centred``: the logarithm less its mean is meant, so that the covariance with it is asked for.
    """

    text: str
    rest: str
    term: str
    factors: tuple[Factor, ...]
    names: frozenset[str]
    in_term: frozenset[str]
    values: Mapping[str, Any]
    covariance: str
    law: str
    by_rows: bool
    centred: bool = False


def with_determinants(asked: Asked, average: Average) -> Result:
    """The expectation. Raises ValueError where it has no method, and MomentDoesNotExist where it diverges."""
    _require_method(asked)
    texts = {name: value for name, value in asked.values.items() if isinstance(value, str)}
    log = next((factor.name for factor in asked.factors if factor.is_log and not factor.is_mean), "")
    in_term = {name: value for name, value in texts.items() if re.search(rf"\b{name}\b", asked.term)}
    inner = _with_rows_apart(asked, in_term, log, average)
    of_term = _Answer(asked._replace(names=asked.in_term), average, inner, in_term)
    with ctx.workdps(DIGITS):
        points = of_term.checked()
        if asked.term == asked.rest:
            return of_term.result(points)
        whole, added = _beside(inner, average(asked.rest, texts), of_term.moved)
        return _Answer(asked, average, whole, texts, added).result(points)


def _with_rows_apart(asked: Asked, texts: Mapping[str, str], log: str, average: Average) -> Result:
    """The expectation of the term, its numbers of rows by other names where they are written."""
    moved = {row_dimension(factor.name) for factor in asked.factors if not factor.is_mean} & asked.in_term
    term, meanings = asked.term, dict(texts)
    for rows in sorted(moved):
        term = apart(term, rows, asked.names, asked.values) or term
        meanings = {
            name: apart(text, rows, asked.names, asked.values) or text for name, text in meanings.items()
        }
    found = average(term, meanings, log)
    points = [
        " ".join(x for x in point.split() if x.split("=")[0] not in map(other_name, moved))
        for point in found.checked
    ]
    return replace(found, checked=tuple(points))


def _beside(term: Result, whole: Result, moved: Iterable[str]) -> tuple[Result, TracePolynomial]:
    """The term of a sum with what the whole sum requires, and what the other terms add to it."""
    bounds = dict(whole.bounds)
    for rows, bound in term.bounds:
        bounds[rows] = max(bound, bounds.get(rows, bound))
    found = tuple(sorted(bounds.items()))
    others = whole.conditions[len(whole.bounds) :]
    added = whole.expectation + together(term.expectation, moved).scaled(Rational.number(-1))
    return replace(
        whole,
        expectation=term.expectation,
        bounds=found,
        conditions=(*(condition(*bound) for bound in found), *others),
        checked=tuple(dict.fromkeys((*term.checked, *whole.checked))),
    ), added


def _require_method(asked: Asked) -> None:
    names = asked.names | asked.values.keys()
    means = [factor for factor in asked.factors if factor.is_mean]
    if means:
        _require_answer(asked, means)
        return
    for factor in asked.factors:
        if asked.law not in ("gaussian", "complex"):
            raise Refused(
                "real powers and logarithms of a determinant are known for Gaussian and complex normal rows, not under "
                f"{asked.law[:50]}: give p, as in p=3, for whole powers"
            )
        number = factor.name[1:]
        if asked.by_rows or {kind + number for kind in "XMU"} & names:
            raise MomentSyntaxError(
                asked.text,
                factor.position,
                f"a power of det({factor.name}) has no method beside X{number}, or a mean or a covariance of its rows: give p, "
                "as in p=3, for whole powers",
            )
        rows = row_dimension(factor.name)
        if rows in asked.in_term and apart(asked.term, rows, asked.names, asked.values) is None:
            raise MomentSyntaxError(
                asked.text,
                factor.position,
                f"{rows} itself touches another name, or stands with {other_name(rows)}, beside a power or logarithm of det({factor.name}): put blanks around it",
            )
        if factor.name + PSEUDO in asked.names:
            raise MomentSyntaxError(
                asked.text,
                factor.position,
                f"det({factor.name}) is 0 where {factor.name}^+ is averaged, for {COLUMNS} > {rows}: take {factor.name}^-1",
            )
        both = [
            other for other in asked.factors if other.name == factor.name and other.is_log != factor.is_log
        ]
        if both:
            raise MomentSyntaxError(
                asked.text,
                factor.position,
                f"a power and the logarithm of det({factor.name}) have no method together: ask for one of them",
            )


def _require_answer(asked: Asked, means: list[Factor]) -> None:
    """Raises ValueError for means of determinants beside what is still to be averaged, or of other matrices than asked for."""
    random = any(name[0] in "WX" for name in asked.names)
    for factor in means:
        sigma = (
            (covariance_of(factor.name, asked.covariance == "own"),)
            if asked.covariance != "identity"
            else ("",)
        )
        if random or len(means) < len(asked.factors):
            reason = "the mean of a determinant stands in an answer, beside nothing that is random: ask for the parts one by one"
        elif factor.sigma != sigma[0]:
            reason = (
                f"of {factor.name} this is no mean: the determinant of {sigma[0] or 'no Sigma'} belongs to it"
            )
        else:
            continue
        raise MomentSyntaxError(asked.text, factor.position, reason)


class _Answer:
    """The parts of one answer: E of the rest as a formula in n, and what the determinants make of it."""

    def __init__(
        self,
        asked: Asked,
        average: Average,
        inner: Result,
        texts: Mapping[str, Any],
        added: TracePolynomial | None = None,
    ) -> None:
        """added: the mean of the terms of a sum in which no logarithm stands."""
        self._asked, self._average, self._inner, self._texts = asked, average, inner, texts
        self._added = added or TracePolynomial({}, inner.expectation.is_matrix)
        self._step = 1 if asked.law == "complex" else 2
        self._is_read = any(factor.is_mean for factor in asked.factors)
        self._log = next((factor.name for factor in asked.factors if factor.is_log), "")
        self.moved = sorted({row_dimension(factor.name) for factor in asked.factors})

    def result(self, points: list[str]) -> Result:
        """The answer, which was checked at these points."""
        powers: dict[str, Fraction] = {}
        for factor in self._asked.factors:
            if not factor.is_log:
                powers[factor.name] = powers.get(factor.name, Fraction(0)) + factor.power
        bounds = self._bounds(powers)
        sizes = self._sizes()
        self._require_existing(bounds, sizes)
        formula, determinants = self._made(powers)
        if self._asked.centred:
            self._log, formula = "", determinants.slope
            determinants = replace(determinants, log="", slope=TracePolynomial({}, formula.is_matrix))
        matrices = self._matrices(sizes, self._asked.values)
        value = None if matrices is None else self._value(formula, determinants, sizes, matrices)
        try:
            formula, slope = formula.at(sizes), determinants.slope.at(sizes)
        except ZeroDivisionError:
            raise Refused("the expectation has a pole at these sizes: take larger row counts") from None
        return replace(
            self._inner,
            query=" ".join(self._asked.text.split()),
            covariance=self._asked.covariance,
            expectation=formula,
            conditions=(*(condition(*bound) for bound in bounds), *self._others()),
            bounds=bounds,
            checked=tuple(dict.fromkeys((*self._inner.checked, *points))),
            value=value,
            determinants=replace(determinants, slope=slope, sizes=tuple(sizes.items())),
            sizes=tuple(sizes.items()),
        )

    def _others(self) -> tuple[str, ...]:
        """The conditions of the rest that are not of inverses."""
        return self._inner.conditions[len(self._inner.bounds) :]

    def _sigma(self, name: str) -> tuple[str, ...]:
        if self._asked.covariance == "identity":
            return ()
        return (covariance_of(name, self._asked.covariance == "own"),)

    def _made(self, powers: Mapping[str, Fraction]) -> tuple[TracePolynomial, Determinants]:
        formula = self._inner.expectation
        slope = TracePolynomial({}, formula.is_matrix)
        if self._log:
            slope = self._added
        if not self._is_read:
            for name, power in powers.items():
                formula = shifted(formula, row_dimension(name), self._step * power)
            if self._log:
                slope = slope + twice_derivative(formula, row_dimension(self._log), self._step)
            formula, slope = together(formula, self.moved), together(slope, self.moved)
        return formula, Determinants(
            tuple((name, power, self._sigma(name)) for name, power in powers.items()),
            self._log,
            self._sigma(self._log) if self._log else (),
            slope,
            self._step == 1,
        )

    def _bounds(self, powers: Mapping[str, Fraction]) -> tuple[tuple[str, Fraction], ...]:
        """The rest at n + 2k requires n + 2k - p > 2 d - 1, and the density n - p > -1."""
        found = {rows: Fraction(bound) for rows, bound in self._inner.bounds}
        for factor in self._asked.factors:
            rows = row_dimension(factor.name)
            moved = self._step * powers.get(factor.name, Fraction(0))
            found[rows] = max(Fraction(dict(self._inner.bounds).get(rows, -1)) - moved, Fraction(-1))
        return tuple(sorted(found.items()))

    # -- values -----------------------------------------------------------------------------------------------

    def _dimensions(self) -> set[str]:
        random = [
            name for name in (*self._asked.names, *(f.name for f in self._asked.factors)) if name[0] == "W"
        ]
        return {COLUMNS, *filter(is_dimension, self._asked.names), *map(row_dimension, random)}

    def _letters(self) -> set[str]:
        setting, names = self._inner.setting, self._asked.names
        letters = {name for name in names if not is_dimension(name) and name[0] != "W"}
        letters = {x for x in letters if x not in setting.rotations and x != IDENTITY and not indices_of(x)}
        random = [name for name in (*names, *(f.name for f in self._asked.factors)) if name[0] == "W"]
        return letters | {x for name in random for x in self._sigma(name)}

    def _sizes(self) -> dict[str, Fraction]:
        values = {name: value for name, value in self._asked.values.items() if name not in self._texts}
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
        size = int(sizes[COLUMNS]) if COLUMNS in sizes else None
        return read_matrices(
            {name: values[name] for name in sorted(letters)}, size, self._inner.setting.shapes
        )

    def _require_existing(
        self, bounds: tuple[tuple[str, Fraction], ...], sizes: Mapping[str, Fraction]
    ) -> None:
        for rows, bound in bounds:
            if rows in sizes and COLUMNS in sizes and sizes[rows] - sizes[COLUMNS] <= bound:
                n, p = sizes[rows], sizes[COLUMNS]
                raise MomentDoesNotExist(
                    f"the expectation exists only for {condition(rows, bound)}, and {rows} - {COLUMNS} = {n - p} here: take "
                    f"{rows} over {p + bound}"
                )

    def _value(
        self,
        formula: TracePolynomial,
        determinants: Determinants,
        sizes: dict[str, Fraction],
        matrices: Matrices,
    ) -> Shown:
        scales = {name: matrices.determinant(name) for name in self._letters() if name.startswith("Sigma")}
        used = [(power, sigma) for _, power, sigma in determinants.powers]
        used += [(Fraction(-1), determinants.log_sigma)] * bool(self._log)
        for power, sigma in used:
            if sigma and scales[sigma[0]] <= 0 and (power < 0 or power.denominator > 1):
                raise Refused(f"{sigma[0]} is singular: give a positive definite matrix")
        length = {**matrices.lengths, **{name: int(size) for name, size in sizes.items()}}
        shape = (length[self._inner.setting.whole[0]], length[self._inner.setting.whole[1]])
        at = {**sizes, COLUMNS: Fraction(matrices.lengths[COLUMNS])}
        try:
            plain = evaluate(formula.at(at), matrices, shape)
            slope = evaluate(determinants.slope.at(at), matrices, shape) if self._log else plain
        except ZeroDivisionError:
            raise Refused("the expectation has a pole at these sizes: take larger row counts") from None
        factor = determinants.factor_value(at, scales)
        log = determinants.log_value(at, scales) if self._log else None

        def whole(one: Any, other: Any) -> Any:
            number: Fraction | arb = Fraction(one)
            if log is not None:
                number = log * real(number) + real(Fraction(other))
            if isinstance(number, Fraction) and isinstance(factor, Fraction):
                return str(number * factor) if isinstance(one, str) else float(number * factor)
            return float(real(number) * real(factor))

        if not isinstance(plain, list) or not isinstance(slope, list):
            alone: Shown = whole(plain, slope)
            return alone
        span = range(len(plain[0]))
        return [[whole(plain[i][j], slope[i][j]) for j in span] for i in range(len(plain))]

    # -- the check ----------------------------------------------------------------------------------------------

    def checked(self) -> list[str]:
        """Where it was compared with determinants written out. Raises CheckFailed where it differs, Refused where nothing could be."""
        found: list[str] = []
        reason = ""
        if self._is_read:
            return found  # nothing was averaged
        for size, power in TRIALS:
            if len(found) == MOST_TRIALS:
                break
            powers = dict.fromkeys((factor.name for factor in self._asked.factors), Fraction(0))
            written = self._asked.term
            for factor in reversed(self._asked.factors):
                powers[factor.name] += power
                start = factor.position - 1
                written = f"{written[:start]}(det({factor.name})^{power}){written[start + 3 :]}"
            values: dict[str, Any] = {COLUMNS: size}
            least = max((bound for _, bound in self._bounds(powers)), default=Fraction(0))
            degree = max((bound for _, bound in self._inner.bounds), default=-1)
            for k, name in enumerate(sorted(self._dimensions() - {COLUMNS})):
                values[name] = size + int(max(least, Fraction(degree), Fraction(0))) + 2 + k
            for k, name in enumerate(sorted(self._letters())):
                values[name] = _small(
                    k, size, name.startswith("Sigma"), self._inner.setting.shape(name)[1] == "1"
                )
            try:
                expected = self._average(written, {**self._texts, **values}).value
            except Refused as refusal:
                reason = str(refusal)
                continue
            found.append(self._compared(expected, powers, values))
        if not found:
            raise Refused(f"there is no small size at which the determinants could be checked: {reason}")
        return found

    def _compared(
        self, expected: Shown | None, powers: Mapping[str, Fraction], values: Mapping[str, Any]
    ) -> str:
        sizes = {name: Fraction(value) for name, value in values.items() if is_dimension(name)}
        formula = self._inner.expectation
        for name, power in powers.items():
            formula = shifted(formula, row_dimension(name), self._step * power)
        formula = together(formula, self.moved)
        made = Determinants(
            tuple((name, power, self._sigma(name)) for name, power in powers.items()),
            "",
            (),
            TracePolynomial({}, formula.is_matrix),
            self._step == 1,
        )
        log, self._log = self._log, ""
        try:
            matrices = self._matrices(sizes, values)
            obtained = None if matrices is None else self._value(formula, made, sizes, matrices)
        finally:
            self._log = log
        point = " ".join(f"{name}={number}" for name, number in sorted(sizes.items()))
        if obtained != expected:
            raise CheckFailed(
                f"the answer is wrong at {point}: with the determinants written out it is {str(expected)[:60]}, and by the "
                f"formula {str(obtained)[:60]}: do not use it"
            )
        return point


def _small(number: int, size: int, is_covariance: bool, is_column: bool) -> list[list[int]]:
    """A matrix of small integers, another one for each number; a covariance is definite, with a determinant that is not 1."""
    if is_column:
        return [[(3 * number + 2 * i) % 5 - 1] for i in range(size)]
    if is_covariance:
        return [[number + 2 + i if i == j else 1 for j in range(size)] for i in range(size)]
    return [
        [(7 * number + 3 * i + 5 * j + 2 * i * j + 10) % 11 - 4 for j in range(size)] for i in range(size)
    ]
