"""All formulas in canonical text: one file of formulas, and one of differences from the paper's assumptions."""

from __future__ import annotations

import hashlib
from pathlib import Path

from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.bounds import OUT_OF_REACH
from derivations.steps.contents import load
from derivations.steps.step import Step
from derivations.support.bad_input import BadInput
from derivations.support.files import require_writable, whole
from derivations.support.sources import ROOT
from derivations.typeset.canonical_text import canonical_text

COMMITTED = ROOT / "book" / "formulas"
Formulas = dict[str, str]


def formula_text(step: Step, assumptions: Assumptions) -> str | None:
    """The derived parts of a step as text; the reason where it does not apply; None when it derives nothing."""
    if step.derive is None:
        return None
    reason = step.applies(assumptions)
    if reason is not None:
        return f"does not apply: {reason}"
    try:
        parts = step.derive(assumptions)
    except OUT_OF_REACH as error:
        return f"not derivable: {' '.join(str(error).split())[:300]}"
    return "\n".join(
        f"{label}\n  = " + canonical_text(part).replace("\n", "\n  + ") for label, part in parts.items()
    )


def formulas(assumptions: Assumptions) -> Formulas:
    """The canonical text of every step that derives something, by slug."""
    found = {}
    for name, step in load().items():
        text = formula_text(step, assumptions)
        if text is not None:
            found[name] = text
    return found


def _heading(name: str) -> str:
    numbers = ", ".join(load()[name].equations)
    return f"## {name}" + (f"  ({numbers})" if numbers else "")


def document(assumptions: Assumptions) -> str:
    """The file of formulas."""
    head = f"# Derived formulas, assumptions: {assumptions.label()}\n"
    return head + "".join(f"\n{_heading(name)}\n{text}\n" for name, text in formulas(assumptions).items())


def differences(assumptions: Assumptions) -> str:
    """What changes against the paper's assumptions, step by step, in words and formulas."""
    before, after = formulas(PAPER), formulas(assumptions)
    lines = [f"# What changes from the paper to: {assumptions.label()}\n"]
    same = [name for name in after if after[name] == before[name]]
    for name, text in after.items():
        if text == before[name]:
            continue
        lines.append(f"\n{_heading(name)}\n")
        if text.startswith(("does not apply", "not derivable")):
            lines.append(f"{text}\n")
        else:
            lines.append(f"paper:\n{before[name]}\nnow:\n{text}\n")
    lines.append(f"\n## unchanged ({len(same)})\n" + "".join(f"{name}\n" for name in same))
    return "".join(lines)


def _stem(assumptions: Assumptions) -> str:
    if assumptions == PAPER:
        return "paper"
    return "variant-" + hashlib.sha256(assumptions.label().encode()).hexdigest()[:10]


def _files(out: Path, assumptions: Assumptions) -> dict[Path, str]:
    found = {out / f"{_stem(assumptions)}.txt": document(assumptions)}
    if assumptions != PAPER:
        found[out / f"{_stem(assumptions)}-differences.txt"] = differences(assumptions)
    return found


def write(out: Path | None, assumptions: Assumptions) -> list[Path]:
    """Write the files (default: the committed place, for the paper; a named folder otherwise); returns them."""
    if out is None and assumptions != PAPER:
        raise BadInput("changed assumptions need a folder to write to; add --out DIR")
    folder = COMMITTED if out is None else out
    require_writable(folder)
    files = _files(folder, assumptions)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        with whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return list(files)


def check(out: Path | None, assumptions: Assumptions) -> list[str]:
    """The names of files that are missing or differ from what would be written now."""
    stale = []
    for path, text in _files(COMMITTED if out is None else out, assumptions).items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    return stale
