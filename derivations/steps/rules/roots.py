"""The moves that isolate a root of a polynomial of degree one or two, and find where a quotient of polynomials is least.

For the second the stationary points are isolated and compared by enclosures (`symbolic.proofs.minimum`); its second route counts
the real roots of the derivative by Sturm's theorem and encloses the values in fractions (`symbolic.proofs.minimum_check`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeAlias

from flint import fmpq, fmpq_mpoly, fmpq_poly

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import by_powers
from derivations.steps.domains import Where
from derivations.steps.move import SecondRoute
from derivations.steps.rules.certified_signs import EVERYWHERE, Domain, opened, points, sign, written_out
from symbolic.algebra.coefficients import INVERSE, inverse_of, named_terms, names_in, to_fmpq
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.sympy_trees import to_sympy
from symbolic.algebra.words import Expression, constant, polynomial, reciprocal, scalar, zero
from symbolic.proofs.minimum import NoMinimum, minimum
from symbolic.proofs.minimum_check import recheck
from symbolic.proofs.positivity import SignUnproved

# half the distance of the two roots of a quadratic
SPREAD = "s"


@carries_out
def isolate(
    chain: Chain,
    variable: str,
    which: int = 0,
    leading: str = "",
    domain: Domain = EVERYWHERE,
) -> Chain:
    """Where the present scalar vanishes as a function of a variable: the only root, or the lower or upper one of two.

    which: 0 for the only one, -1 and +1 for the lower and the upper. leading: how the leading coefficient is written,
    where it is no single product. The root of a quadratic is its centre and `SPREAD`. Raises DoesNotApply for another
    degree, and where it is not certified that there are two roots, or that the leading coefficient has a sign.
    """
    before = chain.result
    parts = {power: part for (power,), part in by_powers(before, [variable]).items()}
    degree = max(parts)
    if degree != (2 if which else 1) or INVERSE + variable in before.scalars():
        raise DoesNotApply(f"{Rule.ROOT}: it has degree {degree} in {variable}")
    top = parts[degree]
    values: dict[str, Expression] = {}
    if _is_product(top):
        over = polynomial(inverse_of(top.coefficient()))
    elif leading:
        over, values[leading] = reciprocal(leading), top
    else:
        raise DoesNotApply(f"{Rule.ROOT}: the leading coefficient {top} has no name")
    roots: dict[str, Expression] = {}
    if which:
        half = parts.get(1, zero()) * over * Fraction(1, 2)
        product = parts.get(0, zero()) * over
        inside = half**2 - product
        _require_positive(inside, product, domain)
        roots[SPREAD] = inside
        after = -1 * half + which * scalar(SPREAD)
    else:
        _require_sign(top, domain)
        after = -1 * parts.get(0, zero()) * over

    def second_route() -> SecondRoute:
        said = not_a_root(before, after, variable, values, roots.get(SPREAD), which, domain)
        return "put back, and the count of real roots by Sturm's theorem", said

    where = domain.where
    return chain.made(
        Move(Rule.ROOT, before, after, (), (variable,), values, second_route, roots=roots, where=where)
    )


@carries_out
def put_root(chain: Chain, variable: str, root: Move, domain: Domain = EVERYWHERE) -> Chain:
    """Put a root that was isolated in for the variable; the square of the spread is written out."""
    before, values = chain.result, {variable: root.after}
    after = _squares_written(before.replace(values), root.roots.get(SPREAD))

    def second_route() -> SecondRoute:
        return "", not_put_in(before, after, variable, root, domain)

    return chain.made(
        Move(
            Rule.INSERT,
            before,
            after,
            (),
            (variable,),
            {**values, **root.values},
            second_route,
            roots=root.roots,
            where=Where({variable: which_root(root)}),
        )
    )


def which_root(root: Move) -> str:
    """The only root, or the lower or upper one of two."""
    powers = by_powers(root.after, [SPREAD])
    if (1,) not in powers:
        return "its root"
    return "its upper root" if powers[1,] == constant(1) else "its lower root"


@carries_out
def write_square(chain: Chain, root: Move) -> Chain:
    """Write the square of the spread of a root out. Raises DoesNotApply where it does not occur."""
    before = chain.result
    after = _squares_written(before, root.roots.get(SPREAD))
    if after == before:
        raise DoesNotApply(f"{Rule.EXPAND}: the square of {SPREAD} does not occur")

    def second_route() -> SecondRoute:
        return "", not_put_in(before, after, SPREAD, replace(root, after=scalar(SPREAD)), EVERYWHERE)

    return chain.made(Move(Rule.EXPAND, before, after, (), (SPREAD,), {}, second_route, roots=root.roots))


def _is_product(expr: Expression) -> bool:
    return sum(len(coefficient) for coefficient in expr.terms.values()) == 1


def _require_sign(value: Expression, domain: Domain) -> None:
    try:
        sign(to_sympy(value), domain.at_least, domain.nonzero, domain.positive)
    except SignUnproved as error:
        raise DoesNotApply(f"{Rule.ROOT}: {error}") from None


def _require_positive(inside: Expression, product: Expression, domain: Domain) -> None:
    """There are two real roots: their squared half distance is positive, for instance as their product is negative."""
    for value, wanted in ((inside, 1), (product, -1)):
        try:
            if sign(to_sympy(value), domain.at_least, domain.nonzero, domain.positive)[0] == wanted:
                return
        except SignUnproved:
            continue
    raise DoesNotApply(f"{Rule.ROOT}: it is not certified that {inside} is positive")


def _squares_written(expr: Expression, inside: Expression | None) -> Expression:
    """Even powers of the spread by what its square is."""
    if inside is None:
        return expr
    total = zero()
    for (power,), part in by_powers(expr, [SPREAD]).items():
        total = total + part * inside ** (power // 2) * scalar(SPREAD) ** (power % 2)
    return total


# -- the second route ----------------------------------------------------------------------------------------


def not_a_root(
    before: Expression,
    after: Expression,
    variable: str,
    values: Mapping[str, Expression],
    inside: Expression | None,
    which: int = 0,
    domain: Domain = EVERYWHERE,
) -> str:
    """Why a scalar does not vanish where it is said to, or has other real roots; nothing if all is right.

    At exact random values it is put back, in numbers a + b s with s^2 rational, and Sturm's theorem counts the roots in all
    and above the centre.
    """
    for place, _ in points(before, after, values, domain):
        parts = _coefficients(before, variable, place)
        root, square = _pair(after, place), _square(inside, place)
        if _at(parts, root, square) != (Fraction(0), Fraction(0)):
            return "put back it gives something else than zero"
        if (root[1] > 0) - (root[1] < 0) != which:
            return "it is the other root"
        poly = fmpq_poly([to_fmpq(one) for one in parts])
        total, above = roots_above(poly, None), roots_above(poly, root[0])
        if (total, above) != (1 + abs(which), abs(which)):
            return f"there are {total} real roots, {above} of them above the centre"
    return ""


def not_put_in(before: Expression, after: Expression, variable: str, root: Move, domain: Domain) -> str:
    """Why a scalar is not another with a root put in for a variable; nothing if it is."""
    for place, _ in points(before, after, root.values, domain):
        inside = root.roots.get(SPREAD)
        found = _at(_coefficients(before, variable, place), _pair(root.after, place), _square(inside, place))
        if found != _pair(after, place):
            return "put in, the root gives something else"
    return ""


def roots_above(poly: fmpq_poly, start: Fraction | None) -> int:
    """The number of distinct real roots above a number, or in all (None), by the signs of Sturm's sequence."""
    sequence = [poly, poly.derivative()]
    while sequence[-1].degree() > 0 and (rest := -(sequence[-2] % sequence[-1])):
        sequence.append(rest)
    tops = [one[one.degree()] for one in sequence]
    if start is None:
        first = [top * (-1) ** one.degree() for top, one in zip(tops, sequence, strict=True)]
    else:
        first = [one(to_fmpq(start)) for one in sequence]
    return _changes(first) - _changes(tops)


