"""Sign proofs as re-checkable polynomial certificates.

A rational function gets its sign from the irreducible factors of numerator and denominator. A factor is proved
positive in one of two ways: all its coefficients are positive after every variable bounded below is written as
its bound plus a non-negative rest; or it is a quadratic in one real variable whose leading coefficient and whose
4 a c - b^2 are proved positive in turn. A certificate is plain data; `recheck` verifies it from that data alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flint import fmpq_mpoly

from symbolic.algebra.coefficients import by_power, equal, from_terms, names_in, names_of, to_fmpq
from symbolic.algebra.quotients import Rational

Certificate = dict[str, Any]


class SignUnproved(ArithmeticError):
    """No certificate was found; nothing is said about the sign."""


def dump(poly: fmpq_mpoly) -> dict[str, Any]:
    """A polynomial as plain data: variable names and a list of [exponents, coefficient]."""
    return {
        "variables": [*names_of(poly.context())],
        "terms": [[[int(e) for e in exps], str(c)] for exps, c in poly.terms()],
    }


def restore(data: Mapping[str, Any]) -> fmpq_mpoly:
    """The polynomial that `dump` wrote."""
    return from_terms(data["variables"], {tuple(e): Fraction(c) for e, c in data["terms"]})


def shifted(poly: fmpq_mpoly, bounds: Mapping[str, Fraction]) -> fmpq_mpoly:
    """The polynomial with every bounded variable x written as bound + x, the new x non-negative."""
    ring = poly.context()
    images = []
    for name, generator in zip(names_of(ring), ring.gens(), strict=True):
        images.append(generator + ring.constant(to_fmpq(bounds.get(name, Fraction(0)))))
    return poly.compose(*images, ctx=ring)


def quadratic_parts(poly: fmpq_mpoly, variable: str) -> tuple[fmpq_mpoly, fmpq_mpoly, fmpq_mpoly]:
    """(a, b, c) with poly = a x^2 + b x + c; raises SignUnproved when the degree in x is not two."""
    parts = by_power(poly, variable)
    if max(parts) != 2:
        raise SignUnproved(f"degree {max(parts)} in {variable}, not two")
    zero = poly.context().constant(0)
    return parts[2], parts.get(1, zero), parts.get(0, zero)


def prove_positive(poly: fmpq_mpoly, bounds: Mapping[str, Fraction], strict: frozenset[str]) -> Certificate:
    """A certificate that a polynomial is > 0 for all variables at or above their bounds, the others real.

    `strict`: bounded variables that lie strictly above their bound. Raises SignUnproved.
    """
    real = sorted(names_in(poly) - set(bounds))
    if not real:
        coefficients = {tuple(map(int, e)): c for e, c in shifted(poly, bounds).terms()}
        names = names_of(poly.context())
        if all(c > 0 for c in coefficients.values()) and any(
            all(e == 0 or name in strict for e, name in zip(exps, names, strict=True))
            for exps in coefficients
        ):
            return {
                "method": "positive coefficients",
                "polynomial": dump(poly),
                "bounds": {k: str(v) for k, v in bounds.items()},
                "strict": sorted(strict),
            }
        raise SignUnproved(f"a coefficient of {poly} is not positive above the bounds")
    for variable in real:
        try:
            a, b, c = quadratic_parts(poly, variable)
            leading = prove_positive(a, bounds, strict)
            discriminant = prove_positive(4 * a * c - b * b, bounds, strict)
        except SignUnproved:
            continue
        return {
            "method": "quadratic without real roots",
            "variable": variable,
            "polynomial": dump(poly),
            "leading": leading,
            "discriminant": discriminant,
        }
    raise SignUnproved(f"no certificate for {poly}")


def prove_sign(
    value: Rational,
    bounds: Mapping[str, Fraction],
    strict: frozenset[str],
    nonzero: frozenset[str] = frozenset(),
) -> tuple[int, Certificate]:
    """The strict sign (+1 or -1) of a rational function on the domain, with its certificate.

    `bounds`: lower bound by variable; variables without one are real. `nonzero`: real variables that are not
    zero, whose even powers are positive. Raises SignUnproved also for the zero function.
    """
    sign, factors = 1, []
    for role, polynomial in (("numerator", value.numerator), ("denominator", value.denominator)):
        if polynomial.is_zero():
            raise SignUnproved("the function is identically zero")
        unit, found = polynomial.factor()
        sign *= 1 if unit > 0 else -1
        for factor, multiplicity in found:
            if _is_variable(factor, nonzero) and multiplicity % 2 == 0:
                factors.append(
                    {
                        "role": role,
                        "sign": 1,
                        "multiplicity": int(multiplicity),
                        "certificate": {
                            "method": "even power of a non-zero variable",
                            "polynomial": dump(factor),
                        },
                    }
                )
                continue
            try:
                certificate, positive = prove_positive(factor, bounds, strict), 1
            except SignUnproved:
                certificate, positive = prove_positive(-factor, bounds, strict), -1
            sign *= positive ** int(multiplicity)
            factors.append(
                {
                    "role": role,
                    "sign": positive,
                    "multiplicity": int(multiplicity),
                    "certificate": certificate,
                }
            )
    return sign, {
        "method": "signs of factors",
        "sign": sign,
        "factors": factors,
        "numerator": dump(value.numerator),
        "denominator": dump(value.denominator),
    }


def _is_variable(poly: fmpq_mpoly, names: frozenset[str]) -> bool:
    return any(
        poly == generator
        for name, generator in zip(names_of(poly.context()), poly.context().gens(), strict=True)
        if name in names
    )


def recheck(certificate: Certificate) -> bool:
    """Verify a certificate from its own data: nothing of the search that found it is trusted."""
    method = certificate["method"]
    if method == "signs of factors":
        return _recheck_factors(certificate)
    poly = restore(certificate["polynomial"])
    if method == "even power of a non-zero variable":
        return _is_variable(poly, frozenset(names_in(poly)))
    if method == "positive coefficients":
        bounds = {name: Fraction(bound) for name, bound in certificate["bounds"].items()}
        strict = set(certificate["strict"])
        names = names_of(poly.context())
        terms = list(shifted(poly, bounds).terms())
        witnessed = any(
            all(int(e) == 0 or name in strict for e, name in zip(exps, names, strict=True))
            for exps, _ in terms
        )
        return names_in(poly) <= set(bounds) and all(c > 0 for _, c in terms) and witnessed
    if method == "quadratic without real roots":
        a, b, c = quadratic_parts(poly, certificate["variable"])
        same = equal(restore(certificate["leading"]["polynomial"]), a) and equal(
            restore(certificate["discriminant"]["polynomial"]), 4 * a * c - b * b
        )
        return same and recheck(certificate["leading"]) and recheck(certificate["discriminant"])
    return False


def _recheck_factors(certificate: Certificate) -> bool:
    sign = 1
    for role in ("numerator", "denominator"):
        whole = restore(certificate[role])
        product = Rational.number(1)
        for factor in certificate["factors"]:
            if factor["role"] != role:
                continue
            even = factor["certificate"]["method"] == "even power of a non-zero variable"
            if not recheck(factor["certificate"]) or (even and factor["multiplicity"] % 2):
                return False
            poly = restore(factor["certificate"]["polynomial"])
            signed = Rational.polynomial(poly) * Rational.number(factor["sign"])
            product = product * signed ** factor["multiplicity"]
            sign *= factor["sign"] ** factor["multiplicity"]
        ratio = Rational.polynomial(whole) / product
        if ratio.names():
            return False
        sign *= 1 if ratio.at({}) > 0 else -1
    return bool(sign == certificate["sign"])
