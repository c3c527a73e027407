function makeHead(row) {
  add(row, "th", "").scope = "col";
}

function makeCell(row) {
  if (row.children.length) add(row, "td", "");
  else add(row, "th", "").scope = "row";
}

function drawCell(cell, [text, part, tone], truth, answer) {
  put(cell, text);
  cell.className = `ex-confusion-${tone}${part > 0.5 ? " ex-deep" : ""}`;
  cell.style.setProperty("--ex-part", `${100 * part}%`);
  cell.title = `${truth} taken for ${answer}: ${text || 0}`;
}

function render({ model, el }) {
  const table = add(add(el, "div", "ex-table-scroll"), "table", "ex-confusion-table");
  const heads = add(add(table, "thead", ""), "tr", "");
  const body = add(table, "tbody", "");

  function draw() {
    const names = model.get("names");
    const cells = model.get("cells");
    table.setAttribute("aria-label", model.get("label"));
    table.parentNode.tabIndex = 0;
    fit(heads, names.length + 1, makeHead);
    put(heads.children[0], "answer \u2192\ntruth \u2193");
    names.forEach((name, j) => put(heads.children[j + 1], name));
    fit(body, names.length, (parent) => add(parent, "tr", ""));
    names.forEach((name, i) => {
      const row = body.children[i];
      fit(row, names.length + 1, makeCell);
      put(row.children[0], name);
      cells[i].forEach((cell, j) => drawCell(row.children[j + 1], cell, name, names[j]));
    });
  }
  model.on("change:version", draw);
  draw();
  return () => model.off("change:version", draw);
}

export default { render };
