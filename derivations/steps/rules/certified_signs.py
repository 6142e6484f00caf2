"""The moves that certify a sign, by polynomials with positive coefficients, and leave out a positive factor.

The engine finds a certificate of plain data. The second route is a program of its own, `symbolic.proofs.plain_check`: it
multiplies the polynomials of the certificate out as tables of fractions, and holds them against the values of the expression at exact random points.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from types import MappingProxyType

import sympy

from derivations.language.normal_form import quotient
from derivations.language.normal_form import scalar as scalar_of
from derivations.language.symbols import symbol_table
from derivations.steps.chain import Chain, DoesNotApply, Move, Rule, carries_out
from derivations.steps.chains.products import by_powers
from derivations.steps.domains import AMOUNTS, ANYWHERE, RATES, SIZES, Where, text
from derivations.steps.move import SecondRoute
from derivations.steps.rules.derivatives import generator
from derivations.steps.rules.exact_routes import SEED, differs_exactly, in_order, put_in
from symbolic.algebra.coefficients import INVERSE
from symbolic.algebra.evaluation import evaluate
from symbolic.algebra.quotients import Rational
from symbolic.algebra.sympy_trees import quotient_to_sympy
from symbolic.algebra.words import Expression, constant, polynomial, scalar
from symbolic.proofs.plain_check import Table, not_positive, table
from symbolic.proofs.positivity import Certificate, SignUnproved, prove_sign, recheck

# Dimensions are taken as positive real numbers, which includes every integer size; noise and variability are
# strictly positive; rates are real.
POSITIVE, NONZERO = SIZES | AMOUNTS, RATES
BOUNDS = {name: Fraction(0) for name in sorted(POSITIVE)}

Noted = tuple[sympy.Expr, int, Certificate]
_record: ContextVar[list[Noted] | None] = ContextVar("record", default=None)


@contextmanager
def recording() -> Iterator[list[Noted]]:
    """Inside, every sign that is proved is noted: the quantity, its sign, its certificate."""
    found: list[Noted] = []
    token = _record.set(found)
    try:
        yield found
    finally:
        _record.reset(token)


def sign(
    quantity: sympy.Expr | Rational,
    at_least: Mapping[str, Fraction] = MappingProxyType({}),
    nonzero: frozenset[str] = NONZERO,
    positive: frozenset[str] = frozenset(),
) -> tuple[int, Certificate]:
    """The strict sign of one derived quantity and its certificate, checked again from its own data.

    `at_least`: sizes for which more than positivity is used. `nonzero`: the rates taken not to vanish.
    `positive`: further variables known to be positive.
    """
    bounds = {**BOUNDS, **dict.fromkeys(sorted(positive), Fraction(0)), **at_least}
    strict = (POSITIVE | positive) - set(at_least)
    whole = quantity if isinstance(quantity, Rational) else scalar_of(quantity)
    found, certificate = prove_sign(whole, bounds, strict, nonzero)
    if not recheck(certificate):
        raise SignUnproved("the certificate does not hold on its own")
    noted = _record.get()
    if noted is not None:
        said = quotient_to_sympy(quantity, symbol_table()) if isinstance(quantity, Rational) else quantity
        noted.append((said, found, certificate))
    return found, certificate


Names = Mapping[str, Expression]
# a certificate, and whether it holds at rates that are zero too
Found = tuple[Certificate, bool]
POINTS = 8


@dataclass(frozen=True)
class Domain:
    """Where a sign holds: all sizes, noise and variability positive, rates real, unless said otherwise.

    at_least: lower bounds other than zero. nonzero: the rates that are not zero. positive: names known to be positive.
    within: sizes by others, as p = n_v m + room.
    """

    at_least: Mapping[str, Fraction] = field(default_factory=dict)
    nonzero: frozenset[str] = frozenset()
    positive: frozenset[str] = frozenset()
    within: Mapping[str, Expression] = field(default_factory=dict)

    @property
    def where(self) -> Where:
        """The same of what is free: that a name stands for something positive was shown."""
        return Where(
            at={name: text(value) for name, value in self.within.items()},
            at_least=self.at_least,
            nonzero=self.nonzero,
        )

    @property
    def bounds(self) -> Mapping[str, Fraction]:
        """The lower bound of each variable that has one."""
        return {**BOUNDS, **dict.fromkeys(self.positive, Fraction(0)), **self.at_least}

    @property
    def strict(self) -> frozenset[str]:
        """The variables that lie strictly above their bound."""
        return (POSITIVE | self.positive) - set(self.at_least)


EVERYWHERE = Domain()
POSITIVE_RATES = Domain(positive=frozenset({"alpha_t"}))


def is_not_negative(factor: Expression, domain: Domain) -> bool:
    """Whether a scalar of the engine is certified to be positive there, but where something vanishes."""
    return sign(quotient(factor), domain.at_least, frozenset(factor.scalars()), domain.positive)[0] == 1


@carries_out
def certify(
    chain: Chain, names: Names, *reads: str, domain: Domain = EVERYWHERE, apart: Sequence[str] | None = None
) -> Chain:
    """The strict sign of the present scalar, where all its parts have it: those with the same powers of names.

    names: what the names in it stand for. apart: by which of them it is taken apart; None: by all. Some of the parts may
    vanish where a rate is zero. Raises DoesNotApply where a part has no certificate, or two have different signs.
    """
    before = chain.result
    where = domain.where & _where_known(chain, names, domain)
    kept = [*(names if apart is None else apart)]
    found: list[Found] = []
    signs = set()
    for part in _parts(before, kept):
        written = written_out(part, names, domain)
        for strict in (True, False):
            nonzero = domain.nonzero if strict else NONZERO
            try:
                which, certificate = sign(written, domain.at_least, nonzero, domain.positive)
            except SignUnproved as error:
                if not strict:
                    raise DoesNotApply(f"{Rule.SIGN}: {error}") from None
                continue
            found.append((certificate, strict))
            signs.add(which)
            break
    if len(signs) != 1:
        raise DoesNotApply(f"{Rule.SIGN}: the parts of {before} have no sign in common")
    if not any(strict for _, strict in found):
        raise DoesNotApply(f"{Rule.SIGN}: {before} may vanish at a rate of zero")
    after = constant(signs.pop())
    values = opened(before, names, domain)

    def second_route() -> SecondRoute:
        return "its certificate, multiplied out", not_certified(before, after, values, found, domain)

    return chain.made(Move(Rule.SIGN, before, after, reads, (), values, second_route, where=where))


@carries_out
def leave_out_factor(
    chain: Chain, variable: str, names: Names, *reads: str, domain: Domain = EVERYWHERE
) -> Chain:
    """The one factor of the present scalar in a variable whose sign is not certified; all others are positive.

    names: what the names in it stand for. Raises DoesNotApply where there is not just one.
    """
    before = chain.result
    whole = written_out(before, names, domain)
    rest = Rational.number(1)
    unknown = []
    for factor, multiplicity in whole.numerator.factor()[1]:
        one = Rational.polynomial(factor)
        if variable in one.names():
            unknown += [one] * int(multiplicity)
    if len(unknown) != 1:
        raise DoesNotApply(f"{Rule.FACTOR}: there is not just one factor in {variable}")
    rest = whole / unknown[0]
    try:
        which, certificate = sign(rest, domain.at_least, domain.nonzero, domain.positive)
    except SignUnproved as error:
        raise DoesNotApply(f"{Rule.FACTOR}: {error}") from None
    after = polynomial(unknown[0].numerator) * which
    values = opened(before, names, domain)

    def second_route() -> SecondRoute:
        said = not_positive(certificate, domain, which) or next(
            (
                "the two sides differ by another factor"
                for place, value in points(before, after, values, domain)
                if value != which * _ratio(certificate, place) * Fraction(evaluate(after, place))
            ),
            "",
        )
        return "the certificate of what is left out, multiplied out", said

    where = domain.where
    return chain.made(Move(Rule.FACTOR, before, after, reads, (variable,), values, second_route, where=where))


@carries_out
def part_off(chain: Chain, name: str, power: int, names: Names, *reads: str) -> Chain:
    """Write the present scalar as a power of a name and a rest.

    names: what it and the names in it stand for.
    """
    before = chain.result
    after = scalar(name) ** power + before - names[name] ** power

    def second_route() -> SecondRoute:
        return "", differs_exactly(before, after, {name: names[name]})

    return chain.made(Move(Rule.NAME, before, after, reads, (name,), {name: names[name]}, second_route))


@carries_out
def write_by_rest(chain: Chain, parts: Mapping[str, Expression], names: Names, *reads: str) -> Chain:
    """Write names by others, as a square and a rest.

    names: what all of them stand for; disproved where that is not the same.
    """
    before = chain.result
    after = before.replace(parts)
    values = {
        **parts,
        **{name: names[name] for name in sorted((after.scalars() - before.scalars()) & names.keys())},
    }

    def second_route() -> SecondRoute:
        odd = [name for name, part in parts.items() if part.replace(_among(part, names)) != names[name]]
        said = f"{', '.join(odd)} is another" if odd else ""
        return "", said or differs_exactly(before, after, parts)

    return chain.made(Move(Rule.EXPAND, before, after, reads, (*parts,), values, second_route, held=True))


def _among(expr: Expression, names: Names) -> dict[str, Expression]:
    return {name: names[name] for name in expr.scalars() & names.keys()}


def _where_known(chain: Chain, names: Names, domain: Domain) -> Where:
    """For which values the names that are taken for positive are: the chain has shown what they stand for to be, or they are
    a distance. Raises DoesNotApply for any other.
    """
    ends = [*list(chain.starts)[1:], len(chain.moves)]
    found = ANYWHERE
    for name in sorted(domain.positive):
        roots = [move for move in chain.moves if move.rule is Rule.ROOT and name in move.roots]
        shown = [
            end
            for (k, start), end in zip(chain.starts.items(), ends, strict=True)
            if end > k
            and chain.moves[end - 1].rule is Rule.SIGN
            and chain.moves[end - 1].after == constant(1)
            and start == names.get(name)
        ]
        if roots:
            found = found & roots[-1].restricts
        elif shown:
            found = found & chain.where(shown[-1])
        else:
            raise DoesNotApply(f"{Rule.SIGN}: {name} was not shown to be positive")
    return found


def _parts(expr: Expression, names: Sequence[str]) -> list[Expression]:
    """The terms with the same powers of the names, together."""
    generators = [*names, *(INVERSE + name for name in names)]
    found = []
    for powers, part in by_powers(expr, generators).items():
        product = part
        for name, power in zip(generators, powers, strict=True):
            product = product * generator(name) ** power
        found.append(product)
    return found


def opened(expr: Expression, names: Names, domain: Domain) -> dict[str, Expression]:
    """What the names in an expression stand for that are not taken for positive, and sizes by others."""
    found: dict[str, Expression] = {}
    for name in sorted({name.removeprefix(INVERSE) for name in expr.scalars()}):
        if name in names and name not in domain.positive:
            found |= {name: names[name], **opened(names[name], names, domain)}
        elif name in domain.within:
            inside = domain.within[name]
            found |= {name: inside, **opened(inside, names, domain)}
    return found


def written_out(expr: Expression, names: Names, domain: Domain) -> Rational:
    """An expression with its names written out, as one quotient."""
    return put_in(quotient(expr), opened(expr, names, domain))


# -- the second route ----------------------------------------------------------------------------------------


def not_certified(
    before: Expression,
    after: Expression,
    values: Names,
    certificates: Sequence[Found],
    domain: Domain,
) -> str:
    """Why certificates do not show that a scalar has the sign of another; nothing if they do."""
    which = 1 if after == constant(1) else -1
    if not any(strict for _, strict in certificates):
        return "it may vanish at a rate of zero"
    for certificate, strict in certificates:
        where = domain if strict else replace(domain, nonzero=NONZERO)
        said = not_positive(certificate, where, which)
        if said:
            return said
    for place, value in points(before, after, values, domain):
        if value * which <= 0:
            return "it has another sign at a random point"
        if value != sum(_ratio(certificate, place) for certificate, _ in certificates):
            return "the certificates are about something else"
    return ""


def _ratio(certificate: Certificate, place: Mapping[str, Fraction]) -> Fraction:
    top, bottom = (_value(table(certificate[role]), place) for role in ("numerator", "denominator"))
    return top / bottom


def _value(values: Table, place: Mapping[str, Fraction]) -> Fraction:
    total = Fraction(0)
    for powers, one in values.items():
        total += one * prod(place[name] ** power for name, power in powers)
    return total


def points(
    before: Expression, after: Expression, values: Names, domain: Domain
) -> Iterator[tuple[dict[str, Fraction], Fraction]]:
    """Exact random points of the domain at which nothing that is divided by vanishes, with the value there."""
    source = random.Random(SEED)
    exprs = (before, after, *values.values())
    free = {name.removeprefix(INVERSE) for expr in exprs for name in expr.scalars()} - values.keys()
    found = 0
    while found < POINTS:
        place = {}
        for name in sorted(free):
            size = Fraction(source.randint(1, 99), source.randint(1, 9))
            if name in domain.bounds:
                place[name] = domain.bounds[name] + size
            else:
                place[name] = size * source.choice((-1, 1)) / source.choice((1, 20))
        for name, expr in in_order(values, {}):
            place[name] = Fraction(evaluate(expr, place))
        if all(
            place[name.removeprefix(INVERSE)]
            for expr in exprs
            for name in expr.scalars()
            if name.startswith(INVERSE)
        ):
            found += 1
            yield place, Fraction(evaluate(before, place))
