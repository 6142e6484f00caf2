"""The chapter on moments: both routes side by side, a table, answers to questions in text, the benchmark."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray

from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.language.symbols import symbol_table
from derivations.publishing.kept_calls import kept
from derivations.support.sources import ROOT
from derivations.typeset.latex import latex, latex_lines
from symbolic.algebra.entry_laws import COMPLEX
from symbolic.algebra.quotients import Rational
from symbolic.algebra.sympy_trees import factored_to_sympy
from symbolic.algebra.sympy_trees import to_sympy as expression_to_sympy
from symbolic.algebra.words import Expression, gaussian, matrix, tr
from symbolic.averages.expectation import expect
from symbolic.averages.pairings import expect_by_pairings
from symbolic.query.query import moment
from symbolic.query.result import Result
from symbolic.wishart.fixed_letters import base
from symbolic.wishart.identity import trace_moments
from symbolic.wishart.partitions import Partition

RESULTS = ROOT / "benchmarks" / "results.json"
# degrees whose table is open at first
OPEN_DEGREE = 4


# -- two routes ---------------------------------------------------------------------------------------------


def _examples() -> Mapping[str, Expression]:
    x, a = gaussian("X", "n", "p"), matrix("A", "p", "p")
    w = x.T @ x
    return {"W": w, "W^2": w @ w, "W A W": w @ a @ w, r"W\,\mathrm{Tr}(W)": w * tr(w), "W^3": w @ w @ w}


def two_routes() -> Html:
    """A few moments by integration by parts and by the sum over all pairings, computed now."""
    rows = []
    for name, word in _examples().items():
        by_parts, by_pairings = expect(word), expect_by_pairings(word)
        degree = max(sum(factor.name == "X" for factor in term.word or ()) for term in word.terms)
        degree += max(sum(f.name == "X" for trace in term.traces for f in trace) for term in word.terms)
        pairings = sympy.factorial2(degree - 1)
        first, second = (
            h.inline(latex(expression_to_sympy(value, symbol_table()))) for value in (by_parts, by_pairings)
        )
        same = "the same" if (by_parts - by_pairings).is_zero else second
        rows.append((h.inline(name), first, same, h.count(int(pairings))))
    headers = ("word", "integration by parts", "all pairings", "pairings")
    return Html(h.table(headers, rows, numeric=(3,)))


# -- a table ------------------------------------------------------------------------------------------------


def product_latex(partition: Partition) -> str:
    """The product of traces of powers of W over the parts, the largest first."""
    words = []
    for part in sorted(set(partition), reverse=True):
        power = f"^{{{part}}}" if part > 1 else ""
        count = partition.count(part)
        words.append(rf"(\mathrm{{Tr}}\,W{power})^{count}" if count > 1 else rf"\mathrm{{Tr}}\,W{power}")
    return r"\,".join(words)


def moment_table(degree: int = 6) -> Html:
    """Every trace moment of a Wishart matrix with identity covariance up to a degree."""
    blocks = []
    for k in range(1, degree + 1):
        rows = []
        for partition, value in sorted(trace_moments(k).items(), key=lambda item: (len(item[0]), item[0])):
            lines = latex_lines(
                sympy.factor_terms(factored_to_sympy(Rational.polynomial(value), symbol_table())), width=60
            )
            rows_below = r" \\ & ".join(lines)
            text = lines[0] if len(lines) == 1 else rf"\begin{{aligned}} & {rows_below} \end{{aligned}}"
            rows.append((h.inline(product_latex(partition)), h.inline(rf"\displaystyle {text}")))
        plural = "moment" if len(rows) == 1 else "moments"
        opened = " open" if k <= OPEN_DEGREE else ""
        table = h.table(("expectation of", "is"), rows)
        blocks.append(
            f"<details{opened}><summary>Degree {k}: {len(rows)} {plural}</summary>{table}</details>"
        )
    return Html("".join(blocks))


# -- questions in text --------------------------------------------------------------------------------------


def _condition(text: str) -> str:
    """A condition such as n2 - p > 3 as mathematics."""
    return h.inline(h.tex_of_words(re.sub(r"\b([a-z])(\d)\b", r"\1_\2", text)))


def _command(text: str, covariance: str | None, law: str, values: Mapping[str, float]) -> list[str]:
    words = ["derive moment", f'"{text}"', *(f"{name}={value}" for name, value in values.items())]
    if covariance is not None:
        words.append(f"--cov {covariance}")
    if law != "gaussian":
        words.append(f"--law {law}")
    return words


def ask(
    text: str,
    covariance: str | None = None,
    law: str = "gaussian",
    rotations: Sequence[str] = (),
    **values: float,
) -> Html:
    """The command, its answer, the condition under which it exists, its value, and the small sizes at which it was checked."""
    result = moment(text, values or None, covariance, law, rotations=rotations)
    words = [*_command(text, covariance, law, values), *(f"--rotation {name}" for name in rotations)]
    parts = [f"<p><code>{h.escape(' '.join(words))}</code></p>", h.columns([result.latex])]
    if result.conditions:
        what = "The formula holds" if rotations else "Every term exists"
        only = "" if rotations or "^+" in text else f" (for {h.inline('p > 1')})"
        parts.append(f"<p>{what} when {' and '.join(map(_condition, result.conditions))}{only}.</p>")
    if result.value is not None:
        parts.append(f"<p>Value: <code>{h.escape(str(result.value).replace(chr(39), ''))}</code></p>")
    # such as n1=3 n2=4 p=2
    points = "; ".join(
        h.inline(re.sub(r"([a-z])(\d+)=", r"\1_\2=", point).replace(" ", r",\ ")) for point in result.checked
    )
    parts.append(f"<p><small>Averaged entry by entry, the same at {points}.</small></p>")
    return Html(f'<section class="answer">{"".join(parts)}</section>')


def refused(text: str, law: str = "gaussian", **values: int) -> Html:
    """The command and the line with which it is refused."""
    words = _command(text, None, law, values)
    try:
        moment(text, values or None, None, law)
    except ValueError as error:
        command, line = h.escape(" ".join(words)), h.prose(str(error))
        return Html(f'<section class="answer"><p><code>{command}</code></p><p>{line}</p></section>')
    raise ArithmeticError(f"{text!r} was answered, but should have been refused")


# -- questions of one's own ------------------------------------------------------------------------------------

DRAWS, ROWS, COLUMNS = 100_000, 20, 3
MOST_ERRORS, RELATIVE_ERROR = 5.0, 0.01
Array = NDArray[np.float64]


class Question(NamedTuple):
    """What somebody asks, as a query; ``observe`` computes it from the drawn X and, where needed, another X1."""

    asks: str
    text: str
    observe: Callable[[Array, Array], Array]
    options: Mapping[str, str] = {}
    definitions: Mapping[str, str] = {}
    with_columns: bool = False


def _sigma() -> Array:
    return np.array([[2, 1, 0], [1, 3, 1], [0, 1, 1.5]])


def _letters() -> dict[str, Array]:
    """The matrices of the sampled checks; the mean and the covariance of rows have no structure to hide behind."""
    steps = np.arange(ROWS)
    return {
        "A": np.array([[1.0, 2, 0], [0, 1, -1], [1, 0, 1]]),
        "a": np.array([1.0, 2, -1]),
        "b": np.array([0.0, 1, 1]),
        "M": np.cos(np.add.outer(2.0 * steps, np.arange(COLUMNS))),
        "U": np.power(0.5, np.abs(np.subtract.outer(steps, steps)).astype(float)),
        "Sigma": _sigma(),
    }


LETTERS = _letters()


def _gram(x: Array) -> Array:
    return x.conj().swapaxes(1, 2) @ x


def _inverse(x: Array) -> Array:
    return np.asarray(np.linalg.inv(_gram(x)), dtype=np.float64)


def _form(x: Array, left: str, right: str) -> Array:
    """left' x right of each matrix."""
    return np.asarray(LETTERS[left] @ x @ LETTERS[right])


