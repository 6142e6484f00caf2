"""Names of symbols, and the order in which a reader would write sums and products."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import sympy
from sympy.printing.latex import translate
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from derivations.language.symbols import DIMENSIONS, LATEX_NAMES

# how the engine's and the claims' helper symbols are written
NAMES: Mapping[str, str] = {
    **LATEX_NAMES,
    "mean_theta_star_sq": r"\mathbb{E}|\theta^\star|^2",
    "mean_theta_star_form": r"\mathbb{E}\,\theta^{\star T}\Sigma\theta^\star",
    "mean_w_0_omega_star": r"w_0^T\,\mathbb{E}\,\omega^\star",
    # p - n_v m, where it is written out; what proofs beyond the paper call room is less by one
    "above": "(p-n_vm)",
    "xi_delta": r"\xi^\delta",
    "trace": r"\mathrm{Tr}\,D",
    "trace_of_square": r"\mathrm{Tr}\,D^2",
    "BBT_inverse": "(BB^T)^{-1}",
    "BBT_plus": "(BB^T)^+",
    "BTB_inverse": "(B^TB)^{-1}",
    "XXT_inverse": "(XX^T)^{-1}",
    "norm_of_Sigma_w": r"\lVert\Sigma_w\rVert",
    "root_of_P": r"\sqrt{P}",
}
# of these, what is no single letter with its index
NORMS_AND_MEANS = frozenset(
    {
        "dist0_sq",
        "excess",
        "excess_dot",
        "label_noise",
        "mean_theta_star_sq",
        "mean_theta_star_form",
        "mean_w_0_omega_star",
    }
)
# data and parameters of a task where a sum over tasks stands before them
OF_TASK: Mapping[str, str] = {
    **{f"{letter}_{which}": rf"{letter}^{{{which}(i)}}" for letter in "Xyz" for which in "tv"},
    "w": "w^{(i)}",
    "theta": r"\theta^{(i)}(\omega)",
}
_DATA = re.compile(r"^([Xyz])_([tvrs])(\d*)$")
# the inverse of a matrix, by the matrix's name
INVERTED = "_inverse"
# a basis vector: its index, and the dimension it lives in
_UNIT = re.compile(r"^e_(\d+)_\w+$")
_INDEXED = re.compile(r"^(.*[A-Za-z])(\d+)$")
_PLAIN = re.compile("[a-z]{3,}")
# the order of factors in a product; what is not named stands between numbers and dimensions
_FACTORS = (
    "alpha",
    "alpha_t",
    "alpha_r",
    "sigma",
    "sigma_v",
    "nu",
    "n_v",
    "m",
    "N",
    "n_t",
    "n_r",
    "n_s",
    "n",
    "p",
    "xi",
)
RATES = frozenset({"alpha", "alpha_t", "alpha_r"})
SOURCES = ("sigma", "sigma_v", "nu", "excess", "dist0_sq")
SHORT = 3


def name_latex(name: str) -> str:
    """A symbol, letter or vector by its name in the code: `X_t1` is the training data of task 1."""
    if name in NAMES:
        return NAMES[name]
    data = _DATA.match(name)
    if data:
        letter, which, index = data.groups()
        return f"{letter}^{{{which}({index})}}" if index else f"{letter}^{which}"
    indexed = _INDEXED.match(name)
    if indexed and "_" not in name:
        return f"{name_latex(indexed[1])}^{{({indexed[2]})}}"
    if name.endswith(INVERTED):
        return f"{name_latex(name.removesuffix(INVERTED))}^{{-1}}"
    unit = _UNIT.match(name)
    if unit:
        return f"e_{{{unit[1]}}}" if len(unit[1]) > 1 else f"e_{unit[1]}"
    head, _, tail = name.partition("_")
    if "_" in tail:
        # an index of an index would be set smaller and smaller, and two of them not at all
        tail = ",".join(
            part if len(part) == 1 or part.isdigit() else str(translate(part)) for part in tail.split("_")
        )
    lower = f"_{{{tail if ',' in tail else _word(tail)}}}" if len(tail) > 1 else f"_{tail}" if tail else ""
    # beside other letters a word stands apart
    return _word(head).replace(r"\mathrm", r"\operatorname") + lower


def _word(name: str) -> str:
    """A name without indices: a word that is no letter of another alphabet stands upright, as it is no product."""
    shown = str(translate(name))
    return rf"\mathrm{{{name}}}" if shown == name and _PLAIN.fullmatch(name) else shown


def raised(base: str, exponent: str) -> str:
    """`base` to a power or transposed, joining an upper index that is already there."""
    plain = re.fullmatch(r"(.*)\^(\w|\\star|\{[^{}]*\})", base)
    if plain:
        inside = plain[2].strip("{}")
        gap = " " if inside.startswith("\\") else ""
        return f"{plain[1]}^{{{inside}{gap}{exponent}}}"
    return f"{base}^{exponent}" if len(exponent) == 1 else f"{base}^{{{exponent}}}"


def quadratic_form(
    matrix: sympy.Basic,
) -> tuple[sympy.Basic, tuple[sympy.Basic, ...], sympy.Basic] | None:
    """(u, M, v) with Tr(matrix) = u^T M v for columns u, v, when the product has a column before a row."""
    if not isinstance(matrix, sympy.MatMul) or any(not factor.is_Matrix for factor in matrix.args):
        return None
    factors = matrix.args
    for k in range(len(factors)):
        turned = (*factors[k + 1 :], *factors[: k + 1])
        if turned[-1].shape[1] == 1 and turned[0].shape[0] == 1:
            return turned[0].T, turned[1:-1], turned[-1]
    return None


def common_number(total: sympy.Add) -> tuple[sympy.Rational, sympy.Expr]:
    """The common number of a sum's terms, taken out when that leaves no fraction and no new number behind."""
    if all(is_negative(term) for term in total.args):
        content, rest = common_number(-total)
        return -content, rest
    content, rest = total.primitive()
    denominators = {term.as_coeff_Mul()[0].q for term in total.args}
    return (content, rest) if content != 1 and denominators == {content.q} else (sympy.Integer(1), total)


