"""Several inner steps make the best rate positive, exactly: the moves hold, the certificates hold by themselves, wrong levels do not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy

from derivations.language.assumptions import PAPER
from derivations.paper.beyond.one_task import average
from derivations.paper.inner_loops.positive_exactly import (
    FILE,
    PLACES,
    at_positive_rate,
    below_zero,
    document,
    positive_chain,
    variables,
)
from derivations.steps.chain import Chain, DoesNotApply
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.single_row import label_noise, small_label_noise
from symbolic.algebra.words import scalar
from symbolic.proofs import plain_check

SMALLEST = PLACES[0]


@pytest.mark.slow
def test_every_move_is_proved_and_the_certificates_are_those_that_are_committed() -> None:
    chain = positive_chain(PAPER)
    assert [move.disproved for move in chain.moves if move.disproved] == []
    assert {*chain.parts.values()} == {sympy.Integer(1)}
    assert json.loads(FILE.read_text(encoding="utf-8")) == json.loads(json.dumps(document()))


def test_they_are_checked_without_any_algebra() -> None:
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: print(end.code, {'sympy', 'flint', 'numpy'} & set(sys.modules))"
    )
    words = [sys.executable, "-I", "-c", code, plain_check.__file__, str(FILE)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["9 certificates hold, 9 of them of what a label names", "0 set()"]


@pytest.mark.parametrize("change", ["sign", "coefficient", "smaller sizes"])
def test_a_changed_certificate_is_refused(change: str) -> None:
    rows = json.loads(FILE.read_text(encoding="utf-8"))[:1]
    if change == "sign":
        rows[0]["sign"] = -1
    elif change == "coefficient":
        terms = rows[0]["certificate"]["numerator"]["terms"]
        terms[0][1] = str(Fraction(terms[0][1]) + 1)
    else:
        rows[0]["domain"]["bounds"]["n_t"] = "10"
    assert plain_check.faults(rows)


@pytest.mark.parametrize(
    ("level", "shown"), [(Fraction(11, 50), (False, True)), (Fraction(24, 100), (True, False))]
)
def test_a_level_that_is_not_between_has_no_certificate(level: Fraction, shown: tuple[bool, bool]) -> None:
    """The bounds at 1000 points are 0.2214 and 0.2311."""
    place, chain = replace(SMALLEST, level=level), Chain(scalar("K"))
    values = variables(chain, place.steps)
    for prove, holds in zip((at_positive_rate, below_zero), shown, strict=True):
        if holds:
            prove(chain, place, values)
        else:
            with pytest.raises(DoesNotApply):
                prove(chain, place, values)


def test_fewer_points_have_no_certificate() -> None:
    place, chain = replace(SMALLEST, points=100), Chain(scalar("K"))
    with pytest.raises(DoesNotApply):
        at_positive_rate(chain, place, variables(chain, place.steps))


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("whole", [True, False])
def test_label_noise_from_data_is_that_of_the_words(
    steps: int, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not whole:
        monkeypatch.setattr("numeric_check.estimators.single_row.MOST_ENTRIES", 0)
    seen = label_noise(generator_for(f"single row/{steps}/{whole}"), 9, 14, steps, [-0.4, 0.3], 6000)
    seen = [*seen, small_label_noise(generator_for(f"small/{steps}/{whole}"), 9, 14, steps, 0.3, 6000)]
    for found, rate in zip(seen, (-0.4, 0.3, 0.3), strict=True):
        given = {"n_t": 9, "n_v": 1, "p": 14, "alpha_t": rate, "sigma": 1.0, "sigma_v": 1.0}
        value = average(replace(PAPER, inner_steps=steps), given)
        stderr = np.hypot(found.std(ddof=1) / np.sqrt(found.size), value.stderr)
        assert abs(found.mean() - value.mean) < 4.5 * stderr
