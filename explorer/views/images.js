function makeTile(list) {
  const tile = add(list, "div", "ex-image");
  tile.setAttribute("role", "listitem");
  const figure = add(tile, "div", "ex-image-figure");
  figure.setAttribute("role", "img");
  add(figure, "canvas", "");
  add(figure, "span", "");
  add(tile, "b", "").setAttribute("aria-hidden", "true");
  add(tile, "small", "").setAttribute("aria-hidden", "true");
}

function paint(canvas, [height, width, channels], source) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = source[channels * i + (channels === 3 ? c : 0)];
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function drawTile(tile, { name, detail, label, size, sample }, source) {
  const [figure, word, remark] = tile.children;
  const [canvas, number] = figure.children;
  canvas.hidden = !source.length;
  number.hidden = !canvas.hidden;
  if (source.length) paint(canvas, size, source);
  put(number, `#${sample}`);
  put(word, name);
  put(remark, detail);
  figure.setAttribute("aria-label", label);
  tile.title = label;
}

function render({ model, el }) {
  const list = add(el, "div", "ex-image-list");
  list.setAttribute("role", "list");

  function draw() {
    const tiles = model.get("tiles");
    const pixels = model.get("pixels");
    const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    list.setAttribute("aria-label", model.get("label"));
    while (list.children.length > tiles.length) list.lastChild.remove();
    while (list.children.length < tiles.length) makeTile(list);
    let start = 0;
    tiles.forEach((tile, i) => {
      const [height, width, channels] = tile.size;
      const end = start + height * width * channels;
      drawTile(list.children[i], tile, bytes.subarray(start, end));
      start = end;
    });
  }
  model.on("change:version", draw);
  draw();
  return () => model.off("change:version", draw);
}

export default { render };
