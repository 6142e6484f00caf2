"""Build the book: stage its sources, configure Sphinx from `_config.yml`, run every page, publish the result.

The book is a Jupyter Book 1.x project built by Sphinx itself with every warning an error, because
`jupyter-book build` loads the thebe extension whatever its configuration says, and thebe reports an error on
every page that has no launch button. The cells of pages run before Sphinx starts, on all cores (`pages`). Sources are
staged in a folder beside the target, so that builds may run side by side and a failed build leaves the old book.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import distributions
from pathlib import Path

from derivations.language.assumptions import PAPER, Assumptions
from derivations.language.extension import added_modules, load_extensions
from derivations.publishing import (
    embedding,
    equation_links,
    finding,
    notebooks,
    pages,
    previews,
    punctuation,
    source_pages,
    step_files,
    weight,
)
from derivations.steps.contents import MODULE_OF
from derivations.support import store
from derivations.support.bad_input import BadInput
from derivations.support.files import require_writable
from derivations.support.workers import shared, side_by_side
from derivations.verification.plain_records import Record
from derivations.verification.verify import verify

SOURCE = Path(__file__).resolve().parents[2] / "book"
DEFAULT_OUT = SOURCE / "_build" / "html"
# What computes what the cells of pages look up; it stands in a room that this one does not know.
PREPARES = "derivations.book_pages.prepare"
# The mark of a folder that this module wrote, and may therefore replace.
MARK = ".built-book.json"
# The folder beside the paper's book in which it is put together.
WORKSHOP = ".workshop"
# The lines of a page that other pages may show: headings, and the titles and labels of directives. Sphinx does not write the
# others anew when one of them changes.
SEEN_ELSEWHERE = re.compile(r"^[#:`(].*$", re.MULTILINE)
# In a banner, the file name of the page that shows it.
PAGE = "@page@"
# Extensions that Jupyter Book adds and the book must not load: both serve features that call other hosts.
UNWANTED = ("sphinx_thebe", "sphinx_comments")
EXTENSIONS = (embedding, equation_links, previews, punctuation, weight)


class BookError(RuntimeError):
    """The book did not build: a cell raised, or Sphinx warned. `log` holds the complete output."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True)
class Book:
    """A built book: its folder, its page names in reading order of the file system, the seconds it took."""

    html: Path
    pages: tuple[str, ...]
    seconds: float
    assumptions: Assumptions

    @property
    def index(self) -> Path:
        """The page to open first."""
        return self.html / "index.html"


def build(
    out: Path = DEFAULT_OUT,
    assumptions: Assumptions = PAPER,
    *,
    source: Path = SOURCE,
    echo: bool = False,
    banner: str = "",
) -> Book:
    """Build the book from `source` into `out`, replacing a book built there before.

    echo: pass the progress of verification and of Sphinx on to stderr. banner: HTML to show on top of each page, in
    which `PAGE` stands for the page's file name; by default a word on changed assumptions. Raises ValueError when `source` is no
    book or `out` holds anything but an earlier build, and BookError when a page fails or anything warns;
    in both cases `out` is left as it was.
    """
    started = time.monotonic()
    _require_book(source)
    require_replaceable(out)
    words = [f"{name}={value}" for name, value in assumptions.changed().items()]
    out.parent.mkdir(parents=True, exist_ok=True)
    with shared(load_extensions):
        records = _verify_first(assumptions, echo) if source == SOURCE else []
        with _workshop(source, out, words, banner) as work:
            staged, html = work / "source", work / "html"
            _stage(source, staged)
            _write_if_new(staged / pages.SETTINGS, json.dumps(words))
            _write_if_new(staged / equation_links.FILE, json.dumps(equation_links.places()))
            environment = _environment(work)
            if not (staged / "conf.py").is_file():
                _write_configuration(staged, work / "notebooks", environment, assumptions, banner)
            took = defaultdict[str, float](float)
            for record in records:
                took[f"{record['page'].partition('#')[0]}.md"] += record["seconds"]
            _run_cells(staged, work / "notebooks", words, environment, took, kept=source == SOURCE, echo=echo)
            picture = work / "preview.png"
            side_by_side(
                [
                    partial(_run_sphinx, staged, html, work / "doctrees", environment, echo),
                    partial(previews.draw_picture, picture),
                ]
            )
            shutil.copy2(picture, html / previews.PICTURE)
            _name_the_icon(html / "index.html")
            finding.write(html, staged, records)
            notebooks.write(html, staged)
            if records:
                step_files.write(html, records, assumptions)
            built = tuple(
                sorted(page.stem for page in staged.glob("*.md") if (html / f"{page.stem}.html").exists())
            )
            # Beside the target, so that publishing is a rename on one file system.
            with tempfile.TemporaryDirectory(prefix=".book-", dir=out.parent) as scratch:
                fresh = Path(scratch) / "html"
                shutil.copytree(html, fresh)
                step_files.fill(fresh)
                source_pages.write(fresh)
                weight.lighten(fresh)
                for page in fresh.glob("*.html") if PAGE in banner else ():
                    text = page.read_text(encoding="utf-8")
                    page.write_text(text.replace(PAGE, page.name), encoding="utf-8")
                seconds = time.monotonic() - started
                mark = json.dumps({"assumptions": words, "pages": built})
                (fresh / MARK).write_text(f"{mark}\n", encoding="utf-8")
                publish(fresh, out)
    store.keep_sources()
    return Book(out, built, seconds, assumptions)


