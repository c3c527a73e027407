// What a page needs inside a notebook: its keys for itself, words where its kernel is gone, and
// the still picture of it out of sight while it lives.
const SUPPRESS = "data-lm-suppress-shortcuts";
const SHOWS = "ex-shows-";
const OFF = "jupyter-widgets-disconnected";
const LOST = ["restarting", "autorestarting", "terminating", "dead"];
const ENDED =
  "The kernel behind this explorer is gone: it was restarted, was shut down, or has died. Run the " +
  "cell again to go on. Until then this is how it last looked; its dials do nothing.";

const isVoila = () => document.body.dataset.voila !== undefined;

const saves = (event) => (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";

// The front ends leave the keys of marked elements alone. They look at the one that has the focus
// first, and many of their keys ask for nothing but that, so that a mark around it is too late.
// Saving the notebook is not ours.
function keepKeys(root) {
  root.setAttribute(SUPPRESS, "true");
  const onKey = (event) => {
    const here = event.target.closest?.(".ex-root");
    if (!here || isVoila()) return;
    event.target.setAttribute(SUPPRESS, "true");
    if (!saves(event)) return;
    const marked = [];
    for (let node = event.target; node !== here.parentElement; node = node.parentElement)
      if (node.hasAttribute(SUPPRESS)) marked.push(node);
    marked.forEach((node) => node.removeAttribute(SUPPRESS));
    setTimeout(() => marked.forEach((node) => node.setAttribute(SUPPRESS, "true")));
  };
  window.addEventListener("keydown", onKey, true);
  return () => window.removeEventListener("keydown", onKey, true);
}

function tellEnd(root, model) {
  if (isVoila()) return () => {};
  const kernel = model.widget_manager?.kernel;
  const tell = () => {
    if (root.querySelector(":scope > .ex-ended")) return;
    const words = document.createElement("p");
    words.className = "ex-error ex-ended";
    words.setAttribute("role", "alert");
    words.textContent = ENDED;
    root.prepend(words);
    for (const part of root.children) part.inert = part !== words;
  };
  const onStatus = (_kernel, status) => LOST.includes(status) && tell();
  const observer = new MutationObserver(() => root.classList.contains(OFF) && tell());
  observer.observe(root, { attributeFilter: ["class"] });
  kernel?.statusChanged?.connect(onStatus);
  kernel?.disposed?.connect(tell);
  if (root.classList.contains(OFF)) tell();
  return () => {
    observer.disconnect();
    kernel?.statusChanged?.disconnect(onStatus);
    kernel?.disposed?.disconnect(tell);
  };
}

function hideStill(root) {
  const key = [...root.classList].find((name) => name.startsWith(SHOWS))?.slice(SHOWS.length);
  if (!key) return () => {};
  const rule = document.createElement("style");
  rule.textContent = `.ex-still-${key} { display: none !important; }`;
  document.head.append(rule);
  return () => rule.remove();
}
