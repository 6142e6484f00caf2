// The explorer: sliders for the sizes, curves of the test loss over the training rate. The formulas in EXPLORER.formulas
// are generated from the derived expressions; nothing here knows what they say.
(() => {
  "use strict";
  const { formulas, tables, simulations, sliders } = window.EXPLORER;
  const SVG = "http://www.w3.org/2000/svg";
  const POINTS = 320;
  const names = sliders.map((slider) => slider.name);
  const bounds = Object.fromEntries(sliders.map((slider) => [slider.name, slider]));
  const shown = (x) => Number(x.toPrecision(5)).toString().replace("-", "\u2212");

  const call = (name, values) => {
    const formula = formulas[name];
    return formula ? formula.of(...formula.parameters.map((parameter) => values[parameter])) : NaN;
  };
  const regimeOf = (s) => (s.p > s.n_v * s.m ? "over" : s.p < s.n_v * s.m ? "under" : "");

  // the loss at a rate; label_noise is of the exact loss alone
  const loss = (s, steps, order, rate) => call(`${regimeOf(s)} ${steps} ${order}`, { ...s, alpha_t: rate });

  const exact = (s, steps) => {
    if (s.p <= s.n_v * s.m + 1) return [];
    const table = tables.find((t) => t.steps === steps && t.n_t === s.n_t && t.n_v === s.n_v && t.p === s.p);
    if (!table) return [];
    return table.rates.map((rate, k) =>
      [rate, call("exact", { ...s, alpha_t: rate, label_noise: table.label_noise[k] * s.sigma ** 2 })]);
  };
  const atZero = (s) => (Math.abs(s.p - s.n_v * s.m) > 1 ? call(`${regimeOf(s)} zero`, { ...s, alpha_t: 0 }) : NaN);
  const same = (a, b) => Math.abs(a - b) < 1e-9;
  const placeOf = (s) => simulations.find((place) => names.every((name) => same(place.at[name], s[name])));

  // the lowest point in the range: the best of the grid, then a golden section around it
  const lowest = (f, low, high) => {
    const grid = Array.from({ length: POINTS + 1 }, (_, k) => low + ((high - low) * k) / POINTS);
    const k = grid.reduce((best, x, j) => (f(x) < f(grid[best]) ? j : best), 0);
    let [a, b] = [grid[Math.max(k - 1, 0)], grid[Math.min(k + 1, POINTS)]];
    const ratio = (Math.sqrt(5) - 1) / 2;
    while (b - a > 1e-9) {
      const [c, d] = [b - ratio * (b - a), a + ratio * (b - a)];
      if (f(c) < f(d)) b = d; else a = c;
    }
    const x = (a + b) / 2;
    return [x, f(x)];
  };

  const element = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const ticks = (low, high) => {
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough);
    const found = [];
    for (let k = Math.ceil(low / step); k * step <= high + 1e-12; k += 1) found.push(k * step);
    return found;
  };

  // what is drawn at these sizes, as numbers
  const measure = (s, steps, reach) => {
    const rates = Array.from({ length: POINTS + 1 }, (_, k) => -reach + (2 * reach * k) / POINTS);
    const curve = (order) => rates.map((x) => [x, loss(s, steps, order, x)]).filter(([, y]) => Number.isFinite(y));
    const inside = ([x]) => Math.abs(x) <= reach + 1e-12;
    const place = steps === 1 ? placeOf(s) : undefined;
    const leading = curve("leading");
    return {
      leading,
      next: curve("next"),
      exact: exact(s, steps).filter(inside),
      zero: atZero(s),
      simulated: place ? place.conditional.filter(inside) : [],
      plain: place ? place.plain.filter(inside) : [],
      best: leading.length ? lowest((x) => loss(s, steps, "leading", x), -reach, reach) : undefined,
      place,
    };
  };

  const draw = (holder, found, reach) => {
    const wide = Math.max(300, holder.clientWidth);
    const [W, H] = [wide, Math.min(380, Math.max(240, wide * 0.5))];
    const [left, right, top, bottom] = [58, 12, 12, 44];
    const values = found.leading.map(([, y]) => y).sort((a, b) => a - b);
    const marks = [...found.simulated, ...found.plain, ...found.exact].map(([, y]) => y);
    const least = Math.min(values[0], ...marks);
    // a pole or a steep end does not flatten the rest
    const usual = values[Math.floor(values.length * 0.9)];
    const most = Math.max(Math.min(values[values.length - 1], least + 2.2 * (usual - least)), ...marks);
    const spread = most - least || Math.abs(most) || 1;
    const [low, high] = [least - 0.08 * spread, most + 0.08 * spread];
    const x = (rate) => left + ((rate + reach) / (2 * reach)) * (W - left - right);
    const y = (value) => top + ((high - value) / (high - low)) * (H - top - bottom);
    const svg = element("svg", { viewBox: `0 0 ${W} ${H}`, width: W, height: H, role: "img" });
    svg.append(element("title", {}, "The test loss over the training rate"));
    const clip = element("clipPath", { id: "explorer-clip" });
    clip.append(element("rect", { x: left, y: top, width: W - left - right, height: H - top - bottom }));
    svg.append(clip);
    const add = (name, attributes, text) => svg.append(element(name, attributes, text));
    const line = (points, kind) => {
      if (points.length < 2) return;
      const d = points.map(([a, b], k) => `${k ? "L" : "M"}${x(a).toFixed(2)} ${y(Math.max(Math.min(b, high + spread), low - spread)).toFixed(2)}`);
      add("path", { d: d.join(""), class: kind, "clip-path": "url(#explorer-clip)", fill: "none" });
    };
    ticks(low, high).forEach((value) => {
      add("line", { x1: left, x2: W - right, y1: y(value), y2: y(value), class: "grid" });
      add("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, shown(value));
    });
    ticks(-reach, reach).forEach((value) => add("text", { x: x(value), y: H - bottom + 18, "text-anchor": "middle" }, shown(value)));
    add("line", { x1: x(0), x2: x(0), y1: top, y2: H - bottom, class: "axis" });
    add("text", { x: (W + left) / 2, y: H - 8, "text-anchor": "middle" }, "training rate αₜ");
    add("text", { x: 14, y: (H - bottom) / 2, transform: `rotate(-90 14 ${(H - bottom) / 2})`, "text-anchor": "middle" }, "average test loss");
    line(found.next, "next");
    line(found.leading, "leading");
    line(found.exact, "exact");
    found.plain.forEach(([a, b, error]) => {
      add("line", { x1: x(a), x2: x(a), y1: y(b - 2 * error), y2: y(b + 2 * error), class: "plain" });
      add("circle", { cx: x(a), cy: y(b), r: 3.5, class: "plain" });
    });
    found.simulated.forEach(([a, b]) => add("rect", { x: x(a) - 2.5, y: y(b) - 2.5, width: 5, height: 5, class: "simulated" }));
    if (Number.isFinite(found.zero) && found.zero > low && found.zero < high) {
      add("path", { d: `M${x(0) - 6} ${y(found.zero)}h12`, class: "zero" });
    }
    if (found.best) {
      add("circle", { cx: x(found.best[0]), cy: y(found.best[1]), r: 5.5, class: "best" });
    }
    holder.replaceChildren(svg);
  };

  const legend = (found) => [
    ["leading", "leading order", found.leading.length],
    ["next", "next order", found.next.length],
    ["exact", "exact", found.exact.length],
    ["zero", "exact at rate zero", Number.isFinite(found.zero)],
    ["simulated", "simulated, only inputs drawn", found.simulated.length],
    ["plain", "experiment ± 2 standard errors", found.plain.length],
    ["best", "lowest", found.best],
  ].filter(([, , there]) => there).map(([kind, text]) => `<span class="key key-${kind}">${text}</span>`).join(" ");

  const said = (found, s, steps, reach) => {
    const regime = regimeOf(s);
    if (!regime) return "At p = n_v m neither formula holds, and the mean loss is infinite: change n_v, m or p.";
    const [rate, value] = found.best;
    const zero = loss(s, steps, "leading", 0);
    const flat = Math.abs(value - zero) <= 1e-12 * Math.abs(zero);
    const end = Math.abs(Math.abs(rate) - reach) < 1e-6 ? ", at the end of the range" : "";
    const gain = (100 * (1 - value / zero)).toPrecision(2);
    const where = flat
      ? `No rate in this range does better than rate zero, to leading order: loss ${shown(zero)}.`
      : `To leading order the loss is lowest at rate ${shown(rate)}${end}: ${shown(value)}, ${gain} % below its value ${shown(zero)} at rate zero.`;
    const missing = [
      found.next.length ? "" : "the next order (there are formulas for one inner step, and for two where p > n_v m)",
      found.exact.length ? "" : "the exact curve (tabulated at the n_t, n_v and p of Figures 2 and 6a, and at n_v = 1 for n_t = 30, p = 60, where p > n_v m + 1)",
      found.place ? "" : "simulations (stored at the sizes of the figures, for one inner step)",
    ].filter(Boolean);
    return `<strong>${where}</strong> ${missing.length ? `<span class="missing">Not drawn here: ${missing.join("; ")}.</span>` : ""}`;
  };

  const start = (root) => {
    const get = (kind) => root.querySelector(`.explorer-${kind}`);
    const state = { ...simulations[0].at };
    let steps = 1;
    let reach = simulations[0].reach;

    const load = (text) => {
      const words = new URLSearchParams(text.replace(/^#/, ""));
      names.forEach((name) => {
        const { low, high, step } = bounds[name];
        const value = Number(words.get(name));
        if (words.has(name) && Number.isFinite(value)) {
          state[name] = Math.min(high, Math.max(low, step === 1 ? Math.round(value) : value));
        }
      });
      const wanted = Number(words.get("inner_steps"));
      if ([...get("steps").options].some((option) => Number(option.text) === wanted)) steps = wanted;
      if (Number(words.get("reach")) > 0) reach = Math.min(4, Math.max(0.1, Number(words.get("reach"))));
    };
    const address = () => `#${new URLSearchParams({ ...state, inner_steps: steps, reach }).toString()}`;

    const update = (keep) => {
      root.querySelectorAll("[data-parameter]").forEach((input) => { input.value = state[input.dataset.parameter]; });
      get("steps").value = String(steps);
      get("reach").value = reach;
      if (regimeOf(state)) get("regime").value = regimeOf(state);
      const found = measure(state, steps, reach);
      get("place").value = (placeOf(state) || { title: "" }).title;
      if (found.leading.length) draw(get("plot"), found, reach); else get("plot").replaceChildren();
      get("keys").innerHTML = legend(found);
      get("said").innerHTML = said(found, state, steps, reach);
      root.found = found;
      if (keep) window.history.replaceState(null, "", address());
    };
    const choose = (place) => {
      Object.assign(state, place.at);
      reach = place.reach;
    };

    root.addEventListener("input", ({ target }) => {
      const name = target.dataset.parameter;
      const value = Number(target.value);
      if (name && target.value !== "" && target.validity.valid) state[name] = value;
      else if (target === get("steps")) steps = value;
      else if (target === get("reach") && target.validity.valid) reach = value;
      else if (target === get("place")) {
        const place = simulations.find((one) => one.title === target.value);
        if (place) choose(place);
      } else if (target === get("regime")) {
        choose(simulations.find((one) => regimeOf(one.at) === target.value));
      } else return;
      update(true);
    });
    get("copy").addEventListener("click", async () => {
      window.history.replaceState(null, "", address());
      try {
        await navigator.clipboard.writeText(window.location.href);
        get("copy").textContent = "copied";
      } catch {
        get("copy").textContent = "the link is in the address bar";
      }
    });
    window.addEventListener("hashchange", () => { load(window.location.hash); update(false); });
    root.hidden = false;
    load(window.location.hash);
    update(false);
    new ResizeObserver(() => { if (root.found.leading.length) draw(get("plot"), root.found, reach); }).observe(get("plot"));
  };

  window.EXPLORER.loss = loss;
  window.EXPLORER.call = call;
  document.querySelectorAll(".explorer").forEach(start);
})();