def is_plain(base: sympy.Basic) -> bool:
    """A symbol of one letter with its index; not one that stands for a norm or a mean."""
    return bool(base.is_Symbol) and str(base.name) not in NORMS_AND_MEANS


def is_row(matrix: sympy.Basic) -> bool:
    """Whether a matrix has one row and several columns."""
    return bool(matrix.shape[0] == 1 and matrix.shape[1] != 1)


def is_negative(scale: sympy.Basic) -> bool:
    """Whether a term starts with a minus sign."""
    return bool(scale.as_coeff_Mul()[0] < 0)


def is_short(factor: sympy.Basic) -> bool:
    """Whether a factor is a sum of a few plain terms, or its power, which reads well above a fraction bar."""
    if isinstance(factor, sympy.Pow):
        return is_short(factor.base)
    return (
        isinstance(factor, sympy.Add)
        and len(factor.args) <= SHORT
        and all(str(s.name) in DIMENSIONS for s in factor.free_symbols)
        and all(not term.has(sympy.Pow) for term in factor.args)
    )


class _Later:
    """The rest of a sort key, which is found only where what stands before it does not decide: a text takes long."""

    def __init__(self, find: Callable[[Any], Any], of: sympy.Basic) -> None:
        self._find, self._of = find, of

    @cached_property
    def _found(self) -> Any:
        return self._find(self._of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Later) and bool(self._found == other._found)

    def __hash__(self) -> int:
        return hash(self._found)

    def __lt__(self, other: _Later) -> bool:
        return bool(self._found < other._found)


@lru_cache(maxsize=2**12)
def _trace_text(trace: sympy.Trace) -> str:
    return f"Trace({_text(trace.arg)})"


def plain_printer() -> Any:
    """A printer as that of `str`, but that of a product of matrices it does not ask whether its negative would look simpler:
    SymPy multiplies it out for that."""
    printer = StrPrinter()

    def product(expr: sympy.MatMul) -> str:
        first, *rest = factors = expr.args
        # a number alone gives its sign to the whole
        sign = "-" if first.is_Number and first < 0 and rest[0].is_Matrix else ""
        if sign:
            factors = rest if first == -1 else [-first, *rest]
        return sign + "*".join(printer.parenthesize(factor, PRECEDENCE["Mul"]) for factor in factors)

    printer._print_MatMul = product
    return printer


# a trace is written once: the same few stand in thousands of terms
_PRINTER = plain_printer()
_PRINTER._print_Trace = _trace_text


@lru_cache(maxsize=2**15)
def _text(part: sympy.Basic) -> str:
    return str(_PRINTER.doprint(part))


@lru_cache(maxsize=2**15)
def operations(part: sympy.Basic) -> int:
    """How long a term is: what `sympy.count_ops` gives, found from the factors of a product, which stand in many terms.

    >>> x, y = sympy.symbols("x y", positive=True)
    >>> operations(2 * x / y**2) == sympy.count_ops(2 * x / y**2)
    True
    """
    found = _operations_of_product(part) if isinstance(part, sympy.Mul) else None
    return int(sympy.count_ops(part)) if found is None else found


