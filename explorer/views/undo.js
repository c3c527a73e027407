const BUTTONS = {
  undo: { sign: "\u21b6", name: "Undo", keys: "Ctrl+Z" },
  redo: { sign: "\u21b7", name: "Redo", keys: "Ctrl+Shift+Z" },
};
const DIAL = ".noUi-target";
const NOT_TEXT = "[type=checkbox], [type=radio], [type=range], [type=button], [type=file]";

function isText(element) {
  if (element.isContentEditable) return true;
  return element.matches("input, textarea") && !element.matches(NOT_TEXT);
}

function asked(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" && !event.shiftKey ? "redo" : null;
}

function makeButton(el, kind, press) {
  const { sign, name } = BUTTONS[kind];
  const button = document.createElement("button");
  button.type = "button";
  button.className = `ex-tool ex-${kind}`;
  const icon = document.createElement("span");
  icon.textContent = sign;
  icon.setAttribute("aria-hidden", "true");
  button.append(icon, ` ${name}`);
  button.addEventListener("click", () => press(kind));
  el.append(button);
  return button;
}

function render({ model, el }) {
  const press = (kind) => {
    if (model.get(kind)) model.send({ type: kind });
  };
  const buttons = Object.keys(BUTTONS).map((kind) => [kind, makeButton(el, kind, press)]);

  function draw() {
    for (const [kind, button] of buttons) {
      const { name, keys } = BUTTONS[kind];
      const words = model.get(kind);
      button.setAttribute("aria-disabled", !words);
      button.title = words ? `${name}: ${words} (${keys})` : `Nothing to ${kind}`;
    }
  }
  function isHere(target) {
    const root = el.closest(".ex-root");
    const anywhere = document.body.dataset.voila !== undefined && target === document.body;
    return root !== null && (anywhere || root.contains(target));
  }
  function onKey(event) {
    const kind = asked(event);
    if (!kind || !isHere(event.target) || isText(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    press(kind);
  }
  function hold(held) {
    if (model.get("held") === held) return;
    model.set("held", held);
    model.save_changes();
  }
  function onDown(event) {
    if (event.target.closest(DIAL) && isHere(event.target)) hold(true);
  }
  const onUp = () => hold(false);
  const listeners = [
    ["keydown", onKey],
    ["pointerdown", onDown],
    ["pointerup", onUp],
    ["pointercancel", onUp],
    ["blur", onUp],
  ];
  listeners.forEach(([name, listen]) => window.addEventListener(name, listen, true));
  model.on("change", draw);
  draw();
  return () => {
    listeners.forEach(([name, listen]) => window.removeEventListener(name, listen, true));
    model.off("change", draw);
  };
}

export default { render };
