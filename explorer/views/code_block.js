function makeCode(parent) {
  const box = add(parent, "div", "ex-code");
  const text = add(box, "pre", "");
  text.tabIndex = 0;
  text.setAttribute("role", "region");
  text.setAttribute("aria-label", "Python code");
  const copy = add(box, "button", "ex-copy", "Copy");
  copy.type = "button";
  copy.title = "Copy this code to the clipboard.";
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      put(copy, "Copied");
    } catch {
      getSelection().selectAllChildren(text);
      put(copy, "Selected");
    }
    setTimeout(() => put(copy, "Copy"), 2000);
  });
  box.hidden = true;
  return { box, text, copy };
}
