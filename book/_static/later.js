// Tables and sources in folded parts become part of the page when they are opened, and before print pictures that stand for what moves;
// without scripts they are there from the start. What is wider than its place can be reached, and scrolled, by keyboard; what fits cannot.
(() => {
  "use strict";
  const WIDE = ".bd-article :is(div.math, .table-scroll, .stacked td:first-child > div, section.step p, .pst-scrollable-table-container, .drawn, .cell_output, pre)";
  const reach = (box) => {
    const tall = box.matches("pre") && box.scrollHeight > box.clientHeight + 1;
    if (tall || box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const sizes = new ResizeObserver((changes) => changes.forEach(({ target }) => reach(target)));
  // A formula that is broken twice is there once: for wide columns, or for a phone.
  const narrow = matchMedia("(max-width: 720px)");
  const fit = () => window.bringLater(document, `noscript.${narrow.matches ? "narrow" : "wide"}`);
  narrow.addEventListener("change", fit);
  let fitted;
  // before any script sets formulas
  document.addEventListener("readystatechange", () => {
    if (document.readyState !== "interactive" || !narrow.matches) return;
    document.querySelectorAll(".for-wide").forEach((box) => {
      const held = Object.assign(document.createElement("noscript"), { className: "later wide", textContent: box.outerHTML });
      box.replaceWith(held);
    });
    fitted = fit();
  });
  const watch = (place) => place.querySelectorAll(WIDE).forEach((box) => sizes.observe(box));
  window.bringLater = async (place, which = "noscript.later") => {
    const brought = [...place.querySelectorAll(which)].map((held) => {
      const whole = document.createElement("div");
      // where scripts run, what stands in `noscript` is text
      whole.innerHTML = held.textContent;
      held.replaceWith(whole);
      watch(whole);
      return whole;
    });
    if (!brought.length || !window.MathJax?.startup?.promise) return;
    await MathJax.startup.promise;
    await MathJax.typesetPromise(brought);
  };
  // The page shows when the formulas of its first window stand in their place, so that nothing moves under the eyes of a reader.
  const show = async () => {
    const article = document.querySelector(".bd-article");
    if (!article) return;
    const near = (marker) => {
      const { top, bottom } = marker.getBoundingClientRect();
      return bottom >= 0 && top <= innerHeight;
    };
    await window.MathJax?.startup?.promise;
    await fitted;
    while (performance.now() < 6000 && [...article.querySelectorAll("mjx-lazy")].some(near)) await new Promise((done) => setTimeout(done, 20));
    document.querySelector(":target")?.scrollIntoView();
    article.classList.add("ready");
  };
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("toggle", (event) => event.target.open && window.bringLater(event.target, "noscript.later:not(.narrow, .wide)"), true);
  // folded parts are open on paper, which is light, but for tables and sources that nobody has asked for
  let opened = [], theme;
  const root = document.documentElement;
  window.addEventListener("beforeprint", () => {
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    opened = [...document.querySelectorAll(".bd-article details:not([open])")].filter((fold) => !fold.querySelector("noscript.later:not(.narrow, .wide)"));
    opened.forEach((fold) => (fold.open = true));
    window.bringLater(document, "noscript.printed, noscript.wide");
  });
  window.addEventListener("afterprint", () => {
    opened.splice(0).forEach((fold) => (fold.open = false));
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
  });
  document.addEventListener("DOMContentLoaded", () => {
    watch(document);
    // a name that is spoken is the name that is shown
    document.querySelectorAll(".theme-switch-button, .search-button-field").forEach((button) => button.removeAttribute("aria-label"));
    // nor is a list what has no items
    document.querySelectorAll(".citation-list[role=list]").forEach((list) => list.removeAttribute("role"));
    // clipboard.js comes with the theme's own copy buttons
    const copies = new ClipboardJS("button.take", { text: (button) => button.closest(".taking").querySelector("pre").textContent });
    copies.on("success", ({ trigger }) => {
      trigger.textContent = "Copied";
      setTimeout(() => (trigger.textContent = "Copy"), 2000);
    });
  });
})();
