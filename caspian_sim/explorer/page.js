"use strict";
// Levels stay whole tenths of a millimetre until they are shown; statistics are those of numpy, over the members.
(() => {
  const UNITS = 10000;
  const SHORT = 16;  // letters of a name that has room at the end of its line
  const at = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(at(id).textContent);
  const content = read("content");
  const words = content.words;
  const nth = (values, place) => values[place < 0 ? values.length + place : place];

  function say(key, values = {}) {
    return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  function number(value, digits, sign = false) {
    let text = value.toFixed(digits);
    if (Number(text) === 0) text = text.replace("-", "");
    else if (sign && value > 0) text = `+${text}`;
    return text.replace("-", "−");
  }

  function fail(text) {
    at("problem").textContent = text;
    at("problem").hidden = false;
  }

  // ---- levels: see encode.py ----

  async function unpacked() {
    const deflated = Uint8Array.from(atob(at("levels").textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    const members = content.members, years = content.years.length, count = members * years;
    let place = 0;
    function block() {
      const out = new Int32Array(count);
      for (let i = 0; i < count; i++) {
        const change = bytes[place + i] | (bytes[place + count + i] << 8)
          | (bytes[place + 2 * count + i] << 16) | (bytes[place + 3 * count + i] << 24);
        out[i] = i % years === 0 ? change : out[i - 1] + change;
      }
      place += 4 * count;
      return out;
    }
    return content.scenarios.map(() => {
      const bare = block();
      const programmes = content.programmes.map((programme) => {
        const run = block().map((departure, i) => bare[i] + departure);
        return programme.nodes.map((node) => {
          if (node === 0) return bare;
          if (node === 100) return run;
          return block().map((rest, i) => rest + bare[i] + Math.floor(((run[i] - bare[i]) * node) / 100));
        });
      });
      return { bare, programmes };
    });
  }

  function weights(percent, nodes) {
    return nodes.map((own) => nodes.reduce((part, other) =>
      other === own ? part : (part * (percent - other)) / (own - other), 1));
  }

  function levelsOf(scenario, programme, percent) {
    const nodes = content.programmes[programme].nodes, runs = levels[scenario].programmes[programme];
    const place = nodes.indexOf(percent);
    if (place >= 0) return runs[place];
    const part = weights(percent, nodes), out = new Float64Array(runs[0].length);
    for (let n = 0; n < runs.length; n++) for (let i = 0; i < out.length; i++) out[i] += part[n] * runs[n][i];
    return out;
  }

  function quantile(sorted, share) {
    const place = (sorted.length - 1) * share, below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
  }

  function statistics(values, points, threshold, minus = null) {
    const years = content.years.length, members = content.members, found = points.map(() => []), below = [];
    const column = new Float64Array(members);
    for (let y = 0; y < years; y++) {
      let count = 0;
      for (let m = 0; m < members; m++) {
        const i = m * years + y;
        column[m] = minus ? values[i] - minus[i] : values[i];
        if (column[m] < threshold) count++;
      }
      column.sort();
      points.forEach((share, p) => found[p].push(quantile(column, share) / UNITS));
      below.push((100 * count) / members);
    }
    return [...found, below];
  }

  // ---- what is chosen, and what follows from it ----

  function choice() {
    return {
      scenario: Number(at("scenario").value),
      programme: Number(at("programme").value),
      percent: Number(at("intensity").value),
      band: Number(at("band").value),
      threshold: Number(at("threshold").value),
      year: Number(at("year").value),
    };
  }

  function viewOf(chosen) {
    const points = [(1 - chosen.band) / 2, 0.5, (1 + chosen.band) / 2];
    const limit = Math.round(chosen.threshold * UNITS);
    const run = levelsOf(chosen.scenario, chosen.programme, chosen.percent);
    const bare = levels[chosen.scenario].bare;
    const [low, median, high, below] = statistics(run, points, limit);
    const [none_low, none_median, none_high, none_below] = statistics(bare, points, limit);
    const cm = statistics(run, points, 0, bare).slice(0, 3).map((row) => row.map((value) => 100 * value));
    return {
      year: content.years, low, median, high, below, none_low, none_median, none_high, none_below,
      gain_low: cm[0], gain_median: cm[1], gain_high: cm[2],
    };
  }

  function firstLikely(below) {
    const place = below.findIndex((share) => share >= 50);
    return place < 0 ? null : content.years[place];
  }

  // ---- page ----

  function element(tag, text = "", more = {}) {
    const made = document.createElement(tag);
    made.textContent = text;
    Object.entries(more).forEach(([name, value]) => made.setAttribute(name, value));
    return made;
  }

  function entry(id, title, big, value, small = []) {
    const strong = element("strong", big, { id, "data-value": value });
    const dd = element("dd");
    dd.append(strong, ...small.map((part) => element("div", part.text, part.more ?? {})));
    const pair = element("div");
    pair.append(element("dt", title), dd);
    return pair;
  }

  function names(chosen) {
    const percent = chosen.percent;
    return {
      scenario: content.scenarios[chosen.scenario], programme: content.programmes[chosen.programme].name,
      none: content.none, percent, share: Math.round(100 * chosen.band), level: number(chosen.threshold, 1),
      year: chosen.year, first: content.record.year[0], now: nth(content.record.year, -1),
      last: nth(content.years, -1),
    };
  }

  function writeNumbers(view, chosen, call) {
    const y = content.years.indexOf(chosen.year);
    const metre = (value) => number(value, 2), never = say("numbers.first.never", call);
    const measures = content.programmes[chosen.programme].acts;
    const between = (low, high, digits, id, sign = false) => ({
      text: say("numbers.between", { ...call, low: number(low, digits, sign), high: number(high, digits, sign) }),
      more: { id, "data-low": low, "data-high": high },
    });
    const bare = (value, id, raw) => ({ text: say("numbers.none", { ...call, value }), more: { id, "data-value": raw } });
    const first = firstLikely(view.below), bareFirst = firstLikely(view.none_below);
    const of = (value) => value === null ? never : String(value);
    at("numbers-title").textContent = say("numbers", call);
    const rows = [
      entry("median", say("numbers.level", { name: call.programme }), say("numbers.range", { median: metre(view.median[y]) }),
        view.median[y], [between(view.low[y], view.high[y], 2, "range")]),
      entry("below-number", say("numbers.below", call), say("numbers.below.value", { percent: number(view.below[y], 0) }),
        view.below[y], measures ? [bare(say("numbers.below.value", { percent: number(view.none_below[y], 0) }), "none-below", view.none_below[y])] : []),
      entry("first", say("numbers.first"), of(first), first ?? "",
        measures ? [bare(of(bareFirst), "none-first", bareFirst ?? "")] : []),
    ];
    if (measures) rows.push(
      entry("none-median", say("numbers.level", { name: call.none }), say("numbers.range", { median: metre(view.none_median[y]) }),
        view.none_median[y], [between(view.none_low[y], view.none_high[y], 2, "none-range")]),
      entry("gain-number", say("numbers.gain"), say("numbers.gain.value", { median: number(view.gain_median[y], 0, true) }),
        view.gain_median[y], [between(view.gain_low[y], view.gain_high[y], 0, "gain-range", true)]));
    at("numbers").replaceChildren(...rows);
    at("caveat").textContent = say("caveat", { ...call, ...content.programmes[chosen.programme].assumed });
    clearTimeout(writeNumbers.later);
    const text = say("status", { ...call, median: metre(view.median[y]), low: metre(view.low[y]), high: metre(view.high[y]), below: number(view.below[y], 0) });
    writeNumbers.later = setTimeout(() => { at("status").textContent = text; }, 700);
  }

  function swatch(kind, colour) {
    const line = (dash) => `<line x1="0" y1="7" x2="28" y2="7" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"/>`;
    const inside = kind === "band"
      ? `<rect x="0.5" y="1.5" width="27" height="11" fill="${colour}" fill-opacity="0.25" stroke="${colour}"/>`
      : line(kind === "dashed" ? "6 4" : "");
    return `<svg width="28" height="14" aria-hidden="true">${inside}</svg>`;
  }

  function legend(id, rows) {
    at(id).replaceChildren(...rows.map(([kind, colour, text]) => {
      const item = element("li");
      item.innerHTML = swatch(kind, colour);
      item.append(text);
      return item;
    }));
  }

  function rowsOf(view, which) {
    return which.map((y) => [
      content.years[y], number(view.median[y], 2), `${number(view.low[y], 2)} … ${number(view.high[y], 2)}`,
      number(view.none_median[y], 2), number(view.gain_median[y], 0, true), number(view.below[y], 0),
    ]);
  }

  function writeTable(view, call, chosen) {
    const tens = content.years.map((year, y) => y).filter((y) => content.years[y] % 10 === 0 || y === content.years.length - 1);
    const head = ["year", "level", "range", "none", "gain", "below"].map((key) => element("th", say(`table.${key}`, call), { scope: "col" }));
    const limits = { low: Math.round(50 * (1 - chosen.band)), high: Math.round(50 * (1 + chosen.band)) };
    const thead = element("thead"), tbody = element("tbody"), first = element("tr");
    first.append(...head);
    thead.append(first);
    rowsOf(view, tens).forEach((cells) => {
      const row = element("tr");
      row.append(...cells.map((cell, i) => i === 0 ? element("th", cell, { scope: "row" }) : element("td", cell)));
      tbody.append(row);
    });
    at("table").replaceChildren(element("caption", say("table.caption", { ...call, ...limits })), thead, tbody);
  }

  function csv() {
    const chosen = choice(), view = viewOf(chosen), call = names(chosen);
    const columns = Object.keys(view);
    const head = [`# ${content.title}`, `# ${call.scenario}, ${call.programme}, ${call.percent} %; threshold ${chosen.threshold} m BHS; range ${call.share} %`,
      ...content.about.map((text) => `# ${text}`),
      columns.map((name) => content.columns[name]).join(",")];
    const digits = (name) => name === "year" ? 0 : /gain|below/.test(name) ? 2 : 4;
    const rows = content.years.map((_, y) => columns.map((name) => view[name][y].toFixed(digits(name))).join(","));
    return [...head, ...rows].join("\n") + "\n";
  }

  function model(name) {
    for (const document of Bokeh.documents) {
      const found = document.get_model_by_name(name);
      if (found) return found;
    }
    throw new Error(`no model ${name}`);
  }

  function place(labels, range, height, room) {
    // Labels at the end of the lines, apart from each other.
    const [upper, lower] = labels[0].value >= labels[1].value ? labels : [labels[1], labels[0]];
    const apart = ((upper.value - lower.value) * height) / (range.end - range.start);
    const push = Math.max(0, (room - apart) / 2);
    [[upper, push], [lower, -push]].forEach(([label, offset]) => {
      label.model.setv({ y: label.value, y_offset: offset, text: label.text, visible: label.shown });
    });
  }

  function fit(narrow) {
    const span = nth(content.years, -1) - content.record.year[0];
    const width = at("fan").clientWidth - 62, pad = narrow ? 76 : 132;
    model("fan").x_range.end = nth(content.years, -1) + (span * pad) / Math.max(width - pad, 100);
    const ahead = nth(content.years, -1) - content.years[0];
    for (const name of ["below", "gain"])
      model(name).x_range.end = nth(content.years, -1) + (ahead * pad) / Math.max(width - pad, 100);
  }

  let levels, pending = false;

  function redraw() {
    pending = false;
    const chosen = choice(), call = names(chosen), view = viewOf(chosen), programme = content.programmes[chosen.programme];
    const colour = content.colours[chosen.scenario], narrow = at("fan").clientWidth < 600;
    at("intensity-value").textContent = say(programme.nodes.length > 1 ? "intensity.value" : programme.acts ? "intensity.fixed" : "intensity.only", call);
    at("threshold-value").textContent = say("threshold.value", call);
    at("year-value").textContent = say("year.value", call);
    at("intensity").setAttribute("aria-valuetext", at("intensity-value").textContent);
    at("threshold").setAttribute("aria-valuetext", at("threshold-value").textContent);
    writeNumbers(view, chosen, call);
    writeTable(view, call, chosen);
    at("below-title").textContent = say("below", call);
    const rows = [["line", "#1a1a1a", say("legend.observed")], ["line", colour, say("legend.median", call)], ["band", colour, say("legend.band", call)]];
    if (programme.acts) rows.push(["dashed", "#595959", say("legend.none", call)]);
    legend("fan-legend", rows);
    fit(narrow);
    for (const chart of ["fan", "below", "gain"]) {
      model(`${chart}_line`).glyph.line_color = colour;
      for (const what of ["band", "low", "high"]) {
        const found = chart === "below" ? null : model(`${chart}_${what}`);
        if (found && what === "band") found.glyph.fill_color = colour;
        else if (found) found.glyph.line_color = colour;
      }
      model(`${chart}_year`).location = chosen.year;
      model(`${chart}_course`).data = view;
    }
    for (const name of ["fan_none", "fan_none_low", "fan_none_high", "below_none"]) model(name).visible = programme.acts;
    model("fan_threshold").location = chosen.threshold;
    model("fan_threshold_label").setv({ y: chosen.threshold, text: say("threshold.label", call) });
    const end = (name, text) => narrow ? text : say("end", { name, value: text });
    const run = call.programme.length <= SHORT ? call.programme : say("intensity.value", call);
    const room = narrow ? 15 : 32;
    const last = (name, count) => number(nth(view[name], -1), count);
    place([
      { model: model("fan_end"), value: nth(view.median, -1), text: end(run, `${last("median", 2)} m`), shown: true },
      { model: model("fan_none_end"), value: nth(view.none_median, -1), text: end(call.none, `${last("none_median", 2)} m`), shown: programme.acts },
    ], model("fan").y_range, model("fan").height - 60, programme.acts ? room : 0);
    place([
      { model: model("below_end"), value: nth(view.below, -1), text: end(run, `${last("below", 0)} %`), shown: true },
      { model: model("below_none_end"), value: nth(view.none_below, -1), text: end(call.none, `${last("none_below", 0)} %`), shown: programme.acts },
    ], model("below").y_range, model("below").height - 60, programme.acts ? room : 0);
    model("gain_end").setv({ y: nth(view.gain_median, -1), text: `${number(nth(view.gain_median, -1), 0, true)} cm` });
    at("fan").setAttribute("aria-label", say("fan.alt", { ...call, median: last("median", 2), low: last("low", 2), high: last("high", 2), none_median: last("none_median", 2) }));
    at("below").setAttribute("aria-label", say("below.alt", { ...call, below: last("below", 0), none_below: last("none_below", 0) }));
    at("gain").setAttribute("aria-label", say("gain.alt", { ...call, median: last("gain_median", 0), low: last("gain_low", 0), high: last("gain_high", 0) }));
    at("gain").parentElement.hidden = !programme.acts;
  }

  function soon() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(redraw);
  }

  let dialled = 100;

  function turn() {
    // A programme is looked at at the intensities that it was run at, or anywhere between them.
    const programme = content.programmes[Number(at("programme").value)], dial = at("intensity");
    const fixed = programme.nodes.length === 1;
    Object.assign(dial, { min: programme.nodes[0], max: nth(programme.nodes, -1), step: programme.step, disabled: fixed });
    dial.value = fixed ? 100 : dialled;
  }

  async function start() {
    if (!("DecompressionStream" in window)) return fail(words.old_browser);
    const fill = (id, names, chosen) => at(id).replaceChildren(...names.map(([value, text]) => {
      const option = element("option", text, { value });
      option.selected = value === chosen;
      return option;
    }));
    fill("scenario", content.scenarios.map((name, i) => [i, name]), content.first.scenario);
    fill("programme", content.programmes.map((each, i) => [i, each.name]), content.first.programme);
    fill("band", content.bands.map((band) => [band, say("band.value", {
      share: Math.round(100 * band), low: Math.round(50 * (1 - band)), high: Math.round(50 * (1 + band)),
    })]), content.first.band);
    Object.assign(at("threshold"), { min: content.range[0], max: content.range[1], step: 0.1 });
    at("threshold").value = content.first.threshold;
    Object.assign(at("year"), { min: content.years[0], max: nth(content.years, -1), step: 1 });
    at("year").value = content.first.year;
    turn();
    levels = await unpacked();
    for (const item of read("charts")) await Bokeh.embed.embed_item(item, item.target_id);
    redraw();
    at("controls").addEventListener("input", (event) => {
      if (event.target.id === "intensity") dialled = Number(event.target.value);
      if (event.target.id === "programme") turn();
      soon();
    });
    at("controls").addEventListener("submit", (event) => event.preventDefault());
    at("save").addEventListener("click", () => {
      const link = element("a", "", { download: "explorer.csv", href: URL.createObjectURL(new Blob(["\ufeff", csv()], { type: "text/csv" })) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
    new ResizeObserver(soon).observe(at("fan"));
    document.documentElement.dataset.ready = "yes";
  }

  start().catch((error) => fail(String(error)));
})();
