"""The figures as entries of the ledger: what each shows, and which formula it draws.

-  figure-1  the graphical model of mixed linear regression
-  figure-2  the loss over both rates, p > n_v m
-  figure-3  the loss over both rates, p < n_v m
-  figure-4  the loss over both rates with random covariances
-  figure-5  the loss over the training rate with a network, which the text leaves to three readings
-  figure-6  the loss over the training rate, from one regime to the other
"""

from __future__ import annotations

from derivations.language.assumptions import NAMES, PAPER, Assumptions
from derivations.paper.experiments.agreement import agreement
from derivations.paper.wide_network.signs import sign_checks
from derivations.steps.step import Erratum, Kind, Step


def _paper_only(assumptions: Assumptions) -> str | None:
    return None if assumptions == PAPER else "the experiment is the paper's"


def _figure(number: int, statement: str, uses: tuple[str, ...], *, other_rate: bool = False) -> Step:
    """A figure of the loss over the rates: its experiment against the estimate at every point."""
    said = (
        f"The text introduces Figure {number}b as a function of the training learning rate but writes alpha_r for it; the "
        "caption, and what is drawn, have alpha_t."
    )
    return Step(
        f"figure-{number}",
        (),
        Kind.FIGURE,
        statement,
        f"figure{number}",
        uses=uses,
        depends_on=tuple(NAMES),
        applies=_paper_only,
        check=agreement,
        reason="an experiment; its chapter shows it beside the formula",
        remark="Compared here: the plain protocol, with the runs of the caption, and the estimate that draws inputs alone and averages "
        "all else in closed form, at every point and in the mean over each panel. The formula is in the figure.",
        errata={Erratum.WORDING: said} if other_rate else {},
    )


STEPS: tuple[Step, ...] = (
    Step(
        "figure-1",
        (),
        Kind.FIGURE,
        "How data arise: the graphical model of mixed linear regression.",
        "setup",
        uses=("data-model",),
        reason="a drawing of the definitions",
    ),
    _figure(
        2,
        "The loss over both learning rates with more parameters than validation points.",
        ("theorem-1",),
        other_rate=True,
    ),
    _figure(
        3,
        "The loss over both learning rates with more validation points than parameters.",
        ("theorem-2",),
        other_rate=True,
    ),
    _figure(
        4,
        "The loss over both learning rates with random covariances of inputs and tasks.",
        ("theorem-3", "wishart-covariances"),
    ),
    Step(
        "figure-5",
        (),
        Kind.FIGURE,
        "The loss over the training rate with a network of two hidden layers on a quadratic target.",
        "figure5",
        uses=("nonlinear-loss", "linearized-model", "theorem-3"),
        depends_on=tuple(NAMES),
        applies=_paper_only,
        check=sign_checks,
        reason="an experiment; its chapter shows what it gives under each reading of the text",
        remark="Compared here: the side of zero on which (14) has the lower loss with the moments of the tangent features, for b "
        "drawn anew in each task, and linearized networks. Trained networks are in the figure.",
        errata={
            Erratum.CONDITION: "Section 5.4 does not say how often the bias b is drawn: where it is drawn anew in each task, "
            "as the other parameters of a task are, the best rate is positive; where all tasks share it or each point has "
            "its own, a negative rate of the reported size improves on zero, and lower ones improve further."
        },
    ),
    _figure(
        6,
        "The loss over the training rate from one regime to the other.",
        ("theorem-1", "theorem-2"),
    ),
)
