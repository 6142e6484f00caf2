"""A sign, an exponent or a degree that a proof shows for fewer values than it is claimed for is not proved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

import pytest

from derivations.language.assumptions import PAPER, Assumptions
from derivations.paper.theorem1 import rate_chains
from derivations.paper.theorem1 import sampled_rates as checks
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.contents import load
from derivations.steps.domains import ANYWHERE, Where
from derivations.steps.labels import Order, Sign
from derivations.steps.orders import ONE
from derivations.steps.rules.certified_signs import EVERYWHERE, Domain, certify
from derivations.steps.rules.derivatives import at_zero, derivative
from derivations.steps.rules.roots import isolate, put_root
from derivations.steps.status import ProofStatus
from derivations.steps.step import Step
from derivations.verification.prove import prove
from derivations.verification.starts.claimed import shown_on_less
from symbolic.algebra.words import Expression, constant, scalar

STEPS = load()
NOISE = STEPS["loss-rises-with-noise"]
Names = Mapping[str, Expression]
Edit = Callable[[Chain, Names], object]


def noise_chain(edit: Edit, domain: Domain, at: int = 0) -> Callable[[Assumptions], Chain]:
    """The proof that the loss rises with noise, with something done to the derivatives (0) or the loss (1) and in a domain."""

    def chain_under(assumptions: Assumptions) -> Chain:
        loss, names = rate_chains.loss_by_names(assumptions)
        if at:
            edit(chain := Chain(loss), names)
            loss = chain.result
        chain = Chain(loss) if not at else chain
        for label, source in ((checks.SIGN_SIGMA, "sigma"), (checks.SIGN_NU, "nu")):
            derivative(chain.begin(loss), source, names, "theorem-1")
            if not at:
                edit(chain, names)
            certify(chain, names, domain=domain).shows_sign(label)
        return chain

    return chain_under


def nothing(chain: Chain, names: Names) -> None:
    """As it is."""


def three_tasks(chain: Chain, names: Names) -> None:
    """With three tasks."""
    chain.insert({"m": constant(3)}, "theorem-1")


def without(rate: str) -> Edit:
    """With a rate of zero, where it occurs."""

    def edit(chain: Chain, names: Names) -> None:
        with suppress(DoesNotApply):
            at_zero(chain, (rate,), names, "theorem-1")

    return edit


OVER = rate_chains.over_domain(PAPER)
FROM_FAR = dict.fromkeys(("n_t", "n_v", "n_r", "m"), Fraction(1000))


@pytest.mark.parametrize(
    ("edit", "domain", "said"),
    [
        (without("alpha_t"), OVER, "alpha_t = 0"),
        (without("alpha_r"), OVER, "alpha_r = 0"),
        (three_tasks, OVER, "m = 3"),
        (nothing, replace(OVER, at_least=FROM_FAR), "n_t >= 1000"),
        (nothing, replace(OVER, at_least={"sigma": Fraction(1, 2)}), "sigma >= 1/2"),
        (nothing, replace(OVER, within={"p": 2 * scalar("n_v") * scalar("m")}), "p = 2*m*n_v"),
    ],
    ids=["no training rate", "no adaptation rate", "three tasks", "large", "noisy", "one ratio"],
)
@pytest.mark.parametrize("at", [0, 1], ids=["after the derivative", "before it"])
def test_a_sign_that_is_shown_on_less_is_not_proved(edit: Edit, domain: Domain, said: str, at: int) -> None:
    proof = prove(replace(NOISE, derivation=noise_chain(edit, domain, at), derive=None))
    assert proof.status is ProofStatus.FAILED
    assert said in proof.detail


def test_it_is_proved_where_it_is_shown() -> None:
    assert (
        prove(replace(NOISE, derivation=noise_chain(nothing, OVER), derive=None)).status is ProofStatus.PROVED
    )


SIGNED = [
    (name, label)
    for name, step in STEPS.items()
    if step.derivation is not None and step.claim is not None
    for label in step.claim()
    if isinstance(label, Sign | Order) and label.holds != ANYWHERE
]


def claimed_anywhere(step: Step, label: str) -> Step:
    """The step, with one of its parts claimed for all values."""

    def widened(one: str) -> str:
        if one != label:
            return one
        return one.on(ANYWHERE) if isinstance(one, Sign) else str(one)

    assert step.claim is not None
    claim = {widened(one): value for one, value in step.claim().items()}
    return replace(step, claim=lambda: claim, correction=None)


@pytest.mark.parametrize(
    ("name", "label"), [pair for pair in SIGNED if isinstance(pair[1], Sign)], ids=lambda x: str(x)[:40]
)
def test_what_a_claim_is_restricted_to_its_proof_needs(name: str, label: Sign) -> None:
    """Claimed for all values it is shown on less."""
    step = STEPS[name].remembering()
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    assert shown_on_less(step, chain) == ""
    assert shown_on_less(claimed_anywhere(step, label), chain).startswith(f"{label}: it is shown for")


def test_an_order_without_a_source_is_not_one_with_both() -> None:
    step = STEPS["theorem-2-remainder"]
    assert step.derivation is not None
    assert step.claim is not None
    chain = step.derivation(PAPER)
    assert shown_on_less(step, chain) == ""
    both = {
        label.due_to(label.where): value for label, value in step.claim().items() if isinstance(label, Order)
    }
    wider = replace(step, claim=lambda: both, correction=None)
    assert "sigma = 0" in shown_on_less(wider, chain)


# -- where a move holds --------------------------------------------------------------------------------------


def test_what_was_found_with_a_value_keeps_it_when_it_is_put_in() -> None:
    chain = Chain(scalar("alpha_r") + scalar("sigma"))
    at_zero(chain, ("alpha_r",), {})
    found = chain.result
    chain.begin(scalar("L") * scalar("nu")).insert({"L": found})
    assert chain.where(len(chain.moves)) == Where({"alpha_r": "0"})


def test_two_values_of_a_variable_are_no_claims() -> None:
    chain = Chain(scalar("alpha_r") + scalar("sigma"))
    at_zero(chain, ("alpha_r",), {})
    found = chain.result
    chain.begin(scalar("L") * scalar("alpha_r")).insert({"L": found}).insert({"alpha_r": constant(2)})
    where = chain.where(len(chain.moves))
    assert where.at == {"alpha_r": "0 and 2"}
    assert Where({"alpha_r": "2"}).lacks(where) == "it is shown for alpha_r = 0 and 2 alone"


def test_a_name_is_positive_where_it_was_shown_to_be() -> None:
    names = {"g": scalar("p") - 3}
    chain = Chain(names["g"])
    certify(chain, names, domain=Domain(at_least={"p": Fraction(4)}))
    certify(chain.begin(scalar("g") * scalar("nu")), names, domain=Domain(positive=frozenset({"g"})))
    assert chain.where(len(chain.moves)).at_least == {"p": Fraction(4)}


def test_a_name_that_was_not_shown_to_be_positive_is_refused() -> None:
    with pytest.raises(DoesNotApply, match="g was not shown to be positive"):
        certify(Chain(scalar("g")), {"g": scalar("p")}, domain=Domain(positive=frozenset({"g"})))


@pytest.mark.parametrize(("which", "said"), [(-1, "its lower root"), (1, "its upper root")])
def test_a_root_that_is_put_in_is_named(which: int, said: str) -> None:
    quadratic = scalar("alpha_t") ** 2 - scalar("p")
    chain = Chain(quadratic)
    isolate(chain, "alpha_t", which)
    root = chain.moves[-1]
    put_root(chain.begin(scalar("alpha_t") * scalar("nu")), "alpha_t", root)
    assert chain.where(len(chain.moves)).at == {"alpha_t": said}


def test_an_order_is_found_where_its_numbers_are_put_in() -> None:
    chain = Chain(scalar("n_t") * scalar("p") + scalar("alpha_t") * scalar("p") ** 2)
    at_zero(chain, ("alpha_t",), {})
    order(chain, {"n_t": ONE, "p": ONE})
    assert chain.where(len(chain.moves)).at == {"alpha_t": "0"}


@pytest.mark.parametrize(
    ("claimed", "shown", "said"),
    [
        (ANYWHERE, ANYWHERE, ""),
        (ANYWHERE, Where(at_least={"n_t": Fraction(1)}), ""),
        (ANYWHERE, Where(at_least={"n_t": Fraction(2)}), "n_t >= 2"),
        (ANYWHERE, Where(at_least={"sigma": Fraction(0)}), ""),
        (ANYWHERE, Where(at_least={"sigma": Fraction(1)}), "sigma >= 1"),
        (ANYWHERE, Where(at_least={"alpha_t": Fraction(-9)}), "alpha_t >= -9"),
        (ANYWHERE, Where(positive=frozenset({"nu"})), ""),
        (ANYWHERE, Where(positive=frozenset({"alpha_t"})), "alpha_t > 0"),
        (ANYWHERE, Where(nonzero=frozenset({"alpha_r"})), "alpha_r other than zero"),
        (ANYWHERE, Where(nonzero=frozenset({"n_t"})), ""),
        (Where(positive=frozenset({"alpha_r"})), Where(nonzero=frozenset({"alpha_r"})), ""),
        (Where(nonzero=frozenset({"alpha_r"})), Where(positive=frozenset({"alpha_r"})), "alpha_r > 0"),
        (ANYWHERE, Where({"alpha_t": "0"}), "alpha_t = 0"),
        (Where({"alpha_t": "0"}), ANYWHERE, ""),
        (Where({"alpha_t": "0"}), Where({"alpha_t": "1"}), "alpha_t = 1"),
        (Where(at_least={"n_t": Fraction(9)}), Where(at_least={"n_t": Fraction(8)}), ""),
        (Where(at_least={"n_t": Fraction(8)}), Where(at_least={"n_t": Fraction(9)}), "n_t >= 9"),
    ],
)
def test_a_claim_lacks_what_is_shown_on_less(claimed: Where, shown: Where, said: str) -> None:
    assert claimed.lacks(shown) == (f"it is shown for {said} alone" if said else "")


def test_everywhere_is_anywhere() -> None:
    assert EVERYWHERE.where == ANYWHERE
