// The report reads without this script; it adds the choice of axes, a filter of
// the cells, and buttons that copy a command.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const make = (tag, attributes = {}, ...content) => {
    const e = document.createElement(tag);
    Object.assign(e, attributes);
    e.append(...content);
    return e;
  };
  for (const e of document.querySelectorAll(".scripted")) e.hidden = false;

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const code = $(button.dataset.copy);
    let done = "copied";
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code); // a file: page may have no clipboard
      done = document.execCommand("copy") ? done : "selected";
    }
    button.textContent = done;
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });

  const filter = $("filter");
  if (filter) {
    const rows = [...$("cells").tBodies[0].rows];
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const name = row.dataset.name.toLowerCase();
        row.hidden = !words.every((w) => name.includes(w));
        if (!row.hidden) shown++;
      }
      $("shown").textContent = shown < rows.length ? `${shown} of ${rows.length} cells` : "";
    });
  }

  const choice = $("choice");
  if (!choice) return;
  const { axes, cells } = JSON.parse($("matrix").textContent);
  if (axes.length < 2 || cells.length === 0) { // nothing to choose, or too much to draw
    choice.hidden = true;
    return;
  }
  // A cell is [index of its value on each axis…, crashes, n, hangs, guest panics].
  const each = "each value", pooled = "pooled";
  const select = (label, options, value) => {
    const s = make("select", {}, ...options.map((o) => make("option", { value: o[0] }, o[1])));
    s.value = value;
    choice.append(make("label", {}, label + " ", s));
    s.addEventListener("change", draw);
    return s;
  };
  const names = axes.map((a, i) => [String(i), a.name]);
  const row = select("rows", names, choice.dataset.row);
  const column = select("columns", names, choice.dataset.column);
  const rest = axes.map((a, i) => select(a.name, [
    [each, "each value apart"], [pooled, "all values pooled"], ...a.values.map((v, k) => [String(k), "only " + v]),
  ], i in JSON.parse(choice.dataset.pooled) ? pooled : each));

  draw();

  function draw(event) {
    if (row.value === column.value) { // the other one makes room
      const other = event && event.target === row ? column : row;
      other.value = names.find((n) => n[0] !== other.value)[0];
    }
    const r = Number(row.value), c = Number(column.value);
    let panels = [[]];
    const without = [];
    rest.forEach((s, i) => {
      s.parentElement.hidden = i === r || i === c;
      if (i === r || i === c) return;
      if (s.value === pooled) { without.push(axes[i].name); return; }
      const values = s.value === each ? axes[i].values.map((_, k) => k) : [Number(s.value)];
      panels = panels.flatMap((p) => values.map((k) => [...p, [i, k]]));
    });
    const most = Number(choice.dataset.most);
    const cut = panels.length > most ? `; the first ${most} of ${panels.length} panels` : "";
    $("pooled").textContent = (without.length ? "pooled over " + without.join(", ") : "nothing is pooled") + cut;
    $("panels").replaceChildren(...panels.slice(0, most).map((p) => panel(r, c, p)));
  }

  function panel(r, c, fixed) {
    const sums = new Map();
    for (const cell of cells) {
      if (!fixed.every(([i, k]) => cell[i] === k)) continue;
      const key = cell[r] + " " + cell[c];
      const sum = sums.get(key) || [0, 0, 0, 0];
      sums.set(key, sum.map((x, i) => x + cell[axes.length + i]));
    }
    const table = make("table", { className: "heat" });
    if (fixed.length) table.append(make("caption", {}, fixed.map(([i, k]) => `${axes[i].name}=${axes[i].values[k]}`).join(" ")));
    const title = make("tr", {}, make("td", { className: "corner" }),
      make("th", { className: "axis", colSpan: axes[c].values.length }, axes[c].name));
    const head = make("tr", {}, make("th", { className: "axis" }, axes[r].name), ...axes[c].values.map((v) => make("th", {}, v)));
    const body = axes[r].values.map((v, i) =>
      make("tr", {}, make("th", {}, v), ...axes[c].values.map((_, k) => square(sums.get(i + " " + k)))));
    table.append(make("thead", {}, title, head), make("tbody", {}, ...body));
    return make("div", { className: "scroll" }, table);
  }

  function square(sum) {
    if (!sum) return make("td", { className: "none" }, "not in the matrix");
    const [crashes, n, hangs, panics] = sum;
    if (n === 0) return make("td", { className: "none" }, "no result");
    const td = make("td", { className: crashes ? "lev l" + Math.ceil(10 * crashes / n) : "" },
      make("b", {}, (100 * crashes / n).toFixed(1) + " %"), make("span", {}, `${crashes} of ${n}`));
    for (const [count, noun] of [[hangs, "hang"], [panics, "guest panic"]]) {
      if (count) td.append(make("br"), make("span", {}, `+ ${count} ${noun}${count > 1 ? "s" : ""}`));
    }
    return td;
  }
})();
