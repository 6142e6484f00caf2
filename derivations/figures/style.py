"""What every figure has in common: sizes, colours, names of axes, and digits kept before drawing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Series = dict[str, object]
# Digits kept before drawing: far below the width of a line, far above the rounding of another processor.
DIGITS = 6
BARS = 2.0
# From Okabe and Ito's palette: safe for colour-blind readers; in grey, the shapes tell the marks apart.
VERMILION, BLUE = "#d55e00", "#0072b2"
STYLE: dict[str, object] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelsize": 11,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "savefig.dpi": 110,
    "svg.fonttype": "path",
}
LABELS = {"alpha_r": r"adaptation rate $\alpha_r$", "alpha_t": r"training rate $\alpha_t$"}


def styled(salt: str) -> AbstractContextManager[None]:
    """Drawing with the library's own settings and ours: a user's would make another picture. salt: of the ids in an SVG."""
    defaults = {key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith("backend")}
    settings: Any = {**defaults, **STYLE, "svg.hashsalt": salt}
    return mpl.rc_context(settings)


def rounded(values: Sequence[float] | Array) -> Array:
    """The values as they are drawn, the same on every machine."""
    return np.array([float(f"{value:.{DIGITS}g}") for value in values])
