"""What one process knows of sources serves another, and never for a text that has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from derivations.support import sources

MODULE = "derivations.paper.one"


def forget() -> None:
    for known in (
        sources.file_of,
        sources.imports,
        sources.fingerprint,
        sources._facts,
        sources.data_of,
        sources._data_in,
    ):
        known.cache_clear()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a module, alone in its package."""
    path = tmp_path / "derivations/paper/one.py"
    path.parent.mkdir(parents=True)
    for package in (path.parent, path.parent.parent):
        (package / "__init__.py").write_text("", encoding="utf-8")
    path.write_text("x = 1\n", encoding="utf-8")
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    monkeypatch.setattr(sources, "_known", {})
    monkeypatch.setattr(sources, "_looked_at", set())
    forget()
    yield path
    forget()


@pytest.mark.parametrize(
    ("text", "parsed", "same"),
    [("x = 1\n", False, True), ("x = 1  # a comment\n", True, True), ("x = 2\n", True, False)],
)
def test_only_an_edited_source_is_parsed_anew(
    text: str, parsed: bool, same: bool, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, facts = sources.fingerprint(frozenset([MODULE])), sources.known()
    assert len(facts) == 3
    forget()
    sources._known.clear()
    sources.learn({name: [tree, named] for name, (tree, named) in facts.items()})
    place.write_text(text, encoding="utf-8")
    read: list[bytes] = []
    parse = sources.ast.parse
    monkeypatch.setattr(sources.ast, "parse", lambda source: read.append(source) or parse(source))
    assert (sources.fingerprint(frozenset([MODULE])) == before) == same
    assert bool(read) == parsed


def test_an_import_that_is_new_is_reached(place: Path) -> None:
    assert MODULE in sources.reached([MODULE])
    (place.parent / "two.py").write_text("", encoding="utf-8")
    place.write_text("from derivations.paper import two\n", encoding="utf-8")
    forget()
    assert "derivations.paper.two" in sources.reached([MODULE])


def test_what_was_looked_at_before_an_edit_is_not_told(place: Path) -> None:
    sources.fingerprint(frozenset([MODULE]))
    old = sources.known()
    sources._looked_at.clear()
    place.write_text("x = 2\n", encoding="utf-8")
    forget()
    sources.fingerprint(frozenset([MODULE]))
    assert len(sources.known().keys() - old.keys()) == 1
    assert len(sources.known()) == 3


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("one.json", "x = 1\n", True),
        ("draws.json", "x = 'draws.json'\n", True),
        ("draws.json", "x = 1\n", False),
    ],
)
def test_data_that_a_module_reads_are_part_of_it(name: str, text: str, counts: bool, place: Path) -> None:
    place.write_text(text, encoding="utf-8")
    found = set()
    for data in ("{}", "[]"):
        place.with_name(name).write_text(data, encoding="utf-8")
        forget()
        found.add(sources.fingerprint(frozenset([MODULE])))
    assert len(found) == 1 + counts


def test_every_shipped_datum_is_read_by_a_module() -> None:
    read = {
        path
        for package in sources.PACKAGES
        for source in (sources.ROOT / package).rglob("*.py")
        for path in sources.data_of(
            ".".join(source.relative_to(sources.ROOT).with_suffix("").parts).removesuffix(".__init__")
        )
    }
    shipped = {path for package in sources.PACKAGES for path in (sources.ROOT / package).rglob("*.json")}
    assert shipped == read
