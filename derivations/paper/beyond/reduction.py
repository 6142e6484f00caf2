"""The exact reduction to one task above p = n_v m, for inputs that no rotation changes, move by move.

    -  one-task-suffices       the tasks' row spaces are uniform frames: the number of tasks is a factor
    -  two-small-matrices      one task in rotated coordinates: two independent Gaussian matrices

The inner loop commutes with rotations, so that (X_v, X_t) -> (X_v O, X_t O) leaves the law of the data, B_i B_i^T and Gamma_i
alone and turns the row space of B_i: B_i = D_i Q_i with D_i^2 = B_i B_i^T and uniform frames Q_i, independent of all else.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
from sympy import Identity, MatrixSymbol, Symbol, Trace

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.normal_form import to_sympy
from derivations.language.regime import Regime
from derivations.language.sampled_problem import sampled_fields
from derivations.language.symbols import alpha_t, m, n_t, n_v, nu, p, sigma
from derivations.paper.beyond.one_task import (
    FRAME,
    ROOT,
    ROOT_INVERSE,
    average,
    mean_of_inverse,
    require_rotations,
    rotations,
    tasks_factor,
)
from derivations.paper.outer_problem import target_covariance
from derivations.steps.chain import Chain, Rule, carried_out
from derivations.steps.chains.products import in_place_of
from derivations.steps.held import Held
from derivations.steps.labels import BY_MOVES
from derivations.steps.rules.exact_routes import inverse_of_chi_square
from derivations.steps.rules.haar import share_of_rows
from derivations.steps.rules.rotations import (
    Weighted,
    by_invariance,
    by_moment,
    linear_image,
    quotient,
    rewritten,
)
from derivations.steps.step import Check, Kind, Parts, Step
from derivations.support.estimates import simulated
from derivations.verification.measure import mean_check
from numeric_check.draws.estimate import Estimate
from numeric_check.problem.setting import Setting
from symbolic.algebra.matrices import multiple
from symbolic.algebra.words import Expression, constant, identity, matrix, scalar, tr

TRACE = r"\mathbb{E}\,\mathrm{Tr}\,(BB^T)^{-1}\Gamma"
ONE_TRACE = r"\mathrm{Tr}\,(B_1B_1^T)^{-1}\Gamma_1"
MEAN_K = r"\mathbb{E}_L\,K"
DEPENDS = ("inner_steps", "inputs", "covariance", "split", "noise_val")
MOST_STEPS = 4
SIZES = (
    {"n_v": 2, "n_o": 2, "N": 4, "m": 2, "q": 11, "p": 13, "n_t": 5, "alpha_t": 0.4, "sigma": 0.8, "nu": 0.9},
    {
        "n_v": 3,
        "n_o": 3,
        "N": 6,
        "m": 2,
        "q": 14,
        "p": 17,
        "n_t": 8,
        "alpha_t": -0.5,
        "sigma": 0.6,
        "nu": 1.2,
    },
    {"n_v": 1, "n_o": 3, "N": 4, "m": 4, "q": 13, "p": 14, "n_t": 6, "alpha_t": 0.7, "sigma": 1.1, "nu": 0.7},
)


def square(name: str, size: str = "n_v") -> Expression:
    """A symmetric letter, n_v x n_v unless said otherwise."""
    return matrix(name, size, size, symmetric=True)


GAMMA, NOISE, OWN = square("Gamma_1"), square("Gamma_z"), matrix("B_1", "n_v", "p")
OWN_INVERSE, M_INVERSE = square("G_inverse"), square("M_inverse")
IN_FRAME = {"Q": "Q_perp"}
# where the mean over frames is compared: N = n_v m, n_o of them of the other tasks
SINGLE_ROWS = (
    {"n_v": 2, "q": 9, "p": 11, "n_t": 3, "n_o": 2, "N": 4, "m": 2},
    {"n_v": 1, "q": 6, "p": 7, "n_t": 2, "n_o": 2, "N": 3, "m": 3},
    {"n_v": 2, "q": 10, "p": 12, "n_t": 4, "n_o": 4, "N": 6, "m": 3},
)


# -- the number of tasks is a factor -------------------------------------------------------------------------


def room_left() -> Expression:
    """p - N - 1, by which the factor of one task's part is divided."""
    return quotient(tasks_factor(), "room")[1]


