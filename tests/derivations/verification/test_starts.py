"""A proof of a sign, an exponent or a root sets out from what the steps that it reads state, and a wrong start is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derivations.language.assumptions import PAPER
from derivations.paper.beyond import negative_minimum
from derivations.paper.theorem1 import rate_chains
from derivations.paper.theorem1.concentration import EXCESS, excess_chain
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain
from derivations.steps.contents import load
from derivations.steps.orders import ONE
from derivations.steps.rules.certified_signs import Domain, certify
from derivations.verification import starts
from derivations.verification.prove import prove
from derivations.verification.starts import unstated_start
from symbolic.algebra.words import Expression, reciprocal, scalar

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


# orders of factors of a bound, which the step multiplies: nothing else states these
FACTORS = {"theorem-3-under-conditions", "theorem-1-remainder-bounded"}


@pytest.mark.slow(10)
def test_every_other_start_is_stated_or_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "factor_of_bound", lambda *given: False)
    chains = {name: step.derivation(PAPER) for name, step in STEPS.items() if step.derivation is not None}
    assert {name for name, chain in chains.items() if unstated_start(chain, PAPER)} == FACTORS


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
def test_what_follows_from_what_is_shown_before(
    start: Expression, follows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a definition put in for L: both sides, their difference, and that times a name; no other scalar."""
    monkeypatch.setattr(starts, "factor_of_bound", lambda *given: False)
    chain = Chain(scalar("L")).insert({"L": ALONE}).begin(start)
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
