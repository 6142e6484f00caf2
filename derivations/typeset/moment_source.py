"""The answer to a moment query as source text: LaTeX, text, SymPy, Python, C.

In Python and C numbers are doubles. A trace in the answer is a parameter t_1, t_2, ... in C, which knows no matrices.
"""

from __future__ import annotations

import inspect
import re

import sympy

from derivations.formulas.moment_function import LOG, Parts, all_parameters, digamma, log_gamma_ratio
from derivations.language.meanings import MOMENT_LANGUAGES
from derivations.paper.moment_trees import answer_tree
from derivations.support.bad_input import BadInput
from derivations.typeset.presentation import declared, read_back
from symbolic.algebra.sympy_trees import factored_to_sympy
from symbolic.code.codegen import python_expression, source
from symbolic.query.combined.kronecker_terms import OUTER, TURNED, Term
from symbolic.query.result import Result
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    INVERSE,
    ROW_IDENTITY,
    TRANSPOSED,
    Word,
    base,
    element,
    indices_of,
    of_rows,
    row_dimension,
)
from symbolic.wishart.moment_text import trace_text

NAME = "moment"


def moment_source(result: Result, language: str) -> str:
    """An answer as source text in one of `MOMENT_LANGUAGES`.

    Raises BadInput for another language, and where the language has no form of it: sums over indices beyond LaTeX and text,
    matrices in C.
    """
    if language not in MOMENT_LANGUAGES:
        raise BadInput(f"the answer has no form in {language!r}: choose one of {', '.join(MOMENT_LANGUAGES)}")
    if language == "latex":
        return result.latex
    if language == "text":
        return result.text
    if any(monomial.index_sums for monomial in result.expectation.terms):
        raise BadInput(
            f"the answer has sums over indices, which are written as latex and text only, not as {language}: ask "
            "for the identity covariance"
        )
    if language == "sympy":
        return _sympy(result)
    if language == "python" and result.kronecker:
        return _python_kronecker(result)
    return _python(result) if language == "python" else _c(result)


def _said(result: Result) -> str:
    exists = f", for {' and '.join(result.conditions)}" if result.conditions else ""
    mean = "M" if result.setting.means else "0"
    sigma = "I" if result.covariance == "identity" else "Sigma"
    complex_rows = result.setting.is_complex
    made, law = ("X^* X", "complex rows CN") if complex_rows else ("X^T X", "rows N")
    rows = f"W = {made}, X with n {law}({mean}, {sigma})" + (
        " of covariance U between them" if result.setting.correlated else ""
    )
    if result.setting.own:
        rows += "; Sigma1 for W1, Sigma2 for W2 and so on"
    if result.setting.rotations:
        rows += f"; uniform rotations {', '.join(sorted(result.setting.rotations))}"
    what = result.query if result.query.startswith(("cov", "var")) else f"E[{result.query}]"
    return f"{what}{exists}; {rows}."


def _sympy(result: Result) -> str:
    tree = answer_tree(result)
    return "\n".join([f"# {_said(result)}", *declared([tree]), f"{NAME} = {read_back(tree)}"]) + "\n"


def _factor(factor: str) -> str:
    if place := indices_of(factor):
        return f"numpy.outer(numpy.eye(p)[{place[0] - 1}], numpy.eye(p)[{place[1] - 1}])"
    if of_rows(factor) == ROW_IDENTITY:
        return f"numpy.eye(int({row_dimension(factor)}))"
    if factor.endswith(INVERSE):
        return f"{base(factor)}_inverse"
    return f"{base(factor)}.T" if factor.endswith(TRANSPOSED) else factor


def _trace(word: Word) -> str:
    found = element(word)
    if found is None:
        return f"numpy.trace({_product(word)})"
    inner, row, column = found
    return f"({_product(inner)})[{row - 1}, {column - 1}]"


def _product(word: Word) -> str:
    return " @ ".join(map(_factor, word))


def _python(result: Result) -> str:
    found = [Parts(part) for part in result.parts or (result,)]
    lines = [
        *(["import math", ""] if any(parts.powers or parts.log for parts in found) else []),
        "import numpy",
        "",
        "",
        *([inspect.getsource(digamma), ""] if any(parts.log for parts in found) else []),
        *([inspect.getsource(log_gamma_ratio), ""] if any(parts.powers for parts in found) else []),
    ]
    if not result.parts:
        return "\n".join([*lines, *_function(found[0], NAME, _said(result))]) + "\n"
    names = [f"{NAME}_{k}" for k in range(1, len(found) + 1)]
    for name, parts in zip(names, found, strict=True):
        lines += [*_function(parts, name, f"A part of `{NAME}`."), "", ""]
    calls = [f"{name}({', '.join(parts.parameters)})" for name, parts in zip(names, found, strict=True)]
    lines += [
        f"def {NAME}({', '.join(all_parameters(found))}):",
        f'    """{_said(result)}"""',
        f"    return {' + '.join(calls)}",
    ]
    return "\n".join(lines) + "\n"