def share_of_one(name: str, assumptions: Assumptions) -> Expression:
    """The mean over all tasks by that over one: what (74) takes the trace of, E Tr (B_1 B_1^T)^-1 Gamma_1, by a name."""
    return in_place_of(tr(OWN_INVERSE @ GAMMA), scalar(name), carried_out(tasks_chain, assumptions).result)


@lru_cache(maxsize=16)
def tasks_chain(assumptions: Assumptions) -> Chain:
    """One task's part of (74), with the rows Y of all others; m such parts are alike."""
    require_rotations(assumptions)
    others, first, second = matrix("Y", "n_o", "p"), matrix("E", "n_v", "N"), matrix("E_perp", "n_o", "N")
    stack = first.T @ OWN + second.T @ others
    whole, rest = square("BBT_inverse", "N"), square("YYT_inverse", "n_o")
    inside, root, root_inverse, turned = (
        square("S_inverse"),
        square("D"),
        square("D_inverse"),
        square("R"),
    )
    outside = identity("p") - others.T @ rest @ others  # projects on what the other tasks do not see
    of_others = {"YYT_inverse": others @ others.T}
    chain = Chain(scalar("m") * tr(first @ whole @ first.T @ GAMMA))
    rewritten(
        chain,
        Rule.SCHUR,
        {(("E", False), ("BBT_inverse", False), ("E", True)): inside},
        "outer-mean-square-as-trace",
        "target-covariance-blocks",
        inverses={**of_others, "BBT_inverse": stack @ stack.T, "S_inverse": OWN @ outside @ OWN.T},
        frames={"E": "E_perp"},
    )
    in_frame = {"B_1": root @ FRAME}
    turns = {**of_others, "R": FRAME @ outside @ FRAME.T}
    rewritten(
        chain,
        Rule.POLAR,
        {(("S_inverse", False),): root_inverse @ turned @ root_inverse},
        "stacked-design",
        values=in_frame,
        inverses={**turns, "D_inverse": root, "S_inverse": OWN @ outside @ OWN.T},
        frames=IN_FRAME,
    )
    by_invariance(chain, "Q", "Q_perp", "R", turns)
    factor, room = quotient(tasks_factor(), "room")
    by_moment(
        chain,
        Rule.FRAMES,
        lambda before: before.replace({"R": factor * identity("n_v")}),
        _frames_of_single_rows,
        ("Q",),
        "inverse-wishart-mean",
        values={"room": room},
        inverses=turns,
        frames=IN_FRAME,
        sizes=SINGLE_ROWS,
    )
    rewritten(
        chain,
        Rule.POLAR,
        {(("D_inverse", False), ("D_inverse", False)): OWN_INVERSE},
        values=in_frame,
        inverses={"D_inverse": root, "G_inverse": OWN @ OWN.T},
        frames=IN_FRAME,
    )
    return chain.shows(TRACE, {"room": room})


def _frames_of_single_rows(sizes: Mapping[str, int]) -> Weighted:
    """(Q Q^T)^-1 by single rows: with plain Gaussian rows X_1 = D Q, independent of D, the mean of
    Tr [(G^-1)_11 G_11] is that of its trace.
    """
    rows = sizes["n_v"]
    return [(Fraction(1), {"R": multiple(rows, share_of_rows(rows, sizes["N"], sizes["p"]) / rows)})]


def _claim_tasks() -> Parts:
    inverse, gamma = (MatrixSymbol(name, n_v, n_v) for name in ("G_inverse", "Gamma_1"))
    return {TRACE: m * (p - n_v - 1) / (p - n_v * m - 1) * Trace(inverse * gamma)}


