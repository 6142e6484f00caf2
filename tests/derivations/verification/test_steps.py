"""Every step of the paper has a computed proof status that counts, and guards that can fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
import sympy
from sympy import Rational

from derivations.language.assumptions import PAPER
from derivations.language.normal_form import normal_form
from derivations.language.symbols import n, p
from derivations.steps.contents import find, load
from derivations.steps.neglected import Neglected
from derivations.steps.step import Kind, Observed, Step
from derivations.verification.examine import examine
from derivations.verification.power import report, right_claim, score
from derivations.verification.prove import _exceeded, order_kept, prove, rests_unbounded, unbounded
from derivations.verification.verify import verify
from numeric_check.draws.sample import Sample

STEPS = load()
CLAIMED = [name for name, step in STEPS.items() if step.derive is not None and step.claim is not None]
PAGES = list(dict.fromkeys(STEPS[name].page for name in CLAIMED))


def test_what_is_neglected_and_not_bounded_is_expanded() -> None:
    """Without a bound of its remainder, an asymptotic claim is not proved; with one that is itself proved, it is."""
    step = STEPS["excess-overparameterized"]
    assert prove(step).status == "proved"
    expanded = prove(replace(step, bounded_by=""))
    assert expanded.status == "expanded"
    assert "not bounded" in expanded.detail
    assert prove(replace(step, bounded_by="", neglects=None)).status == "proved"


def test_what_is_counted_alone_is_never_plainly_proved() -> None:
    """So that whom a step rests on can be told without their proofs."""
    found = verify([name for name, step in STEPS.items() if unbounded(step)], numeric=False)
    assert {"expanded", "conditional", "corrected"} >= {record["proof"] for record in found}
    assert len(found) >= 10


def test_an_asymptotic_claim_on_what_is_not_bounded_is_not_proved() -> None:
    """It inherits that nothing bounds the rest; with a bound of its own, or about the formula alone, it does not."""
    bounded = STEPS["excess-overparameterized"]
    assert rests_unbounded(bounded) == ["gram-inverse-concentrates"]
    assert prove(bounded).status == "proved"
    order = STEPS["gram-concentrates"]
    assert prove(order).status == "proved"
    leaning = prove(replace(order, uses=("excess-overparameterized", "normal-inverse-concentrates")))
    assert leaning.status == "expanded"
    assert "it rests on normal-inverse-concentrates, whose remainder is counted in powers" in leaning.detail
    # nothing behind a step that is bounded, and everything behind one that is exact
    assert prove(replace(order, uses=("excess-overparameterized",))).status == "proved"
    assert rests_unbounded(STEPS["minimum-is-negative"]) == ["theorem-1"]
    # nor behind one that this step itself bounds; another one that takes its formula has no such bound
    bound = STEPS["theorem-1-remainder-bounded"]
    assert "theorem-1" in bound.uses
    assert rests_unbounded(bound) == []
    assert rests_unbounded(replace(bound, name="another")) == ["theorem-1"]
    exact = prove(STEPS["minimum-is-negative"])
    assert exact.status == "proved"
    assert exact.detail == "of the formula to leading order of theorem-1, whose remainder is not bounded"


ABOUT = "is about something else"
SILENT = "says of no quantity how large its error is"
BROKEN, SUFFICIENT = "scale-mixture-breaks-the-conclusion", "weighted-forms-concentrate"
LEFT_OUT = "what is left out is of order"
ALONE = dict.fromkeys(("bounded_by", "condition", "counterexample"), "")


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("wishart-second-moment", {"condition": "wishart-mean", "counterexample": BROKEN}, SILENT),
        (
            "wishart-second-moment",
            {"condition": "theorem-1-remainder-bounded", "counterexample": BROKEN},
            ABOUT,
        ),
        (
            "wishart-second-moment",
            {"condition": "theorem-1-remainder", "counterexample": BROKEN},
            "which is corrected",
        ),
        ("wishart-second-moment", {"condition": SUFFICIENT}, "needs a counterexample"),
        ("wishart-second-moment", {"counterexample": BROKEN}, "needs a counterexample"),
        ("wishart-second-moment", {"bounded_by": "wishart-mean"}, SILENT),
        ("wishart-second-moment", {"bounded_by": "theorem-1-remainder-bounded"}, ABOUT),
        # the same kind of statement, of another formula
        ("excess-overparameterized", {"bounded_by": "theorem-3-under-conditions"}, ABOUT),
        ("theorem-1", {"condition": "theorem-3-under-conditions"}, ABOUT),
        ("theorem-1", {"counterexample": BROKEN}, ABOUT),
        ("theorem-3", {"condition": "theorem-1-remainder-bounded"}, ABOUT),
        ("general-noise-concentrates", {"condition": "theorem-3-under-conditions"}, ABOUT),
        ("general-noise-concentrates", {"counterexample": "theorem-1-remainder"}, ABOUT),
        # of the same quantity, but no bound and no counterexample to what is printed
        ("general-weight-concentrates", {"counterexample": SUFFICIENT}, "does not contradict"),
        ("general-weight-concentrates", {"condition": BROKEN}, "larger than the printed order"),
        ("theorem-1", {"neglects": Neglected({"xi": Rational(-5, 2)})}, "larger than the printed order"),
        ("theorem-2", {"counterexample": "theorem-1-remainder"}, ABOUT),
        # orders
        ("theorem-2", {"right_order": None, "counterexample": ""}, LEFT_OUT),
        (
            "theorem-2",
            {"right_order": Neglected({"xi": Rational(-1), "m": Rational(-1)})},
            "the corrected order is wrong",
        ),
        (
            "theorem-2",
            {"neglects": Neglected({"xi": Rational(-1), "m": Rational(-1)})},
            "does not contradict",
        ),
        ("theorem-1", {"where": {}}, "larger than the printed order"),
        (
            "theorem-1",
            {**ALONE, "neglects": Neglected({"xi": Rational(-1)})},
            "holds without the condition too",
        ),
        (
            "theorem-2",
            {"neglects": Neglected({"xi": Rational(-1, 2), "m": Rational(-2)}), "counterexample": ""},
            "nothing to correct",
        ),
        # what would bound it is itself only counted
        ("wishart-second-moment", {"bounded_by": "gram-inverse-concentrates"}, "which is expanded"),
        ("theorem-1", {"neglects": Neglected({"xi": Rational(-1)})}, "does not contradict"),
        ("theorem-3", {"neglects": Neglected({"xi": Rational(-5, 2)})}, "larger than the printed order"),
        ("theorem-3", {"neglects": Neglected({"m": Rational(-1)})}, "larger than the printed order"),
    ],
)
def test_a_step_that_is_named_must_say_of_the_same_quantity_what_it_is_named_for(
    name: str, changed: Mapping[str, object], said: str
) -> None:
    found = prove(replace(STEPS[name], **changed))
    assert found.status == "failed"
    assert said in found.detail


def test_what_is_neglected_is_of_lower_order_than_what_is_kept() -> None:
    step = replace(STEPS["theorem-1"], neglects=Neglected({}))
    derived = step.derive(PAPER)
    kept = order_kept(step, derived)
    assert kept
    assert _exceeded(step, derived, kept) == [*kept]
    assert _exceeded(step, derived, {name: order - Rational(1, 2) for name, order in kept.items()}) == []


def test_a_chain_that_leaves_a_part_without_proof_fails() -> None:
    step = STEPS["inner-factor"]
    more = {**step.derive(PAPER), "another": sympy.Integer(1)}
    found = prove(
        replace(step, derive=lambda assumptions: more, claim=lambda: {**step.claim(), "another": 1})
    )
    assert found.status == "failed"
    assert "the step derives" in found.detail


def test_a_larger_order_than_needed_is_true_and_said_to_be_so() -> None:
    for name, order in (("theorem-3", "xi^-2"), ("theorem-1", "xi^-2")):
        found = prove(STEPS[name])
        assert found.status == "conditional"
        assert f"smaller than printed, of order {order}" in found.detail
    step = replace(STEPS["theorem-2"], right_order=None, counterexample="")
    found = prove(replace(step, neglects=Neglected({"xi": Rational(-1, 2), "m": Rational(-2)})))
    assert found.status == "expanded"
    assert "smaller than printed, of order m^-2 xi^-1" in found.detail
    exact = prove(replace(step, neglects=Neglected({"xi": Rational(-1), "m": Rational(-2)})))
    assert "smaller" not in exact.detail


def test_a_printed_order_that_is_too_small_is_corrected() -> None:
    for number in ("96", "97", "9"):
        found = prove(find(number))
        assert found.status == "corrected"
        assert "O(m^-3/2 xi^-3/2) is printed; what is left out is of order m^-2 xi^-1" in found.detail


def test_a_wrong_claim_fails() -> None:
    step = STEPS["wishart-second-moment"]
    (label,) = step.claim()
    wrong = replace(step, claim=lambda: {label: n * (n + p + 2) * sympy.Identity(p)})
    assert prove(wrong).status == "failed"


def doubled(part: sympy.Basic) -> sympy.Basic:
    """Twice a part, and something else in the place of 0."""
    if isinstance(part, sympy.MatrixExpr):
        other = sympy.MatrixSymbol("X", part.rows, part.cols)
        return other if normal_form(part).is_zero() else 2 * part
    return sympy.Integer(1) if part == 0 else 2 * part


@pytest.mark.slow(30)
def test_no_step_passes_with_a_claim_that_is_not_what_it_derives() -> None:
    """Of whatever kind it is."""
    passing = []
    for step in (STEPS[name] for name in CLAIMED):
        derived = step.derive(PAPER)
        known = replace(step, derive=lambda assumptions, parts=derived: parts, derivation=None)
        right = right_claim(step)
        assert right is not None
        for label, part in right.items():
            wrong = {**right, label: doubled(part)}
            said = prove(replace(known, claim=lambda parts=wrong: parts, correction=None)).status
            if said != "failed":
                passing.append(f"{step.name}: {label}: {said}")
    assert passing == []


def test_an_approximation_derives_nothing() -> None:
    step = STEPS["proportional-loss"]
    with pytest.raises(ValueError, match="an approximation derives nothing"):
        replace(step, kind=Kind.APPROXIMATION)


def test_a_limit_whose_formula_is_not_what_its_moves_lead_to_fails() -> None:
    step = STEPS["proportional-loss"]
    assert prove(step).status == "proved"
    parts = step.claim()
    for number in (2, sympy.Rational(999, 1000)):
        wrong = replace(step, claim=lambda number=number: {k: number * part for k, part in parts.items()})
        assert prove(wrong).status == "failed"
        assert verified(wrong) == "failed"


def verified(step: Step) -> str:
    """The proof status in the step's record."""
    return str(examine(step, PAPER, ["proof"]).parts["proof"]["result"]["proof"])


