const STOPS = [0, 0.25, 1];

function stopColors(probe, palette) {
  return STOPS.map((_, i) => {
    probe.style.color = `var(--ex-${palette}-${i})`;
    return getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  });
}

function colorTable(probe, palette) {
  const colors = stopColors(probe, palette);
  const table = new Uint32Array(256);
  const bytes = new Uint8Array(table.buffer);
  for (let i = 0; i < 256; i++) {
    const part = i / 255;
    const low = part < STOPS[1] ? 0 : 1;
    const t = (part - STOPS[low]) / (STOPS[low + 1] - STOPS[low]);
    for (let c = 0; c < 3; c++) {
      bytes[4 * i + c] = colors[low][c] * (1 - t) + colors[low + 1][c] * t;
    }
    bytes[4 * i + 3] = 255;
  }
  return table;
}

function render({ model, el }) {
  const canvas = document.createElement("canvas");
  canvas.className = "ex-canvas";
  canvas.setAttribute("role", "img");
  const probe = document.createElement("span");
  probe.hidden = true;
  el.append(canvas, probe);
  const context = canvas.getContext("2d");
  let table = null;

  function draw() {
    const rows = model.get("rows");
    const columns = model.get("columns");
    const cells = model.get("cells");
    Object.assign(canvas.dataset, model.get("data"));
    canvas.setAttribute("aria-label", model.get("label"));
    if (!rows || !columns || cells.byteLength !== rows * columns || !el.isConnected) return;
    table ??= colorTable(probe, model.get("palette"));
    if (canvas.width !== columns) canvas.width = columns;
    if (canvas.height !== rows) canvas.height = rows;
    const source = new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
    const image = context.createImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < source.length; i++) pixels[i] = table[source[i]];
    context.putImageData(image, 0, 0);
  }

  const recolor = () => {
    table = null;
    draw();
  };
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", recolor);
  const themes = new MutationObserver(recolor);
  themes.observe(document.body, { attributeFilter: ["class", "data-jp-theme-light"] });
  model.on("change:version", draw);
  let frame = requestAnimationFrame(function first() {
    if (el.isConnected) draw();
    else frame = requestAnimationFrame(first);
  });
  return () => {
    cancelAnimationFrame(frame);
    scheme.removeEventListener("change", recolor);
    themes.disconnect();
    model.off("change:version", draw);
  };
}

export default { render };
