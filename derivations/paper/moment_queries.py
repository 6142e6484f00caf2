"""A query of `derive moment` as a step: the engine's answer, the same by hand, and sampling from the definition.

W = X^T X for n rows Sigma^(1/2) u, u with independent entries of a law; W1 and W2 are independent, with n1 and n2 rows. For
complex normal entries W = X^* X. A rotation is uniform on the orthogonal group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial, reduce
from itertools import product
from operator import add, matmul, mul
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from derivations.language.assumptions import Assumptions
from derivations.paper.moment_trees import answer_tree
from derivations.steps.chain import Chain, Rule
from derivations.steps.chains.products import in_place_of
from derivations.steps.rules import haff
from derivations.steps.rules.exact_routes import inverse_of_chi_square
from derivations.steps.rules.haar import FREEDOM, mean_trace_of_inverse
from derivations.steps.rules.rotations import Weighted, by_moment, rewritten
from derivations.steps.rules.second_moments import two_of_a_rotation
from derivations.steps.rules.wishart_words import letters_by_name as by_name
from derivations.steps.step import Derived, Kind, Observed, Step
from numeric_check.draws.sample import Sample
from symbolic.algebra import words
from symbolic.algebra.entry_laws import COMPLEX
from symbolic.algebra.matrices import multiple
from symbolic.algebra.words import Expression, constant, gaussian, independent_entries, matrix, scalar
from symbolic.grammar.expanded import expand
from symbolic.grammar.syntax import parse
from symbolic.query.query import moment
from symbolic.wishart.fixed_letters import PSEUDO, TRANSPOSED, Word, is_inverse, is_wishart, row_dimension
from symbolic.wishart.trace_polynomial import Monomial

Array = NDArray[np.float64]
Sizes = tuple[Mapping[str, float], ...]

GAUSSIAN = "gaussian"
NORMAL = (GAUSSIAN, COMPLEX)
ROWS: Mapping[str, str] = {
    GAUSSIAN: "Gaussian rows of any covariance",
    "rademacher": "entries of plus or minus one",
    "laplace": "entries of Laplace's law",
    "uniform": "entries of the uniform law",
    "student:12": "entries of Student's law with twelve degrees of freedom",
    COMPLEX: "complex Gaussian rows of any real covariance",
}


@dataclass(frozen=True)
class Query:
    """One query.

    slug: of the step. text: as `derive moment` reads it. what: the same in words. label: the left-hand side in
    LaTeX. claim: its value by hand, and source: by which way. sampled: the same from a batch of
    sampled W, W1, W2 and the fixed letters A, and D, which is symmetric. law: one of ROWS. sizes, small: where it is
    sampled, and where wrong claims are told from the right one besides. when: what must hold for it to exist. rotations: letters
    that are uniform on the orthogonal group, in place of rows.
    """

    slug: str
    text: str
    what: str
    label: str
    claim: sympy.Basic
    source: str
    sampled: Callable[[Mapping[str, Array]], Array]
    sizes: Sizes
    small: Sizes
    law: str = GAUSSIAN
    when: str = ""
    rotations: tuple[str, ...] = ()

    @property
    def covariance(self) -> str:
        """General for Gaussian rows; under another law that would leave sums over indices, of W^+ it is not known."""
        known = self.law in NORMAL and not self.rotations and PSEUDO not in self.text
        return "general" if known else "identity"

    @property
    def statement(self) -> str:
        """One sentence."""
        over = "a rotation with the uniform law" if self.rotations else ROWS[self.law]
        over = "standard normal rows" if PSEUDO in self.text else over
        return f"{self.what}, for {over}{f', when {self.when}' if self.when else ''}."

    @property
    def arguments(self) -> str:
        """What follows `derive moment` on the command line."""
        chosen = "--cov general" if self.covariance == "general" else ""
        chosen += "".join(f" --rotation {name}" for name in self.rotations)
        chosen += f" --law {self.law}" if self.law != GAUSSIAN else ""
        return f'"{self.text}" {chosen.strip()}'


def sampled_matrices(query: Query, sample: Sample) -> dict[str, Any]:
    """A batch of the Wishart matrices that have rows at these sizes, and the fixed letters of the query.

    Of Gaussian rows, of which there are many, their triangular factor is drawn.
    """
    found: dict[str, Any] = {}
    one, sigma = np.eye(sample.size("p")), None
    if query.covariance == "general":
        # eigenvalues that differ by a factor of a few: where one dominates, the sampled means settle late
        sigma = one + sample.matrix("spread", "p", "p", positive=True) / 2
        sample.define("Sigma", sigma)
    for name in ("W", "W1", "W2"):
        rows = f"n{name[1:]}"
        if rows not in sample.values:
            continue
        if query.law == COMPLEX:
            z = sample.gaussian(rows, "p", sigma) + 1j * sample.gaussian(rows, "p", sigma)
            found[name] = np.swapaxes(z.conj(), 1, 2) @ z / 2
            continue
        is_gaussian = query.law == GAUSSIAN
        x = sample.triangular(rows, "p", sigma) if is_gaussian else sample.inputs(rows, "p", query.law, sigma)
        found[name] = np.swapaxes(x, 1, 2) @ x
    for name in query.rotations:
        found[name] = sample.frames("p", "p")
    if "A" in query.text:
        # near the identity, so that no trace is small by chance, and not symmetric
        found["A"] = one + sample.matrix("departure", "p", "p") / 3
        sample.define("A", found["A"])
    if "D" in query.text:
        found["D"] = sample.matrix("D", "p", "p", positive=True)
    return found


def _word(factors: Word, others: Mapping[str, Expression]) -> Expression:
    """A product of the letters of a query, W by its name."""
    plain = ((_letter(f.removesuffix(TRANSPOSED), others), f.endswith(TRANSPOSED)) for f in factors)
    return reduce(matmul, (one.T if turned else one for one, turned in plain))


def _letter(name: str, others: Mapping[str, Expression]) -> Expression:
    """A letter of a query, or what stands for it; all that are in use but A are symmetric."""
    if name.endswith(PSEUDO):
        return ROWS_OF.T @ ROWS_INVERSE @ ROWS_INVERSE @ ROWS_OF
    name = by_name.INVERSE if is_inverse(name) else name
    if name in others:
        return others[name]
    if name == by_name.INVERSE:
        return by_name.LETTERS[name]
    return matrix(name, "p", "p", symmetric=name not in ("A", "O") and name[0] != IMAGINARY)


def _start(text: str) -> Expression:
    """The sum of products of traces and a word that a query asks for."""
    return reduce(add, (number * _product(key) for key, number in _terms(text)))


def _terms(text: str) -> list[tuple[Monomial, Fraction]]:
    return [(key, value.at({})) for key, value in expand(text, parse(text)).terms.items()]


def _product(monomial: Monomial, others: Mapping[str, Expression] | None = None) -> Expression:
    traces = reduce(mul, (words.tr(_word(word, others or {})) for word in monomial.traces), constant(1))
    return traces if monomial.word is None else traces * _word(monomial.word, others or {})


@lru_cache(maxsize=8)
def _inverse_chain(text: str, label: str, assumptions: Assumptions) -> Chain:
    """Other Wishart matrices averaged away first, then factors of that with inverses, then these, by Haff's identity."""
    chain = Chain(_start(text))
    _average_rows(
        chain, sorted(filter(is_wishart, chain.result.letters().keys() - {*by_name.LETTERS})), GAUSSIAN
    )
    while by_name.WISHART in chain.result.letters():
        haff.by_parts(chain)
    while by_name.INVERSE in chain.result.letters():
        haff.one_inverse_fewer(chain)
    return chain.shows(label, haff.divisors(chain.result))


