"""LaTeX of claims and of derived formulas, in the paper's notation.

SymPy sorts sums and products by its own rules. Here a sum that the paper prints keeps the order of its terms where a
claim is shown; all others are put in an order in which a reader would write them (constants before powers of a
learning rate, label noise before task variability, pure powers by falling degree), while the grouping of the printed
tree is kept. Traces of outer products of vectors become norms and
inner products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

import sympy

from derivations.language.normal_form import to_sympy
from derivations.language.printed_order import order_of
from derivations.typeset.line_breaks import fill
from derivations.typeset.term_order import (
    OF_TASK,
    SOURCES,
    common_number,
    factor_key,
    is_negative,
    is_plain,
    is_row,
    is_short,
    matrix_key,
    name_latex,
    quadratic_form,
    raised,
    scalar_key,
)
from symbolic.algebra.words import Expression

Formula: TypeAlias = "sympy.Basic | Expression"


# the moves of a proof lead from one sum to the next, most of whose terms are the same
_KNOWN: dict[sympy.Basic, str] = {}
MOST_KNOWN = 2**16


class PaperPrinter:
    """SymPy trees in the paper's notation; `mu_2`-like names follow SymPy's own reading of names.

    abbreviations: sums that have a name, and that name. as_printed: whether sums keep the order of the paper's print.
    of_task: whether data and parameters of a task carry the index of the task that is summed over.
    """

    def __init__(
        self,
        abbreviations: Mapping[sympy.Basic, str] | None = None,
        *,
        as_printed: bool = False,
        of_task: bool = False,
    ) -> None:
        self._abbreviations = abbreviations or {}
        self._as_printed = as_printed
        self._names = OF_TASK if of_task else {}
        own = bool(self._abbreviations) or as_printed or of_task
        self._known: dict[sympy.Basic, str] = {} if own else _KNOWN

    def doprint(self, expr: sympy.Basic) -> str:
        """The LaTeX of a tree, which is never abbreviated as a whole: a definition shows what it defines."""
        return " ".join(self.terms(expr))

    def _print(self, expr: sympy.Basic) -> str:
        known = self._known.get(expr)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[expr] = self._set(expr)
        return known

    def _set(self, expr: sympy.Basic) -> str:
        for kind in type(expr).__mro__:
            method = getattr(self, f"_print_{kind.__name__}", None)
            if method is not None:
                return str(method(expr))
        return str(sympy.latex(expr))

    def terms(self, expr: sympy.Basic) -> list[str]:
        """The terms of a sum, each after the first with its sign; one text for anything else."""
        if self._as_printed and (order := order_of(expr)):
            return self._signed(order)
        if isinstance(expr, sympy.MatAdd):
            return self._signed(sorted(expr.args, key=matrix_key))
        if isinstance(expr, sympy.Add):
            return self._signed(sorted(expr.args, key=scalar_key(expr)))
        return [self._print(expr)]

    # -- atoms --

    def _print_Symbol(self, expr: sympy.Symbol) -> str:
        return name_latex(str(expr.name))

    def _print_MatrixSymbol(self, expr: sympy.MatrixSymbol) -> str:
        text = self._letter(expr)
        # the engine's random columns are transposed rows
        return raised(text, "T") if is_row(expr) else text

    def _letter(self, expr: sympy.MatrixSymbol) -> str:
        return self._names.get(str(expr.name)) or name_latex(str(expr.name))

    def _print_Identity(self, expr: sympy.Identity) -> str:
        return "I"

    def _print_ZeroMatrix(self, expr: sympy.ZeroMatrix) -> str:
        return "0"

    # -- scalars --

    def _print_Add(self, expr: sympy.Add) -> str:
        return self._abbreviations.get(expr) or " ".join(self.terms(expr))

    def _print_Mul(self, expr: sympy.Mul) -> str:
        number, factors = expr.as_coeff_Mul()
        above: list[sympy.Basic] = []
        below: list[sympy.Basic] = []
        for part in sympy.Mul.make_args(factors):
            kept = not isinstance(part, sympy.Add) or (self._as_printed and order_of(part))
            content, factor = (1, part) if kept else common_number(part)
            number *= content
            if isinstance(factor, sympy.Pow) and factor.exp.could_extract_minus_sign():
                below.append(sympy.Pow(factor.base, -factor.exp))
            elif factor != 1:
                above.append(factor)
        sign = "-" if number < 0 else ""
        number = abs(number)
        return sign + self._fraction(number, sorted(above, key=factor_key), sorted(below, key=factor_key))

    def _fraction(self, number: sympy.Rational, above: list[sympy.Basic], below: list[sympy.Basic]) -> str:
        simple, long_above = self._split(above)
        if number.p != 1:
            simple.insert(0, sympy.Integer(number.p))
        if number.q != 1:
            below = [sympy.Integer(number.q), *below]
        simple_below, long_below = self._split(below)
        if not long_below:
            if long_above and simple_below and all(is_short(factor) for factor in long_above):
                simple, long_above = simple + long_above, []
            front = self._over(simple, simple_below, bare=not long_above)
            return " ".join([*([front] if front else []), *(self._factor(f) for f in long_above)])
        if not long_above:
            return self._over(simple, simple_below + long_below, bare=True)
        front = self._over(simple, simple_below, bare=False)
        back = self._over(long_above, long_below, bare=True)
        return rf"{front}\,{back}" if front else back

    def _split(self, factors: Sequence[sympy.Basic]) -> tuple[list[sympy.Basic], list[sympy.Basic]]:
        """Symbols, numbers, abbreviations and their powers; and the longer factors."""
        bases = [factor.base if factor.is_Pow else factor for factor in factors]
        simple = [base.is_Number or is_plain(base) or base in self._abbreviations for base in bases]
        pairs = list(zip(factors, simple, strict=True))
        return [factor for factor, plain in pairs if plain], [factor for factor, plain in pairs if not plain]

    def _over(self, above: Sequence[sympy.Basic], below: Sequence[sympy.Basic], *, bare: bool) -> str:
        """above/below; nothing for 1/1 unless it stands alone."""
        top = self._product(above, alone=bool(below)) if above else "1"
        if not below:
            return top if above or bare else ""
        return rf"\frac{{{top}}}{{{self._product(below, alone=True)}}}"

    def _product(self, factors: Sequence[sympy.Basic], *, alone: bool) -> str:
        if alone and len(factors) == 1:
            return self._print(factors[0])
        return " ".join(self._factor(factor) for factor in factors)

    def _factor(self, factor: sympy.Basic) -> str:
        if isinstance(factor, sympy.MatAdd) and is_row(factor):
            return self._raise_matrix(factor.T, "T")
        text = self._print(factor)
        if factor in self._abbreviations or not isinstance(factor, sympy.Add | sympy.MatAdd):
            return text
        return rf"\left({text}\right)"

    def _print_Pow(self, expr: sympy.Pow) -> str:
        if expr.exp == sympy.Rational(1, 2):
            return rf"\sqrt{{{self._print(expr.base)}}}"
        if expr.exp.could_extract_minus_sign():
            return self._fraction(sympy.Integer(1), [], [sympy.Pow(expr.base, -expr.exp)])
        exponent = exponent_latex(expr.exp)
        base = self._print(expr.base)
        if expr.base in self._abbreviations:
            return raised(base, exponent)
        if not is_plain(expr.base):
            if not expr.base.is_Integer:
                base = rf"\left({base}\right)"
            return f"{base}^{{{exponent}}}"
        return raised(base, exponent)

    # -- matrices --

    def _print_MatAdd(self, expr: sympy.MatAdd) -> str:
        return self._abbreviations.get(expr) or " ".join(self.terms(expr))

    def _print_MatMul(self, expr: sympy.MatMul) -> str:
        scalars = [factor for factor in expr.args if not factor.is_Matrix]
        matrices = [self._repeated(*run) for run in runs(f for f in expr.args if f.is_Matrix)]
        scale = sympy.Mul(*scalars)
        negative = is_negative(scale)
        scale = -scale if negative else scale
        front = "" if scale == 1 else self._factor(scale) + " "
        return ("-" if negative else "") + front + " ".join(matrices)

    def _repeated(self, factor: sympy.Basic, times: int) -> str:
        """A square letter as a power where it is written without a superscript of its own."""
        text = self._factor(factor)
        if times > 1 and isinstance(factor, sympy.MatrixSymbol) and "^" not in text:
            return raised(text, str(times))
        return " ".join([text] * times)

    def _print_Transpose(self, expr: sympy.Transpose) -> str:
        return self._raise_matrix(expr.arg, "T")

    def _print_Inverse(self, expr: sympy.Inverse) -> str:
        return self._raise_matrix(expr.arg, "-1")

    def _print_MatPow(self, expr: sympy.MatPow) -> str:
        exponent, text = self._print(expr.exp), self._print(expr.base)
        if text.endswith("^{-1}"):  # a letter that is an inverse
            return f"{text.removesuffix('^{-1}')}^{{-{exponent}}}"
        return self._raise_matrix(expr.base, exponent)

    def _raise_matrix(self, base: sympy.Basic, exponent: str) -> str:
        if exponent == "T" and isinstance(base, sympy.MatrixSymbol) and is_row(base):
            return self._letter(base)
        if exponent == "T" and isinstance(base, sympy.Transpose):
            return self._print(base.arg)
        text = self._print(base)
        if not isinstance(base, sympy.MatrixSymbol) and base not in self._abbreviations:
            return raised(rf"\left({text}\right)", exponent)
        return raised(text, exponent)

    def _print_Trace(self, expr: sympy.Trace) -> str:
        form = quadratic_form(expr.arg)
        if form is not None:
            left, middle, right = form
            if not middle and left == right:
                return rf"\left|{self._print(right)}\right|^2"
            row = self._raise_matrix(left, "T")
            return " ".join([row, *(self._factor(factor) for factor in (*middle, right))])
        text = self._print(expr.arg)
        if isinstance(expr.arg, sympy.MatrixSymbol) or (
            isinstance(expr.arg, sympy.MatPow) and isinstance(expr.arg.base, sympy.MatrixSymbol)
        ):
            return rf"\mathrm{{Tr}}({text})"
        return rf"\mathrm{{Tr}}\left[{text}\right]"

    def _signed(self, terms: Sequence[sympy.Basic]) -> list[str]:
        first, *others = (self._print(term) for term in terms)
        return [first, *(f"- {t[1:].lstrip()}" if t.startswith("-") else f"+ {t}" for t in others)]


def exponent_latex(exponent: sympy.Basic) -> str:
    """An exponent on one line: `3/2`, `1 + \\delta/2`."""
    if isinstance(exponent, sympy.Rational):
        return str(exponent)
    if isinstance(exponent, sympy.Add):
        parts = [exponent_latex(term) for term in sorted(exponent.args, key=lambda t: not t.is_Number)]
        return "+".join(parts).replace("+-", "-")
    number, rest = exponent.as_coeff_Mul()
    text = PaperPrinter().doprint(rest)
    sign = "-" if number < 0 else ""
    factor = "" if abs(number.p) == 1 else f"{abs(number.p)}"
    return f"{sign}{factor}{text}" + (f"/{number.q}" if number.q != 1 else "")


def runs(factors: Iterable[sympy.Basic]) -> Iterator[tuple[sympy.Basic, int]]:
    """Equal neighbours in a product, with how many they are."""
    for factor, equal in groupby(factors):
        yield factor, len(list(equal))


# -- what pages call ----------------------------------------------------------------------------------------


def tidy(formula: Formula) -> sympy.Basic:
    """A derived formula with the terms of each source (noise, variability, start) gathered; equal to it."""
    tree = to_sympy(formula)
    gathered = [sympy.Symbol(name, nonnegative=True) for name in SOURCES]
    wanted = [symbol**2 if str(symbol) in ("sigma", "sigma_v", "nu") else symbol for symbol in gathered]

    def gather(total: sympy.Add) -> sympy.Expr:
        return (
            sympy.factor_terms(sympy.collect(total, wanted)) if total.free_symbols & set(gathered) else total
        )

    if getattr(tree, "is_Matrix", False) or tree.has(sympy.Trace):
        return tree
    return tree.replace(lambda node: isinstance(node, sympy.Add), gather)


def latex(
    formula: Formula,
    abbreviations: Mapping[sympy.Basic, str] | None = None,
    *,
    as_printed: bool = False,
) -> str:
    """A claim or a derived formula as LaTeX, without delimiters.

    abbreviations: sums inside the formula that have a name of their own, and that name in LaTeX. as_printed: in the
    paper's order, for what it prints.
    """
    return PaperPrinter(abbreviations, as_printed=as_printed).doprint(to_sympy(formula))


def latex_lines(
    formula: Formula,
    abbreviations: Mapping[sympy.Basic, str] | None = None,
    width: int = 62,
    *,
    as_printed: bool = False,
    of_task: bool = False,
    arranged: Callable[[list[str]], list[str]] | None = None,
) -> list[str]:
    """`latex` broken between the terms of its outermost sum into lines of about `width` characters.

    of_task: with the index of the task that is summed over. arranged: what is made of the terms before, such as a bracket
    around them.
    """
    printer = PaperPrinter(abbreviations, as_printed=as_printed, of_task=of_task)
    terms = printer.terms(to_sympy(formula))
    return fill(arranged(terms) if arranged else terms, width)
