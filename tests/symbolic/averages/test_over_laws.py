"""Moments of matrices with independent entries of any law: by cumulants and networks, and entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import factorial, prod

import numpy as np
import pytest

from symbolic.algebra.coefficients import evaluate_at
from symbolic.algebra.entry_laws import (
    GAUSSIAN,
    LAPLACE,
    RADEMACHER,
    UNIFORM,
    Law,
    LawOrderError,
    generic,
    law,
)
from symbolic.algebra.expression import Expression
from symbolic.algebra.words import (
    constant,
    dimension,
    gaussian,
    identity,
    matrix,
    polynomial,
    scalar,
    tr,
    unit,
)
from symbolic.averages import cumulants
from symbolic.averages.expectation import expect
from symbolic.averages.network_polynomial import NetworkPolynomial, NotAnExpression
from symbolic.averages.network_values import evaluate_networks
from symbolic.averages.over_laws import MomentDegreeError, average, clear_cache, expect_law
from symbolic.checks.entries import expect_by_entries, letter_values
from symbolic.checks.gram_moments import Moments

X, Y, Z = gaussian("X", "n", "p"), gaussian("Y", "m", "p", "Sigma"), gaussian("Z", "n", "p", "Sigma")
A, B, N = matrix("A", "p", "p"), matrix("B", "p", "p", symmetric=True), matrix("N", "n", "n")
SIGMA = matrix("Sigma", "p", "p", symmetric=True)
W, V, U = X.T @ X, Y.T @ Y, Z.T @ Z
E1, E2 = unit("p", 1), unit("p", 2)
ROOT = [[2, 1, 0], [1, 3, -1], [0, -1, 1]]

SKEW = law("cumulants:1/2,1,-1/3,2,1/5,7")
KAPPA = {"kappa_4": Fraction(3, 2), "kappa_6": Fraction(-2, 7), "kappa_8": Fraction(5)}
LAWS = [GAUSSIAN, RADEMACHER, UNIFORM, LAPLACE, law("student:17/2"), SKEW, generic(8)]

MOMENTS = {
    "tr W^2": tr(W @ W),
    "tr W^3": tr(W**3),
    "(tr W)^2": tr(W) ** 2,
    "W^2": W @ W,
    "X A W": X @ A @ W,
    "W A W": W @ A @ W,
    "W A W tr(W B)": W @ A @ W * tr(W @ B),
    "X^T N X A X^T N^T X": X.T @ N @ X @ A @ X.T @ N.T @ X,
    "tr(X^T N X A)": tr(X.T @ N @ X @ A),
    "(W_11)^2": tr(E1.T @ W @ E1) ** 2,
    "(W_12)^2": tr(E1.T @ W @ E2) ** 2,
    "W e_1 e_2^T W": W @ E1 @ E2.T @ W,
    "X e_1": X @ E1 @ (E1.T @ W @ E2),
    "V": V,
    "tr(V A V)": tr(V @ A @ V),
    "V A V": V @ A @ V,
    "tr V^3": tr(V**3),
    "V^2 tr V": V @ V * tr(V),
    "(V_11)^2": tr(E1.T @ V @ E1) ** 2,
    "W V A W": W @ V @ A @ W,
    "(W - V)^2": (W - V) @ (W - V),
    "U A U": U @ A @ U,
    "Z X^T Z": Z @ X.T @ Z,
    "X X X": X @ matrix("C", "p", "n") @ X @ matrix("C", "p", "n") @ X,
    "scalars": tr(W @ W) * scalar("alpha") * scalar("1/n") + dimension("p"),
}
SIZES = [
    {"n": 1, "p": 1, "m": 1},
    {"n": 2, "p": 2, "m": 1},
    {"n": 1, "p": 3, "m": 2},
    {"n": 3, "p": 2, "m": 1},
]


def at_kappa(value: NetworkPolynomial) -> NetworkPolynomial:
    """Numbers for the symbols of cumulants, and for alpha."""
    numbers = {**KAPPA, "alpha": Fraction(2, 3)}
    terms = {
        key: sum(
            (polynomial(c.context().from_dict({e: q})).replace(dict(numbers)) for e, q in c.terms()),
            constant(0),
        ).coefficient()
        for key, c in value.terms.items()
    }
    return NetworkPolynomial(terms, value.shape, value.indices)


def rule(entry_law: Law) -> Moments:
    """E u^k as numbers."""
    if entry_law.symbols is None:
        return entry_law.rule
    return lambda k: evaluate_at(entry_law.moment(k), KAPPA)


def agrees(moment: Expression, result: NetworkPolynomial, entry_law: Law, sizes: Mapping[str, int]) -> bool:
    """Whether a result is the expectation entry by entry at some sizes."""
    p = sizes["p"]
    root = [[Fraction(x) for x in row[:p]] for row in ROOT[:p]]
    sigma = [
        [sum((root[i][k] * root[k][j] for k in range(p)), Fraction(0)) for j in range(p)] for i in range(p)
    ]
    letters = moment.letters()
    values = {**letter_values(letters, sizes)[0], "Sigma": sigma}
    numeric = moment.replace({"alpha": Fraction(2, 3)})
    random = [name for name, letter in letters.items() if letter.random]
    expected = expect_by_entries(
        numeric, sizes, values, {"Sigma": root}, dict.fromkeys(random, rule(entry_law))
    )
    obtained = evaluate_networks(at_kappa(result), {**sizes, **values, "Sigma^(1/2)": root})
    return expected == ([[obtained]] if moment.shape is None else obtained)


@pytest.mark.parametrize("entry_law", LAWS, ids=lambda x: x.name)
@pytest.mark.parametrize("name", MOMENTS)
def test_cumulants_agree_with_entries(name: str, entry_law: Law) -> None:
    moment = MOMENTS[name]
    result = average(moment, entry_law)
    for sizes in SIZES:
        units = max((x.unit for x in moment.letters().values()), default=0)
        if units <= sizes["p"]:
            assert agrees(moment, result, entry_law, sizes), sizes


@pytest.mark.parametrize("name", MOMENTS)
def test_gaussian_cumulants_give_the_gaussian_moment(name: str) -> None:
    assert expect_law(MOMENTS[name], GAUSSIAN) == expect(MOMENTS[name])


def test_generic_cumulants_contain_every_law() -> None:
    value = expect_law(tr(W**3) * tr(W), generic(8))
    for entry_law in (GAUSSIAN, RADEMACHER, UNIFORM, LAPLACE):
        numbers = {f"kappa_{k}": entry_law.cumulant_number(k) for k in (4, 6, 8)}
        assert value.replace(numbers) == expect_law(tr(W**3) * tr(W), entry_law)


def test_a_dropped_block_size_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = MOMENTS["tr W^3"]
    whole = Law.cumulant
    clear_cache()
    monkeypatch.setattr(Law, "cumulant", lambda self, k: whole(self, k) * (k != 4))
    broken = average(moment, RADEMACHER)
    monkeypatch.undo()
    clear_cache()
    assert not agrees(moment, broken, RADEMACHER, SIZES[1])
    assert agrees(moment, average(moment, RADEMACHER), RADEMACHER, SIZES[1])


def test_two_laws_and_a_letter_that_stays() -> None:
    product = tr(X @ A @ Z.T @ Z @ B @ X.T)
    halfway = expect_law(product, {"X": RADEMACHER})
    assert halfway == dimension("n") * tr(A @ U @ B)
    assert expect_law(product, {"X": RADEMACHER}, over=("X", "Z")) == expect(product)
    assert expect_law(product, GAUSSIAN, over=("X",)) == halfway
    both = tr(W @ W) * tr(gaussian("G", "m", "p").T @ gaussian("G", "m", "p"))
    assert expect_law(both, {"X": LAPLACE, "G": GAUSSIAN}) == expect_law(tr(W @ W), LAPLACE) * (
        dimension("m") * dimension("p")
    )


# -- (111) -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry_law", [GAUSSIAN, RADEMACHER, UNIFORM, LAPLACE, law("kurtosis:7/2")], ids=str)
def test_fourth_moment_of_a_row(entry_law: Law) -> None:
    x = gaussian("x", "1", "p", "Sigma").T
    value = average(tr(x.T @ SIGMA @ x) * (x @ x.T), entry_law)
    rng = np.random.default_rng(1)
    root = rng.standard_normal((4, 4))
    root = root @ root.T
    sigma = root @ root
    kappa = float(entry_law.cumulant_number(4)) + 3
    expected = 2 * sigma @ sigma @ sigma + sigma * np.trace(sigma @ sigma)
    expected += (kappa - 3) * root @ np.diag(np.diag(sigma @ sigma)) @ root
    obtained = evaluate_networks(value, {"p": 4, "Sigma": sigma, "Sigma^(1/2)": root})
    assert np.allclose(obtained, expected, rtol=1e-12, atol=0)
    u = gaussian("u", "1", "p").T
    plain = expect_law(tr(u.T @ u) * (u @ u.T), entry_law)
    assert plain == (dimension("p") + entry_law.cumulant_number(4) + 2) * identity("p")


def test_a_diagonal_is_no_expression() -> None:
    with pytest.raises(NotAnExpression, match="sums over indices"):
        expect_law(V @ A @ V, RADEMACHER)


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "degree", "order"),
    [("student:5", 3, 6), ("kurtosis:3", 3, 6), ("cumulants:0,1", 3, 6), ("student:3", 2, 4)],
)
def test_beyond_the_declared_order(name: str, degree: int, order: int) -> None:
    with pytest.raises(LawOrderError, match=f"order {order} is needed") as caught:
        expect_law(tr(W**degree), law(name))
    assert "\n" not in str(caught.value)
    expect_law(tr(W ** (degree - 1)), law(name))


def test_odd_moments_beyond_the_order_are_not_taken_for_zero() -> None:
    c = matrix("C", "p", "n")
    with pytest.raises(LawOrderError, match="order 5"):
        expect_law(X @ c @ X @ c @ X @ c @ X @ c @ X, law("student:5"))


@pytest.mark.parametrize("entry_law", [LAPLACE, UNIFORM], ids=str)
def test_high_powers_of_the_squared_length(entry_law: Law) -> None:
    # at n = 1, p = 3 tr(W) is a sum of three independent squares; blocks then take several of many equal factors
    degree = 7
    splits = [(i, j, degree - i - j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    expected = sum(
        factorial(degree) * prod(entry_law.rule(2 * k) / factorial(k) if k else Fraction(1) for k in split)
        for split in splits
    )
    value = expect_law(tr(W) ** degree, entry_law).coefficient()
    assert evaluate_at(value, {"n": 1, "p": 3}) == expected


@pytest.mark.parametrize(
    "moment",
    [
        tr(W**6),
        tr(W @ A @ W @ B @ W) * tr(W),
        (X @ E1).T @ X @ X.T @ N @ X @ W @ E2,
        tr(U @ A @ U @ B) * tr(U),
        tr(X @ V @ X.T @ N) ** 2,
        tr(W @ gaussian("Q", "p", "p")) ** 4,
    ],
    ids=range(6),
)
@pytest.mark.parametrize("entry_law", [LAPLACE, SKEW], ids=str)
def test_blocks_that_leave_the_same_are_told_by_their_pieces(
    moment: Expression, entry_law: Law, monkeypatch: pytest.MonkeyPatch
) -> None:
    if entry_law is SKEW and max(sum(map(len, traces)) for traces, _ in moment.monomials) > 6:
        entry_law = UNIFORM  # the other is known to the sixth order
    clear_cache()
    found = average(moment, entry_law)
    monkeypatch.setattr(cumulants.Joining, "sign", lambda _, joined: joined)
    clear_cache()
    assert average(moment, entry_law) == found
    clear_cache()


@pytest.mark.parametrize("entry_law", [GAUSSIAN, LAPLACE], ids=str)
def test_in_a_square_matrix_rows_may_be_columns(entry_law: Law) -> None:
    q = gaussian("Q", "n", "n")
    for moment in (tr(q @ q), tr(q**4), tr(q @ q @ q.T @ q), tr(q) ** 2 * tr(q @ q.T)):
        assert agrees(moment, average(moment, entry_law), entry_law, {"n": 2, "p": 1})


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MomentDegreeError, match="22 random factors"):
        expect_law(tr(W**11), RADEMACHER)
    monkeypatch.setattr(cumulants, "MAX_BLOCKS", 10)
    clear_cache()
    with pytest.raises(cumulants.TooManyBlocks, match="more than 10 blocks"):
        expect_law(tr(W**5), RADEMACHER)


def test_only_random_letters_are_averaged() -> None:
    with pytest.raises(ValueError, match="A is not random"):
        expect_law(W @ A, {"A": RADEMACHER})
    with pytest.raises(ValueError, match="collection of names"):
        expect_law(W, RADEMACHER, over="X")
