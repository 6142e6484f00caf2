"""Powers and logarithms of determinants of Wishart matrices, as factors of a moment query.

The density of W has the factor det(W)^((n-p-1)/2), so a power of the determinant is a change of n:

    E[f(W) det(W)^k] = E[det(W)^k] E_(n+2k)[f(W)],   E[det(W)^k] = |Sigma|^k 2^(kp) prod_(i=0)^(p-1) G((n-i)/2 + k)/G((n-i)/2),

for every real k with n + 2k > p - 1, where G is the gamma function. With k = 0 after one derivative,

    E[f(W) log det W] = (log|Sigma| + p log 2 + sum_i psi((n-i)/2)) E[f(W)] + 2 d/dn E[f(W)],

and beside det(W)^k the same with n + 2k for n.

For complex entries (n - i)/2 becomes n - i, 2k becomes k, and there is no power of 2. What is made of these:
`symbolic.query.combined.determinant_answer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from flint import arb, fmpq

from symbolic.algebra.coefficients import context, names_of, to_fmpq
from symbolic.algebra.quotients import Rational
from symbolic.algebra.refusal import Refused
from symbolic.wishart.fixed_letters import COLUMNS, Word, row_dimension
from symbolic.wishart.trace_polynomial import TracePolynomial, collect

DIGITS = 60
"""Decimal digits of gamma functions on the way to a float."""

MOST_COLUMNS = 1_000_000
"""Largest p at which a mean has a value: it has a factor, or a term, for each column, and takes some seconds there."""


def _columns(sizes: Mapping[str, Fraction]) -> int:
    p = int(sizes[COLUMNS])
    if p > MOST_COLUMNS:
        raise Refused(
            f"p is {p}, over the limit of {MOST_COLUMNS} for a determinant, whose mean has a factor for each column: give a "
            "smaller one"
        )
    return p


@dataclass(frozen=True)
class Determinants:
    """What stands before an expectation: det(W)^power for each of ``powers``, with its covariance as a word.

    ``log`` is the matrix whose log det is a factor, "" if none; ``slope`` is what comes from the derivative of the rest.
    ``sizes`` are the dimensions that have values.
    """

    powers: tuple[tuple[str, Fraction, Word], ...]
    log: str
    log_sigma: Word
    slope: TracePolynomial
    is_complex: bool
    sizes: tuple[tuple[str, Fraction], ...] = ()

    def _named(self, name: str) -> str:
        return str(dict(self.sizes).get(name, name))

    def factor_text(self) -> str:
        """The mean of the powers, without the rest."""
        shown = []
        for name, power, sigma in self.powers:
            n, p, k = self._named(row_dimension(name)), self._named(COLUMNS), str(power)
            half = f"({n} - i)" if self.is_complex else f"({n} - i)/2"
            raised = f"({k})" if "/" in k or "-" in k else k
            shown += [f"det({sigma[0]})^{raised}"] if sigma else []
            shown += [] if self.is_complex else [f"2^({k}*{p})"]
            shown.append(f"prod(i=0..{p}-1: gamma({half} + {raised})/gamma({half}))")
        return " ".join(shown)

    @property
    def log_shift(self) -> Fraction:
        """The power of the same determinant beside the logarithm, by which its degrees of freedom are moved."""
        return sum((power for name, power, _ in self.powers if name == self.log), Fraction(0))

    def log_text(self) -> str:
        """The mean of the logarithm, beside the powers."""
        n, p = self._named(row_dimension(self.log)), self._named(COLUMNS)
        parts = [f"log det({self.log_sigma[0]})"] if self.log_sigma else []
        half, k = f"{n} - i" if self.is_complex else f"({n} - i)/2", str(self.log_shift)
        moved = f"{half} + {f'({k})' if '/' in k or '-' in k else k}" if self.log_shift else half
        parts += [] if self.is_complex else [f"{p} log 2"]
        return " + ".join([*parts, f"sum(i=0..{p}-1: digamma({moved}))"])

    def factor_latex(self) -> str:
        """The same as `factor_text`."""
        shown = []
        for name, power, sigma in self.powers:
            n, p, k = _index(self._named(row_dimension(name))), self._named(COLUMNS), str(power)
            half = rf"{n} - i" if self.is_complex else rf"\tfrac{{{n} - i}}{{2}}"
            shift = f"{half} + {k}" if power >= 0 else f"{half} - {-power}"
            shown += [rf"|{_sigma(sigma)}|" + (f"^{{{k}}}" if power != 1 else "")] if sigma else []
            over = f"/{power.denominator}" if power.denominator > 1 else ""
            times = {1: "", -1: "-"}.get(power.numerator, f"{power.numerator} " + r"\cdot " * p.isdigit())
            shown += [] if self.is_complex else [f"2^{{{times}{p}{over}}}"]
            shown.append(rf"\prod_{{i=0}}^{{{p}-1}} \frac{{\Gamma({shift})}}{{\Gamma({half})}}")
        return r" \, ".join(shown)

    def log_latex(self) -> str:
        """The same as `log_text`."""
        n, p = _index(self._named(row_dimension(self.log))), self._named(COLUMNS)
        parts = [rf"\log|{_sigma(self.log_sigma)}|"] if self.log_sigma else []
        argument = f"{n} - i" if self.is_complex else rf"\tfrac{{{n} - i}}{{2}}"
        shift = self.log_shift
        argument += (f" + {shift}" if shift > 0 else f" - {-shift}") if shift else ""
        parts += [] if self.is_complex else [rf"{p} \log 2"]
        parts.append(rf"\sum_{{i=0}}^{{{p}-1}} \psi({argument})")
        return " + ".join(parts)

    def factor_value(self, sizes: dict[str, Fraction], determinants: dict[str, Fraction]) -> Fraction | arb:
        """The mean of the powers; exact where all of them are whole numbers. ``determinants`` are those of the covariances."""
        result: Fraction | arb = Fraction(1)
        for name, power, sigma in self.powers:
            n, p = sizes[row_dimension(name)], _columns(sizes)
            scale = determinants[sigma[0]] if sigma else Fraction(1)
            if power.denominator == 1:
                result = _times(
                    result,
                    scale**power.numerator * whole_power(n, p, power.numerator, 1 if self.is_complex else 2),
                )
            else:
                result = _times(
                    real(result),
                    _gammas(n, p, power, 1 if self.is_complex else 2) * real(scale) ** real(power),
                )
        return result

    def log_value(self, sizes: dict[str, Fraction], determinants: dict[str, Fraction]) -> arb:
        """The mean of the logarithm."""
        n, p = sizes[row_dimension(self.log)], _columns(sizes)
        step = 1 if self.is_complex else 2
        found = sum((real((n - i) / step + self.log_shift).digamma() for i in range(p)), real(Fraction(0)))
        if step == 2:
            found += real(Fraction(p)) * real(Fraction(2)).log()
        return found + real(determinants[self.log_sigma[0]]).log() if self.log_sigma else found


def shifted(polynomial: TracePolynomial, rows: str, change: Fraction) -> TracePolynomial:
    """An expectation with ``change`` more rows."""
    return collect(
        ((key, _composed(value, rows, change)) for key, value in polynomial.terms.items()),
        polynomial.is_matrix,
    )


def renamed(polynomial: TracePolynomial, names: Mapping[str, str]) -> TracePolynomial:
    """An expectation with other names for dimensions."""
    terms = []
    for key, value in polynomial.terms.items():
        found = value
        for name, other in names.items():
            found = found.replace(name, Rational.generator(other))
        terms.append((key, found))
    return collect(terms, polynomial.is_matrix)


def twice_derivative(polynomial: TracePolynomial, rows: str, times: int = 2) -> TracePolynomial:
    """2 d/dn of an expectation, or ``times`` that derivative."""
    return collect(
        ((key, _derivative(value, rows) * Rational.number(times)) for key, value in polynomial.terms.items()),
        polynomial.is_matrix,
    )


def _composed(value: Rational, rows: str, change: Fraction) -> Rational:
    parts = []
    for part in (value.numerator, value.denominator):
        ring = part.context()
        images = [
            ring.gen(k) + (to_fmpq(change) if name == rows else fmpq(0))
            for k, name in enumerate(names_of(ring))
        ]
        parts.append(part.compose(*images, ctx=ring) if images else part)
    return Rational(parts[0], parts[1], {})


def _derivative(value: Rational, rows: str) -> Rational:
    top, bottom = value.numerator, value.denominator
    slopes = [
        part.derivative(rows) if rows in names_of(part.context()) else context(()).constant(0)
        for part in (top, bottom)
    ]
    one = context(()).constant(1)
    first = Rational(slopes[0], one, {}) * Rational(one, bottom, {})
    second = (
        Rational(top, one, {})
        * Rational(slopes[1], one, {})
        * Rational(one, bottom, {})
        * Rational(one, bottom, {})
    )
    return (first - second).reduced()


def whole_power(n: Fraction, p: int, power: int, step: int) -> Fraction:
    """E det(W)^power at Sigma = I for a whole power: rising or falling products in steps of 2, complex 1."""
    if power >= 0:
        return prod((n - i + step * j for i in range(p) for j in range(power)), start=Fraction(1))
    return 1 / prod((n - i - step * j for i in range(p) for j in range(1, -power + 1)), start=Fraction(1))


def _gammas(n: Fraction, p: int, power: Fraction, step: int) -> arb:
    found = real(Fraction(1))
    for i in range(p):
        start = (n - i) / step
        found *= (real(start + power).lgamma() - real(start).lgamma()).exp()
    return found * (real(Fraction(2)) ** real(power * p) if step == 2 else 1)


def real(number: Fraction | arb) -> arb:
    """A number with `DIGITS` digits."""
    return number if isinstance(number, arb) else arb(fmpq(number.numerator, number.denominator))


def _times(left: Fraction | arb, right: Fraction | arb) -> Fraction | arb:
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return left * right
    return real(left) * real(right)


def _index(name: str) -> str:
    return f"n_{{{name[1:]}}}" if name.startswith("n") and len(name) > 1 else name


def _sigma(word: Word) -> str:
    number = word[0].removeprefix("Sigma")
    return r"\Sigma" + (f"_{{{number}}}" if number else "")
