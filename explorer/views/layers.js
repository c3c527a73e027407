function bar(parent) {
  const cell = add(parent, "span", "ex-bar-cell");
  const fill = add(add(cell, "span", "ex-bar"), "i", "ex-fill");
  return { fill, text: add(cell, "span", "ex-bar-text") };
}

function makeRow(list, name) {
  const row = add(list, "div", "ex-layer");
  row.setAttribute("role", "option");
  row.dataset.layer = name;
  const title = add(row, "span", "ex-layer-name");
  add(title, "b", "", name).title = name;
  const shape = add(title, "small", "");
  const parts = { row, shape, kept: bar(row), size: bar(row) };
  parts.note = add(row, "small", "ex-layer-note");
  return parts;
}

function drawRow(parts, [kept, keptText, left, sizeText, label, shape, note]) {
  parts.kept.fill.style.width = `${100 * kept}%`;
  parts.size.fill.style.width = `${100 * Math.min(1, left)}%`;
  parts.size.fill.classList.toggle("ex-over", left > 1);
  put(parts.kept.text, keptText);
  put(parts.size.text, sizeText);
  put(parts.shape, shape);
  parts.shape.title = shape;
  put(parts.note, note);
  parts.note.hidden = !note;
  parts.row.setAttribute("aria-label", label);
}

function render({ model, el }) {
  const header = add(el, "div", "ex-layer-head");
  ["Layer", "Weights kept", "Bytes left"].forEach((text) => add(header, "span", "", text));
  const list = add(el, "div", "ex-layer-list");
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Layers: choose the one that the close-up views show");
  let rows = [];

  function build() {
    list.replaceChildren();
    rows = model.get("names").map((name) => makeRow(list, name));
    draw();
    mark();
  }
  function draw() {
    const values = model.get("rows");
    rows.forEach((parts, i) => values[i] && drawRow(parts, values[i]));
  }
  function mark() {
    const chosen = Math.max(0, model.get("names").indexOf(model.get("selected")));
    rows.forEach(({ row }, i) => {
      row.setAttribute("aria-selected", i === chosen);
      row.tabIndex = i === chosen ? 0 : -1;
    });
  }
  function choose(row) {
    row.focus();
    model.send({ type: "select", layer: row.dataset.layer });
  }
  list.addEventListener("click", (event) => {
    const row = event.target.closest(".ex-layer");
    if (row) choose(row);
  });
  list.addEventListener("keydown", (event) => {
    const here = rows.findIndex(({ row }) => row === document.activeElement);
    const steps = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 };
    const next = rows[steps[event.key]];
    if (event.key in steps) event.preventDefault();
    if (next) choose(next.row);
  });
  model.on("change:names", build);
  model.on("change:rows", draw);
  model.on("change:selected", mark);
  build();
  return () => {
    model.off("change:names", build);
    model.off("change:rows", draw);
    model.off("change:selected", mark);
  };
}

export default { render };
