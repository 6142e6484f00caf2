"""The chapters on changed assumptions: best rates against a scan, refusals with reasons, real output of commands."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from derivations.book_pages import change, extending, variants
from derivations.formulas.by_name import evaluate_named
from derivations.formulas.optimum import optimum
from derivations.language.assumptions import read
from derivations.language.regime import Regime
from derivations.publishing.build import BookError
from derivations.steps.contents import find, load
from derivations.typeset.named_forms import derived_form
from derivations.typeset.statements import lines
from derivations.variants import table
from derivations.variants.table import BASES, VARIANTS, Variant, entries, name_of, setting_of, values_of
from derivations.verification.plain_records import CheckRecord

SMALL = (VARIANTS[0], Variant("2 inner steps", ("inner_steps=2",)), Variant("reused data", ("split=reused",)))
REFUSED = Variant("refused", ("order=next", "inputs=laplace"))


def test_a_dozen_variants_cover_what_can_change() -> None:
    assert len(VARIANTS) >= 12
    words = " ".join(word for variant in VARIANTS for word in variant.words)
    for name in (
        "inner_steps=4",
        "adaptation_steps",
        "rademacher",
        "uniform",
        "laplace",
        "split",
        "noise_val",
    ):
        assert name in words
    assert {variant.spectrum for variant in VARIANTS} == {"identity", "mild", "spiked"}


@pytest.mark.slow(60)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.label)
@pytest.mark.parametrize(
    "regime",
    # one worker for each regime: its entries are found once
    [
        pytest.param(regime, id=regime.value, marks=pytest.mark.xdist_group(f"scan {regime.value}"))
        for regime in Regime
    ],
)
def test_no_rate_of_a_scan_beats_the_best_one(variant: Variant, regime: Regime) -> None:
    found = dict(zip(VARIANTS, entries(regime, VARIANTS), strict=True))[variant]
    if found.reason:
        assert len(found.reason) > 20
        return
    setting = setting_of(variant, BASES[regime])
    values, name = dict(values_of(setting)), name_of(variant, regime)
    losses = [
        evaluate_named(name, {**values, "alpha_t": float(rate)}, variant.assumptions)["value"]
        for rate in np.linspace(-3, 3, 61)
    ]
    assert found.loss <= min(losses) * (1 + 1e-9)
    assert found.sampled is not None
    assert abs(found.sampled.mean / found.loss - 1) < 0.05


def test_a_refused_variant_carries_its_reason() -> None:
    (found,) = entries(Regime.OVER, (REFUSED,))
    assert found.sampled is None
    assert len(found.reason) > 20


def test_an_error_of_the_program_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))

    def fails(*arguments: object) -> None:
        raise ValueError("lengths differ")

    monkeypatch.setattr(table, "optimum", fails)
    with pytest.raises(ValueError, match="lengths differ"):
        entries(Regime.OVER, (Variant("fails"),))


def test_table_and_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "entries", lambda regime: entries(regime, (*SMALL, REFUSED)))
    text = variants.table("over").text
    assert text.count("<tr>") == 5
    assert "refused:" in text
    picture = variants.picture().text
    assert "currentColor" in picture
    assert "#ffffff" not in picture
    assert 'class="panels"' not in picture
    assert "positive for" in picture


def test_a_command_shows_what_it_prints() -> None:
    shown = change.command(
        "eval", "eq5", *["n_t=1", "n_v=1", "n_r=1", "m=1", "p=2", "sigma=0", "nu=0", "alpha_t=0", "alpha_r=0"]
    )
    assert "$ derive eval eq5" in shown.text
    assert "value = 0.0" in shown.text


def test_a_command_that_fails_fails_the_page() -> None:
    with pytest.raises(BookError, match="unknown"):
        change.command("eval", "equation")


def test_formulas_carry_the_names_of_earlier_ones() -> None:
    changed = read(["inner_steps=2"])
    step = find("eq5")
    assert step.derive is not None
    text, *names = lines(step, derived_form(step, step.derive(changed), changed), derived=True)
    assert "h_t" in text
    assert "h_r" in text
    assert names[1] == r"h_t = 1 - 4 \alpha_t + 6 \alpha_t^2 \mu_2 - 4 \alpha_t^3 \mu_3 + \alpha_t^4 \mu_4"
    (plain,) = lines(step, step.derive(changed), derived=True)
    assert "h_t" not in plain


def test_in_text_shows_both_forms() -> None:
    text = change.in_text("stacked-design", "inner_steps=2").text
    assert "<b>paper</b>" in text
    assert "alpha_t^2" in text


def test_the_source_of_an_extension_is_complete() -> None:
    assert "add_input_law(" in extending.source("triangular").text


def test_moments_beyond_the_paper_are_no_survivors(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {name: {"proof": "proved", "proof_reason": ""} for name in load()}
    monkeypatch.setattr(change, "_records", lambda assumptions: found)
    text = change.survivors("inner_steps=2").text
    assert f"<div>{sum(not step.query for step in load().values())}</div>" in text


def test_every_local_minimum_is_shown_the_best_first() -> None:
    sizes = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "sigma": 1.0, "nu": 0.5, "alpha_r": 0.2}
    (best, other) = change.minima(optimum("eq5", sizes, read(["inner_steps=2"])))
    assert best == pytest.approx((1.20450, 0.680564), rel=1e-5)
    assert other == pytest.approx((-0.41796, 0.682252), rel=1e-4)
    assert len(change.minima(optimum("eq5", sizes))) == 1


@pytest.mark.parametrize(
    ("scale", "said"), [(1.0, "\u22122.00"), (1e-9, "no exponent")], ids=["resolved", "not"]
)
def test_a_decay_shows_gaps_and_their_exponent(scale: float, said: str) -> None:
    checks = [
        {
            "comparison": "size",
            "sizes": {"p": 10.0 * k, "n_v": 2.0},
            "value": 1.0,
            "mean": 1.0 + scale * 0.3 / k**2,
            "stderr": 1e-5,
            "verdict": "agree",
            "reason": "",
        }
        for k in (1, 2, 4)
    ]
    text = change.decay([cast(CheckRecord, check) for check in checks])
    assert said in text
    assert ("0.30000" in text) == (scale == 1.0)


def test_fitted_powers_stand_beside_those_stated() -> None:
    fit = {
        "label": "label noise",
        "comparison": "power",
        "sizes": {"xi_1": 32.0, "xi_2": 256.0},
        "value": -2.0,
        "mean": -2.002,
    }
    single = {
        "label": "simulation",
        "comparison": "number",
        "sizes": {"p": 48.0},
        "value": 0.36,
        "mean": 0.3601,
    }
    rest = {"stderr": 0.0001, "verdict": "agree", "reason": ""}
    text = change.decay([cast(CheckRecord, one | rest) for one in (fit, single)])
    assert "power stated" in text
    assert "label noise" in text
    assert "simulation" in text
