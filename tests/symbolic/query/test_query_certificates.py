"""Certificates of whole answers: right answers hold, changed ones do not, and no engine has a part in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symbolic.algebra.quotients import Rational
from symbolic.averages import by_parts, cumulants, over_laws
from symbolic.averages import expectation as word_engine
from symbolic.checks.certificates import CertificateError
from symbolic.query import check as query_checks
from symbolic.query import query as moment_query
from symbolic.query import query_expectation
from symbolic.query.block import Block
from symbolic.query.law_answer import LawExpectation
from symbolic.query.query import moment, recheck_certificate
from symbolic.query.query_expectation import Expectation
from symbolic.query.query_value import kept
from symbolic.wishart import general, identity, mixed, resolvent, wishart_inverse
from symbolic.wishart.fixed_letters import SIGMA, Word
from symbolic.wishart.trace_polynomial import ONE, Monomial, TracePolynomial

A = [[1, 2], [3, -1]]
S = [[5, 5], [5, 10]]

ANSWERS: dict[str, tuple[Any, ...]] = {
    "trace": ("tr(W^3) tr(W)",),
    "matrix": ("W^3 A W", None, "general"),
    "sum": ("(W + A)^3 - 1/2 n p tr(W) I", None, "general"),
    "two matrices": ("tr(W1 W2 W1 W2) W1",),
    "three matrices": ("tr((W1 W2 W3)^2)",),
    "high degree": ("tr((W1 W2)^5)",),
    "inverse": ("W^-2 A", None, "general"),
    "inverse with identity": ("tr(W^-2) W^-1",),
    "inverse beside another": ("W1 A W^-1 tr(W)", None, "general"),
    "numbers": ("W^2 tr(W)", {"n": 7, "p": 3}),
    "number of rows": ("W^-2", {"n": 9}, "general"),
    "matrices": ("tr(W A W)", {"n": 3, "A": A, "Sigma": S}),
    "inverse in numbers": ("W^-1 A", {"n": 9, "A": A, "Sigma": S}),
    "one column": ("W^-1 A W^2 B", {"n": 3, "p": 1}),
    "floats": ("W A W", {"n": 3, "A": np.array(A, float) / 3, "Sigma": np.array(S, float)}),
    "law": ("W A W", None, "general", "laplace"),
    "skew law": ("W A W tr(W)", None, None, "cumulants:1,2,3,4"),
    "law, two matrices": ("tr(W1 A W2 W1 W2)", None, "general", "uniform"),
    "law in numbers": ("tr(W A)^2", {"n": 3, "A": A}, None, "rademacher"),
    "law in floats": ("W A W", {"n": 3, "A": np.array(A, float)}, None, "student:9"),
    "nothing random": ("n p + 1/2", {"n": 2, "p": 3}),
    "nothing left": ("W - W", {"n": 2, "p": 3}),
    "law in one column": ("tr(W) W A W^-1", {"n": 3, "p": 1}, "general", "laplace"),
    "large identity": ("W^2", {"n": 2, "p": 120}),
}


def document(name: str) -> Any:
    """An answer, as it is after a round trip."""
    return json.loads(json.dumps(moment(*ANSWERS[name]).as_dict()))


def holds(data: Any) -> bool:
    """Whether the data of an answer are checked again; what cannot be read does not hold."""
    try:
        return recheck_certificate(data)
    except ValueError:
        return False


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_checked_again_from_their_plain_data(name: str) -> None:
    data = document(name)
    assert recheck_certificate(data)
    checks = {check["name"]: check for check in data["certificate"]["checks"]}
    assert checks["small sizes"]["applies"]
    assert checks["expansion"]["applies"]
    assert checks["value"]["applies"] == ("value" in data)
    one_column = data["certificate"]["given"].get("p") == 1
    assert ("p=1:" if one_column else "p=2:") in checks["small sizes"]["expected"]


@pytest.mark.parametrize("name", [name for name in ANSWERS if not name.startswith("nothing")])
def test_no_coefficient_can_be_changed(name: str) -> None:
    data = document(name)
    for place, term in enumerate(data["terms"]):
        changed = copy.deepcopy(data)
        changed["terms"][place]["coefficient"] = (
            term["coefficient"] + " + 1" if "/(" not in term["coefficient"] else "1"
        )
        assert not recheck_certificate(changed)
        dropped = copy.deepcopy(data)
        del dropped["terms"][place]
        assert not recheck_certificate(dropped)


@pytest.mark.parametrize("name", [name for name in ANSWERS if len(ANSWERS[name]) > 1 and ANSWERS[name][1]])
def test_no_value_can_be_changed(name: str) -> None:
    data = document(name)
    if "value" not in data:
        return
    value = data["value"]
    if isinstance(value, list):
        value[-1][-1] = "1/7" if isinstance(value[0][0], str) else value[-1][-1] * 1.0001 + 1e-3
    else:
        data["value"] = "12345" if isinstance(value, str) else value * 1.0001
    assert not recheck_certificate(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(query="tr(W A W) + 1"),
        lambda data: data.update(query="tr(W A' W)", terms=data["terms"][:1]),
        lambda data: data.update(law="laplace"),
        lambda data: data.update(covariance="identity"),
        lambda data: data["certificate"]["given"].update(n=4),
        lambda data: data["certificate"]["given"]["A"][0].reverse(),
        lambda data: data["certificate"]["formula"].pop(),
        lambda data: data["certificate"]["checks"].pop(),
        lambda data: data["certificate"]["checks"][1].update(expected="0", obtained="0"),
        lambda data: data["certificates"][0]["checks"].pop(),
        lambda data: data["terms"][0].update(word="A"),
        lambda data: data["terms"][0].update(traces=["Sigma", "Sigma A"]),
    ],
)
def test_nothing_else_can_be_changed(change: Callable[[Any], Any]) -> None:
    data = document("matrices")
    change(data)
    assert not holds(data)


@pytest.mark.parametrize("data", [{"query": "W"}, {"query": "W", "certificate": {"checks": [{}]}}])
def test_other_data_are_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no answer"):
        recheck_certificate(data)


# -- broken expectations -------------------------------------------------------------------------------------


def lose_a_term(patch: pytest.MonkeyPatch) -> None:
    whole = Expectation._without

    def without(self: Expectation, block: Block, is_matrix: bool) -> TracePolynomial:
        value = whole(self, block, is_matrix)
        return TracePolynomial(dict(list(value.terms.items())[1:]), is_matrix)

    patch.setattr(Expectation, "_without", without)


def wrong_sign(patch: pytest.MonkeyPatch) -> None:
    whole = Expectation._without
    patch.setattr(Expectation, "_without", lambda *given: whole(*given).scaled(Rational.number(-1)))


def lose_a_factor(patch: pytest.MonkeyPatch) -> None:
    whole = Block.around
    patch.setattr(Block, "around", lambda *given: (whole(*given)[0], ONE))


def forget_that_sigma_is_inverted(patch: pytest.MonkeyPatch) -> None:
    def sigma(self: Expectation, power: int) -> Word:
        return () if self.covariance == "identity" else (SIGMA,) * abs(power)

    patch.setattr(Expectation, "_sigma", sigma)


def forget_the_coefficients_of_words(patch: pytest.MonkeyPatch) -> None:
    class Ones(Rational):
        @staticmethod
        def polynomial(value: Any) -> Rational:
            return Rational.number(1)

    patch.setattr(query_expectation, "Rational", Ones)


def take_one_matrix_for_another(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(query_expectation, "row_dimension", lambda name: "n")


def double_the_average(patch: pytest.MonkeyPatch) -> None:
    whole = LawExpectation._average

    def average(self: LawExpectation, monomial: Monomial) -> Any:
        return {term: value + value for term, value in whole(self, monomial).items()}

    patch.setattr(LawExpectation, "_average", average)


def lose_a_factor_in_one_column(patch: pytest.MonkeyPatch) -> None:
    whole = TracePolynomial.commuted

    def commuted(self: TracePolynomial) -> TracePolynomial:
        terms = {
            Monomial(key.traces, (key.word or ())[:-1]): value for key, value in whole(self).terms.items()
        }
        return TracePolynomial(terms, self.is_matrix)

    patch.setattr(TracePolynomial, "commuted", commuted)


BROKEN: list[tuple[Callable[[pytest.MonkeyPatch], None], list[str]]] = [
    (lose_a_term, ["trace", "sum", "inverse", "numbers", "matrices"]),
    (wrong_sign, ["trace", "inverse", "numbers"]),
    (lose_a_factor, ["inverse with identity"]),
    (forget_that_sigma_is_inverted, ["inverse", "inverse beside another", "inverse in numbers"]),
    (forget_the_coefficients_of_words, ["matrix", "two matrices", "three matrices", "high degree"]),
    (take_one_matrix_for_another, ["inverse beside another"]),
    (double_the_average, ["law", "skew law", "law, two matrices", "law in numbers", "law in one column"]),
    (lose_a_factor_in_one_column, ["one column", "law in one column"]),
]


@pytest.mark.parametrize(
    ("spoil", "name"),
    [(spoil, name) for spoil, names in BROKEN for name in names],
    ids=lambda x: getattr(x, "__name__", x),
)
def test_a_broken_expectation_is_refused(
    spoil: Callable[[pytest.MonkeyPatch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What becomes of right moments on the way to the answer is certified, too."""
    moment(*ANSWERS[name])
    spoil(monkeypatch)
    with pytest.raises(CertificateError, match="the answer fails the check"):
        moment(*ANSWERS[name])


