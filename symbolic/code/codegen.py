"""Formulas as code: vectorised functions, source text in other languages, and values to any precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import mpmath
import sympy
from sympy.printing.c import C99CodePrinter
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.numpy import NumPyPrinter

from symbolic.algebra.refusal import Refused
from symbolic.code.program import NoSourceForm, Program, multiplied, program
from symbolic.code.stable import StableForm

LANGUAGES = ("latex", "sympy", "python", "c", "javascript")
Number = int | float | Fraction
# A number, or an array that broadcasts with the others.
Value = Any


# -- vectorised functions -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compiled:
    """A formula as a function of numbers and NumPy arrays by name, which broadcast against each other.

    Values are taken in double precision. With scalars only the result is a float, else an array. Raises
    ValueError on a missing or an unknown name.
    """

    program: Program

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments."""
        return self.program.parameters

    @cached_property
    def _function(self) -> Callable[..., Sequence[Value]]:
        arguments = [sympy.Symbol(name) for name in self.parameters]
        bare = {s: sympy.Symbol(str(s.name)) for s in _symbols(self.program)}
        statements = [
            (bare.get(s, s), multiplied(value.xreplace(bare))) for s, value in self.program.statements
        ]
        flat = [
            multiplied(factor.xreplace(bare)) if factor.args else factor.xreplace(bare)
            for term in self.program.terms
            for factor in term
        ]
        function: Callable[..., Sequence[Value]] = sympy.lambdify(
            arguments, flat, modules="numpy", cse=lambda expressions: (statements, expressions)
        )
        return function

    def __call__(self, **values: Value) -> Value:
        """The value at the given parameters."""
        odd = sorted(set(values) ^ set(self.parameters))
        if odd:
            kind = "unknown" if odd[0] in values else "missing"
            raise Refused(f"{kind} parameter {odd[0]!r}: this formula takes {', '.join(self.parameters)}")
        parts = iter(self._function(*(_double(values[name]) for name in self.parameters)))
        terms = [[next(parts) for _ in term] for term in self.program.terms]
        total = _on_grid(terms)
        if total is None:
            total = sum(math.prod(factors[1:], start=factors[0]) for factors in terms)
        return total if getattr(total, "ndim", 0) else float(total)


# Below this many points a sum of products is as fast in the plain way.
SMALLEST_GRID = 4096
# BLAS starts threads for larger products, which costs more than it gains for these narrow ones.
LARGEST_PRODUCT = 2**18