@lru_cache(maxsize=16)
def _complex_inverse_chain(text: str, label: str, assumptions: Assumptions) -> Chain:
    """The same in H = X^* X of complex rows."""
    hermitian = {
        by_name.WISHART: by_name.LETTERS[by_name.HERMITIAN],
        by_name.INVERSE: by_name.LETTERS[by_name.HERMITIAN_INVERSE],
    }
    chain = Chain(reduce(add, (number * _product(key, hermitian) for key, number in _terms(text))))
    while by_name.HERMITIAN in chain.result.letters():
        haff.by_parts(chain)
    while by_name.HERMITIAN_INVERSE in chain.result.letters():
        haff.one_inverse_fewer(chain)
    return chain.shows(label, haff.divisors(chain.result))


@lru_cache(maxsize=32)
def _chain(text: str, law: str, label: str, assumptions: Assumptions) -> Chain:
    """The rows of the Wishart matrices put in, and averaged over."""
    chain = Chain(_start(text))
    _average_rows(chain, sorted(filter(is_wishart, chain.result.letters())), law)
    return chain.shows(label)


# W^+ = X^T (X X^T)^-2 X for p > n, and the polar decomposition X = R Q, Q a uniform frame that is independent of R
ROWS_OF, ROWS_INVERSE = matrix("X", "n", "p"), matrix("H", "n", "n", symmetric=True)
FRAME, FRAME_ROOT = matrix("Q", "n", "p"), matrix("R", "n", "n", symmetric=True)