def _check_tasks(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """The deviation for several tasks over that for one, simulated, at rates of both signs."""
    if step.derive is None:
        raise ValueError(f"{step.name} derives nothing")
    found = []
    part = to_sympy(step.derive(assumptions)[TRACE])
    factor = part.subs(dict.fromkeys(part.atoms(Trace), 1))
    for rate, sizes in ((-0.4, SIZES[0]), (0.3, SIZES[1]), (0.5, SIZES[2])):
        started = time.monotonic()
        tasks, rows, size = (int(sizes[name]) for name in ("m", "n_v", "p"))
        one, many = (
            simulated(
                Setting(
                    int(sizes["n_t"]),
                    rows,
                    1,
                    count,
                    size,
                    0.8,
                    0.6,
                    rate,
                    0.0,
                    **sampled_fields(assumptions),
                ),
                "excess",
                0.001,
                seed,
            )
            for count in (1, tasks)
        )
        value = float(factor.subs({n_v: rows, m: tasks, p: size})) * one.mean
        stderr = float(np.hypot(many.stderr, value * one.stderr / one.mean))
        seen = Estimate(many.mean, stderr, one.draws + many.draws)
        where = {name: float(sizes[name]) for name in ("n_t", "n_v", "m", "p")} | {"alpha_t": rate}
        label, seconds = "deviation of many tasks from that of one", time.monotonic() - started
        found.append(mean_check(label, where, value, seen, seconds))
    return found


# -- one task in rotated coordinates -------------------------------------------------------------------------


def turned(chain: Chain) -> Chain:
    """X_v = L Q with L^2 = X_v X_v^T; what is seen of X_t along Q and across it are independent Gaussian matrices."""
    rewritten(
        chain,
        Rule.POLAR,
        {(("L_inverse", False), ("X_v", False)): FRAME, (("Q", False), ("Q", True)): identity("n_v")},
        values={"X_v": ROOT @ FRAME},
        inverses={"L_inverse": ROOT},
        frames=IN_FRAME,
    )
    return linear_image(chain, "X_t", "Q", "Q_perp", "U", "V", "gaussian-inputs")


@lru_cache(maxsize=16)
def one_task_chain(assumptions: Assumptions) -> Chain:
    """M and the mean of K over L in U and V, and the trace in M and K."""
    require_rotations(assumptions)
    if assumptions.inner_steps > MOST_STEPS:
        raise NotDerivable(f"in U and V this is written out for up to {MOST_STEPS} inner steps")
    task = model.task(assumptions)
    chain = Chain(ROOT_INVERSE @ OWN @ OWN.T @ ROOT_INVERSE)
    turned(chain.insert({"B_1": task.design}, "stacked-design")).shows("M")
    chain.begin(ROOT_INVERSE @ NOISE @ ROOT_INVERSE)
    noise, alone = (
        target_covariance(assumptions).replace({"nu": 0}),
        Held(assumptions, where={"nu": constant(0)}),
    )
    turned(chain.insert({"Gamma_z": noise}, "target-covariance", held=alone))
    mean, free = quotient(mean_of_inverse(), "free")
    by_moment(
        chain,
        Rule.INVERSE_MEAN,
        lambda before: before.rewrite({(("L_inverse", False), ("L_inverse", False)): mean * identity("n_v")}),
        _inverse_by_single_rows,
        ("X_v",),
        "inverse-wishart-mean",
        values={"free": free},
        inverses={"L_inverse": ROOT},
        roots={"L": model.task(assumptions).x_v @ model.task(assumptions).x_v.T},
    ).shows(MEAN_K, {"free": free})
    chain.begin(tr(OWN_INVERSE @ GAMMA))
    variability = scalar("nu") ** 2 * scalar("1/p") * OWN @ OWN.T
    held = Held(assumptions, {"Gamma_z": noise, "B_1": task.design})
    chain.insert({"Gamma_1": variability + NOISE}, "target-covariance", held=held)
    inverses = {"G_inverse": OWN @ OWN.T}
    rewritten(
        chain,
        Rule.CANCEL_INVERSE,
        {(("G_inverse", False), ("B_1", False), ("B_1", True)): identity("n_v")},
        inverses=inverses,
    )
    rewritten(
        chain,
        Rule.POLAR,
        {(("G_inverse", False),): ROOT_INVERSE @ M_INVERSE @ ROOT_INVERSE},
        inverses={**inverses, "L_inverse": ROOT, "M_inverse": ROOT_INVERSE @ OWN @ OWN.T @ ROOT_INVERSE},
    )
    chain.name_word(ROOT_INVERSE @ NOISE @ ROOT_INVERSE, "K")
    return chain.shows(ONE_TRACE)


def _inverse_by_single_rows(sizes: Mapping[str, int]) -> Weighted:
    """A diagonal element of the inverse is one over a chi-square variable with p - n_v + 1 degrees of freedom."""
    rows = sizes["n_v"]
    return [(inverse_of_chi_square(sizes["p"] - rows + 1), {"L_inverse": multiple(rows, Fraction(1))})]


def _claim_one_task() -> Parts:
    u, v = MatrixSymbol("U", n_t, n_v), MatrixSymbol("V", n_t, Symbol("q", positive=True))
    inverse, k = MatrixSymbol("M_inverse", n_v, n_v), MatrixSymbol("K", n_v, n_v)
    s, rate, one = u.T * u, alpha_t / n_t, Identity(n_v)
    return {
        "M": one - 2 * rate * s + rate**2 * (s * s + u.T * v * v.T * u),
        MEAN_K: sigma**2 / (p - n_v - 1) * one + sigma**2 * rate**2 * s,
        ONE_TRACE: nu**2 * n_v / p + Trace(inverse * k),
    }


# of a simulation; and of the average that it is held against, over that
REL_ERROR, SHARE = 0.0018, 0.3


def _check_one_task(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
    """What the words give for one task against a simulation of the whole problem, at rates of both signs."""
    found = []
    for rate, sizes in ((-0.4, SIZES[0]), (0.3, SIZES[1]), (0.5, SIZES[2])):
        started = time.monotonic()
        n, rows, size = (int(sizes[name]) for name in ("n_t", "n_v", "p"))
        setting = Setting(n, rows, 1, 1, size, 0.8, 0.6, rate, 0.0, **sampled_fields(assumptions))
        seen = simulated(setting, "excess", REL_ERROR, seed)
        given = {"n_t": n, "n_v": rows, "p": size, "alpha_t": rate, "sigma": 0.8, "sigma_v": setting.sigma_v}
        right = average(assumptions, given, rel_error=SHARE * REL_ERROR)
        value = 0.6**2 * rows / size + right.mean
        seen = replace(seen, stderr=float(np.hypot(seen.stderr, right.stderr)))
        where = {"n_t": n, "n_v": rows, "p": size, "alpha_t": rate}
        found.append(mean_check("deviation for one task", where, value, seen, time.monotonic() - started))
    return found


_SIZES: tuple[Mapping[str, float], ...] = SIZES

STEPS: tuple[Step, ...] = (
    Step(
        "one-task-suffices",
        (),
        Kind.BEYOND,
        "Above p = n_v m + 1 the deviation that tasks and label noise cause is, exactly and at every training rate, that of "
        "one task times a factor: the best rate does not depend on the number of tasks.",
        "beyond",
        regime=Regime.OVER,
        uses=(
            "outer-mean-square-as-trace",
            "target-covariance-blocks",
            "stacked-design",
            "inverse-wishart-mean",
        ),
        depends_on=DEPENDS,
        claim=_claim_tasks,
        derivation=tasks_chain,
        check=_check_tasks,
        sizes=_SIZES,
        applies=rotations,
        method="row spaces of the tasks are independent uniform frames, whatever the inner loop",
    ),
    Step(
        "two-small-matrices",
        (),
        Kind.BEYOND,
        "One task in rotated coordinates: with independent Gaussian U and V of n_t rows, and n_v and p - n_v columns, its trace is "
        "that of square matrices of n_v rows, of which S = U^T U and U^T V V^T U are all that matters after one step.",
        "beyond",
        uses=("stacked-design", "target-covariance", "gaussian-inputs", "inverse-wishart-mean"),
        depends_on=DEPENDS,
        claim=_claim_one_task,
        not_sampled=dict.fromkeys(_claim_one_task(), BY_MOVES),
        derivation=one_task_chain,
        check=_check_one_task,
        sizes=_SIZES,
        applies=rotations,
        method="validation inputs turned to the first coordinates",
    ),
)
