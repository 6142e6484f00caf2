"""Sampling of moves: right ones agree, wrong ones do not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from derivations.language.assumptions import PAPER, read
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain, Move, Rule
from derivations.steps.contents import find, load
from derivations.steps.rules.certified_signs import certify, leave_out_factor
from derivations.steps.rules.derivatives import derivative, limit, slope_at_zero
from derivations.steps.rules.roots import isolate
from derivations.steps.step import Step
from derivations.verification import examine as examined
from derivations.verification import moves
from derivations.verification.batches import Batch, Plan, Weighted
from derivations.verification.examine import examine
from derivations.verification.moves import checks_of_move, move_checks, sample_move
from derivations.verification.prove import prove
from derivations.verification.sides import AVERAGING, squared
from derivations.verification.undrawn import no_number
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, constant, gaussian, identity, matrix, reciprocal, scalar, tr
from symbolic.proofs.asymptotics import Exponent

SIZES = {
    "n": 5,
    "p": 3,
    "n_t": 5,
    "n_v": 4,
    "n_r": 6,
    "n_s": 7,
    "m": 2,
    "sigma": 0.8,
    "nu": 0.9,
    "alpha_t": -0.3,
    "alpha_r": 0.2,
}
X, B, D = gaussian("X", "n", "p"), matrix("B", "n", "p"), matrix("D", "p", "p", symmetric=True)


def test_a_batch_has_the_value_of_each_draw() -> None:
    generator = np.random.default_rng(1)
    x, d = generator.standard_normal((3, 5, 2)), generator.standard_normal((1, 2, 2))
    expr = 2 * X.T @ X @ matrix("D", "p", "p") + reciprocal("n") * tr(X.T @ X) * identity("p")
    plan = Plan([expr])
    found = Weighted.of(expr, {"n": 5.0, "p": 2.0}, plan).at(Batch({"X": x, "D": d}, plan))
    for one, value in zip(x, found, strict=True):
        w = one.T @ one
        np.testing.assert_allclose(value, 2 * w @ d[0] + np.trace(w) / 5 * np.eye(2))


def test_words_that_share_products_keep_their_values() -> None:
    generator = np.random.default_rng(2)
    x, y = generator.standard_normal((3, 5, 2)), generator.standard_normal((3, 1, 2))
    d = generator.standard_normal((1, 2, 2))
    d = d + np.swapaxes(d, -1, -2)
    w, v = X.T @ X, gaussian("Y", "k", "p").T @ gaussian("Y", "k", "p")
    expr = tr(w @ D @ v @ w) * w @ D @ v - tr(v @ w @ v @ D) * D @ w @ w + tr(w) * tr(D @ w) * v
    plan = Plan([expr])
    found = Weighted.of(expr, {"n": 5.0, "p": 2.0, "k": 1.0}, plan).at(Batch({"X": x, "Y": y, "D": d}, plan))
    for one, other, value in zip(x, y, found, strict=True):
        np.testing.assert_allclose(value, evaluate(expr, {"X": one, "Y": other, "D": d[0]}))


@pytest.mark.parametrize("name", ["65", "73", "92"])
def test_the_moves_of_a_step_agree_with_sampling(name: str) -> None:
    step = replace(find(name), sizes=(SIZES,))
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    found = move_checks(chain, step, {})
    assert len(found) == sum(move.rule is not Rule.SUM for move in chain.moves)
    assert {check.verdict for check in found} == {"agree"}


def without_number(steps: Iterable[Step]) -> set[str]:
    """The steps with moves that could be sampled, and no sizes at which."""
    return {
        step.name
        for step in steps
        if step.derivation is not None and not step.sizes
        for move in step.derivation(PAPER).moves
        if not (no_number(move) or move.growths) and (move.before.letters() or move.after.letters())
    }


@pytest.mark.slow(10)
@pytest.mark.xdist_group("every chain")
def test_every_move_that_can_be_sampled_has_sizes() -> None:
    assert without_number(load().values()) == set()
    assert without_number([replace(find("92"), sizes=())]) == {find("92").name}


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("positive-rate-spiked", range(71)),
        ("positive-rate-aligned", (4, 13, 49)),
        ("ratio-of-quartics-general", range(17)),
        ("weighted-forms-concentrate", (0, 3, 6)),
        ("exact-loss", (0, 2, 3, 9)),
        ("theorem-1-remainder", range(5)),
        ("theorem-3-under-conditions", (1, 4, 6, 8)),
        ("theorem-1-remainder-bounded", (16, 19, 23, 27, 32, 33, 47, 48, 49, 50, 55)),
        ("several-steps-minimum", (0, 1)),
    ],
)
def test_a_wrong_move_of_a_step_is_noticed_at_its_sizes(name: str, places: Iterable[int]) -> None:
    step = find(name)
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    right = {check.move - 1 for check in move_checks(chain, step, {})}
    wrong = [
        replace(move, after=-1 * move.after if move.rule is Rule.SIGN else move.after * _change(move))
        for move in chain.moves
    ]
    for k in places:
        if k not in right:
            assert no_number(chain.moves[k])
            continue
        found = checks_of_move(wrong[k], k, "a move", f"{name}/move-{k}", step, {}, 0)
        assert "disagree" in {check.verdict for check in found}, k + 1


def _change(move: Move) -> Expression:
    # an average is resolved to one per cent
    factor = 1 + Fraction(1, 10 if move.rule in AVERAGING else 1000)
    return scalar("xi") if move.rule is Rule.ORDER else constant(factor)


@pytest.mark.parametrize("name", ["ratio-of-quartics-general", "weighted-forms-concentrate"])
def test_the_moves_of_a_step_that_nothing_else_samples_have_numbers(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = find(name)
    assert step.observe is None
    assert step.check is None
    found = examine(step, PAPER, ["proof", "numeric"]).parts["numeric"]["result"]
    assert found["numeric"] == "agree"
    assert {check["verdict"] for check in found["checks"]} == {"agree"}
    assert step.derivation is not None
    first, *others = step.derivation(PAPER).moves
    wrong = SimpleNamespace(moves=(replace(first, after=2 * first.after), *others))
    monkeypatch.setattr(examined, "chain_of", lambda step, assumptions: wrong)
    numeric = examine(step, PAPER, ["numeric"], known={"result": {"proof": "proved"}}).parts["numeric"]
    assert numeric["result"]["numeric"] == "disagree"


@pytest.mark.parametrize(
    "move",
    [
        Chain(X.T @ X).average("X").moves[0],
        Chain(B.T @ B).insert({"B": matrix("C", "n", "p") @ D}).moves[0],
        Chain(X.T @ X @ D @ X.T @ X).average("X").moves[0],
    ],
    ids=["average", "insert", "average of a square"],
)
def test_a_wrong_move_is_noticed(move: Move) -> None:
    right = sample_move(move, "a move", "right", SIZES)
    off = replace(move, after=move.after + move.after * reciprocal("n") * reciprocal("n"))
    wrong = sample_move(off, "a move", "wrong", SIZES)
    assert right is not None
    assert wrong is not None
    assert (right.verdict, wrong.verdict) == ("agree", "disagree")


@pytest.mark.parametrize(
    ("place", "count"), [(1, 1), (2, 3)], ids=["where it takes least", "wherever it takes little"]
)
def test_an_average_is_sampled_at_every_size_that_takes_few_draws_and_at_one_in_any_case(
    place: int, count: int
) -> None:
    step = find("task-average")
    assert step.derivation is not None
    move = step.derivation(PAPER).moves[place]
    found = checks_of_move(move, place, "a move", f"task-average/move-{place}", step, {}, 0)
    assert len(step.sizes) == 3
    assert [check.verdict for check in found] == ["agree"] * count


def test_rows_are_drawn_where_more_than_their_squares_is_seen() -> None:
    w, y = X.T @ X, gaussian("Y", "n", "p")
    assert squared([w @ D @ w @ y.T @ y @ D, tr(X @ D @ X.T) * D]) == {"X", "Y"}
    for more in (X @ D @ X.T, X.T @ B, tr(X @ D @ y.T), y.T @ X):
        assert "X" not in squared([w @ y.T @ y, more])


def test_a_mean_that_vanishes_is_told_from_a_fifth_of_its_spread() -> None:
    move = Chain(tr(X.T @ X) - scalar("n") * scalar("p")).average("X").moves[0]
    right = sample_move(move, "a move", "right", SIZES)
    wrong = sample_move(replace(move, after=move.after + constant(1)), "a move", "wrong", SIZES)
    assert right is not None
    assert wrong is not None
    assert (right.verdict, wrong.verdict) == ("agree", "disagree")


def test_a_mean_that_vanishes_and_is_not_resolved_is_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "MOST_DRAWS", 10)
    move = Chain(tr(X.T @ X) - scalar("n") * scalar("p")).average("X").moves[0]
    found = sample_move(move, "a move", "few draws", SIZES)
    assert found is not None
    assert found.verdict == "inconclusive"


def another(chain: Chain) -> Chain:
    """The same chain, to be spoilt: the step's own is remembered."""
    found = Chain(chain.start)
    for move in chain.moves:
        found._moves.append(move)
    found._parts.update(chain.parts)
    return found


