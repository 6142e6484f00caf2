"""What a step rests on, drawn: nothing is missing, nothing is drawn twice, and every line leads down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

import pytest

from derivations.book_pages.reader import ancestry
from derivations.steps.contents import load
from derivations.steps.step import Kind, Step

NAMES = ("theorem-1", "theorem-2-remainder", "theorem-3-remainder", "wishart-mean")


def made(uses: Mapping[str, tuple[str, ...]]) -> dict[str, Step]:
    """Steps of these names that rest on each other as told."""
    return {
        name: Step(
            name=name, equations=(), kind=Kind.EQUATION, statement=f"<{name}>", uses=used, page="setup"
        )
        for name, used in uses.items()
    }


def test_a_line_that_another_way_replaces_is_left_out() -> None:
    steps = made({"a": ("b", "c"), "b": ("c",), "c": ()})
    assert ancestry.reduced({"a", "b", "c"}, steps) == {"a": ["b"], "b": ["c"], "c": []}


@pytest.mark.parametrize("name", NAMES)
def test_each_step_stands_once_below_all_that_rest_on_it(name: str) -> None:
    steps = load()
    names = {name, *ancestry.ancestors(name, steps)}
    edges = ancestry.reduced(names, steps)
    rows = ancestry.levels(name, edges)
    assert sorted(step for row in rows for step in row) == sorted(names)
    depth = {step: k for k, row in enumerate(rows) for step in row}
    assert all(depth[used] > depth[step] for step in names for used in edges[step])


@pytest.mark.parametrize("name", NAMES)
def test_the_drawing_leads_to_every_step_within_its_width(name: str) -> None:
    steps = load()
    names = {name, *ancestry.ancestors(name, steps)}
    text = ancestry.drawing(name, steps)
    links = re.findall(r'href="(\S+?)\.html#step-([^"]+)"', text)
    assert sorted(links) == sorted((steps[one].page, one) for one in names)
    boxes = [tuple(map(float, found)) for found in re.findall(r'x="(\d+)" y="(\d+)" width="(\d+)"', text)]
    assert all(left >= 0 and left + wide <= ancestry.WIDTH for left, _, wide in boxes)
    apart = [(a, b) for a, b in pairwise(sorted(boxes, key=lambda box: (box[1], box[0]))) if a[1] == b[1]]
    assert all(left + wide <= right for (left, _, wide), (right, _, _) in apart)


def test_what_a_step_states_is_escaped() -> None:
    text = ancestry.drawing("a", made({"a": ("b",), "b": ()}))
    assert "<title>&lt;b&gt;</title>" in text