def test_a_wrong_correction_fails() -> None:
    step = STEPS["slope-at-zero-underparameterized"]
    assert prove(step).status == "corrected"
    assert prove(replace(step, correction=step.claim)).status == "failed"


def test_a_correction_without_a_counterexample_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivations.verification.prove.counterexample", lambda residual: None)
    found = prove(STEPS["slope-at-zero-underparameterized"])
    assert found.status == "failed"
    assert "no exact counterexample was found" in found.detail


def test_a_claim_about_something_else_fails() -> None:
    step = STEPS["wishart-second-moment"]
    assert prove(replace(step, claim=lambda: {"other": n * sympy.Identity(p)})).status == "failed"


def test_a_claim_with_one_part_or_one_term_more_fails() -> None:
    step = STEPS["wishart-second-moment"]
    ((label, right),) = step.claim().items()
    assert prove(replace(step, claim=lambda: {label: right, "other": right})).status == "failed"
    more = right + sympy.MatrixSymbol("Sigma", p, p)
    assert prove(replace(step, claim=lambda: {label: more})).status == "failed"


def test_a_claim_that_cannot_be_read_fails() -> None:
    step = STEPS["inner-factor"]
    assert prove(replace(step, claim=lambda: {"h_t": sympy.sin(n)})).status == "failed"


