"""A negative rate is better: with one inner step the exact loss above p = n_v m, at every size.

-  negative-rate-is-better  the loss at a negative rate is below that at the positive one, at every size
"""

from __future__ import annotations

import time

import sympy
from sympy import MatrixSymbol

from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import alpha_t, n_t, n_v
from derivations.paper.beyond.one_task import draw, full_numbers, mean_of_inverse, one_task, rotations
from derivations.paper.beyond.reduction import DEPENDS, SIZES, one_task_chain, square
from derivations.steps.chain import Chain
from derivations.steps.domains import AT_POSITIVE_RATES
from derivations.steps.held import Held
from derivations.steps.labels import BY_MOVES, Sign
from derivations.steps.rules.certified_signs import POSITIVE_RATES
from derivations.steps.rules.rotations import gram
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.growth import sign_check
from numeric_check.draws.seeds import generator_for
from symbolic.algebra.words import Expression, scalar

BETTER = Sign(r"\bar L^{test}(\alpha_t)-\bar L^{test}(-\alpha_t)", AT_POSITIVE_RATES)


def _sign_chain(assumptions: Assumptions) -> Chain:
    """M(-a) - M(a) is a Gram matrix and K is even: Tr M^-1 K is smaller at -a, as inverses reverse the order."""
    shown = one_task_chain(assumptions).parts
    chain = Chain(square("M_minus") - square("M_plus"))
    m_words = shown["M"]
    k_words = one_task(assumptions).weight
    if not isinstance(m_words, Expression):
        raise NotDerivable("M is no polynomial in U and V")
    mean = {"mean_inverse": mean_of_inverse()}

    def at_minus(word: Expression) -> Expression:
        return word.replace({"alpha_t": -scalar("alpha_t")})

    def put(name: str, word: Expression) -> None:
        """A matrix at the rate, and at that of the other sign."""
        chain.insert({f"{name}_plus": word}, "two-small-matrices", held=Held(assumptions, mean))
        held = Held(assumptions, mean, read=at_minus)
        chain.insert({f"{name}_minus": at_minus(word)}, "two-small-matrices", held=held)

    put("M", m_words)
    chain.shows("M(-\\alpha_t)-M(\\alpha_t)")
    gram(chain, POSITIVE_RATES)
    chain.shows_sign(BETTER)
    chain.begin(square("K_minus") - square("K_plus"))
    put("K", k_words)
    return chain.shows("K(-\\alpha_t)-K(\\alpha_t)")


def _claim_sign() -> Parts:
    u = MatrixSymbol("U", n_t, n_v)
    return {
        "M(-\\alpha_t)-M(\\alpha_t)": 4 * alpha_t / n_t * u.T * u,
        BETTER: sympy.Integer(1),
        "K(-\\alpha_t)-K(\\alpha_t)": sympy.ZeroMatrix(n_v, n_v),
    }


def _check_sign(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """Tr M^-1 K at a positive rate minus that at its negative, draw by draw at the same U and V."""
    task = one_task(assumptions)
    found = []
    for rate, sizes in ((0.1, SIZES[0]), (0.7, SIZES[1]), (2.0, SIZES[2])):
        started = time.monotonic()
        given = {name: float(sizes[name]) for name in ("n_t", "n_v", "p")} | {"sigma": 1.0, "sigma_v": 1.0}
        plus, minus = (full_numbers({**given, "alpha_t": one}) for one in (rate, -rate))
        u, v = draw(generator_for(f"{step.name}/{seed}/{rate}"), task, plus, 20_000)
        gap = task.values(u, v, plus) - task.values(u, v, minus)
        stated = float(to_sympy(step.derive(assumptions)[BETTER])) if step.derive else 0.0
        worst = float(gap.min())
        found.append(
            sign_check(
                str(BETTER),
                {**given, "alpha_t": rate},
                worst,
                0.0,
                stated,
                said=f"the smallest difference in {len(gap)} draws is",
                draws=len(gap),
                seconds=time.monotonic() - started,
            )
        )
    return found


def one_step(assumptions: Assumptions) -> str | None:
    """Why the noise path is not even in the rate, or there is no reduction; None where it is."""
    reason = rotations(assumptions)
    if reason is None and (assumptions.inner_steps > 1 or assumptions.added):
        return (
            "with more inner steps the noise path is not even in the rate, and a positive rate can be better"
        )
    return reason


STEPS: tuple[Step, ...] = (
    Step(
        "negative-rate-is-better",
        (),
        Kind.BEYOND,
        "Above p = n_v m + 1, for label noise sigma > 0 and any alpha_t > 0, the average test loss at -alpha_t is below that "
        "at alpha_t, at every size: every global minimizer of the exact loss is negative.",
        "beyond",
        uses=("one-task-suffices", "two-small-matrices"),
        depends_on=DEPENDS,
        claim=_claim_sign,
        not_sampled=dict.fromkeys(_claim_sign(), BY_MOVES),
        derivation=_sign_chain,
        check=_check_sign,
        sizes=SIZES,
        applies=one_step,
        method="M(-a) - M(a) is a Gram matrix, K is even and positive, and inverses reverse the order",
        remark="What one task's label noise costs is less at -alpha_t draw by draw, before any average; of the loss with several tasks the "
        "mean is. With one task this needs no law of the inputs, if validation and training inputs are not orthogonal almost surely. "
        "Neither it nor the reduction uses more of the inputs' law than that rotations of their rows leave it as it is; it is carried out for Gaussian rows.",
    ),
)
