"""What (5) and its next order leave out of the deviation for Gaussian inputs above p = n_v m, bounded, not counted.

    -  theorem-1-remainder-bounded  the remainder of the leading order and of the next one, bounded

By the reduction the label noise of one task is E Tr M^-1 K with M = h I + E, h I its mean. For even J = 2 k, exactly,

  M^-1 = sum_(j < J) (-1)^j E^j / h^(j+1) + E^k M^-1 E^k / h^J.

The terms of the sum have exact means: put into the exact loss, they differ from the formula by an exact rational function, in
which the last term stands by a name, with the order of its bound. The factor h_r of the loss is of order one where n_r grows with p,
so that the deviation differs by the same order. The last term is not negative and at most Tr M^-1 (Tr E^2)^k Tr K / h^J. By Hoelder
its mean is at most

  [E (Tr M^-1)^2]^(1/2) [E (Tr E^2)^(4 k)]^(1/4) [E (Tr K)^4]^(1/4).

For alpha_t <= 0, M - I is positive semidefinite. For alpha_t > 0, M is at least (alpha_t / n_t)^2 C T C^T, whence Tr M^-1 is at
most n_v (n_t / alpha_t)^2 Tr S^-1 Tr T^-1 with independent Wishart matrices S = C C^T and T, whose moments are exact and
bounded. Tr E^2 and Tr K are polynomials in Gaussian variables, of a degree that does not grow: all their moments are
bounded by powers of the first (Nelson's hypercontractivity), which is exact too.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial, reduce
from operator import mul
from typing import Any

import sympy
from flint import fmpq, fmpq_mat

from derivations.language.assumptions import PAPER, Assumptions, NotDerivable
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import label_noise, n_t, n_v
from derivations.paper.beyond.exact_loss import loss_exact_chain
from derivations.paper.beyond.exact_slopes import EXPONENTS, exact_checks
from derivations.paper.beyond.one_task import mean_of_inverse, one_task, require_rotations
from derivations.paper.beyond.reduction import GAMMA, OWN_INVERSE, room_left, tasks_chain
from derivations.paper.theorem1.concentration import EXCESS, REGIME, leading_excess, loss_over_chain
from derivations.paper.theorem1.inverse_traces import mean_squared_trace_of_inverse
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain, Rule, carried_out
from derivations.steps.chains.products import degree_of_powers
from derivations.steps.held import Held
from derivations.steps.labels import LOSS, ORDER
from derivations.steps.neglected import Quantity, Remainder
from derivations.steps.orders import ONE
from derivations.steps.rules.exact_routes import random_matrix
from derivations.steps.rules.fractions_of import one_fraction
from derivations.steps.rules.rotations import (
    Weighted,
    bounded_inverse,
    bounded_product,
    by_moment,
    quotient,
    replaced,
)
from derivations.steps.step import Check, Derived, Kind, Parts, Step
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.matrices import multiple
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
from symbolic.proofs.asymptotics import Exponent

LEADING, NEXT = ORDER.when(r"\text{leading order}"), ORDER.when(r"\text{next order}")
# of the bound on the last term alone
LEADING_TERM, NEXT_TERM = (ORDER.when(rf"\text{{last term, {order} order}}") for order in ("leading", "next"))
TERMS: Mapping[str, int] = {LEADING: 2, NEXT: 4}
ORDERS: Mapping[str, str] = {LEADING: "leading", NEXT: "next"}
LAST: Mapping[str, str] = {LEADING: LEADING_TERM, NEXT: NEXT_TERM}
DEPENDS = ("inner_steps", "inputs", "covariance", "split", "noise_val", "order")
M_INVERSE, ERROR, WEIGHT = (matrix(name, "n_v", "n_v", symmetric=True) for name in ("M_inverse", "E", "K"))
GRAM = matrix("M", "n_v", "n_v", symmetric=True)
# p - n_v grows as p does
GROWS: Mapping[str, Exponent] = {**REGIME, "q": ONE}
# of V
COLUMNS = {"q": scalar("p") - scalar("n_v")}
# where the mean square of two inverse Wishart matrices is compared
SMALL = (
    {"n_v": 1, "n_t": 7, "q": 9, "p": 10},
    {"n_v": 2, "n_t": 9, "q": 8, "p": 10},
    {"n_v": 2, "n_t": 8, "q": 11, "p": 13},
)
# where moves are sampled: the square of Tr S^-1 Tr T^-1 has a variance there, and the gap to the next order keeps digits
SIZES: tuple[Mapping[str, float], ...] = (
    {"n_v": 2, "n_t": 20, "p": 24, "q": 22, "m": 2, "alpha_t": 0.4, "sigma": 0.8},
    {"n_v": 3, "n_t": 14, "p": 16, "q": 13, "m": 3, "alpha_t": -0.1, "sigma": 0.6},
    {"n_v": 1, "n_t": 18, "p": 22, "q": 21, "m": 4, "alpha_t": 0.7, "sigma": 1.1},
)
S_INVERSE, T_INVERSE = (matrix(name, "n_v", "n_v", symmetric=True) for name in ("S_inverse", "T_inverse"))


# -- the chain -----------------------------------------------------------------------------------------------


def _chain(assumptions: Assumptions) -> Chain:
    require_rotations(assumptions)
    why_not = _applies(assumptions)
    if why_not:
        raise NotDerivable(why_not)
    chain = Chain(scalar(label_noise.name))
    sums = {label: _series(chain, assumptions, label) for label in TERMS}
    return _exponents(chain, assumptions, sums)


def _series(chain: Chain, assumptions: Assumptions, label: str) -> Expression:
    """One task's label noise Tr M^-1 K by its series, in names for Tr M^j K and for the last trace; and the bound on that."""
    h, inverse, terms = scalar("h"), reciprocal("h"), TERMS[label]
    half = terms // 2
    series = constant(0) * M_INVERSE
    for j in range(terms):
        series = series + constant((-1) ** j) * inverse ** (j + 1) * ERROR**j
    last = ERROR**half @ M_INVERSE @ ERROR**half
    inverses = {"M_inverse": h * identity("n_v") + ERROR}
    chain.begin(scalar(label_noise.name))
    held = Held(assumptions, read=lambda value: scalar("nu") ** 2 * scalar("n_v") * reciprocal("p") + value)
    chain.insert({label_noise.name: tr(M_INVERSE @ WEIGHT)}, "two-small-matrices", held=held)
    replaced(
        chain,
        Rule.INVERSE,
        {"M_inverse": series + inverse**terms * last},
        "two-small-matrices",
        inverses=inverses,
    )
    chain.name(tr(last @ WEIGHT), f"last_{terms}").define({"E": GRAM - h * identity("n_v")})
    for j in range(terms):
        chain.name(tr(GRAM**j @ WEIGHT), f"k_{j}")
    found = chain.result
    chain.begin(inverse**terms * tr(last @ WEIGHT))
    bounded_product(chain, "E", ("M_inverse", "K"), _positive)
    return found


