"""All points as validation points: the best negative training rate against a rate of zero with n_t + n_v validation points of each task.

    -  all-points-at-zero  above p = (n_t + n_v) m + 1 they do harm, from the mean of the tasks; which is better at the paper's sizes

At a rate of zero no inner loop needs the training points: they may validate. Its loss is that of `exact-loss-at-zero` with
n_t + n_v in the place of n_v. The loss at a rate of zero with n_v points is more than that at the best negative rate
(`negative-rate-is-better`, `exact-slope-at-zero`), and the loss at any rate is at least that without the training data's label noise.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy

from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import label_noise
from derivations.paper.beyond.chains_at_zero import DEVIATIONS, LOSSES, divided_by, loss_at_zero_chain
from derivations.paper.beyond.exact_loss import loss_exact_chain
from derivations.paper.beyond.one_task import require_rotations
from derivations.paper.beyond.reduction import room_left
from derivations.paper.experiments.panels import FIGURE_2, figure
from derivations.steps.chain import Chain
from derivations.steps.chains.products import present
from derivations.steps.domains import Where
from derivations.steps.held import Held
from derivations.steps.labels import LOSS, Sign
from derivations.steps.rules.certified_signs import Domain, certify
from derivations.steps.rules.derivatives import at_zero, derivative
from derivations.steps.step import Check, Kind, Step
from derivations.support.estimates import simulated
from derivations.verification.growth import difference_check, sign_check
from numeric_check.problem.setting import Setting
from symbolic.algebra.words import Expression, constant, scalar

ALL = r"\bar L^{test}_{n_v\to n_t+n_v}(0)"
ABOVE = r"p>(n_t+n_v)m+1"
MORE = rf"\big[{ALL}-{LOSS}(0)\big]"
ROOM = {"p": "m*n_t + m*n_v + room + 1"}
FROM_MEAN = Sign(rf"{MORE}_{{{ABOVE},\,\omega_0=w_0}}", Where({**ROOM, "dist0_sq": "0"}))
WITH_START = Sign(rf"\partial_{{|\omega_0-w_0|^2}}{MORE}_{{{ABOVE}}}", Where(ROOM))
DEPENDS = ("inner_steps", "adaptation_steps", "inputs", "covariance", "split", "noise_val")
POINTS = scalar("n_t") + scalar("n_v")
LOSS_OF_ALL = {Regime.OVER: "loss_all", Regime.UNDER: "loss_all_below"}
PARAMETERS = ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_r", "dist0_sq")
AT_ZERO, AT_ANY = "exact-loss-at-zero", "exact-loss"
# at least one task and one validation point of it, and room above the number of all points
DOMAIN = Domain(
    at_least={"n_v": Fraction(1), "m": Fraction(1)},
    within={"p": POINTS * scalar("m") + constant(1) + scalar("room")},
)


@dataclass(frozen=True)
class Example:
    """A figure of the paper: its sizes, noise and start; and whether the negative rate is better there, or all points are than any rate."""

    name: str
    setting: Setting
    negative: bool

    @property
    def regime(self) -> Regime:
        """On which side of p the number of all points lies."""
        return (
            Regime.OVER
            if self.setting.p > (self.setting.n_t + self.setting.n_v) * self.setting.m
            else Regime.UNDER
        )

    @property
    def label(self) -> Sign:
        """The sign of what all points lose more than n_v of them at zero, or of what any rate loses more than all points."""
        rest = rf"{ALL}-{LOSS}(0)" if self.negative else rf"{LOSS}(\alpha_t)-{ALL}"
        there = {name: str(Fraction(str(getattr(self.setting, name)))) for name in PARAMETERS}
        return Sign(rf"\big[{rest}\big]_{{\text{{{self.name}}}}}", Where(there))

    @property
    def numbers(self) -> dict[str, Expression]:
        """What is put in."""
        return {name: constant(Fraction(str(getattr(self.setting, name)))) for name in PARAMETERS}


EXAMPLES = (
    Example("Figure 2", FIGURE_2, True),
    Example("Figure 6a", figure("figure6").panels[0].base, True),
    Example("Figure 6b", figure("figure6").panels[1].base, False),
)


# -- the proof ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Formula:
    """A loss in names, and what they stand for; with n_v validation points, or with all."""

    loss: Expression
    names: Mapping[str, Expression]

    def renamed(self, ending: str) -> _Formula:
        """With names that end so for what is divided by."""
        new = {name: f"{name}_{ending}" for name in self.names if name != "h_r"}
        loss = self.loss.replace({name: scalar(to) for name, to in new.items()})
        return _Formula(loss, {new.get(name, name): value for name, value in self.names.items()})

    def with_points(self, points: Expression) -> _Formula:
        """With another number of validation points."""
        by = {"n_v": points}
        names = {name: value.replace(present(value, by)) for name, value in self.names.items()}
        return _Formula(self.loss.replace(by), names)


def _at_zero(assumptions: Assumptions, regime: Regime) -> _Formula:
    """The exact loss at a rate of zero in a regime."""
    chain = loss_at_zero_chain(assumptions)
    place = next(k for k, labels in chain.shown.items() if LOSSES[regime] in labels)
    names = {**chain.numbers(), **divided_by(DEVIATIONS[regime](assumptions), assumptions)}
    loss = chain.moves[place - 1].after
    return _Formula(loss, present(loss, names))


def _at_any_rate(assumptions: Assumptions) -> _Formula:
    """The exact loss by one task's label noise."""
    exact = loss_exact_chain(assumptions)
    return _Formula(exact.result, {**exact.numbers(), "room": room_left()})


