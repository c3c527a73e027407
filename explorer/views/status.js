function render({ model, el }) {
  const line = add(el, "div", "ex-status-line");
  const message = add(line, "span", "ex-status");
  message.setAttribute("role", "status");
  message.setAttribute("aria-live", "polite");
  const progress = add(line, "progress", "ex-progress");
  progress.setAttribute("aria-label", "Progress");
  progress.max = 1;
  const error = add(el, "div", "ex-error");
  error.setAttribute("role", "alert");

  function draw() {
    const text = model.get("message");
    if (message.textContent !== text) message.textContent = text;
    const part = model.get("progress");
    progress.classList.toggle("ex-idle", part === null);
    if (part === null || part < 0) progress.removeAttribute("value");
    else progress.value = part;
    const words = model.get("error");
    if (error.textContent !== words) error.textContent = words;
    error.hidden = !words;
  }
  model.on("change", draw);
  draw();
  return () => model.off("change", draw);
}

export default { render };