def _on_grid(terms: Sequence[Sequence[Value]]) -> Value | None:
    """The sum of products of columns (r x 1), rows (1 x c) and numbers, as one matrix product in blocks.

    None when the values have other shapes, or the grid is small.
    """
    arrays = [x for factors in terms for x in factors if getattr(x, "ndim", 0)]
    if not arrays or any(x.ndim != 2 for x in arrays):
        return None
    rows, columns = (max(x.shape[k] for x in arrays) for k in (0, 1))
    thin = all(x.shape in ((rows, 1), (1, columns), (1, 1)) for x in arrays)
    if not thin or min(rows, columns) == 1 or rows * columns < SMALLEST_GRID:
        return None
    space = arrays[0].__array_namespace__()
    left, right = space.ones((rows, len(terms))), space.ones((len(terms), columns))
    for k, factors in enumerate(terms):
        for x in factors:
            if getattr(x, "shape", ()) in ((1, columns), (1, 1)):
                right[k] *= x[0]
            else:
                left[:, k] *= x[:, 0] if getattr(x, "ndim", 0) else x
    grid = space.empty((rows, columns))
    step = max(1, LARGEST_PRODUCT // (columns * len(terms)))
    for start in range(0, rows, step):
        space.matmul(left[start : start + step], right, out=grid[start : start + step])
    return grid


def _symbols(code: Program) -> set[sympy.Symbol]:
    found = {s for s, _ in code.statements}
    for expr in [*(v for _, v in code.statements), *(f for term in code.terms for f in term)]:
        found |= expr.free_symbols
    return found


def _double(value: Value) -> Value:
    # integer arrays would overflow in products of sizes
    return value.astype(float) if hasattr(value, "astype") else float(value)


def compiled(form: StableForm | sympy.Expr, parameters: Sequence[str] | None = None) -> Compiled:
    """A formula as a vectorised function; raises NoSourceForm when it is more than arithmetic and roots.

    parameters: the argument names (those of the formula, sorted, when not given).
    """
    return Compiled(program(form, parameters))


# Integers up to here are doubles, exactly.
EXACT = 2**53


# -- source text --------------------------------------------------------------------------------------------


def source(
    form: StableForm | sympy.Expr,
    language: str,
    *,
    name: str = "formula",
    parameters: Sequence[str] | None = None,
    latex_names: Mapping[str, str] | None = None,
) -> str:
    """The formula as text: an expression in `latex` or `sympy`, else a function called `name`.

    Raises NoSourceForm on an unknown language, and on a formula that is more than arithmetic and square roots
    (an unevaluated sum, a trace) in a language other than latex and sympy.
    """
    if language in ("latex", "sympy"):
        expr = form.plain() if isinstance(form, StableForm) else form
        if language == "sympy":
            return str(expr)
        names = {s: (latex_names or {}).get(str(s.name), None) for s in expr.free_symbols}
        return str(sympy.latex(expr, symbol_names={s: text for s, text in names.items() if text}))
    if language not in LANGUAGES:
        raise NoSourceForm(f"no language {language!r}: choose one of {', '.join(LANGUAGES)}")
    return _WRITERS[language](name, program(form, parameters))


def _rational(number: sympy.Rational) -> str:
    """A literal of double precision: an integer one would overflow, or divide as an integer."""
    numerator, denominator = int(number.p), int(number.q)
    if max(abs(numerator), denominator) > EXACT:
        return repr(numerator / denominator)
    return f"{numerator}.0" if denominator == 1 else f"{numerator}.0/{denominator}.0"


def _in_doubles(printer: Any) -> Callable[[sympy.Expr], str]:
    printer._print_Integer = printer._print_Rational = _rational
    return lambda expr: str(printer.doprint(multiplied(expr)))


def python_expression(expr: sympy.Expr) -> str:
    """Arithmetic in doubles, for names that are numbers or arrays of doubles."""
    return _in_doubles(NumPyPrinter())(expr)


def _python(name: str, code: Program) -> str:
    show = python_expression
    listed = ", ".join(code.parameters)
    lines = ["import numpy", "", "", f"def {name}({listed}):"]
    # integer arrays would overflow, and have no negative powers
    lines += [f"    {p} = numpy.asarray({p}, dtype=float)[()]" for p in code.parameters]
    lines += [f"    {s} = {show(value)}" for s, value in code.statements]
    return "\n".join([*lines, f"    return {show(code.result())}"]) + "\n"


def _c(name: str, code: Program) -> str:
    show = _in_doubles(C99CodePrinter())
    lines = [f"double {name}({', '.join(f'double {p}' for p in code.parameters) or 'void'}) {{"]
    lines += [f"    const double {s} = {show(value)};" for s, value in code.statements]
    lines.append(f"    return {show(code.result())};")
    header = "#include <math.h>\n\n" if any("sqrt(" in line or "pow(" in line for line in lines) else ""
    return header + "\n".join([*lines, "}"]) + "\n"


def _javascript(name: str, code: Program) -> str:
    show = _in_doubles(JavascriptCodePrinter())
    lines = [f"function {name}({', '.join(code.parameters)}) {{"]
    lines += [f"    const {s} = {show(value)};" for s, value in code.statements]
    lines.append(f"    return {show(code.result())};")
    return "\n".join([*lines, "}"]) + "\n"


_WRITERS: Mapping[str, Callable[[str, Program], str]] = {
    "python": _python,
    "c": _c,
    "javascript": _javascript,
}


# -- high precision -----------------------------------------------------------------------------------------

# The working precision doubles until two results agree; beyond this many digits the value is taken for zero.
MOST_DIGITS = 3200


def high_precision(expr: sympy.Expr, values: Mapping[str, Number], digits: int = 50) -> mpmath.mpf:
    """The value of a scalar formula to `digits` significant digits, its arguments taken as exact numbers.

    Raises ValueError naming a missing parameter, ZeroDivisionError at a pole.
    """
    names = sorted(str(symbol.name) for symbol in expr.free_symbols)
    missing = [name for name in names if name not in values]
    if missing:
        raise Refused(f"missing parameter {missing[0]!r}: this formula takes {', '.join(names)}")
    bare = expr.xreplace({s: sympy.Symbol(str(s.name)) for s in expr.free_symbols})
    function = sympy.lambdify([sympy.Symbol(name) for name in names], bare, modules="mpmath")
    exact = [Fraction(values[name]) for name in names]
    working, before = digits + 20, None
    while working < MOST_DIGITS:
        with mpmath.workdps(working):
            value = mpmath.mpf(function(*(mpmath.mpf(q.numerator) / q.denominator for q in exact)))
            if before is not None and abs(value - before) <= abs(value) * mpmath.mpf(10) ** -(digits + 2):
                return value
        working, before = 2 * working, value
    return mpmath.mpf(0)
