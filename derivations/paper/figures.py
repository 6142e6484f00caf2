"""The figures as entries of the ledger: what each shows, and which formula it draws.

-  figure-1  the graphical model of mixed linear regression
-  figure-2  the loss over both rates, p > n_v m
-  figure-3  the loss over both rates, p < n_v m
-  figure-4  the loss over both rates with random covariances
-  figure-6  the loss over the training rate, from one regime to the other
"""

from __future__ import annotations

from derivations.steps.step import Step

_SIMULATED = "the points of a figure are simulated and its lines are the formulas; the chapter shows both"


def _figure(number: int, statement: str, uses: tuple[str, ...], reason: str, page: str) -> Step:
    return Step(f"figure-{number}", (), "figure", statement, page, uses=uses, reason=reason)


STEPS: tuple[Step, ...] = (
    _figure(
        1,
        "How data arise: the graphical model of mixed linear regression.",
        ("data-model",),
        "a drawing of the definitions",
        "setup",
    ),
    _figure(
        2,
        "The loss over both learning rates with more parameters than validation points.",
        ("theorem-1",),
        _SIMULATED,
        "figure2",
    ),
    _figure(
        3,
        "The loss over both learning rates with more validation points than parameters.",
        ("theorem-2",),
        _SIMULATED,
        "figure3",
    ),
    _figure(
        4,
        "The loss over both learning rates with random covariances of inputs and tasks.",
        ("theorem-3", "wishart-covariances"),
        _SIMULATED,
        "figure4",
    ),
    _figure(
        6,
        "The loss over the training rate from one regime to the other.",
        ("theorem-1", "theorem-2"),
        _SIMULATED,
        "figure6",
    ),
)
