"""The source that `derive show --as` prints runs, and gives the formula's numbers, for every step that has one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import pytest
import sympy

from derivations.command.cli import main
from derivations.formulas.by_name import NoFormula, formulas, source_code
from derivations.language.assumptions import PAPER, Assumptions, NotDerivable
from derivations.steps.contents import find, load
from derivations.typeset.exported_names import in_words, part_names
from derivations.typeset.presentation import names_of_parts, present, shown_parts
from symbolic.algebra.quotients import NotRational
from symbolic.code.codegen import high_precision
from symbolic.code.program import NoSourceForm
from tests.conftest import find_program

SIZES = {"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60, "n": 7, "N": 6}
POINTS = (
    {**SIZES, "sigma": 1, "nu": 0.5, "alpha_t": 0.2, "alpha_r": 0.2},
    {**SIZES, "sigma": 2, "nu": 3, "alpha_t": -1, "alpha_r": 2},
    {
        **SIZES,
        "n_t": 10**7,
        "n_r": 10**6,
        "p": 10**9,
        "sigma": 1e-6,
        "nu": 1e5,
        "alpha_t": 1e4,
        "alpha_r": 1e-9,
    },
)
CLOSE = 1e-12
LARGE_LITERAL = Assumptions(inputs="kurtosis:3.14159265358979323846")


PARTS = """
import json
from derivations.language.assumptions import PAPER as _PAPER
from derivations.language.normal_form import normal_form as _normal_form
from derivations.steps.contents import find as _find
from derivations.typeset.presentation import shown_parts as _shown

def _equal(name, parts):
    given = tuple(_shown(_find(name), _PAPER).values())
    return len(given) == len(parts) and all(
        a == b or _normal_form(a).minus(_normal_form(b)).is_zero() for a, b in zip(given, parts)
    )

