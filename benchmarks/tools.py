"""What is timed: each tool's way to a result, and how to read the result so that it can be compared."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from benchmarks import answers, form_wick, isserlis
from symbolic.algebra import words
from symbolic.algebra.expression import Expression
from symbolic.averages import expectation
from symbolic.query.query import moment
from symbolic.weingarten.complex_words import unitary_weingarten
from symbolic.weingarten.haar_words import orthogonal_weingarten
from symbolic.wishart import identity, marked_basis
from symbolic.wishart.general import matrix_moment_general, trace_moments_general
from symbolic.wishart.identity import trace_moment, trace_moments
from symbolic.wishart.partitions import Partition, partitions

ENGINE = "this project"
FORM = os.environ.get("FORM") or shutil.which("form") or ""
NO_FORM = "" if FORM else "FORM is not installed (Debian: the package `form`)"


@dataclass(frozen=True)
class Method:
    """`run` is timed; `read` turns its result into a comparable value, untimed.

    A method that needs compiling first is `warm`: one run goes before the timed one.  A `slow` method runs
    only on request.  `missing` says why a method cannot run here, and is empty when it can.  A tool that is
    not `in_process` runs in a process of its own, whose memory is not measured.  What is `published` must be equal, and is not timed.
    The modules that it `imports` are loaded before the time is taken.
    """

    tool: str
    run: Callable[[], Any]
    read: Callable[[Any], Any]
    warm: bool = False
    slow: bool = False
    missing: str = ""
    in_process: bool = True
    published: bool = False
    imports: tuple[str, ...] = ()

    def slowly(self) -> "Method":
        """The same method, run on request only."""
        return replace(self, slow=True)


def clear_caches() -> None:
    """Forget everything the engines remember, so that a run starts cold."""
    identity.clear_cache()
    marked_basis.clear_cache()
    expectation.clear_cache()


def identity_trace(power: int) -> Method:
    """E tr W^power, identity covariance, in n and p."""
    return Method(ENGINE, lambda: trace_moment((power,)), answers.from_identity)


def identity_value(power: int, n: int, p: int) -> Method:
    """E tr W^power, identity covariance, at given n and p."""
    return Method(ENGINE, lambda: trace_moment((power,))(n, p), int)


def identity_table(degree: int) -> Method:
    """Every trace moment of the degree, identity covariance."""
    return Method(
        ENGINE,
        lambda: trace_moments(degree),
        lambda table: {mu: answers.from_identity(value) for mu, value in table.items()},
    )


def general_power(power: int) -> Method:
    """E W^power, general covariance."""
    return Method(ENGINE, lambda: matrix_moment_general(power), answers.in_powers)


def general_table(degree: int) -> Method:
    """Every trace moment of the degree, general covariance."""
    return Method(
        ENGINE,
        lambda: trace_moments_general(degree),
        lambda table: {mu: answers.in_powers(value) for mu, value in table.items()},
    )


def word(letters: str, closing: str = "") -> Method:
    """The expectation of a word, general covariance; compared through its trace against a closing letter."""

    def run() -> Expression:
        x = words.gaussian("X", "n", "p", "S")
        factors = {"W": x.T @ x} | {name: words.matrix(name, "p", "p") for name in form_wick.LETTERS}
        product = factors[letters[0]]
        for letter in letters[1:]:
            product = product @ factors[letter]
        return expectation.expect(product if closing else words.tr(product))

    return Method(ENGINE, run, lambda result: answers.from_words(result, closing))


def form(*traces: str, general: bool) -> Method:
    """The expectation of a product of traces of words in FORM, printed."""
    return Method(
        "FORM",
        lambda: form_wick.run(FORM, traces, general),
        form_wick.parse,
        missing=NO_FORM,
        in_process=False,
    )


def sympy_pairings(power: int) -> Method:
    """E tr W^power in SymPy by enumeration, identity covariance."""

    return Method("SymPy, all pairings", lambda: isserlis.trace_moment(power), answers.from_sympy)


NO_HAARPY = "" if find_spec("haarpy") else "haarpy is not installed (`make bench` installs it)"
POINTS = tuple(range(11, 31))
"""Sizes at which rational functions of one size are compared: more than numerator and denominator have degrees together."""


def _values(answer: dict[Partition, Any]) -> dict[Partition, tuple[Fraction, ...]]:
    """Expressions of SymPy in p at `POINTS`."""
    found = {}
    for kind, value in answer.items():
        (name,) = value.free_symbols
        found[kind] = tuple(Fraction(str(value.subs(name, point))) for point in POINTS)
    return found


def orthogonal_values(degree: int) -> Method:
    """All values of the Weingarten function of O(p) for 2 d factors."""
    return Method(
        ENGINE,
        lambda: orthogonal_weingarten(degree),
        lambda found: {
            kind: tuple(value.at({"p": Fraction(p)}) for p in POINTS) for kind, value in found.items()
        },
    )


def unitary_values(degree: int) -> Method:
    """All values of (-1)^d times the Weingarten function of U(-q), by the cycles of permutations, q = n - p."""

    def read(found: Any) -> dict[Partition, tuple[Fraction, ...]]:
        values, bottom = found
        by_kind = {kind_of_permutation(s): value for s, value in values.items()}
        # q is taken negative, where the other tools have the dimension
        return {
            kind: tuple(
                (-1) ** degree * Fraction(str(value(0, point) / bottom(0, point))) for point in POINTS
            )
            for kind, value in by_kind.items()
        }

    return Method(ENGINE, lambda: unitary_weingarten(degree), read)


def kind_of_permutation(permutation: tuple[int, ...]) -> Partition:
    """The lengths of its cycles."""
    free, lengths = set(range(len(permutation))), []
    while free:
        place, length = min(free), 0
        while place in free:
            free.discard(place)
            place, length = permutation[place], length + 1
        lengths.append(length)
    return tuple(sorted(lengths))


def haarpy_values(group: str, degree: int) -> Method:
    """The same by haarpy, from characters or zonal functions: ``group`` is orthogonal or unitary."""

    def run() -> dict[Partition, Any]:
        weingarten = getattr(import_module("haarpy"), f"weingarten_{group}")
        p = import_module("sympy").Symbol("p")
        return {kind: weingarten(kind[::-1], p) for kind in partitions(degree)}

    return Method("haarpy", run, _values, missing=NO_HAARPY, imports=("haarpy",))


def rotation_moment(text: str) -> Method:
    """A moment of a rotation as it is asked for, with its check at small sizes."""

    def read(result: Any) -> tuple[Fraction, ...]:
        ((value),) = result.expectation.terms.values()
        return tuple(value.at({"p": Fraction(p)}) for p in POINTS)

    return Method(ENGINE, lambda: moment(text, rotations=["O"]), read)


def haarpy_moment(rows: tuple[int, ...], columns: tuple[int, ...]) -> Method:
    """The mean of a product of elements of a rotation by haarpy."""

    def run() -> dict[Partition, Any]:
        p = import_module("sympy").Symbol("p")
        return {(): import_module("haarpy").haar_integral_orthogonal((rows, columns), p)}

    return Method("haarpy", run, lambda answer: _values(answer)[()], missing=NO_HAARPY, imports=("haarpy",))


def hafnians(power: int, n: int, p: int) -> Method:
    """E tr W^power at given n and p by a hafnian for every choice of indices."""

    def run() -> float:
        value: float = import_module("benchmarks.hafnians").trace_moment_value(power, n, p)
        return value

    missing = "" if find_spec("thewalrus") else "thewalrus is not installed (`make bench` installs it)"
    return Method("thewalrus, hafnians", run, round, warm=True, missing=missing)
