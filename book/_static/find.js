// The search box: numbers of equations, names of steps, statements and the text of pages, from an index made with the book.
(() => {
  "use strict";
  const NUMBERS = { one: "1", two: "2", three: "3", four: "4", five: "5", six: "6" };
  const MOST = 12;
  // words that make a question and say nothing of what it is about
  const ASKING = new Set("a an and are do does for how i in into is it my of on right s the to what when where which why with wrong your".split(" "));
  const here = document.currentScript.src;
  const root = document.documentElement.dataset.content_root || "./";

  let loading;
  const index = () => {
    loading ||= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL("find-index.js", here).href;
      script.onload = () => done(window.FIND_INDEX.map((place) => ({ ...place, low: ` ${place.title} ${place.name.replaceAll("-", " ")} ${place.sought} `.toLowerCase(), lowText: ` ${place.text} `.toLowerCase() })));
      script.onerror = failed;
      document.head.append(script);
    });
    return loading;
  };

  const wordsOf = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}_^]+/gu, " ").trim().split(" ").filter(Boolean);
  const begins = (text, word) => {
    const at = text.search(new RegExp(`[^\\p{L}\\p{N}]${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "u"));
    return at < 0 && NUMBERS[word] ? begins(text, NUMBERS[word]) : at;
  };

  const meant = (query) => {
    const words = wordsOf(query);
    const telling = words.filter((word) => !ASKING.has(word));
    return telling.length ? telling : words;
  };

  // places in order of how well they fit
  const search = (places, query) => {
    const asked = query.trim().toLowerCase();
    const number = asked.match(/^\(?\s*(\d{1,3})\s*\)?$/) || asked.match(/(?:^|\s)(?:eqs?|equations?)\.?\s*\(?\s*(\d{1,3})\b/);
    if (number) {
      const exact = places.filter((place) => place.numbers.includes(number[1]));
      if (exact.length) return exact;
    }
    const named = asked.match(/\b(theorem|lemma|figure|fig)\b\s*[-.]?\s*(\d)\b/);
    const words = meant(asked);
    if (!words.length) return [];
    const phrase = words.join(" ");
    const scored = places.map((place) => {
      let score = 0;
      if (named) {
        const name = named[1].replace(/^fig$/, "figure");
        if (place.name === `${name}-${named[2]}`) score += 100;
        if (place.kind === "page" && place.name === `${name}${named[2]}`) score += 90;
      }
      let missed = 0;
      for (const word of words) {
        const [inTitle, inText] = [begins(place.low, word), begins(place.lowText, word)];
        missed += inTitle < 0 && inText < 0 ? 1 : 0;
        score += (inTitle >= 0 ? 10 : 0) + (inText >= 0 ? 2 : 0);
      }
      if (words.length > 1 && place.lowText.includes(phrase)) score += 12;
      if (place.low.includes(phrase)) score += 15;
      // a name in full, of which another name may be the beginning
      if (words.length > 1 && phrase === place.name.replaceAll("-", " ")) score += 120;
      if (place.kind === "page") score += 3;
      if (place.kind === "section") score += 2;
      return [score, score >= 90 ? 0 : missed, place];
    });
    // where no place has every word, those that have most of them
    const least = Math.min(...scored.map(([, missed]) => missed));
    if (least > words.length / 2) return [];
    return scored.filter(([, missed]) => missed === least).sort(([a], [b]) => b - a).map(([, , place]) => place);
  };

  const marked = (text, words) => {
    const found = document.createElement("span");
    const first = Math.min(...words.map((word) => { const at = begins(` ${text.toLowerCase()}`, word); return at < 0 ? Infinity : at; }));
    const from = Number.isFinite(first) ? Math.max(0, first - 50) : 0;
    const piece = `${from ? "… " : ""}${text.slice(from, from + 150)}${text.length > from + 150 ? " …" : ""}`;
    const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
    piece.split(new RegExp(`\\b(${pattern})`, "iu")).forEach((part, k) => {
      if (k % 2) found.append(Object.assign(document.createElement("mark"), { textContent: part }));
      else found.append(part);
    });
    return found;
  };

  const entry = (place, words) => {
    const link = document.createElement("a");
    link.href = root + place.url;
    const title = document.createElement("strong");
    title.textContent = place.title;
    const where = document.createElement("small");
    where.textContent = ` ${place.kind === "page" ? "page" : place.page}${place.proof ? ` · ${place.proof}` : ""}`;
    const excerpt = document.createElement("span");
    excerpt.className = "excerpt";
    excerpt.append(marked(place.text, words));
    link.append(title, where, excerpt);
    const item = document.createElement("li");
    item.append(link);
    return item;
  };

  let made = 0;
  const attach = (form) => {
    const input = form.querySelector("input[type=search]");
    const list = document.createElement("ul");
    made += 1;
    list.id = `found-${made}`;
    list.className = "found";
    list.setAttribute("aria-label", "What was found");
    form.after(list);
    input.setAttribute("aria-controls", list.id);
    input.placeholder = "92, theorem 2, Wishart, cite …";
    let latest = [];
    const show = async () => {
      const query = input.value;
      const places = await index();
      if (query !== input.value) return;
      latest = search(places, query);
      const rest = latest.length - MOST;
      list.replaceChildren(...latest.slice(0, MOST).map((place) => entry(place, meant(query))));
      if (!latest.length && query.trim()) list.append(Object.assign(document.createElement("li"), { textContent: "Nothing found: try a number, a name, or fewer words." }));
      if (rest > 0) list.append(Object.assign(document.createElement("li"), { textContent: `and ${rest} more: add a word.` }));
      list.dataset.query = query;
    };
    input.addEventListener("input", show);
    input.addEventListener("focus", () => { index(); if (input.value) show(); });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await show();
      if (latest.length) {
        form.closest("dialog")?.close();
        window.location.href = root + latest[0].url;
      }
    });
    const move = (event, by) => {
      const links = [...list.querySelectorAll("a")];
      const next = links[links.indexOf(document.activeElement) + by];
      event.preventDefault();
      (next || (by < 0 ? input : links[links.length - 1]))?.focus();
    };
    [input, list].forEach((part) => part.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") move(event, 1);
      if (event.key === "ArrowUp") move(event, -1);
    }));
    list.addEventListener("click", () => form.closest("dialog")?.close());
    const wanted = new URLSearchParams(window.location.search).get("q");
    if (wanted && !form.closest("dialog")) {
      input.value = wanted;
      show();
    }
  };

  // rows of the ledger by what they say and how they stand
  const filter = async (holder) => {
    const places = await index();
    const rows = [...document.querySelectorAll("table.ledger tbody tr")]
      .map((row) => [row, row.querySelector('a[href*="#step-"]')])
      .filter(([, link]) => link)
      .map(([row, link]) => [row, places.find((place) => place.name === link.hash.slice("#step-".length))])
      .filter(([, place]) => place);
    const choice = (name, key) => {
      const select = document.createElement("select");
      const values = [...new Set(rows.map(([, place]) => place[key]))];
      select.append(new Option("any", ""), ...values.map((value) => new Option(value, value)));
      const label = document.createElement("label");
      label.append(`${name} `, select);
      holder.append(label);
      return [key, select];
    };
    const input = Object.assign(document.createElement("input"), { type: "search", placeholder: "92, Wishart, remainder …" });
    const label = document.createElement("label");
    label.append("show ", input);
    holder.append(label);
    const choices = [choice("proof", "proof"), choice("number", "number"), choice("kind", "kind"), choice("page", "page")];
    const count = document.createElement("output");
    holder.append(count);
    const apply = () => {
      const fit = input.value.trim() ? new Set(search(places, input.value)) : undefined;
      let shown = 0;
      rows.forEach(([row, place]) => {
        row.hidden = (fit && !fit.has(place)) || choices.some(([key, select]) => select.value && place[key] !== select.value);
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = `${shown} of ${rows.length}`;
    };
    holder.addEventListener("input", apply);
    holder.addEventListener("submit", (event) => event.preventDefault());
    holder.hidden = false;
    apply();
  };

  window.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("form.bd-search").forEach(attach);
    document.querySelectorAll("form.finder").forEach(filter);
  });
})();