found = []
"""


def exports(language: str) -> Iterator[tuple[str, str, str, sympy.Expr]]:
    """Of every step that is a number: name, key, source and formula; also with a literal beyond 64 bits."""
    for name, assumptions in [*((name, PAPER) for name in load()), ("eq5", LARGE_LITERAL)]:
        try:
            texts, exprs = source_code(name, language, assumptions), formulas(name, assumptions)
        except (NoFormula, NotDerivable, NoSourceForm, NotRational):
            continue
        for key, text in texts.items():
            traces = {trace: sympy.Symbol(trace_name(trace)) for trace in exprs[key].atoms(sympy.Trace)}
            yield name, key, text, exprs[key].xreplace(traces)


def trace_name(trace: sympy.Trace) -> str:
    """What the trace of a product of matrices is called as a parameter: tr_Sigma_F."""
    factors = trace.arg.args if isinstance(trace.arg, sympy.MatMul) else (trace.arg,)
    return "_".join(["tr", *(re.sub(r"\W+", "_", str(factor)).strip("_") for factor in factors)])


def given(point: Mapping[str, float], name: str) -> float:
    """The value of a parameter: that of the point, or one of its own, so that no two can be taken for each other."""
    return point[name] if name in point else 0.5 + crc32(name.encode()) % 97 / 97


@lru_cache(maxsize=1024)
def exact(expr: sympy.Expr, k: int) -> float:
    """The value at a point, to 50 digits before it is rounded."""
    values = {str(s.name): Fraction(given(POINTS[k], str(s.name))) for s in expr.free_symbols}
    return float(high_precision(expr, values))


def calls(language: str) -> tuple[list[str], list[tuple[str, list[list[float]], float]]]:
    """The sources, each function called as `f0`, `f1` ..., and per call its label and arguments and true value."""
    sources, wanted = [], []
    for i, (name, key, text, expr) in enumerate(exports(language)):
        head = next(line for line in text.splitlines() if "(" in line and line.endswith((":", "{")))
        called = head.split("(")[0].split()[-1]
        arguments = [
            word.strip().removeprefix("double ") for word in head.split("(")[1].split(")")[0].split(",")
        ]
        arguments = [] if arguments in ([""], ["void"]) else arguments
        sources.append(text.replace(f" {called}(", f" f{i}(", 1))
        for k, point in enumerate(POINTS):
            try:
                value = exact(expr, k)
            except ZeroDivisionError:
                continue
            wanted.append((f"{name} {key} {k}", [[i], [given(point, a) for a in arguments]], value))
    assert len(sources) >= 119  # an export that is lost is noticed
    return sources, wanted


def run(command: list[str]) -> list[float]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [float(line) for line in done.stdout.split()]


def compare(got: list[float], wanted: list[tuple[str, list[list[float]], float]]) -> None:
    assert len(got) == len(wanted)
    wrong = [
        f"{label}: {value!r} for {true!r}"
        for value, (label, _, true) in zip(got, wanted, strict=True)
        if not abs(value - true) <= CLOSE * abs(true)
    ]
    assert not wrong, "\n".join(wrong)


def call(arguments: list[list[float]]) -> str:
    return f"f{arguments[0][0]}({', '.join(map(repr, arguments[1]))})"


def declaration(source: str) -> str:
    """The first line of a C function, without its brace."""
    return (
        next(line for line in source.splitlines() if re.match(r"double f\d+\(", line))
        .removesuffix("{")
        .strip()
    )


@pytest.mark.compiler
def test_every_export_to_c(tmp_path: Path) -> None:
    sources, wanted = calls("c")
    # each in a file of its own, as a user has it
    files = [tmp_path / f"f{i}.c" for i in range(len(sources))]
    for path, source in zip(files, sources, strict=True):
        path.write_text(source, encoding="utf-8")
    declared = [f"{declaration(source)};" for source in sources]
    body = [f'    printf("%.17g\\n", {call(arguments)});' for _, arguments, _ in wanted]
    program = ["#include <stdio.h>", *declared, "int main(void) {", *body, "    return 0;", "}"]
    (tmp_path / "all.c").write_text("\n".join(program), encoding="utf-8")
    compiler = find_program("compiler")
    assert compiler
    built = str(tmp_path / "all")
    run(
        [
            compiler,
            "-std=c99",
            "-pedantic-errors",
            "-Werror",
            str(tmp_path / "all.c"),
            *map(str, files),
            "-o",
            built,
            "-lm",
        ]
    )
    compare(run([built]), wanted)


@pytest.mark.node
def test_every_export_to_javascript(tmp_path: Path) -> None:
    sources, wanted = calls("javascript")
    blocks = [f"const f{i} = (() => {{\n{source}\nreturn f{i};\n}})();" for i, source in enumerate(sources)]
    body = [f"console.log({call(arguments)});" for _, arguments, _ in wanted]
    (tmp_path / "all.js").write_text("\n".join([*blocks, *body]), encoding="utf-8")
    node = find_program("node")
    assert node
    compare(run([node, str(tmp_path / "all.js")]), wanted)


@pytest.mark.parametrize("shape", ["{}", "numpy.array([2 * {}, {}])"], ids=["number", "array"])
def test_every_export_to_python(tmp_path: Path, shape: str) -> None:
    sources, wanted = calls("python")
    body = ["import numpy"]
    for i, source in enumerate(sources):
        (tmp_path / f"step_{i}.py").write_text(source, encoding="utf-8")
        body.append(f"from step_{i} import f{i}")
    for _, (function, arguments), _ in wanted:
        given = ", ".join(shape.format(repr(x), repr(x)) for x in arguments)
        body.append(f"print(float(numpy.ravel(f{function[0]}({given}))[-1]))")
    (tmp_path / "all_steps.py").write_text("\n".join(body), encoding="utf-8")
    compare(run([sys.executable, "-W", "error", str(tmp_path / "all_steps.py")]), wanted)


def test_every_export_to_sympy_reads_back_equal(tmp_path: Path) -> None:
    script, wanted = [PARTS], []
    for name, step in load().items():
        if step.applies(PAPER) is not None or not (parts := shown_parts(step, PAPER)):
            continue
        names = [*names_of_parts(parts).values()]
        assert len(set(names)) == len(names), name
        script.append(present(step, PAPER, "sympy")["formula"])
        script.append(f"found.append(_equal({name!r}, ({', '.join(names)},)))")
        wanted.append(name)
    (tmp_path / "all_steps.py").write_text("\n".join([*script, "print(json.dumps(found))"]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "all_steps.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert len(found) == len(wanted) > 100
    assert [name for name, equal in zip(wanted, found, strict=True) if not equal] == []


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (r"\mathbb{E}\,W^2", "mean_W_squared"),
        (r"\mathbb{E}_{X^r}\mathbb{E}_{z^r}\theta^\star", "mean_theta_star"),
        (r"\partial_\sigma\bar L", "slope_mean_L"),
        # not to be taken for the trace of W^2
        (r"\mathbb{E}\,(\mathrm{Tr}\,W)^2", ""),
        (r"\omega^\star-w_0", ""),
        (r"\mathbb{E}\,W^{-1}\,\mathrm{Tr}\,AW^{-1}", ""),
    ],
)
def test_a_part_is_called_by_words_or_not_at_all(label: str, name: str) -> None:
    assert in_words(label) == name


def test_what_words_do_not_say_is_numbered_and_its_label_stands_beside_it() -> None:
    assert part_names([r"a-b", "h_t"]) == {r"a-b": "part_1", "h_t": "h_t"}
    assert part_names(["h_t"], reserved={"h_t"}) == {"h_t": "value"}
    source = present(find("loss-after-test-data"), PAPER, "sympy")["formula"]
    assert re.search(r"^# \\mathbb\{E\}_\{X\^s\}.*\nvalue = ", source, re.MULTILINE)


def test_a_statement_about_orders_is_shown_as_orders() -> None:
    shown = present(find("theorem-2-remainder"), PAPER)["formula"]
    assert shown.splitlines()[0] == r"\text{part of } \nu: \quad O\big(m^{-2}\xi^{-1}\big)"
    assert present(find("slope-at-zero-positive"), PAPER)["formula"].endswith("> 0")


def test_no_argument_of_a_function_is_explained_by_its_name() -> None:
    odd = []
    for name, step in load().items():
        try:
            source = present(step, PAPER, "python")["formula"]
        except (NoFormula, NotDerivable, NotRational):
            continue
        said = re.findall(r"^    (\w+): (.*)$", source, re.MULTILINE)
        odd += [
            (name, word) for word, meaning in said if meaning in (word, "a number that the statement names")
        ]
    assert odd == []


def test_exported_python_takes_integer_arrays() -> None:
    script = source_code("eq9", "python")["value"] + "p = numpy.array([30, 300, 30000])\n"
    script += "print(*eq9(100, 20, 10, 40, p, 0.2, 0.2, 0.1, 0.1))"
    assert run([sys.executable, "-W", "error", "-c", script])[-1] == pytest.approx(54.130698, rel=1e-7)


@pytest.mark.parametrize("name", ["eq43", "figure-1"])
def test_show_says_what_a_formula_is_and_as_prints_the_source_alone(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statement = find(name).statement
    assert main(["show", name]) == 0
    assert statement in capsys.readouterr().out
    assert main(["show", name, "--as", "latex"]) == (0 if name == "eq43" else 2)
    found = capsys.readouterr()
    assert statement not in found.out
    assert ("is no formula" in found.err) == (name == "figure-1")


def test_show_gives_whole_equations_parameters_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "43"]) == 0
    shown = capsys.readouterr().out
    assert r"X^vX^{vT} = p\,I + O\big(\xi^{1/2}\big)" in shown
    assert re.search(r"  p  integer, 1 or more  +parameters of the linear model", shown)
    assert "proof: " in shown
    assert main(["show", "eq5", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {*document["parameters"]} == {
        "n_t",
        "n_v",
        "n_r",
        "m",
        "p",
        "sigma",
        "nu",
        "alpha_t",
        "alpha_r",
        "dist0_sq",
    }


def test_comparison_rejects_a_wrong_number() -> None:
    with pytest.raises(AssertionError, match=r"eq5: 2\.0 for 1\.0"):
        compare([2.0], [("eq5", [[0], []], 1.0)])
