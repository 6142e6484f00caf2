"""Expansions about means and sums over tasks: right ones are proved and sampled, wrong ones are caught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

from derivations.language import model
from derivations.language.assumptions import PAPER, read
from derivations.steps.chain import Chain, DoesNotApply, Growth, Mean, Rule, Tasks, without_traces
from derivations.steps.chains import fluctuations
from derivations.steps.rules import expansions, stacked
from derivations.steps.rules.exact_routes import differs_on_stacks
from derivations.steps.rules.expansions import Context
from derivations.steps.rules.stacked import partitions
from derivations.typeset.proofs import order_latex, order_text, proof_lines
from derivations.verification.moves import sample_move, sample_order
from derivations.verification.prove import difference
from symbolic.algebra.words import (
    Expression,
    constant,
    gaussian,
    identity,
    matrix,
    reciprocal,
    scalar,
    tr,
    vector,
)
from symbolic.averages.expectation import expect
from symbolic.proofs.asymptotics import Exponent

B, D = matrix("B", "N", "p"), vector("d", "p")
GRAM, NORMAL = matrix("G", "N", "N", symmetric=True), matrix("G", "p", "p", symmetric=True)
GAMMA = matrix("Gamma", "N", "N", symmetric=True)


def rows(label: str) -> Expression:
    return gaussian(f"X{label}", "n_v", "p")


# plain Gaussian rows, and a covariance that is correlated with them
PLAIN = Tasks({"B": rows, "Gamma": lambda label: rows(label) @ rows(label).T})
ONE = Exponent(Fraction(1))
SIZES = {"n_v": 2, "m": 3, "p": 11, "dist0_sq": 0.5}
WIDE = Growth("xi", {"p": ONE}, {"n_v": 2, "m": 2, "p": 48})
LONG = {"xi": Growth("xi", {"n_v": ONE}, {"n_v": 24, "m": 2, "p": 2})}
MANY = Growth("m", {"m": ONE}, {"n_v": 8, "m": 6, "p": 2})


def above(order: int, growth: Growth = WIDE) -> Chain:
    """E Tr[(B B^T)^-1 Gamma] to so many fluctuations."""
    chain = Chain(tr(GRAM @ GAMMA))
    chain.expand_inverse("G", B @ B.T, Mean("h", "p"), order, "D", PLAIN)
    chain.split_mean("Gamma", Mean("g"), "F", PLAIN)
    return chain.keep(order, growth).average_fluctuations()


def finished(chain: Chain, *fluctuations: str) -> Chain:
    chain.write_out(*fluctuations).sum_tasks(PLAIN).insert_blocks(PLAIN)
    return chain.average(*(name for name, letter in chain.result.letters().items() if letter.random))


def below(order: int) -> Chain:
    """E Tr[(B^T B)^-1 V (B^T B)^-1], V = B^T Gamma B, to so many fluctuations."""
    chain = Chain(tr(NORMAL @ B.T @ GAMMA @ B @ NORMAL)).name_word(B.T @ GAMMA @ B, "V")
    chain.expand_inverse("G", B.T @ B, Mean("h", "N"), order, "D", PLAIN)
    chain.split_mean("V", Mean("g", "N"), "F", PLAIN)
    return chain.keep(order, LONG["xi"], MANY).average_fluctuations()


def test_an_inverse_is_expanded_above_to_the_known_second_order() -> None:
    # Gamma = B_i B_i^T: E Tr[(B B^T)^-1 diag(B_i B_i^T)] = N (1 + (N - n_v) / (p - N - 1)) exactly
    chain = finished(above(2), "D", "F").shows("mean")
    assert [move.disproved for move in chain.moves] == [""] * len(chain.moves)
    n_v, m, p = scalar("n_v"), scalar("m"), reciprocal("p")
    total = n_v * m
    assert difference(chain.parts["mean"], total * (1 + (total - n_v) * p)).is_zero()


def test_orders_are_counted_and_sampled() -> None:
    for order, exponent in ((1, -1), (2, Fraction(-3, 2))):
        (kept,) = (move for move in above(order).moves if move.rule is Rule.KEEP)
        assert kept.order == {"xi": Exponent(Fraction(exponent))}
        assert sample_order(kept, WIDE, "order", "order").verdict == "agree"
        off = replace(kept, order_of_error=lambda: {"xi": Exponent(Fraction(-5, 2))})
        assert sample_order(off, WIDE, "order", "order").verdict == "disagree"


@pytest.mark.parametrize("by", [Fraction(1, 2), Fraction(-1, 4)])
@pytest.mark.parametrize("build", [above, below])
def test_an_order_counted_wrongly_is_seen_at_very_large_sizes(
    build: Callable[[int], Chain], by: Fraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exact values at two sizes grow by another power, whatever the degrees of polynomials say."""
    right = Context.order_of
    monkeypatch.setattr(Context, "order_of", lambda *given: right(*given) + Exponent(by))
    (kept,) = (move for move in build(1).moves if move.rule is Rule.KEEP)
    assert "what is left out is of another order as xi grows: between very large sizes" in kept.disproved


