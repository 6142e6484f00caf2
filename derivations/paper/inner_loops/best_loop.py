"""The best inner loop for given data: an implicit gradient step with a negative rate, among all that are linear.

    -  best-inner-loop  label noise in units of a lower bound, as a square; with one validation point one loop attains it

What a linear inner loop makes of the training labels is seen by the validation inputs as some matrix Y, and B_1 = X_v - Y X_t where it
leaves a task's own parameters alone, as gradient descent does (`stacked-design`). For a number mu at least the largest eigenvalue of the
inputs of both kinds together, with Y = E - X_v X_t^T R and R = (mu I - X_t X_t^T)^-1,

    mu (I + Y Y^T) - B_1 B_1^T = E (mu I - X_t X_t^T) E^T + mu I - X_v T X_v^T,     T = (I - X_t^T X_t / mu)^-1,

both of whose parts are Gram matrices. So Tr (B_1 B_1^T)^-1 (I + Y Y^T) is at least n_v / mu. At E = 0 the rows are B_1 = X_v T: an
implicit gradient step, omega_1 = omega - alpha_t grad L(omega_1), with alpha_t = -n_t / mu. With one validation point and the largest
eigenvalue for mu the last part is zero, and the bound is attained.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import sympy
from sympy import Identity, MatrixSymbol, Symbol

from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import n_t, n_v, p
from derivations.paper.beyond.one_task import Word
from derivations.steps.chain import Chain, Rule
from derivations.steps.labels import BY_MOVES, Sign
from derivations.steps.rules.certified_signs import EVERYWHERE
from derivations.steps.rules.rotations import gram, replaced, rewritten
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.growth import sign_check
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.linear_loops import Shares, shares
from symbolic.algebra.words import Expression, gaussian, identity, matrix, reciprocal, scalar

DEPENDS = ("inputs", "covariance", "split", "noise_val")
SQUARE = r"\mu(I+YY^T)-B_1B_1^T"
ROWS = r"X^v-YX^t\big|_{E=0}"
IMPLICIT = r"T_\mu"
SPARE, THROUGH, REST, SQUARED = (
    r"\mu I-X^tX^{tT}",
    r"I-X^{tT}X^t/\mu",
    r"\mu I-X^vT_\mu X^{vT}",
    r"c^2JH^2J^T",
)
TEST, DATA = gaussian("X_v", "n_v", "p"), gaussian("X_t", "n_t", "p")
SEEN, APART = matrix("Y", "n_v", "n_t"), matrix("E_t", "n_v", "n_t")
RESOLVENT = matrix("R_mu", "n_t", "n_t", symmetric=True)
LOOP = matrix("T_mu", "p", "p", symmetric=True)
MU, ONE = scalar("mu"), identity("n_t")
# all inputs and what their Gram matrix lacks of mu I are N rows c O Q^T, O orthogonal, Q p x N: the first n_t of them c E Q^T, the others c E_perp Q^T
ROOT, FRAME, FIRST, OTHERS, TAKEN = (
    scalar("c"),
    matrix("Q_o", "p", "N"),
    matrix("E_o", "n_t", "N"),
    matrix("E_o_perp", "n_o", "N"),
    matrix("J_o", "n_v", "n_o"),
)
LEFT = matrix("H_o", "n_o", "n_o", symmetric=True)
FRAMES = {"Q_o": "Q_o_perp", "E_o": "E_o_perp", "J_o": "J_o_perp"}
FRAME_SIZES = (
    {"n_t": 2, "n_v": 1, "p": 3, "N": 6, "n_o": 4},
    {"n_t": 3, "n_v": 2, "p": 4, "N": 8, "n_o": 5},
)
INVERSES = {
    "R_mu": MU * ONE - DATA @ DATA.T,
    "T_mu": identity("p") - reciprocal("mu") * DATA.T @ DATA,
}


@lru_cache(maxsize=2)
def best_chain(assumptions: Assumptions) -> Chain:
    """The square, the rows where it vanishes, and the loop that has them."""
    at_best = -1 * TEST @ DATA.T @ RESOLVENT
    own = TEST - SEEN @ DATA
    chain = Chain(MU * (identity("n_v") + SEEN @ SEEN.T) - own @ own.T)
    chain.define({"Y": APART + at_best})
    cancelled: dict[Word, Expression] = {
        (("X_t", False), ("X_t", True), ("R_mu", False)): MU * RESOLVENT - ONE,
        (("R_mu", False), ("X_t", False), ("X_t", True)): MU * RESOLVENT - ONE,
    }
    inverses = {"R_mu": INVERSES["R_mu"]}
    rewritten(chain, Rule.CANCEL_INVERSE, cancelled, inverses=inverses).shows(SQUARE)
    chain.begin(TEST - SEEN @ DATA).define({"Y": at_best}).shows(ROWS)
    chain.begin(LOOP)
    put = identity("p") + DATA.T @ RESOLVENT @ DATA
    replaced(chain, Rule.CANCEL_INVERSE, {"T_mu": put}, inverses=INVERSES).shows(IMPLICIT)
    return _positive(chain)


def _positive(chain: Chain) -> Chain:
    """Both parts of the square, where mu I is at least the Gram matrix of all inputs."""
    inputs = {"X_t": ROOT * FIRST @ FRAME.T, "X_v": ROOT * TAKEN @ OTHERS @ FRAME.T, "mu": ROOT**2}

    def put(start: Expression, *names: str) -> Chain:
        return chain.begin(start).define({name: inputs[name] for name in names})

    def same(words: dict[Word, Expression], inverses: Mapping[str, Expression] | None = None) -> Chain:
        here = {name: rest for name, rest in FRAMES.items() if name in chain.result.letters()}
        return rewritten(chain, Rule.POLAR, words, inverses=inverses, frames=here, sizes=FRAME_SIZES)

    whole = identity("N")
    put(MU * ONE - DATA @ DATA.T, "X_t", "mu")
    beside = matrix("Q_o_perp", "q", "N")
    same(
        {(("Q_o", True), ("Q_o", False)): whole - beside.T @ beside, (("E_o", False), ("E_o", True)): ONE}
    ).shows(SPARE)
    gram(chain, EVERYWHERE).shows_sign(Sign(SPARE))
    put(identity("p") - reciprocal("mu") * DATA.T @ DATA, "X_t", "mu")
    same(
        {
            (("E_o", True), ("E_o", False)): whole - OTHERS.T @ OTHERS,
            (("Q_o", False), ("Q_o", True)): identity("p"),
        }
    )
    chain.shows(THROUGH)
    seen = OTHERS @ FRAME.T
    gram(chain.begin(ROOT**2 * TAKEN @ LEFT @ LEFT @ TAKEN.T), EVERYWHERE).shows_sign(Sign(SQUARED))
    chain.define({"H_o": identity("n_o") - seen @ LOOP @ seen.T})
    through: Word = (("T_mu", False), ("Q_o", False), ("E_o_perp", True), ("E_o_perp", False), ("Q_o", True))
    same(
        {through: identity("p"), (("J_o", False), ("J_o", True)): identity("n_v")}, {"T_mu": seen.T @ seen}
    ).shows(SQUARED)
    return put(MU * identity("n_v") - TEST @ LOOP @ TEST.T, "X_v", "mu").shows(REST)


def _claim() -> Parts:
    x_v, x_t = MatrixSymbol("X_v", n_v, p), MatrixSymbol("X_t", n_t, p)
    apart, resolvent = MatrixSymbol("E_t", n_v, n_t), MatrixSymbol("R_mu", n_t, n_t)
    mu, through = Symbol("mu"), x_t.T * resolvent * x_t
    return {
        SQUARE: apart * (mu * Identity(n_t) - x_t * x_t.T) * apart.T
        + mu * Identity(n_v)
        - x_v * x_v.T
        - x_v * through * x_v.T,
        ROWS: x_v + x_v * through,
        IMPLICIT: Identity(p) + through,
        **_claim_positive(),
    }


def _claim_positive() -> Parts:
    """In parts of an orthogonal matrix."""
    c, n, rest, more = (Symbol(name, positive=True) for name in ("c", "N", "n_o", "q"))
    frame, beside = MatrixSymbol("Q_o", p, n), MatrixSymbol("Q_o_perp", more, n)
    first, others, taken = (
        MatrixSymbol("E_o", n_t, n),
        MatrixSymbol("E_o_perp", rest, n),
        MatrixSymbol("J_o", n_v, rest),
    )
    seen = taken * others * frame.T
    remains = c**2 * Identity(n_v) - c**2 * seen * MatrixSymbol("T_mu", p, p) * seen.T
    return {
        SPARE: c**2 * first * beside.T * beside * first.T,
        Sign(SPARE): sympy.Integer(1),
        THROUGH: frame * others.T * others * frame.T,
        Sign(SQUARED): sympy.Integer(1),
        SQUARED: remains,
        REST: remains,
    }


# -- what sampling sees -------------------------------------------------------------------------------------

DRAWS = 4_000
PLACES: tuple[tuple[int, int, int], ...] = ((8, 1, 12), (5, 1, 16), (12, 1, 9))
ATTAINED = "the bound over the label noise of the implicit step"


@lru_cache(maxsize=8)
def _seen(text: str, place: tuple[int, int, int]) -> Shares:
    return shares(generator_for(text), *place, draws=DRAWS)


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The bound over the label noise, draw by draw: at most one for many loops, and one for the implicit step."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    derived, found = step.derive(assumptions), []
    # the bound holds where both parts of the square are positive
    stated = min(float(to_sympy(derived[Sign(part)])) for part in (SPARE, SQUARED))
    for place in PLACES:
        started, seen = time.monotonic(), _seen(f"{step.name}/{seed}", place)
        where = dict(zip(("n_t", "n_v", "p"), map(float, place), strict=True))
        worst = max(seen.others, key=lambda name: float(seen.others[name].max()))
        gap, count = 1 - float(seen.others[worst].max()), DRAWS * len(seen.others)
        seconds = time.monotonic() - started
        said = f"of {len(seen.others)} loops {worst} comes nearest, the least distance is"
        found.append(
            sign_check("1 - 1 / (mu noise)", where, gap, 0.0, stated, said=said, draws=count, seconds=seconds)
        )
        best = seen.implicit
        estimate = Estimate(float(best.mean()), float(best.std(ddof=1) / np.sqrt(best.size)), best.size)
        found.append(mean_check(ATTAINED, where, 1.0, estimate, time.monotonic() - started))
    return found


SIZES: tuple[Mapping[str, float], ...] = (
    {"n_v": 2, "p": 13, "n_t": 5, "mu": 60.0, "c": 7.0, "N": 20, "n_o": 15, "q": 7},
    {"n_v": 3, "p": 17, "n_t": 8, "mu": 90.0, "c": 9.0, "N": 28, "n_o": 20, "q": 11},
    {"n_v": 1, "p": 9, "n_t": 6, "mu": 45.0, "c": 6.0, "N": 16, "n_o": 10, "q": 7},
)
STEPS: tuple[Step, ...] = (
    Step(
        "best-inner-loop",
        (),
        Kind.BEYOND,
        "For given inputs of one task no linear inner loop that leaves the task's own parameters where they are makes its label noise Tr (B_1 B_1^T)^-1 (I + Y Y^T) less than n_v / mu, mu the "
        "largest eigenvalue of X_t^T X_t + X_v^T X_v; with one validation point one does, an implicit gradient step with the negative rate -n_t / mu.",
        "positive_rates",
        uses=("inner-loop", "stacked-design"),
        depends_on=DEPENDS,
        claim=_claim,
        not_sampled=dict.fromkeys(_claim(), BY_MOVES),
        derivation=best_chain,
        check=_check,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="a completed square in what the inner loop makes of the training labels",
        remark="No law of the inputs is used. mu I is at least the Gram matrix of all inputs, so that their rows, and those of what it lacks, are c Q^T with c^2 = mu and orthonormal rows of Q: the inputs are "
        "X_t = c O_1 Q^T and X_v = c J O_2 Q^T, the rows of O_1 and O_2 those of an orthogonal matrix, of J orthonormal. Then mu I - X_t X_t^T and mu I - X_v T X_v^T are Gram matrices; with one validation point the latter is zero where mu is the largest eigenvalue. "
        "The rate depends on the data, those of validation too: that no loop with one rate for "
        "all data is better than another is not said. The mean of 1 / mu is below the label noise of every loop, of any number of steps and any rate.",
    ),
)
