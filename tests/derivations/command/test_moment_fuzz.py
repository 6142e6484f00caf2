"""Random texts, values, covariances and laws through `derive moment`: answered, or refused in one line, in time."""

from __future__ import annotations

import json
import random
import resource
import string
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derivations.command.moment import run
from derivations.support.bad_input import BadInput
from symbolic.algebra.refusal import Refused
from symbolic.averages import cumulants, networks
from symbolic.averages.over_laws import clear_cache
from symbolic.query import law_answer
from symbolic.query import work as moment_work
from symbolic.query.query import MomentSyntaxError, moment

MAX_SECONDS = 3.0
"""Most processor time of one query, on a machine that takes `YARDSTICK` for `yardstick`; what takes longer should be refused."""
YARDSTICK = 0.035

MOST_MEMORY = 400
"""By how many MB the most memory held may grow, beside less than 100 for the program itself."""

A = "A=[[1,2],[-1,3]]"

# -- texts -----------------------------------------------------------------------------------------------------

TOKENS = [
    *(
        "W",
        "W1",
        "W2",
        "W99",
        "W0",
        "W100",
        "W_1",
        "A",
        "B",
        "C",
        "D",
        "E",
        "I",
        "Sigma",
        "S",
        "tr",
        "tr(",
        "(",
        ")",
    ),
    *(
        "^",
        "**",
        "^-1",
        "^2",
        "^3",
        "^24",
        "^-4",
        "^25",
        "^0",
        "^-0",
        "+",
        "-",
        "*",
        "/",
        "2",
        "0",
        "1",
        "7",
        "9" * 30,
    ),
    *(
        "1/3",
        "0.5",
        "p",
        "n",
        "n1",
        "n0",
        "T",
        "^T",
        "'",
        "{",
        "}",
        "[",
        "]",
        ".",
        ",",
        "1e5",
        "__import__",
        "lambda",
        ";",
    ),
    *(
        "%s",
        "\\",
        '"',
        "tr(W)",
        "tr(W^2)",
        "W^-1",
        "(W+A)",
        "(W1+W2)",
        "(A+B+C+D)",
        "(n+p)",
        "^(2)",
        "^{2}",
        "^(-2)",
    ),
    *("^(T)", "//", "==", "W^", "Wn", "trW"),
    *(
        "[1,2]",
        "[2,1]",
        "[1",
        "e",
        "e[1,2]",
        "e[31,1]",
        "cov(",
        "var(",
        "cov",
        "det(",
        "det(W)",
        "W^-1[1,1]",
        "A W^-1",
    ),
]
STRANGE = list(" \t\n\x00\u00b2\u03b1\u0663\U0001d7da\u200b\ud800\U0001d416\uff37\u2212\u2032\u03a3")
FACTORS = [
    *(
        "W",
        "W1",
        "W2",
        "A",
        "B",
        "C",
        "D",
        "I",
        "Sigma",
        "tr(W)",
        "tr(A W)",
        "tr(W^2)",
        "W^-1",
        "tr(W^-1)",
        "A'",
    ),
    *(
        "tr(W^-2)",
        "W^2",
        "W^3",
        "n",
        "p",
        "tr(W1 W2)",
        "(W + A)",
        "(2 W - B)",
        "tr(W A W B)",
        "W^8",
        "tr(W)^4",
    ),
    *(
        "(W+A+B)^3",
        "tr((W+A)^4)",
        "W^-3",
        "tr(Sigma^-1 W)",
        "Sigma^-2",
        "(n+p)",
        "(W1+W2)^4",
        "(A W)^T",
        "W^16",
    ),
    *(
        "(W A W B)'",
        "W1^-2",
        "tr(W)^12",
        "(1/p)",
        "/n",
        "/p^2",
        "(W+W1+W2)^3",
        "tr(W+I)^9",
        "W A W B W",
        "(W A)^5",
        "W^-1 A W^-1",
        "tr(A W^-1) tr(B W^-1)",
        "(W A W^-1)[1,2]",
        "tr(W1 W2^-1)",
        "(W + A)[1,1]^3",
        "det(W)^2",
        "W1^-1 B W1 A W1^-1",
    ),
]
LIGHT = [
    "W",
    "W1",
    "W2",
    "A",
    "B",
    "I",
    "Sigma",
    "n",
    "p",
    "2",
    "tr(W)",
    "tr(A W)",
    "W^2",
    "A'",
    "W^-1",
    "W[1,2]",
    "e[2,1]",
]
WIDE = [
    *("X", "X'", "X1", "X1'", "W", "W1", "M", "M'", "U", "I_n", "a", "b", "a'", "b'", "A", "Psi", "F2", "S"),
    *("O", "O'", "Q", "Q'", "W^+", "W1^+", "W^-1", "X X'", "X' X", "a b'", "O A O'", "det(W)", "det(W)^-1"),
    *("det(W)^(1/2)", "log det(W)", "det(W1)^(-1/3)", "Sigma1", "W2", "X[1,2]", "kron(W,W)"),
    *("(a' W b)", "(X A X')", "tr(O A)^2", "tr(W^+ A)", "(W + I)^-1", "W^+ A W^+", "2", "n", "p", "Sigma"),
]
"""Of the wider grammar: rows, means, vectors, rotations, Moore-Penrose inverses."""

