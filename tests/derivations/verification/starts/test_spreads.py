"""A proof of an order sets out from the mean square of the word that is printed on its left side, and a wrong start is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from derivations.language.assumptions import PAPER
from derivations.paper import lemma2
from derivations.steps import by_degree
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain
from derivations.steps.contents import find, load
from derivations.steps.orders import WEIGHTS
from derivations.typeset.left_sides import LEFT_SIDES
from derivations.verification.prove import prove
from derivations.verification.starts.origins import unstated_start
from symbolic.algebra.words import (
    Expression,
    constant,
    gaussian,
    identity,
    matrix,
    polynomial,
    reciprocal,
    scalar,
    tr,
)

X = gaussian("X_v1", "n_v", "p")
WORD = X @ X.T
Y, Z = (matrix(name, "n_v", "n_v") for name in "YZ")
OTHER = X @ gaussian("X_v2", "n_v", "p").T
ONE = identity("n_v")
ERROR = Y - scalar("c") * ONE


def spread(
    start: Expression, *, centre: int = 1, word: Expression = WORD, other: Expression = OTHER
) -> Chain:
    """A chain that finds the mean of X X^T, and orders what is said to be its mean square distance from there."""
    chain = Chain(reciprocal("n_v") * tr(Y)).define({"Y": WORD}).average("X_v1")
    mean = chain.result
    chain.begin(start)
    if "c" in start.scalars():
        chain.insert({"c": constant(centre) * mean})
    chain.define({"Y": word, **({"Z": other} if "Z" in start.letters() else {})})
    chain.average(*[name for name in ("X_v1", "X_v2") if name in chain.result.letters()])
    return order(chain, WEIGHTS).shows_degree("order")


SQUARE = tr(ERROR @ ERROR.T)


@pytest.mark.parametrize(
    "start",
    [SQUARE, SQUARE + tr(Z @ Z.T)],
    ids=["one task", "two tasks"],
)
def test_the_square_of_a_distance_from_the_mean_is_held(start: Expression) -> None:
    assert unstated_start(spread(start), PAPER) == ""


@pytest.mark.parametrize(
    "chain",
    [
        lambda: spread(2 * SQUARE),
        lambda: spread(SQUARE + tr(Y @ Y.T)),
        lambda: spread(tr(Y @ Y.T)),
        lambda: spread(tr(ERROR @ ERROR.T @ ERROR @ ERROR.T)),
        lambda: spread(SQUARE, centre=2),
        lambda: spread(SQUARE, word=2 * WORD),
        lambda: spread(SQUARE + tr(Z @ Z.T), other=OTHER @ OTHER.T),
        lambda: spread(SQUARE + 2 * tr(Z @ Z.T)),
    ],
    ids=[
        "twice",
        "a term more",
        "about zero",
        "the fourth power",
        "from twice the mean",
        "of another word",
        "another word between tasks",
        "twice between tasks",
    ],
)
def test_a_wrong_start_with_letters_in_it_is_named(chain: Callable[[], Chain]) -> None:
    assert "it sets out from" in unstated_start(chain(), PAPER)


def test_a_distance_from_what_is_no_copy_is_named() -> None:
    copy, entry = matrix("Y_copy", "n_v", "n_v"), tr(Y)
    start = entry * entry - entry * tr(copy)
    copies = {"1": gaussian("X_v1", "n_v", "p"), "2": gaussian("X_v2", "n_v", "p")}

    def chain(start: Expression, label: str, factor: int = 1) -> Chain:
        values = {"Y": WORD, "Y_copy": factor * copies[label] @ copies[label].T}
        found = Chain(start).define(
            {name: value for name, value in values.items() if name in start.letters()}
        )
        found.average(*[name for name in ("X_v1", "X_v2") if name in found.result.letters()])
        return order(found, WEIGHTS).shows_degree("order")

    assert unstated_start(chain(start, "2"), PAPER) == ""
    for wrong in (chain(start + entry * entry, "2"), chain(2 * start, "2"), chain(start, "2", 3)):
        assert "it sets out from" in unstated_start(wrong, PAPER)


def test_a_step_with_a_wrong_start_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the mean square is of the same order."""
    step = find("rows-concentrate")
    right = by_degree.tr
    monkeypatch.setattr(by_degree, "tr", lambda word: right(word) * (2 if len(word.terms) > 1 else 1))
    chain = lemma2.concentration(WORD, (("X_v1", "X_v2"), ("X_t1", "X_t2")), WEIGHTS)
    monkeypatch.undo()
    found = prove(replace(step, derive=lambda assumptions: chain.parts, derivation=lambda assumptions: chain))
    assert found.status == "failed"
    assert "it sets out from" in found.detail


# -- what is on the left side -------------------------------------------------------------------------------

LETTER = re.compile(r"X\^\{?([vt])(?:\(([ij])\))?(T?)\}?|(\\Gamma|H_r|B|D|\(\\omega_0-w_0\))(?:\^(T))?")
FRACTIONS = {r"\tfrac1p": reciprocal("p"), r"\tfrac1{n_vm}": reciprocal("N")}
FRACTIONS |= {r"\tfrac1{p^2}": reciprocal("p") ** 2, r"\tfrac1{p^3}": reciprocal("p") ** 3}
NAMES = {r"\Gamma": "Gamma", r"(\omega_0-w_0)": "d"}
Factors = list[tuple[str, bool]]


