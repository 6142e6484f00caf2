"""The grammar of moment queries: what is read, what is refused and where, and that nothing else can happen."""

from __future__ import annotations

import random
import string

import pytest

from symbolic.grammar import syntax, tokens
from symbolic.grammar.expanded import expand
from symbolic.grammar.syntax import parse
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.grammar.tree import Node, Number, Power, Product, Symbol, symbols
from symbolic.query.query import moment
from symbolic.wishart.moment_text import polynomial_text


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("W", "W"),
        ("WAWBW", "W A W B W"),
        ("W*A * W", "W A W"),
        ("W**2", "W^2"),
        ("W W tr(W W)", "tr(W^2) W^2"),
        ("tr(W)^2 tr(W^3)", "tr(W)^2 tr(W^3)"),
        ("2*W^2 - 3 tr(W) W", "2 W^2 - 3 tr(W) W"),
        ("-W + 2W", "W"),
        ("+W", "W"),
        ("1/2 W - W/3", "1/6 W"),
        ("2/4/3 W", "1/6 W"),
        ("W1 A W12^-1", "W1 A W12^-1"),
        ("(A B)'", "B' A'"),
        ("(A W)^T B'^2", "W A' B'^2"),
        ("A^{T} B^(2) C^{-0}", "A' B^2"),
        ("A''", "A"),
        ("W'", "W"),
        ("(W^2 Sigma)^-1", "Sigma^-1 W^-2"),
        ("W^-1 W", "I"),
        ("W (A W^-1) W A", "W A^2"),
        ("Σ", "Sigma"),
        ("tr(I)", "p"),
        ("tr(A W)", "tr(A W)"),
        ("tr(W A') - tr(A W)", "0"),
        ("(W + A)^2", "A^2 + A W + W A + W^2"),
        ("W/n^2", "(1/n^2) W"),
        ("n p W / (n p)", "W"),
        ("np W", "n*p W"),
        ("(n + 1)(n - 1) I", "(n^2 - 1) I"),
        ("tr((A + I)^2)", "tr(A^2) + 2 tr(A) + p"),
        ("2^-3 p^-1 W", "W/(8 p)"),
        ("tr(W)^0", "1"),
        ("A^0", "I"),
        (" W\t^ 2\n", "W^2"),
        ("0 W", "W - W"),
        ("a' W b c' D d", "c' D d a' W b"),
        ("W A2 Psi3 Omega", "W A2  Psi3*Omega"),
        ("tr(a b' W)", "b' W a"),
    ],
)
def test_meaning(text: str, meaning: str) -> None:
    assert expand(text, parse(text)).equals(expand(meaning, parse(meaning)))


@pytest.mark.parametrize(
    ("text", "other"), [("W A", "A W"), ("A", "A'"), ("tr(A B C)", "tr(A C B)"), ("W", "W1"), ("W/2", "W/3")]
)
def test_different_meanings(text: str, other: str) -> None:
    assert not expand(text, parse(text)).equals(expand(other, parse(other)))


