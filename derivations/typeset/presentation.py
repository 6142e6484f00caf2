"""One step as a document: its formula in a chosen language, what is claimed, and what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from keyword import iskeyword
from typing import Any

import sympy

from derivations.formulas.by_name import NoFormula, derived_parts, formulas, source_code
from derivations.formulas.parameters import range_of
from derivations.formulas.values import holds_for
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.meanings import DEFAULTS, PARAMETERS
from derivations.steps import contents
from derivations.steps.labels import Sign
from derivations.steps.step import Step
from derivations.typeset import statements
from derivations.typeset.exported_names import letters_in, meaning, part_names, trace_parameter
from derivations.typeset.named_forms import named_form
from derivations.typeset.term_order import plain_printer
from derivations.verification.verify import describe
from symbolic.algebra.quotients import NotRational


def shown_parts(step: Step, assumptions: Assumptions) -> dict[str, sympy.Basic]:
    """The formulas that stand: the claim (or its correction) under the paper's assumptions, else the derived.

    Raises NotDerivable with the reason where the step does not apply.
    """
    reason = step.applies(assumptions)
    if reason is not None:
        raise NotDerivable(reason)
    changed = bool(assumptions.changes(step.depends_on))
    if not changed and step.correction is not None:
        return dict(step.correction())
    if not changed and step.claim is not None:
        return dict(step.claim())
    if step.derive is None:
        return {}
    return dict(derived_parts(step.name, assumptions))


def whole_lines(step: Step, assumptions: Assumptions) -> list[str]:
    """The formulas that stand as whole equations in LaTeX: an order has its left side, and both it and a formula to
    leading order their O-term. What is disproved stands below what is proved, and what is a reading is called one."""
    disproved = step.correction is not None or step.right_order is not None
    if not assumptions.changes(step.depends_on) and (step.unreadable or disproved):
        return [line for word, shown in statements.forms(step) for line in (f"{word}:", *shown)]
    named = named_form(step, assumptions) if assumptions.changes(step.depends_on) else {}
    parts = named or shown_parts(step, assumptions)
    claimed = step.claim is not None and parts == dict(step.claim())
    return statements.printed(step) if claimed else statements.lines(step, parts)


def said_of_print(step: Step, assumptions: Assumptions) -> list[str]:
    """The remark of a step and, under the paper's assumptions, what is known of a condition that its print lacks."""
    found = [step.remark] if step.remark else []
    if step.condition and not assumptions.changes(step.depends_on):
        condition = contents.named(step.condition).statement.rstrip(".")
        found.append(
            f"the print lacks a condition. Sufficient ({step.condition}): {condition}. "
            f"False without one ({step.counterexample}). Printed:"
        )
    return found


def _text(label: str, name: str, part: sympy.Basic, language: str) -> str:
    if language == "latex":
        return f"{label} = {statements.formula(part)}"
    # a name that is a number says nothing: the label does
    said = f"# {label}\n" if re.fullmatch(r"value|part_\d+", name) else ""
    return f"{said}{name} = {read_back(part)}"


def names_of_parts(parts: Mapping[str, sympy.Basic]) -> dict[str, str]:
    """The name to which each part is assigned in SymPy source, none of a symbol that the formulas have."""
    symbols = (part.atoms(sympy.Symbol, sympy.MatrixSymbol) for part in parts.values())
    return part_names(parts, {_identifier(symbol) for found in symbols for symbol in found})


def declared(parts: Iterable[sympy.Basic]) -> list[str]:
    """Lines of source: the import and the declarations of all symbols, with their assumptions."""
    found = sorted({s for part in parts for s in part.atoms(sympy.Symbol)}, key=str)
    matrices = sorted({s for part in parts for s in part.atoms(sympy.MatrixSymbol)}, key=str)
    lines = ["from sympy import *", ""]
    for s in found:
        given = "".join(f", {k}={v}" for k, v in sorted(s._assumptions_orig.items()) if k != "commutative")
        lines.append(f"{_identifier(s)} = Symbol({s.name!r}{given})")
    lines += [
        f"{_identifier(s)} = MatrixSymbol({s.name!r}, {read_back(s.rows)}, {read_back(s.cols)})"
        for s in matrices
    ]
    return [*lines, ""]


def _identifier(symbol: sympy.Symbol | sympy.MatrixSymbol) -> str:
    name = re.sub(r"\W+", "_", str(symbol.name))
    return f"{name}_" if iskeyword(name) else name


