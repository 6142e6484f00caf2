"""Rules for one validation row: right moves are proved, and wrong ones are seen by their second routes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import fmpq

from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.rules.single_row import bidiagonal as bidiagonals
from derivations.steps.rules.single_row import chi_squares
from derivations.steps.rules.single_row import near_point as near_points
from derivations.steps.rules.single_row.bidiagonal import bidiagonal, components, freedoms, not_bidiagonal
from derivations.steps.rules.single_row.chi_squares import average_chi_squares, not_the_mean
from derivations.steps.rules.single_row.eigenvalues import at_most_powers, by_eigenvalues, not_by_eigenvalues
from derivations.steps.rules.single_row.eigenvalues import not_at_most as not_at_most_powers
from derivations.steps.rules.single_row.near_point import near_point, not_near
from derivations.steps.rules.single_row.reciprocals import (
    at_least_last_square,
    at_least_tangent,
    expand_reciprocal,
    not_at_most,
)
from symbolic.algebra.words import Expression, constant, gaussian, identity, matrix, reciprocal, scalar, tr

U, V = gaussian("U", "n_t", "n_v"), gaussian("V", "n_t", "q")
WORD = tr(U.T @ V @ V.T @ U @ U.T @ V @ V.T @ U) + 3 * tr(U.T @ V @ V.T @ V @ V.T @ U) + tr(identity("n_v"))
S, T = scalar("s_1"), scalar("t_1")
SIX, NINE = constant(6), constant(9)
K, M, R, G = (scalar(name) for name in ("K", "M", "R", "g"))


def test_words_are_written_in_chi_squares() -> None:
    chain = bidiagonal(Chain(WORD), "U", "V", 2)
    assert chain.result == S**2 * T**2 + 3 * S * T * (T + scalar("s_2")) + constant(1)
    assert chain.moves[0].disproved == ""


@pytest.mark.parametrize("wrong", [S**2 * T**2 + 3 * S * T**2 + constant(1), S * T])
def test_other_polynomials_are_not_the_words(wrong: Expression) -> None:
    assert "bidiagonal" in not_bidiagonal(WORD, wrong, "U", "V", 2)


def test_other_degrees_of_freedom_give_other_joint_means(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(blocks: int, points: Expression, size: Expression) -> dict[str, Expression]:
        return {**freedoms(blocks, points, size), "s_2": points}

    bidiagonals.other_joint_mean.cache_clear()
    monkeypatch.setattr(bidiagonals, "freedoms", wrong)
    try:
        assert "joint mean" in bidiagonals.other_joint_mean()
        right = bidiagonal(Chain(WORD), "U", "V", 2).result
        assert "joint mean" in not_bidiagonal(WORD, right, "U", "V", 2)
    finally:
        bidiagonals.other_joint_mean.cache_clear()


@pytest.mark.parametrize(
    "word", [tr(V.T @ V), tr(U.T @ matrix("A", "n_t", "n_t") @ U), tr(U.T @ (V @ V.T) ** 2 @ U)]
)
def test_words_that_one_row_does_not_see_are_refused(word: Expression) -> None:
    with pytest.raises(DoesNotApply):
        bidiagonal(Chain(word), "U", "V", 1)


def test_means_over_chi_squares() -> None:
    chain = average_chi_squares(Chain(S**2 * T), {"s_1": scalar("n"), "t_1": NINE})
    assert chain.result == 9 * scalar("n") * (scalar("n") + constant(2))
    assert chain.moves[0].disproved == ""
    divided = average_chi_squares(Chain(S * reciprocal("t_1") + G), {"t_1": NINE}, "d")
    assert divided.moves[0].disproved == ""
    assert divided.moves[0].values == {"d": constant(7)}
    with pytest.raises(DoesNotApply, match="otherwise"):
        average_chi_squares(Chain(reciprocal("s_1") ** 2), {"s_1": SIX}, "d")


def test_another_mean_is_seen_by_gamma_integrals() -> None:
    assert not_the_mean(S**2, constant(36), {"s_1": SIX}, {})
    assert not not_the_mean(S**2, constant(48), {"s_1": SIX}, {})
    assert chi_squares.moment_by_gamma(7, -1) == fmpq(1, 5)


def test_a_reciprocal_is_expanded_with_its_last_term() -> None:
    chain = expand_reciprocal(Chain(K * R), "R", "M", constant(Fraction(1, 3)))
    assert chain.moves[0].disproved == ""
    with pytest.raises(DoesNotApply, match="once"):
        expand_reciprocal(Chain(K * R**2), "R", "M", constant(1))


def test_m_is_at_least_the_square_of_its_last_component() -> None:
    parts = components(1, scalar("a"))
    values = {"M": (constant(1) - scalar("a") * S) ** 2 + scalar("a") ** 2 * S * T}
    chain = at_least_last_square(Chain(K * R), "R", "M", values, parts)
    assert chain.result == K * reciprocal("a") ** 2 * reciprocal("s_1") * reciprocal("t_1")
    assert chain.moves[0].disproved == ""
    with pytest.raises(DoesNotApply, match="make up"):
        at_least_last_square(Chain(K * R), "R", "M", {"M": values["M"] + constant(1)}, parts)
    assert not_at_most(K * R, chain.result * Fraction(1, 2), values, "R", "M")


def test_the_tangent_is_below_the_reciprocal() -> None:
    chain = at_least_tangent(Chain(K * R), "R", "M", "g")
    assert chain.result == K * (2 * G - G**2 * M)
    assert chain.moves[0].disproved == ""
    with pytest.raises(DoesNotApply):
        at_least_tangent(Chain(G * K * R), "R", "M", "g")
    assert not_at_most(K * (3 * G - G**2 * M), K * R, {}, "R", "M")
    assert not_at_most(Fraction(3, 2) * chain.result, K * R, {}, "R", "M")


STAYING = {"s_1": constant(3) * (constant(1) + scalar("d") * scalar("x"))}
ROOTS = {"t_1": scalar("d")}
WHOLE = (constant(3) - S) ** 2 + S * T


def test_near_a_point_the_jacobian_and_the_density_are_put_in() -> None:
    chain = near_point(
        Chain(K * reciprocal("M")), STAYING, ROOTS, {"t_1": 4}, ("x", "d"), {"M": ("N", WHOLE)}
    )
    d, x = scalar("d"), scalar("x")
    assert chain.result == 3 * d**4 * K * reciprocal("N")
    assert chain.moves[0].values["N"] == 9 * d**2 * x**2 + 3 * (constant(1) + d * x) * d**2
    assert chain.moves[0].disproved == ""
    with pytest.raises(DoesNotApply, match="in 3 others"):
        near_point(Chain(K), STAYING, ROOTS, {"t_1": 4}, ("x", "d", "r"), {})


def test_another_jacobian_or_density_is_seen() -> None:
    d, put = scalar("d"), {**STAYING, "t_1": scalar("d") ** 2}
    new = [*STAYING.values(), *ROOTS.values()]
    assert not not_near(K, 3 * d**4 * K, put, new, ROOTS, {"t_1": 4}, ("x", "d"), {})
    assert "factor" in not_near(K, 3 * d**3 * K, put, new, ROOTS, {"t_1": 4}, ("x", "d"), {})
    assert "factor" in not_near(K, 2 * d**4 * K, put, new, ROOTS, {"t_1": 4}, ("x", "d"), {})


def test_a_root_of_another_density_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_points, "_share", lambda free, root: chi_squares.sympy.Float(root) ** (free + 1))
    new, put = [*STAYING.values(), *ROOTS.values()], {**STAYING, "t_1": scalar("d") ** 2}
    assert "density" in not_near(K, 3 * scalar("d") ** 4 * K, put, new, ROOTS, {"t_1": 4}, ("x", "d"), {})


def test_eigenvalues_that_come_together_are_rare() -> None:
    d, x = scalar("d"), scalar("x")
    staying = {"u_1": d * x, "u_2": d}
    chain = near_point(Chain(K), staying, {}, {}, ("x", "d"), {}, repelled=("u_1", "u_2"))
    assert chain.result == K * d**2 * (x - constant(1))
    assert chain.moves[0].disproved == ""
    new = [*staying.values()]
    assert "factor" in not_near(K, K * d, staying, new, {}, {}, ("x", "d"), {}, ("u_1", "u_2"))


OWN_ROW, TRAINING = gaussian("X_v", "n_v", "p"), gaussian("X_t", "n_t", "p")
INSIDE = OWN_ROW @ (TRAINING.T @ TRAINING) ** 2 @ OWN_ROW.T


@pytest.mark.parametrize(("size", "reached"), [(3, 3), (4, 2), (2, 1)])
def test_words_of_one_row_are_sums_over_eigenvalues(size: int, reached: int) -> None:
    chain = by_eigenvalues(Chain(scalar("alpha_t") ** 2 * tr(INSIDE)), size, reached)
    assert len(list(chain.result.coefficient().terms())) == 3 * reached
    assert chain.moves[0].disproved == ""
    assert not_by_eigenvalues(chain.moves[0].before, 2 * chain.result, size, reached)
    with pytest.raises(DoesNotApply, match="is no X_v"):
        by_eigenvalues(Chain(tr(TRAINING.T @ TRAINING)), size, reached)


def test_a_sum_is_at_least_a_product_of_powers() -> None:
    w, u = ([scalar(f"{name}_{k}") for k in (1, 2)] for name in "wu")
    parts = [w[0] * u[0] ** 4, w[1] * u[1] ** 4]
    powers = [(parts[0], 1), (parts[1], 2)]
    chain = at_most_powers(Chain(R**3), "R", "M", parts[0] + parts[1], powers)
    assert chain.moves[0].disproved == ""
    assert not_at_most_powers(R**3, chain.result * Fraction(1, 100), parts[0] + parts[1], "R")
    for start, whole, pairs in (
        (R**2, parts[0] + parts[1], powers),
        (R**3, parts[0], powers),
        (R**3, parts[0] + parts[1], [(parts[0] + parts[1], 3)]),
        (R**3, parts[0] + parts[1], [(parts[0], 0), (parts[1], 3)]),
    ):
        with pytest.raises(DoesNotApply):
            at_most_powers(Chain(start), "R", "M", whole, pairs)
