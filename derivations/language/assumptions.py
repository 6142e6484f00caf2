"""Everything a reader may change about the model: one frozen value, passed explicitly.

The paper is one value among others, `PAPER`; no code asks whether it is the paper.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path

from derivations.language.extension import (
    EXTENSIONS,
    Extension,
    extension,
    is_added,
    is_input_law,
    not_loaded,
)
from derivations.support.bad_input import BadInput
from derivations.support.text import exact_number, nearest, shortened
from symbolic.algebra.entry_laws import NAMED as INPUT_LAWS

MAX_STEPS = 8
LARGEST_FILE = 20_000
LONGEST_VALUE = 100
CHOICES: Mapping[str, tuple[str, ...]] = {
    "covariance": ("identity", "general"),
    "split": ("separate", "reused"),
    "order": ("leading", "next"),
}


class InvalidAssumption(BadInput):
    """An assumption name or value that the model does not know."""


class NotDerivable(BadInput):
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
    added: values of added assumptions (`derivations.language.extension`) that are not the paper's, sorted by name.
    """

    inner_steps: int = 1
    adaptation_steps: int = 1
    inputs: str = "gaussian"
    covariance: str = "identity"
    split: str = "separate"
    noise_val: Fraction | None = None
    order: str = "leading"
    added: tuple[tuple[str, str], ...] = ()

    def changed(self) -> dict[str, str]:
        """The assumptions that differ from the paper's, as text."""
        own = {name: str(getattr(self, name)) for name in NAMES if getattr(self, name) != DEFAULTS[name]}
        return own | dict(self.added)

    def as_dict(self) -> dict[str, str]:
        """All assumptions as text, added ones where they are changed; for content keys and JSON."""
        return {name: str(getattr(self, name)) for name in NAMES} | dict(self.added)

    def changes(self, names: Iterable[str]) -> list[str]:
        """The changed assumptions among those named, and changed ones that were added to act on the same steps."""
        wanted = set(names)
        like = {name: extension(name).like for name, _ in self.added}
        return [name for name in self.changed() if name in wanted or like.get(name) in wanted]

    def label(self) -> str:
        """A short name of the variant: 'paper', or the changes."""
        return ", ".join(f"{k}={v}" for k, v in self.changed().items()) or "paper"


DEFAULTS = {f.name: f.default for f in fields(Assumptions) if f.name != "added"}
NAMES = tuple(DEFAULTS)
PAPER = Assumptions()


def unchanged(names: Iterable[str]) -> Callable[[Assumptions], str | None]:
    """A step's `applies` for a claim about the paper's formula: None, or which assumption changed it."""

    def applies(assumptions: Assumptions) -> str | None:
        changed = assumptions.changes(names)
        if not changed:
            return None
        return f"a claim about the paper's formula, which is another one when {', '.join(changed)} changes"

    return applies


def _steps(name: str, text: str) -> int:
    number = _exact(text)
    if number is None or number.denominator != 1:
        raise InvalidAssumption(f"{name} must be a whole number of gradient steps, not {shortened(text)!r}")
    count = int(number)
    if not 1 <= count <= MAX_STEPS:
        raise InvalidAssumption(f"{name} must lie between 1 and {MAX_STEPS}, not {shortened(text)}")
    return count


def _exact(text: str) -> Fraction | None:
    """The number or fraction that a text of ordinary length says, or None."""
    try:
        return exact_number(text)
    except ZeroDivisionError:
        return None


def _law(text: str) -> str:
    head, _, tail = text.partition(":")
    if head == "kurtosis":
        kurtosis = _exact(tail)
        if kurtosis is None:
            raise InvalidAssumption(
                f"inputs=kurtosis:VALUE needs a number or fraction, not {shortened(tail)!r}"
            )
        if kurtosis < 1:
            raise InvalidAssumption(f"a kurtosis is at least 1 (Rademacher entries), not {tail}")
        return f"kurtosis:{kurtosis}"
    if is_input_law(text):
        return text
    near = nearest(text, (*INPUT_LAWS, "kurtosis:VALUE"))
    raise InvalidAssumption(f"unknown inputs {shortened(text)!r}; {near}{not_loaded()}")


def _noise(text: str) -> Fraction | None:
    if text in ("", "none", "None"):
        return None
    value = _exact(text)
    if value is None or value < 0:
        raise InvalidAssumption(f"noise_val must be a non-negative number, not {shortened(text)!r}")
    return value


def with_assumption(assumptions: Assumptions, name: str, text: str) -> Assumptions:
    """`assumptions` with one value replaced, read from text; raises InvalidAssumption."""
    if name not in NAMES:
        if is_added(name):
            return _with_added(assumptions, extension(name), text)
        near = nearest(name, (*NAMES, *EXTENSIONS))
        raise InvalidAssumption(f"unknown assumption {shortened(name)!r}; {near}{not_loaded()}")
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
        raise InvalidAssumption(f"unknown {name} {shortened(text)!r}; {nearest(text, CHOICES[name])}")
    if name == "covariance":
        return replace(assumptions, covariance=text)
    if name == "split":
        return replace(assumptions, split=text)
    return replace(assumptions, order=text)


def _with_added(assumptions: Assumptions, added: Extension, text: str) -> Assumptions:
    try:
        if (
            len(text) > LONGEST_VALUE or "e" in text.lower()
        ):  # an exponent can stand for a number of any length
            raise ValueError
        value = added.read(text)
    except (ValueError, ZeroDivisionError):
        said = " ".join(str(added.read.__doc__).split()).rstrip(".")
        raise InvalidAssumption(
            f"{added.name} is {shortened(text)!r}: it must be {said[:1].lower()}{said[1:]}"
        ) from None
    others = {name: old for name, old in assumptions.added if name != added.name}
    if value != added.default:
        if others:
            raise InvalidAssumption(
                f"{added.name} and {next(iter(others))} both set the steps of the inner loop: choose one of them"
            )
        others[added.name] = value
    return replace(assumptions, added=tuple(sorted(others.items())))


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
            raise InvalidAssumption(f"--assume takes NAME=VALUE or FILE.toml, not {shortened(word)!r}")
        result = with_assumption(result, name.strip(), text.strip())
    return result


def _from_file(path: Path) -> dict[str, str]:
    try:
        if path.exists() and not path.is_file():
            raise InvalidAssumption(f"{path} is no ordinary file: name a TOML file")
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidAssumption(f"{path} is larger than {LARGEST_FILE} bytes: it needs a few lines only")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise InvalidAssumption(f"{path} is nested too deeply: it needs one table [assumptions]") from None
    except OSError as error:
        raise InvalidAssumption(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidAssumption(f"{path} is not valid TOML: {error}") from None
    except ValueError:  # an integer of thousands of digits
        raise InvalidAssumption(
            f"{path} holds a number of thousands of digits: write a shorter one"
        ) from None
    table = document.get("assumptions")
    if not isinstance(table, dict) or set(document) != {"assumptions"}:
        raise InvalidAssumption(f"{path} must hold exactly one table [assumptions]")
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InvalidAssumption(f"{path}: {name} must be a number or a string")
    try:
        return {name: str(value) for name, value in table.items()}
    except ValueError:  # the same, written in another base
        raise InvalidAssumption(
            f"{path} holds a number of thousands of digits: write a shorter one"
        ) from None
