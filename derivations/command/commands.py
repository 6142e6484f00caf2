"""What the subcommands of `derive` do: each returns a document (for --json), a text, and an exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derivations.command.outcome import Outcome
from derivations.language.assumptions import read
from derivations.steps import contents
from derivations.support.progress import ProgressLine, on_a_terminal

if TYPE_CHECKING:  # a command loads what it needs when it runs
    from derivations.language.assumptions import Assumptions
    from derivations.publishing.site import Site
    from derivations.steps.step import Step


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[Mapping[str, Any], int, int], None]]:
    """Counts on stderr what is done."""
    with ProgressLine(what) as line:
        yield lambda record, done, total: line.show([record["name"]], done, total)


def _list(arguments: argparse.Namespace) -> Outcome:
    from derivations.command import listing

    assumptions = read(arguments.assume)
    rows = listing.rows(arguments.names, arguments.status, assumptions, without_chain=arguments.without_chain)
    return Outcome(
        rows, listing.text(rows, arguments.status), aside=listing.remedy(assumptions, arguments.names)
    )


def _verify(arguments: argparse.Namespace) -> Outcome:
    from derivations.command.records import verify_steps

    return verify_steps(arguments)


def _store(arguments: argparse.Namespace) -> Outcome:
    from derivations.command.records import keep_store

    return keep_store(arguments)


def _show(arguments: argparse.Namespace) -> Outcome:
    from derivations.command.listing import known_statuses, module_path
    from derivations.support.bad_input import BadInput
    from derivations.typeset.presentation import present, said_of_print, whole_lines

    assumptions = read(arguments.assume)
    document = present(contents.find(arguments.name), assumptions, arguments.language or "latex")
    if arguments.language and not document["formula"]:
        raise BadInput(f"{document['name']} is no formula, so there is no source: leave --as out")
    if arguments.language:
        return Outcome(document, str(document["formula"]))
    step = contents.named(document["name"])
    document["module"] = module_path(step.name)
    document["proof"], document["numeric"] = known_statuses(step.name, assumptions)
    numbers = ", ".join(f"({number})" for number in document["equations"])
    title = f"{document['name']}  {numbers}".rstrip()
    lines = [title, document["statement"], f"proof: {document['proof']}; number: {document['numeric']}"]
    lines.append(f"stated in {document['module']}")
    if arguments.proof:
        return _proof(step, assumptions, document, lines)
    lines += said_of_print(step, assumptions)
    lines += whole_lines(step, assumptions) or filter(None, [document["formula"]])
    if document["unreadable"]:
        lines.append(f"not fully legible: {document['unreadable']}")
    lines += _parameter_lines(document["parameters"])
    if document["holds_for"]:
        lines.append(f"  holds for {document['holds_for']}")
    return Outcome(document, "\n".join(lines))


def _parameter_lines(parameters: Mapping[str, Mapping[str, str | None]]) -> list[str]:
    """Name, range, default and meaning of each parameter, below each other."""
    rows = [(name, str(p["range"]), p["default"] or "", str(p["meaning"])) for name, p in parameters.items()]
    if not rows:
        return []
    rows.insert(0, ("", "range", "default", "meaning"))
    name, allowed, default = (max(len(row[k]) for row in rows) for k in range(3))
    return [f"  {a:{name}s}  {b:{allowed}s}  {c:{default}s}  {d}" for a, b, c, d in rows]


def _proof(step: Step, assumptions: Assumptions, document: dict[str, Any], lines: Sequence[str]) -> Outcome:
    """The step's proof move by move; what sampling says of each move, as far as it is known."""
    from derivations.command.listing import known_checks
    from derivations.language.assumptions import NotDerivable
    from derivations.steps.chain import DoesNotApply
    from derivations.support.bad_input import BadInput
    from derivations.typeset.proofs import moves, proof_text
    from derivations.typeset.terminal import wrapped

    checks = known_checks(step.name, assumptions)
    try:
        document["derivation"] = moves(step, assumptions, checks)
        said = proof_text(step, assumptions, checks)
    except (DoesNotApply, NotDerivable) as error:
        raise BadInput(str(error)) from None
    return Outcome(document, "\n".join((*map(wrapped, lines), said)))


