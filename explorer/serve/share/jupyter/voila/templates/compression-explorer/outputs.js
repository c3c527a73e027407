(() => {
  // Voila draws widgets as soon as it has started, and gives up for good if the kernel's answer
  // takes the browser more than two seconds, as it does on a slow phone. Here they are drawn when
  // all of them are known, however long that takes.
  const VIEW = "application/vnd.jupyter.widget-view+json";
  const OUTPUTS = 'script[type="application/vnd.voila.cell-output+json"]';
  const kept = [];

  window.keepWidgets = () => {
    for (const script of document.querySelectorAll(OUTPUTS)) {
      const { data } = JSON.parse(script.textContent);
      if (!(VIEW in data)) continue;
      kept.push({ data, place: script.parentElement });
      script.remove();
    }
  };

  async function draw(app) {
    const manager = await app.widgetManagerPromise.promise;
    if (!manager.restoredStatus) {
      await new Promise((resolve) => manager.restored.connect(resolve));
    }
    for (const { data, place } of kept.splice(0)) {
      const renderer = manager.rendermime.createRenderer(VIEW);
      renderer.addClass("jp-OutputArea-output");
      renderer.renderModel({ data, metadata: {}, trusted: true });
      renderer.constructor.attach(renderer, place);
    }
  }

  let started;
  Object.defineProperty(window, "jupyterapp", {
    configurable: true,
    get: () => started,
    set(app) {
      started = app;
      draw(app);
    },
  });
})();
