"""Whether what a proof shows of a sign, an order or a degree is shown wherever the step claims it.

A part that is a formula says by itself what was put in for a variable: it differs from the claim. A sign, an exponent and a
degree are numbers that may be the same where less is shown.
"""

from __future__ import annotations

from derivations.steps.chain import Chain
from derivations.steps.domains import ANYWHERE
from derivations.steps.labels import Order, Sign, Words
from derivations.steps.step import Step


def shown_on_less(step: Step, chain: Chain) -> str:
    """The first part that the chain shows for fewer values than the step claims it for; empty if there is none."""
    for stated in (step.claim, step.correction):
        for label in {} if stated is None else stated():
            if not isinstance(label, Sign | Order | Words):
                continue
            holds = ANYWHERE if isinstance(label, Words) else label.holds
            for place, labels in chain.shown.items():
                fault = holds.lacks(chain.where(place)) if label in labels else ""
                if fault:
                    return f"{label}: {fault}"
    return ""
