"""Checks certificates of signs from their data alone, with nothing but the standard library.

    python symbolic/proofs/plain_check.py derivations/paper/beyond/negative_minimum.json

A certificate factors a quotient of polynomials; each factor is shown to be positive by positive coefficients above lower
bounds, or as a quadratic in a real variable without real roots. Polynomials are tables of fractions, multiplied out here.
What is written as an expression is held against its certificate at random points; what is named by a label is not.
"""

from __future__ import annotations

import ast
import json
import operator
import random
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any, Protocol

Certificate = Mapping[str, Any]
ROW = frozenset({"what", "sign", "certificate", "domain"})
Table = dict[tuple[tuple[str, int], ...], int | Fraction]
# at which an expression is held against its certificate, and the largest power in one
POINTS, MOST = 3, 100
HOW: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Domain(Protocol):
    """Where a sign holds: lower bounds, which of them are strict, and the real variables that are not zero."""

    @property
    def bounds(self) -> Mapping[str, Fraction]:
        """The lower bound of each variable that has one."""

    @property
    def strict(self) -> Collection[str]:
        """The variables strictly above their bound."""

    @property
    def nonzero(self) -> Collection[str]:
        """The variables without a bound that are not zero."""


@dataclass(frozen=True)
class Given:
    """A domain read from a file."""

    bounds: Mapping[str, Fraction]
    strict: Collection[str]
    nonzero: Collection[str]


def not_positive(certificate: Certificate, domain: Domain, which: int) -> str:
    """Why the data of a certificate do not show a quotient of polynomials to have a sign; nothing if they do."""
    total = 1
    for role in ("numerator", "denominator"):
        product: Table = {(): 1}
        for factor in certificate["factors"]:
            if factor["role"] == role:
                total *= factor["sign"] ** factor["multiplicity"]
                if not _shown(factor["certificate"], domain, factor["multiplicity"]):
                    return "a factor is not shown to be positive"
                for _ in range(factor["multiplicity"]):
                    product = _times(
                        product, _scaled(table(factor["certificate"]["polynomial"]), factor["sign"])
                    )
        whole = table(certificate[role])
        some = next(iter(product))
        unit = Fraction(whole.get(some, 0)) / product[some]
        if not unit or whole != _scaled(product, unit):
            return f"the factors do not make up the {role}"
        total *= 1 if unit > 0 else -1
    return "" if total == which else "the factors make up another sign"


def _shown(certificate: Certificate, domain: Domain, multiplicity: int) -> bool:
    """Whether a polynomial is shown to be positive, on the whole domain."""
    method, poly = certificate["method"], table(certificate["polynomial"])
    if method == "even power of a non-zero variable":
        ((powers, one),) = poly.items() if len(poly) == 1 else (((), 0),)
        single = len(powers) == 1 and powers[0][1] == 1 and powers[0][0] in domain.nonzero
        return single and one != 0 and multiplicity % 2 == 0
    if method == "positive coefficients":
        moved = _moved(poly, domain.bounds)
        known = {name for powers in poly for name, _ in powers} <= domain.bounds.keys()
        away = any(all(name in domain.strict for name, _ in powers) for powers in moved)
        return known and away and all(one > 0 for one in moved.values())
    if method == "quadratic without real roots":
        parts: list[Table] = [{}, {}, {}]
        for powers, one in poly.items():
            power = dict(powers).get(certificate["variable"], 0)
            if power > 2:
                return False
            parts[power][tuple(item for item in powers if item[0] != certificate["variable"])] = one
        c, b, a = parts
        gap = _plus(_scaled(_times(a, c), 4), _scaled(_times(b, b), -1))
        same = table(certificate["leading"]["polynomial"]) == a
        same = same and table(certificate["discriminant"]["polynomial"]) == gap
        return same and all(_shown(certificate[part], domain, 1) for part in ("leading", "discriminant"))
    return False


def table(data: Mapping[str, Any]) -> Table:
    """A polynomial from its data."""
    names = data["variables"]
    return {
        tuple(sorted((name, e) for name, e in zip(names, powers, strict=True) if e)): _exact(Fraction(one))
        for powers, one in data["terms"]
    }


def _exact(value: Fraction) -> int | Fraction:
    """The number, a whole one as an integer, with which Python calculates ten times as fast."""
    return value.numerator if value.denominator == 1 else value


