"""How often a right program would fail its own verification: the chance of it by each check, and runs with random seeds.

A check of a mean is contradicted by chance where the mean of its draws is more than five estimated standard errors off:
Student's t with one degree of freedom less than draws. A sign is lost where its change comes within five standard errors of
zero. Beside an experiment that was drawn once only what the seed draws can differ. A fitted exponent is contradicted where it is three of its errors beyond the edge of what is accepted, and left open
where it is within three of it and the ladder was drawn at its longest. Sums over all checks bound the chance of a whole
run, however they depend on each other. `python -m derivations.verification.false_alarms` runs a fast subset with a hundred
random seeds, and ladders of each kind with twenty, and writes what came out.
"""

from __future__ import annotations

import math
import secrets
import sys
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NotRequired, TypedDict

import mpmath

from derivations.language.assumptions import PAPER
from derivations.steps.contents import MODULE_OF, find
from derivations.steps.status import NumericStatus
from derivations.steps.step import Comparison
from derivations.support.files import read_json, write_json
from derivations.support.provenance import Provenance, versions
from derivations.verification.growth import ROUNDS
from derivations.verification.moves import move_checks
from derivations.verification.plain_records import CheckRecord, Record, Sampled
from derivations.verification.prove import chain_of
from derivations.verification.verify import kept, keys_of, verify
from numeric_check.verdicts.decay import EXPONENT_SIGMAS, EXPONENT_SPACING
from numeric_check.verdicts.verdict import SIGMAS

SHIPPED = Path(__file__).with_name("false_alarms.json")
RUNS, LADDER_RUNS = 100, 20
# steps of every kind of check that take a fraction of a second each
SUBSET = (
    "wishart-mean",
    "wishart-square-rademacher",
    "deviation-at-zero-overparameterized",
    "adaptation-weight",
    "outer-mean-square",
    "general-adapted-square-given-inputs",
    "general-mean-adapted-parameters",
    "task-parameters",
    "outer-mean-square-as-trace",
    "label-noise",
    "rows-sandwich",
    "training-weight",
    "g-4",
    "gaussian-inputs",
    "wishart-squared-trace-uniform",
    "general-wishart-mean",
)
# steps with ladders of each kind, with moves among them whose matrices are other ones for each seed
LADDERS = (
    "weighted-square-leading",
    "gram-inverse-concentrates",
    "scale-mixture-meets-the-conditions",
)
LEVELS = (2.0, 3.0, 4.0, SIGMAS)
# the chance that a whole run with a random seed may have to fail a right program
ALLOWED = 1e-3
FITTED = (Comparison.POWER, Comparison.LEFT_OUT)


@lru_cache(maxsize=4096)
def chance_beyond(sigmas: float, draws: int) -> float:
    """The chance that a mean of so many draws is further off than so many of its estimated standard errors, either side."""
    freedom = max(1, draws - 1)
    inside = mpmath.betainc(
        freedom / 2, 0.5, 0, freedom / (freedom + mpmath.mpf(sigmas) ** 2), regularized=True
    )
    return float(inside)


def chances(check: CheckRecord) -> tuple[float, float]:
    """The chances that a check whose claim is right is contradicted, and that it is left open; 0 where nothing is drawn."""
    value, mean, stderr = check["value"], check["mean"], check["stderr"]
    if not (check["draws"] and stderr):
        return 0.0, 0.0
    if check["comparison"] not in FITTED:
        apart = abs(mean - value) / stderr
        if check["comparison"] == Comparison.SIGN:
            return sign_lost(1 / stderr, check["draws"]), 0.0
        if check["drawn"] < 1:
            # the experiment stays what it is; what is drawn anew differs from what was seen by the errors of both
            return chance_beyond((SIGMAS - apart) / (math.sqrt(2) * check["drawn"]), check["draws"]), 0.0
        return chance_beyond(SIGMAS, check["draws"]), 0.0
    half, distance = EXPONENT_SPACING / 2, abs(mean - value)
    if mean < value and distance + EXPONENT_SIGMAS * stderr > half and check["verdict"] == "agree":
        distance = mean - value  # a bound, which faster decay confirms
    # another seed draws as long as this one, or longer; what is known of its exponent is what was seen here
    least = stderr / math.sqrt(check["longer"])
    left_open = (half - EXPONENT_SIGMAS * least - distance) / math.hypot(stderr, least)
    rounds = len(ROUNDS) if check["longer"] > 1 else 1
    return rounds * _above((half - distance) / stderr + EXPONENT_SIGMAS), _above(left_open)