def _bound_inverse(chain: Chain) -> Chain:
    rate = (scalar("alpha_t") * reciprocal("n_t")) ** 2
    over = (scalar("n_t") * reciprocal("alpha_t")) ** 2
    draw = partial(_two_wisharts, rate=rate)
    return bounded_inverse(chain, "M_inverse", rate, over, "S_inverse", "T_inverse", draw)


def _exponents(chain: Chain, assumptions: Assumptions, sums: Mapping[str, Expression]) -> Chain:
    """Of the bound on the last term, by Hoelder the product of the orders of the tasks' factor, of the root of E (Tr M^-1)^2, of
    E Tr E^2 to half the number of terms, of E Tr K and of a power of h; and of the exact loss minus the formula.
    """
    factor, root = _tasks(chain, assumptions), _inverse(chain)
    h, mean, spread = _about_mean(chain, assumptions)
    weight, values = _weights(chain, assumptions)
    values["h"] = h
    for label, terms in TERMS.items():
        last: dict[int, Fraction | int] = {root: Fraction(1, 2), spread: Fraction(terms, 2), weight: 1}
        found = Exponent(Fraction(0))
        for place, power in last.items():
            found = found + degree_of_powers(chain.moves[place].after).scaled(power)
        _gap(chain, assumptions, label, sums[label], values, found)
        chain.shows_degree(label).shows_largest(LAST[label], {factor: 1, **last, mean: -terms})
    return chain


