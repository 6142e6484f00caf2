"""The average test loss and its slope in the training rate at zero, exactly, in both regimes, for Gaussian inputs.

    -  deviation-at-zero-overparameterized         E|omega_star - w_0|^2 at alpha_t = 0, p > n_v m + 1
    -  deviation-at-zero-underparameterized        the same for p < n_v m - 1
    -  exact-loss-at-zero                          the average test loss there, in both regimes
    -  deviation-slope-at-zero-overparameterized   the derivative of E|omega_star - w_0|^2, p > n_v m + 1
    -  deviation-slope-at-zero-underparameterized  the same for p < n_v m - 1
    -  exact-slope-at-zero                         the derivative of the average test loss, in both regimes

At alpha_t = 0 the rows of B are the validation inputs. Below p = n_v m with S = X^T X = L^2 the rows X = Q^T L have a uniform
frame Q, independent of S; E, the rows of one task among all N, is a frame too. The first derivative is linear in the
Gram matrices X_t^T X_t of the tasks, which may be averaged alone. Means of inverses exist with one row or parameter to spare.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import sympy

from derivations.language import model
from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import N, alpha_r, dist0_sq, m, n_r, n_v, nu, p, sigma
from derivations.language.values import evaluate
from derivations.paper.beyond.one_task import require_rotations, rotations
from derivations.paper.outer_problem import target_covariance
from derivations.paper.target_task import loss_chain, loss_coefficients
from derivations.paper.theorem1.concentration import EXCESS, GAP, H_R, adaptation_chain
from derivations.paper.theorem1.exact_haar import mean_trace_of_inverse, mean_traces_of_both
from derivations.paper.theorem1.reused_data import at_rate_zero, noise_level
from derivations.paper.theorem2.expansion import second_moment
from derivations.steps.chain import Chain, Rule, Tasks, by_powers, derived_by, in_place_of
from derivations.steps.labels import LOSS_AT_ZERO, InRegime
from derivations.steps.rules import haar, solutions, word_slopes
from derivations.steps.rules.rotations import TALL, by_moment, quotient, rewritten
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.verification.growth import simulated
from derivations.verification.sampled_problem import sampled_fields
from numeric_check.estimators.simulation import Quantity
from numeric_check.problem.setting import Setting
from numeric_check.verdicts.verdict import judge
from symbolic.algebra.words import (
    Expression,
    constant,
    gaussian,
    identity,
    matrix,
    polynomial,
    reciprocal,
    scalar,
    tr,
)
from symbolic.averages.expectation import expect

DEPENDS = ("inner_steps", "adaptation_steps", "inputs", "covariance", "split", "noise_val")
SLOPE = r"\partial_{\alpha_t}\mathbb{E}|\omega^\star-w_0|^2"
LOSS_SLOPE = r"\partial_{\alpha_t}\bar L^{test}(0)"
LOSSES, SLOPES = (
    {regime: InRegime(quantity, regime) for regime in Regime} for quantity in (LOSS_AT_ZERO, LOSS_SLOPE)
)
OVER_SIZES: tuple[Mapping[str, float], ...] = (
    {"n_t": 40, "n_v": 2, "m": 2, "N": 4, "p": 21, "sigma": 0.8, "nu": 0.5, "dist0_sq": 0.6},
    {"n_t": 60, "n_v": 3, "m": 2, "N": 6, "p": 28, "sigma": 0.6, "nu": 0.4, "dist0_sq": 0.4},
    {"n_t": 50, "n_v": 1, "m": 4, "N": 4, "p": 25, "sigma": 1.1, "nu": 0.7, "dist0_sq": 0.9},
)
UNDER_SIZES: tuple[Mapping[str, float], ...] = (
    {"n_t": 50, "n_v": 9, "m": 3, "N": 27, "p": 4, "sigma": 0.8, "nu": 0.4},
    {"n_t": 40, "n_v": 12, "m": 2, "N": 24, "p": 3, "sigma": 0.6, "nu": 0.3},
    {"n_t": 60, "n_v": 7, "m": 4, "N": 28, "p": 5, "sigma": 1.1, "nu": 0.6},
)


def _square(name: str, size: str) -> Expression:
    return matrix(name, size, size, symmetric=True)


DESIGN, GAMMA, OWN = matrix("B", "N", "p"), _square("Gamma", "N"), _square(haar.OWN, "N")
WIDE, TALL_INVERSE = _square("BBT_inverse", "N"), _square("BTB_inverse", "p")
ROWS, S = gaussian("X", "N", "p"), _square("S", "p")


def tasks(assumptions: Assumptions) -> Tasks:
    """The blocks of B, Gamma and B B^T at alpha_t = 0, and the derivatives of the first two there."""

    def in_rate(of: Callable[[str], Expression], power: int) -> Callable[[str], Expression]:
        return lambda label: word_slopes.coefficient(of(label), "alpha_t", power)

    def design(label: str) -> Expression:
        return model.task(assumptions, label).design

    def noise(label: str) -> Expression:
        return target_covariance(assumptions, label, label)

    def own(label: str) -> Expression:
        return in_rate(design, 0)(label) @ in_rate(design, 0)(label).T

    return Tasks(
        {
            "B": in_rate(design, 0),
            "B_dot": in_rate(design, 1),
            "Gamma": in_rate(noise, 0),
            "Gamma_dot": in_rate(noise, 1),
            haar.OWN: own,
        }
    )


def _parts_of_noise(assumptions: Assumptions) -> Expression:
    """Gamma at alpha_t = 0: label noise, and the tasks' variability."""
    return noise_level(assumptions) ** 2 * identity("N") + scalar("nu") ** 2 * reciprocal("p") * OWN


