"""The tables of the chapter on Theorem 1 follow the numbers they are given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.book_pages import theorem1, training, undershoot
from derivations.book_pages.training import Run
from derivations.book_pages.undershoot import Gap


def made_up(quantity: str = "excess", xi: int = 1) -> list[Gap]:
    return [Gap(quantity, rate, xi, 0.1, 0.125 if rate else 0.1001, 0.0005, 1000) for rate in (-1.0, 0.0)]


def test_what_is_missing_is_a_share_of_the_sampled_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undershoot, "over_rates", made_up)
    text = theorem1.gap_over_rates().text
    assert text.count("+20.0 %") == 2
    assert text.count("within error") == 2
    assert theorem1.range_of_gaps() == "0 to 20 per cent"


def test_the_ladder_gives_the_fitted_exponent(monkeypatch: pytest.MonkeyPatch) -> None:
    gaps = [Gap("excess", 0.2, xi, 0.0, 0.1 / xi**2, 0.0001 / xi**2, 100) for xi in (1, 2, 4, 8)]
    monkeypatch.setattr(undershoot, "over_sizes", lambda: gaps)
    text = theorem1.gap_over_sizes().text
    assert "<strong>\u22122.0000" in text
    assert text.count("0.10000 ± 0.00010") >= 4


def test_training_is_shown_for_both_regimes(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(start=1.0, way=0.5, miss=1e-9, apart=0.9, loss=0.0)
    monkeypatch.setattr(training, "runs", lambda setting: [run, run])
    text = theorem1.training_table().text
    assert text.count("p &gt; n_v m") == 2
    assert text.count("p &lt; n_v m") == 2


def test_the_training_rate_enters_through_label_noise_alone() -> None:
    assert theorem1.rate_sources() == "label noise"


def test_another_source_that_depends_on_the_rate_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    step = theorem1.load()["theorem-1"]
    assert step.claim is not None
    (label, printed), *_ = step.claim().items()
    names = {symbol.name: symbol for symbol in theorem1.to_sympy(printed).free_symbols}
    changed = theorem1.to_sympy(printed) + names["nu"] * names["alpha_t"]
    wrong = replace(step, claim=lambda: {label: changed})
    monkeypatch.setattr(theorem1, "load", lambda: {"theorem-1": wrong})
    assert theorem1.rate_sources() == "label noise and the variability of tasks"