def _gap(
    chain: Chain,
    assumptions: Assumptions,
    label: str,
    noise: Expression,
    values: Mapping[str, Expression],
    last: Exponent,
) -> None:
    """Order the exact loss, with one task's label noise by its series, minus the formula; last: the order of the last trace."""
    which = replace(assumptions, order=ORDERS[label])
    exact, formula = carried_out(loss_exact_chain, assumptions), carried_out(loss_over_chain, which)
    chain.begin(scalar("exact") - scalar(which.order))
    names = dict(values)
    for name, loss, under, slug in (
        ("exact", exact, assumptions, "exact-loss"),
        (which.order, formula, which, "theorem-1"),
    ):
        stands = loss.named_parts[LOSS][1]()
        chain.insert({name: loss.result}, slug, held=Held(under, stands))
        names |= stands
    chain.insert({label_noise.name: noise})
    below = f"d_{TERMS[label]}"
    _, value = one_fraction(chain, "alpha_t", names, below=below)
    order(chain, {**GROWS, "n_r": ONE, f"last_{TERMS[label]}": last}, {below: value})


def _tasks(chain: Chain, assumptions: Assumptions) -> int:
    """Order the factor of one task's part; the place of the move."""
    chain.begin(carried_out(tasks_chain, assumptions).result)
    chain.name(tr(OWN_INVERSE @ GAMMA), "own", "one-task-suffices")
    return _ordered(chain, {"room": room_left()})


def _inverse(chain: Chain) -> int:
    """Order the mean square of the bound on Tr M^-1; the place of the move."""
    _bound_inverse(chain.begin(tr(M_INVERSE) ** 2))
    c, t = gaussian("C", "n_v", "n_t"), gaussian("G", "n_v", "q")
    (s_mean, s_room), (t_mean, t_room) = (
        quotient(mean_squared_trace_of_inverse(n_v, freedom), name)
        for freedom, name in ((n_t, "s_room"), (sympy.Symbol("q", positive=True), "t_room"))
    )
    squares = {tr(S_INVERSE): s_mean, tr(T_INVERSE): t_mean}
    by_moment(
        chain,
        Rule.INVERSE_MEAN,
        lambda before: _squared_traces(before, squares),
        _inverse_wisharts,
        ("C", "G"),
        "inverse-wishart-squared-trace",
        values={"s_room": s_room, "t_room": t_room},
        inverses={"S_inverse": c @ c.T, "T_inverse": t @ t.T},
        sizes=SMALL,
    )
    return _ordered(chain, {"s_room": s_room, "t_room": t_room})


def _squared_traces(before: Expression, means: Mapping[Expression, Expression]) -> Expression:
    """A product of squares of traces, by the means of these; as it is where it is another one."""
    ((term, coefficient),) = before.terms.items()
    words = sorted(word for trace in means for one in trace.terms for word in (*one.traces, *one.traces))
    if sorted(term.traces) != words or term.word is not None:
        return before
    return reduce(mul, means.values(), polynomial(coefficient))


