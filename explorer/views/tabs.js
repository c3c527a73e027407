const FADE = 56;

function render({ model, el }) {
  const titles = model.get("titles");
  el.setAttribute("role", "tablist");
  el.setAttribute("aria-label", model.get("label"));
  const tabs = titles.map((title, i) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.className = "ex-tab";
    tab.textContent = title;
    tab.dataset.title = title;
    tab.title = model.get("helps")[i] ?? "";
    tab.id = `${model.get("prefix")}-${i}`;
    tab.setAttribute("role", "tab");
    el.append(tab);
    return tab;
  });

  function mark() {
    const here = titles.indexOf(model.get("selected"));
    tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", i === here);
      tab.tabIndex = i === here ? 0 : -1;
    });
    reveal(tabs[here]);
  }
  function hint() {
    el.classList.toggle("ex-more", el.scrollLeft + el.clientWidth < el.scrollWidth - 4);
  }
  function reveal(tab) {
    const [bar, box] = [el.getBoundingClientRect(), tab.getBoundingClientRect()];
    if (box.left < bar.left + FADE) el.scrollLeft -= bar.left - box.left + FADE;
    if (box.right > bar.right - FADE) el.scrollLeft += box.right - bar.right + FADE;
  }
  function choose(i) {
    tabs[i].focus();
    if (titles[i] === model.get("selected")) return;
    model.set("selected", titles[i]);
    model.save_changes();
  }
  el.addEventListener("click", (event) => {
    const i = tabs.indexOf(event.target.closest(".ex-tab"));
    if (i >= 0) choose(i);
  });
  el.addEventListener("keydown", (event) => {
    const here = tabs.indexOf(document.activeElement);
    const last = tabs.length - 1;
    const next = {
      ArrowRight: here === last ? 0 : here + 1,
      ArrowLeft: here === 0 ? last : here - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (here < 0 || next === undefined) return;
    event.preventDefault();
    choose(next);
  });
  const resized = new ResizeObserver(() => {
    reveal(tabs[titles.indexOf(model.get("selected"))]);
    hint();
  });
  resized.observe(el);
  el.addEventListener("scroll", hint, { passive: true });
  model.on("change:selected", mark);
  mark();
  return () => {
    resized.disconnect();
    model.off("change:selected", mark);
  };
}

export default { render };
