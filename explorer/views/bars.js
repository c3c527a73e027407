const SCROLLING = ["ex-bars-scroll", "ex-bars-classes"];

function makeRow(list) {
  const row = add(list, "div", "ex-bars-row");
  row.setAttribute("role", "listitem");
  const name = add(row, "span", "ex-bars-name");
  add(name, "b", "");
  add(name, "small", "");
  add(row, "span", "ex-bars-tracks");
}

function drawTrack(track, segments) {
  fit(track, segments.length, (parent) => add(parent, "i", ""));
  segments.forEach(([start, length, tone], i) => {
    const segment = track.children[i];
    segment.className = `ex-segment ex-tone-${tone}`;
    segment.style.left = `${100 * start}%`;
    segment.style.width = `${100 * length}%`;
  });
}

function drawRow(row, { name, detail, tracks, texts, label }) {
  const [title, cell] = row.children;
  title.hidden = !name && !detail;
  put(title.children[0], name);
  put(title.children[1], detail);
  fit(cell, tracks.length, (parent) => add(parent, "span", "ex-track"));
  tracks.forEach((segments, i) => drawTrack(cell.children[i], segments));
  fit(row, 2 + texts.length, (parent) => add(parent, "span", "ex-bars-text"));
  texts.forEach((text, i) => put(row.children[2 + i], text));
  row.setAttribute("aria-label", label);
}

function drawKey(key, [tone, name, text]) {
  const [swatch, word, number] = key.children;
  swatch.className = `ex-swatch ex-tone-${tone}`;
  put(word, name);
  put(number, text);
}

function makeKey(legend) {
  const key = add(legend, "span", "");
  ["i", "span", "b"].forEach((tag) => add(key, tag, ""));
}

function render({ model, el }) {
  const heads = add(el, "div", "ex-bars-head");
  heads.setAttribute("aria-hidden", "true");
  const list = add(el, "div", "ex-bars-list");
  list.setAttribute("role", "list");
  if (model.get("_dom_classes").some((name) => SCROLLING.includes(name))) list.tabIndex = 0;
  const legend = add(el, "div", "ex-legend ex-keys");

  function draw() {
    const rows = model.get("rows");
    const titles = model.get("heads");
    el.style.setProperty("--ex-texts", Math.max(0, ...rows.map((row) => row.texts.length)));
    heads.hidden = !titles.length;
    fit(heads, titles.length, (parent) => add(parent, "span", ""));
    titles.forEach((text, i) => put(heads.children[i], text));
    list.setAttribute("aria-label", model.get("label"));
    fit(list, rows.length, makeRow);
    rows.forEach((row, i) => drawRow(list.children[i], row));
    const keys = model.get("legend");
    legend.hidden = !keys.length;
    fit(legend, keys.length, makeKey);
    keys.forEach((key, i) => drawKey(legend.children[i], key));
  }
  model.on("change:version", draw);
  draw();
  return () => model.off("change:version", draw);
}

export default { render };