def _plus(first: Table, second: Table) -> Table:
    found = {key: first.get(key, 0) + second.get(key, 0) for key in first | second}
    return {key: one for key, one in found.items() if one}


def _scaled(values: Table, number: Fraction | int) -> Table:
    return {key: one * number for key, one in values.items()}


def _times(first: Table, second: Table) -> Table:
    found: Table = {}
    for left, one in first.items():
        for right, other in second.items():
            powers = dict(left)
            for name, power in right:
                powers[name] = powers.get(name, 0) + power
            key = tuple(sorted(powers.items()))
            found[key] = found.get(key, 0) + one * other
    return {key: one for key, one in found.items() if one}


def _moved(values: Table, bounds: Mapping[str, Fraction]) -> Table:
    """With every variable written as its bound and a rest, by the binomial theorem."""
    for name in sorted({name for powers in values for name, _ in powers if bounds.get(name)}):
        bound, moved = _exact(bounds[name]), Table()
        for powers, one in values.items():
            rest = tuple(item for item in powers if item[0] != name)
            power = dict(powers).get(name, 0)
            for k in range(power + 1):
                key = tuple(sorted((*rest, (name, k)))) if k else rest
                moved[key] = moved.get(key, 0) + one * comb(power, k) * bound ** (power - k)
        values = moved
    return {key: one for key, one in values.items() if one}


def written(what: str, certificate: Certificate) -> bool | None:
    """Whether an expression is the quotient that a certificate is about, at random points; None where it is a label."""
    try:
        tree = ast.parse(what, mode="eval").body
    except SyntaxError:
        return None
    parts = [table(certificate[role]) for role in ("numerator", "denominator")]
    names = sorted(
        {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        | {name for part in parts for powers in part for name, _ in powers}
    )
    source = random.Random(what)
    for _ in range(POINTS):
        at = {name: Fraction(source.randint(-(10**6), 10**6), source.randint(1, 10**3)) for name in names}
        top, bottom = (_value(part, at) for part in parts)
        try:
            if _number(tree, at) * bottom != top:
                return False
        except (ValueError, ZeroDivisionError):
            return False
    return True


def _value(values: Table, at: Mapping[str, Fraction]) -> Fraction:
    total = Fraction(0)
    for powers, one in values.items():
        term = Fraction(one)
        for name, power in powers:
            term *= at[name] ** power
        total += term
    return total


def _number(node: ast.expr, at: Mapping[str, Fraction]) -> Fraction:
    """The value of sums, products, quotients and whole powers of names and whole numbers; ValueError for anything else."""
    match node:
        case ast.Constant(value=int(whole)):
            return Fraction(whole)
        case ast.Name(id=name):
            return at[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_number(inner, at)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))) if abs(power) <= MOST:
            return _number(left, at) ** power
        case ast.BinOp(left=left, op=how, right=right) if type(how) in HOW:
            return HOW[type(how)](_number(left, at), _number(right, at))
    raise ValueError("it is no quotient of polynomials")


def faults(document: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the certificates of a document: a list of {what, sign, certificate, domain}."""
    found = [] if document else ["there are no certificates"]
    for row in document:
        where = row["domain"]
        bounds = {name: Fraction(bound) for name, bound in where["bounds"].items()}
        said = not_positive(row["certificate"], Given(bounds, where["strict"], where["nonzero"]), row["sign"])
        if not said and written(row["what"], row["certificate"]) is False:
            said = "the certificate is about another expression"
        if said:
            found.append(f"{row['what']}: {said}")
    return found


def main(path: str) -> int:
    """Check a file: 0 where all of it holds, 1 where something does not, 2 where it is no file of certificates."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        document = error
    if not (
        isinstance(document, list) and all(isinstance(row, dict) and row.keys() >= ROW for row in document)
    ):
        sys.stderr.write(
            f"{path} is no file of certificates, a list of objects with {', '.join(sorted(ROW))}\n"
        )
        return 2
    found = faults(document)
    labels = sum(written(row["what"], row["certificate"]) is None for row in document)
    beside = f", {labels} of them of what a label names" if labels else ""
    sys.stdout.write("".join(f"{line}\n" for line in found) or f"{len(document)} certificates hold{beside}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
