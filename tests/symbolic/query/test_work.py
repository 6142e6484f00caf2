"""What is refused as too much work: by an estimate for the whole query, before anything is computed."""

from __future__ import annotations

from typing import Any

import pytest

from symbolic.grammar.expanded import expand
from symbolic.grammar.syntax import parse
from symbolic.query import query_expectation
from symbolic.query import work as moment_work
from symbolic.query.query import moment
from symbolic.query.query_words import Setting
from symbolic.wishart.trace_polynomial import QueryTooLarge
from symbolic.wishart.wishart_moment import Covariance


def work(text: str, covariance: Covariance = "general") -> int:
    return moment_work.of_query(expand(text, parse(text)).terms, Setting(covariance))


QUICK = (
    "W^16",
    "W^20",
    "tr(W)^24",
    "W A W B W C W D W A W",
    "W^7 A W^7",
    "W^-12",
    "W^8 tr(W^-4)",
    "(W + A)^8",
    "(W1 + W2)^4",
    "tr((W1 W2)^8)",
    "(W1 A W2)^4",
    "W1 A W1 B W2 C W2 D W1 A W2 B W1 C W2",
    "W^-1 A W^-1 B W^-1 C W^-1 D W^-1",
    "tr(W^-1 A)^6",
    "W A W^-1 B W A W^-1",
)
LONG = (
    "W^24",
    "W^8 A W^8",
    "W^5 A W^5 A W^5",
    "W^-14",
    "W^8 tr(W^-6)",
    "(W^2 + A W B)^5",
    "W1^6 W2^6 W1^6 W2^6",
    "W A W B W C W D W A W B W",
    "W^3 A W^3 B W^3 C W^3",
    "W^-1 A W^-1 B W^-1 C W^-1 D W^-1 A W^-1",
    "W^3 A W^-2 B W^-2 C W",
)


@pytest.mark.parametrize("text", QUICK)
def test_what_takes_about_a_second_is_within_the_limit(text: str) -> None:
    assert work(text) <= moment_work.MAX_WORK


@pytest.mark.parametrize("text", LONG)
def test_what_takes_longer_is_refused_before_anything_is_computed(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(*_: Any) -> Any:
        raise AssertionError("something was computed")

    for name in ("expect", "moment_of_powers"):
        monkeypatch.setattr(query_expectation, name, computed)
    with pytest.raises(QueryTooLarge, match=r"too much work \(about [0-9.]+ seconds, and the limit is 2.0\)"):
        moment(text, None, "general")
    with pytest.raises(AssertionError, match="something was computed"):
        moment("W A W", None, "general")


@pytest.mark.parametrize("text", ["W^16", "W A W B W C W D W"])
def test_high_degrees_are_answered(text: str) -> None:
    result = moment(text, None, "general")
    assert len(result.terms) > 600
    assert result.checked


def test_a_product_that_comes_again_costs_nothing() -> None:
    assert work("W A W + 2 W A W B") > work("W A W + W A W")
    assert work("W^3 + W1^3") == work("W^3")  # one block, whatever the name of its matrix
    assert work("A + tr(B) I") == 0


def test_the_identity_has_fewer_terms() -> None:
    assert work("W^24", "identity") < 30
    assert work("W^3 A W^3 A W^3 A W^3", "identity") < work("W^3 A W^3 A W^3 A W^3") // 10