def test_a_query_that_is_multiplied_out_wrongly_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TracePolynomial, "transposed", lambda self: self)
    with pytest.raises(CertificateError, match="the check expansion"):
        moment("(A W)' W")


def test_numbers_that_are_put_in_wrongly_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = TracePolynomial.at
    monkeypatch.setattr(TracePolynomial, "at", lambda self, sizes: whole(self, dict.fromkeys(sizes, 2)))
    with pytest.raises(CertificateError, match="the check numbers put in"):
        moment("W^2 tr(W)", {"n": 7, "p": 3})


@pytest.mark.parametrize(
    "name", ["numbers", "matrices", "floats", "law in numbers", "law in floats", "large identity"]
)
def test_a_wrong_value_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = moment_query._value

    def wrong(*given: Any) -> Any:
        value = whole(*given)
        if isinstance(value, list):
            return [list(reversed(row)) for row in value]
        return value[::-1] + "1" if isinstance(value, str) else value + 1

    monkeypatch.setattr(moment_query, "_value", wrong)
    with pytest.raises(CertificateError, match="the check value"):
        moment(*ANSWERS[name])


def test_tiny_floats_are_rounded_to_zero() -> None:
    tiny = np.array([[1e-200, 0.0], [0.0, 1e-200]])
    assert moment("tr(W A W A)", {"n": 2, "A": tiny}).value == 0.0