# -- moments ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def beta_moments() -> tuple[sympy.Expr, sympy.Expr]:
    """a, b of E Pi D Pi = a D + b Tr(D) I for Pi = Q E^T E Q^T, by the engine.

    S_1 = L Pi L is what one task adds to S = L^2, independent of Pi: E S_1 D S_1 = a E S D S + b E Tr(S D) S.
    """
    d = matrix("D", "p", "p", symmetric=True)

    def of(word: Expression) -> tuple[sympy.Expr, sympy.Expr]:
        """The multiples of D and of Tr(D) I in the mean of a word."""
        mean = expect(word)
        whole, trace = (to_sympy(_multiple(mean, like)) for like in (d, tr(d) * identity("p")))
        return whole, trace

    one, all_rows = gaussian("Y", "n_v", "p"), gaussian("X", "N", "p")
    own, whole = one.T @ one, all_rows.T @ all_rows
    left, first, second = of(own @ d @ own), of(whole @ d @ whole), of(tr(whole @ d) * whole)
    a, b = sympy.symbols("a b")
    found = sympy.solve([a * x + b * y - z for x, y, z in zip(first, second, left, strict=True)], [a, b])
    return sympy.factor(found[a]), sympy.factor(found[b])


def _multiple(mean: Expression, like: Expression) -> Expression:
    ((term, _),) = like.terms.items()
    return polynomial(mean.terms[term]) if term in mean.terms else constant(0)


def other_beta_moments(moments: tuple[sympy.Expr, sympy.Expr]) -> str:
    """Why the moments disagree with degrees of freedom; nothing if they agree.

    A diagonal element of Pi is the squared length of the first n_v of N coordinates of a uniform unit vector h, a beta
    variable; given it, another row of Q is uniform on the unit sphere orthogonal to h, in N - 1 dimensions.
    """
    a, b = moments
    half, k = sympy.Rational(1, 2), sympy.Symbol("k", positive=True)
    ratio = sympy.gamma(n_v / 2 + k) / sympy.gamma(n_v / 2) * sympy.gamma(N / 2) / sympy.gamma(N / 2 + k)
    first, second = (sympy.gammasimp(ratio.subs(k, order)) for order in (1, 2))
    diagonal, beside = second, (first - second) / (N - 1)
    same = all(sympy.cancel(gap) == 0 for gap in (a + b - diagonal, b - beside, half - half))
    return "" if same else "the moments of a beta variable give others"


