"""What the source of a formula calls things: parts by words of their labels, and what its parameters are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from keyword import iskeyword

from derivations.language.meanings import PARAMETERS
from derivations.steps.step import Average

# a longer name is no name
LONGEST, MOST_WORDS = 28, 4
_POWERS = {"2": "squared", "3": "cubed", "-1": "inverse", "-2": "inverse squared", "-3": "inverse cubed"}
# commands of LaTeX that are words, and those that are nothing to say
_WORDS = {
    r"\mathbb{E}": " mean ",
    r"\mathrm{Tr}": " trace ",
    r"\mathrm{Var}": " variance ",
    r"\bar": " mean ",
}
_WORDS |= {r"\mathrm{sign}": " sign ", r"\partial": " slope ", r"\lim": " limit ", r"\star": " star "}
_SILENT = re.compile(r"\\(?:big|Big|left|right|text|mathrm|,|;|quad|!| )")
_COMMAND = re.compile(
    r"\\(alpha|beta|gamma|delta|theta|omega|Omega|sigma|Sigma|Gamma|Delta|xi|nu|mu|kappa|rho)\b"
)
# under which variables an average is taken, or by what a slope is: the label in LaTeX says
_BELOW = re.compile(r"(\\mathbb\{E\}|\\partial)(?:_(?:\{[^{}]*\}|\\[a-z]+|\w))+")
_POWER = re.compile(r"\^(?:\{(-?\d+|[a-z]\w*)\}|(-?\w))")

# numbers that are parameters of functions and nothing that a user of the commands sets: what they are, and where they are from
QUANTITIES: Mapping[str, str] = {
    "excess": "E |omega_star - w_0|^2, the deviation of the learned meta-parameter: by excess-overparameterized, "
    "excess-underparameterized",
    "mean_theta_star_sq": "E |theta_star|^2, the mean square of the adapted parameters: by adapted-square",
    "mean_theta_star_form": "E theta_star^T Sigma theta_star of the adapted parameters: by general-adapted-square",
    "mean_w_0_omega_star": "E w_0^T omega_star, the overlap of the mean task and the learned meta-parameter",
    "n_s": "points of the target task on which the test loss is taken",
    "n": "rows of X",
    "delta": "how fast p grows: like xi^delta",
    "kappa": "any positive number; near E Tr (B_1 B_1^T)^-1 of one task the identity says most",
    "y": "label of a point",
    "f_0": "output of the model at that point, at the start",
}
# the letters in the traces that functions take
LETTERS: Mapping[str, str] = {
    **{"Sigma": PARAMETERS["Sigma"].partition(":")[0], "Sigma_w": PARAMETERS["Sigma_w"].partition(":")[0]},
    "F": PARAMETERS["F"].partition(",")[0],
    "X_t": "training inputs of a task, n_t x p",
    "X_v": "validation inputs of a task, n_v x p",
    "X_r": "inputs that the model adapts to, n_r x p",
    "X_s": "inputs of the test, n_s x p",
    "z_t": "label noise of the training points",
    "z_v": "label noise of the validation points",
    "z_s": "label noise of the test",
    "w": "parameters of a task",
    "w_0": "their mean",
    "w_prime": "parameters of the target task",
    "delta_w": "their deviation from the mean",
    "omega": "a meta-parameter",
    "omega_0": "start of the outer loop",
    "omega_star": "the learned meta-parameter",
    "theta_star": "the parameters adapted to the target task",
    "gamma": "stacked targets of all tasks, by stacked-target",
    "delta_gamma": "their deviation from B w_0",
    "B": "stacked design of all tasks, by stacked-design",
    "BBT_inverse": "inverse of B B^T",
    "BTB_inverse": "inverse of B^T B",
    "Gamma": "covariance of the stacked targets, by target-covariance",
    "Gamma_1": "its block of one task",
    "G_inverse": "inverse of B_1 B_1^T of one task",
    "H_r": "weight of the adaptation, by adaptation-weight",
    "A_t": "the inner loop of one task, I - alpha_t X_t^T X_t / n_t",
    "T_kappa": "inverse of I + kappa A_t^2",
    "k": "gradient of the model at the start",
}


def part_names(labels: Iterable[str], reserved: Collection[str] = ()) -> dict[str, str]:
    """The name of each part by its label: words where a few say it, else `value`, or `part_1`, `part_2` where there are several.

    reserved: names that stand for something else in the formulas.
    """
    labels = list(labels)
    found = {label: in_words(label) for label in labels}
    taken = [*found.values(), *reserved]
    other = {label: f"part_{k + 1}" if len(labels) > 1 else "value" for k, label in enumerate(labels)}
    return {label: name if name and taken.count(name) == 1 else other[label] for label, name in found.items()}


def in_words(label: str) -> str:
    """A label in LaTeX as an identifier of a few words; empty where it takes more."""
    text = _BELOW.sub(lambda found: found[1], label)
    for command, word in _WORDS.items():
        text = text.replace(command, word)
    text = _SILENT.sub(" ", text)
    text = re.sub(r"\b(?:mean +)+", "mean ", _COMMAND.sub(r" \1 ", text))
    bracketed = re.search(r"\)\s*\^", text)
    text = _POWER.sub(lambda found: f" {_raised(found[1] or found[2])} ", text)
    # a sum, a difference or a quotient is more than a name, and a power of what stands in brackets would be that of its last letter
    if bracketed or re.search(r"[\\<>=+|/,!-]", text):
        return ""
    name = re.sub(r"_+", "_", re.sub(r"\W+", "_", text)).strip("_")
    words = [word for word in name.split("_") if len(word) > 1]
    fits = 0 < len(name) <= LONGEST and len(words) <= MOST_WORDS and not name[0].isdigit()
    return name if fits and not iskeyword(name) else ""


def _raised(power: str) -> str:
    number = re.fullmatch(r"-?\d+", power)
    return _POWERS.get(power, f"to the {power.replace('-', 'minus ')}") if number else power


def trace_parameter(factors: Iterable[str]) -> str:
    """What the trace of a product is called as a parameter: `tr_Sigma_F`."""
    return "_".join(("tr", *(re.sub(r"\W+", "_", factor).strip("_") for factor in factors)))


def meaning(name: str, traced: Mapping[str, str], average: Average | None, slug: str) -> str:
    """What a parameter of an exported function is, and where it comes from; never its name alone.

    traced: the products of which a parameter is the trace, by its name. average: that of the step, if it has one.
    """
    if average is not None and name == average.name:
        needs = ", ".join(average.needs)
        return f"an average without a closed form, over the draws, at {needs}: see derivations.step({slug!r}).evaluate"
    if name in traced:
        return f"numpy.trace({traced[name]})"
    return PARAMETERS.get(name) or QUANTITIES.get(name) or "a number that the statement names"


# the sizes of Figure 2
_EXAMPLE = {
    **{"n_t": 30, "n_v": 2, "n_r": 20, "m": 3, "p": 60},
    **{"sigma": 1, "nu": 0.5, "alpha_t": 0.2, "alpha_r": 0.2},
}


def letters_in(traced: Mapping[str, str]) -> list[str]:
    """A line for each letter in the traces that is the same throughout the paper."""
    used = {letter for product in traced.values() for letter in re.findall(r"\b[A-Za-z]\w*", product)}
    return [f"{letter}: {said}" for letter, said in LETTERS.items() if letter in used]


def front_door(slug: str, names: Collection[str], changed: Mapping[str, object]) -> str:
    """Lines of Python that compute a formula which its source alone does not, as one of its arguments has no closed form."""
    given = ", ".join(f"{name}={value}" for name, value in _EXAMPLE.items() if name in names)
    words = ", ".join(f"{name}={str(value)!r}" for name, value in changed.items())
    under = f".under({words})" if words else ""
    return f'import derivations as d\n\nd.step("{slug}"){under}.evaluate({given})'
