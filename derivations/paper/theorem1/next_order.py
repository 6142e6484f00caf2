"""The next order of Theorem 1: exact terms where they exist, a second-order expansion where none does.

For Gaussian inputs the start and the task variability contribute exactly known terms, at every training rate: B_i has a
uniformly distributed row space, whatever the inner loop does. Only the label noise needs an expansion, of the inverse and
of the label-noise part of Gamma to products of two fluctuations, within one task and between two.
"""

from __future__ import annotations

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.model_letters import letter
from derivations.paper.outer_problem import target_covariance
from derivations.steps.chain import Chain, Growth, Mean, Tasks
from derivations.steps.held import Held
from derivations.steps.rules import haar
from symbolic.algebra.words import Expression, gaussian, matrix, reciprocal, scalar, tr, vector

B, GAMMA, GAP = letter("B"), letter("Gamma"), vector("d", "p")
INVERSE, PLAIN = letter("inverse of B*B.T"), "XXT_inverse"
# the label noise in Gamma, and the tasks' own B_i B_i^T, both block diagonal
NOISE, OWN = (matrix(name, "N", "N", symmetric=True) for name in ("Z", haar.OWN))
PLAIN_ROWS = Tasks(
    {
        "B": lambda label: gaussian(f"X{label}", "n_v", "p"),
        "X": lambda label: gaussian(f"X{label}", "n_v", "p"),
        haar.OWN: lambda label: _own(gaussian(f"X{label}", "n_v", "p")),
        haar.OWN_PLAIN: lambda label: _own(gaussian(f"X{label}", "n_v", "p")),
    }
)


def _own(block: Expression) -> Expression:
    return block @ block.T


def tasks(assumptions: Assumptions) -> Tasks:
    """The blocks of B and Gamma, and the two parts of Gamma."""

    def design(label: str) -> Expression:
        return model.task(assumptions, label).design

    def noise(label: str) -> Expression:
        return target_covariance(assumptions, label, label).replace({"nu": 0})

    return Tasks(
        {
            "B": design,
            "Gamma": lambda label: target_covariance(assumptions, label, label),
            "Z": noise,
            haar.OWN: lambda label: _own(design(label)),
        }
    )


def exactly_known(assumptions: Assumptions) -> Chain:
    """E|omega_star - w_0|^2 from (74) with start and task variability averaged exactly, and the label noise left."""
    made_of = tasks(assumptions)
    chain = Chain(tr(INVERSE @ GAMMA) - GAP.T @ B.T @ INVERSE @ B @ GAP + GAP.T @ GAP)
    haar.project(chain, "BBT_inverse", made_of, "outer-mean-square")
    tasks_part = scalar("nu") ** 2 * reciprocal("p") * OWN
    chain.split_blocks("Gamma", NOISE + tasks_part, made_of, "target-covariance", held=Held(assumptions))
    haar.to_plain_rows(chain, "BBT_inverse", PLAIN, made_of, PLAIN_ROWS)
    return haar.average_plain_rows(chain, PLAIN, PLAIN_ROWS)


def next_order(assumptions: Assumptions, growth: Growth) -> Chain:
    """The same with the label noise to the next order."""
    if assumptions.inputs != "gaussian":
        raise NotDerivable("the next order rests on terms that are exactly known for Gaussian inputs only")
    made_of, chain = tasks(assumptions), exactly_known(assumptions)
    chain.expand_inverse("BBT_inverse", B @ B.T, Mean("h_t", "p"), 2, "D", made_of, "gram-concentrates")
    chain.split_mean("Z", Mean("s"), "F", made_of, "noise-concentrates")
    main = chain.keep(2, growth).average_fluctuations().result
    fluctuation, other = (matrix(name, "N", "N", symmetric=True) for name in ("D", "F"))
    for product in (fluctuation @ fluctuation, fluctuation @ other):
        chain.begin(tr(product)).write_out(*{"D": None, **product.letters()})
        chain.sum_tasks(made_of).insert_blocks(made_of, "stacked-design", held=Held(assumptions))
        chain.average(*(name for name, one in chain.result.letters().items() if one.random))
    chain.begin(main).use(tr(fluctuation @ fluctuation), "v").use(tr(fluctuation @ other), "c")
    return chain.expand({"N": made_of.total}).name(GAP.T @ GAP, "dist0_sq")
