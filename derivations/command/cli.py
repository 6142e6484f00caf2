"""The command `derive`: arguments in, one document out, exit status 0, 1, 2 or 3.

Bad input is one line on stderr and status 2; a check that did not pass is status 1; an error of the program itself
is one line and status 3, with the traceback when DERIVE_DEBUG is set; Ctrl-C is one line and status 130.
With `--json` stdout holds one JSON document and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import json
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from derivations.command import completion
from derivations.command.help_text import WITH_ASSUMPTIONS, WITH_PARAMETERS, epilog
from derivations.language.meanings import MOMENT_LANGUAGES, PARAMETERS
from derivations.support.bad_input import BadInput
from derivations.support.text import nearest, shortened
from numeric_check.draws.threads import single_threaded

if TYPE_CHECKING:
    from derivations.command.outcome import Outcome

COMMANDS = {
    "list": "every numbered equation, lemma, theorem, text claim and figure",
    "show": "one step and its formula",
    "verify": "run the checks; results are remembered by content",
    "eval": "the number a formula gives",
    "optimum": "the rate left out that minimises the loss, and why it is global",
    "moment": "exact expectation of a word in Wishart matrices",
    "simulate": "Monte Carlo of the same quantity",
    "sweep": "a table of a formula over one or two parameters",
    "regenerate": "write all formulas in canonical text",
    "figure": "draw a figure with theory, simulation and error bars",
    "book": "build the book",
    "store": "the size of the store of results, and what it holds",
    "completion": "print a script that completes the words of this command",
}
# Commands that keep each finished piece, so that a run that was stopped goes on from there.
REMEMBERED = ("verify", "figure", "book", "simulate", "sweep", "regenerate")
ON_WORKERS = ("verify", "figure", "simulate", "sweep")
INTERNAL = 3
DISTRIBUTION = "negative-rates-living-edition"
# as of a process that SIGINT ends
INTERRUPTED = 130
# Commands whose numbers are the user's, so that one beyond floating point is theirs to change.
NUMBERS_GIVEN = ("eval", "optimum", "moment", "simulate", "sweep")
MODERATE = "give numbers nearer to 1"


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line and with status 2."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(shortened(message, 300))


def _parsers() -> dict[str, argparse.ArgumentParser]:
    """One parser for each subcommand; options and words may stand in any order."""
    parsers: dict[str, argparse.ArgumentParser] = {
        name: _Parser(
            prog=f"derive {name}",
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for name, text in COMMANDS.items()
    }
    for name, command in parsers.items():
        command.add_argument("--json", action="store_true", help="one JSON document on stdout")
        if name in WITH_ASSUMPTIONS:
            command.add_argument(
                "--assume",
                action="append",
                default=[],
                metavar="K=V",
                help="change an assumption, or FILE.toml",
            )
        if name in ("show", *WITH_PARAMETERS):
            command.add_argument("name", metavar="NAME", help="a step, eq5, eq8, ...")
        if name in WITH_PARAMETERS:
            command.add_argument("values", nargs="*", default=[], metavar="k=v", help="parameter values")
    parsers["show"].add_argument(
        "--as",
        dest="language",
        choices=("latex", "sympy", "python", "c", "javascript"),
        help="the formula alone, as source in this language",
    )
    parsers["show"].add_argument("--proof", action="store_true", help="the proof, move by move")
    parsers["eval"].add_argument(
        "--rel-error", type=float, default=None, metavar="R", help="error / value of what has no closed form"
    )
    parsers["list"].add_argument("names", nargs="*", metavar="NAME", help="these steps (default: all)")
    parsers["list"].add_argument("--status", metavar="S", help="only those with this proof or numeric status")
    parsers["list"].add_argument(
        "--without-chain", action="store_true", help="only those whose proof is not stated move by move"
    )
    sweep = parsers["sweep"]
    sweep.add_argument("--simulate", action="store_true", help="Monte Carlo beside each row; remembered")
    sweep.add_argument("--out", metavar="FILE.csv", help="write the rows there, whole or not at all")
    sweep.add_argument("--rel-error", type=float, default=None, metavar="R", help="as of simulate")
    sweep.add_argument("--seed", type=int, default=0, help="as of simulate")
    parsers["completion"].add_argument("shell", choices=completion.SHELLS)
    verify = parsers["verify"]
    verify.add_argument("names", nargs="*", metavar="NAME")
    only = verify.add_mutually_exclusive_group()
    only.add_argument("--symbolic-only", action="store_true", help="proofs without sampling")
    only.add_argument("--numeric-only", action="store_true", help="sampling without proofs")
    verify.add_argument("--fresh", action="store_true", help="compute everything anew")
    verify.add_argument("--seed", type=int, default=0, help="base seed of all draws")
    verify.add_argument("--junit", metavar="FILE", help="write a JUnit XML report there")
    parsers["store"].add_argument(
        "action",
        nargs="?",
        default="show",
        choices=("show", "prune", "check"),
        help="prune: drop what nothing leads to any more; check: read every file, name damaged ones",
    )
    _moment_options(parsers["moment"])
    simulate = parsers["simulate"]
    simulate.add_argument(
        "--rel-error", type=float, default=None, metavar="R", help="aimed-at standard error / mean"
    )
    simulate.add_argument("--seed", type=int, default=0, help="of the draws; the same seed, the same numbers")
    simulate.add_argument(
        "--protocol",
        default=None,
        choices=("conditional", "plain", "reduced"),
        help="plain: the experiment itself; conditional: averages over noise and target data done exactly, fewer draws; "
        "reduced: one task alone, where that is exact; unless given, the one that takes the fewest draws",
    )
    for name in ON_WORKERS:
        parsers[name].add_argument(
            "--workers", type=int, default=None, metavar="N", help="processes, where there is work for them"
        )
        parsers[name].add_argument(
            "--scheduler",
            default=None,
            metavar="ADDRESS",
            help="work on a cluster of Dask (the extra [cluster]), as at tcp://HOST:8786",
        )
    parsers["regenerate"].add_argument("--out", default=None, metavar="DIR")
    parsers["regenerate"].add_argument(
        "--check", action="store_true", help="fail when the committed files are stale"
    )
    parsers["figure"].add_argument(
        "figure", metavar="FIGURE", help="1 to 6, its name, phase-diagram, inner-steps or gain-maps"
    )
    parsers["figure"].add_argument("--out", default=None, metavar="FILE", help="an .svg, .png or .pdf file")
    parsers["figure"].add_argument(
        "--recompute", action="store_true", help="make the shipped experiment of the figure anew"
    )
    parsers["figure"].add_argument(
        "--reading",
        default=None,
        metavar="R",
        help="of figure 5: train a point anew, with b by task, run or point",
    )
    parsers["figure"].add_argument("--rate", type=float, default=None, metavar="A", help="of that point")
    parsers["figure"].add_argument(
        "--runs", type=int, default=None, metavar="N", help="the first N of its runs (default all)"
    )
    parsers["book"].add_argument("--out", default=None, metavar="DIR")
    parsers["book"].add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="K=V[,K=V]",
        help="build a variant beside it in the same site, or FILE.toml; may be repeated",
    )
    return parsers


def _moment_options(moment: argparse.ArgumentParser) -> None:
    moment.add_argument("expression", metavar="EXPR", help="for example 'W^2 tr(W^2)'")
    moment.add_argument(
        "--cov",
        default=None,
        choices=("identity", "general", "own"),
        help="covariance of a row; general where Sigma is given, own (Sigma1 for W1, ...) where Sigma1 is",
    )
    moment.add_argument(
        "--mean",
        default="zero",
        choices=("zero", "general"),
        help="mean of X; general, the letter M, where M is in the text or given",
    )
    moment.add_argument(
        "--rows",
        default="independent",
        choices=("independent", "general"),
        help="covariance of the rows of X; general, the letter U, where U is in the text or given",
    )
    moment.add_argument(
        "--symmetric",
        action="append",
        default=[],
        metavar="LETTER",
        help="a letter that is its own transpose",
    )
    moment.add_argument(
        "--rotation",
        action="append",
        default=[],
        metavar="LETTER",
        help="a letter that is uniform on the orthogonal group",
    )
    moment.add_argument(
        "--law",
        default="gaussian",
        metavar="NAME",
        help="law of the entries; complex: W = X^* X, complex normal",
    )
    moment.add_argument("values", nargs="*", default=[], metavar="k=v", help="sizes and matrices")
    moment.add_argument(
        "--work",
        type=float,
        default=None,
        metavar="SECONDS",
        help="how long it may take, about; 2 unless given",
    )
    moment.add_argument(
        "--as",
        dest="language",
        choices=MOMENT_LANGUAGES,
        help="the formula alone, as source; python and c in doubles",
    )


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}s}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            "usage: derive COMMAND ...",
            "",
            *lines,
            "",
            "derive help COMMAND    options, examples, and what the parameters mean",
            "derive --version       the version",
        ]
    )


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"derive {version(DISTRIBUTION)}"
    except PackageNotFoundError:
        return "derive, not installed"


def _told(words: Sequence[str]) -> str | None:
    """The answer to a question about the command itself, None for any other."""
    if not words or list(words) in (["-h"], ["--help"], ["help"]):
        return _usage()
    if list(words) == ["--version"]:
        return _version()
    if words[0] == "help":
        words = [*words[1:2], "--help"]
    if not {"-h", "--help"} & {*words[1:]}:
        return None
    if words[0] not in COMMANDS:
        raise BadInput(f"unknown command {words[0]!r}; {nearest(words[0], COMMANDS)}")
    parser = _parsers()[words[0]]
    parser.epilog = epilog(words[0], added=True)
    return parser.format_help().rstrip()


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    if argv[0] not in COMMANDS:
        raise BadInput(f"unknown command {argv[0]!r}; {nearest(argv[0], COMMANDS)}")
    rest = [_expression(word) for word in argv[1:] if word != "--"] if argv[0] == "moment" else list(argv[1:])
    if argv[0] == "moment" and any(word.startswith("--assume") for word in rest):
        raise BadInput(
            "moment takes no --assume: name the law of the entries, as in --law rademacher, and --cov general"
        )
    arguments = _parsers()[argv[0]].parse_intermixed_args(rest)
    arguments.command = argv[0]
    return arguments


def _expression(word: str) -> str:
    """An expression may begin with a minus, as no option of `moment` but -h does."""
    return f" {word}" if len(word) > 1 and word[0] == "-" and word[1] != "-" and word != "-h" else word


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if sys.stdout is None:
            raise BadInput("standard output is closed: let it go to a terminal, a file or /dev/null")
        told = _told(words)
        if told is not None:
            _print(None, told, as_json=False)
            return 0
        arguments = _arguments(words)
        if arguments.command == "completion":
            from derivations.steps.contents import ALIASES, MODULE_OF

            names = [*ALIASES, *MODULE_OF, *(f"{name}=" for name in PARAMETERS)]
            text = completion.script(arguments.shell, _parsers(), names)
            _print({"shell": arguments.shell, "script": text}, text, as_json=arguments.json)
            return 0
        commands = _loaded()
        with warnings.catch_warnings():
            # an overflow is no line beside the answer: it is a number the answer cannot be trusted with
            warnings.simplefilter("error", RuntimeWarning)
            outcome: Outcome = commands.run(arguments)
        _print(outcome.document, outcome.text, as_json=arguments.json)
        if outcome.aside and not arguments.json:
            _complain(outcome.aside, outcome.status)
        return outcome.status
    except Exception as error:
        return _complain_of(error, words[:1])
    except KeyboardInterrupt:
        kept = "; what was finished is kept" if words[:1] and words[0] in REMEMBERED else ""
        return _complain(f"interrupted{kept}", INTERRUPTED)


def run() -> NoReturn:
    """The command as a process: its exit status is that of `main`."""
    status = main()
    if status == INTERRUPTED:
        others = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
        for thread in others:
            thread.join(5.0)
        if any(thread.is_alive() for thread in others):
            os._exit(status)  # Python would wait for what looks after interrupted work, and it is stuck
    sys.exit(status)


@cache
def _loaded() -> ModuleType:
    """What the subcommands do; loaded only now, so that an interrupt meanwhile is met, and help waits for nothing."""
    # the matrices of a command are small and many: threads inside each operation gain nothing, and take long to begin
    single_threaded()
    # almost nothing that loading makes is garbage, and it stays: it is not looked through, now or later
    gc.disable()
    try:
        from derivations.command import commands

        return commands
    finally:
        gc.freeze()
        gc.enable()


def _complain_of(error: Exception, command: Sequence[str]) -> int:
    """Whose mistake an exception is: a refusal, numbers out of range and files but our own are the user's, no other."""
    from numeric_check.problem.impossible import Impossible
    from symbolic.algebra.refusal import Refused

    if isinstance(error, BadInput | Refused | Impossible) or (
        isinstance(error, OSError) and not _is_of_package(error)
    ):
        return _complain(_one_line(error), 2)
    said = _out_of_range(error)
    if said is not None and (isinstance(error, MemoryError) or command[0] in NUMBERS_GIVEN):
        return _complain(said, 2)
    if os.environ.get("DERIVE_DEBUG"):
        with contextlib.suppress(OSError, AttributeError):
            sys.stderr.write(traceback.format_exc())
    kind = type(error).__name__
    line = f"internal error, not one of your input: {kind}: {shortened(_one_line(error), 300)}"
    return _complain(f"{line} (DERIVE_DEBUG=1 shows where)", INTERNAL)


