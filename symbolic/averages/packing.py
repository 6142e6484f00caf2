"""Sums of products packed into integers.

While a moment is accumulated, a term is ``count * product of loops``, a loop being a finished closed word or
a dimension. Each product of words that is met has a number, 0 for the empty one, and so have their products.
Polynomials in the dimensions with counts as coefficients are one integer (Kronecker substitution: the dimension
is a power of two so large that counts cannot overlap), so that adding, and multiplying by a dimension, cost one
machine operation each. The method is exact because all counts are non-negative and their sum is the number of pairings, known beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping

from flint import fmpq_mpoly

from symbolic.algebra.coefficients import context
from symbolic.averages.by_parts import Loop

PACKED_BITS = 1 << 14
"""Largest size of a packed polynomial; dimensions beyond it become factors of the products."""


class _Times(dict[int, int]):
    """The products of one numbered product with others, by their numbers, made when they are asked for."""

    def __init__(self, packing: Packing, move: int) -> None:
        super().__init__()
        self._packing = packing
        self._move = move

    def __missing__(self, number: int) -> int:
        result = self[number] = self._packing.product(number, self._move)
        return result


class Packing:
    """The layout of one accumulation.

    ``degrees`` bounds the power of each dimension and ``pairings`` the sum of all counts.
    """

    def __init__(self, degrees: Mapping[str, int], pairings: int) -> None:
        names = tuple(sorted(degrees))
        self.count_bits = pairings.bit_length()
        self._ring = context(names)
        self._position = {name: position for position, name in enumerate(names)}
        self._packed: list[tuple[int, int]] = []
        self._shifts: dict[Loop, int] = {}
        self._field: dict[Loop, int] = {}
        self._loops: list[Loop] = []
        self._products: list[tuple[int, ...]] = [()]
        self._numbers: dict[tuple[int, ...], int] = {(): 0}
        self._moves: dict[tuple[Loop, ...], tuple[int, int]] = {}
        self._times: dict[int, _Times] = {}
        self._unpacked: dict[tuple[int, ...], fmpq_mpoly] = {}
        bits = self.count_bits
        for name, degree in sorted(degrees.items(), key=lambda item: (item[1], item[0])):
            if bits * (degree + 1) <= PACKED_BITS:
                self._shifts[(name,)] = bits
                self._packed.append((self._position[name], degree + 1))
                bits *= degree + 1

    def move(self, loops: tuple[Loop, ...]) -> tuple[int, int]:
        """The number of a product ``loops``, and what it shifts the packed polynomial by."""
        known = self._moves.get(loops)
        if known is None:
            fields: list[int] = []
            shift = 0
            for loop in loops:
                if loop in self._shifts:
                    shift += self._shifts[loop]
                    continue
                if loop not in self._field:
                    self._field[loop] = len(self._loops)
                    self._loops.append(loop)
                fields.append(self._field[loop])
            known = self._moves[loops] = self._numbered(tuple(sorted(fields))), shift
        return known

    def times(self, move: int) -> _Times:
        """The numbers of all products with the product numbered ``move``."""
        if move not in self._times:
            self._times[move] = _Times(self, move)
        return self._times[move]

    def product(self, first: int, second: int) -> int:
        """The number of the product of two numbered products."""
        return self._numbered(tuple(sorted(self._products[first] + self._products[second])))

    def _numbered(self, fields: tuple[int, ...]) -> int:
        number = self._numbers.setdefault(fields, len(self._products))
        if number == len(self._products):
            self._products.append(fields)
        return number

    def unpack(self, product: int, polynomial: int) -> tuple[list[str], fmpq_mpoly]:
        """The finished words of a term (with repetition), and the polynomial in the dimensions."""
        words: list[str] = []
        start = [0] * len(self._position)
        for field in self._products[product]:
            loop = self._loops[field]
            if isinstance(loop, str):
                words.append(loop)
            else:
                start[self._position[loop[0]]] += 1
        key = polynomial, *start
        known = self._unpacked.get(key)
        if known is None:
            known = self._unpacked[key] = self._polynomial(polynomial, start)
        return words, known

    def _polynomial(self, polynomial: int, start: list[int]) -> fmpq_mpoly:
        """A packed polynomial times a product of dimensions with exponents ``start``."""
        terms: dict[tuple[int, ...], int] = {}
        mask = (1 << self.count_bits) - 1
        place = 0
        while polynomial:
            skip = ((polynomial & -polynomial).bit_length() - 1) // self.count_bits
            polynomial >>= skip * self.count_bits
            place += skip
            exponents, rest = start.copy(), place
            for position, size in self._packed:
                rest, exponents[position] = divmod(rest, size)
            terms[tuple(exponents)] = polynomial & mask
            polynomial ^= polynomial & mask
        return self._ring.from_dict(terms)
