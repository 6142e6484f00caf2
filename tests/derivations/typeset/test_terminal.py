"""Left sides and lines as a terminal shows them."""

from __future__ import annotations

import pytest

from derivations.steps.contents import MODULE_OF, named
from derivations.typeset.terminal import label_text, wrapped


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        (
            r"\mathbb{E}_{X^t}\sum_{i=1}^mA^{(i)}X^{v(i)T}X^{v(i)}",
            "E_{X^t} sum_{i=1..m} A^{(i)} X^{v(i)}' X^{v(i)}",
        ),
        (r"\mathbb{E}\,X^TX", "E X' X"),
        (r"\tfrac1{n_vm}B^T\Gamma B", "1/(n_vm) B' Gamma B"),
        (r"\frac{\partial \bar L}{\partial\alpha_t}", "(partial L)/(partial alpha_t)"),
        (r"\lim_{\alpha_t\to\pm\infty}V", "lim_{alpha_t -> +-inf} V"),
        (r"\big[V-W\big]_{2\text{ steps}}", "[V-W]_{2 steps }"),
        ("(5), (81)", "(5), (81)"),
    ],
)
def test_a_left_side_is_read_without_latex(label: str, shown: str) -> None:
    assert label_text(label) == shown


def test_no_left_side_keeps_latex_and_no_two_of_a_step_become_one() -> None:
    for name in MODULE_OF:
        claim = named(name).claim
        labels = [] if claim is None else list(claim())
        shown = [label_text(label) for label in labels]
        assert not [text for text in shown if "\\" in text]
        assert len({*shown}) == len(labels), name


def test_lines_stay_within_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert max(map(len, wrapped("a long line " * 20, "    ").splitlines())) <= 50
    assert wrapped("short") == "short"