def is_current(out: Path = DEFAULT_OUT, *, source: Path = SOURCE) -> bool:
    """Whether `out` holds a complete build of the paper's book, newer than every file it is made from."""
    mark = out / MARK
    if not mark.is_file() or json.loads(mark.read_text(encoding="utf-8"))["assumptions"]:
        return False
    built = mark.stat().st_mtime
    code = [
        p
        for name in ("symbolic", "numeric_check", "derivations")
        for p in (SOURCE.parent / name).rglob("*.py")
    ]
    pages = [p for p in source.rglob("*") if p.is_file() and "_build" not in p.relative_to(source).parts]
    return all(path.stat().st_mtime < built for path in (*code, *pages))


def _require_book(source: Path) -> None:
    if not (source / "_config.yml").is_file() or not (source / "_toc.yml").is_file():
        raise BadInput(
            f"no book sources in {source}: run from a checkout with an editable install (`make book`)"
        )


def require_replaceable(out: Path) -> None:
    """Raises ValueError when `out` holds anything but an earlier build, or nothing can be written beside it."""
    if out.is_dir():
        if any(out.iterdir()) and not (out / MARK).is_file():
            raise BadInput(f"{out} holds files that are no built book; name an empty or a new folder")
    elif out.exists() or out.is_symlink():
        raise BadInput(f"{out} is a file; name a folder for the book")
    require_writable(out.parent)


def _verify_first(assumptions: Assumptions, echo: bool) -> Sequence[Record]:
    """Verify every step on all cores: the pages then find each record in the store."""
    live = echo and sys.stderr.isatty()

    def report(record: Record, done: int, total: int) -> None:
        if live:
            sys.stderr.write(f"\rverifying {done} of {total}: {record['name']:<50.50}")

    if echo:
        sys.stderr.write("verifying every step; what is known from before is not computed again\n")
    records = verify(assumptions=assumptions, report=report)
    if live:
        sys.stderr.write("\n")
    return records


def _prepare(texts: Mapping[str, str], echo: bool) -> None:
    """Compute on all cores what the cells will look up, where that has not been done by modules that are as they are now."""
    # steps and extensions are reached by their names alone, and a page says which of the latter are confirmed
    done = store.key(
        "prepared", [PREPARES, *MODULE_OF.values(), *added_modules()], extending=texts.get("extending.md")
    )
    if store.load(done) is not None:
        return
    if echo:
        sys.stderr.write("sampling what the pages show\n")
    try:
        importlib.import_module(PREPARES).prepare()
    except Exception as error:  # whatever goes wrong there, there is no book
        said = " ".join(str(error).split()) or type(error).__name__
        raise BookError(f"the pages could not be prepared: {said}", traceback.format_exc()) from error
    store.save(done, {})


