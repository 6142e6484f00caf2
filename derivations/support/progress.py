"""What is running and what remains, on stderr: one line that is rewritten in place on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

NARROWEST = 20
WIDEST_BAR = 24
SILENCE = 30.0
"""Seconds after which long work says something where stderr is no terminal."""


def on_a_terminal() -> bool:
    """Whether someone watches stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


class ProgressLine:
    """Counts what is done, as a context manager; it never fills the last column, where some terminals begin a new line.

    Where stderr is no terminal, as in a log, it writes a whole line after each `SILENCE`.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._started = self._said = time.monotonic()

    def show(self, running: Sequence[str], done: int, total: int) -> None:
        """Say how many of how many are done, since when, and which are running."""
        seconds = int(time.monotonic() - self._started)
        text = f"{self._what} {done}/{total}, {seconds // 60}:{seconds % 60:02d}"
        if not on_a_terminal():
            if time.monotonic() - self._said >= SILENCE:
                self.say(f"{text} {', '.join(running)}".rstrip())
            return
        width = max(shutil.get_terminal_size().columns, NARROWEST) - 1
        bar = min(WIDEST_BAR, width - len(text) - 3)
        if bar >= 8:
            filled = bar * done // max(total, 1)
            text += f" [{'#' * filled}{'.' * (bar - filled)}]"
        text = shortened_to(f"{text} {', '.join(running)}".rstrip(), width)
        sys.stderr.write(f"\r{text:{width}s}")
        sys.stderr.flush()

    def say(self, text: str) -> None:
        """A line of its own where stderr is no terminal; one that cannot be written ends no work."""
        if sys.stderr is None or on_a_terminal():
            return
        self._said = time.monotonic()
        with suppress(OSError):
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave an empty line."""
        if on_a_terminal():
            sys.stderr.write(f"\r{'':{max(shutil.get_terminal_size().columns, NARROWEST) - 1}s}\r")
            sys.stderr.flush()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.clear()


def shortened_to(text: str, width: int) -> str:
    """The text, cut with a mark where it is longer."""
    return text if len(text) <= width else text[: max(width - 3, 0)] + "..."[:width]
