"""Sign certificates as a page shows them: derived anew, checked again, with a reason for each factor."""

from __future__ import annotations

import pytest
import sympy

from derivations.book_pages import cards, sign_certificates
from derivations.book_pages.sign_certificates import certificates, certificates_of
from derivations.language.symbols import alpha_t, n_t, p
from derivations.steps.contents import load
from derivations.steps.rules.certified_signs import recording, sign


@pytest.fixture(autouse=True)
def records(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """Every step as if it were proved, without the work."""
    found = {name: {"proof": "proved"} for name in load()}
    monkeypatch.setattr(cards, "records", lambda: found)
    return found


def test_a_claim_that_does_not_stand_shows_no_certificate(records: dict[str, dict[str, str]]) -> None:
    records["minimum-is-negative"]["proof"] = "not-applicable"
    assert certificates("minimum-is-negative").text == ""


def test_every_sign_inside_is_recorded_and_none_outside() -> None:
    sign(n_t + p)
    with recording() as found:
        sign(-n_t)
    sign(p)
    assert [(quantity, which) for quantity, which, _ in found] == [(-n_t, -1)]


def test_a_certificate_names_its_factors_and_why_they_are_positive() -> None:
    with recording() as found:
        sign(n_t * (1 - alpha_t + alpha_t**2))
    text = sign_certificates._certificate(found[0][1], found[0][2])
    assert "Positive" in text
    assert "quadratic in" in text
    assert "without real roots" in text


def test_a_negative_quantity_is_called_negative() -> None:
    with recording() as found:
        sign(-p / n_t)
    assert "Negative" in sign_certificates._certificate(found[0][1], found[0][2])


def test_the_claims_of_a_page_have_certificates() -> None:
    text = certificates("slope-at-zero-positive", "minimum-is-negative").text
    assert text.count("<details>") == 2
    assert "certificates" in text


def test_only_claims_about_signs_are_listed() -> None:
    assert "Theorem 2" not in certificates_of("lemma1").text
    assert certificates_of("lemma1").text == ""


def test_a_long_polynomial_is_counted() -> None:
    with recording() as found:
        sign(sympy.expand((1 + n_t + p) ** 6))
    assert "^{6}" in sign_certificates._certificate(found[0][1], found[0][2])
    with recording() as found:
        sign(sympy.expand((1 + n_t + p) ** 4 + n_t * p))
    assert "terms" in sign_certificates._certificate(found[0][1], found[0][2])