def _put(chain: Chain, name: str, formula: _Formula, step: str, assumptions: Assumptions) -> Chain:
    return chain.insert({name: formula.loss}, step, held=Held(assumptions, formula.names))


@lru_cache(maxsize=4)
def all_points_chain(assumptions: Assumptions) -> Chain:
    """The difference above p = (n_t + n_v) m + 1, its sign from the mean of the tasks, and signs at the paper's sizes."""
    require_rotations(assumptions)
    few, at_any = _at_zero(assumptions, Regime.OVER).renamed("few"), _at_any_rate(assumptions).renamed("few")
    chain, many = None, {}
    for regime in Regime:
        # as with n_v points, with a name for their number
        formula, name = _at_zero(assumptions, regime).renamed("all"), LOSS_OF_ALL[regime]
        held = Held(assumptions, formula.names, read=lambda loss: loss.replace({"n_all": scalar("n_v")}))
        chain = Chain(scalar(name)) if chain is None else chain.begin(scalar(name))
        chain.insert({name: formula.with_points(scalar("n_all")).loss}, AT_ZERO, held=held)
        many[regime] = _Formula(chain.define({"n_all": POINTS}).result, formula.with_points(POINTS).names)
    assert chain is not None
    for regime in Regime:
        name, formula = LOSS_OF_ALL[regime], many[regime]
        _put(chain.begin(scalar(name) - scalar("loss_few")), "loss_few", few, AT_ZERO, assumptions)
        difference, names = chain.insert({name: formula.loss}).result, {**few.names, **formula.names}
        if regime is Regime.OVER:
            at_zero(chain, ("dist0_sq",), names)
            certify(chain, names, domain=DOMAIN, apart=("h_r",)).shows_sign(FROM_MEAN)
            derivative(chain.begin(difference), "dist0_sq", names)
            certify(chain, names, domain=DOMAIN, apart=()).shows_sign(WITH_START)
        for example in EXAMPLES:
            if example.negative and example.regime is regime:
                _at(chain.begin(difference), example, names)
    for example in EXAMPLES:
        if not example.negative:
            name, formula = LOSS_OF_ALL[example.regime], many[example.regime]
            _put(chain.begin(scalar("loss_any") - scalar(name)), "loss_any", at_any, AT_ANY, assumptions)
            names = {**at_any.names, **formula.names}
            # a mean of squares is one
            chain.insert({name: formula.loss}).define({label_noise.name: scalar("y") ** 2})
            _at(chain, example, names)
    return chain


def _at(chain: Chain, example: Example, names: Mapping[str, Expression]) -> Chain:
    """The sign at the sizes of a figure."""
    numbers = example.numbers
    chain.insert(present(chain.result, numbers))
    return certify(chain, {**names, **numbers}, apart=()).shows_sign(example.label)


def _claim() -> dict[str, sympy.Basic]:
    positive = (FROM_MEAN, *(example.label for example in EXAMPLES))
    return {**dict.fromkeys(positive, sympy.Integer(1)), WITH_START: sympy.Integer(-1)}


