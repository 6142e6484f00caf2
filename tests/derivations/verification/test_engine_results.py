"""At least sixty results of the engine are confirmed by sampling, each at three sizes or more: counted, not declared.

A result is the engine's when its derivation takes an expectation over a random matrix, which is seen by recording the
calls with every memory of the derivations emptied before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any, cast

import pytest

from derivations.language.assumptions import PAPER
from derivations.steps.contents import load
from derivations.steps.step import Step
from derivations.verification.plain_records import Record
from derivations.verification.verify import verify
from symbolic.algebra.words import Expression, matrix
from symbolic.averages import expectation, over_laws
from symbolic.weingarten import haar_words, inverse_words
from symbolic.wishart import identity, wishart_moment

LEAST, SIZES = 60, 3
STEPS = load()
QUERIES = [name for name, step in STEPS.items() if step.query]


def averages_letters(expr: Expression, over: Collection[str] | None = None) -> bool:
    """Whether `expect` has anything to average."""
    return bool(expectation.random_names(expr.letters(), over))


def averages_laws(expr: Expression, *others: Any, **options: Any) -> bool:
    """Whether `average` may have anything to average."""
    return averages_letters(expr)


def averages_powers(*arguments: Any) -> bool:
    """Powers of a Wishart matrix are random."""
    return True


# where expectations are taken, and whether a call takes one
ENGINE: tuple[tuple[Callable[..., Any], Callable[..., bool]], ...] = (
    (expectation.expect, averages_letters),
    (over_laws.average, averages_laws),
    (identity.trace_moment, averages_powers),
    (identity.matrix_moment, averages_powers),
    (wishart_moment.moment, averages_powers),
    (inverse_words.word_moment, averages_powers),
    (haar_words.haar_moment, averages_powers),
    (haar_words.pseudo_inverse_moment, averages_powers),
)


def project_modules() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.startswith(("derivations.", "symbolic."))]


@contextmanager
def recorded_calls() -> Iterator[list[str]]:
    """The expectations taken by the engine inside the block, wherever its functions have been imported."""
    calls: list[str] = []

    def recording(function: Callable[..., Any], counts: Callable[..., bool]) -> Callable[..., Any]:
        def record(*arguments: Any, **options: Any) -> Any:
            if counts(*arguments, **options):
                calls.append(function.__name__)
            return function(*arguments, **options)

        return record

    with pytest.MonkeyPatch.context() as patch:
        for module in project_modules():
            for name, value in list(vars(module).items()):
                for function, counts in ENGINE:
                    if value is function:
                        patch.setattr(module, name, recording(function, counts))
        yield calls


def forget() -> None:
    """Empty the memories of the derivations, which would hide that a result was computed."""
    for module in project_modules():
        if module.__name__.startswith("derivations."):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def from_the_engine(step: Step) -> bool:
    """Whether the derivation takes an expectation over a random matrix."""
    if step.derive is None:
        return False
    forget()
    with recorded_calls() as calls:
        step.derive(PAPER)
    return bool(calls)


def confirmed(record: Record) -> bool:
    """Whether every comparison agrees, at three unequal sizes or more."""
    checks = record["checks"]
    sizes = {tuple(sorted(check["sizes"].items())) for check in checks}
    return len(sizes) >= SIZES and all(check["verdict"] == "agree" for check in checks)


def results(steps: Iterable[Step], records: Mapping[str, Record]) -> list[str]:
    """The steps that sampling confirms and whose values come from the engine."""
    return [step.name for step in steps if confirmed(records[step.name]) and from_the_engine(step)]


def require(found: list[str]) -> None:
    if len(found) < LEAST:
        raise AssertionError(f"only {len(found)} results of the engine are confirmed, of {LEAST}")


@pytest.fixture(scope="module")
def records() -> dict[str, Record]:
    sampled = [name for name, step in STEPS.items() if step.observe is not None]
    return {record["name"]: record for record in verify(sampled)}


@pytest.mark.slow(100)  # where the store does not have the numbers
def test_sixty_results_of_the_engine_are_confirmed(records: dict[str, Record]) -> None:
    steps = [STEPS[name] for name in records]
    found = results(steps, records)
    require(found)
    assert set(QUERIES) <= set(found)
    with pytest.raises(AssertionError, match=f"only {LEAST - 1} results"):
        require([name for name in found if name in found[: LEAST - 1]])
    # without the moments that the paper does not state there would be fewer by just these
    remaining = [step for step in steps if not step.query]
    assert len(found) - len([step for step in remaining if step.name in found]) == len(QUERIES)


# -- what is not counted ------------------------------------------------------------------------------------


def agreeing(*sizes: int) -> Record:
    checks = [{"sizes": {"n": size, "p": 2}, "verdict": "agree"} for size in sizes]
    return cast(Record, {"checks": checks})


def test_agreement_at_three_unequal_sizes_counts() -> None:
    assert confirmed(agreeing(3, 4, 5))


@pytest.mark.parametrize("sizes", [(), (3, 4), (3, 4, 3)])
def test_fewer_sizes_do_not_count(sizes: tuple[int, ...]) -> None:
    assert not confirmed(agreeing(*sizes))


@pytest.mark.parametrize("verdict", ["disagree", "inconclusive"])
def test_a_comparison_that_fails_does_not_count(verdict: str) -> None:
    record = agreeing(3, 4, 5, 6)
    record["checks"][1]["verdict"] = verdict
    assert not confirmed(record)


@pytest.mark.parametrize(
    "name", ["wishart-mean", "general-wishart-cube", "inverse-wishart-square", "wishart-cube-uniform"]
)
def test_an_expectation_is_seen_and_a_repeated_claim_is_not(name: str) -> None:
    step = STEPS[name]
    assert step.claim is not None
    claim = step.claim
    assert from_the_engine(step)
    assert not from_the_engine(replace(step, derive=lambda assumptions: claim()))


def test_an_expectation_of_nothing_random_is_not_seen() -> None:
    fixed = matrix("A", "p", "p")
    idle = replace(STEPS["wishart-mean"], derive=lambda assumptions: {"A": expectation.expect(fixed)})
    assert not from_the_engine(idle)


def test_a_remembered_result_is_still_seen() -> None:
    step = STEPS["variance-of-rows"]
    assert step.derive is not None
    step.derive(PAPER)
    assert from_the_engine(step)