def _is_of_package(error: OSError) -> bool:
    """Whether it is about a file that came with the package."""
    package, file = Path(__file__).resolve().parents[1], error.filename
    return isinstance(file, str) and package in Path(os.path.realpath(file)).parents


def _complain(line: str, status: int) -> int:
    """One line on stderr, as far as there is one."""
    with contextlib.suppress(OSError, AttributeError):
        sys.stderr.write(f"derive: {line}\n")
        sys.stderr.flush()
    return status


def _print(document: Any, text: str, *, as_json: bool) -> None:
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    if as_json:
        try:
            text = json.dumps(document, ensure_ascii=not encoding.startswith("utf"), allow_nan=False)
        except ValueError as error:
            raise FloatingPointError(f"an answer is not finite: {error}") from None
    elif not text:
        return
    else:
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError as error:
        _discard_output()
        if not isinstance(error, BrokenPipeError):  # after that the reader has seen enough
            raise OSError(f"standard output: {error.strerror}: let it go where there is room") from None


def _discard_output() -> None:
    """Lets what stdout still holds go nowhere, or Python would complain once more at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        if error.errno == errno.ENOSPC:
            return f"{error.filename or 'the disk'}: {error.strerror}: make room, or name another place"
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _out_of_range(error: Exception) -> str | None:
    """What to change where numbers did not fit; None for an error of another kind."""
    said = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return "there is not enough memory for these sizes: give smaller dimensions"
    if type(error) is ZeroDivisionError:
        return f"a value makes the formula divide by zero: {MODERATE}"
    if type(error).__name__ == "LinAlgError":
        return f"linear algebra failed on these values ({said}): {MODERATE}"
    if isinstance(error, RuntimeWarning) or type(error) in (OverflowError, FloatingPointError):
        return f"the numbers leave the range of floating point ({said[:100]}): {MODERATE}"
    return None


if __name__ == "__main__":
    sys.exit(main())
