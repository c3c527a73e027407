const MOST_CHARACTERS = 1_000_000;
const LONGEST_NAME = 60;

function button(parent, className, text) {
  const made = add(parent, "button", className, text);
  made.type = "button";
  return made;
}

function makeForm(el, send) {
  const form = add(el, "form", "ex-keep");
  const label = add(form, "label", "", "Name");
  const name = add(label, "input", "ex-keep-name");
  name.maxLength = LONGEST_NAME;
  name.title = "What to call this state; left empty, it gets the name in gray.";
  const keep = add(form, "button", "ex-tool ex-keep-button", "Keep this");
  keep.type = "submit";
  keep.title = "Keep network, recipe, layer and tab in this browser, to come back to or compare.";
  const open = add(form, "label", "ex-tool ex-read", "Read a file");
  const file = add(open, "input", "ex-read-file");
  file.type = "file";
  open.title = "Add the states of a .json file that was exported here.";
  file.accept = ".json,application/json";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send("keep", name.value);
    name.value = "";
  });
  return { name, file };
}

function makeRow(body, act) {
  const row = add(body, "tr", "");
  const tick = add(add(row, "td", "ex-kept-tick"), "input", "");
  tick.type = "checkbox";
  const name = add(add(row, "th", "ex-kept-name"), "input", "");
  name.parentNode.scope = "row";
  name.maxLength = LONGEST_NAME;
  for (let i = 0; i < 6; i += 1) add(row, "td", `ex-kept-${i}`);
  const actions = add(row, "td", "ex-kept-actions");
  const go = button(actions, "ex-tool", "Go to");
  const remove = button(actions, "ex-tool", "\u00d7");
  tick.addEventListener("change", () => act.tick());
  name.addEventListener("change", () => act.rename(row.dataset.name, name));
  name.addEventListener("keydown", (event) => {
    if (event.key === "Enter") name.blur();
    if (event.key === "Escape") name.value = row.dataset.name;
  });
  go.addEventListener("click", () => act.send("go", row.dataset.name));
  remove.addEventListener("click", () => act.send("remove", row.dataset.name));
}

function drawRow(row, [name, ...figures], isTicked) {
  const [tick, field] = row.querySelectorAll("input");
  const [go, remove] = row.querySelectorAll("button");
  row.dataset.name = name;
  if (document.activeElement !== field) field.value = name;
  field.setAttribute("aria-label", `Name of ${name}`);
  field.title = "Type another name to rename this state.";
  tick.checked = isTicked;
  tick.setAttribute("aria-label", `Compare ${name}`);
  tick.title = "Show this state side by side with the others that are ticked.";
  go.setAttribute("aria-label", `Go to ${name}`);
  go.title = "Show this state on the page again: network, recipe, layer and tab.";
  remove.setAttribute("aria-label", `Remove ${name}`);
  remove.title = `Remove ${name}`;
  figures.forEach((text, i) => put(row.querySelector(`.ex-kept-${i}`), text));
}

function makeTable(el, heads) {
  const scroll = add(el, "div", "ex-table-scroll");
  scroll.tabIndex = 0;
  const table = add(scroll, "table", "ex-table ex-kept");
  table.setAttribute("aria-label", "Kept states");
  const row = add(add(table, "thead", ""), "tr", "");
  const titles = ["Compare", ...heads, "Actions"];
  titles.forEach((text, i) => {
    const head = add(row, "th", i > 1 && i < titles.length - 1 ? `ex-kept-${i - 2}` : "");
    head.scope = "col";
    add(head, "span", i === 0 || i === titles.length - 1 ? "ex-unseen" : "", text);
  });
  return { scroll, body: add(table, "tbody", "") };
}

async function read(file, send, fail) {
  const [chosen] = file.files;
  if (!chosen) return;
  if (chosen.size > MOST_CHARACTERS) {
    fail(`${chosen.name} is larger than a file of kept states can be; choose one exported here.`);
  } else {
    send("read", await chosen.text());
  }
  file.value = "";
}

function render({ model, el }) {
  const send = (type, ...texts) => model.send({ type, texts });
  const { name, file } = makeForm(el, send);
  const said = add(el, "div", "ex-kept-said");
  said.setAttribute("role", "status");
  const error = add(el, "div", "ex-error");
  error.setAttribute("role", "alert");
  const { scroll, body } = makeTable(el, model.get("heads"));
  const act = {
    send,
    tick() {
      const ticked = [...body.children].filter((row) => row.querySelector("input").checked);
      model.set("ticked", ticked.map((row) => row.dataset.name));
      model.save_changes();
    },
    rename(old, field) {
      const wanted = field.value.trim();
      field.value = old;
      if (wanted !== old) send("rename", old, wanted);
    },
  };

  function draw() {
    const rows = model.get("rows");
    const ticked = new Set(model.get("ticked"));
    scroll.hidden = rows.length === 0;
    while (body.children.length > rows.length) body.lastChild.remove();
    while (body.children.length < rows.length) makeRow(body, act);
    rows.forEach((row, i) => drawRow(body.children[i], row, ticked.has(row[0])));
    name.placeholder = model.get("suggestion");
    put(said, model.get("message"));
    put(error, model.get("error"));
    error.hidden = !model.get("error");
  }
  function fail(words) {
    put(error, words);
    error.hidden = false;
  }
  file.addEventListener("change", () => read(file, send, fail));
  model.on("change", draw);
  draw();
  return () => model.off("change", draw);
}

export default { render };
