"""What is timed beyond words in W alone: Kronecker products, means, correlated rows, determinants, real n, other laws, inverses.

No other program that installs here has these as such. Each is held to one that has a part of it: FORM pairs the two traces of which a
Kronecker product is made, thewalrus has means (hafnians with loops), SciPy the variances of elements for real n, integrals over
chi-squared variables and moments of F, SymPy the moments of one entry. Where there is none, a published formula stands.
"""

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from typing import Any

import sympy

from benchmarks import form_wick
from benchmarks.published import published
from benchmarks.tools import ENGINE, FORM, NO_FORM, Method
from symbolic.algebra.coefficients import names_of
from symbolic.query.combined.kronecker_terms import OUTER, PLAIN, Term
from symbolic.query.query import moment
from symbolic.wishart.fixed_letters import Word

NO_SCIPY = "" if find_spec("scipy") else "SciPy is not installed (`make bench` installs it)"
NO_WALRUS = "" if find_spec("thewalrus") else "thewalrus is not installed (`make bench` installs it)"
DIGITS = 9
"""Significant digits to which numbers of floating point are compared."""

Table = list[list[int]]

SIGMA: Table = [[2, 1], [1, 3]]
ROWS: Table = [[2, 1], [1, 2]]
MEAN: Table = [[1, 2], [0, 1]]
FREEDOM = Fraction(17, 2)
"""Degrees of freedom that are no whole number."""


def rounded(*values: Any) -> tuple[str, ...]:
    """Numbers to `DIGITS` digits."""
    return tuple(
        f"{float(Fraction(x) if isinstance(x, str) else x):.{DIGITS - 1}e}"  #
        for x in values
    )


def asked(text: str, values: dict[str, Any] | None = None, **options: Any) -> Callable[[], Any]:
    """The query to the engine, with its check at small sizes."""
    return lambda: moment(text, values, **options)


def value_of(text: str, values: dict[str, Any], **options: Any) -> Method:
    """The engine's number."""
    return Method(ENGINE, asked(text, values, **options), lambda found: rounded(found.value))


def word(text: str) -> Method:
    """A moment of words with letters in them, general covariance."""
    return Method(ENGINE, asked(text, covariance="general"), lambda result: result)


# -- Kronecker products ---------------------------------------------------------------------------------------


def kronecker(first: str, second: str) -> Method:
    """E kron(first, second), general covariance, by what two letters between the traces make of it."""
    return Method(ENGINE, asked(f"kron({first}, {second})", covariance="general"), _with_letters)


def _with_letters(found: Any) -> form_wick.Answer:
    """tr(B M) tr(C N) for kron(M, N), tr(B M C N) for kron(M, N) K, tr(B M C' N) for vec(M') vec(N)'."""
    total: Counter[tuple[tuple[form_wick.Trace, ...], int, int]] = Counter()
    for term in found.kronecker:
        ((key, value),) = term.scalar.terms.items()
        traces = tuple(
            sorted(form_wick.canonical(map(_letter, word)) for word in (*key.traces, *_words(term)))
        )
        names = names_of(value.numerator.context())
        for exponents, number in value.numerator.to_dict().items():
            powers = dict(zip(names, map(int, exponents), strict=True))
            total[traces, powers.get("n", 0), powers.get("p", 0)] += int(number)
    return dict(total)


def _words(term: Term) -> tuple[Word, ...]:
    if term.form == PLAIN:
        return ("B", *term.left), ("C", *term.right)
    middle = "C'" if term.form == OUTER else "C"
    return (("B", *term.left, middle, *term.right),)


def _letter(name: str) -> str:
    return "S" if name == "Sigma" else name.replace("'", "t")


def kronecker_by_form(first: str, second: str) -> Method:
    """The two traces with a letter in each, in FORM."""
    return Method(
        "FORM",
        lambda: form_wick.run(FORM, (f"{first}B", f"{second}C"), True),
        form_wick.parse,
        missing=NO_FORM,
        in_process=False,
    )


