"""The graphical model of the data, and what each stage of learning reads of it, as one drawing (SVG).

Round nodes are random variables (shaded: observed), squares are parameters, a plate repeats what it frames.
Drawn from the definitions (4), (18), (19), (24), (26), (28)-(30); the lower row is (21), (22), (25), (23).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# as narrow as its words allow, so that its letters are read on a phone
WIDTH, HEIGHT = 464, 446
RADIUS = 19.0
# the row of stages: where it begins, and half the width of a stage
STAGE, HALF = 368, 42
# the columns of data
COLUMNS = (56, 162, 302, 408)
_STYLE = (
    "text{font-family:'Latin Modern Math','STIX Two Text',Georgia,serif;fill:currentColor}"
    ".v{font-style:italic;font-size:17px;text-anchor:middle}.s{font-size:11px}"
    ".t{font-size:13px}.b{font-size:13px;text-anchor:middle}"
    ".l{stroke:currentColor;fill:none;stroke-width:1.2}.d{stroke-dasharray:4 3}"
    ".n{stroke:currentColor;stroke-width:1.3;fill:none}.o{fill:currentColor;fill-opacity:.13}"
)


@dataclass(frozen=True)
class Node:
    """A variable: its letter, upper and lower index, place; observed or not; a parameter is drawn square."""

    letter: str
    x: float
    y: float
    upper: str = ""
    lower: str = ""
    observed: bool = False
    parameter: bool = False

    def svg(self) -> str:
        """The outline and the letter."""
        kind = "n o" if self.observed else "n"
        if self.parameter:
            size = 0.8 * RADIUS
            outline = (
                f'<rect class="{kind}" x="{self.x - size:g}" y="{self.y - size:g}" width="{2 * size:g}" '
                f'height="{2 * size:g}" rx="3"/>'
            )
        else:
            outline = f'<circle class="{kind}" cx="{self.x:g}" cy="{self.y:g}" r="{RADIUS:g}"/>'
        indices = "".join(
            f'<tspan class="s" dy="{shift}">{text}</tspan>'
            for shift, text in ((-6, self.upper), (4, self.lower))
            if text
        )
        return f'{outline}<text class="v" x="{self.x:g}" y="{self.y + 5:g}">{self.letter}{indices}</text>'


def arrow(start: Node, end: Node) -> str:
    """A line with a head from the edge of one node to the edge of another."""
    length = math.hypot(end.x - start.x, end.y - start.y)
    dx, dy = (end.x - start.x) / length, (end.y - start.y) / length
    begin = (start.x + dx * RADIUS, start.y + dy * RADIUS)
    tip = (end.x - dx * (RADIUS + 5), end.y - dy * (RADIUS + 5))
    return _line(begin, tip)


def _line(start: tuple[float, float], end: tuple[float, float], kind: str = "l") -> str:
    x1, y1, x2, y2 = (f"{value:.1f}" for value in (*start, *end))
    return f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" marker-end="url(#head)"/>'


def plate(x: float, y: float, width: float, height: float, text: str, *, place: str) -> str:
    """A frame with what it repeats over: in its upper `left` or `right` corner, or `below`, in the middle."""
    at, line, anchor = {
        "left": (x + 7, y + 15, "start"),
        "right": (x + width - 7, y + 15, "end"),
        "below": (x + width / 2, y + height - 9, "middle"),
    }[place]
    return (
        f'<rect class="l" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="8"/>'
        f'<text class="t" text-anchor="{anchor}" x="{at:g}" y="{line:g}">{text}</text>'
    )


def box(x: float, lines: Sequence[str]) -> str:
    """A stage of learning in the lower row."""
    texts = "".join(
        f'<text class="b" x="{x:g}" y="{STAGE + 20 + 17 * k:g}">{text}</text>' for k, text in enumerate(lines)
    )
    return (
        f'<rect class="l d" x="{x - HALF:g}" y="{STAGE:g}" width="{2 * HALF:g}" height="66" rx="8"/>{texts}'
    )


def _italic(letter: str, upper: str = "", lower: str = "") -> str:
    # an index moves the line; the last, empty shift brings it back
    text, drop = f'<tspan font-style="italic">{letter}</tspan>', 0
    for index, shift in ((upper, -5), (lower, 3)):
        if index:
            text += f'<tspan font-size="10" dy="{shift}">{index}</tspan>'
            drop += shift
    return text + (f'<tspan dy="{-drop}">\u200b</tspan>' if drop else "")


def draw() -> str:
    """The drawing as SVG text; lines and letters take the colour of the surrounding text."""
    mean, spread = Node("w", 204, 34, lower="0", parameter=True), Node("ν", 260, 34, parameter=True)
    noise = Node("σ", 232, 324, parameter=True)
    task, target = Node("w", 109, 112, upper="(i)"), Node("w", 355, 112, upper="′")
    columns = tuple(zip("tvrs", COLUMNS, (task, task, target, target), strict=True))
    parts = [
        plate(6, 78, 206, 272, f"{_italic('i')} = 1 … {_italic('m')}", place="below"),
        plate(252, 78, 206, 272, "target task", place="below"),
    ]
    arrows = [arrow(cause, effect) for cause in (mean, spread) for effect in (task, target)]
    nodes = [mean, spread, noise, task, target]
    for which, x, parameters in columns:
        data = Node("x", x, 192, upper=which, observed=True)
        label = Node("y", x, 262, upper=which, observed=True)
        corner = "left" if x < parameters.x else "right"
        parts.append(plate(x - HALF, 158, 2 * HALF, 142, _italic("n", lower=which), place=corner))
        arrows += [arrow(data, label), arrow(parameters, label), arrow(noise, label)]
        nodes += [data, label]
    stages = (
        ("inner loop:", f"a step {_italic('α', lower='t')}", f"from {_italic('ω')}"),
        ("outer loop:", f"best {_italic('ω')}", f"is {_italic('ω', upper='⋆')}"),
        ("adaptation:", f"a step {_italic('α', lower='r')}", f"from {_italic('ω', upper='⋆')}"),
        ("test loss", f"at {_italic('θ', upper='⋆')}"),
    )
    parts += [box(x, lines) for x, lines in zip(COLUMNS, stages, strict=True)]
    arrows += [_line((x, 301), (x, STAGE - 6), "l d") for x in COLUMNS]
    ends = [(a + HALF + 1, b - HALF - 6) for a, b in pairwise(COLUMNS)]
    arrows += [_line((a, STAGE + 33), (b, STAGE + 33), "l d") for a, b in ends]
    head = (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>'
    )
    body = "".join((*parts, *arrows, *(node.svg() for node in nodes)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="Graphical model: task parameters around a common mean give labels to training, '
        'validation, target and test inputs; learning reads them in that order">'
        f"<style>{_STYLE}</style>{head}{body}</svg>"
    )