def read_back(part: sympy.Basic) -> str:
    """SymPy's text of an expression, without what it would read back as something else."""
    printer = plain_printer()
    show = printer._print
    printer._print_Symbol = printer._print_MatrixSymbol = _identifier
    printer._print_Identity = lambda matrix: f"Identity({show(matrix.rows)})"
    printer._print_ZeroMatrix = lambda matrix: f"ZeroMatrix({show(matrix.rows)}, {show(matrix.cols)})"
    printer._print_Rational = lambda number: f"Rational({number.p}, {number.q})"
    return str(printer.doprint(part))


def documented(source: str, step: Step, traced: Mapping[str, str]) -> str:
    """The source of a Python function with a docstring: the statement, where it holds, and what its parameters mean.

    traced: the product of matrices that each parameter is the trace of.
    """
    numbers = ", ".join(f"({number})" for number in step.equations)
    opening = re.search(r"^def \w+\(([^)]*)\):\n", source, re.MULTILINE)
    if opening is None:
        raise ValueError(f"no function in the source of {step.name}")
    lines = [f"{step.statement.rstrip('.')}{f', {numbers}' if numbers else ''}."]
    # a statement may say it, and more sharply
    lines += [f"Holds for {where}." for where in [holds_for(step)] if where and where not in step.statement]
    lines.append("")
    for name in opening[1].split(", "):
        lines.append(f"{name}: {meaning(name, traced, step.average, step.name)}")
    letters = letters_in({name: traced[name] for name in opening[1].split(", ") if name in traced})
    lines += ["", "In the traces:", *letters] if letters else []
    body = "\n".join(f"    {line}".rstrip() for line in lines).replace("\\", "\\\\").strip()
    return f'{source[: opening.end()]}    """{body}\n    """\n{source[opening.end() :]}'


def present(step: Step, assumptions: Assumptions, language: str = "latex") -> dict[str, Any]:
    """The document of `derive show`: description, `formula` in the language, each part by its label, what the
    parameters mean with their defaults and ranges (for LaTeX and SymPy), and the regime it `holds_for`.

    As code, the derived formulas in their numerically stable form; raises NoFormula for what is no number.
    """
    if language in ("latex", "sympy"):
        parts = shown_parts(step, assumptions)
        if language == "latex" and assumptions.changes(step.depends_on):
            parts = named_form(step, assumptions) or parts
        names = names_of_parts(parts)
        texts = {label: _text(label, names[label], part, language) for label, part in parts.items()}
    else:
        parts = {}
        try:
            texts = source_code(step.name, language, assumptions)
        except (NoFormula, NotRational):
            if not shown_parts(step, assumptions):
                raise
            raise NoFormula(
                f"{step.name} is no number and has no source in {language}: use --as sympy"
            ) from None
    if language == "python":
        traced = _traced(step.name, assumptions)
        texts = {label: documented(text, step, traced) for label, text in texts.items()}
    used = _names(parts.values()) | {*(step.average.needs if step.average else ())}
    lines = declared(parts.values()) if language == "sympy" and texts else []
    formula = "\n".join([*lines, *texts.values()]) if texts else step.tex
    stated = statements.is_order(parts) or all(isinstance(label, Sign) for label in parts)
    if language == "latex" and parts and stated:
        # exponents and signs are what an order or an inequality is kept as
        formula = "\n".join(statements.lines(step, parts))
    return {
        **describe(step),
        "assumptions": assumptions.label(),
        "language": language,
        "formula": formula,
        "parts": texts,
        "parameters": {
            name: {"meaning": said, "default": DEFAULTS.get(name), "range": str(range_of(name))}
            for name, said in PARAMETERS.items()
            if name in used
        },
        "holds_for": holds_for(step),
    }


def _traced(name: str, assumptions: Assumptions) -> dict[str, str]:
    """The products of which the parameters of a step's functions are traces, by name, as NumPy writes them."""
    found = {}
    for trace in {one for expr in formulas(name, assumptions).values() for one in expr.atoms(sympy.Trace)}:
        factors = trace.arg.args if isinstance(trace.arg, sympy.MatMul) else (trace.arg,)
        found[trace_parameter(map(str, factors))] = " @ ".join(map(read_back, factors))
    return found


def _names(parts: Iterable[sympy.Basic]) -> set[str]:
    """The names of the symbols and matrices of these formulas, sizes of matrices included."""
    found = {part for formula in parts for part in formula.atoms(sympy.Symbol, sympy.MatrixSymbol)}
    return {str(part.name) for part in found}
