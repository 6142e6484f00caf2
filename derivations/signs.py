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


def sign_verdict(value: float, stderr: float, stated: float) -> str:
    """Whether a sampled value has the stated sign, +1 or -1, by five standard errors.

    No other number is a sign: it disagrees with whatever is sampled.
    """
    if stated not in (1, -1):
        return "disagree"
    if not abs(value) > 5 * stderr:
        return "inconclusive"
    return "agree" if (value > 0) == (stated > 0) else "disagree"


def sign_check(
    label: str,
    places: Mapping[str, float],
    value: float,
    stderr: float,
    stated: float,
    *,
    said: str,
    draws: int,
    seconds: float,
) -> Check:
    """The sign of a sampled value as a check against the stated one; `said` names the value in the reason."""
    verdict = sign_verdict(value, stderr, stated)
    reason = f"{said} {value:.3g} +- {stderr:.2g}"
    if stated not in (1, -1):
        reason = f"{stated:g} is stated for a sign, which is 1 or -1; {reason}"
    elif verdict == "inconclusive":
        reason = f"{reason}: draw more"
    relative = stderr / abs(value) if value else float("inf")
    sampled = float((value > 0) - (value < 0))
    return Check(label, dict(places), float(stated), sampled, relative, draws, seconds, verdict, reason)


def difference_check(
    label: str, low: Setting, high: Setting, claimed: int, seed: int, *, rel_error: float = 0.002
) -> Check:
    """Whether the simulated loss rises (+1) or falls (-1) from one setting to the other, by five standard errors."""
    started = time.monotonic()
    first = simulated(low, "loss", rel_error, seed)
    second = simulated(high, "loss", rel_error, seed)
    gap = second.mean - first.mean
    stderr = float((first.stderr**2 + second.stderr**2) ** 0.5)
    changed = {
        f"{name} {end}": float(value)
        for name in ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_t", "alpha_r", "dist0_sq")
        if getattr(low, name) != getattr(high, name)
        for end, value in (("from", getattr(low, name)), ("to", getattr(high, name)))
    }
    return sign_check(
        label,
        changed,
        gap,
        stderr,
        claimed,
        said="the loss changes by",
        draws=first.draws + second.draws,
        seconds=time.monotonic() - started,
    )
