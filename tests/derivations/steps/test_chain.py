"""Chains of moves: every move is carried out by a rule, and its second route notices a wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from derivations.language import model
from derivations.language.assumptions import PAPER, Assumptions, NotDerivable, read
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain, DoesNotApply, Known, Rule, abbreviation, carries_out
from derivations.steps.chains import averaging, equalities
from derivations.steps.contents import ancestors, find, load
from derivations.steps.orders import ONE
from derivations.steps.rules.exact_routes import differs_exactly
from derivations.steps.step import Kind, Step
from derivations.verification.prove import fault_of_chain, prove
from symbolic.algebra.words import (
    Expression,
    gaussian,
    identity,
    independent_entries,
    matrix,
    scalar,
    tr,
    vector,
)

STEPS = [step for step in load().values() if step.derivation is not None]
X, B = gaussian("X", "n", "p"), matrix("B", "n", "p")
A, D = abbreviation("A", "p"), matrix("D", "p", "p", symmetric=True)


def wrong(expr: Expression, *_: object) -> Expression:
    return expr * 2


def without_chain(steps: Iterable[Step]) -> list[str]:
    """The steps that derive or have to prove something, and have no chain."""
    odd = (s for s in steps if s.derivation is None and not s.proofless and not s.conjectured)
    return [step.name for step in odd if step.derive is not None or step.kind is not Kind.DEFINITION]


def test_every_step_that_derives_or_proves_something_has_a_chain() -> None:
    assert without_chain(load().values()) == []
    step = find("92")
    assert without_chain([step, replace(step, derivation=None)]) == [step.name]
    assert without_chain([replace(step, derivation=None, derive=None)]) == [step.name]


@pytest.mark.parametrize("name", [step.name for step in STEPS])
def test_each_move_starts_where_the_last_one_ended_and_reads_known_steps(name: str) -> None:
    step = load()[name]
    assert step.derivation is not None
    found = step.derivation(PAPER)
    assert found.moves
    at = found.starts[0]
    for k, move in enumerate(found.moves):
        at = found.starts.get(k, at)
        assert move.before == at
        assert set(move.reads) <= ancestors([name])
        at = move.after


# what these lead to is a sign, an exponent, a root or a name, which do not double
UNSCALED = (Rule.SIGN, Rule.FACTOR, Rule.ROOT, Rule.LEAST, Rule.ORDER, Rule.NAME)


@pytest.mark.slow(30)
def test_every_move_is_what_its_rule_makes_of_the_side_before() -> None:
    """Carried out again each move leads to the same, and from twice the side before to twice: nothing was typed in."""
    wrong = []
    for step in STEPS:
        assert step.derivation is not None
        for k, move in enumerate(step.derivation(PAPER).moves):
            assert move.again is not None
            same = move.again(move.before) == move.after
            twice = move.rule in UNSCALED or move.again(2 * move.before) == 2 * move.after
            if not (same and twice):
                wrong.append(f"{step.name}, move {k + 1}: {move.rule}")
    assert not wrong


def test_a_result_that_is_typed_in_does_not_double() -> None:
    @carries_out
    def typed(chain: Chain, after: Expression) -> Chain:
        return chain.made(replace(right, before=chain.result, after=after))

    right = Chain(X.T @ X).average("X").moves[0]
    move = typed(Chain(X.T @ X), right.after).moves[0]
    assert move.again is not None
    assert move.again(move.before) == right.after
    assert move.again(2 * move.before) != 2 * right.after


def test_only_rules_make_moves_from_the_present_expression_and_only_moves_lead_to_parts() -> None:
    right = Chain(X.T @ X).average("X")
    with pytest.raises(ValueError, match="only a rule makes moves"):
        Chain(X.T @ X).made(right.moves[0])

    @carries_out
    def other(chain: Chain) -> Chain:
        return chain.made(right.moves[0])

    with pytest.raises(ValueError, match="from the present expression"):
        other(Chain(2 * X.T @ X))
    for begun in (Chain(X.T @ X), right.begin(D)):
        with pytest.raises(ValueError, match="no move has led to it yet"):
            begun.shows("a part")
    with pytest.raises(ValueError, match="not by the rule"):
        Chain(X.T @ X).average("X").shows_degree("an order")


@pytest.mark.parametrize("powers", [({0: 1}, {1: 2}), ({1: 2}, {0: 1})])
def test_the_largest_of_orders_is_shown_wherever_it_stands(powers: tuple[dict[int, int], ...]) -> None:
    chain = order(Chain(scalar("n_t") ** 3), {"n_t": ONE})
    order(chain.begin(scalar("n_t")), {"n_t": ONE}).shows_largest("the largest", *powers)
    assert chain.parts == {"the largest": 3}


def test_the_proof_of_92_reads_as_on_paper() -> None:
    step = find("92")
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    assert [move.rule for move in chain.moves] == [Rule.INSERT, Rule.AVERAGE, Rule.KNOWN, Rule.SUM]
    n_v, p, m = scalar("n_v"), scalar("p"), scalar("m")
    square = A @ A
    assert chain.moves[1].after == n_v * (n_v + 1) * square @ square + n_v * tr(square) * square
    ends = m * n_v * ((n_v + 1) * scalar("g_3") + p * scalar("g_4")) * identity("p")
    assert chain.result == ends


@pytest.mark.parametrize("steps", ["1", "2", "3"])
@pytest.mark.parametrize("name", ["65", "73", "90", "g-3"])
def test_a_chain_runs_again_for_other_steps(name: str, steps: str) -> None:
    step = find(name)
    assert step.derivation is not None
    changed = read([f"inner_steps={steps}", f"adaptation_steps={steps}"])
    assert all(move.check == "proved" for move in step.derivation(changed).moves)


@pytest.mark.parametrize(
    ("name", "assumption"),
    [("92", "split=reused"), ("89", "covariance=general"), ("65", "covariance=general")],
)
def test_a_chain_without_meaning_names_the_reason(name: str, assumption: str) -> None:
    step = find(name)
    assert step.derivation is not None
    with pytest.raises(NotDerivable):
        step.derivation(read([assumption]))


def test_a_wrong_average_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = averaging.expect
    monkeypatch.setattr(averaging, "expect", lambda expr, over: engine(expr, over) * 2)
    (move,) = Chain(X.T @ X).average("X").moves
    assert (move.check, move.rule) == ("failed", Rule.AVERAGE)


Y = independent_entries("Y", "n", "p", "uniform")
Z = independent_entries("Z", "n", "p", "uniform", "Sigma")


@pytest.mark.parametrize(
    "word", [(X.T @ X) ** 7, (Y.T @ Y) ** 2, Z.T @ Z @ D], ids=["many", "law", "covariance"]
)
def test_an_average_without_few_pairings_is_written_out_in_entries(
    word: Expression, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = (name for name, letter in word.letters().items() if letter.random)
    assert Chain(word).average(name).moves[0].check == "proved"
    engine = averaging.expect
    monkeypatch.setattr(averaging, "expect", lambda expr, over: engine(expr, over) + identity("p"))
    assert "moments of single entries" in Chain(word).average(name).moves[0].disproved


def test_an_average_by_rows_is_that_of_gaussian_rows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, fourth = gaussian("X", "n", "p", "Sigma"), abbreviation("F", "p")
    sigma = abbreviation("Sigma", "p")
    word = rows.T @ rows @ sigma @ rows.T @ rows
    assert Chain(word).average_rows("X", fourth=fourth).moves[0].check == "proved"
    with pytest.raises(DoesNotApply, match="average by rows"):
        Chain(word @ rows.T @ rows).average_rows("X", fourth=fourth)
    engine = averaging.expect_rows
    monkeypatch.setattr(averaging, "expect_rows", lambda *given: 2 * engine(*given))
    assert Chain(word).average_rows("X", fourth=fourth).moves[0].check == "failed"


def test_a_wrong_substitution_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Chain(B.T @ B).insert({"B": X @ A}).moves[0]
    assert right.check == "proved"
    assert differs_exactly(right.before, right.after * 2, right.values)
    assert differs_exactly(right.before, A @ X.T @ X @ A.T + A, right.values)
    monkeypatch.setattr(Expression, "replace", wrong)
    assert Chain(B.T @ B).insert({"B": X @ A}).moves[0].check == "failed"


@pytest.mark.parametrize("factor", [2, scalar("p")])
def test_a_wrong_moment_is_noticed(factor: Expression | int) -> None:
    one = identity("p")
    known = Known(
        A @ A, factor * scalar("g") * one, {"g": scalar("n") * (scalar("n") + scalar("p") + 1)}, "s"
    )
    start = Chain(A @ A)
    assert start.by_known((known,), {"A": X.T @ X}, {"X"}).moves[0].check == "failed"
    right = replace(known, value=scalar("g") * one)
    assert Chain(A @ A).by_known((right,), {"A": X.T @ X}, {"X"}).moves[0].check == "proved"


def test_a_task_unlike_the_others_is_noticed() -> None:
    mean = Chain(X.T @ X).average("X")
    assert mean.over_tasks(scalar("m"), scalar("n") * identity("p"), {}).moves[1].check == "proved"
    other = Chain(X.T @ X).average("X").over_tasks(scalar("m"), identity("p"), {})
    assert other.moves[1].check == "failed"


def test_a_number_gets_a_name_where_it_is_a_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    n, p, q, r = map(scalar, ("n", "p", "q", "r"))
    value = n + p + 1
    written_out = q * n + q * p + q + r * n
    chain = Chain(written_out * identity("k")).name_number("h", value)
    assert chain.result == (q * scalar("h") + r * n) * identity("k")
    assert chain.moves[0].check == "proved"
    assert Chain(scalar("1/h") * value * r).name_number("h", value).result == r
    with pytest.raises(DoesNotApply, match="h does not occur as a factor"):
        Chain(q * n + q * p).name_number("h", value)
    wrong_sum = equalities.sum_of_terms
    monkeypatch.setattr(equalities, "sum_of_terms", lambda terms: 2 * wrong_sum(terms))
    assert Chain(written_out).name_number("h", value).moves[0].check == "failed"


def test_a_name_stands_for_its_trace() -> None:
    e = vector("e", "p")
    chain = Chain((e.T @ e) * 3 + (e.T @ D @ e)).name(e.T @ e, "length")
    assert chain.result == 3 * scalar("length") + e.T @ D @ e
    assert chain.moves[0].check == "proved"


@pytest.mark.parametrize(
    ("move", "said"),
    [
        (lambda: Chain(X.T @ X).insert({"B": X}), "insert a definition: B does not occur"),
        (lambda: Chain(B.T @ B).insert({"B": B @ D}), "B would stand for something it is part of"),
        (lambda: Chain(X.T @ X).average("Z"), "average by parts: Z does not occur"),
        (lambda: Chain(B.T @ B).average("B"), "B is not random"),
        (
            lambda: Chain(Z.T @ Z @ D @ Z.T @ Z).average("Z"),
            "average by cumulants: the expectation holds sums",
        ),
        (lambda: Chain(X.T @ X).expand({"X": A}), "write out"),
        (lambda: Chain(D).by_known((), {}, ()), "no moment is known"),
        (lambda: Chain(X.T @ X).over_tasks(scalar("m"), X.T @ X, {}), "X still tell the tasks apart"),
        (lambda: Chain(X.T @ X).name(tr(D), "d"), "does not occur"),
    ],
)
def test_a_move_that_does_not_apply_is_refused_by_name(move: object, said: str) -> None:
    assert callable(move)
    with pytest.raises(DoesNotApply, match=said):
        move()


def test_the_words_of_the_model_are_what_the_chains_put_in() -> None:
    task = model.task(PAPER)
    assert (task.x_v @ A).replace({"A": task.contraction}) == task.design


def assembled(step: Step, assumptions: Assumptions) -> bool:
    """Whether a step derives something to which no chain of moves leads, under changed assumptions."""
    if step.derivation is None or step.derive is None or step.applies(assumptions) is not None:
        return False
    try:
        derived = step.derive(assumptions)
    except (ArithmeticError, ValueError):
        return False
    return "does not go through" in fault_of_chain(replace(step, derive=None), assumptions, derived)


CHANGES = ("split=reused", "inputs=laplace", "covariance=general", "noise_val=2", "order=next")


@pytest.mark.slow(20)
@pytest.mark.parametrize("words", CHANGES)
def test_under_changed_assumptions_nothing_is_assembled_without_moves(words: str) -> None:
    assumptions = read([words])
    steps = [step for step in STEPS if assumptions.changes(step.depends_on)]
    assert [step.name for step in steps if assembled(step, assumptions)] == []


def test_a_formula_put_together_outside_of_the_moves_fails() -> None:
    """As one for reused data from that for separate data, of which the chain knows nothing."""
    step, reused = find("weighted-square-leading"), read(["split=reused"])
    assert prove(step, reused).status == "derived"

    def only_separate(assumptions: Assumptions) -> Chain:
        raise NotDerivable(f"not for {assumptions.split} data")

    by_hand = replace(step, derivation=only_separate)
    assert assembled(by_hand, reused)
    found = prove(by_hand, reused)
    assert (found.status, found.detail) == (
        "failed",
        "the proof does not go through: not for reused data",
    )
