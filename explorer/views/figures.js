function mark(element, tone) {
  if (element.dataset.tone !== tone) element.dataset.tone = tone;
}

function makeFigure(parent, key, name) {
  const figure = add(parent, "div", `ex-figure ex-figure-${key}`);
  figure.setAttribute("role", "group");
  figure.setAttribute("aria-label", name);
  const title = add(figure, "div", "ex-name", name);
  const value = add(figure, "div", "ex-value");
  const detail = add(figure, "div", "ex-detail");
  return {
    name: (text) => {
      put(title, text);
      figure.setAttribute("aria-label", text);
    },
    value,
    change: add(detail, "b", "ex-change"),
    text: add(detail, "span", "ex-text"),
    note: add(detail, "span", "ex-note"),
  };
}

function watchHead(el) {
  const box = el.closest(".ex-figures");
  const head = box?.closest(".ex-page")?.querySelector(":scope > .ex-head");
  if (!head) return () => {};
  const observer = new IntersectionObserver((entries) => {
    const { isIntersecting, boundingClientRect: place } = entries.at(-1);
    const stuck = !isIntersecting && place.height > 0 && place.bottom < innerHeight / 2;
    if (stuck === box.classList.contains("ex-stuck")) return;
    if (stuck) box.style.setProperty("--ex-figures-height", `${box.offsetHeight}px`);
    else box.style.removeProperty("--ex-figures-height");
    box.classList.toggle("ex-stuck", stuck);
  });
  observer.observe(head);
  return () => observer.disconnect();
}

function render({ model, el }) {
  const figures = {};
  const names = model.get("names");
  for (const [key, name] of Object.entries(names)) {
    figures[key] = makeFigure(el, key, name);
  }
  function draw() {
    for (const [key, state] of Object.entries(model.get("state"))) {
      const figure = figures[key];
      figure.name(state.name || names[key]);
      put(figure.value, state.value);
      put(figure.change, state.change);
      put(figure.text, state.text);
      put(figure.note, state.note);
      mark(figure.change, state.tone);
      mark(figure.value, state.tone);
    }
  }
  model.on("change:state", draw);
  draw();
  let unwatch = () => {};
  let frame = requestAnimationFrame(function attach() {
    if (el.isConnected) unwatch = watchHead(el);
    else frame = requestAnimationFrame(attach);
  });
  return () => {
    cancelAnimationFrame(frame);
    unwatch();
    model.off("change:state", draw);
  };
}

export default { render };