DETERMINANTS = [
    *(
        "det(W)^2",
        "det(W)^(1/2)",
        "det(W1)^(-1/3)",
        "det(W)^-1",
        "det(W)^0.3",
        "det(W/n)",
        "det(S)^(1/2)",
        "det(2 W)^-1",
    ),
    *(
        "log det(W)",
        "log(det(W))",
        "log det(W1)",
        "log det(W/n)",
        "log det(S)",
        "(log det(W) - p)",
        "log det(Sigma)",
    ),
]
BESIDE = [
    "W",
    "tr(W)",
    "tr(A W)",
    "n",
    "p",
    "W^-1",
    "a' W b",
    "W[1,2]",
    "W1",
    "3",
    "X",
    "W^+",
    "tr(W^-1 A)",
    "(W + A)",
    "0.5",
    "Sigma",
]

SUMS = ["n+p", "W+A", "W1+W2+A", "1+n", "tr(W)+n", "2", "n+n1+n2+n3+n4+p", "1/p+1/n", "1+tr(A)", "A+B"]


def sentence(rng: random.Random, atoms: list[str], depth: int = 0) -> str:
    """A text that follows the grammar, scalars and matrices apart."""
    terms = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        factors = [rng.choice(atoms) for _ in range(rng.choice((1, 2, 3, 4)))]
        if depth < 2 and rng.random() < 0.3:
            inner = sentence(rng, atoms, depth + 1)
            factors.append(
                rng.choice(("tr(", "(")) + inner + ")" + rng.choice(("", "", "^2", "^3", "^-1", "'"))
            )
        terms.append(" ".join(factors))
    return rng.choice((" + ", " - ")).join(terms)


def mutated(rng: random.Random, text: str) -> str:
    characters = list(text)
    for _ in range(rng.randint(1, 4)):
        place = rng.randint(0, len(characters))
        piece = rng.choice((*TOKENS, *STRANGE, *string.printable))
        characters[place : place + rng.randint(0, 2)] = rng.choice((piece, ""))
    return "".join(characters)


def tokens(rng: random.Random) -> str:
    pieces = (rng.choice(TOKENS if rng.random() < 0.9 else STRANGE) for _ in range(rng.randint(0, 14)))
    return rng.choice(("", " ")).join(pieces)


def characters(rng: random.Random) -> str:
    top = rng.choice((127, 0x2000, 0x110000))
    return "".join(chr(rng.randrange(top)) for _ in range(rng.randint(0, 30)))


def powers(rng: random.Random) -> str:
    """Sums to powers, perhaps inside one another, far beyond the limits."""
    if rng.random() < 0.3:
        depth = rng.randint(1, 40)
        return "(" * depth + "W + A" + ")^2" * depth
    return f"({rng.choice(SUMS)})^{rng.randint(0, 26)} " * rng.randint(1, 3)


def long(rng: random.Random) -> str:
    return rng.choice(("+", "-", " + ")).join(rng.choice(LIGHT) for _ in range(rng.randint(5, 120)))


def light(rng: random.Random) -> str:
    return sentence(rng, LIGHT)


def wide(rng: random.Random) -> str:
    return sentence(rng, WIDE, depth=1)


def determinants(rng: random.Random) -> str:
    """Powers and logarithms of determinants in products, sums and covariances."""
    terms = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        factors = [rng.choice(DETERMINANTS) for _ in range(rng.choice((0, 1, 1, 2)))]
        factors += [rng.choice(BESIDE) for _ in range(rng.choice((0, 1, 1, 2)))]
        rng.shuffle(factors)
        terms.append(" ".join(factors) or "1")
    text = rng.choice((" + ", " - ")).join(terms)
    return rng.choice((text, text, text, f"cov({text}, tr(W))", f"cov(log det(W), {text})", f"var({text})"))