def sign_lost(errors: float, draws: int) -> float:
    """The chance that another seed sees a change, seen here so many standard errors from zero, within five of them.

    How many errors away it is seen varies with the mean, by one, and with the standard error, and did so here as well.
    """
    varies = math.sqrt(2 * (1 + errors**2 / (2 * max(1, draws - 1))))
    return _above((errors - SIGMAS) / varies)


def _above(sigmas: float) -> float:
    """The chance that a normal number is above so many of its standard deviations."""
    return math.erfc(sigmas / math.sqrt(2)) / 2


def budget(records: Iterable[Sampled]) -> list[tuple[str, int, float, float]]:
    """Means and exponents: how many checks are drawn, and the sums of their chances to be contradicted and left open."""
    found: dict[str, list[tuple[float, float]]] = {"means and signs": [], "exponents": []}
    for record in records:
        for check in record["checks"]:
            both = chances(check)
            if any(both):
                found["exponents" if check["comparison"] in FITTED else "means and signs"].append(both)
    return [
        (kind, len(rows), sum(row[0] for row in rows), sum(row[1] for row in rows))
        for kind, rows in found.items()
    ]


def held() -> list[Sampled]:
    """What the store holds of the numbers of all steps; nothing is computed."""
    found = {name: kept({"numeric": keys_of(name)["numeric"]}) for name in MODULE_OF}
    return [{"name": name, **parts["numeric"]["result"]} for name, parts in found.items() if parts]


def text_of_budget(records: Sequence[Sampled]) -> str:
    """The budget in words, for the page: what a run risks, in all and beside what it may, and what is likely left open."""
    rows = budget(records)
    lines = [
        f"{kind}: {count} drawn checks, contradicted by chance with probability below {contradicted:.1e}, "
        f"left open with {left_open:.1e}"
        for kind, count, contradicted, left_open in rows
    ]
    total = sum(contradicted + left_open for _, _, contradicted, left_open in rows)
    said = "below" if total < ALLOWED else "MORE than"
    lines.append(f"in all: {total:.1e}, {said} the {ALLOWED:g} that is allowed")
    open_ = [(max(chances(c)[1] for c in r["checks"]), r["name"]) for r in records if r["checks"]]
    named = [f"{name} ({chance:.1g})" for chance, name in sorted(open_, reverse=True)[:5] if chance > 1e-5]
    return "\n".join([*lines, "most likely left open: " + (", ".join(named) or "none")])


def text_of_runs() -> str:
    """The runs with random seeds in words, for the page."""
    runs, ladders = shipped()["runs"]["found"], shipped()["ladders"]["found"]
    total = sum(run["checks"] for run in runs)
    lines = [
        f"{len(runs)} runs, {total} comparisons of means, {sum(map(bool, (r['failed'] for r in runs)))} runs failed"
    ]
    for k, level in enumerate(LEVELS):
        beyond = sum(run["beyond"][k] for run in runs)
        lines.append(f"beyond {level:g} standard errors: {beyond}, expected {2 * _above(level) * total:.3g}")
    square = sum(run["mean_square"] * run["checks"] for run in runs) / total
    lines.append(f"mean square of the deviations in standard errors: {square:.3f}")
    rows = [row for run in ladders for row in run["exponents"]]
    longer, lost = (
        sum(row["longer"] < ROUNDS[-1] for row in rows),
        sum(row["verdict"] != NumericStatus.AGREE for row in rows),
    )
    lines.append(
        f"{len(rows)} exponents over ladders of sizes with {len(ladders)} seeds: {longer} drawn longer, {lost} not confirmed"
    )
    return "\n".join(lines)


