"""The check of answers: right answers pass, changed ones do not, and no engine has a part in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from symbolic.algebra.canonical import transpose
from symbolic.algebra.entry_laws import law
from symbolic.algebra.evaluation import Exact
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.averages import by_parts, cumulants, over_laws
from symbolic.averages import expectation as word_engine
from symbolic.grammar.expanded import expand
from symbolic.grammar.syntax import parse
from symbolic.query import check, query, query_expectation
from symbolic.query.answer import Answer
from symbolic.query.block import Block
from symbolic.query.check import CheckFailed, examine
from symbolic.query.law_answer import LawExpectation
from symbolic.query.query import moment
from symbolic.query.query_expectation import Expectation
from symbolic.query.query_words import Setting
from symbolic.query.value import Matrices
from symbolic.wishart import general, identity, mixed, resolvent, wishart_inverse, wishart_moment
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
    "trace of the identity": ("tr(W Sigma^-1)",),
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


def answer(name: str) -> Answer:
    """What is examined of an answer."""
    found: list[Answer] = []

    def noted(given: Answer) -> tuple[str, ...]:
        found.append(given)
        return examine(given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "examine", noted)
        moment(*ANSWERS[name])
    return found[0]


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_compared_at_small_sizes(name: str) -> None:
    result = moment(*ANSWERS[name])
    sizes = "p=1" if "one column" in name else "p=2"
    assert result.checked[0].endswith(sizes)
    assert result.as_dict()["checked"] == list(result.checked)
    assert examine(answer(name)) == result.checked


def changed(formula: TracePolynomial, place: int, factor: int) -> TracePolynomial:
    """A formula with one coefficient multiplied; 0 drops the term."""
    terms = dict(formula.terms)
    key = list(terms)[place]
    terms[key] = terms[key] * Rational.number(factor)
    return TracePolynomial(terms, formula.is_matrix)


@pytest.mark.parametrize("factor", [0, -1, 2])
@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "nothing left"])
def test_no_coefficient_can_be_changed(name: str, factor: int) -> None:
    whole = answer(name)
    for place in range(whole.length):
        with pytest.raises(CheckFailed, match="do not use it") as caught:
            examine(replace(whole, formula=changed(whole.formula, place, factor)))
        assert "\n" not in str(caught.value)


def products(text: str) -> TracePolynomial:
    return expand(text, parse(text))


@pytest.mark.parametrize(
    "change",
    [
        {"tree": parse("tr(W A W) + 1")},
        {"tree": parse("tr(W A' W A)")},
        {"averaged": products("tr(W A' W B)")},
        {"averaged": products("tr(W A W) n")},
        {"law": law("laplace")},
        {"formula": TracePolynomial({}, is_matrix=False)},
        {"formula": products("(n^2 + n) tr(A) + n p tr(A)")},
    ],
)
def test_nothing_else_can_be_changed(change: dict[str, Any]) -> None:
    with pytest.raises(CheckFailed):
        examine(replace(answer("matrices"), **change))


def test_the_identity_is_not_taken_for_another_covariance() -> None:
    with pytest.raises(CheckFailed):
        examine(replace(answer("trace"), setting=Setting("general")))


def test_a_pole_in_place_of_a_value_is_noticed() -> None:
    with pytest.raises(CheckFailed, match="by the formula a pole"):
        examine(replace(answer("trace"), formula=products("tr(W)/(n - 3)")))


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
    patch.setattr(wishart_moment, "INVERSE", "")


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
    (lose_a_factor, ["trace of the identity"]),
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
    """What becomes of right moments on the way to the answer is checked, too."""
    moment(*ANSWERS[name])
    spoil(monkeypatch)
    with pytest.raises(CheckFailed, match="the answer is wrong at"):
        moment(*ANSWERS[name])


def test_a_query_that_is_multiplied_out_wrongly_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TracePolynomial, "transposed", lambda self: self)
    with pytest.raises(CheckFailed, match=r"as it is read is .* and multiplied out"):
        moment("(A W)' W")


def test_numbers_that_are_put_in_wrongly_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = TracePolynomial.at
    monkeypatch.setattr(TracePolynomial, "at", lambda self, sizes: whole(self, dict.fromkeys(sizes, 2)))
    with pytest.raises(CheckFailed):
        moment("W^2 tr(W)", {"n": 7, "p": 3})


@pytest.mark.parametrize(("of", "part"), [(Exact, "trace"), (Exact, "product"), (Matrices, "factor")])
def test_wrong_arithmetic_of_values_is_refused(of: type, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value of an answer and its check are taken by the same functions."""
    whole = getattr(of, part)
    monkeypatch.setattr(of, part, lambda *given: whole(*given) * 2)
    with pytest.raises(CheckFailed):
        moment("tr(W A W) W A", {"n": 2, "A": A})


def test_tiny_floats_are_rounded_to_zero() -> None:
    tiny = np.array([[1e-200, 0.0], [0.0, 1e-200]])
    assert moment("tr(W A W A)", {"n": 2, "A": tiny}).value == 0.0


# -- broken engines ------------------------------------------------------------------------------------------


Steps = Sequence[by_parts.Step]


