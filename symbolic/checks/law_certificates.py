"""Certificates of expectations under a law: exact checks that do not trust the cumulants and networks.

`recheck_law` takes each check again from the plain data of a certificate alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from flint import fmpq_mpoly

from symbolic.algebra import letters
from symbolic.algebra.coefficients import number, substitute, trim, unify
from symbolic.algebra.entry_laws import GAUSSIAN, Law, law
from symbolic.algebra.expression import Expression
from symbolic.algebra.letters import Letter, letter_of
from symbolic.averages.expectation import expect
from symbolic.averages.network_order import Network
from symbolic.averages.network_polynomial import (
    END,
    NetworkPolynomial,
    NetworkTerm,
    NotAnExpression,
    add_term,
)
from symbolic.averages.network_values import evaluate_networks
from symbolic.averages.networks import ROOT_SUFFIX, root_of
from symbolic.checks.certificates import CertificateError
from symbolic.checks.claims import Case, Check, NotApplicable
from symbolic.checks.entries import cost_by_entries, expect_by_entries, letter_values
from symbolic.checks.entry_products import Table
from symbolic.checks.plain_data import (
    Data,
    expression_from_data,
    expression_to_data,
    polynomial_from_data,
    polynomial_to_data,
)
from symbolic.checks.small_sizes import Sizes, small_sizes

LOW_COST = 5000
"""A second choice of sizes is taken up to about this number of terms; moments of sums over rows are dearer."""

Claim = tuple[Expression, NetworkPolynomial, Law]


def certify_law(moment: Expression, result: NetworkPolynomial, entry_law: Law) -> Data:
    """The certificate of E[moment] = result over all random letters, as plain data.

    Raises CertificateError when a check fails.
    """
    checks = _checks(moment, result, entry_law)
    failed = [check for check in checks if not check.passed]
    if failed:
        raise CertificateError(f"the moment fails the check {failed[0].name}: do not use it")
    return {
        "law": entry_law.name,
        "moment": expression_to_data(moment),
        "result": _to_data(result),
        "passed": True,
        "checks": [{**asdict(c), "applies": c.applies, "passed": c.passed} for c in checks],
    }


def recheck_law(certificate: Mapping[str, Any]) -> bool:
    """Whether every check, taken again from the claim in a certificate, is as stored and passes.

    Raises ValueError when the data are no certificate.
    """
    try:
        stored = [
            Check(item["name"], item["expected"], item["obtained"], item["reason"])
            for item in certificate["checks"]
        ]
        entry_law = law(certificate["law"])
        moment = expression_from_data(certificate["moment"])
        result = _from_data(certificate["result"])
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"these data are no certificate of a law ({error}): use certify_law") from error
    again = _checks(moment, result, entry_law)
    return again == stored and all(check.passed for check in again)


def _checks(moment: Expression, result: NetworkPolynomial, entry_law: Law) -> list[Check]:
    found = []
    for check in (_single_entry, _small_sizes, _gaussian):
        name = check.__name__.strip("_").replace("_", " ")
        try:
            expected, obtained = check((moment, result, entry_law))
        except NotApplicable as reason:
            found.append(Check(name, reason=str(reason)))
        else:
            found.append(Check(name, expected, obtained))
    return found


def _single_entry(claim: Claim) -> tuple[str, str]:
    """At size 1, with all letters 1, the moment is a product of moments E u^k of the law."""
    moment, result, entry_law = claim
    case = Case(moment, Expression({}, moment.shape, frozenset()))
    case.without_units()
    ones = {name: number(1) for name in case.dimensions}
    expected = obtained = number(0)
    for term, value in moment.terms.items():
        factor = substitute(value, ones)
        for count in case.counts(term):
            first, second = unify(factor, entry_law.moment(count))
            factor = first * second
        expected = _plus(expected, factor)
    for value in result.terms.values():
        obtained = _plus(obtained, substitute(value, ones))
    return str(trim(expected)), str(trim(obtained))


def _plus(first: fmpq_mpoly, second: fmpq_mpoly) -> fmpq_mpoly:
    first, second = unify(first, second)
    return first + second


def _small_sizes(claim: Claim) -> tuple[str, str]:
    """At small sizes, every entry written out and its powers replaced by their moments."""
    moment, result, entry_law = claim
    if entry_law.symbols is not None:
        raise NotApplicable("the cumulants are symbols")
    case = Case(moment, Expression({}, moment.shape, frozenset()))
    rules = dict.fromkeys((letter.name for letter in case.random), entry_law.rule)

    def cost(sizes: Sizes) -> int:
        return cost_by_entries(moment, sizes, *_values(case, sizes))

    expected, obtained = [], []
    for sizes in small_sizes(case, cost, LOW_COST):
        values, roots = _values(case, sizes)
        given = {**sizes, **values, **{name + ROOT_SUFFIX: root for name, root in roots.items()}}
        value = evaluate_networks(result, given)
        expected.append(str((sizes, expect_by_entries(moment, sizes, values, roots, rules))))
        obtained.append(str((sizes, [[value]] if moment.shape is None else value)))
    return "; ".join(expected), "; ".join(obtained)


def _values(case: Case, sizes: Mapping[str, int]) -> tuple[dict[str, Table], dict[str, Table]]:
    """Integer matrices for the letters, and symmetric integer roots of the covariances."""
    values = letter_values(case.letters, sizes)[0]
    roots: dict[str, Table] = {}
    for letter in case.random:
        if letter.covariance is not None:
            span = range(sizes[letter.columns] if letter.columns != letters.ONE else 1)
            root = [[Fraction(2 + i if i == j else (i + j) % 2 - 2 * (i * j)) for j in span] for i in span]
            roots[letter.covariance] = root
            values[letter.covariance] = [
                [sum((root[i][k] * root[k][j] for k in span), Fraction(0)) for j in span] for i in span
            ]
    return values, roots


def _gaussian(claim: Claim) -> tuple[str, str]:
    """Under the Gaussian law, the moment by integration by parts."""
    moment, result, entry_law = claim
    if entry_law is not GAUSSIAN:
        raise NotApplicable("the law is not Gaussian")
    try:
        return repr(expect(moment)), repr(result.expression())
    except NotAnExpression:
        return repr(expect(moment)), "a result with sums over indices"


# -- plain data --------------------------------------------------------------------------------------------


def _to_data(result: NetworkPolynomial) -> Data:
    names: dict[str, Letter] = {}

    def word(text: str) -> list[list[Any]]:
        for character in text:
            names[letter_of(character).name] = letter_of(character)
        return [[letter_of(c).name, letters.is_transposed(c)] for c in text]

    def network(x: Network) -> Data:
        return {
            "indices": [list(label) for label in x.labels],
            "edges": [[start, stop, word(text)] for start, stop, text in x.edges],
        }

    terms = [
        {
            "coefficient": polynomial_to_data(trim(value)),
            "traces": [word(trace) for trace in term.traces],
            "sums": [network(x) for x in term.networks],
            "word": None if term.word is None else word(term.word),
            "matrix": None if term.open_network is None else network(term.open_network),
        }
        for term, value in result.terms.items()
    ]
    shape = None if result.shape is None else list(result.shape)
    return {"shape": shape, "letters": [asdict(x) for x in names.values()], "terms": terms}


def _from_data(data: Mapping[str, Any]) -> NetworkPolynomial:
    codes = {item["name"]: _character(Letter(**item)) for item in data["letters"]}

    def word(factors: list[list[Any]]) -> str:
        return "".join(chr(ord(codes[name]) + bool(transposed)) for name, transposed in factors)

    def network(x: Mapping[str, Any]) -> Network:
        labels = tuple((str(dimension), int(index)) for dimension, index in x["indices"])
        edges = tuple((int(start), int(stop), word(text)) for start, stop, text in x["edges"])
        if any(not -1 <= vertex < len(labels) for start, stop, _ in edges for vertex in (start, stop)):
            raise ValueError("a sum over indices uses an index that it does not list: use certify_law")
        return Network(labels, edges, ())

    total: dict[NetworkTerm, fmpq_mpoly] = {}
    for item in data["terms"]:
        term = NetworkTerm(
            tuple(word(trace) for trace in item["traces"]),
            tuple(network(x) for x in item["sums"]),
            None if item["word"] is None else word(item["word"]),
            None if item["matrix"] is None else network(item["matrix"]),
        )
        add_term(total, term, polynomial_from_data(item["coefficient"]))
    shape = None if data["shape"] is None else (str(data["shape"][0]), str(data["shape"][1]))
    indices = frozenset(ord(code) >> 1 for code in codes.values())
    return NetworkPolynomial(total, shape, indices)


def _character(letter: Letter) -> str:
    if letter.name.endswith(ROOT_SUFFIX):
        covariance = letter.name.removesuffix(ROOT_SUFFIX)
        return root_of(Letter(covariance, letter.rows, letter.columns, symmetric=True))
    if letter.name != END and letter.random:
        raise ValueError(f"{letter.name} is still random: certify full expectations only")
    return chr(2 * letters.index_of(letter))
