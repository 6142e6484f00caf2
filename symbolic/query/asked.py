"""What a moment query asks for besides its words: shapes, covariances, the law, rotations, and the names that need values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from symbolic.algebra.entry_laws import COMPLEX, GAUSSIAN, Law
from symbolic.algebra.entry_laws import law as named_law
from symbolic.algebra.refusal import Refused
from symbolic.grammar.row_elements import is_place
from symbolic.grammar.shapes import ONE, SQUARE, known_shape, letter_shapes
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.grammar.tree import (
    Element,
    Node,
    Symbol,
    Transpose,
    subtrees,
    symbols,
)
from symbolic.query.query_words import Setting
from symbolic.query.sizes import read_size
from symbolic.wishart.fixed_letters import (
    COLUMNS,
    IDENTITY,
    MEAN,
    ROW_COVARIANCE,
    ROW_IDENTITY,
    ROWS,
    SIGMA,
    indices_of,
    is_covariance,
    is_dimension,
    is_vector,
    is_wishart,
    of_rows,
    row_dimension,
    suggestion,
)
from symbolic.wishart.wishart_moment import Covariance

MEANS, ROW_LAWS = ("zero", "general"), ("independent", "general")
"""Whether X has a mean M, and its rows a covariance U."""

OWN = "own"
"""The covariance of each matrix is its own."""


def setting_of(
    text: str,
    node: Node,
    used: Collection[str],
    given: Mapping[str, Any],
    covariance: Covariance,
    mean: str,
    rows: str,
) -> Setting:
    """The random matrices and the shapes of all letters. Raises ValueError for letters that do not fit together."""
    if mean not in MEANS:
        raise Refused(f"unknown mean {mean[:50]!r}; {suggestion(mean, MEANS)}")
    if rows not in ROW_LAWS:
        raise Refused(f"unknown rows {rows[:50]!r}; {suggestion(rows, ROW_LAWS)}")
    random = [name for name in used if is_wishart(name) or of_rows(name) == ROWS]
    named = {*used, *given}
    means = {row_dimension(x) for x in random if mean == "general" or MEAN + row_dimension(x)[1:] in named}
    correlated = {
        row_dimension(x)
        for x in random
        if rows == "general" or ROW_COVARIANCE + row_dimension(x)[1:] in named
    }
    shape, shapes = letter_shapes(text, node)
    for kind, lengths in ((MEAN, means), (ROW_COVARIANCE, correlated)):
        for length in lengths:
            name = kind + length[1:]
            shapes[name] = known_shape(name) or SQUARE
    return Setting(covariance, shapes, frozenset(means), frozenset(correlated), shape)


def columns_of(given: Mapping[str, Any]) -> int | None:
    """p, where it is given or a matrix shows it."""
    if COLUMNS in given:
        return int(read_size(COLUMNS, given[COLUMNS]))
    for name, value in given.items():
        shape = (len(value),) if isinstance(value, list | tuple) else getattr(value, "shape", ())
        if shape and not (of_rows(name) or is_vector(name)):
            return int(shape[0])
    return None


def with_law(
    name: str, setting: Setting, text: str, node: Node, symmetric: Collection[str]
) -> tuple[Setting, Law]:
    """The law of the real entries, and the setting with what is complex in it. Raises ValueError for a name that is no law."""
    if name != COMPLEX:
        found = named_law(name)
        if setting.own and found is not GAUSSIAN:
            raise Refused(
                "covariances of their own are for Gaussian rows: leave the law out, or take one Sigma"
            )
        return setting, found
    _require_untransposed(text, node, symmetric)
    if setting.means or setting.correlated:
        raise Refused(
            "a mean of X and a covariance of its rows have no method for complex entries: leave them out"
        )
    return replace(setting, is_complex=True), GAUSSIAN


def rotating(
    setting: Setting, rotations: Collection[str], used: Collection[str], law: str, symmetric: Collection[str]
) -> Setting:
    """The setting with the letters that are rotations. Raises ValueError where they have no method."""
    for name in rotations:
        if name not in used:
            raise Refused(f"{name[:50]!r} is not needed in this expression: leave it out")
        if setting.shape(name) != SQUARE:
            raise Refused(f"{name} is {' x '.join(setting.shape(name))} here: a rotation is p x p")
        if name in symmetric:
            raise Refused(f"{name} is a rotation: leave it out of the symmetric letters")
    if rotations and law != GAUSSIAN.name:
        raise Refused(f"rotations have no method under the law {law[:50]}: ask for the law gaussian")
    return replace(setting, rotations=frozenset(rotations))


def _require_untransposed(text: str, node: Node, symmetric: Collection[str]) -> None:
    """Raises ValueError for what the transpose of a complex Wishart matrix, its conjugate, would come into."""
    for part in subtrees(node):
        name = part.name if isinstance(part, Symbol) else ""
        if isinstance(part, Transpose | Element) or (name and (indices_of(name) or is_vector(name))):
            raise MomentSyntaxError(
                text,
                part.position,
                "of complex matrices there are no transposes, elements or vectors here: give A' a name of its own, and "
                "take tr(A W) for an element",
            )
        if name and of_rows(name):
            raise MomentSyntaxError(
                text, part.position, f"{name} has no method for complex entries: ask for W = X* X"
            )
    if symmetric:
        raise Refused(
            "letters are not symmetric beside a complex Sigma, which is not its transpose: leave symmetric out"
        )


def covariance_of_query(
    covariance: str | None, text: str, node: Node, values: Mapping[str, Any]
) -> tuple[Covariance, bool]:
    """The covariance asked for, or implied by the letter Sigma, and whether each matrix has its own."""
    sigma = next((symbol for symbol in symbols(node) if is_covariance(symbol.name)), None)
    named = {symbol.name for symbol in symbols(node)} | values.keys()
    if covariance is None:
        found = sorted(filter(is_covariance, named))
        covariance = OWN if found and found != [SIGMA] else "general" if found else "identity"
    if covariance == OWN:
        return "general", True
    if covariance == "identity":
        if sigma is not None:
            raise MomentSyntaxError(
                text,
                sigma.position,
                f"{sigma.name} is the identity here: write {IDENTITY}, or ask for a general covariance",
            )
        return "identity", False
    if covariance == "general":
        numbered = next((name for name in sorted(named) if is_covariance(name) and name != SIGMA), None)
        if numbered:
            raise Refused(
                f"{numbered} is of matrices with covariances of their own: ask for the covariance own"
            )
        return "general", False
    raise Refused(
        f"unknown covariance {covariance[:50]!r}; {suggestion(covariance, ('identity', 'general', OWN))}"
    )


def covariance_of_names(text: str, values: Collection[str]) -> str:
    """The covariance that the names Sigma, Sigma1, ... in a text or among the values ask for."""
    found = {*re.findall(rf"(?<![A-Za-z]){SIGMA}[0-9]*", text), *filter(is_covariance, values)}
    return "identity" if not found else "general" if found == {SIGMA} else OWN


def needed_names(used: Iterable[str], setting: Setting) -> tuple[list[str], list[str]]:
    """The dimensions and the matrices that need values, by the names used in a query."""
    used = list(used)
    dimensions = [name for name in used if is_dimension(name)]
    matrices = [name for name in used if name not in dimensions]
    random = [name for name in matrices if is_wishart(name) or of_rows(name) == ROWS]
    by_rows = [name for name in matrices if of_rows(name)]
    dimensions += [row_dimension(name) for name in (*random, *by_rows)]
    letters = [
        name
        for name in matrices
        if name not in (*random, *setting.rotations, IDENTITY)
        and not indices_of(name)
        and of_rows(name) != ROW_IDENTITY
        and not is_place(name)
    ]
    if setting.covariance == "general" and random:
        letters += [setting.sigma(name)[0] for name in random]
    for kind, lengths in ((MEAN, setting.means), (ROW_COVARIANCE, setting.correlated)):
        letters += [kind + length[1:] for length in sorted(lengths)]
    dimensions += [x for name in letters for x in setting.shape(name) if x != ONE]
    dimensions += [COLUMNS] * bool(matrices)
    return list(dict.fromkeys(dimensions)), list(dict.fromkeys(letters))


def check_names(values: Mapping[str, Any], known: list[str]) -> None:
    """Raises Refused for a value that the query does not need."""
    for name in values:
        if name == SIGMA and name not in known:
            raise Refused(f"{SIGMA} is the identity here: leave it out, or ask for a general covariance")
        if name not in known:
            raise Refused(f"{name[:50]!r} is not needed in this expression; {suggestion(name, known)}")


def check_symmetric(symmetric: Collection[str], used: Collection[str]) -> None:
    """Raises Refused for a symmetric letter that does not occur."""
    for name in symmetric:
        if name not in used:
            letters = [x for x in used if not is_wishart(x) and not is_dimension(x) and x != IDENTITY]
            raise Refused(
                f"{name[:50]!r} is said to be symmetric and does not occur in this expression; {suggestion(name, letters)}"
            )