def shown(chain: Chain) -> Step:
    return replace(find("90"), derivation=lambda assumptions: chain)


def test_a_step_fails_with_a_disproved_move() -> None:
    step = find("90")
    assert step.derivation is not None
    assert prove(step).status == "proved"
    chain = another(step.derivation(PAPER))
    chain._moves[1] = replace(chain._moves[1], second_route=lambda: ("", "the sum over pairings gives 2"))
    assert prove(shown(chain)).status == "failed"
    assert prove(shown(chain)).detail.startswith("move 2, average by parts")


def test_a_step_fails_with_a_chain_that_ends_elsewhere() -> None:
    step = find("90")
    assert step.derivation is not None
    chain = another(step.derivation(PAPER))
    (label,) = chain.parts
    chain.shows(label, {"mu_2": constant(1)})
    assert "does not end at what the step derives" in prove(shown(chain)).detail
    assert "the chain shows" in prove(shown(Chain(X.T @ X).average("X").shows("x"))).detail


def test_under_changed_assumptions_the_moves_are_sampled() -> None:
    found = examine(find("73"), read(["noise_val=1/2"]), ("proof", "numeric"))
    numeric = found.parts["numeric"]["result"]
    assert (found.parts["proof"]["result"]["proof"], numeric["numeric"]) == ("derived", "agree")
    assert {check["move"] for check in numeric["checks"]} == {1, 2, 3}