def other_inverse_means(trace: sympy.Expr, both: sympy.Expr) -> str:
    """Why E Tr S^-1 and E Tr S Tr S^-1 disagree with single columns; nothing if they agree.

    One over a diagonal element of S^-1 is the squared distance of a column from the others, chi-square with N - p + 1
    degrees of freedom; its share of the squared length of that column has a beta law, and other columns are independent.
    """
    chi = 1 / (N - p - 1)
    low, high = (N - p + 1) / 2, (p - 1) / 2
    own = (low + high - 1) / (low - 1)  # the mean of one over a beta variable
    columns = p * own + p * (p - 1) * N * chi
    same = all(sympy.cancel(gap) == 0 for gap in (trace - p * chi, both - columns))
    return "" if same else "with single columns the means are others"


def _by_inverse_means(chain: Chain, inverse: Expression, *reads: str) -> Chain:
    """Tr S^-1 and Tr S Tr S^-1 averaged over plain rows, more of them than parameters."""
    trace, both = mean_trace_of_inverse(p, N), mean_traces_of_both(p, N)
    (mean, spare), (product, same) = (quotient(value, "spare", N) for value in (trace, both))
    if spare != same:
        raise ArithmeticError("the two means have different denominators")

    names = {tr(S): "trace_s", tr(inverse): "trace_inverse"}

    def put(before: Expression) -> Expression:
        for one, name in names.items():
            before = in_place_of(one, scalar(name), before)
        total = constant(0)
        values = {(0, 0): constant(1), (0, 1): mean, (1, 1): product}
        for (of_s, of_inverse), rest in by_powers(before, [*names.values()]).items():
            total = total + values[of_s, of_inverse] * rest
        return total

    gram, here = ROWS.T @ ROWS, chain.result.letters()
    return by_moment(
        chain,
        Rule.WISHART,
        put,
        lambda: other_inverse_means(trace, both),
        ("X",),
        *reads,
        values={"spare": spare, **({"S": gram} if "S" in here else {})},
        inverses=dict.fromkeys(inverse.letters(), gram),
    )


# -- the deviation ------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def over_chain(assumptions: Assumptions) -> Chain:
    """(74) at alpha_t = 0, averaged exactly."""
    require_rotations(assumptions)
    return at_rate_zero(assumptions).shows(EXCESS)


@lru_cache(maxsize=16)
def under_chain(assumptions: Assumptions) -> Chain:
    """(85) at alpha_t = 0: the rows of all tasks by their polar decomposition, those of one among them by a frame."""
    require_rotations(assumptions)
    of, frames = tasks(assumptions), {"Q": "Q_perp", "E": "E_perp"}
    chain = Chain(second_moment().trace())
    chain.split_blocks("Gamma", _parts_of_noise(assumptions), of, "target-covariance")
    solutions.cancel_inverse(chain, "BTB_inverse", ("B", True), ("B", False))
    chain.sum_tasks(of, "least-squares-mean-square").insert_blocks(of, "stacked-design")
    one, frame, root = matrix("E", "n_v", "N"), matrix("Q", "p", "N"), _square("L", "p")
    chain.insert({"X_v1": one @ DESIGN}, "stacked-design")
    put = partial(rewritten, inverses={"BTB_inverse": root @ root}, frames=frames, sizes=TALL)
    put(
        chain,
        Rule.POLAR,
        {(("B", False),): frame.T @ root, (("B", True),): root @ frame},
        values={"B": frame.T @ root},
    )
    inverse = (("BTB_inverse", False),)
    left, square = (("L", False),), (("L", False), ("L", False))
    put(
        chain,
        Rule.CANCEL_INVERSE,
        {(*left, *inverse, *inverse, *left): TALL_INVERSE, square: S},
        values={"S": root @ root},
    )
    share = frame @ one.T @ one @ frame.T
    chain.name_word(share, "Pi")
    a, b = beta_moments()
    (first, triples), (second, same) = (quotient(value, "triples", N) for value in (a, b))
    if triples != same:
        raise ArithmeticError("the two moments have different denominators")
    pattern = (("Pi", False), ("S", False), ("Pi", False))
    by_moment(
        chain,
        Rule.FRAMES,
        lambda before: before.rewrite({pattern: first * S + second * tr(S) * identity("p")}),
        lambda: other_beta_moments((a, b)),
        ("Q",),
        values={"Pi": share, "triples": triples},
        inverses={"BTB_inverse": S},
        frames=frames,
    )
    rewritten(
        chain,
        Rule.CANCEL_INVERSE,
        {(("S", False), *inverse): identity("p"), (*inverse, ("S", False)): identity("p")},
        inverses={"BTB_inverse": S},
        sizes=TALL,
    )
    _by_inverse_means(chain, TALL_INVERSE, "inverse-wishart-mean")
    return chain.expand({"N": of.total}).shows(EXCESS, _divided_by(chain, assumptions))


