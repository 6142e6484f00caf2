"""The graphical model of the data, and what each stage of learning reads of it, as one drawing (SVG).

Round nodes are random variables (shaded: observed), squares are parameters, a plate repeats what it frames.
Drawn from the definitions (4), (18), (19), (24), (26), (28)-(30); the lower row is (21), (22), (25), (23).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 660, 430
RADIUS = 19.0
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


def plate(x: float, y: float, width: float, height: float, text: str, *, low: bool = False) -> str:
    """A frame with what it repeats over in its upper (or lower) left corner."""
    return (
        f'<rect class="l" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="8"/>'
        f'<text class="t" x="{x + 7:g}" y="{(y + height - 7 if low else y + 15):g}">{text}</text>'
    )


def box(x: float, lines: Sequence[str]) -> str:
    """A stage of learning in the lower row."""
    texts = "".join(
        f'<text class="b" x="{x:g}" y="{382 + 17 * k:g}">{text}</text>' for k, text in enumerate(lines)
    )
    return f'<rect class="l d" x="{x - 70:g}" y="362" width="140" height="48" rx="8"/>{texts}'


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
    mean, spread = Node("w", 290, 34, lower="0", parameter=True), Node("ν", 370, 34, parameter=True)
    noise = Node("σ", 330, 322, parameter=True)
    task, target = Node("w", 157, 112, upper="(i)"), Node("w", 503, 112, upper="′")
    columns = (("t", 80, task), ("v", 234, task), ("r", 426, target), ("s", 580, target))
    parts = [
        plate(8, 78, 298, 268, f"{_italic('i')} = 1 … {_italic('m')}", low=True),
        plate(354, 78, 298, 268, "target task", low=True),
    ]
    arrows = [arrow(cause, effect) for cause in (mean, spread) for effect in (task, target)]
    nodes = [mean, spread, noise, task, target]
    for which, x, parameters in columns:
        data = Node("x", x, 192, upper=which, observed=True)
        label = Node("y", x, 262, upper=which, observed=True)
        parts.append(plate(x - 45, 158, 90, 142, _italic("n", lower=which)))
        arrows += [arrow(data, label), arrow(parameters, label), arrow(noise, label)]
        nodes += [data, label]
    stages = (
        (80, ("inner loop:", f"a step {_italic('α', lower='t')} from {_italic('ω')}")),
        (234, ("outer loop:", f"best {_italic('ω')} is {_italic('ω', upper='⋆')}")),
        (426, ("adaptation:", f"a step {_italic('α', lower='r')} from {_italic('ω', upper='⋆')}")),
        (580, ("test loss", f"at {_italic('θ', upper='⋆')}")),
    )
    parts += [box(x, lines) for x, lines in stages]
    arrows += [_line((x, 301), (x, 356), "l d") for x, _ in stages]
    arrows += [_line((a + 71, 386), (b - 76, 386), "l d") for a, b in ((80, 234), (234, 426), (426, 580))]
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
