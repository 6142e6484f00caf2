"""A card is kept by all that it shows: which cards are written anew after which edit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from derivations.book_pages import cards
from derivations.steps.contents import load
from derivations.support import sources, store
from derivations.typeset import statements
from derivations.verification.verify import describe, keys_of

FOUND = {"proof": "proved", "proof_reason": "", "numeric": "agree", "numeric_reason": "", "checks": []}


def forget() -> None:
    """As in a new process, the sources are read again."""
    for known in (sources.file_of, sources.imports, sources.fingerprint, sources._facts):
        known.cache_clear()


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the sources to edit, and to be fingerprinted instead of the true ones."""
    place = tmp_path_factory.mktemp("sources")
    for package in sources.PACKAGES:
        shutil.copytree(sources.ROOT / package, place / package, ignore=lambda *_: ["__pycache__"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "ROOT", place)
        forget()
        yield place
    forget()


def keys() -> dict[str, str]:
    return {name: cards._key(step, describe(step) | FOUND).name for name, step in load().items()}


@pytest.fixture(scope="module")
def unedited(copied: Path) -> dict[str, str]:
    return keys()


EVERY = len(load())


@pytest.mark.slow(20)
@pytest.mark.parametrize(
    ("edited", "line", "least", "most"),
    [
        ("derivations/paper/theorem1/loss.py", "# a comment", 0, 0),
        ("derivations/paper/theorem1/loss.py", "EDITED = 1", 10, 60),
        ("derivations/book_pages/errata.py", "EDITED = 1", 0, 0),
        ("derivations/book_pages/html.py", "EDITED = 1", EVERY, EVERY),
    ],
)
def test_how_many_cards_an_edit_writes_anew(
    copied: Path, unedited: dict[str, str], edited: str, line: str, least: int, most: int
) -> None:
    place = copied / edited
    text = place.read_text(encoding="utf-8")
    place.write_text(f"{text}{line}\n", encoding="utf-8")
    forget()
    after = keys()
    place.write_text(text, encoding="utf-8")
    forget()
    assert least <= sum(unedited[name] != after[name] for name in after) <= most


@pytest.mark.slow(20)
def test_a_card_is_written_anew_whenever_its_proof_is_found_anew(copied: Path) -> None:
    """The modules of a step's proof are among those of its card: no card outlives the proof that it shows."""
    for name, step in load().items():
        own = sources.reached(cards._key(step, describe(step) | FOUND).modules)
        assert sources.reached(keys_of(name)["proof"].modules) <= own


THEOREM = load()["theorem-1"]
RECORD = describe(THEOREM) | FOUND


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(RECORD | {"proof": "failed"}, id="another status"),
        pytest.param(RECORD | {"proof_reason": "because"}, id="another reason"),
        pytest.param(RECORD | {"checks": [{"draws": 1}]}, id="another comparison"),
    ],
)
def test_what_is_found_of_a_step_is_part_of_the_key_of_its_card(other: dict[str, object]) -> None:
    assert cards._key(THEOREM, other) != cards._key(THEOREM, RECORD)
    assert cards._key(THEOREM, RECORD | {"seconds": 7.0}) == cards._key(THEOREM, RECORD)


def test_what_other_steps_say_is_part_of_the_key_of_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    step = replace(THEOREM, remark="It rests on wishart-mean alone.")
    steps = {**load(), step.name: step}
    monkeypatch.setattr(cards, "load", lambda: steps)
    before = cards._key(step, RECORD)
    steps["wishart-mean"] = replace(steps["wishart-mean"], page="elsewhere")
    assert cards._key(step, RECORD) != before


def test_the_names_of_sums_are_part_of_the_key_of_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cards._key(THEOREM, RECORD)
    monkeypatch.setattr(statements, "said_elsewhere", lambda step: "h_t is called otherwise")
    assert cards._key(THEOREM, RECORD) != before


def test_a_kept_card_is_not_written_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    monkeypatch.setattr(cards, "records", lambda: {"theorem-1": RECORD})
    written: list[str] = []
    monkeypatch.setattr(cards, "_written", lambda step, record: written.append(step.name) or "<p>card</p>")
    assert [cards.show("theorem-1").text for _ in range(2)] == ["<p>card</p>"] * 2
    assert written == ["theorem-1"]
    assert store.contents()["kinds"].keys() == {"card"}
