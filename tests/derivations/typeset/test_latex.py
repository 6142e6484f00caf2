"""The LaTeX of formulas: pinned texts for the notation, and that tidying changes the form only."""

from __future__ import annotations

import pytest
import sympy
from sympy import Identity, MatrixSymbol, Trace

from derivations.language.assumptions import PAPER
from derivations.language.symbols import (
    alpha_r,
    alpha_t,
    column,
    delta,
    dist0_sq,
    excess,
    inner,
    m,
    n,
    n_r,
    n_t,
    n_v,
    nu,
    p,
    sigma,
    squared_norm,
)
from derivations.steps.contents import load
from derivations.typeset.latex import exponent_latex, latex, latex_lines, tidy
from derivations.typeset.line_breaks import visible_length
from derivations.typeset.term_order import name_latex, quadratic_form, raised

X_T, X_V = MatrixSymbol("X_t", n_t, p), MatrixSymbol("X_v", n_v, p)
B, GAMMA = MatrixSymbol("B", n, p), MatrixSymbol("Gamma", n, n)
W_0, OMEGA = column("w_0", p), column("omega_0", p)
H_T = (1 - alpha_t) ** 2 + alpha_t**2 * (p + 1) / n_t
I_P = Identity(p)


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        # sums: falling degree in sizes, rising powers of a rate, label noise before variability
        (n**2 + p**2 + 3 * n * p + 4, "n^2 + 3 n p + p^2 + 4"),
        (1 - 2 * alpha_t + alpha_t**2 * p, r"1 - 2 \alpha_t + \alpha_t^2 p"),
        (nu**2 + sigma**2, r"\sigma^2 + \nu^2"),
        (H_T, r"\left(1 - \alpha_t\right)^{2} + \frac{\alpha_t^2 \left(p + 1\right)}{n_t}"),
        (-(n_t + 1) / (2 * p) + sympy.sqrt(n_t), r"-\frac{n_t + 1}{2 p} + \sqrt{n_t}"),
        # products: one fraction for what is plain, sums in front of nothing
        (n_v * m / p * sigma**2, r"\frac{\sigma^2 n_v m}{p}"),
        (
            sigma**2 / 2 * (1 + alpha_r**2 * p / n_r),
            r"\frac{\sigma^2}{2} \left(1 + \frac{\alpha_r^2 p}{n_r}\right)",
        ),
        (1 / n_t, r"\frac{1}{n_t}"),
        (dist0_sq * (1 - p), r"\left(1 - p\right) |\omega_0-w_0|^2"),
        # matrices and vectors
        (squared_norm(OMEGA - W_0), r"\left|\omega_0 - w_0\right|^2"),
        (inner(W_0, OMEGA), r"w_0^T \omega_0"),
        (Trace(B.T * B * W_0 * W_0.T), "w_0^T B^T B w_0"),
        (Trace(GAMMA), r"\mathrm{Tr}(\Gamma)"),
        (Trace(GAMMA * B * B.T), r"\mathrm{Tr}\left[\Gamma B B^T\right]"),
        ((I_P - alpha_t / n_t * X_T.T * X_T) * W_0, r"\left(I - \frac{\alpha_t}{n_t} X^{tT} X^t\right) w_0"),
        ((B * B.T).I, r"\left(B B^T\right)^{-1}"),
        (X_V * (X_T.T * X_T) ** 2 * X_V.T, r"X^v \left(X^{tT} X^t\right)^2 X^{vT}"),
        (B.T * (GAMMA + Identity(n)) * B, r"B^T \left(I + \Gamma\right) B"),
        ((1 - alpha_r) * W_0, r"\left(1 - \alpha_r\right) w_0"),
        (B * (OMEGA - W_0) * (OMEGA - W_0).T, r"B \left(\omega_0 - w_0\right) \left(\omega_0 - w_0\right)^T"),
        # the engine's random columns are transposed rows
        (MatrixSymbol("delta_w", 1, p).T, r"\delta w'"),
        (n * p * I_P, "n p I"),
    ],
)
def test_notation(formula: sympy.Basic, shown: str) -> None:
    assert latex(formula) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("X_t", "X^t"),
        ("X_v2", "X^{v(2)}"),
        ("w1", "w^{(1)}"),
        ("alpha_t", r"\alpha_t"),
        ("n_t", "n_t"),
        ("m", "m"),
        ("mean", r"\operatorname{mean}"),
        ("level_2", r"\operatorname{level}_2"),
        ("V_far", r"V_{\mathrm{far}}"),
        ("BB", "BB"),
    ],
)
def test_names(name: str, shown: str) -> None:
    assert name_latex(name) == shown


