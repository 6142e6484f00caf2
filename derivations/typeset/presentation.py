"""One step as a document: its formula in a chosen language, what is claimed, and what it rests on."""

from __future__ import annotations

from typing import Any

import sympy

from derivations.formulas.by_name import derived_parts, source_code
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.symbols import LATEX_NAMES
from derivations.steps.step import Step
from derivations.verification.verify import describe


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


def _text(label: str, part: sympy.Basic, language: str) -> str:
    if language == "latex":
        return f"{label} = {sympy.latex(part, symbol_names=_latex_names(part))}"
    return str(part)


def _latex_names(part: sympy.Basic) -> dict[sympy.Basic, str]:
    symbols = {*part.free_symbols, *part.atoms(sympy.MatrixSymbol)}
    return {s: LATEX_NAMES[str(s.name)] for s in symbols if str(s.name) in LATEX_NAMES}


def present(step: Step, assumptions: Assumptions, language: str = "latex") -> dict[str, Any]:
    """The document of `derive show`: description, `formula` in the language, and each part by its label.

    As code, the derived formulas in their numerically stable form; raises NoFormula for what is no number.
    """
    if language in ("latex", "sympy"):
        parts = shown_parts(step, assumptions)
        texts = {label: _text(label, part, language) for label, part in parts.items()}
    else:
        texts = source_code(step.name, language, assumptions)
    formula = "\n".join(texts.values()) if texts else step.tex
    return {
        **describe(step),
        "assumptions": assumptions.label(),
        "language": language,
        "formula": formula,
        "parts": texts,
    }