def _divided_by(chain: Chain, assumptions: Assumptions) -> dict[str, Expression]:
    """What the names of denominators stand for, in n_v, m and p."""
    in_sizes = {"N": tasks(assumptions).total}
    moments = (move.values for move in chain.moves if move.rule in (Rule.WISHART, Rule.FRAMES))
    named = {name: value for values in moments for name, value in values.items() if value.is_scalar}
    return {name: value.replace(in_sizes) for name, value in named.items()}


# -- its slope ----------------------------------------------------------------------------------------------


def _slope_chain(assumptions: Assumptions, start: Expression, inverse: Expression, gram: Expression) -> Chain:
    """The derivative at zero of a trace of B, Gamma and an inverse; of the tasks' training inputs only means remain."""
    require_rotations(assumptions)
    of, (name,) = tasks(assumptions), inverse.letters()
    slopes = {"B": matrix("B_dot", "N", "p"), "Gamma": _square("Gamma_dot", "N")}
    sizes = {"N": 2, "p": 4} if name == "BBT_inverse" else {"N": 4, "p": 2}
    chain = Chain(start)
    inverses = {name: gram}
    word_slopes.slope_of_words(chain, "alpha_t", slopes, inverses, sizes, "outer-mean-square-as-trace")
    word_slopes.average_linear(
        chain,
        {"B_dot": DESIGN, "Gamma_dot": OWN},
        ("X_t",),
        of,
        inverses,
        "stacked-design",
        "target-covariance",
    )
    factors = (("B", False), ("B", True)) if name == "BBT_inverse" else (("B", True), ("B", False))
    solutions.cancel_inverse(chain, name, *factors)
    chain.split_blocks("Gamma", _parts_of_noise(assumptions), of, "target-covariance")
    return chain


@lru_cache(maxsize=16)
def over_slope_chain(assumptions: Assumptions) -> Chain:
    """(74): the derivative at zero."""
    projection = GAP.T @ DESIGN.T @ WIDE @ DESIGN @ GAP
    start = tr(WIDE @ GAMMA) - projection + GAP.T @ GAP
    chain = _slope_chain(assumptions, start, WIDE, DESIGN @ DESIGN.T)
    trace = mean_trace_of_inverse(N, p)
    mean, room = quotient(trace, "room", p)
    by_moment(
        chain,
        Rule.WISHART,
        lambda before: in_place_of(tr(WIDE), mean, before),
        lambda: other_inverse_means(trace.subs({p: N, N: p}, simultaneous=True), mean_traces_of_both(p, N)),
        ("X",),
        "inverse-wishart-mean",
        values={"room": room},
        inverses={"BBT_inverse": ROWS @ ROWS.T},
    )
    chain.expand({"N": tasks(assumptions).total})
    return chain.shows(SLOPE, _divided_by(chain, assumptions))