def _environment(scratch: Path) -> dict[str, str]:
    """This interpreter's kernel, and nobody's personal Jupyter or IPython settings."""
    own = {
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTER_CONFIG_DIR": str(scratch / "jupyter-config"),
        "JUPYTER_DATA_DIR": str(scratch / "jupyter-data"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "jupyter-run"),
        "IPYTHONDIR": str(scratch / "ipython"),
    }
    return {**os.environ, **own}


@contextmanager
def _workshop(source: Path, out: Path, words: Sequence[str], banner: str) -> Iterator[Path]:
    """Where the book is put together: for the paper's book a folder that stays, so that only what changed is built anew.

    It is emptied when a build fails, and when other pages, another configuration or other libraries are asked for. While
    another build works there, and for every other book, it is a temporary folder.
    """
    place = out.parent / WORKSHOP
    if (source, out, *words, banner) == (SOURCE, DEFAULT_OUT, ""):
        place.mkdir(exist_ok=True)
        with (place / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                pass
            else:
                with _kept(place / "work", _shape(source)) as work:
                    yield work
                return
    with tempfile.TemporaryDirectory(prefix=".book-", dir=out.parent) as scratch:
        yield Path(scratch)


@contextmanager
def _kept(work: Path, shape: str) -> Iterator[Path]:
    """The folder as the last good build of this shape left it, or empty."""
    mark = work / "shape"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != shape:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
    mark.unlink(missing_ok=True)
    yield work
    mark.write_text(shape, encoding="utf-8")


def _shape(source: Path) -> str:
    """What must be the same for a build to go on from the last one: files, headings, configuration, builder, libraries."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(source.rglob("*")):
        if path.is_file() and "_build" not in path.relative_to(source).parts:
            digest.update(f"{path.relative_to(source)};".encode())
            if path.suffix == ".md":
                digest.update("\n".join(SEEN_ELSEWHERE.findall(path.read_text(encoding="utf-8"))).encode())
    for path in (source / "_config.yml", source / "_toc.yml", *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(path.read_bytes())
    for library in sorted(f"{found.name}={found.version}" for found in distributions()):
        digest.update(f"{library};".encode())
    return digest.hexdigest()


def _stage(source: Path, staged: Path) -> None:
    """Copy the sources; a file that is the same as before keeps its time, by which Sphinx knows what changed."""
    for path in source.rglob("*"):
        place = path.relative_to(source)
        if path.is_file() and not {"_build", "__pycache__"} & set(place.parts) and place.name != "conf.py":
            _write_if_new(staged / place, path.read_bytes())


def _write_if_new(path: Path, content: str | bytes) -> bool:
    """Write a file where that changes it; whether it did."""
    raw = content.encode() if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == raw:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return True


def _run_cells(
    staged: Path,
    notebooks: Path,
    words: Sequence[str],
    environment: dict[str, str],
    took: Mapping[str, float],
    *,
    kept: bool,
    echo: bool,
) -> None:
    """Run the cells of every page that is not known to be as it would be, and lay all pages ready for Sphinx.

    took: the seconds that the proofs on each page took. What is long to prove is long to set, and its page begins first.
    """
    read_in = {path.name: path.read_text(encoding="utf-8") for path in sorted(staged.glob("*.md"))}
    texts = dict(sorted(read_in.items(), key=lambda page: took.get(page[0], 0.0), reverse=True))
    found, keys = pages.missing(texts, words) if kept else ({}, dict.fromkeys(texts))
    if keys and kept:
        _prepare(texts, echo)
    if keys and echo:
        sys.stderr.write(f"running the cells of {', '.join(keys)}\n")
    try:
        ran = pages.run_all({name: texts[name] for name in keys}, staged, environment)
    except pages.CellError as error:
        raise BookError(f"the book did not build: {error}", f"{error}\n{error.log}") from error
    for name, key in keys.items():
        if key is not None:
            store.save(key, ran[name])
    for name, text in texts.items():
        if _write_if_new(notebooks / f"{pages.digest(text)}.ipynb", json.dumps({**found, **ran}[name])):
            (staged / name).touch()


def _write_configuration(
    staged: Path, notebooks: Path, environment: dict[str, str], assumptions: Assumptions, banner: str
) -> None:
    entry = "from jupyter_book.cli.main import main; main()"  # the package has no __main__
    command = [sys.executable, "-c", entry, "config", "sphinx", str(staged)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    log = result.stdout + result.stderr
    if result.returncode != 0 or not (staged / "conf.py").is_file():
        if "No module named 'jupyter_book'" in log:
            raise BadInput("Jupyter Book is not installed: run `make book`, or install the extra `book`")
        raise BookError("the book's _config.yml was not accepted", log)
    own = [
        path.relative_to(staged / "_static").as_posix() for path in sorted((staged / "_static").rglob("*"))
    ]
    lines = [
        "",
        f"extensions = [name for name in extensions if name not in {UNWANTED!r}] + {[one.__name__ for one in EXTENSIONS]!r}",
        # Jupyter Book would load every vendored script on every page: a page that needs one asks for it.
        f"html_js_files = {[name for name in own if name.endswith('.js')]!r}",
        f"html_css_files = {[name for name in own if name.endswith('.css')]!r}",
        # the cells have run when Sphinx reads a page
        f"nb_custom_formats = {{'.md': ['{pages.__name__}.ready', {{'folder': {str(notebooks)!r}}}, False]}}",
    ]
    if assumptions.changed():
        banner = banner or f"Built under changed assumptions, beyond the paper: {assumptions.label()}"
        lines.append(f"html_title += {f' [{assumptions.label()}]'!r}")
    if banner:
        lines.append(f"html_theme_options['announcement'] = {banner!r}")
    # Tables written by cells may hold mathematics on pages whose prose has none.
    lines += ["", "", "def setup(app):", "    app.set_html_assets_policy('always')", ""]
    with (staged / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write("\n".join(lines))


def _run_sphinx(staged: Path, html: Path, doctrees: Path, environment: dict[str, str], echo: bool) -> None:
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-T",
        "--color" if echo and sys.stderr.isatty() else "--no-color",
    ]
    # on one core: extensions that the book needs fail where Sphinx reads pages on several
    command += ["-b", "html", "-d", str(doctrees), str(staged), str(html)]
    log: list[str] = []
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            for line in process.stdout or ():
                log.append(line)
                # Sphinx names the temporary folder at the end; the caller knows where the book went.
                if echo and str(html.parent.name) not in line:
                    sys.stderr.write(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise BookError(_reason(log), "".join(log))


def _name_the_icon(index: Path) -> None:
    """The redirect to the first page names no icon, and browsers then ask for one that is not there."""
    text = index.read_text(encoding="utf-8")
    if "icon" not in text:
        icon = '<link rel="icon" href="_static/favicon.svg">'
        index.write_text(f"<!DOCTYPE html>\n<title>Book</title>\n{icon}\n{text}", encoding="utf-8")


def _reason(log: list[str]) -> str:
    """The first line of a build log that says what went wrong."""
    marks = ("WARNING:", "ERROR:", "CRITICAL:", "Exception", "Error:")
    first = next((line.strip() for line in log if any(mark in line for mark in marks)), "see the log")
    return f"the book did not build: {first}"


def publish(fresh: Path, out: Path) -> None:
    """Put a complete build in the place of an earlier one."""
    if out.is_dir():
        # The old book leaves in one rename, so that a reader never finds half of each.
        old = fresh.parent / "old"
        out.rename(old)
    fresh.rename(out)


def main() -> int:
    """Build the paper's book into its default place and say where it is; for `make book`."""
    try:
        book = build(echo=True)
    except BookError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{len(book.pages)} pages in {book.seconds:.0f} s: open {book.index}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
