"""The book's build: what it refuses, what it notices, and that a failed build changes nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from derivations.language.assumptions import PAPER, read
from derivations.publishing import build as book_build
from derivations.publishing.build import MARK, SOURCE, BookError, build, is_current
from derivations.publishing.pages import SETTINGS, assumptions_in_force

PAGE = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {name: python3, display_name: Python 3}
---
# A page

Some words about $x$.
"""
CELL = """
```{{code-cell}} ipython3
:tags: [remove-input]
{code}
```
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The sources of a book of one page, with the real configuration."""
    folder = tmp_path / "source"
    folder.mkdir()
    shutil.copy(SOURCE / "_config.yml", folder)
    shutil.copy(SOURCE / "references.bib", folder)
    shutil.copytree(SOURCE / "_static", folder / "_static")
    shutil.copytree(SOURCE / "_vendor", folder / "_vendor")
    shutil.copytree(SOURCE / "_scripts", folder / "_scripts")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: intro\n", encoding="utf-8")
    (folder / "intro.md").write_text(PAGE, encoding="utf-8")
    return folder


def add(source: Path, text: str) -> None:
    with (source / "intro.md").open("a", encoding="utf-8") as page:
        page.write(text)


# What is refused before any work


def test_a_folder_that_is_no_book_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no book sources"):
        build(tmp_path / "out", source=tmp_path)


def test_a_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(ValueError, match="no built book"):
        build(tmp_path)
    assert (tmp_path / "thesis.tex").read_text(encoding="utf-8") == "years of work"


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="is a file"):
        build(out)
    assert out.read_text(encoding="utf-8") == "mine"


# How pages learn the assumptions


def test_outside_a_build_the_papers_assumptions_are_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert assumptions_in_force() == PAPER


def test_pages_read_the_assumptions_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / SETTINGS).write_text(json.dumps(["inner_steps=2", "inputs=uniform"]), encoding="utf-8")
    assert assumptions_in_force() == read(["inner_steps=2", "inputs=uniform"])


# When a build counts as current


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / MARK).write_text(json.dumps({"assumptions": [], "pages": []}), encoding="utf-8")
    future = max(path.stat().st_mtime for path in SOURCE.parent.rglob("*.py")) + 10_000_000
    os.utime(tmp_path / MARK, (future, future))
    return tmp_path


def test_a_newer_build_is_current(built: Path) -> None:
    assert is_current(built)


def test_a_folder_without_the_mark_is_not_current(tmp_path: Path) -> None:
    assert not is_current(tmp_path)


def test_a_build_older_than_a_module_is_not_current(built: Path) -> None:
    os.utime(built / MARK, (1, 1))
    assert not is_current(built)


def test_a_variant_is_not_the_papers_book(built: Path) -> None:
    time = (built / MARK).stat().st_mtime
    (built / MARK).write_text(json.dumps({"assumptions": ["inner_steps=2"], "pages": []}), encoding="utf-8")
    os.utime(built / MARK, (time, time))
    assert not is_current(built)


# Builds


@pytest.mark.slow
def test_a_build_runs_cells_with_this_interpreter_under_the_given_assumptions(
    source: Path, tmp_path: Path
) -> None:
    code = "import sys; from derivations.publishing.pages import assumptions_in_force; print(sys.prefix)"
    add(source, CELL.format(code=code + "\nprint(assumptions_in_force().label())"))
    out = tmp_path / "deep" / "out"
    book = build(out, read(["inner_steps=3"]), source=source)
    text = (out / "intro.html").read_text(encoding="utf-8")
    assert book.pages == ("intro",)
    assert book.index.is_file()
    assert "inner_steps=3\n" in text
    assert f"{sys.prefix}\n" in text
    assert "beyond the paper: inner_steps=3" in text
    assert "thebe" not in text
    assert sorted(path.name for path in out.parent.iterdir()) == ["out"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        pytest.param("\nSee [](nowhere.md).\n", "nowhere", id="broken reference"),
        pytest.param("\n```{no-such-directive}\n```\n", "no-such-directive", id="unknown directive"),
        pytest.param(CELL.format(code="1 / 0"), "ZeroDivisionError|ExecutionError", id="cell that raises"),
        pytest.param(
            CELL.format(code="import sys; print('odd', file=sys.stderr)"), "stderr", id="cell that complains"
        ),
    ],
)
def test_any_fault_fails_the_build_and_leaves_the_old_book(
    fault: str, message: str, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    build(out, source=source)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    add(source, fault)
    with pytest.raises(BookError) as caught:
        build(out, source=source)
    assert re.search(message, caught.value.log)
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]


@pytest.mark.slow
def test_vendored_scripts_are_not_loaded_on_every_page(source: Path, tmp_path: Path) -> None:
    (source / "_vendor" / "plot.js").write_text("", encoding="utf-8")
    (source / "_static" / "own.js").write_text("", encoding="utf-8")
    text = (build(tmp_path / "out", source=source).html / "intro.html").read_text(encoding="utf-8")
    assert "plot.js" not in text
    assert "own.js" in text
    assert text.count("tex-mml-chtml.js") == 1


def test_missing_jupyter_book_is_said(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "jupyter_book.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'jupyter_book'\")", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(hidden))
    with pytest.raises(ValueError, match="Jupyter Book is not installed"):
        book_build.build(tmp_path / "out", source=source)