def test_an_identity_shows_the_element_at_which_its_sides_differ() -> None:
    move = Chain(B.T @ B).insert({"B": matrix("C", "n", "p") @ D}).moves[0]
    right = sample_move(move, "a move", "right", SIZES)
    wrong = sample_move(replace(move, after=move.after * 2), "a move", "right", SIZES)
    assert right is not None
    assert wrong is not None
    assert abs(right.mean - right.value) <= 1e-9 * abs(right.value)
    assert wrong.mean * 2 == pytest.approx(wrong.value)


@pytest.mark.parametrize("place", range(4))
def test_a_wrong_move_under_a_changed_assumption_is_caught_beside_what_is_simulated(place: int) -> None:
    """What is simulated may agree all the same: each move is held by itself."""
    step, changed = find("inner-factor"), read(["inputs=uniform"])
    assert step.derivation is not None
    chain = another(step.derivation(changed))
    if place:
        move = chain.moves[place - 1]
        chain._moves[place - 1] = replace(move, after=move.after * Fraction(21, 20))
    known = {"result": {"proof": "derived", "proof_reason": ""}}
    spoilt = replace(step, derivation=lambda assumptions: chain)
    found = examine(spoilt, changed, ("numeric",), known=known, sampled=lambda *given: [])
    numeric = found.parts["numeric"]["result"]
    assert {check["move"] for check in numeric["checks"] if check["verdict"] == "disagree"} == {place} - {0}
    assert numeric["numeric"] == ("disagree" if place else "agree")


