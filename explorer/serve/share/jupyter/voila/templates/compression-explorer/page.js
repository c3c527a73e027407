(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    document.body.dataset.jpThemeLight = String(!dark.matches);
    document.body.dataset.jpThemeName = dark.matches ? "JupyterLab Dark" : "JupyterLab Light";
  };
  follow();
  dark.addEventListener("change", follow);

  // The skeleton stays until there is something to see: the explorer with its views, or a text.
  const figures = ".ex-figure-size .ex-value";
  const views = ".ex-view-sparsity canvas[data-kept]";
  const text = ".jp-RenderedText, .jp-RenderedHTMLCommon";
  const VIEWS_MS = 2000;
  let patience = null;
  const show = (waited = false) => {
    const cells = document.getElementById("rendered_cells");
    if (!cells) return true;
    if (!cells.querySelector(text)) {
      if (!cells.querySelector(figures)) return false;
      if (!waited && !cells.querySelector(views)) {
        patience ??= setTimeout(show, VIEWS_MS, true);
        return false;
      }
    }
    cells.removeAttribute("aria-busy");
    document.getElementById("loading")?.remove();
    return true;
  };

  const nothing = () => {};
  window.MathJax = {
    Hub: { Config: nothing, Configured: nothing, Queue: nothing, Register: { StartupHook: nothing } },
  };

  // anywidget gives every widget two seconds to start, and one that takes longer hears of no change
  // any more. A busy machine takes longer.
  const PATIENCE_MS = 120000;
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => timeout(Math.max(ms, PATIENCE_MS));

  window.voila_heartbeat = () => {};
  window.voila_process = () => {};
  const say = (words) => {
    const text = document.querySelector("#loading_text .words");
    if (text) text.textContent = words;
  };
  const slow = setTimeout(
    () => say("Still starting: the server is busy. The page comes by itself."), 15000);
  let finished = false;
  addEventListener("load", () => {
    if (finished) return;
    clearTimeout(slow);
    say("This page could not be made. Loading it again may help.");
    document.querySelector("#loading .spinner")?.remove();
  });

  window.voila_finish = () => {
    finished = true;
    if (show()) return;
    const watch = new MutationObserver(() => show() && watch.disconnect());
    watch.observe(document.getElementById("rendered_cells"), {
      attributeFilter: ["data-kept"], childList: true, subtree: true,
    });
  };
})();
