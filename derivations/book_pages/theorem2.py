"""What the chapter on Theorem 2 says of its longest average, counted on the words of the model."""

from __future__ import annotations

from collections import Counter

from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.language.assumptions import PAPER
from derivations.paper.theorem2.concentration import task_blocks
from symbolic.algebra.words import Expression


def random_factors(expr: Expression) -> Counter[str]:
    """The most factors of each random matrix in one term, and of all together under the name `all`."""
    random = {name for name, letter in expr.letters().items() if letter.random}
    most: Counter[str] = Counter()
    for term in expr.terms:
        words = (*term.traces, term.word or ())
        counts = Counter(factor.name for word in words for factor in word if factor.name in random)
        counts["all"] = counts.total()
        most |= counts
    return most


def noise_term() -> Html:
    """The sentence on how long the mean of B^T Gamma B is."""
    term = h.inline(r"B^T\Gamma B")
    return Html(f"<p>The mean of {term} contains {noise_factors()}.</p>")


def noise_factors() -> str:
    """The sizes of the longest term of B^T Gamma B, for a sentence (under the paper's assumptions)."""
    product = task_blocks(PAPER).noise
    counts = random_factors(product)
    training = max(counts[name] for name, letter in product.letters().items() if letter.rows == "n_t")
    return (
        f"up to {counts['all']} factors of Gaussian matrices, up to {training} of them from one training set"
    )
