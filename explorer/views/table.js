function setRoles(table, heads, body) {
  table.setAttribute("role", "table");
  for (const part of [heads.parentNode, body]) part.setAttribute("role", "rowgroup");
  heads.setAttribute("role", "row");
}

function makeCell(row) {
  const first = !row.children.length;
  const cell = add(row, first ? "th" : "td", "");
  cell.setAttribute("role", first ? "rowheader" : "cell");
  if (first) cell.scope = "row";
}

function makeHead(row) {
  const head = add(row, "th", "");
  head.scope = "col";
  add(head, "i", "");
  add(head, "span", "");
}

function render({ model, el }) {
  const table = add(add(el, "div", "ex-table-scroll"), "table", "ex-table");
  const heads = add(add(table, "thead", ""), "tr", "");
  const body = add(table, "tbody", "");
  setRoles(table, heads, body);

  function draw() {
    const rows = model.get("rows");
    const titles = model.get("heads");
    table.setAttribute("aria-label", model.get("label"));
    table.parentNode.tabIndex = 0;
    el.classList.toggle("ex-empty", !rows.length);
    fit(heads, titles.length, makeHead);
    titles.forEach(([text, tone], i) => {
      const head = heads.children[i];
      const [swatch, word] = head.children;
      head.setAttribute("role", text ? "columnheader" : "cell");
      swatch.className = tone ? `ex-swatch ex-tone-${tone}` : "";
      put(word, text);
    });
    fit(body, rows.length, (parent) => add(parent, "tr", "").setAttribute("role", "row"));
    rows.forEach((cells, i) => {
      const row = body.children[i];
      fit(row, cells.length, makeCell);
      cells.forEach((text, j) => {
        put(row.children[j], text);
        if (j) row.children[j].dataset.head = titles[j][0];
      });
    });
  }
  model.on("change:version", draw);
  draw();
  return () => model.off("change:version", draw);
}

export default { render };
