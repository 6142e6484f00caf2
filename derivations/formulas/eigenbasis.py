"""Traces of words in the basis in which Sigma is diagonal.

Eigenvalues are rounded once; the traces are then exact for the rounded ones, so that their combinations
keep the signs and the small differences that they have for every covariance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from flint import fmpq, fmpq_mpoly
from numpy.typing import NDArray

from derivations.formulas.parameters import Matrix
from derivations.language.normal_form import NormalForm
from symbolic.algebra.coefficients import names_of, to_fraction

Array = NDArray[np.float64]
Word = tuple[str, ...]
TRACE = "tr("


class Eigenbasis:
    """The given matrices, Sigma among them, in that basis."""

    def __init__(self, given: Mapping[str, Matrix]) -> None:
        eigenvalues, vectors = np.linalg.eigh(given["Sigma"])
        self.diagonal = {"Sigma": exact(np.maximum(eigenvalues, 0.0))}
        self.full = {name: vectors.T @ value @ vectors for name, value in given.items() if name != "Sigma"}

    def entries(self, name: str) -> list[fmpq]:
        """The diagonal of a matrix."""
        return self.diagonal.get(name) or exact(np.diag(self.full[name]))

    def trace(self, word: Word) -> fmpq:
        """The trace of a word: exact, unless it has two or more matrices that are not diagonal here."""
        full = [name for name in word if name in self.full]
        if len(full) < 2:
            factors = [self.entries(name) for name in word]
            return sum((math.prod(entries) for entries in zip(*factors, strict=True)), fmpq(0))
        product = np.eye(len(self.full[full[0]]))
        for name in word:
            product = (
                product @ self.full[name] if name in self.full else product * _rounded(self.diagonal[name])
            )
        return fmpq(*float(np.trace(product)).as_integer_ratio())

    def define(self, name: str, form: NormalForm) -> None:
        """A further matrix, given as a combination of powers of Sigma with traces in the coefficients."""
        total = [fmpq(0)] * len(self.diagonal["Sigma"])
        for term, coefficient in form.terms.items():
            traces = {trace: self.trace(word_of(trace)) for trace in coefficient.names()}
            factor = value(coefficient.numerator, traces) / value(coefficient.denominator, traces)
            letters = [self.diagonal[letter.name] for letter in term.word or ()]
            total = [
                entry + factor * math.prod(entries) for entry, *entries in zip(total, *letters, strict=True)
            ]
        self.diagonal[name] = total


def word_of(trace: str) -> Word:
    """The letters of a trace's name; every letter here is a symmetric matrix."""
    letters = trace.removeprefix(TRACE).removesuffix(")").split()
    return tuple(letter.removesuffix("^T") for letter in letters)


def exact(values: Array) -> list[fmpq]:
    """Doubles as fractions."""
    return [fmpq(*float(entry).as_integer_ratio()) for entry in values]


def double(entry: fmpq) -> float:
    """The nearest double."""
    return float(to_fraction(entry))


def value(poly: fmpq_mpoly, numbers: Mapping[str, fmpq]) -> fmpq:
    """A polynomial with a number for every generator."""
    return poly(*(numbers[name] for name in names_of(poly.context())))


def _rounded(values: list[fmpq]) -> Array:
    return np.array([double(entry) for entry in values])