@lru_cache(maxsize=4)
def _pseudo_chain(text: str, label: str, assumptions: Assumptions) -> Chain:
    """The frame averaged over first, then the inverse Wishart matrix of n dimensions with p degrees of freedom."""
    chain = Chain(_start(text))
    rewritten(
        chain,
        Rule.POLAR,
        {(("X", True), ("H", False), ("H", False), ("X", False)): FRAME.T @ ROWS_INVERSE @ FRAME},
        values={"X": FRAME_ROOT @ FRAME},
        inverses={"H": ROWS_OF @ ROWS_OF.T},
        frames={"Q": "Q_rest"},
        sizes=WIDE,
    )
    two_of_a_rotation(chain, "Q")
    mean, freedom = mean_trace_of_inverse(scalar("n"), scalar("p"))
    rows = gaussian("X", "n", "p")
    by_moment(
        chain,
        Rule.WISHART,
        lambda before: in_place_of(words.tr(ROWS_INVERSE), mean, before),
        _inverse_by_rows,
        ("X",),
        values={FREEDOM: freedom},
        inverses={"H": rows @ rows.T},
        sizes=WIDE,
    )
    return chain.shows(label, {FREEDOM: freedom})


WIDE: tuple[Mapping[str, int], ...] = ({"n": 1, "p": 4}, {"n": 2, "p": 6}, {"n": 3, "p": 8})


def _inverse_by_rows(sizes: Mapping[str, int]) -> Weighted:
    """One over a diagonal element of (X X^T)^-1 is the squared distance of a row from the others, chi-square."""
    return [(Fraction(1), {"H": multiple(sizes["n"], inverse_of_chi_square(sizes["p"] - sizes["n"] + 1))})]


@lru_cache(maxsize=16)
def _rotation_chain(text: str, rotation: str, label: str, assumptions: Assumptions) -> Chain:
    """Two factors of a rotation averaged over."""
    chain = Chain(_start(text))
    two_of_a_rotation(chain, rotation)
    return chain.shows(label)


REAL, IMAGINARY = "R", "J"


@lru_cache(maxsize=16)
def _complex_chain(text: str, label: str, assumptions: Assumptions) -> Chain:
    """W = R + i J written out, R = (Y^T Y + Z^T Z)/2 and J = (Y^T Z - Z^T Y)/2 for independent real rows Y and Z, and averaged.

    The letters are real, so that the conjugate of W has its law, and the mean is that of the real part.
    """
    chain = Chain(reduce(add, (number * _real_part(key) for key, number in _terms(text))))
    parts: dict[str, Expression] = {}
    for number in sorted({name[1:] for name in chain.result.letters() if name[0] in (REAL, IMAGINARY)}):
        y, z = (gaussian(x + number, "n" + number, "p", covariance="Sigma") for x in "YZ")
        half = constant(Fraction(1, 2))
        parts[REAL + number] = half * (y.T @ y + z.T @ z)
        parts[IMAGINARY + number] = half * (y.T @ z - z.T @ y)
    chain.define({name: value for name, value in parts.items() if name in chain.result.letters()})
    chain.average(*sorted(x + name[1:] for name in parts if name[0] == REAL for x in "YZ"))
    return chain.shows(label)


