"""When a moment of a Wishart matrix exists: the condition on n - p that negative powers impose."""

from symbolic.algebra.refusal import Refused


class MomentDoesNotExist(Refused):
    """The expectation diverges for these dimensions."""


def condition(inverse_degree: int) -> str:
    """The condition as text, for d the sum of the negative powers; empty when there is none."""
    return f"n - p > {2 * inverse_degree - 1}" if inverse_degree else ""


def check_existence(n: int, p: int, inverse_degree: int, power: int) -> None:
    """Raise `MomentDoesNotExist`, stating the condition, unless the moment exists.

    ``inverse_degree`` d is the sum of the negative powers, ``power`` the sum of all powers.  The smallest
    eigenvalue x of W has a density like x^((n-p-1)/2) at 0.  For p > 1 the other eigenvalues keep the
    positive powers away from 0, the moment diverges like the integral of x^-d, and n - p > 2d - 1 is
    necessary and sufficient.  For p = 1 positive and negative powers multiply to W^power first.
    """
    degree = max(-power, 0) if p == 1 else inverse_degree
    if degree and n - p <= 2 * degree - 1:
        raise MomentDoesNotExist(
            f"the moment exists only for {condition(degree)}, and n - p = {n - p} here: "
            f"take n of at least {p + 2 * degree}"
        )
