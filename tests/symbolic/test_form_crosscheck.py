"""A table of moments computed by FORM, a second exact system, with Wick's theorem pair by pair."""

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from symbolic.algebra import words
from symbolic.averages import expectation
from symbolic.wishart.general import trace_moment_general
from symbolic.wishart.identity import trace_moment
from symbolic.wishart.partitions import partitions

pytestmark = pytest.mark.crosscheck

UP_TO_FIVE = [mu for degree in range(1, 6) for mu in partitions(degree)]
IDENTITY = [*UP_TO_FIVE, (6,), (3, 3), (2, 2, 2), (1, 2, 3), (7,), (1, 6)]
GENERAL = [*UP_TO_FIVE, (6,), (2, 4)]
WORDS = [
    ("WA",),
    ("WAWB",),
    ("WA", "WB"),
    ("WAWAWB",),
    ("WWA", "WB"),
    ("WAWBWCW",),
    ("WA", "WA", "WA"),
    ("WAWABW",),
]


@pytest.fixture(scope="module")
def form_wick() -> ModuleType:
    """The benchmark's way to FORM, loaded from its file."""
    path = Path(__file__).parents[2] / "benchmarks" / "form_wick.py"
    spec = importlib.util.spec_from_file_location("form_wick", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("mu", IDENTITY)
def test_identity_covariance(mu: tuple[int, ...], form_wick: ModuleType, form_binary: str) -> None:
    found = form_wick.expectation(form_binary, ["W" * part for part in mu], general=False)
    assert found == {((), int(n), int(p)): int(number) for (n, p), number in trace_moment(mu).terms()}


@pytest.mark.parametrize("mu", GENERAL)
def test_general_covariance(mu: tuple[int, ...], form_wick: ModuleType, form_binary: str) -> None:
    found = form_wick.expectation(form_binary, ["W" * part for part in mu], general=True)
    expected: dict[Any, int] = {}
    for (_, nu), value in trace_moment_general(mu).items():
        traces = tuple(sorted(("S",) * part for part in nu))
        for power, number in enumerate(value.coeffs()):
            if number:
                expected[traces, power, 0] = int(number)
    assert found == expected


@pytest.mark.parametrize("covariance", [None, "S"])
@pytest.mark.parametrize("traces", WORDS)
def test_words(
    traces: tuple[str, ...], covariance: str | None, form_wick: ModuleType, form_binary: str
) -> None:
    x = words.gaussian("X", "n", "p", covariance)
    factors = {"W": x.T @ x} | {name: words.matrix(name, "p", "p") for name in "ABC"}
    product = words.constant(1)
    for trace in traces:
        matrix = factors[trace[0]]
        for letter in trace[1:]:
            matrix = matrix @ factors[letter]
        product = product * words.tr(matrix)
    expected: Counter[Any] = Counter()
    for term, value in expectation.expect(product).terms.items():
        closed = [
            [name + ("t" if flip and name != "S" else "") for name, flip in trace] for trace in term.traces
        ]
        key = tuple(sorted(form_wick.canonical(trace) for trace in closed))
        names = [str(name) for name in value.context().names()]
        for exponents, number in value.terms():
            power = dict(zip(names, map(int, exponents), strict=True))
            expected[key, power.get("n", 0), power.get("p", 0)] += int(number)
    assert form_wick.expectation(form_binary, traces, general=covariance is not None) == expected


def test_the_comparison_notices_a_difference(form_wick: ModuleType, form_binary: str) -> None:
    found = form_wick.expectation(form_binary, ["WW", "W"], general=False)
    other = {((), int(n), int(p)): int(number) for (n, p), number in trace_moment((3,)).terms()}
    assert found != other
    assert found != {key: number + 1 for key, number in found.items()}


def test_form_reports_its_failures(
    form_wick: ModuleType, form_binary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_wick, "PROGRAM", Path("no-such-program.frm"))
    with pytest.raises(RuntimeError, match="FORM failed"):
        form_wick.run(form_binary, ["W"], general=False)


def test_unknown_letters_are_refused(form_wick: ModuleType) -> None:
    with pytest.raises(ValueError, match="the letter 'Q' is unknown"):
        form_wick.definitions(["WQ"], general=True)


def test_printed_polynomials_are_read(form_wick: ModuleType) -> None:
    text = " moment =\n  + 4*n*p^2\n  - tr(S)^2*n\n + 2*tr(S,A,\n S,At)*n^3;\n"
    assert form_wick.parse(text) == {
        ((), 1, 2): 4,
        ((("S",), ("S",)), 1, 0): -1,
        ((form_wick.canonical(["A", "S", "At", "S"]),), 3, 0): 2,
    }
    assert form_wick.canonical(["S", "A", "S", "B"]) == form_wick.canonical(["Bt", "S", "At", "S"])
