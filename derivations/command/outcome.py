"""What a subcommand hands back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """The result of a command: a document (for --json), a text, a line beside the text on stderr, and an exit status."""

    document: Any
    text: str
    status: int = 0
    aside: str = ""
