"""The drawing of the model holds what the definitions say: who gives rise to what, and nothing more."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from derivations.figures.graphical_model import HEIGHT, WIDTH, Node, arrow, draw

ROOT = ET.fromstring(draw())
SPACE = "{http://www.w3.org/2000/svg}"


def test_the_drawing_is_well_formed_and_described() -> None:
    assert ROOT.tag == f"{SPACE}svg"
    assert "Graphical model" in ROOT.attrib["aria-label"]


def test_it_has_the_variables_the_parameters_and_the_frames() -> None:
    assert len(ROOT.findall(f"{SPACE}circle")) == 10
    # three parameters, six plates, four stages of learning
    assert len(ROOT.findall(f"{SPACE}rect")) == 3 + 6 + 4


def test_each_label_has_three_causes_and_each_task_two() -> None:
    solid = [line for line in ROOT.findall(f"{SPACE}line") if line.attrib["class"] == "l"]
    assert len(solid) == 4 * 3 + 2 * 2


def test_everything_lies_inside_the_frame() -> None:
    for x, y in re.findall(r'(?:x|cx|x1)="([\d.]+)" (?:y|cy|y1)="([\d.]+)"', draw()):
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT


def test_an_arrow_stops_short_of_its_nodes() -> None:
    line = arrow(Node("a", 0, 0), Node("b", 100, 0))
    x1, x2 = (float(value) for value in re.findall(r'x[12]="([\d.]+)"', line))
    assert 0 < x1 < x2 < 100