def kronecker(rng: random.Random) -> str:
    """Of two expressions, mostly of matrices."""
    atoms = [
        "W",
        "W^-1",
        "A",
        "W1",
        "X' A X",
        "tr(W) W",
        "W^+",
        "a b'",
        "Sigma",
        "O",
        "W[1,2] B",
        "det(W) W",
        "X",
    ]
    parts = [sentence(rng, atoms, depth=1) if rng.random() < 0.3 else rng.choice(atoms) for _ in range(2)]
    return (
        rng.choice(("", "", "2 ", "tr "))
        + f"kron({parts[0]}, {parts[1]})"
        + rng.choice(("", "", "", " K", " - I", "[1,2]"))
    )


def covariance_of(rng: random.Random) -> str:
    parts = [sentence(rng, ["W[1,2]", "tr(W)", "tr(A W^-1)", "n", "W^-1[1,1]", "W"]) for _ in range(2)]
    return rng.choice((f"cov({parts[0]}, {parts[1]})", f"var({parts[0]})", f"cov({parts[0]})"))


def heavy(rng: random.Random) -> str:
    """Factors that are much work one by one already."""
    separators = (" ", " ", "*", " + ", " - ", "")
    count = rng.randint(1, 5)
    return "".join(rng.choice(FACTORS) + rng.choice(separators) for _ in range(count)) + "W"


KINDS: dict[Callable[[random.Random], str], float] = {
    tokens: 0.4,
    light: 0.2,
    characters: 0.2,
    lambda rng: mutated(rng, sentence(rng, LIGHT)): 0.14,
    powers: 0.04,
    long: 0.01,
    heavy: 0.01,
    covariance_of: 0.05,
    wide: 0.25,
    determinants: 0.15,
    kronecker: 0.1,
}

# -- values, covariances, laws ----------------------------------------------------------------------------------------------------

WORDS = [
    "n=3 p=2",
    "n=7",
    "p=1",
    f"n=7 p=2 {A}",
    "n=7 p=3 n1=4 n2=5",
    f"n=9 n1=5 n2=4 {A} B=[[0,1],[2,1/2]] Sigma=[[5,5],[5,10]]",
    "n=9 A=@FOLDER/a.npy Sigma=@FOLDER/sigma.npy",
    "n=9 Sigma=[[1,1],[1,1]]",
    "n=9 Sigma=[[1,2],[2,1]]",
    "n=-1",
    "S=W/(n-1)",
    "n=4 p=9",
    "n=2 p=7 A=[[1,1/2],[0,1]]",
    "S=W/(n-1) n=9 p=2",
    "n=11/2 p=2",
    "n=7.25 p=3",
    "n=.5",
    f"n=9.5 {A} Sigma=[[2,.5],[.5,1]]",
    f"n={10**25} p=2",
    f"p={10**40}",
    "A=[[1,2]]",
    "n=x",
    "n",
    "n=3 n=3",
    "A=@FOLDER",
    "A=[[1,2],[3",
]
LAWS = ("rademacher", "uniform", "laplace", "student:17/2", "kurtosis:7/2", "cumulants:1/2,1,-1/3,2,1/5,7")
NAMES = (*LAWS, "student:3", "student:x", "cumulants:1", "generic", "", "cumulants:0," + "1" * 20)

Query = tuple[Any, ...]
"""What `derivations.command.moment.run` takes: the text first."""


def query(rng: random.Random, folder: Path) -> Query:
    text = rng.choices([*KINDS], [*KINDS.values()])[0](rng)
    words = [] if rng.random() < 0.6 else rng.choice(WORDS).replace("FOLDER", str(folder)).split()
    covariance = rng.choice((None, None, None, "general", "general", "identity", "x"))
    name = "gaussian" if rng.random() < 0.7 else rng.choice(NAMES)
    if rng.random() < 0.75:
        rotations = sorted({"O", "Q"} & {*text}) if name == "gaussian" else []
        return text, words, covariance, name, None, "zero", "independent", [], rotations
    if rng.random() < 0.5:
        name = "complex"
    mean, rows = (
        rng.choice(("zero",) * 6 + ("general", "x")),
        rng.choice(("independent",) * 6 + ("general", "x")),
    )
    letters = [rng.choice((*"ABDOQaX", "Sigma", "")) for _ in range(rng.choice((0, 0, 0, 1)))]
    rotations = sorted({"O", "Q"} & {*text}) if rng.random() < 0.9 else ["O"]
    return text, words, covariance, name, None, mean, rows, letters, rotations


