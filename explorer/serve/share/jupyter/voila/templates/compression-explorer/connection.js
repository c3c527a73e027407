(() => {
  // Tells the visitor when Python or the connection to it is lost, and gets both back: the state
  // is in the address, so that loading the page again is enough.
  const CHANNELS = /\/api\/kernels\/[^/]+\/channels/;
  const ENDED = /"execution_state":\s*"(?:dead|restarting|autorestarting)"/;
  const LOST = "The connection to Python is lost. Trying again.";
  const SILENT = "The server does not answer. Trying again.";
  const OVER = "Python has ended behind this page. It starts again where you left off.";
  const TOO_OFTEN = "Python has ended behind this page, several times now. Load the page again?";
  const RELOADS = "compression-explorer.reloads";
  const BRIEF_MS = 1500;
  const SOON_MS = 1500;
  const FIRST_MS = 1000;
  const LONGEST_MS = 30000;
  const MOST_STATUS_BYTES = 4096;
  const MOST_RELOADS = 3;
  const RELOADS_WITHIN_MS = 120000;
  const PATIENCE_MS = 12000;
  const decoder = new TextDecoder();
  let connected = false;
  let current = null;
  let leaving = false;
  let over = false;
  let lostAt = null;
  let timer = null;
  let pause = FIRST_MS;

  function tell(words) {
    const box = document.getElementById("connection");
    if (!box) return;
    box.hidden = !words;
    if (words) box.querySelector("p").textContent = words;
  }

  function mayReload() {
    try {
      const now = Date.now();
      const recent = JSON.parse(sessionStorage.getItem(RELOADS) ?? "[]").filter(
        (each) => now - each < RELOADS_WITHIN_MS,
      );
      if (recent.length >= MOST_RELOADS) return false;
      sessionStorage.setItem(RELOADS, JSON.stringify([...recent, now]));
      return true;
    } catch {
      return false;
    }
  }

  function reloadSoon() {
    setTimeout(() => {
      if (document.visibilityState !== "visible") {
        document.addEventListener("visibilitychange", reloadSoon, { once: true });
      } else if (mayReload()) location.reload();
      else tell(TOO_OFTEN);
    }, SOON_MS);
  }

  function end() {
    if (over || leaving) return;
    over = true;
    clearTimeout(timer);
    tell(OVER);
    reloadSoon();
  }

  function settings() {
    return JSON.parse(document.getElementById("jupyter-config-data").textContent);
  }

  async function ask() {
    const { baseUrl, kernelId } = settings();
    const answer = await fetch(`${baseUrl}api/kernels/${kernelId}`, { cache: "no-store" });
    return answer.status;
  }

  // JupyterLab waits 10 to 30 seconds before it tries again where the server did not answer.
  async function reconnect() {
    try {
      await (await window.jupyterapp.widgetManagerPromise.promise).kernel.reconnect();
    } catch {
      // The next check tries again.
    }
  }

  async function check() {
    clearTimeout(timer);
    if (over || connected || leaving) return;
    let status = 0;
    try {
      status = await ask();
    } catch {
      tell(SILENT);
    }
    if (over || connected || leaving) return;
    if (status === 404) return end();
    if (status === 200) {
      if (performance.now() - lostAt > PATIENCE_MS) return end();
      tell(LOST);
      reconnect();
    }
    timer = setTimeout(check, pause);
    pause = Math.min(2 * pause, LONGEST_MS);
  }

  function lost(socket) {
    if (connected && socket !== current) return;
    connected = false;
    if (over || leaving || lostAt !== null) return;
    lostAt = performance.now();
    pause = FIRST_MS;
    timer = setTimeout(check, BRIEF_MS);
  }

  function found(socket) {
    current = socket;
    connected = true;
    lostAt = null;
    clearTimeout(timer);
    if (!over) tell("");
  }

  // Messages are binary: a count of offsets, the offsets, the channel, then the header, the
  // parent's header, the metadata and the content.
  function listen({ data }) {
    if (!(data instanceof ArrayBuffer) || data.byteLength > MOST_STATUS_BYTES) return;
    const view = new DataView(data);
    const at = (i) => Number(view.getBigUint64(8 * (i + 1), true));
    const part = (i) => decoder.decode(new Uint8Array(data, at(i), at(i + 1) - at(i)));
    if (part(1).includes('"status"') && ENDED.test(part(4))) end();
  }

  window.WebSocket = class extends WebSocket {
    constructor(address, protocols = []) {
      super(address, protocols);
      if (!CHANNELS.test(String(address))) return;
      this.addEventListener("open", () => found(this));
      this.addEventListener("close", () => lost(this));
      this.addEventListener("message", listen);
    }
  };

  // A page that is left ends its kernel, even before its widgets are there.
  function leave(event) {
    const token = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1];
    if (event.persisted || over || !token || !document.getElementById("jupyter-config-data")) return;
    const { baseUrl, kernelId } = settings();
    const form = new FormData();
    form.append("_xsrf", decodeURIComponent(token));
    navigator.sendBeacon(`${baseUrl}voila/api/shutdown/${kernelId}`, form);
  }

  addEventListener("pagehide", leave);
  addEventListener("online", check);
  addEventListener("beforeunload", () => {
    leaving = true;
    setTimeout(() => {
      leaving = false;
      if (!connected) lost();
    }, 5000);
  });
  addEventListener("click", (event) => {
    if (event.target.closest?.("#connection button")) location.reload();
  });
})();