def _function(parts: Parts, called: str, said: str) -> list[str]:
    """Lines of Python for one function."""
    lines = [f"def {called}({', '.join(parts.parameters)}):", f'    """{said}"""']
    # of a matrix there is one, of a scalar as many as there are sizes
    single = parts.letters or parts.is_matrix or parts.powers or parts.log
    reading = "float({0})" if single else "numpy.asarray({0}, dtype=float)[()]"
    lines += [f"    {name} = {reading.format(name)}" for name in parts.dimensions]
    for name in parts.letters:
        column = ".reshape(-1, 1)" if parts.shape(name)[1] == "1" else ""
        lines.append(f"    {name} = numpy.asarray({name}, dtype=float){column}")
    if parts.needs_columns:
        letter = parts.column_letter
        counted = (
            f"{letter[0]}.shape[{letter[1]}]"
            if letter is not None
            else "int(p)"
            if parts.is_matrix
            else reading.format("p")
        )
        lines.append(f"    p = {counted}")
    lines += _before(parts)
    words = [*parts.traces, *filter(None, parts.scalars)]
    inverted = {base(factor) for word in words for factor in word if factor.endswith(INVERSE)}
    lines += [f"    {name}_inverse = numpy.linalg.inv({name})" for name in sorted(inverted)]
    lines += [f"    {symbol} = {_trace(word)}" for word, symbol in parts.traces.items()]
    terms = []
    for word, scalar in parts.scalars.items():
        shown = python_expression(scalar)
        terms.append(
            shown if word is None else f"({shown}) * {f'({_product(word)})' if word else 'numpy.eye(p)'}"
        )
    whole = terms[0] if len(terms) == 1 else "(\n        " + "\n        + ".join(terms) + "\n    )"
    before = "before * " if parts.powers else ""
    whole = f"({whole})" if before and len(terms) == 1 else whole
    return [*lines, f"    return {before}{whole}"]


def _sizes(parts: Parts, name: str) -> tuple[str, str]:
    """The rows of a matrix, and p, as they are written."""
    rows, size = (
        str(float(parts.known[x])) if x in parts.known else x for x in (row_dimension(name), COLUMNS)
    )
    return rows, size


def _before(parts: Parts) -> list[str]:
    """Lines of Python for the mean of the powers of determinants before an answer, and of a logarithm in it."""
    lines = ["    before = 1.0"] * bool(parts.powers)
    if parts.log:
        rows, size = _sizes(parts, parts.log)
        half = f"({rows} - i) / {parts.step}" + (f" + ({parts.log_shift})" if parts.log_shift else "")
        lines.append(
            f"    {LOG} = sum(digamma({half}) for i in range(int({size}))) + {size} * math.log({parts.step})"
        )
        lines += [f"    {LOG} += numpy.linalg.slogdet({name})[1]" for name in parts.log_sigma]
    for name, power, sigma in parts.powers:
        rows, size = _sizes(parts, name)
        half, k = f"({rows} - i) / {parts.step}", repr(float(power))
        logs = f"sum(log_gamma_ratio({half}, {k}) for i in range(int({size})))"
        lines.append(f"    before *= math.exp({logs} + ({k}) * {size} * math.log({parts.step}.0))")
        lines += [f"    before *= numpy.linalg.det({sigma[0]}) ** ({k})"] if sigma else []
    return lines


def _python_kronecker(result: Result) -> str:
    words = [w for term in result.kronecker for w in (term.left, term.right, *term_traces(term))]
    letters = sorted({base(f) for word in words for f in word if not indices_of(f)})
    scalars = [factored_to_sympy(value) for term in result.kronecker for value in term.scalar.terms.values()]
    names = sorted({str(x) for scalar in scalars for x in scalar.free_symbols} - {COLUMNS})
    lines = [
        "import numpy",
        "",
        "",
        f"def {NAME}({', '.join([*names, COLUMNS, *letters])}):",
        f'    """{_said(result)}"""',
    ]
    lines += [f"    {name} = float({name})" for name in names]
    for name in letters:
        column = ".reshape(-1, 1)" if result.setting.shape(name)[1] == "1" else ""
        lines.append(f"    {name} = numpy.asarray({name}, dtype=float){column}")
    inverted = {base(f) for word in words for f in word if f.endswith(INVERSE)}
    lines += [f"    {name}_inverse = numpy.linalg.inv({name})" for name in sorted(inverted)]
    lines += ["    K = numpy.eye(p * p).reshape(p, p, p, p).transpose(0, 1, 3, 2).reshape(p * p, p * p)"]
    terms = []
    for term, scalar in zip(result.kronecker, scalars, strict=True):
        left, right = (f"({_product(word)})" if word else "numpy.eye(p)" for word in (term.left, term.right))
        shown = f"numpy.kron({left}, {right})" + (" @ K" if term.form == TURNED else "")
        if term.form == OUTER:
            shown = f"numpy.outer({left}.ravel(), {right}.T.ravel())"
        terms.append(
            " * ".join([f"({python_expression(scalar)})", *map(_trace, term_traces(term)), f"({shown})"])
        )
    return "\n".join([*lines, "    return (", "        " + "\n        + ".join(terms), "    )"]) + "\n"