# -- what sampling sees ---------------------------------------------------------------------------------------

NOISE: Mapping[str, Any] = {"n_r": 9, "alpha_r": 0.4, "alpha_t": 0.0}
PLACES = (
    Setting(n_t=1, n_v=3, m=3, p=22, sigma=0.8, nu=0.9, dist0_sq=2.0, **NOISE),
    Setting(n_t=2, n_v=2, m=4, p=26, sigma=0.6, nu=1.1, dist0_sq=1.5, **NOISE),
    Setting(n_t=3, n_v=4, m=2, p=24, sigma=1.1, nu=0.7, dist0_sq=3.0, **NOISE),
)
# of moves, at which both regimes have room
SIZES: tuple[Mapping[str, float], ...] = tuple(
    {**{name: float(getattr(one, name)) for name in PARAMETERS}, "room": 3.0} for one in PLACES
)
REL_ERROR = 0.002
# at the sizes of the figures the difference is large
EXAMPLE_ERROR = 0.006
RATES = (-1.0, 0.5)


def with_all(setting: Setting) -> Setting:
    """A rate of zero, with all points as validation points."""
    return replace(setting, n_v=setting.n_t + setting.n_v, alpha_t=0.0)


def _from_far(setting: Setting, stated: int, seed: int) -> Check:
    """By how much less all points lose more where training starts far from the mean of the tasks."""
    started, near = time.monotonic(), replace(setting, dist0_sq=0.0)
    seen = [simulated(x, "loss", REL_ERROR, seed) for one in (setting, near) for x in (with_all(one), one)]
    signs = (1, -1, -1, 1)
    change = sum(which * one.mean for which, one in zip(signs, seen, strict=True))
    return sign_check(
        str(WITH_START),
        {"dist0_sq from": 0.0, "dist0_sq to": setting.dist0_sq, "n_t": setting.n_t, "p": setting.p},
        change,
        sum(one.stderr**2 for one in seen) ** 0.5,
        stated,
        said="the difference changes by",
        draws=sum(one.draws for one in seen),
        seconds=time.monotonic() - started,
    )


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The sign from the mean of the tasks and how it changes with the start, at three sizes, and signs at the sizes of the figures."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    stated = {label: int(to_sympy(part)) for label, part in step.derive(assumptions).items()}
    found = [_from_far(setting, stated[WITH_START], seed) for setting in PLACES]
    for setting in PLACES:
        from_mean = replace(setting, dist0_sq=0.0)
        found.append(
            difference_check(str(FROM_MEAN), from_mean, with_all(from_mean), stated[FROM_MEAN], seed)
        )
    for example in EXAMPLES:
        sign, setting = stated[example.label], example.setting
        for rate in (0.0,) if example.negative else RATES:
            few, many = replace(setting, alpha_t=rate), with_all(setting)
            low, high = (few, many) if example.negative else (many, few)
            found.append(difference_check(str(example.label), low, high, sign, seed, rel_error=EXAMPLE_ERROR))
    return found


STEPS: tuple[Step, ...] = (
    Step(
        "all-points-at-zero",
        (),
        Kind.BEYOND,
        "All n_t + n_v points of each task as validation points at a training rate of zero, against n_v of them: above p = (n_t + n_v) m + 1 the exact loss "
        "with all of them is larger wherever training starts from the mean of the tasks, and the best negative rate is better still; so it is at the sizes of "
        "Figures 2 and 6a. At those of Figure 6b all points at a rate of zero are better than n_v of them at any rate.",
        "beyond",
        uses=("exact-loss-at-zero", "exact-loss", "negative-rate-is-better", "exact-slope-at-zero"),
        depends_on=DEPENDS,
        claim=_claim,
        derivation=all_points_chain,
        check=_check,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="the exact loss at zero with another number of validation points; certificates of signs",
        remark="Above p = (n_t + n_v) m + 1 the difference falls with the distance of the start from the mean of the tasks, so that from far away all points are better. That the best negative rate is "
        "better than a rate of zero with the same n_v points is the positive slope there. At the sizes of Figure 6b the loss is taken without one task's label noise, a mean of squares, with which "
        "it only rises: so no training rate, of either sign, does as well as all points at zero. Start and noise are those of the figures.",
    ),
)