def test_the_order_stands_in_text_and_formulas() -> None:
    first, _, kept, *later = proof_lines(above(2))
    assert order_text(kept) == " + O(xi^-3/2)"
    assert order_latex(kept) == r" + O\left(\xi^{-3/2}\right)"
    assert order_text(first) == ""
    assert {order_text(line) for line in later} <= {order_text(kept)}


# fewer validation rows than parameters, and more, where B^T B has an inverse
FEW, MANY_ROWS = {**SIZES, "N": 6}, {"n_v": 7, "m": 3, "p": 3, "N": 21}


@pytest.mark.parametrize(
    ("chain", "sizes"),
    [(above(2), FEW), (below(1), MANY_ROWS), (below(2), MANY_ROWS)],
    ids=["above", "below", "below, next"],
)
def test_expansions_are_proved_and_sampled(chain: Chain, sizes: Mapping[str, float]) -> None:
    for move in chain.moves:
        assert move.check == "proved"
        if move.rule is Rule.KEEP:
            for growth in move.growths:
                found = sample_order(move, growth, "order", f"order/{growth.label}")
                assert (found.verdict, growth.label) == ("agree", growth.label)
        else:
            sampled = sample_move(move, "move", "move", sizes)
            assert sampled is not None
            assert sampled.verdict == "agree"


def test_the_next_order_below_is_that_of_the_closed_form() -> None:
    # at Gamma = I instead: E Tr (B^T B)^-1 = p / (N - p - 1) = p/N (1 + (p + 1)/N + ...)
    plain = Tasks({"B": rows})
    chain = Chain(tr(NORMAL)).expand_inverse("G", B.T @ B, Mean("h", "N"), 2, "D", plain)
    chain.keep(2, MANY).average_fluctuations().write_out("D").sum_tasks(plain).insert_blocks(plain)
    chain.average(*(name for name, letter in chain.result.letters().items() if letter.random)).shows("mean")
    assert [move.disproved for move in chain.moves] == [""] * len(chain.moves)
    p, over = scalar("p"), reciprocal("n_v") * reciprocal("m")
    assert difference(chain.parts["mean"], p * over * (1 + (p + 1) * over)).is_zero()


def test_a_matrix_mean_has_an_inverse_letter() -> None:
    tasks = Tasks({"B": coloured})
    chain = Chain(tr(NORMAL)).expand_inverse("G", B.T @ B, Mean("H", "N", "H_inverse"), 1, "D", tasks)
    order = {"H_inverse": Exponent(Fraction(0))}
    chain.keep(1, replace(MANY, bound=without_traces), orders=order).average_fluctuations()
    assert chain.result == reciprocal("N") * tr(matrix("H_inverse", "p", "p", symmetric=True))
    assert [move.disproved for move in chain.moves] == ["", "", ""]
    assert chain.moves[0].values["H"] == matrix("Sigma", "p", "p", symmetric=True)


def test_means_are_computed_not_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = expansions.mean_of
    monkeypatch.setattr(fluctuations, "mean_of", lambda *given: 2 * right(*given))
    assert [move.check for move in above(1).moves] == ["failed", "failed", "proved", "failed"]
    assert "the mean is another" in above(1).moves[0].disproved


@pytest.mark.parametrize(
    "wrong",
    [
        lambda found, inverse, order: -right_series(found, inverse, order),
        lambda found, inverse, order: (
            right_series(found, inverse, order + 1) - right_series(found, inverse, 0)
        ),
        lambda found, inverse, order: right_series(found, inverse, order).replace({"D": -letter("D")}),
        lambda found, inverse, order: constant(2) * right_series(found, inverse, order),
    ],
    ids=["sign", "first term", "sign of odd terms", "factor"],
)
def test_a_wrong_series_is_caught(wrong: Callable[..., Expression], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fluctuations, "series", wrong)
    chain = Chain(tr(GRAM @ GAMMA)).expand_inverse("G", B @ B.T, Mean("h", "p"), 1, "D", PLAIN)
    assert chain.moves[0].disproved == "the two sides differ at exact random matrices"


right_series = expansions.series


def coloured(label: str) -> Expression:
    return gaussian(f"X{label}", "n_v", "p", "Sigma")


def letter(name: str) -> Expression:
    return matrix(name, "N", "N", symmetric=True)


WORDS = {
    "one index": tr(GAMMA),
    "two": tr(B @ B.T @ B @ B.T),
    "two, one of them twice": tr(B @ B.T @ GAMMA @ B @ B.T),
    "three": B.T @ B @ B.T @ GAMMA @ B @ B.T @ B,
    "of two traces": tr(GAMMA) * tr(B @ B.T @ GAMMA),
    "beside a number": scalar("N") * identity("p") + B.T @ B,
    "with a vector": D.T @ B.T @ GAMMA @ B @ D,
}