def inverse_kronecker() -> tuple[Method, Method]:
    """E kron(W^-1, W^-1): the coefficients of the three products, and those that are published, at ten sizes."""
    sizes = [(p + q + 1, p) for p in (2, 3, 5, 8, 13) for q in (4, 7)]

    def read(found: Any) -> Any:
        coefficients = {term.form: next(iter(term.scalar.terms.values())) for term in found.kronecker}
        return {
            kind: tuple(value.at({"n": Fraction(n), "p": Fraction(p)}) for n, p in sizes)
            for kind, value in coefficients.items()
        }

    def known(q: int, is_plain: bool) -> Fraction:
        # von Rosen, Moments for the inverted Wishart distribution, 1988: q = n - p - 1
        return Fraction(q - 1 if is_plain else 1, (q + 1) * q * (q - 2))

    table = {
        kind: tuple(known(n - p - 1, kind == PLAIN) for n, p in sizes)
        for kind in ("plain", "turned", "outer")
    }
    ours = Method(ENGINE, asked("kron(W^-1, W^-1)", covariance="general"), read)
    return ours, published("von Rosen, 1988", table)


# -- fewer rows than columns ----------------------------------------------------------------------------------------


def pseudo_inverse() -> tuple[Method, Method]:
    """E tr(A W^+)^2, A = A': the coefficients of tr(A^2) and tr(A)^2, and those of Cook and Forzani."""
    sizes = [(n, n + more) for n in (2, 3, 5, 7) for more in (4, 6, 9)]

    def read(found: Any) -> Any:
        by_traces = {key.traces: value for key, value in found.expectation.terms.items()}
        return tuple(
            tuple(
                by_traces[traces].at({"n": Fraction(n), "p": Fraction(p)})
                for traces in ((("A", "A"),), (("A",), ("A",)))
            )
            for n, p in sizes
        )

    def known(n: int, p: int) -> tuple[Fraction, Fraction]:
        # E W^+ = a1 I, var vec W^+ = a2 (I + K) + 2 a3 vec(I) vec(I)'
        q = p - n
        mean = Fraction(n, p * (q - 1))
        bottom = p * (p - 1) * (p + 2) * q * (q - 1) * (q - 3)
        one = Fraction(n * (p * (p - 1) - n * (q - 2) - 2), bottom)
        other = Fraction(n * (n**2 * (n - 1) + 2 * n * (p - 2) * q + 2 * p * (p - 1)), p * (q - 1) * bottom)
        return 2 * one, 2 * other + mean**2

    ours = Method(ENGINE, asked("tr(A W^+)^2", symmetric=["A"]), read)
    return ours, published("Cook and Forzani, 2011", tuple(known(*size) for size in sizes))


# -- means and correlated rows ----------------------------------------------------------------------------------------


def loop_hafnians(power: int) -> Method:
    """E tr W^power at n = p = 2 with a mean and a row covariance, by a hafnian with loops for every choice of indices."""

    def run() -> float:
        numpy, walrus = import_module("numpy"), import_module("thewalrus")
        total = 0.0
        for rows in product(range(2), repeat=power):
            for columns in product(range(2), repeat=power):
                slots = [
                    pair
                    for t in range(power)
                    for pair in ((rows[t], columns[t]), (rows[t], columns[(t + 1) % power]))
                ]
                table = numpy.array([[float(ROWS[a][b] * SIGMA[i][j]) for b, j in slots] for a, i in slots])
                numpy.fill_diagonal(table, [MEAN[a][i] for a, i in slots])
                total += float(walrus.hafnian(table, loop=True).real)
        return total

    return Method("thewalrus, hafnians with loops", run, rounded, warm=True, missing=NO_WALRUS)


# -- real numbers of rows --------------------------------------------------------------------------------------------


def variances() -> tuple[Method, Method]:
    """The variances of W[1,2] and W^-1[1,2] for 8.5 degrees of freedom."""
    values = {"n": FREEDOM, "Sigma": SIGMA}
    inverse = sympy.Matrix(SIGMA).inv()

    def ours() -> list[Any]:
        return [moment(text, values).value for text in ("var(W[1,2])", "var(W^-1[1,2])")]

    def scipy() -> tuple[float, float]:
        stats = import_module("scipy.stats")
        scale = [[float(x) for x in inverse.row(i)] for i in range(2)]
        freedom = float(FREEDOM)
        return (
            float(stats.wishart.var(freedom, SIGMA)[0][1]),
            float(stats.invwishart.var(freedom, scale)[0][1]),
        )

    return (
        Method(ENGINE, ours, lambda found: rounded(*found)),
        Method("SciPy", scipy, lambda found: rounded(*found), missing=NO_SCIPY, imports=("scipy.stats",)),
    )


