const KEEP_MS = 30_000;

function save(name, bytes) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), KEEP_MS);
}

function makeButton(parent, model) {
  const button = add(parent, "button", "ex-export-button");
  button.type = "button";
  add(button, "b", "");
  add(button, "small", "");
  button.addEventListener("click", () => {
    if (!model.get("busy")) model.send({ type: "ask", kind: button.dataset.kind });
  });
}

function render({ model, el }) {
  const buttons = add(el, "div", "ex-export-buttons");
  const message = add(el, "div", "ex-export-message");
  message.setAttribute("role", "status");
  const error = add(el, "div", "ex-error");
  error.setAttribute("role", "alert");
  const code = makeCode(el);

  function draw() {
    const choices = model.get("choices");
    const busy = model.get("busy");
    while (buttons.children.length < choices.length) makeButton(buttons, model);
    choices.forEach(([kind, name, remark], i) => {
      const button = buttons.children[i];
      button.dataset.kind = kind;
      button.setAttribute("aria-disabled", busy);
      put(button.children[0], name);
      put(button.children[1], remark);
    });
    put(message, model.get("message"));
    put(error, model.get("error"));
    error.hidden = !model.get("error");
  }
  function receive(content, buffers) {
    code.box.hidden = content.type !== "text";
    if (content.type === "file") save(content.name, buffers[0]);
    if (content.type === "text") put(code.text, content.text);
  }
  model.on("change", draw);
  model.on("msg:custom", receive);
  draw();
  return () => {
    model.off("change", draw);
    model.off("msg:custom", receive);
  };
}

export default { render };
