"""Moments that the paper does not state: their steps stand by themselves, and what they name can be asked for."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace

import numpy as np
import pytest
import sympy
from sympy import MatrixSymbol, Trace

from derivations.command.cli import main
from derivations.formulas.by_name import NoFormula, evaluate_named
from derivations.formulas.parameters import InvalidParameter
from derivations.language.assumptions import PAPER
from derivations.language.symbols import n, p
from derivations.paper.moment_queries import GAUSSIAN, ROWS, Query
from derivations.paper.moment_trees import answer_tree
from derivations.paper.moments import INVERSES, LAWS, LETTERS, POWERS, PRODUCTS
from derivations.paper.moments_of_inverses import BESIDE, BETWEEN, RATIO_SQUARES, RATIOS
from derivations.paper.moments_of_words import PAIRS, SINGLE
from derivations.paper.other_moments import complex_inverses, complex_rows, pseudo_inverses, uniform_rotations
from derivations.steps.contents import load
from derivations.verification.perturb import perturbations
from derivations.verification.prove import difference, prove
from derivations.verification.verify import relevant
from symbolic.query.query import moment

WITH_INVERSES = (*INVERSES, *BESIDE, *BETWEEN, *RATIOS, *RATIO_SQUARES)
OTHERS = (
    *complex_rows.POWERS,
    *complex_rows.LETTERS,
    *complex_inverses.INVERSES,
    *uniform_rotations.ROTATIONS,
    *pseudo_inverses.PSEUDO_INVERSES,
)
QUERIES = (
    *(*POWERS, *LETTERS, *PRODUCTS, *INVERSES, *LAWS),
    *(*SINGLE, *PAIRS, *WITH_INVERSES[len(INVERSES) :], *OTHERS),
)
SLUGS = [query.slug for query in QUERIES]
S, A = MatrixSymbol("Sigma", p, p), MatrixSymbol("A", p, p)


def test_every_query_is_a_step_of_the_page_on_moments() -> None:
    assert [step.name for step in load().values() if step.page == "moments"] == SLUGS
    assert {query.law for query in (*LAWS, *OTHERS)} | {GAUSSIAN} == set(ROWS)


@pytest.mark.parametrize("name", SLUGS)
def test_changed_assumptions_of_the_paper_do_not_touch_it(name: str) -> None:
    changed = replace(PAPER, inputs="rademacher", inner_steps=2)
    assert prove(load()[name], changed).status == "proved"
    assert relevant(load()[name], changed) == {}


@pytest.mark.parametrize("name", SLUGS)
def test_its_number_is_asked_for_where_existence_is_checked(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    step = load()[name]
    with pytest.raises(NoFormula, match="ask for its value with `derive moment"):
        evaluate_named(name, {"n": 4, "p": 3})
    assert main(["moment", *shlex.split(step.query), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["query"] in step.query


@pytest.mark.parametrize("query", WITH_INVERSES, ids=[query.slug for query in WITH_INVERSES])
def test_moments_of_the_inverse_are_sampled_where_they_have_a_variance(query: Query) -> None:
    degree = sum(int(power) for power in re.findall(r"W\^-(\d+)", query.text)) * (
        2 if ")^2" in query.text else 1
    )
    assert degree > 0
    assert all(size["n"] - size["p"] > 4 * degree - 1 for size in (*query.sizes, *query.small))


@pytest.mark.parametrize("query", QUERIES, ids=SLUGS)
def test_the_condition_is_the_one_under_which_it_exists(query: Query) -> None:
    answer = moment(query.text, None, query.covariance, query.law, rotations=query.rotations)
    assert " and ".join(answer.conditions) == query.when
    assert query.when in load()[query.slug].statement


# -- reading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("W A'", n * S * A.T),
        ("W^-1", S.inv() / (n - p - 1)),
        ("Sigma^-2", S**-2),
        ("tr(Sigma^-1 A')", Trace(S.inv() * A.T)),
        ("2 I", 2 * sympy.Identity(p)),
        ("A - A", sympy.ZeroMatrix(p, p)),
        ("tr(A) - tr(A)", sympy.Integer(0)),
    ],
)
def test_an_answer_is_read_as_a_tree(text: str, right: sympy.Basic) -> None:
    found = answer_tree(moment(text, None, "general"))
    assert difference(right, found).is_zero()
    assert getattr(found, "is_Matrix", False) == getattr(right, "is_Matrix", False)


def test_an_answer_with_sums_over_indices_is_refused() -> None:
    with pytest.raises(ValueError, match="sums over indices under laplace: ask for the identity covariance"):
        answer_tree(moment("W^2", None, "general", "laplace"))


def test_powers_of_the_inverse_are_products_of_it() -> None:
    assert difference(S**-2, S.inv() * S.inv()).is_zero()
    assert not difference(S**-2, S.inv()).is_zero()


def test_the_exponent_of_an_inverse_is_perturbed_too() -> None:
    changed = [candidate.parts["E"] for candidate in perturbations({"E": S.inv()})]
    assert S**-2 in changed
    assert all(not difference(S.inv(), part).is_zero() for part in changed)


def test_a_letter_that_is_no_parameter_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="is about any matrix D, for which there is no parameter"):
        evaluate_named("weighted-rows-concentrate", {"p": 3})


@pytest.mark.parametrize(("rows", "size"), [(1, 4), (2, 5), (3, 7), (6, 4)])
def test_the_inverse_in_the_space_of_the_columns_is_that_of_moore_and_penrose(rows: int, size: int) -> None:
    x = np.random.default_rng(rows).standard_normal((20, rows, size))
    w = np.swapaxes(x, 1, 2) @ x
    np.testing.assert_allclose(
        pseudo_inverses.pinv(w), np.linalg.pinv(w, rcond=1e-9, hermitian=True), rtol=1e-6, atol=1e-9
    )