@lru_cache(maxsize=16)
def under_slope_chain(assumptions: Assumptions) -> Chain:
    """(85): the derivative at zero."""
    chain = _slope_chain(assumptions, second_moment().trace(), TALL_INVERSE, DESIGN.T @ DESIGN)
    solutions.cancel_inverse(chain, "BTB_inverse", ("B", True), ("B", False))
    _by_inverse_means(chain, TALL_INVERSE, "inverse-wishart-mean")
    return chain.shows(SLOPE, _divided_by(chain, assumptions))


DEVIATIONS = {Regime.OVER: over_chain, Regime.UNDER: under_chain}
DEVIATION_SLOPES = {Regime.OVER: over_slope_chain, Regime.UNDER: under_slope_chain}


# -- the loss -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def loss_at_zero_chain(assumptions: Assumptions) -> Chain:
    """(65) with the deviation of each regime put in."""
    start = loss_chain(assumptions).result
    chain = Chain(start)
    for regime, deviation in DEVIATIONS.items():
        found = deviation(assumptions)
        if chain.moves:
            chain.begin(start)
        chain.name_number("h_r", adaptation_chain(assumptions).result, "adaptation-factor")
        chain.insert({"excess": found.result}, "loss-from-excess", _slug("deviation-at-zero", regime))
        chain.shows(LOSSES[regime], {**chain.numbers(), **_divided_by(found, assumptions)})
    return chain


@lru_cache(maxsize=16)
def loss_slope_chain(assumptions: Assumptions) -> Chain:
    """The loss (65) is linear in the deviation: its slope is a multiple of that of the deviation."""
    _, c_2 = loss_coefficients(assumptions)
    chain = Chain(c_2 * scalar("excess_dot"))
    for regime, slope in DEVIATION_SLOPES.items():
        found = slope(assumptions)
        if chain.moves:
            chain.begin(c_2 * scalar("excess_dot"))
        chain.name_number("h_r", adaptation_chain(assumptions).result, "adaptation-factor")
        reads = ("loss-from-excess", _slug("deviation-slope-at-zero", regime))
        chain.insert({"excess_dot": found.result}, *reads)
        chain.shows(SLOPES[regime], {**chain.numbers(), **_divided_by(found, assumptions)})
    return chain


def _slug(what: str, regime: Regime) -> str:
    return f"{what}-{regime.value}parameterized"


# -- what is claimed ----------------------------------------------------------------------------------------


def _deviation(regime: Regime) -> sympy.Expr:
    """Worked out by hand, by a Schur complement and by a matrix-variate beta law."""
    rows, room = n_v * m, p - n_v * m - 1
    if regime is Regime.OVER:
        others = nu**2 / p * rows * (1 + (rows - n_v) / room)
        return sigma**2 * rows / room + others + (1 - rows / p) * dist0_sq
    spare = rows - p - 1
    own = p * n_v * (n_v + 2) / (rows * (rows + 2))
    others = (p * (rows * p - 2) / spare - p) * n_v * (rows - n_v) / ((rows - 1) * rows * (rows + 2))
    return sigma**2 * p / spare + nu**2 / p * m * (own + others)


def _slope(regime: Regime) -> sympy.Expr:
    """Twice the label noise's share of the deviation at zero."""
    rows = n_v * m
    return 2 * sigma**2 * (rows / (p - rows - 1) if regime is Regime.OVER else p / (rows - p - 1))


def _claim_losses() -> Parts:
    noise = sigma**2 / 2 * (1 + alpha_r**2 * p / n_r)
    return {LOSSES[regime]: noise + H_R / 2 * (nu**2 + _deviation(regime)) for regime in Regime}


def _claim_slopes() -> Parts:
    return {SLOPES[regime]: H_R / 2 * _slope(regime) for regime in Regime}


# -- what sampling sees -------------------------------------------------------------------------------------


