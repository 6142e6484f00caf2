"""The rows of the benchmark: the job, the tools, how the results are compared, and what was aimed at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import answers, tools
from benchmarks.tools import Method
from symbolic.wishart import trace_moment, trace_moments

BY_PEER = "equal to the other tools' results, term by term"
BY_CHI_SQUARE = "every moment equals n (n+2) ... (n+2d-2) at p = 1"
BY_COLLAPSE = "equal, at Sigma = I, to the identity engine's polynomials, which share no code with it"


@dataclass(frozen=True)
class Row:
    """One job; the first method is the engine's.

    All methods must agree, and the engine's result must pass `theorem` if there is one.  Goals: at most
    `goal_seconds`, at least `goal_ratio` times faster than the second method.  `bound` says what limits the
    engine where a goal is missed.
    """

    name: str
    title: str
    methods: tuple[Method, ...]
    check: str
    theorem: Callable[[Any], bool] | None = None
    goal_seconds: float | None = None
    goal_ratio: float | None = None
    note: str = ""
    bound: str = ""


def _chi_squares(degree: int) -> Callable[[Any], bool]:
    expected = answers.chi_square(degree)
    return lambda table: all(answers.one_column(answer) == expected for answer in table.values())


def _identity_power(power: int) -> Callable[[Any], bool]:
    return lambda answer: answer == answers.from_identity(trace_moment((power,)))


def _identity_moments(degree: int) -> Callable[[Any], bool]:
    def theorem(table: Any) -> bool:
        expected = {mu: answers.from_identity(value) for mu, value in trace_moments(degree).items()}
        return bool(table == expected)

    return theorem


ROWS = (
    Row(
        "trace-4-value",
        "E tr W^4 at n = p = 2, identity covariance",
        (tools.identity_value(4, 2, 2), tools.hafnians(4, 2, 2)),
        BY_PEER,
        note="thewalrus works in floating point at given n and p and is timed after compiling.",
    ),
    Row(
        "trace-6",
        "E tr W^6, identity covariance, symbolic n and p",
        (tools.identity_trace(6), tools.form("W" * 6, general=False), tools.sympy_pairings(6)),
        BY_PEER,
    ),
    Row(
        "trace-8",
        "E tr W^8, identity covariance, symbolic n and p",
        (tools.identity_trace(8), tools.form("W" * 8, general=False)),
        BY_PEER,
        goal_ratio=200,
        note="FORM's time includes the start of its process, a few milliseconds.",
    ),
    Row(
        "trace-10",
        "E tr W^10, identity covariance, symbolic n and p",
        (tools.identity_trace(10), tools.form("W" * 10, general=False).slowly()),
        BY_PEER,
    ),
    Row(
        "all-identity-16",
        "every trace moment of degree 16 (231), identity covariance, symbolic n and p",
        (tools.identity_table(16),),
        BY_CHI_SQUARE,
        _chi_squares(16),
        goal_seconds=0.1,
    ),
    Row(
        "all-identity-24",
        "every trace moment of degree 24 (1575), identity covariance, symbolic n and p",
        (tools.identity_table(24),),
        BY_CHI_SQUARE,
        _chi_squares(24),
        goal_seconds=3,
    ),
    Row(
        "power-8",
        "E W^8, general covariance",
        (tools.general_power(8),),
        BY_COLLAPSE,
        _identity_power(8),
    ),
    Row(
        "power-16",
        "E W^16, general covariance",
        (tools.general_power(16),),
        BY_COLLAPSE,
        _identity_power(16),
        goal_seconds=0.5,
    ),
    Row(
        "all-general-12",
        "every trace moment of degree 12 (77), general covariance, in power sums",
        (tools.general_table(12),),
        BY_COLLAPSE,
        _identity_moments(12),
        goal_seconds=0.2,
    ),
    Row(
        "all-general-16",
        "every trace moment of degree 16 (231), general covariance, in power sums",
        (tools.general_table(16),),
        BY_COLLAPSE,
        _identity_moments(16),
        goal_seconds=4,
    ),
    Row(
        "word-3",
        "E W A W A W, general covariance",
        (tools.word("WAWAW", "B"), tools.form("WAWAWB", general=True)),
        BY_PEER,
    ),
    Row(
        "word-6",
        "E W A W A W A W A W A W, general covariance",
        (tools.word("WAWAWAWAWAW", "B"), tools.form("WAWAWAWAWAWB", general=True)),
        BY_PEER,
        goal_seconds=0.05,
    ),
    Row(
        "trace-word-6",
        "E tr(W A W A W A W A W A W A), general covariance",
        (tools.word("WAWAWAWAWAWA"), tools.form("WAWAWAWAWAWA", general=True)),
        BY_PEER,
        goal_seconds=0.05,
    ),
    Row(
        "letters-6",
        "E tr(W A W B W C W D W E W F), general covariance, six different letters",
        (tools.word("WAWBWCWDWEWF"), tools.form("WAWBWCWDWEWF", general=True)),
        BY_PEER,
        note="No two of the 10,395 pairings give equal words, so the result has 10,395 terms.",
    ),
)
