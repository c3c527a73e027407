let opened = 0;

function makeDialog(el) {
  const dialog = add(el, "dialog", "ex-code-dialog");
  dialog.dataset.lmSuppressShortcuts = "true";
  const head = add(dialog, "div", "ex-code-head");
  const title = add(head, "h2", "ex-heading");
  title.id = `ex-code-title-${(opened += 1)}`;
  dialog.setAttribute("aria-labelledby", title.id);
  const close = add(head, "button", "ex-tool ex-code-close", "Close");
  close.type = "button";
  close.addEventListener("click", () => dialog.close());
  const code = makeCode(dialog);
  code.box.hidden = false;
  const note = add(dialog, "p", "ex-code-note");
  const error = add(dialog, "div", "ex-error");
  error.setAttribute("role", "alert");
  error.hidden = true;
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return { dialog, title, code, note, error };
}

function render({ model, el }) {
  const button = add(el, "button", "ex-tool ex-python", model.get("label"));
  button.type = "button";
  button.title = model.get("help");
  button.setAttribute("aria-haspopup", "dialog");
  button.addEventListener("click", () => model.send({ type: "ask" }));
  const parts = makeDialog(el);

  function receive({ type, title, text, note, error }) {
    if (type !== "code") return;
    put(parts.title, title);
    put(parts.code.text, text);
    put(parts.note, note);
    put(parts.error, error);
    parts.error.hidden = !error;
    parts.code.box.hidden = !text;
    if (!parts.dialog.open) parts.dialog.showModal();
    parts.code.copy.focus();
  }
  model.on("msg:custom", receive);
  return () => {
    model.off("msg:custom", receive);
    parts.dialog.close();
  };
}

export default { render };
