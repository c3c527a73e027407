const INDENT_PX = 18;
const MOST_INDENTS = 6;

function makeRow(list) {
  const button = add(add(list, "li", ""), "button", "ex-history-row");
  button.type = "button";
  add(button, "b", "");
  add(button, "small", "");
}

function drawRow(item, [number, depth, words, note, isHere]) {
  const button = item.firstChild;
  button.dataset.number = number;
  button.style.marginLeft = `${INDENT_PX * Math.min(depth, MOST_INDENTS)}px`;
  put(button.children[0], words);
  put(button.children[1], note);
  const branch = depth ? `branch ${depth}` : "";
  button.setAttribute("aria-label", [words, note, branch].filter(Boolean).join(", "));
  if (isHere) button.setAttribute("aria-current", "true");
  else button.removeAttribute("aria-current");
}

function render({ model, el }) {
  const list = add(el, "ol", "ex-history-list");
  list.setAttribute("aria-label", "States, from the first to the present one");
  let shown = null;

  function draw() {
    const rows = model.get("rows");
    while (list.children.length > rows.length) list.lastChild.remove();
    while (list.children.length < rows.length) makeRow(list);
    rows.forEach((row, i) => drawRow(list.children[i], row));
    reveal();
  }
  function reveal() {
    const here = list.querySelector("[aria-current]");
    if (!here || here.dataset.number === shown) return;
    shown = here.dataset.number;
    const [box, row] = [list.getBoundingClientRect(), here.getBoundingClientRect()];
    if (row.top < box.top) list.scrollTop -= box.top - row.top;
    if (row.bottom > box.bottom) list.scrollTop += row.bottom - box.bottom;
  }
  function press(event) {
    const row = event.target.closest(".ex-history-row");
    if (row) model.send({ type: "go", number: Number(row.dataset.number) });
  }
  list.addEventListener("click", press);
  model.on("change:rows", draw);
  draw();
  return () => model.off("change:rows", draw);
}

export default { render };