def _inverse_wisharts(sizes: Mapping[str, int]) -> Weighted:
    """The mean square of Tr S^-1 Tr T^-1, for one row and for two: Tr S^-1 = Tr S / det S, and the density times a power of the
    determinant is that of other degrees of freedom.
    """
    rows = sizes["n_v"]
    weight = reduce(mul, (_mean_square(rows, sizes[name]) for name in ("n_t", "q")))
    one = multiple(rows, Fraction(1, rows))
    return [(weight, {"S_inverse": one, "T_inverse": one})]


def _mean_square(rows: int, freedom: int) -> Fraction:
    """E (Tr S^-1)^2 for one or two rows, by chi-square variables: the determinant is a product of independent ones."""
    of_determinant = [Fraction(1, (free - 2) * (free - 4)) for free in range(freedom, freedom - rows, -1)]
    trace = 1 if rows == 1 else 2 * (freedom - 4) * (2 * (freedom - 4) + 2)
    return trace * reduce(mul, of_determinant)


def _about_mean(chain: Chain, assumptions: Assumptions) -> tuple[Expression, int, int]:
    """Find h, the mean of M, and order it and the mean square distance of M from it; the places of the moves."""
    gram, h, held = one_task(assumptions).split().gram, scalar("h"), Held(assumptions)
    chain.begin(reciprocal("n_v") * tr(GRAM))
    chain.insert({"M": gram}, "two-small-matrices", held=held).average("U", "V")
    found = chain.insert(COLUMNS).result
    distance = GRAM - h * identity("n_v")
    chain.begin(tr(distance @ distance)).insert({"h": found})
    chain.insert({"M": gram}, "two-small-matrices", held=held).average("U", "V")
    spread = _ordered(chain.insert(COLUMNS))
    chain.begin(h).define({"h": found})
    return found, _ordered(chain.begin(found)), spread


def _weights(chain: Chain, assumptions: Assumptions) -> tuple[int, dict[str, Expression]]:
    """Find the means of Tr M^j K, by name, and order that of Tr K; the place of the move."""
    held = Held(assumptions, {"mean_inverse": mean_of_inverse()})
    value, free = quotient(mean_of_inverse(), "free")
    task, found = one_task(assumptions), {"free": free}
    mean = Held(assumptions, {"free": free}, inside=task.weight)
    for j in range(max(TERMS.values())):
        given = {"M": task.split().gram, "K": task.weight}
        chain.begin(tr(GRAM**j @ WEIGHT))
        chain.insert({k: x for k, x in given.items() if j or k == "K"}, "two-small-matrices", held=held)
        chain.average(*(name for name, one in chain.result.letters().items() if one.random))
        if "q" in chain.result.scalars():
            chain.insert(COLUMNS)
        found[f"k_{j}"] = chain.expand({"mean_inverse": value}, "two-small-matrices", held=mean).result
    return _ordered(chain.begin(found["k_0"]), {"free": free}), found


def _ordered(chain: Chain, names: Mapping[str, Expression] | None = None) -> int:
    """Find the order of the present scalar; the index of that move."""
    order(chain, GROWS, names)
    return len(chain.moves) - 1


def _gram_of(source: random.Random, size: int) -> fmpq_mat:
    half = random_matrix(source, size, size + 2)
    return half * half.transpose()


# what is far larger or smaller than all else in a draw, or of a rank too low
FAR = (fmpq(1), fmpq(1), fmpq(1000), fmpq(1, 1000))


def _degenerate(source: random.Random, size: int) -> fmpq_mat:
    """A positive semidefinite matrix of any rank, with eigenvalues of any size."""
    half = random_matrix(source, size, source.randint(1, size))
    return half * half.transpose() * source.choice(FAR)


def _positive(source: random.Random, size: int) -> dict[str, Any]:
    """M positive, K positive semidefinite, E the distance of M from a positive multiple of I."""
    h = fmpq(source.randint(1, 9), source.randint(1, 3)) * source.choice(FAR)
    whole = _degenerate(source, size) + multiple(size, source.choice(FAR))
    error = whole - multiple(size, h)
    return {
        "h": Fraction(str(h)),
        "M_inverse": whole.inv(),
        "E": error,
        "K": _degenerate(source, size),
        "n_v": size,
    }


