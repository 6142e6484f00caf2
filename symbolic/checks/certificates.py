"""Certificates: exact checks of a Gaussian moment that do not trust the engine that computed it.

A certificate keeps what each check (`symbolic.checks.checks`) expected and obtained, as text; `recheck` computes
both again from the moment and the claimed result alone, also from the plain data of a certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symbolic.algebra.expression import Expression
from symbolic.checks.checks import CHECKS, Case, Check, run
from symbolic.checks.plain_data import Data, expression_from_data, expression_to_data


class CertificateError(ValueError):
    """A check of a certificate did not pass."""


@dataclass(frozen=True)
class Certificate:
    """The checks of the claim that the expectation of ``moment`` is ``result``."""

    moment: Expression
    result: Expression
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.passed for check in self.checks)

    def require(self) -> Certificate:
        """The certificate itself. Raises CertificateError, naming the checks, when one failed."""
        failed = [check for check in self.checks if not check.passed]
        if failed:
            first = failed[0]
            raise CertificateError(
                f"the moment fails {len(failed)} of {len(self.checks)} checks ({first.name}: expected "
                f"{_short(first.expected)}, obtained {_short(first.obtained)}): do not use it"
            )
        return self

    def as_dict(self) -> Data:
        """Plain data for JSON, enough to check everything again with `recheck`."""
        return {
            "moment": expression_to_data(self.moment),
            "result": expression_to_data(self.result),
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


def certify(moment: Expression, result: Expression) -> Certificate:
    """All checks of the claim E[moment] = result, the expectation taken over every random letter.

    Raises ValueError when the shapes differ or ``result`` still holds random letters.
    """
    if moment.shape != result.shape and not result.is_zero:
        raise ValueError(
            f"the shapes {moment.shape} and {result.shape} differ: certify a moment and its value"
        )
    left = [name for name, letter in result.letters().items() if letter.random]
    if left:
        raise ValueError(f"{', '.join(left)} is still random: certify full expectations only")
    case = Case(moment, result)
    return Certificate(moment, result, tuple(run(check, case) for check in CHECKS))


def recheck(certificate: Certificate | Mapping[str, Any]) -> bool:
    """Whether every check, computed again from the moment and the result, is as stored and passes.

    Takes a certificate or the plain data of one. Raises ValueError when the data are no certificate.
    """
    if isinstance(certificate, Certificate):
        stored = certificate.checks
        again = certify(certificate.moment, certificate.result)
    else:
        try:
            stored = tuple(
                Check(item["name"], item["expected"], item["obtained"], item["reason"])
                for item in certificate["checks"]
            )
            data = certificate["moment"], certificate["result"]
        except (KeyError, TypeError) as error:
            raise ValueError(f"these data are no certificate ({error}): use Certificate.as_dict") from error
        again = certify(*map(expression_from_data, data))
    return again.passed and again.checks == stored


def _short(text: str | None) -> str:
    shown = text or ""
    return shown if len(shown) <= 60 else shown[:57] + "..."