def test_a_tree_shows_positions() -> None:
    node = parse("2 W^-1")
    assert node == Product(1, True, (Number(1, False, 2), Power(3, True, Symbol(3, True, "W"), -1)))
    assert [(symbol.name, symbol.position) for symbol in symbols(parse("tr(W1 A') n"))] == [
        ("W1", 4),
        ("A", 7),
        ("n", 11),
    ]


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 1, "the expression is empty"),
        ("   ", 1, "the expression is empty"),
        ("W^2 tr(W", 9, r"expected an operator, a factor or '\)' to close the one at character 5"),
        ("(W", 3, "close the one at character 1"),
        ("W)", 2, "expected an operator, a factor or the end"),
        ("W^", 3, "expected an exponent"),
        ("W^x", 3, "unknown letter 'x'"),
        ("W^^2", 3, "expected an exponent"),
        ("W^-T", 4, "unknown letter 'T'"),
        ("W^(2", 5, r"expected '\)' after the exponent"),
        ("W^2^3", 4, r"use parentheses, as in \(W\^2\)\^3"),
        ("W^25", 3, "the exponent is over the limit: at most 24"),
        ("W 2", 3, r"expected \* before a number, or \^ for a power"),
        ("W * * A", 5, "expected a letter, a number"),
        ("W + ", 5, "expected a letter, a number"),
        ("tr W", 4, r"expected '\(' after tr"),
        ("tr(2)", 4, "the trace of a scalar"),
        ("tr(W)'", 6, "a scalar is transposed"),
        ("W + tr(W)", 5, "a scalar is added to a matrix: multiply the scalar by I"),
        ("tr(W) + W", 9, "a matrix is added to a scalar"),
        ("W^2 - 3", 7, "a scalar is added to a matrix"),
        ("W / A", 5, "a matrix cannot be divided by"),
        ("Sgima W", 1, "unknown letter 'Sgima'; did you mean Sigma"),
        ("w", 1, "unknown letter 'w'; did you mean W"),
        ("W E", 3, "leave E out"),
        ("W A_2", 3, "unknown letter 'A_2'; did you mean A"),
        ("A100", 1, "a letter with a number goes up to 99"),
        ("a b", 3, "a column is multiplied by a column"),
        ("W + a", 5, "a column is added to a matrix"),
        ("a^2", 2, "a vector has no powers"),
        ("a[1,2]", 2, "an element of a column is taken"),
        ("tr(a)", 4, "the trace of a column is taken"),
        ("foo W", 1, "unknown letter 'foo'"),
        ("W_1", 1, "unknown letter 'W_1'; did you mean W1"),
        ("W100", 1, "a letter with a number goes up to 99"),
        ("W0", 1, "unknown letter 'W0'"),
        ("2. W", 2, "write a number such as 0.5 or 1/2"),
        ("W 2.5", 3, "expected \\* before a number"),
        ("W^0.5", 3, "expected an exponent"),
        ("W[1.5,1]", 3, "expected a row and a column"),
        ("W\N{SUPERSCRIPT TWO}", 2, r"unexpected '\\xb2'"),
        ("W; import os", 2, "unexpected ';'"),
        ("W\ud800", 2, r"unexpected '\\ud800'"),
        ("1" * 31, 1, "a number is over the limit of 30 digits"),
    ],
)
def test_refusals_point_at_the_character(text: str, position: int, reason: str) -> None:
    with pytest.raises(MomentSyntaxError, match=reason) as caught:
        parse(text)
    assert caught.value.position == position
    assert str(caught.value).startswith(f"character {position} (")


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("1/0 W", 3, "division by zero"),
        ("W/tr(W)", 3, "only numbers and polynomials in n and p can divide"),
        ("W/(n - n)", 4, "division by zero"),
        ("A^-1", 1, "only W, Sigma, their determinants and polynomials in n and p have negative powers"),
        ("2 (W + A)^-1", 4, "the inverse of a sum has no moments in closed form"),
        ("tr(W)^-1", 1, "negative powers"),
        ("0^-1 W", 1, "negative powers"),
        ("W^24 W", 1, "degree 25 is over the limit: ask for at most 24"),
        ("A + (A^24)^5", 6, "over the limit of 100 factors"),
        ("(A + B)^24", 2, "over 400 terms"),
        ("((n^24)^4 + 1) (n^5 + 1) W", 2, "over the limit of degree 100"),
        ("(((3^24)^24)^24) W", 4, "a number is over the limit of 2000 bits"),
        ("(n + p + n1 + n2 + n3)^12 W", 2, "a coefficient is over the limit of 400 terms"),
    ],
)
def test_refusals_when_multiplied_out(text: str, position: int, reason: str) -> None:
    with pytest.raises(MomentSyntaxError, match=reason) as caught:
        expand(text, parse(text))
    assert caught.value.position == position


def test_limits_of_the_text() -> None:
    assert isinstance(parse("W" * tokens.MAX_TEXT), Node)
    for text in ("A" + "'" * 101, "W" + "^2'" * 51, "1" + "/n" * 101):
        with pytest.raises(MomentSyntaxError, match="over the limit: at most 100"):
            parse(text)
    with pytest.raises(MomentSyntaxError, match="over the limit of 60000 characters"):
        parse("W" * (tokens.MAX_TEXT + 1))
    deep = syntax.MAX_NESTING
    assert isinstance(parse("(" * deep + "W" + ")" * deep), Node)
    with pytest.raises(MomentSyntaxError, match="nested over the limit: at most 32 deep"):
        parse("(" * (deep + 1) + "W" + ")" * (deep + 1))


