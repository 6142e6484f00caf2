"""When a moment of a Wishart matrix exists: the condition on n - p that negative powers impose."""

from symbolic.algebra.refusal import Refused


class MomentDoesNotExist(Refused):
    """The expectation diverges for these dimensions."""


def condition(inverse_degree: int) -> str:
    """What makes a moment exist when p > 1, as text, for d the sum of the negative powers; empty when it always does.

    The smallest eigenvalue x of W has a density like x^((n-p-1)/2) at 0, and for p > 1 the other eigenvalues keep
    positive powers away from 0: the moment diverges like the integral of x^-d, so that n - p > 2d - 1 is necessary
    and sufficient.  For p = 1 positive and negative powers multiply to one power first.
    """
    return f"n - p > {2 * inverse_degree - 1}" if inverse_degree else ""
