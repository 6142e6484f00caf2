"""Inputs that take few values: the slope at a training rate of zero does not exist, by exact enumeration and by simulation.

p = 3, n_v = 1, m = 2, n_t = 1, inputs +1 or -1, label noise alone. The two validation inputs are parallel with probability 1/4: the
rows of B then are so too at a rate of zero, and nearly so beside it, where the error of the solution grows as one over its square.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import pytest
from flint import fmpq_mat
from sympy import Rational

from derivations.language.assumptions import PAPER
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import sigma
from derivations.paper.beyond.two_valued_inputs import (
    PSEUDO_INVERSE,
    SIZES,
    chain,
    rows_and_noise,
)
from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.contents import find
from derivations.steps.rules.few_values.two_values import (
    DENOMINATOR,
    average_inputs,
    not_the_mean,
    pseudo_inverse,
)
from numeric_check.estimators.simulation import simulate
from numeric_check.problem.setting import Setting
from numeric_check.verdicts.verdict import judge
from symbolic.algebra.words import constant, matrix, tr

SIZE = SIZES["p"]
LIMIT = Fraction(3, 32)
SIGNS = tuple(product((1, -1), repeat=SIZE))
Vector = Sequence[int | Fraction]


def deviation_at(rate: Fraction) -> Fraction:
    """The mean square deviation at a rate that is not zero, for label noise of unit variance, from what the proof averages."""
    average = next(move for move in chain(PAPER).moves if DENOMINATOR in move.values)
    bottom = average.values[DENOMINATOR].replace({"alpha_t": constant(rate)})
    top = average.after.replace({"alpha_t": constant(rate), "sigma": constant(1), DENOMINATOR: bottom})
    return Fraction(str(to_sympy(top))) / rate**2


@pytest.mark.parametrize("rate", [Fraction(-1, 4), Fraction(2, 7), Fraction(1, 10**6)])
def test_the_proof_averages_as_a_plain_enumeration_does(rate: Fraction) -> None:
    assert deviation_at(rate) == mean_square(rate)


def test_what_the_step_states_is_the_plain_enumeration_at_zero_and_beside_it() -> None:
    at_zero, beside = (
        to_sympy(part).subs(sigma, 1) for part in find("two-valued-inputs-diverge").derive(PAPER).values()
    )
    assert (at_zero, beside) == (Rational(29, 48), Rational(3, 32))
    assert mean_square(Fraction(0)) == Fraction(29, 48)


def test_a_wrong_mean_is_seen_by_the_pseudo_inverses() -> None:
    move = chain(PAPER).moves[0]
    made_of = rows_and_noise(PAPER, zero=True)
    said = not_the_mean(move.before, 2 * move.after, move.values, PSEUDO_INVERSE, made_of, SIZES, "alpha_t")
    assert said.startswith("taken one by one")
    assert not not_the_mean(move.before, move.after, move.values, PSEUDO_INVERSE, made_of, SIZES, "alpha_t")


def test_another_trace_is_refused() -> None:
    start = tr(matrix("B", "N", "p") @ matrix("B", "N", "p").T)
    with pytest.raises(DoesNotApply, match="is not the trace of"):
        average_inputs(Chain(start), PSEUDO_INVERSE, rows_and_noise(PAPER, zero=True), SIZES, "alpha_t")


def test_the_pseudo_inverse_meets_the_conditions_of_penrose() -> None:
    b = fmpq_mat([[1, 2, -1], [2, 4, -2]])
    plus = pseudo_inverse(b)
    assert b * plus * b == b
    assert plus * b * plus == plus
    assert (b * plus).transpose() == b * plus
    assert (plus * b).transpose() == plus * b


def dot(a: Vector, b: Vector) -> Fraction:
    return sum((Fraction(x) * y for x, y in zip(a, b, strict=True)), Fraction(0))


def mean_square(rate: Fraction) -> Fraction:
    """E |omega_star - w_0|^2 over all inputs, at sigma = 1: Tr of the pseudo-inverse of B B^T times the diagonal of Gamma."""
    total, first = (
        Fraction(0),
        (1,) * SIZE,
    )  # signs of coordinates change nothing: the first input may be fixed
    for second, *training in product(SIGNS, repeat=3):
        rows, noise = [], []
        for x, t in zip((first, second), training, strict=True):
            along = rate * dot(x, t)
            rows.append([a - along * b for a, b in zip(x, t, strict=True)])
            noise.append(1 + along**2)
        gram = [[dot(a, b) for b in rows] for a in rows]
        trace = gram[0][0] + gram[1][1]
        determinant = gram[0][0] * gram[1][1] - gram[0][1] ** 2
        if determinant:
            total += (gram[1][1] * noise[0] + gram[0][0] * noise[1]) / determinant
        elif trace:
            total += (gram[0][0] * noise[0] + gram[1][1] * noise[1]) / trace**2
    return total / len(SIGNS) ** 3


@pytest.mark.parametrize("sign", [1, -1])
def test_beside_zero_the_mean_square_grows_as_one_over_the_square_of_the_rate(sign: int) -> None:
    assert mean_square(Fraction(0)) == Fraction(29, 48)
    near, nearer = (mean_square(sign * rate) * rate**2 for rate in (Fraction(1, 10**3), Fraction(1, 10**6)))
    assert abs(nearer - LIMIT) < abs(near - LIMIT) / 100
    assert mean_square(sign * Fraction(1, 100)) > 100 * mean_square(Fraction(0))


@pytest.mark.parametrize("rate", [Fraction(-1, 4), Fraction(-1, 2), Fraction(-1)])
def test_simulation_says_the_same(rate: Fraction) -> None:
    setting = Setting(
        n_t=1,
        n_v=1,
        n_r=2,
        m=2,
        p=SIZE,
        sigma=1.0,
        nu=0.0,
        alpha_t=float(rate),
        alpha_r=0.0,
        inputs="rademacher",
    )
    found = simulate(setting, "excess", rel_error=0.0015)
    assert judge(found.mean, found.stderr, float(mean_square(rate))).status == "agree"