def _real_part(monomial: Monomial) -> Expression:
    """That of a product with every factor W put in as R + i J: the terms with an even number of factors J."""
    factors = [f for word in (*monomial.traces, monomial.word or ()) for f in word]
    places = [k for k, factor in enumerate(factors) if is_wishart(factor)]
    terms: list[Expression] = []
    for chosen in product((REAL, IMAGINARY), repeat=len(places)):
        count = chosen.count(IMAGINARY)
        if count % 2:
            continue
        named = dict(zip(places, chosen, strict=True))
        written = [named[k] + f[1:] if k in named else f for k, f in enumerate(factors)]
        cut = [len(word) for word in monomial.traces]
        closed = [tuple(written[sum(cut[:k]) : sum(cut[: k + 1])]) for k in range(len(cut))]
        opened = None if monomial.word is None else tuple(written[sum(cut) :])
        sign = constant((-1) ** (count // 2))
        terms.append(sign * _product(monomial._replace(traces=tuple(closed), word=opened)))
    return reduce(add, terms)


def _average_rows(chain: Chain, names: list[str], law: str) -> None:
    """Put the rows of these Wishart matrices in, and average over them."""
    covariance = "Sigma" if law == GAUSSIAN else None
    rows = {
        name: independent_entries("X" + name[1:], row_dimension(name), "p", law, covariance) for name in names
    }
    # of one of two matrices, another law leaves the diagonal of what stands between, which no word expresses
    for group in [[name] for name in rows] if law == GAUSSIAN else [[*rows]]:
        chain.define({name: rows[name].T @ rows[name] for name in group})
        chain.average(*("X" + name[1:] for name in group))


def step_of(query: Query) -> Step:
    """The step of a query, which is no part of the paper and depends on none of its assumptions."""

    def derive(assumptions: Assumptions) -> Derived:
        # what the command answers, which the moves come to by a way of their own
        found = moment(query.text, None, query.covariance, query.law, rotations=query.rotations)
        return {query.label: answer_tree(found)}

    def observe(sample: Sample) -> Observed:
        # of complex matrices the imaginary part has the mean zero, as all letters are real
        return {query.label: np.real(query.sampled(sampled_matrices(query, sample)))}

    if query.law == COMPLEX and query.when:
        derivation = partial(_complex_inverse_chain, query.text, query.label)
        moves = "Haff's identity for complex rows, move by move"
    elif query.law == COMPLEX:
        derivation, moves = (
            partial(_complex_chain, query.text, query.label),
            "real and imaginary parts by parts",
        )
    elif query.rotations:
        (rotation,) = query.rotations
        derivation = partial(_rotation_chain, query.text, rotation, query.label)
        moves = "second moments of a uniform rotation"
    elif PSEUDO in query.text:
        derivation = partial(_pseudo_chain, query.text, query.label)
        moves = "a uniform frame and an inverse Wishart matrix, one after the other"
    elif query.when:
        derivation, moves = partial(_inverse_chain, query.text, query.label), "Haff's identity, move by move"
    else:
        derivation = partial(_chain, query.text, query.law, query.label)
        moves = "integration by parts, or cumulants"

    return Step(
        name=query.slug,
        equations=(),
        kind=Kind.MOMENT,
        statement=query.statement,
        page="moments",
        claim=lambda: {query.label: query.claim},
        derive=derive,
        derivation=derivation,
        observe=observe,
        sizes=query.sizes,
        power_sizes=query.small,
        method=f"the engine's answer to the query, checked at small sizes; {moves}",
        remark=f"The answer is compared with {query.source}.",
        query=query.arguments,
    )


def tr(batch: Array) -> Array:
    """The trace of each matrix of a batch."""
    return np.asarray(np.trace(batch, axis1=-2, axis2=-1))


def inv(batch: Array) -> Array:
    """The inverse of each matrix of a batch."""
    return np.asarray(np.linalg.inv(batch))


def scaled(factor: Array, batch: Array) -> Array:
    """Each matrix of a batch times its number."""
    return np.asarray(factor[:, None, None] * batch)