class Tally(TypedDict):
    """Of a run the comparisons of means, those beyond each level, their mean square in errors, and the steps that failed."""

    seed: NotRequired[int]
    checks: int
    beyond: list[int]
    mean_square: float
    failed: list[str]


class Exponent(TypedDict):
    """An exponent that was fitted: against what, and how many times longer it could have been drawn."""

    step: str
    move: int
    exponent: float
    stderr: float
    value: float
    longer: int
    verdict: str


class Ladders(TypedDict):
    """The exponents with a seed."""

    seed: int
    exponents: list[Exponent]


class Runs(Provenance):
    """Runs of a subset of the steps with random seeds, and the levels their means were counted beyond."""

    date: str
    steps: list[str]
    levels: list[float]
    found: list[Tally]


class LadderRuns(Provenance):
    """Ladders of each kind with random seeds."""

    date: str
    steps: list[str]
    found: list[Ladders]


class Shipped(TypedDict):
    """All that was drawn with random seeds."""

    runs: Runs
    ladders: LadderRuns


def tally(records: Sequence[Record]) -> Tally:
    """Of a run: its checks of drawn means, how many lie beyond each level, the mean square, and what did not agree."""
    checks = [check for record in records for check in record["checks"]]
    apart = [
        abs(check["mean"] - check["value"]) / check["stderr"]
        for check in checks
        if check["draws"] and check["stderr"] and check["comparison"] == Comparison.NUMBER
    ]
    return {
        "checks": len(apart),
        "beyond": [sum(z > level for z in apart) for level in LEVELS],
        "mean_square": sum(z * z for z in apart) / max(1, len(apart)),
        "failed": [record["name"] for record in records if not record["passed"]],
    }


def exponents(seed: int) -> list[Exponent]:
    """The exponents of the ladders with a seed: what was seen, and how much longer it could have been drawn."""
    found: list[Exponent] = []
    for name in LADDERS:
        step = find(name)
        chain = chain_of(step, PAPER)
        own = [] if step.check is None else step.check(step, PAPER, seed)
        moves = [] if chain is None else move_checks(chain, step, {}, seed, others=False)
        found += [
            Exponent(
                step=name,
                move=check.move,
                exponent=check.mean,
                stderr=check.stderr,
                value=check.value,
                longer=check.longer,
                verdict=check.verdict,
            )
            for check in own + moves
            if check.comparison in FITTED
        ]
    return found


def shipped() -> Shipped:
    """The runs with random seeds, with their provenance."""
    document: Shipped = read_json(SHIPPED)
    return document


def main(parts: Sequence[str]) -> None:
    """Runs the subset and the ladders, or one of them, with random seeds and writes what came out."""
    for part in parts or ("runs", "ladders"):
        started = time.process_time()
        tallies: list[Tally] = []
        ladders: list[Ladders] = []
        for number in range(1, (RUNS if part == "runs" else LADDER_RUNS) + 1):
            seed = secrets.randbelow(2**31)
            if part == "runs":
                tallies.append({"seed": seed, **tally(verify(SUBSET, symbolic=False, seed=seed))})
            else:
                ladders.append({"seed": seed, "exponents": exponents(seed)})
            sys.stdout.write(f"{number}: {(tallies or ladders)[-1]}\n")
            sys.stdout.flush()
        made = {
            "command": f"python -m derivations.verification.false_alarms {part}",
            "date": time.strftime("%Y-%m-%d"),
            "versions": versions(),
            "seconds": round(time.process_time() - started, 1),
        }
        new = (
            {"steps": list(SUBSET), "found": tallies, "levels": list(LEVELS)}
            if part == "runs"
            else {"steps": list(LADDERS), "found": ladders}
        )
        write_json(SHIPPED, {**shipped(), part: made | new})


if __name__ == "__main__":
    main(sys.argv[1:])