def printed(text: str, *, same_task: bool = False) -> tuple[Expression, Factors]:
    """What stands before a printed word, and its letters, each with its task; those of one task bear the first label."""
    text = (
        text.split(" - ", maxsplit=1)[0]
        .replace(" ", "")
        .removeprefix(r"\mathrm{Var}\Big(")
        .removesuffix(r"\Big)")
    )
    number = constant(1)
    for fraction, value in FRACTIONS.items():
        if text.startswith(fraction):
            number, text = value, text.removeprefix(fraction)
    text = re.sub(r"\((X[^()]*)\)\^2", r"\1\1", text)
    found: Factors = []
    while text:
        match = LETTER.match(text)
        assert match is not None, text
        text = text[match.end() :]
        which, task, turned, name, transposed = match.groups()
        if which:
            label = "2" if task == "j" and not same_task else "1"
            found.append((f"X_{which}{label}", bool(turned)))
        else:
            found.append((NAMES.get(name, name), bool(transposed)))
    return number, found


Word = tuple[Expression, Factors]


def words_of(name: str) -> tuple[list[Word], bool]:
    """The words that a proof is about, as its moves define Y and Z, or inside of the trace that it sets out from."""
    derivation = load()[name].derivation
    assert derivation is not None
    chain = derivation(PAPER)
    values = {letter: move.values[letter] for move in chain.moves for letter in move.own & {"Y", "Z"}}
    found = []
    size = scalar("N") if name.startswith("general-") else scalar("p")
    for value in values.values() or [size * chain.start]:
        ((term, coefficient),) = value.terms.items()
        factors = term.traces[0] if term.word is None else term.word
        found.append((polynomial(coefficient), [(_labelled(x), turned) for x, turned in factors]))
    return found, not values


def _labelled(name: str) -> str:
    return f"{name}1" if name in ("X_v", "X_t") else name


def _is_printed(name: str, left: str) -> bool:
    if left.endswith("^{-1}"):
        return _is_printed_inverse(name, left.removesuffix("^{-1}"))
    found, traced = words_of(name)
    expected = [printed(left, same_task=len(found) == 2 and k == 0) for k in range(len(found))]
    if not traced:
        return found == expected
    ((number, factors),), ((wanted, word),) = found, expected
    return number == wanted and word in [[*factors[k:], *factors[:k]] for k in range(len(factors))]


def _is_printed_inverse(name: str, left: str) -> bool:
    """Whether a proof is about the inverse of a word: that of which the first move says that its letter is the inverse."""
    derivation = load()[name].derivation
    assert derivation is not None
    chain = derivation(PAPER)
    ((term, coefficient),) = chain.start.terms.items()
    ((letter,),) = term.traces or (term.word,)
    ((inside, one),) = chain.moves[0].inverses[letter.name].terms.items()
    # a trace is taken over the size of the matrix
    size = constant(1) if not term.traces else scalar(chain.start.letters()[letter.name].rows)
    number, word = printed(
        left.removeprefix(r"\left").removesuffix(r"\right)").strip("()").removesuffix(r"\right")
    )
    return (
        one == 1 and [*(inside.word or ())] == word and polynomial(coefficient) * size * number == constant(1)
    )


@pytest.mark.slow(10)
def test_what_a_proof_of_an_order_is_about_is_what_stands_on_the_left_side() -> None:
    assert len(LEFT_SIDES) >= 29
    assert [name for name, left in LEFT_SIDES.items() if not _is_printed(name, left)] == []


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("rows-concentrate", r"X^vX^{tT}X^tX^{vT}"),
        ("rows-of-two-tasks", r"X^{v(i)}X^{v(i)T}"),
        ("columns-concentrate", r"X^vX^{vT}"),
        ("weighted-rows-concentrate", r"X^vX^{vT}"),
        ("gram-concentrates", "BB^T"),
        ("start-concentrates", "BB^T"),
        ("normal-matrix-concentrates", r"\tfrac1pB^TB"),
        ("normal-noise-concentrates", r"\tfrac1{n_vm}B^TB"),
        ("variance-of-rows", r"\mathrm{Var}\Big(\tfrac1{p^2}X^{v(i)}X^{v(j)T}\Big)"),
        ("variance-of-rows", r"\mathrm{Var}\Big(\tfrac1pX^{v(i)}X^{v(i)T}\Big)"),
        ("gram-inverse-concentrates", r"(B^TB)^{-1}"),
        ("gram-inverse-concentrates", r"\left(\tfrac1pBB^T\right)^{-1}"),
        ("normal-inverse-concentrates", r"(B^TB)^{-1}"),
        ("normal-inverse-concentrates", r"\left(\tfrac1pB^TB\right)^{-1}"),
        ("general-gram-inverse-concentrates", r"\left(\tfrac1{n_vm}BB^T\right)^{-1}"),
        ("general-gram-concentrates", r"\tfrac1pBB^T"),
        ("general-gram-concentrates", r"BH_rB^T"),
        ("general-noise-concentrates", r"BB^T"),
        ("general-weight-concentrates", r"BB^T"),
        ("general-weight-concentrates", r"B\Gamma B^T"),
    ],
)
def test_another_left_side_is_not_what_the_proof_is_about(name: str, left: str) -> None:
    assert not _is_printed(name, left)