def with_steps(spoil: Callable[[Steps], Steps]) -> Callable[[pytest.MonkeyPatch], None]:
    """The engine of integration by parts with every list of steps spoiled."""
    whole = by_parts.steps
    return lambda patch: patch.setattr(
        by_parts, "steps", lambda state, random: tuple(spoil(whole(state, random)))
    )


def without(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Every factor n = tr I on the rows, or p = tr I, is lost."""
    return with_steps(
        lambda steps: [(x, tuple(y for y in loops if y != (name,)), k) for x, loops, k in steps]
    )


def exchanged(loop: by_parts.Loop) -> by_parts.Loop:
    return ("p",) if loop == ("n",) else ("n",) if loop == ("p",) else loop


def is_rows(loop: by_parts.Loop) -> bool:
    return isinstance(loop, tuple) and loop[0].startswith("n")


SPOILED: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "p is lost": without("p"),
    "n is lost": with_steps(
        lambda steps: [(x, tuple(y for y in loops if not is_rows(y)), k) for x, loops, k in steps]
    ),
    "a term is lost": with_steps(lambda steps: steps[:-1] or steps),
    "what comes twice comes three times": with_steps(
        lambda steps: [(x, loops, k + (k > 1)) for x, loops, k in steps]
    ),
    "n and p are exchanged": with_steps(
        lambda steps: [(x, tuple(map(exchanged, loops)), k) for x, loops, k in steps]
    ),
    "a reversed word keeps its letters": lambda patch: patch.setattr(
        by_parts, "transpose", lambda word: word[::-1] if len(word) > 1 else transpose(word)
    ),
    "the covariance is the identity": lambda patch: patch.setattr(
        by_parts, "covariance_letter", lambda letter: None
    ),
}
SEVERAL = ("tr(W1 W2)^4", "tr((W1 W2)^4)", "tr((W1 W2 W3)^3)", "W1 W2 W1 W2 W1 W2", "tr((W1 W2)^6)")
LETTERED = ("W A W", "W A W B W", "tr(W A W A) W", "W^3 A W^3", "W A W A W A W A W")


@pytest.mark.parametrize(
    ("spoiled", "text", "covariance"),
    [
        *((spoiled, text, None) for spoiled in ("p is lost", "a term is lost") for text in SEVERAL),
        *(
            (spoiled, text, "general")
            for spoiled in SPOILED
            if spoiled != "p is lost"
            for text in LETTERED[2:]
        ),
        *((spoiled, text, "general") for spoiled in ("n is lost", "a term is lost") for text in LETTERED[:2]),
    ],
)
def test_a_broken_engine_is_caught(
    spoiled: str, text: str, covariance: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    word_engine.clear_cache()
    SPOILED[spoiled](monkeypatch)
    with pytest.raises(CheckFailed):
        moment(text, None, covariance)
    monkeypatch.undo()
    word_engine.clear_cache()


def without_p_under_a_law(patch: pytest.MonkeyPatch) -> None:
    dimensions = cumulants._monomial
    patch.setattr(
        cumulants, "_monomial", lambda ring, names: dimensions(ring, tuple(x for x in names if x != "p"))
    )


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
    with pytest.raises(CheckFailed):
        moment(text, None, None, name)
    monkeypatch.undo()
    over_laws.clear_cache()


def test_no_engine_is_called_by_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["matrix", "three matrices", "inverse", "inverse with identity", "law", "numbers"]
    answers = {name: answer(name) for name in names}

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
    monkeypatch.setattr(by_parts, "steps", off)
    monkeypatch.setattr(cumulants.Cumulants, "average", off)
    for name in names:
        assert examine(answers[name])


# -- the sizes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "law_name", "sizes"),
    [
        ("W A W", "gaussian", ("n=3 p=2", "n=2 p=3", "n=4 p=1")),
        ("W1 A W", "laplace", ("n=3 n1=4 p=2", "n=2 n1=3 p=3", "n=4 n1=5 p=1")),
        ("tr(W^24)", "gaussian", ("n=3 p=2", "n=4 p=1", "n=5 p=2")),
        ("tr((W1 W2)^8)", "gaussian", ("n1=3 n2=4 p=2", "n1=4 n2=5 p=1")),
        ("W^-2", "gaussian", ("n=9 p=2", "n=9 p=3", "n=9 p=1")),
        ("W/((n-3)(p-1))", "gaussian", ("n=4 p=2", "n=2 p=3", "n=5 p=2")),
        ("W/((p-1)(p-2)(p-3))", "uniform", ("n=5 p=4",)),
    ],
)
def test_the_sizes_are_many_where_that_is_cheap(text: str, law_name: str, sizes: tuple[str, ...]) -> None:
    assert moment(text, None, None, law_name).checked == sizes


@pytest.mark.parametrize("text", ["W^-1/((p-1)(p-2)(p-3))", "W/((p-1)(p-2)(p-3)(p-4)(p-5))"])
def test_what_cannot_be_checked_is_not_answered(text: str) -> None:
    with pytest.raises(Refused, match="no small size at which the answer could be checked"):
        moment(text)


def test_long_queries_are_not_answered_unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MOST_COST", 0)
    with pytest.raises(Refused, match="shorten the expression"):
        moment("W A W")
