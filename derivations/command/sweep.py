"""`derive sweep`: a formula, and its simulation, over ranges `name=from:to:step` of one or two parameters."""

from __future__ import annotations

import csv
import hashlib
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from derivations.command.simulate import WORTH_PROCESSES, Document
from derivations.command.simulate import run as simulated
from derivations.formulas.by_name import evaluate_named, formulas, function
from derivations.formulas.parameters import Exact, parse_number, parse_values
from derivations.language.assumptions import Assumptions
from derivations.language.extension import load_extensions
from derivations.steps.contents import find
from derivations.support import store
from derivations.support.bad_input import BadInput
from derivations.support.files import require_place, whole
from derivations.support.text import shortened
from derivations.support.workers import cores, workers, working
from derivations.verification.verify import modules_of

MOST_ROWS = 1_000_000
MOST_EXACT = 2_000
FIRST_ROWS = 2
Row = dict[str, Any]
Report = Callable[[int, int], None]


def run(
    name: str,
    words: Sequence[str],
    assumptions: Assumptions,
    *,
    simulate: bool = False,
    rel_error: float | None = None,
    seed: int = 0,
    report: Report | None = None,
) -> list[Row]:
    """The rows of the table: the swept parameters, and the formula's numbers there; with `simulate` those of `derive simulate`,
    without its remarks and exact values.

    A simulated row is remembered as soon as it is there. Raises BadInput for bad ranges and for whatever `derive eval`
    or `derive simulate` refuses, naming the row.
    """
    ranges = {
        key: points(key, text) for key, _, text in (word.partition("=") for word in words) if ":" in text
    }
    fixed = [word for word in words if word.partition("=")[0] not in ranges]
    if len(ranges) != len(words) - len(fixed) or not 1 <= len(ranges) <= 2:
        raise BadInput(f"sweep takes one or two ranges, each once, as in alpha_t=-2:2:0.1, not {len(ranges)}")
    values = parse_values(fixed)
    doubled = sorted(values.keys() & ranges.keys())
    if doubled:
        raise BadInput(f"{doubled[0]} is given as a range and as a number: keep one of them")
    grid = [dict(zip(ranges, point, strict=True)) for point in product(*ranges.values())]
    _require_few(len(grid), MOST_ROWS)
    if simulate:
        return _simulated(name, fixed, values, grid, assumptions, rel_error, seed, report)
    return _evaluated(name, values, grid, assumptions)


def points(name: str, text: str) -> list[Fraction]:
    """The numbers of a range `from:to:step`, exact, both ends included where the step meets them; raises BadInput."""
    parts = text.split(":")
    if len(parts) != 3 or not all(parts):
        raise BadInput(f"{name}={shortened(text)} is no range: write {name}=FROM:TO:STEP, as in -2:2:0.1")
    start, stop, step = (parse_number(name, part) for part in parts)
    if step == 0 or (stop - start) / step < 0:
        raise BadInput(
            f"{name}={shortened(text)} never arrives: give a step that leads from {parts[0]} to {parts[1]}"
        )
    count = (stop - start) // step + 1
    _require_few(int(count), MOST_ROWS)
    return [start + k * step for k in range(int(count))]


def _require_few(rows: int, most: int) -> None:
    if rows > most:
        raise BadInput(f"the table would have {rows} rows and takes up to {most}: give a larger step")


def _evaluated(
    name: str, values: Mapping[str, Exact], grid: Sequence[Mapping[str, Fraction]], assumptions: Assumptions
) -> list[Row]:
    """Through the formulas' vectorised functions, which refuse what `derive eval` refuses; with matrices row by row."""
    shown = [{key: float(value) for key, value in point.items()} for point in grid]
    if find(name).average is not None or any(isinstance(value, np.ndarray) for value in values.values()):
        _require_few(len(grid), MOST_EXACT)
        return [
            row | _at(point, partial(evaluate_named, name, {**values, **point}, assumptions))
            for row, point in zip(shown, grid, strict=True)
        ]
    numbers: dict[str, Any] = {key: float(value) for key, value in values.items()}
    columns = {key: np.array([row[key] for row in shown]) for key in grid[0]}
    found = {
        key: np.broadcast_to(function(name, assumptions, key)(**numbers, **columns), len(grid))
        for key in formulas(name, assumptions)
    }
    return [row | {key: float(column[k]) for key, column in found.items()} for k, row in enumerate(shown)]


