const CONTROLS = "button, select, input, textarea, [tabindex], .noUi-handle";
const TOUCH_MS = 6000;
const GAP = 8;
const MOST_RIGHT = 0.75;
let made = 0;

const WIDGET = ".jupyter-widgets, .widget-toggle-buttons";
const LABEL = ".widget-label[title]:not([title='']), .widget-label [title], label[title]";

function textOf(control, root) {
  const own = control.closest("[title]:not([title=''])");
  if (own && root.contains(own)) return own.title;
  return control.closest(WIDGET)?.querySelector(LABEL)?.title ?? "";
}
const nameOf = (element) =>
  (element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.textContent)
    .trim();

function watch(root) {
  const store = document.createElement("div");
  store.hidden = true;
  const bubble = document.createElement("div");
  bubble.className = "ex-help-bubble";
  bubble.setAttribute("aria-hidden", "true");
  bubble.popover = "manual";
  root.append(store, bubble);
  const ids = new Map();
  let timer = null;
  let shown = null;

  function idOf(text) {
    if (!ids.has(text)) {
      const line = document.createElement("span");
      line.id = `ex-help-${(made += 1)}`;
      line.textContent = text;
      store.append(line);
      ids.set(text, line.id);
    }
    return ids.get(text);
  }
  function release(id) {
    const line = store.querySelector(`#${id}`);
    if (!line || root.querySelector(`[aria-describedby="${id}"]`)) return;
    ids.delete(line.textContent);
    line.remove();
  }
  function describe(control) {
    const text = textOf(control, root);
    const before = control.getAttribute("aria-describedby");
    if (before && !before.startsWith("ex-help-")) return;
    const after = text && text !== nameOf(control) ? idOf(text) : null;
    if (after === before) return;
    if (after) control.setAttribute("aria-describedby", after);
    else control.removeAttribute("aria-describedby");
    if (before) release(before);
  }
  function describeAll(node) {
    if (node.matches(CONTROLS)) describe(node);
    node.querySelectorAll(CONTROLS).forEach(describe);
  }
  function show(element) {
    const text = textOf(element, root);
    if (!text || text === element.textContent.trim()) {
      hide();
      return;
    }
    shown = element;
    bubble.textContent = text;
    if (!bubble.matches(":popover-open")) bubble.showPopover();
    const tab = element.closest(".ex-tab");
    const box = (tab ?? element.closest(WIDGET) ?? element).getBoundingClientRect();
    const own = bubble.getBoundingClientRect();
    const beside = !tab && box.right + GAP + own.width < innerWidth * MOST_RIGHT;
    const below = box.bottom + GAP + own.height < innerHeight ? box.bottom + GAP : box.top - GAP;
    const left = beside ? box.right + GAP : Math.min(box.left, innerWidth - own.width - GAP);
    const top = beside ? box.top : below < box.top ? below - own.height : below;
    bubble.style.left = `${Math.max(GAP, left)}px`;
    bubble.style.top = `${Math.max(GAP, Math.min(top, innerHeight - own.height - GAP))}px`;
  }
  function hide() {
    clearTimeout(timer);
    shown = null;
    if (bubble.matches(":popover-open")) bubble.hidePopover();
  }
  const focused = (event) => (event.target.matches(":focus-visible") ? show(event.target) : hide());
  const touched = (event) => {
    if (event.pointerType !== "touch") return;
    hide();
    if (!event.target.closest(".widget-label")) return;
    show(event.target);
    timer = setTimeout(hide, TOUCH_MS);
  };
  const again = () => shown && show(shown);
  const pressed = (event) => event.key === "Escape" && hide();

  const observer = new MutationObserver((records) => {
    for (const record of records) {
      if (record.type === "attributes") {
        describeAll(record.target.closest(WIDGET) ?? record.target);
      }
      for (const node of record.addedNodes) {
        if (node.nodeType === 1 && !store.contains(node)) {
          describeAll(node.closest(WIDGET) ?? node);
        }
      }
    }
  });
  observer.observe(root, { attributeFilter: ["title"], childList: true, subtree: true });
  root.addEventListener("focusin", focused);
  root.addEventListener("focusout", hide);
  root.addEventListener("pointerdown", touched);
  root.addEventListener("keydown", pressed);
  window.addEventListener("scroll", again, true);
  describeAll(root);
  return () => {
    observer.disconnect();
    root.removeEventListener("focusin", focused);
    root.removeEventListener("focusout", hide);
    root.removeEventListener("pointerdown", touched);
    root.removeEventListener("keydown", pressed);
    window.removeEventListener("scroll", again, true);
    hide();
    store.remove();
    bubble.remove();
  };
}

function render({ el }) {
  let stop = null;
  let frame = requestAnimationFrame(function attach() {
    const root = el.closest(".ex-root");
    if (root) stop = watch(root);
    else frame = requestAnimationFrame(attach);
  });
  el.style.display = "none";
  return () => {
    cancelAnimationFrame(frame);
    if (stop) stop();
  };
}

export default { render };
