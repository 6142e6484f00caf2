"""The examples of both signs of the best rate, with what simulation sees of them on either side of zero."""

from __future__ import annotations

from derivations.book_pages import cards
from derivations.book_pages import html as h
from derivations.book_pages.html import Html
from derivations.formulas.optimum import optimum
from derivations.formulas.parameters import Given
from derivations.paper.beyond.positive_rates import DIRECTIONS, EXAMPLE, FAR, NEAR, NUMBERS_OF_SPIKES
from derivations.publishing.kept_calls import kept

SAID = {
    "k=2": "tasks alike in all directions",
    "k=50": "tasks alike in all directions",
    r"\mathrm{aligned}": "tasks differ along these alone",
    r"\mathrm{opposed}": "tasks differ along the others alone",
}
OF = {"positive-rate-spiked": NUMBERS_OF_SPIKES, "positive-rate-aligned": DIRECTIONS}


@kept(lambda name, _: {name, "theorem-3"})
def _best(name: str, of: str) -> str:
    """The rate at which (14) is least, of an example of a step."""
    (case,) = (one for one in OF[name] if one.name == of)
    sigma, sigma_w = case.covariances()
    numbers = {key: float(value) for key, value in EXAMPLE.items()}
    given: dict[str, Given] = {**numbers, "n_r": 50.0, "Sigma": sigma, "Sigma_w": sigma_w}
    return h.number(float(optimum("eq14", given)["alpha_t"]), 3)


def table() -> Html:
    """By example the rate at which (14) is least, and the change of the simulated loss from minus a rate to that rate."""
    rows = []
    for name, cases in OF.items():
        seen = {check["label"]: check["signed"] for check in cards.records()[name]["checks"]}
        for case in cases:
            changes = (
                h.measured(*signed) for label in (case.sloping, case.best) if (signed := seen[str(label)])
            )
            rows.append((str(case.count), SAID[case.name], _best(name, case.name), *changes))
    head = (
        "large eigenvalues",
        "tasks",
        "(14) is least at",
        *(f"change from -{rate:g} to {rate:g}" for rate in (NEAR, FAR)),
    )
    return Html(h.table(head, rows))