def _eval(arguments: argparse.Namespace) -> Outcome:
    from derivations.formulas.by_name import evaluate_named
    from derivations.formulas.least_loss import note
    from derivations.formulas.parameters import parse_values

    values, assumptions = parse_values(arguments.values), read(arguments.assume)
    numbers = evaluate_named(arguments.name, values, assumptions, arguments.rel_error)
    document: dict[str, float | str] = {**numbers}
    said = note(arguments.name, values, assumptions, numbers["value"]) if "value" in numbers else None
    if said is not None:
        document["note"] = said
    return Outcome(document, "\n".join(f"{key} = {value}" for key, value in document.items()))


def _optimum(arguments: argparse.Namespace) -> Outcome:
    from derivations.command.certificate_text import certificate_text
    from derivations.formulas.optimum import optimum
    from derivations.formulas.parameters import parse_values

    document = optimum(arguments.name, parse_values(arguments.values), read(arguments.assume))
    return Outcome(document, certificate_text(document))


def _moment(arguments: argparse.Namespace) -> Outcome:
    from derivations.command.help_text import LETTERS
    from derivations.command.moment import run as run_moment
    from derivations.command.moment import value_text

    result = run_moment(
        arguments.expression,
        arguments.values,
        arguments.cov,
        arguments.law,
        arguments.work,
        arguments.mean,
        arguments.rows,
        arguments.symmetric,
        arguments.rotation,
    )
    document = result.as_dict()
    if arguments.language:
        from derivations.typeset.moment_source import moment_source

        document["source"] = moment_source(result, arguments.language)
        return Outcome(document, document["source"].rstrip())
    shown = [value_text(document["value"]) if "value" in document else str(document.get("latex", ""))]
    if document.get("conditions"):
        # an average over rotations always exists, and is by the formula where p is large enough
        verb = "holds" if result.setting.rotations else "exists"
        shown.append(f"{verb} for {' and '.join(document['conditions'])}")
    letters = LETTERS.replace("X^T X", "X^* X") if result.setting.is_complex else LETTERS
    return Outcome(document, "\n".join(shown), aside="" if arguments.values else letters)


def _simulate(arguments: argparse.Namespace) -> Outcome:
    from derivations.command.simulate import run as run_simulation

    with progress_bar("simulating") as report:
        document = run_simulation(
            arguments.name,
            arguments.values,
            rel_error=arguments.rel_error,
            seed=arguments.seed,
            protocol=arguments.protocol,
            assumptions=read(arguments.assume),
            progress=lambda part: report({"name": arguments.name}, round(100 * part), 100),
        )
    text = "\n".join(f"{key} = {value}" for key, value in document.items())
    return Outcome(document, text)


def _sweep(arguments: argparse.Namespace) -> Outcome:
    from derivations.command import sweep

    out = None if arguments.out is None else Path(arguments.out)
    if out is not None:
        sweep.require_target(out)
    with progress_bar("sweeping") as report:
        rows = sweep.run(
            arguments.name,
            arguments.values,
            read(arguments.assume),
            simulate=arguments.simulate,
            rel_error=arguments.rel_error,
            seed=arguments.seed,
            report=lambda done, total: report({"name": arguments.name}, done, total),
        )
    if out is None:
        return Outcome(rows, sweep.csv_text(rows).rstrip("\n"))
    sweep.write(out, rows)
    return Outcome(rows, f"{out} ({len(rows)} rows)")


def _figure(arguments: argparse.Namespace) -> Outcome:
    from derivations.figures import network_figure, network_runs
    from derivations.figures.draw import draw
    from derivations.paper.experiments import points
    from derivations.paper.experiments.panels import slug_of

    if (arguments.reading, arguments.rate, arguments.runs) != (None, None, None):
        return _point(arguments, slug_of(arguments.figure) == network_figure.NAME)
    with progress_bar("simulating") as report:
        out = None if arguments.out is None else Path(arguments.out)
        path, series = draw(
            arguments.figure,
            out,
            assumptions=read(arguments.assume),
            recomputed=arguments.recompute,
            progress=report,
        )
    slug = slug_of(arguments.figure)
    network = slug == network_figure.NAME
    experiment = network_runs.provenance() if network else points.provenance().get(slug, {})
    rows = ("points", "linearised", "trained")
    document = {
        "file": str(path),
        "series": series,
        "provenance": {}
        if arguments.assume
        else {key: value for key, value in experiment.items() if key not in rows},
    }
    return Outcome(document, str(path))


