"""Of many parts of a proof that are made by the same moves the first few are written out, and all others are named."""

from __future__ import annotations

import pytest

from derivations.book_pages.reader.alike import by_the_same_moves, left_out
from derivations.language.assumptions import PAPER
from derivations.steps.contents import find
from derivations.typeset import proofs, statements


@pytest.mark.parametrize("name", ["exact-loss-finite", "exact-loss-infinite"])
def test_what_is_left_out_is_named_where_it_leads(name: str) -> None:
    step = find(name)
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    others = left_out(chain)
    written = [k for k in range(len(chain.moves)) if k not in others]
    assert 0 < len(written) < len(chain.moves) / 2
    named = "".join(by_the_same_moves(step, chain, places) for places in others.values() if places)
    for k in others:
        for part in proofs.ends(step, chain, k + 1):
            assert statements.left_side(part) in named
    assert f"derive show {name} --proof" in named


@pytest.mark.parametrize("name", ["exact-variances", "theorem-3"])
def test_few_parts_are_all_written_out(name: str) -> None:
    step = find(name)
    assert step.derivation is not None
    assert left_out(step.derivation(PAPER)) == {}
