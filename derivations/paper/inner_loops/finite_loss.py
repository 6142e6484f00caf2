"""Where the exact loss is finite, with one to eight inner steps: bounds on one task's label noise, with means.

    -  exact-loss-finite  at rates of zero and below always; at every rate for p > n_t + n_v + 1; with one validation point at every
       rate wherever exact-loss-infinite does not say otherwise

The label noise of one task is the mean of Tr (B_1 B_1^T)^-1 Gamma_z (`one-task-suffices`). At negative rates B_1 B_1^T is at least
X_v X_v^T. What the training inputs do not reach, the inner loop leaves alone: with the projection Pi on it,
B_1 Pi B_1^T = X_v Pi X_v^T is a Wishart matrix of p - n_t degrees of freedom, independent of the training labels' noise in Gamma_z. With
one validation point B_1 B_1^T is a sum of w_k u_k^(2 K) and at least a product of their powers, with which the j-th nearest eigenvalue to zero,
of density u^(j-1), and the chi-square variables w_k have means.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache, lru_cache

import numpy as np
import sympy
from sympy import MatrixSymbol, Symbol, Trace

from derivations.language import model
from derivations.language.assumptions import Assumptions, unchanged
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import alpha_t, n_t, n_v, p, sigma
from derivations.paper.beyond.one_task import Word, require_rotations
from derivations.paper.beyond.reduction import OWN, square
from derivations.paper.inner_loops.near_singular import (
    MOST_STEPS,
    finite_places,
    powers,
    squared_row,
    weight,
)
from derivations.paper.outer_problem import target_covariance
from derivations.paper.theorem1.inverse_traces import mean_trace_of_inverse
from derivations.steps.chain import Chain, Rule
from derivations.steps.domains import AT_POSITIVE_RATES
from derivations.steps.held import Held
from derivations.steps.labels import BY_MOVES, Sign
from derivations.steps.rules.certified_signs import EVERYWHERE, POSITIVE_RATES
from derivations.steps.rules.exact_routes import inverse_of_chi_square
from derivations.steps.rules.rotations import (
    Weighted,
    by_moment,
    gram,
    linear_image,
    quotient,
    rewritten,
)
from derivations.steps.rules.single_row.eigenvalues import at_most_powers, shrinkages, weights
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.growth import sign_check
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.unreached import Traces, traces
from symbolic.algebra.matrices import multiple
from symbolic.algebra.words import Expression, constant, gaussian, identity, matrix, scalar, tr

STEPS_OF_INNER_LOOP = (1, 2, 3, 4)
AT_NEGATIVE_RATES = tuple(range(1, MOST_STEPS + 1))
PLACES_OF_ONE_ROW = tuple(finite_places())
DEPENDS = ("inputs", "covariance", "split", "noise_val")
INPUTS, DATA = gaussian("X_v", "n_v", "p"), gaussian("X_t", "n_t", "p")
UNREACHED = matrix("Pi", "p", "p", symmetric=True)
# X_t = L Q; Y and Z are what X_v has along the rows of Q and across them
FRAME, ROOT = matrix("Q", "n_t", "p"), matrix("L", "n_t", "n_t", symmetric=True)
ACROSS, Z_INVERSE = gaussian("Z", "n_v", "q"), square("Z_inverse")
IN_FRAME = {"Q": "Q_perp"}
# n_t, n_v, p at which the two sides of moves are compared: q = p - n_t here
PLACES: tuple[Mapping[str, int], ...] = (
    {"n_v": 2, "q": 6, "p": 9, "n_t": 3},
    {"n_v": 1, "q": 4, "p": 6, "n_t": 2},
    {"n_v": 3, "q": 7, "p": 8, "n_t": 1},
)


def _steps(steps: int) -> str:
    return rf"{steps}\text{{ step{'' if steps == 1 else 's'}}}"


def grown(steps: int) -> str:
    """What of B_1 B_1^T is more than X_v X_v^T at a negative rate."""
    return rf"\big[B_1B_1^T-X^vX^{{vT}}\big]_{{{_steps(steps)},\,-\alpha_t}}"


def left_alone(steps: int) -> str:
    """B_1 Pi B_1^T."""
    return rf"\big[B_1\Pi B_1^T\big]_{{{_steps(steps)}}}"


def mean_bound(steps: int) -> str:
    """The mean of Tr (B_1 Pi B_1^T)^-1 Gamma_z over the validation inputs."""
    return rf"\mathbb{{E}}_{{X^v}}\mathrm{{Tr}}\,\big[(B_1\Pi B_1^T)^{{-1}}\Gamma_z\big]_{{{_steps(steps)}}}"


def power_of_inverse(steps: int, size: int, reached: int) -> str:
    """A power of one over B_1 B_1^T, for one validation point."""
    power, points = weight(steps, size, reached), "" if reached == size else rf",\,n_t\le{reached}"
    return rf"\big[(B_1B_1^T)^{{-{power}}}\big]_{{{_steps(steps)},\,p={size}{points}}}"


REACHED = r"B_1B_1^T-B_1\Pi B_1^T"
MORE_REACHED = Sign(rf"\big[{REACHED}\big]")
WHOLE = r"\mathbb{E}\,\mathrm{Tr}\,\big[(B_1\Pi B_1^T)^{-1}\Gamma_z\big]_{1\text{ step}}"


@lru_cache(maxsize=2)
def finite_chain(assumptions: Assumptions) -> Chain:
    """The three bounds, and their means."""
    require_rotations(assumptions)
    chain = Chain(OWN @ OWN.T - INPUTS @ INPUTS.T)
    for steps in AT_NEGATIVE_RATES:
        _below_zero(chain, replace(assumptions, inner_steps=steps), steps)
    for steps in STEPS_OF_INNER_LOOP:
        _unreached(chain, replace(assumptions, inner_steps=steps), steps)
    chain.begin(OWN @ OWN.T - OWN @ UNREACHED @ OWN.T).define({"Pi": identity("p") - FRAME.T @ FRAME})
    gram(chain.shows(REACHED), EVERYWHERE).shows_sign(MORE_REACHED)
    for steps in STEPS_OF_INNER_LOOP:
        _mean(chain, replace(assumptions, inner_steps=steps), steps)
    for place in PLACES_OF_ONE_ROW:
        _product_of_powers(chain, *place)
    return chain


def _below_zero(chain: Chain, under: Assumptions, steps: int) -> Chain:
    def at_minus(word: Expression) -> Expression:
        return word.replace({"alpha_t": -scalar("alpha_t")})

    design = at_minus(model.task(under).design)
    chain.begin(OWN @ OWN.T - INPUTS @ INPUTS.T, under)
    chain.insert({"B_1": design}, "stacked-design", held=Held(under, read=at_minus))
    return gram(chain.shows(grown(steps)), POSITIVE_RATES).shows_sign(Sign(grown(steps)))


def _unreached(chain: Chain, under: Assumptions, steps: int) -> Chain:
    design = model.task(under).design
    chain.begin(OWN @ UNREACHED @ OWN.T, under)
    chain.insert({"B_1": design}, "stacked-design", held=Held(under))
    chain.define({"Pi": identity("p") - FRAME.T @ FRAME})
    return _turned(chain).shows(left_alone(steps))


def _turned(chain: Chain) -> Chain:
    """X_t = L Q with L^2 = X_t X_t^T; what X_v has along the rows of Q and across them are independent Gaussian matrices."""
    patterns: dict[Word, Expression] = {
        (("X_t", False),): ROOT @ FRAME,
        (("X_t", True),): FRAME.T @ ROOT,
        (("Q", False), ("Q", True)): identity("n_t"),
    }
    rewritten(chain, Rule.POLAR, patterns, values={"X_t": ROOT @ FRAME}, frames=IN_FRAME, sizes=PLACES)
    return linear_image(chain, "X_v", "Q", "Q_perp", "Y", "Z", "gaussian-inputs", sizes=PLACES)


def _mean(chain: Chain, under: Assumptions, steps: int) -> Chain:
    noise = target_covariance(under).replace({"nu": constant(0)})
    alone = Held(under, where={"nu": constant(0)})
    chain.begin(tr(Z_INVERSE @ square("Gamma_z")), under)
    _turned(chain.insert({"Gamma_z": noise}, "target-covariance", held=alone))
    mean, free = quotient(mean_trace_of_inverse(n_v, p - n_t) / n_v, "unreached")
    by_moment(
        chain,
        Rule.INVERSE_MEAN,
        lambda before: before.replace({"Z_inverse": mean * identity("n_v")}),
        _by_single_rows,
        ("Z",),
        "inverse-wishart-mean",
        values={"unreached": free},
        inverses={"Z_inverse": ACROSS @ ACROSS.T},
        sizes=PLACES,
    )
    chain.average("Y", reads=("gaussian-inputs",))
    squared: dict[Word, Expression] = {(("L", False), ("L", False)): DATA @ DATA.T}
    rewritten(chain, Rule.POLAR, squared, values={"X_t": ROOT @ FRAME}, frames=IN_FRAME, sizes=PLACES)
    chain.shows(mean_bound(steps), {"unreached": free})
    return chain.average("X_t").shows(WHOLE, {"unreached": free}) if steps == 1 else chain


def _by_single_rows(sizes: Mapping[str, int]) -> Weighted:
    """A diagonal element of the inverse is one over a chi-square variable with p - n_t - n_v + 1 degrees of freedom."""
    rows = sizes["n_v"]
    return [(inverse_of_chi_square(sizes["q"] - rows + 1), {"Z_inverse": multiple(rows, Fraction(1))})]


def _product_of_powers(chain: Chain, steps: int, size: int, reached: int) -> Chain:
    own, shares = squared_row(chain, steps, size, reached), map(scalar, weights(size))
    squares = [scalar(name) ** (2 * steps) for name in shrinkages(reached)]
    squares += [constant(1)] * (size - reached)
    parts = [w * one for w, one in zip(shares, squares, strict=True)]
    chain.begin(scalar("R") ** weight(steps, size, reached))
    at_most_powers(chain, "R", "G_1", own, [*zip(parts, powers(steps, size, reached), strict=True)])
    return chain.shows(power_of_inverse(steps, size, reached))


# -- what is claimed ----------------------------------------------------------------------------------------


@cache
def _claim() -> Parts:
    x_v, x_t = MatrixSymbol("X_v", n_v, p), MatrixSymbol("X_t", n_t, p)
    z, q = MatrixSymbol("Z", n_v, Symbol("q", positive=True)), MatrixSymbol("Q", n_t, p)
    own, rate, found = MatrixSymbol("B_1", n_v, p), alpha_t / n_t, dict[str, sympy.Basic]()
    for k in AT_NEGATIVE_RATES:
        words = [x_v * (x_t.T * x_t) ** j * x_v.T for j in range(2 * k + 1)]
        found[grown(k)] = sympy.Add(
            *(sympy.binomial(2 * k, j) * rate**j * words[j] for j in range(1, 2 * k + 1)), evaluate=False
        ).doit()
        found[Sign(grown(k), AT_POSITIVE_RATES)] = sympy.Integer(1)
    found |= {left_alone(k): z * z.T for k in STEPS_OF_INNER_LOOP}
    found |= {REACHED: own * q.T * q * own.T, MORE_REACHED: sympy.Integer(1)}
    x, share = Symbol("x"), sigma**2 * n_v / (p - n_t - n_v - 1)
    for k in STEPS_OF_INNER_LOOP:
        passed = sympy.Poly(sympy.expand(sympy.cancel((1 - (1 - x) ** k) ** 2 / x)), x)
        noise = sum(c * rate ** (j + 1) * Trace((x_t * x_t.T) ** j) for (j,), c in passed.terms())
        found[mean_bound(k)] = share * (1 + noise)
    found[WHOLE] = share * (1 + alpha_t**2 * p / n_t)
    for steps, size, reached in PLACES_OF_ONE_ROW:
        bound = sympy.Integer(1)
        for j in range(1, size + 1):
            near = Symbol(f"u_{j}") if j <= reached else 1
            bound /= (Symbol(f"w_{j}") * near ** (2 * steps)) ** (min(j, steps) if j <= reached else steps)
        found[power_of_inverse(steps, size, reached)] = bound
    return found


# -- what sampling sees -------------------------------------------------------------------------------------

DRAWS, MORE, LEVEL = 1_000, 60_000, 0.8
# n_t, n_v, p and rates at which the mean of the bound is sampled
WHOLE_AT: tuple[tuple[int, int, int, float], ...] = ((4, 3, 34, 0.7), (6, 2, 38, -1.3), (5, 3, 41, 2.0))


@lru_cache(maxsize=16)
def _seen(text: str, place: tuple[int, int, int, int, float], draws: int) -> Traces:
    """Traces at n_t, n_v, p, inner steps and a rate: the same draws whatever is stated."""
    return traces(generator_for(text), *place, draws)


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """Every bound against draws from definitions: the least eigenvalues, the traces draw by draw, and the means."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    stated, found = step.derive(assumptions), list[Check]()
    text = f"{step.name}/{seed}"

    def signed(label: Sign, gap: float, place: tuple[int, int, int, int, float], started: float) -> None:
        part, seconds = float(to_sympy(stated[label])), time.monotonic() - started
        found.append(
            sign_check(
                label, _where(place), gap, 0.0, part, said="the least is", draws=DRAWS, seconds=seconds
            )
        )

    for k in STEPS_OF_INNER_LOOP:
        started, below, above = time.monotonic(), (7, 3, 12, k, -0.4), (6, 2, 15, k, 0.9)
        signed(Sign(grown(k)), float(_seen(text, below, DRAWS).grown.min()), below, started)
        seen = _seen(text, above, DRAWS)
        signed(MORE_REACHED, float((seen.unreached - seen.noise).min()), above, started)
    for n, rows, size, rate in WHOLE_AT:
        started, place = time.monotonic(), (n, rows, size, 1, rate)
        drawn = LEVEL**2 * _seen(text, place, MORE).unreached
        value = float(to_sympy(stated[WHOLE]).subs({n_t: n, n_v: rows, p: size, alpha_t: rate, sigma: LEVEL}))
        estimate = Estimate(float(drawn.mean()), float(drawn.std(ddof=1) / np.sqrt(len(drawn))), len(drawn))
        found.append(mean_check(WHOLE, _where(place), value, estimate, time.monotonic() - started))
    return found