@pytest.mark.parametrize("simulated", [True, False])
def test_ladders_are_sampled_where_nothing_is_simulated(
    simulated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(examined, "move_checks", lambda *given, ladders: asked.append(ladders) or [])
    known = {"result": {"proof": "derived", "proof_reason": ""}}
    sampled = (lambda *given: []) if simulated else None
    examine(find("inner-factor"), read(["inputs=uniform"]), ("numeric",), known=known, sampled=sampled)
    assert asked == [not simulated]


a, n, q = (scalar(name) for name in ("alpha_t", "n_t", "p"))
BY_NAME = {"h_t": constant(1) - 2 * a + n * a**2}
OVER_H = n * reciprocal("h_t")
CALCULUS = {
    "slope": derivative(Chain(OVER_H * a**3), "alpha_t", BY_NAME),
    "slope at zero": slope_at_zero(Chain(OVER_H**2), "alpha_t", BY_NAME),
    "limit": limit(Chain(OVER_H * a**2 + q), "alpha_t", BY_NAME, {"h_t": "n"}),
    "only root": isolate(Chain(a * n - q), "alpha_t"),
    "upper root": isolate(Chain(a**2 * n - a - q), "alpha_t", 1),
    "sign": certify(Chain(-1 * a**2 - n), {}),
    "factor": leave_out_factor(Chain(n * (a - q)), "alpha_t", {}),
    "order": order(
        Chain(n**2 * q + n), {"n_t": Exponent(Fraction(1, 2)), "p": Exponent(Fraction(0), Fraction(1))}
    ),
}


@pytest.mark.parametrize("case", CALCULUS)
def test_what_calculus_says_of_a_scalar_has_a_number(case: str) -> None:
    (move,) = CALCULUS[case].moves
    changes = {"order": scalar("xi"), "sign": constant(-1), "factor": constant(-1)}
    change = changes.get(case, constant(1 + Fraction(1, 10**6)))
    for after, verdict in ((move.after, "agree"), (move.after * change, "disagree")):
        found = sample_move(replace(move, after=after), "a move", "by calculus", SIZES)
        assert found is not None
        assert found.verdict == verdict, found


def test_a_root_that_is_not_real_at_some_numbers_has_none_there() -> None:
    (move,) = CALCULUS["upper root"].moves
    complex_ones = replace(move, roots={name: -1 * value for name, value in move.roots.items()})
    assert sample_move(complex_ones, "a move", "by calculus", SIZES) is None


@pytest.mark.parametrize(
    ("digits", "off", "verdict"),
    [(9, 0, "agree"), (9, Fraction(1, 1000), "disagree"), (13, 0, "inconclusive"), (13, 1, "inconclusive")],
)
def test_terms_that_cancel_excuse_rounding_alone(digits: int, off: Fraction, verdict: str) -> None:
    """What is left of large terms agrees up to rounding, and a thousandth too much shows; of much larger ones nothing is told."""
    square, large = matrix("S", "p", "p"), 10**digits
    move = (
        Chain(tr(matrix("C", "p", "p")) - large * scalar("p"))
        .expand({"C": square + large * identity("p")})
        .moves[0]
    )
    found = sample_move(replace(move, after=move.after * (1 + off)), "a move", "right", SIZES)
    assert found is not None
    assert found.verdict == verdict, found


def test_another_seed_draws_other_moves() -> None:
    step = find("90")
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    first, other = (
        [check.mean for check in move_checks(chain, step, {}, seed, ladders=False) if check.stderr]
        for seed in (0, 7)
    )
    assert len(first) > 0
    assert not {*first} & {*other}


def test_the_rungs_of_a_ladder_draw_from_streams_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[object] = []

    class Halved:
        """Differences that fall like one over the size."""

        def __init__(self, move: object, slug: str, sizes: object, index: int, *others: object) -> None:
            places.append((slug, index))
            self.value = 0.5**index

        def at(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
            found = self.value * np.random.default_rng(batch).normal(1, 0.01, (moves.RUNG_BATCH, 1, 1))
            return found, 0 * found

    monkeypatch.setattr(moves, "Sides", Halved)
    step = find("excess-overparameterized")
    assert step.derivation is not None
    (move,) = (one for one in step.derivation(PAPER).moves if one.growths)
    (growth,) = (one for one in move.growths if one.base)
    assert moves.sample_order(move, growth, "ladder", "ladder", 3).mean == pytest.approx(-1, abs=0.01)
    assert len({*places}) == len(places) == len(moves.LADDER)