@pytest.mark.parametrize(
    ("base", "exponent", "shown"),
    [
        ("X^t", "T", "X^{tT}"),
        (r"\omega^\star", "T", r"\omega^{\star T}"),
        ("B", "T", "B^T"),
        ("B", "-1", "B^{-1}"),
        ("w'", "T", "w'^T"),
    ],
)
def test_an_upper_index_is_joined(base: str, exponent: str, shown: str) -> None:
    assert raised(base, exponent) == shown


@pytest.mark.parametrize(
    ("exponent", "shown"),
    [
        (sympy.Rational(-3, 2), "-3/2"),
        (1 + delta / 2, r"1+\delta/2"),
        (-delta, r"-\delta"),
        (sympy.Integer(2), "2"),
    ],
)
def test_exponents_stay_on_one_line(exponent: sympy.Basic, shown: str) -> None:
    assert exponent_latex(exponent) == shown


def test_a_named_sum_is_abbreviated_inside_but_not_alone() -> None:
    assert latex(sigma**2 / H_T, {H_T: "h_t"}) == r"\frac{\sigma^2}{h_t}"
    assert latex(H_T, {H_T: "h_t"}) == latex(H_T)


def test_a_trace_without_vectors_is_no_quadratic_form() -> None:
    assert quadratic_form(B * B.T) is None
    assert quadratic_form(B.T * W_0 * W_0.T) is not None


def test_lines_are_the_formula_in_pieces() -> None:
    formula = sympy.Add(*((k + 1) * alpha_t**k * p for k in range(12)))
    lines = latex_lines(formula, width=20)
    assert len(lines) > 3
    assert " ".join(lines) == latex(formula)
    assert all(visible_length(line) <= 20 for line in lines)


@pytest.mark.parametrize(
    ("tex", "length"), [("x", 1), (r"\frac{a b c}{d}", 3), (r"\alpha_t^2", 3), (r"\left(x\right)", 3)]
)
def test_visible_length(tex: str, length: int) -> None:
    assert visible_length(tex) == length


@pytest.mark.parametrize("name", ["loss-from-excess", "theorem-1", "gram-concentrates", "inner-factor"])
def test_tidying_changes_the_form_only(name: str) -> None:
    step = load()[name]
    assert step.derive is not None
    for value in step.derive(PAPER).values():
        whole = tidy(value)
        assert sympy.cancel(sympy.together(whole - tidy(tidy(value)))) == 0


def test_gathered_sources_keep_the_value() -> None:
    formula = sympy.expand((sigma**2 + excess * p) * (1 + alpha_r) ** 2 + nu**2 * alpha_r)
    assert sympy.expand(tidy(formula) - formula) == 0
    assert tidy(formula).count(sigma) == 1


@pytest.mark.parametrize("name", list(load()))
def test_every_formula_of_every_step_has_balanced_latex(name: str) -> None:
    step = load()[name]
    parts = dict(step.claim()) if step.claim else {}
    for value in parts.values():
        text = latex(value)
        assert text.count("{") == text.count("}")
        assert text.count(r"\left") == text.count(r"\right")
        assert "_{star" not in text
        assert "MatrixSymbol" not in text


def test_a_power_of_a_letter_that_is_an_inverse_has_one_exponent() -> None:
    inverse = sympy.MatrixSymbol("G_inverse", 2, 2)
    assert "^{-2}" in latex(sympy.Trace(inverse * inverse))