def _squared(values: Array) -> Array:
    """Squares of deviations, the mean of which is the variance, without its bias."""
    return np.asarray((values - values.mean()) ** 2 * (len(values) / (len(values) - 1)))


def _multiplied(left: Array, right: Array) -> Array:
    """Products of deviations, the mean of which is the covariance, without its bias."""
    return np.asarray((left - left.mean()) * (right - right.mean()) * (len(left) / (len(left) - 1)))


_GENERAL, _SCALED = {"cov": "general"}, {"S": "W/(n-1)"}
_DIVISOR = ROWS - 1
QUESTIONS: tuple[Question, ...] = (
    Question(
        "What is the variance of an element of an inverse Wishart matrix?",
        "var(W^-1[1,2])",
        lambda x, other: _squared(_inverse(x)[:, 0, 1]),
        _GENERAL,
    ),
    Question(
        "The inverse stands twice, with a weight between: what is the mean?",
        "W^-1 A W^-1",
        lambda x, other: _inverse(x) @ LETTERS["A"] @ _inverse(x),
        _GENERAL,
    ),
    Question(
        "I put the inverse of a sample covariance into a quadratic form: how large is the bias?",
        "a' S^-1 a",
        lambda x, other: _DIVISOR * _form(_inverse(x), "a", "a"),
        _GENERAL,
        _SCALED,
    ),
    Question(
        "And how much does that form fluctuate?",
        "var(a' S^-1 a)",
        lambda x, other: _squared(_DIVISOR * _form(_inverse(x), "a", "a")),
        _GENERAL,
        _SCALED,
    ),
    Question(
        "How do two elements of a sample covariance vary together?",
        "cov(S[1,1], S[1,2])",
        lambda x, other: _multiplied(_gram(x)[:, 0, 0] / _DIVISOR, _gram(x)[:, 0, 1] / _DIVISOR),
        _GENERAL,
        _SCALED,
    ),
    Question(
        "My rows have a mean: what is the second moment of the non-central Wishart matrix?",
        "W A W",
        lambda x, other: _gram(x) @ LETTERS["A"] @ _gram(x),
        {"mean": "general", **_GENERAL},
    ),
    Question(
        "My observations are correlated in time as well: what is the mean of a weighted Gram matrix of the rows?",
        "X A X'",
        lambda x, other: x @ LETTERS["A"] @ x.swapaxes(1, 2),
        {"rows": "general", **_GENERAL},
    ),
    Question(
        "By how much do correlated rows raise the variance of the total variance?",
        "var(tr(W))",
        lambda x, other: _squared(np.trace(_gram(x), axis1=1, axis2=2)),
        {"rows": "general", **_GENERAL},
    ),
    Question(
        "One sample is whitened by another: what is the mean of the ratio?",
        "W^-1 W1 W^-1",
        lambda x, other: _inverse(x) @ _gram(other) @ _inverse(x),
        _GENERAL,
    ),
    Question(
        "What is the mean of one over the generalised variance?",
        "det(W)^-1",
        lambda x, other: 1 / np.linalg.det(_gram(x)),
        _GENERAL,
        with_columns=True,
    ),
    Question(
        "My channel matrix has complex entries: what is the second moment of its Gram matrix around a weight?",
        "W A W",
        lambda x, other: (_gram(x) @ LETTERS["A"] @ _gram(x)).real,
        {"law": "complex", **_GENERAL},
    ),
)
"""What people ask who have a paper of their own."""