def peak_memory() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Work:
    """What a query may do, counted: reductions of networks, and the work of Gaussian expectations."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reductions = 0
        reduce = networks.reduce_network

        def counted(*arguments: Any) -> Any:
            self.reductions += 1
            return reduce(*arguments)

        monkeypatch.setattr(cumulants, "reduce_network", counted)

    def check(self) -> None:
        """Within the limits; then start anew."""
        limit = law_answer.MAX_PLAIN_BLOCKS + law_answer.MAX_MONOMIALS
        assert self.reductions <= limit
        self.reductions = 0


def yardstick() -> float:
    """Processor time of some work that is always the same."""
    start = time.process_time()
    for _ in range(8):
        sum(Fraction(1, number) for number in range(1, 1800))
    return time.process_time() - start


def slowness() -> float:
    """How many times as long as usual work takes just now, at least 1: slow machines, and busy ones whose cores share caches."""
    return max(1.0, yardstick() / YARDSTICK)


def outcome(arguments: Query, seconds: float = MAX_SECONDS) -> str:
    """How the query ends, after checking that this is one of the documented ways."""
    start = time.process_time()
    try:
        document = run(*arguments).as_dict()
        kind = "answered"
    except (BadInput, Refused) as error:
        message, kind = str(error), type(error).__name__
        is_read = message.isascii() and message.isprintable() and 0 < len(message) < 600
        position = error.position if isinstance(error, MomentSyntaxError) else 1
    else:
        json.dumps(document, allow_nan=False)
        is_read, position = True, 1
    spent = time.process_time() - start
    slow = slowness() if spent >= seconds else 1.0
    if seconds * slow <= spent < 1.5 * seconds * slow:
        # what else ran may have ended before it was measured how slow all is: once more, though caches are warmer now
        clear_cache()
        start = time.process_time()
        with suppress(BadInput, Refused):
            run(*arguments)
        spent = time.process_time() - start
    assert is_read, arguments
    assert 1 <= position <= len(arguments[0]) + 1, arguments
    assert spent < seconds * slow, f"{spent:.1f} s: {arguments}"
    return kind


def fuzz(seed: str, count: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How ``count`` random queries end; the most memory that the process held must not grow by `MOST_MEMORY`."""
    rng, work, before = random.Random(seed), Work(monkeypatch), peak_memory()
    found: Counter[str] = Counter()
    for _ in range(count):
        found[outcome(query(rng, folder))] += 1
        work.check()
    assert peak_memory() - before < MOST_MEMORY
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "a.npy", np.array([[1.0, 2.0], [-1.0, 3.0]]))
    np.save(tmp_path / "sigma.npy", np.array([[5.0, 5.0], [5.0, 10.0]]))
    return tmp_path


def test_random_queries(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = fuzz("fast", 500, folder, monkeypatch)
    assert found["answered"] > 25


@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
def test_many_random_queries(part: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = fuzz(f"slow {part}", 20_000, folder, monkeypatch)
    assert found["answered"] > 1_200
    assert {"MomentSyntaxError", "QueryTooLarge", "MomentDoesNotExist", "LawOrderError"} <= {*found}


def test_a_slow_machine_has_more_time_and_not_a_fast_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for taken, times in ((YARDSTICK / 5, 1.0), (YARDSTICK, 1.0), (4 * YARDSTICK, 4.0)):
        monkeypatch.setitem(slowness.__globals__, "yardstick", lambda taken=taken: taken)
        assert slowness() == pytest.approx(times)


# -- the fuzz fails on what it is there for ---------------------------------------------------------------------


def test_the_fuzz_notices_work_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch)
    clear_cache()
    moment("W A W A W", None, None, "laplace")
    monkeypatch.setattr(law_answer, "MAX_PLAIN_BLOCKS", 5)
    monkeypatch.setattr(law_answer, "MAX_MONOMIALS", 5)
    with pytest.raises(AssertionError):
        work.check()


def test_the_fuzz_notices_time_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment_work, "MAX_WORK", 10**9)
    with pytest.raises(AssertionError, match=r"s: \('W A W B W C W D W'"):
        outcome(("W A W B W C W D W", [], "general", "gaussian"), seconds=0.01)


@pytest.mark.parametrize("message", ["two\nlines", "", "x" * 600, "not ascii: \u03a3"])
def test_the_fuzz_notices_bad_messages_and_other_errors(
    message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(error: Exception) -> Callable[..., Any]:
        def refuse(*_: Any) -> Any:
            raise error

        return refuse

    monkeypatch.setattr("symbolic.query.query.parse", fails(Refused(message)))
    with pytest.raises(AssertionError):
        outcome(("W", [], None, "gaussian"))
    monkeypatch.setattr("symbolic.query.query.parse", fails(KeyError("W")))
    with pytest.raises(KeyError):
        outcome(("W", [], None, "gaussian"))
