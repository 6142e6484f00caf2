"""Lemma 1, (31)-(42): moments of W = X^T X for a matrix X of n iid Gaussian rows in p dimensions.

    (31)      wishart-mean           E W
    (32)      wishart-second-moment  E W^2
    (33)      wishart-third-moment   E W^3
    (34)(35)  wishart-fourth-moment  E W^4
    (36)      wishart-1-trace-1      E W Tr W
    (37)      wishart-2-trace-1      E W^2 Tr W
    (38)      wishart-1-trace-2      E W Tr W^2
    (39)(40)  wishart-2-trace-2      E W^2 Tr W^2
    (41)      rows-sandwich          E X^T C X
    (42)      columns-sandwich       E W D W

Claims are the printed polynomials. Each derivation is a chain of moves: the rows of X put in, and averaged by
integration by parts, which the sum over all Wick pairings checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import numpy as np
import sympy
from sympy import Identity, MatrixSymbol, Trace

from derivations.language.assumptions import Assumptions
from derivations.language.printed_order import in_order
from derivations.language.symbols import n, p
from derivations.steps.chain import Chain, abbreviation
from derivations.steps.step import Kind, Observed, Parts, Step
from numeric_check.draws.sample import Sample
from symbolic.algebra.words import Expression, gaussian, matrix, tr

I_P = Identity(p)
C = MatrixSymbol("C", n, n)
D = MatrixSymbol("D", p, p)
SIZES: tuple[Mapping[str, float], ...] = ({"n": 7, "p": 4}, {"n": 12, "p": 9}, {"n": 5, "p": 17})
# where one unit of a small coefficient is a large part of the value
SMALL: tuple[Mapping[str, float], ...] = (
    {"n": 1, "p": 1},
    {"n": 1, "p": 2},
    {"n": 2, "p": 1},
    {"n": 3, "p": 2},
)


@lru_cache(maxsize=32)
def _chain(label: str, word: Expression, assumptions: Assumptions) -> Chain:
    """A word in W, or in X: the rows of X put in, and their average."""
    x = gaussian("X", "n", "p")
    chain = Chain(word)
    if "W" in word.letters():
        chain.define({"W": x.T @ x})
    return chain.average("X", reads=("gaussian-inputs",)).shows(label)


def word_text(power: int, traced: int) -> str:
    """W^power Tr W^traced as text."""
    first, inner = (f"W^{k}" if k > 1 else "W" for k in (power, traced))
    return f"{first} Tr {inner}" if traced else first


def _moment_step(
    name: str,
    equations: tuple[str, ...],
    power: int,
    traced: int,
    claimed: sympy.MatrixExpr,
    uses: tuple[str, ...],
) -> Step:
    """E[W^power Tr W^traced] (traced = 0: without the trace)."""
    label = rf"\mathbb{{E}}\,W^{power}" if power > 1 else r"\mathbb{E}\,W"
    if traced:
        label += r"\,\mathrm{Tr}\,W" + (f"^{traced}" if traced > 1 else "")

    w = abbreviation("W", "p")
    word = w**power * tr(w**traced) if traced else w**power
    chain = partial(_chain, label, word)

    def observe(sample: Sample) -> Observed:
        x = sample.gaussian("n", "p")
        w = np.swapaxes(x, 1, 2) @ x
        powers = w if power == 1 else np.linalg.matrix_power(w, power)
        if traced:
            inner = w if traced == 1 else np.linalg.matrix_power(w, traced)
            powers = powers * np.trace(inner, axis1=1, axis2=2)[:, None, None]
        return {label: powers}

    return _lemma(
        name,
        equations,
        statement=f"The mean of {word_text(power, traced)} for a Wishart matrix W = X^T X, at every n and p.",
        uses=uses,
        claim=lambda: {label: claimed},
        derivation=chain,
        observe=observe,
    )


_X, _SHORT_W = gaussian("X", "n", "p"), abbreviation("W", "p")
SANDWICH_ROWS = _X.T @ matrix("C", "n", "n", symmetric=True) @ _X
SANDWICH_COLUMNS = _SHORT_W @ matrix("D", "p", "p", symmetric=True) @ _SHORT_W


def _claim_sandwich_rows() -> Parts:
    return {r"\mathbb{E}\,X^TCX": Trace(C) * I_P}


def _observe_sandwich_rows(sample: Sample) -> Observed:
    x = sample.gaussian("n", "p")
    c = sample.matrix("C", "n", "n", positive=True)
    return {r"\mathbb{E}\,X^TCX": np.swapaxes(x, 1, 2) @ c @ x}


def _claim_sandwich_columns() -> Parts:
    return {r"\mathbb{E}\,WDW": n * (n + 1) * D + n * Trace(D) * I_P}


def _observe_sandwich_columns(sample: Sample) -> Observed:
    x = sample.gaussian("n", "p")
    w = np.swapaxes(x, 1, 2) @ x
    return {r"\mathbb{E}\,WDW": w @ sample.matrix("D", "p", "p", symmetric=True) @ w}


_lemma = partial(
    Step,
    kind=Kind.LEMMA,
    page="lemma1",
    sizes=SIZES,
    power_sizes=SMALL,
    method="Gaussian integration by parts; all Wick pairings",
)


Routes = tuple[Callable[[], Parts], Expression, Callable[[Sample], Observed]]


def _sandwich(name: str, number: str, statement: str, routes: Routes) -> Step:
    claim, word, observe = routes
    (label,) = claim()
    chain = partial(_chain, label, word)
    return _lemma(
        name,
        (number,),
        statement=statement,
        uses=("gaussian-inputs",),
        claim=claim,
        derivation=chain,
        observe=observe,
    )


STEPS: tuple[Step, ...] = (
    _moment_step("wishart-mean", ("31",), 1, 0, n * I_P, ("gaussian-inputs",)),
    _moment_step("wishart-second-moment", ("32",), 2, 0, n * (n + p + 1) * I_P, ("gaussian-inputs",)),
    _moment_step(
        "wishart-third-moment",
        ("33",),
        3,
        0,
        n * in_order(n**2, p**2, 3 * n * p, 3 * n, 3 * p, 4) * I_P,
        ("gaussian-inputs",),
    ),
    _moment_step(
        "wishart-fourth-moment",
        ("34", "35"),
        4,
        0,
        n
        * in_order(
            n**3,
            p**3,
            6 * n**2 * p,
            6 * n * p**2,
            6 * n**2,
            6 * p**2,
            17 * n * p,
            21 * n,
            21 * p,
            20,
        )
        * I_P,
        ("gaussian-inputs",),
    ),
    _moment_step("wishart-1-trace-1", ("36",), 1, 1, (n**2 * p + 2 * n) * I_P, ("gaussian-inputs",)),
    _moment_step(
        "wishart-2-trace-1",
        ("37",),
        2,
        1,
        n * (n**2 * p + n * p**2 + n * p + 4 * n + 4 * p + 4) * I_P,
        ("gaussian-inputs",),
    ),
    _moment_step(
        "wishart-1-trace-2",
        ("38",),
        1,
        2,
        n * (n**2 * p + n * p**2 + n * p + 4 * n + 4 * p + 4) * I_P,
        ("gaussian-inputs",),
    ),
    _moment_step(
        "wishart-2-trace-2",
        ("39", "40"),
        2,
        2,
        n
        * in_order(
            n**3 * p,
            n * p**3,
            2 * n**2 * p**2,
            2 * n**2 * p,
            2 * n * p**2,
            8 * n**2,
            8 * p**2,
            21 * n * p,
            20 * n,
            20 * p,
            20,
        )
        * I_P,
        ("gaussian-inputs",),
    ),
    _sandwich(
        "rows-sandwich",
        "41",
        "A symmetric matrix between X^T and X averages to its trace times the identity.",
        (_claim_sandwich_rows, SANDWICH_ROWS, _observe_sandwich_rows),
    ),
    _sandwich(
        "columns-sandwich",
        "42",
        "A symmetric matrix between two Wishart factors keeps its shape and adds a multiple of the identity.",
        (_claim_sandwich_columns, SANDWICH_COLUMNS, _observe_sandwich_columns),
    ),
)
