"""The rows of the benchmark: the job, the tools, how the results are compared, and what was aimed at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import answers, bartlett, published, tools, wider
from benchmarks.tools import Method
from symbolic.wishart.identity import trace_moment
from symbolic.wishart.partitions import Partition, partitions

BY_PEER = "equal to the other tools' results, term by term"
BY_COLUMNS = (
    "every moment equals n (n+2) ... (n+2d-2) at p = 1, is the same with n and p exchanged, and has at p = 2 the "
    "values that follow from the Bartlett decomposition"
)
BY_PUBLISHED = "equal to what the other program's documentation prints; it does not install here, so that its time is not known"
BY_FORMULA = "equal to the formula of the paper named, at several sizes; no other program here has it"
CHECKED = "The engine's time includes reading the query and its check entry by entry."
BY_POWERS = (
    "with the identity for all letters it is the moment of the power, which another engine finds, at three sizes; besides, its check "
    "entry by entry at small sizes is a part of the answer"
)
BY_VALUES = (
    "equal, at Sigma = I, to the identity engine's polynomials, which share no code with it, and, at Sigma = "
    "diag(1, 2) and diag(1, 3), to the values that follow from the Bartlett decomposition"
)

ROW_COUNTS = (2, 3, 7)
"""The n at which moments are compared with the values of `benchmarks.bartlett`."""


@dataclass(frozen=True)
class Row:
    """One job; the first method is the engine's.

    All methods must agree, and the engine's result must pass `theorem` if there is one.  Goals: at most
    `goal_seconds`, at least `goal_ratio` times faster than the second method.  `bound` says what limits the
    engine, and is shown where a goal is missed.
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


def _identity_moments(degree: int) -> Callable[[Any], bool]:
    chi_square = answers.chi_square(degree)

    def holds(mu: Partition, answer: Any) -> bool:
        return (
            answers.one_column(answer) == chi_square
            and answers.exchanged(answer) == answer
            and all(answers.at_sizes(answer, n, 2) == bartlett.trace_moment(mu, n, 1) for n in ROW_COUNTS)
        )

    return lambda table: {*table} == {*partitions(degree)} and all(holds(*item) for item in table.items())


def _general_power(power: int) -> Callable[[Any], bool]:
    def theorem(answer: Any) -> bool:
        at_identity = answers.collapsed(answer, is_matrix=True)
        return at_identity == answers.from_identity(trace_moment((power,))) and all(
            answers.at_diagonal(answer, n, (1, s)) == bartlett.power_moment(power, n, s)
            for n in ROW_COUNTS
            for s in (2, 3)
        )

    return theorem


def _general_moments(degree: int) -> Callable[[Any], bool]:
    def holds(mu: Partition, answer: Any) -> bool:
        at_identity = answers.collapsed(answer, is_matrix=False)
        return at_identity == answers.from_identity(trace_moment(mu)) and all(
            answers.at_diagonal(answer, n, (1, s)) == 2 * (bartlett.trace_moment(mu, n, s),)
            for n in ROW_COUNTS
            for s in (2, 3)
        )

    return lambda table: {*table} == {*partitions(degree)} and all(holds(*item) for item in table.items())


def _all_of_identity(degree: int, goal: float, bound: str) -> Row:
    return Row(
        f"all-identity-{degree}",
        f"every trace moment of degree {degree} ({len([*partitions(degree)])}), identity covariance, symbolic n and p",
        (tools.identity_table(degree),),
        BY_COLUMNS,
        _identity_moments(degree),
        goal_seconds=goal,
        bound=bound,
    )