def test_a_broken_engine_is_noticed() -> None:
    step = STEPS["wishart-third-moment"]
    derived = dict(step.derive(PAPER))
    halved = {label: part * 2 for label, part in derived.items()}
    assert prove(replace(step, derive=lambda assumptions: halved)).status == "failed"


# The least share of a page's changed claims that sampling rejects, a little below what it does. The rest is named when
# the test runs: small coefficients among large ones; what losses that hold up to orders leave out; parts of a claim that
# no sample depends on.
LEAST: Mapping[str, float] = {
    "setup": 1.0,
    "lemma1": 0.95,
    "lemma2": 0.95,
    "lemma3": 0.97,
    "averages": 0.99,
    "theorem1": 0.9,
    "learning_rates": 0.75,
    "theorem2": 0.7,
    "theorem3": 0.88,
    "moments": 0.97,
    "change_data": 0.9,
    "beyond": 0.95,
    "positive_rates": 0.95,
}


# seconds on one core, where they are many
LONG: Mapping[str, float] = {
    "theorem2": 75,
    "theorem3": 60,
    "theorem1": 35,
    "beyond": 20,
    "learning_rates": 20,
    "moments": 15,
}


# In one worker with the wrong parts of the same steps, which are held against the same simulations.
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page, marks=[pytest.mark.slow(LONG.get(page, 10)), pytest.mark.xdist_group(f"power {page}")]
        )
        for page in PAGES
    ],
)
def test_perturbed_claims_are_rejected_by_proof_and_by_sampling(
    page: str, record_property: Callable[[str, object], None]
) -> None:
    scores = [score(STEPS[name], sampling=True) for name in CLAIMED if STEPS[name].page == page]
    record_property("shown at the end", report(page, scores))
    assert [f"{s.step}: {what}" for s in scores for what in s.survived_proof] == []
    # what is not rejected is so for want of draws, or because no sample depends on it, and is named
    assert all(item.draws > 0 for s in scores for item in (*s.unresolved, *s.unseen))
    rejected, sampled = sum(s.rejected_by_sampling for s in scores), sum(s.sampled for s in scores)
    assert rejected >= LEAST[page] * sampled


