"""The moves that differentiate, put numbers in and take limits, in scalars whose names depend on the variable too."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction

from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import by_powers
from derivations.steps.domains import Where, text
from derivations.steps.move import SecondRoute
from derivations.steps.rules.exact_routes import SEED, differs_exactly, in_order
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.words import Expression, constant, reciprocal, scalar, zero

# steps of central differences; their errors fall with the square of the step
STEPS = (Fraction(1, 2**100), Fraction(1, 2**200))
LEAST_FALL = Fraction(1, 2**150)
# arguments at which a limit is approached; the gap falls at least in proportion
FAR = (Fraction(2**100), Fraction(2**200))
LEAST_APPROACH = Fraction(1, 2**80)
Names = Mapping[str, Expression]


@carries_out
def derivative(chain: Chain, variable: str, names: Names, *reads: str) -> Chain:
    """The derivative of the present scalar in a variable: by the product rule and the chain rule.

    names: what the names in it stand for, as polynomials in sizes, rates and names. Raises DoesNotApply for matrices.
    """
    before, used = _scalar(chain, names)
    after = _slope(before, variable, used)

    def second_route() -> SecondRoute:
        return "exact central differences", not_the_derivative(before, after, variable, used)

    return chain.made(Move(Rule.DIFFERENTIATE, before, after, reads, (variable,), used, second_route))


@carries_out
def slope_at_zero(chain: Chain, variable: str, names: Names, *reads: str) -> Chain:
    """The derivative of the present scalar in a variable, at zero.

    names: what the names in it stand for. Raises DoesNotApply where the variable does not occur, or something that is
    divided by is not one at zero.
    """
    before, used = _scalar(chain, names)
    if not _depends(before, variable, used):
        raise DoesNotApply(f"{Rule.DIFFERENTIATE}: {variable} does not occur")
    after = _at_zero(_slope(before, variable, used), (variable,), used)

    def second_route() -> SecondRoute:
        said = not_the_derivative(before, after, variable, used, at=Fraction(0))
        return "exact central differences", said

    where = Where({variable: "0"})
    return chain.made(
        Move(Rule.DIFFERENTIATE, before, after, reads, (variable,), used, second_route, where=where)
    )


@carries_out
def at_zero(chain: Chain, variables: tuple[str, ...], names: Names, *reads: str) -> Chain:
    """Put zero in for variables, and in what names that depend on them stand for.

    Raises DoesNotApply where none occurs, or something that is divided by is not one at zero.
    """
    before = chain.result
    used = _used(before, names)
    if not any(_depends(before, variable, used) for variable in variables):
        raise DoesNotApply(f"{Rule.INSERT}: {', '.join(variables)} does not occur")
    after = _at_zero(before, variables, used)
    values = {**used, **{variable: zero() for variable in variables}}

    def second_route() -> SecondRoute:
        return "", differs_exactly(before, after, values)

    return chain.made(Move(Rule.INSERT, before, after, reads, variables, values, second_route))


@carries_out
def insert_values_at(
    chain: Chain, whole: Expression, variable: str, ends: Mapping[str, Expression], names: Names, *reads: str
) -> Chain:
    """Put in, for the names of values of a scalar, what it is where a variable takes given values.

    ends: the value of the variable, by the name; what depends on it gets that name behind its own. names: what the names in
    the scalar stand for. Raises DoesNotApply where a name does not occur.
    """
    before, used = chain.result, _used(whole, names)
    chain._require(Rule.INSERT, before.scalars(), ends)
    moving = [name for name in used if _depends(scalar(name), variable, used)]
    values: dict[str, Expression] = {}
    inside: dict[str, Expression] = {}
    for end, value in ends.items():
        there = {variable: value, **{name: scalar(f"{name}_{end}") for name in moving}}
        there |= {
            INVERSE + name: reciprocal(f"{name}_{end}")
            for name in moving
            if INVERSE + name in whole.scalars()
        }
        values[end] = whole.replace(there)
        inside |= {f"{name}_{end}": used[name].replace({variable: value}) for name in moving}
    after = before.replace(values)

    def second_route() -> SecondRoute:
        odd = [
            end
            for end, value in ends.items()
            if _at_a_point(whole, {**used, variable: value}) != _at_a_point(values[end], {**used, **inside})
        ]
        return "random points", f"{', '.join(odd)} is another" if odd else differs_exactly(
            before, after, values
        )

    return chain.made(
        Move(
            Rule.INSERT,
            before,
            after,
            reads,
            (*ends,),
            {**values, **inside},
            second_route,
            own=frozenset(ends),
            where=Where({f"{variable} in {end}": text(value) for end, value in ends.items()}),
        )
    )


def _at_a_point(expr: Expression, names: Names) -> Fraction:
    """The value of a scalar at numbers that only depend on the names of what is free."""
    known = {name for one in (expr, *names.values()) for name in _plain(one)} - names.keys()
    here = {name: Fraction(*random.Random(name).sample(range(1, 99), 2)) for name in sorted(known)}
    for name, value in in_order(names, {}):
        here[name] = Fraction(evaluate(value, here))
    return Fraction(evaluate(expr, here))


@carries_out
def limit(chain: Chain, variable: str, names: Names, leading: Mapping[str, str], *reads: str) -> Chain:
    """The limit of the present scalar as a variable grows without bound in either direction, by leading coefficients.

    names: what the names in it stand for. leading: how the leading coefficient of one that is divided by is written. Raises
    DoesNotApply where a term grows without bound.
    """
    before, used = _scalar(chain, names)
    values = dict(used)
    generators = [variable, INVERSE + variable, *used, *(INVERSE + name for name in used)]
    after = zero()
    for powers, part in by_powers(before, generators).items():
        degree, product = powers[0] - powers[1], part
        for name, power in zip(generators[2:], powers[2:], strict=True):
            base = name.removeprefix(INVERSE)
            if not power or not _depends(scalar(base), variable, used):
                product = product * generator(name) ** power
                continue
            top, height = _leading(_closed(used[base], used), variable)
            if name != base:
                if base not in leading:
                    raise DoesNotApply(f"{Rule.LIMIT}: the leading coefficient of {base} has no name")
                values[leading[base]] = top
                top, height = reciprocal(leading[base]), -height
            product, degree = product * top**power, degree + height * power
        if degree > 0:
            raise DoesNotApply(f"{Rule.LIMIT}: a term grows without bound in {variable}")
        if degree == 0:
            after = after + product

    def second_route() -> SecondRoute:
        return "exact values far out on either side", not_the_limit(before, after, variable, values)

    where = Where({variable: "infinity"})
    return chain.made(Move(Rule.LIMIT, before, after, reads, (variable,), values, second_route, where=where))


def _scalar(chain: Chain, names: Names) -> tuple[Expression, Names]:
    before = chain.result
    if before.letters() or before.shape:
        raise DoesNotApply(f"{Rule.DIFFERENTIATE}: {before} is no polynomial in numbers")
    return before, _used(before, names)


def _used(expr: Expression, names: Names) -> dict[str, Expression]:
    """The names in an expression, and those in what they stand for."""
    found: dict[str, Expression] = {}
    for name in sorted(_plain(expr) & names.keys()):
        found |= {name: names[name], **_used(names[name], names)}
    return found


def _plain(expr: Expression) -> set[str]:
    return {name.removeprefix(INVERSE) for name in expr.scalars()}


def _depends(expr: Expression, variable: str, names: Names) -> bool:
    known = _plain(expr)
    return variable in known or any(_depends(names[name], variable, names) for name in known & names.keys())


def generator(name: str) -> Expression:
    """A scalar by its name in a coefficient, where `1/x` is the inverse of x."""
    return reciprocal(name.removeprefix(INVERSE)) if name.startswith(INVERSE) else scalar(name)


def _slope(expr: Expression, variable: str, names: Names) -> Expression:
    """The derivative, by each name that depends on the variable."""
    total = zero()
    for name in sorted(expr.scalars()):
        base = name.removeprefix(INVERSE)
        if base == variable:
            change = constant(1)
        elif base in names:
            change = _slope(names[base], variable, names)
        else:
            continue
        if name.startswith(INVERSE):
            change = -1 * change * reciprocal(base) ** 2
        for (power,), part in by_powers(expr, [name]).items():
            if power:
                total = total + part * power * generator(name) ** (power - 1) * change
    return total


def _at_zero(expr: Expression, variables: tuple[str, ...], names: Names) -> Expression:
    nothing = {variable: zero() for variable in variables}
    there: dict[str, Expression] = {}
    for name in _plain(expr) & names.keys():
        if not any(_depends(names[name], variable, names) for variable in variables):
            continue
        there[name] = _at_zero(names[name], variables, names)
        if INVERSE + name in expr.scalars() and there[name] != constant(1):
            raise DoesNotApply(f"{Rule.INSERT}: 1/{name} is not one at {', '.join(variables)} = 0")
    for variable in variables:
        if INVERSE + variable in expr.scalars():
            raise DoesNotApply(f"{Rule.INSERT}: {variable} is divided by")
    return expr.replace({**nothing, **there})


def _closed(expr: Expression, names: Names) -> Expression:
    """An expression with its names written out; what is divided by stays."""
    plain = {name: names[name] for name in expr.scalars() & names.keys()}
    return _closed(expr.replace(plain), names) if plain else expr


def _leading(expr: Expression, variable: str) -> tuple[Expression, int]:
    """The leading coefficient in a variable, and the degree."""
    parts = by_powers(expr, [variable])
    (degree,) = max(parts)
    return parts[degree,], degree


def _places(
    before: Expression, after: Expression, names: Names, variable: str
) -> Callable[[Fraction], tuple[Fraction, Fraction]]:
    """The values of two scalars at exact random values of everything else, by the value of the variable."""
    source = random.Random(SEED)
    inside = {name for expr in (before, after, *names.values()) for name in _plain(expr)}
    place = {
        name: Fraction(source.randint(1, 9), source.randint(1, 9)) for name in sorted(inside - names.keys())
    }

    def at(value: Fraction) -> tuple[Fraction, Fraction]:
        here = {**place, variable: value}
        for name, expr in in_order(names, {}):
            here[name] = Fraction(evaluate(expr, here))
        return Fraction(evaluate(before, here)), Fraction(evaluate(after, here))

    return at


def not_the_derivative(
    before: Expression, after: Expression, variable: str, names: Names, at: Fraction = Fraction(3, 7)
) -> str:
    """Why a scalar is not the derivative of another in a variable at a value of it; nothing if it is.

    At exact random values of everything else the central difference comes closer with the square of the step.
    """
    values = _places(before, after, names, variable)
    claimed = values(at)[1]
    wide, narrow = (
        abs((values(at + step)[0] - values(at - step)[0]) / (2 * step) - claimed) for step in STEPS
    )
    return "" if narrow <= LEAST_FALL * wide else "central differences do not come close to it"


def not_the_limit(before: Expression, after: Expression, variable: str, names: Names) -> str:
    """Why a scalar is not the limit of another as a variable grows in either direction; nothing if it is."""
    values = _places(before, after, names, variable)
    for sign in (1, -1):
        near, far = (abs(values(sign * x)[0] - values(sign * x)[1]) for x in FAR)
        if far > LEAST_APPROACH * near:
            return "values far out do not come close to it"
    return ""