SIZES = {Regime.OVER: OVER_SIZES, Regime.UNDER: UNDER_SIZES}
# the start does not matter for the slope, and is the largest part of what fluctuates
NEAR = tuple({**sizes, "dist0_sq": 1e-4} for sizes in OVER_SIZES)
SLOPE_SIZES = {Regime.OVER: NEAR, Regime.UNDER: UNDER_SIZES}
REL_ERROR, SECONDS = 0.0015, 4.0


def simulated_checks(
    step: Step,
    assumptions: Assumptions,
    seed: int,
    labels: Mapping[Regime, str],
    quantity: Quantity,
    *,
    rate: float,
    scale: float = 1.0,
) -> list[Check]:
    """The parts that a step derives, by regime, against the simulated problem at alpha_r = rate; what is simulated is scaled."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    derived = step.derive(assumptions)
    found = []
    for regime, label in labels.items():
        for sizes in SIZES[regime]:
            n, rows, count, size = (int(sizes[name]) for name in ("n_t", "n_v", "m", "p"))
            fields = {**sampled_fields(assumptions), "dist0_sq": sizes.get("dist0_sq", 0.0)}
            noise, spread = sizes["sigma"], sizes["nu"]
            setting = Setting(n, rows, 9, count, size, noise, spread, 0.0, rate, **fields)
            started = time.monotonic()
            seen = simulated(setting, quantity, REL_ERROR, seed, SECONDS)
            places = {**sizes, "n_r": 9.0, "alpha_r": rate, "sigma_v": setting.sigma_v}
            value = float(evaluate(to_sympy(derived[label]), places))
            verdict = judge(scale * seen.mean, scale * seen.stderr, value)
            shown = {name: number for name, number in places.items() if name not in ("N", "sigma_v")}
            found.append(
                Check(
                    label,
                    shown,
                    value,
                    scale * seen.mean,
                    scale * seen.stderr,
                    seen.draws,
                    time.monotonic() - started,
                    verdict.status,
                    verdict.reason,
                )
            )
    return found


def loss_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The average test loss, simulated in both regimes."""
    return simulated_checks(step, assumptions, seed, LOSSES, "loss", rate=0.4)


def slope_checks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """Its derivative, by differences at common random numbers."""
    return simulated_checks(step, assumptions, seed, SLOPES, "slope", rate=0.4)


def _deviation_checks(regime: Regime) -> Callable[[Step, Assumptions, int], list[Check]]:
    return partial(simulated_checks, labels={regime: EXCESS}, quantity="excess", rate=0.0)


def _deviation_slope_checks(regime: Regime) -> Callable[[Step, Assumptions, int], list[Check]]:
    """At alpha_r = 0 the loss is half the deviation, up to a constant."""
    return partial(simulated_checks, labels={regime: SLOPE}, quantity="slope", rate=0.0, scale=2.0)


# -- the steps ----------------------------------------------------------------------------------------------

_EXISTS = "It exists where p is above n_v m + 1 or below n_v m - 1: between, means of inverse Wishart matrices are infinite."
_DENSITY = (
    "Differentiation under the average needs a law with a density: for inputs that take few values it fails."
)


def _deviation_step(regime: Regime, uses: tuple[str, ...], method: str) -> Step:
    return Step(
        _slug("deviation-at-zero", regime),
        (),
        Kind.BEYOND,
        f"The mean square deviation at a training rate of zero, exactly, for Gaussian inputs and {regime.with_room('p', 'n_v m')}.",
        "beyond",
        regime=regime,
        uses=uses,
        depends_on=DEPENDS,
        claim=lambda: {EXCESS: _deviation(regime)},
        derive=derived_by(DEVIATIONS[regime]),
        derivation=DEVIATIONS[regime],
        check=_deviation_checks(regime),
        sizes=SIZES[regime],
        applies=rotations,
        method=method,
    )