def _at(point: Mapping[str, Fraction], compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except ValueError as error:
        where = ", ".join(f"{key}={float(value):g}" for key, value in point.items())
        error.args = (f"at {where}: {error}",)
        raise


class _Wanted(NamedTuple):
    """A row to simulate: where, and what `simulated` is given there."""

    number: int
    point: Mapping[str, Fraction]
    name: str
    words: tuple[str, ...]
    assumptions: Assumptions
    rel_error: float | None
    seed: int


def _row(wanted: _Wanted) -> Document:
    """One simulated row, all of it in this process."""
    with working(workers=1):
        found: Document = _at(
            wanted.point,
            partial(
                simulated,
                wanted.name,
                wanted.words,
                rel_error=wanted.rel_error,
                seed=wanted.seed,
                assumptions=wanted.assumptions,
                explain=False,
            ),
        )
    return found


def _simulated(
    name: str,
    fixed: Sequence[str],
    values: Mapping[str, Exact],
    grid: Sequence[Mapping[str, Fraction]],
    assumptions: Assumptions,
    rel_error: float | None,
    seed: int,
    report: Report | None,
) -> list[Row]:
    given = {key: _identity(value) for key, value in values.items()}
    # a row holds what the formula gives too
    modules = ["derivations.command.simulate", *modules_of(find(name).name, assumptions)]

    def key(point: Mapping[str, Fraction]) -> store.Key:
        return store.key(
            "sweep",
            modules,
            name=name,
            values=given | {parameter: str(value) for parameter, value in point.items()},
            assumptions=assumptions.as_dict(),
            rel_error=rel_error,
            seed=seed,
        )

    rows: list[Row] = [{parameter: float(value) for parameter, value in point.items()} for point in grid]
    done = 0

    def take(number: int, document: Mapping[str, Any]) -> None:
        nonlocal done
        rows[number] |= document
        done += 1

    def missing() -> Iterator[_Wanted]:
        """Those that are not in the store, one after another: a million of them would fill the memory."""
        for number, point in enumerate(grid):
            document = store.load(key(point))
            if document is None:
                words = (*fixed, *(f"{parameter}={value}" for parameter, value in point.items()))
                yield _Wanted(number, point, name, words, assumptions, rel_error, seed)
            else:
                take(number, document)

    def finish(wanted: _Wanted, document: Document) -> None:
        store.save(key(wanted.point), document)
        take(wanted.number, document)
        if report is not None:
            report(done, len(grid))

    # the first rows tell whether processes are worth their start
    left = missing()
    started, few = time.monotonic(), 0
    for wanted in islice(left, FIRST_ROWS):
        finish(wanted, _row(wanted))
        few += 1
    seconds = (time.monotonic() - started) / max(1, few) * (len(grid) - done)
    with workers(
        cores() if seconds > WORTH_PROCESSES else min(1, len(grid) - done), load_extensions
    ) as executor:
        for wanted, future in executor.ended(_row, left):
            finish(wanted, future.result())
    return rows


def _identity(value: Exact) -> str:
    return str(value) if isinstance(value, Fraction) else hashlib.sha256(value.tobytes()).hexdigest()


def csv_text(rows: Sequence[Row]) -> str:
    """The rows as CSV with a header; what is not known is an empty cell."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def require_target(out: Path) -> None:
    """Raises BadInput where no such CSV file can be written; called before the work."""
    if out.suffix != ".csv":
        raise BadInput(f"{str(out)!r} is no CSV file: end its name in .csv")
    require_place(out)


def write(out: Path, rows: Sequence[Row]) -> None:
    """Write the rows as CSV, whole or not at all."""
    with whole(out) as temporary:
        temporary.write_text(csv_text(rows), encoding="utf-8")