def _changes(values: list[fmpq]) -> int:
    """How often the sign changes in a sequence, zeros left out."""
    signs = [bool(value > 0) for value in values if value != 0]
    return sum(a is not b for a, b in pairwise(signs))


Pair: TypeAlias = tuple[Fraction, Fraction]


def _pair(expr: Expression, place: Mapping[str, Fraction]) -> Pair:
    """The rational part and the factor of the spread."""
    parts = {power: Fraction(evaluate(part, place)) for (power,), part in by_powers(expr, [SPREAD]).items()}
    return parts.get(0, Fraction(0)), parts.get(1, Fraction(0))


def _square(inside: Expression | None, place: Mapping[str, Fraction]) -> Fraction:
    return Fraction(0) if inside is None else Fraction(evaluate(inside, place))


def _coefficients(expr: Expression, variable: str, place: Mapping[str, Fraction]) -> list[Fraction]:
    parts = {power: Fraction(evaluate(part, place)) for (power,), part in by_powers(expr, [variable]).items()}
    return [parts.get(power, Fraction(0)) for power in range(max(parts) + 1)]


def _at(coefficients: list[Fraction], root: Pair, square: Fraction) -> Pair:
    """The value of a polynomial at a number a + b s, by Horner's rule."""
    value = Fraction(0), Fraction(0)
    for one in reversed(coefficients):
        value = (
            value[0] * root[0] + value[1] * root[1] * square + one,
            value[0] * root[1] + value[1] * root[0],
        )
    return value


