// The explorer: sliders for the sizes, curves of the test loss over the training rate. The formulas in EXPLORER.formulas
// are generated from the derived expressions; nothing here knows what they say.
(() => {
  "use strict";
  const { formulas, tables, simulations, sliders, reach: rates } = window.EXPLORER;
  const SVG = "http://www.w3.org/2000/svg";
  const POINTS = 320;
  const names = sliders.map((slider) => slider.name);
  const bounds = Object.fromEntries(sliders.map((slider) => [slider.name, slider]));
  const MINUS = "\u2212";
  const shown = (x) => Number(x.toPrecision(5)).toString().replaceAll("-", MINUS);

  // what is taken for a number that is asked for, and whether that is the number itself
  const taken = ({ low, high, step }, value) => Math.min(high, Math.max(low, step === 1 ? Math.round(value) : value));
  const allowed = (slider, text) => text !== "" && taken(slider, Number(text)) === Number(text);

  const call = (name, values) => {
    const formula = formulas[name];
    return formula ? formula.of(...formula.parameters.map((parameter) => values[parameter])) : NaN;
  };
  const regimeOf = (s) => (s.p > s.n_v * s.m ? "over" : s.p < s.n_v * s.m ? "under" : "");

  // the loss at a rate; label_noise is of the exact loss alone
  const loss = (s, steps, order, rate) => call(`${regimeOf(s)} ${steps} ${order}`, { ...s, alpha_t: rate });

  // Near a singular outer problem the chance of a singular value below e goes like e to a power, and the mean loss is finite where
  // that is above two: numeric_check/estimators/tails.py. At a positive rate the inner loop can bring it about too.
  const power = (s, steps, positive) => {
    const least = Math.abs(s.p - s.n_v * s.m) + 1;
    if (!positive) return least;
    if (s.p < s.n_v * s.m) return Math.min(least, (s.m - 1) * (s.p - 1) + s.m / steps);
    if (s.sigma === 0) return least;
    const room = s.p - s.n_v + 1;
    const near = Math.min(s.n_t, room);
    let one = room - near;
    for (let j = 1; j <= near; j += 1) one += Math.min(j / steps, 1);
    return Math.min(least, one);
  };

  // at which rates the mean loss is infinite: "all", "positive" or none; nothing is amplified where nothing differs between the data
  const infinite = (s, steps) => {
    if (s.sigma === 0 && (s.m === 1 || s.nu === 0)) return "";
    const heavy = (positive) => power(s, steps, positive) < 2 + 1e-9;
    return heavy(false) ? "all" : heavy(true) ? "positive" : "";
  };

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

  // where f is least in the range, each place as [rate, value]: those of the grid, then a golden section around each;
  // none where f is the same everywhere
  const lowest = (f, low, high) => {
    const grid = Array.from({ length: POINTS + 1 }, (_, k) => low + ((high - low) * k) / POINTS);
    const values = grid.map((x) => (Number.isFinite(f(x)) ? f(x) : Infinity));
    const least = Math.min(...values);
    const spread = Math.max(...values) - least;
    // up to rounding
    if (spread <= 1e-12 * Math.abs(least)) return [];
    const ratio = (Math.sqrt(5) - 1) / 2;
    const refined = (k) => {
      let [a, b] = [grid[Math.max(k - 1, 0)], grid[Math.min(k + 1, POINTS)]];
      while (b - a > 1e-9) {
        const [c, d] = [b - ratio * (b - a), a + ratio * (b - a)];
        if (f(c) < f(d)) b = d; else a = c;
      }
      return [(a + b) / 2, f((a + b) / 2)];
    };
    const found = values
      .map((value, k) => k)
      .filter((k) => values[k] < Infinity && !(values[k - 1] <= values[k]) && !(values[k + 1] < values[k]))
      .map(refined);
    const best = Math.min(...found.map(([, value]) => value));
    return found.filter(([, value]) => value - best <= 1e-9 * Math.min(spread, Math.abs(best)));
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

  // the labels of such values: as many decimals as their distance needs
  const labels = (values) => {
    const step = values[1] - values[0];
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const large = Math.max(...values.map(Math.abs)) >= 1e6;
    return values.map((x) => (decimals > 6 || large ? x.toExponential(2) : x.toFixed(decimals)).replaceAll("-", MINUS));
  };

  // what is drawn at these sizes, as numbers
  const measure = (s, steps, reach) => {
    const rates = Array.from({ length: POINTS + 1 }, (_, k) => -reach + (2 * reach * k) / POINTS);
    const curve = (order) => rates.map((x) => [x, loss(s, steps, order, x)]).filter(([, y]) => Number.isFinite(y));
    const inside = ([x]) => Math.abs(x) <= reach + 1e-12;
    const place = steps === 1 ? placeOf(s) : undefined;
    const leading = curve("leading");
    const never = infinite(s, steps);
    const lows = leading.length ? lowest((x) => loss(s, steps, "leading", x), -reach, reach) : [];
    return {
      leading,
      next: curve("next"),
      exact: never === "all" ? [] : exact(s, steps).filter(([x]) => inside([x]) && !(never && x > 0)),
      zero: atZero(s),
      infinite: never,
      simulated: place ? place.conditional.filter(inside) : [],
      plain: place ? place.plain.filter(inside) : [],
      // what a formula says where the mean is infinite has no lowest point worth a mark
      lows: never === "all" ? [] : lows,
      best: never === "all" ? undefined : lows[0],
      flat: leading.length > 0 && !lows.length,
      place,
    };
  };

  const draw = (holder, found, reach) => {
    const wide = Math.max(300, holder.clientWidth);
    const [W, H] = [wide, Math.min(380, Math.max(240, wide * 0.5))];
    const values = found.leading.map(([, y]) => y).sort((a, b) => a - b);
    const marks = [...found.simulated, ...found.plain, ...found.exact, [0, found.zero]].map(([, y]) => y).filter(Number.isFinite);
    const least = Math.min(values[0], ...marks);
    // a pole or a steep end does not flatten the rest
    const usual = values[Math.floor(values.length * 0.9)];
    const most = Math.max(Math.min(values[values.length - 1], least + 2.2 * (usual - least)), ...marks);
    const size = Math.abs(most);
    // of a flat curve rounding is not magnified
    const spread = most - least > 1e-9 * size ? most - least : size || 1;
    const [low, high] = [least - 0.08 * spread, most + 0.08 * spread];
    const [across, up] = [ticks(-reach, reach), ticks(low, high)];
    const beside = labels(up);
    // as wide as the longest label, of which a character takes 7
    const [left, right, top, bottom] = [14 + 7 * Math.max(4, ...beside.map((text) => text.length)), 12, 26, 44];
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
    up.forEach((value, k) => {
      add("line", { x1: left, x2: W - right, y1: y(value), y2: y(value), class: "grid" });
      add("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, beside[k]);
    });
    labels(across).forEach((text, k) => add("text", { x: x(across[k]), y: H - bottom + 18, "text-anchor": "middle" }, text));
    add("line", { x1: x(0), x2: x(0), y1: top, y2: H - bottom, class: "axis" });
    add("text", { x: (W + left) / 2, y: H - 8, "text-anchor": "middle" }, "training rate αₜ");
    add("text", { x: 2, y: 13 }, "average test loss");
    line(found.next, "next");
    line(found.leading, "leading");
    line(found.exact, "exact");
    found.plain.forEach(([a, b, error]) => {
      add("line", { x1: x(a), x2: x(a), y1: y(b - 2 * error), y2: y(b + 2 * error), class: "plain" });
      add("circle", { cx: x(a), cy: y(b), r: 3.5, class: "plain" });
    });
    found.simulated.forEach(([a, b]) => add("rect", { x: x(a) - 2.5, y: y(b) - 2.5, width: 5, height: 5, class: "simulated" }));
    if (Number.isFinite(found.zero)) {
      add("path", { d: `M${x(0) - 6} ${y(found.zero)}h12`, class: "zero" });
    }
    found.lows.forEach(([a, b]) => add("circle", { cx: x(a), cy: y(b), r: 5.5, class: "best" }));
    holder.replaceChildren(svg);
  };

  const legend = (found) => [
    ["leading", "leading order", found.leading.length],
    ["next", "next order", found.next.length],
    ["exact", "exact", found.exact.length],
    ["zero", "exact at rate zero", Number.isFinite(found.zero)],
    ["simulated", "simulated, only inputs drawn", found.simulated.length],
    ["plain", "experiment ± 2 standard errors", found.plain.length],
    ["best", "lowest", found.lows.length],
  ].filter(([, , there]) => there).map(([kind, text]) => `<span class="key key-${kind}">${text}</span>`).join(" ");

  // the command that gives a curve that is not drawn
  const command = (name, s, steps, reach, low, next) => {
    const { parameters } = formulas[`${regimeOf(s)} ${steps} leading`];
    const sizes = names.filter((key) => parameters.includes(key)).map((key) => `${key}=${s[key]}`);
    const words = [steps > 1 ? `inner_steps=${steps}` : "", next ? "order=next" : ""].filter(Boolean);
    const rate = `alpha_t=${-reach}:${low}:${Number(((low + reach) / 20).toPrecision(3))}`;
    const text = ["derive sweep", name, ...sizes, rate, ...words.map((word) => `--assume ${word}`)].join(" ");
    return `<code style="white-space: normal; overflow-wrap: anywhere">${text}</code>`;
  };

  const noNext = (s, steps, reach) => {
    if (formulas[`${regimeOf(s)} ${steps} next`]) return "the next order (its formula has a pole at these sizes)";
    const name = regimeOf(s) === "over" ? "eq5" : "eq9";
    return `the next order (its formula is too long for this page: ${command(name, s, steps, reach, reach, true)})`;
  };

  const noExact = (found, s, steps, reach) => {
    if (found.infinite === "all") return "the exact curve (infinite)";
    if (s.p <= s.n_v * s.m + 1) return "the exact curve (known where p > n_v m + 1)";
    const places = tables.filter((t) => t.steps === steps).map((t) => `${t.n_t}, ${t.n_v}, ${t.p}`);
    const where = places.length ? `tabulated for n_t, n_v, p = ${places.join("; ")}` : "not tabulated for so many inner steps";
    const finite = found.infinite ? "; at rates that are not positive" : "";
    return `the exact curve (${where}${finite}: ${command("exact-loss", s, steps, reach, found.infinite ? 0 : reach)})`;
  };

  const listed = (words) => words.join(", ").replace(/, ([^,]*)$/, " and $1");

  const where = (found, s, steps, reach) => {
    const zero = shown(loss(s, steps, "leading", 0));
    if (found.flat) return `To leading order the loss is the same at every rate in this range: ${zero}.`;
    const [, value] = found.best;
    const at = listed(found.lows.map(([rate]) => {
      const end = Math.abs(Math.abs(rate) - reach) < 1e-6 ? (found.lows.length > 1 ? " (an end of the range)" : ", at the end of the range,") : "";
      return `${Math.abs(rate) < 1e-6 ? "zero" : shown(rate)}${end}`;
    })).replace(/,$/, "");
    const rates = found.lows.length > 1 ? "rates" : "rate";
    if (found.lows.some(([rate]) => Math.abs(rate) < 1e-6)) return `To leading order the loss is lowest at ${rates} ${at}: ${zero}.`;
    const gain = (100 * (1 - value / loss(s, steps, "leading", 0))).toPrecision(2);
    return `To leading order the loss is lowest at ${rates} ${at}: ${shown(value)}, ${gain} % below its value ${zero} at rate zero.`;
  };

  const said = (found, s, steps, reach) => {
    if (!regimeOf(s)) {
      const mean = found.infinite ? ", and the mean loss is infinite" : "";
      return `At p = n_v m neither formula holds${mean}: change n_v, m or p.`;
    }
    if (!found.leading.length) return "The formula has a pole at these sizes: change n_v, m or p.";
    const side = s.p > s.n_v * s.m ? "+" : MINUS;
    const main = {
      all: `At p = n_v m ${side} 1 the mean loss is infinite at every rate. The formulas, for large sizes, do not show this: their lowest point says nothing here.`,
      positive: `At these sizes the mean loss is infinite at every positive rate, which the formulas, for large sizes, do not show. ${found.infinite === "positive" ? where(found, s, steps, reach) : ""}`,
    }[found.infinite] || where(found, s, steps, reach);
    const missing = [
      found.next.length ? "" : noNext(s, steps, reach),
      found.exact.length ? "" : noExact(found, s, steps, reach),
      found.place ? "" : "simulations (stored at the sizes of the figures, for one inner step)",
    ].filter(Boolean);
    return `<strong>${main}</strong> ${missing.length ? `<span class="missing">Not drawn here: ${missing.join("; ")}.</span>` : ""}`;
  };

  const start = (root) => {
    const get = (kind) => root.querySelector(`.explorer-${kind}`);
    const state = { ...simulations[0].at };
    let steps = 1;
    let reach = simulations[0].reach;

    // what has a number: the sliders, the boxes beside them and the range of the rates
    const boxes = [...root.querySelectorAll("[data-parameter]"), get("reach")];
    const limits = (box) => bounds[box.dataset.parameter] || rates;
    const used = (box) => (box === get("reach") ? reach : state[box.dataset.parameter]);
    const take = (box, value) => {
      if (box === get("reach")) reach = value; else state[box.dataset.parameter] = value;
    };
    const note = (box, text) => { box.closest(".box").querySelector(".allowed").textContent = text; };

    const load = (text) => {
      const words = new URLSearchParams(text.replace(/^#/, ""));
      names.forEach((name) => {
        const value = Number(words.get(name));
        if (words.has(name) && Number.isFinite(value)) state[name] = taken(bounds[name], value);
      });
      const wanted = Number(words.get("inner_steps"));
      if ([...get("steps").options].some((option) => Number(option.text) === wanted)) steps = wanted;
      if (Number(words.get("reach")) > 0) reach = taken(rates, Number(words.get("reach")));
    };
    const address = () => `#${new URLSearchParams({ ...state, inner_steps: steps, reach }).toString()}`;

    // typing: the box that is being typed into, which is left alone until that is done
    const update = (keep, typing) => {
      boxes.filter((box) => box !== typing).forEach((box) => { box.value = used(box); });
      get("steps").value = String(steps);
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
      if (boxes.includes(target)) {
        if (!allowed(limits(target), target.value)) return;
        take(target, Number(target.value));
        note(target, "");
        update(true, target);
        return;
      }
      if (target === get("steps")) steps = Number(target.value);
      else if (target === get("place")) {
        const place = simulations.find((one) => one.title === target.value);
        if (place) choose(place);
      } else if (target === get("regime")) {
        choose(simulations.find((one) => regimeOf(one.at) === target.value));
      } else return;
      update(true);
    });
    // what was typed and is not allowed gives way to what is used, and the range is said
    const settle = ({ target }) => {
      if (!boxes.includes(target) || target.value === String(used(target))) return;
      const slider = limits(target);
      if (!allowed(slider, target.value)) {
        if (target.value !== "") take(target, taken(slider, Number(target.value)));
        const kind = slider.step === 1 ? "whole numbers" : "numbers";
        note(target, `${kind} from ${shown(slider.low)} to ${shown(slider.high)}: ${shown(used(target))} is used`);
      }
      update(true);
    };
    root.addEventListener("change", settle);
    root.addEventListener("focusout", settle);
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
  window.EXPLORER.infinite = infinite;
  document.querySelectorAll(".explorer").forEach(start);
})();
