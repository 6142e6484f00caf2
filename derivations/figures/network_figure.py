"""Figure 5: the loss over the training rate with a network, one panel for each reading of how often b is drawn."""

from __future__ import annotations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from derivations.figures.network_estimates import REPORTED, level, marks
from derivations.figures.network_runs import PRINTED, RATES
from derivations.figures.style import BARS, LABELS, VERMILION, Series, rounded
from numeric_check.network.experiment import Reading

NAME = "figure5"
# the losses that are looked up by name
THEORIES: tuple[str, ...] = ()
STATEMENT = "A network on a quadratic target: the loss over the training rate"
TITLES = {
    Reading.TASK: "b anew in each task",
    Reading.RUN: "b once for all tasks of a run",
    Reading.POINT: "b anew at each data point",
}
TRAINED = rf"trained networks, two-level mean $\pm$ {BARS:g} standard errors"
LINEARISED = "linearized networks, (12)"
REPORTED_LABEL = f"best rate as printed, {REPORTED:g}".replace("-", "\u2212")


def canvas() -> Canvas:
    """Draws the shipped runs."""
    figure = Canvas(figsize=(11.4, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    for k, (how, title) in enumerate(TITLES.items()):
        axis = figure.add_subplot(1, len(TITLES), k + 1)
        found = marks(how)
        axis.axvline(0.0, color="0.8", linewidth=1.0, zorder=0)
        axis.axhline(0.0, color="0.8", linewidth=1.0, zorder=0)
        axis.axvline(REPORTED, color="0.5", linestyle=":", linewidth=1.2, zorder=0, label=REPORTED_LABEL)
        axis.plot(
            RATES,
            rounded([mark.linearised.mean for mark in found]),
            color="black",
            linewidth=1.5,
            label=LINEARISED,
        )
        axis.errorbar(
            RATES,
            rounded([mark.two_level.mean for mark in found]),
            yerr=rounded([BARS * mark.two_level.stderr for mark in found]),
            fmt="o",
            color=VERMILION,
            markerfacecolor="white",
            markersize=6,
            elinewidth=1.3,
            capsize=2.5,
            zorder=3,
            label=TRAINED,
        )
        axis.set_title(f"{'abc'[k]})  {title}")
        axis.set_xticks((-0.02, -0.01, 0.0, 0.01))
        axis.set_xlabel(LABELS["alpha_t"])
        axis.set_ylabel("loss minus loss at rate 0" if k == 0 else "")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def series() -> list[Series]:
    """What the figure shows as numbers."""
    found: list[Series] = []
    for letter, how in zip("abc", TITLES, strict=True):
        found_here = marks(how)
        for label, chosen in (
            (LINEARISED, [mark.linearised for mark in found_here]),
            ("trained networks, two-level", [mark.two_level for mark in found_here]),
        ):
            found.append(
                {
                    "panel": letter,
                    "reading": how.value,
                    "label": label,
                    "rate": "alpha_t",
                    "x": list(RATES),
                    "y": [estimate.mean for estimate in chosen],
                    "stderr": [estimate.stderr for estimate in chosen],
                    "runs": [estimate.draws for estimate in chosen],
                }
            )
    return found


def caption() -> str:
    """What the figure shows and how its points were obtained, in plain text."""
    e = PRINTED
    counts = ", ".join(
        f"{marks(how)[0].two_level.draws} under ({k})" for k, how in zip("abc", TITLES, strict=True)
    )
    sizes = ", ".join(
        f"{name} = {getattr(e, name):g}" for name in ("n_t", "n_v", "n_r", "m", "p", "sigma", "nu", "alpha_r")
    )
    return (
        f"{STATEMENT}, as its difference from the loss at rate zero, {', '.join(f'{level(how).mean:.3f}' for how in TITLES)}. "
        f"Panels: {'; '.join(f'({k}) {title}' for k, title in zip('abc', TITLES.values(), strict=True))}. Line: networks linearised "
        f"as (12), meta-trained exactly, {marks(Reading.TASK)[0].linearised.draws} runs. Circles: networks of width {e.width} trained by "
        f"gradient descent ({counts} runs), in two levels: the linearised mean plus the paired difference. {sizes}."
    )


def alt_text() -> str:
    """What a reader who cannot see the figure should know."""
    lines = [
        "3 panels of average test loss of a network against the training rate, each for a reading of the bias b."
    ]
    for letter, (how, title) in zip("abc", TITLES.items(), strict=True):
        best = min(marks(how), key=lambda mark: mark.linearised.mean)
        lines.append(
            f"Panel {letter}, {title}: of the rates tried the loss of linearised networks is smallest at {best.rate:g}."
        )
    return " ".join(lines)