def _operations_of_product(product: sympy.Mul) -> int | None:
    """The operations of a product without multiplying numerator and denominator out, as SymPy does.

    None where that would change what is counted, a number times a sum, and for powers that are no rational numbers.
    """
    number, rest = product.as_coeff_Mul()
    factors = sympy.Mul.make_args(rest)
    if not number.is_Rational or not product.is_commutative:
        return None
    if number not in (1, -1) or len(factors) == 1:
        bases = (factor.base if isinstance(factor, sympy.Pow) else factor for factor in factors)
        if any(isinstance(base, sympy.Add) for base in bases):
            return None
    above, below = [0] * (abs(number.p) != 1), [0] * (number.q != 1)
    whole = True
    for factor in factors:
        if not isinstance(factor, sympy.Pow):
            above.append(operations(factor))
            whole = False
        elif not factor.exp.is_Rational:
            return None
        elif factor.exp.p > 0:
            above.append(operations(factor))
            whole = False
        else:
            power = -factor.exp
            below.append(operations(factor.base) + (power != 1) + (power.q != 1))
    products = sum(sum(part) + max(len(part) - 1, 0) for part in (above, below))
    return int(number.p < 0) + int(whole or bool(below)) + products


def _length_and_text(part: sympy.Basic) -> tuple[object, ...]:
    return operations(part), _Later(_text, part)


def factor_key(factor: sympy.Basic) -> tuple[object, ...]:
    """The sort key of a product's factors: numbers, rates, noise, sizes, sums, norms and traces."""
    base = factor.base if isinstance(factor, sympy.Pow) else factor
    if base.is_Number:
        return (0, 0, "")
    if isinstance(base, sympy.Symbol):
        name = str(base.name)
        if name in _FACTORS:
            return (1, _FACTORS.index(name), name)
        return (1 if is_plain(base) else 4, len(_FACTORS), name)
    if isinstance(base, sympy.Add):
        wide = not all(is_plain(symbol) for symbol in base.free_symbols)
        rates = any(str(symbol.name) in RATES for symbol in base.free_symbols)
        return (3 if wide and not rates else 2, _Later(_length_and_text, base))
    return (4, 0, _Later(_text, base))


def _rate_order(term: sympy.Basic) -> int:
    """The lowest power of a learning rate in a term: 0 for (1 - alpha)^2, 2 for alpha^2 p / n."""
    powers = 0
    for factor in sympy.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if isinstance(base, sympy.Symbol) and str(base.name) in RATES and exponent.is_Integer:
            powers += int(exponent)
    return powers


def _source_rank(term: sympy.Basic) -> int:
    bases = {str(f.as_base_exp()[0].name) for f in sympy.Mul.make_args(term) if f.as_base_exp()[0].is_Symbol}
    ranks = [k for k, name in enumerate(SOURCES) if name in bases]
    if ranks:
        return min(ranks)
    return -1 if {str(s.name) for s in term.free_symbols} <= {*DIMENSIONS, *RATES} else len(SOURCES)


def _exponents(term: sympy.Basic) -> dict[sympy.Basic, int] | None:
    """The powers of sizes, some of which may stand below, in a term that is a number times them; None of any other term."""
    found = {}
    for factor in sympy.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if base.is_Symbol and str(base.name) in DIMENSIONS and exponent.is_Integer:
            found[base] = int(exponent)
        elif not factor.is_Rational:
            return None
    return found


def scalar_key(total: sympy.Add) -> Callable[[sympy.Basic], tuple[object, ...]]:
    """The sort key of a sum's terms: by falling degree in sizes alone, else by rising powers of a rate."""
    exponents = {term: _exponents(term) for term in total.args}
    if all(powers is not None for powers in exponents.values()):
        symbols = sorted({symbol for powers in exponents.values() for symbol in powers or ()}, key=str)

        def degrees(term: sympy.Basic) -> tuple[object, ...]:
            powers = exponents[term] or {}
            return (
                -sum(powers.values()),
                [-powers.get(symbol, 0) for symbol in symbols],
                _Later(_text, term),
            )

        starts_negative = is_negative(min(total.args, key=degrees))

        def by_degree(term: sympy.Basic) -> tuple[object, ...]:
            return (starts_negative and is_negative(term), *degrees(term))

        return by_degree

    def by_rate(term: sympy.Basic) -> tuple[object, ...]:
        root = any(factor.as_base_exp()[1] == sympy.Rational(1, 2) for factor in sympy.Mul.make_args(term))
        traces = sum(1 for _ in sympy.preorder_traversal(term) if isinstance(_, sympy.Trace))
        return (
            root,
            _rate_order(term),
            _source_rank(term),
            is_negative(term),
            traces,
            _Later(_length_and_text, term),
        )

    return by_rate


def matrix_key(term: sympy.Basic) -> tuple[object, ...]:
    """The sort key of a matrix sum's terms: the identity first, negative last, long before short."""
    letters = sum(1 for node in sympy.preorder_traversal(term) if isinstance(node, sympy.MatrixSymbol))
    scale = sympy.Mul(*[f for f in term.args if not f.is_Matrix]) if isinstance(term, sympy.MatMul) else term
    negative = scale != term and is_negative(scale)
    return (not isinstance(term, sympy.Identity), negative, -letters, _Later(_text, term))
