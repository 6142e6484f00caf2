"""Values that other programs publish in their documentation, and the engine's for the same questions.

wishmom 1.1.0 (R): the vignette `Using the wishmom Package` of R. Kan and P. Liang; that of coefficients at n = 10 is exact, those
at Sigma = [[25, 49], [49, 109]] and n = 20 are printed to seven digits. PyRTNI2: the notebook `tutorial_04a_Wishart`, with k for n and m for
p, or the other way round.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from benchmarks.tools import ENGINE, Method
from symbolic.query.query import moment

VIGNETTE = "wishmom, its vignette"
NOTEBOOK = "PyRTNI2, its tutorial"
SIGMA = [[25, 49], [49, 109]]
DIGITS = 7

# E of tr W^3, tr W^2 tr W, (tr W)^3 at n = 10 by the same of Sigma: wish_psn(3, 10)
REAL_THREE = ((1340, 330, 10), (440, 1140, 100), (80, 600, 1000))
# E of the products for 4, 3 + 1, 2 + 2, 2 + 1 + 1, 1 + 1 + 1 + 1, complex: wish_psn(4, 10, 1)
COMPLEX_FOUR = (
    (10500, 4040, 2010, 600, 10),
    (3030, 10700, 300, 3030, 100),
    (4020, 800, 10200, 2040, 100),
    (600, 4040, 1020, 10500, 1000),
    (60, 800, 300, 6000, 10000),
)
PARTITIONS = {3: ((3,), (2, 1), (1, 1, 1)), 4: ((4,), (3, 1), (2, 2), (2, 1, 1), (1, 1, 1, 1))}

# E tr W^4 by powers of k and m, for real and for complex entries
REAL_TRACE = {
    (4, 1): 1,
    (3, 2): 6,
    (3, 1): 6,
    (2, 3): 6,
    (2, 2): 17,
    (2, 1): 21,
    (1, 4): 1,
    (1, 3): 6,
    (1, 2): 21,
    (1, 1): 20,
}
COMPLEX_TRACE = {(4, 1): 1, (3, 2): 6, (2, 3): 6, (2, 1): 5, (1, 4): 1, (1, 2): 5}

# wishmom(n, S, c(2, 0, 1), 2, 2), iwishmom(n, S, 2), iwishmom(n, S, c(2, 0, 1), 2, 2) at n = 20
VALUES = (
    ("tr(W)^2 tr(W^3) W^2", ((9.039462e23, 1.956948e24), (1.956948e24, 4.258714e24))),
    ("tr(W^-1)^2", ((0.0006680892,),)),
    ("tr(W^-1)^2 tr(W^-3) W^-2", ((1.328434e-10, -6.101692e-11), (-6.101692e-11, 2.824292e-11))),
)


def _product(parts: tuple[int, ...], letter: str) -> str:
    return " ".join(f"tr({letter}^{part})" for part in parts)


def coefficients(degree: int, law: str) -> Method:
    """The engine's table of trace moments of a degree at n = 10, row by row."""

    def run() -> list[Any]:
        return [moment(_product(parts, "W"), {"n": 10}, "general", law) for parts in PARTITIONS[degree]]

    def read(results: list[Any]) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(_coefficient(result, parts) for parts in PARTITIONS[degree]) for result in results)

    return Method(ENGINE, run, read)


def _coefficient(result: Any, parts: tuple[int, ...]) -> int:
    wanted = sorted(("Sigma",) * part for part in parts)
    found = [value.at({}) for key, value in result.expectation.terms.items() if sorted(key.traces) == wanted]
    return int(sum(found, Fraction(0)))


def trace_of_fourth_power() -> Method:
    """The engine's E tr W^4 for real and complex entries, by powers of n and p."""

    def run() -> list[Any]:
        return [moment("tr(W^4)", law=law) for law in ("gaussian", "complex")]

    def read(results: list[Any]) -> Any:
        return tuple(
            {tuple(map(int, powers)): int(number) for powers, number in value.numerator.to_dict().items()}
            for result in results
            for value in result.expectation.terms.values()
        )

    return Method(ENGINE, run, read)


def values() -> Method:
    """The engine's numbers at n = 20, to the digits that are printed."""

    def run() -> list[Any]:
        return [moment(text, {"n": 20, "Sigma": SIGMA}).value for text, _ in VALUES]

    return Method(ENGINE, run, lambda found: tuple(map(_rounded, found)))


def _rounded(value: Any) -> tuple[tuple[str, ...], ...]:
    rows = value if isinstance(value, list | tuple) else [[value]]
    return tuple(
        tuple(f"{float(Fraction(x) if isinstance(x, str) else x):.{DIGITS - 1}e}" for x in row)
        for row in rows
    )


def published(tool: str, value: Any, read: Callable[[Any], Any] = lambda value: value) -> Method:
    """Values to be equal to, which take no time."""
    return Method(tool, lambda: value, read, published=True)


def published_values() -> Method:
    """The numbers of the vignette."""
    return published(VIGNETTE, tuple(value for _, value in VALUES), lambda found: tuple(map(_rounded, found)))


def as_power(result: Any, power: str) -> bool:
    """Whether with the identity for all letters it is the moment of a power of W, which another engine finds."""
    powers = {"Sigma": 1, "Sigma^-1": -1, **dict.fromkeys(("A", "B", "C", "A'", "B'", "C'"), 0)}

    def plain(terms: Any, at: dict[str, int]) -> dict[Any, Fraction]:
        total: dict[Any, Fraction] = {}
        for key, value in terms.items():
            words = [sum(map(powers.get, word)) for word in key.traces]
            number = value.at({name: Fraction(x) for name, x in at.items()}) * Fraction(
                at["p"]
            ) ** words.count(0)
            name = tuple(sorted(filter(None, words))), sum(map(powers.get, key.word))
            total[name] = total.get(name, Fraction(0)) + number
        return {name: number for name, number in total.items() if number}

    whole = moment(power, covariance="general").expectation.terms
    points = ({"n": 12, "p": 2}, {"n": 17, "p": 3}, {"n": 31, "p": 5})
    return all(plain(result.expectation.terms, at) == plain(whole, at) for at in points)
