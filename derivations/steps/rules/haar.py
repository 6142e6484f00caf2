"""Moves that rest on rotations: row spaces that are uniformly distributed, and plain Gaussian rows.

A block B_i of rows has the law of B_i O for every rotation O when it turns into B_i O as its inputs X turn into X O, and
the law of these does not change. Its row space is then uniform. What depends on row spaces alone may be averaged with
plain Gaussian rows in place of B; their Gram matrix is a Wishart matrix, whose inverse has known means.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations, product

from flint import fmpq, fmpq_mat

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, Tasks, carries_out
from derivations.steps.chains.products import in_place_of
from derivations.steps.rules.exact_routes import (
    SEED,
    inverse_of_chi_square,
    invertible_matrix,
    moment_of_beta,
    random_matrix,
    stack,
)
from derivations.steps.rules.stacked import unlike
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.letters import ONE
from symbolic.algebra.matrices import multiple
from symbolic.algebra.words import (
    Expression,
    identity,
    letter_expression,
    matrix,
    polynomial,
    reciprocal,
    scalar,
    tr,
)
from symbolic.wishart.wishart_moment import moment

DESIGN, PLAIN, OWN, OWN_PLAIN, COVARIANCE = "B", "X", "T", "T_X", "K_X"
FREEDOM = "q"
# sizes (n_v, m, p) at which exact means of plain rows are compared
PLAIN_SIZES = ((1, 1, 4), (1, 2, 6), (2, 1, 7), (2, 3, 11), (3, 2, 9), (4, 3, 20))


def _block(tasks: Tasks, label: str = "1") -> Expression:
    return tasks.blocks[DESIGN](label)


def _rows(tasks: Tasks) -> Expression:
    return tasks.blocks[PLAIN]("1")


def turned(block: Expression) -> str:
    """Why the law of a block of rows changes under rotations; nothing where it does not."""
    columns = (block.shape or ("", ""))[1]
    rotation = matrix("O", columns, columns)
    rules: dict[tuple[tuple[str, bool], ...], Expression] = {
        (("O", False), ("O", True)): identity(columns),
        (("O", True), ("O", False)): identity(columns),
    }
    values = {}
    for name, letter in block.letters().items():
        if letter.law is not None or letter.covariance is not None:
            return f"the law of {name} changes under rotations"
        if letter.columns != columns or not letter.random:
            return f"{name} does not turn with the inputs"
        values[name] = letter_expression(letter) @ rotation
    same = (block.replace(values) - block @ rotation).rewrite(rules).is_zero
    return "" if same else "it does not turn into itself times a rotation"


@carries_out
def project(chain: Chain, inverse: str, tasks: Tasks, *reads: str, design: str = DESIGN) -> Chain:
    """The projection B^T (B B^T)^-1 B on a uniform row space averages to N/p times the identity.

    inverse: the letter of (B B^T)^-1. Raises DoesNotApply where the projection does not occur, or the row space is not
    uniform.
    """
    rule, before = Rule.HAAR, chain.result
    odd = turned(tasks.blocks[design]("1")) or unlike(matrix(f"{design}1", tasks.rows, "p"), tasks)
    if odd:
        raise DoesNotApply(f"{rule}: {odd}")
    share = scalar(tasks.stacked) * reciprocal("p") * identity("p")
    projection: tuple[tuple[str, bool], ...] = ((design, True), (inverse, False), (design, False))
    rules: dict[tuple[tuple[str, bool], ...], Expression] = {projection: share}
    after = before.rewrite(rules)
    if after == before:
        raise DoesNotApply(f"{rule}: the projection on the rows of {design} does not occur")
    rows = matrix(design, tasks.stacked, "p")
    return chain.made(
        Move(
            rule,
            before,
            after,
            reads,
            (inverse,),
            {},
            lambda: ("", not_projected(before, after, inverse, design)),
            {inverse: rows @ rows.T},
            tasks=tasks,
        )
    )


def not_projected(before: Expression, after: Expression, inverse: str, letter_of_rows: str) -> str:
    """Why `after` is not the average of `before` over rotations of the rows; nothing if it is.

    Exact random rows are turned by all signed permutations, which leave no matrix unchanged but multiples of the
    identity.
    """
    source = random.Random(SEED)
    rows, size = 2, 3
    design = random_matrix(source, rows, size)
    place: dict[str, object] = {"N": rows, "p": size, letter_of_rows: design}
    place[inverse] = (design * design.transpose()).inv()
    _fill(place, source, before, after)
    total, count = Fraction(0), 0
    for order in permutations(range(size)):
        for signs in product((1, -1), repeat=size):
            rotation = fmpq_mat(
                [[fmpq(signs[i] * (order[i] == j)) for j in range(size)] for i in range(size)]
            )
            total += evaluate(before, {**place, letter_of_rows: design * rotation})
            count += 1
    same = total / count == evaluate(after, {**place, letter_of_rows: design})
    return "" if same else "averaged over signed permutations of the coordinates it is another"


@carries_out
def to_plain_rows(
    chain: Chain, inverse: str, plain: str, tasks: Tasks, plain_tasks: Tasks, *reads: str
) -> Chain:
    """A trace of (B B^T)^-1 and of the diagonal blocks B_i B_i^T depends on row spaces alone: plain Gaussian rows do.

    inverse, plain: the letters of (B B^T)^-1 and (X X^T)^-1. Raises DoesNotApply where the blocks are others, the row
    spaces are not uniform, or no such trace occurs.
    """
    rule, before = Rule.ROW_SPACES, chain.result
    for which in (tasks, plain_tasks):
        odd = turned(_block(which)) or unlike(matrix(f"{DESIGN}1", which.rows, "p"), which)
        if not odd and which.blocks[OWN]("1") != _block(which) @ _block(which).T:
            odd = f"{OWN} is not made of the rows of a task"
        if odd:
            raise DoesNotApply(f"{rule}: {odd}")
    letter = matrix(plain, tasks.stacked, tasks.stacked, symmetric=True)
    found = before.rewrite(
        {
            ((inverse, False), (OWN, False)): letter
            @ matrix(OWN_PLAIN, tasks.stacked, tasks.stacked, symmetric=True)
        }
    )
    if found == before:
        raise DoesNotApply(f"{rule}: there is no trace of {inverse} {OWN}")
    design = matrix(DESIGN, tasks.stacked, "p")
    rows = matrix(PLAIN, tasks.stacked, "p")
    return chain.made(
        Move(
            rule,
            before,
            found,
            reads,
            (inverse,),
            {},
            lambda: ("", not_on_plain_rows(before, found, inverse, plain)),
            {inverse: design @ design.T, plain: rows @ rows.T},
            tasks=Tasks(
                {**plain_tasks.blocks, **tasks.blocks}, tasks.rows, tasks.count, tasks.stacked, tasks.average
            ),
        )
    )


def not_on_plain_rows(before: Expression, after: Expression, inverse: str, plain: str) -> str:
    """Why `after`, at rows X, is not `before` at rows B_i = C_i X_i, which span the same row spaces; nothing if it is.

    At exact random rows and factors C_i, for several numbers of tasks.
    """
    source = random.Random(SEED)
    for count, rows in ((2, 2), (3, 1), (1, 3)):
        sizes = {"N": rows * count, "n_v": rows, "m": count, "p": rows * count + 1}
        blocks = [random_matrix(source, rows, sizes["p"]) for _ in range(count)]
        turned_blocks = [invertible_matrix(source, rows) * block for block in blocks]
        place: dict[str, object] = dict(sizes)
        for own, letter, given in ((OWN, inverse, turned_blocks), (OWN_PLAIN, plain, blocks)):
            design = stack(given, diagonal=False)
            place[own] = stack([block * block.transpose() for block in given], diagonal=True)
            place[letter] = (design * design.transpose()).inv()
            place[DESIGN if letter == inverse else PLAIN] = design
        _fill(place, source, before, after)
        if evaluate(before, place) != evaluate(after, place):
            return f"at {count} tasks of {rows} rows with the same row spaces it is another"
    return ""


def _fill(place: dict[str, object], source: random.Random, *sides: Expression) -> None:
    """Exact random values for all letters and numbers that have none yet."""
    for expr in sides:
        for name, letter in sorted(expr.letters().items()):
            if name not in place:
                shape = [
                    1 if side == ONE else int(str(place[side])) for side in (letter.rows, letter.columns)
                ]
                place[name] = random_matrix(source, *shape, symmetric=letter.symmetric)
    for name in sorted({name.removeprefix(INVERSE) for expr in sides for name in expr.scalars()}):
        place.setdefault(name, Fraction(source.randint(1, 9), source.randint(1, 9)))


@carries_out
def cancel(
    chain: Chain,
    inverse: str,
    plain: str,
    factor: Callable[[str], Expression],
    tasks: Tasks,
    plain_tasks: Tasks,
) -> Chain:
    """A factor C_i before the rows of each task, B_i = C_i X_i and Gamma_i = C_i K_i C_i^T, does not matter in (74), (133).

    factor: the block C_i. plain_tasks: the blocks of X and K_X. inverse, plain: the letters of (B B^T)^-1 and (X X^T)^-1.
    Raises DoesNotApply where the blocks have no such factor, or a term is none of these.
    """
    rule, before = Rule.CANCEL, chain.result
    for label in "12":
        c, x, k = factor(label), plain_tasks.blocks[PLAIN](label), plain_tasks.blocks[COVARIANCE](label)
        if tasks.blocks[DESIGN](label) != c @ x or tasks.blocks["Gamma"](label) != c @ k @ c.T:
            raise DoesNotApply(f"{rule}: the rows have no common factor")
    stacked = tasks.stacked
    design, found = matrix(PLAIN, stacked, "p"), matrix(plain, stacked, stacked, symmetric=True)
    covariance = matrix(COVARIANCE, stacked, stacked, symmetric=True)
    projection: tuple[tuple[str, bool], ...] = ((DESIGN, True), (inverse, False), (DESIGN, False))
    own: tuple[tuple[str, bool], ...] = ((inverse, False), ("Gamma", False))
    solved = (projection[0], *own, *projection[1:])
    after = before.rewrite({solved: design.T @ found @ covariance @ found @ design})
    after = after.rewrite({projection: design.T @ found @ design, own: found @ covariance})
    left = sorted({*after.letters()} & {DESIGN, inverse, "Gamma"})
    if left:
        raise DoesNotApply(f"{rule}: {', '.join(left)} stands in other terms than those of (74) and (133)")
    row_letter = matrix(DESIGN, stacked, "p")
    return chain.made(
        Move(
            rule,
            before,
            after,
            (),
            (inverse,),
            {},
            lambda: ("", not_cancelled(before, after, inverse, plain)),
            {inverse: row_letter @ row_letter.T, plain: design @ design.T},
            tasks=Tasks(
                {**tasks.blocks, **plain_tasks.blocks}, tasks.rows, tasks.count, stacked, tasks.average
            ),
        )
    )


def not_cancelled(before: Expression, after: Expression, inverse: str, plain: str) -> str:
    """Why the factor matters; nothing if it does not, at exact random rows, covariances and factors."""
    source = random.Random(SEED)
    total, size = 4, 5
    rows, k = random_matrix(source, total, size), random_matrix(source, total, total, symmetric=True)
    c = stack([invertible_matrix(source, 2) for _ in range(2)], diagonal=True)
    turned_rows = c * rows
    place: dict[str, object] = {"N": total, "p": size, PLAIN: rows, COVARIANCE: k, DESIGN: turned_rows}
    place["Gamma"] = c * k * c.transpose()
    place[inverse] = (turned_rows * turned_rows.transpose()).inv()
    place[plain] = (rows * rows.transpose()).inv()
    _fill(place, source, before, after)
    same = evaluate(before, place) == evaluate(after, place)
    return "" if same else "at exact random matrices the factor matters"


@carries_out
def average_plain_rows(chain: Chain, plain: str, tasks: Tasks, *reads: str) -> Chain:
    """The means of Tr (X X^T)^-1, and of the same with the diagonal blocks X_i X_i^T, for plain Gaussian rows.

    The first is the mean trace of an inverse Wishart matrix of N dimensions with p degrees of freedom. In the second, the
    diagonal block of the inverse is the inverse of X_i Q X_i^T (Schur complement), with Q the projection orthogonal to
    the rows of the other tasks: Wishart with p - (N - n_v) degrees of freedom; X_i X_i^T minus it is independent of it,
    with mean N - n_v times the identity. Raises DoesNotApply where neither occurs, a term holds two of them, or the rows
    are no plain ones.
    """
    rule, before = Rule.WISHART, chain.result
    letter, *further = _rows(tasks).letters().values()
    plain_letter = letter.random and not (further or letter.law or letter.covariance)
    if not plain_letter or _rows(tasks) != letter_expression(letter):
        raise DoesNotApply(f"{rule}: the rows are no plain Gaussian rows")
    total, rows, p = scalar(tasks.stacked), scalar(tasks.rows), scalar("p")
    others = total - rows
    inverse_trace, freedom = mean_trace_of_inverse(total, p)
    schur, same = mean_trace_of_inverse(rows, p - others)
    if freedom != same:
        raise DoesNotApply(f"{rule}: the two inverse Wishart matrices have different denominators")
    own = matrix(OWN_PLAIN, tasks.stacked, tasks.stacked, symmetric=True)
    letter_of_inverse = matrix(plain, tasks.stacked, tasks.stacked, symmetric=True)
    means = {
        tr(letter_of_inverse): inverse_trace,
        tr(letter_of_inverse @ own): scalar(tasks.count) * (rows + others * schur),
    }
    if any(
        sum(f.name == plain for word in (*t.traces, t.word or ()) for f in word) > 1 for t in before.terms
    ):
        raise DoesNotApply(f"{rule}: a product of inverses of plain rows has another mean")
    after = before
    for trace, mean in means.items():
        after = in_place_of(trace, mean, after)
    if after == before:
        raise DoesNotApply(f"{rule}: there is no inverse of plain rows")
    value = freedom.replace({tasks.stacked: tasks.total})
    rows_letter = matrix(PLAIN, tasks.stacked, "p")
    return chain.made(
        Move(
            rule,
            before,
            after,
            reads,
            (plain,),
            {FREEDOM: value},
            lambda: ("", not_mean_of_plain_rows(before, after, plain, freedom, tasks)),
            {plain: rows_letter @ rows_letter.T},
            tasks=tasks,
        )
    )


def mean_trace_of_inverse(dimension: Expression, freedom: Expression) -> tuple[Expression, Expression]:
    """E Tr W^-1 of a Wishart matrix of that dimension and degrees of freedom, from the engine, and its denominator.

    The denominator stands in the mean under its name.
    """
    (value,) = moment(0, (-1,), "identity").terms.values()
    # the engine's n are degrees of freedom, its p the dimension
    numbers = {"n": freedom, "p": dimension}
    above, below = (polynomial(part).replace(numbers) for part in (value.numerator, value.denominator))
    return above * reciprocal(FREEDOM), below


def not_mean_of_plain_rows(
    before: Expression, after: Expression, plain: str, freedom: Expression, tasks: Tasks
) -> str:
    """Why `after` is not the mean of `before` over plain rows; nothing if it is.

    Both at exact matrices whose traces are the means, by single rows: one over a diagonal element of the inverse of
    G = X X^T is the squared distance of a row from the others, chi-square with p - N + 1 degrees of freedom.
    """
    source = random.Random(SEED)
    for rows, count, p in PLAIN_SIZES:
        total = rows * count
        mean = inverse_of_chi_square(p - total + 1)
        place: dict[str, object] = {tasks.rows: rows, tasks.count: count, tasks.stacked: total, "p": p}
        place[plain] = multiple(total, mean)
        place[OWN_PLAIN] = multiple(total, share_of_rows(rows, total, p) / rows / mean)
        place[FREEDOM] = evaluate(freedom, place)
        _fill(place, source, before, after)
        if evaluate(before, place) != evaluate(after, place):
            return f"with single rows the mean is another at n_v = {rows}, m = {count}, p = {p}"
    return ""


def share_of_rows(rows: int, total: int, p: int) -> Fraction:
    """E Tr [(G^-1)_11 G_11], the first block of so many rows, of G = X X^T for plain Gaussian rows: by single rows.

    The squared distance of a row from the others over its squared length has a beta law. The sum over a row of G times
    its inverse is 1, of which each of the total - 1 others has the same mean.
    """
    own = moment_of_beta(Fraction(p - total + 1, 2), Fraction(total - 1, 2), -1)
    other = (1 - own) / (total - 1) if total > 1 else Fraction(0)
    return rows * (own + (rows - 1) * other)
