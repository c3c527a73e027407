function putMath(element, markup) {
  if (element.markup === markup) return;
  element.markup = markup;
  element.innerHTML = markup;
}

function makeNumber(parent, className) {
  const number = add(parent, "span", `ex-formula-number ${className}`);
  add(number, "b", "");
  add(number, "small", "");
}

function makeFormula(parent) {
  const formula = add(parent, "div", "ex-formula");
  add(formula, "div", "ex-formula-name");
  const lines = add(formula, "div", "ex-formula-lines");
  lines.setAttribute("role", "math");
  add(lines, "span", "ex-formula-symbols");
  add(lines, "span", "ex-formula-filled");
  const numbers = add(formula, "div", "ex-formula-numbers");
  makeNumber(numbers, "ex-formula-value");
  makeNumber(numbers, "ex-formula-measured");
  add(formula, "div", "ex-formula-note");
}

function drawFormula(formula, item) {
  const [name, lines, numbers, note] = formula.children;
  put(name, item.name);
  putMath(lines.children[0], item.symbols);
  putMath(lines.children[1], item.filled);
  lines.setAttribute("aria-label", item.spoken);
  const [value, measured] = numbers.children;
  put(value.children[0], item.value);
  put(value.children[1], "formula");
  measured.hidden = !item.measured;
  put(measured.children[0], item.measured);
  put(measured.children[1], item.source);
  put(note, item.note);
}

function render({ model, el }) {
  function draw() {
    const items = model.get("items");
    while (el.children.length > items.length) el.lastChild.remove();
    while (el.children.length < items.length) makeFormula(el);
    items.forEach((item, i) => drawFormula(el.children[i], item));
  }
  model.on("change:items", draw);
  draw();
  return () => model.off("change:items", draw);
}

export default { render };
