// The search box: numbers of equations, names of steps, statements and the text of pages, from an index made with the book.
(() => {
  "use strict";
  const MOST = 12;
  // an interval of equations longer than this is taken for something else
  const LONGEST_RANGE = 40;
  const NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight"];
  const words = (text) => text.split(" ");
  // words that make a question and say nothing of what it is about; `wrong` is meant where nothing else is asked for
  const ASKING = new Set(words("a an and are can do does for how i in into is it my of on right s should the there to what when where which why with wrong your"));
  const SHORT = { thm: "theorem", thms: "theorem", theorems: "theorem", lem: "lemma", lemmas: "lemma", fig: "figure", figs: "figure", figures: "figure", eqn: "equation", eqns: "equation", nn: "network", lr: "rate" };
  const ABBREVIATED = new RegExp(`\\b(${Object.keys(SHORT).join("|")})\\b(?:\\.(?=\\s|\\d))?`, "g");
  // what the book calls it: words of readers on the right
  const SAME = Object.entries({
    errata: "erratum typo typos misprint misprints mistake mistakes wrong incorrect slip corrigendum correction corrections corrected",
    optimal: "better best optimum",
    best: "better optimal optimum",
    loss: "error risk mse objective",
    pseudoinverse: "pinv moore",
    mean: "expectation expected average",
    gaussian: "normal",
    covariance: "correlated anisotropic",
    law: "distribution",
    simulation: "experiment empirical",
    noise: "noisy",
    rate: "stepsize",
    numbers: "values",
    download: "csv export save",
    data: "csv dataset datasets",
  }).reduce((same, [word, others]) => words(others).reduce((all, other) => ({ ...all, [other]: [...(all[other] || []), word] }), same), {});
  const PHRASES = [[/\bstep[- ]sizes?\b/g, "rate"], [/\b(?:generali[sz]ation|test) error\b/g, "test loss"]];
  const GREEK = Object.fromEntries(words("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho _ sigma tau upsilon phi chi psi omega").map((name, k) => [name, String.fromCodePoint(0x3b1 + k)]));
  const NAMES = Object.fromEntries(Object.entries(GREEK).map(([name, letter]) => [letter, name]));
  const LOW = ["₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789aehijklmnoprstuvx", "_"];
  const HIGH = ["⁰¹²³⁴⁵⁶⁷⁸⁹ᵀᵗᵛʳˢ", "0123456789Ttvrs", "^"];
  const here = document.currentScript.src;
  const root = document.documentElement.dataset.content_root || "./";

  const EMPTY = { title: "", text: "", sought: "", page: "", numbers: [], name: "", proof: "", number: "" };
  const readied = (place) => ({
    ...place,
    low: ` ${place.title} ${place.name} ${place.name.replaceAll("-", " ")} ${place.sought} `.toLowerCase(),
    lowText: ` ${place.text} `.toLowerCase(),
    verdicts: ` ${place.proof} ${place.number} `,
  });
  let loading;
  const index = () => {
    loading ||= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL("find-index.js", here).href;
      script.onload = () => done(window.FIND_INDEX.map((place) => readied({ ...EMPTY, ...place })));
      script.onerror = failed;
      document.head.append(script);
    });
    return loading;
  };

  // as the index has it: small letters, indices and powers behind `_` and `^`, one kind of hyphen, one of numbers up to eight
  const folded = (query) => {
    const set = [LOW, HIGH].reduce((text, [letters, plain, sign]) => text.replace(new RegExp(`[${letters}]`, "gu"), (letter) => sign + plain[letters.indexOf(letter)]), query);
    const low = set.normalize("NFC").toLowerCase().replace(/[‐‑–—−]/g, "-").replace(ABBREVIATED, (_, word) => SHORT[word]);
    return PHRASES.reduce((text, [said, meant]) => text.replace(said, meant), low).trim();
  };
  const wordsOf = (text) => text.replace(/[^\p{L}\p{N}_^-]+/gu, " ").split(" ").map((word) => word.replace(/^-+|-+$/g, "")).filter(Boolean);

  // One word however it is spelt: with or without hyphens, -ise and -ize, -our and -or, -metr- and -meter-, one l or two, alpha_t and
  // α_t, three and 3, in the plural or not.
  const spelt = (word) => {
    if (/^\d+$/.test(word)) return NUMBERS[word] ? `(?:${word}(?!\\d)|${NUMBERS[word]})` : word;
    if (NUMBERS.includes(word)) return spelt(String(NUMBERS.indexOf(word)));
    const long = word.replace(/[^\p{L}]/gu, "").length > 3;
    const parts = word.split(/([-_^])/).map((part) => {
      if (part === "-") return "[-\\s]?";
      if (part === "_" || part === "^") return `\\${part}`;
      const letter = GREEK[part] || part;
      if (NAMES[letter]) return `(?:${letter}|${NAMES[letter]})`;
      if (!/^\p{L}+$/u.test(part) || part.length < 4) return part;
      const ending = /[^s]s$/.test(part) ? part.slice(0, -1) : part;
      const tokens = ending
        .replace(/mete?r/g, "met\u0001r")
        .replace(/([iy])[sz](?=e|i|a|$)/g, "$1\u0002")
        .replace(/([a-z]{2})ou?r(?=$|s|ed|al)/g, "$1o\u0003r")
        .replace(/ll?(?=ed$|ing$|er$)/g, "\u0004");
      const forms = { "\u0001": "e?", "\u0002": "[sz]", "\u0003": "u?", "\u0004": "ll?" };
      return [...tokens].map((sign) => forms[sign] || sign).join("-?").replace(/-\?(e\?|u\?)-\?/g, "$1").concat(ending === part ? "" : "s?");
    });
    // a name of a setting is several words
    return parts.join("").replaceAll("\\_", long && !/_.{0,1}$/.test(word) ? "[-_\\s]" : "_");
  };
  // what finds a word in a text, and what finds others that mean the same
  const sought = (word) => {
    const beginning = (one) => new RegExp(`[^\\p{L}\\p{N}]${spelt(one)}`, "u");
    return { word, said: beginning(word), meant: (SAME[word] || []).map(beginning), parts: word.includes("-") ? word.split("-").map(beginning) : [] };
  };
  const begins = (text, one) => {
    const at = text.search(one.said);
    if (at >= 0) return at;
    // two names of one law may have an `and` between them
    const parts = one.parts.map((part) => text.search(part));
    if (parts.length && !parts.includes(-1)) return Math.min(...parts);
    return Math.max(-1, ...one.meant.map((other) => text.search(other)));
  };

  const meant = (query) => {
    const asked = wordsOf(folded(query));
    const telling = asked.filter((word) => !ASKING.has(word));
    const known = asked.filter((word) => SAME[word]);
    return (telling.length ? telling : known.length ? known : asked).map(sought);
  };

  // the numbers of equations that are asked for: one, several, from one to another
  const numbersIn = (asked) => {
    const list = "\\(?\\s*\\d{1,3}\\s*\\)?(?:\\s*(?:,|&|-|and|to|,\\s*and)\\s*\\(?\\s*\\d{1,3}\\b\\s*\\)?)*";
    const found = asked.match(new RegExp(`^(${list})$`)) || asked.match(new RegExp(`(?:^|\\s)(?:eqs?|equations?)\\.?\\s*(${list})(?!\\d)`));
    if (!found) return [];
    return [...found[1].matchAll(/(\d+)(?:\s*\)?\s*(?:-|to)\s*\(?\s*(\d+))?/g)].flatMap(([, from, to]) => {
      const more = to ? Number(to) - Number(from) : 0;
      return more >= 0 && more < LONGEST_RANGE ? Array.from({ length: more + 1 }, (_, k) => String(Number(from) + k)) : [from, to];
    });
  };

  // places in order of how well they fit
  const search = (places, query) => {
    const asked = folded(query);
    const exact = [...new Set(numbersIn(asked).flatMap((number) => places.filter((place) => place.numbers.includes(number))))];
    if (exact.length) return exact;
    const named = asked.match(/\b(theorem|lemma|figure)\b\s*[-.]?\s*(\d|one|two|three|four|five|six)\b/);
    const name = named && [named[1], NUMBERS.includes(named[2]) ? NUMBERS.indexOf(named[2]) : named[2]];
    const looked = meant(query);
    if (!looked.length) return [];
    const phrase = looked.map(({ word }) => word).join(" ");
    const scored = places.map((place) => {
      let score = 0;
      if (name) {
        if (place.name === name.join("-")) score += 100;
        if (place.kind === "page" && place.name === name.join("")) score += 90;
      }
      let missed = 0;
      for (const one of looked) {
        const [inTitle, inText] = [begins(place.low, one), begins(place.lowText, one)];
        // a verdict is asked for by its name
        const stands = one.said.test(place.verdicts);
        missed += inTitle < 0 && inText < 0 && !stands ? 1 : 0;
        score += (inTitle >= 0 ? (one.said.test(place.low) ? 10 : 9) : 0) + (inText >= 0 ? (one.said.test(place.lowText) ? 2 : 1) : 0) + (stands ? 14 : 0);
      }
      if (looked.length > 1 && place.lowText.includes(phrase)) score += 12;
      if (place.low.includes(phrase)) score += 15;
      // a name in full, of which another name may be the beginning
      if (/[- ]/.test(phrase) && phrase.replaceAll("-", " ") === place.name.replaceAll("-", " ")) score += 120;
      if (place.kind === "page") score += 3;
      if (place.kind === "section") score += 2;
      return [score, score >= 90 ? 0 : missed, place];
    });
    // where no place has every word, those that have most of them
    const least = Math.min(...scored.map(([, missed]) => missed));
    if (least > looked.length / 2) return [];
    return scored.filter(([, missed]) => missed === least).sort(([a], [b]) => b - a).map(([, , place]) => place);
  };

  const marked = ({ text, low }, looked) => {
    const found = document.createElement("span");
    // what a title answers is told from its beginning
    const first = looked.every((one) => begins(low, one) >= 0) ? 0 : Math.min(...looked.map((one) => { const at = begins(` ${text.toLowerCase()}`, one); return at < 0 ? Infinity : at; }));
    // from the beginning of a word
    const from = Number.isFinite(first) && first > 50 ? text.indexOf(" ", first - 50) + 1 : 0;
    const piece = `${from ? "… " : ""}${text.slice(from, from + 150)}${text.length > from + 150 ? " …" : ""}`;
    const pattern = looked.flatMap(({ word }) => [word, ...word.split("-"), ...(SAME[word] || [])]).map(spelt).join("|");
    piece.split(new RegExp(`(?<![\\p{L}\\p{N}])(${pattern})`, "iu")).forEach((part, k) => {
      if (k % 2) found.append(Object.assign(document.createElement("mark"), { textContent: part }));
      else found.append(part);
    });
    return found;
  };

  const entry = (place, looked) => {
    const link = document.createElement("a");
    link.href = root + place.url;
    const title = document.createElement("strong");
    title.textContent = place.title;
    const where = document.createElement("small");
    where.textContent = ` ${place.kind === "page" ? "page" : place.page}${place.proof ? ` · ${place.proof}` : ""}`;
    const excerpt = document.createElement("span");
    excerpt.className = "excerpt";
    excerpt.append(marked(place, looked));
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

  // rows of the ledger by what they show, what their cards say and how they stand
  const filter = async (holder) => {
    const places = await index();
    const rows = [...document.querySelectorAll("table.ledger tbody tr")]
      .map((row) => [row, row.querySelector('a[href*="#step-"]')])
      .filter(([, link]) => link)
      .map(([row, link]) => [row, places.find((place) => place.name === link.hash.slice("#step-".length))])
      .filter(([, place]) => place)
      .map(([row, place]) => {
        // the badges with what they say when pointed at
        const shown = [...[...row.cells].map((cell) => cell.textContent), ...[...row.querySelectorAll("[aria-label]")].map((badge) => badge.getAttribute("aria-label")), ...[...row.querySelectorAll(".status")].map((badge) => badge.className)];
        return [row, { ...place, lowText: ` ${shown.join(" ").toLowerCase()} ${place.lowText}` }];
      });
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
    const choices = [choice("proof", "proof"), choice("sampling", "number"), choice("kind", "kind"), choice("page", "page")];
    const count = document.createElement("output");
    const clear = Object.assign(document.createElement("button"), { type: "reset", textContent: "Show all rows" });
    holder.append(count, clear);
    const table = rows[0]?.[0].closest("table");
    const apply = () => {
      const fit = input.value.trim() ? new Set(search(rows.map(([, place]) => place), input.value)) : undefined;
      let shown = 0;
      rows.forEach(([row, place]) => {
        row.hidden = (fit && !fit.has(place)) || choices.some(([key, select]) => select.value && place[key] !== select.value);
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = shown || !rows.length ? `${shown} of ${rows.length}` : `No row of ${rows.length} matches all of this: take something back, or`;
      clear.hidden = shown === rows.length;
      // a head without rows says nothing
      if (table) table.hidden = !shown;
    };
    holder.addEventListener("input", apply);
    // the fields are cleared after the event
    holder.addEventListener("reset", () => setTimeout(() => { apply(); input.focus(); }));
    holder.addEventListener("submit", (event) => event.preventDefault());
    holder.hidden = false;
    apply();
  };

  window.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("form.bd-search").forEach(attach);
    document.querySelectorAll("form.finder").forEach(filter);
  });
})();
