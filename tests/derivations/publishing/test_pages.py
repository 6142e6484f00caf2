"""Pages with their cells run: what they depend on, and what a cell leaves behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from derivations.book_pages import prepare
from derivations.publishing import build as book_build
from derivations.publishing import pages, previews
from derivations.publishing.build import SOURCE, build

HEAD = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {name: python3, display_name: Python 3}
---
# A page
"""


def page(*cells: str) -> str:
    return HEAD + "".join(f"\n```{{code-cell}} ipython3\n{cell}\n```\n" for cell in cells)


def shown(text: str, folder: Path) -> list[list[str]]:
    """What each cell of a page prints and shows."""
    notebook = pages.run_all({"page": text}, folder, {})["page"]
    return [
        ["".join(output.get("text") or output["data"]["text/html"]) for output in cell["outputs"]]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


# What a page depends on


@pytest.mark.parametrize(
    ("cell", "module", "reaches"),
    [
        ("1 + 1", "derivations.paper.theorem1.loss", True),
        ("1 + 1", "symbolic.averages.expectation", True),
        ("1 + 1", "derivations.book_pages.errata", False),
        ("from derivations.book_pages import errata", "derivations.book_pages.errata", True),
        ("from derivations.book_pages.errata import table", "derivations.book_pages.html", True),
        ("import derivations.book_pages.theorem2", "derivations.book_pages.errata", False),
    ],
)
def test_a_page_reaches_every_module_but_those_of_other_pages(cell: str, module: str, reaches: bool) -> None:
    assert (module in pages.key(page(cell), []).modules) == reaches


def test_text_assumptions_and_data_are_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {
        pages.key(page("1"), []).name,
        pages.key(page("2"), []).name,
        pages.key(page("1"), ["inner_steps=2"]).name,
    }
    monkeypatch.setattr(pages, "_data", lambda: {"derivations/paper/experiments/plain_points.json": "other"})
    assert len({*keys, pages.key(page("1"), []).name}) == 4


# How cells run


def test_what_cells_show_and_print_is_kept_and_names_last_for_a_page(tmp_path: Path) -> None:
    cells = "x = 2; print('printed')", "from IPython.display import HTML; HTML(f'<b>{x}</b>')"
    assert shown(page(*cells), tmp_path) == [["printed\n"], ["<b>2</b>"]]


def test_a_page_that_runs_again_to_the_same_is_the_same_document(tmp_path: Path) -> None:
    texts = {"page": page("print('printed')", "1 + 1")}
    assert pages.run_all(texts, tmp_path, {}) == pages.run_all(texts, tmp_path, {})


def test_pages_share_no_names_and_run_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("", encoding="utf-8")
    texts = [page("y = 1; import os; print(os.listdir())"), page("print('y' in globals())")] * 2
    ran = pages.run_all({str(k): text for k, text in enumerate(texts)}, tmp_path, {})
    found = ["".join(notebook["cells"][1]["outputs"][0]["text"]) for notebook in ran.values()]
    assert found == ["['here']\n", "False\n"] * 2


def test_a_cell_may_start_processes(tmp_path: Path) -> None:
    code = "from derivations.support.workers import workers\nwith workers(2) as pool: print(*pool.map(abs, [-1, -2]))"
    assert shown(page(code), tmp_path) == [["1 2\n"]]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("x = (", "SyntaxError"),
        ("import sys; print('odd', file=sys.stderr)", "page: a cell wrote to stderr: odd"),
    ],
)
def test_a_cell_that_fails_or_complains_ends_the_build(cell: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(pages.CellError, match=said):
        pages.run_all({"page": page(cell)}, tmp_path, {})


# Going on from the last build


def test_what_pages_look_up_is_prepared_once_for_the_same_modules_and_confirmations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    begun: list[int] = []

    def finished() -> None:
        begun.append(len(begun))
        if len(begun) == 1:
            raise OSError("no room")

    monkeypatch.setattr(prepare, "prepare", finished)
    with pytest.raises(book_build.BookError, match="no room"):
        book_build._prepare({}, echo=False)
    for texts in ({}, {}, {"theorem1.md": "other"}, {"extending.md": "other"}):
        book_build._prepare(texts, echo=False)
    assert len(begun) == 3  # the failure, the success, and what a page newly confirms
    monkeypatch.setattr(book_build, "MODULE_OF", {"a-step": "derivations.steps.move"})
    book_build._prepare({}, echo=False)
    assert len(begun) == 4


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sources of a book of two pages in the place of the paper's."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("_static", "_vendor", "_scripts"):
        shutil.copytree(SOURCE / name, folder / name)
    shutil.copy(SOURCE / "_config.yml", folder)
    shutil.copy(SOURCE / "references.bib", folder)
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: intro\nchapters: [{file: other}]\n", encoding="utf-8"
    )
    (folder / "intro.md").write_text(page("print('first')"), encoding="utf-8")
    (folder / "other.md").write_text(page("print('unchanged')"), encoding="utf-8")
    monkeypatch.setattr(book_build, "SOURCE", folder)
    monkeypatch.setattr(book_build, "DEFAULT_OUT", tmp_path / "html")
    monkeypatch.setattr(book_build, "_verify_first", lambda *_: [])
    monkeypatch.setattr(book_build, "_prepare", lambda *_: None)
    # which takes longer than the pages where the store is new
    monkeypatch.setattr(previews, "draw_picture", lambda target: target.write_bytes(b"a picture"))
    return folder


