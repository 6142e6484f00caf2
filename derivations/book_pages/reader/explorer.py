"""The explorer: the loss over the training rate, drawn in the reader's browser from the derived formulas as JavaScript.

The formulas are those of `derive show NAME --as javascript`, without spaces. The exact loss above p = n_v m needs one
average without a closed form, which is tabulated over the rate at a few sizes; how it enters the loss is a formula again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from derivations.book_pages.html import Html, details, escape, inline
from derivations.formulas.by_name import formulas as formulas_of
from derivations.formulas.by_name import source_code
from derivations.formulas.kept import written
from derivations.formulas.values import LOSS
from derivations.language.assumptions import PAPER, Assumptions, read
from derivations.language.meanings import PARAMETERS
from derivations.language.regime import Regime
from derivations.paper.beyond.one_task import average
from derivations.paper.experiments.panels import FIGURE_2, FIGURES, figure, grid
from derivations.paper.experiments.points import completed, tasks
from derivations.steps.contents import find
from derivations.support import store
from derivations.support.workers import workers
from derivations.typeset.term_order import name_latex
from numeric_check.problem.setting import Setting

# where the browser finds the script that draws
SCRIPT = "_static/explorer.js"
STEPS = (1, 2, 3)
# relative error of the tabulated averages by quadrature, and of those that are sampled: a tenth of a line's width at most
PRECISE, SAMPLED = 1e-6, 3e-4


@dataclass(frozen=True)
class Curve:
    """One formula of the loss: its regime, inner steps, whether it is `leading` or `next`."""

    regime: Regime
    steps: int
    order: str

    @property
    def words(self) -> list[str]:
        """Its assumptions, where they are not the paper's."""
        steps = [f"inner_steps={self.steps}"] if self.steps > 1 else []
        return steps + (["order=next"] if self.order == "next" else [])

    @property
    def name(self) -> str:
        """What the script calls it."""
        return f"{self.regime.value} {self.steps} {self.order}"


# of the next order below p = n_v m with three inner steps the source is longer than all others together
CURVES = (
    *(Curve(regime, steps, "leading") for regime in Regime for steps in STEPS),
    *(Curve(Regime.OVER, steps, "next") for steps in STEPS),
    *(Curve(Regime.UNDER, steps, "next") for steps in STEPS[:2]),
)


@dataclass(frozen=True)
class Table:
    """The sizes at which the exact loss is tabulated: those of Figures 2, 6a and 6b, and one validation point."""

    steps: int
    n_t: int
    n_v: int
    p: int
    points: int = 41


FIGURE_6 = [panel.base for panel in figure("6").panels if panel.theory == LOSS[Regime.OVER]]
TABLES = (
    *(Table(1, base.n_t, base.n_v, base.p) for base in (FIGURE_2, *FIGURE_6)),
    *(Table(steps, FIGURE_2.n_t, 1, FIGURE_2.p, 41 if steps == 1 else 21) for steps in (1, 2)),
)
EXACT, AT_ZERO = "exact-loss", "exact-loss-at-zero"


@dataclass(frozen=True)
class Slider:
    """A parameter with its range."""

    name: str
    low: float
    high: float
    step: float


SLIDERS = (
    Slider("n_t", 1, 200, 1),
    Slider("n_v", 1, 60, 1),
    Slider("n_r", 1, 200, 1),
    Slider("m", 1, 100, 1),
    Slider("p", 2, 300, 1),
    Slider("sigma", 0, 2, 0.05),
    Slider("nu", 0, 2, 0.05),
    Slider("dist0_sq", 0, 2, 0.05),
    Slider("alpha_r", -0.5, 1, 0.01),
)
REACH = Slider("reach", 0.1, 4, 0.1)


# -- what the script is given -------------------------------------------------------------------------------


def _formula(name: str, assumptions: Assumptions = PAPER) -> dict[str, str]:
    """The formulas of a step as JavaScript, from the store where the same ones have been written before, or written now."""
    same = hashlib.sha256(json.dumps(written(formulas_of(name, assumptions))).encode()).hexdigest()
    where = {"regime": find(name).regime, "assumptions": assumptions.as_dict()}
    wanted = store.key("javascript", [__name__], of=name, formulas=same, **where)
    found = store.load(wanted)
    if found is None:
        found = source_code(name, "javascript", assumptions)
        store.save(wanted, found)
    return dict(found)


def _averages(table: Table) -> dict[str, list[float]]:
    """The rates, and at each the average of one task's label noise at sigma = 1, from the store or found now."""
    assumptions = read([f"inner_steps={table.steps}"])
    wanted = store.key("average over rates", [__name__], of=asdict(table), precise=[PRECISE, SAMPLED])
    found = store.load(wanted)
    if found is None:
        rates = grid(-2.0, 2.0, table.points)
        sizes = {"n_t": table.n_t, "n_v": table.n_v, "p": table.p, "sigma": 1.0, "sigma_v": 1.0}
        noise = [
            average(assumptions, {**sizes, "alpha_t": x}, agreed=PRECISE, rel_error=SAMPLED).mean
            for x in rates
        ]
        found = {"rates": list(rates), "label_noise": noise}
        store.save(wanted, found)
    return dict(found)


def _one(job: Curve | Table | str) -> object:
    if isinstance(job, Curve):
        return _formula(LOSS[job.regime], read(job.words))
    return _averages(job) if isinstance(job, Table) else _formula(job)


def prepare() -> None:
    """Everything slow, on all cores, what takes longest first."""
    jobs: list[Curve | Table | str] = [*sorted(CURVES, key=lambda c: c.steps, reverse=True), *TABLES, EXACT]
    with workers(len(jobs)) as executor:
        for _, ended in executor.ended(_one, [*jobs, AT_ZERO]):
            ended.result()


