"""The proofs about scale mixtures, which meet every condition of Theorem 3 and break its conclusion: see `counterexample`.

A row of sign e is Gaussian with the covariance Sigma + e V, where V is Sigma v; Sigma_w is Delta over p. Means are taken
over the row, then over its sign; of training data over the rows of either sign, then over how many there are of each; then
the eigenvalues are put in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from derivations.language import model
from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.model_letters import letter
from derivations.paper.theorem3.concentration import BLOCKS, form_chain, tasks, weighed
from derivations.paper.theorem3.target_task import adaptation_weight
from derivations.steps.by_degree import order
from derivations.steps.chain import Chain
from derivations.steps.chains.products import degree_of_powers
from derivations.steps.held import Held
from derivations.steps.orders import ONE
from derivations.steps.rules.derivatives import limit
from derivations.steps.rules.few_values.mixtures import (
    Tends,
    average_counts,
    average_signs,
    put_eigenvalues,
    put_limits,
)
from derivations.steps.rules.stacked import SAME_TASK
from symbolic.algebra.words import (
    Expression,
    constant,
    gaussian,
    identity,
    letter_expression,
    matrix,
    reciprocal,
    scalar,
    tr,
    zero,
)
from symbolic.proofs.asymptotics import Exponent

# eigenvalues of Sigma, the direction v in which the rows of a sign lean, and p times the eigenvalues of Sigma_w
SPECTRUM = tuple(map(Fraction, (1, 4, 7, 8)))
LEAN = tuple(Fraction(k, 16) for k in (-16, 14, -16, 9))
TASKS = tuple(map(Fraction, (0, 2, 0, 2)))
RATE = Fraction(1, 7)
# target points per dimension, where the effect is as small as in the paper's figures, and where it is large
FEW, MANY = Fraction(1, 2), Fraction(10)

PRODUCTS: Mapping[tuple[int, int], str] = {(0, 0): "134", (1, 0): "135", (1, 1): "136"}
DIAGONAL, OFF = r"i=j,\ k=l", r"i=j,\ k\neq l"
DEGREE = r"\deg_\xi\mathrm{Var}_{(134)\text{-}(136)}"
TRACE = r"\mathrm{Tr}\,\Sigma_w^2"
VARIANCE = r"\mathrm{Var}\,\Gamma"
WEIGHTED = r"\lim_{p\to\infty}\mathrm{Var}\big(\tfrac1pBH_rB^T\big)"
RATIOS = {
    rf"\lim_{{p\to\infty}}\rho\ (n_r={name})": share for name, share in ((r"\tfrac p2", FEW), ("10p", MANY))
}
IN_XI: Mapping[str, Exponent] = {"p": ONE, "n_t": ONE}
SIGMA, V, DELTA = model.SIGMA, *(matrix(name, "p", "p", symmetric=True) for name in ("V", "Delta"))
TASK_COVARIANCE = {"Sigma_w": reciprocal("p") * DELTA}
PLUS, MINUS = "plus", "minus"


def label(powers: tuple[int, int], place: str) -> str:
    """The label of a variance."""
    return rf"\mathrm{{Var}}_{{({PRODUCTS[powers]})}}\ [{place}]"


def spectra() -> Mapping[str, Sequence[Fraction]]:
    """The eigenvalues by the name of their letter."""
    lean = [s * v for s, v in zip(SPECTRUM, LEAN, strict=True)]
    return {
        "Sigma": SPECTRUM,
        "V": lean,
        "Delta": TASKS,
        f"Sigma_{PLUS}": [a + b for a, b in zip(SPECTRUM, lean, strict=True)],
        f"Sigma_{MINUS}": [a - b for a, b in zip(SPECTRUM, lean, strict=True)],
    }


def require_blind() -> None:
    """Checks that v lies in [-1, 1] and is orthogonal to the first three powers of the eigenvalues; else ArithmeticError."""
    if max(map(abs, LEAN)) != 1 or any(
        sum(s**k * v for s, v in zip(SPECTRUM, LEAN, strict=True)) for k in (1, 2, 3)
    ):
        raise ArithmeticError(
            "the lean of the rows shows in a trace that the conditions hold to a small variance"
        )


# -- moves in one ----------------------------------------------------------------------------------------------


def _row(name: str) -> Expression:
    """A row of a sign of its own, 1 x p."""
    return gaussian(name, "1", "p", covariance=f"C_{name}")


X, Y = _row("x"), _row("y")


def _at_a_sign(chain: Chain) -> Chain:
    """The average over the rows in the present expression, at given signs."""
    rows = [name for name, one in chain.result.letters().items() if one.random]
    chain.average(*rows, reads=("input-covariance",))
    signs = {f"C_{name}": f"e_{name}" for name in rows if f"C_{name}" in chain.result.letters()}
    return chain.define({name: SIGMA + scalar(sign) * V for name, sign in signs.items()}) if signs else chain


def _over_signs(chain: Chain) -> Chain:
    signs = [sign for sign in ("e_x", "e_y") if sign in chain.result.scalars()]
    return average_signs(chain, *signs) if signs else chain


def _over_rows(chain: Chain) -> Chain:
    """The average over rows and their signs."""
    return _over_signs(_at_a_sign(chain))


def _numbers(chain: Chain) -> Chain:
    """Eigenvalues, the number of target points and the adaptation rate put in."""
    if "Sigma_w" in chain.result.letters():
        chain.insert(TASK_COVARIANCE)
    put_eigenvalues(chain, spectra(), "p")
    values = {"n_r": scalar("q") * scalar("p"), "alpha_r": constant(RATE)}
    known = {name.removeprefix("1/") for name in chain.result.scalars()}
    present = {name: value for name, value in values.items() if name in known}
    return chain.insert(present) if present else chain


# -- the conditions --------------------------------------------------------------------------------------------


def _stated(chain: Chain) -> Chain:
    """The variances of (134), which are short."""
    per_p = reciprocal("p")
    mean = _over_rows(chain.begin(per_p * X @ X.T)).result
    _over_rows(chain.begin((per_p * X @ X.T - scalar("c")) ** 2)).expand({"c": mean})
    _numbers(chain).shows(label((0, 0), DIAGONAL))
    return _numbers(_over_rows(chain.begin((per_p * X @ Y.T) ** 2))).shows(label((0, 0), OFF))


def _data(task: str) -> Expression:
    """X^T X of the training data of a task, whose rows of either sign are counted apart."""
    parts = (
        gaussian(f"X_{sign}_{task}", f"n_{sign}_{task}", "p", covariance=f"Sigma_{sign}")
        for sign in (PLUS, MINUS)
    )
    first, second = (rows.T @ rows for rows in parts)
    return first + second


def _over_data(chain: Chain, powers: tuple[int, int]) -> Chain:
    """What stands between the rows put in, M within a task and L between two, and averaged."""
    left, right = powers
    scale, one, other = reciprocal("p") ** (1 + left + right), _data("1"), _data("2")
    values = {"M": scale * one ** (left + right), "L": scale * one**left @ other**right}
    chain.define({name: value for name, value in values.items() if name in chain.result.letters()})
    data = [name for name, letter in chain.result.letters().items() if letter.random]
    if data:
        chain.average(*data, reads=("input-covariance",))
        for task in sorted({name[-1] for name in data}):
            average_counts(chain, f"n_{PLUS}_{task}", f"n_{MINUS}_{task}", "n_t")
    return put_eigenvalues(chain, spectra(), "p")


@lru_cache(maxsize=8)
def conditions_chain(assumptions: Assumptions) -> Chain:
    """The variances of (134)-(136): of an element on the diagonal, off it, and between two tasks, for each product."""
    require_blind()
    chain = _stated(Chain(zero()))
    within, between = matrix("M", "p", "p", symmetric=True), matrix("L", "p", "p")
    over_rows = []
    for element in (X @ within @ X.T, X @ within @ Y.T, X @ between @ Y.T):
        mean = _over_rows(chain.begin(element)).result
        square = element**2 if mean.is_zero else (element - scalar("c")) ** 2
        over_rows.append((mean, _over_rows(chain.begin(square)).result))
    places = []
    for powers in PRODUCTS:
        for mean, spread in over_rows:
            centre = mean if mean.is_zero else _over_data(chain.begin(mean), powers).result
            _over_data(chain.begin(spread), powers)
            if not mean.is_zero:
                chain.expand({"c": centre})
            places.append(len(order(chain, IN_XI).moves) - 1)
    chain.shows_largest(DEGREE, *({place: 1} for place in places))
    return _numbers(chain.begin(tr(model.SIGMA_W @ model.SIGMA_W))).shows(TRACE)


# -- the conclusion --------------------------------------------------------------------------------------------

# for n_v = m = 1 and alpha_t = 0, where B is one row x: E Tr(H_r omega omega^T) = E[Gamma x^T H_r x / (x^T x)^2]
WEIGHTS = {"one": model.IDENTITY, "Sigma_w": model.SIGMA_W, "H_r": letter("H_r")}
# the limits of the three forms that it is made of
FORMS = {"b": ("one", "p"), "c": ("Sigma_w", "1"), "w": ("H_r", "p")}


def blocks() -> dict[str, Expression]:
    """B B^T, Gamma and B H_r B^T of one task, as Theorem 3 has them."""
    made_of = tasks(PAPER)
    return {
        name: made_of.block(word, SAME_TASK)
        for name, (word, _) in zip(
            WEIGHTS, (BLOCKS[which] for which in ("gram", "noise", "weighted")), strict=True
        )
    }


def require_forms() -> None:
    """Checks that at alpha_t = 0 these are the forms x M x^T, Gamma with the label noise; else ArithmeticError."""
    for name, block in blocks().items():
        (x,) = (
            letter_expression(one)
            for one in block.letters().values()
            if one.random and one.name.startswith("X_v")
        )
        form = x @ WEIGHTS[name] @ x.T
        if name == "Sigma_w":
            form = form + scalar("sigma") ** 2 * identity("n_v")
        if block.replace({"alpha_t": constant(0)}) != form:
            raise ArithmeticError(f"the form with {name} is not the block of Theorem 3")


def _weight(chain: Chain) -> dict[str, Expression]:
    """H_r of (16), with F of (111) for this law."""
    fourth = _over_rows(chain.begin((X @ SIGMA @ X.T) * (X.T @ X))).result
    chain.begin(letter("H_r")).insert({"H_r": adaptation_weight(PAPER)}, "adaptation-weight")
    return {"H_r": chain.insert({"F": fourth}).result}


def _form(name: str) -> Expression:
    """A form that tends to a limit: over p where it grows."""
    which, size = FORMS[name]
    return (constant(1) if size == "1" else reciprocal(size)) * X @ WEIGHTS[which] @ X.T


def _spread(chain: Chain, name: str, weight: Mapping[str, Expression]) -> Chain:
    """The variance of a form over the row and its sign."""
    mean = _over_rows(chain.begin(_form(name))).result
    _over_rows(chain.begin((_form(name) - scalar("mean")) ** 2)).expand({"mean": mean})
    return _numbers(chain.insert(weight) if "H_r" in chain.result.letters() else chain)


def _tends(chain: Chain, name: str, weight: Mapping[str, Expression]) -> Tends:
    """The limit of a form at a given sign, and the order of its variance there."""

    def with_weight() -> Chain:
        return _numbers(chain.insert(weight) if "H_r" in chain.result.letters() else chain)

    _at_a_sign(chain.begin(_form(name)))
    mean = chain.result
    limit(with_weight(), "p", {}, {})
    first = len(chain.moves) - 1
    _at_a_sign(chain.begin((_form(name) - scalar("mean")) ** 2))
    chain.expand({"mean": mean})
    order(with_weight(), {"p": ONE})
    return Tends(first, len(chain.moves) - 1)


def _with_weight(value: Expression) -> Expression:
    """With H_r written out, as (142) is stated."""
    return value.replace({"H_r": adaptation_weight(PAPER)} if "H_r" in value.letters() else {})


def _of_142(chain: Chain, weight: Mapping[str, Expression]) -> Chain:
    """The right side of (142) at alpha_t = 0, for one task with one validation point."""
    form = form_chain(PAPER)
    names = weighed(form, PAPER)
    values: dict[str, Expression] = {"n_v": constant(1), "m": constant(1)}
    for name, value in form.numbers().items():
        held = Held(PAPER, names, read=_with_weight, inside=form.result)
        chain.begin(scalar(name)).expand({name: value}, "weighted-square-leading", held=held)
        chain.insert({"alpha_t": constant(0)})
        values[name] = _numbers(chain.insert(weight) if "H_r" in chain.result.letters() else chain).result
    held = Held(PAPER, names)
    chain.begin(scalar("form")).insert({"form": form.result}, "weighted-square-leading", held=held)
    return chain.insert(values, "weighted-square-leading")


def order_of_142() -> Exponent:
    """The order of the right side of (142)."""
    chain = Chain(zero())
    return degree_of_powers(order(_of_142(chain, _weight(chain)), {"p": ONE}).result)


@lru_cache(maxsize=8)
def conclusion_chain(assumptions: Assumptions) -> Chain:
    """The variances of Gamma and B H_r B^T, and the limit of the left side of (142) over its right side.

    x^T x / p, x^T Sigma_w x and x^T H_r x / p tend to constants at a given sign; and x^T Sigma_w x is at most 2 x^T x / p,
    x^T H_r x at most a constant times x^T x, and the mean of (p / x^T x)^2 is bounded, so that the mean of the quotient tends
    to the quotient of the limits, sign by sign.
    """
    require_blind()
    require_forms()
    chain = Chain(zero())
    weight = _weight(chain)
    _spread(chain, "c", weight).shows(VARIANCE)
    limit(_spread(chain, "w", weight), "p", {}, {}).shows(WEIGHTED)
    forms = {name: _tends(chain, name, weight) for name in FORMS}
    quotient = (scalar("c") + scalar("sigma") ** 2) * scalar("w") * reciprocal("b") ** 2
    put_limits(chain.begin(quotient), forms, "p")
    exact = _over_signs(chain).result
    stated = _of_142(chain, weight).result
    stated = limit(chain.begin(scalar("p") * stated), "p", {}, {}).result
    for name, share in RATIOS.items():
        at = {"q": constant(share)}
        below = chain.begin(stated).insert(at).result
        chain.begin(exact * reciprocal("stated")).insert(at).shows(name, {"stated": below})
    return chain
