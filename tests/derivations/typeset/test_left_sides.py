"""Every displayed left side is a well-formed expression, and the whole one that is printed."""

from __future__ import annotations

import re

import pytest

from derivations.language.assumptions import PAPER
from derivations.paper.theorem2.moments import WORDS
from derivations.steps import contents
from derivations.steps.chain import Chain, Rule
from derivations.steps.contents import load
from derivations.steps.labels import LEADING, Order, Sign, Within, Words
from derivations.typeset import statements
from derivations.typeset.presentation import whole_lines
from derivations.verification.prove import chain_of
from symbolic.algebra.words import Expression

_TOKEN = re.compile(r"\\(?:big|Big|bigg|Bigg)[lr]?\s*\|?|\\[A-Za-z]+|\\.|\S")
_SPACES = {r"\,", r"\ ", r"\;", r"\quad", r"\qquad", r"\big", r"\Big", r"\bigg", r"\Bigg"}
_OPERATORS = {r"\sum", r"\lim", r"\partial", r"\nabla", r"\Delta", r"\deg", r"\mathbb"}
_NAMED = {"Tr", "Var", "diag"}
_RELATIONS = {"=", "<", ">", r"\neq", r"\to"}
_CLOSING = {"(": ")", "[": "]", "|": "|"}
_LETTERS = {
    r"\alpha",
    r"\gamma",
    r"\delta",
    r"\theta",
    r"\kappa",
    r"\mu",
    r"\nu",
    r"\rho",
    r"\omega",
    r"\sigma",
    r"\xi",
    r"\tau",
    r"\Gamma",
    r"\Pi",
    r"\pi",
    r"\Sigma",
    r"\infty",
    r"\dots",
}


class NotWellFormed(ValueError):
    """Text that is no expression."""


class _Reader:
    """Reads an expression in LaTeX: sums of products, whose operators each stand before an operand."""

    def __init__(self, text: str) -> None:
        self._tokens = [token for token in _TOKEN.findall(text) if token not in _SPACES]
        self._place = 0

    @property
    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._next
        if not token or (wanted and token != wanted):
            raise NotWellFormed(f"{wanted or 'an operand'} expected, found {token or 'the end'}")
        self._place += 1
        return token

    def whole(self) -> None:
        self._relations("")
        if self._next:
            raise NotWellFormed(f"{self._next} closes nothing")

    def _relations(self, end: str) -> None:
        self._sum(end)
        while self._next in _RELATIONS | {",", ";", r"\big|"} and self._next != end:
            if self._take() == r"\big|" and self._next == "_":
                # `L|_{p > N}`: a value under a condition
                self._take("_")
                self._script()
            else:
                self._sum(end)

    def _sum(self, end: str) -> None:
        if self._next in ("+", "-"):
            self._take()
        self._product(end)
        while self._next in ("+", "-"):
            self._take()
            self._product(end)

    def _product(self, end: str) -> None:
        operand = False
        while self._next and self._next not in _RELATIONS | {
            "+",
            "-",
            ")",
            "]",
            "}",
            ",",
            ";",
            r"\big|",
            r"\right",
            end,
        }:
            if self._next == "/" and operand:
                self._take("/")
            operand = self._factor()
        if not operand:
            raise NotWellFormed("an operator, or nothing, stands where an operand is expected")

    def _factor(self) -> bool:
        """Read one factor with its indices; whether it is an operand, and no operator before one."""
        token = self._take()
        operand = True
        if token in _CLOSING:
            self._relations(_CLOSING[token])
            self._take(_CLOSING[token])
        elif token == r"\left":
            closing = _CLOSING[self._take()]
            self._relations(r"\right")
            self._take(r"\right")
            self._take(closing)
        elif token in (r"\frac", r"\tfrac"):
            self._argument()
            self._argument()
        elif token == r"\bar":
            self._argument()
        elif token == r"\mathrm":
            name = self._braced()
            if name not in _NAMED:
                raise NotWellFormed(f"{name} is no operator")
            # `Var_{(134)}`: the variance in an equation
            operand = self._tokens[self._place : self._place + 3] == ["_", "{", "("]
        elif token in _OPERATORS:
            operand = False
            if token == r"\mathbb" and self._braced() != "E":
                raise NotWellFormed("only the expectation is written so")
        elif not (token.isalnum() or token in _LETTERS):
            raise NotWellFormed(f"{token} is no letter")
        while self._next in ("^", "_", "'"):
            if self._take() != "'":
                self._script()
        return operand

    def _argument(self) -> None:
        if self._next == "{":
            self._take()
            self._relations("}")
            self._take("}")
        elif not (self._next.isalnum() or self._next in _LETTERS):
            raise NotWellFormed(f"{self._next or 'nothing'} is no argument")
        else:
            self._take()

    def _script(self) -> None:
        if self._next == "{":
            self._braced()
        else:
            self._take()

    def _braced(self) -> str:
        """What stands in balanced braces."""
        self._take("{")
        inside, depth = "", 1
        while depth:
            token = self._take()
            depth += {"{": 1, "}": -1}.get(token, 0)
            inside += token if depth else ""
        return inside


