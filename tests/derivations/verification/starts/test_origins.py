"""A proof of a sign, an exponent or a root sets out from what the steps that it reads state, and a wrong start is named.

So is a value that is put in and comes from nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

import pytest

from derivations.language import model
from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.model_letters import letter
from derivations.paper.beyond import bounded_remainder, negative_minimum
from derivations.paper.theorem1 import concentration, rate_chains
from derivations.paper.theorem1.concentration import EXCESS, excess_chain
from derivations.paper.theorem2 import expansion
from derivations.paper.theorem2.abbreviations import abbreviation_chain
from derivations.paper.theorem2.moments import term_chain
from derivations.paper.theorem3 import claim_chains, scale_mixture, sufficient_conditions
from derivations.paper.theorem3.concentration import form_chain
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain, DoesNotApply, Rule
from derivations.steps.contents import load
from derivations.steps.held import Held
from derivations.steps.orders import ONE
from derivations.steps.rules.certified_signs import Domain, certify
from derivations.steps.rules.derivatives import derivative
from derivations.verification.prove import prove
from derivations.verification.starts.origins import Origin, origins, unheld, unstated_start
from symbolic.algebra.words import Expression, constant, gaussian, matrix, reciprocal, scalar, tr

STEPS = load()
REACH = ("theorem-1", "theorem-2")


@pytest.mark.parametrize(
    "name", [name for name, step in STEPS.items() if step.derivation is not None and {*step.uses} & {*REACH}]
)
def test_what_the_proofs_on_rates_set_out_from_is_stated(name: str) -> None:
    step = STEPS[name]
    assert step.derivation is not None
    assert unstated_start(step.derivation(PAPER), PAPER) == ""


@pytest.mark.parametrize(
    "wrong",
    [lambda loss: loss + scalar("sigma") ** 2, lambda loss: 2 * loss, lambda loss: loss - scalar("alpha_r")],
    ids=["a term more", "twice", "a term less"],
)
def test_a_typed_start_of_the_same_sign_is_named(
    wrong: Callable[[Expression], Expression], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The derivatives of all of these in sigma and nu are positive: only the start tells."""
    step = STEPS["loss-rises-with-noise"]
    assert prove(step).status == "proved"
    loss, names = rate_chains.loss_by_names(PAPER)
    monkeypatch.setattr(rate_chains, "loss_by_names", lambda assumptions: (wrong(loss), names))
    failed = prove(step)
    assert failed.status == "failed"
    assert "it sets out from" in failed.detail
    assert "which theorem-1 do not state" in failed.detail


def test_the_deviation_is_not_taken_for_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another step states is not what the moves read."""
    (deviation, names) = excess_chain(PAPER).named_parts[EXCESS]
    monkeypatch.setattr(rate_chains, "loss_by_names", lambda assumptions: (deviation, names()))
    assert "which theorem-1 do not state" in prove(STEPS["loss-rises-with-noise"]).detail


@cache
def _chains() -> dict[str, Chain]:
    return {name: step.derivation(PAPER) for name, step in STEPS.items() if step.derivation is not None}


@pytest.mark.slow(10)
@pytest.mark.xdist_group("every chain")
def test_every_other_start_is_stated_or_follows() -> None:
    said = {name: unstated_start(chain, PAPER) for name, chain in _chains().items()}
    assert {name: fault for name, fault in said.items() if fault} == {}


@pytest.mark.parametrize("name", ["_tasks", "_inverse", "_about_mean", "_weights"])
def test_a_factor_of_the_bound_is_the_one_that_was_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the factor has the same order: that it is another one is what its origin tells."""
    right = getattr(bounded_remainder, name)

    def doubled(chain: Chain, *given: object) -> object:
        begin = chain.begin
        monkeypatch.setattr(chain, "begin", lambda start: begin(2 * start))
        found = right(chain, *given)
        monkeypatch.setattr(chain, "begin", begin)
        return found

    monkeypatch.setattr(bounded_remainder, name, doubled)
    failed = prove(STEPS["theorem-1-remainder-bounded"])
    assert failed.status == "failed"
    assert "it sets out from" in failed.detail


