"""E[kron(E1, E2)] for p x p expressions, a p^2 x p^2 matrix: E1 (x) E2 has the elements of the products of two elements.

E tr(E1 P) tr(E2 Q) is found for two fixed letters, and checked like any other. P and Q with a single 1 pick the elements, so

    tr(P M) tr(Q N) -> kron(M, N),   tr(P M Q N) -> kron(M, N) K,   tr(P M Q' N) -> vec(M') vec(N)',

K the commutation matrix, K vec(A) = vec(A'), and vec the columns below one another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.query.asked import check_names, columns_of, needed_names
from symbolic.query.combined.kronecker_terms import OUTER, PLAIN, TURNED, Term
from symbolic.query.result import Result
from symbolic.query.sizes import read_size
from symbolic.query.value import Matrices, Shown, evaluate, read_matrices
from symbolic.wishart.fixed_letters import COLUMNS, TRANSPOSED, Word, base, is_dimension, transpose
from symbolic.wishart.trace_polynomial import Monomial, TracePolynomial

SPARE = "PQRSVYZABCDFGHJKLN"
"""Letters of which two that do not occur stand for what picks the elements."""

MOST_COLUMNS = 6
"""Largest p for which the p^2 x p^2 matrix is written out."""

Average = Callable[[str, Mapping[str, Any]], Result]


def inside(text: str, name: str = "kron") -> tuple[str, str] | None:
    """The two expressions of a query that is a Kronecker product, or a covariance, as a whole; None for any other."""
    found = re.fullmatch(rf"\s*{name}\s*\((?P<inside>.*)\)\s*", text, re.DOTALL)
    if found is None:
        return None
    depth, parts, start = 0, [], 0
    for place, character in enumerate(found["inside"]):
        depth += (character in "({[") - (character in ")}]")
        if depth < 0:
            return None
        if character == "," and depth == 0:
            parts.append(found["inside"][start:place])
            start = place + 1
    parts.append(found["inside"][start:])
    if len(parts) != 2 or not all(map(str.strip, parts)):
        if name != "kron":
            return None
        raise MomentSyntaxError(text, 1, "kron is of two expressions: write kron(W, W)")
    return parts[0], parts[1]


def with_kronecker(text: str, parts: tuple[str, str], given: Mapping[str, Any], average: Average) -> Result:
    """The expectation. Raises ValueError as for the product of the two traces."""
    written = f"{text} {' '.join(str(x) for x in given.values() if isinstance(x, str))}"
    first, second = [x for x in SPARE if x not in written and x not in given][:2]
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    sizes = {
        name: read_size(name, value)
        for name, value in given.items()
        if name not in texts and is_dimension(name)
    }
    shown = columns_of({name: value for name, value in given.items() if name not in texts})
    known: dict[str, Fraction] = {**sizes, **({} if shown is None else {COLUMNS: Fraction(shown)})}
    inner = average(f"tr(({parts[0]}) {first}) tr(({parts[1]}) {second})", {**texts, **known})
    if any(inner.setting.shape(letter) != (COLUMNS, COLUMNS) for letter in (first, second)):
        raise MomentSyntaxError(text, 1, f"kron is of {COLUMNS} x {COLUMNS} matrices here: of X take X' X")
    if any(key.index_sums for key in inner.expectation.terms):
        raise Refused(
            "there are sums over indices under this law, which no Kronecker product expresses: ask for elements"
        )
    products = tuple(_term(key, value, first, second) for key, value in inner.expectation.sorted_terms)
    letters = sorted(
        {
            base(f)
            for term in products
            for word in (term.left, term.right, *(w for key in term.scalar.terms for w in key.traces))
            for f in word
        }
    )
    matrices = {name: value for name, value in given.items() if name not in texts and name not in sizes}
    used = {name for name in re.findall(r"[A-Za-z]+[0-9]*", written) if name not in texts}
    needed, shaped = needed_names(
        [x for x in inner.setting.shapes if x not in (first, second)], inner.setting
    )
    check_names(matrices, [*shaped, *letters, *(used & matrices.keys() & set(inner.setting.shapes))])
    value = None
    missing = [name for name in (*needed, *letters) if name not in known and name not in matrices]
    if matrices and missing:
        raise Refused(
            f"no value given for {', '.join(dict.fromkeys(missing))}: give all of them, or no matrices"
        )
    if not missing and COLUMNS in known:
        value = _value(products, read_matrices(matrices, int(known[COLUMNS]), inner.setting.shapes))
    return replace(inner, query=" ".join(text.split()), value=value, kronecker=products)


def _term(key: Monomial, value: Rational, first: str, second: str) -> Term:
    rest, found = [], {}
    for trace in key.traces:
        names = [base(f) for f in trace]
        letter = first if first in names else second if second in names else ""
        if not letter:
            rest.append(trace)
            continue
        place = names.index(letter)
        turned = trace[place:] + trace[:place]
        if turned[0].endswith(TRANSPOSED):
            turned = transpose(turned)
            turned = turned[-1:] + turned[:-1]
        found[letter] = turned[1:]
    scalar = TracePolynomial({Monomial(tuple(rest), None): value}, is_matrix=False)
    if second in found:
        return Term(scalar, found[first], found[second], PLAIN)
    names = [base(f) for f in found[first]]
    place = names.index(second)
    left, middle, right = found[first][:place], found[first][place], found[first][place + 1 :]
    return Term(scalar, left, right, OUTER if middle.endswith(TRANSPOSED) else TURNED)


def _value(products: tuple[Term, ...], matrices: Matrices) -> Shown:
    size = matrices.size
    if size > MOST_COLUMNS:
        raise Refused(
            f"the result has {size**2} x {size**2} elements and is written out up to {COLUMNS} = {MOST_COLUMNS}"
        )
    span, exact = range(size), matrices.is_exact
    total: list[list[Any]] = [[Fraction(0) if exact else 0.0 for _ in range(size**2)] for _ in range(size**2)]
    for term in products:
        number = _number(evaluate(term.scalar, matrices), exact)
        left, right = (_table(word, matrices) for word in (term.left, term.right))
        for i in span:
            for k in span:
                for j in span:
                    for l in span:
                        total[i * size + k][j * size + l] += number * term.element(left, right, (i, k, j, l))
    return [[str(x) for x in row] for row in total] if exact else total


def _table(word: Word, matrices: Matrices) -> list[list[Any]]:
    found = evaluate(TracePolynomial.letter(word), matrices)
    rows = found if isinstance(found, list) else [[found]]
    return [[_number(x, matrices.is_exact) for x in row] for row in rows]


def _number(value: Any, exact: bool) -> Any:
    return Fraction(value) if exact else float(Fraction(value)) if isinstance(value, str) else float(value)