def answered(question: Question) -> tuple[Result, Array, Array, Array]:
    """The answer, its value at the sizes that are sampled, and the mean of the draws with its standard error.

    Raises ArithmeticError where the two differ by more than `MOST_ERRORS` errors, or the error is more than
    `RELATIVE_ERROR` of the value.
    """
    options: dict[str, Any] = {
        "covariance" if name == "cov" else name: value for name, value in question.options.items()
    }
    columns = {"p": COLUMNS} if question.with_columns else {}
    result = moment(question.text, {**question.definitions, **columns}, **options)
    needed = {
        name for monomial in result.expectation.terms for word in monomial.words for name in map(base, word)
    }
    values: dict[str, Any] = {name: LETTERS[name] for name in needed & LETTERS.keys()}
    rows = {"n": ROWS} | ({"n1": ROWS - 2} if "W1" in question.text else {})
    exact = moment(question.text, {**values, **rows, "p": COLUMNS, **question.definitions}, **options).value
    rng = np.random.default_rng([QUESTIONS.index(question), DRAWS])
    root = np.linalg.cholesky(LETTERS["Sigma"]).T
    x = rng.standard_normal((DRAWS, ROWS, COLUMNS)) @ root
    if options.get("law") == COMPLEX:
        x = (x + 1j * rng.standard_normal((DRAWS, ROWS, COLUMNS)) @ root) / np.sqrt(2)
    if "rows" in options:
        x = np.linalg.cholesky(LETTERS["U"]) @ x
    if "mean" in options:
        x = x + LETTERS["M"]
    other = rng.standard_normal((DRAWS if "n1" in rows else 1, ROWS - 2, COLUMNS)) @ root
    seen = question.observe(x, other)
    value, mean = np.asarray(exact, dtype=float), seen.mean(axis=0)
    error = seen.std(axis=0) / np.sqrt(DRAWS)
    if np.any(np.abs(mean - value) > MOST_ERRORS * error) or np.max(error) > RELATIVE_ERROR * np.max(
        np.abs(value)
    ):
        raise ArithmeticError(f"{question.text}: drawn {mean}, computed {value}, standard error {error}")
    return result, value, mean, error


