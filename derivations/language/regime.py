"""The two regimes of the outer problem: more parameters than validation data, or fewer."""

from __future__ import annotations

from enum import Enum
from typing import Any


class Regime(Enum):
    """Which way p compares with n_v m. At p = n_v m neither regime holds."""

    OVER = "over"
    UNDER = "under"

    @property
    def title(self) -> str:
        """The regime as an inequality."""
        return self.inequality("p", "n_v m")

    def inequality(self, size: str, rows: str) -> str:
        """How p and n_v m compare, whatever stands for them."""
        return f"{size} {'>' if self is Regime.OVER else '<'} {rows}"

    def with_room(self, size: str, rows: str) -> str:
        """The same with one to spare, where means of inverse Wishart matrices are finite."""
        return f"{self.inequality(size, rows)}{'+' if self is Regime.OVER else '-'}1"

    @property
    def other(self) -> Regime:
        """The other of the two."""
        return Regime.UNDER if self is Regime.OVER else Regime.OVER

    def __str__(self) -> str:
        return f"{self.title} ({self.value}parameterized)"

    def holds(self, rows: Any, size: Any) -> Any:
        """Whether n_v m = rows and p = size are in this regime; for arrays, where."""
        return size > rows if self is Regime.OVER else size < rows