@pytest.fixture
def anew() -> Iterator[None]:
    """The remainder of (142) carried out again, and not remembered."""
    sufficient_conditions.remainder_chain.cache_clear()
    yield
    sufficient_conditions.remainder_chain.cache_clear()


@pytest.mark.usefixtures("anew")
def test_what_stays_on_a_rare_event_is_the_form_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Chain.begin_on_event

    def doubled(chain: Chain, other: Chain, root: str, power: int) -> Chain:
        right(chain, other, root, power)
        return chain.begin(2 * chain.result)

    monkeypatch.setattr(Chain, "begin_on_event", doubled)
    failed = prove(STEPS["theorem-3-under-conditions"])
    assert failed.status == "failed"
    assert "it sets out from" in failed.detail


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("rules", [("by_pairs",), ("on_event",), ("chebyshev",)])
def test_what_another_proof_leaves_out_is_that_of_a_step_that_is_read(
    rules: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """(133) is what (142) is an expansion of: from it nothing is left out."""
    for rule in rules:
        right = getattr(sufficient_conditions, rule)

        def reads_another(*given: object, right: Callable[..., Chain] = right) -> Chain:
            return right(*given[:-2], "weighted-forms-concentrate", "weighted-mean-square")

        monkeypatch.setattr(sufficient_conditions, rule, reads_another)
    failed = prove(STEPS["theorem-3-under-conditions"])
    assert failed.status == "failed"
    assert "whose proof is not that of weighted-forms-concentrate, weighted-mean-square" in failed.detail


@pytest.mark.usefixtures("anew")
def test_what_a_changed_proof_leaves_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of twice what is left out is the same."""
    twice = form_chain(PAPER)._copy()
    twice._moves = [replace(move, before=2 * move.before, after=2 * move.after) for move in twice.moves]
    monkeypatch.setattr(sufficient_conditions, "form_chain", lambda assumptions: twice)
    failed = prove(STEPS["theorem-3-under-conditions"])
    assert failed.status == "failed"
    assert "whose proof is not that of" in failed.detail


@pytest.mark.slow(10)
@pytest.mark.xdist_group("every chain")
def test_every_value_that_a_proof_puts_in_has_an_origin() -> None:
    said = {name: unheld(chain, PAPER) for name, chain in _chains().items()}
    assert {name: fault for name, fault in said.items() if fault} == {}
    counts = Counter(origin for chain in _chains().values() for _, _, origin in origins(chain, PAPER))
    assert counts[Origin.HELD] >= 170
    assert counts[Origin.FOUND] >= 140


NOT_ZERO = Domain(nonzero=frozenset({"alpha_t", "sigma"}))
ALONE = scalar("alpha_t") ** 2 + scalar("n_t")


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (ALONE, "and reads no step that states it"),
        (scalar("sigma") ** 2, ""),
        (scalar("n_t") * reciprocal("n_t") ** 2, ""),
    ],
)
def test_a_sign_of_what_no_step_states_is_named(start: Expression, said: str) -> None:
    found = unstated_start(certify(Chain(start), {}, domain=NOT_ZERO), PAPER)
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (2 * scalar("c") * scalar("w"), "and reads no step that states it"),
        (scalar("c") - 2 * scalar("w"), "and reads no step that states it"),
        (scalar("c") - scalar("w"), ""),
    ],
)
def test_a_formula_whose_names_are_all_put_in_is_stated_all_the_same(start: Expression, said: str) -> None:
    chain = Chain(start).insert({"c": scalar("p") ** 2, "w": scalar("p")})
    found = unstated_start(order(chain, {"p": ONE}), PAPER)
    assert said in found
    assert bool(said) == bool(found)


def test_the_counterexample_compares_with_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the right side of (142) has the same order, and another limit."""
    twice = form_chain(PAPER)._copy()
    twice.begin(2 * twice.result)
    monkeypatch.setattr(scale_mixture, "form_chain", lambda assumptions: twice)
    scale_mixture.conclusion_chain.cache_clear()
    failed = prove(STEPS["scale-mixture-breaks-the-conclusion"])
    scale_mixture.conclusion_chain.cache_clear()
    assert failed.status == "failed"
    assert "is not what weighted-square-leading states" in failed.detail


@pytest.mark.parametrize(
    ("start", "follows"),
    [
        (ALONE, True),
        (-1 * ALONE, True),
        (2 * ALONE, False),
        (scalar("n_t") * ALONE, False),
        (scalar("L") - ALONE, True),
        (ALONE - scalar("L"), True),
        (scalar("n_t") * (scalar("L") - ALONE), True),
        (ALONE - 2 * scalar("L"), False),
        (ALONE * ALONE, False),
    ],
)
def test_what_follows_from_what_is_shown_before(start: Expression, follows: bool) -> None:
    """After what is put in for L and shown: both sides, their difference, and that times a name; no other scalar."""
    chain = Chain(scalar("L")).insert({"L": ALONE}).shows("L").begin(start)
    order(chain, {"n_t": ONE}).shows_degree("degree")
    assert bool(unstated_start(chain, PAPER)) == (not follows)


def test_a_name_that_is_written_by_a_wrong_rest_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A positive rest would do for all signs: that it is the rest is what the second route sees."""
    right = negative_minimum.write_by_rest

    def wrong(chain: Chain, parts: dict[str, Expression], names: dict[str, Expression]) -> Chain:
        return right(chain, parts, {**names, "d_4": 2 * names["d_4"]})

    monkeypatch.setattr(negative_minimum, "write_by_rest", wrong)
    negative_minimum.minimum_chain.cache_clear()
    assert "g_4 is another" in prove(STEPS["theorem-2-minimum-is-negative"]).detail
    negative_minimum.minimum_chain.cache_clear()


# -- what is put in ------------------------------------------------------------------------------------------


def found(chain: Chain) -> list[tuple[str, Origin]]:
    return [(name, origin) for _, name, origin in origins(chain, PAPER)]


N_V, B = scalar("n_v"), matrix("B", "n_v", "p")
TASK = model.task(PAPER)


def test_the_origins_of_values() -> None:
    trace = Chain(tr(B.T @ B)).insert({"B": TASK.design}, "stacked-design", held=Held(PAPER))
    trace.begin(tr(B.T @ B)).insert({"B": TASK.design}, "stacked-design")
    trace.begin(tr(letter("Sigma") @ matrix("Y", "p", "p"))).define({"Y": model.SIGMA})
    trace.insert({"Sigma": model.IDENTITY}).insert({"p": constant(7)})
    trace.begin(scalar("c")).insert({"c": constant(7)})
    trace.begin(scalar("c")).insert({"c": constant(8)})
    assert found(trace) == [
        ("B", Origin.HELD),
        ("B", Origin.STATED),
        ("Y", Origin.OWN),
        ("Sigma", Origin.CHOSEN),
        ("p", Origin.CHOSEN),
        ("c", Origin.FOUND),
        ("c", Origin.UNKNOWN),
    ]
    said = unheld(trace, PAPER)
    assert said == (
        "move 7, insert a definition: where c comes from is not said: it was not found above, and no step is read"
    )


def test_a_value_at_the_numbers_that_are_put_in_with_it_is_found_above() -> None:
    area = Chain(scalar("n_v") * scalar("m")).expand({"n_v": scalar("m") + 1})
    for area_at, origin in ((6, Origin.FOUND), (5, Origin.UNKNOWN)):
        area.begin(scalar("S") + scalar("m")).insert({"m": constant(2), "S": constant(area_at)})
        assert found(area)[-2:] == [("m", Origin.CHOSEN), ("S", origin)]


@pytest.mark.parametrize(
    ("value", "reads"),
    [
        (2 * TASK.design, ("stacked-design",)),
        (TASK.design, ("stacked-target",)),
        (TASK.design, ()),
    ],
)
def test_a_value_that_no_step_states_is_named(value: Expression, reads: tuple[str, ...]) -> None:
    said = unheld(Chain(B.T @ B).insert({"B": value}, *reads), PAPER)
    assert said.startswith("move 1, insert a definition: where B comes from is not said")
    assert (f"{reads[0]} do not state it" if reads else "no step is read") in said


def test_a_letter_of_the_model_is_no_name_of_a_proof() -> None:
    with pytest.raises(DoesNotApply, match="B is a letter of the model: a step states what it is"):
        Chain(B.T @ B).define({"B": TASK.design})


def test_the_steps_of_an_extension_are_stated_there() -> None:
    chain = Chain(B.T @ B).insert({"B": 2 * TASK.design}, "stacked-design")
    assert unheld(chain, PAPER)
    assert unheld(chain, replace(PAPER, added=(("rate_decay", "1/2"),))) == ""


Mutation = Callable[[pytest.MonkeyPatch], None]


def _other_blocks(patch: pytest.MonkeyPatch) -> None:
    tasks = concentration.Tasks(
        {
            "B": lambda label: model.task(PAPER, label).x_v,
            "Gamma": lambda label: concentration.target_covariance(PAPER, label, label),
        }
    )
    patch.setattr(concentration, "tasks", lambda assumptions: tasks)


def _other_moment(patch: pytest.MonkeyPatch) -> None:
    right = claim_chains.isotropic_values
    patch.setattr(claim_chains, "isotropic_values", lambda: {**right(), "F": 2 * right()["F"]})


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("gram-concentrates", _other_blocks, "B1 is not what stacked-design states"),
        ("theorem-3-reduces-to-theorem-1", _other_moment, "where F comes from is not said"),
    ],
)
def test_a_wrong_value_fails_the_proof_at_its_move(
    name: str, wrong: Mutation, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = STEPS[name]
    assert step.derivation is not None
    concentration.block_chain.cache_clear()
    wrong(monkeypatch)
    chain = step.derivation(PAPER)
    concentration.block_chain.cache_clear()
    faults = [move.disproved for move in chain.moves if move.disproved] + [unheld(chain, PAPER)]
    assert any(said in fault for fault in faults)
    assert (
        prove(replace(step, derive=lambda assumptions: chain.parts, derivation=_given(chain))).status
        == "failed"
    )


def _given(chain: Chain) -> Callable[[Assumptions], Chain]:
    return lambda assumptions: chain


# -- what is written out -------------------------------------------------------------------------------------

WRITTEN_OUT = [
    ("loss-after-test-data", "overlap", "where overlap comes from is not said"),
    ("loss-after-test-data", "Sigma_w", "Sigma_w is not what task-parameters states"),
    ("excess-overparameterized", "N", "where N comes from is not said"),
    ("g-1", "A", "A is not what stacked-design states"),
    ("validation-noise-average", "A", "A is not what stacked-design states"),
    ("linearized-loss", "f", "f is not what linearized-model states"),
    ("slope-at-zero-underparameterized", "excess", "excess is not what theorem-2 states"),
    ("theorem-2-remainder", "g", "g is not what excess-underparameterized states"),
    ("theorem-3-reduces-to-theorem-1", "c", "c is not what theorem-3 states"),
    ("ratio-of-quartics-general", "g", "g is not what theorem-3 states"),
    ("scale-mixture-breaks-the-conclusion", "w", "w is not what weighted-square-leading states"),
    ("exact-loss", "noise", "noise is not what one-task-suffices states"),
    ("proportional-fixed-point", "form", "form is not what projection-by-parts states"),
    ("theorem-1-remainder-bounded", "mean_inverse", "mean_inverse is not what two-small-matrices"),
]


@pytest.mark.parametrize(("slug", "name", "said"), WRITTEN_OUT)
def test_a_wrong_value_that_is_written_out_is_named(
    slug: str, name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice the value, from the very step that puts it in: nothing that the step is compared with knows of it."""
    chain = _with_twice(slug, name, PAPER, monkeypatch)
    faults = [move.disproved for move in chain.moves if move.rule is Rule.EXPAND and name in move.values]
    assert any(said in fault for fault in (*faults, unheld(chain, PAPER)))


def test_names_that_do_not_make_up_the_mean_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """g by twice the averages (90)-(95), in the proofs of (96) and of (97)."""
    right = expansion._noise_by_name
    monkeypatch.setattr(expansion, "_noise_by_name", lambda assumptions: 2 * right(assumptions))
    remembered = (expansion.excess_proof, expansion.short_proof)
    _forget(remembered)
    for proof in remembered:
        assert "what is put in for g is not the mean" in [move.disproved for move in proof(PAPER).moves]
    _forget(remembered)


def test_a_wrong_spread_of_several_steps_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """R, which stands for W_t where there is one step alone."""
    two_steps = replace(PAPER, inner_steps=2)
    chain = _with_twice("g-2", "R", two_steps, monkeypatch)
    faults = [move.disproved for move in chain.moves]
    assert "R is not what target-covariance states" in faults


def _with_twice(slug: str, name: str, assumptions: Assumptions, monkeypatch: pytest.MonkeyPatch) -> Chain:
    derivation = STEPS[slug].derivation
    assert derivation is not None
    remembered = (getattr(derivation, "func", derivation), abbreviation_chain, term_chain)
    right = Chain._substitute

    def twice(chain: Chain, rule: Rule, values: dict[str, Expression], *given: Any, **further: Any) -> Chain:
        if rule is Rule.EXPAND and name in values:
            values = {**values, name: 2 * values[name]}
        return right(chain, rule, values, *given, **further)

    with monkeypatch.context() as patch:
        patch.setattr(Chain, "_substitute", twice)
        _forget(remembered)
        found = derivation(assumptions)
        _forget(remembered)
    return found


def _forget(remembered: Iterable[object]) -> None:
    for one in remembered:
        getattr(one, "cache_clear", lambda: None)()


def _of_a_definition() -> Chain:
    chain = Chain(scalar("phi")).define({"phi": scalar("nu") ** 2 * reciprocal("n_r")}, "theorem-1")
    return derivative(chain, "n_r", {}, "theorem-1")


def _of_a_parameter() -> Chain:
    chain = Chain(scalar("sigma")).insert({"sigma": scalar("nu") ** 2 * reciprocal("n_r")})
    return derivative(chain, "n_r", {}, "theorem-1")


def _of_a_name_in_the_rule() -> Chain:
    return derivative(
        Chain(scalar("phi")), "n_r", {"phi": scalar("nu") ** 2 * reciprocal("n_r")}, "theorem-1"
    )


def _of_a_word(going_on: bool) -> Chain:
    seen = gaussian("X", "n_t", "p")
    word = reciprocal("n_r") * scalar("nu") ** 2 * tr(seen @ seen.T)
    chain = Chain(scalar("phi")).define({"phi": word}, "theorem-1").average("X")
    if going_on:
        chain.begin(chain.result)
    return derivative(chain, "n_r", {}, "theorem-1")


@pytest.mark.parametrize(
    "invented",
    [
        _of_a_definition,
        _of_a_parameter,
        _of_a_name_in_the_rule,
        partial(_of_a_word, False),
        partial(_of_a_word, True),
    ],
    ids=["a definition", "a parameter", "a name in the rule", "a word", "a word, in another part"],
)
def test_a_sign_of_an_invented_formula_is_no_sign_of_the_loss(
    invented: Callable[[], Chain],
) -> None:
    """The name it sets out from says nothing: what is put in for it is stated by no step, though one is named."""

    def chain(assumptions: Assumptions) -> Chain:
        domain = rate_chains.over_domain(assumptions)
        return certify(invented(), {}, domain=domain).shows_sign(rate_chains.checks.SIGN_TARGET)

    step = STEPS["loss-falls-with-target-data"]
    assert prove(step).status == "proved"
    failed = prove(replace(step, derivation=chain))
    assert failed.status == "failed"
    assert "it sets out from" in failed.detail
