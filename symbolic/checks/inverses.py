"""Certificates of Wishart moments with inverses: exact checks that share nothing with their computation.

The claim is E[W^k prod tr W^l] = a polynomial in Sigma and its power sums, some of the powers negative. Each
check reads something off the claimed result that is known beforehand; see `symbolic.checks.certificates` for the
moments without inverses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symbolic.algebra.coefficients import from_terms
from symbolic.algebra.dimension_coefficients import as_rational
from symbolic.algebra.quotients import Rational
from symbolic.checks.certificates import CertificateError
from symbolic.checks.checks import Values
from symbolic.checks.claims import Check, NotApplicable
from symbolic.checks.inverse_checks import CHECKS
from symbolic.checks.plain_data import Data, polynomial_to_data
from symbolic.wishart.covariance_polynomial import CovariancePolynomial
from symbolic.wishart.existence import condition
from symbolic.wishart.wishart_moment import Covariance, WishartMoment


@dataclass(frozen=True)
class InverseCertificate:
    """The checks of one claim."""

    claim: WishartMoment
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.passed for check in self.checks)

    def require(self) -> InverseCertificate:
        """The certificate itself. Raises CertificateError, naming the first check that failed."""
        for check in self.checks:
            if not check.passed:
                raise CertificateError(
                    f"the moment fails the check {check.name} (expected {check.expected}, obtained "
                    f"{check.obtained}): do not use it"
                )
        return self

    def as_dict(self) -> Data:
        """Plain data for JSON, enough to check everything again with `recheck_inverse`."""
        return {
            "power": self.claim.power,
            "traces": list(self.claim.traces),
            "covariance": self.claim.covariance,
            "condition": condition(self.claim.inverse_degree),
            "result": [
                {
                    "sigma": power,
                    "sums": list(partition),
                    "numerator": polynomial_to_data(as_rational(value).numerator),
                    "denominator": polynomial_to_data(as_rational(value).denominator),
                }
                for (power, partition), value in sorted(self.claim.value.terms.items())
            ],
            "passed": self.passed,
            "checks": [
                {
                    "name": check.name,
                    "applies": check.applies,
                    "passed": check.passed,
                    "expected": check.expected,
                    "obtained": check.obtained,
                    "reason": check.reason,
                }
                for check in self.checks
            ],
        }


def certify_inverse(claim: WishartMoment) -> InverseCertificate:
    """All checks of a moment with negative powers. Raises ValueError when it has none."""
    if not claim.inverse_degree:
        raise ValueError("this moment has no negative power: use symbolic.checks.certificates.certify")
    return InverseCertificate(claim, tuple(_run(check, claim) for check in CHECKS))


def recheck_inverse(data: Mapping[str, Any]) -> bool:
    """Whether every check, computed again from the claim alone, is as stored and passes.

    Raises ValueError when the data are not of the form of `InverseCertificate.as_dict`.
    """
    try:
        terms = {
            (item["sigma"], tuple(item["sums"])): Rational(
                _polynomial(item["numerator"]), _polynomial(item["denominator"]), {}
            )
            for item in data["result"]
        }
        covariance: Covariance = "identity" if data["covariance"] == "identity" else "general"
        value = CovariancePolynomial(terms, is_matrix=data["power"] != 0)
        claim = WishartMoment(data["power"], tuple(data["traces"]), covariance, value)
        stored = tuple(
            Check(item["name"], item["expected"], item["obtained"], item["reason"]) for item in data["checks"]
        )
        exists = data["condition"] == condition(claim.inverse_degree)
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"these data are no certificate ({error}): use InverseCertificate.as_dict"
        ) from error
    again = certify_inverse(claim)
    return exists and again.passed and again.checks == stored


def _polynomial(data: Mapping[str, Any]) -> Any:
    terms = {tuple(exponents): Fraction(number) for exponents, number in data["terms"]}
    return from_terms(data["generators"], terms)


def _run(check: Callable[[WishartMoment], Values], claim: WishartMoment) -> Check:
    name = check.__name__.replace("_", " ")
    try:
        expected, obtained = check(claim)
    except NotApplicable as reason:
        return Check(name, reason=str(reason))
    return Check(name, expected, obtained)
