"""Moves that write one task with one validation point in eigenvalues, and bound one over a sum by a product of powers.

With u_k the eigenvalues of I - alpha_t X_t^T X_t / n_t and w_k the squares of what the row X_v has along their eigenvectors, a word
X_v (X_t^T X_t)^j X_v^T is the sum of w_k (n_t (1 - u_k) / alpha_t)^j. The eigenvectors are uniform and independent of the eigenvalues: the
w_k are independent chi-square variables of one degree of freedom, also given the u_k.

By the weighted inequality of arithmetic and geometric means a sum of positive a_k is at least the product of the (a_k)^(v_k) for positive v_k that make up one.

Their second routes: the words at exact matrices with known eigenvalues, and exact random numbers.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq, fmpq_mat

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import SEED
from symbolic.algebra.coefficients import INVERSE, inverse_of, to_fraction
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.matrices import multiple
from symbolic.algebra.words import Expression, constant, polynomial, reciprocal, scalar, zero

Word = tuple[tuple[str, bool], ...]
TRIALS = 6
FAR = (Fraction(1), Fraction(1), Fraction(1000), Fraction(1, 1000))
INNER = (("X_t", True), ("X_t", False))


def weights(size: int) -> list[str]:
    """The names of w_k."""
    return [f"w_{k}" for k in range(1, size + 1)]


def shrinkages(reached: int) -> list[str]:
    """The names of u_k; those of directions that no training point reaches are one."""
    return [f"u_{k}" for k in range(1, reached + 1)]


@carries_out
def by_eigenvalues(chain: Chain, size: int, reached: int, *reads: str) -> Chain:
    """Traces of words in X_v and X_t with one row X_v and so many parameters, in w_k and u_k.

    reached: how many of the u_k are not one. Raises DoesNotApply for other words.
    """
    before = chain.result
    shares = [scalar(name) for name in weights(size)]
    through = [scalar("n_t") * reciprocal("alpha_t") * (constant(1) - scalar(u)) for u in shrinkages(reached)]
    through += [zero()] * (size - reached)
    after = zero()
    for term, coefficient in before.terms.items():
        product = polynomial(coefficient)
        for word in term.traces:
            power = _power(tuple((f.name, f.transposed) for f in word))
            product = product * sum((w * one**power for w, one in zip(shares, through, strict=True)), zero())
        after = after + product
    if "n_v" in after.scalars():
        after = after.replace({"n_v": constant(1)})

    def second_route() -> SecondRoute:
        said = not_by_eigenvalues(before, after, size, reached)
        return "exact matrices with known eigenvalues", said

    return chain.made(Move(Rule.ROW_SPECTRUM, before, after, reads, ("X_v", "X_t"), {}, second_route))


def _power(word: Word) -> int:
    """j of a trace of X_v (X_t^T X_t)^j X_v^T."""
    start = next((k for k, factor in enumerate(word) if factor == ("X_v", False)), None)
    if start is not None:
        turned = word[start:] + word[:start]
        inside = turned[1:-1]
        if turned[-1] == ("X_v", True) and inside == INNER * (len(inside) // 2):
            return len(inside) // 2
    raise DoesNotApply(f"{Rule.ROW_SPECTRUM}: {word} is no X_v (X_t^T X_t)^j X_v^T")


@carries_out
def at_most_powers(
    chain: Chain, over: str, below: str, value: Expression, powers: Sequence[tuple[Expression, int]]
) -> Chain:
    """R^T, or a positive multiple of it, is at most that of the product of the a_k^-e_k, e_k positive numbers that make up T, where
    the a_k make up M.

    value: what M stands for. powers: the a_k and e_k. Raises DoesNotApply where they do not make it up, or T is another number.
    """
    before, total = chain.result, sum(power for _, power in powers)
    multiple = before.replace({over: constant(1)})
    fits = before == multiple * scalar(over) ** total and not {*multiple.scalars(), *multiple.letters()}
    if not fits or evaluate(multiple, {}) <= 0 or min(power for _, power in powers) <= 0:
        raise DoesNotApply(f"{Rule.POWERS}: {before} is not the power {total} of {over}")
    if sum((part for part, _ in powers), zero()) != value or any(
        len(list(part.coefficient().terms())) != 1 for part, _ in powers
    ):
        raise DoesNotApply(f"{Rule.POWERS}: no products that make up {below}")
    after = multiple
    for part, power in powers:
        after = after * polynomial(inverse_of(part.coefficient())) ** power

    def second_route() -> SecondRoute:
        return "exact random numbers", not_at_most(before, after, value, over)

    return chain.made(Move(Rule.POWERS, before, after, (), (over,), {below: value}, second_route))


# -- the second routes ---------------------------------------------------------------------------------------


def not_by_eigenvalues(before: Expression, after: Expression, size: int, reached: int) -> str:
    """Why words in X_v and X_t are not another sum, at exact X_t = diag(r) O with a rational reflection O; nothing if they are."""
    source = random.Random(SEED)

    def drawn() -> fmpq:
        return fmpq(source.choice((-1, 1)) * source.randint(1, 9), source.randint(1, 5))

    named = {*before.scalars(), *after.scalars()} - {*weights(size), *shrinkages(reached)}
    for trial in range(TRIALS):
        # a row of zeros more where all directions are reached, as there may be more points than parameters
        rows = reached + (trial % 2 if reached == size else 0)
        across, row = (fmpq_mat(size, 1, [drawn() for _ in range(size)]) for _ in range(2))
        length = (across.transpose() * across)[0, 0]
        turned = multiple(size) - across * across.transpose() * (2 / length)
        roots = [drawn() for _ in range(reached)] + [fmpq(0)] * (rows - reached)
        data = [
            root * turned[k, j] if k < size else root for k, root in enumerate(roots) for j in range(size)
        ]
        place = {name.removeprefix(INVERSE): to_fraction(drawn()) for name in sorted(named)}
        place |= {"n_t": Fraction(rows), "n_v": Fraction(1), "p": Fraction(size)}
        seen = turned * row
        inside = {name: to_fraction(seen[k, 0] ** 2) for k, name in enumerate(weights(size))}
        for name, root in zip(shrinkages(reached), roots, strict=False):
            inside[name] = 1 - place["alpha_t"] * to_fraction(root**2) / rows
        at: dict[str, object] = {name: int(x) if x.denominator == 1 else x for name, x in place.items()}
        at |= {"X_t": fmpq_mat(rows, size, data), "X_v": row.transpose()}
        if evaluate(before, at) != evaluate(after, {**place, **inside}):
            return "the two sides differ at exact matrices"
    return ""


def not_at_most(before: Expression, after: Expression, value: Expression, over: str) -> str:
    """Why a power of R = 1/M is not at most a product, at exact numbers that are positive and of all sizes; nothing if it is."""
    source = random.Random(SEED)
    for _ in range(8 * TRIALS):
        place = {
            name: Fraction(source.randint(1, 99), source.randint(1, 30)) * source.choice(FAR)
            for name in sorted(value.scalars())
        }
        whole = Fraction(evaluate(value, place))
        low, high = Fraction(evaluate(before, {over: 1 / whole})), Fraction(evaluate(after, place))
        if low > high:
            return f"at exact random numbers {float(low):.3g} is more than {float(high):.3g}"
    return ""
