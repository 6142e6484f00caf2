"""The resolvent (m - L)^{-1} of the operator of `symbolic.wishart.marked_basis`, exactly, as polynomials in m.

On a degree, L is diagonalisable with the eigenvalues c_1 < ... < c_r of `marked_basis.contents`, so

    (m - L)^{-1} v = sum_{t=1}^{r} v_t / ((m - c_1) ... (m - c_t)),
    v_1 = v,  v_{t+1} = (L - c_t) v_t,  v_{r+1} = 0.

The last equation is checked in every call: it proves the expansion, whatever one believes about eigenvalues.
"""

from flint import fmpq_mpoly, fmpz_poly

from symbolic.wishart.identity import RING
from symbolic.wishart.marked_basis import Vector, contents, images

M = fmpz_poly([0, 1])
"""The generator m."""

DIFFERENCE = RING.gen(0) - RING.gen(1) - 1
"""m = n - p - 1 as a polynomial in n and p."""


def resolvent(vector: Vector) -> tuple[Vector, list[int]]:
    """(m - L)^{-1} of a vector of one degree: numerators, and the roots c of their denominator prod (m - c).

    Raises ValueError when the vector is empty or mixes degrees, ArithmeticError when the expansion does not
    end.
    """
    degrees = {power + sum(partition) for power, partition in vector}
    if len(degrees) != 1:
        raise ValueError(f"the vector has the degrees {sorted(degrees)}: give terms of one degree")
    roots = contents(degrees.pop())
    total: Vector = {}
    current = dict(vector)
    for root in roots:
        total = _plus({key: value * (M - root) for key, value in total.items()}, current)
        current = _plus(apply(current), {key: -root * value for key, value in current.items()})
    if any(current.values()):
        raise ArithmeticError("the resolvent does not end: the contents are not the eigenvalues of L")
    return {key: value for key, value in total.items() if value}, roots


def apply(vector: Vector) -> Vector:
    """L applied to a vector."""
    result: Vector = {}
    for element, value in vector.items():
        for key, factor in images(*element).items():
            term = factor * value
            result[key] = result[key] + term if key in result else term
    return result


def _plus(left: Vector, right: Vector) -> Vector:
    total = dict(left)
    for key, value in right.items():
        total[key] = total[key] + value if key in total else value
    return total


def in_dimensions(polynomial: fmpz_poly) -> fmpq_mpoly:
    """A polynomial in m = n - p - 1 as one in n and p."""
    total = RING.constant(0)
    for coefficient in reversed(polynomial.coeffs()):
        total = total * DIFFERENCE + int(coefficient)
    return total
