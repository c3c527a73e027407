function fill(track, tone, share) {
  const bar = add(add(track, "span", "ex-track"), "i", `ex-segment ex-tone-${tone}`);
  bar.style.width = `${100 * share}%`;
}

function makeRow(body, { name, detail, shares, texts, label, choice }, heads, tones) {
  const row = add(body, "tr", choice ? "ex-choice" : "ex-fixed");
  const title = add(row, "th", "");
  title.scope = "row";
  add(title, "b", "", name).title = name;
  add(title, "small", "", detail);
  const tracks = add(add(row, "td", ""), "span", "ex-anatomy-tracks");
  shares.forEach((share, i) => fill(tracks, tones[i], share));
  let cell = null;
  texts.forEach((text, i) => {
    if (heads[i + 2]) (cell = add(row, "td", "", text)).dataset.head = heads[i + 2];
    else add(cell, "small", "", ` ${text}`);
  });
  row.setAttribute("aria-label", label);
  if (choice) row.dataset.layer = choice;
  return row;
}

function render({ model, el }) {
  const box = add(el, "div", "ex-table-scroll");
  const table = add(box, "table", "ex-table");
  table.setAttribute("role", "grid");
  const head = add(add(table, "thead", ""), "tr", "");
  const body = add(table, "tbody", "");
  let choices = [];

  function build() {
    table.setAttribute("aria-label", model.get("label"));
    const heads = model.get("heads");
    head.replaceChildren();
    heads.filter(Boolean).forEach((text) => (add(head, "th", "", text).scope = "col"));
    body.replaceChildren();
    const tones = model.get("tones");
    const rows = model.get("rows").map((row) => makeRow(body, row, heads, tones));
    choices = rows.filter((row) => row.dataset.layer);
    box.tabIndex = choices.length ? -1 : 0;
    mark();
  }
  function mark() {
    const selected = model.get("selected");
    const here = choices.findIndex((row) => row.dataset.layer === selected);
    choices.forEach((row, i) => {
      row.setAttribute("aria-selected", i === here);
      row.tabIndex = i === Math.max(0, here) ? 0 : -1;
    });
  }
  function choose(row) {
    row.focus();
    model.send({ type: "select", layer: row.dataset.layer });
  }
  body.addEventListener("click", (event) => {
    const row = event.target.closest(".ex-choice");
    if (row) choose(row);
  });
  body.addEventListener("keydown", (event) => {
    const here = choices.indexOf(document.activeElement);
    const steps = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: choices.length - 1 };
    const next = choices[steps[event.key]];
    if (event.key in steps) event.preventDefault();
    if (next) choose(next);
  });
  model.on("change:version", build);
  model.on("change:selected", mark);
  build();
  return () => {
    model.off("change:version", build);
    model.off("change:selected", mark);
  };
}

export default { render };