def test_the_condition_of_an_inverse_cannot_be_changed() -> None:
    data = document("inverse")
    assert data["certificates"][0]["condition"] == "n - p > 3"
    data["certificates"][0]["condition"] = "n - p > 1"
    assert not recheck_certificate(data)


# -- broken engines ------------------------------------------------------------------------------------------


def without_p(patch: pytest.MonkeyPatch) -> None:
    """Every factor p = tr I is lost."""
    contract = by_parts.Contractions._contract
    patch.setattr(
        by_parts.Contractions,
        "_contract",
        lambda self, state: tuple(
            (left, tuple(x for x in loops if x != "p"), k) for left, loops, k in contract(self, state)
        ),
    )


def without_p_under_a_law(patch: pytest.MonkeyPatch) -> None:
    dimensions = cumulants.Cumulants._dimensions
    patch.setattr(
        cumulants.Cumulants,
        "_dimensions",
        lambda self, names: dimensions(self, tuple(x for x in names if x != "p")),
    )


def without_the_last_contraction(patch: pytest.MonkeyPatch) -> None:
    contract = by_parts.Contractions._contract
    patch.setattr(
        by_parts.Contractions,
        "_contract",
        lambda self, state: contract(self, state)[:-1] or contract(self, state),
    )


SEVERAL = ["tr(W1 W2)^4", "tr((W1 W2)^4)", "tr((W1 W2 W3)^3)", "W1 W2 W1 W2 W1 W2", "tr((W1 W2)^6)"]


