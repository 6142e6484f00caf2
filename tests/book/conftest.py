"""Open pages of the built book in a browser and note everything a reader should not meet."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from derivations.publishing.build import DEFAULT_OUT, build, is_current

# What a headless browser needs inside a container, and what keeps it from calling its maker.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No name resolves: a page that asks another host is noted, and gets nothing.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
# The folder that receives a picture of each page, when set.
SCREENSHOTS = "BOOK_SCREENSHOTS"

# Milliseconds a page may take on a busy machine.
PATIENCE = 120_000

# Everything a page shows about its mathematics, read off the rendered document in the first, narrowest window, with all folds
# open. Of formulas that are the same, as most on a large page are, one is set; the others are known by it. A formula is as wide
# in every window: a few are set at a time, looked at, and give place to empty boxes of their sizes, so that a large page
# never holds their hundreds of thousands of elements.
PROBE = r"""async (few) => {
  await window.MathJax?.startup?.promise;
  // what is said to screen readers is made of the same formula, and menus are looked at where the page has set some itself
  if (window.MathJax?.startup?.document) Object.assign(MathJax.startup.document.options, { enableAssistiveMml: false, enableMenu: false });
  if (window.bringLater) await window.bringLater(document);
  document.querySelectorAll('details').forEach((fold) => { fold.open = true; });
  // it shows, as it does to a reader
  document.querySelector('.bd-article')?.classList.add('ready');
  const shown = document.createElement('style');
  shown.textContent = '.bd-article :is(.for-wide, .for-narrow) { display: block !important }';
  document.head.append(shown);
  const text = (element) => element.textContent.trim().slice(0, 80);
  const errors = [], hidden = [], boxes = new Map();
  let reached = 0;
  // gives the formulas that are set their boxes
  const look = () => {
    const formulas = [...document.querySelectorAll('mjx-container')].filter((one) => one.firstElementChild?.localName !== 'mjx-lazy');
    reached += document.querySelectorAll('.bd-article mjx-container[tabindex="0"]').length;
    const red = [...document.querySelectorAll('mjx-mtext')].filter(
      (element) => getComputedStyle(element).color === 'rgb(255, 0, 0)');
    errors.push(...[...document.querySelectorAll('mjx-merror'), ...red].map(text));
    // a formula that scrolls by itself hides what the box around it would show
    hidden.push(...formulas.filter((one) => one.hasAttribute('display') && getComputedStyle(one).overflowX !== 'visible')
      .filter((one) => one.scrollWidth > one.clientWidth + 2 && one.clientWidth > 0).map(text));
    const sizes = formulas.map((formula) => (formula.firstElementChild || formula).getBoundingClientRect());
    formulas.forEach((formula, k) => {
      const box = document.createElement('span');
      box.dataset.formula = text(formula);
      const { width, height } = sizes[k];
      const form = formula.hasAttribute('display') ? 'block; margin: 1em auto' : 'inline-block';
      box.style.cssText = `display: ${form}; min-width: ${width}px; width: ${width}px; height: ${height}px`;
      formula.replaceWith(box);
      boxes.set(formula, box);
    });
  };
  if (window.MathJax?.startup?.promise) {
    await MathJax.startup.promise;
    // nothing is set beside what is asked for here
    const lazy = MathJax.startup.document;
    lazy.lazyObserver.disconnect();
    lazy.lazySet.clear();
    await lazy.lazyPromise;
    const first = new Map(), same = new Map(), waiting = [];
    for (const item of lazy.math) {
      const said = `${item.display} ${item.math}`, waits = item.lazyMarker && (item.lazyCompile || item.lazyTypeset);
      if (!first.has(said)) {
        first.set(said, item);
        if (waits) waiting.push([item, item.lazyCompile, item.lazyTypeset]);
      } else if (waits) same.set(item.lazyMarker, first.get(said));
      if (waits) item.lazyCompile = item.lazyTypeset = false;
    }
    look();
    for (let start = 0; start < waiting.length; start += few) {
      lazy.math.clear();
      for (const [item, compile, typeset] of waiting.slice(start, start + few)) {
        [item.lazyCompile, item.lazyTypeset] = [compile, typeset];
        lazy.math.push(item);
      }
      await lazy.lazyTypesetAll();
      look();
    }
    same.forEach((item, marker) => boxes.has(item.typesetRoot) && marker.parentElement.replaceWith(boxes.get(item.typesetRoot).cloneNode()));
  }
  shown.remove();
  const article = document.querySelector('article') || document.body;
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  const raw = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest('pre, code, script, style')) continue;
    if (/\$|\\\(|\\\[|\\begin\{/.test(node.nodeValue)) raw.push(node.nodeValue.trim().slice(0, 80));
  }
  const maths = [...document.querySelectorAll('.math')];
  return {
    unrendered: maths.filter((element) => !element.querySelector('[data-formula]')).map(text),
    errors, raw, reached, hidden,
    formulas: document.querySelectorAll('[data-formula]').length,
  };
}"""
# formulas set at a time
FEW_FORMULAS = 300

# For a picture: every formula is set, also what is far from the window.
ALL = r"""async () => {
  await window.MathJax?.startup?.promise;
  await window.MathJax?.startup?.document.lazyTypesetAll?.();
}"""

# What does not fit. A formula that ends outside what shows it must stand in a box that scrolls and shows that it does.
FIT = r"""async () => {
  // a window of another width is laid out, and what watches its size has drawn
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const article = document.querySelector('article') || document.body;
  const boxes = new Map();
  const boxOf = (element) => {
    if (!boxes.has(element)) {
      const style = getComputedStyle(element);
      boxes.set(element, element === article || (style.display !== 'inline' && style.overflowX !== 'visible')
        ? [element, style.overflowX !== 'hidden' && style.backgroundImage.includes('gradient')] : boxOf(element.parentElement));
    }
    return boxes.get(element);
  };
  const cut = [...article.querySelectorAll('[data-formula]')].filter((formula) => {
    const [box, cue] = boxOf(formula.parentElement);
    const [inner, outer] = [formula, box].map((one) => one.getBoundingClientRect());
    return !cue && inner.width > 0 && (inner.right > outer.right + 2 || inner.left < outer.left - 2);
  });
  const holders = document.querySelectorAll('html, body, main, .bd-content, .bd-article-container, article');
  const excess = (element) => element.scrollWidth - element.clientWidth;
  return {
    cut: cut.map((formula) => formula.dataset.formula),
    overflow: Math.max(0, ...[...holders].map(excess)),
  };
}"""

# What axe-core calls serious: every rule, or those that a window of another width or colour bears on. Nothing moves meanwhile;
# of many cards and rows, which are of one form, a few are looked at.
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
WIDTH_AND_COLOUR = ["color-contrast", "scrollable-region-focusable", "label-content-name-mismatch"]
FEW = r"""() => {
  document.head.append(Object.assign(document.createElement('style'), { textContent: '* { transition: none !important }' }));
  const beyond = (kind, most) => [...document.querySelectorAll(kind)].slice(most);
  beyond('section.step', 6).concat(beyond('tbody > tr', 40)).forEach((one) => one.remove());
}"""
ACCESS = r"""async (rules) => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const options = { resultTypes: ['violations'], ...(rules && { runOnly: { type: 'rule', values: rules } }) };
  const found = await axe.run(options);
  return found.violations.filter((one) => ['serious', 'critical'].includes(one.impact)).flatMap(
    (one) => one.nodes.map((node) => `${one.id}: ${node.target.join(' ')} ${node.failureSummary}`));
}"""

Window: TypeAlias = Callable[..., Page]


@dataclass
class Findings:
    """What is wrong with one page; `overflow` is by width, `formulas` counts the rendered formulas."""

    console: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unrendered: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    access: list[str] = field(default_factory=list)
    overflow: dict[int, int] = field(default_factory=dict)
    formulas: int = 0

    def faults(self) -> dict[str, object]:
        """The kinds of fault found, with the evidence."""
        return {name: value for name, value in vars(self).items() if value and name != "formulas"}


class References(HTMLParser):
    """The references and the anchors of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name in ("id", "name"):
                self.anchors.add(value)
            elif name in ("href", "src") and tag != "base":
                self.targets.append(value)


