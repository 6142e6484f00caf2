"""What a caller asked and cannot have, told apart from an error of the engine."""

from __future__ import annotations


class Refused(ValueError):
    """A question that is wrong or cannot be served: one line that names the problem and the remedy."""
