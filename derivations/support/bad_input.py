"""What a user gave and must change, told apart from an error of the program."""

from __future__ import annotations


class BadInput(ValueError):
    """Input that is wrong or cannot be served: one line that names the problem and the remedy."""
