// Tables in folded parts become part of the page when they are opened or printed; without scripts they are there from the start.
(() => {
  "use strict";
  window.bringLater = async (place) => {
    const brought = [...place.querySelectorAll("noscript.later")].map((held) => {
      const whole = document.createElement("div");
      // where scripts run, what stands in `noscript` is text
      whole.innerHTML = held.textContent;
      held.replaceWith(whole);
      return whole;
    });
    if (!brought.length || !window.MathJax?.startup) return;
    await MathJax.startup.promise;
    await MathJax.typesetPromise(brought);
  };
  document.addEventListener("toggle", (event) => event.target.open && window.bringLater(event.target), true);
  window.addEventListener("beforeprint", () => window.bringLater(document));
})();
