"""Where the exact loss is finite: the bounds hold at exact averages, and wrong ones are seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from derivations.language import model
from derivations.language.assumptions import PAPER
from derivations.language.normal_form import to_sympy
from derivations.language.symbols import alpha_t, n_t, n_v, p, sigma
from derivations.paper.beyond.one_task import average
from derivations.paper.beyond.reduction import OWN
from derivations.paper.inner_loops.finite_loss import (
    INPUTS,
    WHOLE,
    _claim,
    finite_chain,
    power_of_inverse,
)
from derivations.paper.inner_loops.near_singular import finite_places, infinite_places, weight
from derivations.steps.chain import Chain, DoesNotApply
from derivations.steps.contents import find
from derivations.steps.held import Held
from derivations.steps.rules.certified_signs import POSITIVE_RATES
from derivations.steps.rules.rotations import gram
from derivations.verification.prove import prove
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.tails import task_exponent
from numeric_check.estimators.unreached import traces

STEP = find("exact-loss-finite")


@pytest.mark.parametrize(("rows", "rate"), [(1, 0.6), (1, 3.0), (2, 1.2), (2, -0.8)])
def test_the_exact_average_is_below_the_bound(rows: int, rate: float) -> None:
    given = {"n_t": 5, "n_v": rows, "p": 12, "alpha_t": rate, "sigma": 1.0, "sigma_v": 1.0}
    bound = to_sympy(finite_chain(PAPER).parts[WHOLE])
    at = float(bound.subs({n_t: 5, n_v: rows, p: 12, alpha_t: rate, sigma: 1}))
    assert average(PAPER, given).mean < at


@pytest.mark.parametrize("place", [(1, 3, 3), (3, 4, 4), (8, 5, 4), (5, 3, 1)])
def test_one_over_a_squared_row_is_below_a_product_of_powers(place: tuple[int, int, int]) -> None:
    """Draw by draw, of rows from the inner loop itself and eigenvalues by LAPACK."""
    steps, size, points = place
    source, rate = generator_for(f"powers/{place}"), 2.5
    row, data = source.standard_normal((1_000, size)), source.standard_normal((1_000, points, size))
    wishart = np.swapaxes(data, 1, 2) @ data / points
    own = row[:, None, :]
    for _ in range(steps):
        own = own - rate * own @ wishart
    values, vectors = np.linalg.eigh(wishart)
    w, u = np.einsum("ni,nij->nj", row, vectors) ** 2, 1 - rate * values
    nearest = np.argsort(np.where(np.abs(u - 1) < 1e-9, np.inf, np.abs(u)), axis=1)
    w, u = (np.take_along_axis(x, nearest, axis=1) for x in (w, u))
    part = to_sympy(finite_chain(PAPER).parts[power_of_inverse(*place)])
    names = sympy.symbols([*(f"w_{k + 1}" for k in range(size)), *(f"u_{k + 1}" for k in range(points))])
    logs = sympy.lambdify(
        names, sympy.expand_log(sympy.log(part.xreplace(positive(part, names))), force=True)
    )
    bound = logs(*w.T, *np.abs(u[:, :points].T))
    assert (-weight(*place) * np.log(np.sum(own[:, 0] ** 2, axis=1)) <= bound).all()


def positive(part: sympy.Basic, names: list[sympy.Symbol]) -> dict[sympy.Basic, sympy.Basic]:
    """The symbols of a part by those of the same names."""
    by_name = {one.name: one for one in names}
    return {one: by_name[one.name] for one in part.free_symbols if isinstance(one, sympy.Symbol)}


def test_what_is_proved_of_one_row_is_everything() -> None:
    """Sizes are said to be finite or infinite as sampling sees tails, and each is one of them."""
    for steps in range(1, 9):
        for size in range(3, 20):
            for points in range(1, 20):
                finite = any(
                    k == steps and size >= least and (points <= most or most == least)
                    for k, least, most in finite_places()
                )
                infinite = any(
                    k == steps and size == least and points >= most for k, least, most in infinite_places()
                )
                assert finite != infinite
                assert finite == (task_exponent(steps, points, 1, size) > 2)


def test_what_is_not_reached_is_left_alone_and_the_rest_is_not() -> None:
    seen = traces(generator_for("left alone"), 3, 2, 9, 3, 0.7, 200)
    assert (seen.unreached > seen.noise).all()
    assert (seen.grown < 0).any()
    with pytest.raises(ValueError, match="unreached"):
        traces(generator_for("all reached"), 8, 2, 9, 1, 0.7, 5)


def test_at_a_positive_rate_it_is_no_gram_matrix() -> None:
    under = replace(PAPER, inner_steps=2)
    chain = Chain(OWN @ OWN.T - INPUTS @ INPUTS.T)
    chain.insert({"B_1": model.task(under).design}, "stacked-design", held=Held(under))
    with pytest.raises(DoesNotApply, match="may be negative"):
        gram(chain, POSITIVE_RATES)


def test_another_number_of_directions_is_not_proved() -> None:
    claim = _claim()
    wrong = {**claim, WHOLE: claim[WHOLE].subs(p, p - 1)}
    assert prove(replace(STEP, claim=lambda: wrong)).status == "failed"
