"""What a card hands out: sources that can be run, the lines that state the step, commands, and its record."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from derivations.book_pages.reader import use
from derivations.command import cli
from derivations.language.assumptions import PAPER, read
from derivations.publishing import step_files
from derivations.steps.contents import find, load
from derivations.support.sources import ROOT
from derivations.verification.verify import describe, keys_of

RECORD = describe(find("eq5")) | {"proof": "proved", "numeric": "agree", "checks": [], "seconds": 1.0}


def test_every_step_is_stated_on_the_lines_that_are_named() -> None:
    wrong = []
    for name in load():
        path, first, last = step_files.place(name)
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        whole = (first, last) == (1, len(lines))
        if not whole and f'"{name}"' not in "\n".join(lines[first - 1 : last]):
            wrong.append((name, path, first, last))
    assert wrong == []
    assert step_files.place("theorem-1")[2] > step_files.place("theorem-1")[1] > 1


def test_a_repository_that_the_citation_names_is_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "href" not in step_files.where("theorem-1")
    monkeypatch.setattr(step_files, "citation", lambda: {"repository-code": "https://example.org/code/"})
    path, first, last = step_files.place("theorem-1")
    assert f'href="https://example.org/code/blob/HEAD/{path}#L{first}-L{last}"' in step_files.where(
        "theorem-1"
    )


def test_a_formula_is_handed_out_in_every_language_and_its_python_says_what_it_is() -> None:
    texts = use.sources(find("eq5"), PAPER)
    assert [*texts] == [*use.LANGUAGES]
    (function,) = (node for node in ast.parse(texts["python"]).body if isinstance(node, ast.FunctionDef))
    said = ast.get_docstring(function) or ""
    assert find("eq5").statement.rstrip(".") in said
    assert [line.partition(":")[0] for line in said.splitlines()[3:]] == [a.arg for a in function.args.args]


def test_what_is_no_number_has_no_code_and_a_definition_at_most_its_print() -> None:
    assert [*use.sources(find("wishart-mean"), PAPER)] == ["latex", "sympy"]
    assert [*use.sources(find("meta-loss"), PAPER)] == ["latex"]
    assert [*use.sources(find("slope-at-zero-positive"), PAPER)] == ["latex"]


@pytest.mark.parametrize("words", [[], ["inner_steps=2"]])
def test_where_the_source_takes_an_average_the_lines_that_compute_it_run(words: list[str]) -> None:
    assert use._computed(find("eq5"), read(words)) == []
    ((_, lines),) = use._computed(find("exact-loss"), read(words))
    *before, last = lines.splitlines()
    script = "\n".join([*before, "import json", f"print(json.dumps({last}))"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert 0 <= found["error"] < 0.01 * found["value"]


@pytest.mark.parametrize("words", [[], ["inner_steps=2"]])
def test_the_commands_are_accepted(words: list[str]) -> None:
    for line in use.commands(find("eq5"), read(words), numbers=True).splitlines():
        name, *arguments = line.split()
        assert name == "derive"
        assert cli._arguments(arguments).assume == words


def test_the_card_brings_all_of_it_when_it_is_opened() -> None:
    shown = use.use_this(find("eq5"), RECORD, PAPER)
    (later,) = re.findall(r'<noscript class="later">(.*)</noscript>', shown, re.DOTALL)
    assert shown.count("<button") == later.count("<button") == len(use.LANGUAGES) + 1
    assert "steps/theorem-1.json" in later
    assert all(key.name[: use.SHOWN_OF_KEY] in later for key in keys_of("theorem-1").values())


def test_the_lines_of_the_source_are_those_of_today(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(use.use_this(find("eq5"), RECORD, PAPER), encoding="utf-8")
    step_files.fill(tmp_path)
    path, first, last = step_files.place("theorem-1")
    assert f"{path}:{first}-{last}" in page.read_text(encoding="utf-8")
    assert "@source" not in page.read_text(encoding="utf-8")


def test_a_step_has_a_file_with_its_verdicts_keys_and_seed_and_without_its_time() -> None:
    document = step_files.document(RECORD, PAPER)
    assert "seconds" not in document
    assert document["seed"] == 0
    assert document["content_keys"] == {part: key.name for part, key in keys_of("theorem-1", seed=0).items()}
    assert document["proof"] == "proved"