def _point(arguments: argparse.Namespace, network: bool) -> Outcome:
    """A point of Figure 5, made anew."""
    from derivations.figures import network_point
    from derivations.support.bad_input import BadInput

    if not network:
        raise BadInput("--reading, --rate and --runs are of figure 5: leave them out")
    if arguments.reading is None or arguments.rate is None:
        raise BadInput("a point of figure 5 has a reading and a rate: as in --reading run --rate -0.0075")
    if arguments.recompute or arguments.out or arguments.assume:
        raise BadInput(
            "a point of figure 5 is trained and not drawn: leave out --recompute, --out and --assume"
        )
    with progress_bar("training") as report:
        found = network_point.redo(arguments.reading, arguments.rate, arguments.runs, report)
    return Outcome(found, network_point.text_of(found), 0 if found["alike"] else 1)


def _regenerate(arguments: argparse.Namespace) -> Outcome:
    from derivations.typeset.committed_text import check, write

    assumptions = read(arguments.assume)
    out = None if arguments.out is None else Path(arguments.out)
    with progress_bar("deriving") as bar:
        work = check if arguments.check else write
        found = work(out, assumptions, lambda name, done, total: bar({"name": name}, done, total))
    if arguments.check:
        text = "all formulas are current" if not found else "stale: " + ", ".join(map(str, found))
        return Outcome({"stale": found}, text, 1 if found else 0)
    return Outcome({"files": [str(path) for path in found]}, "\n".join(map(str, found)))


def _book(arguments: argparse.Namespace) -> Outcome:
    from derivations.publishing.build import DEFAULT_OUT, BookError, build
    from derivations.publishing.site import build_site, read_variant

    out = DEFAULT_OUT if arguments.out is None else Path(arguments.out)
    base = read(arguments.assume)
    variants = [read_variant(text, arguments.assume) for text in arguments.variant]
    try:
        if variants:
            return _site(build_site(out, base, variants, echo=on_a_terminal()))
        book = build(out, base, echo=on_a_terminal())
    except BookError as error:
        if sys.stderr is not None:
            sys.stderr.write(f"{error.log}\n")
        return Outcome({"error": str(error)}, str(error), 1)
    document = {"index": str(book.index), "pages": list(book.pages), "seconds": book.seconds}
    return Outcome(document, f"{book.index} ({len(book.pages)} pages, {book.seconds:.0f} s)")


def _site(site: Site) -> Outcome:
    books = [
        {"assumptions": book.assumptions.label(), "index": str(book.index), "pages": list(book.pages)}
        for book in site.books
    ]
    text = "\n".join(f"{book['index']}  {book['assumptions']}" for book in books)
    return Outcome({"index": str(site.index), "books": books, "seconds": site.seconds}, text)


_COMMANDS: dict[str, Callable[[argparse.Namespace], Outcome]] = {
    "list": _list,
    "show": _show,
    "verify": _verify,
    "store": _store,
    "eval": _eval,
    "optimum": _optimum,
    "moment": _moment,
    "simulate": _simulate,
    "sweep": _sweep,
    "regenerate": _regenerate,
    "figure": _figure,
    "book": _book,
}


def run(arguments: argparse.Namespace) -> Outcome:
    """Carry out a parsed command line; raises BadInput, Refused, Impossible or OSError on bad input."""
    place = {name: getattr(arguments, name, None) for name in ("workers", "scheduler")}
    if not any(value is not None for value in place.values()):
        return _COMMANDS[arguments.command](arguments)
    from derivations.support.workers import working

    with working(**place):
        return _COMMANDS[arguments.command](arguments)
