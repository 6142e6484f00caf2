"""Matrix polynomials in a covariance Sigma and its power sums: the form of every Wishart moment.

A value is the sum over (j, nu) of c_{j,nu} Sigma^j prod_{i in nu} tr Sigma^i, where j and the parts i are
integers (negative in inverse moments) and the c_{j,nu} depend on the dimensions n and p alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy

from symbolic.algebra import dimension_coefficients
from symbolic.algebra.coefficients import to_fmpq, to_fraction
from symbolic.algebra.dimension_coefficients import Coefficient, as_rational
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.algebra.sympy_trees import factored_to_sympy
from symbolic.wishart.covariance_matrix import (
    Entry,
    dimension,
    exact_covariance,
    matrix_powers,
    row_count,
    trace,
)
from symbolic.wishart.partitions import Partition, as_partition

Number = Fraction | float
Value = Number | list[list[Number]]
"""A number or, for a matrix, its rows; floats only where the covariance was given in floats."""


@dataclass(frozen=True, eq=False)
class CovariancePolynomial:
    """``terms`` maps (j, nu) to c_{j,nu}; a scalar has j = 0 throughout, a matrix is p x p."""

    terms: Mapping[tuple[int, Partition], Coefficient]
    is_matrix: bool

    def coefficient(self, power: int, partition: Iterable[int] = ()) -> Rational:
        """c_{j,nu} as a rational function of n and p, zero where there is no such term.

        Raises ValueError when a part is no non-zero integer.
        """
        found = self.terms.get((power, as_partition(partition)))
        return Rational.number(0) if found is None else as_rational(found)

    def equals(self, other: CovariancePolynomial) -> bool:
        """Exact equality, term by term."""
        return self.is_matrix == other.is_matrix and all(
            self.coefficient(*key).equals(other.coefficient(*key)) for key in {**self.terms, **other.terms}
        )

    def trace(self) -> CovariancePolynomial:
        """The trace of a matrix, a scalar; raises ValueError for a scalar."""
        if not self.is_matrix:
            raise Refused("a scalar moment has no trace: ask for the trace of a matrix moment")
        p = Rational.generator("p")
        total: dict[tuple[int, Partition], Rational] = {}
        for (power, partition), value in self.terms.items():
            key = (0, as_partition((*partition, power)) if power else partition)
            term = as_rational(value) if power else as_rational(value) * p
            total[key] = total[key] + term if key in total else term
        return CovariancePolynomial({k: v for k, v in total.items() if not v.is_zero()}, is_matrix=False)

    def at(self, n: int, covariance: int | Sequence[Sequence[Entry]]) -> Value:
        """The value for n rows and a covariance: its rows, or the integer p for the p x p identity.

        The arithmetic is exact.  Integer and rational entries give Fractions; if an entry is a float, every
        entry is taken at its exact binary value and the result is rounded to floats once, at the end.
        Raises ValueError when n is no positive integer, when the covariance is not square, symmetric, finite
        and positive semidefinite, when a negative power meets a singular covariance, or on a pole in n and p.
        """
        row_count(n)
        if isinstance(covariance, int):
            return self._at_identity(n, dimension(covariance))
        sigma, exact = exact_covariance(covariance)
        powers = matrix_powers(sigma, {power for j, nu in self.terms for power in (j, *nu)})
        sums = {k: trace(matrix) for k, matrix in powers.items()}
        factors = self._factors(n, sigma.nrows(), sums)
        read: Callable[[Fraction], Number] = Fraction if exact else float
        if not self.is_matrix:
            return read(factors.get(0, Fraction(0)))
        total = 0 * sigma
        for j, factor in factors.items():
            total += powers[j] * to_fmpq(factor)
        return [[read(to_fraction(entry)) for entry in row] for row in total.tolist()]

    def _at_identity(self, n: int, p: int) -> Value:
        sums = {power: Fraction(p) for _, nu in self.terms for power in nu}
        value = sum(self._factors(n, p, sums).values(), Fraction(0))
        if not self.is_matrix:
            return value
        return [[value if i == j else Fraction(0) for j in range(p)] for i in range(p)]

    def _factors(self, n: int, p: int, power_sums: Mapping[int, Fraction]) -> dict[int, Fraction]:
        """The number that multiplies each power of Sigma."""
        factors: dict[int, Fraction] = {}
        for (j, nu), value in self.terms.items():
            try:
                term = as_rational(value).at({"n": n, "p": p})
            except ZeroDivisionError:
                raise Refused(f"the moment has a pole at n = {n}, p = {p}: take a larger n") from None
            factors[j] = factors.get(j, Fraction(0)) + term * math.prod(power_sums[part] for part in nu)
        return factors

    def to_sympy(
        self,
        symbols: Mapping[str, sympy.Expr] | None = None,
        power_sum: Callable[[int], sympy.Expr] | None = None,
    ) -> sympy.Expr:
        """A SymPy expression, a matrix expression in ``MatrixSymbol("Sigma", p, p)`` when this is a matrix.

        ``symbols`` gives expressions for ``n`` and ``p``; ``power_sum(k)`` stands for tr Sigma^k, by default
        the SymPy ``Trace``.
        """
        given = symbols or {}
        p = given.get("p", sympy.Symbol("p"))
        sigma = sympy.MatrixSymbol("Sigma", p, p)
        power_trace = power_sum or (lambda k: sympy.Trace(sigma**k))
        pieces = [
            (j, sympy.Mul(factored_to_sympy(as_rational(self.terms[j, nu]), given), *map(power_trace, nu)))
            for j, nu in self._ordered()
        ]
        if not self.is_matrix:
            return sympy.Add(*(factor for _, factor in pieces))
        if not pieces:
            return sympy.ZeroMatrix(p, p)
        return sympy.MatAdd(*(sympy.MatMul(factor, sigma**j) for j, factor in pieces))

    def latex(self, sigma: str = r"\Sigma") -> str:
        """LaTeX with factored coefficients, the largest powers of Sigma (of either sign) first."""
        text = ""
        for j, nu in self._ordered():
            factor = dimension_coefficients.latex(self.terms[j, nu])
            negative = factor.startswith("-")
            words = [factor.removeprefix("-")] if factor not in ("", "-") else []
            words += [_trace_latex(part, nu.count(part), sigma) for part in sorted(set(nu))]
            if self.is_matrix:
                words.append(_power_latex(j, sigma))
            sign = "-" if negative else "+" if text else ""
            text += f" {sign} " if text else sign
            text += r" \, ".join(words) or "1"
        return text or "0"

    def _ordered(self) -> list[tuple[int, Partition]]:
        return sorted(self.terms, key=lambda key: (-abs(key[0]), -key[0], len(key[1]), key[1]))


def _power_latex(power: int, sigma: str) -> str:
    return "I" if power == 0 else sigma if power == 1 else f"{sigma}^{{{power}}}"


def _trace_latex(power: int, multiplicity: int, sigma: str) -> str:
    exponent = f"^{{{multiplicity}}}" if multiplicity > 1 else ""
    return rf"\operatorname{{tr}}({_power_latex(power, sigma)}){exponent}"
