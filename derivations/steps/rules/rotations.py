"""Rules that rest on rotations: frames, what inverses become in them, and averages that no rotation changes.

A frame Q and the rest Q_perp of it are the first and the remaining rows of an orthogonal matrix, uniformly distributed. The
second routes put exact rational orthogonal matrices in (Cayley), at which both sides are matrices of fractions:

- Schur complement, polar decomposition, an inverse that cancels: the same matrix at any draw;
- average by invariance: the mean over all signed permutations of the frame's rows, a group that leaves its law alone;
- linear image of a Gaussian matrix: the covariances of all parts, by Wick pairings;
- a moment put in, of a frame or of an inverse: both sides summed over weighted exact matrices with the moments that beta
  or gamma integrals give.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from itertools import permutations, product
from operator import mul
from typing import Any

import sympy
from flint import fmpq, fmpq_mat

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import in_place_of
from derivations.steps.domains import Where
from derivations.steps.move import SecondRoute
from derivations.steps.rules.certified_signs import Domain, is_not_negative
from derivations.steps.rules.exact_routes import entries, in_order, random_matrix
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE, Letter
from symbolic.algebra.matrices import multiple
from symbolic.algebra.words import (
    Expression,
    constant,
    identity,
    letter_expression,
    matrix,
    polynomial,
    scalar,
    tr,
    zero,
)
from symbolic.averages.pairings import expect_by_pairings

Word = tuple[tuple[str, bool], ...]
Named = Mapping[str, Expression]
Draw = Callable[[random.Random, int], dict[str, Any]]
# weights, with values of letters
Weighted = Sequence[tuple[Fraction, Mapping[str, fmpq_mat]]]
SEED = 20_210_505
BOUND_TRIALS = 48
# p = n_v + q, N = n_v m; n_o rows belong to the other tasks
SIZES: tuple[Mapping[str, int], ...] = (
    {"n_v": 2, "q": 4, "p": 6, "n_t": 3, "n_o": 2, "N": 4, "m": 2},
    {"n_v": 3, "q": 2, "p": 5, "n_t": 2, "n_o": 1, "N": 4, "m": 1},
    {"n_v": 1, "q": 4, "p": 5, "n_t": 3, "n_o": 2, "N": 3, "m": 3},
)
# fewer parameters than rows
TALL: tuple[Mapping[str, int], ...] = (
    {"n_v": 2, "p": 3, "n_t": 3, "N": 6, "m": 3},
    {"n_v": 4, "p": 3, "n_t": 2, "N": 4, "m": 1},
    {"n_v": 1, "p": 2, "n_t": 5, "N": 5, "m": 5},
)


@carries_out
def rewritten(
    chain: Chain,
    rule: Rule,
    patterns: Mapping[Word, Expression],
    *reads: str,
    values: Named | None = None,
    inverses: Named | None = None,
    frames: Mapping[str, str] | None = None,
    sizes: Sequence[Mapping[str, int]] = SIZES,
) -> Chain:
    """Words that are equal at every draw put for one another.

    values, inverses: what letters stand for; frames: names of frames, each with that of the rest of its orthogonal matrix.
    sizes: at which the two sides are compared. Raises DoesNotApply when none of the words occurs.
    """
    before = chain.result
    after = before.rewrite(patterns)
    if after == before:
        raise DoesNotApply(f"{rule}: none of its words occurs in {before}")
    given, inverse, frame = dict(values or {}), dict(inverses or {}), dict(frames or {})

    def second_route() -> SecondRoute:
        for place in places((before, after), given, inverse, frame, sizes):
            if entries(evaluate(before, place)) != entries(evaluate(after, place)):
                return "", "the two sides differ at exact random matrices"
        return "", ""

    return chain.made(
        Move(rule, before, after, reads, (), given, second_route, inverses=inverse, frames=frame)
    )


@carries_out
def replaced(chain: Chain, rule: Rule, same: Named, *reads: str, inverses: Named) -> Chain:
    """Letters put for words that are equal to them, in which they may occur themselves, as in a series with its last term."""
    before = chain.result
    after = before.replace(same)

    def second_route() -> SecondRoute:
        for place in places((before, after), {}, inverses, {}):
            if entries(evaluate(before, place)) != entries(evaluate(after, place)):
                return "", "the two sides differ at exact random matrices"
        return "", ""

    return chain.made(Move(rule, before, after, reads, (), {}, second_route, inverses=dict(inverses)))


@carries_out
def by_invariance(
    chain: Chain,
    frame: str,
    rest: str,
    letter: str,
    inverses: Named,
    *reads: str,
) -> Chain:
    """The average over a uniform frame of a square matrix that turns with its rows: its trace over its size, times I.

    letter: the matrix, whose definition in the frame is among `inverses`. Raises DoesNotApply where it does not occur
    exactly once in every term.
    """
    before = chain.result
    known = before.letters()
    counts = [
        sum(factor.name == letter for word in (*term.traces, term.word or ()) for factor in word)
        for term in before.terms
    ]
    if counts.count(1) != len(counts):
        raise DoesNotApply(f"{Rule.INVARIANCE}: {letter} must occur once in every term")
    rows = known[letter].rows
    name = f"trace_{letter}"
    spread = scalar(name) * scalar(f"{INVERSE}{rows}") * identity(rows)
    after = before.replace({letter: spread}).replace({name: tr(letter_expression(known[letter]))})

    def second_route() -> SecondRoute:
        for place in places((before, after), {}, inverses, {frame: rest}):
            turned = []
            for signs in signed_permutations(place[frame].nrows()):
                there = {**place, frame: signs * place[frame]}
                _put(there, {}, inverses)
                turned.append(evaluate(before, there))
            mean = sum(turned[1:], turned[0]) * _scale(turned[0], len(turned))
            if entries(mean) != entries(evaluate(after, place)):
                return "", "the mean over signed permutations of the frame is another"
        return "", ""

    return chain.made(
        Move(
            Rule.INVARIANCE,
            before,
            after,
            reads,
            (frame,),
            {},
            second_route,
            inverses=dict(inverses),
            frames={frame: rest},
        )
    )


@carries_out
def linear_image(
    chain: Chain,
    data: str,
    frame: str,
    rest: str,
    along: str,
    across: str,
    *reads: str,
    sizes: Sequence[Mapping[str, int]] = SIZES,
) -> Chain:
    """A Gaussian matrix seen along a frame and across it: two independent Gaussian matrices.

    sizes: at which the two sides are compared; q is that across the frame.
    """
    before = chain.result
    x, q = before.letters()[data], before.letters()[frame]
    width = "q"
    u, v = Letter(along, x.rows, q.rows, random=True), Letter(across, x.rows, width, random=True)
    first, second = letter_expression(u), letter_expression(v)
    after = before.rewrite(
        {
            ((data, False), (data, True)): first @ first.T + second @ second.T,
            ((data, False), (frame, True)): first,
        }
    )
    wide, turned = letter_expression(x), letter_expression(q)
    others = matrix(rest, width, q.columns)
    images = {along: wide @ turned.T, across: wide @ others.T}

    def second_route() -> SecondRoute:
        for place in places((before, after), images, {}, {frame: rest}, sizes):
            if entries(evaluate(before, place)) != entries(evaluate(after, place)):
                return "", "the two sides differ at exact random matrices"
        return "the covariances of all parts", _other_covariance((u, v), images, data, frame, rest)

    return chain.made(
        Move(Rule.IMAGE, before, after, reads, (data, along, across), {}, second_route, frames={frame: rest})
    )


def _other_covariance(parts: tuple[Letter, Letter], images: Named, data: str, frame: str, rest: str) -> str:
    """Why the images are no independent Gaussian matrices: a covariance that is another; nothing if there is none."""
    q, others = (
        next(letter for letter in images[part.name].letters().values() if letter.name != data)
        for part in parts
    )
    orthogonal: dict[Word, Expression] = {
        ((frame, False), (frame, True)): identity(q.rows),
        ((rest, False), (rest, True)): identity(others.rows),
        ((frame, False), (rest, True)): zero(q.rows, others.rows),
    }
    for one, two in ((parts[0], parts[0]), (parts[1], parts[1]), (parts[0], parts[1])):
        free = matrix("free", one.columns, two.columns)
        stated = expect_by_pairings(
            letter_expression(one) @ free @ letter_expression(two).T, {one.name, two.name}
        )
        found = expect_by_pairings(images[one.name] @ free @ images[two.name].T, {data}).rewrite(orthogonal)
        if stated != found:
            return f"the covariance of {one.name} and {two.name} is {found}"
    return ""


@carries_out
def by_moment(
    chain: Chain,
    rule: Rule,
    replace: Callable[[Expression], Expression],
    weighted: Callable[[Mapping[str, int]], Weighted],
    over: tuple[str, ...],
    *reads: str,
    values: Named | None = None,
    inverses: Named | None = None,
    frames: Mapping[str, str] | None = None,
    roots: Named | None = None,
    sizes: Sequence[Mapping[str, int]] = SIZES,
) -> Chain:
    """A known moment put in by `replace`.

    weighted: the second route, at sizes: exact values of the letters averaged over, with weights, whose sum has the moment
    that the present expression is made of. Raises DoesNotApply where the moment does not occur.
    """
    before = chain.result
    after = replace(before)
    if after == before:
        raise DoesNotApply(f"{rule}: the moment does not occur in {before}")
    given, inverse, frame = dict(values or {}), dict(inverses or {}), dict(frames or {})

    def second_route() -> SecondRoute:
        for at, place in zip(sizes, places((before, after), given, inverse, frame, sizes), strict=True):
            points = weighted(at)
            left_over = Fraction(1) - sum(weight for weight, _ in points)
            points = [*points, (left_over, _nothing(points))]
            left, right = (
                _summed((weight, entries(evaluate(side, {**place, **drawn}))) for weight, drawn in points)
                for side in (before, after)
            )
            if left != right:
                shown = ", ".join(f"{name} = {size}" for name, size in at.items())
                return "", f"beta and gamma integrals give another mean at {shown}"
        return "beta and gamma integrals", ""

    return chain.made(
        Move(
            rule,
            before,
            after,
            reads,
            over,
            given,
            second_route,
            inverses=inverse,
            frames=frame,
            roots=dict(roots or {}),
        )
    )


def _nothing(points: Weighted) -> dict[str, fmpq_mat]:
    """Zeros in place of all drawn matrices: a moment of degree one or more has nothing from them."""
    return {name: 0 * drawn for _, place in points for name, drawn in place.items()}


def _summed(parts: Iterable[tuple[Fraction, Any]]) -> list[list[Fraction]]:
    total: list[list[Fraction]] = []
    for weight, value in parts:
        rows = [[weight * x for x in row] for row in (value if isinstance(value, list) else [[value]])]
        total = total or [[Fraction(0)] * len(row) for row in rows]
        total = [[a + b for a, b in zip(*two, strict=True)] for two in zip(total, rows, strict=True)]
    return total


@carries_out
def gram(chain: Chain, domain: Domain, *reads: str) -> Chain:
    """The present matrix is a positive multiple of a Gram matrix W^T W, which is positive semidefinite.

    domain: where its coefficients are not negative. Raises DoesNotApply for any other word.
    """
    before = chain.result
    known = before.letters()
    for term, coefficient in before.terms.items():
        word = term.word or ()
        half = len(word) // 2
        # a symmetric letter is its own transpose
        mirrored = [(f.name, not (f.transposed or known[f.name].symmetric)) for f in reversed(word[half:])]
        if term.traces or not word or [(f.name, f.transposed) for f in word[:half]] != mirrored:
            raise DoesNotApply(f"{Rule.GRAM}: {before} is no sum of Gram matrices")
        if not is_not_negative(polynomial(coefficient), domain):
            raise DoesNotApply(f"{Rule.GRAM}: a coefficient of {before} may be negative")

    def second_route() -> SecondRoute:
        source = random.Random(SEED)
        for place in places((before,), {}, {}, {}):
            at = evaluate(before, place)
            for _ in range(5):
                x = random_matrix(source, at.nrows(), 1)
                if (x.transpose() * at * x)[0, 0] < 0:
                    return "", "a quadratic form is negative at exact random matrices"
        return "quadratic forms at exact random matrices", ""

    where = Where(at_least=domain.at_least, positive=domain.positive)
    return chain.made(Move(Rule.GRAM, before, before, reads, (), {}, second_route, where=where))


@carries_out
def bounded_product(chain: Chain, symmetric: str, positive: Collection[str], draw: Draw) -> Chain:
    """Tr E^k P E^k Q is at most Tr P Tr Q (Tr E^2)^k, and not negative, for positive semidefinite P, Q and a symmetric E.

    draw: the values of all letters and names, from a source and a size. Raises DoesNotApply for any other word.
    """
    before = chain.result
    after = zero()
    for term, coefficient in before.terms.items():
        product = polynomial(coefficient)
        for word in term.traces:
            names = [factor.name for factor in word]
            first = next((k for k, name in enumerate(names) if name in positive), 0)
            turned = names[first:] + names[:first]
            half = len(names) // 2
            inside, other = turned[1:half], turned[half]
            odd = {*inside, *turned[half + 1 :]} - {symmetric}
            if odd or len(names) % 2 or not {turned[0], other} <= {*positive}:
                raise DoesNotApply(f"{Rule.BOUND}: Tr {' '.join(names)} is no product of that form")
            e = matrix(symmetric, *_sides(before, symmetric), symmetric=True)
            product = product * tr(e @ e) ** (half - 1)
            for name in (turned[0], other):
                product = product * tr(letter_expression(before.letters()[name]))
        after = after + product
    return _bounded(chain, after, draw)


@carries_out
def bounded_inverse(
    chain: Chain, inverse: str, rate: Expression, over: Expression, outer: str, inner: str, draw: Draw
) -> Chain:
    """Where M is at least `rate` C T C^T, with one over it given, Tr M^-1 is at most n Tr S^-1 Tr T^-1 over that rate, S = C C^T.

    outer, inner: the letters of S^-1 and T^-1. Raises DoesNotApply where Tr M^-1 does not occur.
    """
    before = chain.result
    if rate * over != constant(1) and not (rate * over - constant(1)).is_zero:
        raise DoesNotApply(f"{Rule.BOUND}: {over} is not one over {rate}")
    size, _ = _sides(before, inverse)
    traces = (tr(matrix(name, size, size, symmetric=True)) for name in (outer, inner))
    most = reduce(mul, traces, scalar(size) * over)
    after = in_place_of(tr(letter_expression(before.letters()[inverse])), most, before)
    if after == before:
        raise DoesNotApply(f"{Rule.BOUND}: Tr {inverse} does not occur")
    return _bounded(chain, after, draw)


def _sides(expr: Expression, name: str) -> tuple[str, str]:
    letter = expr.letters()[name]
    return letter.rows, letter.columns


def _bounded(chain: Chain, after: Expression, draw: Draw) -> Chain:
    before = chain.result

    def second_route() -> SecondRoute:
        return "exact random matrices", not_bounded(before, after, draw)

    return chain.made(Move(Rule.BOUND, before, after, (), (), {}, second_route))


def not_bounded(before: Expression, after: Expression, draw: Draw) -> str:
    """Why a scalar is negative or larger than another, at exact matrices; nothing where it is neither."""
    source = random.Random(SEED)
    for trial in range(BOUND_TRIALS):
        place = draw(source, 1 + trial % 4)
        low, high = (Fraction(str(evaluate(expr, place))) for expr in (before, after))
        if not 0 <= low <= high:
            return f"at exact random matrices {float(low):.3g} is not between 0 and {float(high):.3g}"
    return ""


def quotient(
    value: sympy.Expr, bottom: str, growing: sympy.Symbol | None = None
) -> tuple[Expression, Expression]:
    """A rational function as a word in the inverse of its denominator's name, and that denominator.

    growing: with which the denominator grows, where its sign is to be settled by that.
    """
    top, below = sympy.fraction(sympy.cancel(value))
    if growing is not None and sympy.Poly(below, growing).LC().could_extract_minus_sign():
        top, below = -top, -below
    return _polynomial(top) * scalar(f"{INVERSE}{bottom}"), _polynomial(below)


def _polynomial(value: sympy.Expr) -> Expression:
    total = zero()
    for factors, number in sympy.expand(value).as_coefficients_dict().items():
        term = constant(Fraction(int(number.p), int(number.q)))
        for name, power in factors.as_powers_dict().items():
            if name != 1:
                term = term * scalar(str(name)) ** int(power)
        total = total + term
    return total


# -- exact random matrices -----------------------------------------------------------------------------------


def places(
    sides: tuple[Expression, ...],
    values: Named,
    inverses: Named,
    frames: Mapping[str, str],
    at: Sequence[Mapping[str, int]] = SIZES,
) -> Iterator[dict[str, Any]]:
    """Exact values of all letters at several sizes, frames from rational orthogonal matrices."""
    source = random.Random(SEED)
    letters: dict[str, Letter] = {}
    names: set[str] = set()
    for expr in (*sides, *values.values(), *inverses.values()):
        letters |= expr.letters()
        names |= {name.removeprefix(INVERSE) for name in expr.scalars()}
    for sizes in at:
        place: dict[str, Any] = dict(sizes)
        for name in sorted(names - place.keys() - values.keys()):
            place[name] = Fraction(source.randint(1, 9), source.randint(1, 9))
        for frame, rest in frames.items():
            x = letters[frame]
            whole = _orthogonal(source, sizes[x.columns])
            rows = [[whole[i, j] for j in range(whole.ncols())] for i in range(whole.nrows())]
            place[frame], place[rest] = (
                fmpq_mat(part) for part in (rows[: sizes[x.rows]], rows[sizes[x.rows] :])
            )
        for name, x in sorted(letters.items()):
            if name not in place and name not in values and name not in inverses and not x.unit:
                shape = [1 if side == ONE else sizes[side] for side in (x.rows, x.columns)]
                place[name] = random_matrix(source, *shape, symmetric=x.symmetric)
        _put(place, values, inverses)
        yield place


def _put(place: dict[str, Any], values: Named, inverses: Named) -> None:
    for name, expr in in_order(values, inverses):
        found = evaluate(expr, place)
        place[name] = found.inv() if name in inverses else found


def _orthogonal(source: random.Random, size: int) -> fmpq_mat:
    """(I - A)(I + A)^-1 for a random antisymmetric A."""
    half = random_matrix(source, size, size)
    skew = half - half.transpose()
    one = multiple(size)
    return (one - skew) * (one + skew).inv()


def signed_permutations(size: int) -> Iterator[fmpq_mat]:
    """All of that size: a group that leaves no matrix unchanged but multiples of the identity."""
    for order in permutations(range(size)):
        for signs in product((1, -1), repeat=size):
            yield fmpq_mat(
                [[fmpq(signs[i] if order[i] == j else 0) for j in range(size)] for i in range(size)]
            )


def _scale(like: Any, count: int) -> Any:
    return fmpq(1, count) if isinstance(like, fmpq_mat) else Fraction(1, count)
