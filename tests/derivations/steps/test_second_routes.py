"""The second routes to an average: each disproves a wrong one, and is named."""

from __future__ import annotations

import pytest

from derivations.steps import second_routes
from derivations.steps.chain import Chain, Rule
from derivations.steps.second_routes import ENTRIES, PAIRINGS, OutOfReach, compared
from symbolic.algebra.words import (
    Expression,
    gaussian,
    identity,
    independent_entries,
    matrix,
    scalar,
    tr,
)
from symbolic.averages.expectation import expect

X, Z = gaussian("X", "n", "p"), gaussian("Z", "k", "p", covariance="S")
U = independent_entries("U", "n", "p", "rademacher")
D, W = matrix("D", "p", "p", symmetric=True), X.T @ X
n, p = scalar("n"), scalar("p")


@pytest.mark.parametrize(
    ("word", "route"),
    [
        (W @ D @ W, PAIRINGS),
        (Z.T @ Z @ D @ Z.T @ Z, PAIRINGS),
        (W**4 * tr(W**4), ENTRIES),
        (scalar("a") ** 2 * scalar("1/n") * tr(W**8), ENTRIES),
        (W**5 @ D @ W**2 @ Z.T @ Z, ENTRIES),
        ((U.T @ U) ** 3, ENTRIES),
        (U @ D @ U.T, ENTRIES),
    ],
)
def test_the_right_average_passes_and_a_wrong_one_does_not(word: Expression, route: str) -> None:
    over = [name for name, letter in word.letters().items() if letter.random]
    mean = expect(word, over)
    found, disproved = compared(word, over, mean, {})
    assert (found.startswith(route), disproved) == (True, "")
    for wrong in (mean * 2, mean + mean * scalar("1/n"), mean + (p - 1) * (n - 1) * mean * scalar("1/p")):
        assert compared(word, over, wrong, {})[1]


def test_a_part_over_which_no_mean_is_taken_stays_as_it_is() -> None:
    word = (W @ Z.T @ Z) ** 7
    mean = expect(word, {"X"})
    assert compared(word, {"X"}, mean, {})[1] == ""
    assert compared(word, {"X"}, mean + mean.T * scalar("1/n"), {})[1]


def test_names_are_written_out() -> None:
    names = {"mu": expect(tr(W**8), {"X"}) * scalar("1/p")}
    assert compared(W**8, {"X"}, scalar("mu") * identity("p"), names)[1] == ""
    assert compared(W**8, {"X"}, scalar("mu") * identity("p"), {"mu": names["mu"] * 2})[1]


def test_gaussian_moments_are_not_those_of_another_law() -> None:
    gaussian_mean = expect(W @ W, {"X"})
    assert compared((U.T @ U) ** 2, {"U"}, gaussian_mean, {})[1]


V = independent_entries("V", "n", "p", "generic:6")


@pytest.mark.parametrize("name", ["kappa_4", "kappa_6"])
def test_symbols_for_cumulants_are_tried_at_several_laws(name: str) -> None:
    mean = expect(tr((V.T @ V) ** 3), {"V"})
    found, disproved = compared(tr((V.T @ V) ** 3), {"V"}, mean, {})
    assert (found.startswith("for rademacher, uniform, laplace entries"), disproved) == (True, "")
    for wrong in (mean + n * p * scalar(name), mean.replace({name: 2 * scalar(name)})):
        assert "entries moments of single entries" in compared(tr((V.T @ V) ** 3), {"V"}, wrong, {})[1]


def test_too_long_a_check_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_routes, "MOST_TERMS", 1)
    with pytest.raises(OutOfReach, match="too long"):
        compared(W**8, {"X"}, expect(W**8, {"X"}), {})
    (move,) = Chain(W**8).average("X").moves
    assert move.check == "failed"
    assert "there is no second route" in move.disproved


def test_the_move_names_its_rule_and_route() -> None:
    first = Chain(W).average("X").moves[0]
    other = Chain(U.T @ U @ U.T @ U).average("U").moves[0]
    assert (first.rule, first.route) == (Rule.AVERAGE, PAIRINGS)
    assert other.rule is Rule.CUMULANTS
    assert "2 x 2" in other.route
    assert other.after == n * (n + p - 1) * identity("p")
