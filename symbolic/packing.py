"""Sums of products packed into integers.

While a moment is accumulated, a term is ``count * product of loops``, a loop being a finished closed word or
a dimension. The product of words is one integer of exponent fields. Polynomials in the dimensions with counts
as coefficients are one integer as well (Kronecker substitution: the dimension is a power of two so large that
counts cannot overlap), so that adding, and multiplying by a dimension, cost one machine operation each. The
method is exact because all counts are non-negative and their sum is the number of pairings, known beforehand.
"""

from collections.abc import Iterable, Mapping

from flint import fmpq_mpoly

from symbolic.coefficients import context
from symbolic.contraction import Loop

PACKED_BITS = 1 << 14
"""Largest size of a packed polynomial; dimensions beyond it become exponent fields of their own."""


class Packing:
    """The layout of one accumulation.

    ``degrees`` bounds the power of each dimension, ``loops`` the number of loops in one product, and
    ``pairings`` the sum of all counts.
    """

    def __init__(self, degrees: Mapping[str, int], loops: int, pairings: int) -> None:
        names = tuple(sorted(degrees))
        self.count_bits = pairings.bit_length()
        self.field_bits = max(loops, 1, *degrees.values()).bit_length()
        self._ring = context(names)
        self._position = {name: position for position, name in enumerate(names)}
        self._packed: list[tuple[int, int]] = []
        self._moves: dict[Loop, tuple[int, int]] = {}
        self._fields: list[Loop] = []
        self._unpacked: dict[tuple[int, ...], fmpq_mpoly] = {}
        bits = self.count_bits
        for name, degree in sorted(degrees.items(), key=lambda item: (item[1], item[0])):
            if bits * (degree + 1) <= PACKED_BITS:
                self._moves[name] = (0, bits)
                self._packed.append((self._position[name], degree + 1))
                bits *= degree + 1

    def move(self, loops: Iterable[Loop]) -> tuple[int, int]:
        """What a factor ``loops`` adds to the exponent fields, and shifts the packed polynomial by."""
        fields = shift = 0
        for loop in loops:
            try:
                one_field, one_shift = self._moves[loop]
            except KeyError:
                one_field, one_shift = 1 << (len(self._fields) * self.field_bits), 0
                self._moves[loop] = one_field, one_shift
                self._fields.append(loop)
            fields += one_field
            shift += one_shift
        return fields, shift

    def unpack(self, fields: int, polynomial: int) -> tuple[list[bytes], fmpq_mpoly]:
        """The finished words of a term (with repetition), and the polynomial in the dimensions."""
        words: list[bytes] = []
        start = [0] * len(self._position)
        while fields:  # from the top, so that the integer shrinks at every step
            place = (fields.bit_length() - 1) // self.field_bits
            exponent = fields >> (place * self.field_bits)
            fields -= exponent << (place * self.field_bits)
            loop = self._fields[place]
            if isinstance(loop, str):
                start[self._position[loop]] = exponent
            else:
                words.extend([loop] * exponent)
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