def read(text: str) -> None:
    """Raise NotWellFormed unless the text is an expression, or several in a chain of relations."""
    _Reader(text).whole()


@pytest.mark.parametrize(
    "text",
    [
        "",
        r"\mathbb{E}",
        r"\mathbb{E}_{X^t}\mathbb{E}_{X^v}\sum_i",
        r"\mathbb{E}_{X^v}\ \mathrm{(one\ task)}",
        r"\partial_{\alpha_r}\bar L\,(\mathrm{upper\ end})",
        r"\text{one task}",
        r"\sum_{i=1}^m + A",
        "A +",
        "A =",
        "(A",
        "A)",
        r"\left(A",
        r"\left(A\right]",
        "|A",
        "A^{(i",
        "A^",
        r"\frac{A}",
        r"\frac{A}{}",
        r"\mathrm{Tr}",
        r"W\,\mathrm{Tr}",
        r"\mathrm{Var}_i",
    ],
)
def test_what_is_no_expression_is_rejected(text: str) -> None:
    with pytest.raises(NotWellFormed):
        read(text)


def _left(line: str) -> str:
    """What stands before the first relation of a displayed line."""
    text = re.sub(r"\\(?:begin|end)\{aligned\}|\{\} &|&|\\\\|\\q?quad", " ", line)
    depth = 0
    for k, letter in enumerate(text):
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(letter, 0)
        if depth == 0 and (letter in "=<>" or re.match(r"\\simeq", text[k:])):
            return text[:k]
    raise AssertionError(f"{line} is no equation")


_CLAIMED = [name for name, step in load().items() if step.claim]


@pytest.mark.parametrize("name", _CLAIMED)
def test_every_left_side_is_an_expression(name: str) -> None:
    step = load()[name]
    claim = step.claim() if step.claim else {}
    shown = statements.printed(step)
    assert shown
    for line in shown:
        # a law has no left side; an order in one case, and a property in words, are read as such
        if r"\sim\t" in line or r"\sim\m" in line or r": \quad" in line or line.startswith(r"\text{"):
            continue
        read(_left(line))
    for label in claim:
        if isinstance(label, Within):
            read(label.whole)
        if not isinstance(label, Order | Words) and label != LEADING:
            read(label.quantity if isinstance(label, Sign) else label)


_E_TARGETS = r"\mathbb{E}_w\mathbb{E}_{z^t}\mathbb{E}_{z^v}"
_E_INPUTS_SUM = r"\mathbb{E}_{X^t}\mathbb{E}_{X^v}\sum_{i=1}^m"


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("meta-loss-matrix", r"L^{meta}(\omega)"),
        ("test-loss", "L^{test}"),
        *((name, r"\bar L^{test}") for name in ("loss-as-residual", "loss-after-test-data")),
        *((name, r"\bar L^{test}") for name in ("loss-after-linear-term", "loss-from-excess")),
        ("mean-adapted-parameters", r"\mathbb{E}_{X^r}\mathbb{E}_{z^r}\theta^\star"),
        ("adapted-square-given-inputs", r"\mathbb{E}_{w'}\mathbb{E}_{z^r}|\theta^\star|^2"),
        ("adapted-square", r"\mathbb{E}_{X^r}\mathbb{E}_{w'}\mathbb{E}_{z^r}|\theta^\star|^2"),
        ("stacked-loss", r"L^{meta}(\omega)"),
        ("outer-mean-square", rf"{_E_TARGETS}|\omega^\star-w_0|^2"),
        ("target-covariance-blocks", r"\Gamma"),
        ("least-squares-mean-square", r"\mathbb{E}|\omega^\star-w_0|^2"),
        ("normal-noise-terms", r"B^T\Gamma B"),
        ("validation-noise-average", _E_INPUTS_SUM + r"A^{(i)}X^{v(i)T}X^{v(i)}A^{(i)}"),
        ("task-average", _E_INPUTS_SUM + r"A^{(i)}X^{v(i)T}X^{v(i)}A^{(i)2}X^{v(i)T}X^{v(i)}A^{(i)}"),
        (
            "training-noise-average",
            _E_INPUTS_SUM + r"A^{(i)}X^{v(i)T}X^{v(i)}X^{t(i)T}X^{t(i)}X^{v(i)T}X^{v(i)}A^{(i)}",
        ),
        *((name, r"\bar L^{test}") for name in ("general-loss-as-residual", "general-loss-after-test-data")),
        *(
            (name, r"\bar L^{test}")
            for name in ("general-loss-after-linear-term", "general-loss-from-square")
        ),
        ("optimum-mean-vanishes", rf"{_E_TARGETS}\omega^\star"),
        ("general-covariance-blocks", r"\Gamma"),
        ("weighted-mean-square", r"\mathbb{E}\,\mathrm{Tr}(H_r\omega^\star\omega^{\star T})"),
    ],
)
def test_the_left_side_is_the_printed_one(name: str, left: str) -> None:
    assert _left(statements.printed(load()[name])[0]).split() == left.split()


