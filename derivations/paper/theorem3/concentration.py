"""Means and orders of the blocks of Theorem 3: B B^T, Gamma and B H_r B^T, with general covariances.

The means hold for inputs of any law, by independence of the rows. So does the order of B B^T, which follows from the
conditions (134)-(136). The orders of Gamma and B H_r B^T do not: they are those of exact variances for Gaussian inputs, with
traces of powers of Sigma of order xi, its largest eigenvalue of order one, Tr Sigma_w^2 of order 1/xi.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.model_letters import letter
from derivations.paper.theorem3.general_setting import general, over_rows
from derivations.paper.theorem3.outer_problem import target_covariance
from derivations.steps.orders import ONE, element_moments
from symbolic.algebra.words import Expression, polynomial, reciprocal, scalar, tr, zero
from symbolic.proofs.asymptotics import Exponent, degree, largest, sharp_exponent

# factors X^t of a product of (136), the longest that the theorem assumes anything of
MOST_INNER = 4
ONE_INNER_STEP = ("inner_steps", "split", "noise_val", "order")
ORDERS: Mapping[str, Exponent] = {
    "p": ONE,
    "n_t": ONE,
    "trace": ONE,
    "trace_with_task": Exponent(Fraction(0)),
    "trace_with_tasks": Exponent(Fraction(-1)),
}


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


@dataclass(frozen=True)
class Concentration:
    """A random block that is `leading` times the identity up to elementwise errors of order `error`."""

    leading: Expression
    error: Exponent


def _require_supported(assumptions: Assumptions) -> None:
    if assumptions.split != "separate":
        raise NotDerivable(
            "with reused data the validation rows grow with n_t and B B^T does not concentrate"
        )
    if assumptions.inner_steps != 1:
        raise NotDerivable("several inner steps need moments of the inputs beyond the fourth")
    if assumptions.order != "leading":
        raise NotDerivable("derived here at leading order")


def mean_diagonal(block: Expression) -> Expression:
    """The mean of a diagonal element of an n_v x n_v block, for inputs of any law."""
    return over_rows(tr(block) * reciprocal("n_v"), "X_v1", "X_t1")


def _concentration(same: Expression, other: Expression | None) -> Concentration:
    blocks = {"same task": same} | ({} if other is None else {"other task": other})
    moments = element_moments(blocks, bound=bound_traces)
    return Concentration(
        mean_diagonal(same), sharp_exponent(list(moments.errors), list(moments.variances), ORDERS)
    )


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


def _designs(assumptions: Assumptions) -> tuple[Expression, Expression]:
    _require_supported(assumptions)
    one, two = (model.task(general(assumptions), index).design for index in ("1", "2"))
    return one, two


@lru_cache(maxsize=16)
def gram(assumptions: Assumptions) -> Concentration:
    """B B^T."""
    one, two = _designs(assumptions)
    return Concentration(mean_diagonal(one @ one.T), order_from_conditions(one @ one.T, one @ two.T))


@lru_cache(maxsize=16)
def noise(assumptions: Assumptions) -> Concentration:
    """Gamma (blocks between tasks vanish exactly, (130))."""
    _require_supported(assumptions)
    return _concentration(target_covariance(assumptions, "1", "1"), None)


@lru_cache(maxsize=16)
def weighted(assumptions: Assumptions) -> Concentration:
    """B H B^T for a symmetric matrix H, the letter H_r."""
    one, two = _designs(assumptions)
    return _concentration(one @ letter("H_r") @ one.T, one @ letter("H_r") @ two.T)


def training_weight(assumptions: Assumptions) -> Expression:
    """H_t."""
    _require_supported(assumptions)
    a = model.task(general(assumptions)).contraction
    return over_rows(a.T @ model.SIGMA @ a, "X_t")


BLOCKS = {"gram": gram, "noise": noise, "weighted": weighted}
