"""What the fixed-point equation of the proportional limit leaves out, bounded for given training inputs where the inner loop does not shrink.

    -  proportional-remainders  an exact equation for the variance of Tr R, and what bounds its terms

With R = (B_1 B_1^T)^-1, B_1 = X_v A, T = (I + kappa A^2)^-1 and delta = Tr R - kappa, as in `projection-by-parts`, let

    u = Tr A^2 T,    v = Tr A^2 X_v^T R X_v A^2 T,    rho = Tr A^2 X_v^T R^2 X_v A^2 T,    tau = Tr A^2 X_v^T R^3 X_v A^2 T.

By parts n_v = kappa u + u E delta - E delta v - E rho, and n_v E delta = E delta^2 (u - v) + kappa u E delta - E delta rho - 2 E tau. Let kappa be
the mean of Tr R, so that E delta = 0, and s^2 its variance. As kappa A^2 T = I - T,

    0 <= kappa v <= n_v,    0 <= kappa rho <= Tr R,    0 <= kappa tau <= Tr R^2,
    (1 + kappa)(u - v) = p - n_v + Tr (I - P)(A^2 - I) T,    P the projection on the rows of B_1.

Where A^2 - I is positive semidefinite, as at training rates of zero and below, this is at least p - n_v, and

    s^2 (p - n_v) / (1 + kappa) <= (s (kappa + s) + 2 E Tr R^2) / kappa,    |n_v - kappa u| <= n_v s / kappa + 1.

There R <= (X_v X_v^T)^-1, whose moments are known, and n_v / Tr A^2 <= kappa <= n_v / (p - n_v - 1): where n_v and p grow in proportion and Tr A^2
no faster, kappa stays between two positive numbers, E Tr R^2 is of order 1/p, and so is s: the equation n_v = kappa Tr A^2 T holds up to 1/p of itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sympy
from sympy import MatrixSymbol, Trace

from derivations.language import model
from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.symbols import alpha_t, kappa, n_t, n_v, p
from derivations.paper.beyond.one_task import Word
from derivations.paper.large_sizes.proportional_limit import (
    DATA,
    DEPENDS,
    FORM,
    INVERSE,
    KAPPA,
    LOOP,
    OWN_GRAM,
    PROJECTION,
    RESOLVENT,
    SHIFTED,
    SIZES,
    SQUARE,
    both_sides_checks,
    through_resolvent,
)
from derivations.steps.chain import Chain, Rule
from derivations.steps.domains import AT_POSITIVE_RATES, Where
from derivations.steps.held import Held
from derivations.steps.labels import BY_MOVES, Sign
from derivations.steps.rules.certified_signs import POSITIVE_RATES, Domain
from derivations.steps.rules.rotations import gram, replaced, rewritten
from derivations.steps.step import Check, Kind, Parts, Step
from symbolic.algebra.words import Expression, constant, identity, reciprocal, scalar, tr

DELTA = tr(INVERSE) - KAPPA
TIMES = r"\delta\,\mathrm{Tr}\,A^2X^{vT}RX^v"
BY_PARTS = rf"\mathbb{{E}}\,{TIMES}"
V, RHO, TAU = r"\kappa v", r"\kappa\rho", r"\kappa\tau"
FLOOR = r"(1+\kappa)(u-v)-\mathrm{Tr}\,(I-P)(A^2-I)T"
ROWS, REST, LOOPS = r"X^vA^2TX^{vT}", r"X^vTX^{vT}", r"\big[A^2-I\big]_{-\alpha_t}"
A, R, X, T = (("A_t", False), ("G_inverse", False), ("X_v", False), ("T_kappa", False))
X_T = ("X_v", True)
BETWEEN: dict[Word, Expression] = {
    (A, A, T, A, A): reciprocal("kappa") * (SQUARE - RESOLVENT @ SQUARE),
}
THROUGH: dict[Word, Expression] = {(A, A, T): reciprocal("kappa") * (identity("p") - RESOLVENT)}
OWN: dict[Word, Expression] = {(R, X, A, A, X_T): identity("n_v")}
INVERSES = {"T_kappa": SHIFTED, **OWN_GRAM}
POSITIVE = Domain(positive=frozenset({"kappa"}))


# -- the chain -----------------------------------------------------------------------------------------------


def _seen(power: int) -> Expression:
    """v, rho or tau: Tr A^2 X_v^T R^power X_v A^2 T."""
    return tr(SQUARE @ DATA.T @ INVERSE**power @ DATA @ SQUARE @ RESOLVENT)


@lru_cache(maxsize=2)
def remainders_chain(assumptions: Assumptions) -> Chain:
    """The equation for the variance, by parts, and what bounds its terms."""

    def cancel(chain: Chain, *patterns: Mapping[Word, Expression]) -> Chain:
        for pattern in patterns:
            rewritten(chain, Rule.CANCEL_INVERSE, pattern, inverses=INVERSES)
        return chain

    own = {"D_t": SQUARE}
    chain = cancel(Chain(DELTA * FORM).define(own), OWN).shows(TIMES)
    through_resolvent(chain.begin(DELTA * FORM)).define(own).shows(BY_PARTS)
    for power, label in enumerate((V, RHO, TAU), start=1):
        cancel(chain.begin(KAPPA * _seen(power)), BETWEEN, OWN).shows(label)
    u, traced = tr(SQUARE @ RESOLVENT), tr(RESOLVENT)
    apart = tr(SQUARE @ DATA.T @ INVERSE @ DATA @ RESOLVENT)
    chain.begin((constant(1) + KAPPA) * (u - _seen(1)) - (u - traced) + _seen(1) - apart)
    cancel(chain, THROUGH, OWN).shows(FLOOR)
    # T = T^2 + kappa T A^2 T, whose factors commute
    twice = {"T_kappa": RESOLVENT @ RESOLVENT + KAPPA * RESOLVENT @ SQUARE @ RESOLVENT}
    mirrored: dict[Word, Expression] = {
        (A, A, T, T): LOOP @ RESOLVENT @ RESOLVENT @ LOOP,
        (A, A, T, A, A, T): LOOP @ RESOLVENT @ SQUARE @ RESOLVENT @ LOOP,
    }
    replaced(chain.begin(DATA @ SQUARE @ RESOLVENT @ DATA.T), Rule.CANCEL_INVERSE, twice, inverses=INVERSES)
    gram(cancel(chain, mirrored).shows(ROWS), POSITIVE).shows_sign(Sign(ROWS))
    replaced(chain.begin(DATA @ RESOLVENT @ DATA.T), Rule.CANCEL_INVERSE, twice, inverses=INVERSES)
    gram(chain.shows(REST), POSITIVE).shows_sign(Sign(REST))
    return _loop(chain, assumptions)


def _loop(chain: Chain, assumptions: Assumptions) -> Chain:
    """A^2 - I at the rate of the other sign is a sum of Gram matrices."""
    contraction = model.task(assumptions).contraction

    def at_minus(word: Expression) -> Expression:
        return word.replace({"alpha_t": -scalar("alpha_t")})

    held = Held(assumptions, read=lambda loop: model.task(assumptions).x_v @ at_minus(loop))
    chain.begin(SQUARE - identity("p"))
    chain.insert({"A_t": at_minus(contraction)}, "stacked-design", held=held)
    return gram(chain.shows(LOOPS), POSITIVE_RATES).shows_sign(Sign(LOOPS))


def _claim() -> Parts:
    a, resolvent = MatrixSymbol("A_t", p, p), MatrixSymbol("T_kappa", p, p)
    x, inverse = MatrixSymbol("X_v", n_v, p), MatrixSymbol("G_inverse", n_v, n_v)
    trace, square = Trace(inverse), a * a
    delta = trace - kappa
    v, rho, tau = (Trace(square * x.T * inverse**k * x * square * resolvent) for k in (1, 2, 3))
    apart, apart_2, apart_3 = (Trace(square * x.T * inverse**k * x * resolvent) for k in (1, 2, 3))
    seen = MatrixSymbol("X_t", n_t, p)
    wishart, rate = seen.T * seen, alpha_t / n_t
    positive = {
        ROWS: x * a * resolvent**2 * a * x.T + kappa * x * a * resolvent * square * resolvent * a * x.T,
        REST: x * resolvent**2 * x.T + kappa * x * resolvent * square * resolvent * x.T,
        LOOPS: 2 * rate * wishart + rate**2 * wishart * wishart,
    }
    return {
        TIMES: n_v * delta,
        BY_PARTS: delta * trace * Trace(square * resolvent) - delta**2 * v - delta * rho - 2 * tau,
        V: n_v - apart,
        RHO: trace - apart_2,
        TAU: Trace(inverse * inverse) - apart_3,
        FLOOR: p - n_v,
        **positive,
        **{Sign(label, Where(positive=frozenset({"kappa"}))): sympy.Integer(1) for label in (ROWS, REST)},
        Sign(LOOPS, AT_POSITIVE_RATES): sympy.Integer(1),
    }


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The equation for the variance, sampled for fixed training inputs at three numbers kappa."""
    return both_sides_checks(
        step, assumptions, seed, BY_PARTS, DELTA * tr(SQUARE @ PROJECTION), (0.3, 0.8, 2.0)
    )