def _all_of_general(degree: int, goal: float, bound: str) -> Row:
    kind = "general covariance, in power sums"
    return Row(
        f"all-general-{degree}",
        f"every trace moment of degree {degree} ({len([*partitions(degree)])}), {kind}",
        (tools.general_table(degree),),
        BY_VALUES,
        _general_moments(degree),
        goal_seconds=goal,
        bound=bound,
    )


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
        bound="Starting from empty caches bounds the engine; its 22 smaller moments take microseconds each.",
    ),
    Row(
        "trace-10",
        "E tr W^10, identity covariance, symbolic n and p",
        (tools.identity_trace(10), tools.form("W" * 10, general=False).slowly()),
        BY_PEER,
    ),
    _all_of_identity(
        16,
        0.1,
        "The 684 moments of lower degree, all polynomials in n and p, are computed on the way and bound it.",
    ),
    _all_of_identity(
        24,
        3,
        "The 5,763 moments of lower degree, with integers of up to 100 bits, are computed on the way and bound it.",
    ),
    Row(
        "power-8",
        "E W^8, general covariance",
        (tools.general_power(8),),
        BY_VALUES,
        _general_power(8),
    ),
    Row(
        "power-16",
        "E W^16, general covariance",
        (tools.general_power(16),),
        BY_VALUES,
        _general_power(16),
        goal_seconds=0.5,
        bound="One linear map for each of 16 degrees, up to 684 terms; setting up the maps bounds it.",
    ),
    _all_of_general(12, 0.2, "The table has 77 times 77 polynomials in n; unpacking them bounds it."),
    _all_of_general(
        16, 4, "The table has 231 times 231 polynomials in n of degree 16; unpacking them bounds it."
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
        note="The aim of 50 ms is for this word: one letter five times, so that its 10,395 pairings merge to 136 terms.",
        bound="Its few hundred states of contractions bound it.",
    ),
    Row(
        "trace-word-6",
        "E tr(W A W A W A W A W A W A), general covariance",
        (tools.word("WAWAWAWAWAWA"), tools.form("WAWAWAWAWAWA", general=True)),
        BY_PEER,
        goal_seconds=0.05,
        note="The aim of 50 ms is for this word: one letter six times, so that its 10,395 pairings merge to 44 terms.",
        bound="Its few hundred states of contractions bound it.",
    ),
    Row(
        "letters-6",
        "E tr(W A W B W C W D W E W F), general covariance, six different letters",
        (tools.word("WAWBWCWDWEWF"), tools.form("WAWBWCWDWEWF", general=True)),
        BY_PEER,
        note="There is no aim: that of 50 ms is for one letter six times, where the pairings merge. Of six different "
        "letters no two of the 10,395 pairings give equal words, and reading out 10,395 terms bounds every tool.",
    ),
    Row(
        "weingarten-orthogonal-3",
        "averages over rotations: all values of the Weingarten function of O(p), six factors, symbolic p",
        (tools.orthogonal_values(3), tools.haarpy_values("orthogonal", 3)),
        BY_PEER,
        note="Compared at twenty sizes.",
    ),
    Row(
        "weingarten-unitary-4",
        "complex inverse Wishart matrices: all values of the Weingarten function of U, four factors, symbolic dimension",
        (tools.unitary_values(4), tools.haarpy_values("unitary", 4)),
        BY_PEER,
        note="Compared at twenty sizes.",
    ),
    Row(
        "rotation-elements-6",
        "E O_11^2 O_22^2 O_33^2 of a rotation, symbolic p",
        (
            tools.rotation_moment("O[1,1]^2 O[2,2]^2 O[3,3]^2"),
            tools.haarpy_moment((1, 1, 2, 2, 3, 3), (1, 1, 2, 2, 3, 3)),
        ),
        BY_PEER,
        note="Compared at twenty sizes. The engine's time includes reading the query and its check entry by entry at p = 3.",
    ),
    Row(
        "inverse-word-2",
        "E W^-1 A W^-1, general covariance, symbolic n and p",
        (wider.word("W^-1 A W^-1"),),
        BY_POWERS,
        lambda result: published.as_power(result, "W^-2"),
        goal_seconds=0.01,
        note="No other program has it. The time includes reading the query and its check entry by entry.",
        bound="The check at three small sizes bounds it.",
    ),
    Row(
        "inverse-word-4",
        "E W^-1 A W^-1 B W^-1 C W^-1, general covariance, symbolic n and p",
        (wider.word("W^-1 A W^-1 B W^-1 C W^-1"),),
        BY_POWERS,
        lambda result: published.as_power(result, "W^-4"),
        goal_seconds=0.5,
        note="No other program has it. The time includes reading the query and its check entry by entry.",
        bound="Its 105 pairings and the check bound it.",
    ),
    Row(
        "mixed-word",
        "E W^2 A W^-1, general covariance, symbolic n and p",
        (wider.word("W^2 A W^-1"),),
        BY_POWERS,
        lambda result: published.as_power(result, "W"),
        note=f"No other program has it. {CHECKED}",
    ),
    Row(
        "f-matrix-2",
        "E tr(W1 W2^-1)^2 of two independent Wishart matrices, symbolic n1, n2 and p",
        wider.f_moment(2),
        BY_PEER,
        note=f"SciPy has it at p = 1, for given n1 and n2: there it is the moment of an F variable. {CHECKED}",
    ),
    Row(
        "kronecker-3",
        "E kron(W A W, W), general covariance, symbolic n",
        (wider.kronecker("W A W", "W"), wider.kronecker_by_form("WAW", "W")),
        BY_PEER,
        note=f"FORM has the two traces with a letter in each. {CHECKED}",
    ),
    Row(
        "kronecker-inverse",
        "E kron(W^-1, W^-1), general covariance, symbolic n and p",
        wider.inverse_kronecker(),
        BY_FORMULA,
        note=CHECKED,
    ),
    Row(
        "pseudo-inverse-2",
        "E tr(A W^+)^2 for fewer rows than columns, symmetric A, symbolic n and p",
        wider.pseudo_inverse(),
        BY_FORMULA,
        note=CHECKED,
    ),
    Row(
        "mean-and-rows-3",
        "E tr W^3 at n = p = 2, with a mean, a row covariance and a covariance",
        (
            wider.value_of("tr(W^3)", {"M": wider.MEAN, "U": wider.ROWS, "Sigma": wider.SIGMA}),
            wider.loop_hafnians(3),
        ),
        BY_PEER,
        note=f"thewalrus works in floating point at given n and p and is timed after compiling; the engine finds the formula first. {CHECKED}",
    ),
    Row(
        "real-rows",
        "the variances of W[1,2] and of W^-1[1,2] at n = 8.5, p = 2",
        wider.variances(),
        BY_PEER,
        note=f"SciPy has these formulas typed in, for elements of W and W^-1 alone; the engine finds them. {CHECKED}",
    ),
    Row(
        "determinant-root",
        "E det(W)^(1/2), symbolic n and p",
        wider.determinant_power(3),
        BY_PEER,
        note=f"SymPy has it at p = 3, as a product of means of chi-squared variables. {CHECKED}",
    ),
    Row(
        "log-determinant",
        "E log det W at n = 8.5, p = 3",
        wider.logarithm(3),
        BY_PEER,
        note=CHECKED,
    ),
    Row(
        "laplace-entries-3",
        "E tr W^3 of Laplace entries at n = p = 2, Sigma = diag(4, 1)",
        wider.of_a_law(),
        BY_PEER,
        note=f"SymPy multiplies the entries out; the engine finds the formula for any n and p first. {CHECKED}",
    ),
    Row(
        "published-traces-3",
        "all trace moments of degree 3 at n = 10, general covariance",
        (
            published.coefficients(3, "gaussian"),
            published.published(published.VIGNETTE, published.REAL_THREE),
        ),
        BY_PUBLISHED,
        note="wish_psn(3, 10).",
    ),
    Row(
        "published-complex-4",
        "all trace moments of degree 4 at n = 10, complex Wishart matrices",
        (
            published.coefficients(4, "complex"),
            published.published(published.VIGNETTE, published.COMPLEX_FOUR),
        ),
        BY_PUBLISHED,
        note="wish_psn(4, 10, 1).",
    ),
    Row(
        "published-values",
        "E tr(W)^2 tr(W^3) W^2, E tr(W^-1)^2, E tr(W^-1)^2 tr(W^-3) W^-2 at n = 20, p = 2",
        (published.values(), published.published_values()),
        BY_PUBLISHED,
        note="To the seven digits that are printed.",
    ),
    Row(
        "published-trace-4",
        "E tr W^4 for real and complex entries, symbolic n and p",
        (
            published.trace_of_fourth_power(),
            published.published(published.NOTEBOOK, (published.REAL_TRACE, published.COMPLEX_TRACE)),
        ),
        BY_PUBLISHED,
        note="The engine's time includes reading the queries and their checks entry by entry.",
    ),
)
