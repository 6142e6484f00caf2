"""What the explorer's script is given: shorter source of the same formulas, and tables where the figures stand."""

from __future__ import annotations

import re

from derivations.book_pages.reader import explorer
from derivations.formulas.by_name import source_code
from derivations.paper.experiments.panels import figure

TOKENS = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?(?:e[-+]?\d+)?|\S")


def tokens(source: str) -> list[str | float]:
    return [float(token) if token[0].isdigit() else token for token in TOKENS.findall(source)]


def test_packed_source_has_the_same_tokens_in_fewer_characters() -> None:
    source = source_code("eq9", "javascript")["value"]
    packed = explorer.packed(source)
    assert tokens(packed) == tokens(source)
    assert len(packed) < 0.8 * len(source)
    assert "\n" not in packed


def test_what_spaces_and_points_tell_apart_stays_apart() -> None:
    assert explorer.packed("return a - -b + 10.05*x1 - 12.0*-c;") == "return a- -b+10.05*x1-12*-c;"
    assert explorer.packed("const a = 1.0e-5;\n    return -a + +b;") == "const a=1.0e-5;return-a+ +b;"


def test_a_table_stands_at_every_panel_of_figures_2_and_6_above_the_pole() -> None:
    bases = [panel.base for name in ("2", "6") for panel in figure(name).panels if panel.theory == "eq5"]
    sizes = {(table.n_t, table.n_v, table.p) for table in explorer.TABLES if table.steps == 1}
    assert {(base.n_t, base.n_v, base.p) for base in bases} <= sizes
    assert len({(base.n_t, base.n_v, base.p) for base in bases}) == 3