def term_traces(term: Term) -> tuple[Word, ...]:
    """The traces that stand before a Kronecker product."""
    ((key, _),) = term.scalar.terms.items()
    return key.traces


def _c(result: Result) -> str:
    if result.parts:
        raise BadInput(
            "the answer is a sum with different determinants before its terms, which has no form in C: ask for the terms one by "
            "one, or for --as python"
        )
    parts = Parts(result)
    if {*parts.scalars} - {None, ()}:
        raise BadInput(
            "the answer is a matrix, which has no form in C: ask for tr(...) of it, or for --as python"
        )
    (scalar,) = parts.scalars.values()
    shows_columns = sympy.Symbol(COLUMNS) in scalar.free_symbols or (
        (parts.powers or parts.log) and COLUMNS not in parts.known
    )
    scales = [
        f"det_{sigma[0]}" for sigma in (*(sigma for _, _, sigma in parts.powers), parts.log_sigma) if sigma
    ]
    names = [*parts.dimensions, *([COLUMNS] if shows_columns else []), *dict.fromkeys(scales)]
    inner = [str(LOG)] * bool(parts.log)
    said = [f"// {_said(result)}"]
    said += ["// The factor of the identity matrix."] if parts.is_matrix else []
    said += [f"// {symbol} = {trace_text(word)}" for word, symbol in parts.traces.items()]
    text = source(scalar, "c", name=NAME, parameters=[*names, *map(str, parts.traces.values()), *inner])
    if not parts.powers and not parts.log:
        return "\n".join([*said, text])
    opening, _, body = text.partition("{\n")
    if parts.log:  # found inside
        opening = re.sub(rf"(, )?double {LOG}\)", ")", opening).replace("()", "(void)")
    if parts.powers:
        body = re.sub(r"return (.*);", r"return before * (\1);", body)
    return "\n".join(["#include <math.h>", *said, opening + "{", *_before_in_c(parts), body])


def _before_in_c(parts: Parts) -> list[str]:
    lines = ["    double before = 1.0;"] * bool(parts.powers)
    if parts.log:
        rows, size = _sizes(parts, parts.log)
        lines += [
            f"    double {LOG} = {size}*log({parts.step}.0);",
            f"    for (int i = 0; i < {size}; i++) {{",
            f"        double x = ({rows} - i)/{parts.step}.0{f' + ({parts.log_shift})' if parts.log_shift else ''};",
            f"        for (; x < 16.0; x += 1.0) {LOG} -= 1.0/x;",
            "        const double y = 1.0/(x*x);",
            f"        {LOG} += log(x) - 0.5/x",
            "            - y*(1.0/12.0 - y*(1.0/120.0 - y*(1.0/252.0 - y*(1.0/240.0 - y/132.0))));",
            "    }",
        ]
        lines += [f"    {LOG} += log(det_{name});" for name in parts.log_sigma]
    for name, power, sigma in parts.powers:
        rows, size = _sizes(parts, name)
        half, k = f"({rows} - i)/{parts.step}.0", repr(float(power))
        lines += [
            f"    for (int i = 0; i < {size}; i++) {{",
            f"        double x = {half}, down = 0.0;",
            f"        const double k = {k};",
            "        for (; x < 16.0 || x + k < 16.0; x += 1.0) down += log((x + k)/x);",
            "        const double y = 1.0/x, z = 1.0/(x + k);",
            f"        before *= exp((x - 0.5)*log1p(k*y) + k*log({parts.step}.0*(x + k)) - k - down",
            "            + z*(1.0/12.0 - z*z*(1.0/360.0 - z*z*(1.0/1260.0 - z*z/1680.0)))",
            "            - y*(1.0/12.0 - y*y*(1.0/360.0 - y*y*(1.0/1260.0 - y*y/1680.0))));",
            "    }",
        ]
        lines += [f"    before *= pow(det_{sigma[0]}, {k});"] if sigma else []
    return lines
