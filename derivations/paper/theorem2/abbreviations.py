"""The abbreviations of Theorem 2 as proofs: mu_2, mu_3, ... of (102)-(107), h_t of (6), and g_1 to g_4 of (98)-(101).

A mu is the mean of a product of traces of W_t, over what makes it one when there are many more training rows than
parameters; h_t and the g's are means of words in A, written in mu's. With more inner steps A is a longer polynomial in
W_t, and the same chains give the same names, with mu's of higher order in them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache, reduce
from operator import mul

from derivations.language import model
from derivations.language.assumptions import Assumptions, NotDerivable
from derivations.language.model_letters import letter
from derivations.paper.outer_problem import SHORT_A, target_covariance
from derivations.steps.chain import Chain, Known, abbreviation
from derivations.steps.held import Held
from derivations.steps.labels import Short
from symbolic.algebra.readable import Term
from symbolic.algebra.words import Expression, constant, identity, reciprocal, scalar, tr

# W_t, and the covariance of what training noise does to the adapted parameters, over (alpha_t / n_t)^2
SHORT_W, SHORT_R = abbreviation("W", "p"), abbreviation("R", "p")
WISHART = letter("X_t").T @ letter("X_t")
NAMES = ("h_t", "g_1", "g_2", "g_3", "g_4")
RESTS_ON = {
    (2,): "wishart-second-moment",
    (3,): "wishart-third-moment",
    (4,): "wishart-fourth-moment",
    (1, 1): "wishart-1-trace-1",
    (2, 1): "wishart-2-trace-1",
    (2, 2): "wishart-2-trace-2",
}


def mu_name(powers: tuple[int, ...]) -> str:
    """The name of the mean of traces of these powers of W_t."""
    return "_".join(["mu", *map(str, powers)])


def mu_slug(powers: tuple[int, ...]) -> str:
    """The step that states it, or the law of the inputs that gives it."""
    return mu_name(powers).replace("_", "-") if powers in RESTS_ON else "gaussian-inputs"


@cache
def mu_chain(powers: tuple[int, ...], label: str = "mu") -> Chain:
    """The mean of the product of tr(W^k) / (p n_t^k)."""
    traces = [tr(SHORT_W**k) * reciprocal("p") * reciprocal("n_t") ** k for k in powers]
    chain = Chain(reduce(mul, traces)).define({"W": WISHART})
    reads = (RESTS_ON[powers],) if powers in RESTS_ON else ("gaussian-inputs",)
    return chain.average("X_t", reads=reads).shows(label)


def mu(powers: tuple[int, ...]) -> Expression:
    """A mu as a function of n_t and p."""
    return mu_chain(powers).result


def named_moments(expr: Expression) -> tuple[Known, ...]:
    """What the terms of a polynomial in W average to, by their names.

    A term is a product of at most two traces, of which an open word counts as one. Other terms are left out.
    """
    found = []
    for term in expr.terms:
        words = [*term.traces, *([] if term.word is None else [term.word])]
        powers = tuple(sorted((len(word) for word in words if word), reverse=True))
        if len(powers) > 2 or any(factor.name != "W" for word in words for factor in word):
            continue
        scale = scalar("n_t") ** sum(powers) * scalar("p") ** len(term.traces)
        unit = constant(1) if term.word is None else identity("p")
        plain = powers in ((), (1,))
        name = constant(1) if plain else scalar(mu_name(powers))
        names = {} if plain else {mu_name(powers): mu(powers)}
        slug = "wishart-mean" if powers == (1,) else mu_slug(powers)
        found.append(Known(_word(term), scale * name * unit, names, slug))
    return tuple(found)


def _word(term: Term) -> Expression:
    product = reduce(mul, (tr(SHORT_W ** len(trace)) for trace in term.traces), constant(1))
    return product if term.word is None else product * SHORT_W ** len(term.word)


def inner_words(assumptions: Assumptions) -> dict[str, Expression]:
    """A and R as polynomials in W."""
    task = model.task(assumptions)
    path = task.noise_path * scalar("n_t") * reciprocal("alpha_t")
    short: Mapping[tuple[tuple[str, bool], ...], Expression] = {(("X_t", True), ("X_t", False)): SHORT_W}
    return {"A": task.contraction.rewrite(short), "R": (path @ path.T).rewrite(short)}


def spread(assumptions: Assumptions) -> Expression:
    """R by its name, or W where it is just that: with one inner step."""
    return SHORT_W if inner_words(assumptions)["R"] == SHORT_W else SHORT_R


def _start(name: str, assumptions: Assumptions) -> Expression:
    """What h_t or a g is the mean of."""
    square, over_p = SHORT_A @ SHORT_A, reciprocal("p")
    over_rows = reciprocal("n_t")
    words = {
        "h_t": lambda: over_p * tr(square),
        "g_1": lambda: over_p * over_rows * tr(SHORT_A @ spread(assumptions) @ SHORT_A),
        "g_2": lambda: over_p**2 * over_rows * tr(spread(assumptions)) * tr(square),
        "g_3": lambda: over_p * tr(square @ square),
        "g_4": lambda: over_p**2 * tr(square) * tr(square),
    }
    return words[name]()


@cache
def abbreviation_chain(name: str, assumptions: Assumptions) -> Chain:
    """h_t or a g: A written as a polynomial in W, and averaged by the names of moments."""
    if assumptions.covariance != "identity" or assumptions.inputs != "gaussian":
        raise NotDerivable("an abbreviation for Gaussian inputs of identity covariance")
    chain = Chain(_start(name, assumptions))
    words = inner_words(assumptions)
    for short, held, slug in _stated(assumptions):
        if short in chain.result.letters():
            chain.expand({short: words[short]}, slug, held=held)
    chain.by_known(named_moments(chain.result), {"W": WISHART}, {"X_t"})
    chain.shows(Short(name), names_of(chain))
    return chain.names(Short(name), lambda: definitions(chain.result.scalars(), assumptions))


def _stated(assumptions: Assumptions) -> list[tuple[str, Held, str]]:
    """How A and R are held against the steps that state what they are: as part of B, and of Gamma."""
    task, short = model.task(assumptions), {"W": WISHART}
    path, noise = task.x_v @ task.noise_path, scalar("sigma") ** 2
    rate = scalar("alpha_t") * reciprocal("n_t")

    def gamma(spread: Expression) -> Expression:
        rest = target_covariance(assumptions) - noise * path @ path.T
        return rest + noise * rate**2 * task.x_v @ spread @ task.x_v.T

    return [
        ("A", Held(assumptions, short, read=lambda a: task.x_v @ a), "stacked-design"),
        ("R", Held(assumptions, short, read=gamma), "target-covariance"),
    ]


def names_of(chain: Chain) -> dict[str, Expression]:
    """What the names in the last average by named moments stand for."""
    return {name: value for name, value in chain.moves[-1].values.items() if value.is_scalar}


def term_value(name: str, assumptions: Assumptions) -> Expression:
    """h_t or a g with its mu's written out."""
    chain = abbreviation_chain(name, assumptions)
    return chain.result.replace(names_of(chain))


def definitions(names: Collection[str], assumptions: Assumptions) -> dict[str, Expression]:
    """What names stand for, by names that come after them: h_t and the g's in mu's, the mu's in n_t and p."""
    found: dict[str, Expression] = {}
    for name in NAMES:
        if name in names:
            found[name] = abbreviation_chain(name, assumptions).result
    used = {name for expr in found.values() for name in expr.scalars()} | {*names}
    for name in sorted((x for x in used if x.startswith("mu_")), key=lambda x: (x.count("_"), x)):
        found[name] = mu(tuple(map(int, name.split("_")[1:])))
    return found
