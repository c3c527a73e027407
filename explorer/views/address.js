const KEY = "compression-explorer.bookmarks.1";
const UNREADABLE = `${KEY}.before`;
const PART = "state";
const SECRET = "token";
const PAUSE_MS = 500;
const MOST_ASKED = 8 * 1024 + 1;
const MOST_STORED = 1_000_001;
const IN_VOILA = "Copies the address of this page with the network, the recipe and what is shown";
const ELSEWHERE =
  "Copies ?state=\u2026, to put behind the address of the explorer's page " +
  "(compression-explorer app shows it): it opens with this network and recipe";

const inVoila = () => document.body.dataset.voila !== undefined;

function address(link) {
  const url = new URL(location.href);
  url.searchParams.delete(PART);
  url.searchParams.delete(SECRET);
  if (link) url.searchParams.set(PART, link);
  return url.href;
}

function keepInAddress(model, asked) {
  let timer = null;
  let last = 0;
  function write() {
    timer = null;
    last = performance.now();
    const url = new URL(location.href);
    if (model.get("link")) url.searchParams.set(PART, model.get("link"));
    else url.searchParams.delete(PART);
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  }
  function soon() {
    if (timer === null) timer = setTimeout(write, Math.max(0, last + PAUSE_MS - performance.now()));
  }
  model.on("change:link", soon);
  if (model.get("link") && !asked) soon();
  return () => {
    clearTimeout(timer);
    model.off("change:link", soon);
  };
}

function keepBookmarks(model) {
  const tell = (name, text) => {
    model.set(name, text);
    model.save_changes();
  };
  function write() {
    try {
      const before = localStorage.getItem(KEY);
      if (before && model.get("unreadable")) localStorage.setItem(UNREADABLE, before);
      localStorage.setItem(KEY, model.get("kept"));
      tell("unkept", "");
    } catch (error) {
      tell("unkept", `this browser keeps nothing for the page (${error.name})`);
    }
  }
  function onOther(event) {
    if (event.key === KEY && event.newValue) tell("stored", event.newValue.slice(0, MOST_STORED));
  }
  try {
    tell("stored", (localStorage.getItem(KEY) ?? "").slice(0, MOST_STORED));
  } catch (error) {
    tell("unkept", `this browser keeps nothing for the page (${error.name})`);
  }
  model.on("change:kept", write);
  window.addEventListener("storage", onOther);
  return () => {
    model.off("change:kept", write);
    window.removeEventListener("storage", onOther);
  };
}

function initialize({ model }) {
  const text = new URLSearchParams(location.search).get(PART) ?? "";
  model.set("asked", text.slice(0, MOST_ASKED));
  model.save_changes();
  const stops = [keepBookmarks(model)];
  if (inVoila()) stops.push(keepInAddress(model, text));
  return () => stops.forEach((stop) => stop());
}

async function copied(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field.value = text;
    field.hidden = false;
    field.select();
    return false;
  }
}

function render({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "ex-tool ex-link";
  button.textContent = "Copy link";
  const field = document.createElement("input");
  field.className = "ex-link-field";
  field.readOnly = true;
  field.hidden = true;
  field.setAttribute("aria-label", "Link to this state");
  const said = document.createElement("span");
  said.className = "ex-link-said";
  said.setAttribute("role", "status");
  el.append(button, field, said);
  let timer = null;

  function say(words) {
    said.textContent = words;
    clearTimeout(timer);
    timer = setTimeout(() => {
      said.textContent = "";
    }, 6000);
  }
  async function press() {
    field.hidden = true;
    const link = model.get("link");
    if (!link) {
      say(model.get("problem") || "There is no link yet.");
      return;
    }
    const done = await copied(inVoila() ? address(link) : `?${PART}=${link}`, field);
    say([done ? "Link copied." : "Press Ctrl+C to copy it.", model.get("note")].join(" ").trim());
  }
  function draw() {
    button.title = [inVoila() ? IN_VOILA : ELSEWHERE, model.get("note")].join(". ");
    button.setAttribute("aria-disabled", !model.get("link"));
  }
  button.addEventListener("click", press);
  model.on("change", draw);
  draw();
  return () => {
    clearTimeout(timer);
    model.off("change", draw);
  };
}

export default { initialize, render };