@pytest.mark.parametrize("name", WORDS)
def test_a_sum_over_tasks_is_that_of_stacked_matrices(name: str) -> None:
    (move,) = Chain(WORDS[name]).sum_tasks(PLAIN).moves
    assert move.check == "proved"
    sampled = sample_move(move, "sum", "sum", {**SIZES, "N": 4, "m": 2})
    assert sampled is not None
    assert sampled.verdict == "agree"
    off = replace(move, after=move.after + scalar("m") * (scalar("m") - 1) * move.after * reciprocal("p"))
    assert differs_on_stacks(move.before, off.after, PLAIN)
    wrong = sample_move(off, "sum", "sum", {**SIZES, "N": 4, "m": 2})
    assert wrong is not None
    assert wrong.verdict == "disagree"


def test_a_wrong_multiplicity_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "falling", lambda count, length: scalar(count) ** length)
    (move,) = Chain(WORDS["two"]).sum_tasks(PLAIN).moves
    assert move.disproved == "summed over 1 tasks one by one it is another"


def test_partitions_are_counted_by_bell_numbers() -> None:
    assert [len({*partitions(k)}) for k in range(6)] == [1, 1, 2, 5, 15, 52]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (lambda label: rows(label) * (2 if label == "2" else 1), "differ from task to task"),
        (lambda label: rows("1"), "share random letters"),
        (lambda label: rows(label) + rows("4"), "share random letters"),
    ],
)
def test_tasks_that_are_not_exchangeable_are_caught(block: Callable[[str], Expression], said: str) -> None:
    (move,) = Chain(tr(B @ B.T @ B @ B.T)).sum_tasks(Tasks({"B": block})).moves
    assert said in move.disproved


def test_the_mean_over_tasks_is_that_of_tuples() -> None:
    word = B.T @ B @ B.T @ GAMMA @ B
    summed = PLAIN.mean(word)
    for count in (1, 2, 3):
        tuples = sum(
            (
                expect(rows(i).T @ rows(i) @ (rows(j).T @ rows(j)) ** 2)
                for i in "123"[:count]
                for j in "123"[:count]
            ),
            start=0 * identity("p"),
        )
        assert summed.replace({"m": constant(count)}) == tuples


@pytest.mark.parametrize(
    ("move", "said"),
    [
        (lambda: Chain(tr(GAMMA)).expand_inverse("G", B @ B.T, Mean("h"), 1, "D", PLAIN), "G does not occur"),
        (
            lambda: Chain(tr(GRAM)).expand_inverse("G", B @ (B.T @ B) @ B.T, Mean("h"), 1, "D", PLAIN),
            "a sum over further tasks",
        ),
        (lambda: Chain(tr(GRAM)).sum_tasks(PLAIN), "G has no blocks"),
        (lambda: Chain(GAMMA).sum_tasks(PLAIN), "no sum over tasks: take a block"),
        (lambda: Chain(scalar("p")).sum_tasks(PLAIN), "there is no sum over tasks"),
        (lambda: Chain(tr(GAMMA)).split_mean("K", Mean("k"), "L", PLAIN), "K does not occur"),
        (lambda: Chain(tr(GAMMA)).keep(1, WIDE), "no products of more than 1"),
        (lambda: Chain(tr(GAMMA)).average_fluctuations(), "no term has a single fluctuation"),
        (
            lambda: Chain(tr(GRAM)).expand_inverse("G", B @ B.T, Mean("h"), 1, "D", PLAIN).keep(2, WIDE),
            "G must be expanded to more than 1",
        ),
        (
            lambda: (
                Chain(tr(GRAM @ GAMMA))
                .expand_inverse("G", B @ B.T, Mean("h"), 1, "D", PLAIN)
                .keep(1, WIDE)
                .average_fluctuations()
            ),
            "Gamma is random as well",
        ),
        (lambda: Chain(tr(B @ B.T)).name_word(B.T @ GAMMA @ B, "V"), "does not occur"),
    ],
)
def test_a_move_that_does_not_apply_is_refused_by_name(move: Callable[[], Chain], said: str) -> None:
    with pytest.raises(DoesNotApply, match=said):
        move()


def test_a_mean_that_is_no_number_is_refused() -> None:
    with pytest.raises(DoesNotApply, match="no multiple of the identity"):
        Chain(tr(NORMAL)).expand_inverse("G", B.T @ B, Mean("h", "N"), 1, "D", Tasks({"B": coloured}))


def test_an_unknown_order_is_said() -> None:
    chain = Chain(tr(GRAM @ GAMMA)).expand_inverse("G", B @ B.T, Mean("h", "p"), 1, "D", PLAIN).keep(1, WIDE)
    assert "the order of Gamma is not known" in chain.moves[-1].disproved


@pytest.mark.parametrize("law", ["rademacher", "kurtosis:5"])
def test_other_laws_are_expanded_too(law: str) -> None:
    under = read([f"inputs={law}"])
    tasks = Tasks({"B": lambda label: model.task(under, label).design})
    chain = Chain(tr(GRAM)).expand_inverse("G", B @ B.T, Mean("h", "p"), 1, "D", tasks)
    gaussian_mean = (
        Chain(tr(GRAM))
        .expand_inverse(
            "G", B @ B.T, Mean("h", "p"), 1, "D", Tasks({"B": lambda label: model.task(PAPER, label).design})
        )
        .moves[0]
        .values["h"]
    )
    assert chain.moves[0].check == "proved"
    assert chain.moves[0].values["h"] != gaussian_mean
