"""Sign statements: the strict sign of a derived quantity, with the certificates that prove it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from types import MappingProxyType

import sympy

from derivations.ladder import simulated
from derivations.reading import scalar
from derivations.step import Check
from numeric_check.setting import Setting
from symbolic.positivity import Certificate, SignUnproved, prove_sign, recheck

# Dimensions are taken as positive real numbers, which includes every integer size; noise and variability are
# strictly positive; rates are real.
POSITIVE = frozenset({"n_t", "n_v", "n_r", "m", "p", "N", "sigma", "sigma_v", "nu", "dist0_sq", "room"})
BOUNDS = {name: Fraction(0) for name in POSITIVE}
NONZERO = frozenset({"alpha_t", "alpha_r"})


Found = tuple[sympy.Expr, int, Certificate]
_record: ContextVar[list[Found] | None] = ContextVar("record", default=None)


@contextmanager
def recording() -> Iterator[list[Found]]:
    """Inside, every sign that is proved is noted: the quantity, its sign, its certificate."""
    found: list[Found] = []
    token = _record.set(found)
    try:
        yield found
    finally:
        _record.reset(token)


def sign(
    quantity: sympy.Expr,
    at_least: Mapping[str, Fraction] = MappingProxyType({}),
    nonzero: frozenset[str] = NONZERO,
) -> tuple[int, Certificate]:
    """The strict sign of one derived quantity and its certificate, checked again from its own data.

    `at_least`: sizes for which more than positivity is used. `nonzero`: the rates taken not to vanish.
    """
    bounds, strict = {**BOUNDS, **at_least}, POSITIVE - set(at_least)
    found, certificate = prove_sign(scalar(quantity), bounds, strict, nonzero)
    if not recheck(certificate):
        raise SignUnproved("the certificate does not hold on its own")
    noted = _record.get()
    if noted is not None:
        noted.append((quantity, found, certificate))
    return found, certificate


def common_sign(terms: Iterable[sympy.Expr]) -> sympy.Integer:
    """The sign of a sum of terms that all have it; raises SignUnproved when two terms differ in sign."""
    signs = {sign(term)[0] for term in terms if term != 0}
    if len(signs) != 1:
        raise SignUnproved("the terms have different signs")
    return sympy.Integer(signs.pop())


def sign_check(
    label: str, sizes: Mapping[str, float], value: float, error: float, stated: int, draws: int
) -> Check:
    """Whether a sampled quantity has the stated sign, by five standard errors."""
    clear = abs(value) > 5 * error
    verdict = ("agree" if value * stated > 0 else "disagree") if clear else "inconclusive"
    seen = float((value > 0) - (value < 0))
    relative = error / abs(value) if value else float("inf")
    reason = f"sampled {value:.3g} +- {error:.2g}"
    return Check(label, sizes, float(stated), seen, relative, draws, 0.0, verdict, reason)


def difference_check(
    label: str, low: Setting, high: Setting, claimed: int, seed: int, *, rel_error: float = 0.002
) -> Check:
    """Whether the simulated loss rises (+1) or falls (-1) from one setting to the other, by five standard errors."""
    started = time.monotonic()
    first = simulated(low, "loss", rel_error, seed)
    second = simulated(high, "loss", rel_error, seed)
    gap = second.mean - first.mean
    stderr = float((first.stderr**2 + second.stderr**2) ** 0.5)
    if abs(gap) <= 5 * stderr:
        verdict, reason = "inconclusive", f"the loss changes by {gap:.3g} +- {stderr:.2g}: draw more"
    elif (gap > 0) == (claimed > 0):
        verdict, reason = "agree", f"the loss changes by {gap:.3g} +- {stderr:.2g}"
    else:
        verdict, reason = "disagree", f"the loss changes by {gap:.3g} +- {stderr:.2g}"
    changed = {
        f"{name} {end}": float(value)
        for name in ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq")
        if getattr(low, name) != getattr(high, name)
        for end, value in (("from", getattr(low, name)), ("to", getattr(high, name)))
    }
    seconds = time.monotonic() - started
    return Check(
        label, changed, float(claimed), gap / abs(gap) if gap else 0.0, stderr / abs(gap) if gap else float("inf"),
        first.draws + second.draws, seconds, verdict, reason,
    )  # fmt: skip