def test_a_part_that_nothing_samples_is_named() -> None:
    step = STEPS["wishart-mean"]
    (label,) = step.claim()

    def blind(sample: Sample) -> Observed:
        return {"other": np.ones(sample.batch)}

    parts = {**step.claim(), "other": sympy.Integer(1)}
    blinded = replace(step, claim=lambda: parts, derive=lambda assumptions: parts, observe=blind)
    found = score(replace(blinded, resolution={"other": 1e-9}), sampling=True)
    assert {item.label for item in found.unseen} == {label}
    assert found.unresolved == ()
    assert 0 < found.rejected_by_sampling < found.sampled
    text = report("a page", [found])
    assert f"not seen by sampling: wishart-mean: {label}: overall sign" in text
    assert "not resolved" not in text


def test_what_takes_too_many_draws_is_named_with_their_number() -> None:
    step = STEPS["wishart-mean"]

    def noisy(sample: Sample) -> Observed:
        return {"Y": 1000 + 100 * sample.gaussian(1, 1)[:, 0, 0]}

    parts = {"Y": sympy.Integer(1000)}
    loud = replace(step, claim=lambda: parts, derive=lambda assumptions: parts, observe=noisy)
    few, many = replace(loud, sizes=({"n": 1000, "p": 1000},), power_sizes=()), loud
    (up, down) = score(few, sampling=True).unresolved
    # (5 + 3) standard errors of 100 / sqrt(draws) make one unit
    assert up.draws == pytest.approx(800**2, rel=0.1)
    assert f"Y: 1000 -> 1001: would take {up.draws:.2g} draws" in report(
        "a page", [score(few, sampling=True)]
    )
    assert down.change == "1000 -> 999"
    assert score(many, sampling=True).missed == ()


def test_a_step_without_numbers_is_named() -> None:
    step = replace(STEPS["wishart-mean"], observe=None)
    found = score(step, sampling=True)
    assert found.missed is None
    assert f"not sampled: wishart-mean, {found.total} changed claims" in report("a page", [found])


def test_a_check_that_passes_everything_rejects_nothing() -> None:
    step = STEPS["rows-concentrate"]
    assert step.check is not None
    blind = replace(step, observe=None, check=lambda *arguments: [])
    found = score(blind, sampling=True)
    assert found.rejected_by_sampling == 0
    assert len(found.unseen) == found.total
    assert found.rejected_by_proof == found.total