# -- determinants --------------------------------------------------------------------------------------------


def determinant_power(columns: int) -> tuple[Method, Method]:
    """E det(W)^(1/2), general n, for p columns; det W is a product of chi-squared variables."""
    freedoms = (7, 10, 31)

    def read(found: Any) -> tuple[str, ...]:
        sizes = [{"n": Fraction(n), "p": Fraction(columns)} for n in freedoms]
        return rounded(*(float(found.determinants.factor_value(at, {})) for at in sizes))

    def chi() -> Any:
        stats, n = import_module("sympy.stats"), sympy.Symbol("n", positive=True)
        found = stats.E(sympy.sqrt(stats.ChiSquared("x", n)))
        return sympy.prod([found.subs(n, n - i) for i in range(columns)]), n

    def numbers(found: Any) -> tuple[str, ...]:
        formula, n = found
        return rounded(*(float(formula.subs(n, freedom).evalf(30)) for freedom in freedoms))

    return Method(ENGINE, asked("det(W)^(1/2)"), read), Method(
        "SymPy, chi-squared variables", chi, numbers, imports=("sympy.stats",)
    )


def logarithm(columns: int) -> tuple[Method, Method]:
    """E log det W for 8.5 degrees of freedom."""

    def chi() -> float:
        numpy, stats = import_module("numpy"), import_module("scipy.stats")
        return sum(float(stats.chi2(float(FREEDOM) - i).expect(numpy.log)) for i in range(columns))

    ours = value_of("log det(W)", {"n": FREEDOM, "p": columns})
    return ours, Method(
        "SciPy, integrals over chi-squared variables",
        chi,
        rounded,
        missing=NO_SCIPY,
        imports=("scipy.stats",),
    )


# -- several matrices, other laws ----------------------------------------------------------------------------------------


def f_moment(power: int) -> tuple[Method, Method]:
    """E tr(W1 W2^-1)^power; compared at p = 1, where W1 W2^-1 is n1/n2 times a variable with the law F."""
    sizes = ((3, 11), (5, 14))

    def read(found: Any) -> tuple[str, ...]:
        ((value),) = found.expectation.terms.values()
        return rounded(
            *(value.at({"n1": Fraction(a), "n2": Fraction(b), "p": Fraction(1)}) for a, b in sizes)
        )

    def scipy() -> list[float]:
        stats = import_module("scipy.stats")
        return [float(stats.f(a, b).moment(power)) * (a / b) ** power for a, b in sizes]

    ours = Method(ENGINE, asked(f"tr(W1 W2^-1)^{power}"), read)
    return ours, Method(
        "SciPy, the law F", scipy, lambda found: rounded(*found), missing=NO_SCIPY, imports=("scipy.stats",)
    )


def of_a_law() -> tuple[Method, Method]:
    """E tr(W^3) of Laplace entries, n = p = 2, Sigma = diag(4, 1), by SymPy's moments of one entry."""

    def entries() -> Any:
        stats = import_module("sympy.stats")
        x = sympy.symbols("x:4")
        matrix = sympy.Matrix(2, 2, [2 * x[0], x[1], 2 * x[2], x[3]])
        polynomial = sympy.Poly(sympy.expand(((matrix.T * matrix) ** 3).trace()), *x)
        variable = stats.Laplace("l", 0, 1 / sympy.sqrt(2))
        moments = [sympy.Integer(1), *(stats.E(variable**k) for k in range(1, 7))]
        return sum(
            (number * sympy.prod([moments[k] for k in powers]) for powers, number in polynomial.terms()),
            sympy.Integer(0),
        )

    ours = value_of("tr(W^3)", {"n": 2, "Sigma": [[4, 0], [0, 1]]}, law="laplace")
    return ours, Method(
        "SymPy, entry by entry", entries, lambda found: rounded(str(found)), imports=("sympy.stats",)
    )
