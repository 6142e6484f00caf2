"""Parts of a proof that tell a wrong start, and those whose start and names must be stated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.language.assumptions import PAPER
from derivations.paper.beyond import positive_rates
from derivations.paper.inner_loops import several_steps
from derivations.paper.theorem1 import rate_chains
from derivations.paper.theorem3 import scale_mixture
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain
from derivations.steps.contents import find, load
from derivations.steps.orders import ONE
from derivations.steps.rules.certified_signs import Domain, certify
from derivations.steps.rules.derivatives import limit
from derivations.steps.rules.roots import least_at
from derivations.verification.prove import prove
from derivations.verification.starts.bindings import wrongly_named
from derivations.verification.starts.origins import unstated_start
from derivations.verification.starts.sections import sections, telling
from symbolic.algebra.words import Expression, constant, gaussian, reciprocal, scalar, tr

X = gaussian("X", "n_t", "p")
SIZE = tr(X.T @ X)
GROWING = {"n_t": ONE}
NOT_ZERO = Domain(nonzero=frozenset({"alpha_t"}))


def told(chain: Chain) -> list[bool]:
    return [one.first in telling(chain) for one in sections(chain)]


def test_a_part_tells_that_shows_a_number_or_goes_into_one_that_does() -> None:
    chain = Chain(SIZE).average("X")
    mean = chain.result
    assert told(chain) == [False]
    assert told(Chain(SIZE).average("X").shows("mean")) == [True]
    assert told(Chain(SIZE).average("X").begin(mean).insert({"n_t": scalar("m")}).shows("at m")) == [
        True,
        True,
    ]
    inside = Chain(SIZE).average("X").begin(scalar("c") + 1).expand({"c": mean})
    assert told(inside.shows("more")) == [True, True]
    over = Chain(SIZE).average("X").begin(mean * reciprocal("m")).insert({"m": constant(2)})
    assert told(over.shows("over m")) == [True, True]
    apart = Chain(SIZE).average("X").begin(scalar("m")).insert({"m": constant(2)})
    assert told(apart.shows("apart")) == [False, True]


def test_a_part_that_goes_into_an_order_alone_does_not_tell() -> None:
    chain = Chain(SIZE).average("X")
    order(chain.begin(chain.result), GROWING).shows_degree("degree")
    assert told(chain) == [False, False]
    assert unstated_start(chain, PAPER).startswith("it sets out from tr(X X.T)")


@pytest.mark.parametrize("blunt", ["least", "limit", "sign"])
def test_what_is_shown_of_a_formula_alone_does_not_tell(blunt: str) -> None:
    a, n = scalar("alpha_t"), scalar("n_t")
    if blunt == "least":
        chain = least_at(Chain(a * a - a), "alpha_t", {}).shows_sign("place")
    elif blunt == "limit":
        chain = limit(Chain(1 + a * reciprocal("n_t")), "n_t", {}, {}).shows("limit")
    else:
        chain = certify(Chain(a * a + n), {}, domain=NOT_ZERO).shows_sign("sign")
    assert told(chain) == [False]
    assert "it sets out from" in unstated_start(chain, PAPER)


def test_what_is_written_out_of_a_part_shown_tells() -> None:
    chain = Chain(SIZE).average("X")
    mean = chain.result
    chain.begin(scalar("c") * scalar("m")).insert({"m": constant(2)}).shows("twice", {"c": mean})
    assert told(chain) == [True, True]


# -- names ----------------------------------------------------------------------------------------------------


def two_traces(*, swapped: bool = False, defined: int = 1) -> Chain:
    """The sign of s - t at numbers found of s and of t."""
    chain = Chain(scalar("s")).define({"s": defined * SIZE}).average("X")
    first = chain.result
    second = chain.begin(scalar("t")).define({"t": tr(X.T @ X) ** 2}).average("X").result
    at = {"s": second, "t": first} if swapped else {"s": first, "t": second}
    return certify(chain.begin(scalar("s") * scalar("t")).insert(at), {}).shows_sign("sign")


def test_the_value_of_one_name_is_not_put_in_for_another() -> None:
    assert wrongly_named(two_traces(), PAPER) == ""
    said = wrongly_named(two_traces(swapped=True), PAPER)
    assert "is given" in said
    assert said.endswith("which was not found of it")


def test_a_name_stands_for_one_thing() -> None:
    chain = certify(Chain(scalar("s") ** 2).begin(scalar("s") + 1), {"s": scalar("n_t") ** 2})
    assert wrongly_named(chain, PAPER) == ""
    certify(chain.begin(scalar("s") + 2), {"s": 2 * scalar("n_t") ** 2})
    assert "s is given 2*n_t^2" in wrongly_named(chain, PAPER)


@pytest.mark.slow(10)
@pytest.mark.xdist_group("every chain")
def test_in_every_proof_names_are_given_what_was_found_of_them() -> None:
    chains = {name: step.derivation(PAPER) for name, step in load().items() if step.derivation is not None}
    said = {name: wrongly_named(chain, PAPER) for name, chain in chains.items()}
    assert {name: fault for name, fault in said.items() if fault} == {}


# -- in the proofs ---------------------------------------------------------------------------------------------


def fault_of(name: str) -> str:
    step = load()[name]
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    return prove(replace(step, derive=lambda _: chain.parts, derivation=lambda _: chain)).detail


def test_wrong_names_of_a_stated_loss_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss is written as it is stated, and one of its names stands for something else of the same sign."""
    loss, names = rate_chains.loss_by_names(PAPER)
    wrong: dict[str, Expression] = {**names, "mu_2": 2 * names["mu_2"]}
    monkeypatch.setattr(rate_chains, "loss_by_names", lambda assumptions: (loss, wrong))
    assert "which theorem-1 do not state" in fault_of("loss-rises-with-noise")


