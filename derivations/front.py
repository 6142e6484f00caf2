r"""The front door: a step of the paper as an object, and exact moments, for a notebook or a program.

>>> import derivations as d
>>> s = d.step("eq5")
>>> s.statement
'The average test loss with more parameters than validation data, to leading order.'
>>> sizes = dict(n_t=30, n_v=2, n_r=20, m=3, p=60, sigma=1, nu=0.5, alpha_r=0.2)
>>> round(s.evaluate(**sizes, alpha_t=0.2), 6)
0.721819
>>> round(s.optimum(**sizes)["alpha_t"], 6)
-1.011152
>>> round(s.under(inner_steps=2).evaluate(**sizes, alpha_t=0.2), 6)
0.73376

A value is refused here as `derive eval` refuses it, with ValueError in one line:

>>> s.evaluate(**{**sizes, "p": 6}, alpha_t=0.2)
Traceback (most recent call last):
...
derivations.formulas.parameters.InvalidParameter: theorem-1 holds for p > n_v m (overparameterized), but n_v m = 6 and p = 6: neither eq5 nor eq9 holds, change n_v, m or p
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import sympy

from derivations.command.simulate import Document
from derivations.command.simulate import run as run_simulation
from derivations.formulas.by_name import NoFormula, derived_parts, evaluate_named, formulas, function
from derivations.formulas.moment_function import moment_function
from derivations.formulas.optimum import optimum
from derivations.formulas.parameters import Exact, checked_number
from derivations.formulas.trace_form import RateFunction
from derivations.language.assumptions import PAPER, Assumptions, NotDerivable, with_assumption
from derivations.language.extension import load_law
from derivations.paper.moment_trees import answer_tree
from derivations.steps.chain import DoesNotApply, Move
from derivations.steps.contents import named, slug_of
from derivations.steps.step import Step
from derivations.support.bad_input import BadInput
from derivations.support.workers import working
from derivations.typeset.moment_source import moment_source
from derivations.typeset.presentation import present, shown_parts
from derivations.verification.plain_records import Record
from derivations.verification.verify import verify_step
from symbolic.algebra.entry_laws import COMPLEX
from symbolic.query.query import moment as exact_moment
from symbolic.query.result import Result

if TYPE_CHECKING:  # what draws is loaded when something is drawn
    from derivations.figures.style import Series

Formula: TypeAlias = sympy.Basic | dict[str, sympy.Basic]


@dataclass(frozen=True)
class StepView:
    """One step of the paper under some assumptions; `derivations.step` makes one.

    name: its permanent slug. assumptions: the paper's, or what `under` made of them.
    """

    name: str
    assumptions: Assumptions = PAPER

    @property
    def _step(self) -> Step:
        return named(self.name)

    @property
    def statement(self) -> str:
        """What the step says, in one sentence."""
        return self._step.statement

    @property
    def equations(self) -> tuple[str, ...]:
        """The paper's numbers of its equations.

        >>> step(9).equations
        ('9', '108')
        """
        return self._step.equations

    @property
    def page(self) -> str:
        """Its place in the book: page and anchor."""
        return self._step.anchor()

    @property
    def proof(self) -> str:
        """The status of its proof: remembered, or found now.

        >>> step("wishart-mean").proof
        'proved'
        """
        return str(self.verify(numeric=False)["proof"])

    @property
    def numeric(self) -> str:
        """The status of its numeric confirmation: remembered, or sampled now."""
        return str(self.verify(symbolic=False)["numeric"])

    @property
    def derivation(self) -> tuple[Move, ...]:
        """The proof move by move: each has a rule, before, after, reads, and check, its verdict by a second route.

        >>> [str(move.rule) for move in step(92).derivation][:2]
        ['insert a definition', 'average by parts']

        Raises DoesNotApply where the step is not proved in this form, or where a move does not apply.
        """
        proof = self._step.derivation
        if proof is None:
            raise DoesNotApply(f"{self.name} is not proved move by move")
        return proof(self.assumptions).moves

    @property
    def formula(self) -> Formula:
        """What the engine derives, as a SymPy expression, or `{label: expression}` where there are several.

        A definition, which derives nothing, has what the paper prints. Symbols carry no assumptions, so that a name in
        a string, or a new symbol of that name, is the symbol of the formula:

        >>> slope = step("eq5").formula.diff("alpha_t")
        >>> slope == step("eq5").formula.diff(sympy.Symbol("alpha_t")) != 0
        True
        >>> sorted(step("eq8").formula)
        ['maximum', 'minimum']

        Raises NoFormula for a step without one.
        """
        found: Mapping[str, sympy.Basic]
        try:
            found = formulas(self.name, self.assumptions)
        except NoFormula:
            step = self._step
            found = (
                shown_parts(step, PAPER)
                if step.derive is None
                else derived_parts(self.name, self.assumptions)
            )
            if not found:
                raise
        plain = {label: _plain(part) for label, part in found.items()}
        return next(iter(plain.values())) if len(plain) == 1 else plain

    @property
    def symbols(self) -> dict[str, sympy.Basic]:
        """The symbols of the formula by name, scalars and matrices.

        >>> s = step("eq10")
        >>> s.formula.diff(s.symbols["n_v"]) != 0
        True
        """
        found = self.formula
        parts = found.values() if isinstance(found, dict) else (found,)
        symbols = {s for part in parts for s in part.atoms(sympy.Symbol, sympy.MatrixSymbol)}
        return {str(s.name): s for s in sorted(symbols, key=lambda s: str(s.name))}

    def under(self, **changes: object) -> StepView:
        """The same step with assumptions changed, by the names that `derive --assume` takes.

        >>> step("eq5").under(inputs="rademacher", inner_steps=2).assumptions.label()
        'inner_steps=2, inputs=rademacher'

        Raises InvalidAssumption for a name or value that the model does not know, and NotDerivable, with the reason,
        where the step makes no sense any more.
        """
        assumptions = self.assumptions
        for name, value in changes.items():
            assumptions = with_assumption(assumptions, name, str(value))
        why_not = self._step.applies(assumptions)
        if why_not is not None:
            raise NotDerivable(why_not)
        return StepView(self.name, assumptions)

    def function(self, key: str | None = None) -> Callable[..., Any]:
        """The formula (of several, the one called `key`) as a function of numbers and NumPy arrays that broadcast.

        >>> loss = step("eq9").function()
        >>> rates = np.linspace(-1, 1, 5)
        >>> values = dict(n_t=5, n_v=25, n_r=10, m=40, p=30, sigma=0.2, nu=0.2, alpha_r=0.2)
        >>> loss(**values, alpha_t=rates).shape
        (5,)

        It refuses what `evaluate` refuses, element by element. A formula of matrices takes arrays of rates.
        """
        found = formulas(self.name, self.assumptions)
        if len(found) == 1 and next(iter(found.values())).has(sympy.Trace):
            return RateFunction(self.name, self.assumptions)
        return function(self.name, self.assumptions, key)

    def evaluate(self, **values: Any) -> float | dict[str, float]:
        """The number that the formula gives, exact until it is rounded; a dict of them where there are several.

        >>> step("eq8").evaluate(n_t=30, p=60)
        {'minimum': -1.01115..., 'maximum': 0.49448...}
        """
        found = evaluate_named(self.name, values, self.assumptions)
        return found["value"] if list(found) == ["value"] else found

    def optimum(self, **values: Any) -> dict[str, Any]:
        """The rate, `alpha_t` or `alpha_r`, that is left out and minimises the loss; `loss`, and a `certificate`."""
        return optimum(self.name, values, self.assumptions)

    def simulate(
        self, *, rel_error: float | None = None, seed: int = 0, protocol: str | None = None, **values: Any
    ) -> Document:
        """Monte Carlo of what the formula states, beside it, as `derive simulate`.

        >>> found = step("eq5").simulate(n_t=9, n_v=1, n_r=9, m=2, p=20, sigma=1, nu=1, alpha_t=0.1, alpha_r=0.1,
        ...                              rel_error=0.02)
        >>> 0 < found["stderr"] < 0.02 * found["mean"]
        True
        """
        exact: dict[str, Exact] = {
            name: value if isinstance(value, np.ndarray) else checked_number(name, value)
            for name, value in values.items()
        }
        # other processes would begin by running the script that asks
        with working(1):
            return run_simulation(
                self.name,
                exact,
                rel_error=rel_error,
                seed=seed,
                protocol=protocol,
                assumptions=self.assumptions,
            )

    def verify(
        self, *, symbolic: bool = True, numeric: bool = True, seed: int = 0, fresh: bool = False
    ) -> Record:
        """The record of `derive verify`: statuses with reasons, every comparison, and whether it `passed`."""
        return verify_step(
            self.name, self.assumptions, symbolic=symbolic, numeric=numeric, seed=seed, fresh=fresh
        )

    def __repr__(self) -> str:
        numbers = f" ({', '.join(self.equations)})" if self.equations else ""
        return f"<{self.name}{numbers}, {self.assumptions.label()}: {self.statement}>"

    def _repr_latex_(self) -> str | None:
        document = present(self._step, self.assumptions)
        lines = [*document["parts"].values()] or [document["formula"]]
        # a figure has none
        if not any(lines):
            return None
        return r"$$\begin{gathered} " + r" \\ ".join(lines) + r" \end{gathered}$$"


def step(name: str | int) -> StepView:
    """The step that a name means: a slug, or the number of an equation.

    >>> step("Theorem 1") == step("eq5") == step("(5)") == step(5)
    True

    Raises UnknownStep with a suggestion.
    """
    return StepView(slug_of(name))


@dataclass(frozen=True)
class FigureView:
    """A figure of the paper or of this edition; `derivations.figure` makes one, a notebook shows it.

    name, assumptions: what is drawn. svg: the drawing. series: what it shows as numbers, one line or row of marks each.
    """

    name: str
    assumptions: Assumptions
    svg: str = field(repr=False)
    series: tuple[Series, ...] = field(repr=False)

    def save(self, path: str | Path) -> Path:
        """Writes it as .svg, .png or .pdf; raises BadInput for another name, and where nothing can be written."""
        from derivations.figures.draw import draw

        with working(1):
            return draw(self.name, Path(path), assumptions=self.assumptions)[0]

    def _repr_svg_(self) -> str:
        return self.svg


def figure(name: str | int, **changes: object) -> FigureView:
    """A figure by number, name or equation (`2`, `"figure-2"`, `"eq5"`, `"phase-diagram"`), with assumptions changed if wanted.

    >>> shown = figure(1)
    >>> shown.svg.startswith("<svg")
    True

    Points that are not in the store are simulated first, which takes from seconds to a few minutes. Raises BadInput for an unknown figure,
    InvalidAssumption for an unknown change, and NotDerivable where nothing is derived under it.
    """
    from derivations.figures.draw import draw

    assumptions = PAPER
    for changed, value in changes.items():
        assumptions = with_assumption(assumptions, changed, str(value))
    # in this process: others would begin by running the script that asks
    with TemporaryDirectory() as scratch, working(1):
        path, series = draw(str(name), Path(scratch) / "figure.svg", assumptions=assumptions)
        text = path.read_text(encoding="utf-8")
    return FigureView(str(name), assumptions, text[text.index("<svg") :], tuple(series))


@dataclass(frozen=True)
class Moment(Result):
    """An exact moment: `text`, `latex`, `terms`, `conditions`, `value`; shown as LaTeX in a notebook."""

    def to_sympy(self) -> sympy.Basic:
        """The expectation as a SymPy scalar or matrix expression; ValueError where it has sums over indices."""
        return answer_tree(self)

    def source(self, language: str) -> str:
        """The expectation as `latex`, `text`, or runnable `sympy`, `python` or `c`."""
        return moment_source(self, language)

    def function(self) -> Callable[..., Any]:
        """The expectation in doubles as a function of its dimensions, which broadcast, and its matrices, by name.

        >>> moment("tr(W^-2)").function()(n=[7, 7.5, 8], p=2)
        array([0.3       , 0.21010101, 0.15555556])
        """
        return moment_function(self)


def moment(
    expression: str,
    *,
    cov: str | None = None,
    law: str = "gaussian",
    work: float | None = None,
    mean: str = "zero",
    rows: str = "independent",
    symmetric: Collection[str] = (),
    rotations: Collection[str] = (),
    **values: Any,
) -> Moment:
    """The exact expectation of an expression in Wishart matrices; `.value` where everything has a value.

    >>> moment("tr(W^2)", n=7, p=3).value
    '231'
    >>> moment("W A W").text
    "n^2 A + n A' + n tr(A) I"

    >>> moment("tr(W^-1 A W^-1)").to_sympy()
    (n - 1)*Trace(A)/((n - p)*(n - p - 3)*(n - p - 1))

    >>> moment("a' W b", mean="general").text
    "n (a' b) + (a' M' M b)"

    cov, law, mean, rows: as for `derive moment`; symmetric: letters that are their own transposes; rotations: letters that are uniform on the orthogonal group. work: how many seconds it may take, about 2 unless given. values: sizes, and matrices as arrays or rows of numbers; see
    `symbolic.query.query.moment` for what is raised.
    """
    for name, word in (
        ("the expression", expression),
        ("law", law),
        ("mean", mean),
        ("rows", rows),
        ("cov", cov or ""),
    ):
        if not isinstance(word, str):
            raise BadInput(f"{name} is {word!r}: give text")
    if law != COMPLEX:
        load_law(law)
    given = {name: _array_of_floats(value) for name, value in values.items()}
    result = exact_moment(expression, given, cov, law, work, mean, rows, symmetric, rotations)
    return Moment(**{field.name: getattr(result, field.name) for field in fields(Result)})


def _array_of_floats(value: Any) -> Any:
    """Rows of numbers, or a list of them, some of which are floats as an array; a matrix of SymPy as its rows; anything else as it is."""
    if isinstance(value, sympy.MatrixBase):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        return value
    table = value if any(isinstance(row, list | tuple) for row in value) else [value]
    if not all(isinstance(row, list | tuple) for row in table):
        return value
    elements = [x for row in table for x in row]
    if len({*map(len, table)}) != 1 or not any(isinstance(x, float | sympy.Float) for x in elements):
        return value
    try:
        return np.array(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return value  # which is refused for what it is


def _plain(part: sympy.Basic) -> sympy.Basic:
    """The same formula in symbols without assumptions."""
    return part.xreplace({s: sympy.Symbol(str(s.name)) for s in part.atoms(sympy.Symbol)})
