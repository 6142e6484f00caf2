"""Moves of a derivation held against sampling: every letter is drawn, both sides are evaluated, their means compared.

One function for all rules. Where letters are averaged over, they are drawn anew in each draw and all others stay; where
a definition is put in, written out or expanded about a mean, both sides are the same number at any draw, which is what
is asked. Stacked letters are put together from the drawn data of tasks. Where products of fluctuations are left out,
what is asked is the rate at which both sides approach each other over a ladder of sizes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from derivations.steps.chain import Chain, Growth, Move, Rule
from derivations.steps.chains.products import by_powers, degree_of_powers
from derivations.steps.rules.exact_routes import in_order
from derivations.steps.step import Check, Step
from derivations.verification.batches import Plan
from derivations.verification.growth import slope_check, until_told
from derivations.verification.sides import AVERAGING, Sides
from derivations.verification.undrawn import BY_CALCULUS, no_number
from numeric_check.draws.seeds import generator_for
from numeric_check.verdicts.verdict import judge
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression

Array = NDArray[np.float64]
# the relative difference of the two sides where they are the same number at any draw
ROUNDING = 1e-9
# and relative to the largest term, as terms may cancel
EPSILON = 1e-14
# where terms cancel to less than that leaves, nothing is told
LEAST_TOLD = 1e-3
# of a difference quotient, which is off by about its square; and how near infinity a limit is looked at
STEP = Fraction(1, 2**60)
# between which powers of two an exponent is looked at, at which delta, and to how many digits
POWERS, DELTA, DIGITS = (480, 960), Fraction(1, 2), 9
MOST_DRAWS = 4_000_000
# batches, which take about the same time at any size: up to so many, a move is sampled at a size that is not its cheapest
MANY_BATCHES = 20
# sizes of a ladder relative to its start, and draws at each: fewer where they take longer, so that the exponent is known as
# well as from 1440 at each, in three fifths of the time
LADDER, RUNG_DRAWS, RUNG_BATCH = (1, 2, 4, 8), (2880, 2160, 1080, 720), 40
# aimed-at standard error relative to the value, so that five of them are well within one per cent
RESOLUTION = 0.00199
# a mean below this share of its spread would take millions of draws to be resolved relative to itself
SMALL_MEAN = 1.0


class _Averaged:
    """The two sides along a fixed direction, batch by batch: their gap in each draw, and the value."""

    def __init__(
        self, move: Move, slug: str, sizes: Mapping[str, float], index: int, base_seed: int, plan: Plan | None
    ) -> None:
        self._sides = Sides(move, slug, sizes, index, base_seed, None, plan)
        self._probe = _direction(np.asarray(self._sides.first[1].mean(axis=0)), slug)

    def at(self, batch_index: int) -> tuple[Array, Array]:
        """Before minus after, and after, in each draw of a batch."""
        before, after = (
            side.reshape(len(side), -1) @ self._probe.ravel() for side in self._sides.at(batch_index)
        )
        gap = np.asarray(before - after)
        return gap, np.broadcast_to(after, gap.shape)

    @cached_property
    def needed(self) -> float:
        """About how many batches the mean takes to be resolved, by the draws of the first."""
        gap, value = self.at(0)
        spread = float(np.std(gap))
        aim = max(abs(float(value.mean())), SMALL_MEAN * spread) or 1.0
        return (spread / (RESOLUTION * aim)) ** 2 / len(gap)

    def check(self, label: str, sizes: Mapping[str, float]) -> Check:
        """The comparison, with draws until the mean is resolved or the budget is spent."""
        started = time.monotonic()
        total = square = centre = 0.0
        draws = batch = 0
        while True:
            seen, values = self.at(batch)
            total, square = total + float(seen.sum()), square + float((seen**2).sum())
            draws, batch, centre = draws + len(seen), batch + 1, centre + float(values.sum())
            gap, value = total / draws, centre / draws
            spread = float(np.sqrt(max(square / draws - gap**2, 0.0)))
            stderr = spread / float(np.sqrt(draws - 1))
            aim = max(abs(value), SMALL_MEAN * spread)
            if stderr <= RESOLUTION * aim or draws >= MOST_DRAWS:
                break
        found = judge(value + gap, stderr, value, resolution=None if aim == abs(value) else 0.01 * aim)
        seconds = time.monotonic() - started
        return Check(
            label, dict(sizes), value, value + gap, stderr, draws, seconds, found.status, found.reason
        )


def sample_move(
    move: Move,
    label: str,
    slug: str,
    sizes: Mapping[str, float],
    index: int = 0,
    base_seed: int = 0,
    plan: Plan | None = None,
) -> Check | None:
    """Sample one move at these sizes, until the mean is resolved or the budget is spent.

    The value is that of `after` along a fixed direction, the mean that of `before`; where both sides are the same
    number at any draw, they are the element at which they differ most. None for a move that has no number of its own.
    A mean that vanishes, or is small against its spread, is resolved to one per cent of its spread.
    """
    if no_number(move):
        return None
    if move.rule in BY_CALCULUS:
        return sample_number(move, label, sizes)
    if move.rule in AVERAGING:
        return _Averaged(move, slug, sizes, index, base_seed, plan).check(label, sizes)
    started = time.monotonic()
    # the element at which the two sides differ most
    sides = Sides(move, slug, sizes, index, base_seed, 2, plan)
    before, after = np.broadcast_arrays(*sides.first)
    place = np.unravel_index(int(np.argmax(np.abs(before - after))), before.shape)
    value, mean = float(after[place]), float(before[place])
    size = float(np.max(np.abs(after))) or 1.0
    gap, lost = abs(mean - value) / size, sides.largest * EPSILON / size
    said = f"the two sides differ by {gap:.1e} of the largest element"
    if lost > LEAST_TOLD:
        verdict, said = "inconclusive", f"{said}, of which cancelling terms leave {lost:.0e} open"
    else:
        verdict = "agree" if gap <= ROUNDING + lost else "disagree"
    seconds = time.monotonic() - started
    return Check(label, dict(sizes), value, mean, 0.0, len(before), seconds, verdict, said)


def sample_number(move: Move, label: str, sizes: Mapping[str, float]) -> Check | None:
    """What a move by calculus says of a scalar, at the numbers of a step: the slope as a difference quotient, the limit far
    out, the root as that of a polynomial, the sign as that of a value, the order as that of two values. None where the root is not real at these numbers.
    """
    started = time.monotonic()
    found = _calculus(move, _Numbers(move, sizes))
    if found is None:
        return None
    value, mean = found
    gap = abs(mean - value) / max(abs(mean), abs(value), ROUNDING)
    verdict = "agree" if gap <= ROUNDING else "disagree"
    said = f"{_SAID[move.rule]}; relative difference {gap:.1e}"
    return Check(label, dict(sizes), value, mean, 0.0, 1, time.monotonic() - started, verdict, said)


_SAID = {
    Rule.DIFFERENTIATE: "an exact difference quotient",
    Rule.LIMIT: "an exact value far out",
    Rule.ROOT: "the nearest root of the polynomial",
    Rule.SIGN: "the sign of an exact value",
    Rule.FACTOR: "the signs of exact values",
    Rule.ORDER: "the growth between two very large sizes",
}


# numbers within the ranges that are stated of each, where a step has no sizes and the two sides of a move no letters
ANYWHERE: tuple[Mapping[str, float], ...] = tuple(
    {
        **dict(zip(("n_t", "n_v", "n_r", "m", "p"), counts, strict=True)),
        **dict(zip(("sigma", "nu", "dist0_sq"), scales, strict=True)),
        "alpha_t": rate,
        "alpha_r": other,
    }
    for counts, scales, rate, other in (
        ((9.0, 2.0, 5.0, 2.0, 13.0), (0.8, 0.9, 0.7), 0.4, 0.3),
        ((8.0, 3.0, 7.0, 2.0, 17.0), (0.6, 1.2, 0.4), -0.5, -0.2),
        ((11.0, 1.0, 6.0, 4.0, 14.0), (1.1, 0.7, 1.2), 0.7, 0.5),
    )
)


class _Numbers:
    """Exact values of scalars at the numbers of a step, and at fixed random ones where it has none."""

    def __init__(self, move: Move, sizes: Mapping[str, float]) -> None:
        self._values = {**move.values, **move.roots}
        exprs = (move.before, move.after, *self._values.values())
        free = {name.removeprefix(INVERSE) for expr in exprs for name in expr.scalars()} - self._values.keys()
        self.place = {
            name: Fraction(
                sizes.get(name, float(generator_for(f"number/{name}").uniform(0.5, 1.5)))
            ).limit_denominator(10**6)
            for name in sorted(free)
        }
        self._roots = move.roots

    def at(self, expr: Expression, place: Mapping[str, Fraction]) -> Fraction:
        """The value of a scalar with its names written out; raises ValueError for the root of a negative number."""
        here = {**place}
        for name, value in in_order({k: x for k, x in self._values.items() if k not in place}, {}):
            found = Fraction(evaluate(value, here))
            here[name] = Fraction(math.sqrt(found)) if name in self._roots else found
        return Fraction(evaluate(expr, here))

    def depends(self, expr: Expression, variable: str) -> bool:
        """Whether a variable occurs in a scalar, or in what its names stand for."""
        known = {name.removeprefix(INVERSE) for name in expr.scalars()}
        inside = (self._values[name] for name in known & self._values.keys())
        return variable in known or any(self.depends(one, variable) for one in inside)


def _grown(move: Move, place: Mapping[str, Fraction], power: int) -> dict[str, Fraction]:
    """The numbers where what grows is this power of two, which all exponents leave whole."""
    exponents = {name: weight.constant + weight.slope * DELTA for name, weight in move.weights.items()}
    return {name: x * Fraction(2) ** int(exponents.get(name, 0) * power) for name, x in place.items()}


def _logarithm(value: Fraction) -> float:
    return math.log2(abs(value.numerator)) - math.log2(value.denominator)


def _calculus(move: Move, numbers: _Numbers) -> tuple[float, float] | None:
    """What the move leads to as a number, and what it is found to be."""
    place, variable = numbers.place, (move.letters or ("",))[0]
    if move.rule in (Rule.SIGN, Rule.FACTOR):
        sides = (numbers.at(side, place) for side in (move.after, move.before))
        value, mean = (float((x > 0) - (x < 0)) for x in sides)
        return value, mean
    if move.rule is Rule.ORDER:
        near, far = (_logarithm(numbers.at(move.before, _grown(move, place, power))) for power in POWERS)
        found = degree_of_powers(move.after)
        return float(found.constant + found.slope * DELTA), round(
            (far - near) / (POWERS[1] - POWERS[0]), DIGITS
        )
    if move.rule is Rule.DIFFERENTIATE:
        at = place.get(variable, Fraction(0)) if numbers.depends(move.after, variable) else Fraction(0)
        up, down = (numbers.at(move.before, {**place, variable: at + step}) for step in (STEP, -STEP))
        return float(numbers.at(move.after, {**place, variable: at})), float((up - down) / (2 * STEP))
    if move.rule is Rule.LIMIT:
        return float(numbers.at(move.after, place)), float(
            numbers.at(move.before, {**place, variable: 1 / STEP})
        )
    try:
        value = float(numbers.at(move.after, place))
    except ValueError:
        return None
    parts = by_powers(move.before, [variable])
    coefficients = [
        float(numbers.at(parts[k,], place)) if (k,) in parts else 0.0 for k in range(max(parts)[0], -1, -1)
    ]
    return value, float(min(np.roots(coefficients), key=lambda root: abs(root - value)).real)


def sample_order(
    move: Move, growth: Growth, label: str, slug: str, base_seed: int = 0, plan: Plan | None = None
) -> Check:
    """The rate at which both sides approach each other as sizes grow, against the order of the error."""
    started = time.monotonic()
    rungs = []
    for k, factor in enumerate(LADDER):
        rung = dict(growth.base)
        for name, exponent in growth.weights.items():
            if name in rung:
                grown = rung[name] * factor ** float(exponent.constant)
                rung[name] = round(grown) if isinstance(rung[name], int) else grown
        rungs.append(Sides(move, slug, _with_total(rung, move), k, base_seed, RUNG_BATCH, plan))
    gaps: list[list[Array]] = [[] for _ in rungs]

    def fitted(more: int) -> Check:
        roots, errors = [], []
        for sides, found, draws in zip(rungs, gaps, RUNG_DRAWS, strict=True):
            for batch in range(len(found), more * draws // RUNG_BATCH):
                before, after = sides.at(batch)
                found.append(np.mean((before - after) ** 2, axis=(1, 2)))
            square = np.concatenate(found)
            roots.append(math.sqrt(float(square.mean())))
            errors.append(float(square.std(ddof=1) / math.sqrt(square.size)) / (2 * roots[-1]))
        return slope_check(
            label,
            [float(factor) for factor in LADDER],
            roots,
            errors,
            float(move.order[growth.label].sympy()),
            draws=more * sum(RUNG_DRAWS),
            seconds=time.monotonic() - started,
            sharp=True,
        )

    return until_told(fitted)


def _with_total(sizes: Mapping[str, float], move: Move) -> dict[str, float]:
    """Sizes with N, the rows of all tasks, where their numbers are given."""
    rows, count, total = (
        (move.tasks.rows, move.tasks.count, move.tasks.stacked) if move.tasks else ("n_v", "m", "N")
    )
    if move.tasks is None and total in sizes:
        return dict(sizes)
    return {**sizes, total: sizes[rows] * sizes[count]} if {rows, count} <= sizes.keys() else dict(sizes)


def _direction(value: Array, slug: str) -> Array:
    """The value itself tilted by a fixed random matrix: along it an error in any element shows."""
    size = float(np.sum(value**2)) or 1.0
    tilt = generator_for(f"{slug}/direction").standard_normal(value.shape)
    return np.asarray(value / size + 0.3 * tilt / np.sqrt(size * tilt.size))


def move_checks(
    chain: Chain,
    step: Step,
    numbers: Mapping[str, float],
    base_seed: int = 0,
    *,
    ladders: bool = True,
    others: bool = True,
) -> list[Check]:
    """Every move of a step's chain that has a number, at the sizes of the step; `numbers`: further values.

    A move that takes long to resolve is sampled where that is soonest; an expansion over ladders of sizes, if they are
    wanted; `others`: whether what needs no ladder is.
    """
    return [
        replace(check, move=k + 1)
        for k, move in enumerate(chain.moves)
        if (ladders if move.growths else others)
        for check in checks_of_move(
            move, k, f"move {k + 1}: {move.rule}", f"{step.name}/move-{k}", step, numbers, base_seed
        )
    ]


def checks_of_move(
    move: Move, k: int, label: str, slug: str, step: Step, numbers: Mapping[str, float], base_seed: int
) -> list[Check]:
    """The checks of one move, the k-th from 0."""
    plan = Plan()
    if move.growths:
        return [
            sample_order(
                move, growth, f"{label}, as {growth.label} grows", f"{slug}/{growth.label}", base_seed, plan
            )
            for growth in move.growths
            if growth.base and growth.label in move.order
        ]
    if no_number(move):
        return []
    places = step.sizes
    if not places and not (move.before.letters() or move.after.letters()):
        places = ANYWHERE
    at = [_with_total({**sizes, **numbers}, move) for sizes in places]
    if move.rule not in AVERAGING:
        checks = (
            sample_move(move, label, slug, sizes, index, base_seed, plan) for index, sizes in enumerate(at)
        )
        return [check for check in checks if check is not None]
    averaged = [_Averaged(move, slug, sizes, index, base_seed, plan) for index, sizes in enumerate(at)]
    fewest = min((one.needed for one in averaged), default=0.0)
    return [
        one.check(label, sizes)
        for one, sizes in zip(averaged, at, strict=True)
        if one.needed <= max(MANY_BATCHES, fewest)
    ]
