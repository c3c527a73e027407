const KEY = "compression-explorer.tour.1";
const GAP = 12;
const ASK_MS = 300;
let made = 0;

function addButton(parent, className, text, press) {
  const button = add(parent, "button", `ex-tool ${className}`, text);
  button.type = "button";
  button.addEventListener("click", press);
  return button;
}

function wasSeen() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return true;
  }
}

function remember() {
  try {
    localStorage.setItem(KEY, "seen");
  } catch {
    return;
  }
}

function isFirstVisit() {
  const [opened] = performance.getEntriesByType("navigation");
  const hasState = new URL(opened?.name ?? location.href).searchParams.has("state");
  return document.body.dataset.voila !== undefined && !wasSeen() && !hasState;
}

function makeOffer(el, start, skip) {
  const offer = add(el, "section", "ex-tour-offer");
  offer.setAttribute("aria-label", "Tour");
  offer.hidden = true;
  add(offer, "p", "", "New here? Four steps show what is where.");
  const row = add(offer, "div", "ex-tour-buttons");
  addButton(row, "ex-tour-start", "Take the tour", start);
  addButton(row, "", "Skip", skip);
  return offer;
}

function makeDialog(el) {
  const dialog = add(el, "dialog", "ex-tour");
  dialog.dataset.lmSuppressShortcuts = "true";
  const spot = add(dialog, "div", "ex-tour-spot");
  const card = add(dialog, "div", "ex-tour-card");
  const title = add(card, "h2", "ex-heading");
  const text = add(card, "p", "ex-tour-text");
  made += 1;
  title.id = `ex-tour-title-${made}`;
  text.id = `ex-tour-text-${made}`;
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.setAttribute("aria-describedby", text.id);
  const count = add(card, "span", "ex-tour-count");
  const row = add(card, "div", "ex-tour-buttons");
  return { dialog, spot, card, title, text, count, row };
}

function place(parts, target) {
  const box = target.getBoundingClientRect();
  const [width, height] = [innerWidth, innerHeight];
  const top = Math.max(4, box.top - 6);
  const bottom = Math.min(height - 4, box.bottom + 6);
  const left = Math.max(4, box.left - 6);
  Object.assign(parts.spot.style, {
    top: `${top}px`,
    left: `${left}px`,
    width: `${Math.min(width - 4, box.right + 6) - left}px`,
    height: `${Math.max(0, bottom - top)}px`,
  });
  const card = parts.card.getBoundingClientRect();
  const beside = box.right + GAP + card.width < width;
  let y = bottom + GAP;
  let x = left;
  if (y + card.height > height) y = top - GAP - card.height;
  if (y < GAP) {
    y = height - card.height - GAP;
    if (beside) [x, y] = [box.right + GAP + 6, Math.max(GAP, top)];
  }
  x = Math.max(GAP, Math.min(x, width - card.width - GAP));
  Object.assign(parts.card.style, { left: `${x}px`, top: `${y}px` });
}

function makeTour(model, el, ended) {
  const parts = makeDialog(el);
  let steps = [];
  let here = 0;
  const back = addButton(parts.row, "", "Back", () => show(here - 1));
  const next = addButton(parts.row, "ex-tour-start", "Next", () =>
    here + 1 < steps.length ? show(here + 1) : parts.dialog.close(),
  );
  addButton(parts.row, "ex-tour-end", "Skip", () => parts.dialog.close());

  const targetOf = (step) => el.closest(".ex-root")?.querySelector(step.selector);
  const again = () => parts.dialog.open && place(parts, targetOf(steps[here]));
  function show(number) {
    here = number;
    const [step, target] = [steps[here], targetOf(steps[here])];
    parts.title.textContent = step.title;
    parts.text.textContent = step.text;
    parts.count.textContent = `Step ${here + 1} of ${steps.length}`;
    back.hidden = here === 0;
    next.textContent = here + 1 < steps.length ? "Next" : "Done";
    const tall = target.getBoundingClientRect().height > innerHeight / 2;
    target.scrollIntoView({ block: tall ? "start" : "center", behavior: "instant" });
    place(parts, target);
    next.focus();
  }
  function start() {
    steps = model.get("steps").filter((step) => targetOf(step)?.getClientRects().length);
    if (!steps.length) return;
    if (!parts.dialog.open) parts.dialog.showModal();
    show(0);
  }
  parts.dialog.addEventListener("close", ended);
  window.addEventListener("resize", again);
  window.addEventListener("scroll", again, true);
  function stop() {
    window.removeEventListener("resize", again);
    window.removeEventListener("scroll", again, true);
    if (parts.dialog.open) parts.dialog.close();
  }
  return { start, stop };
}

function render({ model, el }) {
  const button = addButton(el, "ex-tour-button", "?", begin);
  button.title = "Show in four steps what is where on this page.";
  button.setAttribute("aria-label", "Show the tour");
  button.setAttribute("aria-haspopup", "dialog");
  const tour = makeTour(model, el, () => {
    remember();
    button.focus();
  });
  const offer = makeOffer(el, begin, () => {
    hide();
    remember();
  });
  let asking = null;

  function ask() {
    const loading = document.getElementById("loading")?.getClientRects().length;
    if (!isFirstVisit()) hide();
    else if (!loading && el.isConnected) offer.hidden = false;
  }
  function hide() {
    clearInterval(asking);
    offer.hidden = true;
  }
  function begin() {
    hide();
    tour.start();
  }
  if (isFirstVisit()) asking = setInterval(ask, ASK_MS);
  return () => {
    hide();
    tour.stop();
  };
}

export default { render };
