"""Build the book: stage its sources, configure Sphinx from `_config.yml`, run every page, publish the result.

The book is a Jupyter Book 1.x project built by Sphinx itself with every warning an error, because
`jupyter-book build` loads the thebe extension whatever its configuration says, and thebe reports an error on
every page that has no launch button. Sources are staged in a temporary folder, so that builds may run side by
side and a failed build leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from derivations.language.assumptions import PAPER, Assumptions, read
from derivations.support.bad_input import BadInput
from derivations.support.files import require_writable
from derivations.verification.verify import Record, verify

SOURCE = Path(__file__).resolve().parents[2] / "book"
DEFAULT_OUT = SOURCE / "_build" / "html"
# The mark of a folder that this module wrote, and may therefore replace.
MARK = ".built-book.json"
# The file beside the staged pages, in whose folder their cells run, that says under which assumptions they are built.
SETTINGS = ".book-assumptions.json"
# Extensions that Jupyter Book adds and the book must not load: both serve features that call other hosts.
# In a banner, the file name of the page that shows it.
PAGE = "@page@"
UNWANTED = ("sphinx_thebe", "sphinx_comments")


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


def assumptions_in_force() -> Assumptions:
    """The assumptions under which the running page is built; the paper's outside a build."""
    settings = Path(SETTINGS)
    return read(json.loads(settings.read_text(encoding="utf-8"))) if settings.is_file() else PAPER


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
    if source == SOURCE:
        _verify_first(assumptions, echo)
    words = [f"{name}={value}" for name, value in assumptions.changed().items()]
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that publishing is a rename on one file system.
    with tempfile.TemporaryDirectory(prefix=".book-", dir=out.parent) as scratch:
        staged = Path(scratch) / "source"
        shutil.copytree(source, staged, ignore=shutil.ignore_patterns("_build", "conf.py", "__pycache__"))
        (staged / SETTINGS).write_text(json.dumps(words), encoding="utf-8")
        environment = _environment(Path(scratch))
        _quieten_kernels(Path(environment["IPYTHONDIR"]))
        _write_configuration(staged, environment, assumptions, banner)
        if source == SOURCE:
            _prepare(environment, echo)
        fresh = Path(scratch) / "html"
        _run_sphinx(staged, fresh, Path(scratch) / "doctrees", environment, echo)
        _name_the_icon(fresh / "index.html")
        for page in fresh.glob("*.html") if PAGE in banner else ():
            text = page.read_text(encoding="utf-8")
            page.write_text(text.replace(PAGE, page.name), encoding="utf-8")
        pages = tuple(
            sorted(page.stem for page in staged.glob("*.md") if (fresh / f"{page.stem}.html").exists())
        )
        seconds = time.monotonic() - started
        (fresh / MARK).write_text(json.dumps({"assumptions": words, "pages": pages}) + "\n", encoding="utf-8")
        publish(fresh, out)
    return Book(out, pages, seconds, assumptions)


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


def _verify_first(assumptions: Assumptions, echo: bool) -> None:
    """Verify every step on all cores: the pages then find each record in the store."""
    live = echo and sys.stderr.isatty()

    def report(record: Record, done: int, total: int) -> None:
        if live:
            sys.stderr.write(f"\rverifying {done} of {total}: {record['name']:<50.50}")

    if echo:
        sys.stderr.write("verifying every step; what is known from before is not computed again\n")
    verify(assumptions=assumptions, report=report)
    if live:
        sys.stderr.write("\n")


def _prepare(environment: dict[str, str], echo: bool) -> None:
    """Compute on all cores what the cells will look up."""
    if echo:
        sys.stderr.write("sampling what the pages show\n")
    command = [sys.executable, "-m", "derivations.book_pages.prepare"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        log = result.stdout + result.stderr
        raise BookError(f"the pages could not be prepared: {log.strip().splitlines()[-1]}", log)


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


def _quieten_kernels(folder: Path) -> None:
    """Keep kernels from warning at every start that local traffic is not encrypted."""
    profile = folder / "profile_default"
    profile.mkdir(parents=True)
    settings = "c.IPKernelApp.log_level = 40\nc.HistoryManager.enabled = False\n"
    (profile / "ipython_kernel_config.py").write_text(settings, encoding="utf-8")


def _write_configuration(
    staged: Path, environment: dict[str, str], assumptions: Assumptions, banner: str
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
        f"extensions = [name for name in extensions if name not in {UNWANTED!r}]",
        # Jupyter Book would load every vendored script on every page: a page that needs one asks for it.
        f"html_js_files = {[name for name in own if name.endswith('.js')]!r}",
        f"html_css_files = {[name for name in own if name.endswith('.css')]!r}",
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