@pytest.mark.slow
def test_only_what_changed_is_built_anew_and_nothing_old_is_shown(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "store"))
    out, ran = tmp_path / "html", []
    run_all = pages.run_all
    monkeypatch.setattr(
        pages, "run_all", lambda texts, *rest: ran.append(len(texts)) or run_all(texts, *rest)
    )
    build(out, source=source)
    times = {
        name: (out.parent / ".workshop/work/html" / f"{name}.html").stat().st_mtime_ns
        for name in ("intro", "other")
    }
    (source / "intro.md").write_text(page("print('second')"), encoding="utf-8")
    build(out, source=source)
    text = (out / "intro.html").read_text(encoding="utf-8")
    assert "second\n" in text
    assert "first\n" not in text
    assert "unchanged\n" in (out / "other.html").read_text(encoding="utf-8")
    assert ran == [2, 1]
    assert (out.parent / ".workshop/work/html/other.html").stat().st_mtime_ns == times["other"]
    # the same page text, another result: as after the edit of a module
    monkeypatch.setattr(pages, "_data", lambda: {"edited": "module"})
    monkeypatch.setattr(
        pages,
        "run_all",
        lambda texts, *rest: {k: _reprinted(one) for k, one in run_all(texts, *rest).items()},
    )
    build(out, source=source)
    assert "again\n" in (out / "other.html").read_text(encoding="utf-8")


def _reprinted(notebook: dict[str, object]) -> dict[str, object]:
    cells = notebook["cells"]
    assert isinstance(cells, list)
    for cell in cells:
        for output in cell.get("outputs", ()):
            output["text"] = "again\n"
    return notebook


@pytest.mark.slow
def test_a_new_title_is_shown_in_the_contents_of_every_page(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "store"))
    out, page_file = tmp_path / "html", source / "other.md"
    build(out, source=source)
    renamed = page_file.read_text(encoding="utf-8").replace("# A page", "# Another name")
    page_file.write_text(renamed, encoding="utf-8")
    build(out, source=source)
    assert "Another name" in (out / "intro.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_after_a_failed_build_the_next_starts_anew(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "store"))
    out = tmp_path / "html"
    build(out, source=source)
    good = (source / "other.md").read_text(encoding="utf-8")
    (source / "other.md").write_text(good + "\nSee [](nowhere.md).\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(book_build.BookError, match="nowhere"):
            build(out, source=source)
    (source / "other.md").write_text(good, encoding="utf-8")
    assert build(out, source=source).pages == ("intro", "other")


def test_a_picture_of_before_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "preview.png"
    target.write_bytes(b"of before")
    previews.draw_picture(target)
    assert target.read_bytes().startswith(b"\x89PNG")
