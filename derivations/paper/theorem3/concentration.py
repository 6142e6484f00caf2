"""Means and orders of the blocks of Theorem 3: B B^T, Gamma and B H_r B^T, with general covariances; and what follows.

The means hold for inputs of any law, by independence of the rows. So does the order of B B^T, which follows from the
conditions (134)-(136). The orders of Gamma and B H_r B^T do not: they are those of exact variances for Gaussian inputs, with
traces of powers of Sigma of order xi, its largest eigenvalue of order one, Tr Sigma_w^2 of order 1/xi. With several
gradient steps inputs are Gaussian, of which every moment is known.

The square (133) is written with stacked letters and expanded in the fluctuations of its blocks about their means; a single
fluctuation averages to zero, so that the means are the leading order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.bounds import require_derivable
from derivations.language.model_letters import letter
from derivations.language.regime import Regime
from derivations.paper.theorem1 import reused_data
from derivations.paper.theorem3.general_setting import general, over_rows
from derivations.paper.theorem3.outer_problem import MEAN_FORM, target_covariance
from derivations.paper.theorem3.target_task import adaptation_weight
from derivations.steps.chain import Chain, Growth, Mean, Tasks, abbreviation, carried_out
from derivations.steps.held import Held
from derivations.steps.labels import LEADING, ORDER
from derivations.steps.orders import ONE
from derivations.steps.rules import haar
from symbolic.algebra.words import (
    Expression,
    gaussian,
    matrix,
    polynomial,
    reciprocal,
    scalar,
    tr,
    zero,
)
from symbolic.averages.expectation import expect
from symbolic.proofs.asymptotics import Exponent, degree, largest

# factors X^t of a product of (136), the longest that the theorem assumes anything of
MOST_INNER = 4
ONE_INNER_STEP = ("inner_steps", "split", "noise_val", "order")
NOTHING = Exponent(Fraction(0))
ORDERS: Mapping[str, Exponent] = {
    "p": ONE,
    "n_t": ONE,
    "trace": ONE,
    "trace_with_task": NOTHING,
    "trace_with_tasks": Exponent(Fraction(-1)),
}
# the numbers from which the size xi grows where a move is sampled: large enough that the matrices drawn for Sigma and
# Sigma_w, others at each size, hardly differ in their traces
BASE = {
    "n_t": 17,
    "n_v": 1,
    "m": 2,
    "p": 28,
    "sigma": 0.8,
    "sigma_v": 0.8,
    "alpha_t": 0.2,
    "|Sigma_w|": 1 / 28,
}
B, GAMMA, WEIGHT, INVERSE = letter("B"), letter("Gamma"), letter("H_r"), letter("inverse of B*B.T")


def gaussian_fourth(chain: Chain) -> Chain:
    """Set out for F of (111), of Gaussian inputs."""
    x = gaussian("x", "1", "p", covariance="Sigma")
    return chain.begin(tr(x @ model.SIGMA @ x.T) * (x.T @ x)).average("x", reads=("fourth-moment",))


# F of Gaussian inputs
F_GAUSSIAN = gaussian_fourth(Chain(zero())).result


def bound_traces(expr: Expression) -> Expression:
    """Traces of words in Sigma, Sigma_w and H_r as scalars of known order.

    Without Sigma_w they are sums of p bounded terms. By Cauchy-Schwarz |Tr(Sigma_w M)| is at most
    |Sigma_w| |M| in Frobenius norms, of order one; with two factors Sigma_w it is at most a multiple of
    |Sigma_w|^2, of order 1/xi.
    """
    names = ("trace", "trace_with_task", "trace_with_tasks")
    total = zero()
    for term, coefficient in expr.terms.items():
        bound = polynomial(coefficient)
        for word in term.traces:
            count = sum(factor.name == "Sigma_w" for factor in word)
            if count > 2 or any(factor.name not in ("Sigma", "Sigma_w", "H_r") for factor in word):
                raise ValueError(f"no order is known for the traces of {expr}")
            bound = bound * scalar(names[count])
        total = total + bound
    return total


# the orders of (137)-(141) are sampled by their steps, for two laws
COUNTED = Growth("xi", ORDERS, {}, bound=bound_traces)
_GROWN = {**ORDERS, "|Sigma_w|": Exponent(Fraction(-1))}
XI = Growth("xi", _GROWN, BASE, bound=bound_traces)
# reused data: as many validation rows as training data, whose number stays fixed
FEW_ROWS = Growth(
    "xi",
    {k: x for k, x in _GROWN.items() if k != "n_t"},
    {**BASE, "n_t": 2, "p": 24, "|Sigma_w|": 1 / 24},
    bound=bound_traces,
)


# -- the blocks ---------------------------------------------------------------------------------------------


def _require_supported(assumptions: Assumptions, *, every_moment: bool) -> None:
    if assumptions.split != "separate":
        raise NotDerivable(
            "with reused data the validation rows grow with n_t and B B^T does not concentrate"
        )
    _require_leading(assumptions)
    if assumptions.inner_steps > 1 and not every_moment:
        raise NotDerivable("several inner steps need moments of the inputs beyond the fourth")


def _require_leading(assumptions: Assumptions) -> None:
    if assumptions.order != "leading":
        raise NotDerivable("derived here at leading order")


def over_data(expr: Expression) -> Expression:
    """The average over the data of tasks, validation rows first, by independence of the rows."""
    averaged = over_rows(expr, *(name for name in expr.letters() if name.startswith("X_v")))
    return over_rows(averaged, *(name for name in averaged.letters() if name.startswith("X_t")))


def over_gaussian_data(expr: Expression) -> Expression:
    """The same for Gaussian inputs, of which every moment is known."""
    return expect(over_rows(expr, *(name for name in expr.letters() if name.startswith("X_v"))))


def tasks(assumptions: Assumptions, *, every_moment: bool = False) -> Tasks:
    """The blocks of B and Gamma of (127), (131); blocks of Gamma between tasks vanish exactly (130).

    every_moment: whether inputs are Gaussian, of which every moment is known, instead of F alone.
    """
    _require_supported(assumptions, every_moment=every_moment)
    return Tasks(
        {
            "B": lambda label: model.task(general(assumptions), label).design,
            "Gamma": lambda label: target_covariance(assumptions, label, label),
        },
        average=over_gaussian_data if every_moment else over_data,
        gaussian={"F": F_GAUSSIAN},
    )


BLOCKS: Mapping[str, tuple[Expression, tuple[str, ...]]] = {
    "gram": (B @ B.T, ("general-stacked-design", "training-weight")),
    "noise": (GAMMA, ("general-target-covariance", "training-weight")),
    "weighted": (B @ WEIGHT @ B.T, ("general-stacked-design", "training-weight", "adaptation-weight")),
}


def order_from_conditions(*blocks: Expression) -> Exponent:
    """The order of the fluctuations of sums of products X^v W^k X^vT, from those that (134)-(136) assume.

    The rescaled product, over p^(1 + k), has a standard deviation of order xi^(-1/2); that of a sum is at most the sum of
    those of its terms. Raises ValueError for a product that is none of these, as one weighted by a matrix.
    """
    found = []
    for block in blocks:
        for term, coefficient in block.terms.items():
            names = [factor.name for factor in term.word or ()]
            inner, ends = names[1:-1], (names[:1] + names[-1:])
            known = all(name.startswith("X_t") for name in inner) and all(x.startswith("X_v") for x in ends)
            if term.traces or len(ends) != 2 or not known or len(inner) > MOST_INNER:
                raise ValueError(f"no condition of the theorem says how {' '.join(names)} fluctuates")
            size = degree(polynomial(coefficient), ORDERS)
            if size is not None:
                found.append(size + Exponent(Fraction(1 + len(inner) // 2)) + Exponent(Fraction(-1, 2)))
    return largest(found)


@lru_cache(maxsize=64)
def block_chain(block: str, assumptions: Assumptions) -> Chain:
    """(137)-(139): a block split into its mean and a fluctuation, and the order of the fluctuation."""
    made_of, (word, reads) = tasks(assumptions), BLOCKS[block]
    chain = Chain(reciprocal("N") * tr(word))
    if block == "noise":
        chain.split_mean("Gamma", Mean("c"), "D", made_of, *reads)
    else:
        chain.name_word(word, "K").split_mean("K", Mean("c"), "D", made_of, *reads)
    chain.keep(0, COUNTED).shows(LEADING)
    found = chain.moves[-1].order["xi"]
    if block == "gram":
        one, other = (made_of.blocks["B"](label) for label in "12")
        if order_from_conditions(one @ one.T, one @ other.T) != found:
            raise ArithmeticError("the conditions give another order than Gaussian inputs have")
    return chain.shows_order(ORDER, "xi")


@lru_cache(maxsize=32)
def inverse_chain(assumptions: Assumptions) -> Chain:
    """(141): the inverse of B B^T, without any fluctuation."""
    chain = Chain(reciprocal("N") * tr(INVERSE)).expand_inverse(
        str(next(iter(INVERSE.letters()))),
        B @ B.T,
        Mean("g"),
        0,
        "D",
        tasks(assumptions),
        "general-gram-concentrates",
    )
    chain.keep(0, COUNTED).shows(LEADING)
    return chain.shows_order(ORDER, "xi")


@lru_cache(maxsize=32)
def weight_chain(assumptions: Assumptions) -> Chain:
    """(15), (140): the matrix of the inner loop put in, and averaged over the training inputs."""
    _require_supported(assumptions, every_moment=False)
    short, task = abbreviation("A", "p"), model.task(general(assumptions))
    chain = Chain(short @ model.SIGMA @ short).insert(
        {"A": task.contraction},
        "general-stacked-design",
        held=Held(assumptions, read=lambda contraction: task.x_v @ contraction),
    )
    reads = ("rows-mean", "rows-second-moment")
    return chain.average_rows("X_t", fourth=model.FOURTH_MOMENT, reads=reads).shows("H_t")


def training_weight(assumptions: Assumptions) -> Expression:
    """H_t."""
    return carried_out(weight_chain, assumptions).result


# -- the square ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def form_chain(assumptions: Assumptions) -> Chain:
    """(133) to (142): the means of the three blocks, the products of two fluctuations left out.

    With reused data the factor that the inner loop puts before the rows is cancelled first.
    """
    every_moment = several_steps(assumptions)
    chain = Chain(tr(INVERSE @ GAMMA @ INVERSE @ B @ WEIGHT @ B.T))
    if assumptions.split == "reused":
        _require_leading(assumptions)
        made_of = _plain_tasks(assumptions)
        reused_data.cancel_factor(chain, general(assumptions), target_covariance, made_of)
        rows, inverse, noise, growth = (
            matrix(haar.PLAIN, "N", "p"),
            reused_data.PLAIN_INVERSE,
            haar.COVARIANCE,
            FEW_ROWS,
        )
    else:
        made_of = tasks(assumptions, every_moment=every_moment)
        rows, inverse, noise, growth = B, str(next(iter(INVERSE.letters()))), "Gamma", XI
    if every_moment:
        require_derivable(replace(general(assumptions), split="separate"), Regime.OVER)
    chain.name_word(rows @ WEIGHT @ rows.T, "K")
    chain.expand_inverse(
        inverse, rows @ rows.T, Mean("g"), 1, "D", made_of, "general-gram-inverse-concentrates"
    )
    chain.split_mean(noise, Mean("c"), "C", made_of, "general-noise-concentrates")
    chain.split_mean("K", Mean("w"), "E", made_of, "general-weight-concentrates")
    chain.keep(1, growth).average_fluctuations().expand({"N": made_of.total})
    return chain.shows(MEAN_FORM, weighed(chain, assumptions))


def _plain_tasks(assumptions: Assumptions) -> Tasks:
    """The plain rows and labels that reused data amount to, for inputs of any law."""
    return replace(
        reused_data.plain_tasks(general(assumptions)), average=over_data, gaussian={"F": F_GAUSSIAN}
    )


def several_steps(assumptions: Assumptions) -> bool:
    """Whether moments beyond the fourth are needed; raises NotDerivable where they are not known.

    Reused data do not see the inner loop.
    """
    inner = 1 if assumptions.split == "reused" else assumptions.inner_steps
    if max(inner, assumptions.adaptation_steps) == 1:
        return False
    if assumptions.inputs != "gaussian":
        raise NotDerivable(
            "several gradient steps need moments beyond the fourth: with a general covariance these are derived "
            "for Gaussian inputs only"
        )
    return True


def weighed(chain: Chain, assumptions: Assumptions) -> dict[str, Expression]:
    """What the names of the chain stand for, with H_r written out."""
    value = adaptation_weight(assumptions, every_moment=several_steps(assumptions))
    return {
        name: number.replace({"H_r": value} if "H_r" in number.letters() else {})
        for name, number in chain.numbers().items()
    }