def formulas() -> dict[str, str]:
    """Every formula that the script evaluates, as JavaScript, by the name that the script looks for."""
    found = {curve.name: _formula(LOSS[curve.regime], read(curve.words))["value"] for curve in CURVES}
    zero = {f"{regime.value} zero": _formula(AT_ZERO)[regime.value] for regime in Regime}
    return {**found, "exact": _formula(EXACT)["value"], **zero}


def _parameters(source: str) -> list[str]:
    """The names of a function's arguments, in order."""
    found = re.search(r"\(([^)]*)\)", source)
    return found[1].split(", ") if found else []


def packed(source: str) -> str:
    """The same JavaScript in fewer characters: no spaces beside signs, no `.0` after whole numbers."""
    whole = re.sub(r"(?<![\w.])(\d+)\.0(?![\w.])", r"\1", source.strip())
    beside = r"[-+*/%(){}\[\],;:=<>?]"
    # between two signs, as in a - -b, the space stays
    return re.sub(rf"(?<![-+])\s+(?={beside})|(?<={beside})\s+(?![-+])", "", whole)


def _values(setting: Setting) -> dict[str, float]:
    return {slider.name: getattr(setting, slider.name) for slider in SLIDERS}


def simulations() -> list[dict[str, Any]]:
    """The stored simulations over the training rate: where they were made, and what they gave."""
    found = []
    for name in FIGURES:
        panels = [panel for panel in figure(name).panels if panel.rate == "alpha_t"]
        if any(panel.base.Sigma is not None for panel in panels):
            continue
        for panel in panels:
            wanted = tasks([panel])
            marks: dict[str, list[list[float]]] = {"conditional": [], "plain": []}
            for item, estimate in zip(wanted, completed(wanted, name), strict=True):
                marks[item.protocol].append([item.setting.alpha_t, estimate.mean, estimate.stderr])
            title = f"Figure {name.removeprefix('figure')}{panel.letter}"
            found.append({"title": title, "at": _values(panel.base), "reach": panel.grid[-1], **marks})
    return found


def script() -> str:
    """The assignment that hands formulas, tables and simulations to the script."""
    functions = ",\n".join(
        f"{json.dumps(name)}: {{of: {packed(source)}, parameters: {json.dumps(_parameters(source))}}}"
        for name, source in formulas().items()
    )
    tables = [{**asdict(table), **_averages(table)} for table in TABLES]
    rest = {
        "tables": tables,
        "simulations": simulations(),
        "sliders": [asdict(s) for s in SLIDERS],
        "reach": asdict(REACH),
    }
    return f"window.EXPLORER = Object.assign({json.dumps(rest)}, {{formulas: {{{functions}}}}});"


# -- what the page shows ------------------------------------------------------------------------------------

# what is allowed in the number box before it, once something else was typed
_ALLOWED = '<small class="allowed" role="status" aria-live="polite"></small>'


def _range(slider: Slider, value: float) -> str:
    return f'min="{slider.low:g}" max="{slider.high:g}" step="{slider.step:g}" value="{value:g}"'


def _slider(slider: Slider, value: float) -> str:
    name = f"explore-{slider.name}"
    reach = _range(slider, value)
    meaning = PARAMETERS[slider.name]
    # the symbol stands before it already
    said = meaning.partition(":")[0].removeprefix("|omega_0 - w_0|^2, ")
    return (
        f'<div class="slider box" title="{escape(meaning)}"><label for="{name}">{inline(name_latex(slider.name))} '
        f"<small>{escape(said)}</small></label>"
        f'<input type="range" id="{name}" data-parameter="{slider.name}" {reach}>'
        f'<input type="number" data-parameter="{slider.name}" aria-label="{escape(meaning)}" {reach}>{_ALLOWED}</div>'
    )


def widget(*, sliders: Sequence[str] = (), fallback: Html | None = None) -> Html:
    """The explorer. sliders: the parameters that stand open, the others folded; fallback: what shows without scripts."""
    values = _values(FIGURE_2)
    shown = [slider for slider in SLIDERS if slider.name in sliders or not sliders]
    rest = [slider for slider in SLIDERS if slider not in shown]
    folded = "".join(_slider(slider, values[slider.name]) for slider in rest)
    steps = "".join(f"<option>{k}</option>" for k in STEPS)
    places = "".join(f"<option>{escape(place['title'])}</option>" for place in simulations())
    without = f'<noscript class="printed">{fallback.text}</noscript>' if fallback else ""
    return Html(
        f'{without}<section class="explorer" aria-label="Explorer of the test loss" hidden>'
        '<div class="explorer-choices">'
        f'<label>sizes of <select class="explorer-place">{places}<option value="">your own</option></select></label>'
        '<label>regime <select class="explorer-regime"><option value="over">p &gt; nᵥ m</option>'
        '<option value="under">p &lt; nᵥ m</option></select></label>'
        f'<label>inner steps <select class="explorer-steps">{steps}</select></label>'
        f'<span class="box"><label>rates up to <input type="number" class="explorer-reach" {_range(REACH, 2)}></label> {_ALLOWED}</span>'
        '<button type="button" class="explorer-copy">copy link</button></div>'
        '<div class="explorer-plot"></div><p class="explorer-keys"></p><p class="explorer-said" role="status" aria-live="polite"></p>'
        f'<div class="sliders">{"".join(_slider(slider, values[slider.name]) for slider in shown)}</div>'
        f"{details('All sizes', f'<div class=sliders>{folded}</div>') if folded else ''}"
        "</section>"
        f'<script>{script()}</script><script src="{SCRIPT}"></script>'
    )
