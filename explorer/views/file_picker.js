const PART_BYTES = 1 << 20;

function render({ model, el }) {
  const label = document.createElement("label");
  label.className = "ex-tool ex-read";
  label.textContent = "Open a file";
  const input = document.createElement("input");
  input.className = "ex-read-file";
  input.type = "file";
  label.append(input);
  el.append(label);
  let sending = null;

  function choose() {
    [sending = null] = input.files;
    input.value = "";
    if (sending) model.send({ type: "begin", name: sending.name, size: sending.size });
  }
  async function receive(content) {
    const file = sending;
    if (content.type === "stop") sending = null;
    if (content.type !== "more" || !file) return;
    try {
      const part = await file.slice(content.offset, content.offset + PART_BYTES).arrayBuffer();
      if (file === sending) model.send({ type: "part", offset: content.offset }, undefined, [part]);
    } catch (error) {
      sending = null;
      model.send({ type: "lost", words: error.name });
    }
  }
  function draw() {
    input.accept = model.get("accept");
    label.title = model.get("hint");
  }
  input.addEventListener("change", choose);
  model.on("change", draw);
  model.on("msg:custom", receive);
  draw();
  return () => {
    model.off("change", draw);
    model.off("msg:custom", receive);
  };
}

export default { render };
