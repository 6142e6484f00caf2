"""What every shipped experiment says of how it was made."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TypedDict


class Provenance(TypedDict):
    """How shipped data came to be. seconds: of processor time, or of the clock where the cores are named too."""

    command: str
    versions: dict[str, str]
    seconds: float


def versions() -> dict[str, str]:
    """The versions that the numbers of an experiment depend on."""
    return {"python": platform.python_version(), "numpy": version("numpy")}