def own_questions() -> Html:
    """Each question with its command, its answer, the condition, and the mean of draws that were made for it."""
    return Html(_own_questions())


@kept()
def _own_questions() -> str:
    shown = []
    for question in QUESTIONS:
        result, value, mean, error = answered(question)
        words = ["derive moment", f'"{question.text}"']
        words += [f"{name}={text}" for name, text in question.definitions.items()]
        words += ["p=3"] * question.with_columns
        words += [f"--{name} {value}" for name, value in question.options.items()]
        exists = f"Exists for {' and '.join(result.conditions)}. " if result.conditions else "Always exists. "
        place = tuple(int(k) for k in np.unravel_index(np.argmax(np.abs(value)), value.shape))
        element = f"the largest element, {tuple(k + 1 for k in place)}, is " if place else ""
        said = (
            f"{h.prose(f'{exists}At n = {ROWS}, p = {COLUMNS}')} {element or 'it is '}{h.number(value[place], 6)}; the mean of "
            f"{h.count(DRAWS)} draws is {h.number(mean[place], 6)}, with a standard error of {h.number(error[place], 2)}."
        )
        shown.append(
            f'<section class="answer"><p><strong>{h.escape(question.asks)}</strong></p><p><code>{h.escape(" ".join(words))}</code></p>'
            f"{h.display(result.latex)}<p>{said}</p></section>"
        )
    return "".join(shown)


# -- speed --------------------------------------------------------------------------------------------------


def seconds(value: float) -> str:
    """A time in a unit that suits it."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def benchmark() -> Html:
    """The stored output of the benchmark: median and range of each tool, and the aim where one was set."""
    if not RESULTS.is_file():
        return Html("<p>No results are stored; <code>make bench</code> makes them.</p>")
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    rows = []
    for row in found["rows"]:
        own = row["methods"][0].get("median")
        for k, method in enumerate(row["methods"]):
            median = method.get("median")
            title = h.escape(row["title"]) + (
                f"<br><small>{h.escape(row['note'])}</small>" if row.get("note") else ""
            )
            if median is None:
                shown, spread, ratio, memory = h.escape(method["left_out"]), "–", "–", "–"
            else:
                shown = seconds(median)
                spread = f"{seconds(method['fastest'])} – {seconds(method['slowest'])}"
                if "processor" in method:
                    spread += f"; processor {seconds(method['processor'])}"
                ratio = h.number(float(f"{median / own:.2g}"), 9) if k and own else "1"
                memory = f"{method['peak_mb']} MB" if "peak_mb" in method else "–"
            rows.append(
                (
                    title if k == 0 else "",
                    h.escape(method["tool"]),
                    shown,
                    spread,
                    ratio,
                    memory,
                    _goal(row) if k == 0 else "",
                )
            )
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    machine = f"{h.escape(found['machine']['cpu'])}, {found['machine']['cores']} cores"
    note = (
        f"<p><small>Machine: {machine}. {h.escape(versions)}. "
        f"Command: <code>{h.escape(found['command'])}</code>; {h.escape(found['timing'])}. {_load(found)}"
        "Memory is the peak of the process, imports included.</small></p>"
    )
    headers = ("what", "tool", "median", "range", "times ours", "memory", "aim")
    return Html(h.table(headers, rows, numeric=(2, 3, 4, 5)) + note)


def _load(found: Mapping[str, Any]) -> str:
    """How busy the machine was before the run, and what the engine needed at most."""
    load, peak = found.get("load_before"), found.get("peak_mb")
    parts = [] if load is None else [f"Load average before the run: {load}. "]
    return "".join(parts + ([] if peak is None else [f"Peak memory of the engine: {peak} MB. "]))


def _goal(row: Mapping[str, Any]) -> str:
    goal = row.get("goal")
    if not goal:
        return ""
    aim = f"at most {seconds(goal['seconds'])}" if "seconds" in goal else f"{goal['ratio']} times faster"
    return f"{aim}: {'met' if goal['met'] else 'missed'}"