def test_the_loss_of_several_steps_is_the_stated_one(monkeypatch: pytest.MonkeyPatch) -> None:
    right = several_steps.loss_by_names
    several_steps.minimum_chain.cache_clear()
    monkeypatch.setattr(
        several_steps,
        "loss_by_names",
        lambda under: (right(under)[0] + scalar("sigma") ** 2, right(under)[1]),
    )
    assert "which theorem-1, adaptation-factor do not state" in fault_of("several-steps-minimum")
    several_steps.minimum_chain.cache_clear()


def test_the_traces_of_a_spiked_covariance_have_the_names_of_the_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name for twice a trace: the slope and the place of the minimum keep their signs."""
    right = positive_rates._start

    def wrong(assumptions: object) -> tuple[Expression, dict[str, Expression], dict[str, Expression]]:
        start, names, traces = right(PAPER)
        return start, names, {**traces, "v_1": 2 * traces["v_1"]}

    positive_rates.spiked_chain.cache_clear()
    monkeypatch.setattr(positive_rates, "_start", wrong)
    assert "no step states the formula that is put in for it" in fault_of("positive-rate-spiked")
    positive_rates.spiked_chain.cache_clear()


@pytest.mark.parametrize("which", [0, 1, 2])
def test_twice_an_element_of_a_condition_is_named(which: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variances of the scale mixture are of the same order then."""
    right = scale_mixture._over_rows
    count = iter(range(100))

    def wrong(chain: Chain) -> Chain:
        # the first four are those of (134), which are shown as numbers; then a mean and a square for each place
        return right(chain.begin(2 * chain.result) if next(count) == 3 + 2 * which + 1 else chain)

    scale_mixture.conditions_chain.cache_clear()
    monkeypatch.setattr(scale_mixture, "_over_rows", wrong)
    assert "it sets out from" in fault_of("scale-mixture-meets-the-conditions")
    scale_mixture.conditions_chain.cache_clear()


def test_the_remainder_is_that_of_the_stated_loss_with_its_names() -> None:
    step = find("theorem-1-remainder")
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    assert unstated_start(chain, PAPER) == ""
    move = chain.moves[2]
    chain._moves[2] = replace(move, values={**move.values, "h_t": 2 * move.values["h_t"]})
    assert "theorem-1 do not state next, or" in unstated_start(chain, PAPER)
    chain._moves[2] = move
