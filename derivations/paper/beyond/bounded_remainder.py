"""What (5) and its next order leave out of the deviation for Gaussian inputs above p = n_v m, bounded, not counted.

    -  theorem-1-remainder-bounded  the remainder of the leading order and of the next one, bounded

By the reduction the label noise of one task is E Tr M^-1 K with M = h I + E, h I its mean. For even J = 2 k, exactly,

  M^-1 = sum_(j < J) (-1)^j E^j / h^(j+1) + E^k M^-1 E^k / h^J.

The terms of the sum have exact means, from which the formula differs by an exact rational function. The last term is not
negative and at most Tr M^-1 (Tr E^2)^k Tr K / h^J. By Hoelder its mean is at most

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
from functools import lru_cache, partial, reduce
from operator import mul
from typing import Any

import sympy
from flint import fmpq, fmpq_mat

from derivations.language.assumptions import PAPER, Assumptions, NotDerivable
from derivations.language.normal_form import scalar as quotient_of
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import label_noise, n_t, n_v
from derivations.paper.beyond.exact_loss import exact_formula
from derivations.paper.beyond.exact_slopes import EXPONENTS, exact_checks
from derivations.paper.beyond.one_task import mean_of_inverse, mean_of_traces, one_task, require_rotations
from derivations.paper.beyond.reduction import GAMMA, OWN_INVERSE, room_left, tasks_chain
from derivations.paper.theorem1.concentration import EXCESS, REGIME, leading_excess
from derivations.paper.theorem1.exact_haar import mean_squared_trace_of_inverse
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain, Rule, carried_out
from derivations.steps.held import Held
from derivations.steps.labels import ORDER
from derivations.steps.neglected import Quantity, Remainder
from derivations.steps.orders import ONE
from derivations.steps.rules.exact_routes import random_matrix
from derivations.steps.rules.rotations import (
    Weighted,
    bounded_inverse,
    bounded_product,
    by_moment,
    multiple,
    quotient,
    replaced,
)
from derivations.steps.step import Check, Derived, Kind, Parts, Step
from symbolic.algebra.evaluation import evaluate
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
TERMS = {LEADING: 2, NEXT: 4}
LAST = {LEADING: LEADING_TERM, NEXT: NEXT_TERM}
DEPENDS = ("inner_steps", "inputs", "covariance", "split", "noise_val", "order")
M_INVERSE, ERROR, WEIGHT = (matrix(name, "n_v", "n_v", symmetric=True) for name in ("M_inverse", "E", "K"))
GRAM = matrix("M", "n_v", "n_v", symmetric=True)
# p - n_v grows as p does
GROWS: Mapping[str, Exponent] = {**REGIME, "q": ONE}
# where the mean square of two inverse Wishart matrices is compared
SMALL = (
    {"n_v": 1, "n_t": 7, "q": 9, "p": 10},
    {"n_v": 2, "n_t": 9, "q": 8, "p": 10},
    {"n_v": 2, "n_t": 8, "q": 11, "p": 13},
)
# where moves are sampled: the square of Tr S^-1 Tr T^-1 has a variance there
SIZES: tuple[Mapping[str, float], ...] = (
    {"n_v": 2, "n_t": 20, "p": 24, "q": 22, "m": 2, "alpha_t": 0.4, "sigma": 0.8},
    {"n_v": 3, "n_t": 24, "p": 28, "q": 25, "m": 3, "alpha_t": -0.5, "sigma": 0.6},
    {"n_v": 1, "n_t": 18, "p": 22, "q": 21, "m": 4, "alpha_t": 0.7, "sigma": 1.1},
)
S_INVERSE, T_INVERSE = (matrix(name, "n_v", "n_v", symmetric=True) for name in ("S_inverse", "T_inverse"))


# -- the sum, exactly ----------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _traces(assumptions: Assumptions) -> tuple[sympy.Expr, ...]:
    """E Tr M^j K for j below the number of terms, E Tr M and E Tr M^2, over n_v."""
    mean = sympy.Symbol("mean_inverse")
    words = mean_of_traces(assumptions, max(TERMS.values()))
    return tuple(to_sympy(word).subs(mean, mean_of_inverse()) for word in words)


def _fluctuation(assumptions: Assumptions) -> tuple[sympy.Expr, sympy.Expr]:
    """h, and E Tr E^2."""
    *_, first, second = _traces(assumptions)
    h = sympy.expand(first / n_v)
    return h, sympy.expand(second - n_v * h**2)


def sum_of_terms(assumptions: Assumptions, terms: int) -> sympy.Expr:
    """The mean of the first terms of the series of Tr M^-1 K, exact."""
    h, _ = _fluctuation(assumptions)
    powers = _traces(assumptions)
    total: sympy.Expr = sympy.Integer(0)
    for j in range(terms):
        of_error = sum(sympy.binomial(j, i) * (-h) ** (j - i) * powers[i] for i in range(j + 1))
        total += (-1) ** j * of_error / h ** (j + 1)
    return total


# -- the chain -----------------------------------------------------------------------------------------------


def _chain(assumptions: Assumptions) -> Chain:
    require_rotations(assumptions)
    why_not = _applies(assumptions)
    if why_not:
        raise NotDerivable(why_not)
    h, inverse = scalar("h"), reciprocal("h")
    chain = Chain(tr(M_INVERSE @ WEIGHT))
    for terms in TERMS.values():
        half = terms // 2
        if chain.moves:
            chain.begin(tr(M_INVERSE @ WEIGHT))
        series = constant(0) * M_INVERSE
        for j in range(terms):
            series = series + constant((-1) ** j) * inverse ** (j + 1) * ERROR**j
        last = inverse**terms * ERROR**half @ M_INVERSE @ ERROR**half
        inverses = {"M_inverse": h * identity("n_v") + ERROR}
        replaced(chain, Rule.INVERSE, {"M_inverse": series + last}, "two-small-matrices", inverses=inverses)
        chain.begin(tr(last @ WEIGHT))
        bounded_product(chain, "E", ("M_inverse", "K"), _positive)
    return _exponents(chain, assumptions)


def _bound_inverse(chain: Chain) -> Chain:
    rate = (scalar("alpha_t") * reciprocal("n_t")) ** 2
    over = (scalar("n_t") * reciprocal("alpha_t")) ** 2
    draw = partial(_two_wisharts, rate=rate)
    return bounded_inverse(chain, "M_inverse", rate, over, "S_inverse", "T_inverse", draw)


def _exponents(chain: Chain, assumptions: Assumptions) -> Chain:
    """Of the exact difference between sum and formula, and of the bound on the last term: by Hoelder the product of the orders of
    the tasks' factor, of the root of E (Tr M^-1)^2, of E Tr E^2 to half the number of terms, of E Tr K and of a power of h.
    """
    factor, root = _tasks(chain, assumptions), _inverse(chain)
    (mean, spread), weight = _about_mean(chain, assumptions), _weight(chain, assumptions)
    for label, terms in TERMS.items():
        formula = leading_excess(replace(assumptions, order="leading" if label == LEADING else "next"))
        exact = exact_formula(assumptions, "excess").subs(label_noise, sum_of_terms(assumptions, terms))
        whole = quotient_of(exact - formula)
        above, below = (polynomial(part) for part in (whole.numerator, whole.denominator))
        gap = _ordered(chain.begin(above * reciprocal("below")), {"below": below})
        last: dict[int, Fraction | int] = {
            factor: 1,
            root: Fraction(1, 2),
            spread: Fraction(terms, 2),
            weight: 1,
            mean: -terms,
        }
        chain.shows_largest(label, {gap: 1}, last).shows_largest(LAST[label], last)
    return chain


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


def _about_mean(chain: Chain, assumptions: Assumptions) -> tuple[int, int]:
    """Order h, the mean of M, and the mean square distance of M from it; the places of the moves."""
    gram, mean = one_task(assumptions).split().gram, reciprocal("n_v") * tr(GRAM)
    held, places = Held(assumptions), list[int]()
    found: dict[str, Expression] = {}
    for start in (mean, tr((GRAM - scalar("h") * identity("n_v")) @ (GRAM - scalar("h") * identity("n_v")))):
        chain.begin(start)
        if found:
            chain.insert(found)
        chain.insert({"M": gram}, "two-small-matrices", held=held).average("U", "V")
        found = {"h": chain.result}
        places.append(_ordered(chain))
    return places[0], places[1]


def _weight(chain: Chain, assumptions: Assumptions) -> int:
    """Order the mean of Tr K; the place of the move."""
    held = Held(assumptions, {"mean_inverse": mean_of_inverse()})
    value, free = quotient(mean_of_inverse(), "free")
    chain.begin(tr(WEIGHT)).insert({"K": one_task(assumptions).weight}, "two-small-matrices", held=held)
    chain.average("U").expand({"mean_inverse": value}, "inverse-wishart-mean")
    return _ordered(chain, {"free": free})


def _ordered(chain: Chain, names: Mapping[str, Expression] | None = None) -> int:
    """Order the present scalar; the place of the move."""
    order(chain, GROWS, names)
    return len(chain.moves) - 1


def _gram_of(source: random.Random, size: int, shift: int = 0) -> fmpq_mat:
    half = random_matrix(source, size, size + 2)
    return half * half.transpose() + _multiple(size, fmpq(shift))


def _multiple(size: int, value: fmpq) -> fmpq_mat:
    return fmpq_mat([[value if i == j else fmpq(0) for j in range(size)] for i in range(size)])


# what is far larger or smaller than all else in a draw, or of a rank too low
FAR = (fmpq(1), fmpq(1), fmpq(1000), fmpq(1, 1000))


def _degenerate(source: random.Random, size: int) -> fmpq_mat:
    """A positive semidefinite matrix of any rank, with eigenvalues of any size."""
    half = random_matrix(source, size, source.randint(1, size))
    return half * half.transpose() * source.choice(FAR)


def _positive(source: random.Random, size: int) -> dict[str, Any]:
    """M positive, K positive semidefinite, E the distance of M from a positive multiple of I."""
    h = fmpq(source.randint(1, 9), source.randint(1, 3)) * source.choice(FAR)
    whole = _degenerate(source, size) + _multiple(size, source.choice(FAR))
    error = whole - _multiple(size, h)
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
    c = c + _multiple(size, fmpq(7))
    s, n = c * c.transpose(), source.randint(2, 9)
    a = Fraction(source.randint(1, 9), source.randint(1, 60))
    scale = fmpq(a.numerator, a.denominator) / n
    first = _multiple(size, fmpq(1)) - s * scale
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
    for label, which in ((LEADING, "leading"), (NEXT, "next")):
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
        for label, which in ((LEADING, "leading"), (NEXT, "next"))
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
        uses=("one-task-suffices", "two-small-matrices", "inverse-wishart-squared-trace"),
        depends_on=DEPENDS,
        claim=_claim,
        not_sampled=dict.fromkeys(LAST.values(), "a bound, which what it bounds need not attain"),
        derivation=_chain,
        remainders=_remainders,
        check=_check,
        sizes=SIZES,
        applies=_applies,
        method="an exact series with its last term, bounded by moments of two inverse Wishart matrices",
        remark="The moves are the series, the bounds on its last term at alpha_t > 0, and the orders of the exact moments of what "
        "stands in them. Not computed but argued, at the top of the module: Hoelder's inequality, Nelson's for moments of polynomials in "
        "Gaussian variables, the laws of the two Wishart matrices, and that M - I is positive semidefinite at alpha_t <= 0.",
    ),
)
