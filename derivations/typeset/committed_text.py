"""All formulas in canonical text: one file of formulas, and one of differences from the paper's assumptions."""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.bounds import OUT_OF_REACH
from derivations.steps.contents import load
from derivations.steps.step import Step
from derivations.support import store
from derivations.support.bad_input import BadInput
from derivations.support.files import require_writable, whole
from derivations.support.sources import ROOT
from derivations.typeset.canonical_text import canonical_text
from derivations.verification.verify import keys_of, relevant

COMMITTED = ROOT / "book" / "formulas"
Formulas = dict[str, str]
# hears the name of a step that is done, how many are, and how many there are
Report = Callable[[str, int, int], None]
WIDTH = 100
LONGEST_STEM = 80
_SIGN, _HELD = re.compile(r"([+-]) "), "\x00"


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


def formulas(assumptions: Assumptions, report: Report | None = None) -> Formulas:
    """The canonical text of every step that derives something, by slug; each is remembered as soon as it is there."""
    found = {}
    deriving = {name: step for name, step in load().items() if step.derive is not None}
    for done, (name, step) in enumerate(deriving.items(), start=1):
        modules = [*keys_of(name, assumptions)["proof"].modules, __name__]
        key = store.key("formula", modules, step=name, assumptions=relevant(step, assumptions))
        held = store.load(key)
        if held is None:
            held = {"text": formula_text(step, assumptions)}
            store.save(key, held)
        found[name] = str(held["text"])
        if report is not None:
            report(name, done, len(deriving))
    return found


def _heading(name: str) -> str:
    numbers = ", ".join(load()[name].equations)
    return f"## {name}" + (f"  ({numbers})" if numbers else "")


def document(assumptions: Assumptions, found: Formulas) -> str:
    """The file of formulas."""
    head = f"# Derived formulas, assumptions: {assumptions.label()}\n"
    return head + "".join(f"\n{_heading(name)}\n{text}\n" for name, text in found.items())


def differences(assumptions: Assumptions, before: Formulas, after: Formulas) -> str:
    """What changes against the paper's assumptions, step by step, in words and formulas, in lines of readable length."""
    lines = [f"# What changes from the paper to: {assumptions.label()}\n"]
    same = [name for name in after if after[name] == before[name]]
    for name, text in after.items():
        if text == before[name]:
            continue
        lines.append(f"\n{_heading(name)}\n")
        if text.startswith(("does not apply", "not derivable")):
            lines.append(f"{text}\n")
        else:
            lines.append(f"paper:\n{wrapped(before[name])}\nnow:\n{wrapped(text)}\n")
    lines.append(f"\n## unchanged ({len(same)})\n" + "".join(f"{name}\n" for name in same))
    return "".join(lines)


def wrapped(text: str) -> str:
    """Long lines of canonical text broken between terms, each term with its sign; the characters stay the same."""
    lines = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        joined = _SIGN.sub(rf"\1{_HELD}", line)
        pieces = textwrap.wrap(
            joined, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        lines += [piece.replace(_HELD, " ") for piece in pieces] or [""]
    return "\n".join(lines)


def stem(assumptions: Assumptions) -> str:
    """The name of the files: the changed assumptions as they are written, or a hash where that is long."""
    label = "+".join(f"{name}={value}" for name, value in assumptions.changed().items())
    readable = re.sub(r"[^A-Za-z0-9_.=+-]", "-", label)
    if len(readable) > LONGEST_STEM:
        return "variant-" + hashlib.sha256(label.encode()).hexdigest()[:10]
    return readable or "paper"


def _files(out: Path, assumptions: Assumptions, report: Report | None) -> dict[Path, str]:
    after = formulas(assumptions, report)
    found = {out / f"{stem(assumptions)}.txt": document(assumptions, after)}
    if assumptions != PAPER:
        found[out / f"{stem(assumptions)}-differences.txt"] = differences(
            assumptions, formulas(PAPER, report), after
        )
    return found


def write(out: Path | None, assumptions: Assumptions, report: Report | None = None) -> list[Path]:
    """Write the files (default: the committed place, for the paper; a named folder otherwise); returns them."""
    if out is None and assumptions != PAPER:
        raise BadInput("changed assumptions need a folder to write to; add --out DIR")
    folder = COMMITTED if out is None else out
    require_writable(folder)
    files = _files(folder, assumptions, report)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        with whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return list(files)


def check(out: Path | None, assumptions: Assumptions, report: Report | None = None) -> list[str]:
    """The names of files that are missing or differ from what would be written now."""
    stale = []
    for path, text in _files(COMMITTED if out is None else out, assumptions, report).items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    return stale