def _where(place: tuple[int, int, int, int, float]) -> dict[str, float]:
    names = ("n_t", "n_v", "p", "inner_steps", "alpha_t")
    return {name: float(value) for name, value in zip(names, place, strict=True)}


SIZES: tuple[Mapping[str, float], ...] = tuple(
    {**place, "alpha_t": rate, "sigma": 0.8} for place, rate in zip(PLACES, (0.4, -0.5, 0.7), strict=True)
)
_WORDS = [
    *(label for k in AT_NEGATIVE_RATES for label in (grown(k), Sign(grown(k)))),
    *(label for k in STEPS_OF_INNER_LOOP for label in (left_alone(k), mean_bound(k))),
    *(power_of_inverse(*place) for place in PLACES_OF_ONE_ROW),
]
STEPS: tuple[Step, ...] = (
    Step(
        "exact-loss-finite",
        (),
        Kind.BEYOND,
        "With up to eight inner steps and p > n_v m + 1 the exact loss is finite at every training rate of zero or below; with up to four at every rate where p > n_t + n_v + 1; and "
        "with one validation point of each task at every rate, but for p = 3 with three steps or more and n_t >= 2, p = 4 with five and n_t >= 4 or six or more and n_t >= 3, and p = 5 with eight and n_t >= 5.",
        "beyond",
        uses=(
            "stacked-design",
            "target-covariance",
            "gaussian-inputs",
            "inverse-wishart-mean",
            "one-task-suffices",
            "two-small-matrices",
        ),
        depends_on=DEPENDS,
        claim=_claim,
        not_sampled=dict.fromkeys((*_WORDS, REACHED, MORE_REACHED), BY_MOVES),
        derivation=finite_chain,
        check=_check,
        sizes=SIZES,
        applies=unchanged(DEPENDS),
        method="B_1 B_1^T is at least a matrix whose inverse has a mean: a Gram matrix is what is more, or a sum is at least a product of powers",
        remark="Pi projects on what the training inputs do not reach, q = p - n_t dimensions. With one validation point 1 / B_1 B_1^T is at most the T-th root of the product shown, for larger p "
        "too, as terms of the sum left out are positive. Eigenvalues ordered by |u_1| <= |u_2| <= ... have a density of at most a constant times the product of |u_j|^(j-1), so that its mean is finite: "
        "T > 2 K leaves |u_j| a power above -1, and w_j one above -1/2. Gamma_z is at most a multiple of 1 + X_v X_v^T + B_1 B_1^T, as (1 - u^K)^2 / (1 - u) is of less degree than u^(2 K). With more validation points "
        "p - n_v + 1 stands for p: the squared distance of a row of B_1 from the span of the others is a form whose eigenvalues are, by interlacing, at least the least p - n_v + 1 of the u_k^(2 K). That is no move here.",
    ),
)