@pytest.mark.parametrize("spoil", [without_p, without_the_last_contraction])
@pytest.mark.parametrize("text", SEVERAL)
def test_a_broken_engine_is_caught_on_several_matrices(
    text: str, spoil: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    word_engine.clear_cache()
    spoil(monkeypatch)
    with pytest.raises(CertificateError):
        moment(text)
    monkeypatch.undo()
    word_engine.clear_cache()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tr(W1 W2)^2", "laplace"),
        ("tr((W1 W2)^2)", "rademacher"),
        ("tr(W1 W2)^3", "uniform"),
        ("tr(W1 W2 W3) tr(W1 W2)", "laplace"),
        ("tr(W^6)", "rademacher"),
    ],
)
def test_a_broken_engine_is_caught_under_a_law(text: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    over_laws.clear_cache()
    without_p_under_a_law(monkeypatch)
    with pytest.raises(CertificateError):
        moment(text, None, None, name)
    monkeypatch.undo()
    over_laws.clear_cache()


def test_no_engine_is_called_to_check_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every engine switched off, certificates are checked again all the same, and no answer is made."""
    names = ["matrix", "three matrices", "inverse", "inverse with identity", "law", "numbers"]
    data = {name: document(name) for name in names}

    def off(*_: object, **__: object) -> Any:
        raise AssertionError("an engine was called")

    for module in (word_engine, identity, general, wishart_inverse, mixed, resolvent):
        for name, thing in list(vars(module).items()):
            if (
                callable(thing)
                and not isinstance(thing, type)
                and getattr(thing, "__module__", "") == module.__name__
            ):
                monkeypatch.setattr(module, name, off)
    monkeypatch.setattr(by_parts.Contractions, "_contract", off)
    monkeypatch.setattr(cumulants.Cumulants, "average", off)
    for name in names:
        assert recheck_certificate(data[name])


# -- guards --------------------------------------------------------------------------------------------------


def test_long_queries_keep_their_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_checks, "MOST_COST", 0)
    checks = moment("W A W").certificate["checks"]
    assert "too long" in checks[1]["reason"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("W",), "no value"),
        (("tr(W A)", {"n": 2, "A": np.eye(21)}), "larger than 20 x 20"),
        (("W^2", {"n": 2, "Sigma": np.array(S, float)}, None, "laplace"), "root"),
        (("W^-1", {"n": 7, "Sigma": np.array(S, float)}), "rounding of an inverse"),
    ],
)
def test_values_that_are_not_computed_again_have_a_reason(arguments: tuple[Any, ...], reason: str) -> None:
    data = json.loads(json.dumps(moment(*arguments).as_dict()))
    assert reason in data["certificate"]["checks"][-1]["reason"]
    assert recheck_certificate(data)


def test_what_is_kept_of_the_values() -> None:
    given = {"n": 3, "A": A, "B": np.array(A, float), "C": np.eye(30)}
    assert kept(given) == {
        "n": 3,
        "A": [["1", "2"], ["3", "-1"]],
        "B": [[1.0, 2.0], [3.0, -1.0]],
        "C": "30 x 30",
    }
