"""What a call shows is kept until something that it reaches changes; a look-up that it does not name ends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from derivations.book_pages import figures
from derivations.publishing import kept_calls, pages
from derivations.publishing.kept_calls import Unnamed, kept
from derivations.steps.contents import MODULE_OF, load, named
from derivations.support import sources, store
from derivations.verification.verify import modules_of
from tests.derivations.conftest import edited

calls: list[str] = []


def as_if_there(function: Callable[[str], str]) -> Callable[[str], str]:
    """A function as of a module of the packages, whose sources are looked at."""
    function.__module__ = kept_calls.__name__
    return function


@kept(lambda name: [name])
@as_if_there
def _statement(name: str) -> str:
    calls.append(name)
    return named(name).statement


@kept()
@as_if_there
def _secret(name: str) -> str:
    return named(name).statement


@kept(lambda name: [name])
@as_if_there
def _everything(name: str) -> str:
    return " ".join(load())


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path))
    calls.clear()


@pytest.mark.parametrize(
    ("module", "again"),
    [("derivations.paper.lemma1", True), ("derivations.paper.experiments.figures", False)],
)
def test_a_call_runs_again_where_a_module_that_it_reaches_is_edited(module: str, again: bool) -> None:
    name = "wishart-mean"
    assert MODULE_OF[name] == "derivations.paper.lemma1"
    assert _statement(name) == _statement(name) == named(name).statement
    assert calls == [name]
    with edited(module):
        _statement(name)
    assert calls == [name] * (1 + again)


def test_data_and_assumptions_count(monkeypatch: pytest.MonkeyPatch) -> None:
    _statement("wishart-mean")
    monkeypatch.setattr(pages, "_data", lambda: {"derivations/paper/experiments/plain_points.json": "other"})
    _statement("wishart-mean")
    assert len(calls) == 2


@pytest.mark.parametrize("call", [_secret, _everything])
def test_a_step_looked_up_and_not_named_is_refused_and_nothing_is_kept(call: object) -> None:
    assert callable(call)
    for _ in range(2):
        with pytest.raises(Unnamed, match="name them"):
            call("wishart-mean")
    assert store.contents()["entries"] == 0


@pytest.mark.parametrize(
    ("name", "edited", "reaches"),
    [
        ("2", "derivations.paper.theorem1.loss", True),
        ("3", "derivations.paper.theorem2.loss", True),
        ("2", "derivations.paper.theorem2.loss", False),
        ("2", "derivations.book_pages.errata", False),
        ("inner-steps", "derivations.paper.theorem1.loss", True),
    ],
)
def test_a_figure_is_drawn_again_where_its_formula_is_edited(name: str, edited: str, reaches: bool) -> None:
    modules = {
        figures.__name__,
        *(m for one in figures._theories(name) for m in modules_of(kept_calls.contents.slug_of(one))),
    }
    assert (edited in sources.reached(modules)) == reaches
