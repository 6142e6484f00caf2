"""What verification says of a step: the status of its proof and of its sampling, and which of them count as passed."""

from __future__ import annotations

from enum import StrEnum


class ProofStatus(StrEnum):
    """How the claim of a step stands against its derivation."""

    PROVED = "proved"
    CORRECTED = "corrected"
    DERIVED = "derived"
    DEFINITION = "definition"
    NOT_APPLICABLE = "not-applicable"
    FAILED = "failed"
    NONE = "none"
    SKIPPED = "skipped"

    @property
    def passes(self) -> bool:
        """Whether a step with this proof is verified as far as its proof goes."""
        return self not in (ProofStatus.FAILED, ProofStatus.NONE)

    @property
    def checked(self) -> bool:
        """Whether a claim was held against a derivation at all, or there is none to hold."""
        return self not in (ProofStatus.NOT_APPLICABLE, ProofStatus.NONE, ProofStatus.SKIPPED)


class NumericStatus(StrEnum):
    """How the formula of a step stands against sampling."""

    AGREE = "agree"
    DISAGREE = "disagree"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not-applicable"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def passes(self) -> bool:
        """Whether a step with this number is verified as far as sampling goes."""
        return self in (NumericStatus.AGREE, NumericStatus.NOT_APPLICABLE, NumericStatus.SKIPPED)

    @property
    def checked(self) -> bool:
        """Whether anything was compared."""
        return self not in (NumericStatus.NOT_APPLICABLE, NumericStatus.SKIPPED)
