"""The losses under a dozen changed assumptions beside the paper's: best rate, loss there, slope at zero.

Each variant changes one thing (or two); sizes are those of Figures 2 and 3. What is not derivable carries its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from derivations.formulas.optimum import optimum, slope_at_zero
from derivations.formulas.parameters import Given
from derivations.formulas.values import LOSS
from derivations.language.assumptions import Assumptions, read
from derivations.language.regime import Regime
from derivations.language.sampled_problem import sampled_fields
from derivations.paper.experiments.panels import FIGURE_2, FIGURE_3
from derivations.paper.experiments.points import Task, completed, task
from derivations.steps.contents import slug_of
from derivations.support import store
from derivations.support.bad_input import BadInput
from derivations.support.workers import workers
from derivations.verification.verify import keys_of
from numeric_check.draws.estimate import Estimate
from numeric_check.problem.setting import Setting
from symbolic.algebra.refusal import Refused

Array = NDArray[np.float64]
# as many training points as validation points below p = n_v m, so that reusing the data changes no size
BASES: Mapping[Regime, Setting] = {
    Regime.OVER: replace(FIGURE_2, alpha_t=0.0),
    Regime.UNDER: replace(FIGURE_3, n_t=FIGURE_3.n_v, alpha_t=0.0),
}
MILD = (0.5, 1.0, 1.5)
SPIKED = (8.0, 0.5)
SPIKES = 2


@dataclass(frozen=True)
class Variant:
    """What is changed, as words for `--assume`, and the eigenvalues of Sigma where it is not the identity."""

    label: str
    words: tuple[str, ...] = ()
    spectrum: str = "identity"

    @property
    def assumptions(self) -> Assumptions:
        """The changed assumptions."""
        general = () if self.spectrum == "identity" else ("covariance=general",)
        return read((*self.words, *general))


VARIANTS = (
    Variant("the paper"),
    *(Variant(f"{k} inner steps", (f"inner_steps={k}",)) for k in (2, 3, 4)),
    Variant("2 adaptation steps", ("adaptation_steps=2",)),
    *(Variant(f"{law} inputs", (f"inputs={law.lower()}",)) for law in ("Rademacher", "uniform", "Laplace")),
    Variant("mild covariance", spectrum="mild"),
    Variant("spiked covariance", spectrum="spiked"),
    Variant("mild covariance, 2 inner steps", ("inner_steps=2",), "mild"),
    Variant("Rademacher inputs, 2 inner steps", ("inputs=rademacher", "inner_steps=2")),
    Variant("noise-free validation", ("noise_val=0",)),
    Variant("reused data", ("split=reused",)),
    Variant("next order", ("order=next",)),
)


@dataclass(frozen=True)
class Entry:
    """One variant in one regime: the best rate (None: every rate), its loss, the slope at 0, the sampled loss there.

    reason: why nothing is derived, else empty.
    """

    label: str
    rate: float | None = None
    loss: float = float("nan")
    slope: float = float("nan")
    sampled: Estimate | None = None
    reason: str = ""


def covariance(spectrum: str, p: int) -> Array:
    """A diagonal Sigma of trace p: three eigenvalues around 1, or two large ones above many small."""
    if spectrum == "mild":
        return np.diag(np.resize(MILD, p))
    values = np.full(p, SPIKED[1])
    values[:SPIKES] = SPIKED[0]
    return np.diag(values * p / values.sum())


def setting_of(variant: Variant, base: Setting) -> Setting:
    """The problem of a variant at the sizes of `base`."""
    chosen = variant.assumptions
    found = replace(
        base,
        n_t=base.n_v if chosen.split == "reused" else base.n_t,
        **sampled_fields(chosen),
    )
    if variant.spectrum == "identity":
        return found
    tasks = base.nu**2 / base.p * np.eye(base.p)
    return replace(found, Sigma=covariance(variant.spectrum, base.p), Sigma_w=tasks)


def values_of(setting: Setting) -> Mapping[str, Given]:
    """The setting's numbers and matrices for the formulas, without the rate."""
    names = ("n_t", "n_v", "n_r", "m", "p", "sigma", "alpha_r")
    matrices = ("Sigma", "Sigma_w") if setting.Sigma is not None else ()
    values = {name: getattr(setting, name) for name in (*names, *matrices)}
    return values if matrices else {**values, "nu": setting.nu}


def name_of(variant: Variant, regime: Regime) -> str:
    """The equation whose formula applies."""
    return "eq14" if regime is Regime.OVER and variant.spectrum != "identity" else LOSS[regime]


def _key(variant: Variant, regime: Regime) -> store.Key:
    """The key of a variant's formula side: what the derivation of its loss reaches."""
    assumptions = variant.assumptions
    derived_by = keys_of(slug_of(name_of(variant, regime)), assumptions)["proof"].modules
    at = setting_of(variant, BASES[regime]).fingerprint
    return store.key("variant", [__name__, *derived_by], assumptions=assumptions.as_dict(), at=at)


def _by_formula(job: tuple[Variant, Regime]) -> Entry:
    """One variant in one regime by its formula, derived now."""
    variant, regime = job
    setting, name = setting_of(variant, BASES[regime]), name_of(variant, regime)
    try:
        best = optimum(name, values_of(setting), variant.assumptions)
        slope = slope_at_zero(name, values_of(setting), variant.assumptions)
    except (BadInput, Refused) as error:
        return Entry(variant.label, reason=str(error))
    return Entry(variant.label, best["alpha_t"], best["loss"], slope)


def _derived(jobs: Sequence[tuple[Variant, Regime]]) -> Iterator[Entry]:
    """Every variant by its formula: from the store, or derived on all cores and kept."""
    known = {job: store.load(_key(*job)) for job in jobs}
    # the more is changed the longer it takes, and the longest begin first
    missing = sorted((job for job in jobs if known[job] is None), key=_effort, reverse=True)
    with workers(len(missing)) as executor:
        for job, ended in executor.ended(_by_formula, missing):
            entry = ended.result()
            kept = {"rate": entry.rate, "loss": entry.loss, "slope": entry.slope}
            known[job] = {"reason": entry.reason} if entry.reason else kept
            store.save(_key(*job), known[job] or {})
    for job in jobs:
        yield Entry(job[0].label, **(known[job] or {}))


def _effort(job: tuple[Variant, Regime]) -> tuple[int, int]:
    """What a derivation takes, roughly: changes that add up, then inner steps."""
    variant, _ = job
    return len(variant.assumptions.changed()), variant.assumptions.inner_steps


@cache
def _found(regime: Regime, variants: Sequence[Variant] = VARIANTS) -> list[tuple[Entry, Task | None]]:
    """Every variant in the regime by its formula, with what is to be sampled there."""
    found: list[tuple[Entry, Task | None]] = []
    for variant, entry in zip(variants, _derived([(one, regime) for one in variants]), strict=True):
        setting = replace(setting_of(variant, BASES[regime]), alpha_t=entry.rate or 0.0)
        found.append((entry, None if entry.reason else task(setting, "conditional", 1)))
    return found


def wanted(regime: Regime) -> list[Task]:
    """What is sampled in a regime."""
    return [item for _, item in _found(regime) if item is not None]


@cache
def entries(regime: Regime, variants: Sequence[Variant] = VARIANTS) -> list[Entry]:
    """Every variant in the regime, losses sampled at the best rates; samples come from the store."""
    found = _found(regime, variants)
    estimates = iter(completed([item for _, item in found if item is not None], f"variants, {regime.title}"))
    return [entry if item is None else replace(entry, sampled=next(estimates)) for entry, item in found]
