"""At the sizes of the paper's figures: the exact loss at the best rate of (5), and at zero with n_v and with all points as validation points."""

from __future__ import annotations

from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.formulas.by_name import evaluate_named
from derivations.formulas.optimum import optimum
from derivations.paper.beyond.all_points import AT_ANY, AT_ZERO, EXAMPLES, PARAMETERS, Example
from derivations.publishing.kept_calls import kept

LEADING = "theorem-1"
# of a loss, of which three decimals are shown
PRECISE = 1e-5
HEAD = (
    "sizes, noise and start of",
    "(nₜ + nᵥ) m / p",
    "all points, rate 0",
    "nᵥ points, rate 0",
    "nᵥ points, rate of (8)",
    "that rate",
)


def losses(example: Example) -> tuple[float, float, float, float]:
    """The exact loss with all points at zero, with n_v at zero, with n_v at the rate at which (5) is least, and that rate."""
    given = {name: getattr(example.setting, name) for name in PARAMETERS}
    every = {**given, "n_v": given["n_t"] + given["n_v"]}
    best = float(optimum(LEADING, given)["alpha_t"])
    of_all, few = (float(evaluate_named(AT_ZERO, at)["value"]) for at in (every, given))
    at_best = evaluate_named(AT_ANY, {**given, "alpha_t": best}, rel_error=PRECISE)
    return of_all, few, float(at_best["value"]), best


@kept(lambda *_: (AT_ANY, AT_ZERO, LEADING))
def _text() -> str:
    rows = []
    for example in EXAMPLES:
        setting = example.setting
        share = (setting.n_t + setting.n_v) * setting.m / setting.p
        rows.append(
            (
                example.name,
                f"{share:.2f}",
                *(f"{value:.3f}".replace("-", "\u2212") for value in losses(example)),
            )
        )
    return h.table(HEAD, rows, numeric=range(1, len(HEAD)))


def table() -> Html:
    """The four numbers at each of the figures' sizes."""
    return Html(_text())
