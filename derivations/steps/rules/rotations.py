"""Rules that rest on rotations: frames, what inverses become in them, and averages that no rotation changes.

A frame Q and the rest Q_perp of it are the first and the remaining rows of an orthogonal matrix, uniformly distributed. The
second routes put exact rational orthogonal matrices in (Cayley), at which both sides are matrices of fractions:

- Schur complement, polar decomposition, an inverse that cancels: the same matrix at any draw;
- average by invariance: the mean over all signed permutations of the frame's rows, a group that leaves its law alone;
- linear image of a Gaussian matrix: the covariances of all parts, by Wick pairings;
- a frame's moment: by degrees of freedom of a Wishart block;
- the mean of an inverse: the gamma integral of a chi-square variable.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import permutations, product
from typing import Any

import sympy
from flint import fmpq, fmpq_mat

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import entries, in_order, random_matrix
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE, Letter
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
SEED = 20_210_505
TRIALS = 12
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


def by_invariance(
    chain: Chain,
    frame: str,
    rest: str,
    letter: str,
    inverses: Named,
    *reads: str,
    values: Named | None = None,
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
    given = dict(values or {})

    def second_route() -> SecondRoute:
        for place in places((before, after), given, inverses, {frame: rest}):
            turned = []
            for signs in _signed_permutations(place[frame].nrows()):
                there = {**place, frame: signs * place[frame]}
                _put(there, given, inverses)
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
            given,
            second_route,
            inverses=dict(inverses),
            frames={frame: rest},
        )
    )


def linear_image(
    chain: Chain, data: str, frame: str, rest: str, along: str, across: str, *reads: str
) -> Chain:
    """A Gaussian matrix seen along a frame and across it: two independent Gaussian matrices."""
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
        for place in places((before, after), images, {}, {frame: rest}):
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


def by_moment(
    chain: Chain,
    rule: Rule,
    replace: Callable[[Expression], Expression],
    disproved: Callable[[], str],
    over: tuple[str, ...],
    *reads: str,
    values: Named | None = None,
    inverses: Named | None = None,
    frames: Mapping[str, str] | None = None,
    roots: Named | None = None,
) -> Chain:
    """A known moment put in: `replace` does so, `disproved` is its second route."""
    before = chain.result
    after = replace(before)
    if after == before:
        raise DoesNotApply(f"{rule}: the moment does not occur in {before}")
    return chain.made(
        Move(
            rule,
            before,
            after,
            reads,
            over,
            dict(values or {}),
            lambda: ("", disproved()),
            inverses=dict(inverses or {}),
            frames=dict(frames or {}),
            roots=dict(roots or {}),
        )
    )


def gram(chain: Chain, positive: Callable[[Expression], bool], label: str, *reads: str) -> Chain:
    """The present matrix is a positive multiple of a Gram matrix W^T W, which is positive semidefinite; its sign is a part.

    positive: whether a coefficient is positive. Raises DoesNotApply for any other word.
    """
    before = chain.result
    for term, coefficient in before.terms.items():
        word = term.word or ()
        half = len(word) // 2
        mirrored = tuple((factor.name, not factor.transposed) for factor in reversed(word[half:]))
        if term.traces or not word or [(f.name, f.transposed) for f in word[:half]] != [*mirrored]:
            raise DoesNotApply(f"{Rule.GRAM}: {before} is no sum of Gram matrices")
        if not positive(polynomial(coefficient)):
            raise DoesNotApply(f"{Rule.GRAM}: a coefficient of {before} is not positive")

    def second_route() -> SecondRoute:
        source = random.Random(SEED)
        for place in places((before,), {}, {}, {}):
            at = evaluate(before, place)
            for _ in range(5):
                x = random_matrix(source, at.nrows(), 1)
                if (x.transpose() * at * x)[0, 0] < 0:
                    return "", "a quadratic form is negative at exact random matrices"
        return "quadratic forms at exact random matrices", ""

    chain.made(Move(Rule.GRAM, before, before, reads, (), {}, second_route))
    return chain.shows_value(label, sympy.Integer(1))


def bounded(chain: Chain, after: Expression, draw: Callable[[random.Random, int], dict[str, Any]]) -> Chain:
    """A scalar that is not negative, and at most `after`: checked at exact random matrices.

    draw: the values of all letters and names, from a source and a size.
    """
    before = chain.result

    def second_route() -> SecondRoute:
        source = random.Random(SEED)
        for trial in range(TRIALS):
            place = draw(source, 1 + trial % 3)
            low, high = (Fraction(str(evaluate(expr, place))) for expr in (before, after))
            if not 0 <= low <= high:
                return "", f"at exact random matrices {float(low):.3g} is not between 0 and {float(high):.3g}"
        return "exact random matrices", ""

    return chain.made(Move(Rule.BOUND, before, after, (), (), {}, second_route))


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
    one = fmpq_mat([[fmpq(int(i == j)) for j in range(size)] for i in range(size)])
    return (one - skew) * (one + skew).inv()


def _signed_permutations(size: int) -> Iterator[fmpq_mat]:
    for order in permutations(range(size)):
        for signs in product((1, -1), repeat=size):
            yield fmpq_mat(
                [[fmpq(signs[i] if order[i] == j else 0) for j in range(size)] for i in range(size)]
            )


def _scale(like: Any, count: int) -> Any:
    return fmpq(1, count) if isinstance(like, fmpq_mat) else Fraction(1, count)
