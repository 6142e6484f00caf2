"""A name means one step, found without loading the others; the contents list what the modules state."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from derivations.steps import contents
from derivations.steps.contents import CONTENTS, OF_EQUATION, UnknownStep, find, load, slug_of, stated


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        *(
            (name, "theorem-1")
            for name in (5, "5", "(5)", "eq5", "Eq5", "Eq. 5", "eq. (5)", "Equation 5", "EQ-5")
        ),
        *((name, "theorem-1") for name in ("theorem-1", "Theorem 1", " theorem  1 ", "THEOREM_1")),
        ("eq9", "theorem-2"),
        ("14", "theorem-3"),
        ("10", "slope-at-zero-underparameterized"),
        ("8", "stationary-rates"),
        ("82", "inner-factor"),
        ("Figure 2", "figure-2"),
        (35, "wishart-fourth-moment"),
    ],
)
def test_each_way_to_say_a_name(name: str | int, slug: str) -> None:
    assert slug_of(name) == slug
    assert find(name).name == slug


@pytest.mark.parametrize("name", ["", "eq", "5x", "(", "eq 999", "theorem", "-5", "figure 92", "५", 0, -5])
def test_what_no_step_has_is_refused(name: str | int) -> None:
    with pytest.raises(UnknownStep, match=r"`derive list` shows every name"):
        slug_of(name)


def test_every_equation_of_a_step_leads_to_one_that_states_it() -> None:
    steps = load()
    assert {number for step in steps.values() for number in step.equations} == set(OF_EQUATION)
    assert all(number in steps[slug].equations for number, slug in OF_EQUATION.items())


def test_contents_that_differ_from_a_module_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "derivations.paper.lemma3"
    monkeypatch.setitem(CONTENTS, module, {**CONTENTS[module], "columns-concentrate": "54"})
    stated.cache_clear()
    with pytest.raises(ValueError, match="lemma3 and the contents differ: columns-concentrate"):
        stated(module)
    monkeypatch.undo()
    stated.cache_clear()
    assert contents.named("columns-concentrate").equations != ("54",)


def test_a_number_loads_the_module_of_its_step_alone() -> None:
    code = "import sys; from derivations.steps.contents import CONTENTS, find; find(31); print(*(set(CONTENTS) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["derivations.paper.lemma1"]


def test_every_step_has_a_statement_of_its_own() -> None:
    said = Counter(step.statement for step in contents.load().values())
    assert [statement for statement, times in said.items() if times > 1] == []