def _two_wisharts(source: random.Random, size: int, rate: Expression) -> dict[str, Any]:
    """M = (I - a S / n)^2 + (a / n)^2 C T C^T with S = C C^T, for a rate near an eigenvalue too."""
    c, t = random_matrix(source, size, size), _gram_of(source, size) * source.choice(FAR)
    c = c + multiple(size, fmpq(7))
    s, n = c * c.transpose(), source.randint(2, 9)
    a = Fraction(source.randint(1, 9), source.randint(1, 60))
    scale = fmpq(a.numerator, a.denominator) / n
    first = multiple(size, fmpq(1)) - s * scale
    squared = evaluate(rate, {"alpha_t": a, "n_t": n})
    whole = first * first + c * t * c.transpose() * fmpq(squared.numerator, squared.denominator)
    place = {"M_inverse": whole.inv(), "S_inverse": s.inv(), "T_inverse": t.inv()}
    return {**place, "alpha_t": a, "n_t": n, "n_v": size}


# -- the step ------------------------------------------------------------------------------------------------


def _claim() -> Parts:
    whole = {LEADING: sympy.Integer(-2), NEXT: sympy.Integer(-3)}
    return whole | {LAST[label]: exponent for label, exponent in whole.items()}


def _check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The slopes of what the leading and the next order leave out of the exact deviation, held against the exponents."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives no exponents")
    stated, found = step.derive(assumptions), []
    for label, which in ORDERS.items():
        under, exponent = replace(assumptions, order=which), float(to_sympy(stated[label]))
        exponents = {
            source: None if usual is None else exponent for source, usual in EXPONENTS[which].items()
        }
        found += exact_checks(replace(step, derive=_deviation), under, seed, "excess", exponents)
    return found


def _deviation(assumptions: Assumptions) -> Derived:
    return {EXCESS: leading_excess(assumptions)}


def _remainders(found: Mapping[str, Quantity]) -> list[Remainder]:
    """Of (80), and of its next order."""
    return [
        Remainder(leading_excess(replace(PAPER, order=which)), {"xi": to_sympy(found[label])})
        for label, which in ORDERS.items()
    ]


def _applies(assumptions: Assumptions) -> str | None:
    changed = assumptions.changes(DEPENDS)
    return (
        f"bounded for the paper's formula, another one when {', '.join(changed)} changes" if changed else None
    )


STEPS: tuple[Step, ...] = (
    Step(
        "theorem-1-remainder-bounded",
        (),
        Kind.BEYOND,
        "For Gaussian inputs, at every training rate, what (79)-(80) leave out of the mean square deviation is bounded by a "
        "constant times xi^-2, and what the next order leaves out by a constant times xi^-3; so is the loss where h_r is bounded, "
        "that is, where n_r grows in proportion to p, or alpha_r = 0.",
        "beyond",
        uses=(
            "exact-loss",
            "theorem-1",
            "one-task-suffices",
            "two-small-matrices",
            "inverse-wishart-squared-trace",
        ),
        depends_on=DEPENDS,
        claim=_claim,
        not_sampled=dict.fromkeys(LAST.values(), "a bound, which what it bounds need not attain"),
        derivation=_chain,
        remainders=_remainders,
        check=_check,
        sizes=SIZES,
        applies=_applies,
        method="an exact series with its last term, bounded by moments of two inverse Wishart matrices",
        remark="The moves are the series, the bounds on its last term at alpha_t > 0, the orders of the exact moments of what "
        "stands in them, and the exact loss with the series put in, minus (5) and minus its next order. Not computed but argued, at the top of the module: Hoelder's inequality, Nelson's for moments of polynomials in "
        "Gaussian variables, the laws of the two Wishart matrices, and that M - I is positive semidefinite at alpha_t <= 0.",
    ),
)
