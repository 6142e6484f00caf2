"""Moves that solve the outer problem: the minimum-norm and the least-squares solution, and inverses that cancel."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from flint import fmpq_mat

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.rules.exact_routes import SEED, differs_exactly, random_matrix
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.matrices import exact_matrix
from symbolic.algebra.words import Expression, identity, matrix, vector

DESIGN, TARGET = matrix("B", "N", "p"), vector("gamma", "N")


@carries_out
def nearest(chain: Chain, letter: str, inverse: str, start: Expression, *reads: str) -> Chain:
    """Put in, for a letter, the solution of B omega = gamma nearest to a start, with (B B^T)^-1 by its letter.

    Raises DoesNotApply when the letter does not occur.
    """
    gram = matrix(inverse, "N", "N", symmetric=True)
    solution = start + DESIGN.T @ gram @ (TARGET - DESIGN @ start)
    inverses = {inverse: DESIGN @ DESIGN.T}
    return _solved(chain, Rule.NEAREST, letter, solution, inverses, start, reads)


@carries_out
def least_squares(chain: Chain, letter: str, inverse: str, *reads: str) -> Chain:
    """Put in, for a letter, the minimizer of |gamma - B omega|^2, with (B^T B)^-1 by its letter."""
    normal = matrix(inverse, "p", "p", symmetric=True)
    inverses = {inverse: DESIGN.T @ DESIGN}
    return _solved(chain, Rule.LEAST_SQUARES, letter, normal @ DESIGN.T @ TARGET, inverses, None, reads)


def _solved(
    chain: Chain,
    rule: Rule,
    letter: str,
    solution: Expression,
    inverses: Mapping[str, Expression],
    start: Expression | None,
    reads: tuple[str, ...],
) -> Chain:
    before = chain.result
    if letter not in before.letters():
        raise DoesNotApply(f"{rule}: {letter} does not occur")
    after = before.replace({letter: solution})
    values = {letter: solution}

    def second_route() -> tuple[str, str]:
        said = differs_exactly(before, after, values, inverses)
        return "", said or not_solved(solution, inverses, start)

    return chain.made(Move(rule, before, after, reads, (letter,), values, second_route, inverses))


def not_solved(solution: Expression, inverses: Mapping[str, Expression], start: Expression | None) -> str:
    """Why an expression is not the solution; nothing if it is, at exact random matrices.

    start: of the solution nearest to it (fewer rows than columns); None: of least squares (more rows). Compared with the
    linear system of its Lagrange or normal equations, solved exactly.
    """
    source = random.Random(SEED)
    rows, columns = (2, 5) if start is not None else (5, 2)
    b, gamma = random_matrix(source, rows, columns), random_matrix(source, rows, 1)
    place: dict[str, object] = {"N": rows, "p": columns, "B": b, "gamma": gamma}
    for name, one in (solution.letters() if start is None else solution.letters() | start.letters()).items():
        if name not in place and name not in inverses:
            place[name] = (
                random_matrix(source, columns, 1) if one.rows == "p" else random_matrix(source, rows, 1)
            )
    for name, word in inverses.items():
        place[name] = _flint(evaluate(word, place)).inv()
    found = _flint(evaluate(solution, place))
    if start is None:
        system, right = _saddle(b), _below(gamma, fmpq_mat(columns, 1))
        expected = [(system.solve(right))[rows + k, 0] for k in range(columns)]
    else:
        at = _flint(evaluate(start, place))
        system, right = _saddle(b.transpose()), _below(fmpq_mat(columns, 1), gamma - b * at)
        expected = [system.solve(right)[k, 0] + at[k, 0] for k in range(columns)]
    same = all(found[k, 0] == value for k, value in enumerate(expected))
    return "" if same else "it does not solve the equations at exact random matrices"


def _saddle(b: fmpq_mat) -> fmpq_mat:
    """The matrix ((I, b), (b^T, 0))."""
    rows, columns = b.nrows(), b.ncols()
    found = fmpq_mat(rows + columns, rows + columns)
    for i in range(rows):
        found[i, i] = 1
        for j in range(columns):
            found[i, rows + j] = found[rows + j, i] = b[i, j]
    return found


def _below(first: fmpq_mat, second: fmpq_mat) -> fmpq_mat:
    return fmpq_mat(
        [[first[i, 0]] for i in range(first.nrows())] + [[second[i, 0]] for i in range(second.nrows())]
    )


def _flint(value: Any) -> fmpq_mat:
    return value if isinstance(value, fmpq_mat) else exact_matrix(value)


@carries_out
def cancel_inverse(chain: Chain, inverse: str, *factors: tuple[str, bool]) -> Chain:
    """An inverse beside what it inverts, the product of two factors (name, transposed), is the identity.

    Raises DoesNotApply where they do not stand side by side.
    """
    before = chain.result
    (first, turned), _ = factors
    letters = {**before.letters()}
    if inverse not in letters or first not in letters:
        raise DoesNotApply(f"{Rule.CANCEL_INVERSE}: {inverse} does not occur beside {first}")
    size = letters[inverse].rows
    rules: dict[tuple[tuple[str, bool], ...], Expression] = {
        (*factors, (inverse, False)): identity(size),
        ((inverse, False), *factors): identity(size),
    }
    after = before.rewrite(rules)
    if after == before:
        raise DoesNotApply(f"{Rule.CANCEL_INVERSE}: {inverse} stands nowhere beside what it inverts")
    one = matrix(first, letters[first].rows, letters[first].columns)
    inverses = {inverse: one.T @ one if turned else one @ one.T}
    return chain.made(
        Move(
            Rule.CANCEL_INVERSE,
            before,
            after,
            (),
            (inverse,),
            {},
            lambda: ("", differs_exactly(before, after, {}, inverses)),
            inverses,
        )
    )
