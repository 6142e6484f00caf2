"""What a step rests on, all the way down, as a drawing: the step at the top, each step below all that read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from derivations.book_pages.html import escape, plain
from derivations.steps.step import Step

# one unit is a pixel of a wide window
WIDTH, ROW, HEIGHT, GAP = 720.0, 44.0, 22.0, 10.0
LETTER, PADDING = 6.4, 8.0
FEW = 3
"""Numbers of equations that stand in a box."""
LONGEST = 26
"""Letters of a name; what a step states shows when it is pointed at."""


def ancestors(name: str, steps: Mapping[str, Step]) -> set[str]:
    """The steps that a step rests on at once or by way of others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for used in steps[waiting.pop()].uses:
            if used not in found:
                found.add(used)
                waiting.append(used)
    return found


def reduced(names: set[str], steps: Mapping[str, Step]) -> dict[str, list[str]]:
    """By step what it rests on at once, without what that rests on in turn: the way there is drawn already."""
    below = {name: ancestors(name, steps) for name in names}
    # in an order of their own: a set has another in each process, and sums of places would differ by their rounding
    return {
        name: [u for u in steps[name].uses if not any(u in below[v] for v in steps[name].uses)]
        for name in sorted(names)
    }


def levels(name: str, edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The steps by the longest way to them, each below all that rest on it; in a level by where those stand."""
    depth = {name: 0}
    waiting = [name]
    while waiting:
        step = waiting.pop()
        for used in edges[step]:
            if depth.get(used, -1) <= depth[step]:
                depth[used] = depth[step] + 1
                waiting.append(used)
    rows: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for step, level in depth.items():
        rows[level].append(step)
    place = {name: 0.5}
    readers = {step: [other for other in edges if step in edges[other]] for step in edges}
    for row in rows[1:]:
        # readers stand above: their places are known
        row.sort(key=lambda step: (sum(place[r] for r in readers[step]) / len(readers[step]), step))
        place |= {step: (k + 0.5) / len(row) for k, step in enumerate(row)}
    return rows


def label(step: Step) -> str:
    """The numbers of a step, or its name."""
    if step.equations:
        numbers = [f"({number})" for number in step.equations]
        return ", ".join(numbers) if len(numbers) <= FEW else f"{numbers[0]} … {numbers[-1]}"
    words = step.name.replace("-", " ")
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1].rstrip()}…"


def _width(step: Step) -> float:
    return LETTER * len(label(step)) + 2 * PADDING


def _packed(rows: Sequence[Sequence[str]], steps: Mapping[str, Step]) -> list[list[str]]:
    """Rows that fit the width: what is too long goes on in the next."""
    found: list[list[str]] = []
    for row in rows:
        room = 0.0
        for name in row:
            wide = _width(steps[name]) + GAP
            if room < wide:
                found.append([])
                room = WIDTH + GAP
            found[-1].append(name)
            room -= wide
    return found


def drawing(name: str, steps: Mapping[str, Step]) -> str:
    """The drawing: each step a link to its card, with lines to what it rests on, which stand out when it is pointed at or reached by keyboard."""
    edges = reduced({name, *ancestors(name, steps)}, steps)
    rows = _packed(levels(name, edges), steps)
    boxes: dict[str, tuple[float, float, float]] = {}
    for k, row in enumerate(rows):
        left = (WIDTH - sum(_width(steps[n]) + GAP for n in row) + GAP) / 2
        for n in row:
            boxes[n] = (left, k * ROW + 1, _width(steps[n]))
            left += _width(steps[n]) + GAP
    nodes = []
    for n, (left, top, wide) in boxes.items():
        lines = "".join(_line((left + wide / 2, top + HEIGHT), boxes[used]) for used in edges[n])
        step = steps[n]
        nodes.append(
            f'<g>{f"<path d={chr(34)}{lines}{chr(34)}/>" if lines else ""}<a href="{step.page}.html#step-{n}">'
            f"<title>{escape(plain(step.statement))}</title>"
            f'<rect x="{left:.0f}" y="{top:.0f}" width="{wide:.0f}" height="{HEIGHT:.0f}" rx="9"/>'
            f'<text x="{left + wide / 2:.0f}" y="{top + 15:.0f}">{escape(label(step))}</text></a></g>'
        )
    height = (len(rows) - 1) * ROW + HEIGHT + 2
    # as wide as its widest row, and never smaller than that: a phone scrolls
    begin = min(left for left, _, _ in boxes.values()) - 1
    wide = WIDTH - 2 * begin
    return (
        f'<div class="drawn broad ancestry"><svg viewBox="{begin:.0f} 0 {wide:.0f} {height:.0f}" '
        f'style="width: {wide:.0f}px; min-width: {wide:.0f}px; margin-inline: auto" '
        f'aria-label="What {escape(label(steps[name]))} rests on">{"".join(nodes)}</svg></div>'
    )


def _line(start: tuple[float, float], box: tuple[float, float, float]) -> str:
    """From below a step to above one that it rests on."""
    (x, y), (left, top, wide) = start, box
    end, bend = left + wide / 2, min((top - y) / 2, ROW)
    return f"M{x:.0f} {y:.0f}C{x:.0f} {y + bend:.0f} {end:.0f} {top - bend:.0f} {end:.0f} {top:.0f}"
