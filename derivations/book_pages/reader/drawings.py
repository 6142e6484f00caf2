"""Figures as they stand in a page: drawings in the page's own colours, and their files to take along."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Sequence

from derivations.book_pages.html import escape
from derivations.figures.style import BLUE, VERMILION, Series

DISTRIBUTION = "negative-rates-living-edition"
# colours of a drawing, and what they are on a page, light or dark
COLOURS = {
    "#000000": "currentColor",
    "#ffffff": "var(--pst-color-background, #fff)",
    BLUE: f"var(--line-blue, {BLUE})",
    VERMILION: f"var(--line-vermilion, {VERMILION})",
    # lines at zero
    "#cccccc": "var(--line-guide, #ccc)",
}
KINDS = {"csv": "text/csv", "svg": "image/svg+xml", "pdf": "application/pdf"}
_ID = re.compile(r'(\bid="|href="#|url\(#)')
# the cells of a map, whose colours are numbers: the same on a light page and on a dark one
_CELLS = re.compile(r'(<g id="QuadMesh_\d+">.*?</g>)', re.DOTALL)
_HEAD = re.compile(r"<svg [^>]*?viewBox=\"([^\"]+)\"[^>]*>", re.DOTALL)
_AXES = re.compile(
    r'<g id="axes_\d+">\s*<g id="patch_\d+">\s*<path d="M ([\d.]+) ([\d.]+)\s*L ([\d.]+) [\d.]+\s*L [\d.]+ ([\d.]+)'
)
# the places of upright labels, and of the texts of a legend
_UPRIGHT = re.compile(r"translate\(([\d.]+) ([\d.]+)\) rotate\(-90\)")
_ENTRY = re.compile(r'<g id="text_\d+">.*?translate\(([\d.]+) ([\d.]+)\)', re.DOTALL)
# left, top, width and height
Window = tuple[float, float, float, float]
# how far an upright label reaches before its place, a line of a legend before its text, and how high that is
LABEL, HANDLE, ROW = 11.0, 31.0, 15.0
STYLED = "fill: currentColor; stroke-linejoin: round"
# above a panel stands its title, and close above that the label of the axis of the panel before
TITLE = 19.0
# what is not a quarter as wide as the widest panel is a scale of colours
SCALE = 0.25
_BESIDE = re.compile(r"<metadata>.*?</metadata>|<title>.*?</title>|<!--.*?-->|<style.*?</style>", re.DOTALL)


def themed(svg: str, slug: str, described: str, *, apart: bool = True) -> str:
    """A drawing for the inside of a page: colours of the page, names of its own, and a description.

    apart: whether its panels can stand below each other on a phone.
    """
    text = _BESIDE.sub("", svg[svg.index("<svg") :])
    head = _HEAD.match(text)
    if head is None:
        raise ValueError(f"{slug} is no drawing with a viewBox")
    parts = panels(text, [float(size) for size in head[1].split()][2:]) if apart else []
    drawn = _CELLS.split(text[head.end() :])
    for colour, here in COLOURS.items():
        drawn[::2] = [part.replace(f": {colour}", f": {here}") for part in drawn[::2]]
    text = _ID.sub(rf"\1{slug}-", "".join(drawn))
    # every space counts twice: once on the wire, once in the reader's memory
    text = re.sub(r"\s*\n\s*", " ", text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{head[1]}" '
        f'role="img" aria-label="{escape(described)}" class="whole" style="{STYLED}">{text}'
        f"{stacked(slug, parts)}"
    )


def panels(svg: str, size: Sequence[float]) -> list[Window]:
    """The windows for a phone: one for each entry of the legend above the panels, or for what else stands there, and one for each
    panel with its labels and its scale of colours; nothing of one panel.
    """
    found = [tuple(map(float, places)) for places in _AXES.findall(svg)]
    # left, bottom, right and top of each
    widest = max((right - left for left, _, right, _ in found), default=0.0)
    own = [axes for axes in found if axes[2] - axes[0] > SCALE * widest]
    if len(own) < 2:
        return []
    width, height = size
    margin = min(left for left, _, _, _ in own)
    below = height - max(bottom for _, bottom, _, _ in own)
    highest = max(min(top for _, _, _, top in own) - TITLE, 0.0)
    upright = [(float(x) - LABEL, float(y)) for x, y in _UPRIGHT.findall(svg)]
    parts = []
    for left, bottom, right, top in own:
        beside = [place for place, at in upright if top <= at <= bottom + LABEL]
        row = [axes for axes in found if axes[3] == top]
        ahead = min((axes[0] for axes in own if axes in row and axes[0] > right), default=width + margin)
        scale = any(right < axes[0] < ahead for axes in row if axes not in own)
        # the next panel begins with its label, where it has one
        begins = min((place for place in beside if right < place < ahead), default=ahead - margin)
        # labels of the next panel begin before it, those of a scale end there
        end = ahead - margin if scale else min(right + 12, max(begins, right + 2), width)
        before = max((axes[2] for axes in row if axes[0] < left), default=0.0)
        label = max((place for place in beside if before < place + LABEL < left), default=None)
        start = max(left - margin, before + 4 if before else 0.0) if label is None else max(label, 0.0)
        roof = max(top - TITLE, 0.0)
        parts.append((start, roof, end - start, bottom + below - roof))
    above = entries(svg, width, highest) or ([(0.0, 0.0, width, highest)] if highest else [])
    return [*above, *parts]


def entries(svg: str, width: float, highest: float) -> list[Window]:
    """The entries of the legend above the panels, row by row."""
    _, _, legend = svg.partition('<g id="legend_1">')
    # texts with and without formulas in them stand a little higher and lower in a row
    places = sorted(
        ((float(y), float(x)) for x, y in _ENTRY.findall(legend)), key=lambda at: (round(at[0] / ROW), at[1])
    )
    if not places or places[-1][0] > highest:
        return []
    # a row that is not full ends where those above it have their next entry
    ends = [min((x for _, x in places if x > left + HANDLE), default=width + HANDLE) for _, left in places]
    return [
        (left - HANDLE, row - ROW * 0.75, end - left, ROW)
        for (row, left), end in zip(places, ends, strict=True)
    ]


def stacked(slug: str, parts: Sequence[Window]) -> str:
    """The panels of a drawing below each other, for a phone: windows on the drawing, which is there once, of one scale."""
    widest = max((part[2] for part in parts if part[3] > ROW), default=1.0)
    windows = (
        f'<svg viewBox="{" ".join(f"{one:.1f}" for one in part)}" style="{STYLED}{_share(part, widest)}" aria-hidden="true">'
        f'<use href="#{slug}-figure_1"/></svg>'
        for part in parts
    )
    return f'<div class="panels">{"".join(windows)}</div>' if parts else ""


def _share(part: Window, widest: float) -> str:
    """How much of the width a line of a legend takes; panels take all of it."""
    return f"; width: {min(100.0, 100 * part[2] / widest):.1f}%" if part[3] == ROW else ""


def table(series: Sequence[Series]) -> str:
    """What a figure shows as lines of CSV: a row for each point of each line and kind of mark."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("panel", "label", "rate", "x", "y", "stderr", "runs"))
    for one in series:
        x, y, stderr, runs = (one.get(name) for name in ("x", "y", "stderr", "runs"))
        if not isinstance(x, list) or not isinstance(y, list):
            raise TypeError(f"a series of {one['label']} has no list of places")
        beside = [column if isinstance(column, list) else [""] * len(x) for column in (stderr, runs)]
        for place, value, *rest in zip(x, y, *beside, strict=True):
            # a line that is met several times at one place has a row for each
            for single in value if isinstance(value, list) else [value]:
                writer.writerow((one["panel"], one["label"], one.get("rate", ""), place, single, *rest))
    return out.getvalue()


def download(name: str, content: bytes) -> str:
    """A link that saves a file; the file is in the link."""
    kind = name.rpartition(".")[2]
    data = base64.b64encode(content).decode()
    return f'<a download="{escape(name)}" href="data:{KINDS[kind]};base64,{data}">{kind.upper()}</a>'
