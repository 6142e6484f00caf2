"""The whole book as one PDF: each page of the built book printed by Chromium, several at once, and put together.

Folded parts are opened first, but for the tables of comparisons, which would be most of the sheets. Links from page to page
would lead to files of the machine that printed them, and are plain text; the outline leads to each page. The largest pages
take minutes: each has a few hundred thousand elements when all its formulas are set.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from derivations.publishing.build import DEFAULT_OUT, SOURCE
from derivations.support.bad_input import BadInput
from derivations.support.files import whole
from derivations.support.workers import cores

if TYPE_CHECKING:
    from playwright.async_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "CHROMIUM"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--allow-file-access-from-files",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
# milliseconds that a page may take on a busy machine
PATIENCE = 300_000

# opens what is folded, waits for every formula, and returns the title
READY = r"""async () => {
  document.documentElement.dataset.theme = "light";
  document.documentElement.dataset.mode = "light";
  if (window.bringLater) await window.bringLater(document, ".sampled > noscript.later");
  document.querySelectorAll("details").forEach((one) => { one.open = !one.querySelector("noscript.later:not(.narrow, .wide)"); });
  document.querySelectorAll("a[href]").forEach((link) => {
    const place = link.getAttribute("href");
    if (!place.startsWith("#") && !/^https?:/.test(place)) link.removeAttribute("href");
  });
  if (window.MathJax && MathJax.startup) {
    await MathJax.startup.promise;
    // nobody listens to paper
    MathJax.startup.document.options.enableAssistiveMml = false;
    if (MathJax.startup.document.lazyTypesetAll) await MathJax.startup.document.lazyTypesetAll();
  }
  return (document.querySelector("article h1") || document).textContent.replace(/#$/, "").trim();
}"""

# what a sheet has room for between its margins, in pixels of print
SHEET = 680
# a formula that is wider than the sheet is set smaller, by no more than it takes: the style sheet can only guess
FIT = r"""(sheet) => {
  const outside = document.querySelector(".bd-article")?.clientWidth - sheet;
  const boxes = [...document.querySelectorAll(".bd-article div.math")].filter((box) => box.querySelector("mjx-container"));
  const formulas = boxes.map((box) => box.querySelector("mjx-container"));
  const sizes = formulas.map((one) => parseFloat(one.style.fontSize) || 100);
  const set = (one, size) => one.style.setProperty("font-size", `${size}%`, "important");
  formulas.forEach((one, k) => set(one, sizes[k]));
  const shares = boxes.map((box, k) => (box.clientWidth - outside) / formulas[k].firstElementChild.getBoundingClientRect().width);
  formulas.forEach((one, k) => set(one, Math.min(1, 0.98 * shares[k]) * sizes[k]));
}"""


def chromium() -> str:
    """The browser that prints; raises BadInput, with the remedy, where there is none."""
    for name in (os.environ.get(VARIABLE, ""), *NAMES):
        if name and (path := shutil.which(name)):
            return path
    raise BadInput(
        f"no Chromium was found, which prints the book: install the package `chromium`, or set {VARIABLE} to its path"
    )


def in_order(html: Path) -> list[str]:
    """The names of the built pages in reading order."""
    listed = re.findall(
        r"^(?:root|.*- file): *(\S+)", (SOURCE / "_toc.yml").read_text(encoding="utf-8"), re.M
    )
    found = [name for name in listed if (html / f"{name}.html").is_file()]
    if not found:
        raise BadInput(f"no pages of the book in {html}: run `make book` first")
    return found


async def _print_all(binary: str, html: Path, names: Sequence[str], folder: Path) -> list[str]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=binary, args=list(FLAGS))
        room = asyncio.Semaphore(cores())
        # the largest first, so that none is left over at the end
        sizes = sorted(names, key=lambda name: (html / f"{name}.html").stat().st_size, reverse=True)
        titles = dict(
            zip(
                sizes,
                await asyncio.gather(*(_print(browser, html, n, folder, room) for n in sizes)),
                strict=True,
            )
        )
        await browser.close()
    return [titles[name] for name in names]


async def _print(browser: Browser, html: Path, name: str, folder: Path, room: asyncio.Semaphore) -> str:
    async with room:
        page = await browser.new_page(color_scheme="light", viewport={"width": 800, "height": 1000})
        page.set_default_timeout(PATIENCE)
        await page.goto((html / f"{name}.html").resolve().as_uri())
        title: str = await page.evaluate(READY)
        await page.emulate_media(media="print")
        await page.evaluate(FIT, SHEET)
        await page.pdf(
            path=str(folder / f"{name}.pdf"),
            format="A4",
            margin={"top": "16mm", "bottom": "16mm", "left": "15mm", "right": "15mm"},
            print_background=True,
            tagged=False,
        )
        await page.close()
    return title


def print_book(out: Path, html: Path = DEFAULT_OUT) -> int:
    """Print the book built in `html` into one PDF file; returns the number of its sheets.

    Raises BadInput where there is no built book, no Chromium, or no library to drive it.
    """
    try:
        from pypdf import PdfWriter
    except ImportError:
        raise BadInput("printing needs the extra `test`: run `make pdf`") from None
    names, binary = in_order(html), chromium()
    with tempfile.TemporaryDirectory() as folder:
        titles = asyncio.run(_print_all(binary, html, names, Path(folder)))
        writer = PdfWriter()
        for name, title in zip(names, titles, strict=True):
            writer.append(Path(folder) / f"{name}.pdf", outline_item=title)
        writer.add_metadata({"/Title": titles[0], "/Producer": "", "/Creator": ""})
        with whole(out) as temporary:
            writer.write(temporary)
        return len(writer.pages)


def main() -> int:
    """Print the paper's book beside the built pages and say where it is; for `make pdf`."""
    started = time.monotonic()
    out = DEFAULT_OUT.parent / "book.pdf"
    try:
        sheets = print_book(out)
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{sheets} sheets in {time.monotonic() - started:.0f} s: open {out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
