"""What verification says of a step: the status of its proof and of its sampling, and which of them count as passed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

# what is said where nothing is remembered of a step
NOT_VERIFIED = "not verified yet"


class ProofStatus(StrEnum):
    """How the claim of a step stands against its derivation."""

    PROVED = "proved"
    EXPANDED = "expanded"
    CONDITIONAL = "conditional"
    CORRECTED = "corrected"
    DERIVED = "derived"
    CONJECTURE = "conjecture"
    DEFINITION = "definition"
    NOT_APPLICABLE = "not-applicable"
    FAILED = "failed"
    NONE = "none"
    SKIPPED = "skipped"

    @property
    def meaning(self) -> str:
        """What the status says, in one sentence: the only place that explains it."""
        return _MEANINGS[self]

    @property
    def passes(self) -> bool:
        """Whether a step with this proof is verified as far as its proof goes."""
        return self not in (ProofStatus.FAILED, ProofStatus.NONE)

    @property
    def stands(self) -> bool:
        """Whether what the step derives is established, so that its formulas and proofs may be shown and used."""
        return self in _STANDING

    @property
    def checked(self) -> bool:
        """Whether a claim was held against a derivation at all, or there is none to hold."""
        unheld = (
            ProofStatus.CONJECTURE,
            ProofStatus.NOT_APPLICABLE,
            ProofStatus.NONE,
            ProofStatus.SKIPPED,
        )
        return self not in unheld


_STANDING = frozenset(
    {
        ProofStatus.PROVED,
        ProofStatus.EXPANDED,
        ProofStatus.CONDITIONAL,
        ProofStatus.CORRECTED,
        ProofStatus.DERIVED,
    }
)
_MEANINGS: Mapping[ProofStatus, str] = {
    ProofStatus.PROVED: "The exact derivation minus the claim is identically zero, and what an asymptotic claim neglects "
    "is bounded.",
    ProofStatus.EXPANDED: "The leading term is derived exactly, and the order of what is neglected is found by counting "
    "powers; that the rest of the expectation is no larger is not bounded.",
    ProofStatus.CONDITIONAL: "True under a condition that the print lacks: the condition is proved to suffice, and an exact "
    "counterexample shows that something is needed.",
    ProofStatus.CORRECTED: "The printed claim is disproved by an exact counterexample; the corrected form is derived "
    "exactly. A corrected order is that of the first term left out: the rest is counted, not bounded.",
    ProofStatus.DERIVED: "Under changed assumptions: the formula stands, the printed claim is not asserted.",
    ProofStatus.CONJECTURE: "Nobody has proved it and nothing rests on it: sampling is all that speaks for it. It counts neither as "
    "proved nor as failed.",
    ProofStatus.DEFINITION: "The equation names something. There is nothing to prove, and something later uses it.",
    ProofStatus.NOT_APPLICABLE: "A figure, or an approximation that is no identity. The reason is given.",
    ProofStatus.FAILED: "The derivation and the claim differ, or their difference could not be decided.",
    ProofStatus.NONE: "There is no derivation.",
    ProofStatus.SKIPPED: "Not asked for.",
}


class NumericStatus(StrEnum):
    """How the formula of a step stands against sampling."""

    AGREE = "agree"
    DISAGREE = "disagree"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not-applicable"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def meaning(self) -> str:
        """What the status says, in one sentence: the only place that explains it."""
        return _NUMERIC_MEANINGS[self]

    @property
    def passes(self) -> bool:
        """Whether a step with this number is verified as far as sampling goes."""
        return self in (NumericStatus.AGREE, NumericStatus.NOT_APPLICABLE, NumericStatus.SKIPPED)

    @property
    def checked(self) -> bool:
        """Whether anything was compared."""
        return self not in (NumericStatus.NOT_APPLICABLE, NumericStatus.SKIPPED)


_NUMERIC_MEANINGS: Mapping[NumericStatus, str] = {
    NumericStatus.AGREE: "At three or more unequal sizes the sampled mean is within five standard errors of the formula, and "
    "five standard errors are at most one per cent of it, or at most the resolution that is declared for what is zero, holds draw by draw, or is an "
    "experiment of a figure. A sign: it is that of the mean by at least five standard errors. An order: the fitted exponent is the stated one.",
    NumericStatus.DISAGREE: "The sampled mean is further away than that.",
    NumericStatus.INCONCLUSIVE: "Too few draws to tell. This counts as not passed.",
    NumericStatus.NOT_APPLICABLE: "Nothing to sample. The reason is given.",
    NumericStatus.FAILED: "The sampling itself failed.",
    NumericStatus.SKIPPED: "Not asked for.",
}