# -- where a quotient is least -------------------------------------------------------------------------------


@carries_out
def least_at(chain: Chain, variable: str, names: Mapping[str, Expression], *reads: str) -> Chain:
    """The sign of the only number at which the present scalar is least, as a function of a variable.

    names: what the names in it stand for; every other number must have been put in. Raises DoesNotApply where it is no
    function of the variable alone, and where the least value is not attained, or at zero.
    """
    before = chain.result
    found = written_out(before, names, EVERYWHERE).reduced()
    try:
        best = minimum(
            _in_one_variable(found.numerator, variable), _in_one_variable(found.denominator, variable)
        )
    except NoMinimum as error:
        raise DoesNotApply(f"{Rule.LEAST}: {error}") from None
    certificate = best.certificate
    chosen = certificate.get("minimum")
    if chosen is None:
        raise DoesNotApply(f"{Rule.LEAST}: {certificate['reason']}")
    signs = {_sign_of(Fraction(end)) for end in certificate["stationary"][chosen]["at"]}
    if signs not in ({1}, {-1}):
        raise DoesNotApply(f"{Rule.LEAST}: the least value is attained at zero")
    after = constant(signs.pop())
    values = opened(before, names, EVERYWHERE)

    def second_route() -> SecondRoute:
        said = not_least(before, after, variable, values, certificate)
        return "Sturm's theorem, and the values in fractions", said

    return chain.made(Move(Rule.LEAST, before, after, reads, (variable,), values, second_route))


def not_least(
    before: Expression,
    after: Expression,
    variable: str,
    values: Mapping[str, Expression],
    certificate: Mapping[str, Any],
) -> str:
    """Why a certificate does not show that a scalar is least at a number of a sign alone; nothing if it does."""
    top, bottom = ([Fraction(c) for c in certificate[part]] for part in ("numerator", "denominator"))
    for place, value in points(before, after, values, EVERYWHERE):
        x = place[variable]
        if value * _polynomial_at(bottom, x) != _polynomial_at(top, x):
            return "the certificate is about something else"
    at = certificate["stationary"][certificate["minimum"]]["at"]
    if any(after != constant(_sign_of(Fraction(end))) for end in at):
        return "it is least at a number of another sign"
    return "" if recheck(certificate) else "the certificate does not hold on its own"


def _in_one_variable(poly: fmpq_mpoly, variable: str) -> fmpq_poly:
    odd = sorted(names_in(poly) - {variable})
    if odd:
        raise DoesNotApply(f"{Rule.LEAST}: {', '.join(odd)} has no value")
    parts = {powers.get(variable, 0): number for powers, number in named_terms(poly)}
    return fmpq_poly([parts.get(power, 0) for power in range(max(parts) + 1)])


def _sign_of(x: Fraction) -> int:
    return (x > 0) - (x < 0)


def _polynomial_at(coefficients: list[Fraction], x: Fraction) -> Fraction:
    return sum((c * x**k for k, c in enumerate(coefficients)), Fraction(0))
