(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    document.body.dataset.jpThemeLight = String(!dark.matches);
    document.body.dataset.jpThemeName = dark.matches ? "JupyterLab Dark" : "JupyterLab Light";
  };
  follow();
  dark.addEventListener("change", follow);

  // The skeleton stays until there is something to see: the explorer's figures, or a message.
  const drawn = ".ex-figure-size .ex-value, .jp-RenderedText, .jp-RenderedHTMLCommon";
  const show = () => {
    const cells = document.getElementById("rendered_cells");
    if (!cells || !cells.querySelector(drawn)) return false;
    cells.removeAttribute("aria-busy");
    document.getElementById("loading")?.remove();
    return true;
  };

  window.voila_heartbeat = () => {};
  window.voila_process = () => {};
  window.voila_finish = () => {
    if (show()) return;
    const watch = new MutationObserver(() => show() && watch.disconnect());
    watch.observe(document.getElementById("rendered_cells"), { childList: true, subtree: true });
  };
})();
