"""The moves to the mean square deviation and the test loss at a training rate of zero, and to their slopes there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache, partial

import sympy
from flint import fmpq_mat

from derivations.language import model
from derivations.language.assumptions import Assumptions
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.symbols import N, p
from derivations.paper.beyond.one_task import require_rotations
from derivations.paper.outer_problem import target_covariance
from derivations.paper.target_task import loss_chain, loss_coefficients
from derivations.paper.theorem1.concentration import EXCESS, GAP, adaptation_chain
from derivations.paper.theorem1.inverse_traces import mean_trace_of_inverse, mean_traces_of_both
from derivations.paper.theorem1.reused_data import at_rate_zero, noise_level
from derivations.paper.theorem2.expansion import second_moment
from derivations.steps.chain import Chain, Rule, Tasks
from derivations.steps.chains.products import by_powers, in_place_of
from derivations.steps.held import Held
from derivations.steps.labels import LOSS_AT_ZERO, InRegime
from derivations.steps.rules import haar, solutions, word_slopes
from derivations.steps.rules.exact_routes import inverse_of_chi_square, moment_of_beta
from derivations.steps.rules.rotations import TALL, Weighted, by_moment, quotient, rewritten
from symbolic.algebra.matrices import exact_matrix, multiple
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

SLOPE = r"\partial_{\alpha_t}\mathbb{E}|\omega^\star-w_0|^2"
LOSS_SLOPE = r"\partial_{\alpha_t}\bar L^{test}(0)"
LOSSES, SLOPES = (
    {regime: InRegime(quantity, regime) for regime in Regime} for quantity in (LOSS_AT_ZERO, LOSS_SLOPE)
)

# where means of inverses are compared
TALLER = (
    {"n_v": 2, "m": 3, "N": 6, "p": 3},
    {"n_v": 4, "m": 2, "N": 8, "p": 2},
    {"n_v": 7, "m": 1, "N": 7, "p": 1},
)
WIDER = (
    {"n_v": 2, "m": 2, "N": 4, "p": 7},
    {"n_v": 1, "m": 3, "N": 3, "p": 9},
    {"n_v": 2, "m": 1, "N": 2, "p": 4},
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


def _at_zero(assumptions: Assumptions) -> Held:
    """What a step states of any rate, at alpha_t = 0."""
    return Held(assumptions, where={"alpha_t": constant(0)})


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


def _projections(sizes: Mapping[str, int]) -> Weighted:
    """Matrices with the second moments of Pi, by single rows.

    A diagonal element is the squared length of the first n_v of N coordinates of a uniform unit vector, a beta variable;
    the squares of a row of the whole N x N projection sum to it, and the diagonal to n_v.
    """
    rows, total, p = (sizes[name] for name in ("n_v", "N", "p"))
    mean, square = (moment_of_beta(Fraction(rows, 2), Fraction(total - rows, 2), k) for k in (1, 2))
    beside, both = (mean - square) / (total - 1), (rows * mean - square) / (total - 1)

    def units(*places: tuple[int, int]) -> fmpq_mat:
        return exact_matrix([[int((i, j) in places) for j in range(p)] for i in range(p)])

    found = [(beside, {"Pi": units((i, j), (j, i))}) for i in range(p) for j in range(i)]
    found += [(square - both, {"Pi": units((i, i))}) for i in range(p)]
    return [*found, (both, {"Pi": multiple(p)})]


def _columns(inverse: str) -> Callable[[Mapping[str, int]], Weighted]:
    """S and its inverse with the means of Tr S^-1 and Tr S Tr S^-1, by single columns.

    One over a diagonal element of S^-1 is the squared distance of a column from the others, chi-square with N - p + 1
    degrees of freedom; its share of the squared length of that column has a beta law, and other columns are independent.
    """

    def at(sizes: Mapping[str, int]) -> Weighted:
        total, p = sizes["N"], sizes["p"]
        chi = inverse_of_chi_square(total - p + 1)
        own = moment_of_beta(Fraction(total - p + 1, 2), Fraction(p - 1, 2), -1)
        both = p * own + p * (p - 1) * total * chi
        return [(Fraction(1), {inverse: multiple(p, chi), "S": multiple(p, both / p**2 / chi)})]

    return at


def _rows(sizes: Mapping[str, int]) -> Weighted:
    """(B B^T)^-1 with its mean trace, by single rows."""
    total = sizes["N"]
    chi = inverse_of_chi_square(sizes["p"] - total + 1)
    return [(Fraction(1), {"BBT_inverse": multiple(total, chi)})]


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
        _columns(*inverse.letters()),
        ("X",),
        *reads,
        values={"spare": spare, **({"S": gram} if "S" in here else {})},
        inverses=dict.fromkeys(inverse.letters(), gram),
        sizes=TALLER,
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
    chain.split_blocks(
        "Gamma", _parts_of_noise(assumptions), of, "target-covariance", held=_at_zero(assumptions)
    )
    solutions.cancel_inverse(chain, "BTB_inverse", ("B", True), ("B", False))
    chain.sum_tasks(of, "least-squares-mean-square").insert_blocks(
        of, "stacked-design", held=_at_zero(assumptions)
    )
    one, frame, root = matrix("E", "n_v", "N"), matrix("Q", "p", "N"), _square("L", "p")
    chain.define({"X_v1": one @ DESIGN}, "stacked-design")
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
        _projections,
        ("Q",),
        values={"Pi": share, "triples": triples},
        inverses={"BTB_inverse": S},
        frames=frames,
        sizes=TALL,
    )
    rewritten(
        chain,
        Rule.CANCEL_INVERSE,
        {(("S", False), *inverse): identity("p"), (*inverse, ("S", False)): identity("p")},
        inverses={"BTB_inverse": S},
        sizes=TALL,
    )
    _by_inverse_means(chain, TALL_INVERSE, "inverse-wishart-mean")
    return chain.expand({"N": of.total}).shows(EXCESS, divided_by(chain, assumptions))


def divided_by(chain: Chain, assumptions: Assumptions) -> dict[str, Expression]:
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
    chain.split_blocks(
        "Gamma", _parts_of_noise(assumptions), of, "target-covariance", held=_at_zero(assumptions)
    )
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
        _rows,
        ("X",),
        "inverse-wishart-mean",
        values={"room": room},
        inverses={"BBT_inverse": ROWS @ ROWS.T},
        sizes=WIDER,
    )
    chain.expand({"N": tasks(assumptions).total})
    return chain.shows(SLOPE, divided_by(chain, assumptions))


@lru_cache(maxsize=16)
def under_slope_chain(assumptions: Assumptions) -> Chain:
    """(85): the derivative at zero."""
    chain = _slope_chain(assumptions, second_moment().trace(), TALL_INVERSE, DESIGN.T @ DESIGN)
    solutions.cancel_inverse(chain, "BTB_inverse", ("B", True), ("B", False))
    _by_inverse_means(chain, TALL_INVERSE, "inverse-wishart-mean")
    return chain.shows(SLOPE, divided_by(chain, assumptions))


DEVIATIONS = {Regime.OVER: over_chain, Regime.UNDER: under_chain}
DEVIATION_SLOPES = {Regime.OVER: over_slope_chain, Regime.UNDER: under_slope_chain}


# -- the loss -----------------------------------------------------------------------------------------------


FROM_EXCESS = "loss-from-excess"


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
        held = Held(assumptions, divided_by(found, assumptions), beside=(FROM_EXCESS,))
        chain.insert({"excess": found.result}, FROM_EXCESS, slug("deviation-at-zero", regime), held=held)
        chain.shows(LOSSES[regime], {**chain.numbers(), **divided_by(found, assumptions)})
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
        held = Held(assumptions, divided_by(found, assumptions), beside=(FROM_EXCESS,))
        chain.insert(
            {"excess_dot": found.result}, FROM_EXCESS, slug("deviation-slope-at-zero", regime), held=held
        )
        chain.shows(SLOPES[regime], {**chain.numbers(), **divided_by(found, assumptions)})
    return chain


def slug(what: str, regime: Regime) -> str:
    """The permanent name of a step that is about one regime."""
    return f"{what}-{regime.value}parameterized"