# -- what a left side says against where its proof starts ----------------------------------------------------


def _factors(word: str) -> list[tuple[str, bool]]:
    """The letters of a word in LaTeX, each with whether it is transposed: `A^{(i)2}` is twice A."""
    found = []
    for name, data, rest in re.findall(r"\\?([A-Za-z]+)\^\{([tv]?)\(i\)(T|2)?\}", word):
        found += [(f"{name}_{data}" if data else name, rest == "T")] * (2 if rest == "2" else 1)
    return found


def _chain(name: str) -> Chain:
    chain = chain_of(load()[name], PAPER)
    assert chain is not None
    return chain


def _before_averages(chain: Chain) -> Expression:
    return next(move.before for move in chain.moves if move.rule is Rule.AVERAGE)


def _only_word(expression: Expression) -> list[tuple[str, bool]]:
    ((term, _),) = expression.terms.items()
    return [(factor.name, factor.transposed) for factor in term.word or ()]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("validation-noise-average", "validation noise"),
        ("task-average", "task parameters"),
        ("training-noise-average", "training noise"),
    ],
)
def test_the_word_of_an_average_is_the_one_that_is_averaged(name: str, source: str) -> None:
    assert _factors(WORDS[source]) == _only_word(_before_averages(_chain(name)))


def test_the_word_of_the_sum_is_where_its_proof_starts() -> None:
    claim = load()["normal-noise-terms"].claim
    assert claim is not None
    (label,) = claim()
    assert _factors(label) == _only_word(_chain("normal-noise-terms").start)


_AVERAGED = {"X^r": "X_r", "z^r": "z_r", "w'": "delta_w", "z^v": "z_v", "w": "w", "z^t": "z_t"}


@pytest.mark.parametrize(
    "name",
    [
        "mean-adapted-parameters",
        "adapted-square-given-inputs",
        "adapted-square",
        "general-mean-adapted-parameters",
    ],
)
def test_the_averages_on_the_left_are_those_of_the_proof(name: str) -> None:
    left = _left(statements.printed(load()[name])[0])
    said = {_AVERAGED[x] for x in re.findall(r"\\mathbb\{E\}_\{([^{}]*)\}", left)}
    rules = (Rule.AVERAGE, Rule.CUMULANTS, Rule.ROWS)
    assert said == {x for move in _chain(name).moves if move.rule in rules for x in move.letters}


# -- what is printed beside the formula ------------------------------------------------------------------------

_ASYMPTOTIC = (
    5,
    9,
    14,
    *range(43, 58),
    *range(75, 79),
    81,
    86,
    87,
    88,
    97,
    108,
    *range(134, 140),
    141,
    142,
    144,
)


@pytest.mark.parametrize("number", [str(number) for number in _ASYMPTOTIC])
def test_the_printed_order_is_part_of_the_claim(number: str) -> None:
    assert r"O\big(" in statements.printed(contents.find(number))[-1]


def test_an_order_in_an_inverse_is_printed_as_a_negative_power() -> None:
    lines = "".join(statements.printed(contents.find("exact-loss-infinite")))
    assert r"O\big(d^{-1}\big)" in lines
    assert r"O\big(d^{-6}\big)" in lines
    assert "1/d" not in lines


@pytest.mark.parametrize("name", [name for name, step in load().items() if step.claim])
def test_a_reading_is_never_called_print(name: str) -> None:
    step = load()[name]
    *proved, (word, shown) = statements.forms(step)
    assert (word == "As read") == bool(step.unreadable)
    assert shown == statements.printed(step)
    disproved = step.correction is not None or step.right_order is not None
    assert [form for form, _ in proved] == ["Proved"] * disproved


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("10", ["Proved:", "As read:"]),
        ("88", ["Proved:", "As read:"]),
        ("97", ["Proved:", "As read:"]),
        ("9", ["Proved:", "Printed:"]),
        ("5", []),
    ],
)
def test_the_lines_of_a_step_say_which_form_is_which(number: str, words: list[str]) -> None:
    found = whole_lines(contents.find(number), PAPER)
    assert [line for line in found if line.endswith(":")] == words
