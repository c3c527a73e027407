const ICON = "button.ex-icon";
const AROUND = "ex-around";

function nameSlider(slider) {
  const handle = slider.querySelector(".noUi-handle");
  const label = slider.querySelector(".widget-label");
  const readout = slider.querySelector(".widget-readout");
  if (!handle) return;
  if (label) handle.setAttribute("aria-label", label.textContent);
  if (label && readout) readout.setAttribute("aria-label", `${label.textContent}, value`);
  if (readout) sayValue(readout);
}

function sayValue(readout) {
  const slider = readout.closest(".widget-slider");
  const handle = slider && slider.querySelector(".noUi-handle");
  if (!handle) return;
  const origin = slider.querySelector(".noUi-origin");
  const shift = origin && /translate\((-?[\d.]+)%/.exec(origin.style.transform);
  if (shift) slider.style.setProperty("--ex-filled", `${100 + Number(shift[1]) / 10}%`);
  const unit = slider.classList.contains("ex-percent") ? " percent" : "";
  const isOff = slider.classList.contains("ex-is-off");
  handle.setAttribute("aria-valuetext", isOff ? "off" : readout.textContent + unit);
}

function namePanel(panel) {
  const owner = [...panel.classList].find((name) => name.startsWith("ex-of-"));
  if (!owner) return;
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-labelledby", owner.slice("ex-of-".length));
}

function markEnds(list) {
  const steps = [...list.children].filter((step) => step.matches(".ex-step"));
  steps.forEach((step, i) => {
    const [, up, down] = step.querySelectorAll(".ex-step-head .ex-icon");
    up?.setAttribute("aria-disabled", i === 0);
    down?.setAttribute("aria-disabled", i === steps.length - 1);
  });
}

function nameAll(node) {
  const find = (selector) =>
    node.matches(selector) ? [node] : [...node.querySelectorAll(selector)];
  find(".widget-slider").forEach(nameSlider);
  find(".ex-tab-panel").forEach(namePanel);
  const slider = node.closest(".widget-slider");
  if (slider) nameSlider(slider);
  find(ICON).forEach((button) => {
    button.setAttribute("aria-label", button.title);
    const list = button.closest(".ex-step")?.parentElement;
    if (list) markEnds(list);
  });
}

// bqplot's bars draw a new zero line for each change and leave the group of the last one behind.
function clearZeroLine({ target, removedNodes }) {
  const isZeroLine = (node) => node.nodeType === 1 && node.classList.contains("zeroLine");
  if ([...removedNodes].some(isZeroLine) && !target.hasChildNodes()) target.remove();
}

const keyOf = (element) =>
  element && [...element.classList].find((name) => name.startsWith("ex-key-"));

function watch(root) {
  let lastKey = null;
  const remember = (event) => {
    lastKey = keyOf(event.target.closest(ICON));
  };
  root.addEventListener("focusin", remember);
  const observer = new MutationObserver((records) => {
    for (const record of records) {
      clearZeroLine(record);
      for (const node of record.addedNodes) if (node.nodeType === 1) nameAll(node);
      if (record.type === "attributes") {
        if (record.target.matches(`${ICON}, .ex-tab-panel, .widget-slider`)) nameAll(record.target);
        continue;
      }
      if (record.type === "childList" && record.target.matches(".ex-stack")) markEnds(record.target);
      const element = record.target.nodeType === 1 ? record.target : record.target.parentElement;
      const readout = element && element.closest(".widget-readout");
      if (readout) sayValue(readout);
    }
    if (lastKey && document.activeElement === document.body) {
      const button = root.querySelector(`.${lastKey}`);
      if (button) button.focus();
    }
  });
  observer.observe(root, {
    attributeFilter: ["class", "title"],
    characterData: true,
    childList: true,
    subtree: true,
  });
  nameAll(root);
  return () => {
    observer.disconnect();
    root.removeEventListener("focusin", remember);
  };
}

// The stylesheet asks for these names: `:has(.ex-root)` in its place would have the browser
// lay the whole page out again for every value that changes.
function markAround(root) {
  const around = [];
  for (let node = root.parentElement; node; node = node.parentElement) around.push(node);
  around.forEach((node) => node.classList.add(AROUND));
  return () =>
    requestAnimationFrame(() => {
      for (const node of around) if (!node.querySelector(".ex-root")) node.classList.remove(AROUND);
    });
}

function render({ model, el }) {
  let stop = null;
  let frame = requestAnimationFrame(function attach() {
    const root = el.closest(".ex-root");
    if (!root) {
      frame = requestAnimationFrame(attach);
      return;
    }
    const parts = [watch(root), markAround(root), keepKeys(root)];
    parts.push(tellEnd(root, model), hideStill(root));
    stop = () => parts.forEach((end) => end());
  });
  el.style.display = "none";
  return () => {
    cancelAnimationFrame(frame);
    if (stop) stop();
  };
}

export default { render };
