"""What a caller gave and cannot be sampled, told apart from an error of the program."""

from __future__ import annotations


class Impossible(ValueError):
    """Values that are wrong or cannot be served: one line that names the problem and the remedy."""
