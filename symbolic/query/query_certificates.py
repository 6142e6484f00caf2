"""Certificates of whole answers: that the printed terms, and the printed value, are what was asked for.

The certificates of `symbolic.checks.certificates` and its like are about the expectations taken on the way; this
one is about the answer as it is printed, and is checked again from the printed document alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from symbolic.checks.certificates import CertificateError
from symbolic.checks.claims import Check, NotApplicable
from symbolic.checks.plain_data import Data
from symbolic.query.check import CHECKS, Answer


def certify_answer(answer: Answer) -> Data:
    """The certificate of an answer: what was given, the formula where numbers were put in, and the checks.

    Raises CertificateError, naming the check, when one fails.
    """
    checks = _checks(answer)
    for check in checks:
        if not check.passed:
            raise CertificateError(
                f"the answer fails the check {check.name} (expected {_short(check.expected)}, obtained "
                f"{_short(check.obtained)}): do not use it"
            )
    data: Data = {"given": answer.given}
    if answer.sizes:
        data["formula"] = list(answer.formula)
    data["checks"] = [{**asdict(x), "applies": x.applies, "passed": x.passed} for x in checks]
    return data


def recheck_answer(document: Mapping[str, Any]) -> bool:
    """Whether all checks, taken again from a printed answer alone, are as stored and pass.

    Raises ValueError when the data are no answer.
    """
    try:
        certificate = document["certificate"]
        stored = [
            Check(item["name"], item["expected"], item["obtained"], item["reason"])
            for item in certificate["checks"]
        ]
        answer = Answer(
            document["query"],
            document["covariance"],
            document["law"],
            certificate["given"],
            certificate.get("formula", document["terms"]),
            document["terms"],
            document.get("value"),
        )
        again = _checks(answer)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"these data are no answer ({error}): use Result.as_dict") from error
    return again == stored and all(check.passed for check in again)


def _checks(answer: Answer) -> list[Check]:
    found = []
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        try:
            expected, obtained = check(answer)
        except NotApplicable as reason:
            found.append(Check(name, reason=str(reason)))
        except ZeroDivisionError:
            found.append(Check(name, "a value", "a pole"))
        else:
            found.append(Check(name, expected, obtained))
    return found


def _short(text: str | None) -> str:
    shown = text or ""
    return shown if len(shown) <= 60 else shown[:57] + "..."