def references(page: Path) -> References:
    """Parse one page."""
    found = References()
    found.feed(page.read_text(encoding="utf-8"))
    return found


def broken_links(site: Path) -> list[str]:
    """Every internal reference of the site whose file or anchor does not exist, as `page -> reference`."""
    pages = {
        page.resolve(): references(page)
        for page in sorted(site.rglob("*.html"))
        if "_static" not in page.parts
    }
    broken = []
    for page, found in pages.items():
        for target in found.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            anchor = unquote(parts.fragment)
            known = pages[file].anchors if file in pages else None
            if not file.is_file() or (anchor and known is not None and anchor not in known):
                broken.append(f"{page.name} -> {target}")
    return broken


class Quiet(SimpleHTTPRequestHandler):
    """A file server that does not write a line for each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server that is not surprised by a browser that leaves early."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a broken connection and report anything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(site: Path) -> Iterator[str]:
    """The address of a local server of the folder `site`."""
    server = Server(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def look(
    window: Window,
    address: str,
    *widths: int,
    picture: Callable[[int], Path | None],
    access: bool = False,
) -> Findings:
    """Open `address` in a window of the first width, give it the others in turn, and note the faults at each.

    The first width is the narrowest. access: look also for what keeps readers out, in dark at the last width and in light at
    the first.
    """
    findings = Findings()
    home = urlsplit(address).netloc
    page = window(widths[0])

    def note(request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.netloc != home:
            findings.foreign.append(request.url)

    heard: dict[Any, Callable[[Any], object]] = {
        "console": lambda m: findings.console.append(m.text) if m.type in ("error", "warning") else None,
        "pageerror": lambda error: findings.console.append(str(error)),
        "response": lambda r: findings.missing.append(r.url) if r.status >= 400 else None,
        "request": note,
    }
    for event, hear in heard.items():
        page.on(event, hear)
    try:
        page.goto(address, wait_until="load")
        # a page that only leads to another has done so
        page.wait_for_function("!document.querySelector('meta[http-equiv=Refresh]')")
        page.wait_for_load_state("load")
        if picture(widths[0]) is not None:
            page.evaluate(ALL)
        for width in widths:
            if (file := picture(width)) is not None:
                page.set_viewport_size({"width": width, "height": 900})
                page.screenshot(path=str(file), full_page=True)
        page.set_viewport_size({"width": widths[0], "height": 900})
        seen = page.evaluate(PROBE, FEW_FORMULAS)
        findings.formulas = seen["formulas"]
        for name in ("unrendered", "errors", "raw"):
            getattr(findings, name).extend(seen[name])
        findings.access += [f"{seen['reached']} formulas are tab stops"] if seen["reached"] else []
        findings.cut += [f"{widths[0]} px, within itself: {text}" for text in seen["hidden"]]
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            fit = page.evaluate(FIT)
            findings.cut += [f"{width} px: {text}" for text in fit["cut"]]
            if fit["overflow"]:
                findings.overflow[width] = fit["overflow"]
        if access:
            page.evaluate(FEW)
            page.evaluate(AXE)
            for width, colour, rules in ((widths[-1], "dark", WIDTH_AND_COLOUR), (widths[0], "light", None)):
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=colour)
                findings.access += [f"{width} px, {colour}: {one}" for one in page.evaluate(ACCESS, rules)]
    finally:
        for event, hear in heard.items():
            page.remove_listener(event, hear)
    return findings


@pytest.fixture(scope="session")
def browser(browser_binary: str) -> Iterator[Browser]:
    """One headless browser for all pages."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_binary, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[Window]:
    """The page that tests open addresses in, so wide and empty, with nothing stored: for a new one the browser starts a process
    and reads all scripts and fonts anew, which is three times the work."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()

    def emptied(width: int, height: int = 900) -> Page:
        # after whatever the page itself stores as it is left
        page.evaluate(
            "() => addEventListener('pagehide', () => { try { localStorage.clear(); sessionStorage.clear(); } catch { } })"
        )
        page.goto("about:blank")
        page.mouse.move(0, 0)
        page.emulate_media(color_scheme="light", media="null")
        page.set_viewport_size({"width": width, "height": height})
        return page

    yield emptied
    context.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built book: the one `make book` left, when it is newer than its sources, or else a fresh one."""
    if is_current():
        return DEFAULT_OUT
    return build(tmp_path_factory.mktemp("book") / "html").html


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the built book is served."""
    with serve(site) as url:
        yield url


def picture(name: str, width: int) -> Path | None:
    """Where to keep the picture of a page, or None when nobody asked for pictures."""
    folder = os.environ.get(SCREENSHOTS)
    if not folder:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder) / f"{name}-{width}.png"


@pytest.fixture(scope="session")
def inspect(window: Window) -> Callable[..., Findings]:
    """`look` with the window already chosen; pictures are named for the page."""

    def looked(address: str, *widths: int, access: bool = False) -> Findings:
        name = Path(urlsplit(address).path).stem
        return look(window, address, *widths, picture=functools.partial(picture, name), access=access)

    return looked


@pytest.fixture(scope="session")
def find_broken_links() -> Callable[[Path], list[str]]:
    """`broken_links` of a built site."""
    return broken_links


@pytest.fixture(scope="session")
def local_server() -> Callable[[Path], object]:
    """`serve` a folder."""
    return serve
