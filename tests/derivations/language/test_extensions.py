"""Added laws and assumptions: one short file each, known to every command, refused where the proof would not hold."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from derivations import extensions
from derivations.language import extension
from derivations.language.assumptions import PAPER, InvalidAssumption, NotDerivable, read
from derivations.language.extension import (
    EXTENSIONS,
    add_assumption,
    add_input_law,
    for_a_while,
    is_input_law,
    load_extensions,
)
from derivations.language.model import task
from derivations.paper.theorem1.concentration import leading_loss as over
from derivations.paper.theorem2.expansion import leading_loss as under
from derivations.steps.contents import load
from derivations.support import store
from derivations.variants.losses import OVER, UNDER, variant_checks
from derivations.verification.verify import relevant
from numeric_check.draws.seeds import generator_for
from numeric_check.problem.laws import input_law
from numeric_check.problem.maml import draw_meta_data, outer_map
from numeric_check.problem.setting import Setting
from symbolic.algebra.entry_laws import law
from symbolic.algebra.words import Expression, constant

FOLDER = Path(str(extensions.__file__)).parent
ROOT = FOLDER.parent.parent
load_extensions()
FILES = sorted(path for path in FOLDER.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_extension_is_one_file_of_under_40_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40
    others = [p for name in ("symbolic", "numeric_check", "derivations") for p in (ROOT / name).rglob("*.py")]
    mentions = {p for p in others if f'"{path.stem}' in p.read_text(encoding="utf-8")}
    assert mentions <= {path}


@pytest.mark.parametrize("order", range(1, 13))
def test_moments_of_the_triangular_law(order: int) -> None:
    # the density (1 - |x|/a)/a on [-a, a], a = sqrt 6, integrated term by term
    a = Fraction(6) ** (order // 2)
    expected = 2 * a * (Fraction(1, order + 1) - Fraction(1, order + 2)) if order % 2 == 0 else Fraction(0)
    assert law("triangular").rule(order) == expected


def test_draws_of_the_triangular_law() -> None:
    sampled = input_law("triangular").draw(generator_for("triangular"), (400_000,))
    for order, expected in zip((2, 4, 6), input_law("triangular").even_moments, strict=False):
        powers = sampled**order
        assert abs(powers.mean() - expected) < 5 * powers.std() / np.sqrt(powers.size)
    assert abs(sampled.max()) <= np.sqrt(6)


def test_a_wrong_law_is_refused() -> None:
    with pytest.raises(ValueError, match="taken"):
        add_input_law("laplace", lambda k: Fraction(1), lambda generator, shape: np.ones(shape))
    with pytest.raises(ValueError, match="mean 0 and variance 1"):
        add_input_law("doubled", lambda k: Fraction(2), lambda generator, shape: np.ones(shape))
    with pytest.raises(ValueError, match="taken"):
        add_assumption(EXTENSIONS["rate_decay"])


def test_what_is_added_by_hand_is_not_kept_and_forgotten_at_the_end() -> None:
    signs, draw = law("rademacher").rule, input_law("rademacher").draw
    of_signs = store.key("test", [extension.__name__], assumptions={"inputs": "by_hand"})
    with for_a_while():
        add_input_law("by_hand", signs, draw, atomic=True)
        assert is_input_law("by_hand")
        store.save(of_signs, {"found": 1})
        # another process may mean another law by this name
        assert store.load(of_signs) is None
    assert not is_input_law("by_hand")
    assert is_input_law("triangular")
    of_triangular = store.key("test", [extension.__name__], assumptions={"inputs": "triangular"})
    store.save(of_triangular, {"found": 1})
    assert store.load(of_triangular) == {"found": 1}


def test_the_value_of_the_paper_is_the_paper() -> None:
    assert read(["rate_decay=1"]) == PAPER
    assert read(["rate_decay=1/2", "rate_decay=1"]) == PAPER
    assert read(["rate_decay=0.5"]) == read(["rate_decay=1/2"])
    assert read(["rate_decay=0.5"]).label() == "rate_decay=1/2"


@pytest.mark.parametrize("text", ["2", "-1/2", "x", "1/0", "", "nan"])
def test_a_bad_value_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidAssumption, match=r"rate_decay is .* number or fraction between 0 and 1"):
        read([f"rate_decay={text}"])


def test_a_misspelt_name_is_guessed() -> None:
    with pytest.raises(InvalidAssumption, match="rate_decay"):
        read(["rate_deca=1/2"])


@pytest.mark.parametrize("loss", [over, under], ids=["over", "under"])
def test_steps_of_rate_zero_are_no_steps(loss: object) -> None:
    assert callable(loss)
    assert loss(read(["inner_steps=2", "rate_decay=0"])) == loss(PAPER)


def test_decay_changes_two_steps_and_not_one() -> None:
    assert over(read(["rate_decay=1/2"])) == over(PAPER)
    assert over(read(["rate_decay=1/2", "inner_steps=2"])) != over(read(["inner_steps=2"]))


def test_only_steps_that_depend_on_the_inner_loop_are_derived_anew() -> None:
    changed = read(["rate_decay=1/2"])
    steps = load()
    assert relevant(steps[OVER], changed) != relevant(steps[OVER], PAPER)
    assert relevant(steps["adaptation-factor"], changed) == relevant(steps["adaptation-factor"], PAPER)


@pytest.mark.parametrize("protocol", ["plain map", "conditional map"])
def test_sampled_steps_have_their_own_rates(protocol: str) -> None:
    step = EXTENSIONS["rate_decay"].arrays("1/2")
    setting = Setting(5, 2, 5, 3, 12, 1.0, 1.0, 0.3, 0.2, inner_steps=2, inner_step=step)
    if protocol == "plain map":
        data = draw_meta_data(generator_for("decay"), setting, np.zeros(12), 1)
        b, _ = outer_map(data, setting)
        x, rows = data.x_t[0], data.x_v[0]
        gram = np.swapaxes(x, -1, -2) @ x / 5
        eye = np.eye(12)
        expected = rows @ (eye - 0.15 * gram) @ (eye - 0.3 * gram)
        assert np.allclose(b[0], expected.reshape(-1, 12))
    else:
        assert setting != replace(setting, inner_step=None)
        assert setting == replace(setting, inner_step=EXTENSIONS["rate_decay"].arrays("1/2"))


@dataclass(frozen=True)
class _Climbing:
    """A step up the gradient."""

    decay: float

    def __call__(self, k: int, theta: np.ndarray, gradient: np.ndarray, rate: float) -> np.ndarray:
        return theta + rate * self.decay**k * gradient


def _decaying(value: str, k: int, theta: Expression, gradient: Expression, rate: Expression) -> Expression:
    return constant(Fraction(9, 10)) * theta - rate * gradient


def test_a_step_that_moves_the_tasks_own_parameters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        extension.EXTENSIONS, "rate_decay", replace(EXTENSIONS["rate_decay"], words=_decaying)
    )
    with pytest.raises(NotDerivable, match="leave a task's own parameters"):
        task(read(["rate_decay=1/3", "inner_steps=2"]))


BROKEN = "import nothing_of_this_name\n"


def test_a_file_that_does_not_load_hinders_those_alone_who_ask_for_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text(BROKEN, encoding="utf-8")
    monkeypatch.setattr(extensions, "__path__", [*extensions.__path__, str(tmp_path)])
    load_extensions.cache_clear()
    try:
        assert read(["inputs=triangular"]).inputs == "triangular"
        assert load_extensions() == {
            "broken.py": "ModuleNotFoundError: No module named 'nothing_of_this_name'"
        }
        for word in ("inputs=mine", "mine=1"):
            with pytest.raises(
                InvalidAssumption, match=r"mine.*broken.py does not load \(ModuleNotFoundError"
            ):
                read([word])
    finally:
        monkeypatch.undo()
        load_extensions.cache_clear()
    with pytest.raises(InvalidAssumption, match=r"triangular, kurtosis:VALUE$"):
        read(["inputs=mine"])


LOADED = """
import sys
from numeric_check.draws.processes import process_pool
from numeric_check.problem.laws import input_law
from derivations.language.extension import load_extensions
if __name__ == "__main__":
    with process_pool(1, load_extensions) as pool:
        print(pool.submit(input_law, "triangular").result().name)
"""


def test_a_worker_knows_added_laws(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(LOADED, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "triangular\n", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [("inputs=triangular",), ("rate_decay=1/2", "inner_steps=2")], ids=["triangular", "decay"]
)
@pytest.mark.parametrize("name", [OVER, UNDER])
def test_simulation_confirms_an_extension(words: tuple[str, ...], name: str) -> None:
    assert {check.verdict for check in variant_checks(load()[name], read(words), 0)} == {"agree"}


@pytest.mark.slow
@pytest.mark.parametrize("name", [OVER, UNDER])
def test_simulation_notices_a_step_that_is_not_the_derived_one(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(EXTENSIONS["rate_decay"], arrays=lambda value: _Climbing(0.5))
    monkeypatch.setitem(extension.EXTENSIONS, "rate_decay", wrong)
    found = variant_checks(load()[name], read(["rate_decay=1/2", "inner_steps=2"]), 0)
    assert "disagree" in {check.verdict for check in found}
