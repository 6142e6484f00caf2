"""The move that looks at a mean near a point at which chi-square variables vanish, and eigenvalues of a Wishart matrix come together.

The density of the root w of a chi-square variable with f degrees of freedom is w^(f-1), and that of eigenvalues their differences, as the
symmetric matrices with these eigenvalues fill so much; all other variables have a density that is bounded from below. Up to factors between
positive bounds, the mean is at least the integral of the integrand in other variables, times their Jacobian determinant, the powers
w^(f-1) and the differences.

Its second routes: the determinant by SymPy, at exact points; the share of small roots by incomplete gamma functions; and what
rotations make of a diagonal matrix.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations, permutations
from math import prod

import sympy
from flint import fmpq, fmpq_mat

from derivations.language.normal_form import to_sympy
from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import by_powers
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import SEED
from symbolic.algebra.coefficients import INVERSE, to_fmpq, to_fraction
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, constant, reciprocal, scalar, zero

TRIALS = 4
# roots below which the share of a chi-square law is looked at, and how far the power of two may be off
SMALL, NEARLY = sympy.Rational(1, 1000), 1e-3


@carries_out
def near_point(
    chain: Chain,
    staying: Mapping[str, Expression],
    roots: Mapping[str, Expression],
    freedom: Mapping[str, int],
    over: Sequence[str],
    below: Mapping[str, tuple[str, Expression]],
    *reads: str,
    repelled: Sequence[str] = (),
) -> Chain:
    """The integrand of the present mean in other variables, with what their Jacobian and the densities give, for positive ones.

    staying: variables whose density is bounded from below but for the differences of those that are repelled. roots: of those that
    vanish, each a product of the others. freedom: the degrees of freedom of these. over: the new variables. below: of names divided by,
    what they are called in the new variables, and what they stand for. Raises DoesNotApply where the variables are not as many.
    """
    before = chain.result
    new = [*staying.values(), *roots.values()]
    if len(new) != len(over) or freedom.keys() != roots.keys():
        raise DoesNotApply(f"{Rule.NEAR}: {len(new)} variables are written in {len(over)} others")
    put = {**staying, **{name: root**2 for name, root in roots.items()}}
    after = before
    values: dict[str, Expression] = {}
    for name, (inside, whole) in below.items():
        after = after.replace({INVERSE + name: reciprocal(inside)})
        values[inside] = whole.replace({one: value for one, value in put.items() if one in whole.scalars()})
    after = after.replace({name: value for name, value in put.items() if name in after.scalars()})
    values |= {name: whole for name, (_, whole) in below.items()}
    density = constant(1)
    for name, root in roots.items():
        density = density * root ** (freedom[name] - 1)
    for one, other in combinations(repelled, 2):
        density = density * (staying[one] - staying[other])
    after = after * _determinant([[_slope(one, name) for name in over] for one in new]) * density

    def second_route() -> SecondRoute:
        said = not_near(before, after, put, new, roots, freedom, over, values, repelled)
        return "the determinant by SymPy, incomplete gamma functions and rotations", said

    return chain.made(Move(Rule.NEAR, before, after, reads, (*put,), values, second_route))


def _slope(expr: Expression, name: str) -> Expression:
    """The derivative of a polynomial in a name."""
    found = zero()
    for (power,), part in by_powers(expr, [name]).items():
        if power:
            found = found + power * part * scalar(name) ** (power - 1)
    return found


def _determinant(rows: Sequence[Sequence[Expression]]) -> Expression:
    """By its definition."""
    total, places = zero(), range(len(rows))
    for order in permutations(places):
        turned = sum(order[i] > order[j] for j in places for i in range(j))
        product = constant((-1) ** turned)
        for k, place in enumerate(order):
            product = product * rows[k][place]
        total = total + product
    return total


# -- the second route ----------------------------------------------------------------------------------------


def not_near(
    before: Expression,
    after: Expression,
    put: Mapping[str, Expression],
    new: Sequence[Expression],
    roots: Mapping[str, Expression],
    freedom: Mapping[str, int],
    over: Sequence[str],
    names: Mapping[str, Expression],
    repelled: Sequence[str] = (),
) -> str:
    """Why a scalar is not another in other variables times the Jacobian and the density, but for a sign; nothing if it is."""
    for name, free in freedom.items():
        shares = [_share(free, root) for root in (SMALL, SMALL / 2)]
        if abs(float(sympy.log(shares[0] / shares[1], 2)) - free) > NEARLY:
            return f"the root of {name} has another density near zero"
    symbols = [sympy.Symbol(name) for name in over]
    trees = sympy.Matrix([_plain(to_sympy(one)) for one in new])
    determinant = trees.jacobian(symbols).det()
    source = random.Random(SEED)
    exprs = (before, after, *put.values(), *names.values())
    free_names = (
        {name.removeprefix(INVERSE) for expr in exprs for name in expr.scalars()} - put.keys() - names.keys()
    )
    for _ in range(TRIALS):
        place = {
            name: Fraction(source.randint(1, 9), source.randint(1, 9))
            for name in sorted({*free_names, *over})
        }
        there = {**place, **{name: Fraction(evaluate(value, place)) for name, value in put.items()}}
        there |= {name: Fraction(evaluate(value, there)) for name, value in names.items() if value.scalars()}
        at = {sympy.Symbol(name): sympy.Rational(x.numerator, x.denominator) for name, x in place.items()}
        factor = Fraction(str(determinant.subs(at)))
        factor *= prod(Fraction(evaluate(root, place)) ** (freedom[name] - 1) for name, root in roots.items())
        factor *= _filled([there[name] for name in repelled])
        if abs(Fraction(evaluate(before, there)) * factor) != abs(Fraction(evaluate(after, there))):
            return "the two sides differ by another factor at an exact point"
    return ""


def _filled(eigenvalues: Sequence[Fraction]) -> Fraction:
    """The determinant of what infinitesimal rotations make of a diagonal matrix, above its diagonal."""
    size = len(eigenvalues)
    pairs = [*combinations(range(size), 2)]
    if not pairs:
        return Fraction(1)
    whole = fmpq_mat(size, size)
    for k, value in enumerate(eigenvalues):
        whole[k, k] = to_fmpq(value)
    rows = []
    for i, j in pairs:
        turn = fmpq_mat(size, size)
        turn[i, j], turn[j, i] = fmpq(1), fmpq(-1)
        moved = turn * whole - whole * turn
        rows.append([moved[place] for place in pairs])
    return to_fraction(fmpq_mat(rows).det())


def _share(free: int, root: sympy.Rational) -> sympy.Float:
    half = sympy.Rational(free, 2)
    return sympy.Float((sympy.lowergamma(half, root**2 / 2) / sympy.gamma(half)).evalf(30))


def _plain(tree: sympy.Expr) -> sympy.Expr:
    """With symbols that are known by their names alone."""
    return tree.subs({one: sympy.Symbol(one.name) for one in tree.free_symbols})
