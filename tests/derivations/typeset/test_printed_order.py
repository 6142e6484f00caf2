"""Claims are shown with their terms in the order of the print."""

from __future__ import annotations

import pytest
from sympy import MatrixSymbol

from derivations.command.cli import main
from derivations.language.printed_order import in_order, order_of
from derivations.language.symbols import nu, p, sigma, xi
from derivations.steps.contents import find
from derivations.typeset import statements

A, D = (MatrixSymbol(name, p, p) for name in "AD")
# the equation, and pieces of its right side from left to right
PRINTED = {
    "5": (r"\frac{\sigma^2}{2}", r"\nu^2", r"|\omega_0-w_0|^2", r"h_t"),
    "9": (
        r"\frac{\sigma^2}{2}",
        r"\frac{\nu^2 h_r}{2}",
        r"\sigma^2 \left(h_t +",
        "g_1",
        "p g_2",
        "g_3",
        "p g_4",
    ),
    "14": (r"\frac{\sigma^2}{2}", r"\Sigma_w H_r", r"\Sigma_w H_t", r"\sigma^2 \left(1"),
    "15": (r"\Sigma \left(I - \alpha_t \Sigma\right)^2", r"F - \Sigma^3"),
    "33": ("n^2", "p^2", "3 n p", "3 n +", "3 p", "4"),
    "59": (r"\sigma^2", r"\nu^2", r"\left|w_0\right|^2", r"\left|\theta^\star\right|^2", r"w_0 + \delta w'"),
    "61": (r"\sigma^2", r"\nu^2 + \left|w_0", r"\left(1 - \alpha_r\right)", r"\mathbb{E}|\theta^\star|^2"),
    "69": (r"\gamma", r"\omega_0"),
    "76": (r"\nu^2", r"\sigma^2"),
    "79": (r"|\omega_0-w_0|^2", r"\nu^2", r"\sigma^2"),
    "89": (r"\sigma^2 \left(I", r"\frac{\nu^2}{p}", r"\frac{\alpha_t^2 \sigma^2}{n_t^2}"),
    "113": (r"n^2 \Sigma^3", r"F - \Sigma^3"),
    "118": (r"\sigma^2", r"\mathrm{Tr}\left[\Sigma \Sigma_w", r"\alpha_r \mathrm{Tr}", r"\theta^{\star T}"),
    "138": (r"\Sigma_w H_t", r"\sigma^2"),
}


def in_turn(text: str, pieces: tuple[str, ...]) -> bool:
    """Whether a text holds these pieces one after the other."""
    place = 0
    for piece in pieces:
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True


@pytest.mark.parametrize("number", PRINTED)
def test_a_claim_has_its_printed_order(number: str) -> None:
    shown = " ".join(statements.printed(find(number))).partition("=")[2]
    assert in_turn(shown, PRINTED[number])


@pytest.mark.parametrize("words", [["show", "5"], ["show", "5", "--as", "latex"]], ids=" ".join)
def test_show_has_it_too(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert in_turn(capsys.readouterr().out, PRINTED["5"][:3])


def test_another_order_is_seen() -> None:
    assert not in_turn(r"\sigma^2 + \nu^2", (r"\nu^2", r"\sigma^2"))


def test_a_sum_keeps_its_order_whatever_it_holds() -> None:
    assert order_of(in_order(xi, sigma**2, nu)) == (xi, sigma**2, nu)
    assert order_of(in_order(p * D, A)) == (p * D, A)
    assert order_of(sigma + nu) == ()


def test_terms_that_combine_and_a_second_order_are_refused() -> None:
    with pytest.raises(ValueError, match="combine"):
        in_order(sigma, -sigma, nu)
    in_order(xi**7, nu)
    with pytest.raises(ValueError, match="two orders"):
        in_order(nu, xi**7)
