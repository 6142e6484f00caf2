"""What the documents tell a reader to type can be pasted, and works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from derivations.command.cli import _arguments as arguments_of
from derivations.command.cli import main
from derivations.publishing import site
from derivations.support.bad_input import BadInput

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md")
# more than a few seconds on an empty store
HEAVY = ("verify", "figure", "regenerate", "book")


def commands(document: str) -> list[str]:
    """The lines of console blocks that begin with $, continued ones joined, and the first cells of tables of commands."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, flags=re.S | re.M)
    lines = [line for block in blocks for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    found = [line.removeprefix("$ ").partition("  #")[0].strip() for line in lines if line.startswith("$ ")]
    return [*found, *re.findall(r"^\| `((?:derive|make|\.venv)[^`]*)` \|", text, flags=re.M)]


COMMANDS = [(document, line) for document in DOCUMENTS for line in commands(document)]
DERIVE = [line for _, line in COMMANDS if line.startswith("derive ")]


def test_the_documents_show_every_kind_of_command() -> None:
    assert len(DERIVE) >= 10
    assert sum(line.startswith("make ") for _, line in COMMANDS) >= 5


def told(page: Path) -> list[str]:
    """The commands with arguments that a page of the book shows: a line of a block, or in a sentence."""
    text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))
    lines = re.findall(r"^ *(?:\$ )?(derive [a-z]+ .+)$", text, flags=re.M)
    return [line.partition("  #")[0] for line in (*lines, *re.findall(r"`(derive [a-z]+ [^`]+)`", text))]


IN_PAGES = [(page.stem, line) for page in sorted((ROOT / "book").glob("*.md")) for line in told(page)]


def test_the_book_shows_commands_on_many_pages() -> None:
    assert len(IN_PAGES) >= 25
    assert len({page for page, _ in IN_PAGES}) >= 9


@pytest.mark.parametrize(("page", "line"), IN_PAGES)
def test_a_command_of_the_book_is_one(page: str, line: str) -> None:
    words = shlex.split(line)[1:]
    assert main(words) == 0 if words[0] == "help" else arguments_of(words).command == words[0]


@pytest.mark.parametrize(
    "line", ["derive show eq5 --as fortran", "derive evall eq5 p=3", "derive figure 3 --again"]
)
def test_a_line_that_is_no_command_is_refused(line: str) -> None:
    with pytest.raises(BadInput):
        arguments_of(shlex.split(line)[1:])


@pytest.mark.parametrize(("document", "line"), COMMANDS)
def test_a_command_can_be_pasted(document: str, line: str) -> None:
    assert "..." not in line
    assert "…" not in line
    words = shlex.split(line)
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M)
        assert {word for word in words[1:] if "=" not in word} <= {*targets}


@pytest.mark.parametrize(
    "line",
    [pytest.param(line, marks=[pytest.mark.slow] if line.split()[1] in HEAVY else []) for line in DERIVE],
)
def test_a_command_of_the_documents_works(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Books are built by tests of their own; here their command reaches the builder with variants it accepts."""
    built: list[int] = []

    def build(out: Path, base: object, variants: list[object], *, echo: bool) -> site.Site:
        built.append(len(variants))
        return site.Site(out / "index.html", (), 0.0)

    monkeypatch.setattr(site, "build_site", build)
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)[1:]
    assert main(words) == 0, capsys.readouterr().err
    assert words[0] == "book" or capsys.readouterr().out.strip()
    assert built == ([words.count("--variant")] if words[0] == "book" else [])
