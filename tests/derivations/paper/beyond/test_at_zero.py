"""The exact loss and slope at a training rate of zero: against known values, the limits of the paper, and simulation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import sympy

from derivations.formulas.by_name import NoFormula, evaluate_named, formulas, function
from derivations.formulas.optimum import optimum
from derivations.formulas.parameters import InvalidParameter
from derivations.language.assumptions import PAPER, NotDerivable, read
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import alpha_t, m, n_v, nu, p, sigma
from derivations.paper.beyond import at_zero, chains_at_zero, reduction
from derivations.paper.theorem2.expansion import leading_excess
from derivations.steps.chain import Chain, DoesNotApply, Rule, Tasks
from derivations.steps.contents import find
from derivations.steps.rules import rotations, word_slopes
from symbolic.algebra.words import Expression, gaussian, matrix, scalar, tr

NAMES = [step.name for step in at_zero.STEPS]
PLAIN = {"n_t": 30, "n_r": 20, "sigma": Fraction(1, 2), "nu": Fraction(1, 2), "alpha_r": 0}
B = matrix("B", "N", "p")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("words", [[], ["noise_val=1/3"], ["inner_steps=2"]], ids=str)
def test_every_move_is_proved(name: str, words: list[str]) -> None:
    derivation = find(name).derivation
    assert derivation is not None
    assert [move.disproved for move in derivation(read(words)).moves if move.disproved] == []


@pytest.mark.parametrize(
    ("sizes", "learned"),
    [
        ({"n_v": 5, "m": 5, "p": 50, "dist0_sq": Fraction(1, 2)}, 0.739583333333),
        ({"n_v": 10, "m": 10, "p": 50}, 0.5095580965),
    ],
)
def test_the_loss_of_each_regime(sizes: dict[str, float], learned: float) -> None:
    found = evaluate_named("exact-loss-at-zero", {**PLAIN, **sizes})["value"]
    assert 2 * found - 0.25 - 0.25 == pytest.approx(learned, rel=1e-6)


@pytest.mark.parametrize("size", [9, 10, 11])
@pytest.mark.parametrize("name", ["exact-loss-at-zero", "exact-slope-at-zero"])
def test_between_the_regimes_it_is_infinite(name: str, size: int) -> None:
    with pytest.raises(
        InvalidParameter, match=r"infinite unless p > n_v m\+1 or p < n_v m-1, but n_v m = 10"
    ):
        evaluate_named(name, {**PLAIN, "n_v": 5, "m": 2, "p": size})
    for beside in (8, 12):
        assert evaluate_named(name, {**PLAIN, "n_v": 5, "m": 2, "p": beside})["value"] > 0


def test_many_tasks_have_the_leading_order_of_theorem_2() -> None:
    """The printed one at alpha_t = 0; the first correction is of order 1/m^2."""
    exact = to_sympy(chains_at_zero.under_chain(PAPER).parts[chains_at_zero.EXCESS])
    gap = sympy.cancel((exact - leading_excess(PAPER).subs(alpha_t, 0)) * m)
    values = {n_v: 7, p: 4, sigma: 2, nu: 3}
    assert sympy.limit(gap.subs(values), m, sympy.oo) == 0


def test_the_adaptation_rate_is_optimised_and_the_training_rate_is_not_one_to_ask_for() -> None:
    given = {key: value for key, value in PLAIN.items() if key != "alpha_r"} | {"n_v": 2, "m": 3, "p": 40}
    best = optimum("exact-loss-at-zero", given)
    values = [
        evaluate_named("exact-loss-at-zero", {**given, "alpha_r": best["alpha_r"] + step})["value"]
        for step in (-0.01, 0, 0.01)
    ]
    assert min(values) == values[1] == pytest.approx(best["loss"])
    with pytest.raises(InvalidParameter, match="does not depend on alpha_t"):
        optimum("exact-slope-at-zero", given)


def test_a_function_of_arrays_would_not_know_its_regime() -> None:
    assert {*formulas("exact-loss-at-zero")} == {"over", "under"}
    with pytest.raises(NoFormula, match="a formula for each regime"):
        function("exact-loss-at-zero", key="over")


@pytest.mark.parametrize("words", [["inputs=uniform"], ["covariance=general"], ["split=reused"]])
def test_other_laws_and_data_are_refused(words: list[str]) -> None:
    with pytest.raises(NotDerivable):
        evaluate_named("exact-loss-at-zero", {**PLAIN, "n_t": 5, "n_v": 5, "m": 2, "p": 20}, read(words))


# Each rule, with a mistake put in


@pytest.mark.parametrize("wrong", [lambda after: 2 * after, lambda after: after + scalar("p")])
def test_a_wrong_moment_put_in_is_seen(
    wrong: Callable[[Expression], Expression], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a moment is put in as, the second route looks at what the move leads to."""
    moments = Rule.FRAMES, Rule.WISHART, Rule.INVERSE_MEAN

    def seen() -> list[bool]:
        chains = [
            build(PAPER)
            for build in (
                chains_at_zero.under_chain.__wrapped__,
                chains_at_zero.over_slope_chain.__wrapped__,
                chains_at_zero.under_slope_chain.__wrapped__,
                reduction.tasks_chain.__wrapped__,
            )
        ]
        return [bool(move.disproved) for chain in chains for move in chain.moves if move.rule in moments]

    assert not any(seen())
    right = rotations.by_moment

    def mistaken(
        chain: Chain, rule: Rule, put: Callable[[Expression], Expression], *more: Any, **named: Any
    ) -> Chain:
        return right(chain, rule, lambda before: wrong(put(before)), *more, **named)

    for module in (chains_at_zero, reduction):
        monkeypatch.setattr(module, "by_moment", mistaken)
    assert all(seen())


def test_a_wrong_derivative_of_a_word_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    inverse = matrix("BBT_inverse", "N", "N", symmetric=True)
    slopes = {"B": matrix("B_dot", "N", "p")}

    def derived() -> Chain:
        sizes = {"N": 2, "p": 3}
        return word_slopes.slope_of_words(Chain(tr(inverse)), "a", slopes, {"BBT_inverse": B @ B.T}, sizes)

    assert derived().moves[0].disproved == ""
    right = word_slopes._linear_part
    monkeypatch.setattr(word_slopes, "_linear_part", lambda expr, changes: 2 * right(expr, changes))
    assert "central differences" in derived().moves[0].disproved


def test_only_what_is_linear_is_averaged_alone() -> None:
    def block(label: str) -> Expression:
        return gaussian(f"X{label}", "n_v", "p")

    of = Tasks({"B": block, "B_dot": lambda label: scalar("a") * block(label)})
    dot = matrix("B_dot", "N", "p")
    chain = Chain(tr(dot @ dot.T))
    with pytest.raises(DoesNotApply, match="does not hold one of"):
        word_slopes.average_linear(chain, {"B_dot": B}, (), of, {})
    wrong = Tasks({"B": block, "B_dot": lambda label: gaussian(f"Y{label}", "n_v", "p")})
    with pytest.raises(DoesNotApply, match="no multiple"):
        word_slopes.average_linear(Chain(tr(dot @ B.T)), {"B_dot": B}, (), wrong, {})


@pytest.mark.slow(20)
@pytest.mark.parametrize("name", ["exact-loss-at-zero", "exact-slope-at-zero"])
def test_under_changed_assumptions_it_agrees_with_simulation(name: str) -> None:
    step = find(name)
    assert step.check is not None
    for words in (["noise_val=1/3"], ["inner_steps=2"], ["adaptation_steps=2"]):
        assert {check.verdict for check in step.check(step, read(words), 0)} == {"agree"}