# -- fuzzing -------------------------------------------------------------------------------------------------

ATOMS = ["W", "W1", "W2", "A", "B", "C", "D", "I", "Sigma", "n", "p", "n1", "2", "13", "tr(W)", "tr(A W)"]
PIECES = [
    *ATOMS,
    "tr",
    "T",
    "(",
    ")",
    "{",
    "}",
    "^",
    "**",
    "-1",
    "'",
    "+",
    "-",
    "*",
    "/",
    " ",
    "1/2",
    "^-2",
    "^T",
]


def sentence(rng: random.Random, depth: int = 0) -> str:
    """A text that mostly follows the grammar."""
    terms = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        factors = []
        for _ in range(rng.choice((1, 2, 2, 3, 4))):
            factor = rng.choice(ATOMS)
            if depth < 3 and rng.random() < 0.2:
                factor = rng.choice(("tr(", "(")) + sentence(rng, depth + 1) + ")"
            if rng.random() < 0.3:
                factor += rng.choice(("^2", "^3", "^-1", "'", "^T", "^{2}", "^(-2)", "^0"))
            factors.append(factor)
        terms.append(rng.choice((" ", " ", "*", " / ")).join(factors))
    return rng.choice((" + ", " - ", "-")).join(terms)


def mutated(rng: random.Random, text: str) -> str:
    characters = list(text)
    for _ in range(rng.randint(1, 4)):
        place = rng.randint(0, len(characters))
        if rng.random() < 0.5 and characters:
            del characters[min(place, len(characters) - 1)]
        else:
            characters.insert(place, rng.choice((*PIECES, *string.printable)))
    return "".join(characters)


def fuzzed(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.3:
        return sentence(rng)
    if kind < 0.6:
        return mutated(rng, sentence(rng))
    if kind < 0.8:
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 30)))
    if kind < 0.9:
        return rng.randbytes(rng.randint(0, 40)).decode(rng.choice(("latin-1", "utf-16")), "surrogatepass")
    return "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randint(0, 20)))


def read_or_refused(text: str) -> Node | MomentSyntaxError:
    try:
        return parse(text)
    except MomentSyntaxError as error:
        return error


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_any_text_is_read_or_refused_in_one_line(seed: int) -> None:
    rng = random.Random(seed)
    read = 0
    for _ in range(24_000):
        try:
            text = fuzzed(rng)
        except UnicodeDecodeError:
            text = "\udcff"
        found = read_or_refused(text)
        if isinstance(found, MomentSyntaxError):
            message = str(found)
            assert message.isascii(), text
            assert message.isprintable(), text
            assert len(message) < 300, text
            assert 1 <= found.position <= len(text) + 1, text
        else:
            read += 1
            assert 1 <= found.position <= len(text), text
    assert 2_000 < read < 20_000


def test_any_text_is_multiplied_out_or_refused() -> None:
    rng = random.Random("expand")
    outcomes = set()
    for _ in range(3_000):
        text = sentence(rng)
        try:
            polynomial = expand(text, parse(text))
        except MomentSyntaxError:
            outcomes.add(False)
        else:
            assert (polynomial_text(polynomial) in ("0", "0 I")) == (not polynomial.terms)
            outcomes.add(True)
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    ("text", "written"),
    [("trace(W)", "tr"), ("2 Tr(W)", "tr"), ("TR(W)", "tr"), ("inv(W)", "W^-1"), ("W transpose(A)", "A'")],
)
def test_names_of_functions_elsewhere_are_answered_with_ours(text: str, written: str) -> None:
    with pytest.raises(MomentSyntaxError) as caught:
        parse(text)
    assert str(caught.value).endswith(f"is written {written}")


def test_decimals_are_exact() -> None:
    assert moment("0.1 W + 2.50 tr(W) I - W/0.5").text == moment("1/10 W + 5/2 tr(W) I - 2 W").text
    assert moment("det(W)^0.5", {"n": 5, "p": 2}).value == moment("det(W)^(1/2)", {"n": 5, "p": 2}).value
