"""Everything a reader may change about the model: one frozen value, passed explicitly.

The paper is one value among others, `PAPER`; no code asks whether it is the paper.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from pathlib import Path

MAX_STEPS = 8
INPUT_LAWS = ("gaussian", "rademacher", "uniform", "laplace")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "covariance": ("identity", "general"),
    "split": ("separate", "reused"),
    "order": ("leading", "next"),
}


class InvalidAssumption(ValueError):
    """An assumption name or value that the model does not know."""


class NotDerivable(ValueError):
    """A combination of assumptions for which the requested formula has no derivation here."""


@dataclass(frozen=True)
class Assumptions:
    """The model's free choices (the paper's values are the defaults).

    inner_steps: gradient steps of the inner loop at meta-training (Eq. 3 takes one).
    adaptation_steps: gradient steps on the target task at test (Eq. 25 takes one).
    inputs: law of the iid, mean 0, variance 1 entries of an input (Eq. 4: gaussian).
    covariance: of inputs and of task parameters (Eq. 4: identity; section 5.3: general).
    split: whether validation data are separate from training data, or the same data reused.
    noise_val: label-noise standard deviation of validation data where it differs from sigma, as an exact
        fraction; None when both are sigma.
    order: how many orders of the asymptotic expansion to keep.
    """

    inner_steps: int = 1
    adaptation_steps: int = 1
    inputs: str = "gaussian"
    covariance: str = "identity"
    split: str = "separate"
    noise_val: Fraction | None = None
    order: str = "leading"

    def changed(self) -> dict[str, str]:
        """The assumptions that differ from the paper's, as text."""
        return {
            f.name: str(getattr(self, f.name)) for f in fields(self) if getattr(self, f.name) != f.default
        }

    def as_dict(self) -> dict[str, str]:
        """All assumptions as text, for content keys and JSON."""
        return {name: str(value) for name, value in asdict(self).items()}

    def label(self) -> str:
        """A short name of the variant: 'paper', or the changes."""
        return ", ".join(f"{k}={v}" for k, v in self.changed().items()) or "paper"


PAPER = Assumptions()


def unchanged(names: Iterable[str]) -> Callable[[Assumptions], str | None]:
    """A step's `applies` for a claim about the paper's formula: None, or which assumption changed it."""

    def applies(assumptions: Assumptions) -> str | None:
        changed = [name for name in names if name in assumptions.changed()]
        if not changed:
            return None
        return f"a claim about the paper's formula, which is another one when {', '.join(changed)} changes"

    return applies


def nearest(word: str, known: Iterable[str]) -> str:
    """'; did you mean X?' for the closest known word, or the list of all when none is close."""
    options = list(known)
    close = difflib.get_close_matches(word, options, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "known: " + ", ".join(options)


def _steps(name: str, text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        raise InvalidAssumption(f"{name} must be a whole number of gradient steps, not {text!r}") from None
    if not 1 <= count <= MAX_STEPS:
        raise InvalidAssumption(f"{name} must lie between 1 and {MAX_STEPS}, not {count}")
    return count


def _law(text: str) -> str:
    if text in INPUT_LAWS:
        return text
    head, _, tail = text.partition(":")
    if head == "kurtosis":
        try:
            kurtosis = Fraction(tail)
        except (ValueError, ZeroDivisionError):
            raise InvalidAssumption(
                f"inputs=kurtosis:VALUE needs a number or fraction, not {tail!r}"
            ) from None
        if kurtosis < 1:
            raise InvalidAssumption(f"a kurtosis is at least 1 (Rademacher entries), not {tail}")
        return f"kurtosis:{kurtosis}"
    raise InvalidAssumption(f"unknown inputs {text!r}; {nearest(text, (*INPUT_LAWS, 'kurtosis:VALUE'))}")


def _noise(text: str) -> Fraction | None:
    if text in ("", "none", "None"):
        return None
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise InvalidAssumption(f"noise_val must be a non-negative number, not {text!r}") from None
    if value < 0 or not math.isfinite(value):
        raise InvalidAssumption(f"noise_val must be a non-negative number, not {text!r}")
    return value


def with_assumption(assumptions: Assumptions, name: str, text: str) -> Assumptions:
    """`assumptions` with one value replaced, read from text; raises InvalidAssumption."""
    names = [f.name for f in fields(Assumptions)]
    if name not in names:
        raise InvalidAssumption(f"unknown assumption {name!r}; {nearest(name, names)}")
    if name in ("inner_steps", "adaptation_steps"):
        count = _steps(name, text)
        if name == "inner_steps":
            return replace(assumptions, inner_steps=count)
        return replace(assumptions, adaptation_steps=count)
    if name == "inputs":
        return replace(assumptions, inputs=_law(text))
    if name == "noise_val":
        return replace(assumptions, noise_val=_noise(text))
    if text not in CHOICES[name]:
        raise InvalidAssumption(f"unknown {name} {text!r}; {nearest(text, CHOICES[name])}")
    if name == "covariance":
        return replace(assumptions, covariance=text)
    if name == "split":
        return replace(assumptions, split=text)
    return replace(assumptions, order=text)


def read(words: Iterable[str]) -> Assumptions:
    """Assumptions from `K=V` words and `.toml` file names, later ones overriding earlier ones.

    A TOML file has one table `[assumptions]` with the field names of `Assumptions` as keys.
    """
    result = PAPER
    for word in words:
        if word.endswith(".toml"):
            for name, value in _from_file(Path(word)).items():
                result = with_assumption(result, name, value)
            continue
        name, separator, text = word.partition("=")
        if not separator:
            raise InvalidAssumption(f"--assume takes NAME=VALUE or FILE.toml, not {word!r}")
        result = with_assumption(result, name.strip(), text.strip())
    return result


def _from_file(path: Path) -> dict[str, str]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidAssumption(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidAssumption(f"{path} is not valid TOML: {error}") from None
    table = document.get("assumptions")
    if not isinstance(table, dict) or set(document) != {"assumptions"}:
        raise InvalidAssumption(f"{path} must hold exactly one table [assumptions]")
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InvalidAssumption(f"{path}: {name} must be a number or a string")
    return {name: str(value) for name, value in table.items()}
