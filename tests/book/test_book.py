"""Every page of the built book, in a wide and a narrow window: complete, quiet, offline, and it fits.

Each guard is shown to fail on a page made bad on purpose.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from derivations.publishing.build import SOURCE

PAGES = tuple(sorted(path.stem for path in SOURCE.glob("*.md")))
# opened in the narrow window, then made wide
WIDTHS = (390, 1400)

pytestmark = [pytest.mark.slow(120), pytest.mark.browser, pytest.mark.xdist_group("book")]


@pytest.mark.parametrize("name", PAGES)
def test_page_is_complete_quiet_offline_and_fits(name: str, address: str, inspect: Callable) -> None:
    assert inspect(f"{address}/{name}.html", *WIDTHS).faults() == {}


@pytest.mark.parametrize("name", ["search.html?q=theorem", "genindex.html", "prf-prf.html", "index.html"])
def test_generated_page_is_quiet_and_offline(name: str, address: str, inspect: Callable) -> None:
    assert inspect(f"{address}/{name}", 390).faults() == {}


def test_mathematics_is_typeset_by_the_vendored_renderer(address: str, inspect: Callable) -> None:
    assert inspect(f"{address}/setup.html", 1400).formulas > 20


@pytest.mark.parametrize("name", ["theorem2", "theorem3"])
def test_formulas_far_from_the_window_wait_until_they_are_near(
    name: str, address: str, browser: object
) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(f"{address}/{name}.html", wait_until="load")
    page.evaluate("MathJax.startup.promise")
    assert page.evaluate("document.querySelectorAll('*').length") < 12_000
    waiting = page.locator("mjx-lazy").count()
    page.evaluate("[...document.querySelectorAll('section.step')].at(-1).scrollIntoView()")
    page.wait_for_function(f"document.querySelectorAll('mjx-lazy').length < {waiting}")
    page.close()
    assert waiting > 100


def test_every_internal_link_resolves(site: Path, find_broken_links: Callable) -> None:
    assert find_broken_links(site) == []


def test_opening_page_says_what_was_found_in_one_screen(address: str, browser: object) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(f"{address}/intro.html", wait_until="networkidle")
    bottom = page.locator(".findings").first.bounding_box()
    page.close()
    assert bottom is not None
    assert bottom["y"] + bottom["height"] <= 900


@pytest.fixture(scope="module")
def bad_page(site: Path, tmp_path_factory: pytest.TempPathFactory, local_server: Callable) -> Callable:
    """Serve copies of two good pages, and the shorter of them with one thing wrong in its article."""
    pages = ("notebooks.html", "lemma1.html")
    copy = tmp_path_factory.mktemp("bad") / "site"
    others = {page.name for page in site.glob("*.html")} - {*pages}
    shutil.copytree(site, copy, ignore=lambda folder, names: others & {*names})
    good = (copy / pages[0]).read_text(encoding="utf-8")
    start = good.index("</h1>", good.index("<article")) + len("</h1>")

    def make(addition: str, *, without_renderer: bool = False) -> Path:
        text = good[:start] + addition + good[start:]
        if without_renderer:
            text = text.replace("mathjax/tex-mml-chtml.js", "mathjax/LICENSE.txt")
            (copy / "_static" / "mathjax" / "LICENSE.txt").write_text("", encoding="utf-8")
        (copy / "bad.html").write_text(text, encoding="utf-8")
        return copy

    return make


FORMULA = r'<p>As <span class="math">\(x\)</span> grows</p>'


def test_without_a_fault_there_is_none_to_see(
    bad_page: Callable, local_server: Callable, inspect: Callable
) -> None:
    with local_server(bad_page(FORMULA)) as url:
        assert inspect(f"{url}/bad.html", *WIDTHS).faults() == {}


FAULTS = [
    pytest.param("<script>console.error('broken')</script>", "console", id="console error"),
    pytest.param("<script>console.warn('doubtful')</script>", "console", id="console warning"),
    pytest.param("<script>undefinedFunction()</script>", "console", id="uncaught exception"),
    pytest.param('<img src="https://example.org/pixel.png">', "foreign", id="image from another host"),
    pytest.param(
        '<script src="https://example.org/a.js"></script>', "foreign", id="script from another host"
    ),
    pytest.param("<script>fetch('http://127.0.0.1:1/x').catch(() => 0)</script>", "foreign", id="fetch"),
    pytest.param('<img src="_static/missing.png">', "missing", id="missing file"),
    pytest.param(r'<span class="math">\(\frac{1}\)</span>', "errors", id="TeX syntax error"),
    pytest.param(r'<span class="math">\(\nosuchmacro{x}\)</span>', "errors", id="undefined macro"),
    pytest.param('<span class="math">x + y</span>', "unrendered", id="formula without delimiters"),
    pytest.param(r"<p>As \(x grows</p>", "raw", id="TeX in plain text"),
]


@pytest.mark.parametrize(("addition", "kind"), FAULTS)
def test_guard_sees_a_bad_page(
    addition: str, kind: str, bad_page: Callable, local_server: Callable, inspect: Callable
) -> None:
    with local_server(bad_page(addition)) as url:
        assert kind in inspect(f"{url}/bad.html", *WIDTHS).faults()


TOO_WIDE = [
    pytest.param('<div style="width: 700px">wide</div>', 390, id="for a narrow window"),
    pytest.param(
        "<style>@media (min-width: 1000px) { #wide { width: 3000px } }</style><div id='wide'>wide</div>",
        1400,
        id="for a wide window",
    ),
]


@pytest.mark.parametrize(("addition", "width"), TOO_WIDE)
def test_guard_sees_what_is_too_wide(
    addition: str, width: int, bad_page: Callable, local_server: Callable, inspect: Callable
) -> None:
    with local_server(bad_page(addition)) as url:
        assert set(inspect(f"{url}/bad.html", *WIDTHS).overflow) == {width}


def test_guard_sees_that_the_renderer_is_missing(
    bad_page: Callable, local_server: Callable, inspect: Callable
) -> None:
    with local_server(bad_page(FORMULA, without_renderer=True)) as url:
        assert "unrendered" in inspect(f"{url}/bad.html", 1400).faults()


def test_guard_sees_a_broken_link(bad_page: Callable, find_broken_links: Callable) -> None:
    links = ("nowhere.html", "lemma1.html#no-such-anchor", "#no-such-anchor", "_static/no.css")
    broken = find_broken_links(bad_page("".join(f'<a href="{link}">there</a>' for link in links)))
    assert {f"bad.html -> {link}" for link in links} <= {*broken}