STEPS: tuple[Step, ...] = (
    Step(
        "proportional-remainders",
        (),
        Kind.BEYOND,
        "For given training inputs: an exact equation for the variance of Tr R, R = (B_1 B_1^T)^-1, and the identities and signs, at training rates of zero and below, by which "
        "the remainders of the fixed-point equation are bounded.",
        "beyond",
        uses=("projection-by-parts", "stacked-design", "gaussian-inputs"),
        depends_on=DEPENDS,
        claim=_claim,
        not_sampled=dict.fromkeys(_claim(), BY_MOVES),
        derivation=remainders_chain,
        check=_check,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="the deviation of Tr R from its mean times a trace that is n_v, by parts",
        remark="Here v, rho and tau are Tr A^2 X_v^T R^k X_v A^2 T for k = 1, 2, 3, u = Tr A^2 T, P is the projection on the rows of B_1 and kappa the mean of Tr R, so that delta has mean zero and "
        "E delta^2 (u - v) = E delta rho + 2 E tau. By the signs kappa rho is at most Tr R, kappa tau at most Tr R^2 and kappa v at most n_v, and (1 + kappa)(u - v) at least p - n_v. "
        "So (p - n_v) s^2 / (1 + kappa) is at most (s (kappa + s) + 2 E Tr R^2) / kappa with s^2 = E delta^2, and n_v differs from kappa Tr A^2 T by at most 1 + n_v s / kappa. As Tr R^2 is at most Tr (X_v X_v^T)^-2, of "
        "order 1/p, so is s: the equation holds up to 1/p of itself where Tr A^2 is of order p. These last lines are argued, no moves. That the eigenvalues of X_t^T X_t follow the law of Marchenko and Pastur is their theorem, "
        "not proved here; nor are positive rates covered, at which the inner loop may shrink rows to nothing.",
    ),
)
