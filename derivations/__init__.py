"""The paper as a program: `step` and `steps` give its equations, `figure` its figures, `moment` exact expectations.

>>> import derivations as d
>>> d.step("eq5").equations
('5', '81')
>>> d.steps()[:2]
['meta-loss', 'test-loss-definition']

See `derivations.front`. Nothing is loaded until it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from derivations.front import figure, moment, step

    def steps() -> list[str]:
        """The names of all steps, in reading order."""


__all__ = ["figure", "moment", "step", "steps"]


def __getattr__(name: str) -> Any:
    if name == "steps":  # the room, which is also the function
        return importlib.import_module("derivations.steps")
    if name in __all__:
        return getattr(importlib.import_module("derivations.front"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
