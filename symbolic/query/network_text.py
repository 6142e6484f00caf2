"""Sums over indices as text and as LaTeX, in a form that depends on the names of the letters only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, permutations
from typing import NamedTuple

from symbolic.algebra.letters import is_transposed, letter_of
from symbolic.averages.network_order import Edge, Network
from symbolic.averages.network_polynomial import Kernel, kernel_of
from symbolic.averages.networks import flipped
from symbolic.query.query_words import factor_of
from symbolic.wishart.fixed_letters import Word, joined
from symbolic.wishart.moment_text import word_latex, word_text
from symbolic.wishart.trace_polynomial import IndexSum

INDICES = "abcdefghijklmnoq"
"""Names of indices, in the order in which they are given."""

MOST_PERMUTED = 5
"""Networks with up to this number of indices are written in the smallest order of their indices."""


class Shown(NamedTuple):
    """A sum over indices, written: as text and as LaTeX."""

    text: str
    latex: str


def factors(word: str) -> Word:
    """A coded word of the engine as factors, reduced."""
    found: Word = ()
    for character in word:
        found = joined(found, (factor_of(letter_of(character).name, is_transposed(character)),))
    return found


def closed_network(network: Network) -> IndexSum:
    """A network as ``sum_ab (A)_ab^2 (B)_aa``."""
    return IndexSum(*_sum(network.edges, len(network.labels), ()), network)


def open_network(network: Network, end: str) -> IndexSum:
    """A network that the letter ``end`` closes as a product: ``Sigma^(1/2) diag(A) Sigma^(1/2)``."""
    kernel = kernel_of(network, end)
    middle = _middle(kernel)
    before, after = factors(kernel.before), factors(kernel.after)
    texts = [word_text(before)] * bool(before) + [middle.text] + [word_text(after)] * bool(after)
    latex = [word_latex(before)] * bool(before) + [middle.latex] + [word_latex(after)] * bool(after)
    return IndexSum(" ".join(texts), r" \, ".join(latex), network)


def _middle(kernel: Kernel) -> Shown:
    outer = tuple(dict.fromkeys(v for v in (kernel.row, kernel.column) if v is not None))
    loops = all(start == stop for start, stop, _ in kernel.edges)
    if loops and len(kernel.labels) == 1 and kernel.row == kernel.column:
        words = sorted(
            (min(factors(word), factors(flipped(word))) for _, _, word in kernel.edges),
            key=lambda word: (len(word), word),
        )
        runs = [(word, len(list(run))) for word, run in groupby(words)]
        return Shown(
            " ".join(f"diag({word_text(w)})" + (f"^{k}" if k > 1 else "") for w, k in runs),
            r" \, ".join(
                rf"\operatorname{{diag}}({word_latex(w)})" + (f"^{{{k}}}" if k > 1 else "") for w, k in runs
            ),
        )
    inner = _sum(kernel.edges, len(kernel.labels), outer)
    names = "".join(INDICES[k] for k in range(len(outer)))
    if kernel.row is not None and kernel.row == kernel.column:
        return Shown(
            f"diag[{inner.text}]_{names}", rf"\operatorname{{diag}}_{{{names}}}\left[{inner.latex}\right]"
        )
    return Shown(f"[{inner.text}]_{names}", rf"\left[{inner.latex}\right]_{{{names}}}")


def _sum(edges: Sequence[Edge], size: int, outer: tuple[int, ...]) -> Shown:
    """The sum over all indices but ``outer``, which have the first names."""
    inner = [vertex for vertex in range(size) if vertex not in outer]
    orders = permutations(inner) if len(inner) <= MOST_PERMUTED else [tuple(inner)]
    written = []
    for order in orders:
        place = {vertex: number for number, vertex in enumerate((*outer, *order))}
        written.append(sorted(_element(edge, place) for edge in edges))
    chosen = min(written)
    names = "".join(INDICES[k] for k in range(len(outer), size))
    texts, latex = [], []
    for (word, indices), run in groupby(chosen, key=lambda item: (item[1], item[2])):
        count = len(list(run))
        power = f"^{count}" if count > 1 else ""
        texts.append(f"({word_text(word)})_{indices}{power}")
        exponent = f"^{{{count}}}" if count > 1 else ""
        latex.append(rf"({word_latex(word)})_{{{indices}}}{exponent}")
    head = Shown(f"sum_{names} " if names else "", rf"\sum_{{{','.join(names)}}} " if names else "")
    return Shown(head.text + " ".join(texts), head.latex + r" \, ".join(latex))


def _element(edge: Edge, place: dict[int, int]) -> tuple[int, Word, str]:
    """An element of a word, in the direction that is written first."""
    start, stop, word = edge
    both = (start, stop, factors(word)), (stop, start, factors(flipped(word)))
    forms = [
        (len(w), w, "".join("1" if v < 0 else INDICES[place[v]] for v in (begin, end)))
        for begin, end, w in both
    ]
    return min(forms)
