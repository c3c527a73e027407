function decorate({ model, el }) {
  const list = el.querySelector(".ex-image-list");
  list.setAttribute("role", "group");
  const tiles = model.get("tiles");
  [...list.children].forEach((element, i) => {
    element.setAttribute("role", "button");
    element.tabIndex = 0;
    element.setAttribute("aria-label", tiles[i].label);
    element.setAttribute("aria-pressed", tiles[i].sample === model.get("picked"));
  });
}

function renderPicked({ model, el }) {
  const end = render({ model, el });
  const mark = () => decorate({ model, el });

  function pick(event) {
    const element = event.target.closest(".ex-image");
    if (!element) return;
    const number = [...element.parentNode.children].indexOf(element);
    model.set("picked", model.get("tiles")[number].sample);
    model.save_changes();
  }

  function press(event) {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    pick(event);
  }
  el.addEventListener("click", pick);
  el.addEventListener("keydown", press);
  model.on("change:version", mark);
  model.on("change:picked", mark);
  mark();
  return () => {
    end();
    el.removeEventListener("click", pick);
    el.removeEventListener("keydown", press);
    model.off("change:version", mark);
    model.off("change:picked", mark);
  };
}

export default { render: renderPicked };
