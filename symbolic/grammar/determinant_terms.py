"""The terms of a moment query by the powers and logarithms of determinants in them, multiplied out as far as that needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple, NoReturn

from symbolic.grammar import tree
from symbolic.grammar.determinant_factors import Factor
from symbolic.grammar.tokens import MomentSyntaxError
from symbolic.grammar.tree import Node

MOST_TERMS = 24
"""Most kinds of terms of a query."""


class Key(NamedTuple):
    """What stands beside a term: a power of each determinant by its matrix, logarithms, and means as answers have them."""

    powers: tuple[tuple[str, Fraction], ...] = ()
    logs: tuple[str, ...] = ()
    means: tuple[Factor, ...] = ()

    def times(self, other: Key) -> Key:
        """That of a product."""
        powers = dict(self.powers)
        for name, power in other.powers:
            powers[name] = powers.get(name, Fraction(0)) + power
        means = tuple(sorted((*self.means, *other.means)))
        kept = tuple(sorted((name, power) for name, power in powers.items() if power))
        return Key(kept, tuple(sorted((*self.logs, *other.logs))), means)

    @property
    def names(self) -> list[str]:
        """The matrices."""
        return list(dict.fromkeys([*dict(self.powers), *self.logs, *(mean.name for mean in self.means)]))


def key_of(factor: Factor) -> Key:
    """What stands beside a term with one factor."""
    if factor.is_mean:
        return Key(means=(factor._replace(position=0),))
    return Key(logs=(factor.name,)) if factor.is_log else Key(((factor.name, factor.power),))


class Terms:
    """The terms of one query, whose ``factors`` are numbers 1 in its trees."""

    def __init__(self, text: str, factors: Iterable[Factor]) -> None:
        self._text = text
        # "(1)" stands in the place of a factor
        self._factors = {factor.position + 1: factor for factor in factors}

    def of(self, node: Node) -> dict[Key, Node]:
        """The sum of the terms beside each key. Raises MomentSyntaxError where a factor stands where no product is expanded."""
        if not any(map(self._is_factor, tree.subtrees(node))):
            return {Key(): node}
        match node:
            case tree.Number(position=position):
                return {key_of(self._factors[position]): node}
            case tree.Sum(terms=terms):
                found: dict[Key, list[tuple[int, Node]]] = {}
                for sign, term in terms:
                    for key, part in self.of(term).items():
                        found.setdefault(key, []).append((sign, part))
                self._require_few(node, len(found))
                return {key: tree.Sum(node.position, node.is_matrix, tuple(x)) for key, x in found.items()}
            case tree.Product(factors=factors):
                return self._product(node, factors)
            case tree.Power(of=inner, exponent=exponent):
                if exponent == 0:
                    return {Key(): tree.Power(node.position, node.is_matrix, inner, 0)}
                if exponent < 0:
                    self._fail(
                        node, "the power of a determinant is written at the determinant, as in det(W)^(-1/2)"
                    )
                return self._product(node, (inner,) * exponent)
            case tree.Quotient(top=top, bottom=bottom):
                if any(map(self._is_factor, tree.subtrees(bottom))):
                    self._fail(bottom, "a determinant cannot be divided by: write a power, det(W)^-1")
                return {key: replace(node, top=part) for key, part in self.of(top).items()}
            case tree.Trace(of=inner) | tree.Transpose(of=inner) | tree.Element(of=inner):
                return {key: replace(node, of=part) for key, part in self.of(inner).items()}
        self._fail(node, "a power or logarithm of a determinant stands in a determinant: take it out")

    def _product(self, node: Node, factors: tuple[Node, ...]) -> dict[Key, Node]:
        chosen: dict[Key, list[tuple[Node, ...]]] = {Key(): [()]}
        for factor in factors:
            longer: dict[Key, list[tuple[Node, ...]]] = {}
            for key, part in self.of(factor).items():
                for before, products in chosen.items():
                    longer.setdefault(before.times(key), []).extend((*product, part) for product in products)
            chosen = longer
            self._require_few(node, max(len(chosen), sum(map(len, chosen.values())) // MOST_TERMS))
        found: dict[Key, Node] = {}
        for key, products in chosen.items():
            terms = [tree.Product(node.position, node.is_matrix, product) for product in products]
            whole = tuple((1, term) for term in terms)
            found[key] = terms[0] if len(terms) == 1 else tree.Sum(node.position, node.is_matrix, whole)
        return found

    def _is_factor(self, node: Node) -> bool:
        return isinstance(node, tree.Number) and node.position in self._factors

    def _require_few(self, node: Node, count: int) -> None:
        if count > MOST_TERMS:
            self._fail(
                node,
                f"terms with different determinants are over the limit of {MOST_TERMS}: ask for some of them",
            )

    def _fail(self, node: Node, reason: str) -> NoReturn:
        place = next((self._factors[x.position] for x in tree.subtrees(node) if self._is_factor(x)), None)
        raise MomentSyntaxError(self._text, place.position if place else node.position, reason)


def with_powers(node: Node, powers: Mapping[str, Fraction], order: int) -> Node:
    """A tree times whole powers of determinants, written out for p = ``order``."""
    factors: list[Node] = []
    for name, power in powers.items():
        inside = tree.Symbol(node.position, True, name)
        determinant = tree.Determinant(node.position, False, inside, order)
        factors.append(tree.Power(node.position, False, determinant, int(power)))
    return tree.Product(node.position, node.is_matrix, (*factors, node))


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """A tree with other names for dimensions."""
    match node:
        case tree.Symbol(name=name):
            return replace(node, name=names.get(name, name))
        case tree.OfOne():
            return replace(node, of=renamed(node.of, names))
        case tree.Quotient():
            return replace(node, top=renamed(node.top, names), bottom=renamed(node.bottom, names))
        case tree.Product():
            return replace(node, factors=tuple(renamed(x, names) for x in node.factors))
        case tree.Sum():
            return replace(node, terms=tuple((sign, renamed(x, names)) for sign, x in node.terms))
    return node