def _deviation_slope_step(regime: Regime, uses: tuple[str, ...]) -> Step:
    inverse = "(BB^T)^-1" if regime is Regime.OVER else "(B^TB)^-1"
    return Step(
        _slug("deviation-slope-at-zero", regime),
        (),
        Kind.BEYOND,
        f"The derivative of the mean square deviation in the training rate at zero, exactly, for Gaussian inputs and "
        f"{regime.with_room('p', 'n_v m')}.",
        "beyond",
        regime=regime,
        uses=uses,
        depends_on=DEPENDS,
        claim=lambda: {SLOPE: _slope(regime)},
        derive=derived_by(DEVIATION_SLOPES[regime]),
        derivation=DEVIATION_SLOPES[regime],
        check=_deviation_slope_checks(regime),
        sizes=SLOPE_SIZES[regime],
        applies=rotations,
        method="the derivative of a word is linear in the tasks' training inputs, of which only the mean remains",
        remark=f"Before the last average it is 2 sigma^2 E Tr {inverse} at alpha_t = 0, for inputs of any law with unit covariance "
        f"and a density that is bounded near singular designs. {_DENSITY}",
    )


STEPS: tuple[Step, ...] = (
    _deviation_step(
        Regime.OVER,
        ("outer-mean-square-as-trace", "target-covariance", "inverse-wishart-mean"),
        "Haar average of the start; Schur complement of a Wishart matrix for the tasks",
    ),
    _deviation_step(
        Regime.UNDER,
        ("least-squares-mean-square", "stacked-design", "target-covariance", "inverse-wishart-mean"),
        "polar decomposition of all rows; second moments of a uniform frame",
    ),
    Step(
        "exact-loss-at-zero",
        (),
        Kind.BEYOND,
        "The average test loss at a training rate of zero, exactly, for Gaussian inputs: above p = n_v m + 1 and below "
        "p = n_v m - 1.",
        "beyond",
        uses=(
            "loss-from-excess",
            "adaptation-factor",
            *(_slug("deviation-at-zero", regime) for regime in Regime),
        ),
        depends_on=DEPENDS,
        claim=_claim_losses,
        derive=derived_by(loss_at_zero_chain),
        derivation=loss_at_zero_chain,
        check=loss_checks,
        sizes=tuple({**sizes, "n_r": 9, "alpha_r": 0.4} for sizes in OVER_SIZES),
        applies=rotations,
        method="the exact deviation put into the exact test phase (65)",
        remark=_EXISTS,
        parameters=("n_v", "n_r", "m", "p", "sigma", "nu", "alpha_r", "dist0_sq"),
    ),
    _deviation_slope_step(
        Regime.OVER,
        ("outer-mean-square-as-trace", "stacked-design", "target-covariance", "inverse-wishart-mean"),
    ),
    _deviation_slope_step(
        Regime.UNDER,
        (
            "least-squares-mean-square",
            "outer-mean-square-as-trace",
            "stacked-design",
            "target-covariance",
            "inverse-wishart-mean",
        ),
    ),
    Step(
        "exact-slope-at-zero",
        (),
        Kind.BEYOND,
        "The derivative of the average test loss in the training rate at zero, exactly, for Gaussian inputs: positive in both "
        "regimes where labels are noisy, so that a negative rate helps.",
        "beyond",
        uses=(
            "loss-from-excess",
            "adaptation-factor",
            *(_slug("deviation-slope-at-zero", regime) for regime in Regime),
        ),
        depends_on=DEPENDS,
        claim=_claim_slopes,
        derive=derived_by(loss_slope_chain),
        derivation=loss_slope_chain,
        check=slope_checks,
        sizes=tuple({**sizes, "n_r": 9, "alpha_r": 0.4} for sizes in OVER_SIZES),
        applies=rotations,
        method="the exact slope of the deviation put into the exact test phase (65)",
        remark=f"{_EXISTS} {_DENSITY}",
        parameters=("n_v", "n_r", "m", "p", "sigma", "alpha_r"),
    ),
)
